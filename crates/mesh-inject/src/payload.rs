//! The templates that istiod evaluates to inject pods, and to deploy Gateways: what an installation puts under
//! `templates` in the key `config` of the ConfigMap `istio-sidecar-injector`.
//!
//! They are Go's `text/template`. Those for pods say in istiod's language what the typed builders of this crate say in
//! Rust: a test renders both for the same pods and settings and compares them. Change them together. There are none for
//! agentgateway (`agentgateway`, `agentgateway-waypoint`).
//!
//! ## What istiod gives to a template
//!
//! | field | what it is |
//! |---|---|
//! | `.ObjectMeta`, `.Spec` | the pod without injection, as Kubernetes' Go types |
//! | `.TypeMeta`, `.DeploymentMeta` | `APIVersion` and `Kind`, `Namespace` and `Name` of the workload that the pod belongs to |
//! | `.MeshConfig`, `.ProxyConfig` | the mesh's settings and those of this proxy, as messages of `istio.io/api/mesh/v1alpha1` with what istiod compiles in |
//! | `.Values` | the key `values` of the ConfigMap |
//! | `.Revision` | the revision of istiod |
//! | `.NativeSidecars` | whether proxies are native sidecars, if the pod does not say |
//! | `.ProxyImage` | the image of the proxy without the pod's annotation `sidecar.istio.io/proxyImage` |
//! | `.ProxyUID`, `.ProxyGID` | user and group of the proxy |
//! | `.InboundTrafficPolicyMode` | `localhost` or `passthrough` |
//! | `.CompliancePolicy` | what istiod's variable `COMPLIANCE_POLICY` says |
//!
//! Functions are those of Go and of [Sprig](https://masterminds.github.io/sprig/), and istiod's own. Of the latter the
//! templates use those that all releases have:
//!
//! | function | what it returns |
//! |---|---|
//! | `annotation META NAME DEFAULT` | the annotation, or else the default as text |
//! | `isset MAP KEY` | whether a map from text to text has the key |
//! | `structToJSON VALUE`, `fromJSON TEXT` | JSON, and back |
//! | `protoToJSON MESSAGE` | protobuf's JSON, of a `ProxyConfig` without what the agent assumes anyway |
//! | `excludeInboundPort PORT LIST` | the list of ports with the port in it |
//! | `appendMultusNetwork LIST NETWORK` | the list of Multus networks with the network in it |
//!
//! What a template renders is a pod in YAML, which istiod merges into the user's by Kubernetes' strategic merge.
//!
//! ## Gateways
//!
//! `kube-gateway` and `waypoint` are evaluated for each `Gateway` of the Gateway API that istiod deploys. They are given
//! the Gateway (`.ObjectMeta`, `.Spec`, and `.Name`, `.Namespace`, `.UID` of its own), `.MeshConfig`, `.ProxyConfig`,
//! `.Values`, `.Revision`, `.ProxyUID`, `.ProxyGID` and `.CompliancePolicy` as above, and:
//!
//! | field | what it is |
//! |---|---|
//! | `.DeploymentName`, `.ServiceAccount` | the names of the objects |
//! | `.Ports`, `.ServiceType` | ports and type of the Service |
//! | `.ClusterID` | the name of the cluster |
//! | `.InfrastructureLabels`, `.InfrastructureAnnotations` | what all objects are to have |
//! | `.GatewayNameLabel` | the label with the name of the Gateway |
//! | `.ControllerLabel` | the value of the label `gateway.istio.io/managed` |
//!
//! Nothing is built in their place; tests hold that their objects are valid and fit each other. They are a
//! `ServiceAccount`, a `Deployment`, a `Service`, a `HorizontalPodAutoscaler` and a `PodDisruptionBudget`.
//! istiod applies the last two only if the parameters of the Gateway or of its class say something of them.

/// The templates that are shipped, by name, with their texts.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.into_iter()
}

/// A template of its own file, after what it has in common with others.
macro_rules! template {
    ($name:literal, $common:literal) => {
        (
            $name,
            concat!(
                include_str!("payload/common.tpl"),
                include_str!(concat!("payload/", $common, ".tpl")),
                include_str!(concat!("payload/", $name, ".tpl"))
            ),
        )
    };
}

/// Sorted by name.
const TEMPLATES: [(&str, &str); 6] = [
    template!("gateway", "pod"),
    template!("grpc-agent", "pod"),
    template!("grpc-simple", "pod"),
    template!("kube-gateway", "deployment"),
    template!("sidecar", "pod"),
    template!("waypoint", "deployment"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Template;

    #[test]
    fn there_is_a_text_for_each_template() {
        let texts: Vec<_> = templates().map(|(name, _)| name).collect();
        assert!(texts.is_sorted());
        for template in Template::ALL {
            assert!(texts.contains(&template.name()), "{}", template.name());
        }
    }
}

//! The templates that istiod evaluates to inject pods: what an installation puts under `templates` in the key `config`
//! of the ConfigMap `istio-sidecar-injector`.
//!
//! They are Go's `text/template`, and say in istiod's language what the typed builders of this crate say in Rust: a test
//! renders both for the same pods and settings and compares them. Change them together.
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

/// The templates that are shipped, by name, with their texts.
pub fn templates() -> impl Iterator<Item = (&'static str, &'static str)> {
    TEMPLATES.into_iter()
}

macro_rules! template {
    ($name:literal) => {
        (
            $name,
            concat!(
                include_str!("payload/common.tpl"),
                include_str!(concat!("payload/", $name, ".tpl"))
            ),
        )
    };
}

/// Sorted by name.
const TEMPLATES: [(&str, &str); 4] = [
    template!("gateway"),
    template!("grpc-agent"),
    template!("grpc-simple"),
    template!("sidecar"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::templates::Template;

    #[test]
    fn there_is_a_text_for_each_template() {
        let texts: Vec<_> = templates().map(|(name, _)| name).collect();
        assert_eq!(texts, Template::ALL.map(Template::name));
    }
}

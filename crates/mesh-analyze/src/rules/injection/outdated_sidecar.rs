//! Sidecars of another version than the injector's.

use mesh_core::k8s_openapi::api::core::v1::{Container, PodSpec};
use mesh_core::{Kind, Mesh, Resource};
use mesh_yaml::{FieldPath, path};

use super::PROXY_CONTAINER;
use super::running::{self, SUBJECTS, Template};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A pod runs a sidecar with another image than the injector of its revision adds now.
    ///
    /// ## Why is this bad?
    /// The pod was made before the control plane was upgraded. Its proxy lacks what was fixed since, and a proxy that is more
    /// than two minor versions away from the control plane is not supported.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: ConfigMap
    /// metadata: {name: istio-sidecar-injector, namespace: istio-system}
    /// data:
    ///   values: '{"global": {"hub": "docker.io/istio", "tag": "1.30.1", "proxy": {"image": "proxyv2"}}}'
    /// ---
    /// apiVersion: v1
    /// kind: Pod
    /// metadata: {name: web-0, namespace: shop, uid: 0b8c6a4e-7c1e-4a44-9f2e-0f6f0f2f7c11}
    /// spec:
    ///   containers:
    ///   - {name: web, image: web}
    ///   - {name: istio-proxy, image: docker.io/istio/proxyv2:1.28.0}
    /// ```
    ///
    /// ## Fix
    /// Have the pod made anew, such as with `kubectl rollout restart deployment/web`. Pods that choose their image by the
    /// annotation `sidecar.istio.io/proxyImage` are not judged.
    pub static RULE = {
        name: "outdated-sidecar",
        aliases: &["IST0158"],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: SUBJECTS,
        needs: &[&[Kind::ConfigMap]],
        check,
    }
}

/// The annotation of pods that chooses the proxy's image.
const IMAGE_ANNOTATION: &str = "sidecar.istio.io/proxyImage";

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let templates = running::templates(mesh);
    let expected = |pod: &Resource<PodSpec>| -> Option<&str> {
        let is_its: fn(&Template, &str) -> bool = |template, revision| template.revision == revision;
        let template = templates
            .iter()
            .find(|template| is_its(template, running::revision(pod)))?;
        template.image.as_deref()
    };
    let is_outdated = |pod: &Resource<PodSpec>| {
        let (Some((container, _)), Some(expected)) = (proxy(&pod.spec), expected(pod)) else {
            return false;
        };
        let image = container.image.as_deref().unwrap_or_default();
        let variant = image.strip_prefix(expected);
        let is_same = variant.is_some_and(|variant| variant.is_empty() || variant.starts_with('-'));
        !is_same && !pod.annotations().contains_key(IMAGE_ANNOTATION)
    };
    for group in running::groups(mesh, is_outdated) {
        let (Some((container, path)), Some(expected)) = (proxy(&group.pod.spec), expected(group.pod)) else {
            continue;
        };
        reporter
            .report(group.pod, path.key("image"))
            .message(format!(
                "{} runs the proxy `{}`, and injection adds `{expected}` now",
                group.subject(),
                container.image.as_deref().unwrap_or_default()
            ))
            .help(group.restart());
    }
}

/// The proxy's container and its path. It is among the init containers where sidecars are native.
fn proxy(pod: &PodSpec) -> Option<(&Container, FieldPath)> {
    let find = |list: &'_ [Container]| {
        list.iter()
            .position(|container| container.name == PROXY_CONTAINER)
    };
    let init = pod.init_containers.as_deref().unwrap_or_default();
    find(init)
        .map(|index| (&init[index], path!["spec", "initContainers", index]))
        .or_else(|| {
            let index = find(&pod.containers)?;
            Some((&pod.containers[index], path!["spec", "containers", index]))
        })
}

#[cfg(test)]
mod tests {
    use crate::testing::findings;

    fn found(image: &str, metadata: &str, map: &str) -> Vec<String> {
        let values = r#"{"global": {"hub": "h", "tag": "1.30.1", "proxy": {"image": "proxyv2"}}}"#;
        findings(
            "outdated-sidecar",
            &format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {map}, namespace: istio-system}}\ndata: {{values: \
                 '{values}'}}\n---\napiVersion: v1\nkind: Pod\nmetadata: {{name: a, namespace: a, uid: x{metadata}}}\n\
                 spec: {{containers: [{{name: istio-proxy, image: '{image}'}}]}}\n"
            ),
        )
    }

    #[test]
    fn images_are_compared_within_a_revision() {
        let map = "istio-sidecar-injector";
        assert_eq!(
            found("h/proxyv2:1.28.0", "", map),
            [
                "spec.containers[0].image: the pod runs the proxy `h/proxyv2:1.28.0`, and injection adds `h/proxyv2:1.30.1` now"
            ]
        );
        for (image, metadata, map) in [
            ("h/proxyv2:1.30.1", "", map),
            ("h/proxyv2:1.30.1-distroless", "", map),
            ("x", ", annotations: {sidecar.istio.io/proxyImage: x}", map),
            ("x", ", labels: {istio.io/rev: canary}", map),
            ("x", "", "istio-sidecar-injector-canary"),
            ("x", "", "istio-sidecar-injectors"),
        ] {
            assert_eq!(found(image, metadata, map), [""; 0], "{image} {metadata} {map}");
        }
        assert_eq!(
            found(
                "x",
                ", labels: {istio.io/rev: canary}",
                "istio-sidecar-injector-canary"
            )
            .len(),
            1
        );
    }
}

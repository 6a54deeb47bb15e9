//! Injection twice, and there and back.

use crate::support::{APP, WEB, deployment, inject, settings, tree, uninject};

const PROBED: &str = "\
containers:
- name: app # mine
  image: a
  ports:
  - containerPort: 8080
  livenessProbe:
    httpGet:
      path: /live
      port: 8080
    # Often.
    periodSeconds: 3
  readinessProbe:
    tcpSocket:
      port: 8080
volumes:
# Mine too.
- name: mine
  emptyDir: {}
";

fn samples() -> Vec<String> {
    let proxy = "containers:\n- name: app\n  image: a\n- name: istio-proxy\n  image: auto\n  resources:\n    limits:\n      \
                 cpu: 3000m\n  env:\n  - name: B\n    value: b\n  - name: A\n    value: a";
    vec![
        WEB.to_owned(),
        deployment(&[], APP),
        deployment(&[("a", "b")], PROBED),
        deployment(
            &[("prometheus.io/scrape", "true"), ("prometheus.io/port", "9090")],
            APP,
        ),
        deployment(&[("prometheus.io/scrape", "false")], APP),
        deployment(&[("sidecar.istio.io/nativeSidecar", "true")], PROBED),
        deployment(&[], proxy),
        deployment(&[("sidecar.istio.io/nativeSidecar", "true")], proxy),
        deployment(&[("inject.istio.io/templates", "grpc-agent")], APP),
        deployment(&[("inject.istio.io/templates", "grpc-simple")], APP),
        deployment(&[("inject.istio.io/templates", "gateway")], proxy),
        deployment(&[("traffic.sidecar.istio.io/excludeInboundPorts", "81")], APP),
    ]
}

const SETTINGS: [(&str, &str); 4] = [
    ("", ""),
    ("", "pilot: {cni: {enabled: true}}"),
    (
        "defaultConfig: {holdApplicationUntilProxyStarts: true}",
        "global: {network: n1, imagePullSecrets: [s1], multiCluster: {clusterName: c1}}",
    ),
    (
        "",
        "revision: canary\npilot: {cni: {enabled: true, provider: multus}}",
    ),
];

#[test]
fn injecting_twice_is_injecting_once() {
    for (mesh, values) in SETTINGS {
        let settings = settings(mesh, values);
        for text in samples() {
            let once = inject(&settings, &text);
            assert_eq!(inject(&settings, &once), once);
        }
    }
}

#[test]
fn uninjecting_undoes_injecting_to_the_letter() {
    for (mesh, values) in SETTINGS {
        let settings = settings(mesh, values);
        for text in samples() {
            // Without a proxy the label of a network may be the user's own.
            if text.contains("grpc-simple") && values.contains("network") {
                continue;
            }
            assert_eq!(uninject(&inject(&settings, &text)), text, "{mesh} {values}");
        }
    }
}

#[test]
fn injecting_again_follows_new_settings() {
    let (old, new) = (
        settings("", ""),
        settings("", "global: {tag: '2'}\npilot: {cni: {enabled: true}}"),
    );
    for text in samples() {
        assert_eq!(
            tree(&inject(&new, &inject(&old, &text))),
            tree(&inject(&new, &text))
        );
    }
}

#[test]
fn text_without_sidecars_stays_as_it_is() {
    for text in samples() {
        assert_eq!(uninject(&text), text);
    }
}

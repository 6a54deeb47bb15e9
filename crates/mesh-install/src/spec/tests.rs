use proptest::prelude::*;
use serde_json::json;

use super::*;

fn file(text: &str) -> Request {
    Request {
        files: vec![Source {
            name: "mesh.yaml".to_owned(),
            text: text.into(),
        }],
        ..Request::default()
    }
}

fn sets(sets: &[&str]) -> Request {
    Request {
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Request::default()
    }
}

fn spec(request: &Request) -> Spec {
    match resolve(request) {
        Ok(resolved) => resolved.spec,
        Err(issues) => panic!("{issues:#?}"),
    }
}

/// What is wrong: message, what is underlined, help.
fn wrong(request: &Request) -> Vec<(String, String, String)> {
    let issues = resolve(request).expect_err("it is wrong");
    issues
        .into_iter()
        .map(|issue| {
            let text = issue.place.map_or_else(String::new, |place| {
                place.source.text[place.span.start as usize..place.span.end as usize].to_owned()
            });
            (issue.message, text, issue.help.unwrap_or_default())
        })
        .collect()
}

fn one(request: &Request) -> (String, String, String) {
    let mut all = wrong(request);
    assert_eq!(all.len(), 1, "{all:#?}");
    all.remove(0)
}

fn triple(message: &str, text: &str, help: &str) -> (String, String, String) {
    (message.to_owned(), text.to_owned(), help.to_owned())
}

#[test]
fn every_layer_of_the_program_is_a_specification() {
    let layers = PROFILES
        .iter()
        .chain(profiles::PLATFORMS)
        .chain(profiles::COMPATIBILITY);
    let texts = layers.map(|layer| (layer.name, layer.text));
    for (name, text) in texts.chain([("defaults", include_str!("defaults.yaml"))]) {
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        let source = Source {
            name: name.to_owned(),
            text: text.into(),
        };
        Layer::read(&source, &mut errors, &mut warnings);
        assert!(
            errors.is_empty() && warnings.is_empty(),
            "{name}: {errors:#?} {warnings:#?}"
        );
    }
    assert!(PROFILES.is_sorted_by(|a, b| a.name < b.name));
    for profile in PROFILES {
        assert!(profile.summary().ends_with('.'), "{}", profile.name);
        let resolved = resolve(&Request {
            profile: Some(profile.name.to_owned()),
            ..Request::default()
        });
        let resolved = resolved.unwrap_or_else(|issues| panic!("{}: {issues:#?}", profile.name));
        assert_eq!(resolved.warnings, [], "{}", profile.name);
    }
}

#[test]
fn later_layers_win() {
    let request = Request {
        sets: vec!["values.global.hub=set".to_owned(), "tag=1.30.1".to_owned()],
        hub: Some("flag".to_owned()),
        ..file("profile: demo\nhub: file\nvalues: {pilot: {replicaCount: 3}}")
    };
    let spec = spec(&request);
    let plane = &spec.control_plane;
    assert_eq!(
        (&*plane.profile, &*plane.hub, &*plane.tag, spec.release.minor),
        ("demo", "flag", "1.30.1", 30)
    );
    assert_eq!(plane.values.pilot.replica_count, 3);
    assert_eq!(plane.values.global.hub, "flag");
    assert!(!plane.values.pilot.autoscale_enabled, "as the profile has it");
    assert_eq!(plane.values.global.status_port(), 15020);
}

impl values::Global {
    fn status_port(&self) -> u32 {
        self.proxy.status_port
    }
}

#[test]
fn objects_of_istio_and_of_our_own_are_read() {
    for head in [
        "apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator",
        "apiVersion: install.meshctl.dev/v1alpha1\nkind: MeshControlPlane",
    ] {
        let text = format!(
            "{head}\nmetadata: {{name: x, namespace: mesh}}\nspec:\n  profile: minimal\n  components:\n    pilot:\n      k8s: {{replicaCount: 2}}\n"
        );
        let spec = spec(&file(&text));
        assert_eq!(spec.namespace(), "mesh");
        assert_eq!(spec.control_plane.components.pilot.k8s.replica_count, Some(2));
        assert_eq!(spec.control_plane.values.global.istio_namespace, "mesh");
    }
    let (message, _, help) = one(&file("apiVersion: v1\nkind: ConfigMap"));
    assert!(
        message.contains("`ConfigMap`") && help.contains("MeshControlPlane"),
        "{message}; {help}"
    );
}

#[test]
fn unknown_fields_are_refused_with_the_nearest_one() {
    assert_eq!(
        one(&file("components:\n  pilott: {enabled: true}\n")),
        triple(
            "unknown field `pilott`",
            "pilott",
            "did you mean `components.pilot`?"
        )
    );
    assert_eq!(
        one(&file("values:\n  global:\n    rewriteAppHTTPProbe: true\n")),
        triple(
            "unknown field `rewriteAppHTTPProbe`",
            "rewriteAppHTTPProbe",
            "did you mean `values.sidecarInjectorWebhook.rewriteAppHTTPProbe`?"
        )
    );
    assert_eq!(
        one(&file("meshConfig:\n  accessLogFil: /dev/stdout\n")).2,
        "did you mean `meshConfig.accessLogFile`?"
    );
    assert_eq!(
        one(&file("values:\n  meshConfig:\n    accessLogFil: /dev/stdout\n")),
        triple(
            "unknown field `accessLogFil`",
            "accessLogFil",
            "did you mean `values.meshConfig.accessLogFile`?"
        )
    );
    assert_eq!(
        one(&sets(&["values.globl.hub=x"])),
        triple(
            "unknown field `values.globl`",
            "globl",
            "did you mean `values.global`?"
        )
    );
    assert_eq!(
        one(&sets(&["meshConfig.accessLogFil=x"])),
        triple(
            "unknown field `meshConfig.accessLogFil`",
            "accessLogFil",
            "did you mean `meshConfig.accessLogFile`?"
        )
    );
    // As in the values of Istio's charts.
    for (set, meant) in [
        ("pilot.replicaCount=2", "did you mean `values.pilot`?"),
        ("global.proxy.image=x", "did you mean `values.global`?"),
    ] {
        assert_eq!(one(&sets(&[set])).2, meant);
    }
}

#[test]
fn values_of_other_types_are_refused() {
    let (message, text, help) = one(&file("tag: 1.30\n"));
    assert_eq!((&*text, &*help), ("1.30", "quote it: \"1.30\""));
    assert!(message.contains("expected a string"), "{message}");
    let (message, text, _) = one(&sets(&["values.pilot.autoscaleEnabled=yess"]));
    assert_eq!(
        (&*message, &*text),
        ("expected a boolean, found the string \"yess\"", "yess")
    );
    let (message, text, _) = one(&file(
        "components: {pilot: {k8s: {resources: {requests: {cpu: [1]}}}}}",
    ));
    assert_eq!(text, "[1]", "{message}");
    for wrong in [
        "tag=a:b",
        "hub=my registry",
        "hub=registry/Istio",
        "components.cni.tag=1.29.0@sha256:1",
    ] {
        let (message, text, _) = one(&sets(&[wrong]));
        assert!(
            message.contains(&*text) && message.contains("the pattern"),
            "{wrong}: {message}"
        );
    }
    // What Kubernetes' own types do not know is told as well.
    let (message, text, help) = one(&file("components: {pilot: {k8s: {affinity: {nodeAffinty: {}}}}}"));
    assert_eq!(
        (&*message, &*text),
        ("unknown field `nodeAffinty`", "nodeAffinty")
    );
    assert_eq!(help, "did you mean `components.pilot.k8s.affinity.nodeAffinity`?");
    let (message, text, help) = one(&sets(&["components.pilot.k8s.resources.request.cpu=1"]));
    assert_eq!((&*message, &*text), ("unknown field `request`", "request"));
    assert_eq!(help, "did you mean `components.pilot.k8s.resources.requests`?");
    let (_, text, help) = one(&file("components: {cni: {k8s: {tolerations: [{keyy: a}]}}}"));
    assert_eq!(
        (&*text, &*help),
        ("keyy", "did you mean `components.cni.k8s.tolerations[0].key`?")
    );
    let (message, _, help) = one(&sets(&["profile=defautl"]));
    assert_eq!(message, "there is no profile `defautl`");
    assert!(help.starts_with("did you mean `default`?"), "{help}");
}

#[test]
fn arguments_take_values_by_the_type_of_the_field() {
    let spec = spec(&sets(&[
        "meshConfig.defaultConfig.proxyMetadata.ISTIO_META_DNS_CAPTURE=true",
        "values.pilot.env.PILOT_X=true",
        "components.ingressGateways[name:istio-ingressgateway].k8s.replicaCount=2",
        r"components.pilot.k8s.podAnnotations.prometheus\.io/port=15014",
        "components.pilot.k8s.tolerations=[{key: a, operator: Exists}]",
        "components.pilot.k8s.affinity.nodeAffinity={}",
        "values.global.proxy.includeIPRanges=10.0.0.0/8\\,fd00::/8",
        "values.global.imagePullSecrets[0]=one",
        "values.global.imagePullSecrets[5]=two",
    ]));
    let plane = &spec.control_plane;
    assert_eq!(
        spec.tree.pointer("/meshConfig/defaultConfig/proxyMetadata"),
        Some(&json!({"ISTIO_META_DNS_CAPTURE": "true"}))
    );
    assert_eq!(plane.values.pilot.env["PILOT_X"].0, "true");
    assert_eq!(plane.components.ingress_gateways[0].k8s.replica_count, Some(2));
    assert_eq!(
        plane.components.pilot.k8s.pod_annotations["prometheus.io/port"],
        "15014"
    );
    assert_eq!(
        plane.components.pilot.k8s.tolerations[0].0,
        json!({"key": "a", "operator": "Exists"})
    );
    assert_eq!(plane.values.global.proxy.include_ip_ranges, "10.0.0.0/8,fd00::/8");
    assert_eq!(plane.values.global.image_pull_secrets, ["one", "two"]);

    let (message, text, _) = one(&sets(&["components.ingressGateways[name:x].enabled=true"]));
    assert_eq!(
        message,
        "no item has the name `x`; there are istio-ingressgateway"
    );
    assert_eq!(text, "[name:x]");
    let (message, text, _) = one(&sets(&["components.pilot"]));
    assert_eq!((&*message, &*text), ("a value is missing", ""));
}

#[test]
fn gateways_of_a_file_replace_those_of_the_profile_but_keep_what_both_have() {
    let text = "components:\n  ingressGateways:\n  - name: istio-ingressgateway\n    k8s: {replicaCount: 2}\n  - name: second\n    enabled: true\n";
    let gateways = spec(&file(text)).control_plane.components.ingress_gateways;
    let seen: Vec<_> = gateways
        .iter()
        .map(|gateway| (&*gateway.name, gateway.enabled))
        .collect();
    assert_eq!(seen, [("istio-ingressgateway", true), ("second", true)]);
    let text = "components:\n  ingressGateways:\n  - name: second\n    enabled: true\n";
    assert_eq!(
        spec(&file(text)).control_plane.components.ingress_gateways.len(),
        1
    );
}

#[test]
fn nothing_takes_a_default_away() {
    let text = "values: {global: {proxy: {resources: {limits: null}}, proxy_init: null}}";
    let tree = spec(&file(text)).tree;
    assert_eq!(
        tree.pointer("/values/global/proxy/resources"),
        Some(&json!({"requests": {"cpu": "100m", "memory": "128Mi"}}))
    );
    assert_eq!(tree.pointer("/values/global/proxy_init"), None);
}

#[test]
fn platforms_and_earlier_behaviour_are_layers() {
    let openshift = spec(&sets(&["values.platform=openshift"]));
    assert_eq!(openshift.control_plane.values.cni.cni_bin_dir, "/var/lib/cni/bin");
    assert_eq!(openshift.control_plane.values.global.platform, "openshift");
    let own = spec(&sets(&["values.platform=openshift", "values.cni.cniBinDir=/own"]));
    assert_eq!(own.control_plane.values.cni.cni_bin_dir, "/own");
    let (message, text, _) = one(&sets(&["values.global.platform=openshfit"]));
    assert_eq!(
        (&*message, &*text),
        ("there is no platform `openshfit`", "openshfit")
    );

    let env = |version: &str, tag: &str| {
        let request = Request {
            tag: Some(tag.to_owned()),
            ..sets(&[&format!("compatibilityVersion={version}")])
        };
        let env = spec(&request).control_plane.values.pilot.env;
        env.into_keys().collect::<Vec<_>>()
    };
    assert!(env("1.31", "1.31.4").is_empty());
    assert_eq!(
        env("1.29", "1.30.8"),
        ["PILOT_SIDECAR_PICK_BEST_SERVICE_NAMESPACE"]
    );
    assert_eq!(env("1.28", "1.31.4").len(), 6);
    assert!(one(&sets(&["compatibilityVersion=1.99"])).0.contains("1.99"));
}

#[test]
fn what_fits_no_schema_is_judged() {
    let (message, text, _) = one(&sets(&["values.global.proxy.includeIPRanges=10.0.0.0/33"]));
    assert_eq!(message, "`10.0.0.0/33` is not a block of addresses");
    assert_eq!(text, "10.0.0.0/33");
    assert!(
        one(&sets(&["values.global.proxy.excludeInboundPorts=80,http"]))
            .0
            .contains("`http`")
    );
    assert!(one(&sets(&["revision=Bad"])).0.contains("does not match"));
    let twice = "components.ingressGateways=[{name: a, enabled: true}, {name: a, enabled: true}]";
    assert_eq!(one(&sets(&[twice])).0, "two gateways are called `a`");
    let resolved = resolve(&sets(&["components.pilot.k8s.replicaCount=2"])).expect("it is right");
    assert!(resolved.warnings[0].message.contains("HorizontalPodAutoscaler"));
    let resolved = resolve(&sets(&["values.global.jwtPolicy=x"])).expect("it is right");
    assert_eq!(resolved.warnings[0].message, "field `jwtPolicy` is deprecated");
    let overlay =
        "components: {pilot: {k8s: {overlays: [{kind: Deployment, name: istiodd, patches: [{path: a}]}]}}}";
    let (message, _, _) = one(&file(overlay));
    assert_eq!(message, "the component has no `Deployment/istiodd`");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_file_is_a_specification_or_an_error(text in r"[a-zA-Z:{}\[\], \n&*-]{0,60}") {
        let _ = resolve(&file(&text));
    }

    #[test]
    fn any_argument_is_a_specification_or_an_error_in_it(
        text in r"(values|components|meshConfig|global|pilot|k8s|\.|\[0\]|\[name:x\]|=|[a-z0-9{}\\]){0,12}",
    ) {
        if let Err(issues) = resolve(&sets(&[&text])) {
            for issue in issues {
                let place = issue.place.expect("arguments have places");
                prop_assert!(place.source.text.get(place.span.start as usize..place.span.end as usize).is_some());
            }
        }
    }

    #[test]
    fn unknown_keys_are_always_refused(
        parent in prop::sample::select(vec!["", "components", "values", "values.global", "values.pilot", "meshConfig",
            "components.pilot.k8s", "values.gateways.istio-ingressgateway"]),
        key in "zz[a-z]{1,8}",
    ) {
        let path = if parent.is_empty() { key.clone() } else { format!("{parent}.{key}") };
        let (message, _, _) = one(&sets(&[&format!("{path}=1")]));
        prop_assert!(message.contains(&key), "{message}");
        let mut tree = json!(1);
        for key in path.rsplit('.') {
            tree = json!({key: tree});
        }
        let text = mesh_yaml::emit::to_string(&tree).expect("a tree");
        let (message, underlined, _) = one(&file(&text));
        prop_assert!(message.contains(&key), "{message}");
        prop_assert_eq!(underlined, key);
    }
}

//! Reviews of pods: the injector's answers, and what is made of them.

use std::collections::BTreeMap;

use mesh_core::Labels;
use mesh_inject::{
    AskError, Namespace, Outcome, Question, Reviewed, Scope, Settings, Skip, Verdict, candidates,
    change_document, inject_document, review,
};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::{WEB, document};

fn reviewed(body: &Value) -> Reviewed {
    review(
        &Settings::default(),
        &BTreeMap::new(),
        body.to_string().as_bytes(),
    )
    .expect("a review")
}

fn response(reviewed: &Reviewed) -> Value {
    let body: Value = serde_json::from_slice(&reviewed.body).expect("JSON");
    assert_eq!(body["kind"], "AdmissionReview");
    body["response"].clone()
}

fn question(pod: &Value) -> Value {
    json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "request": {
            "uid": "1", "operation": "CREATE", "namespace": "shop",
            "kind": {"group": "", "version": "v1", "kind": "Pod"}, "object": pod,
        },
    })
}

#[test]
fn the_answer_says_what_becomes_of_the_pod() {
    let containers = json!([{"name": "app", "image": "a"}]);
    let injected = reviewed(&question(
        &json!({"metadata": {"name": "a"}, "spec": {"containers": containers}}),
    ));
    assert_eq!(injected.verdict, Verdict::Injected);
    assert_eq!(injected.subject, "Pod shop/a");
    let answer = response(&injected);
    assert_eq!(
        (&answer["uid"], &answer["allowed"], &answer["patchType"]),
        (&"1".into(), &true.into(), &"JSONPatch".into())
    );

    let skipped = reviewed(&question(
        &json!({"metadata": {}, "spec": {"hostNetwork": true, "containers": containers}}),
    ));
    assert_eq!(skipped.verdict, Verdict::Skipped(Skip::HostNetwork));
    assert_eq!(response(&skipped), json!({"uid": "1", "allowed": true}));

    let refused = reviewed(&question(&json!({
        "metadata": {"annotations": {"status.sidecar.istio.io/port": "high"}}, "spec": {"containers": containers},
    })));
    assert!(matches!(refused.verdict, Verdict::Refused(_)));
    let answer = response(&refused);
    assert_eq!(
        (&answer["allowed"], &answer["status"]["code"]),
        (&false.into(), &422.into())
    );
    assert!(
        answer["status"]["message"]
            .as_str()
            .is_some_and(|text| text.contains("status.sidecar.istio.io/port"))
    );

    let mut other = question(&json!({}));
    other["request"]["kind"]["kind"] = "Deployment".into();
    assert_eq!(reviewed(&other).verdict, Verdict::Other);
    let mut update = question(&json!({}));
    update["request"]["operation"] = "UPDATE".into();
    assert_eq!(reviewed(&update).verdict, Verdict::Other);
}

#[test]
fn warnings_reach_the_user() {
    let pod = json!({"spec": {"dnsPolicy": "None", "containers": [{"name": "app"}]}});
    let answer = response(&reviewed(&question(&pod)));
    let warning = answer["warnings"][0].as_str().expect("a warning");
    assert!(warning.starts_with("spec.dnsPolicy: "), "{warning}");
}

#[test]
fn what_is_no_review_is_refused() {
    for (body, expected) in [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[]", "no AdmissionReview"),
        (
            r#"{"apiVersion":"admission.k8s.io/v1beta1","kind":"AdmissionReview","request":{"uid":"1"}}"#,
            "no AdmissionReview of",
        ),
        (
            r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview"}"#,
            "no request",
        ),
        (
            r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{}}"#,
            "no uid",
        ),
        (
            r#"{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","kind":{"kind":"Pod"}}}"#,
            "no object",
        ),
    ] {
        let error = review(&Settings::default(), &BTreeMap::new(), body.as_bytes()).expect_err("no review");
        assert!(error.to_string().contains(expected), "{body}: {error}");
    }
}

/// What the default injector makes of the workloads of a text, as [`inject_document`] does.
fn asked(settings: &Settings, text: &str, scope: &Scope) -> Option<String> {
    let document = document(text);
    let processed = change_document(&document, scope, |candidate, pod| {
        let question = Question::of(candidate, pod, "7");
        let reviewed = review(settings, &scope.namespaces, question.body()).expect("a review");
        let answer = question.answer(&reviewed.body).expect("an answer");
        Ok(answer.change(candidate, pod))
    });
    processed.expect("nothing is wrong").text
}

#[test]
fn asking_gives_what_injecting_gives() {
    let settings = Settings::default();
    let scope = Scope {
        namespace: "shop".to_owned(),
        ..Scope::default()
    };
    let template = &WEB[WEB.find("spec:").expect("a spec")..];
    for (version, kind) in [
        ("apps/v1", "Deployment"),
        ("apps/v1", "StatefulSet"),
        ("apps/v1", "DaemonSet"),
        ("apps/v1", "ReplicaSet"),
        ("batch/v1", "Job"),
        ("v1", "ReplicationController"),
        ("apps.openshift.io/v1", "DeploymentConfig"),
        ("argoproj.io/v1alpha1", "Rollout"),
    ] {
        let text =
            format!("apiVersion: {version}\nkind: {kind}\nmetadata: {{name: web}} # comment\n{template}");
        let expected = inject_document(&settings, &document(&text), &scope)
            .expect("nothing is wrong")
            .text;
        assert_eq!(asked(&settings, &text, &scope), expected, "{kind}");
    }
    let inner = template.replace('\n', "\n    ");
    let cron_job = format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{name: web}}\nspec:\n  jobTemplate:\n    {}\n",
        inner.trim_end()
    );
    let expected = inject_document(&settings, &document(&cron_job), &scope)
        .expect("nothing is wrong")
        .text;
    assert!(expected.is_some());
    assert_eq!(asked(&settings, &cron_job, &scope), expected);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata:\n  name: solo\nspec:\n  containers:\n  - name: app\n";
    let expected = inject_document(&settings, &document(pod), &scope)
        .expect("nothing is wrong")
        .text;
    assert_eq!(asked(&settings, pod, &scope), expected);
}

#[test]
fn a_pod_that_the_injector_leaves_alone_stays() {
    let text = WEB.replace(
        "        app: web\n    spec",
        "        sidecar.istio.io/inject: \"false\"\n    spec",
    );
    assert_eq!(asked(&Settings::default(), &text, &Scope::default()), None);
    let document = document(WEB);
    let candidate = &candidates(&document, &Scope::default())[0];
    let pod = candidate.template.clone().expect("a template");
    let question = Question::of(candidate, &pod, "7");
    let answer = json!({"kind": "AdmissionReview", "response": {"uid": "7", "allowed": true}});
    let answer = question.answer(answer.to_string().as_bytes()).expect("an answer");
    assert_eq!(
        answer.change(candidate, &pod).outcome,
        Outcome::Skipped(Skip::Injector)
    );
}

#[test]
fn answers_that_do_not_fit_are_errors() {
    use base64::Engine;

    let document = document(WEB);
    let candidate = &candidates(&document, &Scope::default())[0];
    let pod = candidate.template.clone().expect("a template");
    let question = Question::of(candidate, &pod, "7");
    let of = |response: Value| json!({"kind": "AdmissionReview", "response": response}).to_string();
    let patch = |patch: &str| {
        let patch = base64::engine::general_purpose::STANDARD.encode(patch);
        of(json!({"uid": "7", "allowed": true, "patchType": "JSONPatch", "patch": patch}))
    };
    for (body, expected) in [
        ("<html>".to_owned(), "is not JSON"),
        ("{}".to_owned(), "no AdmissionReview"),
        (of(json!({"uid": "8", "allowed": true})), "for another request"),
        (
            of(json!({"uid": "7", "allowed": false})),
            "refuses the pod: it gives no reason",
        ),
        (
            of(json!({"uid": "7", "allowed": false, "status": {"message": "no"}})),
            "refuses the pod: no",
        ),
        (
            of(json!({"uid": "7", "allowed": true, "patch": "e30="})),
            "patchType",
        ),
        (
            of(json!({"uid": "7", "allowed": true, "patchType": "JSONPatch", "patch": "?"})),
            "does not fit",
        ),
        (patch("{}"), "does not fit"),
        (
            patch(r#"[{"op": "test", "path": "/spec", "value": 1}]"#),
            "does not fit",
        ),
        (
            patch(r#"[{"op": "add", "path": "/no/such/place", "value": 1}]"#),
            "does not fit",
        ),
        (
            patch(r#"[{"op": "remove", "path": "/spec/containers"}]"#),
            "no pod is left",
        ),
        (
            patch(r#"[{"op": "replace", "path": "", "value": 1}]"#),
            "no pod is left",
        ),
    ] {
        let error = question.answer(body.as_bytes()).expect_err("no answer");
        assert!(error.to_string().contains(expected), "{body}: {error}");
        assert_eq!(
            matches!(error, AskError::Refused(_)),
            expected.contains("refuses")
        );
    }
}

#[test]
fn the_users_of_openshift_are_those_of_the_namespace() {
    let annotations = [
        ("openshift.io/sa.scc.uid-range", "1000620000/10000"),
        ("openshift.io/sa.scc.supplemental-groups", "1000630000/10000"),
    ];
    let annotations: Labels = annotations
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into();
    let namespace = Namespace {
        annotations,
        ..Namespace::default()
    };
    let scope = Scope {
        namespaces: BTreeMap::from([("shop".to_owned(), namespace)]),
        ..Scope::default()
    };
    let text = inject_document(&Settings::default(), &document(WEB), &scope)
        .expect("nothing is wrong")
        .text;
    let text = text.expect("it is injected");
    assert!(
        text.contains("runAsUser: 1000629999") && text.contains("runAsGroup: 1000639999"),
        "{text}"
    );
    assert!(text.contains("- \"-u\"\n        - \"1000629999\"\n"), "{text}");
    // The user that OpenShift gave to all containers is not the proxy's.
    let own = WEB.replace(
        "        image: example.com/web:1\n",
        "        image: example.com/web:1\n        securityContext: {runAsUser: 1000620000}\n      - name: istio-proxy\n        image: auto\n        \
         securityContext: {runAsUser: 1000620000}\n",
    );
    let text = asked(&Settings::default(), &own, &scope).expect("it is injected");
    assert_eq!(text.matches("runAsUser: 1000620000").count(), 1, "{text}");
}

fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[a-z:/.0-9]{0,8}".prop_map(Value::from),
        Just(json!("Pod")),
        Just(json!("CREATE")),
        Just(json!("istio-proxy")),
    ];
    let key = prop_oneof![
        Just("metadata"),
        Just("spec"),
        Just("containers"),
        Just("initContainers"),
        Just("annotations"),
        Just("labels"),
        Just("name"),
        Just("ownerReferences"),
        Just("sidecar.istio.io/status"),
        Just("livenessProbe"),
        Just("httpGet"),
        Just("env"),
        Just("ports"),
        Just("securityContext"),
        Just("x"),
    ];
    scalar.prop_recursive(5, 40, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((key.clone(), inner), 0..5).prop_map(|pairs| pairs
                .into_iter()
                .map(|(key, value)| (key.to_owned(), value))
                .collect()),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_body_has_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = review(&Settings::default(), &BTreeMap::new(), &bytes);
    }

    #[test]
    fn any_review_has_an_answer_with_its_uid(pod in any_value(), request in any_value(), cut in any::<usize>()) {
        let mut body = question(&pod);
        for (key, value) in request.as_object().into_iter().flatten() {
            body["request"][key] = value.clone();
        }
        let text = body.to_string();
        let mut cut = cut % (text.len() + 1);
        while !text.is_char_boundary(cut) {
            cut -= 1;
        }
        let _ = review(&Settings::default(), &BTreeMap::new(), &text.as_bytes()[..cut]);
        if let Ok(reviewed) = review(&Settings::default(), &BTreeMap::new(), text.as_bytes()) {
            let response = response(&reviewed);
            prop_assert_eq!(&response["uid"], "1");
            prop_assert_eq!(response["allowed"] == false, matches!(reviewed.verdict, Verdict::Refused(_)));
        }
    }

    #[test]
    fn any_answer_is_read_without_panicking(answer in any_value()) {
        let document = document(WEB);
        let candidate = &candidates(&document, &Scope::default())[0];
        let question = Question::of(candidate, &candidate.template.clone().unwrap_or_default(), "7");
        let _ = question.answer(answer.to_string().as_bytes());
        let _ = question.answer(json!({"kind": "AdmissionReview", "response": answer}).to_string().as_bytes());
    }
}

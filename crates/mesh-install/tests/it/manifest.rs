//! What is rendered, given to a real API server.

use std::collections::BTreeMap;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::authorization::v1::SubjectAccessReview;
use kube::api::{DynamicObject, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, GroupVersionKind};
use kube::{Api, Client};
use mesh_install::manifest::{Manifest, render};
use mesh_install::object::ObjectRef;
use mesh_install::spec::{GROUP, KIND, PROFILES, Request, VERSION, definition, resolve};
use serde_json::{Value, json};
use test_cluster::{Node, TestCluster, wait_for};

fn rendered(profile: &str, sets: &[&str]) -> Manifest {
    let request = Request {
        profile: Some(profile.to_owned()),
        sets: sets.iter().map(|set| (*set).to_owned()).collect(),
        ..Request::default()
    };
    render(&resolve(&request).unwrap().spec)
}

fn api(client: &Client, object: &Value) -> Api<DynamicObject> {
    let reference = ObjectRef::of(object, "").unwrap();
    let kind = reference.kind;
    let resource = GroupVersionKind::gvk(kind.group, kind.version, kind.kind);
    let resource = ApiResource::from_gvk_with_plural(&resource, kind.plural);
    if kind.namespaced {
        Api::namespaced_with(client.clone(), &reference.namespace, &resource)
    } else {
        Api::all_with(client.clone(), &resource)
    }
}

/// Applies all objects, and returns their versions by what they are. The definition of NetworkAttachmentDefinitions is OpenShift's.
async fn apply(client: &Client, what: &str, manifest: &Manifest) -> BTreeMap<String, Option<String>> {
    let how = PatchParams::apply("meshctl").force().validation_strict();
    let mut versions = BTreeMap::new();
    for object in manifest.objects() {
        if object["kind"] == "NetworkAttachmentDefinition" {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        let applied = api(client, object).patch(name, &how, &Patch::Apply(object)).await;
        let applied = applied.unwrap_or_else(|error| panic!("{what}: {} {name}: {error}", object["kind"]));
        let identity = ObjectRef::of(object, "").unwrap().to_string();
        // What has a status has a generation, which the status does not change.
        let generation = applied.metadata.generation.map(|number| number.to_string());
        versions.insert(identity, generation.or(applied.metadata.resource_version));
    }
    versions
}

/// Leaves the definitions out.
const WITHOUT_DEFINITIONS: &str = "values.base.enableIstioConfigCRDs=false";

/// Every profile is taken without a warning about any field, a second revision beside the first, and what is not in a
/// profile too. What is there already stays as it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_what_is_rendered() {
    let cluster = tokio::task::spawn_blocking(|| TestCluster::start().unwrap())
        .await
        .unwrap();
    let client = cluster.client();
    cluster
        .add_node(Node::new("one").capacity("8", "16Gi", 110))
        .await;
    // The definitions are the same in all of them, and the server takes its time for each.
    let definitions = apply(&client, "minimal", &rendered("minimal", &[])).await;
    for profile in PROFILES.iter().filter(|profile| profile.name != "minimal") {
        let manifest = rendered(profile.name, &[WITHOUT_DEFINITIONS]);
        apply(&client, profile.name, &manifest).await;
    }
    let everything = [
        WITHOUT_DEFINITIONS,
        "revision=canary",
        "namespace=mesh",
        "values.global.networkPolicy.enabled=true",
        "values.global.network=net",
        "values.global.istiod.enableAnalysis=true",
        "values.pilot.autoscaleMin=2",
        "values.pilot.jwksResolverExtraRootCA=pem",
        "values.pilot.taint.enabled=true",
        "values.pilot.env.EXTERNAL_CA=ISTIOD_RA_KUBERNETES_API",
        "values.global.certSigners=[a.example/b]",
        "values.sidecarInjectorWebhook.enableNamespacesByDefault=true",
        "components.ingressGateways[0].namespace=edge",
        "values.gateways.istio-ingressgateway.injectionTemplate=gateway",
        "components.cni.enabled=true",
        "components.ztunnel.enabled=true",
        "values.platform=gke",
    ];
    apply(&client, "canary", &rendered("default", &everything)).await;
    let injector = json!({"apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": "istio-sidecar-injector-canary-mesh"}});
    // It would ask an istiod that is not there about the pods to come.
    api(&client, &injector)
        .delete(
            "istio-sidecar-injector-canary-mesh",
            &kube::api::DeleteParams::default(),
        )
        .await
        .unwrap();
    for address in ["10.1.2.3", "istiod.example.org"] {
        let address = format!("values.global.remotePilotAddress={address}");
        apply(
            &client,
            &address,
            &rendered("remote", &[WITHOUT_DEFINITIONS, "namespace=far", &address]),
        )
        .await;
    }

    let whole = rendered("default", &[]);
    let mut others = whole.clone();
    for component in &mut others.components {
        let objects = &mut component.objects;
        objects.retain(|object| object["kind"] != "CustomResourceDefinition");
    }
    let first = apply(&client, "again", &others).await;
    for (object, version) in apply(&client, "again", &whole).await {
        let before = first.get(&object).or(definitions.get(&object));
        assert_eq!(before, Some(&version), "{object} does not change the second time");
    }

    // The pods are admitted and find the node.
    for (namespace, name) in [
        ("istio-system", "istiod"),
        ("mesh", "istiod-canary"),
        ("istio-system", "istio-ingressgateway"),
    ] {
        let deployments: Api<Deployment> = Api::namespaced(client.clone(), namespace);
        wait_for(format!("{namespace}/{name} to run"), async || {
            let status = deployments.get(name).await.unwrap().status?;
            (status.available_replicas? > 0).then_some(())
        })
        .await;
    }

    rights(&client).await;
    stable(&client).await;
    held(&client).await;
}

/// istiod may do what it does, and not more.
async fn rights(client: &Client) {
    let reviews: Api<SubjectAccessReview> = Api::all(client.clone());
    for (verb, group, resource, namespace, allowed) in [
        ("watch", "networking.istio.io", "virtualservices", "a", true),
        ("watch", "security.istio.io", "peerauthentications", "a", true),
        (
            "patch",
            "networking.istio.io",
            "workloadentries/status",
            "a",
            true,
        ),
        ("create", "networking.istio.io", "workloadentries", "a", true),
        ("update", "networking.istio.io", "virtualservices", "a", false),
        ("watch", "", "pods", "a", true),
        ("delete", "", "pods", "a", false),
        ("list", "discovery.k8s.io", "endpointslices", "a", true),
        ("create", "", "configmaps", "a", true),
        ("get", "", "secrets", "a", true),
        ("create", "", "secrets", "a", false),
        ("create", "", "secrets", "istio-system", true),
        ("update", "coordination.k8s.io", "leases", "istio-system", true),
        ("create", "authentication.k8s.io", "tokenreviews", "", true),
        ("create", "authorization.k8s.io", "subjectaccessreviews", "", true),
        (
            "patch",
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations",
            "",
            true,
        ),
        (
            "update",
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            "",
            true,
        ),
        (
            "create",
            "admissionregistration.k8s.io",
            "validatingwebhookconfigurations",
            "",
            false,
        ),
        ("create", "gateway.networking.k8s.io", "gatewayclasses", "", true),
        (
            "patch",
            "gateway.networking.k8s.io",
            "httproutes/status",
            "a",
            true,
        ),
        ("create", "apps", "deployments", "a", true),
        ("delete", "autoscaling", "horizontalpodautoscalers", "a", true),
        ("approve", "certificates.k8s.io", "signers", "", false),
        ("patch", "", "nodes", "", false),
    ] {
        let (resource, subresource) = resource.split_once('/').unwrap_or((resource, ""));
        let review = json!({"spec": {
            "user": "system:serviceaccount:istio-system:istiod",
            "groups": ["system:serviceaccounts", "system:serviceaccounts:istio-system"],
            "resourceAttributes": {"verb": verb, "group": group, "resource": resource, "subresource": subresource,
                "namespace": namespace},
        }});
        let review: SubjectAccessReview = serde_json::from_value(review).unwrap();
        let answer = reviews.create(&PostParams::default(), &review).await.unwrap();
        let answer = answer.status.unwrap();
        assert_eq!(
            answer.allowed, allowed,
            "{verb} {group}/{resource}/{subresource} in {namespace:?}"
        );
    }
}

/// The policy of the stable profile refuses what is not stable, of its own revision only.
async fn stable(client: &Client) {
    let how = PatchParams {
        dry_run: true,
        ..PatchParams::apply("test")
    };
    let refuses = async |kind: &str, plural: &str, group: &str, version: &str, labels: Value, spec: Value| {
        let resource = GroupVersionKind::gvk(group, version, kind);
        let resource = ApiResource::from_gvk_with_plural(&resource, plural);
        let objects: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
        let object = json!({"apiVersion": format!("{group}/{version}"), "kind": kind,
            "metadata": {"name": "x", "labels": labels}, "spec": spec});
        match objects.patch("x", &how, &Patch::Apply(&object)).await {
            Ok(_) => None,
            Err(kube::Error::Api(status)) => Some(status.message.clone()),
            Err(error) => panic!("{error}"),
        }
    };
    let own = || json!({"istio.io/rev": "default"});
    let filter = async |labels| {
        refuses(
            "EnvoyFilter",
            "envoyfilters",
            "networking.istio.io",
            "v1alpha3",
            labels,
            json!({}),
        )
        .await
    };
    // Policies count from when the server has read them.
    let message = wait_for("the policy to count", async || filter(own()).await).await;
    assert!(message.contains("EnvoyFilter is not stable"), "{message}");
    assert_eq!(filter(json!({"istio.io/rev": "other"})).await, None);
    let telemetry = async |spec| {
        refuses(
            "Telemetry",
            "telemetries",
            "telemetry.istio.io",
            "v1",
            own(),
            spec,
        )
        .await
    };
    assert_eq!(
        telemetry(json!({"tracing": [{"randomSamplingPercentage": 1}]})).await,
        None
    );
    let message = telemetry(json!({"metrics": [{"reportingInterval": "5s"}]}))
        .await
        .unwrap();
    assert!(message.contains("reportingInterval"), "{message}");
}

/// The definition of the object that holds a specification is taken, and so is every profile in such an object.
async fn held(client: &Client) {
    let how = PatchParams::apply("meshctl").force().validation_strict();
    let definition = definition();
    let name = definition["metadata"]["name"].as_str().unwrap();
    let applied = api(client, &definition)
        .patch(name, &how, &Patch::Apply(&definition))
        .await;
    applied.unwrap();
    let resource = GroupVersionKind::gvk(GROUP, VERSION, KIND);
    let resource = ApiResource::from_gvk_with_plural(&resource, "meshcontrolplanes");
    let objects: Api<DynamicObject> = Api::namespaced_with(client.clone(), "default", &resource);
    for profile in PROFILES {
        let request = Request {
            profile: Some(profile.name.to_owned()),
            ..Request::default()
        };
        let spec = resolve(&request).unwrap().spec;
        let object = json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND,
            "metadata": {"name": profile.name}, "spec": spec.to_json()});
        // The server serves a definition a moment after it has taken it.
        wait_for(
            format!("the server to take {}", profile.name),
            async || match objects.patch(profile.name, &how, &Patch::Apply(&object)).await {
                Ok(taken) => {
                    assert_eq!(&taken.data["spec"], spec.to_json(), "nothing is lost");
                    Some(())
                }
                Err(kube::Error::Api(status)) if status.code == 404 => None,
                Err(error) => panic!("{}: {error}", profile.name),
            },
        )
        .await;
    }
    let misspelt = json!({"apiVersion": format!("{GROUP}/{VERSION}"), "kind": KIND,
        "metadata": {"name": "misspelt"}, "spec": {"profil": "default"}});
    let refused = objects.patch("misspelt", &how, &Patch::Apply(&misspelt)).await;
    assert!(refused.unwrap_err().to_string().contains("profil"));
}

//! Refusals, held against those of the real API server.
//!
//! Compared is the whole text of the first refusal in the server's order: limit ranges, Pod Security, quotas. Where a
//! limit range has several complaints, the server lists them in any order, and so they are compared as a set.

use k8s_openapi::api::core::v1::{LimitRange, Pod, ResourceQuota};
use kube::Api;
use kube::api::PostParams;
use mesh_install::manifest::render;
use mesh_install::schedule::{Refusal, Snapshot, place};
use mesh_install::spec::{PROFILES, Request, resolve};
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};
use test_cluster::{TestCluster, wait_for};

use crate::{create, pod, sample, snapshot, workload};

/// What the server says about a pod, after "is forbidden: ".
enum Answer {
    Taken,
    Forbidden(String),
    /// It contradicts itself, so that no policy is asked.
    Invalid,
}

async fn ask(pods: &Api<Pod>, pod: &Pod) -> Answer {
    let dry_run = PostParams {
        dry_run: true,
        ..PostParams::default()
    };
    match pods.create(&dry_run, pod).await {
        Ok(_) => Answer::Taken,
        Err(kube::Error::Api(status)) if status.reason == "Invalid" => Answer::Invalid,
        Err(kube::Error::Api(status)) => match status.message.split_once(" is forbidden: ") {
            Some((_, reason)) => Answer::Forbidden(reason.to_owned()),
            None => panic!("{}: {pod:?}", status.message),
        },
        Err(error) => panic!("{error}"),
    }
}

/// How often the server took, forbade, and did not understand a pod; and where the prediction was wrong.
#[derive(Default, Debug)]
struct Tally {
    taken: usize,
    forbidden: usize,
    invalid: usize,
    wrong: Vec<String>,
}

impl Tally {
    /// Holds the prediction for a template against the server.
    async fn compare(&mut self, pods: &Api<Pod>, before: &Snapshot, namespace: &str, template: &Value) {
        let verdict = place(before, &workload(namespace, template));
        let predicted = verdict.refusals.first();
        let answer = ask(pods, &pod("candidate", template)).await;
        let is_right = match (&answer, predicted) {
            (Answer::Taken, predicted) => predicted.is_none(),
            (Answer::Forbidden(actual), Some(predicted)) => same(predicted, actual),
            (Answer::Forbidden(_), None) => false,
            (Answer::Invalid, _) => true,
        };
        let actual = match answer {
            Answer::Taken => {
                self.taken += 1;
                "it is taken".to_owned()
            }
            Answer::Forbidden(reason) => {
                self.forbidden += 1;
                reason
            }
            Answer::Invalid => {
                self.invalid += 1;
                return;
            }
        };
        if !is_right {
            let predicted = predicted.map_or("it is taken".to_owned(), ToString::to_string);
            self.wrong.push(format!(
                "{namespace} {template}\npredicted: {predicted}\nbut:       {actual}"
            ));
        }
    }

    fn check(&self, taken: usize, forbidden: usize) {
        assert!(
            self.wrong.is_empty(),
            "{} wrong:\n{}",
            self.wrong.len(),
            self.wrong.join("\n\n")
        );
        // Both answers must be common for this to mean anything.
        assert!(self.taken >= taken && self.forbidden >= forbidden, "{self:?}");
    }
}

/// Whether two texts are the same, but for the order of a limit range's complaints.
fn same(predicted: &Refusal, actual: &str) -> bool {
    let text = predicted.to_string();
    match predicted {
        Refusal::LimitRange { violations, .. } => {
            text.len() == actual.len()
                && violations
                    .iter()
                    .all(|violation| actual.contains(&violation.to_string()))
        }
        _ => text == actual,
    }
}

// ---- Pod Security

fn security_context(of_pod: bool) -> impl Strategy<Value = Value> {
    let some = |weight: f64, values: Vec<Value>| prop::option::weighted(weight, select(values));
    let profiles = || {
        vec![
            json!({ "type": "RuntimeDefault" }),
            json!({ "type": "Unconfined" }),
            json!({ "type": "Localhost", "localhostProfile": "mine" }),
        ]
    };
    let both = (
        some(0.5, vec![json!(true), json!(false)]),
        some(0.3, vec![json!(0), json!(1337)]),
        some(0.6, profiles()),
        some(0.1, profiles()),
        some(
            0.1,
            vec![
                json!({ "type": "spc_t" }),
                json!({ "type": "container_engine_t" }),
                json!({ "user": "u", "role": "r" }),
            ],
        ),
    );
    let capabilities = vec![
        json!({ "drop": ["ALL"] }),
        json!({ "drop": ["ALL"], "add": ["NET_BIND_SERVICE"] }),
        json!({ "drop": ["ALL"], "add": ["NET_ADMIN", "NET_RAW"] }),
        json!({ "add": ["CHOWN"] }),
        json!({ "add": ["SYS_ADMIN"] }),
        json!({ "drop": ["NET_RAW"] }),
    ];
    let container = (
        some(0.1, vec![json!(true), json!(false)]),
        some(0.6, vec![json!(true), json!(false), json!(false)]),
        some(0.7, capabilities),
        some(0.05, vec![json!("Default"), json!("Unmasked")]),
    );
    let sysctls = some(
        0.1,
        vec![
            json!([{ "name": "net.ipv4.tcp_rmem", "value": "1" }, { "name": "kernel.msgmax", "value": "1" }]),
            json!([{ "name": "net.ipv4.ip_unprivileged_port_start", "value": "0" }]),
        ],
    );
    (both, container, sysctls).prop_map(move |(both, container, sysctls)| {
        let (non_root, user, seccomp, app_armor, se_linux) = both;
        let mut fields = vec![
            ("runAsNonRoot", non_root),
            ("runAsUser", user),
            ("seccompProfile", seccomp),
            ("appArmorProfile", app_armor),
            ("seLinuxOptions", se_linux),
        ];
        if of_pod {
            fields.push(("sysctls", sysctls));
        } else {
            let (privileged, escalation, capabilities, proc_mount) = container;
            let adds = |name: &str| {
                capabilities
                    .as_ref()
                    .is_some_and(|it| it["add"].to_string().contains(name))
            };
            // The server refuses contradictions before it looks at policies.
            let needs_escalation = privileged == Some(json!(true)) || adds("SYS_ADMIN");
            let escalation = if needs_escalation { None } else { escalation };
            fields.extend([
                ("privileged", privileged),
                ("allowPrivilegeEscalation", escalation),
                ("capabilities", capabilities),
                ("procMount", proc_mount),
            ]);
        }
        let mut context = json!({});
        for (name, value) in fields {
            if let Some(value) = value {
                context[name] = value;
            }
        }
        context
    })
}

fn secured_pod() -> impl Strategy<Value = Value> {
    let volume = select(vec![
        json!({ "name": "a", "emptyDir": {} }),
        json!({ "name": "b", "hostPath": { "path": "/proc" } }),
        json!({ "name": "c", "nfs": { "server": "s", "path": "/" } }),
        json!({ "name": "d", "configMap": { "name": "m" } }),
        json!({ "name": "e" }),
    ]);
    let probe = prop::option::weighted(0.15, select(vec!["", "127.0.0.1"]));
    let container = |name: &'static str| {
        (
            security_context(false),
            prop::option::weighted(0.1, Just(8080)),
            probe.clone(),
        )
            .prop_map(move |(context, port, probe)| {
                let mut container =
                    json!({ "name": name, "image": "example.com/app:1", "securityContext": context });
                if let Some(port) = port {
                    container["ports"] = json!([{ "containerPort": port, "hostPort": port }]);
                }
                if let Some(host) = probe {
                    container["lifecycle"] =
                        json!({ "postStart": { "httpGet": { "host": host, "port": 80, "path": "/" } } });
                }
                container
            })
    };
    (
        (container("app"), container("other"), container("init")),
        (any::<bool>(), any::<bool>()),
        prop::option::weighted(0.7, security_context(true)),
        prop::collection::btree_map(select(vec!["a", "b", "c", "d", "e"]), volume, 0..3),
        prop::option::weighted(0.1, select(vec!["hostNetwork", "hostPID", "hostIPC"])),
        prop::bool::weighted(0.1),
    )
        .prop_map(
            |((app, other, init), (has_other, has_init), context, volumes, host, has_own_users)| {
                let mut containers = vec![app];
                if has_other {
                    containers.push(other);
                }
                let mut spec = json!({ "containers": containers });
                if has_init {
                    // Init containers have no lifecycle unless they are sidecars.
                    let mut init = init;
                    init["restartPolicy"] = json!("Always");
                    spec["initContainers"] = json!([init]);
                }
                if let Some(context) = context {
                    spec["securityContext"] = context;
                }
                let named = volumes.into_iter().map(|(name, mut volume)| {
                    volume["name"] = json!(name);
                    volume
                });
                spec["volumes"] = named.collect();
                if let Some(host) = host {
                    spec[host] = json!(true);
                } else if has_own_users {
                    spec["hostUsers"] = json!(false);
                }
                json!({ "metadata": {}, "spec": spec })
            },
        )
}

#[tokio::test(flavor = "multi_thread")]
async fn pod_security_is_that_of_the_real_server() {
    let cluster = TestCluster::shared();
    let client = cluster.client();
    let policies = [
        ("restricted", "latest"),
        ("baseline", "latest"),
        ("restricted", "v1.24"),
        ("baseline", "v1.30"),
        ("restricted", "v1.34"),
        ("restricted", "v1.99"),
    ];
    let mut tally = Tally::default();
    for (seed, (level, version)) in (0..).zip(policies) {
        let labels = [
            ("pod-security.kubernetes.io/enforce", level),
            ("pod-security.kubernetes.io/enforce-version", version),
        ];
        let namespace = cluster.namespace_with_labels("security", &labels).await;
        let pods = Api::namespaced(client.clone(), &namespace);
        let before = snapshot(&client, cluster.version()).await;
        for template in sample(&prop::collection::vec(secured_pod(), 40), seed) {
            tally.compare(&pods, &before, &namespace, &template).await;
        }
    }
    tally.check(5, 100);
}

// ---- limit ranges and quotas

fn amounts(cpu: Vec<&'static str>, memory: Vec<&'static str>, weight: f64) -> impl Strategy<Value = Value> {
    (
        prop::option::weighted(weight, select(cpu)),
        prop::option::weighted(weight, select(memory)),
    )
        .prop_map(|(cpu, memory)| {
            let mut amounts = json!({});
            for (name, amount) in [("cpu", cpu), ("memory", memory)] {
                if let Some(amount) = amount {
                    amounts[name] = json!(amount);
                }
            }
            amounts
        })
}

fn limit_range() -> impl Strategy<Value = Value> {
    (
        select(vec!["Container", "Pod"]),
        amounts(vec!["50m", "200m"], vec!["64Mi", "200M"], 0.5),
        amounts(vec!["2", "1500m"], vec!["2Gi", "3e9"], 0.5),
        prop::bool::weighted(0.3),
        amounts(vec!["1200m"], vec!["1Gi"], 0.4),
        amounts(vec!["300m"], vec!["0.25Gi"], 0.4),
    )
        .prop_map(|(kind, min, max, ratio, limit, request)| {
            let mut item = json!({ "type": kind, "min": min, "max": max });
            if ratio {
                item["maxLimitRequestRatio"] = json!({ "cpu": "1.5" });
            }
            if kind == "Container" {
                item["default"] = limit;
                item["defaultRequest"] = request;
            }
            json!({ "metadata": { "name": "range" }, "spec": { "limits": [item] } })
        })
}

fn quota() -> impl Strategy<Value = Value> {
    let resource = select(vec![
        ("pods", "3"),
        ("count/pods", "2"),
        ("cpu", "1500m"),
        ("requests.cpu", "2"),
        ("limits.cpu", "3"),
        ("memory", "1.5Gi"),
        ("requests.memory", "3e9"),
        ("limits.memory", "4Gi"),
        ("requests.ephemeral-storage", "1Gi"),
        ("requests.example.com/gpu", "1"),
        ("count/deployments.apps", "5"),
    ]);
    let scopes = prop::option::weighted(
        0.3,
        select(vec![
            json!({ "scopes": ["BestEffort"] }),
            json!({ "scopes": ["NotBestEffort"] }),
            json!({ "scopes": ["NotTerminating"] }),
            json!({ "scopes": ["CrossNamespacePodAffinity"] }),
            json!({ "scopeSelector": { "matchExpressions": [
                { "scopeName": "PriorityClass", "operator": "In", "values": ["system-node-critical"] },
            ] } }),
        ]),
    );
    (
        prop::collection::btree_map(resource.clone().prop_map(|(name, _)| name), resource, 1..4),
        scopes,
    )
        .prop_map(|(hard, scopes)| {
            let mut spec = json!({});
            for (name, amount) in hard.into_values() {
                spec["hard"][name] = json!(amount);
            }
            if let Some(scopes) = scopes {
                // Some scopes only count pods.
                let counted = scopes.to_string();
                if counted.contains("\"BestEffort") {
                    spec["hard"] = json!({ "pods": "1" });
                } else if let Some(hard) = spec["hard"].as_object_mut() {
                    hard.retain(|name, _| !name.starts_with("count/") && !name.contains("gpu"));
                    hard.insert("pods".to_owned(), json!("2"));
                }
                for (name, value) in scopes.as_object().into_iter().flatten() {
                    spec[name] = value.clone();
                }
            }
            json!({ "metadata": { "name": "quota" }, "spec": spec })
        })
}

fn sized_pod() -> impl Strategy<Value = Value> {
    let container = |name: &'static str| {
        (
            amounts(vec!["0", "100m", "0.9", "1"], vec!["0", "128Mi", "1e9"], 0.6),
            amounts(vec!["1", "1500m", "2500m"], vec!["1Gi", "2.5Gi"], 0.5),
        )
            .prop_map(move |(requests, limits)| {
                json!({ "name": name, "image": "example.com/app:1",
                    "resources": { "requests": requests, "limits": limits } })
            })
    };
    (
        container("app"),
        prop::option::weighted(0.3, container("init")),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(app, init, sidecar, gpu, affinity)| {
            let mut spec = json!({ "containers": [app], "schedulingGates": [{ "name": "example.com/wait" }] });
            if gpu {
                spec["containers"][0]["resources"]["limits"]["example.com/gpu"] = json!("2");
            }
            if let Some(mut init) = init {
                if sidecar {
                    init["restartPolicy"] = json!("Always");
                }
                spec["initContainers"] = json!([init]);
            }
            if affinity {
                spec["affinity"] = json!({ "podAffinity": { "requiredDuringSchedulingIgnoredDuringExecution": [
                    { "topologyKey": "zone", "namespaceSelector": {}, "labelSelector": {} },
                ] } });
            }
            json!({ "metadata": {}, "spec": spec })
        })
}

#[tokio::test(flavor = "multi_thread")]
async fn limit_ranges_and_quotas_are_those_of_the_real_server() {
    let cluster = TestCluster::shared();
    let client = cluster.client();
    let mut tally = Tally::default();
    for seed in 0..12 {
        let namespace = cluster.namespace("limits").await;
        let (range, quota, templates) = sample(
            &(limit_range(), quota(), prop::collection::vec(sized_pod(), 15)),
            seed,
        );
        let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        // Pods that were there before count for the quota.
        for index in 0..seed % 3 {
            let small = json!({ "metadata": {}, "spec": { "containers": [{ "name": "c", "image": "example.com/c:1",
                "resources": { "requests": { "cpu": "300m", "memory": "300Mi" } } }] } });
            pods.create(&PostParams::default(), &pod(&format!("small-{index}"), &small))
                .await
                .unwrap();
        }
        if seed % 4 != 0 {
            create::<LimitRange>(&client, &namespace, &range).await;
        }
        let made: ResourceQuota = create(&client, &namespace, &quota).await;
        let quotas: Api<ResourceQuota> = Api::namespaced(client.clone(), &namespace);
        wait_for("the quota to be reckoned up", async || {
            let quota = quotas.get("quota").await.unwrap();
            let status = quota.status?;
            (status.hard == made.spec.as_ref()?.hard && status.used.is_some()).then_some(())
        })
        .await;
        let before = snapshot(&client, cluster.version()).await;
        for template in templates {
            tally.compare(&pods, &before, &namespace, &template).await;
        }
    }
    tally.check(20, 60);
}

// ---- profiles

/// The templates of all profiles are valid, and Pod Security says of them what is predicted.
#[tokio::test(flavor = "multi_thread")]
async fn the_server_takes_what_profiles_run() {
    let cluster = TestCluster::shared();
    let client = cluster.client();
    for (level, refuses) in [("privileged", false), ("baseline", true), ("restricted", true)] {
        let labels = [("pod-security.kubernetes.io/enforce", level)];
        let namespace = cluster.namespace_with_labels("istio-system", &labels).await;
        let mut before = snapshot(&client, cluster.version()).await;
        // Without nodes, DaemonSets would make no pods that could be refused.
        let node = json!({ "metadata": { "name": "any", "labels": { "kubernetes.io/os": "linux" } } });
        before.nodes = vec![serde_json::from_value(node).unwrap()];
        let pods: Api<Pod> = Api::namespaced(client.clone(), &namespace);
        let mut refused = 0;
        for profile in PROFILES {
            let request = Request {
                profile: Some(profile.name.to_owned()),
                namespace: Some(namespace.clone()),
                ..Request::default()
            };
            let manifest = render(&resolve(&request).unwrap().spec);
            for (_, mut workload) in manifest.workloads() {
                workload.namespace.clone_from(&namespace);
                let mut template = serde_json::to_value(&workload.template).unwrap();
                // Service accounts come with an installation.
                template["spec"]
                    .as_object_mut()
                    .unwrap()
                    .remove("serviceAccountName");
                let predicted = place(&before, &workload)
                    .refusals
                    .first()
                    .map(ToString::to_string);
                let actual = match ask(&pods, &pod("candidate", &template)).await {
                    Answer::Taken => None,
                    Answer::Forbidden(reason) => Some(reason),
                    Answer::Invalid => panic!("{} {workload} is invalid", profile.name),
                };
                assert_eq!(actual, predicted, "{} {workload}", profile.name);
                refused += usize::from(actual.is_some());
            }
        }
        assert_eq!(refused > 0, refuses, "{level}");
    }
}

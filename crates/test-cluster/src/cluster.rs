//! One control plane: its processes, and what tests ask of it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::OnceLock;

use k8s_openapi::api::core::v1::{Event, Namespace, Node as K8sNode, Pod, ServiceAccount};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ListParams, Patch, PatchParams, PostParams};
use kube::core::{ApiResource, DynamicObject, GroupVersionKind};
use kube::{Api, Client, ResourceExt};
use serde::Deserialize;
use serde_json::json;
use test_support::go::BuildError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::access::Access;
use crate::binary::binary;
use crate::node::Node;
use crate::wait::wait_for;

/// Why a cluster did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no binary of the control plane.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The control plane ended before it was ready. It has said why on standard error.
    #[error("the control plane for tests did not start ({0}); its own message is on standard error")]
    Ended(ExitStatus),
    /// Something failed on the way.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The control plane described itself in words that are not known here.
    #[error("the control plane for tests described itself wrongly: {0}")]
    Description(#[from] serde_json::Error),
}

/// What the control plane says of itself when it is ready.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Description {
    dir: PathBuf,
    kubeconfig: PathBuf,
    server: String,
    ca: String,
    tokens: BTreeMap<String, String>,
    kubelet_port: u16,
    version: String,
    pids: BTreeMap<String, u32>,
}

/// A running control plane. It ends when this value is dropped, and also when this process ends in any other way.
#[derive(Debug)]
pub struct TestCluster {
    description: Description,
    supervisor: Child,
    /// The control plane lives until this is closed.
    stdin: Option<ChildStdin>,
}

impl TestCluster {
    /// Starts a cluster of its own, which takes seconds, or minutes if the control plane must be built first. It has no
    /// nodes. Blocks the thread.
    pub fn start() -> Result<Self, StartError> {
        let mut command = Command::new(binary()?);
        command.arg("run").stdin(Stdio::piped()).stdout(Stdio::piped());
        // Ctrl-C on a terminal is for us; closing its standard input stops the control plane in an orderly way.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut supervisor = command.spawn()?;
        let stdin = supervisor.stdin.take();
        let mut line = String::new();
        if let Some(stdout) = supervisor.stdout.take() {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        if line.is_empty() {
            return Err(StartError::Ended(supervisor.wait()?));
        }
        let description = serde_json::from_str(&line)?;
        Ok(Self {
            description,
            supervisor,
            stdin,
        })
    }

    /// The cluster that all tests of this process share. It is started when first asked for, has no nodes but those
    /// that tests add, and ends with the process.
    ///
    /// Give each test its own namespace, and its own nodes a label that its pods select.
    pub fn shared() -> &'static Self {
        static SHARED: OnceLock<Result<TestCluster, StartError>> = OnceLock::new();
        match SHARED.get_or_init(Self::start) {
            Ok(cluster) => cluster,
            Err(error) => panic!("{error}"),
        }
    }

    /// Blocks until the control plane ends by itself, which it does only if one of its components fails.
    pub fn wait(&mut self) -> std::io::Result<ExitStatus> {
        self.supervisor.wait()
    }

    /// A client with all rights. It belongs to the tokio runtime in which it is made: make one for each test.
    pub fn client(&self) -> Client {
        self.admin().client()
    }

    /// Access with all rights (`system:masters`).
    pub fn admin(&self) -> Access {
        self.access("admin")
    }

    /// Access of the user `reader`, who has no rights but those that a test binds to that name.
    pub fn reader(&self) -> Access {
        self.access("reader")
    }

    /// Access of any user in any groups, by impersonation.
    pub fn user(&self, name: &str, groups: &[&str]) -> Access {
        self.admin().impersonate(name, groups)
    }

    fn access(&self, user: &str) -> Access {
        let Description {
            dir,
            server,
            ca,
            tokens,
            ..
        } = &self.description;
        Access {
            folder: dir.clone(),
            server: server.clone(),
            certificate_authority: ca.clone(),
            token: tokens.get(user).cloned().unwrap_or_default(),
            impersonate: None,
            groups: Vec::new(),
            namespace: None,
            context: "test-cluster".to_owned(),
        }
    }

    /// The path of a kubeconfig with all rights. [`Access::kubeconfig`] writes others.
    pub fn kubeconfig(&self) -> &Path {
        &self.description.kubeconfig
    }

    /// The URL of the API server.
    pub fn server(&self) -> &str {
        &self.description.server
    }

    /// The version of Kubernetes: `v1.36.3`.
    pub fn version(&self) -> &str {
        &self.description.version
    }

    /// The ids of all processes of the cluster.
    pub fn pids(&self) -> Vec<u32> {
        let components = self.description.pids.values().copied();
        components.chain([self.supervisor.id()]).collect()
    }

    /// Makes a namespace whose name starts with the prefix, and returns its name. Pods can be made in it at once.
    pub async fn namespace(&self, prefix: &str) -> String {
        self.namespace_with_labels(prefix, &[]).await
    }

    /// Like [`namespace`](Self::namespace), with labels, as for pod security or injection.
    pub async fn namespace_with_labels(&self, prefix: &str, labels: &[(&str, &str)]) -> String {
        let client = self.client();
        let labels = labels
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect();
        let namespace = Namespace {
            metadata: ObjectMeta {
                generate_name: Some(format!("{prefix}-")),
                labels: Some(labels),
                ..ObjectMeta::default()
            },
            ..Namespace::default()
        };
        let created = Api::all(client.clone())
            .create(&PostParams::default(), &namespace)
            .await;
        let name = created
            .unwrap_or_else(|error| panic!("namespace {prefix}: {error}"))
            .name_any();
        let accounts: Api<ServiceAccount> = Api::namespaced(client, &name);
        wait_for(
            format_args!("the default service account of {name}"),
            async || accounts.get("default").await.ok(),
        )
        .await;
        name
    }

    /// Makes a node, and waits until it has the taints that its conditions call for, and no others.
    pub async fn add_node(&self, node: Node) -> K8sNode {
        let nodes: Api<K8sNode> = Api::all(self.client());
        let expected = node.settled_taints();
        let node = K8sNode::from(node);
        let name = node.name_any();
        let created = nodes.create(&PostParams::default(), &node).await;
        created.unwrap_or_else(|error| panic!("node {name}: {error}"));
        wait_for(
            format_args!("node {name} to have the taints {expected:?}"),
            async || {
                let node = nodes.get(&name).await.ok()?;
                let started = node.status.as_ref()?.phase.is_some();
                let taints = node.spec.as_ref()?.taints.iter().flatten();
                let taints: BTreeSet<_> = taints
                    .map(|taint| (taint.key.clone(), taint.effect.clone()))
                    .collect();
                (started && taints == expected).then_some(node)
            },
        )
        .await
    }

    /// The events of a namespace, oldest first.
    pub async fn events(&self, namespace: &str) -> Vec<Event> {
        let events: Api<Event> = Api::namespaced(self.client(), namespace);
        let list = events.list(&ListParams::default()).await;
        let mut events = list
            .unwrap_or_else(|error| panic!("events of {namespace}: {error}"))
            .items;
        events.sort_by(|a, b| a.metadata.creation_timestamp.cmp(&b.metadata.creation_timestamp));
        events
    }

    /// Lets ports of a pod lead to local ports, as pairs of the two: what connects to the pod's port through the API
    /// server reaches `127.0.0.1` at the other. Waits until that is so, and hence until the pod runs. Replaces what was
    /// set for the pod before.
    pub async fn forward_ports(&self, namespace: &str, pod: &str, ports: &[(u16, u16)]) {
        // A port of the pod that leads to kwok itself shows when kwok has taken up the new object.
        const KUBELET_PORT: u16 = 10250;
        let probe = (KUBELET_PORT, self.description.kubelet_port);
        let forwards: Vec<_> = ports
            .iter()
            .chain([&probe])
            .map(|(port, local)| json!({ "ports": [port], "target": { "address": "127.0.0.1", "port": local } }))
            .collect();
        let kind = GroupVersionKind::gvk("kwok.x-k8s.io", "v1alpha1", "PortForward");
        let resource = ApiResource::from_gvk_with_plural(&kind, "portforwards");
        let object = DynamicObject::new(pod, &resource).data(json!({ "spec": { "forwards": forwards } }));
        let api: Api<DynamicObject> = Api::namespaced_with(self.client(), namespace, &resource);
        let applied = api
            .patch(
                pod,
                &PatchParams::apply("test-cluster").force(),
                &Patch::Apply(object),
            )
            .await;
        applied.unwrap_or_else(|error| panic!("port-forward of {namespace}/{pod}: {error}"));

        let pods: Api<Pod> = Api::namespaced(self.client(), namespace);
        wait_for(
            format_args!("ports of {namespace}/{pod} to be forwarded"),
            async || {
                let mut forwarder = pods.portforward(pod, &[KUBELET_PORT]).await.ok()?;
                let mut stream = forwarder.take_stream(KUBELET_PORT)?;
                stream.write_all(b"GET /healthz HTTP/1.0\r\n\r\n").await.ok()?;
                // The status line is enough, and the stream stays open after the answer.
                let mut answer = [0; b"HTTP/1.0 200".len()];
                stream.read_exact(&mut answer).await.ok()?;
                answer.ends_with(b" 200").then_some(())
            },
        )
        .await;
    }
}

impl Drop for TestCluster {
    fn drop(&mut self) {
        self.stdin = None;
        // There is nothing to do about a failure here: the control plane ends in any case.
        let _ = self.supervisor.wait();
    }
}

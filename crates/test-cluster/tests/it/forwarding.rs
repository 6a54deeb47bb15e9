//! Port-forward through the API server.

use k8s_openapi::api::core::v1::Pod;
use kube::Api;
use serde_json::json;
use test_cluster::{Node, TestCluster};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::{create_pod, pod};

#[tokio::test]
async fn port_of_a_pod_leads_to_a_local_port() {
    let cluster = TestCluster::shared();
    cluster
        .add_node(Node::new("forwarding").label("test", "forwarding"))
        .await;
    let namespace = cluster.namespace("forwarding").await;
    let spec = json!({ "nodeSelector": { "test": "forwarding" } });
    create_pod(cluster.client(), &namespace, &pod("app", spec))
        .await
        .unwrap();

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let local = listener.local_addr().unwrap().port();
    let server = tokio::spawn(async move {
        let (mut connection, _) = listener.accept().await.unwrap();
        let mut question = [0; 4];
        connection.read_exact(&mut question).await.unwrap();
        connection.write_all(b"pong").await.unwrap();
        question
    });
    cluster.forward_ports(&namespace, "app", &[(15000, local)]).await;

    let pods: Api<Pod> = Api::namespaced(cluster.client(), &namespace);
    let mut forwarder = pods.portforward("app", &[15000]).await.unwrap();
    let mut stream = forwarder.take_stream(15000).unwrap();
    stream.write_all(b"ping").await.unwrap();
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"pong");
    assert_eq!(&server.await.unwrap(), b"ping");
}

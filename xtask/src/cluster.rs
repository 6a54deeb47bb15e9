//! `cargo xtask cluster`: the control plane of the tests, to try things by hand.

use std::error::Error;
use std::io::Write;

use test_cluster::{Node, TestCluster};

/// Arguments of `cargo xtask cluster`.
#[derive(clap::Args)]
pub(crate) struct ClusterArgs {
    /// Name of a ready node to start with (can be repeated)
    #[arg(long = "node", value_name = "NAME", default_value = "node")]
    nodes: Vec<String>,
}

/// Starts a cluster, says how to reach it, and waits for Ctrl-C.
pub(crate) fn cluster(args: ClusterArgs) -> Result<(), Box<dyn Error>> {
    let ClusterArgs { nodes } = args;
    let mut cluster = TestCluster::start()?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    for name in nodes {
        runtime.block_on(cluster.add_node(Node::new(name)));
    }
    writeln!(
        std::io::stdout(),
        "export KUBECONFIG={}",
        cluster.kubeconfig().display()
    )?;
    // Ctrl-C ends this process, and the cluster with it.
    let status = cluster.wait()?;
    Err(format!("the control plane ended by itself ({status})").into())
}

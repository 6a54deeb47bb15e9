//! `meshctl operator init`: the operator comes to be, or becomes another one.

use std::collections::BTreeSet;

use clap::Args;
use mesh_core::cluster::{Cluster, ErrorKind, Method, Write};
use mesh_install::inventory::DEFAULT_REVISION;
use mesh_install::plan::Desired;
use serde_json::json;

use super::check_namespace;
use super::dump::WhatArgs;
use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::ApplyArgs;
use crate::installer::run::{self, Job, Subject, facts};
use crate::ui::Printer;

/// Install the operator, or change the one that is installed
///
/// Installs the definition of MeshControlPlane, an account, its rights, a Service and a Deployment, and waits until the
/// operator runs. Namespaces to watch that are not there are made, and stay when the operator is removed. The operator
/// needs a namespace of its own, without a control plane.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("5m")))]
pub(super) struct InitArgs {
    #[command(flatten)]
    what: WhatArgs,

    #[command(flatten)]
    apply: ApplyArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  See what would change, and install it (the objects themselves: `meshctl operator dump`)
    meshctl operator init --dry-run
    meshctl operator init

  For control planes in two namespaces, with a canary each
    meshctl operator init --watched-namespaces mesh-a,mesh-b --revision default,canary

  With an image of your own
    meshctl operator init --image registry.example.com/meshctl:1.2.3

Exit status:
  0    the operator is installed and runs
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Runs the command.
pub(super) fn init(printer: &mut Printer, args: InitArgs) -> Result<Exit, CommandError> {
    let InitArgs { what, apply, cluster } = args;
    let desired = Desired::new(&what.places.operator_namespace, DEFAULT_REVISION, what.parts()?)
        .map_err(|error| CommandError::user(error.to_string()))?;
    let watched = what.places.watched()?;
    cluster.run_to_end(async |connected| {
        let is_free = check_namespace(&connected, &desired.mesh);
        cluster.unless_stopped(is_free).await??;
        let missing = cluster.unless_stopped(missing(&connected, &watched)).await;
        for namespace in missing?? {
            if apply.ask.dry_run {
                printer.note(format_args!("namespace {namespace} would be made"));
                continue;
            }
            let made = cluster.unless_stopped(make(&connected, &namespace)).await;
            made??;
            printer.note(format_args!("namespace {namespace} is made"));
        }
        let job = Job {
            subject: Subject::Operator,
            desired,
            facts: facts("operator init"),
            apply: &apply,
        };
        run::install(printer, &cluster, &connected, job).await
    })
}

/// The namespaces that are not there.
async fn missing(cluster: &Cluster, namespaces: &BTreeSet<String>) -> Result<Vec<String>, CommandError> {
    let mut missing = Vec::new();
    for namespace in namespaces {
        match cluster.get(&format!("/api/v1/namespaces/{namespace}")).await {
            Ok(_) => {}
            Err(error) if error.kind == ErrorKind::NotFound => missing.push(namespace.clone()),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(missing)
}

/// Makes a namespace. It carries no label of ours, so that it never goes with the operator.
async fn make(cluster: &Cluster, namespace: &str) -> Result<(), CommandError> {
    let object = json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": { "name": namespace } });
    let write = Write {
        method: Method::POST,
        path: "/api/v1/namespaces".to_owned(),
        content_type: "application/json",
        body: object.to_string().into_bytes(),
    };
    let answer = cluster.write(&write).await?;
    // Somebody else may have made it meanwhile.
    if answer.status.as_u16() != 409 {
        answer.success(&format!("namespace {namespace}"))?;
    }
    Ok(())
}

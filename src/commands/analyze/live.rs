//! Analysis of a cluster, alone or below files.

use std::collections::BTreeSet;

use mesh_analyze::{Diagnostic, Report, RuleSet};
use mesh_core::source::cluster::{self, KINDS, Request};
use mesh_core::{Kind, Mesh, MeshBuilder};

use crate::cluster::ClusterArgs;
use crate::error::CommandError;
use crate::ui::counted;
use crate::ui::progress::Progress;

/// Namespaces that belong to Kubernetes itself. What is in them is read, but not judged.
const SYSTEM_NAMESPACES: [&str; 3] = ["kube-system", "kube-public", "kube-node-lease"];

/// Reads the cluster into `builder`, with what `overlay` needs of it. Returns what the user calls it.
pub(super) fn load(
    builder: &mut MeshBuilder,
    connection: &ClusterArgs,
    overlay: Option<&Mesh>,
    namespace: Option<&str>,
    progress: &Progress,
) -> Result<String, CommandError> {
    progress.message("connecting".to_owned());
    connection.run(async |cluster| {
        let name = cluster.name().to_owned();
        // A context that names no namespace means `default`.
        let own = Some(cluster.namespace()).filter(|name| *name != "default");
        let request = Request {
            kinds: KINDS,
            overlay,
            namespace: namespace.or(own),
        };
        cluster::load(builder, &cluster, &request, |now| {
            progress.message(format!(
                "reading cluster `{name}`: {} of {} kinds, {}",
                now.done,
                now.kinds,
                counted(now.objects, "object")
            ));
        })
        .await?;
        Ok(name)
    })
}

/// What to report.
#[derive(Debug)]
pub(super) struct Reporting<'a> {
    /// The only namespace.
    pub(super) namespace: Option<&'a str>,
    /// Also what the cluster has without the files.
    pub(super) all: bool,
}

impl Reporting<'_> {
    /// Analyzes the cluster, or the cluster with the files laid over it.
    pub(super) fn analyze(&self, cluster: &Mesh, files: Option<&Mesh>, rules: &RuleSet) -> (Mesh, Report) {
        let (mesh, mut report) = match files {
            None => (cluster.clone(), mesh_analyze::analyze(cluster, rules)),
            Some(files) => {
                let mesh = cluster.overlay(files);
                let mut report = mesh_analyze::analyze(&mesh, rules);
                if !self.all {
                    let before = mesh_analyze::analyze(cluster, rules);
                    let known: BTreeSet<_> = before.findings.iter().map(Identity::of).collect();
                    report.findings.retain(|finding| {
                        !finding.primary.is_in_cluster(&mesh) || !known.contains(&Identity::of(finding))
                    });
                }
                (mesh, report)
            }
        };
        report.findings.retain(|finding| self.is_wanted(&mesh, finding));
        (mesh, report)
    }

    /// Findings in files are always wanted.
    fn is_wanted(&self, mesh: &Mesh, finding: &Diagnostic) -> bool {
        let Some(resource) = &finding.primary.resource else {
            return true;
        };
        if !finding.primary.is_in_cluster(mesh) {
            return true;
        }
        let namespace = match resource.kind {
            Kind::Namespace => &resource.name,
            _ => &resource.namespace,
        };
        match self.namespace {
            Some(wanted) => namespace.is_empty() || namespace == wanted,
            None => !SYSTEM_NAMESPACES.contains(&namespace.as_str()),
        }
    }
}

/// The findings that a mesh has, and had not before a change.
pub(crate) fn new_findings(before: &Mesh, after: &Mesh, rules: &RuleSet) -> Vec<Diagnostic> {
    let known = mesh_analyze::analyze(before, rules);
    let known: BTreeSet<_> = known.findings.iter().map(Identity::of).collect();
    let mut findings = mesh_analyze::analyze(after, rules).findings;
    findings.retain(|finding| !known.contains(&Identity::of(finding)));
    findings
}

/// What makes a finding the same with and without the files: everything but lines.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Identity {
    rule: &'static str,
    resource: Option<String>,
    path: String,
    message: String,
}

impl Identity {
    fn of(finding: &Diagnostic) -> Self {
        Self {
            rule: finding.rule.name,
            resource: finding.primary.resource.as_ref().map(ToString::to_string),
            path: finding.primary.path.to_string(),
            message: finding.message.clone(),
        }
    }
}

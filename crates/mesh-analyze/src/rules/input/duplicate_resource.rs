//! Objects that are given twice.

use crate::{Reporter, Severity, declare_rule};
use mesh_core::Mesh;
use mesh_yaml::path;

declare_rule! {
    /// The same object is given more than once.
    ///
    /// ## Why is this bad?
    /// Objects of one kind, namespace and name are one object to the cluster. Whichever is applied last replaces the
    /// others, and which one that is depends on the order of the files.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: reviews}
    /// ---
    /// apiVersion: v1
    /// kind: ServiceAccount
    /// metadata: {name: reviews}
    /// ```
    ///
    /// ## Fix
    /// Remove all but one, or give them different names or namespaces.
    pub static RULE = {
        name: "duplicate-resource",
        aliases: &[],
        severity: Severity::Error,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for (earlier, later) in mesh.duplicates() {
        reporter
            .report(later.header(), path!["metadata", "name"])
            .message(format!("{} is given more than once", later.header().id()))
            .help("remove one of the two: the later one replaces the earlier")
            .related(earlier.header(), path!["metadata", "name"], "also given here");
    }
}

//! Kinds that could not be read from the cluster.

use mesh_core::{Kind, Mesh, Unreadable};

use crate::{Place, RULES, Reporter, Rule, Severity, declare_rule};

declare_rule! {
    /// Objects of some kind could not be read from the cluster.
    ///
    /// ## Why is this bad?
    /// What is wrong with them is not found. Rules that look other objects up in them do not run either, since they would
    /// call missing what only could not be seen.
    ///
    /// ## Example
    /// ```text
    /// meshctl analyze --cluster --as system:serviceaccount:shop:web
    /// ```
    ///
    /// ## Fix
    /// Allow the user to `get` and `list` the kind: the ClusterRole `view` allows it for the kinds of Kubernetes, and
    /// Istio's `istio-reader-clusterrole` for its own. Secrets are only ever read by name, those that a Gateway names.
    pub static RULE = {
        name: "unreadable-kind",
        aliases: &[],
        severity: Severity::Warning,
        since: "0.1.0",
        subjects: &[],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    for unreadable in mesh.unreadable() {
        let Unreadable {
            kind,
            reason,
            is_forbidden,
            only,
        } = unreadable;
        let finding = reporter.report_place(Place::cluster());
        let hidden = hidden(*kind);
        let consequence = match (only, hidden.as_slice()) {
            (Some(namespace), _) => format!(
                "only those of the namespace `{namespace}` were read, and references to others may be taken for wrong"
            ),
            (None, []) => "they are not checked".to_owned(),
            (None, hidden) => format!(
                "they are not checked, and these rules do not run: {}",
                hidden.join(", ")
            ),
        };
        finding.message(format!("{kind} objects cannot be read: {reason}; {consequence}"));
        finding.help(if *is_forbidden {
            let info = kind.info();
            let verbs = if *kind == Kind::Secret || *kind == Kind::ConfigMap { "get" } else { "get,list" };
            let resource = if info.group.is_empty() {
                info.plural.to_owned()
            } else {
                format!("{}.{}", info.plural, info.group)
            };
            format!(
                "allow it, such as with `kubectl create clusterrole NAME --verb={verbs} --resource={resource}` and a \
                 binding of it"
            )
        } else {
            "try again; the API server's log may have more".to_owned()
        });
    }
}

/// The rules that cannot run without the kind.
fn hidden(kind: Kind) -> Vec<&'static str> {
    let needs = |rule: &&&Rule| rule.looks_up().any(|needed| needed == kind);
    RULES.iter().filter(needs).map(|rule| rule.name).collect()
}

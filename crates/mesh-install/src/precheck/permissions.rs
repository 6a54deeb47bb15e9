//! What the user may do.

use super::access::{self, Access, Purpose};
use super::facts::{Facts, Read};
use super::{Options, Outcome, counted};

pub(super) fn cluster(facts: &Facts, _: &Options) -> Read<Outcome> {
    judge(facts, Purpose::Cluster, None)
}

pub(super) fn namespace(facts: &Facts, options: &Options) -> Read<Outcome> {
    judge(facts, Purpose::Namespace, Some(&options.istio_namespace))
}

fn judge(facts: &Facts, purpose: Purpose, namespace: Option<&str>) -> Read<Outcome> {
    let asked: Vec<_> = facts
        .access
        .iter()
        .filter(|answer| answer.need.purpose == purpose)
        .collect();
    known(&asked)?;
    let missing = access::missing(asked.iter().copied());
    let place = match namespace {
        Some(namespace) => format!("in the namespace {namespace}"),
        None => "cluster-wide".to_owned(),
    };
    let kinds = {
        let mut resources: Vec<_> = asked.iter().map(|answer| answer.need.resource).collect();
        resources.dedup();
        resources.len()
    };
    if missing.is_empty() {
        return Ok(Outcome::pass(format!(
            "may do all that installing needs with {} {place}",
            counted(kinds, "kind")
        )));
    }
    let user = facts.user.as_deref().unwrap_or_default();
    let outcome = Outcome::fail(format!(
        "rights to {} are missing {place}",
        counted(missing.len(), "kind")
    ))
    .detail(lines(&missing))
    .hint("have an administrator apply this role (`-o json` has it as `manifest`), or use another account");
    Ok(Outcome {
        manifest: Some(access::role("meshctl-install", &missing, namespace, Some(user))),
        ..outcome
    })
}

pub(super) fn grants(facts: &Facts, _: &Options) -> Read<Outcome> {
    let asked: Vec<_> = facts
        .access
        .iter()
        .filter(|answer| answer.need.purpose == Purpose::Grant)
        .collect();
    known(&asked)?;
    let is_shortcut = |answer: &&Access| matches!(answer.verb, "escalate" | "bind");
    let (shortcuts, rights): (Vec<_>, Vec<_>) = asked.into_iter().partition(is_shortcut);
    if shortcuts.iter().all(|answer| answer.allowed == Ok(true)) {
        return Ok(Outcome::pass("may make roles with any rights"));
    }
    let missing = access::missing(rights);
    if missing.is_empty() {
        return Ok(Outcome::pass(
            "has the rights that the control plane's roles give",
        ));
    }
    let user = facts.user.as_deref().unwrap_or_default();
    let outcome = Outcome::fail(
        "the control plane's roles give rights that you do not have, and the API server refuses such roles",
    )
    .detail(lines(&missing))
    .hint("install as a cluster administrator; this role has the same effect as being one");
    Ok(Outcome {
        manifest: Some(access::role(
            "meshctl-install-grants",
            &access::missing(shortcuts),
            None,
            Some(user),
        )),
        ..outcome
    })
}

/// Fails with the first answer that is missing.
fn known(asked: &[&Access]) -> Read<()> {
    for answer in asked {
        answer.allowed.clone()?;
    }
    Ok(())
}

fn lines(missing: &[(&'static access::Need, Vec<&'static str>)]) -> Vec<String> {
    missing
        .iter()
        .map(|(need, verbs)| {
            let group = if need.group.is_empty() {
                String::new()
            } else {
                format!(".{}", need.group)
            };
            format!("cannot {} {}{group}", verbs.join(", "), need.resource)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::access::{GRANTED, NEEDS};
    use super::super::testing::{facts, options, read};
    use super::super::{Facts, Status, Unread};
    use super::*;

    fn answered(allowed: impl Fn(&access::Need, &str) -> bool) -> Facts {
        let access = NEEDS
            .iter()
            .chain(GRANTED)
            .flat_map(|need| need.verbs.iter().map(move |verb| (need, *verb)))
            .map(|(need, verb)| Access {
                need,
                verb,
                allowed: Ok(allowed(need, verb)),
            })
            .collect();
        Facts {
            access,
            user: Ok("jane@example.com".to_owned()),
            ..facts()
        }
    }

    #[test]
    fn an_administrator_may_do_all() {
        let facts = answered(|_, _| true);
        for check in [cluster, namespace, grants] {
            let outcome = read(check(&facts, &options()));
            assert_eq!(outcome.status, Status::Pass, "{outcome:?}");
        }
    }

    #[test]
    fn missing_rights_come_as_a_role_that_is_bound_to_the_user() {
        let facts = answered(|need, verb| {
            !(need.resource == "deployments" || need.resource == "clusterroles" && verb == "create")
        });
        let outcome = read(cluster(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(
            outcome.detail,
            ["cannot create clusterroles.rbac.authorization.k8s.io"]
        );
        let outcome = read(namespace(&facts, &options()));
        assert_eq!(
            outcome.detail,
            ["cannot get, list, watch, create, update, patch, delete deployments.apps"]
        );
        assert_eq!(
            outcome.manifest.as_deref(),
            Some(
                "apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: meshctl-install
  namespace: istio-system
rules:
- apiGroups: [apps]
  resources: [deployments]
  verbs: [get, list, watch, create, update, patch, delete]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: meshctl-install
  namespace: istio-system
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: meshctl-install
subjects:
- apiGroup: rbac.authorization.k8s.io
  kind: User
  name: \"jane@example.com\"
"
            )
        );
    }

    #[test]
    fn roles_can_be_made_with_escalate_or_with_the_rights_themselves() {
        let is_shortcut = |verb: &str| matches!(verb, "escalate" | "bind");
        let with_rights = answered(|_, verb| !is_shortcut(verb));
        assert_eq!(read(grants(&with_rights, &options())).status, Status::Pass);
        let with_neither = answered(|need, verb| !is_shortcut(verb) && need.resource != "tokenreviews");
        let outcome = read(grants(&with_neither, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(
            outcome.detail,
            ["cannot create tokenreviews.authentication.k8s.io"]
        );
    }

    #[test]
    fn an_answer_that_is_missing_is_not_a_no() {
        let mut facts = answered(|_, _| true);
        facts.access[0].allowed = Err(Unread {
            why: "server error".to_owned(),
            hint: None,
        });
        assert!(cluster(&facts, &options()).is_err());
        assert!(namespace(&facts, &options()).is_ok());
    }
}

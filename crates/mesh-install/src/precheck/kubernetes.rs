//! The cluster itself.

use super::facts::{Facts, Known, Read};
use super::objects::name_of;
use super::{Options, Outcome, counted};
use crate::version::{KubernetesVersion, RELEASES, Source, Support};

/// The version of Kubernetes whose API this program knows.
const KNOWN: KubernetesVersion = KubernetesVersion { minor: 36 };

/// How many minor versions a kubelet may be behind the API server (Kubernetes, "Version Skew Policy").
const KUBELET_LAG: u32 = 3;

/// The API versions of the objects that an installation has and that a control plane watches.
const API_VERSIONS: &[&str] = &[
    "v1",
    "admissionregistration.k8s.io/v1",
    "apiextensions.k8s.io/v1",
    "apps/v1",
    "authentication.k8s.io/v1",
    "authorization.k8s.io/v1",
    "autoscaling/v2",
    "coordination.k8s.io/v1",
    "discovery.k8s.io/v1",
    "networking.k8s.io/v1",
    "policy/v1",
    "rbac.authorization.k8s.io/v1",
];

#[expect(clippy::unnecessary_wraps, reason = "all checks have this form")]
pub(super) fn api_server(facts: &Facts, _: &Options) -> Read<Outcome> {
    Ok(match &facts.version {
        Ok(_) => Outcome::pass(format!("{} answers", facts.server)),
        Err(unread) => Outcome {
            hint: unread.hint.clone(),
            ..Outcome::fail(format!(
                "{} cannot be asked for its version: {}",
                facts.server, unread.why
            ))
        },
    })
}

pub(super) fn version(facts: &Facts, options: &Options) -> Read<Outcome> {
    let text = facts.version.known()?;
    let release = options.release;
    let (oldest, newest) = (release.oldest_kubernetes, release.newest_kubernetes);
    let Ok(version) = text.parse::<KubernetesVersion>() else {
        return Ok(
            Outcome::warning(format!("the API server calls its version `{text}`")).hint(format!(
                "check that it is a Kubernetes {oldest} to {newest}, which Istio {release} supports"
            )),
        );
    };
    let fitting = RELEASES
        .iter()
        .rev()
        .find(|release| release.support(version) == Support::Supported);
    let instead = match fitting {
        Some(other) => format!("install Istio {other} (`--mesh-version {other}`)"),
        None => format!("check with Istio {release}'s documentation"),
    };
    let outcome = match release.support(version) {
        Support::Supported => Outcome::pass(format!("{text}; Istio {release} supports {oldest} to {newest}")),
        Support::Tested => Outcome::warning(format!(
            "{text} is older than {oldest}, the oldest that Istio {release} supports"
        ))
        .detail([format!(
            "Istio {release} was tested with {} and newer",
            release.oldest_tested
        )])
        .hint(format!("upgrade Kubernetes to {oldest} or newer, or {instead}")),
        Support::TooOld => Outcome::fail(format!(
            "{text} is older than {oldest}, the oldest that Istio {release} supports"
        ))
        .hint(format!("upgrade Kubernetes to {oldest} or newer, or {instead}")),
        Support::TooNew => Outcome::warning(format!(
            "{text} is newer than {newest}, the newest that Istio {release} supports"
        ))
        .hint(instead),
    };
    Ok(match release.source {
        Source::Published => outcome,
        Source::Extrapolated => outcome.detail([format!(
            "the range of Istio {release} is not published yet; this is the one of its development branch"
        )]),
    })
}

pub(super) fn api_versions(facts: &Facts, _: &Options) -> Read<Outcome> {
    let served = facts.api_versions.known()?;
    let missing: Vec<_> = API_VERSIONS
        .iter()
        .filter(|version| !served.contains(**version))
        .collect();
    if missing.is_empty() {
        return Ok(Outcome::pass(format!(
            "all {} that a mesh uses are served",
            API_VERSIONS.len()
        )));
    }
    Ok(Outcome::fail(format!(
        "{} are not served",
        counted(missing.len(), "API version")
    ))
    .detail(missing.iter().map(|version| format!("{version} is missing")))
    .hint("see what the API server has: `kubectl api-versions`"))
}

pub(super) fn aggregated_apis(facts: &Facts, _: &Options) -> Read<Outcome> {
    let services = facts.api_services.known()?;
    let mut broken = Vec::new();
    for service in services {
        let conditions = service
            .status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        for condition in conditions {
            if condition.type_ == "Available" && condition.status != "True" {
                let why = condition.message.as_deref().or(condition.reason.as_deref());
                broken.push((name_of(&service.metadata), why.unwrap_or("no reason given")));
            }
        }
    }
    let Some((first, _)) = broken.first() else {
        return Ok(Outcome::pass(format!("{} available", services.len())));
    };
    let hint = format!(
        "see `kubectl describe apiservice {first}`; until it works, namespaces cannot be deleted and discovery is incomplete"
    );
    Ok(Outcome::warning(format!("{} not available", broken.len()))
        .detail(broken.iter().map(|(name, why)| format!("{name}: {why}")))
        .hint(hint))
}

pub(super) fn kubelet_versions(facts: &Facts, _: &Options) -> Read<Outcome> {
    let server = facts.version.known()?;
    let nodes = facts.nodes.known()?;
    let Ok(server) = server.parse::<KubernetesVersion>() else {
        return Ok(Outcome::pass(format!(
            "not compared with `{server}`, which is no version"
        )));
    };
    if nodes.is_empty() {
        return Ok(Outcome::pass("there are no nodes"));
    }
    let mut lines = Vec::new();
    for node in nodes {
        let info = node.status.as_ref().and_then(|status| status.node_info.as_ref());
        let Some(text) = info.map(|info| info.kubelet_version.as_str()) else {
            continue;
        };
        let Ok(kubelet) = text.parse::<KubernetesVersion>() else {
            continue;
        };
        let name = name_of(&node.metadata);
        if kubelet > server {
            lines.push(format!("{name} runs {text}, which is newer than the API server"));
        } else if server.minor - kubelet.minor > KUBELET_LAG {
            lines.push(format!(
                "{name} runs {text}, which is more than {KUBELET_LAG} minor versions behind the API server"
            ));
        }
    }
    if lines.is_empty() {
        return Ok(Outcome::pass(format!(
            "{} within what API server {server} supports",
            counted(nodes.len(), "node")
        )));
    }
    Ok(
        Outcome::warning(format!("{} outside what API server {server} supports", counted(lines.len(), "node")))
            .detail(lines)
            .hint(format!(
                "upgrade the nodes to {server}; kubelets may be up to {KUBELET_LAG} minor versions older, and never newer"
            )),
    )
}

pub(super) fn client_version(facts: &Facts, _: &Options) -> Read<Outcome> {
    let text = facts.version.known()?;
    let Ok(server) = text.parse::<KubernetesVersion>() else {
        return Ok(Outcome::pass(format!(
            "not compared with `{text}`, which is no version"
        )));
    };
    Ok(if server.minor > KNOWN.minor + 1 {
        Outcome::warning(format!(
            "meshctl knows the API of Kubernetes {KNOWN}, and the server is {server}"
        ))
        .hint("use a newer meshctl; this one may overlook what is new")
    } else {
        Outcome::pass(format!("meshctl knows the API of Kubernetes {KNOWN}"))
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::{facts, options, read};
    use super::super::{Facts, Status, Unread};
    use super::*;
    use serde_json::json;

    fn at(version: &str) -> Facts {
        Facts {
            version: Ok(version.to_owned()),
            ..facts()
        }
    }

    #[test]
    fn the_version_is_held_against_both_ends_of_the_range() {
        let options = options();
        let Options { release, .. } = &options;
        let minor = |minor: u32| format!("v1.{minor}.0");
        for (version, expected) in [
            (minor(release.oldest_kubernetes.minor), Status::Pass),
            (minor(release.newest_kubernetes.minor), Status::Pass),
            (minor(release.newest_kubernetes.minor + 1), Status::Warning),
            (minor(release.oldest_kubernetes.minor - 1), Status::Warning),
            (minor(release.oldest_tested.minor - 1), Status::Fail),
            ("main".to_owned(), Status::Warning),
        ] {
            let outcome = read(super::version(&at(&version), &options));
            assert_eq!(outcome.status, expected, "{version}: {outcome:?}");
            assert_eq!(
                outcome.hint.is_some(),
                expected != Status::Pass,
                "{version}: {outcome:?}"
            );
        }
    }

    #[test]
    fn an_unknown_version_fails_once_and_skips_the_rest() {
        let unread = Unread {
            why: "no answer".to_owned(),
            hint: Some("wait".to_owned()),
        };
        let facts = Facts {
            version: Err(unread.clone()),
            ..facts()
        };
        let outcome = read(api_server(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.hint.as_deref(), Some("wait"));
        assert_eq!(version(&facts, &options()), Err(unread));
    }

    #[test]
    fn missing_api_versions_are_named() {
        let mut facts = facts();
        facts.api_versions = Ok(API_VERSIONS.iter().map(ToString::to_string).collect());
        assert_eq!(read(api_versions(&facts, &options())).status, Status::Pass);
        if let Ok(served) = &mut facts.api_versions {
            served.remove("autoscaling/v2");
        }
        let outcome = read(api_versions(&facts, &options()));
        assert_eq!(outcome.status, Status::Fail);
        assert_eq!(outcome.detail, ["autoscaling/v2 is missing"]);
    }

    #[test]
    fn broken_aggregated_apis_are_named_with_their_reason() {
        let mut facts = facts();
        facts.api_services = Ok(serde_json::from_value(json!([
            {"metadata": {"name": "v1.apps"}, "status": {"conditions": [{"type": "Available", "status": "True"}]}},
            {"metadata": {"name": "v1beta1.metrics.k8s.io"}, "status": {"conditions": [
                {"type": "Available", "status": "False", "message": "no endpoints"}]}},
        ]))
        .expect("services"));
        let outcome = read(aggregated_apis(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.detail, ["v1beta1.metrics.k8s.io: no endpoints"]);
    }

    #[test]
    fn kubelets_may_be_older_by_three_but_not_newer() {
        let mut facts = at("v1.34.2");
        let node = |name: &str, version: &str| {
            json!({"metadata": {"name": name}, "status": {"nodeInfo": {"architecture": "amd64", "bootID": "",
                "containerRuntimeVersion": "", "kernelVersion": "", "kubeProxyVersion": "", "machineID": "",
                "operatingSystem": "linux", "osImage": "", "systemUUID": "", "kubeletVersion": version}}})
        };
        facts.nodes = Ok(serde_json::from_value(json!([
            node("same", "v1.34.0"),
            node("old", "v1.31.9"),
            node("too-old", "v1.30.0"),
            node("newer", "v1.35.0"),
        ]))
        .expect("nodes"));
        let outcome = read(kubelet_versions(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.detail.len(), 2, "{outcome:?}");
        assert!(
            outcome.detail[0].starts_with("too-old runs v1.30.0"),
            "{outcome:?}"
        );
        assert!(outcome.detail[1].starts_with("newer runs v1.35.0"), "{outcome:?}");
    }

    #[test]
    fn servers_from_the_future_are_noticed() {
        assert_eq!(
            read(client_version(&at("v1.37.0"), &options())).status,
            Status::Pass
        );
        assert_eq!(
            read(client_version(&at("v1.38.0"), &options())).status,
            Status::Warning
        );
    }
}

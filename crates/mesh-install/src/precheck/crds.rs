//! Istio's CustomResourceDefinitions and what else an installation leaves behind.

use mesh_core::Kind;
use mesh_core::k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;

use super::facts::{Facts, Known, Read};
use super::objects::{name_of, namespace_of};
use super::{Options, Outcome, counted};
use crate::inventory;

/// The kind of the operator that Istio dropped.
const OPERATOR_CRD: &str = "istiooperators.install.istio.io";

fn is_istio(crd: &CustomResourceDefinition) -> bool {
    crd.spec.group.ends_with(".istio.io")
}

/// The kind of this program's model that the definition is for.
fn known_kind(crd: &CustomResourceDefinition) -> Option<Kind> {
    Kind::ALL.iter().copied().find(|kind| {
        let info = kind.info();
        kind.is_istio() && info.group == crd.spec.group && info.plural == crd.spec.names.plural
    })
}

pub(super) fn versions(facts: &Facts, options: &Options) -> Read<Outcome> {
    let mut broken = Vec::new();
    let mut notes = Vec::new();
    let mut count = 0;
    let mut first = None;
    for crd in facts.crds.known()?.iter().filter(|crd| is_istio(crd)) {
        count += 1;
        let name = name_of(&crd.metadata);
        let status = crd.status.as_ref();
        let conditions = status
            .iter()
            .flat_map(|status| status.conditions.iter().flatten());
        for condition in conditions {
            let must_be_true = matches!(condition.type_.as_str(), "Established" | "NamesAccepted");
            if must_be_true && condition.status != "True" {
                first.get_or_insert(name);
                broken.push(format!(
                    "{name} is not usable: {}",
                    condition.message.as_deref().unwrap_or(&condition.type_)
                ));
            }
        }
        let Some(kind) = known_kind(crd) else { continue };
        let known = kind.info().versions;
        let stored = status
            .iter()
            .flat_map(|status| status.stored_versions.iter().flatten());
        for version in stored.filter(|version| !known.contains(&version.as_str())) {
            first.get_or_insert(name);
            broken.push(format!(
                "{name} has objects stored as {version}, which Istio {} does not define: the API server refuses the new definition",
                options.release
            ));
        }
        let newest = known.first().copied().unwrap_or_default();
        if !crd
            .spec
            .versions
            .iter()
            .any(|version| version.name == newest && version.served)
        {
            notes.push(format!(
                "{name} does not serve {newest} yet; installing updates it"
            ));
        }
    }
    let Some(first) = first else {
        return Ok(match count {
            0 => Outcome::pass("none is installed; installing adds them"),
            _ => Outcome::pass(format!("{} usable", counted(count, "definition"))).detail(notes),
        });
    };
    Ok(Outcome::fail(format!("{} in the way", counted(broken.len(), "definition")))
        .detail(broken)
        .hint(format!(
            "store all objects in a version that is served and drop the old one from `status.storedVersions`: `kubectl get crd {first} -o yaml`"
        )))
}

pub(super) fn leftovers(facts: &Facts, _: &Options) -> Read<Outcome> {
    let crds = facts.crds.known()?;
    let operator = crds.iter().any(|crd| name_of(&crd.metadata) == OPERATOR_CRD);
    let mut lines = Vec::new();
    let mut hint = None;
    if operator {
        lines.push(format!(
            "{OPERATOR_CRD}: nothing acts on IstioOperator objects since Istio 1.24"
        ));
        hint = Some(format!("delete it: `kubectl delete crd {OPERATOR_CRD}`"));
    }
    if inventory::control_planes(facts.deployments.known()?).is_empty() {
        let left: Vec<_> = crds
            .iter()
            .filter(|crd| is_istio(crd) && name_of(&crd.metadata) != OPERATOR_CRD)
            .map(|crd| name_of(&crd.metadata))
            .collect();
        if !left.is_empty() {
            lines.push(format!(
                "{} without a control plane",
                counted(left.len(), "CustomResourceDefinition")
            ));
            hint.get_or_insert_with(|| {
                "installing takes them over; to start clean, delete them with all their objects: `kubectl get crd -o name | grep '\\.istio\\.io$' | xargs kubectl delete`"
                    .to_owned()
            });
        }
        let copies = facts.root_certificates.known()?;
        if !copies.is_empty() {
            let namespaces: Vec<_> = copies.iter().map(|copy| namespace_of(&copy.metadata)).collect();
            lines.push(format!(
                "ConfigMap istio-ca-root-cert in {}",
                namespaces.join(", ")
            ));
            hint.get_or_insert_with(|| "a control plane rewrites them when it starts".to_owned());
        }
    }
    let Some(hint) = hint else {
        return Ok(Outcome::pass("none"));
    };
    Ok(Outcome::warning("an earlier installation left objects")
        .detail(lines)
        .hint(hint))
}

pub(super) fn deprecations(facts: &Facts, options: &Options) -> Read<Outcome> {
    let found = facts.deprecations.known()?;
    if found.is_empty() {
        return Ok(Outcome::pass("no resource uses what has a successor"));
    }
    Ok(Outcome::warning(format!(
        "{} of fields or values that a release after {} may drop",
        counted(found.len(), "use"),
        options.release
    ))
    .detail(found.clone())
    .hint("see what to use instead: `meshctl explain deprecated-field`"))
}

/// Kinds of the Gateway API that Istio reads, and the versions that must be served.
const GATEWAY_API: &[(&str, &str, bool)] = &[
    ("gateways", "v1beta1", true),
    ("gatewayclasses", "v1beta1", true),
    ("httproutes", "v1beta1", true),
    ("referencegrants", "v1beta1", true),
    ("gateways", "v1", false),
    ("gatewayclasses", "v1", false),
    ("httproutes", "v1", false),
    ("grpcroutes", "v1", false),
];

pub(super) fn gateway_api(facts: &Facts, options: &Options) -> Read<Outcome> {
    const GROUP: &str = "gateway.networking.k8s.io";
    let crds: Vec<_> = facts
        .crds
        .known()?
        .iter()
        .filter(|crd| crd.spec.group == GROUP)
        .collect();
    if crds.is_empty() {
        let needed = options.installs(crate::manifest::ComponentName::Ztunnel);
        return Ok(if needed {
            Outcome::warning("not installed, and the ambient data plane has no waypoints without it").hint(
                "apply the standard channel of a release: https://github.com/kubernetes-sigs/gateway-api/releases",
            )
        } else {
            Outcome::pass("not installed; only Gateway API resources need it")
        });
    }
    let annotation = |crd: &CustomResourceDefinition, key: &str| {
        let annotations = crd.metadata.annotations.as_ref();
        annotations
            .and_then(|annotations| annotations.get(&format!("{GROUP}/{key}")))
            .cloned()
    };
    let distinct = |key: &str| {
        let mut values: Vec<_> = crds.iter().filter_map(|crd| annotation(crd, key)).collect();
        values.sort();
        values.dedup();
        values
    };
    let (versions, channels) = (distinct("bundle-version"), distinct("channel"));
    let mut errors = Vec::new();
    let mut warnings = Vec::new();
    for (plural, version, is_error) in GATEWAY_API {
        let Some(crd) = crds.iter().find(|crd| crd.spec.names.plural == *plural) else {
            continue;
        };
        if !crd
            .spec
            .versions
            .iter()
            .any(|served| served.name == *version && served.served)
        {
            let line = format!("{} does not serve {version}", name_of(&crd.metadata));
            if *is_error { &mut errors } else { &mut warnings }.push(line);
        }
    }
    if versions.len() > 1 {
        warnings.push(format!(
            "the definitions are of different releases: {}",
            versions.join(", ")
        ));
    }
    if channels.len() > 1 {
        warnings.push(format!(
            "the definitions are of different channels: {}",
            channels.join(", ")
        ));
    }
    let summary = format!(
        "{} of the {} channel",
        if versions.is_empty() {
            "unknown version".to_owned()
        } else {
            versions.join(", ")
        },
        if channels.is_empty() {
            "unknown".to_owned()
        } else {
            channels.join(" and ")
        }
    );
    let outcome = if !errors.is_empty() {
        Outcome::fail(summary)
    } else if !warnings.is_empty() {
        Outcome::warning(summary)
    } else {
        return Ok(Outcome::pass(summary));
    };
    Ok(outcome.detail(errors).detail(warnings).hint(
        "apply one release of one channel as a whole: https://github.com/kubernetes-sigs/gateway-api/releases",
    ))
}

#[cfg(test)]
mod tests {
    use super::super::Status;
    use super::super::testing::{facts, options, read};
    use super::*;
    use serde_json::{Value, json};

    fn crd(plural: &str, group: &str, versions: &[&str], stored: &[&str]) -> Value {
        let served: Vec<_> = versions
            .iter()
            .map(|name| json!({"name": name, "served": true, "storage": false}))
            .collect();
        json!({"metadata": {"name": format!("{plural}.{group}"), "annotations": {
                "gateway.networking.k8s.io/bundle-version": "v1.4.0", "gateway.networking.k8s.io/channel": "standard"}},
            "spec": {"group": group, "names": {"plural": plural, "kind": plural}, "scope": "Namespaced", "versions": served},
            "status": {"storedVersions": stored, "conditions": [{"type": "Established", "status": "True"}]}})
    }

    fn with(crds: &[Value]) -> Facts {
        let mut facts = facts();
        facts.crds = Ok(serde_json::from_value(json!(crds)).expect("definitions"));
        facts
    }

    #[test]
    fn versions_that_objects_are_stored_in_must_remain() {
        let group = "networking.istio.io";
        for (crds, expected) in [
            (vec![], Status::Pass),
            (
                vec![crd("gateways", group, &["v1", "v1beta1"], &["v1"])],
                Status::Pass,
            ),
            (
                vec![crd("gateways", group, &["v1alpha3"], &["v1alpha3"])],
                Status::Pass,
            ),
            (vec![crd("gateways", group, &["v1"], &["v1alpha1"])], Status::Fail),
        ] {
            let outcome = read(versions(&with(&crds), &options()));
            assert_eq!(outcome.status, expected, "{outcome:?}");
        }
        let outcome = read(versions(
            &with(&[crd("gateways", group, &["v1alpha3"], &["v1alpha3"])]),
            &options(),
        ));
        assert_eq!(
            outcome.detail,
            ["gateways.networking.istio.io does not serve v1 yet; installing updates it"]
        );
        let mut unusable = crd("gateways", group, &["v1"], &["v1"]);
        unusable["status"]["conditions"] =
            json!([{"type": "NamesAccepted", "status": "False", "message": "taken"}]);
        assert_eq!(
            read(versions(&with(&[unusable]), &options())).status,
            Status::Fail
        );
    }

    #[test]
    fn definitions_without_a_control_plane_are_left_over() {
        assert_eq!(read(leftovers(&facts(), &options())).status, Status::Pass);
        let facts = with(&[crd("gateways", "networking.istio.io", &["v1"], &["v1"])]);
        let outcome = read(leftovers(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(
            outcome.detail,
            ["1 CustomResourceDefinition without a control plane"]
        );
        let operator = with(&[crd(
            "istiooperators",
            "install.istio.io",
            &["v1alpha1"],
            &["v1alpha1"],
        )]);
        assert!(read(leftovers(&operator, &options())).detail[0].contains("since Istio 1.24"));
    }

    #[test]
    fn the_gateway_api_must_serve_what_is_read() {
        let group = "gateway.networking.k8s.io";
        assert_eq!(read(gateway_api(&facts(), &options())).status, Status::Pass);
        for (versions, expected) in [
            (&["v1", "v1beta1"][..], Status::Pass),
            (&["v1beta1"], Status::Warning),
            (&["v1alpha2"], Status::Fail),
        ] {
            let outcome = read(gateway_api(
                &with(&[crd("gateways", group, versions, &[])]),
                &options(),
            ));
            assert_eq!(outcome.status, expected, "{outcome:?}");
        }
        let mut other = crd("httproutes", group, &["v1", "v1beta1"], &[]);
        other["metadata"]["annotations"]["gateway.networking.k8s.io/channel"] = "experimental".into();
        let mixed = with(&[crd("gateways", group, &["v1", "v1beta1"], &[]), other]);
        let outcome = read(gateway_api(&mixed, &options()));
        assert_eq!(
            outcome.detail,
            ["the definitions are of different channels: experimental, standard"]
        );
    }

    #[test]
    fn deprecations_are_listed() {
        let mut facts = facts();
        facts.deprecations = Ok(vec![
            "VirtualService shop/web: `spec.http[0].mirrorPercent`".to_owned(),
        ]);
        let outcome = read(deprecations(&facts, &options()));
        assert_eq!(outcome.status, Status::Warning);
        assert_eq!(outcome.detail.len(), 1);
    }
}

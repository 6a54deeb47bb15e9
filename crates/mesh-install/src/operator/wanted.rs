//! What a `MeshControlPlane` describes.

use jiff::Timestamp;
use mesh_yaml::{FieldPath, Node, Span};
use serde_json::{Value, json};

use crate::inventory::DEFAULT_REVISION;
use crate::manifest;
use crate::plan::Desired;
use crate::spec::{Issue, Request, Resolved, Source, resolve};
use crate::state::EntryFacts;

/// What is described.
#[derive(Clone, Debug, PartialEq)]
pub struct Wanted {
    /// The objects.
    pub desired: Desired,
    /// What is remembered of their installation.
    pub facts: EntryFacts,
    /// What may not be as it was meant.
    pub warnings: Vec<String>,
}

/// The revision that an object describes, whether or not the rest of it can be understood.
pub fn revision_of(object: &Value) -> &str {
    let revision = object["spec"]["revision"].as_str();
    revision
        .filter(|revision| !revision.is_empty())
        .unwrap_or(DEFAULT_REVISION)
}

/// What a `MeshControlPlane` describes: the mesh of its namespace.
///
/// # Errors
///
/// Everything that is wrong with it.
pub fn wanted(object: &Value) -> Result<Wanted, Vec<String>> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let namespace = text(&object["metadata"]["namespace"]);
    let asked = text(&object["spec"]["namespace"]);
    if !asked.is_empty() && asked != namespace {
        return Err(vec![format!(
            "spec.namespace: the control plane is in the namespace of its MeshControlPlane, {namespace}, and not in {asked}"
        )]);
    }
    let described = json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "spec": object["spec"],
    });
    let request = Request {
        files: vec![Source {
            name: format!(
                "MeshControlPlane {namespace}/{}",
                text(&object["metadata"]["name"])
            ),
            text: serde_json::to_string_pretty(&described)
                .unwrap_or_default()
                .into(),
        }],
        namespace: Some(namespace.clone()),
        ..Request::default()
    };
    let said = |issues: Vec<Issue>| issues.iter().map(told).collect::<Vec<_>>();
    let Resolved { spec, warnings } = resolve(&request).map_err(said)?;
    let mut parts = manifest::render(&spec).parts();
    for part in &mut parts {
        // Namespaces are none of the operator's business.
        part.objects.retain(|object| object["kind"] != "Namespace");
    }
    let desired =
        Desired::new(&namespace, spec.revision_label(), parts).map_err(|error| vec![error.to_string()])?;
    let facts = EntryFacts {
        started: format!("{:.0}", Timestamp::now()),
        action: "operator".to_owned(),
        meshctl: env!("CARGO_PKG_VERSION").to_owned(),
        version: Some(spec.control_plane.tag.clone()),
        profile: spec.control_plane.profile.clone(),
        values: request.remembered(),
        ..EntryFacts::default()
    };
    Ok(Wanted {
        desired,
        facts,
        warnings: said(warnings),
    })
}

/// What is wrong, with the field, and what to do about it: `spec.profile: there is no profile ...`.
fn told(issue: &Issue) -> String {
    let field = issue.place.as_ref().and_then(|place| {
        let document = mesh_yaml::parse(&place.source.text).into_iter().next()?.ok()?;
        Some(field_at(document.root(), place.span).to_string())
    });
    let mut text = match field {
        Some(field) if !field.is_empty() => {
            // Some messages name the field themselves, as it is called within the specification.
            let named = format!("`{}`: ", field.strip_prefix("spec.").unwrap_or(&field));
            let message = issue.message.strip_prefix(&named).unwrap_or(&issue.message);
            format!("{field}: {message}")
        }
        _ => issue.message.clone(),
    };
    if let Some(help) = &issue.help {
        text = format!("{text} ({help})");
    }
    text
}

/// The field whose name or value is at a place.
fn field_at(node: Node<'_>, place: Span) -> FieldPath {
    let is_in = |outer: Span| outer.start <= place.start && place.end <= outer.end;
    for entry in node.entries() {
        if is_in(entry.key_span) || is_in(entry.value.span()) {
            let path = FieldPath::root().key(entry.key);
            return path.join(&field_at(entry.value, place));
        }
    }
    for (index, item) in node.items().enumerate() {
        if is_in(item.span()) {
            return FieldPath::root().index(index).join(&field_at(item, place));
        }
    }
    FieldPath::root()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(spec: &Value) -> Result<Wanted, Vec<String>> {
        wanted(&json!({
            "apiVersion": "install.meshctl.dev/v1alpha1",
            "kind": "MeshControlPlane",
            "metadata": { "name": "mesh", "namespace": "mesh-a" },
            "spec": spec,
        }))
    }

    #[test]
    fn the_mesh_is_that_of_the_objects_namespace() {
        for spec in [json!({}), json!({ "namespace": "mesh-a" }), Value::Null] {
            let wanted = of(&spec).expect("the default profile");
            assert_eq!(
                (wanted.desired.mesh.as_str(), wanted.desired.revision.as_str()),
                ("mesh-a", "default")
            );
            let namespaced = wanted
                .desired
                .references()
                .into_iter()
                .filter(|object| object.kind.namespaced);
            for object in namespaced {
                assert_eq!(object.namespace, "mesh-a", "{object}");
            }
        }
        let elsewhere = of(&json!({ "namespace": "mesh-b" })).expect_err("it is another namespace");
        assert!(elsewhere[0].contains("mesh-b"), "{elsewhere:?}");
    }

    #[test]
    fn namespaces_are_not_described() {
        let gateway = json!({ "name": "gw", "enabled": true, "namespace": "edge" });
        let wanted = of(&json!({ "components": { "ingressGateways": [gateway] } })).expect("it is right");
        let references = wanted.desired.references();
        assert!(references.iter().any(|object| object.namespace == "edge"));
        assert!(references.iter().all(|object| object.kind.kind != "Namespace"));
    }

    #[test]
    fn mistakes_are_named_with_their_fields() {
        for (spec, mistake) in [
            (
                json!({ "profile": "defautl" }),
                "spec.profile: there is no profile `defautl`",
            ),
            (json!({ "profil": "demo" }), "spec.profil: unknown field `profil`"),
            (json!({ "tag": 1.3 }), "spec.tag: expected a string"),
            (
                json!({ "components": { "ingressGateways": [{ "name": "a", "nam": "b" }] } }),
                "spec.components.ingressGateways[0].nam: unknown field",
            ),
            (
                json!({ "meshConfig": { "defaultConfig": { "concurrency": "many" } } }),
                "spec.meshConfig.defaultConfig.concurrency: ",
            ),
        ] {
            let mistakes = of(&spec).expect_err("it is wrong");
            assert!(mistakes[0].starts_with(mistake), "{mistakes:?}");
        }
        assert!(of(&json!("text")).is_err());
    }

    #[test]
    fn doubts_are_named_with_their_fields() {
        let wanted = of(&json!({ "tag": "1.99.0" })).expect("it can be installed");
        assert!(
            wanted.warnings[0].starts_with("spec.tag: meshctl does not know the release"),
            "{:?}",
            wanted.warnings
        );
        assert_eq!(of(&json!({})).expect("the default").warnings, [""; 0]);
    }

    #[test]
    fn revisions_are_told_of_anything() {
        assert_eq!(
            revision_of(&json!({ "spec": { "revision": "canary", "profil": 1 } })),
            "canary"
        );
        assert_eq!(revision_of(&json!({ "spec": { "revision": "" } })), "default");
        assert_eq!(revision_of(&Value::Null), "default");
    }
}

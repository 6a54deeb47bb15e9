//! Holds the documentation of all messages against what `meshctl explain` needs of it.

use std::sync::Arc;

use super::mesh_config::MeshConfig;
use super::mesh_networks::MeshNetworks;
use crate::kind::Kind;
use crate::schema::validate::check;
use crate::schema::{EnumSchema, Message, MessageSchema, Type};

/// The messages that stand at the top of a document, and whether they are the `spec` of a resource.
fn tops() -> Vec<(&'static MessageSchema, bool)> {
    let specs = Kind::ALL
        .iter()
        .filter(|kind| kind.is_istio())
        .filter_map(|kind| kind.info().schema);
    let mut tops: Vec<_> = specs.map(|schema| (schema(), true)).collect();
    tops.push((MeshConfig::schema(), false));
    tops.push((MeshNetworks::schema(), false));
    tops
}

/// Every documented thing below the top messages, as (name, text).
fn texts() -> Vec<(String, &'static str)> {
    let mut seen: Vec<&MessageSchema> = Vec::new();
    let mut texts = Vec::new();
    let mut pending: Vec<_> = tops().into_iter().map(|(schema, _)| schema).collect();
    while let Some(schema) = pending.pop() {
        // By address: messages of different modules may share a name.
        if seen.iter().any(|known| std::ptr::eq(*known, schema)) {
            continue;
        }
        seen.push(schema);
        texts.push((schema.name.to_owned(), schema.docs));
        for field in schema.fields {
            texts.push((format!("{}.{}", schema.name, field.name), field.docs));
            match innermost(&field.ty) {
                Type::Message(schema) => pending.push(schema()),
                Type::Enum(schema) => texts.extend(enum_texts(schema)),
                _ => {}
            }
        }
    }
    texts
}

fn innermost(ty: &'static Type) -> &'static Type {
    let mut ty = ty;
    while let Type::List(inner) | Type::Map(inner) = ty {
        ty = inner;
    }
    ty
}

fn enum_texts(schema: &'static EnumSchema) -> Vec<(String, &'static str)> {
    let values = schema
        .values
        .iter()
        .map(|value| (format!("{}.{}", schema.name, value.name), value.docs));
    std::iter::once((schema.name.to_owned(), schema.docs))
        .chain(values)
        .collect()
}

/// The first paragraph, as one line.
fn first_paragraph(docs: &str) -> String {
    docs.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}

/// The YAML in a documentation text.
fn example(docs: &'static str) -> Option<&'static str> {
    docs.split_once("```yaml\n")?
        .1
        .split_once("```")
        .map(|(yaml, _)| yaml)
}

#[test]
fn everything_has_a_summary() {
    let texts = texts();
    assert!(texts.len() > 900, "only {} texts were found", texts.len());
    for (name, docs) in texts {
        let summary = first_paragraph(docs);
        assert!(summary.ends_with('.'), "{name}: {summary:?}");
        let start = summary.chars().next().expect("checked above");
        let lower_case_name = summary.starts_with("istiod ") || summary.starts_with("gRPC ");
        assert!(!start.is_lowercase() || lower_case_name, "{name}: {summary:?}");
        let sentence = summary.split(". ").next().unwrap_or_default();
        assert!(
            sentence.chars().count() <= 240,
            "{name}: too long for a table: {sentence:?}"
        );
        assert_eq!(
            summary.matches('`').count() % 2,
            0,
            "{name}: an open backtick in {summary:?}"
        );
    }
}

#[test]
fn every_kind_has_a_valid_example() {
    let tops = tops();
    assert_eq!(tops.len(), 17);
    for (schema, is_spec) in tops {
        let name = schema.name;
        let yaml: Arc<str> =
            Arc::from(example(schema.docs).unwrap_or_else(|| panic!("{name} has no example")));
        let documents = mesh_yaml::parse(&yaml);
        let [Ok(document)] = documents.as_slice() else {
            panic!("{name}: {documents:?}")
        };
        let root = document.root();
        let mut violations = Vec::new();
        if is_spec {
            let text = |key| {
                root.get(key)
                    .and_then(mesh_yaml::Node::as_str)
                    .unwrap_or_default()
            };
            let kind = Kind::from_api(text("apiVersion"), text("kind"));
            let kind = kind.unwrap_or_else(|| panic!("{name}: the example is of no known kind"));
            let of_kind = kind.info().schema.map(|schema| schema().name);
            assert_eq!(of_kind, Some(name), "the example is of another kind");
            let spec = root.get("spec").unwrap_or_else(|| panic!("{name}: no spec"));
            check(
                spec,
                &Type::Message(kind.info().schema.expect("compared above")),
                &mut violations,
            );
        } else if name == "MeshConfig" {
            check(root, &Type::Message(MeshConfig::schema), &mut violations);
        } else {
            check(root, &Type::Message(MeshNetworks::schema), &mut violations);
        }
        assert!(violations.is_empty(), "{name}: {violations:?}");
    }
}

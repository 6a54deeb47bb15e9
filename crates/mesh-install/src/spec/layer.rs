//! Files as layers of a specification, and how layers are laid over each other.

use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::schema::validate::{Violation, ViolationKind, check};
use mesh_core::schema::{FieldType, Message, MessageSchema, Type};
use mesh_yaml::{Document, FieldPath, Node, Segment};
use serde_json::{Map, Value};

use super::control_plane::ControlPlane;
use super::issue::{Issue, Place, Source};

/// The API groups of the objects that hold a specification, with their kinds.
const KINDS: [(&str, &str); 2] = [(super::GROUP, super::KIND), ("install.istio.io", "IstioOperator")];

/// One document of a file.
#[derive(Debug)]
pub(super) struct Layer {
    source: Source,
    document: Document,
    /// Where the specification is in the document.
    base: FieldPath,
    /// The specification, in one spelling.
    pub(super) value: Value,
}

impl Layer {
    /// Reads the documents of a file, and lists what is wrong with them.
    pub(super) fn read(source: &Source, errors: &mut Vec<Issue>, warnings: &mut Vec<Issue>) -> Vec<Self> {
        let mut layers = Vec::new();
        for document in mesh_yaml::parse(&source.text) {
            match document {
                Ok(document) => {
                    layers.extend(Self::of(source, document, errors, warnings));
                }
                Err(error) => errors.push(Issue {
                    message: format!("not YAML: {}", error.message),
                    help: error.help,
                    place: Some(Place {
                        source: source.clone(),
                        span: error.span,
                    }),
                }),
            }
        }
        layers
    }

    fn of(
        source: &Source,
        document: Document,
        errors: &mut Vec<Issue>,
        warnings: &mut Vec<Issue>,
    ) -> Option<Self> {
        let before = errors.len();
        for problem in document.problems() {
            errors.push(Issue {
                message: problem.message.clone(),
                help: problem.help.clone(),
                place: Some(Place {
                    source: source.clone(),
                    span: problem.span,
                }),
            });
        }
        let root = document.root();
        if root.is_null() {
            return None;
        }
        let place = |node: Node<'_>| Place {
            source: source.clone(),
            span: node.span(),
        };
        if !root.is_mapping() {
            errors.push(Issue::new(format!("{} is not a specification", root.kind())).at(place(root)));
            return None;
        }
        let base = if root.get("kind").is_some() || root.get("apiVersion").is_some() {
            if let Err(issue) = is_known(root) {
                errors.push(issue.at(place(root)));
                return None;
            }
            FieldPath::root().key("spec")
        } else {
            FieldPath::root()
        };
        let mut value = Value::Object(Map::new());
        if let Some(spec) = root.at(&base).filter(|spec| !spec.is_null()) {
            let mut violations = Vec::new();
            check(spec, &ControlPlane::TYPE, &mut violations);
            // Its schema describes it at its one place only.
            let values = FieldPath::root().key("values").key("meshConfig");
            if let Some(mesh) = spec.at(&values).filter(|mesh| mesh.is_mapping()) {
                let before = violations.len();
                check(mesh, &MeshConfig::TYPE, &mut violations);
                for violation in &mut violations[before..] {
                    violation.path = values.join(&violation.path);
                }
            }
            for violation in violations {
                let at = base.join(&violation.path);
                let location = root.locate(&at);
                let span = match location.key {
                    Some(key) if violation.on_key => key,
                    _ => location.value,
                };
                let place = Place {
                    source: source.clone(),
                    span,
                };
                // Nothing stands for what is not set.
                if violation.kind == ViolationKind::WrongType && root.at(&at).is_some_and(Node::is_null) {
                    continue;
                }
                let list = if violation.kind == ViolationKind::Deprecated {
                    &mut *warnings
                } else {
                    &mut *errors
                };
                list.push(issue(&violation).at(place));
            }
            value = spec.to_json();
        }
        if errors.len() > before {
            return None;
        }
        if !base.is_empty()
            && let Some(namespace) = root
                .get("metadata")
                .and_then(|metadata| metadata.get("namespace"))
            && let (Value::Object(spec), Some(namespace)) = (&mut value, namespace.as_str())
        {
            spec.entry("namespace").or_insert_with(|| namespace.into());
        }
        normalise(&mut value);
        Some(Self {
            source: source.clone(),
            document,
            base,
            value,
        })
    }

    /// Where the layer sets a field, if it does.
    pub(super) fn place(&self, path: &FieldPath) -> Option<Place> {
        let path = self.base.join(path);
        let root = self.document.root();
        root.at(&path)?;
        Some(Place {
            source: self.source.clone(),
            span: root.locate(&path).value,
        })
    }
}

/// Whether a document is an object that holds a specification.
fn is_known(root: Node<'_>) -> Result<(), Issue> {
    let text = |key: &str| root.get(key).and_then(Node::as_str).unwrap_or_default();
    let group = text("apiVersion").split_once('/').map_or("", |(group, _)| group);
    if KINDS.contains(&(group, text("kind"))) {
        return Ok(());
    }
    Err(Issue::new(format!(
        "this is a `{}` of `{}`, which says nothing about a control plane",
        text("kind"),
        text("apiVersion"),
    ))
    .hinted(format!(
        "give a `{}`, an `IstioOperator`, or the fields of its `spec` alone",
        super::KIND
    )))
}

/// A violation of the schema, as an issue.
pub(super) fn issue(violation: &Violation) -> Issue {
    let message = if violation.path.is_empty() || violation.on_key {
        violation.message.clone()
    } else {
        format!("`{}`: {}", violation.path, violation.message)
    };
    let help = match (&violation.suggestion, violation.kind) {
        (Some(name), ViolationKind::UnknownField) => Some(format!(
            "did you mean `{}`?",
            violation.path.parent().unwrap_or_default().key(name)
        )),
        (None, ViolationKind::UnknownField) => {
            let key = violation.path.last().map(key_of).unwrap_or_default();
            match elsewhere(&key) {
                Some(path) => Some(format!("did you mean `{path}`?")),
                None => violation.help.clone(),
            }
        }
        _ => violation.help.clone(),
    };
    Issue {
        message,
        help,
        place: None,
    }
}

fn key_of(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.to_string(),
        Segment::Index(index) => index.to_string(),
    }
}

/// The field of this name somewhere in the specification, for names that stand at the wrong place. Of several it is the
/// one of Istio's charts, whose values are written without `values`; otherwise they say nothing.
pub(super) fn elsewhere(name: &str) -> Option<FieldPath> {
    fn search(schema: &MessageSchema, name: &str, path: &FieldPath, found: &mut Vec<FieldPath>) {
        for field in schema.fields {
            let path = path.key(field.name);
            if field.name == name {
                found.push(path.clone());
            }
            // No message of a specification contains itself, but for those of the mesh config.
            if let Type::Message(schema) = field.ty
                && path.len() < 6
            {
                search(schema(), name, &path, found);
            }
        }
    }
    let mut found = Vec::new();
    search(ControlPlane::schema(), name, &FieldPath::root(), &mut found);
    match found.as_slice() {
        [only] => Some(only.clone()),
        several => {
            let chart = FieldPath::root().key("values").key(name);
            several.contains(&chart).then_some(chart)
        }
    }
}

/// Gives what can be said in two places its one place.
pub(super) fn normalise(spec: &mut Value) {
    let Value::Object(spec) = spec else { return };
    let Some(Value::Object(values)) = spec.get_mut("values") else {
        return;
    };
    let mesh = values.shift_remove("meshConfig");
    let texts: Vec<_> = ["revision", "compatibilityVersion"]
        .into_iter()
        .filter_map(|key| Some((key, values.shift_remove(key)?)))
        .collect();
    if let Some(platform) = values.shift_remove("platform") {
        let global = values
            .entry("global")
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(global) = global {
            global.entry("platform").or_insert(platform);
        }
    }
    let switches: Vec<_> = ["pilot", "cni", "ztunnel"]
        .into_iter()
        .filter_map(|part| {
            let enabled = values.get_mut(part)?.as_object_mut()?.shift_remove("enabled")?;
            Some((part, enabled))
        })
        .collect();
    for (key, value) in texts {
        spec.entry(key).or_insert(value);
    }
    if let Some(mut mesh) = mesh {
        if let Some(own) = spec.shift_remove("meshConfig") {
            merge(&mut mesh, own);
        }
        spec.insert("meshConfig".to_owned(), mesh);
    }
    for (part, enabled) in switches {
        let components = spec
            .entry("components")
            .or_insert_with(|| Value::Object(Map::new()));
        let Value::Object(components) = components else {
            return;
        };
        let part = components
            .entry(part)
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(part) = part {
            part.entry("enabled").or_insert(enabled);
        }
    }
}

/// Lays one tree over another: mappings are merged, everything else is replaced, and nothing (`null`) removes. Gateways
/// that both have keep what the upper one does not set.
pub(crate) fn merge(lower: &mut Value, upper: Value) {
    let (Value::Object(lower), Value::Object(upper)) = (&mut *lower, upper) else {
        return;
    };
    for (key, upper) in upper {
        match (lower.get_mut(&key), upper) {
            (_, Value::Null) => {
                lower.shift_remove(&key);
            }
            (Some(below @ Value::Object(_)), upper @ Value::Object(_)) => merge(below, upper),
            (Some(Value::Array(below)), Value::Array(mut upper))
                if matches!(&*key, "ingressGateways" | "egressGateways") =>
            {
                for gateway in &mut upper {
                    let same = |other: &&Value| {
                        ["name", "namespace"]
                            .iter()
                            .all(|key| other.get(key) == gateway.get(key))
                    };
                    if let Some(mut kept) = below.iter().find(same).cloned() {
                        merge(&mut kept, gateway.take());
                        *gateway = kept;
                    }
                }
                *below = upper;
            }
            (_, upper) => {
                lower.insert(key, without_nothing(upper));
            }
        }
    }
}

/// The tree without keys that have no value.
fn without_nothing(value: Value) -> Value {
    match value {
        Value::Object(map) => map
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(key, value)| (key, without_nothing(value)))
            .collect(),
        other => other,
    }
}

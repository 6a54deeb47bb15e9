//! `--set path=value`.

use mesh_core::schema::validate::{check, closest};
use mesh_core::schema::{FieldType, Type};
use mesh_yaml::{FieldPath, Span};
use serde_json::Value;

use super::control_plane::ControlPlane;
use super::issue::{Issue, Place, Source};
use super::layer::{elsewhere, issue};
use super::path::{self, PathError, Step, To};

/// The name of such arguments in messages.
const NAME: &str = "--set";

/// An argument that was read.
#[derive(Debug)]
pub(super) struct Set {
    source: Source,
    steps: Vec<Step>,
    /// `None` removes.
    value: Option<Value>,
    /// The bytes of the value.
    span: Span,
    /// The field, once it was set.
    path: FieldPath,
}

impl Set {
    /// Reads an argument, and lists what is wrong with it.
    pub(super) fn read(text: &str, errors: &mut Vec<Issue>, warnings: &mut Vec<Issue>) -> Option<Self> {
        let source = Source {
            name: NAME.to_owned(),
            text: text.into(),
        };
        let place = |range: std::ops::Range<usize>| Place {
            source: source.clone(),
            span: Span::new(offset(range.start), offset(range.end)),
        };
        let Some(equals) = separator(text) else {
            errors.push(
                Issue::new("a value is missing")
                    .at(place(text.len()..text.len()))
                    .hinted("write `--set path=value`"),
            );
            return None;
        };
        let mut steps = match path::parse(&text[..equals]) {
            Ok(steps) => steps,
            Err(PathError { range, message }) => {
                errors.push(Issue::new(message).at(place(range)));
                return None;
            }
        };
        relocate(&mut steps);
        let ty = match follow(&steps) {
            Ok((ty, deprecated)) => {
                for (range, name, successor) in deprecated {
                    warnings.push(
                        Issue::new(format!("field `{name}` is deprecated"))
                            .at(place(range))
                            .hinted(successor),
                    );
                }
                ty
            }
            Err((range, issue)) => {
                errors.push(issue.at(place(range)));
                return None;
            }
        };
        let range = equals + 1..text.len();
        let value = match value(&text[range.clone()], &ty) {
            Ok(value) => value,
            Err(issue) => {
                errors.push(issue.at(place(range)));
                return None;
            }
        };
        let span = place(range).span;
        Some(Self {
            source,
            steps,
            value,
            span,
            path: FieldPath::root(),
        })
    }

    /// Sets the field in a specification.
    pub(super) fn apply(&mut self, spec: &mut Value) -> Result<(), Issue> {
        let done = match &self.value {
            None => match path::remove(spec, &self.steps) {
                // Nothing is what there is already.
                Err(_) | Ok(()) => return Ok(()),
            },
            Some(value) => path::reach(spec, &self.steps).map(|(field, trail)| {
                *field = value.clone();
                trail
            }),
        };
        match done {
            Ok(trail) => {
                self.path = trail.into_iter().collect();
                Ok(())
            }
            Err(PathError { range, message }) => Err(Issue::new(message).at(Place {
                source: self.source.clone(),
                span: Span::new(offset(range.start), offset(range.end)),
            })),
        }
    }

    /// The place of the value, if it is that of a field or holds it; or else that of the field in the path.
    pub(super) fn place(&self, path: &FieldPath) -> Option<Place> {
        let span = if self.path.is_empty() || path.is_empty() {
            return None;
        } else if path.starts_with(&self.path) {
            self.span
        } else if self.path.starts_with(path) {
            let step = self.steps.get(path.len() - 1)?;
            Span::new(offset(step.range.start), offset(step.range.end))
        } else {
            return None;
        };
        Some(Place {
            source: self.source.clone(),
            span,
        })
    }
}

/// Arguments are no larger than 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// Where the first `=` is that is not in brackets and has no backslash before it.
fn separator(text: &str) -> Option<usize> {
    let (mut is_escaped, mut is_in_brackets) = (false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'[' => is_in_brackets = true,
            b']' => is_in_brackets = false,
            b'=' if !is_in_brackets => return Some(at),
            _ => {}
        }
    }
    None
}

/// Deprecated fields on a path, with their place, name and successor.
type Deprecated = Vec<(std::ops::Range<usize>, &'static str, &'static str)>;

/// The type of the value that a path leads to.
fn follow(steps: &[Step]) -> Result<(Type, Deprecated), (std::ops::Range<usize>, Issue)> {
    let mut ty = ControlPlane::TYPE;
    let mut deprecated = Vec::new();
    let mut at = FieldPath::root();
    for step in steps {
        ty = match (&step.to, ty) {
            (To::Key(key), Type::Message(schema)) => {
                let schema = schema();
                let Some(field) = schema.field(key) else {
                    let names = schema.fields.iter().map(|field| field.name);
                    let suggestion = closest(key, names.clone())
                        .map(|name| at.key(name))
                        .or_else(|| elsewhere(key));
                    let help = match suggestion {
                        Some(path) => format!("did you mean `{path}`?"),
                        None => format!("fields here are {}", names.collect::<Vec<_>>().join(", ")),
                    };
                    let issue = Issue::new(format!("unknown field `{}`", at.key(key))).hinted(help);
                    return Err((step.range.clone(), issue));
                };
                if let Some(successor) = field.deprecated {
                    deprecated.push((step.range.clone(), field.name, successor));
                }
                field.ty
            }
            (To::Key(_), Type::Map(value)) => *value,
            (To::Key(_), Type::List(_)) => {
                let issue = Issue::new(format!("`{at}` is a list"))
                    .hinted(format!("name an item, as in `{at}[0]` or `{at}[name:x]`"));
                return Err((step.range.clone(), issue));
            }
            (_, Type::Any | Type::Value | Type::Kubernetes(_)) => Type::Value,
            (_, Type::List(item)) => *item,
            (_, _) => {
                let issue = Issue::new(format!("`{at}` has nothing below it"));
                return Err((step.range.clone(), issue));
            }
        };
        match &step.to {
            To::Key(key) => at.push_key(key),
            To::Index(index) => at.push_index(*index),
            To::New | To::Item(..) => at.push_index(0),
        }
    }
    Ok((ty, deprecated))
}

/// Reads a value of a type; `None` for none.
fn value(text: &str, ty: &Type) -> Result<Option<Value>, Issue> {
    let is_text = matches!(
        ty,
        Type::String | Type::Bytes | Type::Duration | Type::Timestamp | Type::Enum(_) | Type::PlainText
    );
    let value = if is_text || matches!(ty, Type::IntOrString) && text.parse::<i64>().is_err() {
        Value::String(text.replace("\\,", ","))
    } else {
        parse(text, matches!(ty, Type::Value))?
    };
    if value.is_null() {
        return Ok(None);
    }
    let document = document(&value)?;
    let mut violations = Vec::new();
    check(document.root(), ty, &mut violations);
    match violations
        .iter()
        .find(|violation| violation.kind != mesh_core::schema::validate::ViolationKind::Deprecated)
    {
        Some(violation) => {
            let mut issue = issue(violation);
            // Arguments have no quotes to remove.
            issue.help = issue.help.filter(|_| violation.suggestion.is_some());
            Err(issue)
        }
        None => Ok(Some(value)),
    }
}

/// Reads a value in YAML. Text for which no type is known can be what is no YAML.
fn parse(text: &str, is_untyped: bool) -> Result<Value, Issue> {
    let plain = || Value::String(text.replace("\\,", ","));
    match mesh_yaml::parse(&text.into()).into_iter().next() {
        None => Ok(Value::String(String::new())),
        Some(Ok(document)) => match document.root().to_json() {
            Value::String(_) => Ok(plain()),
            other => Ok(other),
        },
        Some(Err(_)) if is_untyped => Ok(plain()),
        Some(Err(error)) => Err(Issue::new(format!("not a value: {}", error.message))),
    }
}

/// A value as a document, to be checked.
pub(super) fn document(value: &Value) -> Result<mesh_yaml::Document, Issue> {
    let text = mesh_yaml::emit::to_string(value).map_err(|error| Issue::new(error.to_string()))?;
    match mesh_yaml::parse(&text.into()).into_iter().next() {
        Some(Ok(document)) => Ok(document),
        Some(Err(error)) => Err(Issue::new(error.message)),
        None => Err(Issue::new("nothing is no value")),
    }
}

/// Leads a path to the one place of what can be said in two places.
fn relocate(steps: &mut Vec<Step>) {
    let keys: Vec<&str> = steps
        .iter()
        .take(3)
        .map_while(|step| match &step.to {
            To::Key(key) => Some(key.as_str()),
            _ => None,
        })
        .collect();
    match keys.as_slice() {
        ["values", "meshConfig" | "revision" | "compatibilityVersion", ..] => {
            steps.remove(0);
        }
        ["values", "platform", ..] => {
            let range = steps[0].range.clone();
            steps.insert(
                1,
                Step {
                    to: To::Key("global".to_owned()),
                    range,
                },
            );
        }
        ["values", "pilot" | "cni" | "ztunnel", "enabled"] => {
            steps[0].to = To::Key("components".to_owned());
        }
        _ => {}
    }
}

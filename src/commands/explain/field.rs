//! Kinds and their fields, as `kubectl explain` would show them.

use mesh_core::istio::status::IstioStatus;
use mesh_core::resource::Metadata;
use mesh_core::schema::cel::CelRule;
use mesh_core::schema::validate::closest;
use mesh_core::schema::{Constraints, Field, Message, MessageSchema, Type};
use mesh_yaml::{FieldPath, Segment};
use serde::Serialize;

use super::kind::Topic;
use super::{columns, heading, unknown};
use crate::error::CommandError;
use crate::ui::{Look, Tone, markdown};

/// The documentation of a kind or of one of its fields.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Explained {
    kind: &'static str,
    api_versions: Vec<String>,
    /// The field, without positions in lists; null for the kind itself.
    path: Option<String>,
    #[serde(rename = "type")]
    type_name: String,
    documentation: String,
    required: bool,
    deprecated: Option<&'static str>,
    /// Limits beyond the type, one a line.
    constraints: Vec<String>,
    /// The values of an enum.
    values: Vec<Described>,
    /// What can stand below.
    fields: Vec<Below>,
    /// The command that explains fields which are not described here.
    #[serde(skip)]
    ask_the_cluster: String,
}

/// A value of an enum.
#[derive(Serialize)]
struct Described {
    name: &'static str,
    documentation: String,
    deprecated: Option<&'static str>,
}

/// A field of a message.
#[derive(Serialize)]
struct Below {
    name: &'static str,
    #[serde(rename = "type")]
    type_name: String,
    required: bool,
    deprecated: bool,
    documentation: &'static str,
}

/// Looks up `KIND` or `KIND.path.to.field`.
pub(super) fn explain(subject: &str) -> Result<Explained, CommandError> {
    let (topic, rest) = Topic::find(subject).ok_or_else(|| unknown(subject))?;
    let path: FieldPath = rest.parse().map_err(|error: mesh_yaml::PathError| {
        CommandError::user(error.to_string())
            .hinted("write a path such as `virtualservice.spec.http.match.uri`")
    })?;
    let mut keys = path.segments().iter().filter_map(|segment| match segment {
        Segment::Key(key) => Some(key.as_ref()),
        Segment::Index(_) => None,
    });
    let Some(schema) = topic.schema() else {
        return match keys.next() {
            None => Ok(Explained::kind(topic)),
            Some(_) => Err(CommandError::user(format!(
                "the fields of {} are not described here",
                topic.name()
            ))
            .hinted(format!("the cluster knows them: `{}`", topic.kubectl()))),
        };
    };
    let mut keys = keys.peekable();
    let mut walk = Walk::new(topic, schema);
    if matches!(topic, Topic::Kind(_)) {
        match keys.peek().copied() {
            Some("spec") => {
                keys.next();
            }
            Some("metadata") => {
                keys.next();
                walk.start("metadata", Metadata::schema());
            }
            Some("status") => {
                keys.next();
                walk.start("status", IstioStatus::schema());
            }
            _ => {}
        }
    }
    for key in keys {
        walk.step(key)?;
    }
    Ok(walk.explained())
}

/// On the way from a kind to one of its fields.
struct Walk {
    topic: Topic,
    path: Vec<String>,
    /// The message that the current field is in.
    parent: Option<&'static MessageSchema>,
    field: Option<&'static Field>,
    ty: Type,
    constraints: &'static Constraints,
    /// The message of the kind's own spec, at the start of the way.
    root: &'static MessageSchema,
}

impl Walk {
    fn new(topic: Topic, root: &'static MessageSchema) -> Self {
        const NONE: &Constraints = &Constraints::NONE;
        Self {
            topic,
            path: match topic {
                Topic::Kind(_) => vec!["spec".to_owned()],
                Topic::Message(_) => Vec::new(),
            },
            parent: None,
            field: None,
            ty: Type::Any,
            constraints: NONE,
            root,
        }
    }

    /// Starts beside `spec` instead.
    fn start(&mut self, name: &str, root: &'static MessageSchema) {
        self.path = vec![name.to_owned()];
        self.root = root;
    }

    /// The message whose fields come next, through lists and maps.
    fn message(&self) -> Option<&'static MessageSchema> {
        match self.field {
            None => Some(self.root),
            Some(_) => match innermost(self.ty) {
                Type::Message(schema) => Some(schema()),
                _ => None,
            },
        }
    }

    fn step(&mut self, key: &str) -> Result<(), CommandError> {
        let found = self
            .message()
            .and_then(|message| Some((message, message.field(key)?)));
        if let Some((message, field)) = found {
            self.parent = Some(message);
            self.field = Some(field);
            self.ty = field.ty;
            self.constraints = &field.constraints;
            self.path.push(field.name.to_owned());
            return Ok(());
        }
        // A key of a map leads to its values.
        if self.field.is_some()
            && let Some(value) = map_value(self.ty)
        {
            self.ty = *value;
            self.constraints = self.constraints.of_elements();
            self.path.push("*".to_owned());
            return Ok(());
        }
        let place = self.place();
        let error = CommandError::user(format!("`{place}` has no field `{key}`"));
        let Some(message) = self.message() else {
            return Err(error.hinted(format!("it is {}, which has no fields", type_name(&self.ty))));
        };
        let names = message.fields.iter().map(|field| field.name);
        Err(error.hinted(match closest(key, names.clone()) {
            Some(name) => format!("did you mean `{name}`?"),
            None => format!("its fields are {}", names.collect::<Vec<_>>().join(", ")),
        }))
    }

    fn place(&self) -> String {
        let mut parts = vec![self.topic.name().to_owned()];
        parts.extend(self.path.iter().cloned());
        parts.join(".")
    }

    fn explained(self) -> Explained {
        let message = self.message();
        let mut explained = Explained::kind(self.topic);
        match (self.field, self.parent) {
            (Some(field), Some(parent)) => {
                explained.path = Some(self.path.join("."));
                explained.type_name = type_name(&self.ty);
                field.docs.clone_into(&mut explained.documentation);
                explained.required = field.required;
                explained.deprecated = field.deprecated;
                explained.constraints = constraints(field, parent, &self.ty, self.constraints);
            }
            _ if self.path.first().is_some_and(|first| first != "spec") => {
                explained.path = Some(self.path.join("."));
                self.root.name.clone_into(&mut explained.type_name);
                self.root.docs.clone_into(&mut explained.documentation);
            }
            _ => {}
        }
        if let Type::Enum(schema) = innermost(self.ty) {
            explained.values = schema
                .values
                .iter()
                .map(|value| Described {
                    name: value.name,
                    documentation: value.docs.trim().to_owned(),
                    deprecated: value.deprecated,
                })
                .collect();
        }
        if let Some(message) = message {
            explained.fields = message.fields.iter().map(Below::new).collect();
            let rules = message
                .cel
                .iter()
                .filter(|rule| !is_excepted(self.constraints, rule));
            explained.constraints.extend(rules.map(|rule| cel(rule)));
            explained
                .constraints
                .extend(message.one_of.iter().map(|group| one_of(group)));
        }
        explained
    }
}

/// The type of the items of lists of lists, and of the values of maps.
fn innermost(mut ty: Type) -> Type {
    while let Type::List(inner) | Type::Map(inner) = ty {
        ty = *inner;
    }
    ty
}

/// The type of the values, if there is a map somewhere in the lists.
fn map_value(mut ty: Type) -> Option<&'static Type> {
    loop {
        match ty {
            Type::List(inner) => ty = *inner,
            Type::Map(value) => return Some(value),
            _ => return None,
        }
    }
}

fn is_excepted(constraints: &Constraints, rule: &'static CelRule) -> bool {
    constraints
        .except
        .iter()
        .any(|except| std::ptr::eq(*except, rule))
}

fn type_name(ty: &Type) -> String {
    match ty {
        Type::String => "string",
        Type::Bytes => "base64 string",
        Type::Boolean => "boolean",
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 => "integer",
        Type::Float | Type::Double => "number",
        Type::Duration => "duration",
        Type::Timestamp => "timestamp",
        Type::IntOrString => "integer or string",
        Type::Value => "any value",
        Type::PlainText => "string, number or boolean",
        Type::Any | Type::Kubernetes(_) => "object",
        Type::Enum(schema) => schema.name,
        Type::Message(schema) => schema().name,
        Type::List(item) => return format!("list of {}", type_name(item)),
        Type::Map(value) => return format!("map to {}", type_name(value)),
    }
    .to_owned()
}

fn constraints(
    field: &'static Field,
    parent: &'static MessageSchema,
    ty: &Type,
    limits: &'static Constraints,
) -> Vec<String> {
    let mut lines = Vec::new();
    let groups = parent.one_of.iter().filter(|group| group.contains(&field.name));
    lines.extend(groups.map(|group| one_of(group)));
    if let Some(also) = field.also {
        lines.push(format!("can also be written as {also}"));
    }
    if matches!(innermost(*ty), Type::Duration) {
        lines.push("a number and a unit, such as 1.5s or 2m; at least 1ms".to_owned());
    }
    limit_lines(limits, &mut lines);
    lines
}

fn one_of(group: &[&str]) -> String {
    format!("at most one of {} may be set", group.join(", "))
}

fn limit_lines(limits: &'static Constraints, lines: &mut Vec<String>) {
    let Constraints {
        nullable,
        minimum,
        maximum,
        min_length,
        max_length,
        min_items,
        max_items,
        min_properties,
        max_properties,
        pattern,
        list_map_keys,
        cel: rules,
        except: _,
        elements,
    } = limits;
    if *nullable {
        lines.push("null means unset".to_owned());
    }
    let mut bounds = |what: &str, low: Option<i64>, high: Option<i64>| match (low, high) {
        (Some(low), Some(high)) => lines.push(format!("{what} from {low} to {high}")),
        (Some(low), None) => lines.push(format!("{what} of at least {low}")),
        (None, Some(high)) => lines.push(format!("{what} of at most {high}")),
        (None, None) => {}
    };
    bounds("value", *minimum, *maximum);
    bounds(
        "number of characters",
        min_length.map(Into::into),
        max_length.map(Into::into),
    );
    bounds(
        "number of items",
        min_items.map(Into::into),
        max_items.map(Into::into),
    );
    bounds(
        "number of keys",
        min_properties.map(Into::into),
        max_properties.map(Into::into),
    );
    if let Some(pattern) = pattern {
        lines.push(format!("matches the pattern {pattern}"));
    }
    if !list_map_keys.is_empty() {
        lines.push(format!(
            "no two items have the same {}",
            list_map_keys.join(" and ")
        ));
    }
    lines.extend(rules.iter().map(|rule| cel(rule)));
    if let Some(elements) = elements {
        let mut inner = Vec::new();
        // Lists of lists do not occur in the API; one level says it all.
        if elements.elements.is_none() {
            limit_lines(elements, &mut inner);
        }
        lines.extend(inner.into_iter().map(|line| format!("each: {line}")));
    }
}

fn cel(rule: &CelRule) -> String {
    let text: Vec<_> = rule.rule.split_whitespace().collect();
    format!("rule: {}", text.join(" "))
}

impl Below {
    fn new(field: &Field) -> Self {
        Self {
            name: field.name,
            type_name: type_name(&field.ty),
            required: field.required,
            deprecated: field.deprecated.is_some(),
            documentation: field.docs,
        }
    }
}

impl Explained {
    fn kind(topic: Topic) -> Self {
        Self {
            kind: topic.name(),
            api_versions: topic.api_versions(),
            path: None,
            type_name: topic.schema().map_or("object", |schema| schema.name).to_owned(),
            documentation: topic.docs().trim().to_owned(),
            required: false,
            deprecated: None,
            constraints: Vec::new(),
            values: Vec::new(),
            fields: Vec::new(),
            ask_the_cluster: topic.kubectl(),
        }
    }

    /// The explanation for people.
    pub(super) fn text(&self, look: Look) -> String {
        let mut text = look.paint(Tone::Strong, self.kind).into_owned();
        if let Some(path) = &self.path {
            text.push_str(&look.paint(Tone::Strong, format!(".{path}")));
            text.push_str(&format!("  {}", look.paint(Tone::Code, self.type_name.as_str())));
            if self.required {
                text.push_str(&format!("  {}", look.paint(Tone::Warning, "required")));
            }
        } else if !self.api_versions.is_empty() {
            text.push_str(&format!("  {}", self.api_versions.join(", ")));
        }
        text.push_str("\n\n");
        text.push_str(&markdown::render(&self.documentation, look, 0));
        if let Some(successor) = self.deprecated {
            text.push('\n');
            let successor = format!("Deprecated: {successor}.");
            text.push_str(&markdown::render(&successor, look, 0));
        }
        if !self.constraints.is_empty() {
            text.push('\n');
            text.push_str(&heading(look, "Constraints"));
            for line in &self.constraints {
                text.push_str(&format!("  {line}\n"));
            }
        }
        if !self.values.is_empty() {
            text.push('\n');
            text.push_str(&heading(look, "Values"));
            text.push_str(&columns(look, self.values.iter().map(Described::row)));
        }
        if !self.fields.is_empty() {
            text.push('\n');
            text.push_str(&heading(look, "Fields"));
            text.push_str(&columns(look, self.fields.iter().map(Below::row)));
        } else if self.path.is_none() {
            let hint = format!("The cluster knows the fields: `{}`.", self.ask_the_cluster);
            text.push('\n');
            text.push_str(&markdown::render(&hint, look, 0));
        }
        text
    }
}

impl Described {
    fn row(&self) -> Vec<String> {
        let mut documentation = self.documentation.replace('\n', " ");
        if let Some(successor) = self.deprecated {
            documentation.push_str(&format!(" Deprecated: {successor}."));
        }
        vec![self.name.to_owned(), documentation]
    }
}

impl Below {
    fn row(&self) -> Vec<String> {
        let mut sentence = markdown::first_sentence(self.documentation);
        if self.required {
            sentence.insert_str(0, "(required) ");
        }
        if self.deprecated {
            sentence.insert_str(0, "(deprecated) ");
        }
        vec![self.name.to_owned(), self.type_name.clone(), sentence]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Explains `path` and everything below it; messages that contain themselves end at the depth.
    fn visit(path: &str, depth: usize, count: &mut usize) {
        let explained = explain(path).unwrap_or_else(|error| panic!("{path}: {error}"));
        *count += 1;
        assert!(!explained.documentation.is_empty(), "{path} has no documentation");
        assert!(!explained.text(Look::default()).is_empty());
        for field in explained.fields.iter().filter(|_| depth > 0) {
            assert!(
                !markdown::first_sentence(field.documentation).is_empty(),
                "{path}.{}",
                field.name
            );
            visit(&format!("{path}.{}", field.name), depth - 1, count);
        }
    }

    #[test]
    fn every_field_can_be_explained() {
        let mut count = 0;
        for topic in Topic::all() {
            let name = topic.names().pop().expect("a name");
            visit(&name, 5, &mut count);
        }
        assert!(count > 1000, "{count}");
    }
}

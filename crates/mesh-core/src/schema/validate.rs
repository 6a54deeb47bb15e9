//! Holds a YAML value against a schema and lists everything that the API server would refuse.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;

use mesh_yaml::de::Ignored;
use mesh_yaml::{FieldPath, Kind, Node, Scalar};
use regex::Regex;
use serde::de::DeserializeOwned;

use super::value::{Bytes, integer};
use super::{Constraints, Field, MessageSchema, Type};
use crate::words::counted;

/// One way in which a value breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// What sort of rule is broken.
    pub kind: ViolationKind,
    /// The field, from the root of the value that was checked.
    pub path: FieldPath,
    /// Whether the key is what is wrong, rather than the value.
    pub on_key: bool,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The key to write instead, if a key is misspelt.
    pub suggestion: Option<String>,
}

/// The sorts of [`Violation`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViolationKind {
    /// A key that the schema does not know.
    UnknownField,
    /// A value of another type.
    WrongType,
    /// A word outside an enum.
    UnknownValue,
    /// A number, length or count outside its limits, or text that does not match a pattern.
    OutOfRange,
    /// A required field is absent.
    MissingField,
    /// Fields that exclude each other are both set.
    ConflictingFields,
    /// A CEL rule of the resource definition does not hold.
    BrokenRule,
    /// A field or value that still works but has a successor.
    Deprecated,
}

/// Checks `node` against a type and appends what is wrong.
pub fn check(node: Node<'_>, ty: &Type, violations: &mut Vec<Violation>) {
    Checker { violations }.value(node, ty, &Constraints::NONE, &Path::ROOT);
}

/// Reads a value of a type of the Kubernetes libraries, and says what that type does not know or take. Paths are relative
/// to `node`.
pub fn read_kubernetes<T: DeserializeOwned>(node: Node<'_>) -> (Option<T>, Vec<Violation>) {
    let (result, ignored) = mesh_yaml::de::from_node_with_ignored(node);
    let unknown = ignored.into_iter().map(|Ignored { path, known }| {
        let key = match path.segments().last() {
            Some(mesh_yaml::Segment::Key(key)) => key.to_string(),
            _ => String::new(),
        };
        unknown_field(path, &key, known.iter().copied())
    });
    let mut violations: Vec<Violation> = unknown.collect();
    let value = result.map_err(|error| {
        violations.push(Violation {
            kind: ViolationKind::WrongType,
            path: error.path,
            on_key: false,
            message: error.message,
            help: None,
            suggestion: None,
        });
    });
    (value.ok(), violations)
}

/// A key that is none of the names that it could be.
fn unknown_field<'a>(path: FieldPath, key: &str, names: impl Iterator<Item = &'a str> + Clone) -> Violation {
    let suggestion = closest(key, names.clone());
    let help = match &suggestion {
        Some(name) => Some(format!("did you mean `{name}`?")),
        None => names
            .clone()
            .next()
            .map(|_| format!("fields here are {}", names.collect::<Vec<_>>().join(", "))),
    };
    Violation {
        kind: ViolationKind::UnknownField,
        path,
        on_key: true,
        message: format!("unknown field `{key}`"),
        help,
        suggestion,
    }
}

/// A field path under construction; lives on the stack, since most values have nothing to report.
struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    segment: Segment<'a>,
}

#[derive(Clone, Copy)]
enum Segment<'a> {
    Root,
    Key(&'a str),
    Index(usize),
}

impl<'a> Path<'a> {
    const ROOT: Path<'static> = Path {
        parent: None,
        segment: Segment::Root,
    };

    fn key(&'a self, key: &'a str) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Key(key),
        }
    }

    fn index(&'a self, index: usize) -> Self {
        Self {
            parent: Some(self),
            segment: Segment::Index(index),
        }
    }

    fn to_field_path(&self) -> FieldPath {
        let mut path = self.parent.map(Path::to_field_path).unwrap_or_default();
        match self.segment {
            Segment::Root => {}
            Segment::Key(key) => path.push_key(key),
            Segment::Index(index) => path.push_index(index),
        }
        path
    }
}

struct Checker<'v> {
    violations: &'v mut Vec<Violation>,
}

impl Checker<'_> {
    fn report(&mut self, kind: ViolationKind, path: &Path<'_>, message: String) -> &mut Violation {
        self.violations.push(Violation {
            kind,
            path: path.to_field_path(),
            on_key: false,
            message,
            help: None,
            suggestion: None,
        });
        let last = self.violations.len() - 1;
        &mut self.violations[last]
    }

    fn value(&mut self, node: Node<'_>, ty: &Type, constraints: &Constraints, path: &Path<'_>) {
        if node.is_null() {
            if !constraints.nullable {
                self.report(
                    ViolationKind::WrongType,
                    path,
                    format!("expected {}, found nothing", Described(ty)),
                )
                .help = Some("give it a value, or remove the key".to_owned());
            }
            return;
        }
        let before = self.violations.len();
        match ty {
            Type::Message(schema) => self.message(node, schema(), constraints, ty, path),
            Type::List(item) => self.list(node, item, constraints, ty, path),
            Type::Map(value) => self.map(node, value, constraints, ty, path),
            Type::Any => {
                if node.kind() != Kind::Mapping {
                    self.wrong_type(node, ty, path);
                }
            }
            Type::Kubernetes(problems) => {
                let base = path.to_field_path();
                self.violations
                    .extend(problems(node).into_iter().map(|violation| Violation {
                        path: base.join(&violation.path),
                        ..violation
                    }));
            }
            Type::Value => {}
            Type::PlainText => {
                if node.scalar().is_none() {
                    self.wrong_type(node, ty, path);
                }
            }
            Type::String | Type::Bytes | Type::Duration | Type::Timestamp | Type::Enum(_) => {
                self.text(node, ty, constraints, path);
            }
            Type::IntOrString => {
                if node.as_str().is_none() && integer(node).is_none() {
                    self.wrong_type(node, ty, path);
                }
            }
            Type::Boolean => {
                if node.as_bool().is_none() {
                    self.wrong_type(node, ty, path);
                }
            }
            Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 => {
                self.integer(node, ty, constraints, path);
            }
            Type::Float | Type::Double => self.number(node, ty, constraints, path),
        }
        // As in the API server, rules are for values of the right shape.
        if self.is_sound_since(before) {
            for rule in constraints.cel {
                if !(rule.check)(node) {
                    self.broken_rule(node, rule.message, path);
                }
            }
        }
    }

    /// Whether nothing but rules has been found broken since there were `count` violations.
    fn is_sound_since(&self, count: usize) -> bool {
        self.violations[count..].iter().all(|violation| {
            matches!(
                violation.kind,
                ViolationKind::BrokenRule | ViolationKind::Deprecated | ViolationKind::UnknownField
            )
        })
    }

    fn broken_rule(&mut self, node: Node<'_>, message: &str, path: &Path<'_>) {
        let subject = match node.scalar() {
            Some(_) => format!("`{}`", excerpt(node)),
            None => subject(path),
        };
        self.report(ViolationKind::BrokenRule, path, format!("{subject} {message}"));
    }

    fn wrong_type(&mut self, node: Node<'_>, expected: &Type, path: &Path<'_>) {
        let message = format!("expected {}, found {}", Described(expected), found(node));
        let help = match (expected, node.scalar()) {
            (Type::String | Type::Bytes | Type::Enum(_), Some(_)) => {
                Some(format!("quote it: \"{}\"", excerpt(node)))
            }
            (Type::Duration, Some(Scalar::Int(_) | Scalar::Float(_))) => {
                Some(format!("add a unit, for example `{}s`", excerpt(node)))
            }
            (
                Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 | Type::Float | Type::Double,
                Some(Scalar::Str(text)),
            ) if text.parse::<f64>().is_ok() => Some("remove the quotes".to_owned()),
            (Type::Boolean, Some(Scalar::Str("true" | "false"))) => Some("remove the quotes".to_owned()),
            (Type::List(_), _) if node.kind() != Kind::Sequence => {
                Some("make it a list: start each item with `- `".to_owned())
            }
            _ => None,
        };
        self.report(ViolationKind::WrongType, path, message).help = help;
    }

    fn text(&mut self, node: Node<'_>, ty: &Type, constraints: &Constraints, path: &Path<'_>) {
        let Some(text) = node.as_str() else {
            return self.wrong_type(node, ty, path);
        };
        match ty {
            Type::Enum(schema) => {
                let Some(value) = schema.values.iter().find(|value| value.name == text) else {
                    let names = schema.values.iter().map(|value| value.name);
                    let suggestion = closest(text, names.clone());
                    let list = names.collect::<Vec<_>>().join(", ");
                    let violation = self.report(
                        ViolationKind::UnknownValue,
                        path,
                        format!("`{text}` is not a valid value"),
                    );
                    violation.help = Some(match &suggestion {
                        Some(name) => format!("did you mean `{name}`? valid values are {list}"),
                        None => format!("valid values are {list}"),
                    });
                    violation.suggestion = suggestion;
                    return;
                };
                if let Some(successor) = value.deprecated {
                    self.report(ViolationKind::Deprecated, path, format!("`{text}` is deprecated"))
                        .help = Some(successor.to_owned());
                }
            }
            Type::Bytes if Bytes::parse(text).is_none() => {
                self.report(ViolationKind::OutOfRange, path, "not valid base64".to_owned());
            }
            Type::Duration if !(super::cel::DURATION.check)(node) => {
                self.broken_rule(node, super::cel::DURATION.message, path);
            }
            _ => {}
        }
        if constraints.min_length.is_some() || constraints.max_length.is_some() {
            let length = text.chars().count();
            self.count(
                length,
                constraints.min_length,
                constraints.max_length,
                "character",
                path,
            );
        }
        if let Some(pattern) = constraints.pattern
            && !matches_pattern(pattern, text)
        {
            self.report(
                ViolationKind::OutOfRange,
                path,
                format!("`{text}` does not match the pattern `{pattern}`"),
            );
        }
    }

    fn integer(&mut self, node: Node<'_>, ty: &Type, constraints: &Constraints, path: &Path<'_>) {
        let Some(value) = integer(node) else {
            return self.wrong_type(node, ty, path);
        };
        let (low, high) = match ty {
            Type::Int32 => (i32::MIN.into(), i32::MAX.into()),
            Type::Uint32 => (0, u32::MAX.into()),
            Type::Uint64 => (0, u64::MAX.into()),
            _ => (i64::MIN.into(), i64::MAX.into()),
        };
        let low: i128 = constraints.minimum.map_or(low, i128::from);
        let high: i128 = constraints.maximum.map_or(high, i128::from);
        if value < low || value > high {
            self.report(
                ViolationKind::OutOfRange,
                path,
                format!("{value} is out of range: valid values go from {low} to {high}"),
            );
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "limits of such fields are small numbers"
    )]
    fn number(&mut self, node: Node<'_>, ty: &Type, constraints: &Constraints, path: &Path<'_>) {
        let Some(value) = node.as_f64() else {
            return self.wrong_type(node, ty, path);
        };
        let low = constraints.minimum.map_or(f64::NEG_INFINITY, |low| low as f64);
        let high = constraints.maximum.map_or(f64::INFINITY, |high| high as f64);
        if value < low || value > high {
            self.report(
                ViolationKind::OutOfRange,
                path,
                format!("{value} is out of range: valid values go from {low} to {high}"),
            );
        }
    }

    fn count(&mut self, count: usize, min: Option<u32>, max: Option<u32>, unit: &str, path: &Path<'_>) {
        if let Some(min) = min.filter(|min| count < *min as usize) {
            let (count, min) = (counted(count, unit), counted(min as usize, unit));
            let message = format!("has {count}, but needs at least {min}");
            self.report(
                ViolationKind::OutOfRange,
                path,
                format!("{} {message}", subject(path)),
            );
        }
        if let Some(max) = max.filter(|max| count > *max as usize) {
            let (count, max) = (counted(count, unit), counted(max as usize, unit));
            let message = format!("has {count}, but may have at most {max}");
            self.report(
                ViolationKind::OutOfRange,
                path,
                format!("{} {message}", subject(path)),
            );
        }
    }

    fn list(&mut self, node: Node<'_>, item: &Type, constraints: &Constraints, ty: &Type, path: &Path<'_>) {
        if node.kind() != Kind::Sequence {
            return self.wrong_type(node, ty, path);
        }
        self.count(
            node.len(),
            constraints.min_items,
            constraints.max_items,
            "item",
            path,
        );
        for (index, value) in node.items().enumerate() {
            self.value(value, item, constraints.of_elements(), &path.index(index));
        }
        if !constraints.list_map_keys.is_empty() {
            self.unique_keys(node, constraints.list_map_keys, path);
        }
    }

    fn unique_keys(&mut self, node: Node<'_>, keys: &[&str], path: &Path<'_>) {
        let mut seen = BTreeMap::new();
        for (index, item) in node.items().enumerate() {
            let identity: Vec<_> = keys.iter().map(|key| item.get(key).map(excerpt)).collect();
            if let Some(first) = seen.get(&identity) {
                let name = keys.join(", ");
                self.report(
                    ViolationKind::ConflictingFields,
                    &path.index(index),
                    format!("has the same {name} as item {first}"),
                )
                .help = Some(format!("items of this list are told apart by {name}"));
            } else {
                seen.insert(identity, index);
            }
        }
    }

    fn map(&mut self, node: Node<'_>, value: &Type, constraints: &Constraints, ty: &Type, path: &Path<'_>) {
        if node.kind() != Kind::Mapping {
            return self.wrong_type(node, ty, path);
        }
        self.count(
            node.len(),
            constraints.min_properties,
            constraints.max_properties,
            "key",
            path,
        );
        for entry in node.entries() {
            self.value(
                entry.value,
                value,
                constraints.of_elements(),
                &path.key(entry.key),
            );
        }
    }

    fn message(
        &mut self,
        node: Node<'_>,
        schema: &'static MessageSchema,
        constraints: &Constraints,
        ty: &Type,
        path: &Path<'_>,
    ) {
        if node.kind() != Kind::Mapping {
            return self.wrong_type(node, ty, path);
        }
        let before = self.violations.len();
        for entry in node.entries() {
            let path = path.key(entry.key);
            if let Some(field) = schema.field(entry.key) {
                self.field(entry.value, field, &path);
                continue;
            }
            let names = schema.fields.iter().map(|field| field.name);
            let violation = unknown_field(path.to_field_path(), entry.key, names);
            self.violations.push(violation);
        }
        for field in schema.fields.iter().filter(|field| field.required) {
            if node.get(field.name).is_none() {
                self.report(
                    ViolationKind::MissingField,
                    path,
                    format!("required field `{}` is missing", field.name),
                );
            }
        }
        for group in schema.one_of {
            self.one_of(node, group, path);
        }
        if !self.is_sound_since(before) {
            return;
        }
        for rule in schema.cel {
            let excepted = constraints
                .except
                .iter()
                .any(|except| std::ptr::eq(*except, *rule));
            if !excepted && !(rule.check)(node) {
                self.broken_rule(node, rule.message, path);
            }
        }
    }

    fn field(&mut self, value: Node<'_>, field: &'static Field, path: &Path<'_>) {
        if let Some(successor) = field.deprecated {
            let violation = self.report(
                ViolationKind::Deprecated,
                path,
                format!("field `{}` is deprecated", field.name),
            );
            violation.on_key = true;
            violation.help = Some(successor.to_owned());
        }
        self.value(value, &field.ty, &field.constraints, path);
    }

    fn one_of(&mut self, node: Node<'_>, group: &[&str], path: &Path<'_>) {
        let mut set = group.iter().filter(|name| node.get(name).is_some());
        let (Some(first), Some(second)) = (set.next(), set.next()) else {
            return;
        };
        let violation = self.report(
            ViolationKind::ConflictingFields,
            &path.key(second),
            format!("`{second}` cannot be set together with `{first}`"),
        );
        violation.on_key = true;
        violation.help = Some(format!("set at most one of {}", group.join(", ")));
    }
}

/// The last key of the path, for the start of a sentence.
fn subject(path: &Path<'_>) -> String {
    match path.segment {
        Segment::Key(key) => format!("`{key}`"),
        Segment::Index(_) => "this item".to_owned(),
        Segment::Root => "`spec`".to_owned(),
    }
}

/// The candidate that `word` is most likely a misspelling of.
pub fn closest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    let lower = word.to_lowercase();
    candidates
        .map(|candidate| {
            (
                strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, candidate)| {
            // A third of the word may be wrong; a shorter word must be nearly right.
            *distance * 3 <= lower.len().max(candidate.len()) || (*distance == 1 && lower.len() > 2)
        })
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// The source of a scalar, shortened to fit a message.
fn excerpt(node: Node<'_>) -> String {
    const LONGEST: usize = 60;
    let text = node.as_str().unwrap_or_else(|| node.raw());
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// `the integer 8080`, `a mapping`.
fn found(node: Node<'_>) -> String {
    match node.kind() {
        Kind::Null => "nothing".to_owned(),
        Kind::Bool => format!("the boolean `{}`", excerpt(node)),
        Kind::Integer => format!("the integer `{}`", excerpt(node)),
        Kind::Float => format!("the number `{}`", excerpt(node)),
        Kind::String => format!("the string \"{}\"", excerpt(node)),
        Kind::Mapping => "a mapping".to_owned(),
        Kind::Sequence => "a list".to_owned(),
    }
}

/// A type in words: `an integer`, `a list of strings`.
struct Described<'a>(&'a Type);

impl fmt::Display for Described<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.0 {
            Type::String => "a string",
            Type::Bytes => "a base64 string",
            Type::Boolean => "a boolean",
            Type::Timestamp => "a time such as 2026-01-31T12:00:00Z",
            Type::IntOrString => "an integer or a string",
            Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 => "an integer",
            Type::Float | Type::Double => "a number",
            Type::Duration => "a duration",
            Type::PlainText => "a string, number or boolean",
            Type::Value => "a value",
            Type::Any | Type::Kubernetes(_) | Type::Message(_) | Type::Map(_) => "a mapping",
            Type::List(Type::String) => "a list of strings",
            Type::List(_) => "a list",
            Type::Enum(schema) => {
                for (index, value) in schema.values.iter().enumerate() {
                    let separator = if index == 0 { "one of " } else { ", " };
                    write!(formatter, "{separator}{}", value.name)?;
                }
                return Ok(());
            }
        })
    }
}

/// Matches `text` against one of the schemas' few patterns, compiled once per thread.
fn matches_pattern(pattern: &'static str, text: &str) -> bool {
    thread_local! {
        static COMPILED: RefCell<BTreeMap<&'static str, Option<Regex>>> = const { RefCell::new(BTreeMap::new()) };
    }
    COMPILED.with_borrow_mut(|compiled| {
        compiled
            .entry(pattern)
            .or_insert_with(|| Regex::new(pattern).ok())
            .as_ref()
            .is_none_or(|regex| regex.is_match(text))
    })
}

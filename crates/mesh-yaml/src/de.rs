//! From nodes to typed values, through serde, without an intermediate value.
//!
//! A value is read as the API server reads its JSON:
//! - Numbers written as `1.0` or `1e3` are integers, since JSON shows them as such.
//! - A number or boolean is no string: `name: 123` does not fit a string field.
//! - A field of a struct whose value is null counts as absent, so its default applies.
//!
//! Strings are borrowed from the text of the file until a type asks to own them.

use std::cell::RefCell;
use std::fmt;

use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, Expected, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};

use crate::{Entries, Entry, FieldPath, Items, Kind, Node, Scalar, Segment, Span};

/// Why a value does not fit a type.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", located(.path))]
pub struct DeError {
    /// Where in the value, relative to the node that was read. For a missing field, the mapping that lacks
    /// it.
    pub path: FieldPath,
    /// The place of that value in the file.
    pub span: Span,
    /// What does not fit: a lowercase fragment without a final period.
    pub message: String,
}

fn located(path: &FieldPath) -> String {
    if path.is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

/// Reads a value of type `T`. Keys that `T` does not know are ignored if `T` ignores them.
pub fn from_node<T: DeserializeOwned>(node: Node<'_>) -> Result<T, DeError> {
    T::deserialize(NodeDeserializer {
        node,
        trail: None,
        ignored: None,
    })
    .map_err(|error| error.at(node))
}

/// A key that a type does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ignored {
    /// The key, relative to the node that was read.
    pub path: FieldPath,
    /// The keys that the type knows there. Empty if it does not say.
    pub known: &'static [&'static str],
}

/// Reads a value of type `T`, and lists the keys that `T` ignored, in source order.
///
/// The list is complete when the value could be read; otherwise it ends where reading stopped. Keys below an
/// ignored key are not listed. Types that collect unknown keys (`serde(flatten)`) ignore none.
pub fn from_node_with_ignored<T: DeserializeOwned>(node: Node<'_>) -> (Result<T, DeError>, Vec<Ignored>) {
    let ignored = RefCell::default();
    let deserializer = NodeDeserializer {
        node,
        trail: None,
        ignored: Some(&ignored),
    };
    let value = T::deserialize(deserializer).map_err(|error| error.at(node));
    (value, ignored.into_inner())
}

/// An error on its way up. Boxed, because every result on the way carries one.
#[derive(Debug)]
struct Error(Box<ErrorData>);

#[derive(Debug)]
struct ErrorData {
    message: String,
    span: Option<Span>,
    /// The steps to the value, innermost first.
    steps: Vec<Segment>,
}

impl Error {
    /// Sets the place, if a value further inside has not done so.
    fn at_span(mut self, span: Span) -> Self {
        self.0.span.get_or_insert(span);
        self
    }

    fn below(mut self, segment: Segment) -> Self {
        self.0.steps.push(segment);
        self
    }

    fn at(self, node: Node<'_>) -> DeError {
        let ErrorData { message, span, steps } = *self.0;
        DeError {
            path: steps.into_iter().rev().collect(),
            span: span.unwrap_or(node.span()),
            message,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl std::error::Error for Error {}

impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(Box::new(ErrorData {
            message: message.to_string(),
            span: None,
            steps: Vec::new(),
        }))
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!(
            "expected {}, found {}",
            describe_expected(expected),
            describe_found(found)
        ))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::custom(format_args!(
            "expected {}, found {}",
            describe_expected(expected),
            describe_found(found)
        ))
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = match expected {
            [] => format!("unknown value `{variant}`"),
            [only] => format!("unknown value `{variant}`, expected `{only}`"),
            _ => format!(
                "unknown value `{variant}`, expected one of `{}`",
                expected.join("`, `")
            ),
        };
        Self::custom(message)
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::custom(format_args!("unknown field `{field}`"))
    }
}

/// Words for what Rust types say they expect.
fn describe_expected(expected: &dyn Expected) -> String {
    let expected = expected.to_string();
    let words = match expected.as_str() {
        "i8" | "i16" | "i32" | "i64" | "i128" | "isize" => "an integer",
        "u8" | "u16" | "u32" | "u64" | "u128" | "usize" => "an integer that is not negative",
        "f32" | "f64" => "a number",
        "a map" => "a mapping",
        "unit" => "null",
        name if name.starts_with("struct ") => "a mapping",
        name if name.starts_with("tuple ") => "a sequence",
        name if name.starts_with("enum ") => "a string",
        _ => return expected,
    };
    words.to_owned()
}

fn describe_found(found: Unexpected<'_>) -> String {
    match found {
        Unexpected::Bool(value) => format!("the boolean `{value}`"),
        Unexpected::Unsigned(value) => format!("the number `{value}`"),
        Unexpected::Signed(value) => format!("the number `{value}`"),
        Unexpected::Float(value) => format!("the number `{value}`"),
        Unexpected::Str(value) => format!("the string {value:?}"),
        Unexpected::Unit | Unexpected::Option => "null".to_owned(),
        Unexpected::Map | Unexpected::StructVariant => "a mapping".to_owned(),
        Unexpected::Seq | Unexpected::TupleVariant => "a sequence".to_owned(),
        other => other.to_string(),
    }
}

/// The steps from the root of the read to a value, as a list through the stack.
#[derive(Copy, Clone)]
struct Trail<'t> {
    parent: Option<&'t Trail<'t>>,
    step: Step<'t>,
    /// The fields of the struct that a key is of.
    fields: &'static [&'static str],
}

#[derive(Copy, Clone)]
enum Step<'t> {
    Key(&'t str),
    Index(usize),
}

impl Step<'_> {
    fn segment(self) -> Segment {
        match self {
            Self::Key(key) => Segment::Key(key.into()),
            Self::Index(index) => Segment::Index(index),
        }
    }
}

impl Trail<'_> {
    fn path(&self) -> FieldPath {
        let mut steps: Vec<Segment> = std::iter::successors(Some(self), |trail| trail.parent)
            .map(|trail| trail.step.segment())
            .collect();
        steps.reverse();
        steps.into()
    }
}

#[derive(Copy, Clone)]
struct NodeDeserializer<'de, 't> {
    node: Node<'de>,
    trail: Option<&'t Trail<'t>>,
    ignored: Option<&'t RefCell<Vec<Ignored>>>,
}

impl<'de> NodeDeserializer<'de, '_> {
    fn read<V: Visitor<'de>>(self, visitor: V, fields: &'static [&'static str]) -> Result<V::Value, Error> {
        let Self { node, trail, ignored } = self;
        let result = match node.scalar() {
            Some(Scalar::Null) => visitor.visit_unit(),
            Some(Scalar::Bool(value)) => visitor.visit_bool(value),
            Some(Scalar::Int(value)) => match u64::try_from(value) {
                Ok(value) => visitor.visit_u64(value),
                Err(_) => visitor.visit_i64(value),
            },
            Some(Scalar::UInt(value)) => visitor.visit_u64(value),
            Some(Scalar::Float(value)) => visitor.visit_f64(value),
            Some(Scalar::Str(value)) => visitor.visit_borrowed_str(value),
            None if node.kind() == Kind::Sequence => visitor.visit_seq(Sequence {
                items: node.items(),
                next: 0,
                trail,
                ignored,
            }),
            None => visitor.visit_map(Mapping {
                entries: node.entries(),
                value: None,
                fields,
                trail,
                ignored,
            }),
        };
        result.map_err(|error| error.at_span(node.span()))
    }
}

macro_rules! read_any {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.read(visitor, &[])
        })*
    };
}

impl<'de> Deserializer<'de> for NodeDeserializer<'de, '_> {
    type Error = Error;

    read_any! {
        deserialize_any deserialize_bool
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_unit deserialize_seq deserialize_map
        deserialize_identifier
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.node.is_null() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read(visitor, &[])
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(visitor, &[])
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read(visitor, &[])
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        // Derived visitors would take the items of a sequence for the fields in their order.
        if self.node.is_sequence() {
            return Err(
                <Error as de::Error>::invalid_type(Unexpected::Seq, &"a mapping").at_span(self.node.span())
            );
        }
        self.read(visitor, fields)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        let span = self.node.span();
        let mut entries = self.node.entries();
        let result = if let Some(variant) = self.node.as_str() {
            visitor.visit_enum(Variant {
                name: variant,
                content: None,
                trail: self.trail,
                ignored: self.ignored,
            })
        } else if let (Some(entry), None) = (entries.next(), entries.next()) {
            let Self { trail, ignored, .. } = self;
            visitor.visit_enum(Variant {
                name: entry.key,
                content: Some(entry.value),
                trail,
                ignored,
            })
        } else {
            Err(de::Error::custom(format_args!(
                "expected a string or a mapping with one key, found {}",
                self.node.kind()
            )))
        };
        result.map_err(|error| error.at_span(span))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if let (
            Some(ignored),
            Some(
                trail @ Trail {
                    step: Step::Key(_), ..
                },
            ),
        ) = (self.ignored, self.trail)
        {
            ignored.borrow_mut().push(Ignored {
                path: trail.path(),
                known: trail.fields,
            });
        }
        visitor.visit_unit()
    }
}

struct Sequence<'de, 't> {
    items: Items<'de>,
    next: usize,
    trail: Option<&'t Trail<'t>>,
    ignored: Option<&'t RefCell<Vec<Ignored>>>,
}

impl<'de> SeqAccess<'de> for Sequence<'de, '_> {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let Some(node) = self.items.next() else {
            return Ok(None);
        };
        let step = Step::Index(self.next);
        self.next += 1;
        let trail = Trail {
            parent: self.trail,
            step,
            fields: &[],
        };
        seed.deserialize(NodeDeserializer {
            node,
            trail: Some(&trail),
            ignored: self.ignored,
        })
        .map(Some)
        .map_err(|error| error.at_span(node.span()).below(step.segment()))
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.items.len())
    }
}

struct Mapping<'de, 't> {
    entries: Entries<'de>,
    value: Option<Entry<'de>>,
    /// The fields of the struct that is read; those that are null are left out.
    fields: &'static [&'static str],
    trail: Option<&'t Trail<'t>>,
    ignored: Option<&'t RefCell<Vec<Ignored>>>,
}

impl<'de> MapAccess<'de> for Mapping<'de, '_> {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, Error> {
        let fields = self.fields;
        let entry = self
            .entries
            .find(|entry| !(entry.value.is_null() && fields.contains(&entry.key)));
        self.value = entry;
        let Some(entry) = entry else { return Ok(None) };
        seed.deserialize(KeyDeserializer(entry.key))
            .map(Some)
            .map_err(|error| {
                error
                    .at_span(entry.key_span)
                    .below(Segment::Key(entry.key.into()))
            })
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        let Some(Entry { key, value: node, .. }) = self.value.take() else {
            return Err(de::Error::custom("a value was asked for before its key"));
        };
        let trail = Trail {
            parent: self.trail,
            step: Step::Key(key),
            fields: self.fields,
        };
        seed.deserialize(NodeDeserializer {
            node,
            trail: Some(&trail),
            ignored: self.ignored,
        })
        .map_err(|error| error.at_span(node.span()).below(Segment::Key(key.into())))
    }

    fn size_hint(&self) -> Option<usize> {
        self.fields.is_empty().then(|| self.entries.len())
    }
}

/// A key: a string, which number and boolean keys of typed maps may read.
struct KeyDeserializer<'de>(&'de str);

macro_rules! read_key {
    ($($method:ident => $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            match self.0.parse() {
                Ok(value) => visitor.$visit(value),
                Err(_) => visitor.visit_borrowed_str(self.0),
            }
        })*
    };
}

impl<'de> Deserializer<'de> for KeyDeserializer<'de> {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_borrowed_str(self.0)
    }

    read_key! {
        deserialize_bool => visit_bool
        deserialize_i8 => visit_i8
        deserialize_i16 => visit_i16
        deserialize_i32 => visit_i32
        deserialize_i64 => visit_i64
        deserialize_u8 => visit_u8
        deserialize_u16 => visit_u16
        deserialize_u32 => visit_u32
        deserialize_u64 => visit_u64
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.0.into_deserializer())
    }

    serde::forward_to_deserialize_any! {
        i128 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}

struct Variant<'de, 't> {
    name: &'de str,
    content: Option<Node<'de>>,
    trail: Option<&'t Trail<'t>>,
    ignored: Option<&'t RefCell<Vec<Ignored>>>,
}

impl<'de> EnumAccess<'de> for Variant<'de, '_> {
    type Error = Error;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), Error> {
        Ok((seed.deserialize(KeyDeserializer(self.name))?, self))
    }
}

impl<'de> Variant<'de, '_> {
    fn read<T>(&self, read: impl FnOnce(NodeDeserializer<'de, '_>) -> Result<T, Error>) -> Result<T, Error> {
        let Some(node) = self.content else {
            return Err(de::Error::custom(format_args!(
                "expected a mapping with the key `{}`",
                self.name
            )));
        };
        let trail = Trail {
            parent: self.trail,
            step: Step::Key(self.name),
            fields: &[],
        };
        read(NodeDeserializer {
            node,
            trail: Some(&trail),
            ignored: self.ignored,
        })
        .map_err(|error| error.at_span(node.span()).below(Segment::Key(self.name.into())))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de, '_> {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        match self.content {
            None => Ok(()),
            Some(_) => self.read(|node| serde::Deserialize::deserialize(node)),
        }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        self.read(|node| seed.deserialize(node))
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.read(|node| node.read(visitor, &[]))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.read(|node| node.read(visitor, fields))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;

    use super::*;
    use crate::{Document, parse, path};

    #[derive(Debug, PartialEq, Deserialize)]
    struct Route {
        weight: u32,
        #[serde(default)]
        retries: i64,
        mode: Option<Mode>,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    enum Mode {
        Strict,
        Exact(String),
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Spec {
        routes: Vec<Route>,
        #[serde(default)]
        ports: BTreeMap<u16, String>,
    }

    fn document(text: &str) -> Document {
        parse(&text.into()).remove(0).expect(text)
    }

    fn read(text: &str) -> (Result<Spec, DeError>, Vec<String>) {
        let (spec, ignored) = from_node_with_ignored(document(text).root());
        let ignored = ignored.iter();
        let ignored =
            ignored.map(|Ignored { path, known }| format!("{path} is none of {}", known.join(", ")));
        (spec, ignored.collect())
    }

    #[test]
    fn values_become_types() {
        let (spec, ignored) = read(
            "routes:\n- {weight: 1.0e1, retries: null, mode: Strict}\n- {weight: 2, mode: {Exact: x}, extra: {y: 1}}\n\
             ports: {8080: http}\nunknown: 1\n",
        );
        let expected = Spec {
            routes: vec![
                Route {
                    weight: 10,
                    retries: 0,
                    mode: Some(Mode::Strict),
                },
                Route {
                    weight: 2,
                    retries: 0,
                    mode: Some(Mode::Exact("x".into())),
                },
            ],
            ports: BTreeMap::from([(8080, "http".into())]),
        };
        assert_eq!(spec, Ok(expected));
        assert_eq!(
            ignored,
            [
                "routes[1].extra is none of weight, retries, mode",
                "unknown is none of routes, ports"
            ]
        );
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, path, span, message) in [
            (
                "routes: [{weight: x}]",
                path!["routes", 0, "weight"],
                "x",
                "expected an integer that is not negative, found the string \"x\"",
            ),
            (
                "routes: [{weight: -1}]",
                path!["routes", 0, "weight"],
                "-1",
                "expected an integer that is not negative, found the number `-1`",
            ),
            ("routes: [{}]", path!["routes", 0], "{}", "missing field `weight`"),
            (
                "routes: 3",
                path!["routes"],
                "3",
                "expected a sequence, found the number `3`",
            ),
            (
                "routes: [{weight: 1, mode: Lax}]",
                path!["routes", 0, "mode"],
                "Lax",
                "unknown value `Lax`, expected one of `Strict`, `Exact`",
            ),
            (
                "routes: [{weight: 1, mode: [1]}]",
                path!["routes", 0, "mode"],
                "[1]",
                "expected a string or a mapping with one key, found a sequence",
            ),
            (
                "{routes: [], ports: {x: y}}",
                path!["ports", "x"],
                "x",
                "expected an integer that is not negative, found the string \"x\"",
            ),
            ("[]", path![], "[]", "expected a mapping, found a sequence"),
            ("{}", path![], "{}", "missing field `routes`"),
        ] {
            let error = from_node::<Spec>(document(text).root()).expect_err(text);
            assert_eq!(error.message, message, "{text}");
            assert_eq!(error.path, path, "{text}");
            assert_eq!(&text[error.span.range()], span, "{text}");
        }
    }

    #[test]
    fn any_value_reads_as_its_json() {
        let document = document("a: [1, -2, 1.5, yes, ~, 'q', 18446744073709551615]\nb: {c: []}\n");
        assert_eq!(
            from_node::<serde_json::Value>(document.root()),
            Ok(document.root().to_json())
        );
    }
}

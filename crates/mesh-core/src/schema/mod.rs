//! What a resource may contain, derived from the Rust types.
//!
//! ```text
//! #[derive(Message)] struct ── schema() ──► MessageSchema ─┬─ validate::check(node)  → findings with field paths
//!        │                                                 ├─ export::json_schema()  → schemas/*.json, CRDs
//!        └───────────────────── decode(node) → value       └─ `meshctl explain`      → documentation
//! ```
//!
//! Decoding never fails: a value of the wrong type leaves the default in place, and [`validate`] is what reports
//! it. A resource with one wrong field is thus still analysed in full.

pub mod cel;
pub mod export;
pub mod validate;
mod value;

use std::collections::BTreeMap;

use mesh_yaml::Node;

pub use value::{Any, AnyValue, Bytes, Duration, IntOrString, Kubernetes, PlainText, Timestamp, Unread};

/// A struct that mirrors one message of the API.
pub trait Message: FieldType + Default {
    /// The schema of this message.
    fn schema() -> &'static MessageSchema;

    /// Sets the fields that `node` sets, and leaves the others. Nested messages are replaced as a whole.
    fn merge(&mut self, node: Node<'_>);
}

/// A type that can stand in a [`Message`].
pub trait FieldType: Sized {
    /// What YAML values of this type look like.
    const TYPE: Type;

    /// Reads a value; one of another type gives the type's default.
    fn decode(node: Node<'_>) -> Self;
}

/// The schema of one message: its fields and the rules that relate them.
#[derive(Debug)]
pub struct MessageSchema {
    /// The Rust (and, but for its casing, the API's) name of the message.
    pub name: &'static str,
    /// Markdown documentation.
    pub docs: &'static str,
    /// All fields, in declaration order.
    pub fields: &'static [Field],
    /// Groups of fields of which at most one may be set.
    pub one_of: &'static [&'static [&'static str]],
    /// CEL rules on the whole message.
    pub cel: &'static [&'static cel::CelRule],
}

impl MessageSchema {
    /// The field that is written as `name` in YAML.
    pub fn field(&self, name: &str) -> Option<&'static Field> {
        self.fields
            .iter()
            .find(|field| field.name == name || field.also == Some(name))
    }
}

/// One field of a message.
#[derive(Debug)]
pub struct Field {
    /// The name in YAML.
    pub name: &'static str,
    /// A second accepted spelling, from before the API settled on camel case.
    pub also: Option<&'static str>,
    /// Markdown documentation.
    pub docs: &'static str,
    /// What to use instead, if the field still works but should no longer be used.
    pub deprecated: Option<&'static str>,
    /// Whether the API server refuses an object without it.
    pub required: bool,
    /// The type of the value.
    pub ty: Type,
    /// Limits beyond the type.
    pub constraints: Constraints,
}

/// A field-less enum of the API.
#[derive(Debug)]
pub struct EnumSchema {
    /// The Rust name of the enum.
    pub name: &'static str,
    /// Markdown documentation.
    pub docs: &'static str,
    /// The values in the order of the API.
    pub values: &'static [EnumValue],
}

/// One value of an [`EnumSchema`].
#[derive(Debug)]
pub struct EnumValue {
    /// The value as written in YAML.
    pub name: &'static str,
    /// Markdown documentation.
    pub docs: &'static str,
    /// What to use instead, if the value should no longer be used.
    pub deprecated: Option<&'static str>,
}

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub enum Type {
    /// Text.
    String,
    /// Base64 text.
    Bytes,
    /// `true` or `false`.
    Boolean,
    /// A signed 32-bit integer.
    Int32,
    /// A signed 64-bit integer.
    Int64,
    /// An unsigned 32-bit integer.
    Uint32,
    /// An unsigned 64-bit integer.
    Uint64,
    /// A single-precision number.
    Float,
    /// A double-precision number.
    Double,
    /// Text such as `1.5s` or `2m`, at least one millisecond.
    Duration,
    /// A point in time, RFC 3339.
    Timestamp,
    /// An integer, or an integer in quotes.
    IntOrString,
    /// Text, or a number or boolean that is taken as the text that it is written as.
    PlainText,
    /// A mapping with any content.
    Any,
    /// Any value.
    Value,
    /// An object that a type of the Kubernetes libraries describes. The function says what is wrong with one.
    Kubernetes(fn(Node<'_>) -> Vec<validate::Violation>),
    /// One of a fixed set of words.
    Enum(&'static EnumSchema),
    /// A nested message. A function, so that messages may contain themselves.
    Message(fn() -> &'static MessageSchema),
    /// A sequence.
    List(&'static Type),
    /// A mapping from text.
    Map(&'static Type),
}

/// Limits on a value beyond its type, as OpenAPI names them.
#[derive(Clone, Copy, Debug)]
pub struct Constraints {
    /// `null` is accepted and means unset.
    pub nullable: bool,
    /// Smallest number, inclusive.
    pub minimum: Option<i64>,
    /// Largest number, inclusive.
    pub maximum: Option<i64>,
    /// Least number of characters.
    pub min_length: Option<u32>,
    /// Greatest number of characters.
    pub max_length: Option<u32>,
    /// Least number of items.
    pub min_items: Option<u32>,
    /// Greatest number of items.
    pub max_items: Option<u32>,
    /// Least number of keys.
    pub min_properties: Option<u32>,
    /// Greatest number of keys.
    pub max_properties: Option<u32>,
    /// A regular expression that text must match.
    pub pattern: Option<&'static str>,
    /// The fields that identify an item; no two items may agree in all of them.
    pub list_map_keys: &'static [&'static str],
    /// CEL rules on the value.
    pub cel: &'static [&'static cel::CelRule],
    /// CEL rules of the message type that do not hold at this place.
    pub except: &'static [&'static cel::CelRule],
    /// Limits on the items of a list or the values of a map.
    pub elements: Option<&'static Constraints>,
}

impl Constraints {
    /// No limits.
    pub const NONE: Self = Self {
        nullable: false,
        minimum: None,
        maximum: None,
        min_length: None,
        max_length: None,
        min_items: None,
        max_items: None,
        min_properties: None,
        max_properties: None,
        pattern: None,
        list_map_keys: &[],
        cel: &[],
        except: &[],
        elements: None,
    };

    /// Limits on the items of a list or the values of a map.
    pub fn of_elements(&self) -> &'static Constraints {
        const NONE: &Constraints = &Constraints::NONE;
        self.elements.unwrap_or(NONE)
    }
}

impl<T: FieldType> FieldType for Option<T> {
    const TYPE: Type = T::TYPE;

    fn decode(node: Node<'_>) -> Self {
        (!node.is_null()).then(|| T::decode(node))
    }
}

impl<T: FieldType> FieldType for Vec<T> {
    const TYPE: Type = Type::List(&T::TYPE);

    fn decode(node: Node<'_>) -> Self {
        // The exact capacity matters: some items are a kilobyte large, and most lists have one.
        let mut list = Self::with_capacity(node.items().len());
        list.extend(node.items().map(T::decode));
        list
    }
}

impl<T: FieldType> FieldType for BTreeMap<String, T> {
    const TYPE: Type = Type::Map(&T::TYPE);

    fn decode(node: Node<'_>) -> Self {
        node.entries()
            .map(|entry| (entry.key.to_owned(), T::decode(entry.value)))
            .collect()
    }
}

impl<T: FieldType> FieldType for Box<T> {
    const TYPE: Type = T::TYPE;

    fn decode(node: Node<'_>) -> Self {
        Self::new(T::decode(node))
    }
}

impl FieldType for String {
    const TYPE: Type = Type::String;

    fn decode(node: Node<'_>) -> Self {
        // A number or boolean where text belongs is reported by validation; its source text is the best reading.
        match node.scalar() {
            Some(mesh_yaml::Scalar::Str(text)) => text.to_owned(),
            Some(mesh_yaml::Scalar::Null) | None => Self::new(),
            Some(_) => node.raw().to_owned(),
        }
    }
}

impl FieldType for bool {
    const TYPE: Type = Type::Boolean;

    fn decode(node: Node<'_>) -> Self {
        node.as_bool().unwrap_or_default()
    }
}

macro_rules! integer {
    ($($rust:ty => $variant:ident),+) => {
        $(impl FieldType for $rust {
            const TYPE: Type = Type::$variant;

            fn decode(node: Node<'_>) -> Self {
                value::integer(node).and_then(|value| value.try_into().ok()).unwrap_or_default()
            }
        })+
    };
}

integer!(i32 => Int32, i64 => Int64, u32 => Uint32, u64 => Uint64);

impl FieldType for f64 {
    const TYPE: Type = Type::Double;

    fn decode(node: Node<'_>) -> Self {
        node.as_f64().unwrap_or_default()
    }
}

impl FieldType for f32 {
    const TYPE: Type = Type::Float;

    #[expect(
        clippy::cast_possible_truncation,
        reason = "the API's type has single precision"
    )]
    fn decode(node: Node<'_>) -> Self {
        node.as_f64().unwrap_or_default() as f32
    }
}

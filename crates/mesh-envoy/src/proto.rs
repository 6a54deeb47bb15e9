//! Protobuf's JSON mapping for types with serde's derived `Deserialize`.
//!
//! The derives name fields as the `.proto` files do. [`ProtoJson`] lets them read what the mapping allows: names in
//! snake_case or lowerCamelCase, numbers as strings, `null` for a field's default. Maps keep their keys as they are.
//!
//! See "ProtoJSON Format" in the Protocol Buffers documentation.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// Decodes a message from its JSON text.
pub(crate) fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let message = T::deserialize(ProtoJson(&mut deserializer))?;
    deserializer.end()?;
    Ok(message)
}

/// Decodes a message from a value; `None` if it is not one.
pub(crate) fn from_value<'de, T: Deserialize<'de>>(value: &'de serde_json::Value) -> Option<T> {
    T::deserialize(ProtoJson(value)).ok()
}

/// Reads protobuf's JSON mapping from any deserializer of JSON.
pub(crate) struct ProtoJson<D>(pub(crate) D);

/// What `null` stands for.
#[derive(Clone, Copy)]
enum Null {
    Itself,
    Bool,
    String,
    List,
    Message,
}

struct Wrapped<V> {
    visitor: V,
    null: Null,
}

/// serde_json refuses `null` before it asks a visitor, unless the text decides.
macro_rules! forward {
    ($($null:ident: $($method:ident)+;)+) => {
        $($(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(Wrapped { visitor, null: Null::$null })
        })+)+
    };
}

/// Numbers may be strings, so the text decides how it is read.
macro_rules! numbers {
    ($($method:ident)+) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_any(Number(visitor))
        })+
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for ProtoJson<D> {
    type Error = D::Error;

    forward! {
        Itself: deserialize_any deserialize_unit;
        Bool: deserialize_bool;
        String: deserialize_char deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf;
        List: deserialize_seq;
        Message: deserialize_map;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let null = Null::Itself;
        self.0.deserialize_option(Wrapped { visitor, null })
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_ignored_any(visitor)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_u8 deserialize_u16 deserialize_u32
        deserialize_u64 deserialize_f32 deserialize_f64
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_identifier(FieldName(visitor))
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        // serde_json recognises its own types, of which `RawValue` is one, by names that start with a dollar.
        if name.starts_with('$') {
            return self.0.deserialize_newtype_struct(name, visitor);
        }
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, D::Error> {
        let null = Null::Itself;
        self.0.deserialize_tuple(len, Wrapped { visitor, null })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let null = Null::Itself;
        self.0
            .deserialize_tuple_struct(name, len, Wrapped { visitor, null })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        let null = Null::Message;
        self.0.deserialize_any(Wrapped { visitor, null })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }
}

macro_rules! visit {
    ($($method:ident: $type:ty),+) => {
        $(fn $method<E: de::Error>(self, value: $type) -> Result<V::Value, E> {
            self.visitor.$method(value)
        })+
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Wrapped<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(f)
    }

    visit! {
        visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_f64: f64, visit_str: &str,
        visit_borrowed_str: &'de str, visit_string: String
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.visitor.visit_none()
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        match self.null {
            Null::Itself => self.visitor.visit_unit(),
            Null::Bool => self.visitor.visit_bool(false),
            Null::String => self.visitor.visit_str(""),
            Null::List => self.visitor.visit_seq(Nothing(PhantomData)),
            Null::Message => self.visitor.visit_map(Nothing(PhantomData)),
        }
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_some(ProtoJson(deserializer))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        self.visitor.visit_newtype_struct(ProtoJson(deserializer))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_seq(Elements(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_map(Elements(entries))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.visitor.visit_enum(data)
    }
}

/// A list or message without anything in it.
struct Nothing<E>(PhantomData<E>);

impl<'de, E: de::Error> SeqAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, _: T) -> Result<Option<T::Value>, E> {
        Ok(None)
    }
}

impl<'de, E: de::Error> MapAccess<'de> for Nothing<E> {
    type Error = E;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, _: K) -> Result<Option<K::Value>, E> {
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, _: S) -> Result<S::Value, E> {
        Err(E::custom("there is no value"))
    }
}

/// The elements of an array or the entries of an object.
struct Elements<A>(A);

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, A::Error> {
        self.0.next_element_seed(Seed(seed))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Elements<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        self.0.next_key_seed(Seed(seed))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Seed(seed))
    }
}

struct Seed<S>(S);

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Seed<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(ProtoJson(deserializer))
    }
}

/// A number, perhaps in quotes.
struct Number<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for Number<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.0.visit_f64(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_u64(0)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<V::Value, E> {
        if let Ok(value) = text.parse::<u64>() {
            self.0.visit_u64(value)
        } else if let Ok(value) = text.parse::<i64>() {
            self.0.visit_i64(value)
        } else if let Ok(value) = text.parse::<f64>() {
            self.0.visit_f64(value)
        } else {
            Err(E::invalid_value(de::Unexpected::Str(text), &self))
        }
    }
}

/// The name of a field, in either case.
struct FieldName<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for FieldName<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<V::Value, E> {
        self.0.visit_str(&snake_case(name))
    }
}

/// `routeConfig` as `route_config`; other names are as they were.
pub(crate) fn snake_case(name: &str) -> Cow<'_, str> {
    if !name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Borrowed(name);
    }
    let mut snake = String::with_capacity(name.len() + 4);
    for character in name.chars() {
        if character.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(character.to_ascii_lowercase());
    }
    Cow::Owned(snake)
}

/// Declares an enum of a `.proto` file: read by name or number, with `Unknown` for later additions. The first value
/// is the default.
macro_rules! proto_enum {
    (
        $(#[$meta:meta])* $vis:vis enum $name:ident {
            $($(#[$doc:meta])* $variant:ident = $number:literal $text:literal),+ $(,)?
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        $vis enum $name {
            $($(#[$doc])* $variant,)+
            /// A value that this version does not know.
            Unknown,
        }

        impl $name {
            fn from_name(name: &str) -> Self {
                match name { $($text => Self::$variant,)+ _ => Self::Unknown }
            }

            fn from_number(number: u64) -> Self {
                match number { $($number => Self::$variant,)+ _ => Self::Unknown }
            }
        }

        impl Default for $name {
            fn default() -> Self {
                Self::from_number(0)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::proto::name_or_number(deserializer, Self::from_name, Self::from_number)
            }
        }
    };
}
pub(crate) use proto_enum;

/// Reads a value of an enum.
pub(crate) fn name_or_number<'de, T, D: Deserializer<'de>>(
    deserializer: D,
    from_name: fn(&str) -> T,
    from_number: fn(u64) -> T,
) -> Result<T, D::Error> {
    struct EnumVisitor<T>(fn(&str) -> T, fn(u64) -> T);

    impl<T> Visitor<'_> for EnumVisitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("the name or number of an enum's value")
        }

        fn visit_str<E: de::Error>(self, name: &str) -> Result<T, E> {
            Ok(self.0(name))
        }

        fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
            Ok(self.1(number))
        }

        fn visit_unit<E: de::Error>(self) -> Result<T, E> {
            Ok(self.1(0))
        }
    }
    deserializer.deserialize_any(EnumVisitor(from_name, from_number))
}

/// `google.protobuf.Duration`, of those that are not negative: `15s`, `0.250s`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub std::time::Duration);

impl Duration {
    pub(crate) const fn from_secs(seconds: u64) -> Self {
        Self(std::time::Duration::from_secs(seconds))
    }

    pub(crate) fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    fn parse(text: &str) -> Option<Self> {
        let number = text.strip_suffix('s')?;
        let (seconds, fraction) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if fraction.len() > 9 || !digits(fraction) || !digits(seconds) {
            return None;
        }
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        Some(Self(std::time::Duration::new(seconds.parse().ok()?, nanos)))
    }
}

impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.subsec_nanos();
        if nanos == 0 {
            return write!(f, "{}s", self.0.as_secs());
        }
        let fraction = format!("{nanos:09}");
        write!(f, "{}.{}s", self.0.as_secs(), fraction.trim_end_matches('0'))
    }
}

impl<'de> Deserialize<'de> for Duration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        Self::parse(&text)
            .ok_or_else(|| de::Error::invalid_value(de::Unexpected::Str(&text), &"a duration such as `15s`"))
    }
}

/// `google.protobuf.Any`, as its JSON text: any message, known or not.
#[derive(Clone, Debug, Deserialize)]
#[serde(transparent)]
pub(crate) struct Any(Box<RawValue>);

#[derive(Default, Deserialize)]
#[serde(default)]
struct TypedStruct<'a> {
    #[serde(rename = "@type")]
    type_name: Cow<'a, str>,
    type_url: Cow<'a, str>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
}

impl Any {
    /// The full name of the message's type, such as `envoy.extensions.filters.http.router.v3.Router`; empty if not
    /// stated. A `TypedStruct` stands for the message that it carries.
    pub(crate) fn type_name(&self) -> String {
        let header: TypedStruct<'_> = from_slice(self.0.get().as_bytes()).unwrap_or_default();
        message_name(match header.value {
            Some(_) if is_typed_struct(&header.type_name) => &header.type_url,
            _ => &header.type_name,
        })
        .to_owned()
    }

    /// Decodes the message. That it is of the type `T` is for the caller to know.
    pub(crate) fn decode<T: for<'de> Deserialize<'de>>(&self) -> Result<T, serde_json::Error> {
        let text = self.0.get().as_bytes();
        if let Ok(TypedStruct {
            type_name,
            value: Some(value),
            ..
        }) = from_slice(text)
            && is_typed_struct(&type_name)
        {
            return from_slice(value.get().as_bytes());
        }
        from_slice(text)
    }
}

/// `udpa.type.v1.TypedStruct` and its successor `xds.type.v3.TypedStruct`: a message as a free-form struct.
fn is_typed_struct(type_url: &str) -> bool {
    matches!(
        message_name(type_url),
        "udpa.type.v1.TypedStruct" | "xds.type.v3.TypedStruct"
    )
}

/// `type.googleapis.com/envoy.admin.v3.ClustersConfigDump` without its prefix.
pub(crate) fn message_name(type_url: &str) -> &str {
    type_url.rsplit_once('/').map_or(type_url, |(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Message {
        route_config: String,
        max_size: u64,
        ratio: f64,
        strip_port: bool,
        names: Vec<String>,
        inner: Option<Box<Message>>,
        by_name: std::collections::BTreeMap<String, u32>,
        timeout: Option<Duration>,
    }

    fn read(text: &str) -> Message {
        from_slice(text.as_bytes()).expect(text)
    }

    #[test]
    fn both_cases_of_names_mean_the_same() {
        let snake = r#"{"route_config":"a","max_size":3,"strip_port":true,"inner":{"max_size":4}}"#;
        let camel = r#"{"routeConfig":"a","maxSize":3,"stripPort":true,"inner":{"maxSize":4}}"#;
        assert_eq!(read(snake), read(camel));
        assert_eq!(read(snake).inner.expect("set").max_size, 4);
    }

    #[test]
    fn keys_of_maps_stay_as_they_are() {
        let keys: Vec<String> = read(r#"{"byName":{"fooBar":1,"foo_bar":"2"}}"#)
            .by_name
            .into_keys()
            .collect();
        assert_eq!(keys, ["fooBar", "foo_bar"]);
    }

    #[test]
    fn numbers_may_be_strings() {
        assert_eq!(read(r#"{"maxSize":"18446744073709551615"}"#).max_size, u64::MAX);
        assert!(read(r#"{"ratio":"NaN"}"#).ratio.is_nan());
        assert!(from_slice::<Message>(br#"{"maxSize":"x"}"#).is_err());
    }

    #[test]
    fn null_is_the_default() {
        let nulls = r#"{"route_config":null,"max_size":null,"ratio":null,"strip_port":null,"names":null,
            "inner":null,"by_name":null,"timeout":null}"#;
        assert_eq!(read(nulls), Message::default());
    }

    #[test]
    fn durations_have_up_to_nine_decimals() {
        let duration = |text: &str| Duration::parse(text).map(|duration| duration.0.as_nanos());
        assert_eq!(duration("15s"), Some(15_000_000_000));
        assert_eq!(duration("0.250s"), Some(250_000_000));
        assert_eq!(duration("0.000000001s"), Some(1));
        for bad in ["", "s", "5", "5m", "-1s", "1.0000000001s", "1.-5s"] {
            assert_eq!(duration(bad), None, "{bad}");
        }
    }

    #[test]
    fn typed_structs_stand_for_what_they_carry() {
        let any: Any = from_slice(
            br#"{"@type":"type.googleapis.com/udpa.type.v1.TypedStruct","type_url":"type.googleapis.com/a.B",
                "value":{"maxSize":7}}"#,
        )
        .expect("an Any");
        assert_eq!(any.type_name(), "a.B");
        assert_eq!(any.decode::<Message>().expect("a message").max_size, 7);
    }
}

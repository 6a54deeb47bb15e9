//! Scalar types of the API that Rust has no type for.

use std::fmt;
use std::marker::PhantomData;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use mesh_yaml::{Node, Scalar};
use serde::de::DeserializeOwned;

use super::validate::read_kubernetes;
use super::{FieldType, Type};

/// A length of time in Go's notation, as Istio's duration fields take it: `300ms`, `1.5s`, `2h45m`.
///
/// The grammar is that of Go's `time.ParseDuration`: an optional sign, then decimal numbers with a unit each, out
/// of `ns`, `us` (or `µs`), `ms`, `s`, `m`, `h`; `0` needs no unit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration {
    nanoseconds: i64,
}

impl Duration {
    /// A duration of whole milliseconds; saturates.
    pub const fn from_millis(milliseconds: i64) -> Self {
        Self {
            nanoseconds: milliseconds.saturating_mul(1_000_000),
        }
    }

    /// The length in nanoseconds.
    pub const fn as_nanos(self) -> i64 {
        self.nanoseconds
    }

    /// Whether the length is a whole number of milliseconds.
    pub const fn is_whole_millis(self) -> bool {
        self.nanoseconds % 1_000_000 == 0
    }

    /// Reads Go's notation; `None` if it is not one or does not fit 64 bits of nanoseconds (about 292 years).
    pub fn parse(text: &str) -> Option<Self> {
        let (negative, mut rest) = match text.as_bytes().first()? {
            b'-' => (true, &text[1..]),
            b'+' => (false, &text[1..]),
            _ => (false, text),
        };
        if rest == "0" {
            return Some(Self::default());
        }
        if rest.is_empty() {
            return None;
        }
        let mut total: u64 = 0;
        while !rest.is_empty() {
            let (part, after) = component(rest)?;
            total = total.checked_add(part)?;
            rest = after;
        }
        let signed = if negative {
            0_i64.checked_sub_unsigned(total)?
        } else {
            i64::try_from(total).ok()?
        };
        Some(Self { nanoseconds: signed })
    }
}

/// Units of Go's durations in nanoseconds, longer names first: `ms` before `m`.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// One `number unit` at the start of `text`, in nanoseconds, and what follows it.
fn component(text: &str) -> Option<(u64, &str)> {
    let digits = |text: &str| text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let whole_length = digits(text);
    let (whole, rest) = text.split_at(whole_length);
    let (fraction, rest) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (rest, unit) = UNITS
        .iter()
        .find_map(|(name, unit)| Some((rest.strip_prefix(name)?, *unit)))?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut nanoseconds = whole.checked_mul(unit)?;
    let mut scale = unit;
    for digit in fraction.bytes() {
        scale /= 10;
        nanoseconds = nanoseconds.checked_add(u64::from(digit - b'0') * scale)?;
    }
    Some((nanoseconds, rest))
}

impl fmt::Display for Duration {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.nanoseconds.unsigned_abs();
        let sign = if self.nanoseconds < 0 { "-" } else { "" };
        for (unit, name) in [(1_000_000_000, "s"), (1_000_000, "ms"), (1_000, "us")] {
            if magnitude.is_multiple_of(unit) {
                return write!(formatter, "{sign}{}{name}", magnitude / unit);
            }
        }
        write!(formatter, "{sign}{magnitude}ns")
    }
}

impl FieldType for Duration {
    const TYPE: Type = Type::Duration;

    fn decode(node: Node<'_>) -> Self {
        node.as_str().and_then(Self::parse).unwrap_or_default()
    }
}

/// Bytes that YAML carries as base64 text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Bytes {
    /// Decodes padded standard base64 (RFC 4648, section 4).
    pub fn parse(text: &str) -> Option<Self> {
        STANDARD.decode(text).ok().map(Self)
    }
}

impl FieldType for Bytes {
    const TYPE: Type = Type::Bytes;

    fn decode(node: Node<'_>) -> Self {
        node.as_str().and_then(Self::parse).unwrap_or_default()
    }
}

/// A point in time as text, RFC 3339.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timestamp(pub String);

impl FieldType for Timestamp {
    const TYPE: Type = Type::Timestamp;

    fn decode(node: Node<'_>) -> Self {
        Self(String::decode(node))
    }
}

/// A 64-bit integer that JSON may carry as text; kept as its text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntOrString(pub String);

impl FieldType for IntOrString {
    const TYPE: Type = Type::IntOrString;

    fn decode(node: Node<'_>) -> Self {
        Self(String::decode(node))
    }
}

/// A field that has a schema but that nothing reads, so that it takes no room in the values.
pub struct Unread<T>(PhantomData<fn() -> T>);

impl<T: FieldType> FieldType for Unread<T> {
    const TYPE: Type = T::TYPE;

    fn decode(_node: Node<'_>) -> Self {
        Self::default()
    }
}

// Derived implementations would ask the same of `T`.
impl<T> Clone for Unread<T> {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl<T> Default for Unread<T> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T> PartialEq for Unread<T> {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl<T> fmt::Debug for Unread<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Unread")
    }
}

/// A mapping whose content the API does not describe, such as an Envoy patch.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Any(pub serde_json::Value);

impl FieldType for Any {
    const TYPE: Type = Type::Any;

    fn decode(node: Node<'_>) -> Self {
        Self(node.to_json())
    }
}

/// Text for which a number or boolean can be written, such as the value of an environment variable.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PlainText(pub String);

impl FieldType for PlainText {
    const TYPE: Type = Type::PlainText;

    fn decode(node: Node<'_>) -> Self {
        Self(String::decode(node))
    }
}

/// A value of any type.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnyValue(pub serde_json::Value);

impl FieldType for AnyValue {
    const TYPE: Type = Type::Value;

    fn decode(node: Node<'_>) -> Self {
        Self(node.to_json())
    }
}

/// An object that the Kubernetes type `T` describes. It is kept as it is written, so that what is left out is known to
/// be left out.
pub struct Kubernetes<T>(pub serde_json::Value, PhantomData<fn() -> T>);

impl<T: DeserializeOwned> FieldType for Kubernetes<T> {
    const TYPE: Type = Type::Kubernetes(|node| read_kubernetes::<T>(node).1);

    fn decode(node: Node<'_>) -> Self {
        Self(node.to_json(), PhantomData)
    }
}

// Derived implementations would ask the same of `T`.
impl<T> Clone for Kubernetes<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone(), PhantomData)
    }
}

impl<T> PartialEq for Kubernetes<T> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl<T> fmt::Debug for Kubernetes<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// An integer as the API server reads it: `1.0` is the integer 1, since that is what it becomes in JSON.
pub(super) fn integer(node: Node<'_>) -> Option<i128> {
    match node.scalar()? {
        Scalar::Int(value) => Some(value.into()),
        Scalar::UInt(value) => Some(value.into()),
        #[expect(
            clippy::cast_possible_truncation,
            reason = "guarded: integral and within 64 bits"
        )]
        Scalar::Float(value) if value.fract() == 0.0 && value.abs() < 1.9e19 => Some(value as i128),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_read_as_go_reads_them() {
        for (text, nanoseconds) in [
            ("0", 0),
            ("0s", 0),
            ("1s", 1_000_000_000),
            ("1.5s", 1_500_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("-1ms", -1_000_000),
            ("+2m", 120_000_000_000),
            ("1h2m3s4ms5us6ns", 3_723_004_005_006),
            ("1µs", 1_000),
            ("0.0000000001s", 0),
            ("-9223372036854775808ns", i64::MIN),
        ] {
            assert_eq!(
                Duration::parse(text).map(Duration::as_nanos),
                Some(nanoseconds),
                "{text}"
            );
        }
        for text in [
            "",
            "1",
            "s",
            ".",
            ".s",
            "1x",
            "1 s",
            "1s ",
            "--1s",
            "9223372036854775808ns",
            "1e3s",
            "5S",
        ] {
            assert_eq!(Duration::parse(text), None, "{text}");
        }
    }

    #[test]
    fn durations_print_in_their_largest_whole_unit() {
        for text in ["90s", "1500ms", "-7us", "3ns", "0s"] {
            assert_eq!(Duration::parse(text).expect("valid").to_string(), text);
        }
    }
}

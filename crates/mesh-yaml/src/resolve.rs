//! What a plain scalar means.
//!
//! The rules are those of `go.yaml.in/yaml/v2`, on which `sigs.k8s.io/yaml` stands: the YAML 1.1 type
//! repository with a few habits of Go's number parsing. `tests/yaml-oracle` holds this module against the
//! original.

use std::borrow::Cow;

/// The meaning of a scalar.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    /// Above `i64::MAX`.
    UInt(u64),
    Float(f64),
    /// The text itself.
    Str,
}

/// The meaning of a plain scalar without a tag.
pub(crate) fn plain(text: &str) -> Value {
    let bytes = text.as_bytes();
    let Some(&first) = bytes.first() else {
        return Value::Null;
    };
    match first {
        b'0'..=b'9' | b'+' | b'-' => signed_or_digit(text),
        b'.' => match text {
            ".nan" | ".NaN" | ".NAN" => Value::Float(f64::NAN),
            ".inf" | ".Inf" | ".INF" => Value::Float(f64::INFINITY),
            _ => float_with_underscores(text).map_or(Value::Str, Value::Float),
        },
        b'~' | b'y' | b'Y' | b'n' | b'N' | b't' | b'T' | b'f' | b'F' | b'o' | b'O' if bytes.len() <= 5 => {
            word(text)
        }
        _ => Value::Str,
    }
}

fn word(text: &str) -> Value {
    match text {
        "~" | "null" | "Null" | "NULL" => Value::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Value::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Value::Bool(false)
        }
        _ => Value::Str,
    }
}

fn signed_or_digit(text: &str) -> Value {
    match text {
        "+.inf" | "+.Inf" | "+.INF" => return Value::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => return Value::Float(f64::NEG_INFINITY),
        _ => {}
    }
    let digits: Cow<'_, str> = if text.contains('_') {
        text.replace('_', "").into()
    } else {
        text.into()
    };
    if let Some(value) = integer(&digits) {
        return value;
    }
    if let Some(value) = float(&digits) {
        return Value::Float(value);
    }
    // After a lowercase `0b`, the original reads a second sign.
    let signed_binary = digits.strip_prefix("0b").and_then(|binary| {
        let magnitude = binary.strip_prefix(['+', '-'])?;
        signed(magnitude, 2, binary.starts_with('-'))
    });
    signed_binary.unwrap_or(Value::Str)
}

/// An integer with an optional sign and base prefix; a leading zero alone means octal.
fn integer(text: &str) -> Option<Value> {
    let (negative, magnitude) = match text.as_bytes() {
        [b'-', ..] => (true, &text[1..]),
        [b'+', ..] => (false, &text[1..]),
        _ => (false, text),
    };
    let (digits, base) = match magnitude.as_bytes() {
        [] => return None,
        [b'0'] => return Some(Value::Int(0)),
        [b'0', b'b' | b'B', _, ..] => (&magnitude[2..], 2),
        [b'0', b'o' | b'O', _, ..] => (&magnitude[2..], 8),
        [b'0', b'x' | b'X', _, ..] => (&magnitude[2..], 16),
        [b'0', ..] => (&magnitude[1..], 8),
        _ => (magnitude, 10),
    };
    let value = signed(digits, base, negative)?;
    // Values beyond 63 bits are read without a sign only.
    if matches!(value, Value::UInt(_)) && magnitude.len() != text.len() {
        None
    } else {
        Some(value)
    }
}

fn signed(digits: &str, base: u32, negative: bool) -> Option<Value> {
    let mut magnitude: u64 = 0;
    if digits.is_empty() {
        return None;
    }
    for digit in digits.bytes() {
        let digit = char::from(digit).to_digit(base)?;
        magnitude = magnitude
            .checked_mul(u64::from(base))?
            .checked_add(u64::from(digit))?;
    }
    if negative {
        return 0_i64.checked_sub_unsigned(magnitude).map(Value::Int);
    }
    Some(i64::try_from(magnitude).map_or(Value::UInt(magnitude), Value::Int))
}

/// A floating-point number in which underscores may stand between digits.
fn float_with_underscores(text: &str) -> Option<f64> {
    if !text.contains('_') {
        return float(text);
    }
    let bytes = text.as_bytes();
    let is_digit = |at: usize| bytes.get(at).is_some_and(u8::is_ascii_digit);
    let between_digits = |at: usize| at > 0 && is_digit(at - 1) && is_digit(at + 1);
    let all_between = memchr::memchr_iter(b'_', bytes).all(between_digits);
    if all_between {
        float(&text.replace('_', ""))
    } else {
        None
    }
}

/// A decimal floating-point number: `[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?` within the range of
/// `f64`.
fn float(text: &str) -> Option<f64> {
    let digits = |bytes: &[u8]| bytes.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let whole = digits(&bytes[at..]);
    at += whole;
    if bytes.get(at) == Some(&b'.') {
        let fraction = digits(&bytes[at + 1..]);
        at += 1 + fraction;
        if whole + fraction == 0 {
            return None;
        }
    } else if whole == 0 {
        return None;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(bytes.get(at..)?);
        if exponent == 0 {
            return None;
        }
        at += exponent;
    }
    if at != bytes.len() {
        return None;
    }
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// The JSON object key that a scalar key becomes; `None` if it cannot be one.
pub(crate) fn key(value: Value, text: &str) -> Option<Cow<'_, str>> {
    match value {
        Value::Str => Some(text.into()),
        Value::Bool(true) => Some("true".into()),
        Value::Bool(false) => Some("false".into()),
        Value::Int(value) => Some(value.to_string().into()),
        Value::Float(value) => Some(float_key(value).into()),
        Value::UInt(_) | Value::Null => None,
    }
}

/// A floating-point key as the original prints it: shortest digits that identify the number as 32-bit float,
/// with an exponent below 1e-4 and from 1e6 on (as C's `%g`).
fn float_key(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the original rounds keys to 32 bits"
    )]
    let value = value as f32;
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..6).contains(&exponent) {
        return value.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// A floating-point number that JSON writes without fraction or exponent, as the integer that its readers
/// will see.
///
/// JSON gets the shortest digits that identify the number, filled up with zeros; beyond 2^53 these are not
/// the exact value.
pub(crate) fn integral(value: f64) -> Option<Value> {
    // From 1e21 on, Go writes an exponent; and it keeps the sign of zero, which no integer has.
    if value.fract() != 0.0 || value.abs() >= 1e21 || value == 0.0 && value.is_sign_negative() {
        return None;
    }
    let digits = value.to_string();
    digits
        .parse()
        .map(Value::Int)
        .or_else(|_| digits.parse().map(Value::UInt))
        .ok()
}

/// The meaning of a scalar with a tag.
pub(crate) enum Tagged {
    Value(Value),
    /// A string that was written in base 64.
    Binary(String),
}

/// The meaning of a scalar with an explicit tag, given as the parser splits it. An error is a message.
pub(crate) fn tagged(handle: &str, suffix: &str, text: &str) -> Result<Tagged, String> {
    let value = plain(text);
    let Some(name) = core_tag(handle, suffix) else {
        return Ok(Tagged::Value(Value::Str));
    };
    let mismatch = || Err(format!("`{text}` is not a value of the tag `!!{name}`"));
    let value = match (name, value) {
        ("binary", _) => {
            return base64(text)
                .map(Tagged::Binary)
                .ok_or_else(|| "the value is not base 64".to_owned());
        }
        ("bool", Value::Bool(_))
        | ("int", Value::Int(_) | Value::UInt(_))
        | ("float", Value::Float(_))
        | ("null", Value::Null) => value,
        #[expect(clippy::cast_precision_loss, reason = "the tag asks for it")]
        ("float", Value::Int(value)) => Value::Float(value as f64),
        ("timestamp", _) if is_timestamp(text) => Value::Str,
        ("bool" | "int" | "float" | "null" | "timestamp", _) => return mismatch(),
        _ => Value::Str,
    };
    Ok(Tagged::Value(value))
}

/// Whether a key `<<` with this tag merges.
pub(crate) fn may_merge(tag: Option<(&str, &str)>, is_plain: bool) -> bool {
    match tag {
        None => is_plain,
        Some((handle, suffix)) => {
            is_non_specific(handle, suffix) || core_tag(handle, suffix) == Some("merge")
        }
    }
}

fn is_non_specific(handle: &str, suffix: &str) -> bool {
    handle.is_empty() && suffix == "!" || handle == "!" && suffix.is_empty()
}

/// The name of a tag of the YAML type repository.
fn core_tag<'s>(handle: &str, suffix: &'s str) -> Option<&'s str> {
    const PREFIX: &str = "tag:yaml.org,2002:";
    match handle {
        PREFIX => Some(suffix),
        "" => suffix.strip_prefix(PREFIX),
        _ => None,
    }
}

/// A date, or a date and a time, in one of the forms that go-yaml reads.
pub(crate) fn is_timestamp(text: &str) -> bool {
    fn number(
        text: &str,
        lengths: std::ops::RangeInclusive<usize>,
        limit: std::ops::RangeInclusive<u32>,
    ) -> Option<(u32, &str)> {
        let digits = text
            .bytes()
            .take_while(u8::is_ascii_digit)
            .count()
            .min(*lengths.end());
        let value = text.get(..digits)?.parse().ok()?;
        (lengths.contains(&digits) && limit.contains(&value)).then_some((value, &text[digits..]))
    }
    fn parse(text: &str) -> Option<()> {
        let (year, rest) = number(text, 4..=4, 0..=9999)?;
        let (month, rest) = number(rest.strip_prefix('-')?, 1..=2, 1..=12)?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let days = match month {
            4 | 6 | 9 | 11 => 30,
            2 => 28 + u32::from(leap),
            _ => 31,
        };
        let (_, rest) = number(rest.strip_prefix('-')?, 1..=2, 1..=days)?;
        if rest.is_empty() {
            return Some(());
        }
        let zoned = rest.starts_with(['T', 't']);
        let (_, rest) = number(rest.strip_prefix(['T', 't', ' '])?, 1..=2, 0..=23)?;
        let (_, rest) = number(rest.strip_prefix(':')?, 1..=2, 0..=59)?;
        let (_, mut rest) = number(rest.strip_prefix(':')?, 1..=2, 0..=59)?;
        if let Some(fraction) = rest.strip_prefix(['.', ',']) {
            let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
            if digits == 0 {
                return None;
            }
            rest = &fraction[digits..];
        }
        if !zoned {
            return rest.is_empty().then_some(());
        }
        if rest == "Z" {
            return Some(());
        }
        let (_, rest) = number(rest.strip_prefix(['+', '-'])?, 2..=2, 0..=24)?;
        let (_, rest) = number(rest.strip_prefix(':')?, 2..=2, 0..=60)?;
        rest.is_empty().then_some(())
    }
    parse(text).is_some()
}

/// Decodes base 64 with padding, line breaks ignored; bytes that are not UTF-8 become U+FFFD, as JSON shows
/// them.
fn base64(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut digits = text.bytes().filter(|byte| !matches!(byte, b'\r' | b'\n'));
    while let Some(first) = digits.next() {
        let group = [first, digits.next()?, digits.next()?, digits.next()?];
        let padding = group.iter().rev().take_while(|&&byte| byte == b'=').count();
        let mut bits = 0_u32;
        for &byte in &group[..4 - padding.min(2)] {
            let digit = match byte {
                b'A'..=b'Z' => byte - b'A',
                b'a'..=b'z' => byte - b'a' + 26,
                b'0'..=b'9' => byte - b'0' + 52,
                b'+' => 62,
                b'/' => 63,
                _ => return None,
            };
            bits = bits << 6 | u32::from(digit);
        }
        let [_, a, b, c] = (bits << (6 * padding.min(2))).to_be_bytes();
        bytes.extend_from_slice(&[a, b, c][..3 - padding.min(2)]);
        if padding > 0 {
            return (padding <= 2 && digits.next().is_none()).then(|| lossy(&bytes));
        }
    }
    Some(lossy(&bytes))
}

/// As Go's JSON writer: one replacement character for each byte that is not UTF-8.
fn lossy(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| char::REPLACEMENT_CHARACTER));
    }
    text
}

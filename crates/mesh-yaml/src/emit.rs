//! Values as block YAML, in the form that kubectl prints.
//!
//! What is written reads back as the same value, both here and by kubectl: strings are quoted where a plain scalar
//! would mean something else. Text of several lines becomes a literal block.

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::resolve::{self, Value};

/// Longest key in bytes that is written before its colon; longer ones take YAML's explicit form. YAML itself sets the
/// limit at 1024 characters.
const LONGEST_KEY: usize = 1000;

/// A YAML document that is written entry by entry.
///
/// The values come from any deserializer of a self-describing format, and are not held in memory between.
#[derive(Debug, Default)]
pub struct Emitter {
    text: String,
    /// The number of mappings that are open.
    depth: usize,
}

impl Emitter {
    /// An empty document.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds an entry to the innermost open mapping.
    ///
    /// # Errors
    ///
    /// Those of the deserializer; a key that is not a string.
    pub fn entry<'de, D: Deserializer<'de>>(&mut self, key: &str, value: D) -> Result<(), D::Error> {
        let column = self.depth * 2;
        pad(&mut self.text, column);
        write_key(&mut self.text, key, column);
        let place = Place {
            column,
            after: After::Key,
        };
        Emit(&mut self.text, place).deserialize(value)
    }

    /// Adds an entry whose value is a mapping, and opens that: the following entries belong to it. It must get one.
    pub fn open(&mut self, key: &str) {
        let column = self.depth * 2;
        pad(&mut self.text, column);
        write_key(&mut self.text, key, column);
        self.text.push('\n');
        self.depth += 1;
    }

    /// Closes the mapping that was opened last.
    pub fn close(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }

    /// The text.
    pub fn finish(self) -> String {
        self.text
    }
}

/// The value of a deserializer as YAML text.
///
/// # Errors
///
/// Those of the deserializer; a key that is not a string.
pub fn to_string<'de, D: Deserializer<'de>>(value: D) -> Result<String, D::Error> {
    let mut text = String::new();
    let place = Place {
        column: 0,
        after: After::Nothing,
    };
    Emit(&mut text, place).deserialize(value)?;
    Ok(text)
}

/// What stands before a value.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    /// The start of the document.
    Nothing,
    /// A key and its colon.
    Key,
    /// The dash of an item.
    Dash,
}

/// Where a value goes.
#[derive(Clone, Copy)]
struct Place {
    /// The column of what stands before it.
    column: usize,
    after: After,
}

impl Place {
    /// The blank between a value on the same line and what stands before it.
    fn separate(self, text: &mut String) {
        if self.after != After::Nothing {
            text.push(' ');
        }
    }
}

/// Writes one value, with the line break after it.
struct Emit<'t>(&'t mut String, Place);

impl Emit<'_> {
    fn scalar(self, text: &str) {
        let Self(out, place) = self;
        place.separate(out);
        out.push_str(text);
        out.push('\n');
    }
}

impl<'de> DeserializeSeed<'de> for Emit<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Emit<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.scalar("null");
        Ok(())
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.scalar(if value { "true" } else { "false" });
        Ok(())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.scalar(&value.to_string());
        Ok(())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.scalar(&value.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if value.is_nan() {
            self.scalar(".nan");
        } else if value.is_infinite() {
            self.scalar(if value > 0.0 { ".inf" } else { "-.inf" });
        } else {
            self.scalar(&format!("{value:?}"));
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        let Self(out, place) = self;
        place.separate(out);
        let inner = match place.after {
            // At the root there is no block to be indented in.
            After::Nothing => None,
            After::Key | After::Dash => Some(place.column + 2),
        };
        match inner.filter(|_| fits_literal(value)) {
            Some(column) => write_literal(out, value, column),
            None => write_string(out, value),
        }
        out.push('\n');
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let Self(out, place) = self;
        let mut is_first = true;
        while items.next_element_seed(Item(out, place, is_first))?.is_some() {
            is_first = false;
        }
        if is_first {
            place.separate(out);
            out.push_str("[]\n");
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<(), A::Error> {
        let Self(out, place) = self;
        let column = match place.after {
            After::Nothing => 0,
            After::Key | After::Dash => place.column + 2,
        };
        let mut is_first = true;
        while let Some(key) = entries.next_key::<Key<'de>>()? {
            match (is_first, place.after) {
                (true, After::Key) => {
                    out.push('\n');
                    pad(out, column);
                }
                (true, _) => place.separate(out),
                (false, _) => pad(out, column),
            }
            is_first = false;
            write_key(out, &key.0, column);
            let value = Place {
                column,
                after: After::Key,
            };
            entries.next_value_seed(Emit(out, value))?;
        }
        if is_first {
            place.separate(out);
            out.push_str("{}\n");
        }
        Ok(())
    }
}

/// Writes one item of the sequence that goes to a place; the first one begins on the same line after a dash.
struct Item<'t>(&'t mut String, Place, bool);

impl<'de> DeserializeSeed<'de> for Item<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let Self(out, place, is_first) = self;
        // A sequence stands in the column of its key, and two columns after the dash that it is an item of.
        let column = match place.after {
            After::Nothing | After::Key => place.column,
            After::Dash => place.column + 2,
        };
        match (is_first, place.after) {
            (true, After::Key) => {
                out.push('\n');
                pad(out, column);
            }
            (true, _) => place.separate(out),
            (false, _) => pad(out, column),
        }
        out.push('-');
        let item = Place {
            column,
            after: After::Dash,
        };
        Emit(out, item).deserialize(deserializer)
    }
}

/// A key, borrowed where the format can.
struct Key<'de>(std::borrow::Cow<'de, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct KeyVisitor;
        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a string as key")
            }

            fn visit_borrowed_str<E: Error>(self, key: &'de str) -> Result<Self::Value, E> {
                Ok(Key(key.into()))
            }

            fn visit_str<E: Error>(self, key: &str) -> Result<Self::Value, E> {
                Ok(Key(key.to_owned().into()))
            }
        }
        deserializer.deserialize_str(KeyVisitor)
    }
}

fn pad(out: &mut String, column: usize) {
    out.extend(std::iter::repeat_n(' ', column));
}

/// A key and its colon.
fn write_key(out: &mut String, key: &str, column: usize) {
    let start = out.len();
    write_string(out, key);
    if out.len() - start > LONGEST_KEY {
        out.insert_str(start, "? ");
        out.push('\n');
        pad(out, column);
    }
    out.push(':');
}

/// A string on one line.
fn write_string(out: &mut String, text: &str) {
    if is_plain(text) {
        out.push_str(text);
    } else if text.is_empty() || text.chars().any(needs_escape) || resolve::plain(text) != Value::Str {
        write_double_quoted(out, text);
    } else {
        out.push('\'');
        for (index, part) in text.split('\'').enumerate() {
            if index > 0 {
                out.push_str("''");
            }
            out.push_str(part);
        }
        out.push('\'');
    }
}

fn write_double_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // All of these are below U+10000.
            other if needs_escape(other) => {
                out.push_str("\\u");
                let code = u32::from(other);
                let digit = |shift: u32| char::from_digit(code >> shift & 0xf, 16);
                out.extend([12, 8, 4, 0].into_iter().filter_map(digit));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

/// Text of several lines, as a literal block whose lines begin at `column`.
fn write_literal(out: &mut String, text: &str, column: usize) {
    out.push_str(match text.strip_suffix('\n') {
        None => "|-",
        Some(rest) if rest.ends_with('\n') => "|+",
        Some(_) => "|",
    });
    let text = text.strip_suffix('\n').unwrap_or(text);
    for line in text.split('\n') {
        out.push('\n');
        if !line.is_empty() {
            pad(out, column);
            out.push_str(line);
        }
    }
}

/// Whether a literal block can hold the text, in a form that needs no indentation indicator.
fn fits_literal(text: &str) -> bool {
    let mut lines = text.split('\n');
    let starts_well = lines
        .next()
        .is_some_and(|first| !first.is_empty() && !first.starts_with([' ', '\t']));
    starts_well
        && text.contains('\n')
        && !text.chars().any(|character| character != '\n' && character != '\t' && needs_escape(character))
        // Blanks at the end of lines are hard to see, and a line of blanks only is easily lost.
        && !text.split('\n').any(|line| line.ends_with([' ', '\t']))
}

/// Whether the text can stand without quotes and still is this string, and one that YAML 1.1 and 1.2 both read so.
fn is_plain(text: &str) -> bool {
    const INDICATORS: &[u8] = b"-?:,[]{}#&*!|>'\"%@`= ";
    let bytes = text.as_bytes();
    let (Some(first), Some(last)) = (bytes.first(), bytes.last()) else {
        return false;
    };
    let is_dash_before_word = |byte: &u8| *byte == b'-' || byte.is_ascii_alphanumeric();
    let may_begin =
        !INDICATORS.contains(first) || (*first == b'-' && bytes.get(1).is_some_and(is_dash_before_word));
    may_begin
        && !matches!(last, b' ' | b':')
        && text != "<<"
        && !text.starts_with("---")
        && !text.starts_with("...")
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.chars().any(needs_escape)
        && resolve::plain(text) == Value::Str
        && !resolve::is_timestamp(text)
        && !is_sexagesimal(text)
}

/// Whether YAML 1.1 may take the text for a number to base 60, such as `12:30`.
fn is_sexagesimal(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    digits.starts_with(|first: char| first.is_ascii_digit())
        && digits.contains(':')
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'_'))
}

/// Whether a character can only be written as an escape in double quotes: what YAML does not call printable, and line
/// breaks of every kind.
fn needs_escape(character: char) -> bool {
    matches!(
        character,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
    )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_look_as_kubectl_prints_them() {
        let value = json!({
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": { "name": "web", "labels": {}, "annotations": { "a/b": "true", "when": "2026-01-02T03:04:05Z" } },
            "spec": {
                "ports": [{ "port": 80, "targetPort": "http" }, { "port": 443 }],
                "nested": [[1, 2], [], [[]]],
                "host": "*.example.com",
                "script": "set -e\n\necho done\n",
                "ratio": 0.5,
                "none": null,
                "quote": "it's: so",
            },
        });
        let expected = "\
apiVersion: v1
kind: Service
metadata:
  name: web
  labels: {}
  annotations:
    a/b: \"true\"
    when: '2026-01-02T03:04:05Z'
spec:
  ports:
  - port: 80
    targetPort: http
  - port: 443
  nested:
  - - 1
    - 2
  - []
  - - []
  host: '*.example.com'
  script: |
    set -e

    echo done
  ratio: 0.5
  none: null
  quote: 'it''s: so'
";
        assert_eq!(to_string(&value).expect("emits"), expected);
    }

    #[test]
    fn entries_can_be_added_one_by_one() {
        let mut emitter = Emitter::new();
        emitter.entry("kind", &json!("Pod")).expect("emits");
        emitter.open("metadata");
        emitter.entry("name", &json!("a")).expect("emits");
        emitter.close();
        emitter.entry("spec", &json!({ "a": [] })).expect("emits");
        assert_eq!(
            emitter.finish(),
            "kind: Pod\nmetadata:\n  name: a\nspec:\n  a: []\n"
        );
    }

    #[test]
    fn multi_line_text_keeps_its_ending() {
        for (text, expected) in [
            ("a\nb", "k: |-\n  a\n  b\n"),
            ("a\nb\n", "k: |\n  a\n  b\n"),
            ("a\n\n\n", "k: |+\n  a\n\n\n"),
            (" a\nb", "k: \" a\\nb\"\n"),
            ("a \nb", "k: \"a \\nb\"\n"),
            ("\n", "k: \"\\n\"\n"),
            ("a\r\nb", "k: \"a\\r\\nb\"\n"),
        ] {
            assert_eq!(to_string(&json!({ "k": text })).expect("emits"), expected);
        }
    }
}

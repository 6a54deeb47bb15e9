//! Random texts that look like YAML, for properties.

use proptest::prelude::*;
use proptest::sample::select;

/// Pieces of lines, weighted towards what manifests have.
const TOKENS: &[&str] = &[
    "a",
    "b: ",
    "key: ",
    "key:",
    "- ",
    "- ",
    "-",
    "name: x",
    "'q'",
    "\"d\"",
    "\"e\\n\\u00e9\"",
    "'it''s'",
    "1",
    "0644",
    "1.5",
    "true",
    "on",
    "null",
    "~",
    "[",
    "]",
    "{",
    "}",
    ", ",
    ",",
    ": ",
    ":",
    " # c",
    "#",
    "# c",
    " ",
    "  ",
    "\t",
    "|",
    ">",
    "|-",
    ">+",
    "|2",
    "&x ",
    "*x",
    "!!str ",
    "!t ",
    "? ",
    "'",
    "\"",
    "\\",
    "é",
    "\u{1F600}",
    "http://h/p",
    "*.x",
    "a b",
    "a: b",
    "[a, b]",
    "{a: b}",
    "[]",
    "{}",
    "{a: [b, 'c']}",
    "<<: ",
    "@",
    "`",
    "%",
    "---",
    "...",
    "=",
    "-1",
    "a#b",
    "x:y",
    "\u{feff}",
];

fn line() -> impl Strategy<Value = String> {
    (0_usize..6, proptest::collection::vec(select(TOKENS), 0..5))
        .prop_map(|(indent, tokens)| " ".repeat(indent) + &tokens.concat())
}

/// Lines of pieces in any order; mostly broken YAML.
pub(crate) fn soup() -> impl Strategy<Value = String> {
    let line_break = prop_oneof![20 => Just("\n"), 1 => Just("\r\n"), 1 => Just("\n\n")];
    (
        proptest::collection::vec((line(), line_break), 0..8),
        any::<bool>(),
    )
        .prop_map(|(lines, end)| {
            let mut text: String = lines
                .iter()
                .flat_map(|(line, line_break)| [line.as_str(), line_break])
                .collect();
            if !end {
                text.truncate(text.trim_end_matches(['\n', '\r']).len());
            }
            text
        })
}

const PLAIN: &[&str] = &[
    "a",
    "web",
    "x y",
    "10.0.0.1",
    "1",
    "0755",
    "1.5",
    "true",
    "off",
    "null",
    "~",
    "5s",
    "x*.example.com",
    "http://a.b:80/c?d=e",
    "é日本",
    "a#b",
    "a:b",
    "-1",
    "-a",
    "x{{",
    "a, b",
    "it's",
    "a\"b",
    "v1",
    "1_000",
    "2001-01-01",
];
const QUOTED: &[&str] = &[
    "''",
    "'a b'",
    "'it''s'",
    "'# c'",
    "\"*.example.com\"",
    "\"\"",
    "\"a\"",
    "\"a\\tb\\\\\"",
    "\"\\u00e9\"",
    "\": b\"",
    "'a: b'",
    "\"é\"",
    "'\"'",
    "\"'\"",
    "\"\\\"\"",
];
const KEYS: &[&str] = &[
    "a", "b", "c", "name", "on", "1", "1.5", "app.io/x", "'q'", "\"d\"", "é", "x y", "-k",
];
const FLOW: &[&str] = &[
    "[]",
    "{}",
    "[a, b]",
    "[ 'x', 1 ]",
    "{a: 1, b: [c]}",
    "{ a: {b: } }",
    "[[], {}]",
    "{\"a\": \"b\", c: 'd'}",
    "[a, b,]",
    "{\"a\":1}",
];
const BLOCK: &[&str] = &["|", ">", "|-", ">-", "|+", ">+"];
const TEXT: &[&str] = &[
    "text",
    "  more",
    "",
    "# no comment",
    "a: b",
    "- c",
    "é",
    " x ",
    "end",
];

/// A document of the kind that people write, valid by construction, apart from duplicate keys.
pub(crate) fn manifest() -> impl Strategy<Value = String> {
    let scalar = prop_oneof![4 => select(PLAIN).prop_map(Shape::Inline), 2 => select(QUOTED).prop_map(Shape::Inline), 2 => select(FLOW).prop_map(Shape::Inline), 1 => Just(Shape::Missing), 1 => (select(BLOCK), proptest::collection::vec(select(TEXT), 0..4)).prop_map(|(header, lines)| Shape::Block(header, lines))];
    let shape = scalar.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec((select(KEYS), inner.clone(), comment()), 1..4)
                .prop_map(Shape::Mapping),
            (proptest::collection::vec((inner, comment()), 1..4), any::<bool>())
                .prop_map(|(items, compact)| Shape::Sequence(items, compact)),
        ]
    });
    (shape, any::<bool>(), any::<bool>(), any::<bool>()).prop_map(|(shape, marker, crlf, end)| {
        let mut text = String::new();
        if marker {
            text.push_str("---\n");
        }
        shape.write(&mut text, 0, Place::Start);
        if !end {
            text.truncate(text.trim_end_matches('\n').len());
        }
        if crlf { text.replace('\n', "\r\n") } else { text }
    })
}

/// Texts with a piece of a line put somewhere, or a piece taken out.
pub(crate) fn mutated(texts: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    (texts, any::<prop::sample::Index>(), select(TOKENS), 0_usize..3).prop_map(
        |(text, place, token, removed)| {
            let places: Vec<usize> = text
                .char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .collect();
            let at = place.index(places.len());
            let after = places.get(at + removed).copied().unwrap_or(text.len());
            let token = if removed == 2 { "" } else { token };
            format!("{}{token}{}", &text[..places[at]], &text[after..])
        },
    )
}

#[derive(Clone, Debug)]
enum Shape {
    Inline(&'static str),
    Missing,
    Block(&'static str, Vec<&'static str>),
    Mapping(Vec<(&'static str, Shape, Option<&'static str>)>),
    Sequence(Vec<(Shape, Option<&'static str>)>, bool),
}

#[derive(Copy, Clone, PartialEq)]
enum Place {
    /// At the start of a line, or after a dash.
    Start,
    /// After a key.
    Key,
}

fn comment() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![6 => Just(None), 1 => select(&["# c", "#", "# é: x", "   # d"][..]).prop_map(Some)]
}

impl Shape {
    /// Writes the value. The text ends with a line break after it.
    fn write(&self, out: &mut String, indent: usize, place: Place) {
        let pad = " ".repeat(indent);
        match self {
            Self::Inline(token) => {
                if place == Place::Key {
                    out.push(' ');
                }
                out.push_str(token);
                out.push('\n');
            }
            Self::Missing => out.push('\n'),
            Self::Block(header, lines) => {
                if place == Place::Key {
                    out.push(' ');
                }
                out.push_str(header);
                out.push('\n');
                for line in lines {
                    if !line.is_empty() {
                        out.push_str(&pad);
                        out.push_str("  x");
                    }
                    out.push_str(line);
                    out.push('\n');
                }
            }
            Self::Mapping(entries) => {
                let mut first = place == Place::Start;
                if place == Place::Key {
                    out.push('\n');
                }
                for (key, value, comment) in entries {
                    if !std::mem::take(&mut first) {
                        Self::own_line(out, &pad, *comment);
                        out.push_str(&pad);
                    }
                    out.push_str(key);
                    out.push(':');
                    let deeper = if matches!(value, Self::Sequence(_, true)) {
                        0
                    } else {
                        2
                    };
                    value.write(out, indent + deeper, Place::Key);
                }
            }
            Self::Sequence(items, _) => {
                let mut first = place == Place::Start;
                if place == Place::Key {
                    out.push('\n');
                }
                for (item, comment) in items {
                    if !std::mem::take(&mut first) {
                        Self::own_line(out, &pad, *comment);
                        out.push_str(&pad);
                    }
                    out.push_str("- ");
                    item.write(out, indent + 2, Place::Start);
                }
            }
        }
    }

    fn own_line(out: &mut String, pad: &str, comment: Option<&str>) {
        if let Some(comment) = comment {
            out.push_str(pad);
            out.push_str(comment);
            out.push('\n');
        }
    }
}

/// `cases` cases, or as many as the environment variable `PROPTEST_CASES` says.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() {
        ProptestConfig::default().cases
    } else {
        cases
    };
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

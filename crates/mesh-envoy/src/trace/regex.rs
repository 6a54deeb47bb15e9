//! RE2 expressions on the `regex` crate.
//!
//! Both have the same roots, and differ in character classes (`[` and `&&` in a class are plain to RE2), in `\Q…\E`, and
//! in what `\d`, `\w` and `\s` cover (ASCII in RE2).

use std::sync::{Arc, Mutex, PoisonError};

use regex::bytes::{Regex, RegexBuilder};
use rustc_hash::FxHashMap;

/// Compiled expressions, each compiled once. `None` is one that cannot be compiled.
#[derive(Debug, Default)]
pub(super) struct Regexes(Mutex<FxHashMap<String, Option<Arc<Regex>>>>);

impl Regexes {
    /// The expression, unanchored.
    pub(super) fn get(&self, pattern: &str) -> Option<Arc<Regex>> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(regex) = known.get(pattern) {
            return regex.clone();
        }
        let regex = compile(pattern).map(Arc::new);
        known.insert(pattern.to_owned(), regex.clone());
        regex
    }

    /// Whether the expression matches the whole text, as Envoy's matchers ask. `None` if it cannot be compiled.
    pub(super) fn matches(&self, pattern: &str, text: &str) -> Option<bool> {
        let whole = format!(r"\A(?:{pattern})\z");
        Some(self.get(&whole)?.is_match(text.as_bytes()))
    }
}

fn compile(pattern: &str) -> Option<Regex> {
    let translated = translate(pattern);
    // Without Unicode the classes are those of RE2, but classes of non-ASCII characters cannot be written.
    let build = |unicode| RegexBuilder::new(&translated).unicode(unicode).build().ok();
    build(false).or_else(|| build(true))
}

fn translate(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut rest = pattern;
    let mut in_class = false;
    while let Some(character) = rest.chars().next() {
        let after = &rest[character.len_utf8()..];
        match character {
            '\\' if after.starts_with('Q') && !in_class => {
                let quoted = &after[1..];
                let end = quoted.find(r"\E").unwrap_or(quoted.len());
                out.push_str(&regex::escape(&quoted[..end]));
                rest = quoted[end..].strip_prefix(r"\E").unwrap_or_default();
            }
            '\\' => {
                out.push('\\');
                out.extend(after.chars().next());
                rest = after
                    .get(after.chars().next().map_or(0, char::len_utf8)..)
                    .unwrap_or_default();
            }
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                rest = after;
                if let Some(negated) = rest.strip_prefix('^') {
                    out.push('^');
                    rest = negated;
                }
                if let Some(literal) = rest.strip_prefix(']') {
                    out.push_str(r"\]");
                    rest = literal;
                }
            }
            '[' => {
                if let Some((name, behind)) = after.strip_prefix(':').and_then(|name| name.split_once(":]")) {
                    out.extend(["[:", name, ":]"]);
                    rest = behind;
                } else {
                    out.push_str(r"\[");
                    rest = after;
                }
            }
            ']' => {
                in_class = false;
                out.push(']');
                rest = after;
            }
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(character);
                rest = after;
            }
            other => {
                out.push(other);
                rest = after;
            }
        }
    }
    out
}

/// A substitution of RE2 (`\1`, `\\`) in the form of the `regex` crate.
pub(super) fn substitution(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => match characters.next() {
                Some(digit) if digit.is_ascii_digit() => out.extend(["${", &digit.to_string(), "}"]),
                other => out.extend(other),
            },
            '$' => out.push_str("$$"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_whole_text_must_match() {
        let regexes = Regexes::default();
        assert_eq!(regexes.matches("a|ab", "ab"), Some(true));
        assert_eq!(regexes.matches("a", "ab"), Some(false));
        assert_eq!(regexes.matches("(", "a"), None);
    }

    #[test]
    fn classes_are_those_of_re2() {
        let regexes = Regexes::default();
        assert_eq!(regexes.matches("[^[]+", "a]b"), Some(true));
        assert_eq!(regexes.matches("[]a]+", "]a"), Some(true));
        assert_eq!(regexes.matches("[a&&b]+", "a&b"), Some(true));
        assert_eq!(regexes.matches(r"[[:digit:]\]]+", "1]2"), Some(true));
        assert_eq!(regexes.matches(r"\d", "٣"), Some(false));
        assert_eq!(regexes.matches(r"\Qa.b\E.", "a.bc"), Some(true));
        assert_eq!(regexes.matches(r"\Qa.b\E.", "axbc"), Some(false));
        assert_eq!(regexes.matches("[äö]", "ö"), Some(true));
    }

    #[test]
    fn substitutions() {
        assert_eq!(substitution(r"/\2/$1\\"), r"/${2}/$$1\");
    }
}

//! Field paths: where in a document something is, independent of any text.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

/// One step from a collection to one of its values.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Segment {
    /// The value of this key in a mapping.
    Key(Box<str>),
    /// The item with this number, from 0, in a sequence.
    Index(usize),
}

/// A path from the root of a document to one of its values, such as `spec.http[0].route[1].weight`.
///
/// Keys that are not made of ASCII letters, digits, `_` and `-` alone are written as a JSON string in
/// brackets: `metadata.labels["app.kubernetes.io/name"]`. The root is the empty string. What `Display`
/// writes, `FromStr` reads back to an equal path.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The path of the document's root.
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// Appends the step to the value of `key`.
    pub fn push_key(&mut self, key: &str) {
        self.0.push(Segment::Key(key.into()));
    }

    /// Appends the step to item `index`.
    pub fn push_index(&mut self, index: usize) {
        self.0.push(Segment::Index(index));
    }

    /// Appends one step.
    pub fn push(&mut self, segment: impl IntoSegment) {
        self.0.push(segment.into_segment());
    }

    /// Removes the last step and returns it; `None` at the root.
    pub fn pop(&mut self) -> Option<Segment> {
        self.0.pop()
    }

    /// This path and then `key`.
    #[must_use]
    pub fn key(&self, key: impl AsRef<str>) -> Self {
        let mut path = self.with_room(1);
        path.push_key(key.as_ref());
        path
    }

    /// This path and then item `index`.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        let mut path = self.with_room(1);
        path.push_index(index);
        path
    }

    /// This path and then all of `tail`.
    #[must_use]
    pub fn join(&self, tail: &FieldPath) -> Self {
        let mut path = self.with_room(tail.0.len());
        path.0.extend_from_slice(&tail.0);
        path
    }

    /// The path without its last step; `None` at the root.
    pub fn parent(&self) -> Option<Self> {
        let (_, init) = self.0.split_last()?;
        Some(Self(init.to_vec()))
    }

    /// The steps from the root.
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// The last step; `None` at the root.
    pub fn last(&self) -> Option<&Segment> {
        self.0.last()
    }

    /// Number of steps.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether this is the root.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `self` is `prefix` or below it.
    pub fn starts_with(&self, prefix: &FieldPath) -> bool {
        self.0.starts_with(&prefix.0)
    }

    fn with_room(&self, more: usize) -> Self {
        let mut segments = Vec::with_capacity(self.0.len() + more);
        segments.extend_from_slice(&self.0);
        Self(segments)
    }
}

impl FromIterator<Segment> for FieldPath {
    fn from_iter<I: IntoIterator<Item = Segment>>(segments: I) -> Self {
        Self(segments.into_iter().collect())
    }
}

impl From<Vec<Segment>> for FieldPath {
    fn from(segments: Vec<Segment>) -> Self {
        Self(segments)
    }
}

/// Whether a key is written without brackets and quotes.
fn is_bare(key: &str) -> bool {
    !key.is_empty() && key.bytes().all(is_bare_byte)
}

fn is_bare_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if is_bare(key) => {
                    if position > 0 {
                        f.write_str(".")?;
                    }
                    f.write_str(key)?;
                }
                Segment::Key(key) => {
                    let quoted = serde_json::to_string(&**key).map_err(|_| fmt::Error)?;
                    write!(f, "[{quoted}]")?;
                }
                Segment::Index(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}

/// Why a text is not a field path.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("invalid field path `{path}`: {reason} at byte {offset}")]
pub struct PathError {
    path: String,
    reason: &'static str,
    offset: usize,
}

impl PathError {
    /// Offset in the path at which reading stopped, in bytes.
    pub fn offset(&self) -> usize {
        self.offset
    }
}

impl FromStr for FieldPath {
    type Err = PathError;

    fn from_str(text: &str) -> Result<Self, PathError> {
        let fail = |offset: usize, reason: &'static str| PathError {
            path: text.to_owned(),
            reason,
            offset,
        };
        let bytes = text.as_bytes();
        let mut path = Self::root();
        let mut at = 0;
        while at < bytes.len() {
            match bytes[at] {
                b'[' if bytes.get(at + 1) == Some(&b'"') => {
                    let start = at + 1;
                    let end = json_string_end(bytes, start).ok_or_else(|| fail(start, "unclosed quote"))?;
                    let quoted = text.get(start..end).unwrap_or_default();
                    let key: Cow<'_, str> = serde_json::from_str::<String>(quoted)
                        .map_err(|_| fail(start, "the quoted key is not a JSON string"))?
                        .into();
                    if bytes.get(end) != Some(&b']') {
                        return Err(fail(end, "expected `]`"));
                    }
                    path.push_key(&key);
                    at = end + 1;
                }
                b'[' => {
                    let start = at + 1;
                    let digits = bytes[start..]
                        .iter()
                        .take_while(|byte| byte.is_ascii_digit())
                        .count();
                    let end = start + digits;
                    if digits == 0 {
                        return Err(fail(start, "expected a number or a quoted key after `[`"));
                    }
                    let index = text.get(start..end).and_then(|digits| digits.parse().ok());
                    path.push_index(index.ok_or_else(|| fail(start, "the index is too large"))?);
                    if bytes.get(end) != Some(&b']') {
                        return Err(fail(end, "expected `]`"));
                    }
                    at = end + 1;
                }
                byte => {
                    let start = match (byte, path.is_empty()) {
                        (b'.', false) => at + 1,
                        (b'.', true) => return Err(fail(at, "a path does not start with `.`")),
                        (_, true) => at,
                        (_, false) => return Err(fail(at, "expected `.` or `[`")),
                    };
                    let length = bytes[start..]
                        .iter()
                        .take_while(|&&byte| is_bare_byte(byte))
                        .count();
                    if length == 0 {
                        return Err(fail(start, "expected a key; quote unusual keys as `[\"key\"]`"));
                    }
                    path.push_key(text.get(start..start + length).unwrap_or_default());
                    at = start + length;
                }
            }
        }
        Ok(path)
    }
}

/// The offset after the closing quote of the JSON string that opens at `start`.
fn json_string_end(bytes: &[u8], start: usize) -> Option<usize> {
    let mut at = start + 1;
    loop {
        match bytes.get(at)? {
            b'\\' => at += 2,
            b'"' => return Some(at + 1),
            _ => at += 1,
        }
    }
}

/// What [`path!`](crate::path) accepts as a step: text for a key, a number for an index.
pub trait IntoSegment {
    /// The step.
    fn into_segment(self) -> Segment;
}

impl IntoSegment for &str {
    fn into_segment(self) -> Segment {
        Segment::Key(self.into())
    }
}

impl IntoSegment for String {
    fn into_segment(self) -> Segment {
        Segment::Key(self.into())
    }
}

impl IntoSegment for &String {
    fn into_segment(self) -> Segment {
        Segment::Key(self.as_str().into())
    }
}

impl IntoSegment for usize {
    fn into_segment(self) -> Segment {
        Segment::Index(self)
    }
}

impl IntoSegment for &usize {
    fn into_segment(self) -> Segment {
        Segment::Index(*self)
    }
}

impl IntoSegment for &Segment {
    fn into_segment(self) -> Segment {
        self.clone()
    }
}

impl IntoSegment for Segment {
    fn into_segment(self) -> Segment {
        self
    }
}

/// A [`FieldPath`] from its steps: `path!["spec", "servers", index, "port"]`.
///
/// Text becomes a key and `usize` an index; `path![]` is the root.
#[macro_export]
macro_rules! path {
    ($($segment:expr),* $(,)?) => {
        <$crate::FieldPath as ::core::iter::FromIterator<$crate::Segment>>::from_iter(
            [$($crate::IntoSegment::into_segment($segment)),*] as [$crate::Segment; _]
        )
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_read_as_people_write_them() {
        for (path, text) in [
            (path![], ""),
            (
                path!["spec", "http", 0, "route", 1, "weight"],
                "spec.http[0].route[1].weight",
            ),
            (
                path!["metadata", "labels", "a.b/c"],
                r#"metadata.labels["a.b/c"]"#,
            ),
            (path![0, "x"], "[0].x"),
            (path!["", "8080", "\"\\"], r#"[""].8080["\"\\"]"#),
        ] {
            assert_eq!(path.to_string(), text);
            assert_eq!(text.parse::<FieldPath>().as_ref(), Ok(&path), "{text}");
        }
    }

    #[test]
    fn broken_paths_say_where() {
        for (text, offset) in [
            (".a", 0),
            ("a.", 2),
            ("a..b", 2),
            ("a[", 2),
            ("a[x]", 2),
            ("a[1", 3),
            ("a[1]b", 4),
            ("a[\"b", 2),
            ("a b", 1),
        ] {
            let error = text.parse::<FieldPath>().expect_err(text);
            assert_eq!(error.offset(), offset, "{error}");
        }
        let error = "a[99999999999999999999999]"
            .parse::<FieldPath>()
            .expect_err("too large");
        assert_eq!(
            error.to_string(),
            "invalid field path `a[99999999999999999999999]`: the index is too large at byte 2"
        );
    }

    #[test]
    fn paths_grow_and_shrink() {
        let spec = path!["spec"];
        let port = spec.key("servers").index(2).join(&path!["port", "number"]);
        assert_eq!(port, path!["spec", "servers", 2, "port", "number"]);
        assert!(port.starts_with(&spec));
        assert_eq!(port.parent(), Some(path!["spec", "servers", 2, "port"]));
        assert_eq!(path![].parent(), None);
        assert_eq!(port.last(), Some(&Segment::Key("number".into())));
    }
}

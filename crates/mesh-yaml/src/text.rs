//! From bytes to text.

use std::sync::Arc;

use crate::{Span, SyntaxError, span::saturating_u32};

/// Turns the bytes of a file into text.
///
/// - UTF-8, with or without a byte order mark. The mark stays in the text, so offsets are those of the file;
///   the parser and [`LineIndex`](crate::LineIndex) know it.
/// - UTF-16 with a byte order mark, either byte order. Offsets are those of the text as UTF-8, the mark is
///   dropped.
/// - Anything else is an error at the first byte that is not UTF-8.
///
/// Files above 4 GiB are refused, because spans are 32 bits wide.
pub fn decode(bytes: Vec<u8>) -> Result<Arc<str>, SyntaxError> {
    let text = match bytes.as_slice() {
        [0xff, 0xfe, rest @ ..] => decode_utf16(rest, u16::from_le_bytes)?,
        [0xfe, 0xff, rest @ ..] => decode_utf16(rest, u16::from_be_bytes)?,
        _ => String::from_utf8(bytes).map_err(|error| {
            let utf8 = error.utf8_error();
            let start = utf8.valid_up_to();
            let length = utf8.error_len().unwrap_or(error.as_bytes().len() - start);
            let mut lines = error.as_bytes()[..start].split(|byte| *byte == b'\n');
            let column = lines.next_back().map_or(0, <[u8]>::len) + 1;
            let line = lines.count() + 1;
            SyntaxError::new(
                format!("invalid UTF-8 in line {line}, at byte {column} of the line"),
                Span::new(saturating_u32(start), saturating_u32(start + length)),
            )
            .with_help("save the file as UTF-8")
        })?,
    };
    if u32::try_from(text.len()).is_err() {
        return Err(SyntaxError::new("the file is larger than 4 GiB", Span::empty(0)));
    }
    Ok(text.into())
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, SyntaxError> {
    let fail = |offset: usize| {
        SyntaxError::new("invalid UTF-16", Span::empty(saturating_u32(offset)))
            .with_help("save the file as UTF-8")
    };
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return Err(fail(bytes.len() + 2));
    }
    let mut offset = 2;
    char::decode_utf16(pairs.iter().map(|&pair| unit(pair)))
        .map(|decoded| {
            let character = decoded.map_err(|_| fail(offset))?;
            offset += 2 * character.len_utf16();
            Ok(character)
        })
        .collect()
}

/// Whether the text seems to be a template for Helm rather than YAML.
///
/// True when a line has a `{{` action outside comments and quotes: as a line of its own, as a value or key,
/// or inside one. A cheap guess over lines that reads no YAML, meant for files that failed to parse: block
/// scalars that carry templates of another program (an alert rule, say) look the same.
pub fn looks_like_helm_template(text: &str) -> bool {
    memchr::memmem::find(text.as_bytes(), b"{{").is_some() && text.lines().any(line_has_action)
}

fn line_has_action(line: &str) -> bool {
    let mut quote = None;
    let mut previous = b' ';
    let bytes = line.as_bytes();
    for (at, &byte) in bytes.iter().enumerate() {
        match quote {
            Some(open) if byte == open => quote = None,
            Some(_) => {}
            None => match byte {
                b'#' if previous == b' ' || previous == b'\t' => return false,
                // A quote in the middle of a word is an apostrophe, not the start of a scalar.
                b'"' | b'\'' if matches!(previous, b' ' | b'\t' | b'[' | b'{' | b',') => quote = Some(byte),
                b'{' if bytes.get(at + 1) == Some(&b'{') => return true,
                _ => {}
            },
        }
        previous = byte;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings() {
        assert_eq!(decode(b"a: \xc3\xa9".to_vec()).as_deref(), Ok("a: é"));
        assert_eq!(decode(b"\xef\xbb\xbfa".to_vec()).as_deref(), Ok("\u{feff}a"));
        assert_eq!(
            decode(b"\xff\xfea\0\x3d\xd8\x00\xde".to_vec()).as_deref(),
            Ok("a\u{1f600}")
        );
        assert_eq!(decode(b"\xfe\xff\0a".to_vec()).as_deref(), Ok("a"));
    }

    #[test]
    fn broken_encodings_say_where() {
        let span = |bytes: &[u8]| decode(bytes.to_vec()).expect_err("broken").span;
        assert_eq!(span(b"ab\xff\xff"), Span::new(2, 3));
        assert_eq!(span(b"ab\xe2\x82"), Span::new(2, 4));
        assert_eq!(span(b"\xff\xfea\0\0\xd8"), Span::empty(4));
        assert_eq!(span(b"\xff\xfea\0b"), Span::empty(5));
    }

    #[test]
    fn helm_templates_are_recognised_outside_quotes_and_comments() {
        for template in [
            "{{- if .Values.enabled }}\na: 1\n{{- end }}",
            "a: {{ .Values.a }}",
            "  {{ .Values.key }}: b",
            "name: app-{{ .Release.Name }}",
            "a: \"x\" {{ .b }}",
            "it's: {{ .a }}",
        ] {
            assert!(looks_like_helm_template(template), "{template}");
        }
        for plain in [
            "a: 1",
            "a: \"{{ .a }}\"",
            "a: '{{ .a }}'",
            "# {{ .a }}",
            "a: b # {{ .a }}",
            "a: {b: {c: d}}",
        ] {
            assert!(!looks_like_helm_template(plain), "{plain}");
        }
    }
}

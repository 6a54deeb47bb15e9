//! What YAML 1.2 allows and kubectl's reader, which reads YAML 1.1, refuses or reads in another way.
//!
//! A document that means something else to the cluster than to us, or nothing at all, must be an error here
//! too.

use granit_parser::YamlVersion;

/// An offset within the document and the reason to refuse it there.
pub(crate) type Refusal = (usize, &'static str, &'static str);

const TAB: &str = "tab character used for indentation";
const INDENT_WITH_SPACES: &str = "indent with spaces";

/// Refuses directives that the reader does not know. `text` is that of a document.
pub(crate) fn check_directives(text: &str, version: Option<YamlVersion>) -> Result<(), Refusal> {
    let mut offset = 0;
    for line in text.split_inclusive(['\n', '\r']) {
        if line.starts_with("---") {
            break;
        }
        if let Some(directive) = line.strip_prefix('%') {
            let known = directive.starts_with("YAML") || directive.starts_with("TAG");
            if !known {
                return Err((offset, "unknown directive", "remove the line"));
            }
            let supported = version.is_none_or(|version| version == YamlVersion::new(1, 1));
            if directive.starts_with("YAML") && !supported {
                return Err((
                    offset,
                    "Kubernetes reads YAML 1.1 only",
                    "remove the %YAML directive",
                ));
            }
        }
        let content = line.trim_ascii();
        if !(content.is_empty() || content.starts_with(['#', '%'])) {
            break;
        }
        offset += line.len();
    }
    Ok(())
}

/// Refuses names of anchors and aliases that are not made of ASCII letters, digits, `_` and `-`.
pub(crate) fn check_anchor_name(name: &str, at: usize) -> Result<(), Refusal> {
    if name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    {
        Ok(())
    } else {
        Err((
            at,
            "unsupported character in the name of an anchor",
            "use letters, digits, `_` and `-` only",
        ))
    }
}

/// Refuses plain scalars within brackets, from `start` to `end`, that YAML 1.1 splits elsewhere.
pub(crate) fn check_flow_plain(text: &str, start: usize, end: usize) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let token = &bytes[start..end];
    if let Some(at) = memchr::memchr(b'?', token) {
        return Err((
            start + at,
            "a `?` is not allowed in plain text within brackets",
            "quote the value",
        ));
    }
    if token.first() == Some(&b':') {
        return Err((
            start,
            "plain text within brackets cannot begin with `:`",
            "quote the value",
        ));
    }
    if bytes.get(end) == Some(&b':') && matches!(bytes.get(end + 1), Some(b',' | b'[' | b']' | b'{' | b'}')) {
        return Err((
            end,
            "expected a space after `:`",
            "write `key: value`, with a space after the colon",
        ));
    }
    Ok(())
}

/// Refuses a block scalar, whose header is at `header`, if its indentation is found from lines with tabs.
pub(crate) fn check_block_scalar(text: &str, header: usize) -> Result<(), Refusal> {
    let mut lines = text[header..].split_inclusive(['\n', '\r']);
    let Some(first) = lines.next() else { return Ok(()) };
    let indicators = first
        .split([' ', '\t', '\r', '\n', '#'])
        .next()
        .unwrap_or_default();
    if indicators.contains(|indicator: char| indicator.is_ascii_digit()) {
        return Ok(());
    }
    let mut offset = header + first.len();
    for line in lines {
        let spaces = line.bytes().take_while(|&byte| byte == b' ').count();
        match line.as_bytes().get(spaces) {
            Some(b'\t') => {
                let message = "tab character used for the indentation of a block scalar";
                return Err((offset + spaces, message, INDENT_WITH_SPACES));
            }
            Some(b'\n' | b'\r') => offset += line.len(),
            _ => break,
        }
    }
    Ok(())
}

/// Refuses tabs where a token may begin, in the text between two tokens of block style.
///
/// After a plain scalar, blank lines may have tabs from column `indent` on, because they are read as part of
/// it.
pub(crate) fn check_gap(text: &str, start: usize, end: usize, indent: Option<usize>) -> Result<(), Refusal> {
    let bytes = text.as_bytes();
    let Some(gap) = bytes.get(start..end) else {
        return Ok(());
    };
    if memchr::memchr(b'\t', gap).is_none() {
        return Ok(());
    }
    let refusal = |at: usize| Err((at, TAB, INDENT_WITH_SPACES));
    let is_break = |byte: u8| byte == b'\n' || byte == b'\r';
    let mut plain_indent = indent;
    let mut at = start;
    let mut line_start = start == 0 || is_break(bytes[start - 1]);
    while at < end {
        let blank = |from: usize| bytes[from..end].iter().take_while(|&&byte| byte == b' ').count();
        if line_start {
            let column = blank(at);
            at += column;
            if bytes.get(at) == Some(&b'\t') && at < end {
                if plain_indent.is_none_or(|indent| column < indent) {
                    return refusal(at);
                }
                at += bytes[at..end]
                    .iter()
                    .take_while(|&&byte| byte == b' ' || byte == b'\t')
                    .count();
            }
            line_start = false;
            if bytes[at..end].starts_with(b"---") {
                at += 3;
            } else if bytes.get(at).is_some_and(|&byte| at < end && byte == b':') {
                at += 1;
                let next = at + blank(at);
                if next < end && bytes[next] == b'\t' {
                    return refusal(next);
                }
            }
            continue;
        }
        match bytes[at] {
            byte if is_break(byte) => {
                line_start = true;
                at += 1;
            }
            b'#' => {
                plain_indent = None;
                at = memchr::memchr2(b'\n', b'\r', &bytes[at..end]).map_or(end, |length| at + length);
            }
            b':' => {
                plain_indent = None;
                at += 1;
            }
            b'-' | b'?' => {
                plain_indent = None;
                at += 1;
                let next = at + blank(at);
                if next < end && bytes[next] == b'\t' {
                    return refusal(next);
                }
            }
            b'&' | b'!' | b'%' | b'|' | b'>' => {
                plain_indent = None;
                at += bytes[at..end]
                    .iter()
                    .take_while(|byte| !byte.is_ascii_whitespace())
                    .count();
            }
            _ => at += 1,
        }
    }
    Ok(())
}

//! Parsing: from the text of a document to its tree.

use std::sync::Arc;

use crate::{Chunk, Document, Span, SyntaxError, fast, reference, span::saturating_u32, split};

/// Parses all documents of a file.
///
/// A document that is broken is an error, the others still come. Documents without content (nothing, comments
/// alone, or an explicit null) are left out, as kubectl does; [`Document::index`] still counts them.
pub fn parse(text: &Arc<str>) -> Vec<Result<Document, SyntaxError>> {
    split(text).iter().filter_map(parse_chunk).collect()
}

/// Parses one document. `None` if it has no content.
pub fn parse_chunk(chunk: &Chunk) -> Option<Result<Document, SyntaxError>> {
    match parse_chunk_fast(chunk) {
        Some(document) => (!document.root().is_null()).then_some(Ok(document)),
        None => parse_chunk_by_reference(chunk),
    }
}

/// Parses one document by the fast path alone. `None` if it declines.
///
/// For tests and benchmarks, which compare the two paths.
#[doc(hidden)]
pub fn parse_chunk_fast(chunk: &Chunk) -> Option<Document> {
    match check_characters(chunk) {
        Ok(Characters::Plain) => fast::parse(chunk),
        Ok(Characters::Marks) | Err(_) => None,
    }
}

/// Parses one document by the reference path alone. `None` if it has no content.
///
/// For tests and benchmarks, which compare the two paths.
#[doc(hidden)]
pub fn parse_chunk_by_reference(chunk: &Chunk) -> Option<Result<Document, SyntaxError>> {
    let parsed = check_characters(chunk)
        .and_then(|_| reference::parse(chunk))
        .map_err(|mut error| {
            error.document = chunk.index;
            error
        });
    match parsed {
        Ok(document) if document.root().is_null() => None,
        other => Some(other),
    }
}

/// What characters a document has, apart from those that are not allowed.
enum Characters {
    /// Nothing unusual.
    Plain,
    /// Byte order marks, which have rules of their own.
    Marks,
}

/// Refuses characters that YAML does not allow in a stream (YAML 1.2.2 § 5.1): control characters other than
/// tab and line breaks, and the non-characters U+FFFE and U+FFFF.
fn check_characters(chunk: &Chunk) -> Result<Characters, SyntaxError> {
    let text = &chunk.text[chunk.span.range()];
    // A pass over the bytes without branches; only suspicious text is looked at again by character.
    let suspicious = text.as_bytes().chunks(64).any(|block| {
        let count = |seen: u8, byte: &u8| seen | u8::from(is_suspicious(*byte));
        block.iter().fold(0, count) != 0
    });
    if !suspicious {
        return Ok(Characters::Plain);
    }
    let forbidden = |character: char| {
        matches!(character, '\0'..='\u{8}' | '\u{b}' | '\u{c}' | '\u{e}'..='\u{1f}' | '\u{7f}'..='\u{84}'
            | '\u{86}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}')
    };
    let Some((at, character)) = text.char_indices().find(|&(_, character)| forbidden(character)) else {
        let marks = text.contains('\u{feff}');
        return Ok(if marks {
            Characters::Marks
        } else {
            Characters::Plain
        });
    };
    let start = saturating_u32(chunk.span.start as usize + at);
    let span = Span::new(start, start + saturating_u32(character.len_utf8()));
    let message = format!("control character U+{:04X} is not allowed", u32::from(character));
    Err(SyntaxError::new(message, span).with_help("write it as an escape in double quotes"))
}

/// Whether a byte is a forbidden character or may begin one.
const fn is_suspicious(byte: u8) -> bool {
    matches!(byte, 0..=0x08 | 0x0b | 0x0c | 0x0e..=0x1f | 0x7f | 0xc2 | 0xef)
}

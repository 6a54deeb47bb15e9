//! What the errors of `granit-parser` are called here.

use granit_parser::ErrorKind;

use crate::{MAX_DEPTH, Span, SyntaxError};

/// The error for a kind of scan error at a place.
pub(crate) fn scan_error(kind: &ErrorKind, span: Span) -> SyntaxError {
    use ErrorKind as E;
    let tab = "indent with spaces";
    let (message, help) = match kind {
        E::TabNotAllowed | E::TabInBlockIndentation | E::TabInIndentation | E::TabInPlainScalar => {
            ("tab character used for indentation", Some(tab))
        }
        E::TabAtBlockScalarStart => (
            "tab character used for the indentation of a block scalar",
            Some(tab),
        ),
        E::UnexpectedEofFlowSequence | E::UnclosedFlowCollection { open: '[' } => {
            return unclosed(b'[', span);
        }
        E::UnexpectedEofFlowMapping
        | E::UnexpectedEofImplicitFlowMapping
        | E::UnclosedFlowCollection { .. } => {
            return unclosed(b'{', span);
        }
        E::MisplacedFlowCollectionEnd => ("a closing bracket without its opening one", None),
        E::MismatchedFlowCollectionEnd { .. } => {
            ("a closing bracket that does not match the opening one", None)
        }
        E::ExpectedFlowMappingSeparator => ("expected `,` or `}`", None),
        E::ExpectedFlowSequenceSeparator => ("expected `,` or `]`", None),
        E::UnexpectedEofBlockSequence | E::UnexpectedEofBlockMapping | E::UnexpectedEof => {
            ("unexpected end of the document", None)
        }
        E::ExpectedBlockMappingKey => (
            "expected a key",
            Some("check that the line is indented as its siblings are"),
        ),
        E::ExpectedBlockSequenceEntry => (
            "expected a list item that begins with `- `",
            Some("check that the line is indented as its siblings are"),
        ),
        E::InvalidIndentation => (
            "the indentation matches no enclosing block",
            Some("align the line with its siblings"),
        ),
        E::SimpleKeyExpected | E::InvalidSimpleKey => (
            "expected `:` after a key",
            Some("write `key: value`, with a space after the colon"),
        ),
        E::MappingValueNotAllowed | E::InvalidColonPlacement => (
            "a mapping is not allowed here",
            Some("quote the value if it contains `: `, or start a new line"),
        ),
        E::MappingKeyNotAllowed => ("a key is not allowed here", None),
        E::BlockSequenceEntryNotAllowed | E::BlockEntryInFlowCollection => (
            "a list item is not allowed here",
            Some("start the list on a line of its own"),
        ),
        E::UnclosedQuotedScalar | E::DocumentIndicatorInQuotedScalar => {
            ("a quote is not closed", Some("add the closing quote"))
        }
        E::InvalidQuotedScalarIndent => ("a quoted string continues with too little indentation", None),
        E::InvalidTrailingSingleQuotedScalar | E::InvalidTrailingDoubleQuotedScalar => {
            ("text after the closing quote", Some("quote the whole value"))
        }
        E::UnknownQuotedScalarEscape => (
            "unknown escape in a double-quoted string",
            Some("write `\\\\` for a backslash, or use single quotes"),
        ),
        E::InvalidQuotedScalarHexEscape
        | E::InvalidLowSurrogateHexEscape
        | E::InvalidLowSurrogate
        | E::MissingLowSurrogate
        | E::UnpairedLowSurrogate
        | E::InvalidUnicodeEscape => ("invalid Unicode escape in a double-quoted string", None),
        E::UnknownAnchor => (
            "alias of an unknown anchor",
            Some("quote the value if it is text; an alias needs its anchor, `&name`, before it"),
        ),
        E::MissingAnchorOrAliasName => (
            "`*` and `&` need a name here",
            Some("quote the value if it is text"),
        ),
        E::UndeclaredTagHandle => ("tag handle without a %TAG directive", None),
        E::RecursionLimitExceeded => {
            return SyntaxError::new(format!("nested deeper than {MAX_DEPTH} levels"), span);
        }
        E::ExpectedDocumentStart => ("unexpected text after the end of the document", None),
        E::CommentNotSeparated => ("a comment needs a space before `#`", None),
        E::CommentInterceptedScalar => ("a comment within a multi-line string", None),
        E::InvalidBlockScalarIndent => ("a block scalar begins with a line that is indented too far", None),
        E::InvalidBlockScalarHeader | E::ZeroBlockScalarIndent => ("invalid header of a block scalar", None),
        E::InvalidBlockEntryWhitespace => ("expected a space after `-`", None),
        E::InvalidMappingValueWhitespace => ("expected a space after `:`", None),
        E::UnexpectedCharacter { character } => {
            let error = SyntaxError::new(
                format!("unexpected character `{}`", character.escape_default()),
                span,
            );
            return error.with_help("quote the value");
        }
        E::PlainScalarStartsWithDashFlowIndicator => {
            ("a value cannot begin with `-` here", Some("quote the value"))
        }
        other => (&*other.to_string(), None),
    };
    let error = SyntaxError::new(message, span);
    match help {
        Some(help) => error.with_help(help),
        None => error,
    }
}

/// The error for a bracket without its closing one.
pub(crate) fn unclosed(bracket: u8, span: Span) -> SyntaxError {
    if bracket == b'[' {
        SyntaxError::new("a `[` is not closed", span).with_help("add the missing `]`")
    } else {
        SyntaxError::new("a `{` is not closed", span).with_help("add the missing `}`")
    }
}

/// Whether the error is about a tab, whose place the parser reports less exactly.
pub(crate) fn is_about_tab(kind: &ErrorKind) -> bool {
    use ErrorKind as E;
    matches!(
        kind,
        E::TabNotAllowed
            | E::TabInBlockIndentation
            | E::TabInIndentation
            | E::TabInPlainScalar
            | E::TabAtBlockScalarStart
    )
}

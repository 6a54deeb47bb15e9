//! Whether a text is an expression of the Common Expression Language (CEL).
//!
//! Syntax only, by the grammar of the CEL specification and with the argument checks of its standard macros. What
//! names mean, and whether types fit, is left to the proxy.

use std::iter::Peekable;
use std::str::CharIndices;

/// Nesting beyond this is not judged.
const MAX_DEPTH: usize = 200;

/// Words that cannot name a variable or function. `in`, `true`, `false` and `null` are more than names.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "namespace",
    "package",
    "return",
    "var",
    "void",
    "while",
];

/// Why a text is not an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CelError {
    /// What is wrong; goes on with "at character N".
    pub(super) message: String,
    /// The place, in bytes from the start.
    pub(super) offset: usize,
}

/// Checks the syntax of `text`.
pub(super) fn check(text: &str) -> Result<(), CelError> {
    let tokens = Lexer::new(text).tokens()?;
    let mut parser = Parser {
        tokens,
        position: 0,
        depth: 0,
        end: text.len(),
    };
    match parser.expression() {
        Ok(_) => match parser.peek() {
            None => Ok(()),
            Some(token) => Err(unexpected(token, "an operator or the end")),
        },
        Err(Stop::Error(error)) => Err(error),
        Err(Stop::TooDeep) => Ok(()),
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum TokenKind<'a> {
    Name(&'a str),
    /// A name in backquotes, which may only follow a dot.
    QuotedName,
    /// A number, string, bytes, boolean or null.
    Literal,
    Symbol(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Token<'a> {
    kind: TokenKind<'a>,
    text: &'a str,
    offset: usize,
}

fn unexpected(token: &Token<'_>, wanted: &str) -> CelError {
    CelError {
        message: format!("expected {wanted}, found `{}`", token.text),
        offset: token.offset,
    }
}

fn error(message: &str, offset: usize) -> CelError {
    CelError {
        message: message.to_owned(),
        offset,
    }
}

struct Lexer<'a> {
    text: &'a str,
    chars: Peekable<CharIndices<'a>>,
}

/// The symbols, longer ones first.
const SYMBOLS: [&str; 24] = [
    "==", "!=", "<=", ">=", "&&", "||", "<", ">", "!", "+", "-", "*", "/", "%", "?", ":", ".", ",", "(", ")",
    "[", "]", "{", "}",
];

impl<'a> Lexer<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            chars: text.char_indices().peekable(),
        }
    }

    fn rest(&mut self) -> &'a str {
        let start = self.chars.peek().map_or(self.text.len(), |(offset, _)| *offset);
        self.text.get(start..).unwrap_or_default()
    }

    fn skip(&mut self, count: usize) {
        for _ in 0..count {
            self.chars.next();
        }
    }

    fn skip_while(&mut self, wanted: impl Fn(char) -> bool) {
        while self.chars.next_if(|(_, c)| wanted(*c)).is_some() {}
    }

    fn tokens(mut self) -> Result<Vec<Token<'a>>, CelError> {
        let mut tokens = Vec::new();
        while let Some(&(offset, first)) = self.chars.peek() {
            let rest = self.rest();
            if matches!(first, ' ' | '\t' | '\r' | '\n' | '\u{c}') {
                self.skip(1);
                continue;
            }
            if rest.starts_with("//") {
                self.skip_while(|c| c != '\n');
                continue;
            }
            let kind = if let Some(length) = string_prefix(rest) {
                self.skip(length);
                let prefix = &rest[..length];
                self.string(offset, prefix.contains(['r', 'R']))?;
                TokenKind::Literal
            } else if first.is_ascii_digit()
                || first == '.' && rest[1..].starts_with(|c: char| c.is_ascii_digit())
            {
                self.number(offset, rest)?;
                TokenKind::Literal
            } else if first.is_ascii_alphabetic() || first == '_' {
                self.skip_while(|c| c.is_ascii_alphanumeric() || c == '_');
                let name = &rest[..rest.len() - self.rest().len()];
                match name {
                    "true" | "false" | "null" => TokenKind::Literal,
                    "in" => TokenKind::Symbol("in"),
                    _ => TokenKind::Name(name),
                }
            } else if first == '`' {
                self.skip(1);
                self.skip_while(|c| c != '`' && c != '\n');
                if self.chars.next_if(|(_, c)| *c == '`').is_none() {
                    return Err(error("a quoted name does not end", offset));
                }
                TokenKind::QuotedName
            } else if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
                self.skip(symbol.len());
                TokenKind::Symbol(symbol)
            } else {
                return Err(error(&format!("`{first}` is not part of the language"), offset));
            };
            let length = rest.len() - self.rest().len();
            tokens.push(Token {
                kind,
                text: rest.get(..length).unwrap_or_default(),
                offset,
            });
        }
        Ok(tokens)
    }

    fn number(&mut self, offset: usize, rest: &'a str) -> Result<(), CelError> {
        let is_hex = rest.starts_with("0x") || rest.starts_with("0X");
        if is_hex {
            self.skip(2);
            self.skip_while(|c| c.is_ascii_hexdigit());
        } else {
            self.skip_while(|c| c.is_ascii_digit());
        }
        let after = self.rest();
        let mut is_float = false;
        if !is_hex && after.starts_with('.') && after[1..].starts_with(|c: char| c.is_ascii_digit()) {
            is_float = true;
            self.skip(1);
            self.skip_while(|c| c.is_ascii_digit());
        }
        let after = self.rest();
        if !is_hex && after.starts_with(['e', 'E']) {
            let sign = usize::from(after[1..].starts_with(['+', '-']));
            if after[1 + sign..].starts_with(|c: char| c.is_ascii_digit()) {
                is_float = true;
                self.skip(1 + sign);
                self.skip_while(|c| c.is_ascii_digit());
            }
        }
        let number = &rest[..rest.len() - self.rest().len()];
        let is_unsigned = !is_float && self.chars.next_if(|(_, c)| matches!(c, 'u' | 'U')).is_some();
        // The sign is a token of its own, so 2^63 is as large as a signed number gets here.
        let limit = if is_unsigned { u64::MAX } else { 1 << 63 };
        let fits = is_float || {
            let (digits, radix) = if is_hex { (&number[2..], 16) } else { (number, 10) };
            u64::from_str_radix(digits, radix).is_ok_and(|value| value <= limit)
        };
        if fits {
            Ok(())
        } else {
            Err(error(&format!("`{number}` is not a number of 64 bits"), offset))
        }
    }

    /// Reads from the opening quote to behind the closing one.
    fn string(&mut self, offset: usize, is_raw: bool) -> Result<(), CelError> {
        let rest = self.rest();
        let quote = rest.chars().next().unwrap_or('"');
        let is_long = rest.starts_with(if quote == '"' { "\"\"\"" } else { "'''" });
        let width = if is_long { 3 } else { 1 };
        self.skip(width);
        loop {
            let at = self.rest();
            if at.starts_with(quote) && (!is_long || at.chars().take(3).filter(|c| *c == quote).count() == 3)
            {
                self.skip(width);
                return Ok(());
            }
            match self.chars.next() {
                None => return Err(error("a string does not end", offset)),
                Some((_, '\n' | '\r')) if !is_long => {
                    return Err(error("a string does not end on its line", offset));
                }
                Some((start, '\\')) if !is_raw => {
                    let length = escape_length(self.rest());
                    let Some(length) = length else {
                        return Err(error(
                            "a string has an escape sequence that does not exist",
                            start,
                        ));
                    };
                    self.skip(length);
                }
                Some(_) => {}
            }
        }
    }
}

/// The length of the letters before a string's quote; `None` if no string starts here.
fn string_prefix(text: &str) -> Option<usize> {
    let length = text.chars().take(2).take_while(|c| "rRbB".contains(*c)).count();
    let prefix = &text[..length];
    let raw = prefix.matches(['r', 'R']).count();
    let is_prefix = raw <= 1 && length - raw <= 1;
    (is_prefix && text[length..].starts_with(['"', '\''])).then_some(length)
}

/// The number of characters of an escape sequence after its backslash.
fn escape_length(text: &str) -> Option<usize> {
    let digits = |count: usize, radix: u32| {
        let found = text.chars().skip(1).take(count).take_while(|c| c.is_digit(radix));
        (found.count() == count).then_some(count + 1)
    };
    match text.chars().next()? {
        'a' | 'b' | 'f' | 'n' | 'r' | 't' | 'v' | '\\' | '\'' | '"' | '?' | '`' => Some(1),
        'x' | 'X' => digits(2, 16),
        'u' => digits(4, 16),
        'U' => digits(8, 16),
        '0'..='3' => digits(2, 8),
        _ => None,
    }
}

/// Why parsing ended early.
enum Stop {
    Error(CelError),
    TooDeep,
}

impl From<CelError> for Stop {
    fn from(error: CelError) -> Self {
        Self::Error(error)
    }
}

/// What an expression is, as far as macros ask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    Name,
    Field,
    Other,
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    position: usize,
    depth: usize,
    end: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.position)
    }

    fn is_at(&self, symbol: &str) -> bool {
        matches!(self.peek(), Some(token) if matches!(token.kind, TokenKind::Symbol(found) if found == symbol))
    }

    fn accept(&mut self, symbol: &str) -> bool {
        let found = self.is_at(symbol);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Stop> {
        if self.accept(symbol) {
            Ok(())
        } else {
            Err(self.wanted(&format!("`{symbol}`")))
        }
    }

    fn wanted(&self, what: &str) -> Stop {
        Stop::Error(match self.peek() {
            Some(token) => unexpected(token, what),
            None => CelError {
                message: format!("expected {what}, found the end"),
                offset: self.end,
            },
        })
    }

    fn expression(&mut self) -> Result<Shape, Stop> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Stop::TooDeep);
        }
        let mut shape = self.binary()?;
        if self.accept("?") {
            self.binary()?;
            self.expect(":")?;
            self.expression()?;
            shape = Shape::Other;
        }
        self.depth -= 1;
        Ok(shape)
    }

    /// A chain of operands. Which operator binds tighter does not matter for the syntax.
    fn binary(&mut self) -> Result<Shape, Stop> {
        const OPERATORS: [&str; 14] = [
            "||", "&&", "<", "<=", ">=", ">", "==", "!=", "in", "+", "-", "*", "/", "%",
        ];
        let mut shape = self.unary()?;
        while OPERATORS.iter().any(|operator| self.accept(operator)) {
            self.unary()?;
            shape = Shape::Other;
        }
        Ok(shape)
    }

    fn unary(&mut self) -> Result<Shape, Stop> {
        let operator = ["!", "-"].into_iter().find(|operator| self.accept(operator));
        if let Some(operator) = operator {
            while self.accept(operator) {}
        }
        let shape = self.member()?;
        Ok(if operator.is_some() { Shape::Other } else { shape })
    }

    fn member(&mut self) -> Result<Shape, Stop> {
        let mut shape = self.primary()?;
        loop {
            if self.accept(".") {
                shape = self.field()?;
            } else if self.accept("[") {
                self.expression()?;
                self.expect("]")?;
                shape = Shape::Other;
            } else if self.is_at("{") && shape != Shape::Other {
                self.fields()?;
                shape = Shape::Other;
            } else {
                return Ok(shape);
            }
        }
    }

    fn field(&mut self) -> Result<Shape, Stop> {
        let name = match self.peek().map(|token| &token.kind) {
            Some(TokenKind::Name(name)) => *name,
            Some(TokenKind::QuotedName) => "",
            _ => return Err(self.wanted("a field name")),
        };
        self.position += 1;
        if name.is_empty() || !self.is_at("(") {
            return Ok(Shape::Field);
        }
        let offset = self
            .tokens
            .get(self.position - 1)
            .map_or(self.end, |token| token.offset);
        let arguments = self.arguments()?;
        let is_macro = match name {
            "all" | "exists" | "exists_one" | "filter" => arguments.len() == 2,
            "map" => matches!(arguments.len(), 2 | 3),
            _ => false,
        };
        if is_macro && arguments.first() != Some(&Shape::Name) {
            return Err(Stop::Error(CelError {
                message: format!("the first argument of `{name}` has to be a variable"),
                offset,
            }));
        }
        Ok(Shape::Other)
    }

    fn arguments(&mut self) -> Result<Vec<Shape>, Stop> {
        self.expect("(")?;
        let mut arguments = Vec::new();
        if self.accept(")") {
            return Ok(arguments);
        }
        loop {
            arguments.push(self.expression()?);
            if !self.accept(",") {
                self.expect(")")?;
                return Ok(arguments);
            }
        }
    }

    /// The fields of a message, after its type.
    fn fields(&mut self) -> Result<(), Stop> {
        self.expect("{")?;
        while !self.accept("}") {
            match self.peek().map(|token| &token.kind) {
                Some(TokenKind::Name(_) | TokenKind::QuotedName) => self.position += 1,
                _ => return Err(self.wanted("a field name")),
            }
            self.expect(":")?;
            self.expression()?;
            if !self.accept(",") && !self.is_at("}") {
                return Err(self.wanted("`,` or `}`"));
            }
        }
        Ok(())
    }

    fn primary(&mut self) -> Result<Shape, Stop> {
        if self.accept("(") {
            let shape = self.expression()?;
            self.expect(")")?;
            return Ok(shape);
        }
        if self.accept("[") {
            while !self.accept("]") {
                self.expression()?;
                if !self.accept(",") && !self.is_at("]") {
                    return Err(self.wanted("`,` or `]`"));
                }
            }
            return Ok(Shape::Other);
        }
        if self.accept("{") {
            while !self.accept("}") {
                self.expression()?;
                self.expect(":")?;
                self.expression()?;
                if !self.accept(",") && !self.is_at("}") {
                    return Err(self.wanted("`,` or `}`"));
                }
            }
            return Ok(Shape::Other);
        }
        let is_absolute = self.accept(".");
        let Some(token) = self.peek().cloned() else {
            return Err(self.wanted("a value"));
        };
        match token.kind {
            TokenKind::Literal if !is_absolute => {
                self.position += 1;
                Ok(Shape::Other)
            }
            TokenKind::Name(name) => {
                if RESERVED.contains(&name) {
                    return Err(Stop::Error(CelError {
                        message: format!("`{name}` is a reserved word"),
                        offset: token.offset,
                    }));
                }
                self.position += 1;
                if !self.is_at("(") {
                    return Ok(if is_absolute { Shape::Other } else { Shape::Name });
                }
                let arguments = self.arguments()?;
                if name == "has" && arguments.len() == 1 && arguments.first() != Some(&Shape::Field) {
                    return Err(Stop::Error(CelError {
                        message: "the argument of `has` has to be a field, such as `request.time`".to_owned(),
                        offset: token.offset,
                    }));
                }
                Ok(Shape::Other)
            }
            _ => Err(self.wanted("a value")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_accepted() {
        for text in [
            "response.code >= 400",
            "response.code >= 500 || (connection.mtls && request.url_path.contains('v1beta3'))",
            "!has(request.auth.principal)",
            "response.duration > duration(\"1s\")",
            "request.headers['x-a'] == \"\\\"\\u00e9\\x41\\101\"",
            "a ? b : c ? d : e",
            "- - 1 + 2u * .5 / 1e-3 % 0xFFu",
            "[1, 2, ] + [] == [x.y(1)[0]]",
            "{'a': 1, 'b': {}, }",
            "envoy.type.Duration{seconds: 1, nanos: 2}.seconds in [1]",
            "xs.exists(x, x > 1) && xs.map(x, true, x)[0] == 1",
            "r'\\d+' + b\"x\" + rb'''a\nb'c''' + \"\"\"\"a\" \"\"\"",
            "a // the rest is a comment",
            ".a.b.`c-d`",
            "9223372036854775807 == -9223372036854775808",
        ] {
            assert_eq!(check(text), Ok(()), "{text}");
        }
    }

    #[test]
    fn errors_say_what_and_where() {
        for (text, offset, message) in [
            ("", 0, "expected a value, found the end"),
            ("a ==", 4, "expected a value, found the end"),
            ("a = b", 2, "`=` is not part"),
            ("a == 'b", 5, "does not end"),
            ("a == 'b\n'", 5, "on its line"),
            ("a b", 2, "found `b`"),
            ("a and b", 2, "found `and`"),
            ("(a", 2, "expected `)`"),
            ("a ? b", 5, "expected `:`"),
            ("a & b", 2, "`&` is not part"),
            ("a.1", 1, "found `.1`"),
            ("f(a,)", 4, "expected a value"),
            ("'\\q'", 1, "escape"),
            ("'\\u12'", 1, "escape"),
            ("99999999999999999999", 0, "64 bits"),
            ("0x", 0, "64 bits"),
            ("if", 0, "reserved"),
            ("has(a)", 0, "`has`"),
            ("xs.all(x.y, true)", 3, "`all`"),
            ("{'a'}", 4, "expected `:`"),
            ("T{1: 2}", 2, "field name"),
            ("`a`", 0, "found ``a``"),
            ("é", 0, "`é` is not part"),
        ] {
            let error = check(text).expect_err(text);
            assert!(
                error.offset == offset && error.message.contains(message),
                "{text}: {error:?}"
            );
        }
    }

    #[test]
    fn deep_nesting_ends_without_a_verdict() {
        assert_eq!(check(&"(".repeat(100_000)), Ok(()));
        assert!(check(&"(".repeat(100)).is_err());
        assert_eq!(
            check(&"-".repeat(100_000)).map_err(|error| error.offset),
            Err(100_000)
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_judged(text in ".{0,60}", soup in "[a-c0-9.,()\\[\\]{}'\"\\\\?:!&|<>=+*/% ru-]{0,40}") {
            for text in [text, soup] {
                if let Err(error) = check(&text) {
                    proptest::prop_assert!(text.is_char_boundary(error.offset), "{text:?} {error:?}");
                }
            }
        }
    }
}

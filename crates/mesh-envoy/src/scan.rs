//! A pull scanner of JSON that holds only what it was asked to keep.
//!
//! Config dumps of large meshes exceed 100 MB, and a view of them needs a small part. The scanner walks objects and
//! arrays, skips values at memory speed, and hands out the bytes of single values. It never recurses, and what it
//! skips is only checked for balanced brackets and closed strings: the text that it hands out is parsed, and so
//! checked, by others.

use std::fmt;
use std::io::{self, Read};

/// How deep values may nest. Protobuf's own JSON parsers stop at 100.
pub const MAX_DEPTH: u32 = 128;

/// How much is read at a time: fits the second-level cache.
const CHUNK: usize = 256 * 1024;

/// Text that is not JSON, or could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// Reading failed.
    #[error("cannot read: {0}")]
    Read(#[from] io::Error),
    /// Something else than JSON's grammar has at this place.
    #[error("byte {offset}: expected {expected}, found {found}")]
    Syntax {
        /// Bytes from the start of the input.
        offset: u64,
        /// What would be right.
        expected: &'static str,
        /// What is there.
        found: Found,
    },
    /// Values nest deeper than [`MAX_DEPTH`].
    #[error("byte {offset}: values nest deeper than {MAX_DEPTH} levels")]
    TooDeep {
        /// Bytes from the start of the input.
        offset: u64,
    },
}

/// What stands where something else was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The input ends.
    End,
    /// A byte, which may be part of a character.
    Byte(u8),
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::End => f.write_str("the end of the input"),
            Self::Byte(byte) if byte.is_ascii_graphic() => write!(f, "`{}`", char::from(*byte)),
            Self::Byte(byte) => write!(f, "byte 0x{byte:02x}"),
        }
    }
}

/// Walks one JSON text from a reader.
pub(crate) struct Scanner<R> {
    reader: R,
    buffer: Vec<u8>,
    /// The next byte to look at, in `buffer`.
    position: usize,
    /// Bytes of `buffer` that were read.
    filled: usize,
    /// Offset in the input of the first byte of `buffer`.
    base: u64,
    /// Where the value starts that is being captured; what follows must stay in `buffer`.
    mark: Option<usize>,
    /// Containers that are open, of those that the caller walks.
    depth: u32,
}

/// Bytes that matter while a value is skipped.
const STRUCTURAL: [bool; 256] = {
    let mut table = [false; 256];
    table[b'"' as usize] = true;
    table[b'{' as usize] = true;
    table[b'}' as usize] = true;
    table[b'[' as usize] = true;
    table[b']' as usize] = true;
    table
};

impl<R: Read> Scanner<R> {
    pub(crate) fn new(reader: R) -> Self {
        Self {
            reader,
            buffer: vec![0; CHUNK],
            position: 0,
            filled: 0,
            base: 0,
            mark: None,
            depth: 0,
        }
    }

    /// Offset in the input of the next byte.
    pub(crate) fn offset(&self) -> u64 {
        self.base + self.position as u64
    }

    /// Reads more. `false` at the end of the input.
    fn fill(&mut self) -> Result<bool, ScanError> {
        let keep = self.mark.unwrap_or(self.position);
        if keep > 0 {
            self.buffer.copy_within(keep..self.filled, 0);
            self.base += keep as u64;
            self.position -= keep;
            self.filled -= keep;
            self.mark = self.mark.map(|_| 0);
        }
        if self.filled == self.buffer.len() {
            self.buffer.resize(self.buffer.len() * 2, 0);
        }
        loop {
            match self.reader.read(&mut self.buffer[self.filled..]) {
                Ok(read) => {
                    self.filled += read;
                    return Ok(read > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// The next byte, white space included.
    fn byte(&mut self) -> Result<Option<u8>, ScanError> {
        while self.position == self.filled {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(Some(self.buffer[self.position]))
    }

    /// The next byte that is not white space; it is not consumed.
    pub(crate) fn peek(&mut self) -> Result<Option<u8>, ScanError> {
        while let Some(byte) = self.byte()? {
            if !matches!(byte, b' ' | b'\n' | b'\t' | b'\r') {
                return Ok(Some(byte));
            }
            self.position += 1;
        }
        Ok(None)
    }

    fn unexpected<T>(&mut self, expected: &'static str) -> Result<T, ScanError> {
        let found = self.byte()?.map_or(Found::End, Found::Byte);
        Err(ScanError::Syntax {
            offset: self.offset(),
            expected,
            found,
        })
    }

    fn open(&mut self, bracket: u8, expected: &'static str) -> Result<(), ScanError> {
        if self.peek()? != Some(bracket) {
            return self.unexpected(expected);
        }
        if self.depth == MAX_DEPTH {
            return Err(ScanError::TooDeep {
                offset: self.offset(),
            });
        }
        self.depth += 1;
        self.position += 1;
        Ok(())
    }

    fn close(&mut self) {
        self.position += 1;
        self.depth -= 1;
    }

    /// Enters an object. Its keys come from [`Self::key`].
    pub(crate) fn open_object(&mut self) -> Result<(), ScanError> {
        self.open(b'{', "`{`")
    }

    /// The next key of the object, whose value must then be consumed. `None` leaves the object.
    pub(crate) fn key(&mut self, first: bool) -> Result<Option<String>, ScanError> {
        match self.peek()? {
            Some(b'}') => {
                self.close();
                return Ok(None);
            }
            Some(b',') if !first => {
                self.position += 1;
                self.peek()?;
            }
            _ if !first => return self.unexpected("`,` or `}`"),
            _ => {}
        }
        if self.peek()? != Some(b'"') {
            return self.unexpected(if first { "a key or `}`" } else { "a key" });
        }
        let key = self.string()?;
        if self.peek()? != Some(b':') {
            return self.unexpected("`:`");
        }
        self.position += 1;
        Ok(Some(key))
    }

    /// Enters an array. Its elements are announced by [`Self::element`].
    pub(crate) fn open_array(&mut self) -> Result<(), ScanError> {
        self.open(b'[', "`[`")
    }

    /// Whether another element of the array follows, which must then be consumed. `false` leaves the array.
    pub(crate) fn element(&mut self, first: bool) -> Result<bool, ScanError> {
        match self.peek()? {
            Some(b']') => {
                self.close();
                Ok(false)
            }
            Some(b',') if !first => {
                self.position += 1;
                if matches!(self.peek()?, None | Some(b']')) {
                    return self.unexpected("an element");
                }
                Ok(true)
            }
            Some(_) if first => Ok(true),
            _ if first => self.unexpected("an element or `]`"),
            _ => self.unexpected("`,` or `]`"),
        }
    }

    /// A string value.
    pub(crate) fn string(&mut self) -> Result<String, ScanError> {
        if self.peek()? != Some(b'"') {
            return self.unexpected("a string");
        }
        let offset = self.offset();
        let text = self.capture()?;
        serde_json::from_slice(text).map_err(|_| ScanError::Syntax {
            offset,
            expected: "a string with valid escapes and UTF-8",
            found: Found::Byte(b'"'),
        })
    }

    /// Whether nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), ScanError> {
        match self.peek()? {
            None => Ok(()),
            Some(_) => self.unexpected("the end of the input"),
        }
    }

    /// Consumes a value and returns its text.
    pub(crate) fn capture(&mut self) -> Result<&[u8], ScanError> {
        self.peek()?;
        self.mark = Some(self.position);
        let skipped = self.skip();
        let start = self.mark.take().unwrap_or(self.position);
        skipped?;
        Ok(&self.buffer[start..self.position])
    }

    /// Consumes a value.
    pub(crate) fn skip(&mut self) -> Result<(), ScanError> {
        match self.peek()? {
            Some(b'"') => {
                self.position += 1;
                self.skip_string()
            }
            Some(b'{' | b'[') => self.skip_container(),
            Some(b'-' | b'0'..=b'9' | b't' | b'f' | b'n') => self.skip_scalar(),
            _ => self.unexpected("a value"),
        }
    }

    fn skip_scalar(&mut self) -> Result<(), ScanError> {
        while let Some(byte) = self.byte()? {
            if !matches!(byte, b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') {
                return Ok(());
            }
            self.position += 1;
        }
        // The object or array that it is in is not closed, and the scalar may go on.
        self.unexpected("the rest of the value")
    }

    /// From behind the opening quote to behind the closing one.
    fn skip_string(&mut self) -> Result<(), ScanError> {
        loop {
            let rest = &self.buffer[self.position..self.filled];
            match memchr::memchr2(b'"', b'\\', rest) {
                Some(at) if rest[at] == b'"' => {
                    self.position += at + 1;
                    return Ok(());
                }
                Some(at) => {
                    self.position += at + 1;
                    if self.byte()?.is_none() {
                        return self.unexpected("an escaped character");
                    }
                    self.position += 1;
                }
                None => {
                    self.position = self.filled;
                    if !self.fill()? {
                        return self.unexpected("`\"`");
                    }
                }
            }
        }
    }

    fn skip_container(&mut self) -> Result<(), ScanError> {
        // One bit an open bracket, the innermost lowest: set for objects.
        let mut objects = 0_u128;
        let mut depth = 0;
        loop {
            let rest = &self.buffer[self.position..self.filled];
            let Some(at) = rest.iter().position(|byte| STRUCTURAL[usize::from(*byte)]) else {
                self.position = self.filled;
                if !self.fill()? {
                    let expected = if objects & 1 == 1 { "`}`" } else { "`]`" };
                    return self.unexpected(expected);
                }
                continue;
            };
            let byte = rest[at];
            self.position += at;
            match byte {
                b'"' => {
                    self.position += 1;
                    self.skip_string()?;
                }
                b'{' | b'[' => {
                    if self.depth + depth >= MAX_DEPTH {
                        return Err(ScanError::TooDeep {
                            offset: self.offset(),
                        });
                    }
                    depth += 1;
                    objects = (objects << 1) | u128::from(byte == b'{');
                    self.position += 1;
                }
                _ => {
                    if (byte == b'}') != (objects & 1 == 1) {
                        let expected = if objects & 1 == 1 { "`}`" } else { "`]`" };
                        return self.unexpected(expected);
                    }
                    depth -= 1;
                    objects >>= 1;
                    self.position += 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }
}

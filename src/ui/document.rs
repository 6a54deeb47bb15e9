//! Values as documents that programs read.

use std::io::{self, Write};

use serde::Serialize;

/// Writes a value as indented JSON, with a newline at the end.
pub(crate) fn json(out: &mut impl Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// Writes a value as one YAML document.
pub(crate) fn yaml(out: &mut impl Write, value: &(impl Serialize + ?Sized)) -> io::Result<()> {
    let text = serde_yaml::to_string(value).map_err(io::Error::other)?;
    out.write_all(text.as_bytes())
}

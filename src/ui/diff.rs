//! Differences between two texts, as `diff -u` shows them.

use std::io::{self, Write};

use similar::TextDiff;

use super::{Look, Tone};

/// Writes what differs, if anything, under a header with both names.
pub(crate) fn unified(
    out: &mut impl Write,
    look: Look,
    names: (&str, &str),
    before: &str,
    after: &str,
) -> io::Result<()> {
    let diff = TextDiff::from_lines(before, after);
    let unified = diff.unified_diff().header(names.0, names.1).to_string();
    if !look.color {
        return out.write_all(unified.as_bytes());
    }
    for line in unified.lines() {
        let tone = match line.as_bytes().first() {
            Some(b'+') => Tone::Good,
            Some(b'-') => Tone::Error,
            Some(b'@') => Tone::Info,
            _ => {
                writeln!(out, "{line}")?;
                continue;
            }
        };
        writeln!(out, "{}", look.paint(tone, line))?;
    }
    Ok(())
}

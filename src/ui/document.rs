//! Values as documents that programs read, and the argument that asks for one.

use std::io::{self, Write};

use clap::{Args, ValueEnum};
use serde::Serialize;

/// The argument `--output`, for a command with the forms `F`, of which the default one is for people.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct FormatArgs<F>
where
    F: ValueEnum + Default + Clone + Send + Sync + 'static,
{
    /// Form of the output
    #[arg(
        id = "output",
        long,
        short,
        value_name = "FORMAT",
        value_enum,
        default_value = default_form::<F>(),
        help_heading = "Output"
    )]
    pub(crate) format: F,
}

/// The name of the default form. `default_value_t` would keep it in a static that all `F` share.
fn default_form<F: ValueEnum + Default>() -> &'static str {
    let form = F::default().to_possible_value();
    // Arguments are described once in the life of a process.
    form.map_or("", |form| form.get_name().to_owned().leak())
}

/// The forms of commands whose result is one value.
#[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people
    #[default]
    Text,
    /// One JSON document
    Json,
    /// The same document as YAML
    Yaml,
}

/// Writes a value in the form asked for; `text` is the one for people.
pub(crate) fn write<W: Write>(
    out: &mut W,
    format: Format,
    value: &(impl Serialize + ?Sized),
    text: impl FnOnce(&mut W) -> io::Result<()>,
) -> io::Result<()> {
    match format {
        Format::Text => text(out),
        Format::Json => json(out, value),
        Format::Yaml => yaml(out, value),
    }
}

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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(ValueEnum, Clone, Copy, Debug, Default, PartialEq, Eq)]
    enum Other {
        Json,
        #[default]
        Table,
    }

    #[derive(Parser)]
    struct Cli<F: ValueEnum + Default + Clone + Send + Sync + 'static> {
        #[command(flatten)]
        output: FormatArgs<F>,
    }

    #[test]
    fn each_command_has_its_own_default() {
        assert_eq!(Cli::<Format>::parse_from(["x"]).output.format, Format::Text);
        assert_eq!(Cli::<Other>::parse_from(["x"]).output.format, Other::Table);
        assert_eq!(
            Cli::<Other>::parse_from(["x", "-o=json"]).output.format,
            Other::Json
        );
    }
}

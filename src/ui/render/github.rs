//! Workflow commands of GitHub Actions, which become annotations on the changed files.

use std::io::{self, Write};

use super::json::{Document, Finding, Spot};

/// Writes one command a finding.
pub(crate) fn write(out: &mut impl Write, document: &Document) -> io::Result<()> {
    for finding in &document.findings {
        writeln!(out, "{}", command(finding))?;
    }
    Ok(())
}

fn command(finding: &Finding) -> String {
    let name = match finding.severity {
        "error" => "error",
        "warning" => "warning",
        _ => "notice",
    };
    let Spot {
        file,
        line,
        column,
        end_line,
        end_column,
        ..
    } = &finding.place;
    let number = |number: &Option<u32>| number.map(|number| number.to_string());
    // Columns are understood only within one line, and the last one is inclusive there.
    let is_one_line = line == end_line;
    let last_column = end_column
        .zip(*column)
        .map(|(end, start)| end.saturating_sub(1).max(start));
    let title = match finding.aliases {
        [] => finding.rule.to_owned(),
        aliases => format!("{} ({})", finding.rule, aliases.join(", ")),
    };
    let properties = [
        ("file", file.clone()),
        ("line", number(line)),
        ("endLine", number(end_line)),
        ("col", number(column).filter(|_| is_one_line)),
        ("endColumn", number(&last_column).filter(|_| is_one_line)),
        ("title", Some(title)),
    ];
    let properties: Vec<_> = properties
        .into_iter()
        .filter_map(|(key, value)| Some(format!("{key}={}", escape_property(&value?))))
        .collect();
    // An annotation without a file has to say what it is about.
    let mut message = match (&finding.place.file, &finding.place.resource) {
        (None, Some(resource)) => format!("{resource}: {}", finding.message),
        _ => finding.message.clone(),
    };
    if let Some(help) = &finding.help {
        message.push_str("\nhelp: ");
        message.push_str(help);
    }
    format!("::{name} {}::{}", properties.join(","), escape_data(&message))
}

/// The escapes that the runner undoes in the text of a command.
fn escape_data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// The escapes that the runner undoes in the properties of a command.
fn escape_property(text: &str) -> String {
    escape_data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_end_a_command_or_a_property_is_escaped() {
        assert_eq!(escape_data("100%\r\na:b,c"), "100%25%0D%0Aa:b,c");
        assert_eq!(escape_property("a:b,c%\n"), "a%3Ab%2Cc%25%0A");
    }
}

//! The little Markdown of our own documentation, for the terminal: headings, paragraphs, lists, code.

use std::fmt::Write;

use super::{Look, Tone};

/// Paragraphs are wrapped to the terminal, but lines longer than this are hard to read.
const WIDEST: usize = 100;

/// Columns of running text.
pub(crate) fn width(look: Look) -> usize {
    look.width.unwrap_or(WIDEST).clamp(20, WIDEST)
}

/// Renders `markdown`, each line after `indent` blanks.
pub(crate) fn render(markdown: &str, look: Look, indent: usize) -> String {
    let mut out = String::new();
    let mut paragraph = String::new();
    let mut is_code = false;
    for line in markdown.lines() {
        if line.trim_start().starts_with("```") {
            flush(&mut out, &mut paragraph, look, indent);
            is_code = !is_code;
        } else if is_code {
            let code = if line.is_empty() {
                "".into()
            } else {
                look.paint(Tone::Code, line)
            };
            push_line(&mut out, indent + 4, &code);
        } else if line.trim().is_empty() {
            flush(&mut out, &mut paragraph, look, indent);
            push_line(&mut out, 0, "");
        } else if let Some(heading) = line.strip_prefix('#') {
            flush(&mut out, &mut paragraph, look, indent);
            let heading = heading.trim_start_matches('#').trim_start();
            push_line(&mut out, indent, &look.paint(Tone::Strong, heading));
        } else {
            if line.trim_start().starts_with("- ") {
                flush(&mut out, &mut paragraph, look, indent);
            }
            if !paragraph.is_empty() {
                paragraph.push(' ');
            }
            paragraph.push_str(line.trim());
        }
    }
    flush(&mut out, &mut paragraph, look, indent);
    out
}

/// The first sentence of a text, on one line, without its full stop.
pub(crate) fn first_sentence(markdown: &str) -> String {
    let paragraph = markdown
        .trim()
        .split("\n\n")
        .next()
        .unwrap_or_default()
        .replace('\n', " ");
    // A sentence ends before a capital letter; the dots of `e.g.` and of versions do not.
    let ends = paragraph.match_indices(". ").map(|(at, _)| at);
    let end = ends.into_iter().find(|at| {
        paragraph[at + 2..]
            .trim_start_matches(['`', '*'])
            .starts_with(|next: char| next.is_uppercase())
    });
    paragraph[..end.unwrap_or(paragraph.len())]
        .trim_end_matches('.')
        .to_owned()
}

fn flush(out: &mut String, paragraph: &mut String, look: Look, indent: usize) {
    if paragraph.is_empty() {
        return;
    }
    let text = std::mem::take(paragraph).replace("**", "");
    let (bullet, text) = match text.strip_prefix("- ") {
        Some(text) => ("- ", text),
        None => ("", text.as_str()),
    };
    let hanging = indent + bullet.len();
    let mut is_code = false;
    for (index, line) in wrap(text, width(look).saturating_sub(hanging)).iter().enumerate() {
        let line = inline(line, look, &mut is_code);
        match index {
            0 => push_line(out, indent, &format!("{bullet}{line}")),
            _ => push_line(out, hanging, &line),
        }
    }
}

/// Code within a line: in color instead of its backticks, if there are colors. Code may go on on the next line.
fn inline(line: &str, look: Look, is_code: &mut bool) -> String {
    if !look.color {
        return line.to_owned();
    }
    let mut painted = String::new();
    for (index, piece) in line.split('`').enumerate() {
        *is_code ^= index > 0;
        if *is_code && !piece.is_empty() {
            painted.push_str(&look.paint(Tone::Code, piece));
        } else {
            painted.push_str(piece);
        }
    }
    painted
}

fn push_line(out: &mut String, indent: usize, line: &str) {
    let indent = if line.is_empty() { 0 } else { indent };
    let _ = writeln!(out, "{:indent$}{line}", "");
}

/// Breaks text between words, into lines of at most `width` characters where words allow it.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let last = lines.len() - 1;
        if column > 0 && column + 1 + length > width {
            lines.push(word.to_owned());
            column = length;
        } else {
            if column > 0 {
                lines[last].push(' ');
                column += 1;
            }
            lines[last].push_str(word);
            column += length;
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markdown_becomes_indented_text() {
        let markdown =
            "One `a b`\nand two.\n\n## Why\n- first\n  more\n- second\n\n```yaml\na:\n\n  b: 1\n```\n";
        insta::assert_snapshot!(render(markdown, Look::default(), 2), @r#"
        One `a b` and two.

        Why
        - first more
        - second

            a:

              b: 1
        "#);
    }

    #[test]
    fn colors_take_the_place_of_backticks_across_lines() {
        let look = Look {
            color: true,
            width: Some(20),
            ..Look::default()
        };
        let rendered = render("Set `alpha beta gamma delta` now.", look, 0);
        assert!(!rendered.contains('`'), "{rendered:?}");
        assert_eq!(rendered.matches("\u{1b}[36m").count(), 2, "{rendered:?}");
        assert!(
            rendered.contains("\u{1b}[36mgamma delta\u{1b}[0m now."),
            "{rendered:?}"
        );
    }

    #[test]
    fn first_sentences() {
        for (text, sentence) in [
            ("Port of it. It is.", "Port of it"),
            (
                "Sends, e.g. `x`, to v1.2 only.\nThen more.",
                "Sends, e.g. `x`, to v1.2 only",
            ),
            ("No stop\nat all\n\nNext.", "No stop at all"),
            ("One. `Two` is code.", "One"),
            ("", ""),
        ] {
            assert_eq!(first_sentence(text), sentence);
        }
    }
}

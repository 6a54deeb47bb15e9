//! A few lines of a source with places in them underlined, drawn by miette.
//!
//! miette would walk a source from its start for every label. An [`Excerpt`] holds only the lines that are shown, and
//! knows where they stand in the source, so that its cost does not depend on the size of the file. It also cuts lines
//! that are too long to read, and takes out characters that would change the state of the terminal.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use mesh_yaml::{Position, Span};
use miette::{
    GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteError, MietteSpanContents, SourceCode,
    SourceSpan, SpanContents, ThemeCharacters, ThemeStyles,
};

use super::{Look, Tone};

/// Lines with more bytes than this are cut around their first label.
const LONGEST_LINE: usize = 240;

/// Columns of line numbers, of the frame, and of what marks a cut.
const FRAME: usize = 16;

/// A place to underline.
#[derive(Clone, Debug)]
pub(crate) struct Label {
    /// The bytes. Only what stands on their first line is underlined.
    pub(crate) span: Span,
    /// What to write below.
    pub(crate) text: Option<String>,
}

impl Label {
    /// A place whose explanation stands above the excerpt.
    pub(crate) fn primary(span: Span) -> Self {
        Self { span, text: None }
    }
}

/// Some lines of a source, ready to be drawn.
#[derive(Debug)]
pub(crate) struct Excerpt {
    name: String,
    text: String,
    /// Number of the first line, from 0.
    first_line: usize,
    marks: Vec<Mark>,
}

/// A label in the text of the excerpt.
#[derive(Debug)]
struct Mark {
    range: Range<usize>,
    text: Option<String>,
    position: Position,
}

impl Excerpt {
    /// The lines of `source` from one before the first label to one after the last. The first of `labels` is the
    /// primary one. Labels should be close together, as all lines between them are shown.
    pub(crate) fn new(
        name: &str,
        source: &str,
        position: impl Fn(u32) -> Position,
        labels: &[Label],
        look: Look,
    ) -> Self {
        let ranges: Vec<_> = labels
            .iter()
            .map(|label| on_one_line(source, label.span))
            .collect();
        let positions: Vec<_> = ranges.iter().map(|range| position(offset(range.start))).collect();
        let first = ranges.iter().map(|range| range.start).min().unwrap_or_default();
        let last = ranges.iter().map(|range| range.end).max().unwrap_or_default();
        let mut start = line_start(source, first);
        let mut first_line = positions.iter().map(|position| position.line).min().unwrap_or(1) as usize - 1;
        if start > 0 {
            start = line_start(source, start - 1);
            first_line = first_line.saturating_sub(1);
        }
        let mut end = line_end(source, last);
        if end + 1 < source.len() {
            end = line_end(source, end + 1);
        }
        let mut text = String::new();
        let mut moved = vec![0..0; ranges.len()];
        let mut at = start;
        for line in source[start..end].split('\n') {
            let marks = ranges.iter().zip(&mut moved).filter_map(|(range, moved)| {
                let start = range.start.checked_sub(at).filter(|start| *start <= line.len())?;
                Some((start..range.end - at, moved))
            });
            push_line(&mut text, line, marks.collect(), look);
            at += line.len() + 1;
        }
        let marks = labels.iter().zip(moved).zip(positions);
        Self {
            name: clean(name).into_owned(),
            text,
            first_line,
            marks: marks
                .map(|((label, range), position)| Mark {
                    range,
                    text: label.text.as_deref().map(|text| clean(text).into_owned()),
                    position,
                })
                .collect(),
        }
    }

    /// Draws the excerpt, with a line break at its end.
    pub(crate) fn render(&self, look: Look, tone: Tone) -> String {
        let mut styles = if look.color {
            ThemeStyles::ansi()
        } else {
            ThemeStyles::none()
        };
        let (primary, secondary) = match tone {
            Tone::Error => (styles.error, styles.advice),
            Tone::Warning => (styles.warning, styles.advice),
            _ => (styles.advice, styles.advice),
        };
        // miette hands the styles out in the order of the text.
        let mut order: Vec<usize> = (0..self.marks.len()).collect();
        order.sort_by_key(|index| self.marks[*index].range.start);
        styles.highlights = order
            .into_iter()
            .map(|index| if index == 0 { primary } else { secondary })
            .collect();
        let characters = if look.unicode {
            ThemeCharacters::unicode()
        } else {
            ThemeCharacters::ascii()
        };
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme { characters, styles })
            .with_links(false)
            .with_wrap_lines(false)
            .without_syntax_highlighting();
        let mut drawn = String::new();
        if handler.render_report(&mut drawn, self).is_err() {
            return String::new(); // Writing to a string does not fail; a place that is not drawn is named anyway.
        }
        // The message stands above the excerpt already, in its own form; miette leaves an empty one on its first line.
        drawn
            .split_once('\n')
            .map(|(_, rest)| rest.to_owned())
            .unwrap_or_default()
    }
}

impl fmt::Display for Excerpt {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl std::error::Error for Excerpt {}

impl miette::Diagnostic for Excerpt {
    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(self)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(self.marks.iter().enumerate().map(|(index, mark)| {
            let range = mark.range.clone();
            match index {
                0 => LabeledSpan::new_primary_with_span(mark.text.clone(), range),
                _ => LabeledSpan::new_with_span(mark.text.clone(), range),
            }
        })))
    }
}

impl SourceCode for Excerpt {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let contents = self.text.as_bytes().read_span(span, lines_before, lines_after)?;
        // Without context miette asks for the position of a label, which cut lines would falsify.
        let mark = self.marks.iter().find(|mark| mark.range.start == span.offset());
        let (line, column) = match mark {
            Some(mark) if lines_before == 0 => {
                (mark.position.line as usize - 1, mark.position.column as usize - 1)
            }
            _ => (self.first_line + contents.line(), contents.column()),
        };
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            contents.data(),
            *contents.span(),
            line,
            column,
            contents.line_count(),
        )))
    }
}

/// Appends a line, cut if it is long, and says where the ranges of `marks`, which count from the start of the line,
/// are in the text.
fn push_line(text: &mut String, line: &str, marks: Vec<(Range<usize>, &mut Range<usize>)>, look: Look) {
    let line = line.strip_suffix('\r').unwrap_or(line);
    let longest = look.width.map_or(LONGEST_LINE, |width| {
        width.saturating_sub(FRAME).clamp(FRAME, LONGEST_LINE)
    });
    let mut shown = 0..line.len();
    if line.len() > longest {
        let first = marks
            .iter()
            .map(|(range, _)| range)
            .min_by_key(|range| range.start);
        let from = match first {
            Some(range) if range.end > longest => range.start.saturating_sub(longest / 4).min(line.len()),
            _ => 0,
        };
        shown.start = line.floor_char_boundary(from);
        shown.end = line.floor_char_boundary(from + longest);
    }
    if shown.start > 0 {
        text.push_str(look.ellipsis());
    }
    let before = text.len();
    let place = |at: usize| {
        let at = line.floor_char_boundary(at.clamp(shown.start, shown.end));
        before + clean(&line[shown.start..at]).len()
    };
    for (range, moved) in marks {
        *moved = place(range.start)..place(range.end);
    }
    text.push_str(&clean(&line[shown.clone()]));
    if shown.end < line.len() {
        text.push_str(look.ellipsis());
    }
    text.push('\n');
}

/// The part of a span on its first line, at character boundaries and inside `text`.
fn on_one_line(text: &str, span: Span) -> Range<usize> {
    let start = text.floor_char_boundary((span.start as usize).min(text.len()));
    let end = text
        .ceil_char_boundary((span.end as usize).min(text.len()))
        .max(start);
    let line = text[start..end].split(['\n', '\r']).next().unwrap_or_default();
    start..start + line.len()
}

/// Texts are no larger than 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

fn line_start(text: &str, offset: usize) -> usize {
    text[..offset].rfind('\n').map_or(0, |at| at + 1)
}

/// Where the line that holds `offset` ends, before its line break.
fn line_end(text: &str, offset: usize) -> usize {
    text[offset..].find('\n').map_or(text.len(), |at| offset + at)
}

/// `text` without characters that change the terminal's state or the direction of writing.
fn clean(text: &str) -> Cow<'_, str> {
    let is_harmful = |character: char| {
        (character.is_control() && character != '\t')
            || matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if text.contains(is_harmful) {
        text.replace(is_harmful, "\u{fffd}").into()
    } else {
        text.into()
    }
}

#[cfg(test)]
mod tests {
    use mesh_yaml::LineIndex;
    use proptest::prelude::*;

    use super::*;

    fn draw(source: &str, spans: &[(usize, usize)]) -> String {
        draw_in(Look::default(), source, spans)
    }

    fn draw_in(look: Look, source: &str, spans: &[(usize, usize)]) -> String {
        let lines = LineIndex::new(source);
        let labels: Vec<_> = spans
            .iter()
            .enumerate()
            .map(|(index, (start, end))| Label {
                span: Span::new(offset(*start), offset(*end)),
                text: (index > 0).then(|| "here".to_owned()),
            })
            .collect();
        let position = |at| lines.position(source, at);
        Excerpt::new("a.yaml", source, position, &labels, look).render(look, Tone::Error)
    }

    #[test]
    fn shows_the_line_before_and_after_and_underlines() {
        let source = "one: 1\ntwo: 2\nthree: 3\nfour: 4\nfive: 5\n";
        insta::assert_snapshot!(draw(source, &[(22, 23)]), @r#"
          ,-[a.yaml:3:9]
        2 | two: 2
        3 | three: 3
          :         ^
        4 | four: 4
          `----
        "#);
        insta::assert_snapshot!(draw(source, &[(22, 23), (7, 10)]), @r#"
          ,-[a.yaml:3:9]
        1 | one: 1
        2 | two: 2
          : ^|^
          :  `-- here
        3 | three: 3
          :         ^
        4 | four: 4
          `----
        "#);
    }

    #[test]
    fn ends_of_text_and_line_breaks_have_a_place() {
        insta::assert_snapshot!(draw("a: [\n", &[(5, 5)]), @r#"
          ,-[a.yaml:2:1]
        1 | a: [
        2 | 
          : ^
          `----
        "#);
        insta::assert_snapshot!(draw("a: [\r\nb", &[(0, 9)]), @r#"
          ,-[a.yaml:1:1]
        1 | a: [
          : ^^^^
        2 | b
          `----
        "#);
        insta::assert_snapshot!(draw("", &[(0, 0)]), @r#"
          ,-[a.yaml:1:1]
        1 | 
          : ^
          `----
        "#);
    }

    #[test]
    fn long_lines_are_cut_but_the_position_is_true() {
        let source = format!("[{}, \"x\"]", "1, ".repeat(1000));
        let at = source.find("\"x\"").expect("present");
        let drawn = draw(&source, &[(at, at + 3)]);
        assert!(drawn.contains(&format!("[a.yaml:1:{}]", at + 1)), "{drawn}");
        assert!(drawn.lines().all(|line| line.len() < 300), "{drawn}");
        assert!(drawn.contains("... 1, 1, "), "{drawn}");
    }

    #[test]
    fn lines_fit_the_terminal() {
        let look = Look {
            width: Some(40),
            ..Look::default()
        };
        let source = format!("key: {} # {}\n", "v".repeat(10), "c".repeat(60));
        let drawn = draw_in(look, &source, &[(5, 15)]);
        assert!(drawn.lines().all(|line| line.len() <= 40), "{drawn}");
        assert!(
            drawn.contains("| key: vvvvvvvvvv # ccc"),
            "what fits is not cut at the front\n{drawn}"
        );
        let drawn = draw_in(look, &source, &[(60, 64)]);
        assert!(drawn.lines().all(|line| line.len() <= 40), "{drawn}");
        assert!(drawn.contains("| ...cccccc"), "{drawn}");
    }

    #[test]
    fn escapes_for_the_terminal_are_taken_out() {
        let drawn = draw("a: \u{1b}[31mred\u{9b}0m \u{202e}x\n", &[(3, 5)]);
        assert!(!drawn.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{drawn}");
    }

    proptest! {
        #[test]
        fn any_place_in_any_text_can_be_drawn(
            source in "([a-zé\u{1F600}\t:\r\u{1b}]{0,8}\n?){0,12}|[aé]{230,260}",
            spans in proptest::collection::vec((0usize..280, 0usize..280), 1..4),
        ) {
            let spans: Vec<_> = spans.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            let drawn = draw(&source, &spans);
            prop_assert!(drawn.contains("[a.yaml:"), "{drawn}");
        }
    }
}

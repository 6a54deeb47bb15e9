//! Tables of many rows, as wide as the terminal.

use super::{Look, Tone};

/// Blanks between two columns.
const GAP: usize = 2;

/// Columns never get narrower than this to fit a terminal.
const NARROWEST: u16 = 8;

/// Draws rows under their headings, without lines. Every row has as many cells as there are headings.
///
/// On a terminal that is too narrow cells are wrapped; elsewhere lines are as long as they need to be. Columns that
/// are empty in every row are left out.
pub(crate) fn table(look: Look, headings: &[&str], rows: &[Vec<String>]) -> String {
    let shown: Vec<usize> = (0..headings.len())
        .filter(|&column| rows.is_empty() || rows.iter().any(|row| !row[column].is_empty()))
        .collect();
    let widths: Vec<usize> = shown
        .iter()
        .map(|&column| {
            let cells = rows.iter().map(|row| columns(&row[column])).max();
            cells.unwrap_or_default().max(columns(headings[column]))
        })
        .collect();
    let total: usize = widths.iter().sum::<usize>() + GAP * widths.len().saturating_sub(1);
    let heads: Vec<String> = shown.iter().map(|&column| headings[column].to_owned()).collect();
    if look.width.is_some_and(|width| total > width) {
        return wrapped(look, &heads, &shown, rows);
    }
    let mut text = String::new();
    line(
        &mut text,
        &widths,
        heads
            .iter()
            .map(|head| (columns(head), look.paint(Tone::Strong, head))),
    );
    for row in rows {
        let cells = shown
            .iter()
            .map(|&column| (columns(&row[column]), row[column].as_str().into()));
        line(&mut text, &widths, cells);
    }
    text
}

/// Terminal columns of a text. Names in a mesh are ASCII; anything else counts by characters.
fn columns(text: &str) -> usize {
    text.chars().count()
}

fn line<'a>(
    text: &mut String,
    widths: &[usize],
    cells: impl Iterator<Item = (usize, std::borrow::Cow<'a, str>)>,
) {
    let mut padding = 0;
    for ((length, cell), width) in cells.zip(widths) {
        text.extend(std::iter::repeat_n(' ', padding));
        text.push_str(&cell);
        padding = width.saturating_sub(length) + GAP;
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

fn wrapped(look: Look, heads: &[String], shown: &[usize], rows: &[Vec<String>]) -> String {
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_header(heads)
        .add_rows(rows.iter().map(|row| {
            shown
                .iter()
                .map(|&column| row[column].as_str())
                .collect::<Vec<_>>()
        }));
    if let Some(width) = look.width {
        table.set_width(u16::try_from(width).unwrap_or(u16::MAX));
    }
    table.set_constraints(
        shown
            .iter()
            .map(|_| comfy_table::ColumnConstraint::LowerBoundary(comfy_table::Width::Fixed(NARROWEST))),
    );
    for column in table.column_iter_mut() {
        column.set_padding((0, 1));
    }
    let mut text = String::new();
    for (number, line) in table.lines().enumerate() {
        let line = line.trim_end();
        if number == 0 {
            text.push_str(&look.paint(Tone::Strong, line));
        } else {
            text.push_str(line);
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&str]]) -> Vec<Vec<String>> {
        rows.iter()
            .map(|row| row.iter().map(|cell| (*cell).to_owned()).collect())
            .collect()
    }

    #[test]
    fn columns_are_aligned_and_empty_ones_left_out() {
        let rows = rows(&[&["a", "", "1"], &["longer", "", ""]]);
        let text = table(Look::default(), &["NAME", "NOTE", "PORT"], &rows);
        assert_eq!(text, "NAME    PORT\na       1\nlonger\n");
        assert_eq!(table(Look::default(), &["A", "B"], &[]), "A  B\n");
    }

    #[test]
    fn tables_fit_the_terminal() {
        let long = "outbound|9080|v1|reviews.default.svc.cluster.local";
        let rows = rows(&[
            &["10.0.0.1:9080", "HEALTHY", long],
            &["10.0.0.2:9080", "HEALTHY", long],
        ]);
        let narrow = Look {
            width: Some(60),
            ..Look::default()
        };
        let text = table(narrow, &["ENDPOINT", "STATUS", "CLUSTER"], &rows);
        assert!(text.lines().all(|line| line.chars().count() <= 60), "{text}");
        assert!(text.replace(['\n', ' '], "").contains("10.0.0.2"), "{text}");
        let wide = Look {
            width: Some(200),
            ..Look::default()
        };
        assert_eq!(
            table(wide, &["ENDPOINT", "STATUS", "CLUSTER"], &rows)
                .lines()
                .count(),
            3
        );
    }
}

//! `meshctl explain`: the documentation of rules, kinds and fields.

mod field;
mod kind;
mod rule;

use std::io::Write;

use clap::Args;
use mesh_analyze::RULES;
use mesh_core::schema::validate::closest;
use serde::Serialize;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::document::{self, Format, FormatArgs};
use crate::ui::{Look, Printer, Tone, markdown};
use kind::Topic;

/// Explain a rule, a kind of resource, or a field
///
/// Without an argument, lists all rules and kinds.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ExplainArgs {
    /// A rule's name or code, or a kind with an optional path to a field
    ///
    /// Kinds can be in any case, in the plural, or short as for kubectl. `spec` can be left out of a path, and so can
    /// the positions in lists.
    #[arg(value_name = "RULE|KIND[.FIELD]")]
    subject: Option<String>,

    #[command(flatten)]
    output: FormatArgs<Format>,
}

const EXAMPLES: &str = "\
Examples:
  List all rules and kinds
    meshctl explain

  What a finding means, by its name or by istioctl's or Kiali's code
    meshctl explain unknown-field
    meshctl explain IST0101

  What a resource can hold
    meshctl explain virtualservice
    meshctl explain vs.http.match.uri
    meshctl explain meshconfig.defaultConfig";

/// Runs the command.
pub(crate) fn explain(printer: &mut Printer, args: ExplainArgs) -> Result<Exit, CommandError> {
    let ExplainArgs { subject, output } = args;
    let look = printer.look();
    let out = printer.stdout();
    let Some(subject) = subject else {
        let list = List::new();
        write(out, output, &list, || list.text(look))?;
        return Ok(Exit::Clean);
    };
    if let Some(rules) = rule::Rules::named(&subject) {
        write(out, output, &rules, || rules.text(look))?;
    } else {
        let explained = field::explain(&subject)?;
        write(out, output, &explained, || explained.text(look))?;
    }
    Ok(Exit::Clean)
}

fn write(
    out: &mut impl Write,
    output: FormatArgs<Format>,
    value: &impl Serialize,
    text: impl FnOnce() -> String,
) -> Result<(), CommandError> {
    document::write(out, output.format, value, |out| out.write_all(text().as_bytes()))?;
    Ok(())
}

/// Everything that can be explained.
#[derive(Serialize)]
struct List {
    rules: Vec<rule::Entry>,
    kinds: Vec<kind::Entry>,
}

impl List {
    fn new() -> Self {
        Self {
            rules: RULES.iter().map(|rule| rule::Entry::new(rule)).collect(),
            kinds: Topic::all().map(Topic::entry).collect(),
        }
    }

    fn text(&self, look: Look) -> String {
        let mut text = heading(look, "Rules");
        text.push_str(&rule::table(look, &self.rules));
        text.push_str(&kind::tables(look, &self.kinds));
        text
    }
}

fn heading(look: Look, text: &str) -> String {
    format!("{}\n", look.paint(Tone::Strong, text))
}

/// Rows of text under each other, the last column wrapped.
fn columns(look: Look, rows: impl IntoIterator<Item = Vec<String>>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let names = rows.first().map_or(0, |row| row.len().saturating_sub(1));
    let mut table = comfy_table::Table::new();
    table
        .load_style(comfy_table::presets::NOTHING)
        .set_content_arrangement(comfy_table::ContentArrangement::Dynamic)
        .set_width(u16::try_from(markdown::width(look)).unwrap_or(u16::MAX))
        .add_rows(rows)
        .set_constraints(vec![comfy_table::ColumnConstraint::ContentWidth; names]);
    let mut text = String::new();
    for line in table.lines() {
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn unknown(subject: &str) -> CommandError {
    let names: Vec<_> = Topic::all().flat_map(Topic::names).collect();
    let rules = RULES
        .iter()
        .flat_map(|rule| std::iter::once(&rule.name).chain(rule.aliases));
    let head = subject.split('.').next().unwrap_or_default();
    let suggestion = closest(head, rules.copied().chain(names.iter().map(String::as_str)));
    CommandError::user(format!("no rule and no kind is named `{head}`")).hinted(match suggestion {
        Some(name) => format!("did you mean `{name}`?"),
        None => "`meshctl explain` lists all rules and kinds".to_owned(),
    })
}

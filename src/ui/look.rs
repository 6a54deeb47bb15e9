//! Colors, line drawing and width: what a stream can show.

use std::borrow::Cow;
use std::ffi::OsString;
use std::io::IsTerminal;

use clap::builder::styling::{AnsiColor, Style};

use crate::cli::When;

/// What the environment says about terminals.
#[derive(Debug, Default)]
pub(crate) struct Environment {
    no_color: Option<OsString>,
    color_force: Option<OsString>,
    color: Option<OsString>,
    term: Option<OsString>,
    locale: Option<OsString>,
}

impl Environment {
    /// Reads the variables that matter.
    pub(crate) fn read() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        Self {
            no_color: set("NO_COLOR"),
            color_force: set("CLICOLOR_FORCE"),
            color: set("CLICOLOR"),
            term: set("TERM"),
            locale: set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")),
        }
    }

    /// Whether the terminal cannot move its cursor.
    pub(super) fn is_dumb(&self) -> bool {
        self.term.as_deref().is_some_and(|term| term == "dumb")
    }

    /// Whether a stream gets colors. The conventions of no-color.org and bixense.com/clicolors, and the user's word
    /// above both.
    fn allows_color(&self, when: When, is_terminal: bool) -> bool {
        let is =
            |variable: &Option<OsString>, value: &str| variable.as_deref().is_some_and(|set| set == value);
        match when {
            When::Always => true,
            When::Never => false,
            When::Auto if self.no_color.is_some() => false,
            When::Auto if self.color_force.is_some() && !is(&self.color_force, "0") => true,
            When::Auto => is_terminal && !self.is_dumb() && !is(&self.color, "0"),
        }
    }

    /// Whether lines can be drawn with more than ASCII.
    fn allows_unicode(&self) -> bool {
        if cfg!(windows) {
            return true;
        }
        if self.term.as_deref().is_some_and(|term| term == "linux") {
            return false; // The console of the kernel lacks most of the characters.
        }
        let locale = self.locale.as_deref().unwrap_or_default().to_string_lossy();
        let locale = locale.to_ascii_lowercase();
        locale.contains("utf-8") || locale.contains("utf8")
    }
}

/// What a stream can show.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Look {
    /// Whether to use colors.
    pub(crate) color: bool,
    /// Whether to draw with more than ASCII.
    pub(crate) unicode: bool,
    /// Columns of the terminal; `None` if it is not one, and lines may be of any length.
    pub(crate) width: Option<usize>,
}

/// What a piece of text is, from which its color follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    /// An error.
    Error,
    /// A warning.
    Warning,
    /// Worth knowing.
    Info,
    /// All is well.
    Good,
    /// Advice.
    Hint,
    /// A heading or a name.
    Strong,
    /// Text to be copied: code, commands, paths.
    Code,
}

impl Look {
    /// What `stream` can show.
    pub(crate) fn of(stream: &impl IsTerminal, when: When, environment: &Environment) -> Self {
        let is_terminal = stream.is_terminal();
        Self {
            color: environment.allows_color(when, is_terminal),
            unicode: environment.allows_unicode(),
            width: is_terminal
                .then(terminal_size::terminal_size)
                .flatten()
                .map(|(terminal_size::Width(width), _)| usize::from(width))
                .filter(|width| *width > 0),
        }
    }

    /// `text` in the color of `tone`, if there are colors.
    pub(crate) fn paint<'a>(self, tone: Tone, text: impl Into<Cow<'a, str>>) -> Cow<'a, str> {
        let text = text.into();
        if !self.color {
            return text;
        }
        let style = match tone {
            Tone::Error => AnsiColor::Red.on_default().bold(),
            Tone::Warning => AnsiColor::Yellow.on_default().bold(),
            Tone::Info => AnsiColor::Blue.on_default().bold(),
            Tone::Good => AnsiColor::Green.on_default().bold(),
            Tone::Hint => AnsiColor::Cyan.on_default().bold(),
            Tone::Strong => Style::new().bold(),
            Tone::Code => AnsiColor::Cyan.on_default(),
        };
        format!("{style}{text}{style:#}").into()
    }

    /// Marks text that was cut.
    pub(crate) fn ellipsis(self) -> &'static str {
        if self.unicode { "…" } else { "..." }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        let set = |name: &str| {
            let found = variables.iter().find(|(known, _)| *known == name);
            found.map(|(_, value)| OsString::from(value))
        };
        Environment {
            no_color: set("NO_COLOR"),
            color_force: set("CLICOLOR_FORCE"),
            color: set("CLICOLOR"),
            term: set("TERM"),
            locale: set("LANG"),
        }
    }

    #[test]
    fn colors_follow_the_flag_then_the_environment_then_the_terminal() {
        for (variables, when, is_terminal, expected) in [
            (&[][..], When::Auto, true, true),
            (&[], When::Auto, false, false),
            (
                &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")],
                When::Auto,
                true,
                false,
            ),
            (&[("NO_COLOR", "1")], When::Always, false, true),
            (&[("CLICOLOR_FORCE", "1")], When::Auto, false, true),
            (&[("CLICOLOR_FORCE", "0")], When::Auto, false, false),
            (&[("CLICOLOR_FORCE", "1")], When::Never, true, false),
            (&[("CLICOLOR", "0")], When::Auto, true, false),
            (&[("TERM", "dumb")], When::Auto, true, false),
        ] {
            assert_eq!(
                environment(variables).allows_color(when, is_terminal),
                expected,
                "{variables:?} {when:?} {is_terminal}"
            );
        }
    }

    #[cfg(not(windows))]
    #[test]
    fn lines_are_drawn_where_the_locale_has_them() {
        for (variables, expected) in [
            (&[("LANG", "de_DE.UTF-8")][..], true),
            (&[("LANG", "C.utf8")], true),
            (&[("LANG", "C")], false),
            (&[], false),
            (&[("LANG", "en_US.UTF-8"), ("TERM", "linux")], false),
        ] {
            assert_eq!(environment(variables).allows_unicode(), expected, "{variables:?}");
        }
    }
}

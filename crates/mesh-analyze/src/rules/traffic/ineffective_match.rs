//! Matches that earlier ones leave nothing to.

use mesh_core::{Kind, Mesh};

use super::matches::{Reason, idle_rules, with_broken_matches};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A match of a VirtualService never decides anything, because an earlier one takes everything that it would take.
    ///
    /// ## Why is this bad?
    /// It reads as if such requests were treated in their own way, and they are not. Often the more general match stands
    /// before the more special one by mistake.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - match:
    ///     - uri: {prefix: /api}
    ///     route:
    ///     - destination: {host: reviews}
    ///   - match:
    ///     - uri: {prefix: /api/v2}
    ///     - uri: {exact: /next}
    ///     route:
    ///     - destination: {host: reviews-next}
    /// ```
    ///
    /// ## Fix
    /// Move the more special match up, or remove it. Where all matches of a route are of no use, the route is never reached,
    /// and this is a warning.
    pub static RULE = {
        name: "ineffective-match",
        aliases: &["IST0131"],
        severity: Severity::Info,
        since: "0.1.0",
        subjects: &[Kind::VirtualService],
        needs: &[],
        check,
    }
}

fn check(mesh: &Mesh, reporter: &mut Reporter<'_>) {
    let broken = with_broken_matches(mesh);
    reporter.each(mesh.virtual_services(), |resource, reporter| {
        if broken.contains(&(resource.namespace(), resource.name())) {
            return;
        }
        let rules = idle_rules(resource);
        for rule in rules.iter().filter(|rule| !rule.is_plainly_unreachable()) {
            for idle in &rule.idle {
                let (this, by) = (idle.place.relative(), idle.by.relative());
                let (verb, help) = match idle.reason {
                    Reason::Same => ("repeats", format!("remove `{this}`")),
                    Reason::Everything | Reason::Broader => (
                        "has no effect after",
                        format!("move `{this}` before `{by}`, or remove it"),
                    ),
                };
                let finding = reporter.report(resource, idle.place.path());
                let mut message = format!("`{this}` {verb} `{by}`");
                if idle.reason != Reason::Same {
                    message.push_str(", which takes all of its requests");
                }
                if rule.is_unreachable {
                    finding.severity(Severity::Warning);
                    message.push_str(", and the route is never reached");
                }
                finding
                    .message(message)
                    .help(help)
                    .related(resource, idle.by.path(), "the earlier match");
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, silent, virtual_service};
    use crate::Severity;

    const RULE: &str = "ineffective-match";

    fn http(rules: &str) -> String {
        virtual_service("a", &format!("{{hosts: [x], http: {rules}}}"))
    }

    #[test]
    fn broader_and_equal_matches_leave_nothing() {
        finds(
            RULE,
            &http(
                "[{match: [{uri: {prefix: /a}}, {uri: {prefix: /a}, name: again}]}, {match: [{uri: {prefix: /a/b}}, {uri: {exact: /c}}]}]",
            ),
            &[
                (
                    "spec.http[0].match[1]",
                    "`http[0].match[1]` repeats `http[0].match[0]`",
                ),
                (
                    "spec.http[1].match[0]",
                    "`http[1].match[0]` has no effect after `http[0].match[0]`, which takes all of its requests",
                ),
            ],
        );
    }

    #[test]
    fn a_route_with_no_other_match_is_never_reached() {
        let found = diagnostics(
            RULE,
            &http("[{match: [{uri: {prefix: /a}}]}, {match: [{uri: {exact: /a/b}}]}]"),
        );
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].severity, Severity::Warning);
        assert!(found[0].message.ends_with("and the route is never reached"));
        assert_eq!(
            found[0].related[0].place.path.to_string(),
            "spec.http[0].match[0]"
        );
        let found = diagnostics(
            RULE,
            &http("[{match: [{uri: {prefix: /a}}, {uri: {exact: /a/b}}]}]"),
        );
        assert_eq!(found[0].severity, Severity::Info);
    }

    #[test]
    fn all_conditions_count() {
        for rules in [
            "[{match: [{uri: {prefix: /a}, headers: {h: {exact: x}}}]}, {match: [{uri: {prefix: /a/b}}]}]",
            "[{match: [{uri: {prefix: /a}, method: {exact: GET}}]}, {match: [{uri: {prefix: /a/b}, method: {exact: POST}}]}]",
            "[{match: [{uri: {prefix: /a}, withoutHeaders: {h: {}}}]}, {match: [{uri: {prefix: /a/b}}]}]",
            "[{match: [{uri: {prefix: /a}, queryParams: {q: {exact: x}}}]}, {match: [{uri: {prefix: /a}}]}]",
            "[{match: [{uri: {prefix: /a/b}}]}, {match: [{uri: {prefix: /a}}]}]",
            // Reported as a route that is never reached.
            "[{match: [{uri: {prefix: /a}}]}, {match: [{uri: {prefix: /a}}]}]",
        ] {
            silent(RULE, &http(rules));
        }
    }
}

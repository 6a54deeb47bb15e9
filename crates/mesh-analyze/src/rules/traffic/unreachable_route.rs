//! Routes that earlier ones leave nothing to.

use mesh_core::{Kind, Mesh};

use super::matches::{Reason, idle_rules, with_broken_matches};
use crate::{Reporter, Severity, declare_rule};

declare_rule! {
    /// A route of a VirtualService is never reached, because earlier ones take everything that it would take.
    ///
    /// ## Why is this bad?
    /// Routes are tried in order, and the first one that matches is taken. What the later route says has no effect.
    ///
    /// ## Example
    /// ```yaml
    /// apiVersion: networking.istio.io/v1
    /// kind: VirtualService
    /// metadata: {name: reviews, namespace: shop}
    /// spec:
    ///   hosts: [reviews]
    ///   http:
    ///   - route:
    ///     - destination: {host: reviews}
    ///   - match:
    ///     - headers: {end-user: {exact: jason}}
    ///     route:
    ///     - destination: {host: reviews-next}
    /// ```
    ///
    /// ## Fix
    /// Move the route without matches to the end, or remove the route that is never reached.
    pub static RULE = {
        name: "unreachable-route",
        aliases: &["IST0130"],
        severity: Severity::Warning,
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
        for rule in idle_rules(resource) {
            if !rule.is_plainly_unreachable() {
                continue; // `ineffective-match` reports its matches.
            }
            let finding = reporter.report(resource, rule.place.path());
            let whole = rule.idle.iter().find(|idle| idle.reason == Reason::Everything);
            if let Some(idle) = whole {
                finding
                    .message(format!(
                        "`{}` is never reached, because `{}` takes everything",
                        rule.place.relative(),
                        idle.by.relative()
                    ))
                    .help(format!("move `{}` to the end", idle.by.relative()))
                    .related(resource, idle.by.path(), "takes everything");
            } else {
                finding
                    .message(format!(
                        "`{}` is never reached, because earlier routes have the same matches",
                        rule.place.relative()
                    ))
                    .help("remove the route, or change its matches");
                for idle in rule.idle.iter().take(3) {
                    finding.related(resource, idle.by.path(), "the same match");
                }
            }
        }
    });
}

#[cfg(test)]
mod tests {
    use super::super::testing::{diagnostics, finds, silent, virtual_service};

    const RULE: &str = "unreachable-route";

    fn http(rules: &str) -> String {
        virtual_service("a", &format!("{{hosts: [x], http: {rules}}}"))
    }

    #[test]
    fn nothing_comes_after_a_route_for_everything() {
        let text = http("[{route: []}, {match: [{uri: {exact: /a}}]}, {route: []}]");
        finds(
            RULE,
            &text,
            &[
                (
                    "spec.http[1]",
                    "`http[1]` is never reached, because `http[0]` takes everything",
                ),
                (
                    "spec.http[2]",
                    "`http[2]` is never reached, because `http[0]` takes everything",
                ),
            ],
        );
        let found = diagnostics(RULE, &text);
        assert_eq!(found[0].help.as_deref(), Some("move `http[0]` to the end"));
        assert_eq!(found[0].related[0].place.path.to_string(), "spec.http[0]");
        finds(
            RULE,
            &http("[{match: [{uri: {exact: /b}}, {uri: {prefix: /}}]}, {match: [{uri: {exact: /a}}]}]"),
            &[("spec.http[1]", "because `http[0].match[1]` takes everything")],
        );
    }

    #[test]
    fn the_same_matches_leave_nothing() {
        finds(
            RULE,
            &http(
                "[{match: [{uri: {exact: /a}, name: one}, {uri: {exact: /b}}]}, {match: [{uri: {exact: /b}}, {uri: {exact: /a}}]}]",
            ),
            &[("spec.http[1]", "earlier routes have the same matches")],
        );
        finds(
            RULE,
            &virtual_service(
                "a",
                "{hosts: [x], tcp: [{match: [{port: 1}]}, {match: [{port: 1}]}, {}, {match: [{port: 2}]}], tls: \
                 [{match: [{sniHosts: [x]}]}, {match: [{sniHosts: [x]}]}]}",
            ),
            &[
                ("spec.tcp[1]", "the same matches"),
                ("spec.tcp[3]", "`tcp[2]` takes everything"),
                ("spec.tls[1]", "the same matches"),
            ],
        );
    }

    #[test]
    fn what_differs_is_reached() {
        for rules in [
            "[{match: [{uri: {exact: /a}}]}, {route: []}]",
            "[{match: [{uri: {exact: /a}}]}, {match: [{uri: {exact: /a}}, {uri: {exact: /b}}]}]",
            "[{match: [{uri: {exact: /a}, gateways: [mesh, a]}]}, {match: [{uri: {exact: /a}, gateways: [b]}]}]",
            "[{match: [{uri: {prefix: /}, port: 80}]}, {match: [{uri: {prefix: /}, port: 81}]}]",
            "[{match: [{sourceLabels: {app: a}}]}, {match: [{sourceLabels: {app: b}}]}]",
            // A delegate gives back what it does not take.
            "[{delegate: {name: other}}, {match: [{uri: {exact: /a}}]}]",
            // What is misspelt is not a match of everything.
            "[{match: [{urii: {exact: /a}}]}, {match: [{uri: {exact: /b}}]}]",
            "[{match: [{uri: /a}]}, {match: [{uri: {exact: /b}}]}]",
        ] {
            silent(RULE, &http(rules));
        }
    }
}

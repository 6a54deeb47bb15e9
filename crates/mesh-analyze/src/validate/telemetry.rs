//! Validation of [`Telemetry`].

use mesh_core::istio::telemetry::{AccessLogging, CustomTag, Metrics, TagOperation, Telemetry, Tracing};
use mesh_core::{Mesh, Resource};
use mesh_yaml::{FieldPath, Node, path};

use super::{Findings, cel_syntax, policy};

pub(super) fn check(resource: &Resource<Telemetry>, _mesh: &Mesh, findings: &mut Findings) {
    let spec = &resource.spec;
    policy::targets(
        spec.selector.as_ref(),
        spec.target_ref.as_ref(),
        &spec.target_refs,
        findings,
    );
    let root = resource.origin().root();
    if spec.tracing.len() > 1 {
        findings
            .warning(
                path!["spec", "tracing", 1],
                "only the first entry of `tracing` is used",
            )
            .help("merge the entries, or write a Telemetry for each set of workloads");
    }
    for (index, tracing) in spec.tracing.iter().enumerate() {
        self::tracing(tracing, &path!["spec", "tracing", index], findings);
    }
    for (index, metrics) in spec.metrics.iter().enumerate() {
        self::metrics(metrics, &path!["spec", "metrics", index], root, findings);
    }
    for (index, logging) in spec.access_logging.iter().enumerate() {
        access_logging(logging, &path!["spec", "accessLogging", index], findings);
    }
}

fn tracing(tracing: &Tracing, path: &FieldPath, findings: &mut Findings) {
    if let [first, .., _] = &tracing.providers[..] {
        findings
            .warning(
                path.key("providers").index(1),
                format!("only one tracing provider is used: `{}`", first.name),
            )
            .help("leave one provider; a collector can pass spans on to several systems");
    }
    for (name, tag) in &tracing.custom_tags {
        let path = path.key("customTags").key(name);
        if name.is_empty() {
            findings.error(path, "a tag has no name").help("name the tag");
            continue;
        }
        let CustomTag {
            environment,
            formatter,
            header,
            literal,
        } = tag;
        if environment.is_none() && formatter.is_none() && header.is_none() && literal.is_none() {
            findings
                .warning(path, format!("the tag `{name}` has no value, and so is not set"))
                .help("add one of `literal`, `environment`, `header` and `formatter`");
        }
    }
}

fn metrics(metrics: &Metrics, path: &FieldPath, root: Node<'_>, findings: &mut Findings) {
    for (index, change) in metrics.overrides.iter().enumerate() {
        for (name, tag) in &change.tag_overrides {
            let path = path.key("overrides").index(index).key("tagOverrides").key(name);
            if name.is_empty() {
                findings
                    .warning(path.clone(), "a tag has no name")
                    .help("name the tag");
            }
            // A CEL rule covers the case that the operation is written out.
            let is_implicit = root
                .at(&path)
                .is_some_and(|node| node.is_mapping() && node.get("operation").is_none());
            if is_implicit && tag.operation == TagOperation::Upsert && tag.value.is_empty() {
                findings
                    .error(path, format!("the tag `{name}` has no `value` to set"))
                    .help("add `value`, or `operation: REMOVE` to remove the tag");
            }
        }
    }
}

fn access_logging(logging: &AccessLogging, path: &FieldPath, findings: &mut Findings) {
    let Some(filter) = &logging.filter else {
        return;
    };
    let path = path.key("filter").key("expression");
    if let Err(error) = cel_syntax::check(&filter.expression) {
        let before = filter.expression.get(..error.offset).unwrap_or_default();
        findings
            .error(
                path,
                format!(
                    "the filter is not a CEL expression: {} at character {}",
                    error.message,
                    before.chars().count() + 1
                ),
            )
            .help("write a condition such as `response.code >= 400`");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::validation;

    fn spec(text: &str) -> Vec<String> {
        validation(&format!(
            "apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {{name: a}}\nspec: {text}\n"
        ))
    }

    #[test]
    fn broken_settings_are_found() {
        for (text, expected) in [
            (
                "{tracing: [{}, {}]}",
                "warning spec.tracing[1]: only the first entry",
            ),
            (
                "{tracing: [{providers: [{name: a}, {name: b}]}]}",
                "warning spec.tracing[0].providers[1]: only one tracing provider is used: `a`",
            ),
            (
                "{tracing: [{customTags: {x: {}}}]}",
                "warning spec.tracing[0].customTags.x: the tag `x` has no value",
            ),
            (
                "{tracing: [{customTags: {'': {literal: {value: a}}}}]}",
                "error spec.tracing[0].customTags[\"\"]: a tag has no name",
            ),
            (
                "{metrics: [{overrides: [{tagOverrides: {x: {}}}]}]}",
                "error spec.metrics[0].overrides[0].tagOverrides.x: the tag `x` has no `value`",
            ),
            (
                "{metrics: [{overrides: [{tagOverrides: {'': {value: a}}}]}]}",
                "warning spec.metrics[0].overrides[0].tagOverrides[\"\"]: a tag has no name",
            ),
            (
                "{accessLogging: [{filter: {expression: 'response.code = 400'}}]}",
                "error spec.accessLogging[0].filter.expression: the filter is not a CEL expression: `=` is not part \
                 of the language at character 15",
            ),
            (
                "{accessLogging: [{filter: {}}]}",
                "error spec.accessLogging[0].filter.expression: the filter is not a CEL expression: expected a value",
            ),
        ] {
            let found = spec(text);
            assert!(
                found.len() == 1 && found[0].starts_with(expected),
                "{text}: {found:?}"
            );
        }
    }

    #[test]
    fn good_settings_and_what_schemas_report_are_silent() {
        for text in [
            "{}",
            "{tracing: [{providers: [{name: a}], customTags: {x: {header: {name: h}}}}]}",
            "{metrics: [{overrides: [{tagOverrides: {x: {value: a}, y: {operation: REMOVE}}}]}]}",
            "{metrics: [{overrides: [{tagOverrides: {x: {operation: UPSERT}}}]}]}",
            "{metrics: [{overrides: [{tagOverrides: {x: null}}]}]}",
            "{accessLogging: [{filter: {expression: \"response.code >= 400 && !has(request.time)\"}}]}",
        ] {
            assert_eq!(spec(text), [""; 0], "{text}");
        }
    }
}

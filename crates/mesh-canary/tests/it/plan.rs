//! `canary.yaml`.

use std::time::Duration;

use mesh_canary::plan::{PlanError, PlanFile, When, read};
use proptest::prelude::*;

fn plan(text: &str) -> Result<PlanFile, Vec<PlanError>> {
    let text = text.into();
    let documents = mesh_yaml::parse(&text);
    let document = documents
        .first()
        .expect("a document")
        .as_ref()
        .expect("it is YAML");
    read(document.root())
}

#[test]
fn a_whole_plan_is_read() {
    let plan = plan(
        "service: reviews\nstable: v1\ncanary: v2\nroute: 0\nsteps: [5%, 12.5, 100]\ninterval: 30s\nmirror: 5%\n\
         match: [end-user=jason]\ncookies: [beta=yes]\nsticky: version\n\
         limits: {successRate: 99.9, p90: 300ms, minRequests: 100, maxFailures: 3, compare: false}\n\
         metrics:\n- {name: checkouts, query: 'sum(rate(checkouts{pod=~\"${canary}\"}[${window}]))', min: 2}\n\
         webhooks:\n- {name: gate, url: https://example.com/go, when: before-step, timeout: 5s}\n",
    )
    .expect("a plan");
    assert_eq!(plan.limits.latency, Some(Duration::from_millis(300)));
    assert_eq!(plan.limits.quantile_name(), "p90");
    assert_eq!(plan.limits.success_rate.to_string(), "99.9%");
    assert_eq!(plan.route.as_deref(), Some("0"));
    assert_eq!(plan.webhooks[0].when, When::BeforeStep);
    assert_eq!(plan.extras.previews.len(), 2);
    assert_eq!(plan.steps.map(|steps| steps.len()), Some(3));
}

#[test]
fn every_mistake_is_found_where_it_is() {
    let text = "servce: reviews\nsteps: [10, 5]\ninterval: 0s\nmirror: 110%\nmatch: [jason]\n\
                limits: {maxFailures: 0, p99: 1s, p50: 1s, sucessRate: 9}\n\
                metrics: [{name: a, query: '${canry}', max: 1}, {name: b, query: x}]\n\
                webhooks: [{name: a, url: ftp://x, when: before-steps}]\n";
    let errors = plan(text).expect_err("mistakes");
    let shown: Vec<_> = errors
        .iter()
        .map(|error| {
            let place = &text[error.span.range()];
            let hint = error.hint.as_deref().unwrap_or_default();
            format!("{place} | {} | {hint}", error.message)
                .trim_end()
                .to_owned()
        })
        .collect();
    insta::assert_snapshot!(shown.join("\n"), @r#"
    servce | unknown key `servce` | did you mean `service`?
    [10, 5] | steps must rise, and 10% comes before 5% |
    0s | `interval` must be a duration above zero, such as `30s` or `500ms` |
    110% | `110%` is more than 100% |
    jason | there is no `=`: write NAME=VALUE |
    0 | `maxFailures` must be a whole number above 0 |
    1s | one quantile can be limited, and another is already |
    sucessRate | unknown key `sucessRate` | did you mean `successRate`?
    '${canry}' | nothing is filled in for `${canry}` | did you mean `${canary}`?
    {name: b, query: x} | a metric needs `min` or `max` |
    ftp://x | `url` must begin with http:// or https:// |
    before-steps | `before-steps` is no time to ask a webhook | did you mean `before-step`?
    "#);
}

proptest! {
    #[test]
    fn no_plan_makes_it_panic(
        key in "(service|steps|interval|limits|metrics|webhooks|match|mirror|x)",
        value in "(\\[\\]|\\{\\}|~|1|-1|\"[a-z=%]{0,6}\"|\\[\\{name: a\\}\\]|\\{p99: 1\\}|1e99|\\[1, [a-z]\\])",
    ) {
        let _ = plan(&format!("{key}: {value}\n"));
    }
}

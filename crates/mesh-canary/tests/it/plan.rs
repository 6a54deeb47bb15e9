//! `canary.yaml`.

use std::time::Duration;

use mesh_canary::plan::{PlanError, PlanFile, When, read};
use proptest::prelude::*;
use serde_json::Value;

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

/// Values of every kind of key, right and wrong.
const SAMPLES: [&str; 38] = [
    "reviews",
    "end",
    "'https://x'",
    "''",
    "'5,10'",
    "'10%'",
    "'5, 12.5%,100'",
    "'12.345%'",
    "'12.340'",
    "'101'",
    "'-5'",
    "5",
    "100",
    "101",
    "-1",
    "2.5",
    "0.5",
    "30s",
    "1h2m3.5s",
    "0s",
    "'+1m'",
    "'-1m'",
    "1x",
    "true",
    "~",
    "[]",
    "[5, 10%]",
    "[a=b]",
    "[a b=c]",
    "[jason]",
    "{}",
    "{url: 'http://x'}",
    "{url: x, headers: {a: b}, headerFiles: [h], tokenFile: t, ca: c, insecure: true}",
    "{url: x, headers: {a: 1}}",
    "{p99: 1s, successRate: 99.9, minRequests: 3, compare: false}",
    "{p99: 1s, p50: 1s}",
    "[{name: a, query: up, min: 1}]",
    "[{name: a, url: 'https://x', when: end, timeout: 1s}]",
];

#[test]
fn the_schema_knows_what_the_reader_knows() {
    let schema = mesh_canary::schema::plan();
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let agree = |text: &str| {
        let document = text.into();
        let documents = mesh_yaml::parse(&document);
        let json = documents[0].as_ref().expect("YAML").root().to_json();
        let read = plan(text);
        assert_eq!(validator.is_valid(&json), read.is_ok(), "{text}: {read:?}");
        read.is_ok()
    };
    let properties = |schema: &Value| -> Vec<String> {
        let keys = schema["properties"].as_object().expect("properties");
        keys.keys().cloned().collect()
    };
    let mut places: Vec<(String, Vec<String>)> = vec![("VALUE".to_owned(), properties(&schema))];
    let inner = |key: &str| properties(&schema["properties"][key]);
    let items = |key: &str| properties(&schema["properties"][key]["items"]);
    places.push(("limits: {VALUE}".to_owned(), inner("limits")));
    places.push((
        "prometheus: {url: x, VALUE}".to_owned(),
        properties(&schema["properties"]["prometheus"]["anyOf"][1]),
    ));
    places.push((
        "metrics: [{name: a, query: b, min: 1, VALUE}]".to_owned(),
        items("metrics"),
    ));
    places.push((
        "webhooks: [{name: a, url: 'http://b', when: end, VALUE}]".to_owned(),
        items("webhooks"),
    ));
    for (place, keys) in places {
        for key in keys.iter().map(String::as_str).chain(["unknown"]) {
            // A key that is there already must not be there twice.
            let place = [
                "url: x, ",
                "name: a, ",
                "query: b, ",
                "min: 1, ",
                "url: 'http://b', ",
                "when: end, ",
            ]
            .into_iter()
            .filter(|known| known.starts_with(&format!("{key}: ")))
            .fold(place.clone(), |place, known| place.replace(known, ""));
            let accepted = SAMPLES
                .iter()
                .filter(|sample| agree(&place.replace("VALUE", &format!("{key}: {sample}"))));
            assert_eq!(accepted.count() > 0, key != "unknown", "{key}");
        }
    }
    for text in [
        "metrics: [{name: a, query: b}]",
        "metrics: [{name: a, min: 1}]",
        "webhooks: [{name: a, url: 'http://b'}]",
        "webhooks: [{name: a, url: 'ftp://b', when: end}]",
        "webhooks: [{name: a, url: 'http://b', when: never}]",
        "prometheus: {headers: {}}",
        "[]",
        "a",
    ] {
        assert!(!agree(text), "{text}");
    }
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

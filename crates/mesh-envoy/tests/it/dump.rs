//! Finding the parts of a dump.

use std::io::Read;

use mesh_envoy::dump::{Element, ReadError, Section, State, collect, read};
use mesh_envoy::summary::{ClusterSummary, ListenerSummary, RouteTableSummary};
use mesh_envoy::{MAX_DEPTH, ScanError};
use proptest::prelude::*;
use serde_json::value::RawValue;
use serde_json::{Value, json};

const ALL: &[Section] = &[
    Section::Bootstrap,
    Section::Listeners,
    Section::Routes,
    Section::ScopedRoutes,
    Section::Clusters,
    Section::Endpoints,
    Section::Secrets,
    Section::Ecds,
    Section::ClusterStatuses,
];

/// The elements of some sections, parsed.
fn elements(input: impl Read, wanted: &[Section]) -> Result<Vec<(Section, State, Value)>, ReadError> {
    let mut found = Vec::new();
    read(input, wanted, |element: Element<'_>| {
        let value = serde_json::from_slice(element.json).expect("an element is a whole value");
        found.push((element.section, element.state, value));
        Ok(())
    })?;
    Ok(found)
}

/// Gives a few bytes at a time, so that every token is cut somewhere.
struct Trickle<'a>(&'a [u8], usize);

impl Read for Trickle<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(self.0.len()).min(buffer.len());
        buffer[..count].copy_from_slice(&self.0[..count]);
        self.0 = &self.0[count..];
        Ok(count)
    }
}

fn clusters_dump(clusters: &Value) -> Value {
    json!({"configs": [
        {"@type": "type.googleapis.com/envoy.admin.v3.ClustersConfigDump", "dynamic_active_clusters": clusters},
    ]})
}

#[test]
fn the_type_may_stand_anywhere() {
    let first =
        r#"{"configs":[{"@type":"x/envoy.admin.v3.ClustersConfigDump","static_clusters":[{"a":1}]}]}"#;
    let last = r#"{"configs":[{"static_clusters":[{"a":1}],"@type":"x/envoy.admin.v3.ClustersConfigDump"}]}"#;
    let none = r#"{"configs":[{"staticClusters":[{"a":1}]}]}"#;
    for text in [first, last, none] {
        let found = elements(text.as_bytes(), ALL).expect(text);
        assert_eq!(found, [(Section::Clusters, State::Static, json!({"a": 1}))]);
    }
}

#[test]
fn another_type_with_the_same_fields_is_skipped() {
    for text in [
        r#"{"configs":[{"@type":"x/my.ClustersConfigDump","static_clusters":[{"a":1}]}]}"#,
        r#"{"configs":[{"static_clusters":[{"a":1}],"@type":"x/envoy.admin.v3.ListenersConfigDump"}]}"#,
    ] {
        assert_eq!(elements(text.as_bytes(), ALL).expect(text), []);
    }
}

#[test]
fn offsets_are_of_the_input() {
    let text =
        r#"{"configs":[{"static_clusters":[{"name":1}],"@type":"x/envoy.admin.v3.ClustersConfigDump"}]}"#;
    let mut offsets = Vec::new();
    read(text.as_bytes(), ALL, |element| {
        offsets.push(usize::try_from(element.offset).expect("small"));
        Ok(())
    })
    .expect("a dump");
    assert_eq!(offsets, [text.find(r#"{"name""#).expect("it is there")]);
}

#[test]
fn what_is_no_dump_is_refused() {
    let error = |text: &str| elements(text.as_bytes(), ALL).expect_err(text).to_string();
    assert_eq!(error(""), "byte 0: expected `{`, found the end of the input");
    assert_eq!(error("[]"), "byte 0: expected `{`, found `[`");
    assert_eq!(error("<html>"), "byte 0: expected `{`, found `<`");
    assert!(error(r#"{"a": 1}"#).contains("neither a config dump"));
    assert_eq!(error(r#"{"configs": 1}"#), "byte 12: expected `[`, found `1`");
    assert_eq!(error(r#"{"configs": [1]}"#), "byte 13: expected `{`, found `1`");
    assert_eq!(
        error(r#"{"configs": []} x"#),
        "byte 16: expected the end of the input, found `x`"
    );
    assert_eq!(
        error(r#"{"configs": [] "a": 1}"#),
        "byte 15: expected `,` or `}`, found `\"`"
    );
    assert_eq!(
        error(r#"{"configs": [{}, ]}"#),
        "byte 17: expected an element, found `]`"
    );
    assert_eq!(error(r#"{"a": [}"#), "byte 7: expected `]`, found `}`");
    assert_eq!(elements(&b"{}"[..], ALL).expect("an empty dump"), []);
}

#[test]
fn elements_that_are_not_what_they_should_be_are_placed() {
    let text = r#"{"configs":[{"@type":"x/envoy.admin.v3.ClustersConfigDump","static_clusters":[
        {"cluster": {"name": ["a"]}}]}]}"#;
    let error = collect::<ClusterSummary>(text.as_bytes(), Section::Clusters).expect_err("not a name");
    let offset = text.find(r#"["a"]"#).expect("it is there");
    assert_eq!(
        error.to_string(),
        format!("byte {offset}: cluster cannot be decoded: invalid type: sequence, expected a string")
    );
}

#[test]
fn depth_has_a_limit() {
    let nested = |depth: usize| {
        format!(
            r#"{{"configs":[],"a":{}1{}}}"#,
            "[".repeat(depth),
            "]".repeat(depth)
        )
    };
    let limit = MAX_DEPTH as usize - 1;
    elements(nested(limit).as_bytes(), ALL).expect("at the limit");
    let error = elements(nested(limit + 1).as_bytes(), ALL).expect_err("beyond it");
    assert!(matches!(error, ReadError::Scan(ScanError::TooDeep { offset }) if offset == 18 + limit as u64));
    let open = "{\"a\":".repeat(1_000_000);
    elements(open.as_bytes(), ALL).expect_err("far beyond it");
}

#[test]
fn all_states_of_listeners_are_told() {
    let listener = |name: &str| json!({"@type": "x/envoy.config.listener.v3.Listener", "name": name});
    let dump = json!({"configs": [{
        "@type": "type.googleapis.com/envoy.admin.v3.ListenersConfigDump",
        "version_info": "7",
        "static_listeners": [{"listener": listener("static"), "last_updated": "2026-01-01T00:00:00Z"}],
        "dynamic_listeners": [
            {"name": "a", "active_state": {"version_info": "1", "listener": listener("a"), "last_updated": "t"},
             "warming_state": {"version_info": "2", "listener": listener("a")},
             "drainingState": {"versionInfo": "0", "listener": listener("a")}},
            {"name": "b", "error_state": {"failed_configuration": listener("b"), "version_info": "3",
             "last_update_attempt": "t", "details": "no such filter"}, "client_status": "NACKED"},
        ],
    }]});
    let text = dump.to_string();
    let listeners = collect::<ListenerSummary>(text.as_bytes(), Section::Listeners).expect("listeners");
    let states: Vec<_> = listeners
        .items
        .iter()
        .map(|item| (&*item.resource.name, item.state, &*item.version))
        .collect();
    assert_eq!(
        states,
        [
            ("static", State::Static, ""),
            ("a", State::Active, "1"),
            ("a", State::Warming, "2"),
            ("a", State::Draining, "0")
        ]
    );
    let rejected = &listeners.rejected[0];
    assert_eq!(
        (&*rejected.name, &*rejected.version, &*rejected.details),
        ("b", "3", "no such filter")
    );
}

#[test]
fn refused_clusters_are_named_by_what_was_refused() {
    let dump = clusters_dump(&json!([{"error_state": {
        "failed_configuration": {"@type": "x", "name": "bad"}, "details": "why"}}]));
    let clusters = collect::<ClusterSummary>(dump.to_string().as_bytes(), Section::Clusters).expect("a dump");
    assert_eq!(clusters.rejected[0].name, "bad");
}

#[test]
fn json_is_kept_as_it_is() {
    let text = r#"{"configs":[{"@type":"x/envoy.admin.v3.ClustersConfigDump","static_clusters":[
        {"cluster": {"name":  "a\u0041", "unknownField": 1.50e3 }}]}]}"#;
    let clusters = collect::<Box<RawValue>>(text.as_bytes(), Section::Clusters).expect("a dump");
    assert_eq!(
        clusters.items[0].resource.get(),
        r#"{"name":  "a\u0041", "unknownField": 1.50e3 }"#
    );
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<i32>().prop_map(|quarters| Value::from(f64::from(quarters) / 4.0)),
        any::<String>().prop_map(Value::from),
        r#"[\\"{}\[\]a\u{e9}]{0,8}"#.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..6)
                .prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

fn any_text(value: &Value, pretty: bool) -> String {
    if pretty {
        serde_json::to_string_pretty(value).expect("JSON")
    } else {
        value.to_string()
    }
}

proptest! {
    #[test]
    fn elements_are_found_among_anything(
        clusters in prop::collection::vec(any_json(), 0..4),
        junk in any_json(),
        more in any_json(),
        pretty: bool,
        step in 1_usize..40,
    ) {
        let mut dump = clusters_dump(&Value::from(clusters.clone()));
        let section = json!({"@type": "x/my.ConfigDump", "dynamic_active_clusters": junk, "y": more});
        dump["configs"].as_array_mut().expect("a list").insert(0, section);
        dump["more"] = more;
        let text = any_text(&dump, pretty);
        let found = elements(Trickle(text.as_bytes(), step), ALL).expect("a dump");
        let found: Vec<Value> = found.into_iter().map(|(_, _, value)| value).collect();
        prop_assert_eq!(found, clusters);
        prop_assert_eq!(elements(text.as_bytes(), &[Section::Routes]).expect("a dump"), []);
    }

    #[test]
    fn a_cut_dump_is_an_error(clusters in prop::collection::vec(any_json(), 0..3), junk in any_json(), pretty: bool) {
        let mut dump = clusters_dump(&Value::from(clusters));
        dump["more"] = junk;
        let text = any_text(&dump, pretty);
        for end in 0..text.len() {
            prop_assert!(elements(&text.as_bytes()[..end], ALL).is_err(), "cut at {}", end);
        }
    }

    #[test]
    fn nothing_panics(text in r#"[{}\[\]",:\\a1 ]{0,60}"#, bytes: Vec<u8>) {
        let ignore = |_: Element<'_>| Ok(());
        let _ = read(text.as_bytes(), ALL, ignore);
        let _ = read(&*bytes, ALL, ignore);
        let prefixed = format!(r#"{{"configs":[{{"static_clusters":{text}"#);
        let _ = read(prefixed.as_bytes(), ALL, ignore);
    }
}

#[test]
fn a_sample_of_a_large_dump_is_understood() {
    let mut dump = Vec::new();
    mesh_samples::config_dump(300, &mut dump).expect("it is written");
    serde_json::from_slice::<Value>(&dump).expect("it is JSON");
    let clusters = collect::<ClusterSummary>(&*dump, Section::Clusters).expect("clusters");
    assert_eq!(clusters.items.len(), 600);
    let cluster = &clusters.items[599].resource;
    assert_eq!(cluster.fqdn, "service-00299.team-005.svc.cluster.local");
    let listeners = collect::<ListenerSummary>(&*dump, Section::Listeners).expect("listeners");
    assert_eq!(listeners.items.len(), 300);
    assert_eq!(
        listeners.items[7].resource.chains[0].destination,
        "Route: service-00007.team-000.svc.cluster.local:80"
    );
    let routes = collect::<RouteTableSummary>(&*dump, Section::Routes).expect("routes");
    assert_eq!(
        routes
            .items
            .iter()
            .map(|item| item.resource.virtual_hosts.len())
            .sum::<usize>(),
        300
    );
}

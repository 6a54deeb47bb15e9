//! What the schemas say against resources, and where.

use mesh_core::schema::validate::ViolationKind;

use crate::mesh_of;

/// Kind, path and message of every violation of a VirtualService with this `spec`.
fn violations(kind: &str, spec: &str) -> Vec<(ViolationKind, String, String)> {
    let group = match kind {
        "PeerAuthentication" => "security.istio.io/v1",
        "Telemetry" => "telemetry.istio.io/v1",
        _ => "networking.istio.io/v1",
    };
    let mesh = mesh_of(&format!(
        "apiVersion: {group}\nkind: {kind}\nmetadata: {{name: a}}\nspec: {spec}\n"
    ));
    assert!(mesh.problems().is_empty(), "{:?}", mesh.problems());
    let list = mesh.violations().iter().flat_map(|(_, list)| list);
    list.map(|found| (found.kind, found.path.to_string(), found.message.clone()))
        .collect()
}

#[test]
fn every_sort_of_violation_names_its_place() {
    use ViolationKind::{
        BrokenRule, ConflictingFields, Deprecated, MissingField, OutOfRange, UnknownField, UnknownValue,
        WrongType,
    };
    for (kind, spec, sort, path, message) in [
        (
            "VirtualService",
            "{hots: []}",
            UnknownField,
            "spec.hots",
            "unknown field `hots`",
        ),
        (
            "VirtualService",
            "{hosts: reviews}",
            WrongType,
            "spec.hosts",
            "expected a list of strings, found the string \"reviews\"",
        ),
        (
            "VirtualService",
            "{hosts: [1.10]}",
            WrongType,
            "spec.hosts[0]",
            "expected a string, found the number `1.10`",
        ),
        (
            "VirtualService",
            "{hosts: [yes]}",
            WrongType,
            "spec.hosts[0]",
            "expected a string, found the boolean `yes`",
        ),
        (
            "VirtualService",
            "{http: }",
            WrongType,
            "spec.http",
            "expected a list, found nothing",
        ),
        (
            "VirtualService",
            "{http: [{timeout: 5}]}",
            WrongType,
            "spec.http[0].timeout",
            "expected a duration, found the integer `5`",
        ),
        (
            "VirtualService",
            "{http: [{timeout: 5us}]}",
            BrokenRule,
            "spec.http[0].timeout",
            "`5us` is not a duration of at least 1ms, such as `1.5s` or `2m`",
        ),
        (
            "VirtualService",
            "{http: [{match: [{uri: {exact: a, regex: b}}]}]}",
            ConflictingFields,
            "spec.http[0].match[0].uri.regex",
            "`regex` cannot be set together with `exact`",
        ),
        (
            "VirtualService",
            "{http: [{route: [{}]}]}",
            MissingField,
            "spec.http[0].route[0]",
            "required field `destination` is missing",
        ),
        (
            "VirtualService",
            "{http: [{match: [{port: -1}]}]}",
            OutOfRange,
            "spec.http[0].match[0].port",
            "-1 is out of range: valid values go from 0 to 4294967295",
        ),
        (
            "VirtualService",
            "{http: [{mirrorPercent: 1}]}",
            Deprecated,
            "spec.http[0].mirrorPercent",
            "field `mirrorPercent` is deprecated",
        ),
        (
            "ServiceEntry",
            "{hosts: []}",
            OutOfRange,
            "spec.hosts",
            "`hosts` has 0 items, but needs at least 1 item",
        ),
        (
            "ServiceEntry",
            "{hosts: ['*']}",
            BrokenRule,
            "spec.hosts[0]",
            "`*` cannot be `*`: name the hosts that this entry adds",
        ),
        (
            "PeerAuthentication",
            "{mtls: {mode: strict}}",
            UnknownValue,
            "spec.mtls.mode",
            "`strict` is not a valid value",
        ),
        (
            "Telemetry",
            "{tracing: [{randomSamplingPercentage: 100.5}]}",
            OutOfRange,
            "spec.tracing[0].randomSamplingPercentage",
            "100.5 is out of range: valid values go from 0 to 100",
        ),
        (
            "DestinationRule",
            "{}",
            MissingField,
            "spec",
            "required field `host` is missing",
        ),
    ] {
        let found = violations(kind, spec);
        assert_eq!(
            found,
            [(sort, path.to_owned(), message.to_owned())],
            "{kind} {spec}"
        );
    }
}

#[test]
fn numbers_and_nulls_mean_what_the_api_server_makes_of_them() {
    for spec in [
        "{http: [{match: [{port: 80.0}]}]}",
        "{http: [{match: [{port: 0x50}]}]}",
        "{http: [{mirrorPercentage: {value: 1}, corsPolicy: {allowCredentials: null}}]}",
        "{http: [{timeout: 1h2m3.5s}]}",
    ] {
        assert_eq!(violations("VirtualService", spec), [], "{spec}");
    }
    let sampling = "{tracing: [{randomSamplingPercentage: 0.1}, {randomSamplingPercentage: 100}]}";
    assert_eq!(violations("Telemetry", sampling), []);
}

#[test]
fn all_violations_of_a_resource_are_listed() {
    let found = violations(
        "VirtualService",
        "{hots: [], gateway: mesh, http: [{rout: []}, {timeout: x}]}",
    );
    let paths: Vec<_> = found.iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "spec.hots",
            "spec.gateway",
            "spec.http[0].rout",
            "spec.http[1].timeout"
        ]
    );
}

#[test]
fn misspelt_fields_of_kubernetes_kinds_are_found_too() {
    let mesh = mesh_of(
        "{apiVersion: v1, kind: Service, metadata: {name: a, lables: {}}, spec: {ports: [{prt: 80}], selectr: {}}}",
    );
    let list = mesh.violations().iter().flat_map(|(_, list)| list);
    let mut paths: Vec<_> = list.map(|found| (found.kind, found.path.to_string())).collect();
    paths.sort();
    let unknown = |path: &str| (ViolationKind::UnknownField, path.to_owned());
    assert_eq!(
        paths[..3],
        [
            unknown("metadata.lables"),
            unknown("spec.ports[0].prt"),
            unknown("spec.selectr")
        ]
    );
}

#[test]
fn a_wrong_field_leaves_the_rest_readable() {
    let mesh = mesh_of(
        "{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a}, spec: {hosts: [a, 5], http: [{timeout: x, route: [{destination: {host: b}, weight: many}]}]}}",
    );
    let route = &mesh.virtual_services()[0];
    assert_eq!(route.spec.hosts, ["a", "5"]);
    assert_eq!(
        route.spec.http[0].route[0]
            .destination
            .as_ref()
            .expect("set")
            .host,
        "b"
    );
}

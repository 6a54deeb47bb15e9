//! The native rules agree with the CEL text that they stand for, on generated resources.

use std::collections::BTreeSet;
use std::sync::Arc;

use kube_cel::{Validator, compile_schema};
use mesh_core::kind::Kind;
use mesh_core::schema::cel::ALL;
use mesh_core::schema::export::crds;
use mesh_core::schema::validate::{Violation, ViolationKind, check};
use mesh_core::schema::{Constraints, Field, MessageSchema, Type};
use mesh_yaml::{FieldPath, Segment};
use serde_json::{Map, Value, json};

/// A source of choices; when it runs dry it always says zero.
struct Choices<'a>(&'a mut dyn Iterator<Item = u8>);

impl Choices<'_> {
    fn below(&mut self, bound: usize) -> usize {
        usize::from(self.0.next().unwrap_or_default()) % bound.max(1)
    }

    fn pick<'t, T: ?Sized>(&mut self, options: &[&'t T]) -> &'t T {
        options[self.below(options.len())]
    }
}

/// A resource body that is sound but for CEL rules, which it breaks now and then.
fn message(schema: &MessageSchema, choices: &mut Choices<'_>, depth: usize) -> Value {
    let mut object = Map::new();
    for field in schema.fields {
        let in_group = schema.one_of.iter().find(|group| group.contains(&field.name));
        let taken = in_group.is_some_and(|group| group.iter().any(|name| object.contains_key(*name)));
        let wanted = field.required || choices.below(2) == 0;
        if wanted && !taken && (depth > 0 || field.required) {
            object.insert(field.name.to_owned(), field_value(field, choices, depth));
        }
    }
    Value::Object(object)
}

fn field_value(field: &Field, choices: &mut Choices<'_>, depth: usize) -> Value {
    value(&field.ty, &field.constraints, choices, depth)
}

fn value(ty: &Type, constraints: &Constraints, choices: &mut Choices<'_>, depth: usize) -> Value {
    let count = |min: Option<u32>, max: Option<u32>, choices: &mut Choices<'_>| {
        let low = min.unwrap_or_default() as usize;
        (low + choices.below(3)).min(max.unwrap_or(u32::MAX) as usize)
    };
    match ty {
        Type::String => text(constraints, choices),
        Type::Bytes => json!("aGk="),
        Type::Timestamp => json!("2026-01-31T12:00:00Z"),
        Type::IntOrString => json!(1),
        Type::Boolean => json!(choices.below(2) == 0),
        Type::Int32 | Type::Int64 | Type::Uint32 | Type::Uint64 => {
            let number = *choices.pick(&[&80_i64, &0, &1, &65535, &65536, &9080]);
            json!(number.clamp(
                constraints.minimum.unwrap_or_default(),
                constraints.maximum.unwrap_or(i64::MAX)
            ))
        }
        Type::Float | Type::Double => json!(0.5),
        Type::Duration => json!(choices.pick(&["1s", "1ms", "999us", "0s", "1.5h", "-1s", "5", "soon", ""])),
        Type::PlainText => json!("text"),
        Type::Any | Type::Value | Type::Kubernetes(_) => json!({ "a": 1 }),
        Type::Enum(schema) => json!(schema.values[choices.below(schema.values.len())].name),
        Type::Message(schema) => message(schema(), choices, depth.saturating_sub(1)),
        Type::List(item) => {
            let length = count(constraints.min_items, constraints.max_items, choices);
            let mut items: Vec<Value> = (0..length)
                .map(|_| value(item, constraints.of_elements(), choices, depth.saturating_sub(1)))
                .collect();
            let keys = constraints.list_map_keys;
            let mut seen = Vec::new();
            items.retain(|item| {
                let identity: Vec<_> = keys.iter().map(|key| item.get(key).cloned()).collect();
                let fresh = keys.is_empty() || !seen.contains(&identity);
                seen.push(identity);
                fresh
            });
            json!(items)
        }
        Type::Map(item) => {
            let length = count(constraints.min_properties, constraints.max_properties, choices);
            let keys = ["80", "http", "app", "0", "a*b", "-x", "65536", "", "9080"];
            let mut object = Map::new();
            for index in 0..length {
                let key = format!(
                    "{}{}",
                    choices.pick(&keys),
                    if index > 0 {
                        index.to_string()
                    } else {
                        String::new()
                    }
                );
                let element = value(item, constraints.of_elements(), choices, depth.saturating_sub(1));
                object.insert(key, element);
            }
            Value::Object(object)
        }
    }
}

fn text(constraints: &Constraints, choices: &mut Choices<'_>) -> Value {
    if constraints.pattern.is_some() {
        let options: [&str; 3] = ["Gateway", "Service", "gateway"];
        let regex = regex::Regex::new(constraints.pattern.unwrap_or_default()).expect("valid");
        let matching: Vec<_> = options.into_iter().filter(|text| regex.is_match(text)).collect();
        return json!(if matching.is_empty() {
            ""
        } else {
            choices.pick(&matching)
        });
    }
    let options = [
        "reviews",
        "*",
        "a*b",
        "10.0.0.0/8",
        "10.0.0.1",
        "unix:///run/x.sock",
        "unix://@x",
        "unix://x/",
        "unix://",
        "http://a.example/keys",
        "https://a.example:8443/keys?x=1",
        "ftp://a.example/x",
        "/path",
        "oci://r.example/p:1",
        "registry.example/p:1",
        "HTTP",
        "HTTPS",
        "*.example.com",
        "",
    ];
    let long_enough: Vec<_> = options
        .into_iter()
        .filter(|text| text.len() >= constraints.min_length.unwrap_or_default() as usize)
        .filter(|text| text.len() <= constraints.max_length.unwrap_or(u32::MAX) as usize)
        .collect();
    json!(choices.pick(&long_enough))
}

fn ours(schema: fn() -> &'static MessageSchema, spec: &Value) -> Vec<Violation> {
    let text: Arc<str> = spec.to_string().into();
    let document = mesh_yaml::parse(&text).remove(0).expect("JSON is YAML");
    let mut violations = Vec::new();
    check(document.root(), &Type::Message(schema), &mut violations);
    violations.retain(|violation| violation.kind != ViolationKind::Deprecated);
    violations
}

/// The path as kube-cel writes it: without quotes around odd keys.
fn dotted(path: &FieldPath) -> String {
    let mut text = String::new();
    for segment in path.segments() {
        match segment {
            Segment::Key(key) if text.is_empty() => text.push_str(key),
            Segment::Key(key) => text.extend([".", key]),
            Segment::Index(index) => text.extend(["[", &index.to_string(), "]"]),
        }
    }
    text
}

/// A reproducible stream of bytes (SplitMix64).
fn bytes(seed: u64) -> impl Iterator<Item = u8> {
    let mut state = seed;
    std::iter::repeat_with(move || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)).to_le_bytes()[0]
    })
    .take(4000)
}

#[test]
fn native_rules_agree_with_cel() {
    let mut broken = BTreeSet::new();
    for definition in crds() {
        let kind = definition["spec"]["names"]["kind"].as_str().expect("kind");
        let kind = *Kind::ALL
            .iter()
            .find(|known| known.info().name == kind && known.is_istio())
            .expect("known");
        let schema = kind.info().schema.expect("our own");
        let crd = &definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"];
        let compiled = compile_schema(crd);
        for seed in 0..200 {
            let mut choices = bytes(seed);
            let spec = message(schema(), &mut Choices(&mut choices), 10);
            let violations = ours(schema, &spec);
            let unsound: Vec<_> = violations
                .iter()
                .filter(|found| found.kind != ViolationKind::BrokenRule)
                .collect();
            assert!(
                unsound.is_empty(),
                "the generator makes sound objects: {unsound:?} in {spec}"
            );
            let theirs = match Validator::new().validate_compiled(&compiled, &spec, None) {
                Ok(()) => Vec::new(),
                Err(errors) => errors.into_vec(),
            };
            let mut ours: Vec<_> = violations.iter().map(|found| dotted(&found.path)).collect();
            let mut paths: Vec<_> = theirs.iter().map(|error| error.field_path.clone()).collect();
            ours.sort();
            paths.sort();
            assert_eq!(ours, paths, "{kind}: ours and {theirs:#?} in {spec}");
            broken.extend(theirs.into_iter().map(|error| error.rule));
        }
    }
    let untested: Vec<_> = ALL
        .iter()
        .map(|rule| rule.rule)
        .filter(|rule| !broken.contains(*rule))
        .collect();
    assert!(
        untested.is_empty(),
        "rules that no generated object breaks: {untested:#?}"
    );
}

//! No input makes a rule panic, and every finding points into its source.

use std::sync::Arc;

use mesh_analyze::{Report, RuleSet, analyze};
use mesh_core::kind::Kind;
use mesh_core::schema::{MessageSchema, Type};
use mesh_core::source::{LoadOptions, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings, Source};
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Value, json};

fn mesh(text: &str) -> Mesh {
    let text: Arc<str> = text.into();
    let mut builder = MeshBuilder::new(Settings::default());
    let loaded = load_text(
        builder.next_source(),
        "input.yaml",
        &text,
        &LoadOptions::default(),
    );
    builder.add(Source::new("input.yaml", text), loaded);
    builder.build()
}

/// Runs every rule, and resolves every place of every finding.
fn run(text: &str) -> Report {
    let mesh = mesh(text);
    let report = analyze(&mesh, &RuleSet::default());
    for finding in &report.findings {
        assert!(!finding.message.is_empty(), "{finding:?}");
        for place in
            std::iter::once(&finding.primary).chain(finding.related.iter().map(|related| &related.place))
        {
            let location = place.locate().expect("the input is one readable source");
            let source = mesh.source(location.source);
            assert!(source.text().get(location.span.range()).is_some(), "{finding:?}");
            let start = source.position(location.span.start);
            assert!(start.line > 0 && start.column > 0);
        }
    }
    // What comes out must not depend on timing.
    let again = analyze(&mesh, &RuleSet::default());
    let messages = |report: &Report| {
        report
            .findings
            .iter()
            .map(|f| f.message.clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(messages(&report), messages(&again));
    report
}

/// The sample mesh as one text.
fn shop() -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../testdata/shop");
    let mut files: Vec<_> = fs_err::read_dir(folder)
        .expect("sample mesh")
        .map(|entry| entry.expect("entry").path())
        .collect();
    files.sort();
    let texts: Vec<_> = files
        .iter()
        .map(|file| fs_err::read_to_string(file).expect("readable"))
        .collect();
    texts.join("---\n")
}

/// One change to a line of a YAML text.
#[derive(Clone, Debug)]
enum Mutation {
    Remove,
    Repeat,
    Value(&'static str),
    Key(&'static str),
    Indent,
}

const ODD_VALUES: [&str; 17] = [
    "",
    "~",
    "[]",
    "{}",
    "[null]",
    "{a: b}",
    "0",
    "-1",
    "65536",
    "99999999999999999999",
    "'*'",
    "''",
    "true",
    "a/b/c",
    "'~'",
    "\u{1F980}",
    ".nan",
];

fn mutation() -> impl Strategy<Value = Mutation> {
    prop_oneof![
        Just(Mutation::Remove),
        Just(Mutation::Repeat),
        select(&ODD_VALUES[..]).prop_map(Mutation::Value),
        select(vec!["spec", "name", "host", "match", "port", "x"]).prop_map(Mutation::Key),
        Just(Mutation::Indent),
    ]
}

fn mutate(text: &str, changes: &[(Index, Mutation)]) -> String {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    for (index, mutation) in changes {
        if lines.is_empty() {
            break;
        }
        let number = index.index(lines.len());
        let line = lines[number].clone();
        match mutation {
            Mutation::Remove => {
                lines.remove(number);
            }
            Mutation::Repeat => lines.insert(number, line),
            Mutation::Value(value) => {
                let key = line.split(": ").next().unwrap_or_default().trim_end_matches(':');
                lines[number] = format!("{key}: {value}");
            }
            Mutation::Key(key) => {
                let indent = line.len() - line.trim_start_matches([' ', '-']).len();
                let rest = line.split_once(':').map_or("", |(_, rest)| rest);
                lines[number] = format!("{}{key}:{rest}", &line[..indent]);
            }
            Mutation::Indent => lines[number] = format!("  {line}"),
        }
    }
    lines.join("\n")
}

/// Words that mean something to some rule.
const WORDS: [&str; 24] = [
    "a",
    "b",
    "*",
    "*.a",
    "a.b",
    "mesh",
    "ns/a",
    "./*",
    "~",
    ".",
    "*/*",
    "a.default.svc.cluster.local",
    "http",
    "TCP",
    "HTTPS",
    "ISTIO_MUTUAL",
    "10.0.0.0/8",
    "unix:///x",
    "1s",
    "v1",
    "@request.auth.claims.x",
    "istio.io/rev",
    "%",
    "{**}",
];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        4 => select(&WORDS[..]).prop_map(|word| json!(word)),
        2 => select(vec![-1_i64, 0, 1, 80, 443, 65536]).prop_map(|number| json!(number)),
        1 => any::<bool>().prop_map(|value| json!(value)),
        1 => Just(Value::Null),
    ]
}

/// Mostly what the schema says, sometimes anything.
fn value(ty: Type, depth: u32) -> BoxedStrategy<Value> {
    let proper: BoxedStrategy<Value> = match ty {
        Type::Enum(schema) => {
            let names: Vec<_> = schema.values.iter().map(|value| value.name).collect();
            select(names).prop_map(|name| json!(name)).boxed()
        }
        Type::Message(schema) if depth > 0 => message(schema(), depth - 1),
        Type::List(item) if depth > 0 => proptest::collection::vec(value(*item, depth - 1), 0..3)
            .prop_map(Value::Array)
            .boxed(),
        Type::Map(item) if depth > 0 => {
            let entry = (
                select(&WORDS[..]).prop_map(str::to_owned),
                value(*item, depth - 1),
            );
            proptest::collection::vec(entry, 0..3)
                .prop_map(|list| Value::Object(list.into_iter().collect()))
                .boxed()
        }
        _ => scalar().boxed(),
    };
    prop_oneof![12 => proper, 1 => scalar(), 1 => Just(json!([{}])), 1 => Just(json!({ "a": null }))].boxed()
}

fn message(schema: &'static MessageSchema, depth: u32) -> BoxedStrategy<Value> {
    let fields: Vec<_> = schema
        .fields
        .iter()
        .map(|field| {
            (
                Just(field.name),
                proptest::option::weighted(0.4, value(field.ty, depth)),
            )
        })
        .collect();
    fields
        .prop_map(|list| {
            let set = list
                .into_iter()
                .filter_map(|(name, value)| Some((name.to_owned(), value?)));
            Value::Object(set.collect::<Map<_, _>>())
        })
        .boxed()
}

fn object() -> impl Strategy<Value = Value> {
    let istio: Vec<_> = Kind::ALL.iter().copied().filter(|kind| kind.is_istio()).collect();
    (
        select(istio),
        select(&WORDS[..]),
        proptest::collection::vec((select(&WORDS[..]), select(&WORDS[..])), 0..3),
    )
        .prop_flat_map(|(kind, name, annotations)| {
            let info = kind.info();
            let schema = info.schema.expect("our own kinds have schemas")();
            message(schema, 7).prop_map(move |spec| {
                let annotations: Map<_, _> = annotations
                    .iter()
                    .map(|(key, value)| ((*key).to_owned(), json!(value)))
                    .collect();
                json!({
                    "apiVersion": format!("{}/{}", info.group, info.versions[0]),
                    "kind": info.name,
                    "metadata": { "name": name, "annotations": annotations },
                    "spec": spec,
                })
            })
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn mutated_meshes_are_analysed(changes in proptest::collection::vec((any::<Index>(), mutation()), 1..40)) {
        run(&mutate(&shop(), &changes));
    }

    #[test]
    fn arbitrary_resources_are_analysed(objects in proptest::collection::vec(object(), 1..6)) {
        let text = objects.iter().map(Value::to_string).collect::<Vec<_>>().join("\n---\n");
        // Beside the sample mesh, so that references into it are followed.
        run(&format!("{text}\n---\n{}", shop()));
        run(&text);
    }

    #[test]
    fn arbitrary_text_is_analysed(text in "\\PC{0,200}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        run(&text);
        run(&String::from_utf8_lossy(&bytes));
    }
}

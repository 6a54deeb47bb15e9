//! Files, folders, lists, and what is left out.

use std::path::PathBuf;

use mesh_core::source::LoadOptions;
use mesh_core::source::files::{Input, load};
use mesh_core::{Mesh, MeshBuilder, ProblemKind, Settings};

use crate::mesh_of;

const SERVICE: &str = "{apiVersion: v1, kind: Service, metadata: {name: NAME}}\n";

/// A folder that goes away with the value.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new(files: &[(&str, &[u8])]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            fs_err::create_dir_all(path.parent().expect("has a parent")).expect("a folder");
            fs_err::write(path, text).expect("a file");
        }
        Self(folder)
    }

    fn load(&self, inputs: Vec<Input>) -> Mesh {
        let mut builder = MeshBuilder::new(Settings::default());
        let inputs = inputs
            .into_iter()
            .map(|input| match input {
                Input::Path(path) => Input::Path(self.0.path().join(path)),
                Input::Stdin(bytes) => Input::Stdin(bytes),
            })
            .collect();
        load(&mut builder, inputs, &LoadOptions::default(), || {});
        builder.build()
    }
}

fn service(name: &str) -> Vec<u8> {
    SERVICE.replace("NAME", name).into_bytes()
}

fn names(mesh: &Mesh) -> Vec<&str> {
    mesh.services().iter().map(|service| service.name()).collect()
}

#[test]
fn folders_are_read_to_any_depth_without_what_is_ignored() {
    let folder = Folder::new(&[
        ("a.yaml", &service("a")),
        ("deep/er/b.yml", &service("b")),
        (
            "c.json",
            br#"{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}"#,
        ),
        ("readme.md", b"text"),
        ("ignored/d.yaml", &service("d")),
        (".hidden/e.yaml", &service("e")),
        ("custom/f.yaml", &service("f")),
        (".gitignore", b"ignored/\n"),
        (".meshctlignore", b"custom\n"),
    ]);
    let mesh = folder.load(vec![Input::Path(PathBuf::new())]);
    assert_eq!(names(&mesh), ["a", "b", "c"]);
    assert!(mesh.problems().is_empty(), "{:?}", mesh.problems());
}

#[test]
fn files_that_are_named_are_read_whatever_they_are_called() {
    let folder = Folder::new(&[("manifest.txt", &service("a"))]);
    assert_eq!(
        names(&folder.load(vec![Input::Path("manifest.txt".into())])),
        ["a"]
    );
}

#[test]
fn what_cannot_be_read_hides_nothing_else() {
    let folder = Folder::new(&[
        ("a.yaml", &service("a")),
        ("bad.yaml", b"kind: \xff\n"),
        ("worse.yaml", b"a: [1\n"),
    ]);
    let mesh = folder.load(vec![Input::Path(PathBuf::new()), Input::Path("missing".into())]);
    assert_eq!(names(&mesh), ["a"]);
    let problems: Vec<_> = mesh
        .problems()
        .iter()
        .map(|problem| (problem.kind, problem.file.as_str()))
        .collect();
    let [(first, bad), (second, worse), (third, missing)] = problems[..] else {
        panic!("{problems:?}")
    };
    assert!(first == ProblemKind::Syntax && bad.ends_with("bad.yaml"));
    assert!(second == ProblemKind::Syntax && worse.ends_with("worse.yaml"));
    assert!(third == ProblemKind::Unreadable && missing.ends_with("missing"));
}

#[test]
fn standard_input_is_a_source_like_any_other() {
    let mesh = Folder::new(&[]).load(vec![Input::Stdin(service("a"))]);
    assert_eq!(names(&mesh), ["a"]);
    assert_eq!(mesh.source(mesh.services()[0].origin().source).name(), "-");
}

#[test]
fn items_of_lists_know_their_place() {
    let mesh = mesh_of(
        "apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Service, metadata: {name: a}}\n- {apiVersion: v1, kind: Service, metadata: {name: b}}\n",
    );
    assert_eq!(names(&mesh), ["a", "b"]);
    let origin = mesh.services()[1].origin();
    assert_eq!(origin.base.to_string(), "items[1]");
    assert_eq!(
        origin
            .root()
            .get("metadata")
            .and_then(|metadata| metadata.get("name"))
            .and_then(mesh_yaml::Node::as_str),
        Some("b")
    );
}

#[test]
fn other_documents_are_counted() {
    let mesh = mesh_of(
        "just: values\n---\n# nothing\n---\n- a\n---\n{apiVersion: example.com/v1, kind: Thing, metadata: {name: x}}\n---\n{apiVersion: example.com/v1, kind: Thing, metadata: {name: y}}\n",
    );
    assert_eq!(mesh.skipped().not_kubernetes, 2);
    assert_eq!(mesh.skipped().other_kinds["example.com/v1 Thing"], 2);
    assert!(mesh.problems().is_empty());
}

#[test]
fn helm_templates_are_recognised() {
    let folder = Folder::new(&[(
        "templates/a.yaml",
        b"apiVersion: v1\nkind: Service\nmetadata:\n  name: {{ .Release.Name }}\n{{- if .Values.x }}\nspec: {}\n{{- end }}\n",
    )]);
    let mesh = folder.load(vec![Input::Path(PathBuf::new())]);
    assert_eq!(mesh.skipped().helm_templates.len(), 1);
    assert!(mesh.problems().is_empty() && mesh.is_empty());
}

#[test]
fn unknown_kinds_of_our_groups_get_advice() {
    for (api_version, kind, help) in [
        (
            "networking.istio.io/v1",
            "VirtualServise",
            Some("did you mean `VirtualService`?"),
        ),
        (
            "networking.istio.io/v1alpha2",
            "VirtualService",
            Some("write `apiVersion: networking.istio.io/v1` (known versions: v1, v1beta1, v1alpha3)"),
        ),
        (
            "security.istio.io/v1",
            "VirtualService",
            Some("write `apiVersion: networking.istio.io/v1`"),
        ),
        (
            "networking.istio/v1",
            "VirtualService",
            Some("write `apiVersion: networking.istio.io/v1`"),
        ),
        ("gateway.networking.k8s.io/v1alpha2", "UDPRoute", None),
        ("install.istio.io/v1alpha1", "IstioOperator", None),
        ("serving.knative.dev/v1", "Service", None),
        ("traefik.io/v1", "Gateway", None),
    ] {
        let mesh = mesh_of(&format!(
            "{{apiVersion: {api_version}, kind: {kind}, metadata: {{name: a}}}}"
        ));
        let found = mesh
            .problems()
            .first()
            .and_then(|problem| problem.help.as_deref());
        assert_eq!(found, help, "{api_version} {kind}");
    }
}

#[test]
fn large_texts_are_read_in_the_order_of_their_documents() {
    let mut text = String::new();
    for index in 0..8_000 {
        text.push_str("---\n");
        text.push_str(&SERVICE.replace("NAME", &format!("s{index:05}")));
    }
    assert!(text.len() > 300_000, "large enough to be read in parallel");
    let mesh = mesh_of(&text);
    assert_eq!(mesh.services().len(), 8_000);
    assert!(
        mesh.services()
            .windows(2)
            .all(|pair| pair[0].origin().document.index() < pair[1].origin().document.index())
    );
}

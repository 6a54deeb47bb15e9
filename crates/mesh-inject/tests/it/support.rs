//! Settings and documents in a few words.

use std::cell::RefCell;
use std::fmt::Write;
use std::sync::Arc;

use mesh_inject::{
    MeshSettings, Problem, Processed, Scope, Settings, Values, candidates, inject_document, uninject_document,
};
use mesh_yaml::Document;
use serde_json::Value;

/// A Deployment with one container.
pub(crate) const WEB: &str = "\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  selector:
    matchLabels:
      app: web
  template:
    metadata:
      labels:
        app: web
    spec:
      containers:
      - name: app
        image: example.com/web:1
        ports:
        - name: http
          containerPort: 8080
";

pub(crate) fn document(text: &str) -> Document {
    let mut documents = mesh_yaml::parse(&Arc::from(text));
    assert_eq!(documents.len(), 1, "one document: {text}");
    documents.remove(0).expect("well-formed YAML")
}

pub(crate) fn tree(text: &str) -> Value {
    if text.is_empty() {
        return Value::Null;
    }
    document(text).root().to_json()
}

thread_local! {
    /// What was read into settings by this thread: istiod's templates see it unread.
    static READ: RefCell<Vec<Read>> = const { RefCell::new(Vec::new()) };
}

/// Settings, and what they were read from.
#[derive(Clone, Debug)]
struct Read {
    mesh: (MeshSettings, Value),
    values: (Values, Value),
}

/// Settings of a `MeshConfig` and of values, in YAML; empty for the defaults.
pub(crate) fn settings(mesh: &str, values: &str) -> Settings {
    let (mesh_tree, values_tree) = (tree(mesh), tree(values));
    let mesh = if mesh.is_empty() {
        MeshSettings::default()
    } else {
        MeshSettings::read(document(mesh).root())
    };
    let settings = Settings::new(mesh, Values::read(&values_tree));
    let read = Read {
        mesh: (settings.mesh.clone(), mesh_tree),
        values: (settings.values.clone(), values_tree),
    };
    READ.with_borrow_mut(|all| all.push(read));
    settings
}

/// The `MeshConfig` and the values that [`settings`] were made of; null for the defaults.
pub(crate) fn sources(settings: &Settings) -> (Value, Value) {
    READ.with_borrow(|all| {
        let mesh = all.iter().map(|read| &read.mesh);
        let values = all.iter().map(|read| &read.values);
        (
            source(mesh, &settings.mesh, &MeshSettings::default()),
            source(values, &settings.values, &Values::default()),
        )
    })
}

fn source<'r, T: PartialEq + 'r>(
    mut read: impl Iterator<Item = &'r (T, Value)>,
    settings: &T,
    default: &T,
) -> Value {
    let found = read
        .find(|(read, _)| read == settings)
        .map(|(_, tree)| tree.clone());
    assert!(
        found.is_some() || settings == default,
        "settings that were not read"
    );
    found.unwrap_or_default()
}

fn text_of(document: &Document, processed: &Processed) -> String {
    let all = document.text();
    let span = document.span().range();
    match &processed.text {
        Some(text) => format!("{}{text}{}", &all[..span.start], &all[span.end..]),
        None => all.to_string(),
    }
}

pub(crate) fn try_inject(settings: &Settings, text: &str) -> Result<(String, Processed), Vec<Problem>> {
    let document = document(text);
    let processed = inject_document(settings, &document, &Scope::default())?;
    for candidate in candidates(&document, &Scope::default()) {
        if let Ok(pod) = &candidate.template {
            crate::templates::hold(settings, pod, &candidate.owner(pod));
        }
    }
    Ok((text_of(&document, &processed), processed))
}

/// The text after injection.
pub(crate) fn inject(settings: &Settings, text: &str) -> String {
    try_inject(settings, text).expect("it can be injected").0
}

/// The text after the sidecars were taken out.
pub(crate) fn uninject(text: &str) -> String {
    let document = document(text);
    let processed = uninject_document(&document, &Scope::default()).expect("it cannot fail");
    text_of(&document, &processed)
}

/// A Deployment with some lines of YAML as annotations and as its pod's `spec`.
pub(crate) fn deployment(annotations: &[(&str, &str)], spec: &str) -> String {
    let mut text = WEB[..WEB.find("    spec:\n      containers").expect("a template")].to_owned();
    if !annotations.is_empty() {
        text.push_str("      annotations:\n");
    }
    for (key, value) in annotations {
        let _ = writeln!(text, "        {key}: {}", Value::from(*value));
    }
    text.push_str("    spec:\n");
    for line in spec.lines() {
        let _ = writeln!(text, "      {line}");
    }
    text
}

pub(crate) const APP: &str = "containers:\n- name: app\n  image: example.com/web:1";

/// The pod template after injection.
pub(crate) fn template(settings: &Settings, text: &str) -> Value {
    tree(&inject(settings, text))["spec"]["template"].clone()
}

/// A container of the pod.
pub(crate) fn container<'p>(pod: &'p Value, name: &str) -> &'p Value {
    ["initContainers", "containers"]
        .iter()
        .flat_map(|key| pod["spec"][*key].as_array().into_iter().flatten())
        .find(|container| container["name"] == name)
        .unwrap_or_else(|| panic!("no container {name} in {pod:#}"))
}

/// The value of a variable of the proxy.
pub(crate) fn variable(pod: &Value, name: &str) -> Option<String> {
    let env = container(pod, "istio-proxy")["env"].as_array()?;
    let variable = env.iter().find(|variable| variable["name"] == name)?;
    Some(variable["value"].as_str().unwrap_or_default().to_owned())
}

/// The names of the items of a list, with blanks between them.
pub(crate) fn names(list: &Value) -> String {
    let items = list.as_array().into_iter().flatten();
    let names: Vec<_> = items.map(|item| item["name"].as_str().unwrap_or("?")).collect();
    names.join(" ")
}

/// The arguments of a container, with blanks between them.
pub(crate) fn args(container: &Value) -> String {
    let items = container["args"].as_array().into_iter().flatten();
    let args: Vec<_> = items.map(|arg| arg.as_str().unwrap_or("?")).collect();
    args.join(" ")
}

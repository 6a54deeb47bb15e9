//! A control plane from objects in files: what something else has rendered, such as `helm template`.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use mesh_core::source::files;
use mesh_install::manifest::{Component, ComponentName, Manifest};
use mesh_install::object::{ObjectRef, Step};
use mesh_yaml::Document;
use serde_json::Value;

use crate::error::CommandError;

/// The label that charts of Istio put on objects.
const COMPONENT: &str = "operator.istio.io/component";

/// The objects of some files (`-` is standard input), by component. What is not labelled with its component is told by
/// its kind and name.
pub(super) fn read(paths: &[PathBuf], namespace: &str) -> Result<Manifest, CommandError> {
    let mut by_component: BTreeMap<ComponentName, Vec<Value>> = BTreeMap::new();
    for path in paths {
        for (name, object) in read_objects(path)? {
            let reference = ObjectRef::of(&object, namespace)
                .map_err(|error| CommandError::user(format!("{name}: {error}")))?;
            by_component
                .entry(component_of(&reference, &object))
                .or_default()
                .push(object);
        }
    }
    if by_component.is_empty() {
        return Err(CommandError::user("the manifest holds no objects"));
    }
    let components = by_component
        .into_iter()
        .map(|(name, objects)| Component { name, objects });
    Ok(Manifest {
        components: components.collect(),
        default_validator: None,
    })
}

/// The objects of the files at a path (`-` is standard input), each with the name of its file.
pub(crate) fn read_objects(path: &Path) -> Result<Vec<(String, Value)>, CommandError> {
    let mut all = Vec::new();
    for (name, text) in texts(path)? {
        for document in mesh_yaml::parse(&text) {
            let document = document.map_err(|error| {
                CommandError::user(error.message.clone())
                    .at(&name, &text, error.span)
                    .maybe_hinted(error.help.clone())
            })?;
            let objects = objects(&document).into_iter();
            all.extend(objects.map(|object| (name.clone(), object)));
        }
    }
    Ok(all)
}

/// Names and texts of the files at a path.
fn texts(path: &Path) -> Result<Vec<(String, Arc<str>)>, CommandError> {
    if path.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin()
            .read_to_string(&mut text)
            .map_err(|error| CommandError::user(format!("cannot read standard input: {error}")))?;
        return Ok(vec![("standard input".to_owned(), text.into())]);
    }
    let unreadable = |name: &str, reason: &str| CommandError::user(format!("cannot read {name}: {reason}"));
    let paths = files::files_of(path).map_err(|(name, reason)| unreadable(&name, &reason))?;
    let read = paths.into_iter().map(|path| {
        let name = files::display_name(&path);
        let text = files::read_text(&path).map_err(|reason| unreadable(&name, &reason))?;
        Ok((name, text))
    });
    read.collect()
}

/// The objects of a document, which may be a List.
fn objects(document: &Document) -> Vec<Value> {
    let object = document.root().to_json();
    match object {
        Value::Null => Vec::new(),
        Value::Object(ref fields) if object["kind"] == "List" => {
            let items = fields.get("items").and_then(Value::as_array);
            items.cloned().unwrap_or_default()
        }
        object => vec![object],
    }
}

fn component_of(reference: &ObjectRef, object: &Value) -> ComponentName {
    let label = object["metadata"]["labels"][COMPONENT].as_str();
    label.and_then(ComponentName::of).unwrap_or_else(|| {
        let name = reference.name.as_str();
        if reference.step() <= Step::Definition || name.contains("reader") {
            ComponentName::Base
        } else if name.contains("cni") {
            ComponentName::Cni
        } else if name.contains("ztunnel") {
            ComponentName::Ztunnel
        } else if name.contains("ingressgateway") {
            ComponentName::IngressGateways
        } else if name.contains("egressgateway") {
            ComponentName::EgressGateways
        } else {
            ComponentName::Pilot
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_told_by_label_or_name() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mesh.yaml");
        fs_err::write(
            &path,
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: istiod}\n---\n\
             apiVersion: v1\nkind: List\nitems:\n\
             - {apiVersion: v1, kind: ServiceAccount, metadata: {name: x, labels: {operator.istio.io/component: Cni}}}\n\
             - {apiVersion: v1, kind: Service, metadata: {name: istio-ingressgateway}}\n---\n# nothing\n",
        )
        .expect("a file");
        let parts = read(&[path], "istio-system").expect("objects").parts();
        let names: Vec<_> = parts.iter().map(|part| (part.name.as_str(), part.wave)).collect();
        assert_eq!(names, [("cni", 1), ("istiod", 1), ("ingress-gateways", 2)]);
    }

    #[test]
    fn what_cannot_be_installed_is_told_with_its_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("mesh.yaml");
        fs_err::write(&path, "apiVersion: batch/v1\nkind: Job\nmetadata: {name: x}\n").expect("a file");
        let error = read(&[path], "istio-system").expect_err("a Job");
        assert!(
            error
                .message
                .ends_with("mesh.yaml: Job of batch/v1 is not a kind that can be installed"),
            "{error}"
        );
    }
}

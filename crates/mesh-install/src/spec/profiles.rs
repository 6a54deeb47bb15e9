//! Profiles, platforms and the behaviour of earlier releases: all of them layers of a specification, as data.

use serde_json::Value;

use super::layer;

/// A named layer of a specification.
#[derive(PartialEq, Eq, Debug)]
pub struct Profile {
    /// The name that users say.
    pub name: &'static str,
    /// The layer, as YAML. Its first line is a comment that says what it is.
    pub text: &'static str,
}

macro_rules! layers {
    ($folder:literal: $($name:literal),+ $(,)?) => {
        &[$(Profile {
            name: $name,
            text: include_str!(concat!($folder, "/", $name, ".yaml")),
        }),+]
    };
}

/// All profiles, by name.
pub static PROFILES: &[Profile] = layers!(
    "profiles": "ambient", "default", "demo", "empty", "minimal", "openshift", "openshift-ambient", "preview",
    "remote", "stable",
);

/// All platforms, by name.
pub(super) static PLATFORMS: &[Profile] =
    layers!("platforms": "gke", "k3d", "k3s", "microk8s", "minikube", "openshift");

/// What each release changed, under the release before it; the newest first.
pub(super) static COMPATIBILITY: &[Profile] = layers!("compatibility": "1.30", "1.29", "1.28");

impl Profile {
    /// The profile of this name.
    pub fn by_name(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|profile| profile.name == name)
    }

    /// What it is for, in a sentence.
    pub fn summary(&self) -> &'static str {
        self.text
            .lines()
            .next()
            .unwrap_or_default()
            .trim_start_matches("# ")
    }

    /// What it says.
    pub(super) fn layer(&self) -> Value {
        tree(self.text)
    }
}

/// The tree of a layer that is part of the program.
pub(super) fn tree(text: &str) -> Value {
    let document = mesh_yaml::parse(&text.into()).into_iter().next();
    let mut tree = match document {
        Some(Ok(document)) => document.root().to_json(),
        // A test reads them all.
        _ => Value::Null,
    };
    if tree.is_null() {
        tree = Value::Object(serde_json::Map::new());
    }
    layer::normalise(&mut tree);
    tree
}

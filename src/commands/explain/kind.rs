//! What can be explained besides rules: kinds of resources, and the messages of the mesh-wide configuration.

use mesh_core::Kind;
use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::istio::mesh_networks::MeshNetworks;
use mesh_core::schema::export::short_name;
use mesh_core::schema::{Message, MessageSchema};
use serde::Serialize;

use super::{columns, heading};
use crate::ui::{Look, markdown};

/// A kind, or a message that stands on its own.
#[derive(Clone, Copy)]
pub(super) enum Topic {
    Kind(Kind),
    Message(&'static MessageSchema),
}

/// A topic in a list.
#[derive(Serialize)]
pub(super) struct Entry {
    kind: &'static str,
    #[serde(rename = "apiVersions")]
    api_versions: Vec<String>,
    #[serde(rename = "shortName")]
    short_name: Option<&'static str>,
    summary: String,
}

impl Topic {
    /// Everything, Istio's own first.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        let (istio, others): (Vec<_>, Vec<_>) = Kind::ALL.iter().partition(|kind| kind.is_istio());
        let messages = [MeshConfig::schema(), MeshNetworks::schema()].map(Self::Message);
        let kinds = |kinds: Vec<Kind>| kinds.into_iter().map(Self::Kind);
        kinds(istio).chain(messages).chain(kinds(others))
    }

    /// The name in `kind:`.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind.info().name,
            Self::Message(schema) => schema.name,
        }
    }

    /// Every name that stands for it, in lower case. Where kinds share a name, the first of [`Topic::all`] has it, and
    /// the others go by the one with the API group.
    pub(super) fn names(self) -> Vec<String> {
        let mut names = vec![self.name().to_lowercase()];
        if let Self::Kind(kind) = self {
            let info = kind.info();
            names.push(info.plural.to_owned());
            names.extend(short_name(kind).map(str::to_owned));
            if !info.group.is_empty() {
                names.push(format!("{}.{}", info.plural, info.group));
            }
        }
        names
    }

    /// The versions of the API that have it.
    pub(super) fn api_versions(self) -> Vec<String> {
        match self {
            Self::Kind(kind) => {
                let info = kind.info();
                let group = |version: &&str| match info.group {
                    "" => (*version).to_owned(),
                    group => format!("{group}/{version}"),
                };
                info.versions.iter().map(group).collect()
            }
            Self::Message(_) => Vec::new(),
        }
    }

    /// The schema of its `spec`, or of the message itself.
    pub(super) fn schema(self) -> Option<&'static MessageSchema> {
        match self {
            Self::Kind(kind) => kind.info().schema.map(|schema| schema()),
            Self::Message(schema) => Some(schema),
        }
    }

    /// The command that asks a cluster about the kind.
    pub(super) fn kubectl(self) -> String {
        match (self, self.api_versions().first()) {
            (Self::Kind(kind), Some(version)) if !kind.info().group.is_empty() => {
                format!("kubectl explain {} --api-version={version}", kind.info().plural)
            }
            _ => format!("kubectl explain {}", self.name().to_lowercase()),
        }
    }

    /// Its documentation.
    pub(super) fn docs(self) -> &'static str {
        match self {
            Self::Kind(kind) => kind
                .info()
                .schema
                .map_or(kind.info().docs, |schema| schema().docs),
            Self::Message(schema) => schema.docs,
        }
    }

    /// The topic in a list.
    pub(super) fn entry(self) -> Entry {
        let summary = match self {
            Self::Kind(kind) => kind.info().docs,
            Self::Message(schema) => schema.docs,
        };
        Entry {
            kind: self.name(),
            api_versions: self.api_versions(),
            short_name: match self {
                Self::Kind(kind) => short_name(kind),
                Self::Message(_) => None,
            },
            summary: markdown::first_sentence(summary),
        }
    }

    /// The topic that the start of `subject` names, and the field path after it.
    pub(super) fn find(subject: &str) -> Option<(Self, &str)> {
        let lower = subject.to_lowercase();
        let rest = |name: &str| {
            let rest = lower.strip_prefix(name)?;
            // Lower case may have another length, but not if it agrees with one of our ASCII names.
            let tail = subject.get(name.len()..)?;
            match rest.chars().next() {
                None => Some(tail),
                Some('.') => tail.get(1..),
                Some(_) => None,
            }
        };
        // `gateways.gateway.networking.k8s.io` also starts with the plural of another kind.
        Self::all()
            .flat_map(|topic| topic.names().into_iter().map(move |name| (topic, name)))
            .filter_map(|(topic, name)| Some((name.len(), topic, rest(&name)?)))
            .reduce(|best, next| if next.0 > best.0 { next } else { best })
            .map(|(_, topic, rest)| (topic, rest))
    }
}

/// A table for each API group, with a line for each topic.
pub(super) fn tables(look: Look, entries: &[Entry]) -> String {
    let mut groups: Vec<(&str, Vec<&Entry>)> = Vec::new();
    for entry in entries {
        let group = match entry.api_versions.first() {
            None => "Mesh-wide settings",
            Some(version) => version
                .split_once('/')
                .map_or("Kubernetes core", |(group, _)| group),
        };
        match groups.iter_mut().find(|(known, _)| *known == group) {
            Some((_, members)) => members.push(entry),
            None => groups.push((group, vec![entry])),
        }
    }
    let mut text = String::new();
    for (group, members) in groups {
        text.push('\n');
        text.push_str(&heading(look, group));
        let row = |entry: &Entry| {
            let short_name = entry.short_name.unwrap_or_default().to_owned();
            vec![entry.kind.to_owned(), short_name, entry.summary.clone()]
        };
        text.push_str(&columns(look, members.into_iter().map(row)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_found_by_all_their_names() {
        for (subject, version, rest) in [
            ("VirtualService", "networking.istio.io/v1", ""),
            ("virtualservices.spec.http", "networking.istio.io/v1", "spec.http"),
            ("vs.http", "networking.istio.io/v1", "http"),
            ("gw", "networking.istio.io/v1", ""),
            ("Gateway.servers", "networking.istio.io/v1", "servers"),
            (
                "gateways.gateway.networking.k8s.io",
                "gateway.networking.k8s.io/v1",
                "",
            ),
            ("pod", "v1", ""),
        ] {
            let (topic, found) = Topic::find(subject).expect(subject);
            assert_eq!(
                (topic.api_versions()[0].as_str(), found),
                (version, rest),
                "{subject}"
            );
        }
        assert!(Topic::find("virtualservicex").is_none());
        assert!(matches!(
            Topic::find("meshconfig.rootNamespace"),
            Some((Topic::Message(_), "rootNamespace"))
        ));
    }
}

//! Where a check stands in a resource.

use mesh_core::Header;
use mesh_yaml::{FieldPath, Kind, Node};

/// A field of a resource, as a path under construction.
///
/// It lives on the stack and becomes a [`FieldPath`] only when there is something to report, so that sound resources
/// cost no allocations. It can also look at the YAML itself, where a typed value cannot tell an absent field from an
/// empty one.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    root: Node<'a>,
    parent: Option<&'a At<'a>>,
    step: Step<'a>,
    /// The value, where it was at hand.
    known: Option<Node<'a>>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Root,
    Key(&'a str),
    Index(usize),
    Item(&'a str, usize),
}

impl<'a> At<'a> {
    /// The resource as a whole.
    pub(super) fn root(resource: &'a Header) -> Self {
        Self {
            root: resource.origin().root(),
            parent: None,
            step: Step::Root,
            known: None,
        }
    }

    /// A value that is not in a resource; paths are from it.
    pub(super) fn value(root: Node<'a>) -> Self {
        Self {
            root,
            parent: None,
            step: Step::Root,
            known: None,
        }
    }

    /// The resource's `spec`.
    pub(super) fn spec(resource: &'a Header) -> Self {
        Self {
            step: Step::Key("spec"),
            ..Self::root(resource)
        }
    }

    /// The field `key`.
    pub(super) fn key<'b>(&'b self, key: &'b str) -> At<'b> {
        self.then(Step::Key(key))
    }

    /// The item `index`.
    pub(super) fn index(&self, index: usize) -> At<'_> {
        self.then(Step::Index(index))
    }

    /// The item `index` of the field `key`.
    pub(super) fn item<'b>(&'b self, key: &'b str, index: usize) -> At<'b> {
        self.then(Step::Item(key, index))
    }

    fn then<'b>(&'b self, step: Step<'b>) -> At<'b> {
        At {
            root: self.root,
            parent: Some(self),
            step,
            known: None,
        }
    }

    /// The items of this list, as many as there are in YAML.
    pub(super) fn children(&self) -> impl Iterator<Item = At<'_>> {
        let items = self.node().into_iter().flat_map(Node::items).enumerate();
        items.map(|(index, node)| At {
            known: Some(node),
            ..self.index(index)
        })
    }

    /// The items of the list `key`, as many as there are in YAML.
    pub(super) fn items<'b>(&'b self, key: &'b str) -> impl Iterator<Item = At<'b>> {
        let list = self.key(key).node();
        let items = list.into_iter().flat_map(Node::items).enumerate();
        items.map(move |(index, node)| At {
            known: Some(node),
            ..self.item(key, index)
        })
    }

    /// The YAML value, if it is there.
    pub(super) fn node(&self) -> Option<Node<'a>> {
        if self.known.is_some() {
            return self.known;
        }
        let base = match self.parent {
            Some(parent) => parent.node()?,
            None => self.root,
        };
        match self.step {
            Step::Root => Some(base),
            Step::Key(key) => base.get(key),
            Step::Index(index) => base.items().nth(index),
            Step::Item(key, index) => base.get(key)?.items().nth(index),
        }
    }

    /// Whether the field is there, with whatever value.
    pub(super) fn exists(&self) -> bool {
        self.node().is_some()
    }

    /// Whether the field is text. If it is not, schema validation has reported it, or it is absent.
    pub(super) fn is_text(&self) -> bool {
        self.is(Kind::String)
    }

    /// Whether the field is this very number, rather than something that cannot be read as one.
    pub(super) fn reads(&self, number: impl Into<u64>) -> bool {
        self.node().and_then(Node::as_u64) == Some(number.into())
    }

    /// Whether the field is a mapping.
    pub(super) fn is_mapping(&self) -> bool {
        self.is(Kind::Mapping)
    }

    /// Whether the field is an empty list, and written so.
    pub(super) fn is_empty_list(&self) -> bool {
        self.node()
            .is_some_and(|node| node.is_sequence() && node.is_empty())
    }

    /// Whether the field is absent or an empty list, rather than of another type.
    pub(super) fn has_no_items(&self) -> bool {
        !self.exists() || self.is_empty_list()
    }

    /// Whether the field is absent or empty text, rather than of another type.
    pub(super) fn has_no_text(&self) -> bool {
        self.node().is_none_or(|node| node.as_str() == Some(""))
    }

    /// Whether the field is an empty mapping, and written so.
    pub(super) fn is_empty_mapping(&self) -> bool {
        self.node()
            .is_some_and(|node| node.is_mapping() && node.is_empty())
    }

    fn is(&self, kind: Kind) -> bool {
        self.node().is_some_and(|node| node.kind() == kind)
    }

    /// The path from the root of the resource.
    pub(super) fn path(&self) -> FieldPath {
        let mut path = self.parent.map(At::path).unwrap_or_default();
        match self.step {
            Step::Root => {}
            Step::Key(key) => path.push_key(key),
            Step::Index(index) => path.push_index(index),
            Step::Item(key, index) => {
                path.push_key(key);
                path.push_index(index);
            }
        }
        path
    }
}

impl From<&At<'_>> for FieldPath {
    fn from(at: &At<'_>) -> Self {
        at.path()
    }
}

impl From<At<'_>> for FieldPath {
    fn from(at: At<'_>) -> Self {
        at.path()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::mesh;

    #[test]
    fn places_are_paths_and_values() {
        let mesh = mesh(
            "{apiVersion: networking.istio.io/v1, kind: Gateway, metadata: {name: a}, \
             spec: {selector: {}, servers: [{hosts: [x, 1]}]}}",
        );
        let spec = At::spec(mesh.gateways()[0].header());
        let server = spec.item("servers", 0);
        let host = server.key("hosts");
        let host = host.index(1);
        assert_eq!(host.path().to_string(), "spec.servers[0].hosts[1]");
        assert!(host.exists() && !host.is_text() && host.reads(1_u32));
        assert!(server.item("hosts", 0).is_text());
        let paths: Vec<_> = server
            .items("hosts")
            .map(|host| host.path().to_string())
            .collect();
        assert_eq!(paths, ["spec.servers[0].hosts[0]", "spec.servers[0].hosts[1]"]);
        assert!(
            server
                .key("hosts")
                .children()
                .next()
                .is_some_and(|host| host.is_text())
        );
        assert_eq!(server.items("port").count(), 0);
        assert!(server.is_mapping() && !server.key("hosts").is_mapping());
        assert!(!server.key("port").exists() && !spec.item("servers", 1).exists());
    }
}

//! One Kubernetes-shaped object and where it came from.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Deref;

use mesh_macros::Message;
use mesh_yaml::{Document, FieldPath, Node};

use crate::kind::Kind;
use crate::schema::{Any, Unread};
use crate::source::SourceId;

/// Labels or annotations.
pub type Labels = BTreeMap<String, String>;

/// One object: its [`Header`] and its typed body.
///
/// `spec` is the object's `spec`. For the kinds that have none (ConfigMap, Secret, Namespace, EndpointSlice, Node,
/// ServiceAccount, webhook configurations, CustomResourceDefinition) it is the whole object.
#[derive(Clone, Debug)]
pub struct Resource<T> {
    header: Header,
    /// The typed body.
    pub spec: T,
}

impl<T> Resource<T> {
    pub(crate) fn new(header: Header, spec: T) -> Self {
        Self { header, spec }
    }

    /// The parts that every resource has.
    pub fn header(&self) -> &Header {
        &self.header
    }

    pub(crate) fn move_source(&mut self, offset: u32) {
        let source = &mut self.header.origin.source;
        *source = SourceId(source.0.saturating_add(offset));
    }

    #[cfg(feature = "cluster")]
    pub(crate) fn set_source(&mut self, source: SourceId) {
        self.header.origin.source = source;
    }
}

impl<T> Deref for Resource<T> {
    type Target = Header;

    fn deref(&self) -> &Header {
        &self.header
    }
}

/// The parts that every resource has.
#[derive(Clone, Debug)]
pub struct Header {
    pub(crate) kind: Kind,
    pub(crate) api_version: Box<str>,
    pub(crate) metadata: Metadata,
    pub(crate) origin: Origin,
}

impl Header {
    /// The kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// `apiVersion` as written.
    pub fn api_version(&self) -> &str {
        &self.api_version
    }

    /// The name; for objects with `generateName` only, that prefix.
    pub fn name(&self) -> &str {
        if self.metadata.name.is_empty() {
            &self.metadata.generate_name
        } else {
            &self.metadata.name
        }
    }

    /// The namespace, after the default is applied; empty for objects that belong to the whole cluster.
    pub fn namespace(&self) -> &str {
        &self.metadata.namespace
    }

    /// The labels.
    pub fn labels(&self) -> &Labels {
        &self.metadata.labels
    }

    /// The annotations.
    pub fn annotations(&self) -> &Labels {
        &self.metadata.annotations
    }

    /// All metadata.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Where it came from.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Kind, namespace and name.
    pub fn id(&self) -> ResourceId {
        ResourceId {
            kind: self.kind,
            namespace: self.namespace().to_owned(),
            name: self.name().to_owned(),
        }
    }
}

/// What tells one object of a mesh from every other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    /// The kind.
    pub kind: Kind,
    /// The namespace; empty for objects that belong to the whole cluster.
    pub namespace: String,
    /// The name.
    pub name: String,
}

impl fmt::Display for ResourceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ", self.kind)?;
        if !self.namespace.is_empty() {
            write!(formatter, "{}/", self.namespace)?;
        }
        formatter.write_str(&self.name)
    }
}

/// Where a resource came from: a document, or a part of one for the items of a `List`.
#[derive(Clone)]
pub struct Origin {
    /// The source that holds the document.
    pub source: SourceId,
    /// The document.
    pub document: Document,
    /// The path from the document's root to the object: empty, or `items[3]`.
    pub base: FieldPath,
}

impl Origin {
    /// The object as a YAML node.
    pub fn root(&self) -> Node<'_> {
        let root = self.document.root();
        root.at(&self.base).unwrap_or(root)
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Origin")
            .field("source", &self.source)
            .field("document", &self.document.index())
            .field("base", &self.base)
            .finish()
    }
}

/// The `metadata` of an object (Kubernetes `ObjectMeta`).
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct Metadata {
    /// The name: unique among the objects of a kind in a namespace.
    pub name: String,
    /// A prefix from which the API server makes a name.
    pub generate_name: String,
    /// The namespace; unset means the namespace that the command works in.
    pub namespace: String,
    /// Keys and values that selectors match.
    pub labels: Labels,
    /// Keys and values for tools; never selected on.
    pub annotations: Labels,
    /// The objects that this one belongs to and is deleted with.
    pub owner_references: Vec<OwnerReference>,
    /// An identifier that is never used again. Set by the API server.
    pub uid: String,
    /// Changes with every write. Set by the API server.
    pub resource_version: String,
    /// What must happen before the object may go.
    pub finalizers: Unread<Vec<String>>,
    /// Counts the changes of `spec`. Set by the API server.
    pub generation: Unread<i64>,
    /// When the object was made, RFC 3339. Set by the API server.
    #[field(nullable)]
    pub creation_timestamp: Option<String>,
    /// When the object is to go, RFC 3339. Set by the API server.
    #[field(nullable)]
    pub deletion_timestamp: Unread<String>,
    /// Seconds that the object may take to go.
    #[field(nullable)]
    pub deletion_grace_period_seconds: Unread<i64>,
    /// Who owns which field. Set by the API server.
    pub managed_fields: Unread<Vec<Any>>,
    /// A URL of the object. No longer set.
    pub self_link: Unread<String>,
}

/// A link to the object that owns this one.
#[derive(Clone, Debug, Default, PartialEq, Message)]
pub struct OwnerReference {
    /// API group and version of the owner.
    pub api_version: String,
    /// Kind of the owner.
    pub kind: String,
    /// Name of the owner, in the same namespace or without one.
    pub name: String,
    /// `uid` of the owner.
    pub uid: String,
    /// Whether it is the controller that manages the object.
    pub controller: Option<bool>,
    /// Whether the owner's deletion waits for this object.
    pub block_owner_deletion: Option<bool>,
}

/// Whether every pair of `selector` is among `labels`. An empty selector matches everything.
pub fn selects(selector: &Labels, labels: &Labels) -> bool {
    selector.iter().all(|(key, value)| labels.get(key) == Some(value))
}

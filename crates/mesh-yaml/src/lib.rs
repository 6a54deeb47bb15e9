//! YAML and JSON text as a spanned tree.
//!
//! ```text
//! bytes ── decode ─→ text ── split ─→ chunks ── parse_chunk ─→ Document ── de ──→ typed values
//!                                                             │  ├ Node, FieldPath → Span → Position
//!                                                             │  ├ edit ─→ Edits ── apply ─→ text
//!                                                             │  └ update ─→ text with another value
//! ```
//!
//! [`emit`] goes the other way, from values to text.
//!
//! `parse_chunk` has two paths: a fast one for the YAML that manifests are written in, and a complete one
//! over `granit-parser`, which also words the errors.
//!
//! The crate knows YAML, not Kubernetes, and does no I/O. What a scalar *means* follows `sigs.k8s.io/yaml`
//! v1.6 (the library of kubectl and of the API server), which reads scalars by YAML 1.1: `on` is a boolean,
//! `0644` is octal, `1_000` is a thousand. What is *well-formed* follows YAML 1.2.
//!
//! All offsets are bytes into the text of the whole file, so that a span is valid across its documents.

mod builder;
mod compat;
mod error;
mod fast;
mod messages;
mod parse;
mod path;
mod reference;
mod resolve;
mod span;
mod split;
mod text;
mod tree;

pub mod de;
pub mod edit;
pub mod emit;
pub mod update;

pub use error::SyntaxError;
pub use parse::{parse, parse_chunk};
#[doc(hidden)]
pub use parse::{parse_chunk_by_reference, parse_chunk_fast};
pub use path::{FieldPath, IntoSegment, PathError, Segment};
pub use span::{LineIndex, Position, Span};
pub use split::{Chunk, split};
pub use text::{decode, looks_like_helm_template};
pub use tree::{Comment, Document, Entries, Entry, Items, Kind, Location, Node, Scalar};

/// Deepest nesting of collections that is read; a document that goes deeper is refused.
///
/// Aliases count as the depth of what they stand for. The limit keeps every recursive consumer of a tree
/// (decoders above all) within the stack of a worker thread. Real manifests stay below 100, deep CRD schemas
/// included.
pub const MAX_DEPTH: usize = 200;

//! From a text to typed resources.

use std::sync::Arc;

use mesh_yaml::{Document, FieldPath, Node, Span, SyntaxError};
use rayon::prelude::*;

use super::files::Exclude;
use super::{Problem, ProblemKind, Skipped, SourceId};
use crate::kind::{AnyResource, Kind};
use crate::resource::{Header, Metadata, Origin};
use crate::schema::validate::{self, Violation, ViolationKind};
use crate::schema::{FieldType, validate::closest};

/// How texts are read.
#[derive(Clone, Debug)]
pub struct LoadOptions {
    /// The namespace of objects that name none.
    pub default_namespace: String,
    /// What is left out when folders are read.
    pub exclude: Option<Exclude>,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self {
            default_namespace: "default".to_owned(),
            exclude: None,
        }
    }
}

/// What one text holds.
#[derive(Debug, Default)]
pub struct Loaded {
    /// The resources, in the order of the text.
    pub resources: Vec<AnyResource>,
    /// What the schemas say against resources, by index into `resources`.
    pub violations: Vec<(usize, Vec<Violation>)>,
    /// Problems of the text itself.
    pub problems: Vec<Problem>,
    /// What was left out.
    pub skipped: Skipped,
}

impl Loaded {
    /// Says that all of it came from another source.
    #[cfg(feature = "cluster")]
    pub(crate) fn set_source(&mut self, source: SourceId) {
        for resource in &mut self.resources {
            resource.set_source(source);
        }
        for problem in &mut self.problems {
            problem.source = problem.source.map(|_| source);
        }
    }

    fn append(&mut self, mut other: Self) {
        let offset = self.resources.len();
        self.resources.append(&mut other.resources);
        self.violations.extend(
            other
                .violations
                .into_iter()
                .map(|(index, list)| (index + offset, list)),
        );
        self.problems.append(&mut other.problems);
        self.skipped.merge(other.skipped);
    }
}

/// Texts with more bytes than this are parsed document by document in parallel.
const PARALLEL_THRESHOLD: usize = 256 * 1024;

/// Reads every resource of a YAML or JSON text.
pub fn load_text(source: SourceId, name: &str, text: &Arc<str>, options: &LoadOptions) -> Loaded {
    if text.contains("{{") && mesh_yaml::looks_like_helm_template(text) {
        let skipped = Skipped {
            helm_templates: vec![name.to_owned()],
            ..Skipped::default()
        };
        return Loaded {
            skipped,
            ..Loaded::default()
        };
    }
    load_object(source, name, text, options)
}

/// As [`load_text`], for text that is no template, whatever it looks like.
pub(crate) fn load_object(source: SourceId, name: &str, text: &Arc<str>, options: &LoadOptions) -> Loaded {
    let loader = Loader {
        source,
        name,
        options,
    };
    let chunks = mesh_yaml::split(text);
    let mut loaded = Loaded::default();
    if text.len() > PARALLEL_THRESHOLD {
        let parts: Vec<_> = chunks
            .par_iter()
            .filter_map(mesh_yaml::parse_chunk)
            .map(|result| loader.parsed(result))
            .collect();
        for part in parts {
            loaded.append(part);
        }
    } else {
        for result in chunks.iter().filter_map(mesh_yaml::parse_chunk) {
            loaded.append(loader.parsed(result));
        }
    }
    loaded
}

struct Loader<'a> {
    source: SourceId,
    name: &'a str,
    options: &'a LoadOptions,
}

impl Loader<'_> {
    fn parsed(&self, result: Result<Document, SyntaxError>) -> Loaded {
        let mut loaded = Loaded::default();
        match result {
            Ok(document) => {
                for problem in document.problems() {
                    loaded.problems.push(self.problem(
                        ProblemKind::DuplicateKey,
                        problem.clone(),
                        Some(&document),
                    ));
                }
                self.object(&document, document.root(), FieldPath::root(), &mut loaded);
            }
            Err(error) => loaded
                .problems
                .push(self.problem(ProblemKind::Syntax, error, None)),
        }
        loaded
    }

    fn problem(&self, kind: ProblemKind, error: SyntaxError, document: Option<&Document>) -> Problem {
        Problem {
            kind,
            file: self.name.to_owned(),
            source: Some(self.source),
            span: Some(error.span),
            message: error.message,
            help: error.help,
            related: error.related,
            document: document.cloned(),
        }
    }

    fn object_problem(
        &self,
        kind: ProblemKind,
        document: &Document,
        span: Span,
        message: String,
        help: String,
    ) -> Problem {
        Problem {
            kind,
            file: self.name.to_owned(),
            source: Some(self.source),
            span: Some(span),
            message,
            help: Some(help),
            related: None,
            document: Some(document.clone()),
        }
    }

    fn object(&self, document: &Document, root: Node<'_>, base: FieldPath, loaded: &mut Loaded) {
        let text = |key: &str| root.get(key).and_then(Node::as_str);
        let (Some(api_version), Some(kind_name)) = (text("apiVersion"), text("kind")) else {
            loaded.skipped.not_kubernetes += 1;
            return;
        };
        if kind_name.ends_with("List")
            && let Some(items) = root.get("items").filter(|items| items.is_sequence())
        {
            for (index, item) in items.items().enumerate() {
                self.object(document, item, base.key("items").index(index), loaded);
            }
            return;
        }
        let Some(kind) = Kind::from_api(api_version, kind_name) else {
            if let Some((message, help, field)) = unknown_kind(api_version, kind_name) {
                let span = root.get(field).map_or(root.span(), Node::span);
                loaded.problems.push(self.object_problem(
                    ProblemKind::UnknownKind,
                    document,
                    span,
                    message,
                    help,
                ));
            }
            *loaded
                .skipped
                .other_kinds
                .entry(format!("{api_version} {kind_name}"))
                .or_default() += 1;
            return;
        };
        self.resource(document, root, base, kind, api_version, loaded);
    }

    fn resource(
        &self,
        document: &Document,
        root: Node<'_>,
        base: FieldPath,
        kind: Kind,
        api_version: &str,
        loaded: &mut Loaded,
    ) {
        let mut violations = Vec::new();
        let mut metadata = Metadata::default();
        if let Some(node) = root.get("metadata") {
            validate::check(node, &Metadata::TYPE, &mut violations);
            for violation in &mut violations {
                violation.path = FieldPath::root().key("metadata").join(&violation.path);
            }
            metadata = Metadata::decode(node);
        }
        if metadata.name.is_empty() && metadata.generate_name.is_empty() {
            let span = root.get("metadata").unwrap_or(root).span();
            let (message, help) = (format!("{kind} has no name"), "add `metadata.name`".to_owned());
            loaded
                .problems
                .push(self.object_problem(ProblemKind::Incomplete, document, span, message, help));
        }
        if !kind.info().namespaced {
            metadata.namespace.clear();
        } else if metadata.namespace.is_empty() {
            metadata.namespace.clone_from(&self.options.default_namespace);
        }
        if kind.is_istio() {
            unknown_top_level_keys(root, &mut violations);
        }
        let origin = Origin {
            source: self.source,
            document: document.clone(),
            base,
        };
        let header = Header {
            kind,
            api_version: api_version.into(),
            metadata,
            origin,
        };
        let resource = AnyResource::decode(kind, root, header, &mut violations);
        if !violations.is_empty() {
            loaded.violations.push((loaded.resources.len(), violations));
        }
        loaded.resources.push(resource);
    }
}

/// The keys that an object of a custom kind may have besides its body.
const TOP_LEVEL: [&str; 5] = ["apiVersion", "kind", "metadata", "spec", "status"];

fn unknown_top_level_keys(root: Node<'_>, violations: &mut Vec<Violation>) {
    for entry in root.entries().filter(|entry| !TOP_LEVEL.contains(&entry.key)) {
        let suggestion = closest(entry.key, TOP_LEVEL.into_iter());
        violations.push(Violation {
            kind: ViolationKind::UnknownField,
            path: FieldPath::root().key(entry.key),
            on_key: true,
            message: format!("unknown field `{}`", entry.key),
            help: Some(match &suggestion {
                Some(name) => format!("did you mean `{name}`?"),
                None => "fields of the resource stand under `spec`".to_owned(),
            }),
            suggestion,
        });
    }
}

/// What to say of an object that claims to belong to the mesh's API, but whose kind or version does not exist:
/// message, help, and the field to point at. `None` for objects of others' APIs.
fn unknown_kind(api_version: &str, kind: &str) -> Option<(String, String, &'static str)> {
    let (group, version) = api_version.rsplit_once('/').unwrap_or(("", api_version));
    let is_ours = |group: &str| {
        Kind::knows_group(group) && (group.ends_with(".istio.io") || group == "gateway.networking.k8s.io")
    };
    let kinds_of = |group: &str| {
        let group = group.to_owned();
        Kind::ALL
            .iter()
            .map(|kind| kind.info())
            .filter(move |info| info.group == group)
    };
    if is_ours(group) {
        if let Some(info) = kinds_of(group).find(|info| info.name == kind) {
            let versions = info.versions.join(", ");
            return Some((
                format!("{kind} has no version `{version}`"),
                format!(
                    "write `apiVersion: {group}/{}` (known versions: {versions})",
                    info.versions[0]
                ),
                "apiVersion",
            ));
        }
        if group == "gateway.networking.k8s.io" {
            return None; // The group has kinds that the model does not describe.
        }
        if let Some(elsewhere) = Kind::ALL
            .iter()
            .map(|known| known.info())
            .find(|info| info.name == kind && is_ours(info.group))
        {
            return Some((
                format!("`{group}` has no kind `{kind}`"),
                format!(
                    "write `apiVersion: {}/{}`",
                    elsewhere.group, elsewhere.versions[0]
                ),
                "apiVersion",
            ));
        }
        let suggestion = closest(kind, kinds_of(group).map(|info| info.name));
        return Some((
            format!("`{group}` has no kind `{kind}`"),
            match suggestion {
                Some(name) => format!("did you mean `{name}`?"),
                None => format!(
                    "its kinds are {}",
                    kinds_of(group)
                        .map(|info| info.name)
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            },
            "kind",
        ));
    }
    // A misspelt group of a kind that only the mesh has, such as `networking.istio/v1`.
    let info = Kind::ALL.iter().map(|known| known.info()).find(|info| {
        info.name == kind
            && info.group.ends_with(".istio.io")
            && info.name != "Gateway"
            && info.name != "Sidecar"
    })?;
    group.contains("istio").then(|| {
        (
            format!("`{group}` is not an API group that has {kind}"),
            format!("write `apiVersion: {}/{}`", info.group, info.versions[0]),
            "apiVersion",
        )
    })
}

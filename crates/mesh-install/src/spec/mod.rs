//! What a user asks for: from profile, files and arguments to one specification of a control plane.
//!
//! ```text
//! defaults < compatibility < platform < profile < files, in order < --set, in order < flags
//!                                        │             │                │
//!                                        └─ checked against ControlPlane, with places ─► Issue
//!                       laid over each other ─► checked as a whole ─► Spec ─► manifest::render
//! ```
//!
//! Pure: files are read by who calls.

pub mod control_plane;
mod definition;
mod issue;
mod layer;
pub(crate) mod path;
mod profiles;
mod remembered;
mod set;
#[cfg(test)]
mod tests;
pub mod values;

use mesh_core::schema::FieldType;
use mesh_core::schema::validate::{ViolationKind, check, closest};
use mesh_yaml::{FieldPath, Node};
use serde_json::{Map, Value};

pub use control_plane::ControlPlane;
pub use definition::{definition, definition_name, json_schema};
pub use issue::{Issue, Place, Source};
pub use profiles::{PROFILES, Profile};

use crate::manifest::ComponentName;
use crate::version::Release;
use layer::Layer;
pub(crate) use layer::merge;
use set::Set;

/// The API group of [`KIND`].
pub const GROUP: &str = "install.meshctl.dev";

/// The version of [`KIND`].
pub const VERSION: &str = "v1alpha1";

/// The kind of the object that holds a specification.
pub const KIND: &str = "MeshControlPlane";

/// The name of [`KIND`] in paths.
pub const PLURAL: &str = "meshcontrolplanes";

/// What a user gave.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Files, in order.
    pub files: Vec<Source>,
    /// The texts of `--set`, in order.
    pub sets: Vec<String>,
    /// The profile, if an argument of its own names it.
    pub profile: Option<String>,
    /// The namespace of the control plane, likewise.
    pub namespace: Option<String>,
    /// The revision, likewise; `default` is the one without a name.
    pub revision: Option<String>,
    /// The registry and folder of images, likewise.
    pub hub: Option<String>,
    /// The tag of images, likewise.
    pub tag: Option<String>,
}

/// A specification without gaps: every field has a value, and all of them fit together.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The specification as a type.
    pub control_plane: ControlPlane,
    /// The same as a tree, for what is passed on as it is.
    pub(crate) tree: Value,
    /// The release that the tag is of; the newest known one if the tag names none.
    pub release: &'static Release,
}

impl Default for Spec {
    /// The default profile of the newest release.
    fn default() -> Self {
        Self::of_profile("default", Release::latest())
    }
}

impl Spec {
    /// A profile and nothing else, of a release. A name that is no profile's is the default one's.
    pub fn of_profile(profile: &str, release: &'static Release) -> Self {
        let request = Request {
            profile: Some(profile.to_owned()),
            tag: Some(release.tag.to_owned()),
            ..Request::default()
        };
        match resolve(&request) {
            Ok(resolved) => resolved.spec,
            Err(_) if profile != "default" => Self::of_profile("default", release),
            Err(issues) => unreachable!("the default profile is a specification: {issues:?}"),
        }
    }

    /// The namespace of the control plane.
    pub fn namespace(&self) -> &str {
        &self.control_plane.namespace
    }

    /// The revision; `None` for the one without a name.
    pub fn revision(&self) -> Option<&str> {
        let revision = self.control_plane.revision.as_str();
        (!revision.is_empty()).then_some(revision)
    }

    /// The revision as the label `istio.io/rev` has it.
    pub fn revision_label(&self) -> &str {
        self.revision().unwrap_or("default")
    }

    /// The effective specification as a tree with all defaults, sorted by name.
    pub fn to_json(&self) -> &Value {
        &self.tree
    }
}

/// A specification, and what may not be as it was meant.
#[derive(Clone, Debug)]
pub struct Resolved {
    /// The specification.
    pub spec: Spec,
    /// What may not be as it was meant.
    pub warnings: Vec<Issue>,
}

/// Makes one specification of all that was given, or says everything that is wrong with it.
///
/// # Errors
///
/// Everything that is wrong, each with its place in a file or argument.
pub fn resolve(request: &Request) -> Result<Resolved, Vec<Issue>> {
    let (mut errors, mut warnings) = (Vec::new(), Vec::new());
    let layers: Vec<Layer> = request
        .files
        .iter()
        .flat_map(|file| Layer::read(file, &mut errors, &mut warnings))
        .collect();
    let sets: Vec<Set> = request
        .sets
        .iter()
        .filter_map(|text| Set::read(text, &mut errors, &mut warnings))
        .collect();
    if !errors.is_empty() {
        return Err(errors);
    }
    let mut resolver = Resolver {
        layers,
        sets,
        flags: flags(request),
    };

    let profile = resolver.profile()?;
    let wanted = resolver.over(base(vec![profile.layer()]))?;
    let text = |pointer: &str| {
        let value = wanted.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_default().to_owned()
    };
    let tag = [text("/tag"), text("/values/global/tag")]
        .into_iter()
        .find(|tag| !tag.is_empty())
        .unwrap_or_else(|| Release::latest().tag.to_owned());
    let release = Release::of(&tag).unwrap_or_else(Release::latest);
    let mut below = resolver.compatibility(&text("/compatibilityVersion"), release)?;
    below.extend(resolver.platform(&text("/values/global/platform"))?);
    below.push(profile.layer());
    let mut tree = resolver.over(base(below))?;
    tree["profile"] = profile.name.into();
    complete(&mut tree, &tag);
    // What is rendered must not tell in which layer a field was said first.
    tree.sort_all_objects();
    let document = set::document(&tree).map_err(|issue| vec![issue])?;
    resolver.check(document.root())?;
    let spec = Spec {
        control_plane: ControlPlane::decode(document.root()),
        tree,
        release,
    };
    resolver.judge(&spec, &mut errors, &mut warnings);
    errors.extend(crate::manifest::idle_overlays(&spec).into_iter().map(|error| {
        let issue = Issue::new(match error.path.as_str() {
            "" => error.message,
            path => format!("`{path}` of `{}`: {}", error.object, error.message),
        });
        issue.at(resolver.overlay(error.component))
    }));
    if errors.is_empty() {
        Ok(Resolved { spec, warnings })
    } else {
        Err(errors)
    }
}

/// The defaults with layers over them.
fn base(layers: Vec<Value>) -> Value {
    let mut tree = profiles::tree(include_str!("defaults.yaml"));
    for layer in layers {
        merge(&mut tree, layer);
    }
    tree
}

/// The arguments that stand for a field each.
fn flags(request: &Request) -> Value {
    let revision = request.revision.as_deref().map(|revision| match revision {
        "default" => "",
        revision => revision,
    });
    let fields = [
        ("profile", request.profile.as_deref()),
        ("namespace", request.namespace.as_deref()),
        ("revision", revision),
        ("hub", request.hub.as_deref()),
        ("tag", request.tag.as_deref()),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(key, value)| Some((key.to_owned(), value?.into())));
    Value::Object(fields.collect())
}

/// Fills in what follows from something else, and says it in both places where it can be said in two.
fn complete(tree: &mut Value, tag: &str) {
    let pairs = [
        ("hub", "hub", crate::version::HUB),
        ("tag", "tag", tag),
        ("variant", "variant", ""),
        ("namespace", "istioNamespace", "istio-system"),
    ];
    let text = |tree: &Value, pointer: &str| tree.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    for (own, shared, default) in pairs {
        let value = text(tree, &format!("/{own}"))
            .or_else(|| text(tree, &format!("/values/global/{shared}")))
            .filter(|value| !value.is_empty())
            .unwrap_or_else(|| default.to_owned());
        tree["values"]["global"][shared] = value.as_str().into();
        tree[own] = value.into();
    }
    let revision = text(tree, "/revision").unwrap_or_default();
    tree["values"]["revision"] = revision.as_str().into();
    tree["revision"] = revision.into();
    if tree.pointer("/components/cni/enabled") == Some(&Value::Bool(true)) {
        tree["values"]["pilot"]["cni"]["enabled"] = true.into();
    }
}

/// Everything that was given, to be laid over what it builds on.
struct Resolver {
    layers: Vec<Layer>,
    sets: Vec<Set>,
    flags: Value,
}

impl Resolver {
    /// Where the overlays of a component are said.
    fn overlay(&self, component: ComponentName) -> Option<Place> {
        self.place_of(&[match component {
            ComponentName::Base => "components.base",
            ComponentName::Pilot => "components.pilot.k8s.overlays",
            ComponentName::Cni => "components.cni.k8s.overlays",
            ComponentName::Ztunnel => "components.ztunnel.k8s.overlays",
            ComponentName::IngressGateways => "components.ingressGateways",
            ComponentName::EgressGateways => "components.egressGateways",
        }])
    }

    /// Where a field is said; the last one that says it counts.
    fn place(&self, path: &FieldPath) -> Option<Place> {
        let sets = self.sets.iter().rev().find_map(|set| set.place(path));
        sets.or_else(|| self.layers.iter().rev().find_map(|layer| layer.place(path)))
    }

    /// The place of a field that can be said in two places.
    fn place_of(&self, paths: &[&str]) -> Option<Place> {
        let paths = paths.iter().filter_map(|path| path.parse().ok());
        paths.into_iter().find_map(|path| self.place(&path))
    }

    /// Lays all that was given over a tree.
    fn over(&mut self, mut tree: Value) -> Result<Value, Vec<Issue>> {
        for layer in &self.layers {
            merge(&mut tree, layer.value.clone());
        }
        let mut errors = Vec::new();
        for set in &mut self.sets {
            errors.extend(set.apply(&mut tree).err());
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        layer::normalise(&mut tree);
        merge(&mut tree, self.flags.clone());
        Ok(tree)
    }

    fn profile(&mut self) -> Result<&'static Profile, Vec<Issue>> {
        let given = self.over(Value::Object(Map::new())).unwrap_or_default();
        let name = given.get("profile").and_then(Value::as_str).unwrap_or_default();
        let name = if name.is_empty() { "default" } else { name };
        Profile::by_name(name).ok_or_else(|| {
            let names = PROFILES.iter().map(|profile| profile.name);
            vec![self.unknown("profile", name, names, &["profile"])]
        })
    }

    fn unknown(
        &self,
        what: &str,
        name: &str,
        names: impl Iterator<Item = &'static str> + Clone,
        at: &[&str],
    ) -> Issue {
        let all: Vec<_> = names.clone().collect();
        let help = match closest(name, names) {
            Some(name) => format!("did you mean `{name}`? there are {}", all.join(", ")),
            None => format!("there are {}", all.join(", ")),
        };
        Issue::new(format!("there is no {what} `{name}`"))
            .at(self.place_of(at))
            .hinted(help)
    }

    /// What later releases than a version changed, up to the release that is installed.
    fn compatibility(&self, version: &str, release: &Release) -> Result<Vec<Value>, Vec<Issue>> {
        let kept = profiles::COMPATIBILITY.iter();
        if version.is_empty() {
            return Ok(Vec::new());
        }
        let Some(wanted) = Release::of(version).filter(|wanted| wanted.minor <= release.minor) else {
            let names: Vec<_> = kept.map(|kept| kept.name).collect();
            return Err(vec![
                Issue::new(format!("the behaviour of `{version}` is not known to {release}"))
                    .at(self.place_of(&["compatibilityVersion", "values.compatibilityVersion"]))
                    .hinted(format!("there are {}", names.join(", "))),
            ]);
        };
        // A release keeps the behaviour that later ones changed, those before it included.
        Ok(kept
            .filter(|kept| {
                Release::of(kept.name).is_some_and(|of| of.minor >= wanted.minor && of.minor < release.minor)
            })
            .map(Profile::layer)
            .collect())
    }

    fn platform(&self, name: &str) -> Result<Option<Value>, Vec<Issue>> {
        if name.is_empty() {
            return Ok(None);
        }
        let known = profiles::PLATFORMS.iter().find(|platform| platform.name == name);
        known.map(|platform| Some(platform.layer())).ok_or_else(|| {
            let names = profiles::PLATFORMS.iter().map(|platform| platform.name);
            vec![self.unknown(
                "platform",
                name,
                names,
                &["values.global.platform", "values.platform"],
            )]
        })
    }

    /// Checks the whole, as parts that are right can be wrong together.
    fn check(&self, tree: Node<'_>) -> Result<(), Vec<Issue>> {
        let mut violations = Vec::new();
        check(tree, &ControlPlane::TYPE, &mut violations);
        let wrong: Vec<_> = violations
            .iter()
            .filter(|violation| violation.kind != ViolationKind::Deprecated)
            .map(|violation| {
                let mut path = violation.path.clone();
                let mut place = self.place(&path);
                while place.is_none() && path.pop().is_some() {
                    place = self.place(&path);
                }
                layer::issue(violation).at(place)
            })
            .collect();
        if wrong.is_empty() { Ok(()) } else { Err(wrong) }
    }

    /// Judges what no schema can say.
    fn judge(&self, spec: &Spec, errors: &mut Vec<Issue>, warnings: &mut Vec<Issue>) {
        let values = &spec.control_plane.values;
        let proxy = &values.global.proxy;
        for (field, ranges) in [
            ("includeIPRanges", &proxy.include_ip_ranges),
            ("excludeIPRanges", &proxy.exclude_ip_ranges),
        ] {
            for range in ranges.split(',').map(str::trim) {
                if !range.is_empty() && range != "*" && !is_block(range) {
                    let path = format!("values.global.proxy.{field}");
                    errors.push(
                        Issue::new(format!("`{range}` is not a block of addresses"))
                            .at(self.place_of(&[&path]))
                            .hinted("write blocks such as `10.0.0.0/8`, with commas between them"),
                    );
                }
            }
        }
        for (field, ports) in [
            ("includeInboundPorts", &proxy.include_inbound_ports),
            ("excludeInboundPorts", &proxy.exclude_inbound_ports),
            ("includeOutboundPorts", &proxy.include_outbound_ports),
            ("excludeOutboundPorts", &proxy.exclude_outbound_ports),
        ] {
            for port in ports.split(',').map(str::trim) {
                if !port.is_empty() && port != "*" && port.parse::<u16>().is_err() {
                    let path = format!("values.global.proxy.{field}");
                    errors.push(
                        Issue::new(format!("`{port}` is not a port"))
                            .at(self.place_of(&[&path]))
                            .hinted("write numbers up to 65535, with commas between them"),
                    );
                }
            }
        }
        let components = &spec.control_plane.components;
        let mut seen = std::collections::BTreeSet::new();
        for gateway in components
            .ingress_gateways
            .iter()
            .chain(&components.egress_gateways)
        {
            if gateway.enabled && !seen.insert((&gateway.namespace, &gateway.name)) {
                errors.push(
                    Issue::new(format!("two gateways are called `{}`", gateway.name))
                        .at(self.place_of(&["components.egressGateways", "components.ingressGateways"]))
                        .hinted("give each a name of its own, or a namespace of its own"),
                );
            }
        }
        let gateways = &values.gateways;
        for (name, gateway) in [
            ("istio-ingressgateway", &gateways.ingress),
            ("istio-egressgateway", &gateways.egress),
        ] {
            let low = gateway
                .ports
                .iter()
                .map(|port| {
                    if port.target_port == 0 {
                        port.port
                    } else {
                        port.target_port
                    }
                })
                .find(|port| *port < 1024);
            if let Some(port) = low.filter(|_| !gateway.run_as_root) {
                let at = format!("values.gateways[\"{name}\"].ports");
                warnings.push(
                    Issue::new(format!("port {port} of the container needs rights that the gateway does not have"))
                        .at(self.place_of(&[&at]))
                        .hinted(format!(
                            "give the port a `targetPort` of 1024 or more, or set `values.gateways.{name}.runAsRoot`"
                        )),
                );
            }
        }
        let count = components
            .pilot
            .k8s
            .replica_count
            .unwrap_or(values.pilot.replica_count);
        if values.pilot.autoscale_enabled
            && count != 1
            && let Some(place) =
                self.place_of(&["components.pilot.k8s.replicaCount", "values.pilot.replicaCount"])
        {
            warnings.push(
                Issue::new(format!(
                    "a HorizontalPodAutoscaler decides how many istiod there are, not {count}"
                ))
                .at(place)
                .hinted("set `values.pilot.autoscaleEnabled` to false, or `values.pilot.autoscaleMin`"),
            );
        }
        let tag = &spec.control_plane.tag;
        if Release::of(tag).is_none() && tag.starts_with(|c: char| c.is_ascii_digit()) {
            warnings.push(
                Issue::new(format!("meshctl does not know the release `{tag}`"))
                    .at(self.place_of(&["tag", "values.global.tag"]))
                    .hinted(format!("it is installed as {} would be", spec.release)),
            );
        }
    }
}

fn is_block(text: &str) -> bool {
    let (address, length) = match text.split_once('/') {
        Some((address, length)) => (address, length.parse::<u8>().ok()),
        None => return false,
    };
    match address.parse::<std::net::IpAddr>() {
        Ok(std::net::IpAddr::V4(_)) => length.is_some_and(|length| length <= 32),
        Ok(std::net::IpAddr::V6(_)) => length.is_some_and(|length| length <= 128),
        Err(_) => false,
    }
}

//! Which object routes a service, and which of its destinations are stable and canary.

use std::collections::BTreeSet;

use mesh_core::istio::destination_rule::DestinationRule;
use mesh_core::schema::validate::closest;
use mesh_core::{AnyResource, Host, Kind, Labels, Mesh, Resource, ResourceId, Service, Visibility, selects};
use serde_json::Value;

use crate::Refusal;
use crate::route::{Names, ROUTE_KINDS, Section, Subject, Version, is_own};
use crate::rules::{Inherited, subset, subset_name};
use crate::state::Rollout;

/// The label of pods that tells versions apart, by Istio's convention.
const VERSION_LABEL: &str = "version";

/// Subsets that are called so are the stable version of the two.
const STABLE_NAMES: [&str; 4] = ["stable", "primary", "current", "prod"];

/// Subsets that are called so are the new version of the two.
const CANARY_NAMES: [&str; 4] = ["canary", "next", "beta", "preview"];

/// What the user has said.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// The version that has the traffic: a subset, a service, or a value of the label `version`.
    pub stable: Option<&'a str>,
    /// The version that gets it.
    pub canary: Option<&'a str>,
    /// The object with the routes, as `name` or `namespace/name`.
    pub object: Option<&'a str>,
}

/// Where traffic of a service is divided.
#[derive(Clone, Debug)]
pub struct Place {
    /// The object with the routes; `None` if there is none yet.
    pub object: Option<ResourceId>,
    /// The two versions.
    pub subject: Subject,
    /// The DestinationRule with the subsets, by namespace and name.
    pub rule: Option<(String, String)>,
    /// Subsets that there have to be and are not, ready to be written.
    pub missing: Vec<Value>,
    /// What a rule that is made for them takes over from a wider one.
    pub inherited: Option<Inherited>,
}

/// The service that a user means by a name, or by `NAME.NAMESPACE`.
///
/// # Errors
///
/// A name that no service has.
pub fn service<'m>(mesh: &'m Mesh, name: &str, namespace: &str) -> Result<&'m Service, Refusal> {
    let services = mesh.registry().services();
    let split = name
        .split_once('.')
        .map(|(name, rest)| (name, rest.split('.').next().unwrap_or_default()));
    let readings = [Some((name, namespace)), split];
    let found = readings.into_iter().flatten().find_map(|(name, namespace)| {
        services
            .iter()
            .find(|service| service.header().name() == name && service.namespace() == namespace)
    });
    let by_host = || services.iter().find(|service| service.host().as_str() == name);
    found.or_else(by_host).ok_or_else(|| {
        let known = services.iter().filter(|service| service.namespace() == namespace);
        let hint = match closest(name, known.map(|service| service.header().name())) {
            Some(known) => format!("did you mean `{known}`?"),
            None => "name its namespace with `-n NAMESPACE`, or write NAME.NAMESPACE".to_owned(),
        };
        Refusal::new(format!("there is no service `{name}` in namespace `{namespace}`")).hinted(hint)
    })
}

/// An object of the mesh as JSON.
pub fn to_json(resource: &AnyResource) -> Value {
    resource.header().origin().root().to_json()
}

/// The names of an object of the mesh.
fn names<'a>(mesh: &'a Mesh, id: &'a ResourceId) -> Names<'a> {
    Names {
        namespace: &id.namespace,
        cluster_domain: &mesh.settings().cluster_domain,
    }
}

/// Objects with routes: their identity, and what they are as JSON.
fn routing_objects(mesh: &Mesh) -> Vec<(ResourceId, Value)> {
    mesh.resources()
        .filter(|resource| ROUTE_KINDS.contains(&resource.header().kind()))
        .map(|resource| (resource.header().id(), to_json(&resource)))
        .collect()
}

/// All destinations of an object that are not below a rollout's own routes.
pub fn destinations(object: &Value) -> impl Iterator<Item = (Section, &Value)> {
    Section::of(object).iter().flat_map(move |&section| {
        let routes = section.routes(object).iter().filter(|route| !is_own(route));
        routes.flat_map(move |route| section.destinations(route).iter().map(move |one| (section, one)))
    })
}

/// Services of a namespace whose traffic could be moved: those with a rollout, or else with several versions.
pub fn candidates<'m>(mesh: &'m Mesh, namespace: &str) -> Vec<&'m Service> {
    let objects = routing_objects(mesh);
    let hosts: BTreeSet<String> = objects
        .iter()
        .filter_map(|(_, object)| Rollout::of(object).ok().flatten())
        .filter(|rollout| rollout.phase.is_open())
        .map(|rollout| rollout.subject.host)
        .collect();
    let own = || {
        let services = mesh.registry().services().iter();
        services.filter(|service| service.namespace() == namespace)
    };
    let running: Vec<_> = own()
        .filter(|service| hosts.contains(service.host().as_str()))
        .collect();
    if !running.is_empty() {
        return running;
    }
    own()
        .filter(|service| versions(mesh, service).len() > 1)
        .collect()
}

/// The values of the label `version` among the pods of a service.
pub fn versions(mesh: &Mesh, service: &Service) -> BTreeSet<String> {
    let labels = mesh.registry().endpoint_labels(mesh, service);
    labels
        .into_iter()
        .filter_map(|labels| labels.get(VERSION_LABEL).cloned())
        .collect()
}

/// Finds out where traffic of a service is divided, and between what.
///
/// # Errors
///
/// Whatever is not clear: nothing is guessed that could move the wrong traffic.
pub fn locate(mesh: &Mesh, service: &Service, wish: &Wish<'_>) -> Result<Place, Refusal> {
    let host = service.host();
    let found = routing_object(mesh, host, wish.object)?;
    let rollout = match &found {
        Some((_, object)) => Rollout::of(object)?,
        None => None,
    };
    let rule = rule(mesh, service, found.as_ref().map(|(id, _)| id));
    let wider = match rule {
        Some(_) => None,
        None => wider_rule(mesh, service),
    };
    let subsets: Vec<(&str, &Labels)> = rule
        .or(wider)
        .iter()
        .flat_map(|rule| &rule.spec.subsets)
        .map(|subset| (subset.name.as_str(), &subset.labels))
        .collect();
    let chooser = Chooser {
        mesh,
        service,
        subsets: &subsets,
        is_gateway_api: found
            .as_ref()
            .is_some_and(|(id, _)| id.kind != Kind::VirtualService),
    };
    let known: Vec<(Version, i64)> = match &found {
        Some((id, object)) => known_versions(host, object, &names(mesh, id)),
        None => Vec::new(),
    };
    let subject = chooser.choose(&known, rollout.as_ref(), wish)?;
    if subject.stable == subject.canary {
        return Err(
            Refusal::new(format!("`{}` is stable and canary at once", subject.stable))
                .hinted("name the new version with `--canary`"),
        );
    }
    let missing = chooser.missing(&subject)?;
    let inherited = if rule.is_none() && !missing.is_empty() {
        let (name, namespace) = (service.header().name(), service.namespace());
        if mesh.contains(Kind::DestinationRule, namespace, name) {
            return Err(Refusal::new(format!(
                "`{}` needs a DestinationRule with subsets, and {namespace}/{name} is one for others",
                service.host()
            ))
            .hinted(format!(
                "write one of another name for the host `{}`",
                service.host()
            )));
        }
        let routes = found.as_ref().map(|(id, object)| (id.namespace.as_str(), object));
        wider.map(|wider| inherited(mesh, wider, routes)).transpose()?
    } else {
        None
    };
    Ok(Place {
        object: found.map(|(id, _)| id),
        subject,
        rule: rule.map(|rule| (rule.namespace().to_owned(), rule.name().to_owned())),
        missing,
        inherited,
    })
}

/// The one object that routes a host.
fn routing_object(
    mesh: &Mesh,
    host: &Host,
    wanted: Option<&str>,
) -> Result<Option<(ResourceId, Value)>, Refusal> {
    let mut found = Vec::new();
    for (id, object) in routing_objects(mesh) {
        let names = names(mesh, &id);
        let sends = destinations(&object).any(|(section, one)| section.host(one, &names) == *host);
        if sends || (is_for(&object, host, &names) && destinations(&object).next().is_some()) {
            found.push((id, object));
        }
    }
    if let Some(wanted) = wanted {
        let is_wanted =
            |id: &ResourceId| id.name == wanted || format!("{}/{}", id.namespace, id.name) == wanted;
        let chosen = found.into_iter().find(|(id, _)| is_wanted(id));
        return chosen.map(Some).ok_or_else(|| {
            Refusal::new(format!(
                "no VirtualService or route of the Gateway API `{wanted}` sends to `{host}`"
            ))
        });
    }
    if let [(first, one), (second, other), ..] = found.as_slice() {
        let list: Vec<_> = found.iter().map(|(id, _)| id.to_string()).collect();
        let is_shared = hosts(one).intersection(&hosts(other)).next().is_some();
        let why = if is_shared && first.kind == second.kind {
            "are for the same host, of which sidecars use one only"
        } else {
            "send to it"
        };
        return Err(Refusal::new(format!(
            "several objects route `{host}`: {} {why}",
            list.join(" and ")
        ))
        .hinted("join them into one, or name the one to change with `--object NAMESPACE/NAME`"));
    }
    Ok(found.pop())
}

fn hosts(object: &Value) -> BTreeSet<&str> {
    let hosts = object.pointer("/spec/hosts").and_then(Value::as_array);
    hosts.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether an object says where requests to a service go, wherever that is: the service is one of its hosts, or of its
/// parents.
fn is_for(object: &Value, host: &Host, names: &Names<'_>) -> bool {
    let is_host = |name: &&str| Host::resolve(name, names.namespace, names.cluster_domain) == *host;
    let is_parent = |parent: &Value| {
        let text = |field: &str| parent.get(field).and_then(Value::as_str);
        let namespace = text("namespace").unwrap_or(names.namespace);
        let name = text("name").unwrap_or_default();
        text("kind") == Some("Service") && Host::of_service(name, namespace, names.cluster_domain) == *host
    };
    let parents = object.pointer("/spec/parentRefs").and_then(Value::as_array);
    hosts(object).iter().any(is_host) || parents.into_iter().flatten().any(is_parent)
}

/// The DestinationRule for a host: that of the routes' namespace, or of the service's. One for some workloads only is
/// none.
fn rule<'m>(
    mesh: &'m Mesh,
    service: &Service,
    object: Option<&ResourceId>,
) -> Option<&'m Resource<DestinationRule>> {
    let rules = || {
        let all = mesh.destination_rules().iter();
        all.filter(|rule| {
            rule.spec.workload_selector.is_none()
                && mesh.host(&rule.spec.host, rule.namespace()) == *service.host()
        })
    };
    let within = |namespace: &str| rules().find(|rule| rule.namespace() == namespace);
    object
        .and_then(|id| within(&id.namespace))
        .or_else(|| within(service.namespace()))
        .map(|rule| &**rule)
}

/// The DestinationRule that is in effect for a service that has none of its own: the most specific one in the service's
/// namespace, or else in the root namespace.
pub fn wider_rule<'m>(mesh: &'m Mesh, service: &Service) -> Option<&'m Resource<DestinationRule>> {
    let host = service.host();
    let of = |rule: &Resource<DestinationRule>| mesh.host(&rule.spec.host, rule.namespace());
    let within = |namespace: &str| {
        let rules = mesh.destination_rules().iter().map(|rule| &**rule);
        rules
            .filter(|rule| rule.namespace() == namespace && rule.spec.workload_selector.is_none())
            .filter(|rule| host.is_within(&of(rule)) && clients(mesh, rule).includes(service.namespace()))
            // One without a wildcard is longer than all that have one.
            .max_by_key(|rule| (!of(rule).is_wildcard(), of(rule).as_str().len()))
    };
    within(service.namespace()).or_else(|| within(mesh.root_namespace()))
}

/// Whose clients use a rule.
fn clients(mesh: &Mesh, rule: &Resource<DestinationRule>) -> Visibility {
    let default = &mesh.config().default_destination_rule_export_to;
    visibility(&rule.spec.export_to, rule.namespace(), default)
}

fn visibility(entries: &[String], namespace: &str, default: &[String]) -> Visibility {
    let parse = |entries: &[String], default: &Visibility| {
        Visibility::parse(entries.iter().map(String::as_str), namespace, default)
    };
    parse(entries, &parse(default, &Visibility::Public))
}

/// What a rule for the service takes over from a wider one.
///
/// # Errors
///
/// The wider one is not for all who use the routes: the others would get what is not meant for them, or no subsets.
fn inherited(
    mesh: &Mesh,
    wider: &Resource<DestinationRule>,
    routes: Option<(&str, &Value)>,
) -> Result<Inherited, Refusal> {
    let from = wider.header().id();
    let root = wider.header().origin().root().to_json();
    let mut spec = root.get("spec").cloned().unwrap_or_default();
    if let Visibility::Namespaces(list) = clients(mesh, wider) {
        let default = &mesh.config().default_virtual_service_export_to;
        let users = routes.map(|(namespace, object)| {
            let entries = object.pointer("/spec/exportTo").and_then(Value::as_array);
            let entries = entries.into_iter().flatten().filter_map(Value::as_str);
            let entries: Vec<String> = entries.map(str::to_owned).collect();
            visibility(&entries, namespace, default)
        });
        if users != Some(Visibility::Namespaces(list.clone())) {
            return Err(Refusal::new(format!(
                "{from} is what proxies in {} use for the service, and the routes are for others too",
                list.join(" and ")
            ))
            .hinted("write a DestinationRule with the subsets, which is for all of them"));
        }
        if let Some(fields) = spec.as_object_mut() {
            fields.insert("exportTo".to_owned(), list.into());
        }
    }
    if let Some(fields) = spec.as_object_mut() {
        fields.shift_remove("host");
    }
    Ok(Inherited { from, spec })
}

/// The labels that pods of a subset without a DestinationRule have.
pub fn labels_of(mesh: &Mesh, service: &Service, subset: &str) -> Labels {
    let versions = versions(mesh, service);
    let version = versions
        .into_iter()
        .find(|version| subset_name(version) == subset);
    let version = version.unwrap_or_else(|| subset.to_owned());
    Labels::from([(VERSION_LABEL.to_owned(), version)])
}

/// The versions that routes name already, and how much they get.
fn known_versions(host: &Host, object: &Value, names: &Names<'_>) -> Vec<(Version, i64)> {
    let mut known: Vec<(Version, i64)> = Vec::new();
    let mut add = |version: Version, weight: i64| match known.iter_mut().find(|(known, _)| *known == version)
    {
        Some((_, sum)) => *sum += weight,
        None => known.push((version, weight)),
    };
    let is_named = destinations(object).any(|(section, one)| section.host(one, names) == *host);
    for &section in Section::of(object) {
        for route in section.routes(object).iter().filter(|route| !is_own(route)) {
            let list = section.destinations(route);
            let targets: Vec<Host> = list.iter().map(|one| section.host(one, names)).collect();
            // Versions that are services of their own share a route with the service, or stand for it.
            let are_services = !is_named
                || targets.contains(host)
                    && (section.is_gateway_api() || targets.iter().any(|target| target != host));
            for ((one, target), weight) in list.iter().zip(targets).zip(section.weights(list)) {
                let subset = section.subset(one);
                if target == *host && !subset.is_empty() {
                    add(Version::Subset(subset.to_owned()), weight);
                } else if are_services && subset.is_empty() {
                    add(Version::Service(target.as_str().to_owned()), weight);
                }
            }
        }
    }
    known
}

struct Chooser<'a> {
    mesh: &'a Mesh,
    service: &'a Service,
    subsets: &'a [(&'a str, &'a Labels)],
    is_gateway_api: bool,
}

impl Chooser<'_> {
    /// What a user means by the name of a version.
    fn version(&self, name: &str) -> Result<Version, Refusal> {
        let is_subset = self.subsets.iter().any(|(known, _)| *known == name);
        let by_label = versions(self.mesh, self.service);
        if !self.is_gateway_api && is_subset {
            return Ok(Version::Subset(name.to_owned()));
        }
        if !self.is_gateway_api && by_label.contains(name) {
            let subset = subset_name(name);
            let mut known = self.subsets.iter();
            if let Some((_, labels)) = known.find(|(known, _)| *known == subset)
                && labels.get(VERSION_LABEL).map(String::as_str) != Some(name)
            {
                return Err(Refusal::new(format!(
                    "the subset of version `{name}` would be called `{subset}`, and one of that name selects other pods"
                ))
                .hinted("declare a subset for the version in the DestinationRule, and name it"));
            }
            return Ok(Version::Subset(subset));
        }
        if !self.is_gateway_api && by_label.iter().any(|version| subset_name(version) == name) {
            return Ok(Version::Subset(name.to_owned()));
        }
        if let Ok(service) = service(self.mesh, name, self.service.namespace()) {
            return Ok(Version::Service(service.host().as_str().to_owned()));
        }
        let mut known: Vec<String> = self.subsets.iter().map(|(name, _)| (*name).to_owned()).collect();
        known.extend(by_label);
        known.sort();
        known.dedup();
        let hint = match closest(name, known.iter().map(String::as_str)) {
            Some(known) => format!("did you mean `{known}`?"),
            None if known.is_empty() => "label the pods of each version with `version`".to_owned(),
            None => format!("versions are {}", known.join(", ")),
        };
        Err(Refusal::new(format!(
            "`{name}` is no subset, no value of the label `version` of its pods, and no service"
        ))
        .hinted(hint))
    }

    fn choose(
        &self,
        known: &[(Version, i64)],
        rollout: Option<&Rollout>,
        wish: &Wish<'_>,
    ) -> Result<Subject, Refusal> {
        let said = |name: Option<&str>| name.map(|name| self.version(name)).transpose();
        let (mut stable, mut canary) = (said(wish.stable)?, said(wish.canary)?);
        // A rollout that goes on has said it.
        if let Some(rollout) = rollout.filter(|rollout| rollout.phase.is_open()) {
            stable = stable.or_else(|| Some(rollout.subject.stable.clone()));
            canary = canary.or_else(|| Some(rollout.subject.canary.clone()));
        }
        let other_of = |version: &Version, list: &[Version]| {
            let others: Vec<_> = list.iter().filter(|other| *other != version).collect();
            match others.as_slice() {
                [only] => Some((*only).clone()),
                _ => None,
            }
        };
        let routed: Vec<Version> = known.iter().map(|(version, _)| version.clone()).collect();
        let with_traffic: Vec<Version> = known
            .iter()
            .filter(|(_, weight)| *weight > 0)
            .map(|(version, _)| version.clone())
            .collect();
        let declared: Vec<Version> = if self.is_gateway_api {
            Vec::new()
        } else if self.subsets.is_empty() {
            let names = versions(self.mesh, self.service);
            let names: BTreeSet<String> = names.iter().map(|version| subset_name(version)).collect();
            names.into_iter().map(Version::Subset).collect()
        } else {
            self.subsets
                .iter()
                .map(|(name, _)| Version::Subset((*name).to_owned()))
                .collect()
        };
        if stable.is_none() {
            stable = match (with_traffic.as_slice(), &canary) {
                ([only], _) => Some(only.clone()),
                (_, Some(canary)) => other_of(canary, &routed).or_else(|| other_of(canary, &declared)),
                _ => by_names(&routed)
                    .or_else(|| by_names(&declared))
                    .map(|(stable, _)| stable),
            };
        }
        if canary.is_none()
            && let Some(stable) = &stable
        {
            canary = other_of(stable, &routed).or_else(|| other_of(stable, &declared));
        }
        match (stable, canary) {
            (Some(stable), Some(canary)) => Ok(Subject {
                host: self.service.host().as_str().to_owned(),
                stable,
                canary,
            }),
            (stable, _) => {
                let mut all = routed;
                if !self.is_gateway_api {
                    let by_label = versions(self.mesh, self.service);
                    all.extend(
                        by_label
                            .iter()
                            .map(|version| Version::Subset(subset_name(version))),
                    );
                }
                all.extend(declared.into_iter().filter(|one| stable.as_ref() != Some(one)));
                all.sort();
                all.dedup();
                let all: Vec<_> = all.iter().map(ToString::to_string).collect();
                let what = if stable.is_some() {
                    "new version is"
                } else {
                    "versions are stable and new"
                };
                let list = match all.as_slice() {
                    [] => "none is known: label the pods of each version with `version`".to_owned(),
                    all => format!("there are {}", all.join(", ")),
                };
                Err(Refusal::new(format!(
                    "it is not clear which {what} of `{}`: {list}",
                    self.service.host()
                ))
                .hinted("name them with `--stable` and `--canary`"))
            }
        }
    }

    /// The subsets that there have to be and are not.
    fn missing(&self, subject: &Subject) -> Result<Vec<Value>, Refusal> {
        let labels = self.mesh.registry().endpoint_labels(self.mesh, self.service);
        let mut missing = Vec::new();
        for version in [&subject.stable, &subject.canary] {
            let Version::Subset(name) = version else { continue };
            let known = self.subsets.iter().find(|(known, _)| known == name);
            let by_label = labels_of(self.mesh, self.service, name);
            let mut same = versions(self.mesh, self.service);
            same.retain(|version| subset_name(version) == *name);
            if known.is_none() && same.len() > 1 {
                let same: Vec<_> = same.iter().map(|version| format!("`{version}`")).collect();
                return Err(Refusal::new(format!(
                    "the subsets of the versions {} would all be called `{name}`",
                    same.join(" and ")
                ))
                .hinted("declare a subset for each in a DestinationRule, and name those"));
            }
            let selector = known.map_or(&by_label, |(_, labels)| *labels);
            if !labels.iter().any(|labels| selects(selector, labels)) {
                let selector: Vec<_> = selector
                    .iter()
                    .map(|(key, value)| format!("{key}={value}"))
                    .collect();
                return Err(Refusal::new(format!(
                    "no pods of `{}` belong to `{name}`: none has the labels {}",
                    self.service.host(),
                    selector.join(",")
                ))
                .hinted("deploy it first"));
            }
            if known.is_none() {
                missing.push(subset(name, &by_label));
            }
        }
        Ok(missing)
    }
}

/// Stable and canary of two versions that are called so.
fn by_names(versions: &[Version]) -> Option<(Version, Version)> {
    let [first, second] = versions else { return None };
    let is = |version: &Version, names: &[&str]| matches!(version, Version::Subset(name) if names.contains(&name.as_str()));
    let fits = |stable: &Version, canary: &Version| {
        is(stable, &STABLE_NAMES) && !is(canary, &STABLE_NAMES)
            || is(canary, &CANARY_NAMES) && !is(stable, &CANARY_NAMES)
    };
    if fits(first, second) {
        Some((first.clone(), second.clone()))
    } else if fits(second, first) {
        Some((second.clone(), first.clone()))
    } else {
        None
    }
}

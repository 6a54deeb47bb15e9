//! When one match takes everything that another would take.
//!
//! [`covers`] and its like answer for sure: where they say no, they may only not know (regular expressions).

use std::collections::{BTreeMap, BTreeSet};

use mesh_core::istio::virtual_service::{
    HttpMatchRequest, L4MatchAttributes, StringMatch, TlsMatchAttributes, VirtualService,
};
use mesh_core::{Labels, Mesh, Resource};
use mesh_yaml::{FieldPath, Segment, path};
use rustc_hash::{FxHashMap, FxHashSet};

use super::gateways::{MESH, gateway_id};

/// A place in the rules of a VirtualService: a rule, or one of its matches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// `http`, `tcp` or `tls`.
    pub(super) section: &'static str,
    /// The index of the rule.
    pub(super) rule: usize,
    /// The index of the match; `None` for the rule, or for a rule without matches.
    pub(super) index: Option<usize>,
}

impl Place {
    /// The path from the root of the resource.
    pub(super) fn path(self) -> FieldPath {
        path!["spec"].join(&self.relative())
    }

    /// The path without `spec`, as messages show it.
    pub(super) fn relative(self) -> FieldPath {
        let rule = path![self.section, self.rule];
        match self.index {
            Some(index) => rule.key("match").index(index),
            None => rule,
        }
    }
}

/// A match that never decides anything, and why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Idle {
    /// The match.
    pub(super) place: Place,
    /// The earlier match that takes all that it would take.
    pub(super) by: Place,
    /// What the earlier match is to this one.
    pub(super) reason: Reason,
}

/// What an earlier match is to a later one that never decides anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reason {
    /// It takes everything.
    Everything,
    /// It says the same.
    Same,
    /// It says less, and so takes more.
    Broader,
}

/// The matches of one rule that never decide anything.
#[derive(Debug)]
pub(super) struct IdleRule {
    /// The rule.
    pub(super) place: Place,
    /// The matches; the rule as a whole if it has none.
    pub(super) idle: Vec<Idle>,
    /// Whether these are all of them, and earlier rules are why: then the rule is never reached.
    pub(super) is_unreachable: bool,
}

impl IdleRule {
    /// Whether it is plain to see that the rule is never reached: what takes its traffic takes everything, or says
    /// the same.
    pub(super) fn is_plainly_unreachable(&self) -> bool {
        self.is_unreachable && self.idle.iter().all(|idle| idle.reason != Reason::Broader)
    }
}

/// The rules of a VirtualService with matches that never decide anything.
pub(super) fn idle_rules(resource: &Resource<VirtualService>) -> Vec<IdleRule> {
    let spec = &resource.spec;
    let gateways = Gateways {
        bound: (!spec.hosts.is_empty()).then_some(spec.gateways.as_slice()),
        namespace: resource.namespace(),
    };
    let mut found = Vec::new();
    // What a delegate does not take goes on to the next rule.
    let http = spec
        .http
        .iter()
        .map(|rule| (rule.matches.as_slice(), rule.delegate.is_none()));
    collect(
        "http",
        http,
        Some(&HttpMatchRequest::default()),
        gateways,
        &mut found,
    );
    let tcp = spec.tcp.iter().map(|rule| (rule.matches.as_slice(), true));
    collect(
        "tcp",
        tcp,
        Some(&L4MatchAttributes::default()),
        gateways,
        &mut found,
    );
    let tls = spec.tls.iter().map(|rule| (rule.matches.as_slice(), true));
    collect("tls", tls, None, gateways, &mut found);
    found
}

/// Goes through the rules of one section: the matches of each, and whether the rule keeps what it takes. `everything`
/// is what a rule without matches takes.
fn collect<'a, C: Condition + 'a>(
    section: &'static str,
    rules: impl Iterator<Item = (&'a [C], bool)>,
    everything: Option<&'a C>,
    gateways: Gateways<'_>,
    found: &mut Vec<IdleRule>,
) {
    let mut earlier = Earlier::default();
    for (rule, (matches, is_final)) in rules.enumerate() {
        let place = |index| Place { section, rule, index };
        let mut conditions: Vec<_> = (matches.iter().enumerate())
            .map(|(index, condition)| (place(Some(index)), condition))
            .collect();
        if conditions.is_empty() {
            conditions.extend(everything.map(|everything| (place(None), everything)));
        }
        let mut idle = Vec::new();
        for (place, condition) in &conditions {
            if let Some((by, broader)) = earlier.find(*condition, gateways) {
                let reason = if everything.is_some_and(|everything| broader.covers(everything, gateways)) {
                    Reason::Everything
                } else if condition.covers(broader, gateways) {
                    Reason::Same
                } else {
                    Reason::Broader
                };
                idle.push(Idle {
                    place: *place,
                    by,
                    reason,
                });
            }
            if is_final {
                earlier.add(*place, *condition);
            }
        }
        if !idle.is_empty() {
            let is_unreachable =
                idle.len() == conditions.len() && idle.iter().all(|idle| idle.by.rule < rule);
            found.push(IdleRule {
                place: place(None),
                idle,
                is_unreachable,
            });
        }
    }
}

/// The gateways of a VirtualService.
#[derive(Clone, Copy, Debug)]
struct Gateways<'a> {
    /// Those that it is bound to; `None` for a delegate, of which only its roots know.
    bound: Option<&'a [String]>,
    /// Its namespace.
    namespace: &'a str,
}

impl Gateways<'_> {
    /// Whether a match for `outer` holds wherever one for `inner` does. An empty list means all gateways of the
    /// VirtualService.
    fn cover(self, outer: &[String], inner: &[String]) -> bool {
        if outer.is_empty() {
            return true;
        }
        let is_outer = |name: &str| {
            let id = gateway_id(name, self.namespace);
            outer
                .iter()
                .any(|known| (name == MESH) == (known == MESH) && gateway_id(known, self.namespace) == id)
        };
        match self.bound {
            _ if !inner.is_empty() => inner.iter().all(|name| is_outer(name)),
            Some([]) => is_outer(MESH),
            Some(bound) => bound.iter().all(|name| is_outer(name)),
            None => false,
        }
    }
}

/// What conditions are filed under, so that few have to be compared.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Any,
    Exact(String),
    Prefix(String),
    Regex(String),
}

/// What has to hold of a request or connection.
trait Condition {
    /// Whether it takes all that `other` takes.
    fn covers(&self, other: &Self, gateways: Gateways<'_>) -> bool;

    /// What it is filed under.
    fn key(&self) -> Key {
        Key::Any
    }
}

/// The conditions of earlier rules and matches.
#[derive(Debug)]
struct Earlier<'a, C> {
    list: Vec<(Place, &'a C)>,
    by_key: FxHashMap<Key, Vec<usize>>,
    /// The lengths of all prefixes.
    lengths: BTreeSet<usize>,
}

impl<C> Default for Earlier<'_, C> {
    fn default() -> Self {
        Self {
            list: Vec::new(),
            by_key: FxHashMap::default(),
            lengths: BTreeSet::new(),
        }
    }
}

impl<'a, C: Condition> Earlier<'a, C> {
    fn add(&mut self, place: Place, condition: &'a C) {
        let key = condition.key();
        if let Key::Prefix(prefix) = &key {
            self.lengths.insert(prefix.len());
        }
        self.by_key.entry(key).or_default().push(self.list.len());
        self.list.push((place, condition));
    }

    /// The earliest condition that takes all that `condition` takes.
    fn find(&self, condition: &C, gateways: Gateways<'_>) -> Option<(Place, &'a C)> {
        /// Thousands of conditions of one key are a generated file, and comparing all with all takes too long.
        const COMPARED: usize = 256;
        let own = condition.key();
        let mut keys = vec![Key::Any];
        if let Key::Exact(path) | Key::Prefix(path) = &own {
            let lengths = self
                .lengths
                .iter()
                .filter(|length| path.is_char_boundary(**length));
            keys.extend(lengths.map(|length| Key::Prefix(path[..*length].to_owned())));
        }
        if matches!(own, Key::Exact(_) | Key::Regex(_)) {
            keys.push(own);
        }
        let candidates = keys.iter().filter_map(|key| self.by_key.get(key));
        candidates
            .filter_map(|numbers| {
                (numbers.iter().take(COMPARED))
                    .find(|number| self.list[**number].1.covers(condition, gateways))
            })
            .min()
            .map(|number| self.list[*number])
    }
}

impl Condition for HttpMatchRequest {
    fn covers(&self, other: &Self, gateways: Gateways<'_>) -> bool {
        fn optional(this: Option<&StringMatch>, other: Option<&StringMatch>) -> bool {
            this.is_none_or(|this| other.is_some_and(|other| text_covers(this, other)))
        }
        let uri = match (&self.uri, &other.uri) {
            (None, _) => true,
            (Some(this), _) if is_every_path(this) => true,
            (Some(_), None) => false,
            (Some(this), Some(other_uri)) => {
                if self.ignore_uri_case {
                    text_covers(&lower(this), &lower(other_uri))
                        && (this.regex.is_none() || other.ignore_uri_case)
                } else {
                    !other.ignore_uri_case && text_covers(this, other_uri)
                }
            }
        };
        uri && (self.port == 0 || self.port == other.port)
            && optional(self.method.as_ref(), other.method.as_ref())
            && optional(self.scheme.as_ref(), other.scheme.as_ref())
            && optional(self.authority.as_ref(), other.authority.as_ref())
            && all_covered(&self.headers, &other.headers, true)
            && all_covered(&self.query_params, &other.query_params, false)
            // These are negative: the earlier one has to exclude less.
            && self.without_headers.iter().all(|(name, this)| {
                named(&other.without_headers, name, true).is_some_and(|other| value_covers(other, this))
            })
            && source_covers(
                (&self.source_labels, &self.source_namespace, &self.gateways),
                (&other.source_labels, &other.source_namespace, &other.gateways),
                gateways,
            )
    }

    fn key(&self) -> Key {
        match &self.uri {
            None => Key::Any,
            Some(uri) if is_every_path(uri) => Key::Any,
            Some(StringMatch {
                exact: Some(path), ..
            }) => Key::Exact(path.to_lowercase()),
            Some(StringMatch {
                prefix: Some(path), ..
            }) => Key::Prefix(path.to_lowercase()),
            Some(StringMatch {
                regex: Some(regex), ..
            }) => Key::Regex(regex.to_lowercase()),
            Some(_) => Key::Regex(String::new()),
        }
    }
}

impl Condition for L4MatchAttributes {
    fn covers(&self, other: &Self, gateways: Gateways<'_>) -> bool {
        (self.port == 0 || self.port == other.port)
            && (self.destination_subnets.is_empty()
                || (!other.destination_subnets.is_empty()
                    && is_subset(&other.destination_subnets, &self.destination_subnets)))
            && (self.source_subnet.is_empty() || self.source_subnet == other.source_subnet)
            && source_covers(
                (&self.source_labels, &self.source_namespace, &self.gateways),
                (&other.source_labels, &other.source_namespace, &other.gateways),
                gateways,
            )
    }
}

/// Of TLS matches, Envoy takes the one with the most specific server name and subnet, whatever the order is: only the
/// same names and subnets hide later ones.
impl Condition for TlsMatchAttributes {
    fn covers(&self, other: &Self, gateways: Gateways<'_>) -> bool {
        !other.sni_hosts.is_empty()
            && is_subset(&other.sni_hosts, &self.sni_hosts)
            && self.destination_subnets.is_empty() == other.destination_subnets.is_empty()
            && is_subset(&other.destination_subnets, &self.destination_subnets)
            && (self.port == 0 || self.port == other.port)
            && source_covers(
                (&self.source_labels, &self.source_namespace, &self.gateways),
                (&other.source_labels, &other.source_namespace, &other.gateways),
                gateways,
            )
    }
}

fn is_subset(inner: &[String], outer: &[String]) -> bool {
    inner.iter().all(|item| outer.contains(item))
}

type Source<'a> = (&'a Labels, &'a str, &'a [String]);

/// Whether a match on clients and gateways holds wherever another does. istiod ignores labels and namespace of the
/// client in a match that names gateways.
fn source_covers(this: Source<'_>, other: Source<'_>, gateways: Gateways<'_>) -> bool {
    let has_source = !this.0.is_empty() || !this.1.is_empty();
    gateways.cover(this.2, other.2)
        && (!has_source || other.2.is_empty())
        && this.0.iter().all(|(key, value)| other.0.get(key) == Some(value))
        && (this.1.is_empty() || this.1 == other.1)
}

/// Whether it holds for every path there is.
fn is_every_path(uri: &StringMatch) -> bool {
    uri.prefix
        .as_deref()
        .is_some_and(|prefix| prefix.is_empty() || prefix == "/")
        || uri
            .regex
            .as_deref()
            .is_some_and(|regex| regex == ".*" || regex == "/.*")
}

fn lower(text: &StringMatch) -> StringMatch {
    StringMatch {
        exact: text.exact.as_ref().map(|text| text.to_lowercase()),
        prefix: text.prefix.as_ref().map(|text| text.to_lowercase()),
        regex: text.regex.clone(),
    }
}

/// Whether every text that `other` matches is matched by `this`.
fn text_covers(this: &StringMatch, other: &StringMatch) -> bool {
    match (this, other) {
        (
            StringMatch {
                exact: Some(this), ..
            },
            StringMatch {
                exact: Some(other), ..
            },
        ) => this == other,
        (
            StringMatch {
                prefix: Some(this), ..
            },
            StringMatch {
                exact: Some(other), ..
            }
            | StringMatch {
                prefix: Some(other), ..
            },
        ) => other.starts_with(this.as_str()),
        (
            StringMatch {
                regex: Some(this), ..
            },
            StringMatch {
                regex: Some(other), ..
            },
        ) => this == other,
        _ => false,
    }
}

/// Like [`text_covers`] for headers and query parameters, where no text at all means that there is one.
fn value_covers(this: &StringMatch, other: &StringMatch) -> bool {
    let is_any = |text: &StringMatch| match text {
        StringMatch { exact: Some(_), .. } => false,
        StringMatch {
            prefix: Some(prefix), ..
        } => prefix.is_empty(),
        StringMatch {
            regex: Some(regex), ..
        } => regex == "*" || regex == ".*",
        _ => true,
    };
    is_any(this) || text_covers(this, other)
}

fn named<'a>(
    values: &'a BTreeMap<String, StringMatch>,
    name: &str,
    ignore_case: bool,
) -> Option<&'a StringMatch> {
    values.get(name).or_else(|| {
        let same = |known: &&String| ignore_case && known.eq_ignore_ascii_case(name);
        values.keys().find(same).and_then(|known| values.get(known))
    })
}

fn all_covered(
    this: &BTreeMap<String, StringMatch>,
    other: &BTreeMap<String, StringMatch>,
    ignore_case: bool,
) -> bool {
    this.iter()
        .all(|(name, this)| named(other, name, ignore_case).is_some_and(|other| value_covers(this, other)))
}

/// The VirtualServices whose matches the schemas object to, by namespace and name. What is wrong in them may look
/// like a match of everything.
pub(super) fn with_broken_matches(mesh: &Mesh) -> FxHashSet<(&str, &str)> {
    let is_match = |segment: &Segment| matches!(segment, Segment::Key(key) if &**key == "match");
    let broken = mesh.violations().iter().filter(|(resource, violations)| {
        resource.header().kind() == mesh_core::Kind::VirtualService
            && violations
                .iter()
                .any(|violation| violation.path.segments().iter().any(is_match))
    });
    broken
        .map(|(resource, _)| (resource.header().namespace(), resource.header().name()))
        .collect()
}

#[cfg(test)]
mod tests {
    use mesh_core::schema::FieldType;
    use proptest::prelude::*;

    use super::*;

    const SIDECARS: Gateways<'static> = Gateways {
        bound: Some(&[]),
        namespace: "shop",
    };

    fn read<C: FieldType>(text: &str) -> C {
        let document = mesh_yaml::parse(&std::sync::Arc::from(text))
            .remove(0)
            .expect("YAML");
        C::decode(document.root())
    }

    fn http(this: &str, other: &str) -> bool {
        read::<HttpMatchRequest>(this).covers(&read(other), SIDECARS)
    }

    #[test]
    fn http_matches_cover_what_is_narrower() {
        for (broad, narrow) in [
            ("{}", "{uri: {prefix: /a}}"),
            ("{uri: {prefix: /}}", "{}"),
            ("{uri: {prefix: /}}", "{uri: {regex: /a+}}"),
            ("{uri: {prefix: /a}}", "{uri: {prefix: /ab}}"),
            (
                "{uri: {prefix: /a}}",
                "{uri: {exact: /a/b}, method: {exact: GET}}",
            ),
            ("{uri: {prefix: /A}, ignoreUriCase: true}", "{uri: {exact: /a/b}}"),
            (
                "{headers: {a: {prefix: x}}}",
                "{headers: {A: {exact: xy}, b: {exact: z}}}",
            ),
            ("{headers: {a: {}}}", "{headers: {a: {exact: xy}}}"),
            ("{headers: {a: {regex: '*'}}}", "{headers: {a: {regex: x+}}}"),
            (
                "{queryParams: {a: {exact: x}}}",
                "{queryParams: {a: {exact: x}}, uri: {exact: /}}",
            ),
            (
                "{withoutHeaders: {a: {exact: xy}}}",
                "{withoutHeaders: {a: {prefix: x}}}",
            ),
            ("{method: {prefix: P}}", "{method: {exact: POST}}"),
            ("{sourceLabels: {app: a}}", "{sourceLabels: {app: a, v: b}}"),
            ("{port: 80}", "{port: 80, uri: {exact: /a}}"),
            ("{gateways: [mesh]}", "{uri: {exact: /a}}"),
            ("{gateways: [mesh, edge]}", "{gateways: [shop/edge]}"),
        ] {
            assert!(http(broad, narrow), "{broad} {narrow}");
            assert!(
                !http(narrow, broad) || narrow == "{}" || broad.contains("mesh]"),
                "{narrow} {broad}"
            );
        }
    }

    #[test]
    fn http_matches_do_not_cover_what_is_different() {
        for (this, other) in [
            ("{uri: {prefix: /a}}", "{}"),
            ("{uri: {prefix: /a}}", "{uri: {exact: /A}}"),
            ("{uri: {prefix: /a}}", "{uri: {exact: /a}, ignoreUriCase: true}"),
            ("{uri: {exact: /a}}", "{uri: {prefix: /a}}"),
            ("{uri: {regex: /a.*}}", "{uri: {exact: /a}}"),
            ("{uri: {}}", "{uri: {prefix: /a}}"),
            ("{headers: {a: {exact: x}}}", "{}"),
            ("{headers: {a: {exact: x}}}", "{headers: {b: {exact: x}}}"),
            ("{queryParams: {a: {exact: x}}}", "{queryParams: {A: {exact: x}}}"),
            (
                "{withoutHeaders: {a: {prefix: x}}}",
                "{withoutHeaders: {a: {exact: xy}}}",
            ),
            ("{withoutHeaders: {a: {exact: x}}}", "{}"),
            ("{method: {exact: GET}}", "{}"),
            ("{authority: {exact: a}}", "{authority: {exact: b}}"),
            ("{scheme: {exact: http}}", "{}"),
            ("{port: 80}", "{}"),
            ("{port: 80}", "{port: 81}"),
            ("{sourceLabels: {app: a}}", "{}"),
            (
                "{sourceLabels: {app: a}}",
                "{sourceLabels: {app: a}, gateways: [edge]}",
            ),
            ("{sourceNamespace: a}", "{sourceNamespace: b}"),
            ("{gateways: [edge]}", "{}"),
            ("{gateways: [edge]}", "{gateways: [edge, mesh]}"),
            ("{gateways: [other/mesh]}", "{gateways: [mesh]}"),
        ] {
            assert!(!http(this, other), "{this} {other}");
        }
    }

    #[test]
    fn connections_are_told_apart_by_subnet_and_server_name() {
        let l4 = |this: &str, other: &str| read::<L4MatchAttributes>(this).covers(&read(other), SIDECARS);
        assert!(l4("{}", "{destinationSubnets: [10.0.0.0/8]}"));
        assert!(l4(
            "{destinationSubnets: [10.0.0.0/8, 11.0.0.0/8]}",
            "{destinationSubnets: [11.0.0.0/8]}"
        ));
        assert!(!l4("{destinationSubnets: [10.0.0.0/8]}", "{}"));
        assert!(!l4("{sourceSubnet: 10.0.0.0/8}", "{}"));
        let tls = |this: &str, other: &str| read::<TlsMatchAttributes>(this).covers(&read(other), SIDECARS);
        assert!(tls("{sniHosts: [a, b]}", "{sniHosts: [a]}"));
        assert!(!tls("{sniHosts: ['*.a']}", "{sniHosts: [b.a]}"));
        assert!(!tls(
            "{sniHosts: [a]}",
            "{sniHosts: [a], destinationSubnets: [10.0.0.0/8]}"
        ));
        assert!(!tls("{sniHosts: [a], port: 443}", "{sniHosts: [a]}"));
    }

    /// A few requests, and matches that tell them apart.
    fn some_match() -> impl Strategy<Value = HttpMatchRequest> {
        let text = |words: &'static [&'static str]| {
            prop_oneof![
                proptest::sample::select(words).prop_map(|word| StringMatch {
                    exact: Some(word.to_owned()),
                    ..StringMatch::default()
                }),
                proptest::sample::select(words).prop_map(|word| StringMatch {
                    prefix: Some(word.to_owned()),
                    ..StringMatch::default()
                }),
            ]
        };
        let uri = proptest::option::of(text(&["/", "/a", "/ab", "/B"]));
        let header = proptest::option::of(text(&["x", "xy"]));
        let without = proptest::option::of(text(&["x", "xy"]));
        (uri, any::<bool>(), header, without).prop_map(|(uri, ignore_uri_case, header, without)| {
            HttpMatchRequest {
                uri,
                ignore_uri_case,
                headers: header.into_iter().map(|value| ("h".to_owned(), value)).collect(),
                without_headers: without.into_iter().map(|value| ("h".to_owned(), value)).collect(),
                ..HttpMatchRequest::default()
            }
        })
    }

    fn takes(found: &HttpMatchRequest, path: &str, header: Option<&str>) -> bool {
        let holds = |matched: &StringMatch, text: &str| {
            matched.exact.as_deref().is_none_or(|exact| exact == text)
                && matched
                    .prefix
                    .as_deref()
                    .is_none_or(|prefix| text.starts_with(prefix))
        };
        let uri = found.uri.as_ref().is_none_or(|uri| {
            if found.ignore_uri_case {
                holds(&lower(uri), &path.to_lowercase())
            } else {
                holds(uri, path)
            }
        });
        uri && found
            .headers
            .values()
            .all(|value| header.is_some_and(|text| holds(value, text)))
            && found
                .without_headers
                .values()
                .all(|value| !header.is_some_and(|text| holds(value, text)))
    }

    proptest! {
        #[test]
        fn what_is_covered_is_taken(broad in some_match(), narrow in some_match()) {
            if broad.covers(&narrow, SIDECARS) {
                for path in ["/", "/a", "/A", "/ab", "/abc", "/AB", "/b", "/B", "/bc"] {
                    for header in [None, Some("x"), Some("xy"), Some("xyz"), Some("z")] {
                        prop_assert!(!takes(&narrow, path, header) || takes(&broad, path, header));
                    }
                }
            }
            prop_assert!(broad.covers(&broad, SIDECARS));
        }

        #[test]
        fn the_index_finds_what_comparing_all_finds(list in prop::collection::vec(some_match(), 0..8), last in some_match()) {
            let mut earlier = Earlier::default();
            for (rule, condition) in list.iter().enumerate() {
                earlier.add(Place { section: "http", rule, index: None }, condition);
            }
            let found = earlier.find(&last, SIDECARS).map(|(place, _)| place.rule);
            prop_assert_eq!(found, list.iter().position(|condition| condition.covers(&last, SIDECARS)));
        }
    }
}

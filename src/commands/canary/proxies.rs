//! Whether proxies have the weights that were written, by their own config dumps.

use std::io::Read;
use std::time::{Duration, Instant};

use mesh_canary::percent::Percent;
use mesh_canary::route::{Names, Subject, Version};
use mesh_canary::state::{self, Rollout};
use mesh_core::cluster::{BodyReader, Found, Scope, proxy_of};
use mesh_core::{Kind, Visibility};
use mesh_envoy::istio::ClusterName;
use serde_json::{Map, Value};

use super::driver::{Driver, Target};
use crate::error::{CommandError, ErrorKind};
use crate::proxies::ask_all;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Time before the second look: most proxies have a change at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What differs between a weight and a share, for proxies that count in other totals.
const TOLERANCE: f64 = 0.000_1;

/// Proxies that are named where something is wrong with many.
const NAMED: usize = 5;

/// How many proxies route to a service, and how many of them as they should.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub(super) struct Synced {
    /// With the new weights.
    pub(super) current: usize,
    /// With routes to either version.
    pub(super) routing: usize,
    /// That could not be asked.
    pub(super) silent: usize,
}

/// What one proxy has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    /// What is wanted.
    Current,
    /// Something else.
    Behind,
    /// Nothing that is about the service.
    Elsewhere,
    /// It does not answer.
    Silent,
}

impl Look {
    /// One whose routes give the canary these `shares`, where it should have `wanted`. The `others` are those of routes
    /// that may be none of the rollout's.
    fn at(shares: &[f64], wanted: Percent, others: &[Percent]) -> Self {
        let is = |share: f64, other: Percent| (share - other.ratio()).abs() < TOLERANCE;
        let is_whole = |share: f64| {
            [Percent::ZERO, Percent::FULL]
                .iter()
                .any(|whole| is(share, *whole))
        };
        let is_known =
            |share: f64| is_whole(share) || is(share, wanted) || others.iter().any(|other| is(share, *other));
        if shares.is_empty() {
            Self::Elsewhere
        } else if shares.iter().any(|share| is(*share, wanted)) && shares.iter().all(|share| is_known(*share))
        {
            Self::Current
        } else {
            Self::Behind
        }
    }
}

impl Synced {
    fn of(looks: &[Look]) -> Self {
        let count = |wanted: Look| looks.iter().filter(|look| **look == wanted).count();
        let current = count(Look::Current);
        Self {
            current,
            routing: current + count(Look::Behind),
            silent: count(Look::Silent),
        }
    }

    /// Takes another look at those that were behind into account, and returns those that still are. One that does not
    /// answer any more is, as long as it is there.
    fn after(&mut self, behind: Vec<Found>, looks: &[Look], is_there: impl Fn(&Found) -> bool) -> Vec<Found> {
        let mut left = Vec::new();
        for (proxy, look) in behind.into_iter().zip(looks) {
            match look {
                Look::Current => self.current += 1,
                Look::Behind => left.push(proxy),
                Look::Silent if is_there(&proxy) => left.push(proxy),
                Look::Silent | Look::Elsewhere => self.routing = self.routing.saturating_sub(1),
            }
        }
        left
    }

    /// Whether no proxy is known to be behind.
    pub(super) fn is_done(self) -> bool {
        self.current == self.routing
    }
}

impl Driver {
    /// Pods with an Envoy, in all namespaces that may be read.
    pub(super) async fn envoys(&self) -> Vec<Found> {
        let pods = if let Ok(pods) = self.cluster.live_pods("", &Scope::All).await {
            pods
        } else {
            let own = Scope::Namespace(self.service.namespace().to_owned());
            self.cluster.live_pods("", &own).await.unwrap_or_default()
        };
        pods.iter().filter_map(|pod| proxy_of(pod, None).ok()).collect()
    }

    /// How many proxies have the canary's share, as it is in the object with the routes.
    pub(super) async fn synced(&self, proxies: &[Found], live: &Value, rollout: &Rollout) -> Synced {
        Synced::of(&self.look_at(proxies, live, rollout).await)
    }

    /// What each proxy's own config says of the canary's share.
    async fn look_at(&self, proxies: &[Found], live: &Value, rollout: &Rollout) -> Vec<Look> {
        let mut shares = vec![Some(Vec::new()); proxies.len()];
        let (has_requests, has_connections) = rollout.traffic();
        let places = [
            (Place::Routes, has_requests),
            (Place::InlineRoutes, has_requests && self.has_waypoint()),
            (Place::Listeners, has_connections),
        ];
        for (place, _) in places.into_iter().filter(|(_, is_wanted)| *is_wanted) {
            let path = format!("/config_dump?resource={}", place.resource());
            let answers = ask_all(&self.cluster, proxies, &path, parse).await;
            for (known, answer) in shares.iter_mut().zip(answers) {
                match (&mut *known, answer) {
                    (Some(shares), Ok(Some(dump))) => {
                        place.collect_shares(&dump, &rollout.subject, shares);
                    }
                    _ => *known = None,
                }
            }
        }
        let names = Names {
            namespace: live["metadata"]["namespace"].as_str().unwrap_or_default(),
            cluster_domain: &self.mesh.settings().cluster_domain,
        };
        let others = state::shares(live, &rollout.subject, &names);
        let look = |shares: Option<Vec<f64>>| match shares {
            None => Look::Silent,
            Some(shares) => Look::at(&shares, rollout.percent, &others),
        };
        shares.into_iter().map(look).collect()
    }

    /// Waits until all proxies have the canary's share, at most for `limit`. After the first look only those that are
    /// behind are asked again.
    pub(super) async fn wait_synced(&self, live: &Value, rollout: &Rollout, limit: Duration) -> Synced {
        let look = async |proxies: &[Found]| self.look_at(proxies, live, rollout).await;
        let (all, _) = self.wait_for(self.envoys().await, limit, look).await;
        all
    }

    /// Waits until none of the proxies is behind, at most for `limit`: how many are not, and those that are.
    async fn wait_for(
        &self,
        proxies: Vec<Found>,
        limit: Duration,
        look: impl AsyncFn(&[Found]) -> Vec<Look>,
    ) -> (Synced, Vec<Found>) {
        let begun = Instant::now();
        let looks = look(&proxies).await;
        let mut all = Synced::of(&looks);
        let is_behind = |(proxy, look): (Found, &Look)| (*look == Look::Behind).then_some(proxy);
        let mut behind: Vec<Found> = proxies.into_iter().zip(&looks).filter_map(is_behind).collect();
        let mut pause = FIRST_PAUSE;
        while !behind.is_empty() && begun.elapsed() < limit {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE);
            let looks = look(&behind).await;
            let there = if looks.contains(&Look::Silent) {
                self.envoys().await
            } else {
                Vec::new()
            };
            // Without any list nobody is known to have gone.
            let is_there = |proxy: &Found| {
                let is_same = |one: &Found| (&one.namespace, &one.name) == (&proxy.namespace, &proxy.name);
                there.is_empty() || there.iter().any(is_same)
            };
            behind = all.after(behind, &looks, is_there);
        }
        (all, behind)
    }

    /// Waits until the proxies that follow an object with routes, and know the service, know the subsets that the routes
    /// are to name. What is sent to one that is not known is answered with 503.
    ///
    /// # Errors
    ///
    /// Proxies that do not know them after `limit`.
    pub(super) async fn wait_for_subsets(
        &self,
        target: &Target,
        live: &Value,
        subject: &Subject,
        limit: Duration,
    ) -> Result<(), CommandError> {
        let versions = [&subject.stable, &subject.canary].into_iter();
        let subsets: Vec<_> = versions
            .filter(|version| matches!(version, Version::Subset(_)))
            .collect();
        if subsets.is_empty() {
            return Ok(());
        }
        let audience = self.audience(target, live);
        let mut proxies = self.envoys().await;
        proxies.retain(|proxy| audience.includes(&proxy.namespace));
        let look = async |proxies: &[Found]| {
            let looks = self.clusters(proxies).await.into_iter().map(|names| match names {
                None => Look::Silent,
                Some(names) if names.iter().all(|name| name.host != subject.host) => Look::Elsewhere,
                Some(names) => {
                    let has = |version: &&Version| names.iter().any(|name| is_of(name, version, subject));
                    if subsets.iter().all(has) {
                        Look::Current
                    } else {
                        Look::Behind
                    }
                }
            });
            looks.collect()
        };
        let (all, behind) = self.wait_for(proxies, limit, look).await;
        if behind.is_empty() {
            return Ok(());
        }
        let names: Vec<_> = subsets.iter().map(ToString::to_string).collect();
        let mut who: Vec<_> = behind.iter().take(NAMED).map(ToString::to_string).collect();
        if behind.len() > NAMED {
            who.push(format!("{} more", behind.len() - NAMED));
        }
        Err(CommandError {
            kind: ErrorKind::TimedOut,
            ..CommandError::user(format!(
                "{} of {} proxies know the subsets {} of `{}`, and not {}: no weight was written",
                all.current,
                all.routing,
                names.join(" and "),
                subject.host,
                who.join(", ")
            ))
        }
        .hinted(
            "the same command tries again, `--proxy-timeout` waits longer, and `meshctl canary abort` takes away what was made",
        ))
    }

    /// The namespaces whose proxies follow an object with routes.
    fn audience(&self, target: &Target, live: &Value) -> Visibility {
        if target.kind != Kind::VirtualService {
            return Visibility::Public;
        }
        let default = &self.mesh.config().default_virtual_service_export_to;
        let default = default.iter().map(String::as_str);
        let default = Visibility::parse(default, &target.namespace, &Visibility::Public);
        let own = live.pointer("/spec/exportTo").and_then(Value::as_array);
        let own = own.into_iter().flatten().filter_map(Value::as_str);
        Visibility::parse(own, &target.namespace, &default)
    }

    /// The clusters of services that each proxy has; `None` of one that does not answer.
    async fn clusters(&self, proxies: &[Found]) -> Vec<Option<Vec<ClusterName>>> {
        let path = "/config_dump?resource=dynamic_active_clusters";
        let names = |dump: Value| {
            let configs = dump["configs"].as_array().into_iter().flatten();
            let names = configs.filter_map(|config| ClusterName::parse(config["cluster"]["name"].as_str()?));
            names.collect()
        };
        let answers = ask_all(&self.cluster, proxies, path, parse).await;
        answers
            .into_iter()
            .map(|answer| answer.ok().flatten().map(names))
            .collect()
    }

    /// How many Envoys know the service, and so would divide its traffic.
    pub(super) async fn knowing(&self) -> usize {
        let clusters = self.clusters(&self.envoys().await).await;
        let host = self.service.host().as_str();
        let knows = |names: &Vec<ClusterName>| names.iter().any(|name| name.host == host);
        clusters.iter().flatten().filter(|names| knows(names)).count()
    }
}

fn parse(body: BodyReader) -> Option<Value> {
    let mut text = Vec::new();
    let mut body = body;
    body.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn is_of(name: &ClusterName, version: &Version, subject: &Subject) -> bool {
    // A waypoint's clusters tell protocols apart: `http/v1`, and `http` without a subset.
    let name_subset = match name.direction.as_str() {
        "inbound-vip" => name.subset.split_once('/').map_or("", |(_, subset)| subset),
        _ => &name.subset,
    };
    match version {
        Version::Subset(subset) => name.host == subject.host && name_subset == subset,
        Version::Service(host) => name.host == *host && name_subset.is_empty(),
    }
}

/// Where in a config dump weights are.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// Those of requests, in route configurations.
    Routes,
    /// Those of requests, in route configurations that are parts of listeners: a waypoint has them there.
    InlineRoutes,
    /// Those of connections, in the TCP proxies of listeners' filter chains.
    Listeners,
}

impl Place {
    /// The field of the dump.
    fn resource(self) -> &'static str {
        match self {
            Self::Routes => "dynamic_route_configs",
            Self::InlineRoutes => "static_route_configs",
            Self::Listeners => "dynamic_listeners",
        }
    }

    /// The canary's share wherever something leads to either version. A listener that drains, or is not in use yet, does
    /// not count, nor what a version has as a service of its own.
    fn collect_shares(self, dump: &Value, subject: &Subject, shares: &mut Vec<f64>) {
        let mut rest = vec![dump];
        while let Some(value) = rest.pop() {
            match value {
                Value::Array(items) => rest.extend(items),
                Value::Object(fields) if is_own_host(fields, subject) => {}
                Value::Object(fields) => {
                    let kind = fields.get("@type").and_then(Value::as_str).unwrap_or_default();
                    let action = match self {
                        Self::Routes | Self::InlineRoutes => {
                            fields.get("route").filter(|action| action.is_object())
                        }
                        Self::Listeners => kind.ends_with(".TcpProxy").then_some(value),
                    };
                    shares.extend(action.and_then(|action| share(action, subject)));
                    let is_idle = |name: &str| matches!(name, "warming_state" | "draining_state");
                    rest.extend(
                        fields
                            .iter()
                            .filter(|(name, _)| !is_idle(name))
                            .map(|(_, value)| value),
                    );
                }
                _ => {}
            }
        }
    }
}

/// Whether this is the virtual host of a version that is a service, for whoever asks for just that. Istio names virtual
/// hosts by host and port.
fn is_own_host(fields: &Map<String, Value>, subject: &Subject) -> bool {
    let Some(name) = fields.get("name").filter(|_| fields.contains_key("domains")) else {
        return false;
    };
    let name = name.as_str().unwrap_or_default();
    let name = name.split_once(':').map_or(name, |(host, _)| host);
    [&subject.stable, &subject.canary]
        .into_iter()
        .any(|version| matches!(version, Version::Service(host) if host == name && *host != subject.host))
}

fn share(action: &Value, subject: &Subject) -> Option<f64> {
    let mut sums = (0.0, 0.0);
    let mut add = |name: &str, weight: f64| {
        let Some(name) = ClusterName::parse(name) else {
            return;
        };
        if is_of(&name, &subject.stable, subject) {
            sums.0 += weight;
        } else if is_of(&name, &subject.canary, subject) {
            sums.1 += weight;
        }
    };
    if let Some(name) = action["cluster"].as_str() {
        add(name, 1.0);
    }
    for cluster in action["weighted_clusters"]["clusters"]
        .as_array()
        .into_iter()
        .flatten()
    {
        add(
            cluster["name"].as_str().unwrap_or_default(),
            cluster["weight"].as_f64().unwrap_or(0.0),
        );
    }
    let (stable, canary) = sums;
    (stable + canary > 0.0).then(|| canary / (stable + canary))
}

#[cfg(test)]
mod tests {
    use mesh_core::cluster::PodKind;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_proxy_is_current_when_it_has_the_share_and_no_old_one() {
        let percent = |text: &str| text.parse::<Percent>().expect("a share");
        let wanted = percent("10%");
        let own = [wanted];
        let both = [wanted, percent("20%")];
        for (shares, others, expected) in [
            (&[][..], &own[..], Look::Elsewhere),
            (&[0.1], &own, Look::Current),
            (&[0.1, 0.0, 1.0], &own, Look::Current),
            (&[0.0], &own, Look::Behind),
            (&[0.05], &own, Look::Behind),
            (&[0.1, 0.05], &own, Look::Behind),
            // Another route of the object has a share of its own.
            (&[0.1, 0.2], &own, Look::Behind),
            (&[0.1, 0.2], &both, Look::Current),
            (&[0.2], &both, Look::Behind),
        ] {
            assert_eq!(
                Look::at(shares, wanted, others),
                expected,
                "{shares:?} {others:?}"
            );
        }
        let third = percent("33.33%");
        assert_eq!(Look::at(&[1.0 / 3.0], third, &[third]), Look::Current);
    }

    #[test]
    fn who_was_behind_and_falls_silent_is_not_current() {
        let looks = [
            Look::Current,
            Look::Behind,
            Look::Behind,
            Look::Behind,
            Look::Elsewhere,
            Look::Silent,
        ];
        let mut all = Synced::of(&looks);
        assert_eq!((all.current, all.routing, all.silent), (1, 4, 1));
        let proxy = |name: &str| Found {
            namespace: "a".to_owned(),
            name: name.to_owned(),
            kind: PodKind::Sidecar,
            admin_port: 15000,
            log_levels: Vec::new(),
        };
        let behind = ["caught-up", "mute", "gone"].map(proxy).to_vec();
        let looks = [Look::Current, Look::Silent, Look::Silent];
        let left = all.after(behind, &looks, |proxy| proxy.name != "gone");
        let left: Vec<_> = left.iter().map(|proxy| proxy.name.as_str()).collect();
        assert_eq!(left, ["mute"]);
        assert_eq!((all.current, all.routing), (2, 3));
        assert!(!all.is_done());
    }

    #[test]
    fn shares_are_of_both_versions_on_each_route() {
        let subject = Subject {
            host: "a.b".to_owned(),
            stable: Version::Subset("v1".to_owned()),
            canary: Version::Subset("v2".to_owned()),
        };
        let dump = json!({"configs": [{"route_config": {"virtual_hosts": [{"routes": [
            {"route": {"weighted_clusters": {"clusters": [
                {"name": "outbound|80|v1|a.b", "weight": 90},
                {"name": "outbound|80|v2|a.b", "weight": 10},
                {"name": "outbound|80||other", "weight": 50},
            ]}}},
            {"route": {"cluster": "outbound|80|v1|a.b"}},
            {"route": {"cluster": "outbound|80|v1|other"}},
            {"redirect": {}},
        ]}]}}]});
        let mut shares = Vec::new();
        Place::Routes.collect_shares(&dump, &subject, &mut shares);
        shares.sort_by(f64::total_cmp);
        assert_eq!(shares, [0.0, 0.1]);

        let waypoint = json!({"configs": [{"route_config": {"virtual_hosts": [{"routes": [
            {"route": {"weighted_clusters": {"clusters": [
                {"name": "inbound-vip|80|http/v1|a.b", "weight": 70},
                {"name": "inbound-vip|80|http/v2|a.b", "weight": 30},
            ]}}},
            {"route": {"cluster": "inbound-vip|80|http|a.b"}},
            {"route": {"cluster": "inbound|80||"}},
        ]}]}}]});
        let mut shares = Vec::new();
        Place::InlineRoutes.collect_shares(&waypoint, &subject, &mut shares);
        assert_eq!(shares, [0.3]);

        let services = Subject {
            stable: Version::Service("a-v1.b".to_owned()),
            canary: Version::Service("a-v2.b".to_owned()),
            ..subject.clone()
        };
        let to = |name: &str, host: &str| {
            let cluster = format!("outbound|80||{host}");
            json!({"name": format!("{name}:80"), "domains": [name], "routes": [{"route": {"cluster": cluster}}]})
        };
        let hosts = [
            to("a.b", "a-v1.b"),
            to("a-v1.b", "a-v1.b"),
            to("a-v2.b", "a-v2.b"),
        ];
        let mut shares = Vec::new();
        Place::Routes.collect_shares(&json!({"virtual_hosts": hosts}), &services, &mut shares);
        assert_eq!(shares, [0.0]);

        let chain = |canary: u32| {
            json!({"listener": {"filter_chains": [{"filters": [
                {"name": "istio.stats", "typed_config": {"@type": "type.googleapis.com/stats.PluginConfig"}},
                {"name": "envoy.filters.network.tcp_proxy", "typed_config": {
                    "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
                    "weighted_clusters": {"clusters": [
                        {"name": "outbound|80|v1|a.b", "weight": 100 - canary},
                        {"name": "outbound|80|v2|a.b", "weight": canary},
                    ]},
                }},
            ]}]}})
        };
        let dump = json!({"configs": [{"name": "10.0.0.1_80", "active_state": chain(20), "draining_state": chain(10)}]});
        let mut shares = Vec::new();
        Place::Listeners.collect_shares(&dump, &subject, &mut shares);
        assert_eq!(shares, [0.2]);
    }
}

//! Whether proxies have the weights that were written, by their own config dumps.

use std::io::Read;
use std::time::{Duration, Instant};

use mesh_canary::percent::Percent;
use mesh_canary::route::{Subject, Version};
use mesh_canary::state::Rollout;
use mesh_core::cluster::{BodyReader, Found, Scope, proxy_of};
use mesh_envoy::istio::ClusterName;
use serde_json::{Map, Value};

use super::driver::Driver;
use crate::error::CommandError;
use crate::proxies::ask_all;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

/// Time before the second look: most proxies have a change at once.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// What differs between a weight and a share, for proxies that count in other totals.
const TOLERANCE: f64 = 0.000_1;

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

impl Synced {
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

    /// How many proxies have the canary's share.
    pub(super) async fn synced(&self, proxies: &[Found], rollout: &Rollout, percent: Percent) -> Synced {
        let (synced, _) = self.look_at(proxies, rollout, percent).await;
        synced
    }

    /// As [`Self::synced`], with the proxies that are behind.
    async fn look_at(&self, proxies: &[Found], rollout: &Rollout, percent: Percent) -> (Synced, Vec<Found>) {
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
        let mut result = Synced::default();
        let mut behind = Vec::new();
        for (proxy, shares) in proxies.iter().zip(shares) {
            let Some(shares) = shares else {
                result.silent += 1;
                continue;
            };
            if shares.is_empty() {
                continue;
            }
            result.routing += 1;
            let wanted = percent.ratio();
            let is_wanted = |share: &f64| (share - wanted).abs() < TOLERANCE;
            let is_split = |share: &&f64| **share > TOLERANCE && **share < 1.0 - TOLERANCE;
            if shares.iter().any(is_wanted) && shares.iter().filter(is_split).all(is_wanted) {
                result.current += 1;
            } else {
                behind.push(proxy.clone());
            }
        }
        (result, behind)
    }

    /// Waits until all proxies have the canary's share, at most for `limit`. After the first look only those that are
    /// behind are asked again.
    pub(super) async fn wait_synced(
        &self,
        rollout: &Rollout,
        percent: Percent,
        limit: Duration,
    ) -> Result<Synced, CommandError> {
        let begun = Instant::now();
        let (mut all, mut behind) = self.look_at(&self.envoys().await, rollout, percent).await;
        let mut pause = FIRST_PAUSE;
        while !behind.is_empty() && begun.elapsed() < limit {
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE);
            (_, behind) = self.look_at(&behind, rollout, percent).await;
            all.current = all.routing - behind.len();
        }
        Ok(all)
    }

    /// Waits until all proxies that know the service know the clusters of both versions, at most for `limit`.
    pub(super) async fn wait_for_subsets(
        &self,
        subject: &Subject,
        limit: Duration,
    ) -> Result<Synced, CommandError> {
        let begun = Instant::now();
        let proxies = self.envoys().await;
        let mut pause = FIRST_PAUSE;
        loop {
            let mut now = Synced::default();
            for names in self.clusters(&proxies).await {
                let Some(names) = names else {
                    now.silent += 1;
                    continue;
                };
                if names.iter().any(|name| name.host == subject.host) {
                    now.routing += 1;
                    let has = |version: &Version| names.iter().any(|name| is_of(name, version, subject));
                    now.current += usize::from(has(&subject.stable) && has(&subject.canary));
                }
            }
            if now.is_done() || begun.elapsed() >= limit {
                return Ok(now);
            }
            tokio::time::sleep(pause).await;
            pause = pause.saturating_mul(2).min(PAUSE);
        }
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
    use super::*;
    use serde_json::json;

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

//! Whether proxies have the weights that were written, by their own config dumps.

use std::io::Read;
use std::time::{Duration, Instant};

use mesh_canary::percent::Percent;
use mesh_canary::route::{Subject, Version};
use mesh_core::cluster::{BodyReader, Found, Scope, proxy_of};
use mesh_envoy::istio::ClusterName;
use serde_json::Value;

use super::driver::Driver;
use crate::error::CommandError;
use crate::proxies::ask_all;

/// Time between two looks.
const PAUSE: Duration = Duration::from_millis(500);

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
    pub(super) async fn synced(&self, proxies: &[Found], subject: &Subject, percent: Percent) -> Synced {
        let (synced, _) = self.look_at(proxies, subject, percent).await;
        synced
    }

    /// As [`Self::synced`], with the proxies that are behind.
    async fn look_at(&self, proxies: &[Found], subject: &Subject, percent: Percent) -> (Synced, Vec<Found>) {
        let mut result = Synced::default();
        let mut behind = Vec::new();
        let path = "/config_dump?resource=dynamic_route_configs";
        let answers = ask_all(&self.cluster, proxies, path, parse).await;
        for (proxy, answer) in proxies.iter().zip(answers) {
            let Ok(Some(dump)) = answer else {
                result.silent += 1;
                continue;
            };
            let mut shares = Vec::new();
            collect_shares(&dump, subject, &mut shares);
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
        subject: &Subject,
        percent: Percent,
        limit: Duration,
    ) -> Result<Synced, CommandError> {
        let begun = Instant::now();
        let (mut all, mut behind) = self.look_at(&self.envoys().await, subject, percent).await;
        while !behind.is_empty() && begun.elapsed() < limit {
            tokio::time::sleep(PAUSE).await;
            (_, behind) = self.look_at(&behind, subject, percent).await;
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
        loop {
            let path = "/config_dump?resource=dynamic_active_clusters";
            let answers = ask_all(&self.cluster, &proxies, path, parse).await;
            let mut now = Synced::default();
            for answer in answers {
                let Ok(Some(dump)) = answer else {
                    now.silent += 1;
                    continue;
                };
                let names: Vec<ClusterName> = dump["configs"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|config| ClusterName::parse(config["cluster"]["name"].as_str()?))
                    .collect();
                if names.iter().any(|name| name.host == subject.host) {
                    now.routing += 1;
                    let has = |version: &Version| names.iter().any(|name| is_of(name, version, subject));
                    now.current += usize::from(has(&subject.stable) && has(&subject.canary));
                }
            }
            if now.is_done() || begun.elapsed() >= limit {
                return Ok(now);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }
}

fn parse(body: BodyReader) -> Option<Value> {
    let mut text = Vec::new();
    let mut body = body;
    body.read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

fn is_of(name: &ClusterName, version: &Version, subject: &Subject) -> bool {
    match version {
        Version::Subset(subset) => name.host == subject.host && name.subset == *subset,
        Version::Service(host) => name.host == *host && name.subset.is_empty(),
    }
}

/// The canary's share on every route that leads to either version. Nesting is that of a route configuration.
fn collect_shares(dump: &Value, subject: &Subject, shares: &mut Vec<f64>) {
    let mut rest = vec![dump];
    while let Some(value) = rest.pop() {
        match value {
            Value::Array(items) => rest.extend(items),
            Value::Object(fields) => {
                if let Some(action) = fields.get("route").filter(|action| action.is_object()) {
                    shares.extend(share(action, subject));
                }
                rest.extend(fields.values());
            }
            _ => {}
        }
    }
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
        collect_shares(&dump, &subject, &mut shares);
        shares.sort_by(f64::total_cmp);
        assert_eq!(shares, [0.0, 0.1]);
    }
}

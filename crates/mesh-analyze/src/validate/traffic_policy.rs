//! How clients connect to a service: the parts of a `DestinationRule` that other kinds have too.

use mesh_core::istio::destination_rule::{
    BackendUtilization, ClientTlsMode, ClientTlsSettings, ConnectionPoolSettings, ConsistentHash, Failover,
    H2UpgradePolicy, HttpSettings, LoadBalancerSettings, LocalityLoadBalancerSetting, OutlierDetection,
    RetryBudget, TcpSettings, WarmupConfiguration, ZoneAwareLoadBalancerSetting,
};
use mesh_core::schema::Duration;
use rustc_hash::FxHashMap;

use super::Findings;
use super::at::At;
use super::shared::{self, Shown};

/// The labels that locality itself is made of.
const TOPOLOGY_LABELS: [&str; 3] = [
    "topology.kubernetes.io/region",
    "topology.kubernetes.io/zone",
    "topology.istio.io/subzone",
];

/// The table size that Envoy's Maglev stays below.
const MAGLEV_LIMIT: u64 = 5_000_011;

/// Checks limits on connections and requests.
pub(super) fn connection_pool(pool: &ConnectionPoolSettings, at: &At<'_>, findings: &mut Findings) {
    if pool.http.is_none() && pool.tcp.is_none() && at.is_empty_mapping() {
        findings
            .error(at, "the connection pool sets nothing")
            .help("set `http` or `tcp`, or remove it");
    }
    if let Some(http) = &pool.http {
        http_settings(http, &at.key("http"), findings);
    }
    if let Some(tcp) = &pool.tcp {
        tcp_settings(tcp, &at.key("tcp"), findings);
    }
}

fn http_settings(http: &HttpSettings, at: &At<'_>, findings: &mut Findings) {
    for (name, value) in [
        ("http1MaxPendingRequests", http.http1_max_pending_requests),
        ("http2MaxRequests", http.http2_max_requests),
        ("maxConcurrentStreams", http.max_concurrent_streams),
        ("maxRequestsPerConnection", http.max_requests_per_connection),
        ("maxRetries", http.max_retries),
    ] {
        not_negative(value, &at.key(name), findings);
    }
    shared::whole_millis(http.idle_timeout, &at.key("idleTimeout"), findings);
    if http.h2_upgrade_policy == H2UpgradePolicy::Upgrade && http.use_client_protocol {
        findings
            .error(
                at.key("useClientProtocol"),
                "`useClientProtocol` contradicts `h2UpgradePolicy: UPGRADE`",
            )
            .related(at.key("h2UpgradePolicy"), "the upgrade is asked for here")
            .help("remove one of them: the protocol is either the client's or HTTP/2");
    }
    if let Some(keep_alive) = &http.http2_keep_alive {
        let place = at.key("http2KeepAlive");
        for (name, value) in [("interval", keep_alive.interval), ("timeout", keep_alive.timeout)] {
            let field = place.key(name);
            shared::whole_millis(value, &field, findings);
            if value.is_none() && place.is_mapping() && !field.exists() {
                findings
                    .error(place, format!("HTTP/2 pings have no `{name}`"))
                    .help(format!("set `{name}`"));
            }
        }
    }
}

fn tcp_settings(tcp: &TcpSettings, at: &At<'_>, findings: &mut Findings) {
    not_negative(tcp.max_connections, &at.key("maxConnections"), findings);
    shared::whole_millis(tcp.connect_timeout, &at.key("connectTimeout"), findings);
    shared::whole_millis(
        tcp.max_connection_duration,
        &at.key("maxConnectionDuration"),
        findings,
    );
    shared::duration_text(
        &tcp.idle_timeout,
        Duration::default(),
        &at.key("idleTimeout"),
        findings,
    );
    if let Some(probes) = &tcp.tcp_keepalive {
        let place = at.key("tcpKeepalive");
        shared::whole_millis(probes.interval, &place.key("interval"), findings);
        shared::whole_millis(probes.time, &place.key("time"), findings);
    }
}

fn not_negative(value: i32, at: &At<'_>, findings: &mut Findings) {
    if value < 0 {
        findings
            .error(at, format!("`{value}` is negative"))
            .help("write 0, or leave the field out, for no limit");
    }
}

/// Checks the ejection of failing endpoints.
pub(super) fn outlier_detection(outlier: &OutlierDetection, at: &At<'_>, findings: &mut Findings) {
    shared::whole_millis(outlier.base_ejection_time, &at.key("baseEjectionTime"), findings);
    shared::whole_millis(outlier.interval, &at.key("interval"), findings);
    let local = outlier.consecutive_local_origin_failures.unwrap_or_default();
    if local > 0 && !outlier.split_external_local_origin_errors {
        findings
            .error(
                at.key("consecutiveLocalOriginFailures"),
                "`consecutiveLocalOriginFailures` has no effect without `splitExternalLocalOriginErrors: true`",
            )
            .help("set `splitExternalLocalOriginErrors: true`");
    }
    shared::percent(
        outlier.max_ejection_percent.into(),
        &at.key("maxEjectionPercent"),
        findings,
    );
    shared::percent(
        outlier.min_health_percent.into(),
        &at.key("minHealthPercent"),
        findings,
    );
}

/// Checks a limit on retries.
pub(super) fn retry_budget(budget: &RetryBudget, at: &At<'_>, findings: &mut Findings) {
    shared::duration_text(
        &budget.budget_interval,
        Duration::default(),
        &at.key("budgetInterval"),
        findings,
    );
}

/// Checks how endpoints are chosen. `ejects` says whether failing endpoints are taken out, which failover needs.
pub(super) fn load_balancer(
    balancer: &LoadBalancerSettings,
    ejects: bool,
    at: &At<'_>,
    findings: &mut Findings,
) {
    let LoadBalancerSettings {
        backend_utilization: utilization,
        consistent_hash: hash,
        locality_lb_setting: locality,
        simple: _,
        warmup: warm,
        warmup_duration_secs,
        zone_aware_lb_setting: zone_aware,
    } = balancer;
    if let Some(hash) = hash {
        consistent_hash(hash, &at.key("consistentHash"), findings);
    }
    if let Some(utilization) = utilization {
        backend_utilization(utilization, &at.key("backendUtilization"), findings);
    }
    if let Some(warm) = warm {
        warmup(warm, &at.key("warmup"), findings);
    }
    shared::whole_millis(*warmup_duration_secs, &at.key("warmupDurationSecs"), findings);
    if locality.is_some() && zone_aware.is_some() {
        findings
            .error(
                at.key("zoneAwareLbSetting"),
                "`zoneAwareLbSetting` cannot be set together with `localityLbSetting`",
            )
            .related(at.key("localityLbSetting"), "the other one is set here")
            .help("remove one of them");
    }
    if let Some(locality) = locality {
        locality_lb(locality, ejects, &at.key("localityLbSetting"), findings);
    }
    if let Some(zone_aware) = zone_aware {
        zone_aware_lb(zone_aware, ejects, &at.key("zoneAwareLbSetting"), findings);
    }
}

fn consistent_hash(hash: &ConsistentHash, at: &At<'_>, findings: &mut Findings) {
    if let Some(cookie) = &hash.http_cookie {
        let place = at.key("httpCookie");
        if cookie.name.is_empty() && place.key("name").is_text() {
            findings.error(place.key("name"), "the cookie has no name");
        }
        shared::duration_text(&cookie.ttl, Duration::default(), &place.key("ttl"), findings);
        let mut seen: FxHashMap<&str, usize> = FxHashMap::default();
        for (index, (item, attribute)) in place.items("attributes").zip(&cookie.attributes).enumerate() {
            let name = item.key("name");
            if attribute.name.is_empty() {
                if name.is_text() {
                    findings.error(name, "the cookie attribute has no name");
                }
            } else if let Some(first) = seen.insert(&attribute.name, index) {
                findings
                    .error(
                        name,
                        format!("two cookie attributes are named {}", Shown(&attribute.name)),
                    )
                    .related(place.item("attributes", first).key("name"), "first used here");
            }
        }
    }
    if hash.minimum_ring_size != 0 && (hash.ring_hash.is_some() || hash.maglev.is_some()) {
        let other = if hash.ring_hash.is_some() {
            "ringHash"
        } else {
            "maglev"
        };
        findings
            .error(
                at.key("minimumRingSize"),
                format!("`minimumRingSize` cannot be set together with `{other}`"),
            )
            .related(at.key(other), "the algorithm is chosen here")
            .help("remove `minimumRingSize`");
    }
    if let Some(maglev) = &hash.maglev {
        let place = at.key("maglev");
        let size = place.key("tableSize");
        if maglev.table_size == 0 {
            if place.is_mapping() && (!size.exists() || size.reads(0_u32)) {
                findings
                    .error(size, "`maglev` has no table size")
                    .help("set `tableSize` to a prime such as 65537");
            }
        } else if maglev.table_size >= MAGLEV_LIMIT {
            findings
                .error(
                    size,
                    format!(
                        "the table size `{}` is too large: it has to be below {MAGLEV_LIMIT}",
                        maglev.table_size
                    ),
                )
                .help("write a prime such as 65537");
        } else if !is_prime(maglev.table_size) {
            findings
                .error(
                    size,
                    format!("the table size `{}` is not prime", maglev.table_size),
                )
                .help(format!("the next prime is {}", next_prime(maglev.table_size)));
        }
    }
}

fn is_prime(number: u64) -> bool {
    if number < 2 || (number > 2 && number.is_multiple_of(2)) {
        return false;
    }
    (3..)
        .step_by(2)
        .take_while(|divisor: &u64| divisor.saturating_mul(*divisor) <= number)
        .all(|divisor| !number.is_multiple_of(divisor))
}

/// The smallest prime above `number`, which is below [`MAGLEV_LIMIT`]; else the default of Envoy.
fn next_prime(number: u64) -> u64 {
    (number..MAGLEV_LIMIT)
        .find(|candidate| is_prime(*candidate))
        .unwrap_or(65_537)
}

fn backend_utilization(utilization: &BackendUtilization, at: &At<'_>, findings: &mut Findings) {
    for (name, value) in [
        ("weightExpirationPeriod", &utilization.weight_expiration_period),
        (
            "weightStabilizationPeriod",
            &utilization.weight_stabilization_period,
        ),
        ("weightUpdatePeriod", &utilization.weight_update_period),
    ] {
        shared::duration_text(value, Duration::default(), &at.key(name), findings);
    }
}

fn warmup(warmup: &WarmupConfiguration, at: &At<'_>, findings: &mut Findings) {
    shared::whole_millis(warmup.duration, &at.key("duration"), findings);
    let aggression = at.key("aggression");
    // The schema refuses what is below 0.
    if let Some(value) = warmup.aggression
        && value == 0.0
        && aggression.node().is_some_and(|node| node.as_f64().is_some())
    {
        findings
            .error(aggression, format!("the aggression `{value}` is not above 0"))
            .help("write 1 for linear growth, or more to grow faster at first");
    }
}

/// Checks how endpoints are chosen by locality; see [`load_balancer`].
pub(super) fn locality_lb(
    setting: &LocalityLoadBalancerSetting,
    ejects: bool,
    at: &At<'_>,
    findings: &mut Findings,
) {
    if !setting.distribute.is_empty() && !setting.failover.is_empty() {
        findings
            .error(
                at.key("failover"),
                "`failover` cannot be set together with `distribute`",
            )
            .related(at.key("distribute"), "the shares are set here")
            .help("keep one: fixed shares leave nothing to fail over");
    }
    if !setting.failover.is_empty() {
        for (index, label) in setting.failover_priority.iter().enumerate() {
            if TOPOLOGY_LABELS.contains(&label.as_str()) {
                findings
                    .error(
                        at.item("failoverPriority", index),
                        format!("`{label}` cannot be a priority where `failover` is set"),
                    )
                    .related(at.key("failover"), "failover is set here")
                    .help("remove it: `failover` ranks localities already");
            }
        }
    }
    let mut sources = Localities::default();
    for (item, share) in at.items("distribute").zip(&setting.distribute) {
        let from = item.key("from");
        if from.exists() {
            if from.is_text() {
                sources.add(&share.from, &from, findings);
            }
        } else if item.is_mapping() {
            findings
                .error(item, "the share names no locality of clients")
                .help("add `from: region/zone/*`");
        }
        let to = item.key("to");
        let mut destinations = Localities::default();
        let mut total: u64 = 0;
        let mut sound = to.is_mapping();
        for (locality, weight) in &share.to {
            let place = to.key(locality);
            destinations.add(locality, &place, findings);
            total = total.saturating_add(u64::from(*weight));
            if !place.reads(*weight) {
                sound = false;
            } else if !(1..=100).contains(weight) {
                sound = false;
                findings.error(place, format!("the share `{weight}` is not from 1 to 100"));
            }
        }
        if (sound || (!to.exists() && item.is_mapping())) && total != 100 {
            findings
                .error(to, format!("the shares add up to {total}, not to 100"))
                .help("change the shares so that their sum is 100");
        }
    }
    failover(
        &setting.failover,
        &setting.failover_priority,
        ejects,
        at,
        findings,
    );
}

/// Checks how endpoints are chosen by zone; see [`load_balancer`].
pub(super) fn zone_aware_lb(
    setting: &ZoneAwareLoadBalancerSetting,
    ejects: bool,
    at: &At<'_>,
    findings: &mut Findings,
) {
    for (index, entry) in setting.failover_priority.iter().enumerate() {
        let label = entry.split_once('=').map_or(entry.as_str(), |(label, _)| label);
        if TOPOLOGY_LABELS.contains(&label) {
            findings
                .error(
                    at.item("failoverPriority", index),
                    format!("`{label}` cannot be a priority of zone-aware load balancing"),
                )
                .help("remove it: zones are ranked already");
        }
    }
    failover(
        &setting.failover,
        &setting.failover_priority,
        ejects,
        at,
        findings,
    );
}

fn failover(list: &[Failover], priorities: &[String], ejects: bool, at: &At<'_>, findings: &mut Findings) {
    if !ejects && (!list.is_empty() || !priorities.is_empty()) {
        let field = if list.is_empty() {
            "failoverPriority"
        } else {
            "failover"
        };
        findings
            .warning(
                at.key(field),
                format!("`{field}` has no effect without `outlierDetection`"),
            )
            .help("add `outlierDetection` to the same traffic policy, so that failing endpoints are noticed");
    }
    for (item, entry) in at.items("failover").zip(list) {
        if !item.is_mapping() {
            continue;
        }
        if entry.from == entry.to {
            findings
                .error(
                    item,
                    format!("the region {} fails over to itself", Shown(&entry.from)),
                )
                .help("name another region in `to`");
            continue;
        }
        for (name, region) in [("from", &entry.from), ("to", &entry.to)] {
            let problem = if region.contains('*') {
                "has a wildcard"
            } else if region.contains('/') {
                "is more than a region"
            } else {
                continue;
            };
            findings
                .error(item.key(name), format!("{} {problem}", Shown(region)))
                .help("failover is between whole regions: write the region alone");
        }
    }
}

/// Localities of which no two may overlap.
#[derive(Default)]
struct Localities<'a> {
    /// By the parts before a trailing `*`: what names or covers them.
    patterns: FxHashMap<Vec<&'a str>, &'a str>,
    /// By their leading parts: localities that lie within.
    inside: FxHashMap<Vec<&'a str>, &'a str>,
}

impl<'a> Localities<'a> {
    fn add(&mut self, locality: &'a str, at: &At<'_>, findings: &mut Findings) {
        let stars = locality.matches('*').count();
        if stars > 1 || (stars == 1 && !locality.ends_with('*')) {
            findings
                .error(
                    at,
                    format!(
                        "the locality {} has a wildcard that is not at its end",
                        Shown(locality)
                    ),
                )
                .help("write `region/*` or `region/zone/*`");
            return;
        }
        let mut parts: Vec<_> = locality.splitn(3, '/').collect();
        if parts.iter().any(|part| part.is_empty()) {
            findings
                .error(at, format!("the locality {} has an empty part", Shown(locality)))
                .help("write `region`, `region/zone` or `region/zone/subzone`");
            return;
        }
        if parts.last() == Some(&"*") {
            parts.pop();
        }
        let covering = (0..=parts.len()).find_map(|length| self.patterns.get(&parts[..length]));
        if let Some(other) = covering.or_else(|| self.inside.get(&parts)) {
            findings
                .error(
                    at,
                    format!("the locality {} overlaps {}", Shown(locality), Shown(other)),
                )
                .help("make them disjoint: a client or endpoint may be in one of them only");
            return;
        }
        for length in 0..parts.len() {
            self.inside.entry(parts[..length].to_vec()).or_insert(locality);
        }
        self.patterns.insert(parts, locality);
    }
}

/// Checks how TLS connections to a server are opened, in a resource of `namespace`.
pub(super) fn client_tls(tls: &ClientTlsSettings, namespace: &str, at: &At<'_>, findings: &mut Findings) {
    let credential = at.key("credentialName");
    if let Some(reference) = tls.credential_name.strip_prefix("configmap://") {
        config_map(reference, namespace, &credential, findings);
    }
    let mode = match tls.mode {
        ClientTlsMode::Simple => "SIMPLE",
        ClientTlsMode::Mutual => "MUTUAL",
        ClientTlsMode::Disable | ClientTlsMode::IstioMutual => return,
    };
    let is_simple = tls.mode == ClientTlsMode::Simple;
    if tls.insecure_skip_verify == Some(true) {
        let contradicting = [
            ("caCertificates", !tls.ca_certificates.is_empty()),
            ("credentialName", is_simple && !tls.credential_name.is_empty()),
            ("subjectAltNames", !tls.subject_alt_names.is_empty()),
        ];
        for (name, _) in contradicting.iter().filter(|(_, set)| *set) {
            findings
                .error(
                    at.key(name),
                    format!("`{name}` contradicts `insecureSkipVerify`, which checks nothing of the server"),
                )
                .related(at.key("insecureSkipVerify"), "checks are turned off here")
                .help("remove `insecureSkipVerify`, so that the server's certificate is checked");
        }
    }
    if !tls.credential_name.is_empty() {
        let files = [
            ("clientCertificate", &tls.client_certificate),
            ("privateKey", &tls.private_key),
            ("caCertificates", &tls.ca_certificates),
            ("caCrl", &tls.ca_crl),
        ];
        for (name, _) in files.iter().filter(|(_, value)| !value.is_empty()) {
            findings
                .error(
                    at.key(name),
                    format!("`{name}` cannot be set together with `credentialName`"),
                )
                .related(credential, "the secret is named here")
                .help("take all certificates either from the secret or from files");
        }
        return;
    }
    if !is_simple {
        for (name, value) in [
            ("clientCertificate", &tls.client_certificate),
            ("privateKey", &tls.private_key),
        ] {
            let field = at.key(name);
            if value.is_empty() && (field.is_text() || !field.exists()) {
                findings
                    .error(at.key("mode"), format!("mode `{mode}` needs `{name}`"))
                    .help(
                        "name the files of the client's certificate and key, or a secret in `credentialName`",
                    );
            }
        }
    }
}

fn config_map(reference: &str, namespace: &str, at: &At<'_>, findings: &mut Findings) {
    let (of, name) = match reference.split_once('/') {
        Some((of, name)) => (Some(of), name),
        None => (None, reference),
    };
    if name.is_empty() || name.contains('/') || of == Some("") {
        findings
            .error(
                at,
                format!(
                    "{} does not name a ConfigMap",
                    Shown(&format!("configmap://{reference}"))
                ),
            )
            .help("write `configmap://name`");
    } else if let Some(of) = of.filter(|of| *of != namespace) {
        findings
            .error(
                at,
                format!(
                    "the ConfigMap is in the namespace {}, not in {}",
                    Shown(of),
                    Shown(namespace)
                ),
            )
            .help("move the ConfigMap to the namespace of this resource");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn primes_are_found() {
        for prime in [2, 3, 5, 65_537, 4_999_999] {
            assert!(is_prime(prime), "{prime}");
        }
        for number in [0, 1, 4, 9, 65_536, 5_000_000] {
            assert!(!is_prime(number), "{number}");
        }
        assert_eq!(next_prime(65_536), 65_537);
        assert_eq!(next_prime(MAGLEV_LIMIT), 65_537);
    }
}

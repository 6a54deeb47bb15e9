//! A description for people.

use mesh_analyze::describe::{
    Description, Exposure, FindingFact, PolicyFacts, RouteFact, RouteSource, ServiceFacts, WorkloadFacts,
    flow,
};

use crate::ui::{Look, Tone};

/// Text under headings, each level two blanks further in.
struct Page {
    text: String,
    look: Look,
}

impl Page {
    fn heading(&mut self, text: impl AsRef<str>) {
        if !self.text.is_empty() {
            self.text.push('\n');
        }
        let heading = self.look.paint(Tone::Strong, text.as_ref()).into_owned();
        self.text.push_str(&heading);
        self.text.push('\n');
    }

    fn line(&mut self, depth: usize, text: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", depth));
        self.text.push_str(text.as_ref());
        self.text.push('\n');
    }
}

/// Draws it.
pub(super) fn text(look: Look, description: &Description) -> String {
    let mut page = Page {
        text: String::new(),
        look,
    };
    let Description {
        subject,
        workload,
        services,
        findings,
    } = description;
    if let Some(facts) = workload {
        self::workload(&mut page, facts);
        if services.is_empty() {
            page.heading("Services");
            page.line(1, "none leads to it");
        }
    } else if services.len() != 1 || services.iter().any(|service| service.object != *subject) {
        page.heading(subject.to_string());
    }
    for facts in services {
        service(&mut page, facts);
    }
    self::findings(&mut page, findings);
    page.text
}

fn workload(page: &mut Page, facts: &WorkloadFacts) {
    let WorkloadFacts {
        object,
        proxy,
        identity,
        labels,
        ports,
        sidecar,
        access,
        settings,
    } = facts;
    page.heading(object.to_string());
    page.line(1, format!("Proxy:     {proxy}"));
    page.line(1, format!("Identity:  {identity}"));
    let labels: Vec<_> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    page.line(
        1,
        format!(
            "Labels:    {}",
            if labels.is_empty() {
                "none".to_owned()
            } else {
                labels.join(", ")
            }
        ),
    );
    if !ports.is_empty() {
        page.heading("Mutual TLS that it accepts");
        for port in ports {
            let by = port
                .by
                .as_ref()
                .map_or_else(|| "by default".to_owned(), |by| format!("by {by}"));
            page.line(1, format!("port {}: {}, {by}", port.port, port.mode));
        }
    }
    page.heading("Who may call it");
    for policy in &access.policies {
        page.line(1, format!("{}  {}", policy.action, policy.object));
        if policy.rules.is_empty() {
            page.line(2, "no rules: matches nothing");
        }
        for rule in &policy.rules {
            page.line(2, rule);
        }
    }
    page.line(1, format!("otherwise {}", access.otherwise));
    page.heading("What its proxy knows of");
    match sidecar {
        None => page.line(
            1,
            "every service that is exported to its namespace (no Sidecar is for it)",
        ),
        Some(sidecar) => {
            page.line(1, sidecar.object.to_string());
            if !sidecar.egress_hosts.is_empty() {
                page.line(2, format!("hosts: {}", sidecar.egress_hosts.join(", ")));
            }
            if let Some(policy) = &sidecar.outbound_traffic_policy {
                page.line(2, format!("other hosts: {policy}"));
            }
        }
    }
    if !settings.is_empty() {
        page.heading("Also in effect");
        for object in settings {
            page.line(1, object.to_string());
        }
    }
}

fn service(page: &mut Page, facts: &ServiceFacts) {
    let ServiceFacts {
        object,
        host,
        visible_in,
        ports,
        workloads,
        client_namespace,
        routes,
        policies,
        gateways,
        attached,
    } = facts;
    page.heading(object.to_string());
    page.line(1, format!("Host:       {host}"));
    if !visible_in.is_empty() {
        page.line(1, format!("Visible in: {}", visible_in.join(", ")));
    }
    for port in ports {
        let name = if port.name.is_empty() {
            String::new()
        } else {
            format!(" {}", port.name)
        };
        let mtls = if port.mtls.is_empty() {
            String::new()
        } else {
            format!(", mTLS {}", port.mtls.join(" or "))
        };
        let text = format!(
            "{}{name}, {}, to port {}{mtls}",
            port.number, port.protocol, port.target
        );
        page.line(1, format!("Port:       {text}"));
    }
    if !ports.is_empty() {
        let names: Vec<_> = workloads.iter().map(ToString::to_string).collect();
        let names = if names.is_empty() {
            "none that the input shows".to_owned()
        } else {
            names.join(", ")
        };
        page.line(1, format!("Workloads:  {names}"));
    }
    page.line(0, "");
    page.line(1, format!("Routes of clients in namespace {client_namespace}"));
    if routes.is_empty() && object.kind == "Host" {
        page.line(2, "none, and no service has this host: they treat it as unknown");
    } else if routes.is_empty() {
        page.line(2, "none: requests go to all endpoints");
    }
    for source in routes {
        route_source(page, source);
    }
    page.line(0, "");
    page.line(1, "Traffic policy");
    if policies.is_empty() {
        page.line(2, "Istio's defaults (no DestinationRule is for it)");
    }
    for policy in policies {
        traffic_policy(page, policy);
    }
    if !attached.is_empty() {
        page.line(0, "");
        page.line(1, "Who may call it through its waypoint");
        for policy in attached {
            page.line(2, format!("{}  {}", policy.action, policy.object));
            for rule in &policy.rules {
                page.line(3, rule);
            }
        }
    }
    if !gateways.is_empty() {
        page.line(0, "");
        page.line(1, "Gateways");
        for exposure in gateways {
            self::exposure(page, exposure);
        }
    }
}

fn route_source(page: &mut Page, source: &RouteSource) {
    match &source.without_effect {
        None => page.line(2, source.object.to_string()),
        Some(reason) => {
            page.line(2, format!("{}: without effect, {reason}", source.object));
            return;
        }
    }
    for (index, fact) in source.routes.iter().enumerate() {
        route(page, 3, index, fact);
    }
}

fn route(page: &mut Page, depth: usize, index: usize, fact: &RouteFact) {
    let RouteFact {
        place: _,
        name,
        matches,
        destinations,
        settings,
    } = fact;
    let name = if name.is_empty() {
        String::new()
    } else {
        format!(" ({name})")
    };
    let condition = if matches.is_empty() {
        "all requests".to_owned()
    } else {
        matches.join("; or ")
    };
    let to = if destinations.is_empty() {
        String::new()
    } else {
        format!(" → {}", destinations.join(", "))
    };
    page.line(depth, format!("{}. {condition}{to}{name}", index + 1));
    for setting in settings {
        page.line(depth + 2, setting);
    }
}

fn traffic_policy(page: &mut Page, policy: &PolicyFacts) {
    let PolicyFacts {
        object,
        host,
        effective,
        subsets,
    } = policy;
    page.line(2, format!("{object}, for {host}"));
    for (scope, settings) in effective {
        page.line(3, format!("{scope}:"));
        for (name, value) in settings {
            page.line(4, format!("{name}: {}", flow(value)));
        }
    }
    for subset in subsets {
        let labels: Vec<_> = subset
            .labels
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect();
        let count = crate::ui::counted(subset.workloads, "workload");
        page.line(
            3,
            format!("subset {}: {} ({count})", subset.name, labels.join(", ")),
        );
    }
}

fn exposure(page: &mut Page, exposure: &Exposure) {
    let Exposure {
        gateway,
        servers,
        hosts,
        by,
        routes,
    } = exposure;
    let hosts = if hosts.is_empty() {
        "all hosts".to_owned()
    } else {
        hosts.join(", ")
    };
    page.line(2, format!("{gateway} for {hosts}, by {by}"));
    if !servers.is_empty() {
        page.line(3, format!("ports: {}", servers.join("; ")));
    }
    for (index, fact) in routes.iter().enumerate() {
        route(page, 3, index, fact);
    }
}

fn findings(page: &mut Page, findings: &[FindingFact]) {
    if findings.is_empty() {
        return;
    }
    page.heading("Findings");
    for FindingFact {
        severity,
        rule,
        message,
        object,
    } in findings
    {
        let tone = match *severity {
            "error" => Tone::Error,
            "warning" => Tone::Warning,
            _ => Tone::Info,
        };
        let head = page.look.paint(tone, format!("{severity}[{rule}]")).into_owned();
        let object = object
            .as_ref()
            .map_or_else(String::new, |object| format!(" ({object})"));
        page.line(1, format!("{head}: {message}{object}"));
    }
}

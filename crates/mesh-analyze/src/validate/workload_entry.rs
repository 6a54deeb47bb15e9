//! Validation of [`WorkloadEntry`].

use mesh_core::istio::workload_entry::WorkloadEntry;
use mesh_core::{Mesh, Resource};

use super::Findings;
use super::at::At;
use super::shared::{self, Shown};

pub(super) fn check(resource: &Resource<WorkloadEntry>, _mesh: &Mesh, findings: &mut Findings) {
    let entry = &resource.spec;
    let at = At::spec(resource);
    let address = at.key("address");
    if entry.address.is_empty() {
        no_address(entry, &at, findings);
    } else if shared::unix_path(&entry.address).is_none() {
        name_or_ip(&entry.address, &address, findings);
    }
    shared::labels(&entry.labels, &at.key("labels"), findings);
}

/// Warns of an entry with only a network, which is reached through that network's gateways.
pub(super) fn no_address(entry: &WorkloadEntry, at: &At<'_>, findings: &mut Findings) {
    let address = at.key("address");
    if !entry.network.is_empty() && address.has_no_text() {
        findings
            .warning(
                at.key("network"),
                format!(
                    "the workload has no address, so it is reached only through gateways of the network {}",
                    Shown(&entry.network)
                ),
            )
            .help("set `address`, unless this is meant");
    }
}

/// Asks for an address that is an IP address or a full name.
pub(super) fn name_or_ip(address: &str, at: &At<'_>, findings: &mut Findings) {
    if shared::is_ip(address) || !at.is_text() {
        return;
    }
    if let Some(problem) = shared::fqdn_problem(address) {
        findings
            .error(*at, format!("the address {} {problem}", Shown(address)))
            .help("write an IP address, a DNS name, or `unix:///path`");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    #[test]
    fn addresses_and_labels() {
        expect_findings(
            "WorkloadEntry",
            &[
                ("{address: 'a b'}", "error spec.address", "`a b`"),
                ("{address: '*.a.b'}", "error spec.address", "`*`"),
                ("{address: '10.0.0.1:80'}", "error spec.address", "port"),
                ("{network: far}", "warning spec.network", "`far`"),
                ("{address: a, labels: {a: '-b'}}", "error spec.labels.a", "`-b`"),
            ],
        );
        expect_silence(
            "WorkloadEntry",
            &[
                "{address: 10.0.0.1, labels: {app: a}}",
                "{address: vm.example.com}",
                "{address: vm}",
                "{address: 'unix:///run/a'}",
                "{address: null, network: a}",
                "{}",
            ],
        );
    }
}

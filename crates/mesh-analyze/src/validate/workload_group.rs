//! Validation of [`WorkloadGroup`].

use mesh_core::istio::workload_group::{ReadinessProbe, WorkloadGroup};
use mesh_core::{Mesh, Resource};

use super::Findings;
use super::at::At;
use super::shared::{self, Shown};

pub(super) fn check(resource: &Resource<WorkloadGroup>, _mesh: &Mesh, findings: &mut Findings) {
    let at = At::spec(resource);
    if let Some(metadata) = &resource.spec.metadata {
        shared::labels(&metadata.labels, &at.key("metadata").key("labels"), findings);
    }
    if let Some(probe) = &resource.spec.probe {
        check_probe(probe, &at.key("probe"), findings);
    }
}

fn check_probe(probe: &ReadinessProbe, at: &At<'_>, findings: &mut Findings) {
    if !at.is_mapping() {
        return;
    }
    let methods = ["httpGet", "tcpSocket", "exec"];
    if !methods.iter().any(|method| at.key(method).exists()) {
        let grpc = at.key("grpc");
        let (place, message) = if grpc.exists() {
            (grpc, "the control plane refuses gRPC probes")
        } else {
            (*at, "the probe has no method")
        };
        findings
            .error(place, message)
            .help("use one of `httpGet`, `tcpSocket` and `exec`");
    }
    if let Some(http) = &probe.http_get {
        let place = at.key("httpGet");
        for (item, header) in place.items("httpHeaders").zip(&http.http_headers) {
            // Names that are wrong in other ways break the schema's pattern.
            if header.name.contains('_') {
                findings
                    .error(
                        item.key("name"),
                        format!("the header name {} has an underscore", Shown(&header.name)),
                    )
                    .help("use letters, digits and dashes");
            } else if header.name.is_empty() && !item.key("name").exists() && item.is_mapping() {
                findings.error(item, "the header has no name");
            }
        }
    }
    let exec = at.key("exec");
    let command = exec.key("command");
    if command.is_empty_list() {
        findings
            .error(command, "the command is empty")
            .help("name a program and its arguments");
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{expect_findings, expect_silence};

    #[test]
    fn probes_and_labels() {
        let spec = |rest: &str| format!("{{template: {{}}, {rest}}}");
        for (rest, place, message) in [
            ("probe: {periodSeconds: 5}", "error spec.probe", "no method"),
            ("probe: {grpc: {port: 80}}", "error spec.probe.grpc", "gRPC"),
            (
                "probe: {exec: {command: []}}",
                "error spec.probe.exec.command",
                "empty",
            ),
            (
                "probe: {httpGet: {port: 80, httpHeaders: [{name: a_b, value: c}]}}",
                "error spec.probe.httpGet.httpHeaders[0].name",
                "`a_b`",
            ),
            (
                "metadata: {labels: {'a b': c}}",
                "error spec.metadata.labels[\"a b\"]",
                "`a b`",
            ),
        ] {
            expect_findings("WorkloadGroup", &[(&spec(rest), place, message)]);
        }
        for rest in [
            "metadata: {labels: {app: a}}",
            "probe: {httpGet: {port: 80, httpHeaders: [{name: X-A, value: b}]}}",
            "probe: {tcpSocket: {port: 80}, periodSeconds: 5}",
            "probe: {exec: {command: ['true']}}",
            "probe: 1",
            "probe: {exec: null}",
        ] {
            expect_silence("WorkloadGroup", &[&spec(rest)]);
        }
    }
}

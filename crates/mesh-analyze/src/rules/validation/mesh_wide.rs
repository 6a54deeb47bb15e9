//! Mesh-wide settings in the ConfigMaps of the control plane.
//!
//! They are YAML in a text of YAML. A literal block (`mesh: |`) has every line of the text as it is, after the same
//! indentation, so that findings can be shown at their very place; for other notations they are shown at the key.

use std::sync::Arc;

use mesh_core::istio::mesh_config::MeshConfig;
use mesh_core::istio::mesh_networks::MeshNetworks;
use mesh_core::schema::validate::ViolationKind;
use mesh_core::schema::{FieldType, Type};
use mesh_core::{Header, Mesh};
use mesh_yaml::{Document, FieldPath, Node, Span, path};

use crate::validate::mesh_config::{mesh_config_findings, mesh_networks_findings, mesh_wide_violations};
use crate::{Finding, Place, Reporter};

/// One key of the ConfigMap.
struct Settings {
    key: &'static str,
    /// What it holds, as messages call it.
    what: &'static str,
    ty: &'static Type,
    validate: fn(Node<'_>) -> Vec<Finding>,
}

static SETTINGS: [Settings; 2] = [
    Settings {
        key: "mesh",
        what: "the mesh configuration",
        ty: &MeshConfig::TYPE,
        validate: mesh_config_findings,
    },
    Settings {
        key: "meshNetworks",
        what: "the mesh networks",
        ty: &MeshNetworks::TYPE,
        validate: mesh_networks_findings,
    },
];

/// Something wrong in a text of settings.
struct Problem {
    is_warning: bool,
    message: String,
    help: Option<String>,
    /// Where in the text.
    span: Span,
    related: Vec<(Span, String)>,
}

/// Reports the errors, or the warnings, in mesh-wide settings.
pub(super) fn report(mesh: &Mesh, warnings: bool, reporter: &mut Reporter<'_>) {
    let namespace = mesh.settings().istio_namespace.as_str();
    for map in mesh.config_maps() {
        // The second form is that of a revision.
        let is_named = map.name() == "istio" || map.name().starts_with("istio-");
        if !is_named || map.namespace() != namespace {
            continue;
        }
        let Some(data) = map.origin().root().get("data") else {
            continue;
        };
        for settings in &SETTINGS {
            if let Some(value) = data.get(settings.key)
                && let Some(text) = value.as_str()
            {
                check(map.header(), settings, value, text, warnings, reporter);
            }
        }
    }
}

fn check(
    map: &Header,
    settings: &Settings,
    value: Node<'_>,
    text: &str,
    warnings: bool,
    reporter: &mut Reporter<'_>,
) {
    let literal = Literal::new(value, text);
    let place = |span: Span| {
        let place = Place::field(map, path!["data", settings.key]);
        match literal.as_ref().and_then(|literal| literal.outer(span)) {
            Some(span) => place.at_span(map.origin().source, span),
            None => place,
        }
    };
    for problem in problems(settings, text) {
        if problem.is_warning != warnings {
            continue;
        }
        let finding = reporter.report_place(place(problem.span));
        finding.message(problem.message);
        if let Some(help) = problem.help {
            finding.help(help);
        }
        for (span, message) in problem.related {
            finding.related_place(place(span), message);
        }
    }
}

/// What is wrong in the text: its syntax, its schema, or what it means.
fn problems(settings: &Settings, text: &str) -> Vec<Problem> {
    let what = settings.what;
    // What follows the first document is not read.
    let document = match mesh_yaml::parse(&Arc::from(text)).into_iter().next() {
        None => return Vec::new(),
        Some(Ok(document)) => document,
        Some(Err(error)) => {
            return vec![Problem {
                is_warning: false,
                message: format!("{what} is not YAML: {}", error.message),
                help: error.help,
                span: error.span,
                related: error.related.into_iter().collect(),
            }];
        }
    };
    let root = document.root();
    if root.is_null() {
        return Vec::new();
    }
    let mut problems: Vec<_> = document
        .problems()
        .iter()
        .map(|problem| Problem {
            is_warning: false,
            message: format!("{what}: {}", problem.message),
            help: problem.help.clone(),
            span: problem.span,
            related: problem.related.clone().into_iter().collect(),
        })
        .collect();
    problems.extend(
        mesh_wide_violations(root, settings.ty)
            .into_iter()
            .map(|violation| Problem {
                is_warning: violation.kind == ViolationKind::Deprecated,
                message: message(what, &violation.path, &violation.message),
                span: span(&document, &violation.path, violation.on_key),
                help: violation.help,
                related: Vec::new(),
            }),
    );
    let related = |(path, message): (FieldPath, String)| (span(&document, &path, false), message);
    problems.extend((settings.validate)(root).into_iter().map(|finding| Problem {
        is_warning: finding.is_warning,
        message: message(what, &finding.path, &finding.message),
        span: span(&document, &finding.path, false),
        help: finding.help,
        related: finding.related.into_iter().map(related).collect(),
    }));
    problems
}

fn message(what: &str, path: &FieldPath, message: &str) -> String {
    if path.is_empty() {
        format!("{what}: {message}")
    } else {
        format!("`{path}` of {what}: {message}")
    }
}

/// The value, or the key if it is what is meant, or if the value has no line of its own.
fn span(document: &Document, path: &FieldPath, on_key: bool) -> Span {
    let found = document.root().locate(path);
    let text = document.text().get(found.value.range()).unwrap_or_default();
    match found.key {
        Some(key) if on_key || text.is_empty() || text.contains('\n') => key,
        _ => found.value,
    }
}

/// A text that is written as a literal block.
struct Literal<'a> {
    lines: Vec<Line<'a>>,
}

struct Line<'a> {
    /// Where the line begins in the text.
    inner: usize,
    /// Where it begins in the file, without indentation.
    outer: usize,
    content: &'a str,
}

impl<'a> Literal<'a> {
    /// `None` if the value is written in another way.
    fn new(value: Node<'a>, text: &'a str) -> Option<Self> {
        let raw = value.raw();
        if !raw.starts_with('|') {
            return None;
        }
        let mut outer = usize::try_from(value.span().start).ok()?;
        let mut written = raw.split_inclusive('\n');
        outer = outer.checked_add(written.next()?.len())?;
        let mut inner = 0_usize;
        let mut lines = Vec::new();
        for (line, source) in text.split_inclusive('\n').zip(written) {
            let content = line.trim_end_matches(['\n', '\r']);
            let indented = source.trim_end_matches(['\n', '\r']);
            // A blank line may have less indentation than the others.
            let indentation = indented.strip_suffix(content)?;
            if !indentation.bytes().all(|byte| byte == b' ') {
                return None;
            }
            lines.push(Line {
                inner,
                outer: outer.checked_add(indentation.len())?,
                content,
            });
            inner = inner.checked_add(line.len())?;
            outer = outer.checked_add(source.len())?;
        }
        Some(Self { lines })
    }

    /// The bytes of the file for some of the text: at most to the end of the line. The whole line stands for an empty
    /// span; `None` if that is empty too.
    fn outer(&self, span: Span) -> Option<Span> {
        let (start, end) = (span.range().start, span.range().end);
        let next = self.lines.partition_point(|line| line.inner <= start);
        let line = self.lines.get(next.checked_sub(1)?)?;
        let length = line.content.len();
        let from = start.checked_sub(line.inner)?.min(length);
        let to = end.checked_sub(line.inner)?.min(length);
        let (from, to) = if from < to {
            (from, to)
        } else {
            (length - line.content.trim_start().len(), length)
        };
        if from >= to {
            return None;
        }
        let offset = |column: usize| u32::try_from(line.outer.checked_add(column)?).ok();
        Some(Span::new(offset(from)?, offset(to)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{diagnostics, findings, mesh};

    fn config_map(name: &str, namespace: &str, mesh: &str) -> String {
        let lines: Vec<_> = mesh.lines().map(|line| format!("    {line}")).collect();
        format!(
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: {name}, namespace: {namespace}}}\ndata:\n  mesh: |\n{}\n",
            lines.join("\n")
        )
    }

    /// What is shown of the text, for each finding.
    fn shown(rule: &str, text: &str) -> Vec<String> {
        let at = |place: &Place| {
            let location = place.locate().expect("in the text");
            let line = text[..location.span.range().start].matches('\n').count() + 1;
            format!("{line} {}", &text[location.span.range()])
        };
        diagnostics(rule, text)
            .iter()
            .map(|finding| at(&finding.primary))
            .collect()
    }

    /// The ConfigMap of an installation with the settings that people make.
    const COMPLETE: &str = r#"apiVersion: v1
kind: ConfigMap
metadata:
  name: istio
  namespace: istio-system
  labels: {istio.io/rev: default, release: istio}
data:
  meshNetworks: |-
    networks:
      east:
        endpoints:
        - fromRegistry: cluster-east
        - fromCidr: 10.40.0.0/16
        gateways:
        - address: 203.0.113.10
          port: 15443
      west:
        endpoints:
        - fromRegistry: cluster-west
        gateways:
        - registryServiceName: eastwest.istio-system.svc.cluster.local
          port: 15443
        - {address: gateway.example.com, port: 15443}
  mesh: |-
    accessLogFile: /dev/stdout
    connectTimeout: 5s

    # Comments and blank lines are part of the text.
    defaultConfig:
      concurrency: 2
      discoveryAddress: istiod.istio-system.svc:15012
      drainDuration: 45s
      holdApplicationUntilProxyStarts: true
      image: {imageType: distroless}
      connectionSettings: {httpIdleTimeout: 0s, http2InitialStreamWindowSize: 65535}
      envoyAccessLogService: {address: "als.istio-system:15000"}
      gatewayTopology: {numTrustedProxies: 1}
      proxyMetadata:
        ISTIO_META_DNS_CAPTURE: "true"
      proxyStatsMatcher:
        inclusionRegexps: [".*outlier_detection.*", ".*upstream_rq_\\d+.*"]
      terminationDrainDuration: 5s
      tracing:
        sampling: 100
        zipkin:
          address: $(HOST_IP):9411
    defaultHttpRetryPolicy: {attempts: 0}
    defaultInboundHttpRetryPolicy: {attempts: 1, retryOn: reset-before-request}
    defaultProviders:
      accessLogging: [envoy]
      metrics: [prometheus]
      tracing: [otel]
    defaultServiceExportTo: ["*"]
    defaultTrafficPolicy:
      connectionPool: {tcp: {maxConnections: 100}}
      outlierDetection: {consecutive5xxErrors: 5}
    discoverySelectors:
    - matchLabels: {istio-discovery: enabled}
    - matchExpressions:
      - {key: team, operator: In, values: [a, b]}
      - {key: hidden, operator: DoesNotExist}
    enablePrometheusMerge: true
    extensionProviders:
    - name: otel
      opentelemetry:
        service: collector.observability.svc.cluster.local
        port: 4317
    - name: opa
      envoyExtAuthzHttp:
        service: opa/opa.example.com
        port: "8181"
        pathPrefix: /v1
        statusOnError: "503"
    - name: logs
      envoyFileAccessLog: {path: /dev/stderr}
    - name: prometheus
      prometheus: {}
    localityLbSetting: {enabled: true, failover: [{from: eu, to: us}]}
    meshMTLS: {minProtocolVersion: TLSV1_3}
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    protocolDetectionTimeout: 0s
    rootNamespace: istio-system
    serviceSettings:
    - {settings: {clusterLocal: true}, hosts: ["*.payments.svc.cluster.local", kubernetes.default.svc.cluster.local]}
    tlsDefaults: {ecdhCurves: [X25519MLKEM768, X25519, P-256]}
    trustDomain: cluster.local
    trustDomainAliases: [old.example.com, td2.]
"#;

    #[test]
    fn a_complete_installation_is_silent() {
        for text in [
            COMPLETE.to_owned(),
            COMPLETE.replace("|-", "|"),
            COMPLETE.replace('\n', "\r\n"),
        ] {
            for rule in ["invalid-mesh-config", "suspicious-mesh-config"] {
                assert_eq!(findings(rule, &text), [""; 0], "{rule}");
            }
        }
        // The text is read at all.
        assert_eq!(mesh(COMPLETE).config().extension_providers.len(), 4);
    }

    #[test]
    fn only_the_settings_of_the_control_plane_are_checked() {
        let broken = "connectTimeout: 2h";
        for (name, namespace, count) in [
            ("istio", "istio-system", 1),
            ("istio-1-30-0", "istio-system", 1),
            ("istio", "shop", 0),
            ("istiod", "istio-system", 0),
            ("mesh", "istio-system", 0),
        ] {
            let found = findings("invalid-mesh-config", &config_map(name, namespace, broken));
            assert_eq!(found.len(), count, "{namespace}/{name} has {found:?}");
        }
        for mesh in ["", "# nothing", "~", "{}"] {
            let text = config_map("istio", "istio-system", mesh);
            assert_eq!(findings("invalid-mesh-config", &text), [""; 0], "{mesh:?}");
        }
    }

    #[test]
    fn every_sort_of_problem_is_found() {
        for (mesh, message) in [
            ("a: [", "the mesh configuration is not YAML: "),
            ("trustDomain: a\ntrustDomain: b", "the mesh configuration: "),
            (
                "enableTracings: true",
                "`enableTracings` of the mesh configuration: ",
            ),
            (
                "accessLogEncoding: XML",
                "`accessLogEncoding` of the mesh configuration: `XML`",
            ),
            (
                "connectTimeout: 2h",
                "`connectTimeout` of the mesh configuration: `2h`",
            ),
            ("- a", "the mesh configuration: "),
        ] {
            let found = findings("invalid-mesh-config", &config_map("istio", "istio-system", mesh));
            let [finding] = found.as_slice() else {
                panic!("{mesh} has {found:?}");
            };
            assert!(finding.starts_with(&format!("data.mesh: {message}")), "{finding}");
        }
        let deprecated = config_map("istio", "istio-system", "verifyCertificateAtClient: true");
        assert_eq!(findings("invalid-mesh-config", &deprecated), [""; 0]);
        assert_eq!(findings("suspicious-mesh-config", &deprecated).len(), 1);
        let networks = "{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}, data: \
                        {meshNetworks: 'networks: {a: {endpoints: [{fromCidr: x}]}}'}}";
        assert_eq!(
            findings("invalid-mesh-config", networks),
            [
                "data.meshNetworks: `networks.a.endpoints[0].fromCidr` of the mesh networks: \
              `x` is neither an IP address nor a CIDR range"
            ]
        );
    }

    #[test]
    fn findings_are_shown_at_their_place_in_a_literal_block() {
        let mesh = "# é\n\ndefaultConfig:\n  discoveryAddress: istiod  # no port\nconnectTimeout: 2h\nx: 1";
        let text = config_map("istio", "istio-system", mesh);
        assert_eq!(shown("invalid-mesh-config", &text), ["9 istiod", "10 2h", "11 x"]);
        let windows = text.replace('\n', "\r\n");
        assert_eq!(
            shown("invalid-mesh-config", &windows),
            ["9 istiod", "10 2h", "11 x"]
        );
        let indented = text.replace("mesh: |", "mesh: |2-  # as it is");
        assert_eq!(shown("invalid-mesh-config", &indented).len(), 3);
        // What is missing at the end is shown by the line.
        let open = config_map("istio", "istio-system", "a: 1\nb: [");
        assert_eq!(shown("invalid-mesh-config", &open).len(), 1);
        let last = shown("invalid-mesh-config", &open).remove(0);
        assert!(last.starts_with('7'), "{last}");
    }

    #[test]
    fn findings_in_other_notations_are_shown_at_the_key() {
        for value in [
            "'connectTimeout: 2h'",
            "\"connectTimeout: 2h\"",
            ">\n    connectTimeout: 2h",
        ] {
            let text = format!(
                "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: istio, namespace: istio-system}}\ndata:\n  mesh: {value}\n"
            );
            let found = shown("invalid-mesh-config", &text);
            assert!(
                found.len() == 1 && found[0].starts_with("5 "),
                "{value}: {found:?}"
            );
        }
    }

    proptest::proptest! {
        /// Whatever is in the text, no finding is outside of it, and each shows what is there.
        #[test]
        fn places_are_within_the_block(
            mesh in r#"((  )?(- )?(trustDomain|connectTimeout|x|é|extensionProviders|name|\[|\{|"|\||#|~)(: ?)?(a|é|2h|\]|'|&a|\*a)?(\r?\n){1,2}){0,8}"#
        ) {
            let text = config_map("istio", "istio-system", &mesh);
            for rule in ["invalid-mesh-config", "suspicious-mesh-config"] {
                for finding in diagnostics(rule, &text) {
                    let range = finding.primary.locate().expect("in the text").span.range();
                    let place = text.get(range).expect("at characters");
                    proptest::prop_assert!(place == "mesh" || mesh.contains(place), "{finding:?}");
                }
            }
        }
    }

    #[test]
    fn related_places_are_in_the_text_too() {
        let mesh = "extensionProviders:\n- name: a\n  prometheus: {}\n- name: a\n  prometheus: {}";
        let text = config_map("istio", "istio-system", mesh);
        let found = diagnostics("suspicious-mesh-config", &text);
        let [finding] = found.as_slice() else {
            panic!("{found:?}");
        };
        let related = finding.related[0]
            .place
            .locate()
            .expect("in the text")
            .span
            .range();
        assert_eq!(&text[related.clone()], "a");
        assert_eq!(text[..related.start].matches('\n').count() + 1, 7);
    }
}

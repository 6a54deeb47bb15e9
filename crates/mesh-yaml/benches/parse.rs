//! Throughput of the two paths on a generated mesh of about 7 MB.
//!
//! `cargo bench -p mesh-yaml`

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mesh_yaml::{parse, parse_chunk_by_reference, parse_chunk_fast, split};

/// A stream of virtual services, destination rules, services and policies as people write them.
fn mesh(documents: usize) -> String {
    let mut text = String::new();
    for number in 0..documents {
        let namespace = number % 50;
        let result = match number % 4 {
            0 => writeln!(
                text,
                "---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata:\n  name: app-{number}\n  \
                 namespace: team-{namespace}\n  labels:\n    app.kubernetes.io/name: app-{number}\n    team: \"{namespace}\"\nspec:\n  \
                 hosts:\n  - app-{number}.team-{namespace}.svc.cluster.local\n  - \"*.example.com\" # public\n  http:\n  - match:\n    - uri:\n        \
                 prefix: /api/v{namespace}\n    route:\n    - destination:\n        host: app-{number}\n        subset: v1\n      weight: 90\n    \
                 - destination:\n        host: app-{number}\n        subset: v2\n      weight: 10\n    timeout: 5s\n    retries:\n      attempts: 3"
            ),
            1 => writeln!(
                text,
                "---\napiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata:\n  name: app-{number}\n  namespace: team-{namespace}\nspec:\n  \
                 host: app-{number}.team-{namespace}.svc.cluster.local\n  trafficPolicy:\n    tls: {{ mode: ISTIO_MUTUAL }}\n  subsets:\n    - name: v1\n      \
                 labels: {{version: v1}}\n    - name: v2\n      labels: {{version: v2}}"
            ),
            2 => writeln!(
                text,
                "---\n# The service of app {number}.\napiVersion: v1\nkind: Service\nmetadata:\n  name: app-{number}\n  namespace: team-{namespace}\nspec:\n  \
                 selector:\n    app: app-{number}\n  ports:\n  - name: http\n    port: 80\n    targetPort: 8080\n  - name: grpc\n    port: 9090"
            ),
            _ => writeln!(
                text,
                "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: app-{number}\n  namespace: team-{namespace}\n  annotations:\n    \
                 note: |\n      Reviewed.\n      Again next year.\nspec:\n  action: ALLOW\n  selector:\n    matchLabels:\n      app: app-{number}\n  rules:\n  - from:\n    \
                 - source:\n        principals: [\"cluster.local/ns/team-{namespace}/sa/app\"]\n    to:\n    - operation:\n        methods: [\"GET\", \"POST\"]\n        \
                 paths: ['/api/*']"
            ),
        };
        result.expect("strings take all text");
    }
    text
}

fn benchmark(criterion: &mut Criterion) {
    let text: Arc<str> = mesh(19_000).into();
    let chunks = split(&text);
    assert!(
        chunks.iter().all(|chunk| parse_chunk_fast(chunk).is_some()),
        "the fast path accepts every document"
    );
    let mut group = criterion.benchmark_group("parse");
    group
        .throughput(Throughput::Bytes(text.len() as u64))
        .sample_size(20);
    group.bench_function("split", |bencher| bencher.iter(|| black_box(split(&text))));
    group.bench_function("fast", |bencher| bencher.iter(|| black_box(parse(&text))));
    group.bench_function("reference", |bencher| {
        bencher.iter(|| {
            chunks
                .iter()
                .filter_map(parse_chunk_by_reference)
                .map(black_box)
                .count()
        });
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);

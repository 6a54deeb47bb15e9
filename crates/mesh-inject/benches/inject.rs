//! Injection of a stream of Deployments: from text to text.
//!
//! `cargo bench -p mesh-inject`

use std::fmt::Write as _;
use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use mesh_inject::{Namespace, Owner, Scope, Settings, inject, inject_document};
use mesh_yaml::Document;

/// Deployments as people write them.
fn deployments(count: usize) -> Arc<str> {
    let mut text = String::new();
    for number in 0..count {
        let result = writeln!(
            text,
            "---\n# Application {number}.\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: app-{number}\n  namespace: \
             team\n  labels:\n    app: app-{number}\nspec:\n  replicas: 3\n  selector:\n    matchLabels:\n      app: \
             app-{number}\n  template:\n    metadata:\n      labels:\n        app: app-{number}\n        version: v1\n    \
             spec:\n      containers:\n      - name: app\n        image: example.com/app:{number} # pinned\n        ports:\n        \
             - name: http\n          containerPort: 8080\n        readinessProbe:\n          httpGet:\n            path: \
             /ready\n            port: http\n        resources:\n          requests: {{cpu: 100m, memory: 128Mi}}\n      \
             volumes:\n      - name: data\n        emptyDir: {{}}"
        );
        result.expect("writing to a string succeeds");
    }
    text.into()
}

fn benchmark(criterion: &mut Criterion) {
    let text = deployments(100);
    let settings = Settings::default();
    let scope = Scope::default();
    let documents: Vec<Document> = mesh_yaml::parse(&text)
        .into_iter()
        .map(|document| document.expect("well-formed YAML"))
        .collect();
    let mut group = criterion.benchmark_group("inject");
    group.throughput(Throughput::Elements(100));
    group.bench_function("100 documents", |bencher| {
        bencher.iter(|| {
            for document in &documents {
                black_box(inject_document(&settings, document, &scope)).expect("nothing is wrong");
            }
        });
    });
    let pod = documents[0].root().to_json()["spec"]["template"].clone();
    let owner = Owner::default();
    let namespace = Namespace::default();
    group.throughput(Throughput::Elements(1));
    group.bench_function("a pod template", |bencher| {
        bencher.iter(|| black_box(inject(&settings, &pod, &owner, &namespace)).expect("nothing is wrong"));
    });
    group.finish();
}

criterion_group!(benches, benchmark);
criterion_main!(benches);

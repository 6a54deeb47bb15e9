//! Parts of `meshctl analyze` on a mesh of 1,000 services (5,000 resources): `cargo bench -p mesh-analyze`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use mesh_analyze::{RULES, RuleSet, analyze};
use mesh_core::source::{LoadOptions, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings, Source};

const SERVICES: usize = 1_000;

fn load(files: &[(String, Arc<str>)]) -> Mesh {
    let mut builder = MeshBuilder::new(Settings::default());
    for (name, text) in files {
        let loaded = load_text(builder.next_source(), name, text, &LoadOptions::default());
        builder.add(Source::new(name.clone(), text.clone()), loaded);
    }
    builder.build()
}

fn parts(criterion: &mut Criterion) {
    let files: Vec<(String, Arc<str>)> = mesh_samples::mesh(SERVICES)
        .map(|(name, text)| (name, text.into()))
        .collect();
    criterion.bench_function("parse", |bencher| {
        bencher.iter(|| {
            files
                .iter()
                .map(|(_, text)| mesh_yaml::parse(text).len())
                .sum::<usize>()
        });
    });
    criterion.bench_function("load and index", |bencher| {
        bencher.iter(|| black_box(load(&files)).len());
    });
    let mesh = load(&files);
    mesh.registry();
    mesh.workloads();
    criterion.bench_function("all rules", |bencher| {
        bencher.iter(|| analyze(black_box(&mesh), &RuleSet::default()).findings.len());
    });
    let mut group = criterion.benchmark_group("rule");
    for rule in RULES {
        let rules = RuleSet::new(&[rule.name.to_owned()], &[]).expect("rules have their own names");
        group.bench_function(rule.name, |bencher| {
            bencher.iter(|| analyze(black_box(&mesh), &rules).findings.len());
        });
    }
    group.finish();
}

criterion_group!(benches, parts);
criterion_main!(benches);

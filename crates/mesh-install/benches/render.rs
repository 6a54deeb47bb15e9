//! From profiles to objects: `cargo bench -p mesh-install`.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use mesh_install::manifest::render;
use mesh_install::spec::{PROFILES, Request, resolve};

fn profiles(criterion: &mut Criterion) {
    let requests: Vec<Request> = PROFILES
        .iter()
        .map(|profile| Request {
            profile: Some(profile.name.to_owned()),
            ..Request::default()
        })
        .collect();
    for (profile, request) in PROFILES.iter().zip(&requests) {
        let spec = resolve(request).expect("profiles are right").spec;
        let manifest = render(&spec);
        let mut group = criterion.benchmark_group(profile.name);
        group.bench_function("resolve", |bencher| {
            bencher.iter(|| resolve(black_box(request)).is_ok());
        });
        group.bench_function("render", |bencher| {
            bencher.iter(|| render(black_box(&spec)).objects().count());
        });
        group.bench_function("write", |bencher| {
            bencher.iter(|| {
                let objects = black_box(&manifest).objects();
                let lengths =
                    objects.map(|object| mesh_yaml::emit::to_string(object).map_or(0, |text| text.len()));
                lengths.sum::<usize>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, profiles);
criterion_main!(benches);

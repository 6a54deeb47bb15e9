//! Changes under traffic.

use std::collections::BTreeMap;
use std::time::Duration;

use test_mesh::Counts;

use crate::{reviews, split, subsets};

#[test]
fn a_shift_loses_no_request_and_weights_are_kept() {
    let mesh = reviews();
    mesh.apply_virtual_service(&split(0)).unwrap();
    let traffic = mesh.traffic(Duration::from_millis(1));
    for weight in [10, 50, 90, 100] {
        mesh.apply_virtual_service(&split(weight)).unwrap();
        let counts = mesh.send(1000, 4);
        // Five standard deviations of a thousand draws are at most 79.
        let expected = u64::from(weight) * 10;
        assert!(counts.of("v2").abs_diff(expected) < 79, "{weight}: {counts:?}");
        assert_eq!(counts.by_status, BTreeMap::from([(200, 1000)]));
    }
    assert_eq!(mesh.send(100, 2).of("v2"), 100);
    let before = traffic.counts();
    let all = traffic.stop();
    assert!(all.of("v1") > 0 && all.of("v2") > 0, "{all:?}");
    assert!(all.by_status[&200] >= before.by_status[&200]);
    assert_eq!(all.failed, 0, "{all:?}");
}

#[test]
fn weight_on_a_subset_that_is_not_there_fails() {
    let mesh = reviews();
    mesh.apply_destination_rule(&subsets(&["v1"])).unwrap();
    mesh.apply_virtual_service(&split(50)).unwrap();
    let counts = mesh.send(200, 2);
    assert!(counts.failed > 50, "{counts:?}");
    assert_eq!(counts.failed + counts.of("v1"), 200);
    assert_eq!(counts.by_status[&503], counts.failed);

    // Weight 0 does no harm, as in Istio.
    mesh.apply_virtual_service(&split(0)).unwrap();
    assert_eq!(mesh.send(50, 2).of("v1"), 50);

    mesh.apply_virtual_service(&split(50)).unwrap();
    mesh.apply_destination_rule(&subsets(&["v1", "v2"])).unwrap();
    assert_eq!(mesh.send(200, 2).failed, 0);
    mesh.apply_destination_rule(&subsets(&["v1"])).unwrap();
    assert!(mesh.send(200, 2).failed > 50);

    // A subset that selects no workload is there, but has no endpoint.
    mesh.apply_virtual_service(&split(100)).unwrap();
    let mut empty = subsets(&["v1", "v2"]);
    empty["subsets"][1]["labels"]["version"] = "v3".into();
    mesh.apply_destination_rule(&empty).unwrap();
    let counts = mesh.send(10, 2);
    let nothing = Counts {
        failed: 10,
        by_status: BTreeMap::from([(503, 10)]),
        ..Counts::default()
    };
    assert_eq!(counts, nothing);
}

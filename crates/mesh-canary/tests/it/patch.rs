//! What patches do to objects, whatever the objects are and whoever else edits them.

use mesh_canary::patch::{self, find, restore, shift};
use mesh_canary::percent::Percent;
use mesh_canary::route::{Condition, Names, Role, Section, Subject, Version, is_own};
use mesh_canary::state::{ANNOTATION, Phase, Rollout, Stamp};
use proptest::prelude::*;
use serde_json::{Value, json};

const NAMES: Names<'static> = Names {
    namespace: "shop",
    cluster_domain: "cluster.local",
};

fn subject() -> Subject {
    Subject {
        host: "reviews.shop.svc.cluster.local".to_owned(),
        stable: Version::Subset("v1".to_owned()),
        canary: Version::Subset("v2".to_owned()),
    }
}

fn stamp() -> Stamp {
    Stamp {
        time: "2026-01-01T00:00:00Z".to_owned(),
        by: "jane".to_owned(),
    }
}

fn percent(text: &str) -> Percent {
    text.parse().expect("a share")
}

fn begin(object: &Value) -> Rollout {
    let routes = patch::routes(object, &subject(), None, &NAMES).expect("routes");
    Rollout::new(subject(), routes, &stamp(), Vec::new())
}

fn moved(object: &Value, rollout: &mut Rollout, to: &str) -> Value {
    rollout.percent = percent(to);
    let change = shift(object, rollout, &NAMES).expect("a change");
    let changed = change.applied(object).expect("it fits");
    *rollout = change.rollout;
    assert_eq!(Rollout::of(&changed), Ok(Some(rollout.clone())));
    changed
}

fn single() -> Value {
    json!({
        "metadata": {"name": "reviews", "resourceVersion": "7"},
        "spec": {"hosts": ["reviews"], "http": [
            {"timeout": "3s", "route": [{"destination": {"host": "reviews"}, "headers": {"request": {"set": {"a": "b"}}}}]},
        ]},
    })
}

#[test]
fn a_single_destination_becomes_two_and_one_again() {
    let object = single();
    let mut rollout = begin(&object);
    let changed = moved(&object, &mut rollout, "10%");
    assert_eq!(
        changed["spec"]["http"][0],
        json!({"timeout": "3s", "route": [
            {"destination": {"host": "reviews", "subset": "v1"}, "headers": {"request": {"set": {"a": "b"}}}, "weight": 90},
            {"destination": {"host": "reviews", "subset": "v2"}, "headers": {"request": {"set": {"a": "b"}}}, "weight": 10},
        ]})
    );
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(back["spec"].to_string(), object["spec"].to_string());
}

#[test]
fn weights_of_a_route_for_connections_move_and_its_extras_are_refused() {
    let object = json!({"metadata": {"annotations": {}}, "spec": {"tcp": [
        {"match": [{"port": 9000}], "route": [{"destination": {"host": "reviews", "subset": "v1"}}]},
    ]}});
    let mut rollout = begin(&object);
    let changed = moved(&object, &mut rollout, "25%");
    assert_eq!(changed["spec"]["tcp"][0]["route"][1]["weight"], 25);
    rollout.extras.mirror = Some(percent("5%"));
    assert!(shift(&changed, &rollout, &NAMES).is_err());
}

#[test]
fn previews_mirrors_and_cookies_come_and_go() {
    let object = json!({"metadata": {"annotations": {"a": "b"}}, "spec": {"http": [
        {"match": [{"uri": {"prefix": "/x"}}], "route": [{"destination": {"host": "elsewhere"}}]},
        {"name": "main", "match": [{"uri": {"prefix": "/"}}, {"headers": {"b": {"exact": "c"}}}], "route": [
            {"destination": {"host": "reviews", "subset": "v1"}, "weight": 1000},
            {"destination": {"host": "reviews", "subset": "v2"}, "weight": 0},
        ]},
    ]}});
    let mut rollout = begin(&object);
    rollout.extras.previews = vec![Condition::header("End-User=jason").expect("a condition")];
    rollout.extras.sticky = Some("version".to_owned());
    rollout.extras.mirror = Some(percent("5%"));
    let changed = moved(&object, &mut rollout, "0.1%");
    let http = changed["spec"]["http"].as_array().expect("routes");
    assert_eq!(http.len(), 4);
    assert_eq!(http[0], object["spec"]["http"][0]);
    assert!(is_own(&http[1]) && is_own(&http[2]));
    assert_eq!(http[1]["match"][0]["headers"]["end-user"]["exact"], "jason");
    assert_eq!(http[1]["match"][1]["headers"]["b"]["exact"], "c");
    assert_eq!(
        http[2]["match"][0]["headers"]["cookie"]["regex"],
        r"(.*;\s*)?version=canary(;.*)?"
    );
    assert_eq!(http[3]["mirror"]["subset"], "v2");
    assert_eq!(http[3]["mirrorPercentage"]["value"], 5.0);
    assert_eq!(
        http[3]["route"][1]["headers"]["response"]["add"]["Set-Cookie"],
        "version=canary; Max-Age=86400; Path=/"
    );
    // The next step leaves them, and the one without them takes them away.
    let changed = moved(&changed, &mut rollout, "50%");
    assert_eq!(changed["spec"]["http"].as_array().map(Vec::len), Some(4));
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(back["spec"].to_string(), object["spec"].to_string());
    rollout.extras = mesh_canary::state::Extras::default();
    let without = moved(&changed, &mut rollout, "50%");
    assert_eq!(without["spec"]["http"].as_array().map(Vec::len), Some(2));
    assert!(without["spec"]["http"][1]["route"][1].get("headers").is_none());
    assert!(without["spec"]["http"][1].get("mirror").is_none());
    assert!(
        without["spec"]["http"][1]["route"][1].get("headers").is_none(),
        "{without:#}"
    );
    // Another name for the cookie takes the place of the first.
    rollout.extras.sticky = Some("v".to_owned());
    let changed = moved(&without, &mut rollout, "50%");
    rollout.extras.sticky = Some("w".to_owned());
    let changed = moved(&changed, &mut rollout, "50%");
    assert_eq!(
        changed["spec"]["http"][2]["route"][1]["headers"],
        json!({"response": {"add": {"Set-Cookie": "w=canary; Max-Age=86400; Path=/"}}})
    );
    assert_eq!(changed["spec"]["http"].as_array().map(Vec::len), Some(3));
}

#[test]
fn weights_are_multiplied_if_that_is_allowed_and_come_back() {
    let object = json!({"metadata": {"annotations": {}}, "spec": {"http": [{"route": [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 7},
        {"destination": {"host": "elsewhere"}, "weight": 3},
        {"destination": {"host": "nowhere"}},
    ]}]}});
    let mut rollout = begin(&object);
    rollout.percent = percent("10%");
    let refusal = shift(&object, &rollout, &NAMES).expect_err("0.7 is no weight");
    let hint = refusal.hint.unwrap_or_default();
    assert!(
        hint.contains("`--rescale` multiply all weights of the route by 10"),
        "{hint}"
    );
    rollout.may_rescale = true;
    let weights = |object: &Value| {
        let list = object["spec"]["http"][0]["route"]
            .as_array()
            .expect("destinations")
            .clone();
        list.iter().map(|one| one["weight"].as_i64()).collect::<Vec<_>>()
    };
    let changed = moved(&object, &mut rollout, "10%");
    assert_eq!(weights(&changed), [Some(63), Some(30), None, Some(7)]);
    // The next share counts from the user's weights again.
    let changed = moved(&changed, &mut rollout, "12.5%");
    assert_eq!(weights(&changed), [Some(49), Some(24), None, Some(7)]);
    let changed = moved(&changed, &mut rollout, "100%");
    assert_eq!(weights(&changed), [Some(0), Some(3), None, Some(7)]);
    let changed = moved(&changed, &mut rollout, "0.01%");
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(back["spec"].to_string(), object["spec"].to_string());
    let large = json!({"metadata": {"annotations": {}}, "spec": {"http": [{"route": [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 1009},
    ]}]}});
    let mut rollout = begin(&large);
    rollout.may_rescale = true;
    rollout.percent = percent("0.01%");
    let refusal = shift(&large, &rollout, &NAMES).expect_err("too large");
    assert!(refusal.message.contains("larger than 1000000"), "{refusal}");
}

#[test]
fn backends_of_an_http_route_are_services() {
    let subject = Subject {
        host: "reviews.shop.svc.cluster.local".to_owned(),
        stable: Version::Service("reviews.shop.svc.cluster.local".to_owned()),
        canary: Version::Service("reviews-next.shop.svc.cluster.local".to_owned()),
    };
    let object = json!({"kind": "HTTPRoute", "metadata": {"annotations": {}}, "spec": {"rules": [
        {"backendRefs": [{"name": "reviews", "port": 80}]},
    ]}});
    let routes = patch::routes(&object, &subject, None, &NAMES).expect("routes");
    let mut rollout = Rollout::new(subject, routes, &stamp(), Vec::new());
    rollout.extras.previews = vec![Condition::cookie("beta=yes").expect("a condition")];
    let changed = moved(&object, &mut rollout, "20%");
    assert_eq!(
        changed["spec"]["rules"][1]["backendRefs"],
        json!([{"name": "reviews", "port": 80, "weight": 80}, {"name": "reviews-next", "port": 80, "weight": 20}])
    );
    assert_eq!(
        changed["spec"]["rules"][0]["backendRefs"],
        json!([{"name": "reviews-next", "port": 80, "weight": 1}])
    );
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(back["spec"].to_string(), object["spec"].to_string());
}

#[test]
fn filters_of_an_http_route_come_and_go_among_those_of_others() {
    let modifier = json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["x-a"]}});
    let mut canary = backend("reviews-v2", 0);
    canary["filters"] = json!([modifier]);
    let object = json!({"kind": "HTTPRoute", "metadata": {"annotations": {}}, "spec": {"rules": [
        {"backendRefs": [backend("reviews-v1", 100), canary]},
        {"matches": [{"path": {"type": "PathPrefix", "value": "/x"}}], "filters": [modifier], "backendRefs": [backend("reviews-v1", 100)]},
    ]}});
    let routes = patch::routes(&object, &services(), None, &NAMES).expect("routes");
    let mut rollout = Rollout::new(services(), routes, &stamp(), Vec::new());
    rollout.extras.sticky = Some("version".to_owned());
    rollout.extras.mirror = Some(percent("2.5%"));
    let changed = moved(&object, &mut rollout, "20%");
    let rules = changed["spec"]["rules"].as_array().expect("rules");
    assert_eq!(rules.len(), 4);
    let mirror = json!({"type": "RequestMirror", "requestMirror": {
        "backendRef": {"group": "", "kind": "Service", "name": "reviews-v2", "port": 80},
        "fraction": {"numerator": 25, "denominator": 1000},
    }});
    assert_eq!(rules[1]["filters"], json!([mirror]));
    assert_eq!(rules[3]["filters"], json!([modifier, mirror]));
    let cookie = json!([{"name": "Set-Cookie", "value": "version=canary; Max-Age=86400; Path=/"}]);
    assert_eq!(
        rules[1]["backendRefs"][1]["filters"],
        json!([{"type": "ResponseHeaderModifier", "responseHeaderModifier": {"remove": ["x-a"], "add": cookie}}])
    );
    assert_eq!(
        rules[3]["backendRefs"][1]["filters"][0]["responseHeaderModifier"]["add"],
        cookie
    );
    // The same once more changes nothing of them, and another mirror takes its place.
    rollout.extras.mirror = Some(percent("50%"));
    let changed = moved(&changed, &mut rollout, "30%");
    assert_eq!(
        changed["spec"]["rules"][1]["filters"][0]["requestMirror"]["percent"],
        50
    );
    assert_eq!(
        changed["spec"]["rules"][1]["backendRefs"][1]["filters"]
            .as_array()
            .map(Vec::len),
        Some(1)
    );
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(back["spec"].to_string(), object["spec"].to_string());
    // Without them the rest stays.
    rollout.extras = mesh_canary::state::Extras::default();
    let without = moved(&changed, &mut rollout, "50%");
    let mut plain = object["spec"].clone();
    for (rule, destinations) in [(0, canary), (1, backend("reviews-v2", 0))] {
        plain["rules"][rule]["backendRefs"] = json!([backend("reviews-v1", 50), destinations]);
        plain["rules"][rule]["backendRefs"][1]["weight"] = 50.into();
    }
    assert_eq!(without["spec"], plain);
}

#[test]
fn shares_that_weights_cannot_express_are_refused() {
    let object = json!({"metadata": {}, "spec": {"http": [{"route": [
        {"destination": {"host": "reviews", "subset": "v1"}, "weight": 2},
        {"destination": {"host": "reviews", "subset": "v2"}, "weight": 1},
    ]}]}});
    let mut rollout = begin(&object);
    rollout.percent = percent("10%");
    let refusal = shift(&object, &rollout, &NAMES).expect_err("a third is not a tenth");
    assert_eq!(
        refusal.message,
        "10% cannot be written exactly: the weights of the two versions add up to 3"
    );
    assert_eq!(
        moved(&object, &mut rollout, "100%")["spec"]["http"][0]["route"][1]["weight"],
        3
    );
}

#[test]
fn an_edit_of_the_route_is_a_conflict_and_any_other_is_not() {
    let object = single();
    let mut rollout = begin(&object);
    let mut changed = moved(&object, &mut rollout, "10%");
    // Another route above, another annotation, a timeout: all stay.
    let other = json!({"name": "other", "route": [{"destination": {"host": "elsewhere"}}]});
    changed["spec"]["http"]
        .as_array_mut()
        .expect("routes")
        .insert(0, other.clone());
    changed["spec"]["http"][1]["timeout"] = "9s".into();
    changed["metadata"]["annotations"]["other"] = "there".into();
    let mut changed = moved(&changed, &mut rollout, "20%");
    assert_eq!(changed["spec"]["http"][0], other);
    assert_eq!(changed["spec"]["http"][1]["timeout"], "9s");
    assert_eq!(changed["spec"]["http"][1]["route"][1]["weight"], 20);
    changed["spec"]["http"][1]["route"][0]["weight"] = 70.into();
    let refusal = find(&changed, &rollout).expect_err("a conflict");
    assert!(refusal.is_conflict);
    assert_eq!(
        refusal.message,
        "the weights of route http[1] are 70/20 and not 80/20, as this rollout left them"
    );
    // Going back does not mind.
    let back = restore(&changed, &rollout)
        .expect("a change")
        .applied(&changed)
        .expect("it fits");
    assert_eq!(
        back["spec"]["http"][1]["route"],
        json!([{"destination": {"host": "reviews"}, "headers": {"request": {"set": {"a": "b"}}}}])
    );
    changed["spec"]["http"][1]["match"] = json!([{"port": 80}]);
    assert!(find(&changed, &rollout).expect_err("a conflict").is_conflict);
}

#[test]
fn a_patch_for_another_object_does_not_fit() {
    let object = single();
    let mut rollout = begin(&object);
    rollout.percent = percent("10%");
    let change = shift(&object, &rollout, &NAMES).expect("a change");
    for (place, value) in [
        ("/metadata/resourceVersion", json!("8")),
        ("/spec/http/0/route/0/destination/host", json!("other")),
    ] {
        let mut other = object.clone();
        *other.pointer_mut(place).expect("there") = value;
        assert!(change.applied(&other).is_err(), "{place}");
    }
}

#[test]
fn a_state_that_cannot_be_read_says_so() {
    for text in ["", "{}", "[]", "{\"format\": 2}", "nonsense"] {
        let object = json!({"metadata": {"annotations": {ANNOTATION: text}}});
        assert!(Rollout::of(&object).is_err(), "{text}");
    }
    assert_eq!(Rollout::of(&json!({})), Ok(None));
}

#[derive(Clone, Debug)]
enum Step {
    Shift(u32),
    Mirror(Option<u32>),
    Preview(bool),
    /// Somebody else edits what is not ours.
    Foreign(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        4 => (0_u32..=100).prop_map(Step::Shift),
        1 => prop::option::of(0_u32..=100).prop_map(Step::Mirror),
        1 => any::<bool>().prop_map(Step::Preview),
        2 => any::<u8>().prop_map(Step::Foreign),
    ];
    prop::collection::vec(step, 1..12)
}

/// A destination of one of four kinds, with or without what else it may have.
fn destination(kind: u8, weight: Option<i64>, has_headers: bool) -> Value {
    let target = match kind {
        0 => json!({"host": "reviews", "subset": "v1"}),
        1 => json!({"host": "reviews.shop.svc.cluster.local", "subset": "v2", "port": {"number": 80}}),
        2 => json!({"host": "reviews", "subset": "old"}),
        _ => json!({"host": "reviews.other.svc.cluster.local"}),
    };
    let mut made = json!({"destination": target});
    if let Some(weight) = weight {
        made["weight"] = weight.into();
    }
    if has_headers {
        made["headers"] = json!({"response": {"add": {"x": "y"}}});
    }
    made
}

prop_compose! {
    /// A VirtualService with routes of all sorts, of which at least one can be split.
    fn virtual_service()(
        routes in prop::collection::vec(
            (prop::collection::btree_set(1_u8..4, 0..3), any::<bool>(), 1_i64..5, any::<bool>(), any::<bool>(), any::<bool>()),
            1..5,
        ),
        has_annotations in any::<bool>(),
    ) -> Value {
        let http: Vec<Value> = routes.iter().enumerate().map(|(index, (others, is_named, scale, has_stable, has_match, has_headers))| {
            let mut kinds: Vec<u8> = others.iter().copied().collect();
            if *has_stable || index == 0 || kinds.is_empty() {
                kinds.push(0);
            }
            let is_single = kinds.len() == 1;
            let list: Vec<Value> = kinds.iter().map(|kind| {
                let weight = match kind { 0 => 60, 1 => 40, _ => 7 } * scale * 5;
                destination(*kind, (!is_single).then_some(weight), *has_headers)
            }).collect();
            let mut route = json!({"route": list, "timeout": "1s", "fault": {"abort": {"httpStatus": 500}}});
            if *is_named {
                route["name"] = format!("route-{index}").into();
            }
            if *has_match {
                route["match"] = json!([{"uri": {"prefix": format!("/{index}")}}]);
            }
            route
        }).collect();
        let mut metadata = json!({"name": "reviews", "resourceVersion": "1"});
        if has_annotations {
            metadata["annotations"] = json!({"other/tool": "~1"});
        }
        json!({"metadata": metadata, "spec": {"hosts": ["reviews"], "http": http}})
    }
}

/// A backend of an HTTPRoute as the API server has it.
fn backend(name: &str, weight: i64) -> Value {
    json!({"group": "", "kind": "Service", "name": name, "port": 80, "weight": weight})
}

/// The services that are the versions of an HTTPRoute.
fn services() -> Subject {
    Subject {
        host: "reviews.shop.svc.cluster.local".to_owned(),
        stable: Version::Service("reviews-v1.shop.svc.cluster.local".to_owned()),
        canary: Version::Service("reviews-v2.shop.svc.cluster.local".to_owned()),
    }
}

prop_compose! {
    /// An HTTPRoute with rules and filters of all sorts.
    fn http_route()(
        rules in prop::collection::vec((any::<bool>(), any::<bool>(), 1_i64..5, 0_usize..3, 0_usize..3), 1..4),
    ) -> Value {
        let known = [
            json!({"type": "ResponseHeaderModifier", "responseHeaderModifier": {"add": [{"name": "x", "value": "y"}]}}),
            json!({"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}),
        ];
        let rules: Vec<Value> = rules.iter().enumerate().map(|(index, (has_canary, has_other, scale, filters, of_canary))| {
            let mut list = vec![backend("reviews-v1", 300 * scale)];
            if *has_other {
                list.push(backend("cdn", 7));
            }
            if *has_canary {
                list.push(backend("reviews-v2", 200 * scale));
                if *of_canary > 0 {
                    list.last_mut().expect("it was pushed")["filters"] = json!(known[..*of_canary]);
                }
            }
            if let [only] = list.as_mut_slice() {
                only["weight"] = (500 * scale).into();
            }
            let mut rule = json!({
                "matches": [{"path": {"type": "PathPrefix", "value": format!("/{index}")}}],
                "backendRefs": list,
            });
            if *filters > 0 {
                rule["filters"] = json!(known[..*filters]);
            }
            rule
        }).collect();
        json!({"kind": "HTTPRoute", "metadata": {"name": "reviews", "resourceVersion": "1"}, "spec": {"rules": rules}})
    }
}

/// The sum of the weights of the two versions on each route that has the stable one.
fn totals(object: &Value) -> Vec<i64> {
    let subject = subject();
    let routes = Section::Http.routes(object).iter().filter(|route| !is_own(route));
    routes
        .filter_map(|route| {
            let list = Section::Http.destinations(route);
            let role = |one: &Value| subject.role(Section::Http, one, &NAMES);
            list.iter()
                .any(|one| matches!(role(one), Role::Stable | Role::Whole))
                .then(|| {
                    let weights = Section::Http.weights(list);
                    let both = list
                        .iter()
                        .zip(weights)
                        .filter(|(one, _)| role(one) != Role::Other);
                    both.map(|(_, weight)| weight).sum()
                })
        })
        .collect()
}

proptest! {
    /// Whatever happens, the totals are the user's, what others wrote is there, and going back restores the rest.
    #[test]
    fn every_way_leads_back(object in virtual_service(), steps in steps()) {
        let mut rollout = begin(&object);
        let (mut live, mut expected) = (object.clone(), object.clone());
        for step in steps {
            match step {
                Step::Shift(to) => rollout.percent = percent(&to.to_string()),
                Step::Mirror(to) => rollout.extras.mirror = to.map(|to| percent(&to.to_string())),
                Step::Preview(is_wanted) => {
                    rollout.extras.previews = is_wanted
                        .then(|| Condition::header("x=y").expect("a condition"))
                        .into_iter()
                        .collect();
                }
                Step::Foreign(kind) => {
                    for object in [&mut live, &mut expected] {
                        let annotations = object["metadata"].as_object_mut().expect("metadata");
                        let annotations = annotations.entry("annotations").or_insert_with(|| json!({}));
                        annotations[format!("other-{kind}")] = kind.into();
                        object["spec"]["gateways"] = json!([format!("gateway-{kind}")]);
                        let routes = object["spec"]["http"].as_array_mut().expect("routes");
                        routes.push(json!({"name": format!("foreign-{kind}"), "redirect": {"uri": "/"}}));
                    }
                    continue;
                }
            }
            rollout.record(&stamp(), Phase::Progressing, "shift");
            let change = shift(&live, &rollout, &NAMES);
            prop_assert!(change.is_ok(), "{change:?}");
            let change = change.expect("checked");
            live = change.applied(&live).expect("it fits");
            prop_assert_eq!(Rollout::of(&live).expect("readable"), Some(change.rollout.clone()));
            rollout = change.rollout;
            prop_assert_eq!(totals(&live), totals(&object));
        }
        let back = restore(&live, &rollout).expect("a change");
        let back = back.applied(&live).expect("it fits");
        prop_assert_eq!(back["spec"].to_string(), expected["spec"].to_string());
    }

    /// The same of an HTTPRoute, where all else that is done with requests is among filters of others.
    #[test]
    fn every_way_leads_back_in_an_http_route(object in http_route(), steps in steps()) {
        let routes = patch::routes(&object, &services(), None, &NAMES).expect("routes");
        let mut rollout = Rollout::new(services(), routes, &stamp(), Vec::new());
        let (mut live, mut expected) = (object.clone(), object.clone());
        for step in steps {
            match step {
                Step::Shift(to) => rollout.percent = percent(&to.to_string()),
                Step::Mirror(to) => rollout.extras.mirror = to.map(|to| percent(&to.to_string())),
                Step::Preview(is_wanted) => {
                    rollout.extras.sticky = is_wanted.then(|| "version".to_owned());
                }
                Step::Foreign(kind) => {
                    let last = expected["spec"]["rules"].as_array().map_or(0, Vec::len) - 1;
                    let live_last = live["spec"]["rules"].as_array().map_or(0, Vec::len) - 1;
                    for (object, last) in [(&mut live, live_last), (&mut expected, last)] {
                        let rule = object["spec"]["rules"][last].as_object_mut().expect("a rule");
                        let filters = rule.entry("filters").or_insert_with(|| json!([]));
                        filters.as_array_mut().expect("filters").push(json!({"type": "ExtensionRef", "extensionRef": {"name": kind}}));
                    }
                    continue;
                }
            }
            let to = rollout.percent.to_string();
            live = moved(&live, &mut rollout, &to);
        }
        let back = restore(&live, &rollout).expect("a change");
        let back = back.applied(&live).expect("it fits");
        // The order of fields is that in which they came.
        prop_assert_eq!(&back["spec"], &expected["spec"]);
    }

    /// Any share can be written if weights may be multiplied: exactly, and with the same part for all others.
    #[test]
    fn rescaled_weights_are_exact(object in virtual_service(), hundredths in prop::collection::vec(0_u32..=10_000, 1..4)) {
        let mut rollout = begin(&object);
        rollout.may_rescale = true;
        let mut live = object.clone();
        for share in hundredths {
            rollout.percent = percent(&format!("{}.{:02}", share / 100, share % 100));
            let change = shift(&live, &rollout, &NAMES);
            prop_assert!(change.is_ok(), "{change:?}");
            let change = change.expect("checked");
            live = change.applied(&live).expect("it fits");
            rollout = change.rollout;
            for route in &rollout.routes {
                let weights = Section::Http.weights(&route.written);
                let before = Section::Http.weights(&route.original);
                let (mut canary, mut both, mut both_before, mut others) = (0, 0, 0, Vec::new());
                for (place, (one, weight)) in route.written.iter().zip(&weights).enumerate() {
                    match subject().role(Section::Http, one, &NAMES) {
                        Role::Other => others.push((*weight, before[place])),
                        role => {
                            both += weight;
                            both_before += before.get(place).copied().unwrap_or_default();
                            canary += if role == Role::Canary { *weight } else { 0 };
                        }
                    }
                }
                prop_assert_eq!(canary * 10_000, both * i64::from(share));
                for (now, then) in others {
                    prop_assert_eq!(now * both_before, then * both);
                }
            }
        }
        let back = restore(&live, &rollout).expect("a change").applied(&live).expect("it fits");
        prop_assert_eq!(back["spec"].to_string(), object["spec"].to_string());
    }

    /// A patch that was made for one state of the object either fits the next one, and then keeps what is there, or is
    /// refused as a whole.
    #[test]
    fn a_stale_patch_overwrites_nothing(object in virtual_service(), place in any::<prop::sample::Index>(), weight in 0_i64..500) {
        let rollout = begin(&object);
        let mut rollout = rollout;
        rollout.percent = percent("50%");
        let change = shift(&object, &rollout, &NAMES).expect("a change");
        let mut edited = object.clone();
        edited["metadata"]["resourceVersion"] = "2".into();
        let routes = edited["spec"]["http"].as_array_mut().expect("routes");
        let count = routes.len();
        let list = routes[place.index(count)]["route"].as_array_mut().expect("destinations");
        let position = place.index(list.len());
        let is_ours = subject().role(Section::Http, &list[position], &NAMES);
        list[position]["weight"] = weight.into();
        if let Ok(changed) = change.applied(&edited) {
            prop_assert!(
                is_ours == Role::Other || edited == object || !find(&object, &rollout).expect("found").contains(&place.index(count))
            );
            if is_ours == Role::Other {
                prop_assert_eq!(&changed["spec"]["http"][place.index(count)]["route"][position]["weight"], &json!(weight));
            }
        }
    }
}

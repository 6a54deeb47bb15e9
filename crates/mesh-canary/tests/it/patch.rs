//! What patches do to objects, whatever the objects are and whoever else edits them.

use mesh_canary::patch::{self, find, restore, shift};
use mesh_canary::percent::Percent;
use mesh_canary::route::{Condition, Names, Role, Section, Subject, Version, is_own};
use mesh_canary::state::{ANNOTATION, Phase, Rollout, Stamp, shares};
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
    let back = restore(&changed, &rollout, &NAMES)
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
        r"(.*;\s*)?version=canary\-v2\-2026\-01\-01T00\-00\-00Z(;.*)?"
    );
    assert_eq!(http[3]["mirror"]["subset"], "v2");
    assert_eq!(http[3]["mirrorPercentage"]["value"], 5.0);
    assert_eq!(
        http[3]["route"][1]["headers"]["response"]["add"]["Set-Cookie"],
        "version=canary-v2-2026-01-01T00-00-00Z; Max-Age=86400; Path=/"
    );
    // The next step leaves them, and the one without them takes them away.
    let changed = moved(&changed, &mut rollout, "50%");
    assert_eq!(changed["spec"]["http"].as_array().map(Vec::len), Some(4));
    // Requests that all go to the canary are not copied to it as well.
    let has_mirror = |object: &Value| {
        let routes = object["spec"]["http"].as_array().expect("routes").clone();
        routes
            .iter()
            .map(|route| route.get("mirror").is_some() || route.get("mirrorPercentage").is_some())
            .collect::<Vec<_>>()
    };
    assert_eq!(has_mirror(&changed), [false, false, false, true]);
    let mut quiet = rollout.clone();
    quiet.extras.mirror = None;
    assert_eq!(has_mirror(&moved(&changed, &mut quiet, "60%")), [false; 4]);
    let back = restore(&changed, &rollout, &NAMES)
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
        json!({"response": {"add": {"Set-Cookie": "w=canary-v2-2026-01-01T00-00-00Z; Max-Age=86400; Path=/"}}})
    );
    assert_eq!(changed["spec"]["http"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_cookie_is_of_one_rollout_only() {
    let object = single();
    let stuck = |started: &str| {
        let mut rollout = begin(&object);
        started.clone_into(&mut rollout.started);
        rollout.extras.sticky = Some("v".to_owned());
        let changed = moved(&object, &mut rollout, "10%");
        let header =
            changed["spec"]["http"][1]["route"][1]["headers"]["response"]["add"]["Set-Cookie"].clone();
        let condition = changed["spec"]["http"][0]["match"][0]["headers"]["cookie"]["regex"].clone();
        let text = |value: Value| value.as_str().expect("text").to_owned();
        let cookie = text(header).split(';').next().expect("a cookie").to_owned();
        // As Envoy reads it: on the whole value.
        let condition = regex::Regex::new(&format!("^(?:{})$", text(condition))).expect("an expression");
        (cookie, condition, changed, rollout)
    };
    let (cookie, condition, changed, mut rollout) = stuck("2026-01-01T00:00:00Z");
    let (later, ..) = stuck("2026-01-01T00:00:01Z");
    for header in [cookie.clone(), format!("a=b; {cookie}"), format!("{cookie};c=d")] {
        assert!(condition.is_match(&header), "{header}");
    }
    for header in [
        later,
        "v=canary".to_owned(),
        format!("{cookie}1"),
        format!("x{cookie}"),
    ] {
        assert!(!condition.is_match(&header), "{header}");
    }
    // What an older version has begun is known, too.
    let old = changed.to_string().replace(&cookie, "v=canary");
    let old: Value = serde_json::from_str(&old).expect("JSON");
    rollout = serde_json::from_str(&rollout.text().replace(&cookie, "v=canary")).expect("a state");
    rollout.extras = mesh_canary::state::Extras::default();
    let without = moved(&old, &mut rollout, "20%");
    assert_eq!(without["spec"]["http"].as_array().map(Vec::len), Some(1));
    assert!(!without["spec"].to_string().contains("Set-Cookie"), "{without}");
}

/// What somebody else does to routes.
type Edit<'a> = &'a dyn Fn(&mut Vec<Value>);

/// A rollout at 10% of an object with two routes, of which one has a preview, and what it was before.
fn under_way() -> (Value, Value, Rollout) {
    let split = |name: &str, prefix: &str| {
        json!({"name": name, "match": [{"uri": {"prefix": prefix}}], "route": [
            {"destination": {"host": "reviews", "subset": "v1"}, "weight": 100},
        ]})
    };
    let object =
        json!({"metadata": {"annotations": {}}, "spec": {"http": [split("one", "/1"), split("two", "/2")]}});
    let mut rollout = begin(&object);
    rollout.extras.previews = vec![Condition::header("a=b").expect("a condition")];
    rollout.extras.mirror = Some(percent("5%"));
    let changed = moved(&object, &mut rollout, "10%");
    (object, changed, rollout)
}

/// What is there after going back, with the message.
fn gone_back(live: &Value, rollout: &Rollout) -> (Value, String) {
    let change = restore(live, rollout, &NAMES).expect("a change");
    let back = change.applied(live).expect("it fits");
    (back["spec"]["http"].clone(), change.rollout.message)
}

#[test]
fn going_back_wins_over_all_that_others_do_to_the_routes() {
    let (object, changed, rollout) = under_way();
    let before = object["spec"]["http"].clone();
    // The routes are: preview, one, preview, two.
    let edited = |edit: &dyn Fn(&mut Vec<Value>)| {
        let mut live = changed.clone();
        edit(live["spec"]["http"].as_array_mut().expect("routes"));
        gone_back(&live, &rollout)
    };
    let destinations = |route: &mut Value| route["route"].as_array_mut().expect("destinations").clone();
    let with = |field: &str, value: Value| {
        let mut expected = before.clone();
        expected[0][field] = value;
        expected
    };
    let other = json!({"destination": {"host": "elsewhere"}, "weight": 5});
    let stable = json!({"destination": {"host": "reviews", "subset": "v1"}, "weight": 100});
    let conditions = json!([{"uri": {"prefix": "/1"}}, {"port": 80}]);
    let cases: [(&str, Edit<'_>, Value); 13] = [
        ("nothing", &|_| {}, before.clone()),
        (
            "a name",
            &|routes| routes[1]["name"] = "first".into(),
            with("name", "first".into()),
        ),
        (
            "conditions",
            &|routes| routes[1]["match"] = conditions.clone(),
            with("match", conditions.clone()),
        ),
        (
            "the canary by hand",
            &|routes| routes[1]["route"] = json!([stable]),
            before.clone(),
        ),
        (
            "the stable version by hand",
            &|routes| {
                routes[1]["route"].as_array_mut().expect("a list").remove(0);
            },
            before.clone(),
        ),
        (
            "the other order",
            &|routes| routes[1]["route"].as_array_mut().expect("a list").reverse(),
            before.clone(),
        ),
        (
            "another destination first",
            &|routes| {
                routes[1]["route"]
                    .as_array_mut()
                    .expect("a list")
                    .insert(0, other.clone());
            },
            with("route", json!([other, stable])),
        ),
        (
            "the whole service",
            &|routes| {
                routes[1]["route"] = json!([{"destination": {"host": "reviews"}, "timeout": "1s"}]);
            },
            with(
                "route",
                json!([{"destination": {"host": "reviews", "subset": "v1"}, "timeout": "1s", "weight": 100}]),
            ),
        ),
        (
            "a port of the canary",
            &|routes| {
                routes[1]["route"][1]["destination"]["port"] = json!({"number": 81});
            },
            before.clone(),
        ),
        (
            "a port of stable",
            &|routes| {
                routes[1]["route"][0]["destination"]["port"] = json!({"number": 81});
            },
            with(
                "route",
                json!([{"destination": {"host": "reviews", "subset": "v1", "port": {"number": 81}}, "weight": 100}]),
            ),
        ),
        (
            "the previews",
            &|routes| {
                routes[0]["timeout"] = "1s".into();
                routes.swap(0, 3);
                let own = routes.remove(2);
                assert!(is_own(&own), "{own}");
            },
            json!([before[1], before[0]]),
        ),
        (
            "the share of the mirror",
            &|routes| routes[1]["mirrorPercentage"] = json!({"value": 7}),
            before.clone(),
        ),
        (
            "the mirror",
            &|routes| {
                routes[1]["mirror"] = json!({"host": "elsewhere"});
                routes[1]
                    .as_object_mut()
                    .expect("a route")
                    .remove("mirrorPercentage");
            },
            with("mirror", json!({"host": "elsewhere"})),
        ),
    ];
    for (what, edit, expected) in cases {
        assert_eq!(edited(edit), (expected, String::new()), "{what}");
    }
    // A route that is gone keeps no other from going back.
    let (back, message) = edited(&|routes| {
        routes.remove(1);
    });
    assert_eq!(
        (back, &*message),
        (
            json!([before[1]]),
            "the http route `one` is gone, and was not put back"
        )
    );
    let (back, message) = edited(&|routes| routes[1]["route"] = json!([other]));
    assert_eq!(back[0]["route"], json!([other]));
    assert_eq!(
        (&back[1], &*message),
        (&before[1], "the http route `one` is gone, and was not put back")
    );
    // Of one that is like neither by name nor by conditions it is the only one.
    let (back, message) = edited(&|routes| {
        routes[1]["name"] = "first".into();
        routes[1]["match"] = conditions.clone();
    });
    assert_eq!((&back[0]["route"], &*message), (&before[0]["route"], ""));
    let mut live = changed.clone();
    let mut list = destinations(&mut live["spec"]["http"][1]);
    list.push(other.clone());
    live["spec"]["http"][1]["route"] = list.into();
    // Whoever goes on is told, and not whoever goes back.
    assert!(find(&live, &rollout).expect_err("a conflict").is_conflict);
    // A change of theirs in between is still not overwritten.
    let change = restore(&live, &rollout, &NAMES).expect("a change");
    live["spec"]["http"][1]["route"][2]["weight"] = 6.into();
    assert!(change.applied(&live).is_err());
}

#[test]
fn a_destination_that_was_alone_gets_a_weight_beside_another() {
    let object = single();
    let mut rollout = begin(&object);
    let mut changed = moved(&object, &mut rollout, "10%");
    let other = json!({"destination": {"host": "elsewhere"}, "weight": 5});
    let list = changed["spec"]["http"][0]["route"]
        .as_array_mut()
        .expect("destinations");
    list.push(other.clone());
    let (back, _) = gone_back(&changed, &rollout);
    let weights: Vec<_> = [0, 1]
        .map(|index| back[0]["route"][index]["weight"].clone())
        .to_vec();
    assert_eq!(weights, [json!(100), json!(5)]);
    assert_eq!(back[0]["route"][0]["destination"], json!({"host": "reviews"}));
}

#[test]
fn rules_and_filters_that_others_have_changed_go_back_too() {
    let object = json!({"kind": "HTTPRoute", "metadata": {"annotations": {}}, "spec": {"rules": [
        {"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], "backendRefs": [backend("reviews-v1", 100)]},
    ]}});
    let routes = patch::routes(&object, &services(), None, &NAMES).expect("routes");
    let mut rollout = Rollout::new(services(), routes, &stamp(), Vec::new());
    rollout.extras.sticky = Some("version".to_owned());
    rollout.extras.mirror = Some(percent("50%"));
    let changed = moved(&object, &mut rollout, "20%");
    let rules = |object: &Value| object["spec"]["rules"].as_array().cloned().expect("rules");
    assert!(rules(&changed)[0].get("filters").is_none(), "{changed:#}");
    // The next step has no mirror in its preview, either.
    let changed = moved(&changed, &mut rollout, "30%");
    assert!(rules(&changed)[0].get("filters").is_none(), "{changed:#}");
    let edits: [Edit<'_>; 4] = [
        &|_| {},
        &|rules| rules[1]["filters"][0]["requestMirror"]["percent"] = 7.into(),
        &|rules| {
            rules[1].as_object_mut().expect("a rule").remove("filters");
        },
        &|rules| {
            rules[0]["timeouts"] = json!({"request": "1s"});
            rules.swap(0, 1);
        },
    ];
    for edit in edits {
        let mut live = changed.clone();
        edit(live["spec"]["rules"].as_array_mut().expect("rules"));
        let change = restore(&live, &rollout, &NAMES).expect("a change");
        let back = change.applied(&live).expect("it fits");
        assert_eq!(back["spec"], object["spec"]);
    }
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
    let back = restore(&changed, &rollout, &NAMES)
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
    let back = restore(&changed, &rollout, &NAMES)
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
    let cookie = json!([{"name": "Set-Cookie", "value": "version=canary-reviews-v2-shop-2026-01-01T00-00-00Z; Max-Age=86400; Path=/"}]);
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
    let back = restore(&changed, &rollout, &NAMES)
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

/// An object with a route for each pair of weights of the two versions; the first has a condition.
fn divided(weights: &[(i64, i64)]) -> Value {
    let routes: Vec<_> = weights
        .iter()
        .enumerate()
        .map(|(index, (stable, canary))| {
            json!({"name": format!("route-{index}"), "match": [{"uri": {"prefix": format!("/{index}")}}], "route": [
                {"destination": {"host": "reviews", "subset": "v1"}, "weight": stable},
                {"destination": {"host": "reviews", "subset": "v2"}, "weight": canary},
            ]})
        })
        .collect();
    json!({"metadata": {}, "spec": {"http": routes}})
}

#[test]
fn a_rollout_begins_at_the_share_that_is_there_and_keeps_it_to_the_unit() {
    for (weights, share) in [
        (&[(80, 20)][..], "20%"),
        (&[(100, 0)], "0%"),
        (&[(0, 7)], "100%"),
        (&[(0, 0), (3, 1)], "25%"),
        (&[(4, 1), (80, 20)], "20%"),
        // Neither can be written in hundredths of a percent.
        (&[(2, 1)], "33.33%"),
        (&[(999_000, 1_234)], "0.12%"),
    ] {
        let object = divided(weights);
        let mut rollout = begin(&object);
        assert_eq!(rollout.share_before(&NAMES), Ok(percent(share)), "{weights:?}");
        if !weights.contains(&(0, 0)) {
            let prepared = moved(&object, &mut rollout, share);
            assert_eq!(prepared["spec"], object["spec"], "{weights:?}");
        }
        // Nor is it another one after that.
        assert_eq!(rollout.share_before(&NAMES), Ok(percent(share)), "{weights:?}");
    }
    let object = divided(&[(80, 20), (100, 0)]);
    assert_eq!(
        shares(&object, &subject(), &NAMES),
        [percent("20%"), percent("0%")]
    );
    let refusal = begin(&object).share_before(&NAMES).expect_err("two shares");
    assert_eq!(
        refusal.message,
        "v2 has 20% of the traffic of one route and 0% of another's"
    );
    // What is nearly nothing is nothing when that is said, and so is what is nearly everything.
    for (weights, share, canary) in [((999_999, 1), "0%", 0), ((1, 999_999), "100%", 1_000_000)] {
        let object = divided(&[weights]);
        let moved = moved(&object, &mut begin(&object), share);
        assert_eq!(moved["spec"]["http"][0]["route"][1]["weight"], canary);
    }
}

#[test]
fn the_routes_of_a_rollout_are_known_by_name_and_number() {
    let object = divided(&[(100, 0), (100, 0)]);
    let routes = patch::routes(&object, &subject(), Some("1"), &NAMES).expect("a route");
    let mut rollout = Rollout::new(subject(), routes, &stamp(), Vec::new());
    rollout.extras.previews = vec![Condition::header("x=y").expect("a condition")];
    let live = moved(&object, &mut rollout, "10%");
    // It is the third now, below the one for the condition.
    for (wanted, is_it) in [
        ("1", true),
        ("2", true),
        ("http[1]", true),
        ("route-1", true),
        ("0", false),
        ("3", false),
        ("route-0", false),
    ] {
        assert_eq!(patch::are_called(&live, &rollout, wanted), Ok(is_it), "{wanted}");
    }
    let both = begin(&object);
    assert_eq!(patch::are_called(&object, &both, "1"), Ok(false));
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
    let back = restore(&changed, &rollout, &NAMES)
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
        let back = restore(&live, &rollout, &NAMES).expect("a change");
        let back = back.applied(&live).expect("it fits");
        prop_assert_eq!(back["spec"].to_string(), expected["spec"].to_string());
    }

    /// Whatever others do to the routes meanwhile, going back works, and nothing of the rollout stays.
    #[test]
    fn going_back_always_works(
        object in virtual_service(),
        edits in prop::collection::vec((0_u8..9, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
    ) {
        let mut rollout = begin(&object);
        rollout.extras.previews = vec![Condition::header("x=y").expect("a condition")];
        rollout.extras.mirror = Some(percent("5%"));
        let mut live = moved(&object, &mut rollout, "10%");
        let own: Vec<Value> = rollout.routes.iter().flat_map(|route| route.inserted.clone()).collect();
        for (kind, at, inside) in edits {
            let routes = live["spec"]["http"].as_array_mut().expect("routes");
            if routes.is_empty() {
                break;
            }
            let (place, other) = (at.index(routes.len()), inside.index(routes.len()));
            let list = routes[place]["route"].as_array().map_or(0, Vec::len);
            match kind {
                0 => { routes.remove(place); }
                1 => routes.swap(place, other),
                2 if !is_own(&routes[place]) => routes[place]["name"] = "new".into(),
                3 => routes[place]["match"] = json!([{"port": 80}]),
                4 if list > 0 => { routes[place]["route"].as_array_mut().expect("a list").remove(inside.index(list)); }
                5 if list > 0 => {
                    let one = destination(3, Some(5), false);
                    routes[place]["route"].as_array_mut().expect("a list").insert(inside.index(list), one);
                }
                6 if list > 1 => routes[place]["route"].as_array_mut().expect("a list").reverse(),
                7 => routes[place] = json!({"name": "away", "redirect": {"uri": "/"}}),
                _ => routes[place]["timeout"] = "9s".into(),
            }
        }
        let change = restore(&live, &rollout, &NAMES);
        prop_assert!(change.is_ok(), "{change:?}");
        let change = change.expect("checked");
        let back = change.applied(&live);
        prop_assert!(back.is_ok(), "{back:?}");
        let back = back.expect("checked");
        let routes = Section::Http.routes(&back);
        let name = |route: &Value| route["name"].as_str().unwrap_or_default().to_owned();
        prop_assert!(!routes.iter().any(|route| own.iter().any(|own| name(own) == name(route))), "{back:#}");
        // Where the canary had nothing, and a route was found, it has nothing again.
        let lost = change.rollout.message.matches("is gone").count();
        let sends = |route: &&Value| {
            let mut list = Section::Http.destinations(route).iter();
            list.any(|one| subject().role(Section::Http, one, &NAMES) == Role::Canary)
        };
        let (now, then) = (routes.iter().filter(sends).count(), Section::Http.routes(&object).iter().filter(sends).count());
        prop_assert!(now <= then + lost, "{lost} {now} {then} {back:#}");
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
        let back = restore(&live, &rollout, &NAMES).expect("a change");
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
        let back = restore(&live, &rollout, &NAMES).expect("a change").applied(&live).expect("it fits");
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

//! Which object and which versions a service's traffic is divided between, and when that is not clear.

use mesh_canary::Refusal;
use mesh_canary::locate::{Place, Wish, candidates, locate, service};
use mesh_core::source::{LoadOptions, Source, load_text};
use mesh_core::{Mesh, MeshBuilder, Settings};

const WORKLOADS: &str = "
apiVersion: v1
kind: Service
metadata: {name: reviews, namespace: shop}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1, namespace: shop}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v2, namespace: shop}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: []}}}
---
";

const RULE: &str = "
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews, namespace: shop}
spec: {host: reviews, subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}, {name: v3, labels: {version: v3}}]}
---
";

fn virtual_service(name: &str, route: &str) -> String {
    format!(
        "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec: {{hosts: [reviews], http: [{{route: {route}}}]}}\n---\n"
    )
}

fn mesh(text: &str) -> Mesh {
    let text = text.into();
    let mut builder = MeshBuilder::new(Settings::default());
    let loaded = load_text(builder.next_source(), "mesh.yaml", &text, &LoadOptions::default());
    builder.add(Source::new("mesh.yaml", text), loaded);
    builder.build()
}

fn find(text: &str, wish: &Wish<'_>) -> Result<Place, Refusal> {
    let mesh = mesh(text);
    let service = service(&mesh, "reviews", "shop")?;
    locate(&mesh, service, wish)
}

fn said(text: &str, wish: &Wish<'_>) -> String {
    match find(text, wish) {
        Ok(place) => {
            let object = place
                .object
                .map_or("none".to_owned(), |object| object.to_string());
            let missing: Vec<_> = place.missing.iter().map(|one| one["name"].to_string()).collect();
            format!(
                "{object}: {} → {} {}",
                place.subject.stable,
                place.subject.canary,
                missing.join(" ")
            )
        }
        Err(refusal) => format!("{refusal} ({})", refusal.hint.as_deref().unwrap_or_default()),
    }
}

const NOTHING: Wish<'static> = Wish {
    stable: None,
    canary: None,
    object: None,
};

#[test]
fn the_versions_are_those_that_routes_rules_or_pods_name() {
    let canary = Wish {
        canary: Some("v2"),
        ..NOTHING
    };
    let both = virtual_service(
        "reviews",
        "[{destination: {host: reviews, subset: v1}, weight: 100}, {destination: {host: reviews, subset: v2}, weight: 0}]",
    );
    let one = virtual_service("reviews", "[{destination: {host: reviews, subset: v1}}]");
    let whole = virtual_service("reviews", "[{destination: {host: reviews}}]");
    let shared = both.replace("100", "50").replace("weight: 0", "weight: 50");
    let none = String::new();
    let cases = [
        ("both routed", &both, RULE, NOTHING),
        ("traffic at both", &shared, RULE, NOTHING),
        ("traffic at both, canary said", &shared, RULE, canary),
        ("one routed, pods know two", &one, "", NOTHING),
        ("one routed, three subsets", &one, RULE, NOTHING),
        ("one routed, three subsets, canary said", &one, RULE, canary),
        ("whole service", &whole, "", canary),
        ("no object", &none, "", canary),
        ("nothing said", &none, "", NOTHING),
        (
            "misspelt",
            &one,
            RULE,
            Wish {
                canary: Some("v22"),
                ..NOTHING
            },
        ),
        (
            "no pods",
            &one,
            RULE,
            Wish {
                canary: Some("v3"),
                ..NOTHING
            },
        ),
        (
            "the same twice",
            &one,
            RULE,
            Wish {
                canary: Some("v1"),
                ..NOTHING
            },
        ),
    ];
    let said: Vec<_> = cases
        .iter()
        .map(|(name, routes, rule, wish)| {
            format!("{name}: {}", said(&format!("{WORKLOADS}{rule}{routes}"), wish))
        })
        .collect();
    insta::assert_snapshot!(said.join("\n").replace(" \n", "\n"), @r#"
    both routed: VirtualService shop/reviews: v1 → v2
    traffic at both: it is not clear which versions are stable and new of `reviews.shop.svc.cluster.local`: there are v1, v2, v3 (name them with `--stable` and `--canary`)
    traffic at both, canary said: VirtualService shop/reviews: v1 → v2
    one routed, pods know two: VirtualService shop/reviews: v1 → v2 "v1" "v2"
    one routed, three subsets: it is not clear which new version is of `reviews.shop.svc.cluster.local`: there are v1, v2, v3 (name them with `--stable` and `--canary`)
    one routed, three subsets, canary said: VirtualService shop/reviews: v1 → v2
    whole service: VirtualService shop/reviews: v1 → v2 "v1" "v2"
    no object: none: v1 → v2 "v1" "v2"
    nothing said: it is not clear which versions are stable and new of `reviews.shop.svc.cluster.local`: there are v1, v2 (name them with `--stable` and `--canary`)
    misspelt: `v22` is no subset, no value of the label `version` of its pods, and no service (did you mean `v2`?)
    no pods: no pods of `reviews.shop.svc.cluster.local` belong to `v3`: none has the labels version=v3 (deploy it first)
    the same twice: `v1` is stable and canary at once (name the new version with `--canary`)
    "#);
}

#[test]
fn subsets_have_names_that_istio_takes() {
    use mesh_canary::rules::subset_name;
    let long = "a".repeat(62);
    for (version, name) in [
        ("v2", "v2"),
        ("v1.2.0", "v1-2-0"),
        ("V1_2-rc.1", "v1-2-rc-1"),
        (&format!("{long}.b"), &long),
    ] {
        assert_eq!(subset_name(version), name);
    }
    let dotted = WORKLOADS.replace("version: v2", "version: v2.0");
    let one = virtual_service("reviews", "[{destination: {host: reviews, subset: v1}}]");
    let wish = |canary| Wish {
        canary: Some(canary),
        ..NOTHING
    };
    let rule = |name: &str, version: &str| {
        RULE.replace(
            "{name: v2, labels: {version: v2}}",
            &format!("{{name: {name}, labels: {{version: {version}}}}}"),
        )
    };
    for (canary, rule, expected) in [
        ("v2.0", String::new(), "v1 → v2-0 \"v1\" \"v2-0\""),
        ("v2-0", String::new(), "v1 → v2-0 \"v1\" \"v2-0\""),
        ("v2.0", rule("v2-0", "v2.0"), "v1 → v2-0 "),
        ("next", rule("next", "v2.0"), "v1 → next "),
    ] {
        let said = said(&format!("{dotted}{rule}{one}"), &wish(canary));
        assert_eq!(
            said,
            format!("VirtualService shop/reviews: {expected}"),
            "{canary}"
        );
    }
    let place = find(&format!("{dotted}{one}"), &wish("v2.0")).expect("a place");
    assert_eq!(place.missing[1]["labels"], serde_json::json!({"version": "v2.0"}));
    let taken = said(&format!("{dotted}{}{one}", rule("v2-0", "v1")), &wish("v2.0"));
    assert!(
        taken.starts_with("the subset of version `v2.0` would be called `v2-0`"),
        "{taken}"
    );
    let third = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: third, namespace: shop}\nspec: {selector: {}, \
                 template: {metadata: {labels: {app: reviews, version: v2-0}}, spec: {containers: []}}}\n---\n";
    let both = said(&format!("{dotted}{third}{one}"), &wish("v2.0"));
    assert!(
        both.starts_with("the subsets of the versions `v2-0` and `v2.0` would all be called `v2-0`"),
        "{both}"
    );
}

#[test]
fn a_rule_that_is_made_takes_over_what_was_in_effect() {
    let route = virtual_service("reviews", "[{destination: {host: reviews, subset: v1}}]");
    let rule = |namespace: &str, name: &str, spec: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {{name: {name}, namespace: {namespace}}}\n\
             spec: {{{spec}}}\n---\n"
        )
    };
    let policy =
        |port: u32| format!("trafficPolicy: {{connectionPool: {{tcp: {{maxConnections: {port}}}}}}}");
    let wide = rule(
        "shop",
        "wide",
        &format!("host: '*.shop.svc.cluster.local', {}", policy(1)),
    );
    let wider = rule("shop", "wider", &format!("host: '*.local', {}", policy(2)));
    let root = rule(
        "istio-system",
        "root",
        &format!("host: reviews.shop.svc.cluster.local, {}", policy(3)),
    );
    let own = rule(
        "shop",
        "own",
        "host: '*.shop.svc.cluster.local', workloadSelector: {matchLabels: {a: b}}",
    );
    let elsewhere = rule(
        "shop",
        "elsewhere",
        "host: '*.shop.svc.cluster.local', exportTo: [other]",
    );
    let some = rule(
        "shop",
        "some",
        &format!("host: '*.shop.svc.cluster.local', exportTo: ['.'], {}", policy(4)),
    );
    let subsets = rule(
        "shop",
        "subsets",
        "host: '*', subsets: [{name: v1, labels: {version: v1}}]",
    );
    let both = rule(
        "shop",
        "both",
        "host: '*', subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]",
    );
    let private = route.replace("spec: {", "spec: {exportTo: [shop], ");
    let made = |text: &str| {
        let mesh = mesh(&format!("{WORKLOADS}{text}"));
        let service = service(&mesh, "reviews", "shop").expect("the service");
        let wish = Wish {
            canary: Some("v2"),
            ..NOTHING
        };
        locate(&mesh, service, &wish).map(|place| {
            if place.missing.is_empty() {
                return "nothing".to_owned();
            }
            let inherited = place.inherited.as_ref();
            let from = inherited.map_or("nobody".to_owned(), |inherited| inherited.from.to_string());
            let made = mesh_canary::rules::new_rule(service, &place.missing, inherited);
            let spec = &made["spec"];
            assert_eq!(spec["host"], "reviews.shop.svc.cluster.local");
            let names: Vec<_> = spec["subsets"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|one| &one["name"])
                .collect();
            assert_eq!(names, ["v1", "v2"]);
            let connections = &spec["trafficPolicy"]["connectionPool"]["tcp"]["maxConnections"];
            format!("{from} {connections} {}", spec["exportTo"])
        })
    };
    let cases = [
        (vec![&route], "nobody null null"),
        (
            vec![&route, &wider, &wide, &root],
            "DestinationRule shop/wide 1 null",
        ),
        (
            vec![&route, &root, &own, &elsewhere],
            "DestinationRule istio-system/root 3 null",
        ),
        (vec![&private, &some], "DestinationRule shop/some 4 [\"shop\"]"),
        (vec![&route, &subsets], "DestinationRule shop/subsets null null"),
        (vec![&route, &both], "nothing"),
    ];
    for (objects, expected) in cases {
        let text: String = objects.into_iter().map(String::as_str).collect();
        assert_eq!(made(&text).as_deref(), Ok(expected), "{text}");
    }
    let refusal = made(&format!("{route}{some}")).expect_err("it is not for all");
    assert_eq!(
        refusal.message,
        "DestinationRule shop/some is what proxies in shop use for the service, and the routes are for others too"
    );
    let same = made(&format!("{route}{}", wide.replace("name: wide", "name: reviews")))
        .expect_err("one of the name");
    assert!(same.message.contains("shop/reviews is one for others"), "{same}");
}

#[test]
fn two_objects_for_a_host_are_refused_unless_one_is_named() {
    let route = "[{destination: {host: reviews, subset: v1}}]";
    let text = format!(
        "{WORKLOADS}{}{}",
        virtual_service("a", route),
        virtual_service("b", route)
    );
    insta::assert_snapshot!(said(&text, &NOTHING), @"several objects route `reviews.shop.svc.cluster.local`: VirtualService shop/a and VirtualService shop/b are for the same host, of which sidecars use one only (join them into one, or name the one to change with `--object NAMESPACE/NAME`)");
    assert!(
        said(
            &text,
            &Wish {
                object: Some("shop/b"),
                ..NOTHING
            }
        )
        .starts_with("VirtualService shop/b: v1")
    );
    assert!(
        said(
            &text,
            &Wish {
                object: Some("c"),
                ..NOTHING
            }
        )
        .starts_with("no VirtualService or route of the Gateway API `c`")
    );
}

#[test]
fn services_of_an_http_route_are_versions() {
    let text = format!(
        "{WORKLOADS}apiVersion: v1\nkind: Service\nmetadata: {{name: reviews-next, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n---\n\
         apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {{name: reviews, namespace: shop}}\n\
         spec: {{parentRefs: [{{kind: Service, group: '', name: reviews}}], rules: [{{backendRefs: [{{name: reviews, port: 80}}]}}]}}\n"
    );
    let wish = Wish {
        canary: Some("reviews-next"),
        ..NOTHING
    };
    assert_eq!(
        said(&text, &wish),
        "HTTPRoute shop/reviews: reviews.shop → reviews-next.shop "
    );
}

#[test]
fn an_object_is_for_a_service_that_it_sends_elsewhere() {
    let services = ["v1", "v2"].map(|version| {
        format!("apiVersion: v1\nkind: Service\nmetadata: {{name: reviews-{version}, namespace: shop}}\nspec: {{ports: [{{port: 80}}]}}\n---\n")
    });
    let backends = "[{name: reviews-v1, port: 80, weight: 1}, {name: reviews-v2, port: 80, weight: 0}]";
    for (kind, version) in [
        ("HTTPRoute", "v1"),
        ("GRPCRoute", "v1"),
        ("TCPRoute", "v1alpha2"),
        ("TLSRoute", "v1alpha2"),
    ] {
        let text = format!(
            "{WORKLOADS}{}apiVersion: gateway.networking.k8s.io/{version}\nkind: {kind}\nmetadata: {{name: books, namespace: shop}}\n\
             spec: {{parentRefs: [{{kind: Service, group: '', name: reviews}}], rules: [{{backendRefs: {backends}}}]}}\n",
            services.concat()
        );
        assert_eq!(
            said(&text, &NOTHING),
            format!("{kind} shop/books: reviews-v1.shop → reviews-v2.shop ")
        );
    }
    let route = virtual_service(
        "reviews",
        "[{destination: {host: reviews-v1}, weight: 100}, {destination: {host: reviews-v2}, weight: 0}]",
    );
    assert_eq!(
        said(&format!("{WORKLOADS}{}{route}", services.concat()), &NOTHING),
        "VirtualService shop/reviews: reviews-v1.shop → reviews-v2.shop "
    );
}

#[test]
fn a_service_is_found_by_its_names_and_is_a_candidate_with_two_versions() {
    let mesh = mesh(WORKLOADS);
    for name in ["reviews", "reviews.shop", "reviews.shop.svc.cluster.local"] {
        assert!(service(&mesh, name, "shop").is_ok(), "{name}");
    }
    let refusal = service(&mesh, "review", "shop").expect_err("no such service");
    assert_eq!(refusal.hint.as_deref(), Some("did you mean `reviews`?"));
    let names: Vec<_> = candidates(&mesh, "shop")
        .iter()
        .map(|service| service.header().name())
        .collect();
    assert_eq!(names, ["reviews"]);
}

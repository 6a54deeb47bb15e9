//! `meshctl canary` on files: routes in a repository, and plans.

use serde_json::json;

use crate::harness::Project;

#[test]
fn files_are_edited_and_keep_their_comments() {
    let project = Project::new()
        .file(
            "mesh/reviews.yaml",
            "\
# The service.
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v1}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v1}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-v2}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v2}}, spec: {containers: []}}}
",
        )
        .file(
            "mesh/routes.yaml",
            "\
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: reviews
spec:
  hosts: [reviews]
  http:
  - timeout: 3s # more is of no use
    route:
    # All but nothing.
    - destination: {host: reviews, subset: v1}
      weight: 100 # of them
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: reviews
spec:
  host: reviews
  subsets:
  - name: v1 # stable
    labels: {version: v1}
",
        );
    let shift = ["canary", "shift", "10%", "--files", "mesh", "--canary", "v2"];
    let dry = project.run(shift.into_iter().chain(["--dry-run"]));
    let output = project.run(shift);
    assert_eq!((dry.status, output.status), (Some(0), Some(0)), "{dry}{output}");
    insta::assert_snapshot!(dry.stdout, @r#"
    --- mesh/routes.yaml
    +++ mesh/routes.yaml
    @@ -9,7 +9,11 @@
         route:
         # All but nothing.
         - destination: {host: reviews, subset: v1}
    -      weight: 100 # of them
    +      weight: 90 # of them
    +    - destination:
    +        host: reviews
    +        subset: v2
    +      weight: 10
     ---
     apiVersion: networking.istio.io/v1
     kind: DestinationRule
    @@ -20,3 +24,6 @@
       subsets:
       - name: v1 # stable
         labels: {version: v1}
    +  - name: v2
    +    labels:
    +      version: v2
    "#);
    let text = fs_err::read_to_string(project.path().join("mesh/routes.yaml")).expect("the file");
    assert!(text.contains("weight: 90 # of them"), "{text}");
    let more = [
        "canary", "shift", "+15%", "--files", "mesh", "--canary", "v2", "-o", "json",
    ];
    let dry = project.run(more.into_iter().chain(["--dry-run"])).json();
    assert_eq!(
        (&dry["event"], &dry["object"]),
        (&json!("diff"), &json!("mesh/routes.yaml"))
    );
    assert!(dry["diff"].to_string().contains("weight: 75 # of them"), "{dry}");
    let more = project.run(more);
    assert_eq!(more.status, Some(0), "{more}");
    assert_eq!(more.json(), json!({"event": "wrote", "file": "mesh/routes.yaml"}));
    let text = fs_err::read_to_string(project.path().join("mesh/routes.yaml")).expect("the file");
    assert!(
        text.contains("weight: 75 # of them") && text.contains("weight: 25"),
        "{text}"
    );
    assert!(!text.contains("annotations"), "{text}");
}

/// A service with versions that are no names of subsets.
const DOTTED: &str = "\
apiVersion: v1
kind: Service
metadata: {name: reviews}
spec: {selector: {app: reviews}, ports: [{name: http, port: 80}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-one}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: v1.0.0}}, spec: {containers: []}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: reviews-two}
spec: {selector: {}, template: {metadata: {labels: {app: reviews, version: V1.1.0}}, spec: {containers: []}}}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: reviews}
spec:
  host: reviews
  subsets: # of it
  - {name: v1-0-0, labels: {version: v1.0.0}}
";

#[test]
fn files_get_only_what_the_mesh_takes() {
    let routes = |route: &str| {
        format!(
            "apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {{name: reviews}}\nspec:\n  hosts: [reviews]\n  \
             http:\n{route}"
        )
    };
    let route = "  - route: # all\n    - destination: {host: reviews, subset: v1-0-0}\n";
    let project = Project::new()
        .file("mesh/reviews.yaml", DOTTED)
        .file("mesh/routes.yaml", routes(route));
    let read = |name: &str| fs_err::read_to_string(project.path().join("mesh").join(name)).expect("the file");
    let shift = |args: &[&str]| {
        project.run(
            ["canary", "shift", "--files", "mesh"]
                .into_iter()
                .chain(args.iter().copied()),
        )
    };
    // The subset has a name that Istio takes, and the label of the pods.
    let output = shift(&["10%", "--canary=V1.1.0"]);
    assert_eq!(output.status, Some(0), "{output}");
    assert!(
        read("routes.yaml").contains("        subset: v1-1-0\n      weight: 10\n"),
        "{}",
        read("routes.yaml")
    );
    let rule = read("reviews.yaml");
    assert!(
        rule.contains("  - name: v1-1-0\n    labels:\n      version: V1.1.0\n"),
        "{rule}"
    );
    for canary in ["V1.1.0", "v1-1-0"] {
        let output = shift(&["+5%", "--stable=v1.0.0", &format!("--canary={canary}")]);
        assert_eq!(output.status, Some(0), "{output}");
    }
    assert_eq!(read("reviews.yaml"), rule);

    // What `analyze` has against it is not written.
    fs_err::write(project.path().join("mesh/routes.yaml"), routes(route)).expect("the file");
    let broken = rule.replace("host: reviews\n", "host: reviews\n  exportTo: [other]\n");
    fs_err::write(project.path().join("mesh/reviews.yaml"), &broken).expect("the file");
    let before = (read("routes.yaml"), read("reviews.yaml"));
    let output = shift(&["10%", "--canary=v1-1-0"]);
    assert_eq!(output.status, Some(2), "{output}");
    assert!(
        output
            .stderr
            .contains("with this change there would be new errors"),
        "{output}"
    );
    assert_eq!((read("routes.yaml"), read("reviews.yaml")), before);

    // Nor is what would cost the comments.
    let anchored = "  - &first\n    route: # all\n    - destination: &v1 {host: reviews, subset: v1-0-0}\n      weight: 100\n  - <<: *first\n    name: b\n";
    fs_err::write(project.path().join("mesh/routes.yaml"), routes(anchored)).expect("the file");
    fs_err::write(project.path().join("mesh/reviews.yaml"), &rule).expect("the file");
    let before = read("routes.yaml");
    let output = shift(&["10%", "--canary=v1-1-0"]);
    assert_eq!(output.status, Some(2), "{output}");
    let message = "VirtualService default/reviews in `mesh/routes.yaml` is written with anchors or merge keys, so its \
                   comments could not be kept";
    assert!(output.stderr.contains(message), "{output}");
    assert_eq!(read("routes.yaml"), before);
}

#[test]
fn mistakes_in_a_plan_are_shown_where_they_are() {
    let project = Project::new().file(
        "canary.yaml",
        "steps: [5, 10]\nintervall: 1m\nlimits:\n  p99: fast\n",
    );
    insta::assert_snapshot!(project.run(["canary", "run", "--plan", "canary.yaml"]), @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: unknown key `intervall`
       ,-[canary.yaml:2:1]
     1 | steps: [5, 10]
     2 | intervall: 1m
       : ^^^^^^^^^
     3 | limits:
       `----
      hint: did you mean `interval`?
    error: `p99` must be a duration above zero, such as `30s` or `500ms`
       ,-[canary.yaml:4:8]
     3 | limits:
     4 |   p99: fast
       :        ^^^^
       `----
    "#);
}

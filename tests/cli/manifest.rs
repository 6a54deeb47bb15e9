//! `meshctl manifest` and `meshctl profile`.

use serde_json::Value;

use crate::harness::{Output, Project};

const MESH: &str = "\
apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  profile: demo
  components:
    pilot:
      k8s:
        replicaCount: 2
  values:
    global:
      proxy:
        logLevel: debug
";

fn done(output: Output) -> String {
    assert_eq!((output.status, &*output.stderr), (Some(0), ""), "{output:?}");
    output.stdout
}

fn objects(text: &str) -> Vec<Value> {
    let documents = mesh_yaml::parse(&text.into());
    documents
        .into_iter()
        .map(|document| document.expect("YAML").root().to_json())
        .collect()
}

#[test]
fn objects_are_printed_as_documents_or_as_a_list() {
    let project = Project::new().file("mesh.yaml", MESH);
    let yaml = done(project.run(["manifest", "generate", "-f", "mesh.yaml"]));
    let json = done(project.run(["manifest", "generate", "-f", "mesh.yaml", "-o", "json"]));
    let list: Value = serde_json::from_str(&json).expect("JSON");
    let all = objects(&yaml);
    assert_eq!(list["items"].as_array(), Some(&all));
    let istiod = all
        .iter()
        .find(|object| object["kind"] == "Deployment")
        .expect("istiod");
    assert_eq!(istiod["spec"]["replicas"], 2);

    let some = done(project.run([
        "manifest",
        "generate",
        "--profile=ambient",
        "-c",
        "cni",
        "-c",
        "ztunnel",
    ]));
    let labels: std::collections::BTreeSet<String> = objects(&some)
        .iter()
        .map(|object| object["metadata"]["labels"]["operator.istio.io/component"].to_string())
        .collect();
    assert_eq!(labels.into_iter().collect::<Vec<_>>(), ["\"Cni\"", "\"Ztunnel\""]);

    let nothing = project.run(["manifest", "generate", "--profile=empty"]);
    assert_eq!((nothing.status, &*nothing.stdout), (Some(0), ""));
    assert_eq!(nothing.stderr, "note: nothing is installed\n");
}

#[test]
fn everything_that_is_wrong_is_told_with_its_place() {
    let project = Project::new().file(
        "mesh.yaml",
        "profile: demo\nvalues:\n  globall: {}\n  pilot: {image: 5}\n",
    );
    let output = project.run([
        "manifest",
        "generate",
        "-f",
        "mesh.yaml",
        "--set",
        "meshConfig.accessLogFil=x",
    ]);
    insta::assert_snapshot!(output, @r#"
    status: 2
    -- stdout --
    -- stderr --
    error: unknown field `globall`
       ,-[mesh.yaml:3:3]
     2 | values:
     3 |   globall: {}
       :   ^^^^^^^
     4 |   pilot: {image: 5}
       `----
      hint: did you mean `values.global`?
    error: `values.pilot.image`: expected a string, found the integer `5`
       ,-[mesh.yaml:4:18]
     3 |   globall: {}
     4 |   pilot: {image: 5}
       :                  ^
       `----
      hint: quote it: "5"
    error: unknown field `meshConfig.accessLogFil`
       ,-[--set:1:12]
     1 | meshConfig.accessLogFil=x
       :            ^^^^^^^^^^^^
       `----
      hint: did you mean `meshConfig.accessLogFile`?
    "#);
}

#[test]
fn manifests_are_compared_by_object() {
    let project = Project::new();
    let old = done(project.run(["manifest", "generate", "--profile=minimal"]));
    let project = project.file("old.yaml", &old);
    let mut reversed = objects(&old);
    reversed.reverse();
    let reversed = serde_json::json!({"apiVersion": "v1", "kind": "List", "items": reversed}).to_string();
    let project = project.file("new.json", reversed);
    let same = project.run(["manifest", "diff", "old.yaml", "new.json"]);
    assert_eq!((same.status, &*same.stdout), (Some(0), ""), "{same:?}");
    let same = project.run(["manifest", "diff", "old.yaml", "--profile=minimal"]);
    assert_eq!((same.status, &*same.stdout), (Some(0), ""), "{same:?}");
    let differs = project.run([
        "manifest",
        "diff",
        "old.yaml",
        "--profile=minimal",
        "--set",
        "values.pilot.autoscaleMax=7",
    ]);
    assert_eq!(differs.status, Some(1), "{differs:?}");
    let changed: Vec<_> = differs
        .stdout
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    let header = "--- old.yaml HorizontalPodAutoscaler istio-system/istiod";
    assert!(changed.contains(&header), "{changed:#?}");
    assert!(
        changed.contains(&"-  maxReplicas: 5") && changed.contains(&"+  maxReplicas: 7"),
        "{changed:#?}"
    );
}

#[test]
fn profiles_are_listed_dumped_and_compared() {
    let project = Project::new();
    let list: Value =
        serde_json::from_str(&done(project.run(["profile", "list", "-o", "json"]))).expect("JSON");
    let names: Vec<_> = list["profiles"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|profile| &profile["name"])
        .collect();
    assert_eq!(
        names,
        [
            "ambient",
            "default",
            "demo",
            "empty",
            "minimal",
            "openshift",
            "openshift-ambient",
            "preview",
            "remote",
            "stable"
        ]
    );
    let text = done(project.run(["profile", "list"]));
    assert!(
        text.contains("demo               Pilot, IngressGateways, EgressGateways"),
        "{text}"
    );

    let schema = fs_err::read_to_string("schemas/json/meshcontrolplane.schema.json").expect("a schema");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    for name in names {
        let name = name.as_str().expect("text");
        let dump = done(project.run(["profile", "dump", name]));
        let object = objects(&dump).remove(0);
        let wrong: Vec<_> = schema
            .iter_errors(&object)
            .map(|error| error.to_string())
            .collect();
        assert_eq!(wrong, [""; 0], "{name}");
        // What is dumped means the same.
        let project = Project::new().file("dump.yaml", dump);
        let again = project.run(["manifest", "generate", "-f", "dump.yaml"]);
        let direct = project.run(["manifest", "generate", "--profile", name]);
        assert!(again == direct, "{name}: {}", again.stderr);
    }
    let differ = project.run(["profile", "diff", "default", "minimal"]);
    assert_eq!(differ.status, Some(1), "{differ:?}");
    assert!(
        differ.stdout.contains("-    name: istio-ingressgateway"),
        "{}",
        differ.stdout
    );
    let same = project.run(["profile", "diff", "demo", "demo"]);
    assert_eq!((same.status, &*same.stdout), (Some(0), ""), "{same:?}");
}

//! Synthetic meshes of any size, for tests and measurements.

mod config_dump;

pub use config_dump::config_dump;

use std::fmt::Write as _;

/// How many services share a namespace.
const NAMESPACE_SIZE: usize = 50;

/// The files of a mesh of `services` services: name and text of each.
///
/// Every service has a Service, a Deployment, a VirtualService, a DestinationRule and an AuthorizationPolicy in a file
/// of its own, about 1.9 kB. There is nothing to find in them.
pub fn mesh(services: usize) -> impl Iterator<Item = (String, String)> {
    (0..services).map(move |index| (format!("service-{index:05}.yaml"), service(index, services)))
}

/// The documents of one service.
fn service(index: usize, services: usize) -> String {
    let name = format!("service-{index:05}");
    let namespace = format!("team-{:03}", index / NAMESPACE_SIZE);
    // Each service is called by its neighbour.
    let caller = (index + 1) % services.max(1);
    let caller = format!(
        "cluster.local/ns/team-{:03}/sa/service-{caller:05}",
        caller / NAMESPACE_SIZE
    );
    let mut text = String::with_capacity(2_000);
    write!(
        text,
        r#"apiVersion: v1
kind: Service
metadata:
  name: {name}
  namespace: {namespace}
  labels:
    app: {name}
spec:
  selector:
    app: {name}
  ports:
  - name: http
    port: 80
    targetPort: 8080
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: 2
  selector:
    matchLabels:
      app: {name}
  template:
    metadata:
      labels:
        app: {name}
        version: v1
    spec:
      serviceAccountName: {name}
      containers:
      - name: app
        image: registry.example/{name}:1.4.2
        ports:
        - containerPort: 8080
        resources:
          requests:
            cpu: 100m
            memory: 128Mi
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: {name}
  namespace: {namespace}
spec:
  hosts:
  - {name}
  http:
  - name: versioned
    match:
    - uri:
        prefix: /v1/
      headers:
        x-canary:
          exact: "true"
    route:
    - destination:
        host: {name}
        subset: v1
    timeout: 2s
  - route:
    - destination:
        host: {name}
        subset: v1
        port:
          number: 80
    retries:
      attempts: 3
      perTryTimeout: 500ms
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata:
  name: {name}
  namespace: {namespace}
spec:
  host: {name}.{namespace}.svc.cluster.local
  trafficPolicy:
    connectionPool:
      http:
        http2MaxRequests: 100
    outlierDetection:
      consecutive5xxErrors: 5
      interval: 30s
  subsets:
  - name: v1
    labels:
      version: v1
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: {name}
  namespace: {namespace}
spec:
  selector:
    matchLabels:
      app: {name}
  action: ALLOW
  rules:
  - from:
    - source:
        principals:
        - {caller}
    to:
    - operation:
        methods: [GET, POST]
---
"#
    )
    .expect("writing to a string cannot fail");
    text
}

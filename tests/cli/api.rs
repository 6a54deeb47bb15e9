//! An API server for what a real one cannot be made to do: hang, fail, cut answers off.
//!
//! It serves objects from YAML over plain HTTP, pages included, and knows nothing else of Kubernetes. It ends with the
//! process.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use mesh_core::Kind;
use serde_json::{Value, json};

/// What to do instead of answering.
#[derive(Clone)]
pub(crate) enum Fault {
    /// Never answer.
    Hang,
    /// Answer with a status, extra headers and a body.
    Status(u16, &'static str, String),
    /// Promise a whole body and send half of it.
    HalfABody,
}

/// Decides on a fault by path with query, and how often that path was asked for before.
type Plan = Box<dyn Fn(&str, usize) -> Option<Fault> + Send + Sync>;

pub(crate) struct Api {
    address: String,
    state: Arc<State>,
}

struct State {
    /// By path of the list, such as `/api/v1/services`.
    lists: BTreeMap<String, Vec<Value>>,
    plan: Plan,
    /// Whether discovery comes in one answer.
    is_aggregated: bool,
    requests: Mutex<Vec<String>>,
}

impl Api {
    /// Serves the objects of some YAML.
    pub(crate) fn serve(yaml: &str) -> Self {
        Self::faulty(yaml, |_, _| None)
    }

    /// As [`Api::serve`], with a plan of what goes wrong.
    pub(crate) fn faulty(
        yaml: &str,
        plan: impl Fn(&str, usize) -> Option<Fault> + Send + Sync + 'static,
    ) -> Self {
        Self::start(yaml, Box::new(plan), true)
    }

    /// As [`Api::serve`], as servers before Kubernetes 1.26 do it.
    pub(crate) fn old(yaml: &str) -> Self {
        Self::start(yaml, Box::new(|_, _| None), false)
    }

    fn start(yaml: &str, plan: Plan, is_aggregated: bool) -> Self {
        let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        for document in mesh_yaml::parse(&yaml.into()) {
            let mut object = document.expect("YAML").root().to_json();
            if object.is_null() {
                continue;
            }
            let text = |key: &str| object[key].as_str().expect("an object").to_owned();
            let (api_version, kind) = (text("apiVersion"), text("kind"));
            let kind = Kind::from_api(&api_version, &kind).expect("a known kind");
            if kind.info().namespaced && object["metadata"]["namespace"].is_null() {
                object["metadata"]["namespace"] = "default".into();
            }
            let list = format!("{}/{}", root(&api_version), kind.info().plural);
            lists.entry(list).or_default().push(object);
        }
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        let state = Arc::new(State {
            lists,
            plan,
            is_aggregated,
            requests: Mutex::default(),
        });
        let shared = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let state = Arc::clone(&shared);
                std::thread::spawn(move || state.converse(stream));
            }
        });
        Self { address, state }
    }

    /// A kubeconfig that leads here.
    pub(crate) fn kubeconfig(&self) -> String {
        kubeconfig(&format!("http://{}", self.address))
    }

    /// Method and path of all requests so far.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.state.requests.lock().expect("no panics").clone()
    }
}

/// A kubeconfig with one context, `test`.
pub(crate) fn kubeconfig(server: &str) -> String {
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "test",
        "contexts": [{ "name": "test", "context": { "cluster": "test", "user": "test" } }],
        "clusters": [{ "name": "test", "cluster": { "server": server } }],
        "users": [{ "name": "test", "user": { "token": "secret" } }],
    })
    .to_string()
}

fn root(api_version: &str) -> String {
    if api_version.contains('/') {
        format!("/apis/{api_version}")
    } else {
        format!("/api/{api_version}")
    }
}

impl State {
    fn converse(&self, stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().expect("a second handle"));
        let mut writer = stream;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            let mut header = String::new();
            let mut length = 0;
            while reader.read_line(&mut header).is_ok() && !header.trim().is_empty() {
                if let Some((name, value)) = header.split_once(':')
                    && name.eq_ignore_ascii_case("content-length")
                {
                    length = value.trim().parse().unwrap_or(0);
                }
                header.clear();
            }
            // What is asked does not change the answer.
            let _ = std::io::copy(&mut reader.by_ref().take(length), &mut std::io::sink());
            let path = line.split(' ').nth(1).expect("a path").to_owned();
            let before = {
                let mut requests = self.requests.lock().expect("no panics");
                let before = requests.iter().filter(|request| **request == path).count();
                requests.push(path.clone());
                before
            };
            let (status, headers, body) = match (self.plan)(&path, before) {
                None => self.answer(&path),
                Some(Fault::Status(status, headers, body)) => (status, headers, body),
                Some(Fault::Hang) => {
                    std::thread::sleep(Duration::from_mins(5));
                    return;
                }
                Some(Fault::HalfABody) => {
                    let (_, _, body) = self.answer(&path);
                    let half = &body[..body.len() / 2];
                    let _ = write!(
                        writer,
                        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{half}",
                        body.len()
                    );
                    return;
                }
            };
            let length = body.len();
            let head = format!(
                "HTTP/1.1 {status} Status\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n"
            );
            // Whoever asked may have gone away.
            if writer.write_all(head.as_bytes()).is_err() || writer.write_all(body.as_bytes()).is_err() {
                return;
            }
        }
    }

    fn answer(&self, uri: &str) -> (u16, &'static str, String) {
        let (path, query) = uri.split_once('?').unwrap_or((uri, ""));
        if path == "/apis" {
            return (200, "", self.groups().to_string());
        }
        if let Some(items) = self.lists.get(path) {
            let parameter = |name: &str| {
                let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
                pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
            };
            let number = |name: &str| parameter(name).and_then(|value| value.parse().ok());
            let from: usize = number("continue").unwrap_or(0);
            let to = from
                .saturating_add(number("limit").unwrap_or(usize::MAX))
                .min(items.len());
            let token = if to < items.len() {
                to.to_string()
            } else {
                String::new()
            };
            let list = json!({
                "kind": "List",
                "metadata": { "resourceVersion": "1", "continue": token },
                "items": items[from..to],
            });
            return (200, "", list.to_string());
        }
        if let Some(resources) = self.resources(path) {
            return (200, "", resources.to_string());
        }
        match self.object(path) {
            Some(object) => (200, "", object.to_string()),
            None => (404, "", status("not found")),
        }
    }

    /// `/api/v1/namespaces/NAMESPACE/PLURAL/NAME`
    fn object(&self, path: &str) -> Option<&Value> {
        let (root, rest) = path.split_once("/namespaces/")?;
        let [namespace, plural, name] = rest.split('/').collect::<Vec<_>>().try_into().ok()?;
        self.lists
            .get(&format!("{root}/{plural}"))?
            .iter()
            .find(|object| object["metadata"]["namespace"] == namespace && object["metadata"]["name"] == name)
    }

    /// Group, version and plural of what is served.
    fn kinds(&self) -> impl Iterator<Item = (&str, &str, &str)> {
        self.lists.keys().filter_map(|path| {
            let [group, version, plural] = path
                .strip_prefix("/apis/")?
                .split('/')
                .collect::<Vec<_>>()
                .try_into()
                .ok()?;
            Some((group, version, plural))
        })
    }

    fn groups(&self) -> Value {
        let mut groups: BTreeMap<&str, BTreeMap<&str, Vec<Value>>> = BTreeMap::new();
        for (group, version, plural) in self.kinds() {
            let versions = groups.entry(group).or_default();
            versions
                .entry(version)
                .or_default()
                .push(json!({ "resource": plural }));
        }
        if self.is_aggregated {
            let items: Vec<_> = groups
                .into_iter()
                .map(|(group, versions)| {
                    let versions: Vec<_> = versions
                        .into_iter()
                        .map(|(version, resources)| json!({ "version": version, "resources": resources }))
                        .collect();
                    json!({ "metadata": { "name": group }, "versions": versions })
                })
                .collect();
            return json!({ "kind": "APIGroupDiscoveryList", "items": items });
        }
        let groups: Vec<_> = groups
            .into_iter()
            .map(|(group, versions)| {
                let versions: Vec<_> = versions
                    .into_keys()
                    .map(
                        |version| json!({ "groupVersion": format!("{group}/{version}"), "version": version }),
                    )
                    .collect();
                json!({ "name": group, "versions": versions })
            })
            .collect();
        json!({ "kind": "APIGroupList", "groups": groups })
    }

    fn resources(&self, path: &str) -> Option<Value> {
        let [group, version]: [&str; 2] = path
            .strip_prefix("/apis/")?
            .split('/')
            .collect::<Vec<_>>()
            .try_into()
            .ok()?;
        let resources: Vec<_> = self
            .kinds()
            .filter(|(a, b, _)| (*a, *b) == (group, version))
            .map(|(_, _, plural)| json!({ "name": plural }))
            .collect();
        (!resources.is_empty()).then(|| json!({ "kind": "APIResourceList", "resources": resources }))
    }
}

/// A Kubernetes `Status`.
pub(crate) fn status(message: &str) -> String {
    json!({ "kind": "Status", "status": "Failure", "message": message }).to_string()
}

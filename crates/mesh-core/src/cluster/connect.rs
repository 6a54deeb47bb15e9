//! Finding a cluster, as kubectl does.

use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use kube::config::{KubeConfigOptions, Kubeconfig, KubeconfigError};
use kube::{Client, Config};

use super::error::{ClusterError, ErrorKind, chain};

/// Which cluster, and as whom.
#[derive(Clone, Debug)]
pub struct ConnectOptions {
    /// The kubeconfig file; unset means `$KUBECONFIG`, then `~/.kube/config`, then the ServiceAccount of the pod that
    /// this runs in.
    pub kubeconfig: Option<PathBuf>,
    /// The context; unset means the kubeconfig's current one.
    pub context: Option<String>,
    /// Act as somebody else.
    pub impersonate: Impersonate,
    /// How long one request may take, from sending it to the end of its answer.
    pub request_timeout: Duration,
}

impl Default for ConnectOptions {
    /// As kubectl finds it, with 15 seconds a request.
    fn default() -> Self {
        Self {
            kubeconfig: None,
            context: None,
            impersonate: Impersonate::default(),
            request_timeout: Duration::from_secs(15),
        }
    }
}

/// Whom to act as: Kubernetes user impersonation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Impersonate {
    /// A user, or a ServiceAccount as `system:serviceaccount:NAMESPACE:NAME`.
    pub user: Option<String>,
    /// Groups of the user.
    pub groups: Vec<String>,
    /// The user's UID.
    pub uid: Option<String>,
}

/// A connection to one cluster; cheap to clone.
///
/// Connecting sends nothing: whether the server answers shows with the first request.
#[derive(Clone)]
pub struct Cluster {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    name: String,
    server: String,
    request_timeout: Duration,
}

impl std::fmt::Debug for Cluster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Cluster")
            .field("name", &self.inner.name)
            .field("server", &self.inner.server)
            .finish_non_exhaustive()
    }
}

impl Cluster {
    /// Reads the configuration and prepares a client. Must be called in a Tokio runtime.
    ///
    /// # Errors
    ///
    /// No usable configuration, or credentials that cannot be made.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, ClusterError> {
        let (mut config, name) = configuration(options).await?;
        config.connect_timeout = Some(options.request_timeout);
        // Longer than the deadline of a request, which can say better what happened.
        config.read_timeout = Some(options.request_timeout.saturating_add(Duration::from_secs(5)));
        config.write_timeout = Some(options.request_timeout);
        // Reads repeat themselves within their own deadline; see `read`.
        config.default_retry = false;
        impersonate(&mut config, &options.impersonate)?;
        let server = config.cluster_url.to_string().trim_end_matches('/').to_owned();
        let client = Client::try_from(config)
            .map_err(|error| ClusterError::from_kube(&error, "the configuration", &server))?;
        Ok(Self {
            inner: Arc::new(Inner {
                client,
                name,
                server,
                request_timeout: options.request_timeout,
            }),
        })
    }

    /// The client for what this type does not do itself.
    pub fn client(&self) -> Client {
        self.inner.client.clone()
    }

    /// What the user calls the cluster: the name of the context, or `in-cluster`.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// The address of the API server.
    pub fn server(&self) -> &str {
        &self.inner.server
    }

    /// The namespace of the context; `default` if it names none.
    pub fn namespace(&self) -> &str {
        self.inner.client.default_namespace()
    }

    /// How long one request may take.
    pub fn request_timeout(&self) -> Duration {
        self.inner.request_timeout
    }

    /// Puts an error of the client library in the user's words. `what` names what was asked for.
    pub fn error(&self, error: &kube::Error, what: &str) -> ClusterError {
        ClusterError::from_kube(error, what, self.server())
    }
}

/// The client's configuration and the name of the cluster.
async fn configuration(options: &ConnectOptions) -> Result<(Config, String), ClusterError> {
    let kubeconfig = match &options.kubeconfig {
        Some(path) => Some(Kubeconfig::read_from(path)),
        None => from_environment(),
    };
    match kubeconfig {
        Some(kubeconfig) => {
            let kubeconfig = kubeconfig.map_err(|error| broken(&error))?;
            let name = options
                .context
                .clone()
                .or_else(|| kubeconfig.current_context.clone())
                .unwrap_or_default();
            let contexts: Vec<_> = kubeconfig
                .contexts
                .iter()
                .map(|context| context.name.clone())
                .collect();
            if name.is_empty() {
                return Err(ClusterError::new(
                    ErrorKind::Configuration,
                    "the kubeconfig has no current context",
                )
                .hinted(known_contexts(&contexts)));
            }
            if !contexts.contains(&name) {
                return Err(ClusterError::new(
                    ErrorKind::Configuration,
                    format!("the kubeconfig has no context `{name}`"),
                )
                .hinted(known_contexts(&contexts)));
            }
            let choice = KubeConfigOptions {
                context: Some(name.clone()),
                ..KubeConfigOptions::default()
            };
            let has_own_proxy = names_proxy(&kubeconfig, &name);
            let mut config = Config::from_custom_kubeconfig(kubeconfig, &choice)
                .await
                .map_err(|error| broken(&error))?;
            if !has_own_proxy && bypasses_proxy(&config.cluster_url, &no_proxy()) {
                config.proxy_url = None;
            }
            Ok((config, name))
        }
        None => match Config::incluster() {
            Ok(config) if options.context.is_none() => Ok((config, "in-cluster".to_owned())),
            _ => Err(ClusterError::new(
                ErrorKind::Configuration,
                "no cluster is configured: there is no kubeconfig",
            )
            .hinted("name one with `--kubeconfig FILE` or `KUBECONFIG`")),
        },
    }
}

/// The files that `$KUBECONFIG` lists, else `~/.kube/config`; `None` if there is none. As with kubectl, listed files
/// that do not exist count as empty.
fn from_environment() -> Option<Result<Kubeconfig, KubeconfigError>> {
    let listed: Vec<PathBuf> = match std::env::var_os("KUBECONFIG").filter(|value| !value.is_empty()) {
        Some(value) => std::env::split_paths(&value).collect(),
        None => std::env::home_dir()
            .map(|home| home.join(".kube").join("config"))
            .into_iter()
            .collect(),
    };
    listed
        .iter()
        .filter(|path| path.exists())
        .map(Kubeconfig::read_from)
        .reduce(|merged, next| merged?.merge(next?))
}

/// Whether the context's cluster has a `proxy-url`, which always counts.
fn names_proxy(kubeconfig: &Kubeconfig, context: &str) -> bool {
    let cluster = kubeconfig
        .contexts
        .iter()
        .find(|named| named.name == context)
        .and_then(|named| named.context.as_ref())
        .map(|context| context.cluster.as_str());
    kubeconfig
        .clusters
        .iter()
        .filter(|named| Some(named.name.as_str()) == cluster)
        .filter_map(|named| named.cluster.as_ref()?.proxy_url.as_deref())
        .any(|url| !url.is_empty())
}

fn no_proxy() -> String {
    ["NO_PROXY", "no_proxy"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
        .unwrap_or_default()
}

/// Whether a proxy from the environment is not used for `server`.
///
/// The rules are those of Go's `httpproxy`, which kubectl follows: this machine is never reached through a proxy;
/// `except` (`NO_PROXY`) lists addresses, CIDR blocks, and domains that also cover their subdomains (`.example.com`
/// covers only those), each with an optional port; `*` covers everything.
fn bypasses_proxy(server: &http::Uri, except: &str) -> bool {
    let Some(host) = server.host() else { return false };
    let host = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .to_ascii_lowercase();
    let port = server
        .port_u16()
        .unwrap_or(if server.scheme_str() == Some("http") {
            80
        } else {
            443
        });
    let address: Option<IpAddr> = host.parse().ok();
    if host == "localhost" || address.is_some_and(|address| address.is_loopback()) {
        return true;
    }
    except.split(',').map(str::trim).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let (Some(address), Ok(block)) = (address, entry.parse::<ipnet::IpNet>()) {
            return block.contains(&address);
        }
        let (name, entry_port) = split_port(entry);
        if entry_port.is_some_and(|entry_port| entry_port != port) || name.is_empty() {
            return false;
        }
        let name = name.to_ascii_lowercase();
        match (address, name.parse::<IpAddr>()) {
            (Some(address), Ok(excepted)) => address == excepted,
            (None, Err(_)) => {
                let suffix = name.strip_prefix('*').unwrap_or(&name);
                match suffix.strip_prefix('.') {
                    Some(_) => host.ends_with(suffix),
                    None => host == suffix || host.ends_with(&format!(".{suffix}")),
                }
            }
            _ => false,
        }
    })
}

/// `example.com:8443` and `[fd00::1]:8443` in two parts; the address `fd00::1` has no port.
fn split_port(entry: &str) -> (&str, Option<u16>) {
    let bare = |name: &'_ str| name.len() - name.trim_start_matches('[').len();
    if let Some((name, port)) = entry.rsplit_once(':')
        && let Ok(port) = port.parse()
        && (!name.contains(':') || name.ends_with(']'))
    {
        return (name[bare(name)..].trim_end_matches(']'), Some(port));
    }
    (entry[bare(entry)..].trim_end_matches(']'), None)
}

fn broken(error: &KubeconfigError) -> ClusterError {
    let message = match error {
        KubeconfigError::ReadConfig(error, path) => {
            format!("cannot read the kubeconfig `{}`: {error}", path.display())
        }
        error => format!("the kubeconfig cannot be used: {}", chain(error)),
    };
    ClusterError::new(ErrorKind::Configuration, message)
}

fn known_contexts(names: &[String]) -> String {
    if names.is_empty() {
        "it has no contexts at all: is it the right file?".to_owned()
    } else {
        format!("choose one with `--context`: {}", names.join(", "))
    }
}

fn impersonate(config: &mut Config, whom: &Impersonate) -> Result<(), ClusterError> {
    let Impersonate { user, groups, uid } = whom;
    if user.is_none() && (!groups.is_empty() || uid.is_some()) {
        return Err(
            ClusterError::new(ErrorKind::Configuration, "a group or UID to act as needs a user")
                .hinted("add `--as USER`"),
        );
    }
    if user.is_some() {
        config.auth_info.impersonate.clone_from(user);
        config.auth_info.impersonate_groups = (!groups.is_empty()).then(|| groups.clone());
    }
    if let Some(uid) = uid {
        let value = HeaderValue::from_str(uid)
            .map_err(|_| ClusterError::new(ErrorKind::Configuration, format!("`{uid}` cannot be a UID")))?;
        config
            .headers
            .push((HeaderName::from_static("impersonate-uid"), value));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exceptions_from_the_proxy_are_read_as_go_reads_them() {
        let cases = [
            ("https://127.0.0.1:6443", "", true),
            ("https://[::1]:6443", "", true),
            ("https://localhost", "", true),
            ("https://k8s.example.com", "", false),
            ("https://k8s.example.com", "*", true),
            ("https://k8s.example.com", "other.org, example.com", true),
            ("https://k8s.example.com", ".example.com", true),
            ("https://example.com", ".example.com", false),
            ("https://k8s.example.com", "*.example.com", true),
            ("https://badexample.com", "example.com", false),
            ("https://k8s.example.com:6443", "example.com:6443", true),
            ("https://k8s.example.com:6443", "example.com:443", false),
            ("https://K8S.example.com", "k8s.EXAMPLE.com", true),
            ("https://10.1.2.3:6443", "10.0.0.0/8", true),
            ("https://10.1.2.3:6443", "10.1.2.3", true),
            ("https://10.1.2.3:6443", "10.1.2.3:6443", true),
            ("https://10.1.2.3:6443", "10.1.2.3:443", false),
            ("https://11.1.2.3:6443", "10.0.0.0/8,", false),
            ("https://[fd00::1]:6443", "fd00::1", true),
            ("https://[fd00::1]:6443", "[fd00::1]:6443", true),
            ("https://[fd00::1]:6443", "fd00::/8", true),
        ];
        for (server, except, expected) in cases {
            let uri: http::Uri = server.parse().unwrap();
            assert_eq!(
                bypasses_proxy(&uri, except),
                expected,
                "{server} with NO_PROXY={except}"
            );
        }
    }
}

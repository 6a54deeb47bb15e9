//! Proxies in a cluster: which ones the user means, and asking many of them at once.

use clap::Args;
use futures::StreamExt;
use mesh_core::cluster::{
    BodyReader, Cluster, ClusterError, Found, Method, PodPort, Scope, Target, proxy_of,
};

use crate::error::CommandError;
use crate::ui::{Printer, counted};

/// Proxies that are asked at the same time.
const AT_ONCE: usize = 8;

/// Which proxies of a cluster.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Proxies")]
pub(crate) struct ProxyArgs {
    /// Pods with these labels, as for `kubectl -l`
    #[arg(long, short = 'l', value_name = "LABELS")]
    pub(crate) selector: Option<String>,

    /// Namespace of names that are written without one [default: the context's]
    #[arg(long, short, value_name = "NAME")]
    pub(crate) namespace: Option<String>,

    /// The proxies of all namespaces; together with `--selector` those with the labels
    #[arg(long, short = 'A', conflicts_with = "namespace")]
    pub(crate) all_namespaces: bool,

    /// Port of the proxy's admin interface [default: the pod's own setting, 15000]
    #[arg(long, value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) proxy_admin_port: Option<u16>,
}

impl ProxyArgs {
    /// Whether they can stand for several proxies.
    pub(crate) fn are_plural(&self) -> bool {
        self.selector.is_some() || self.all_namespaces
    }

    /// As [`Self::choose`], with the remarks said.
    ///
    /// # Errors
    ///
    /// As there.
    pub(crate) async fn find(
        &self,
        printer: &mut Printer,
        cluster: &Cluster,
        targets: &[Target],
    ) -> Result<Vec<Found>, CommandError> {
        let (found, remarks) = self.choose(cluster, targets).await?;
        for remark in remarks {
            printer.note(remark);
        }
        Ok(found)
    }

    /// The proxies that the user means, in the order in which they are named, and remarks on the choice. A workload,
    /// Service or Gateway stands for one of its pods, a ready one if there is any; a selector for all.
    ///
    /// # Errors
    ///
    /// A name that there is not, or a pod without Envoy that was named itself.
    pub(crate) async fn choose(
        &self,
        cluster: &Cluster,
        targets: &[Target],
    ) -> Result<(Vec<Found>, Vec<String>), CommandError> {
        let namespace = self.namespace.as_deref().unwrap_or(cluster.namespace());
        let mut found: Vec<Found> = Vec::new();
        let mut remarks = Vec::new();
        for target in targets {
            let pods = cluster.find_pods(target, namespace).await?;
            let mut first_error = None;
            let proxy = pods
                .iter()
                .find_map(|pod| match proxy_of(pod, self.proxy_admin_port) {
                    Ok(proxy) => Some(proxy),
                    Err(error) => {
                        first_error.get_or_insert(error);
                        None
                    }
                });
            let Some(proxy) = proxy else {
                let none = || CommandError::user(format!("{target} has no pods"));
                return Err(first_error.map_or_else(none, CommandError::from));
            };
            if pods.len() > 1 {
                remarks.push(format!("{target} has {} pods; this is {proxy}", pods.len()));
            }
            found.push(proxy);
        }
        if self.are_plural() {
            let scope = if self.all_namespaces {
                Scope::All
            } else {
                Scope::Namespace(namespace.to_owned())
            };
            let pods = cluster
                .live_pods(self.selector.as_deref().unwrap_or_default(), &scope)
                .await?;
            let proxies = pods
                .iter()
                .filter_map(|pod| proxy_of(pod, self.proxy_admin_port).ok());
            found.extend(proxies);
            if found.is_empty() {
                return Err(match pods.as_slice() {
                    [] => CommandError::user("no pod has these labels")
                        .hinted("`-n NAMESPACE` or `-A` says where to look"),
                    pods => CommandError::user(format!(
                        "none of {} has an Envoy that runs",
                        counted(pods.len(), "pod")
                    )),
                });
            }
        }
        let mut seen = Vec::new();
        found.retain(|proxy| {
            let is_new = !seen.contains(proxy);
            if is_new {
                seen.push(proxy.clone());
            }
            is_new
        });
        Ok((found, remarks))
    }
}

/// Asks the admin interfaces of many proxies for the same, some at a time. The answers come in the order of the
/// proxies; each has a deadline of its own (`--request-timeout`).
pub(crate) async fn ask_all<T: Send + 'static>(
    cluster: &Cluster,
    proxies: &[Found],
    path: &str,
    read: impl Fn(BodyReader) -> T + Clone + Send + 'static,
) -> Vec<Result<T, ClusterError>> {
    let asks = proxies.iter().map(|proxy| {
        let at = admin(proxy);
        let read = read.clone();
        async move { cluster.ask_pod(&at, Method::GET, path, read).await }
    });
    futures::stream::iter(asks).buffered(AT_ONCE).collect().await
}

/// The proxy's admin interface.
pub(crate) fn admin(proxy: &Found) -> PodPort {
    PodPort {
        namespace: proxy.namespace.clone(),
        pod: proxy.name.clone(),
        port: proxy.admin_port,
    }
}

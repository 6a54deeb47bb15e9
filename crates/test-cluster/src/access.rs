//! Who one is to the API server, and how one reaches it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use kube::config::{AuthInfo, Cluster, Context, Kubeconfig, NamedAuthInfo, NamedCluster, NamedContext};
use kube::{Client, Config};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

/// Access to an API server: the data of a kubeconfig, for a [`Client`] or for a file.
///
/// [`TestCluster::admin`](crate::TestCluster::admin) and its neighbours make one that works; the methods change it,
/// also into one that does not.
#[derive(Debug, Clone)]
pub struct Access {
    /// Where kubeconfigs are written.
    pub(crate) folder: PathBuf,
    pub(crate) server: String,
    pub(crate) certificate_authority: String,
    pub(crate) token: String,
    pub(crate) impersonate: Option<String>,
    pub(crate) groups: Vec<String>,
    pub(crate) namespace: Option<String>,
    pub(crate) context: String,
}

impl Access {
    /// Goes to another server: `https://host:port`.
    #[must_use]
    pub fn server(mut self, url: impl Into<String>) -> Self {
        self.server = url.into();
        self
    }

    /// Trusts another certificate authority, given in PEM.
    #[must_use]
    pub fn certificate_authority(mut self, pem: impl Into<String>) -> Self {
        self.certificate_authority = pem.into();
        self
    }

    /// Shows another bearer token.
    #[must_use]
    pub fn token(mut self, token: impl Into<String>) -> Self {
        self.token = token.into();
        self
    }

    /// Acts as a user, in these groups and in `system:authenticated`.
    #[must_use]
    pub fn impersonate(mut self, user: impl Into<String>, groups: &[&str]) -> Self {
        self.impersonate = Some(user.into());
        self.groups = groups.iter().map(ToString::to_string).collect();
        self
    }

    /// Sets the namespace of the context. By default there is none, which means `default`.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }

    /// Names the context and the cluster. The default is `test-cluster`.
    #[must_use]
    pub fn context(mut self, name: impl Into<String>) -> Self {
        self.context = name.into();
        self
    }

    /// A client. It belongs to the tokio runtime in which it is made: make one for each test.
    pub fn client(&self) -> Client {
        let server = self.server.parse().expect("the server is a URL");
        let mut config = Config::new(server);
        let authorities: Result<Vec<_>, _> =
            CertificateDer::pem_slice_iter(self.certificate_authority.as_bytes()).collect();
        let authorities = authorities.expect("the certificate authority is PEM");
        config.root_cert = Some(authorities.iter().map(|authority| authority.to_vec()).collect());
        config.auth_info = self.auth_info();
        if let Some(namespace) = &self.namespace {
            config.default_namespace.clone_from(namespace);
        }
        Client::try_from(config).expect("the configuration is complete")
    }

    /// Writes a new kubeconfig, with its certificate authority in a file beside it. Both go with the cluster.
    pub fn kubeconfig(&self) -> PathBuf {
        static WRITTEN: AtomicUsize = AtomicUsize::new(0);
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        let authority = self.folder.join(format!("kubeconfig-{number}.crt"));
        fs_err::write(&authority, &self.certificate_authority).expect("the cluster's folder can be written");

        let user = self.impersonate.clone().unwrap_or_else(|| "user".to_owned());
        let kubeconfig = Kubeconfig {
            clusters: vec![NamedCluster {
                name: self.context.clone(),
                cluster: Some(Cluster {
                    server: Some(self.server.clone()),
                    certificate_authority: Some(authority.to_string_lossy().into_owned()),
                    ..Cluster::default()
                }),
                ..NamedCluster::default()
            }],
            auth_infos: vec![NamedAuthInfo {
                name: user.clone(),
                auth_info: Some(self.auth_info()),
                ..NamedAuthInfo::default()
            }],
            contexts: vec![NamedContext {
                name: self.context.clone(),
                context: Some(Context {
                    cluster: self.context.clone(),
                    user: Some(user),
                    namespace: self.namespace.clone(),
                    ..Context::default()
                }),
                ..NamedContext::default()
            }],
            current_context: Some(self.context.clone()),
            api_version: Some("v1".to_owned()),
            kind: Some("Config".to_owned()),
            ..Kubeconfig::default()
        };
        let path = self.folder.join(format!("kubeconfig-{number}"));
        let text = serde_json::to_string_pretty(&kubeconfig).expect("a kubeconfig is JSON");
        fs_err::write(&path, text).expect("the cluster's folder can be written");
        path
    }

    fn auth_info(&self) -> AuthInfo {
        AuthInfo {
            token: Some(self.token.clone().into()),
            impersonate: self.impersonate.clone(),
            impersonate_groups: (!self.groups.is_empty()).then(|| self.groups.clone()),
            ..AuthInfo::default()
        }
    }
}

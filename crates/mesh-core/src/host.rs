//! Host names as the mesh compares them.

use std::fmt;

/// A host name: a fully qualified name, an address, or a wildcard such as `*.example.com` or `*`.
///
/// A short name means different services in different namespaces, so it becomes a `Host` only together with a
/// namespace, by [`Host::resolve`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Host(Box<str>);

impl Host {
    /// A name that is already complete.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// Reads `name` as written in a resource of `namespace`.
    ///
    /// A name without dots is the Kubernetes service of that name in `namespace`, in the cluster's DNS domain
    /// (`cluster.local`, as a rule). Any name with a dot is taken as it is: `reviews.prod` is *not* completed, and
    /// so does not find the service `reviews` in the namespace `prod`.
    pub fn resolve(name: &str, namespace: &str, cluster_domain: &str) -> Self {
        if name.contains('.') || name.starts_with('*') || name.is_empty() || is_ip(name) {
            Self(name.into())
        } else {
            Self::of_service(name, namespace, cluster_domain)
        }
    }

    /// The full name of a Kubernetes service.
    pub fn of_service(name: &str, namespace: &str, cluster_domain: &str) -> Self {
        Self(format!("{name}.{namespace}.svc.{cluster_domain}").into())
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it starts with `*`.
    pub fn is_wildcard(&self) -> bool {
        self.0.starts_with('*')
    }

    /// What a wildcard's names end with; the whole name otherwise.
    fn suffix(&self) -> &str {
        self.0.strip_prefix('*').unwrap_or(&self.0)
    }

    /// Whether some name is matched by both.
    ///
    /// `*.example.com` overlaps `a.example.com`, `*.a.example.com` and `*`, but not `example.com`.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self.is_wildcard(), other.is_wildcard()) {
            (true, true) => {
                self.suffix().ends_with(other.suffix()) || other.suffix().ends_with(self.suffix())
            }
            (true, false) => other.0.ends_with(self.suffix()),
            (false, true) => self.0.ends_with(other.suffix()),
            (false, false) => self.0 == other.0,
        }
    }

    /// Whether every name that `self` matches is also matched by `other`.
    pub fn is_within(&self, other: &Self) -> bool {
        match (self.is_wildcard(), other.is_wildcard()) {
            (_, true) => self.suffix().ends_with(other.suffix()),
            (true, false) => false,
            (false, false) => self.0 == other.0,
        }
    }

    /// The wildcards that could match this name, from the nearest to `*`: `*.b.c`, `*.c`, `*` for `a.b.c`.
    pub fn wildcards(&self) -> impl Iterator<Item = String> + '_ {
        let name = self.suffix().trim_start_matches('.');
        let start = usize::from(self.is_wildcard());
        let dots = (start == 1 && !name.is_empty()).then_some(name);
        dots.into_iter()
            .map(|name| format!("*.{name}"))
            .chain(
                name.match_indices('.')
                    .map(|(index, _)| format!("*{}", &name[index..])),
            )
            .chain(std::iter::once("*".to_owned()))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

fn is_ip(text: &str) -> bool {
    text.parse::<std::net::IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(name: &str) -> Host {
        Host::new(name)
    }

    #[test]
    fn short_names_are_completed_and_dotted_ones_are_not() {
        for (name, resolved) in [
            ("reviews", "reviews.shop.svc.cluster.local"),
            ("reviews.prod", "reviews.prod"),
            ("*", "*"),
            ("*.example.com", "*.example.com"),
            ("::1", "::1"),
        ] {
            assert_eq!(Host::resolve(name, "shop", "cluster.local").as_str(), resolved);
        }
    }

    #[test]
    fn wildcards_overlap_by_suffix() {
        let overlapping = [
            ("*", "a"),
            ("*", "*"),
            ("*.b", "a.b"),
            ("*.b", "*.a.b"),
            ("a.b", "a.b"),
        ];
        for (a, b) in overlapping {
            assert!(
                host(a).overlaps(&host(b)) && host(b).overlaps(&host(a)),
                "{a} {b}"
            );
        }
        for (a, b) in [("*.b", "b"), ("*.a", "*.b"), ("a", "b")] {
            assert!(
                !host(a).overlaps(&host(b)) && !host(b).overlaps(&host(a)),
                "{a} {b}"
            );
        }
    }

    #[test]
    fn containment_is_one_way() {
        assert!(host("a.b").is_within(&host("*.b")));
        assert!(host("*.a.b").is_within(&host("*.b")));
        assert!(!host("*.b").is_within(&host("*.a.b")));
        assert!(!host("*.b").is_within(&host("a.b")));
        assert!(host("*").is_within(&host("*")));
    }

    #[test]
    fn wildcards_go_from_near_to_far() {
        let list = |name| host(name).wildcards().collect::<Vec<_>>();
        assert_eq!(list("a.b.c"), ["*.b.c", "*.c", "*"]);
        assert_eq!(list("*.b.c"), ["*.b.c", "*.c", "*"]);
        assert_eq!(list("*"), ["*"]);
        assert_eq!(list("a"), ["*"]);
    }
}

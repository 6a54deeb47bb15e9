//! Releases of Istio, and the Kubernetes versions each of them is made for.

use std::fmt;
use std::str::FromStr;

/// A minor version of Kubernetes. Only version 1 exists, so that the minor number tells all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct KubernetesVersion {
    /// The number after `1.`.
    pub minor: u32,
}

/// A text that names no version.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{0}` is not a version like `1.33`")]
pub struct NotAVersion(pub String);

impl FromStr for KubernetesVersion {
    type Err = NotAVersion;

    /// Reads what API servers say, in `gitVersion` (`v1.31.4-gke.1372000`) or as `major.minor` (`1.27+`).
    fn from_str(text: &str) -> Result<Self, NotAVersion> {
        minor(text)
            .map(|minor| Self { minor })
            .ok_or_else(|| NotAVersion(text.to_owned()))
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

/// The minor number of a version 1, whatever follows it.
fn minor(text: &str) -> Option<u32> {
    let rest = text.strip_prefix('v').unwrap_or(text).strip_prefix("1.")?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (digits, tail) = rest.split_at(end);
    (tail.is_empty() || tail.starts_with(['.', '-', '+'])).then(|| digits.parse().ok())?
}

/// Where a release's range of Kubernetes versions comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Source {
    /// The table "Support status of Istio releases" on istio.io.
    Published,
    /// No table names the release yet: its development branch refused or accepted these.
    Extrapolated,
}

/// A minor release of Istio.
#[derive(PartialEq, Eq, Debug)]
pub struct Release {
    /// The number after `1.`.
    pub minor: u32,
    /// The oldest Kubernetes that it supports.
    pub oldest_kubernetes: KubernetesVersion,
    /// The newest Kubernetes that it supports.
    pub newest_kubernetes: KubernetesVersion,
    /// The oldest Kubernetes that it was tested with. From here to [`Self::oldest_kubernetes`] it is known to
    /// work, but not supported.
    pub oldest_tested: KubernetesVersion,
    /// Where the range comes from.
    pub source: Source,
    /// The tag of the images of its newest known patch; of a release that is not out, that of a development build.
    pub tag: &'static str,
}

/// What a release of Istio promises on a version of Kubernetes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Support {
    /// It is supported.
    Supported,
    /// It was tested, but is not supported.
    Tested,
    /// The cluster is older than anything that was tested.
    TooOld,
    /// The cluster is newer than what the release knows.
    TooNew,
}

/// Where the images of releases are.
pub const HUB: &str = "docker.io/istio";

const fn release(
    minor: u32,
    oldest: u32,
    newest: u32,
    tested: u32,
    source: Source,
    tag: &'static str,
) -> Release {
    Release {
        minor,
        oldest_kubernetes: KubernetesVersion { minor: oldest },
        newest_kubernetes: KubernetesVersion { minor: newest },
        oldest_tested: KubernetesVersion { minor: tested },
        source,
        tag,
    }
}

/// Every known release, oldest first.
pub static RELEASES: &[Release] = &[
    release(24, 28, 31, 23, Source::Published, "1.24.0"),
    release(25, 29, 32, 24, Source::Published, "1.25.0"),
    release(26, 29, 33, 24, Source::Published, "1.26.0"),
    release(27, 29, 33, 24, Source::Published, "1.27.0"),
    release(28, 30, 34, 25, Source::Published, "1.28.0"),
    release(29, 31, 35, 26, Source::Published, "1.29.0"),
    release(30, 32, 36, 27, Source::Published, "1.30.8"),
    release(31, 32, 36, 27, Source::Extrapolated, "1.31.4"),
    release(32, 32, 36, 32, Source::Extrapolated, "1.32-alpha"),
];

impl Release {
    /// The release of a version like `1.29`, `1.29.2` or `1.30-alpha.0`; `None` for an unknown one.
    pub fn of(version: &str) -> Option<&'static Self> {
        let minor = minor(version)?;
        RELEASES.iter().find(|release| release.minor == minor)
    }

    /// The newest release that is out.
    pub fn latest() -> &'static Self {
        let mut out = RELEASES.iter().filter(|release| !release.tag.contains('-'));
        out.next_back().unwrap_or(&RELEASES[0])
    }

    /// What it promises on a cluster.
    pub fn support(&self, kubernetes: KubernetesVersion) -> Support {
        if kubernetes > self.newest_kubernetes {
            Support::TooNew
        } else if kubernetes >= self.oldest_kubernetes {
            Support::Supported
        } else if kubernetes >= self.oldest_tested {
            Support::Tested
        } else {
            Support::TooOld
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1.{}", self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_as_servers_say_them() {
        for (text, minor) in [
            ("1.33", 33),
            ("v1.31.4-gke.1372000", 31),
            ("1.27+", 27),
            ("v1.36.3", 36),
            ("1.32-alpha.86c9f01", 32),
        ] {
            assert_eq!(text.parse(), Ok(KubernetesVersion { minor }), "{text}");
        }
        for text in ["", "1", "2.0", "1.x", "latest", "1.3x"] {
            assert!(text.parse::<KubernetesVersion>().is_err(), "{text}");
        }
    }

    #[test]
    fn releases_follow_each_other_and_their_ranges_only_grow() {
        for pair in RELEASES.windows(2) {
            assert_eq!(pair[0].minor + 1, pair[1].minor);
            assert!(pair[0].oldest_kubernetes <= pair[1].oldest_kubernetes);
            assert!(pair[0].newest_kubernetes <= pair[1].newest_kubernetes);
        }
        for release in RELEASES {
            assert_eq!(Release::of(release.tag), Some(release));
            assert!(release.oldest_tested <= release.oldest_kubernetes);
            assert!(release.oldest_kubernetes <= release.newest_kubernetes);
        }
    }

    #[test]
    fn support_of_a_cluster() {
        let release = Release::of("1.29.2").unwrap();
        let support = |minor| release.support(KubernetesVersion { minor });
        assert_eq!(
            [25, 26, 30, 31, 35, 36].map(support),
            [
                Support::TooOld,
                Support::Tested,
                Support::Tested,
                Support::Supported,
                Support::Supported,
                Support::TooNew
            ]
        );
        assert_eq!(Release::of("1.99"), None);
        assert_eq!(Release::latest().to_string(), "1.31");
    }
}

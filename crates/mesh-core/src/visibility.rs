//! Which namespaces see a resource (`exportTo`).

/// Where a service, route or rule is visible.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Everywhere; the default.
    #[default]
    Public,
    /// In the listed namespaces only. Empty means nowhere.
    Namespaces(Vec<String>),
}

impl Visibility {
    /// Reads `exportTo` entries of a resource in `namespace`: `*`, `.`, `~`, or a namespace.
    ///
    /// An empty list means `default`, which is the mesh's own default for that kind.
    pub fn parse<'a>(entries: impl IntoIterator<Item = &'a str>, namespace: &str, default: &Self) -> Self {
        let mut list = Vec::new();
        let mut empty = true;
        for entry in entries {
            empty = false;
            match entry.trim() {
                "*" => return Self::Public,
                "." => list.push(namespace.to_owned()),
                "~" | "" => {}
                other => list.push(other.to_owned()),
            }
        }
        if empty {
            return match default {
                // The mesh's default is relative too.
                Self::Namespaces(entries) => {
                    let entries: Vec<_> = entries.iter().map(String::as_str).collect();
                    if entries.is_empty() {
                        default.clone()
                    } else {
                        Self::parse(entries, namespace, default)
                    }
                }
                Self::Public => Self::Public,
            };
        }
        list.sort();
        list.dedup();
        Self::Namespaces(list)
    }

    /// Whether proxies in `namespace` see it.
    pub fn includes(&self, namespace: &str) -> bool {
        match self {
            Self::Public => true,
            Self::Namespaces(list) => list.iter().any(|entry| entry == namespace),
        }
    }

    /// Whether some namespace sees both.
    pub fn overlaps(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Namespaces(list), _) if list.is_empty() => false,
            (_, Self::Namespaces(list)) if list.is_empty() => false,
            (Self::Namespaces(a), Self::Namespaces(b)) => a.iter().any(|entry| b.contains(entry)),
            _ => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(entries: &[&str]) -> Visibility {
        Visibility::parse(entries.iter().copied(), "shop", &Visibility::Public)
    }

    #[test]
    fn entries_are_relative_to_the_namespace() {
        assert!(parse(&[]).includes("anywhere"));
        assert!(parse(&["*"]).includes("anywhere"));
        assert!(parse(&["."]).includes("shop") && !parse(&["."]).includes("other"));
        assert!(parse(&["other", "."]).includes("other"));
        assert!(!parse(&["~"]).includes("shop"));
    }

    #[test]
    fn a_private_default_is_the_resources_own_namespace() {
        let default = Visibility::Namespaces(vec![".".to_owned()]);
        let visibility = Visibility::parse([], "shop", &default);
        assert!(visibility.includes("shop") && !visibility.includes("other"));
    }

    #[test]
    fn overlap_needs_a_shared_namespace() {
        assert!(parse(&["."]).overlaps(&parse(&["*"])));
        assert!(!parse(&["."]).overlaps(&parse(&["other"])));
        assert!(!parse(&["~"]).overlaps(&parse(&["*"])));
    }
}

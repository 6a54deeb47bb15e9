//! Which kinds an API server has.

use std::collections::BTreeSet;

use futures::future::try_join_all;
use serde::Deserialize;

use super::connect::Cluster;
use super::error::{ClusterError, ErrorKind};

/// Asks for everything in one answer (Kubernetes 1.26 and later); older servers answer with the list of groups.
const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,\
     application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json";

/// The kinds of some API groups that a server has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// Group, version and plural.
    resources: BTreeSet<(String, String, String)>,
}

impl Discovery {
    /// The first of `versions` in which the server has the kind.
    pub fn version<'v>(&self, group: &str, versions: &[&'v str], plural: &str) -> Option<&'v str> {
        let has = |version: &str| {
            let key = (group.to_owned(), version.to_owned(), plural.to_owned());
            self.resources.contains(&key)
        };
        versions.iter().copied().find(|version| has(version))
    }

    fn add(&mut self, group: &str, version: &str, plurals: impl IntoIterator<Item = String>) {
        let keys = plurals
            .into_iter()
            .map(|plural| (group.to_owned(), version.to_owned(), plural));
        self.resources.extend(keys);
    }
}

/// Either form of the answer: `APIGroupDiscoveryList` has items, `APIGroupList` has groups.
#[derive(Deserialize)]
struct Answer {
    #[serde(default)]
    items: Option<Vec<Group>>,
    #[serde(default)]
    groups: Vec<PlainGroup>,
}

#[derive(Deserialize)]
struct Group {
    metadata: GroupMetadata,
    #[serde(default)]
    versions: Vec<Version>,
}

#[derive(Deserialize)]
struct GroupMetadata {
    #[serde(default)]
    name: String,
}

#[derive(Deserialize)]
struct Version {
    version: String,
    #[serde(default)]
    resources: Vec<Resource>,
}

#[derive(Deserialize)]
struct Resource {
    resource: String,
}

#[derive(Deserialize)]
struct PlainGroup {
    name: String,
    versions: Vec<PlainVersion>,
}

#[derive(Deserialize)]
struct PlainVersion {
    version: String,
}

/// `APIResourceList`.
#[derive(Deserialize)]
struct PlainResources {
    resources: Vec<PlainResource>,
}

#[derive(Deserialize)]
struct PlainResource {
    name: String,
}

impl Cluster {
    /// Which kinds the server has in `groups`; the core group is not among what can be asked for.
    ///
    /// # Errors
    ///
    /// See [`ErrorKind`].
    pub async fn discover(&self, groups: &[&str]) -> Result<Discovery, ClusterError> {
        let mut found = Discovery::default();
        let answer = self.get_accepting("/apis", AGGREGATED).await?;
        let answer: Answer =
            serde_json::from_slice(&answer).map_err(|error| ClusterError::malformed("/apis", &error))?;
        if let Some(items) = answer.items {
            for group in items {
                for Version { version, resources } in group.versions {
                    let plurals = resources.into_iter().map(|resource| resource.resource);
                    found.add(&group.metadata.name, &version, plurals);
                }
            }
            return Ok(found);
        }
        let versions = answer
            .groups
            .iter()
            .filter(|group| groups.contains(&group.name.as_str()))
            .flat_map(|group| {
                (group.versions.iter()).map(|version| (group.name.as_str(), version.version.as_str()))
            });
        let lists = try_join_all(versions.map(|(group, version)| async move {
            let path = format!("/apis/{group}/{version}");
            match self.get(&path).await {
                Ok(answer) => serde_json::from_slice::<PlainResources>(&answer)
                    .map(|list| Some((group, version, list)))
                    .map_err(|error| ClusterError::malformed(&path, &error)),
                // It went away in between.
                Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            }
        }))
        .await?;
        for (group, version, list) in lists.into_iter().flatten() {
            let plurals = list.resources.into_iter().map(|resource| resource.name);
            found.add(group, version, plurals);
        }
        Ok(found)
    }
}

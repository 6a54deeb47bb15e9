//! The service that was last prepared from a folder, so that it needs not be named again.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::driver::Driver;

/// How many folders are remembered.
const KEPT: usize = 100;

/// One folder's service.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Last {
    folder: PathBuf,
    cluster: String,
    pub(super) namespace: String,
    pub(super) service: String,
}

/// `$XDG_STATE_HOME/meshctl/canary.json`, by default below `~/.local/state`.
fn file() -> Option<PathBuf> {
    let set = std::env::var_os("XDG_STATE_HOME").filter(|value| !value.is_empty());
    let base = set
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".local").join("state")))?;
    Some(base.join("meshctl").join("canary.json"))
}

fn all() -> Vec<Last> {
    let text = file().and_then(|file| fs_err::read(file).ok());
    // What cannot be read is not remembered.
    text.and_then(|text| serde_json::from_slice(&text).ok())
        .unwrap_or_default()
}

/// The service of this folder, in a cluster.
pub(super) fn read(cluster: &str) -> Option<Last> {
    let folder = std::env::current_dir().ok()?;
    all()
        .into_iter()
        .find(|last| last.folder == folder && last.cluster == cluster)
}

/// Remembers the service of this folder. A failure does no harm: the service has to be named then.
pub(super) fn write(driver: &Driver) {
    let cluster = driver.cluster.name();
    let (Some(file), Ok(folder)) = (file(), std::env::current_dir()) else {
        return;
    };
    let mut all = all();
    all.retain(|last| last.folder != folder || last.cluster != cluster);
    all.insert(
        0,
        Last {
            folder,
            cluster: cluster.to_owned(),
            namespace: driver.service.namespace().to_owned(),
            service: driver.service.header().name().to_owned(),
        },
    );
    all.truncate(KEPT);
    let beside = file.with_extension(format!("{}.tmp", std::process::id()));
    let _ = file
        .parent()
        .map_or(Ok(()), fs_err::create_dir_all)
        .and_then(|()| fs_err::write(&beside, serde_json::to_vec_pretty(&all).unwrap_or_default()))
        .and_then(|()| fs_err::rename(&beside, &file));
}

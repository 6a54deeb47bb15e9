//! What the crates that start real programs for tests share: programs built with Go and kept, processes that end with
//! the test, and an HTTP client.

pub mod go;
pub mod http;
mod process;

use std::path::{Path, PathBuf};

pub use process::Process;

/// The folder of the workspace's `Cargo.toml`.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The folder that Cargo builds into, where what tests download and build is kept too.
pub fn target() -> PathBuf {
    let target = std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into());
    workspace().join(target)
}

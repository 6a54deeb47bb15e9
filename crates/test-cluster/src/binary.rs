//! Builds the control plane's binary, once for each state of its sources.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::StartError;

/// The path of an up-to-date binary.
pub(crate) fn binary() -> Result<PathBuf, StartError> {
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let sources = workspace.join("tests/cluster");
    let target = match std::env::var_os("CARGO_TARGET_DIR") {
        Some(target) => workspace.join(target),
        None => workspace.join("target"),
    };
    let folder = target.join("test-cluster");
    fs_err::create_dir_all(&folder)?;
    let binary = folder.join(format!("test-cluster-{:016x}", hash_of(&sources)?));
    if binary.exists() {
        return Ok(binary);
    }

    // Other test processes may want to build too. The lock goes with the file.
    let lock = File::create(folder.join("lock"))?;
    lock.lock()?;
    if binary.exists() {
        return Ok(binary);
    }
    for entry in fs_err::read_dir(&folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with("test-cluster-") {
            fs_err::remove_file(entry.path())?;
        }
    }
    let unfinished = folder.join("unfinished");
    build(&sources, &unfinished)?;
    fs_err::rename(&unfinished, &binary)?;
    Ok(binary)
}

/// A hash of the names and contents of all files in a folder.
fn hash_of(folder: &Path) -> Result<u64, StartError> {
    let mut paths = Vec::new();
    for entry in fs_err::read_dir(folder)? {
        paths.push(entry?.path());
    }
    paths.sort();
    let mut hasher = DefaultHasher::new();
    for path in paths {
        path.file_name().hash(&mut hasher);
        fs_err::read(&path)?.hash(&mut hasher);
    }
    Ok(hasher.finish())
}

fn build(sources: &Path, output: &Path) -> Result<(), StartError> {
    let go_mod = fs_err::read_to_string(sources.join("go.mod"))?;
    let build = Command::new("go")
        .args(["build", "-trimpath", "-buildvcs=false", "-ldflags"])
        .arg(linker_flags(&go_mod))
        .arg("-o")
        .arg(output)
        .arg(".")
        .current_dir(sources)
        .output();
    let output = match build {
        Ok(output) => output,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let version = word_after(&go_mod, "go ").to_owned();
            return Err(StartError::GoMissing { version });
        }
        Err(error) => return Err(error.into()),
    };
    if output.status.success() {
        Ok(())
    } else {
        let output = String::from_utf8_lossy(&output.stderr).into_owned();
        Err(StartError::Build { output })
    }
}

/// No symbols, and the version of Kubernetes, which its packages know only from the linker.
fn linker_flags(go_mod: &str) -> String {
    let version = word_after(go_mod, "k8s.io/kubernetes ");
    let mut numbers = version.trim_start_matches('v').split('.');
    let (major, minor) = (
        numbers.next().unwrap_or_default(),
        numbers.next().unwrap_or_default(),
    );
    let package = "k8s.io/component-base/version";
    format!(
        "-s -w -X {package}.gitVersion={version} -X {package}.gitMajor={major} -X {package}.gitMinor={minor}"
    )
}

/// The rest of the first line of a go.mod that starts with `key`; empty if there is none.
fn word_after<'a>(go_mod: &'a str, key: &str) -> &'a str {
    go_mod
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(key))
        .unwrap_or_default()
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn linker_flags_have_the_version_of_go_mod() {
        let flags = linker_flags("module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.36.3\n)\n");
        assert!(flags.contains("version.gitVersion=v1.36.3 "), "{flags}");
        assert!(flags.contains("version.gitMajor=1 "), "{flags}");
        assert!(flags.ends_with("version.gitMinor=36"), "{flags}");
    }
}

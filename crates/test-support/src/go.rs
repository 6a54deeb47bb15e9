//! Programs that are built with Go, once for each state of their sources.

use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A program that is built with Go.
#[derive(Clone, Debug)]
pub struct Program<'a> {
    /// The name of the binary, and of its folder in the folder that Cargo builds into.
    pub name: &'a str,
    /// The folder of the module, whose files, without its folders, decide whether a binary is up to date.
    pub module: &'a Path,
    /// The package to build, as seen from the module: `.` for the module's own.
    pub package: &'a str,
    /// Further arguments of `go build`.
    pub arguments: &'a [String],
}

/// Why there is no binary.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// There is no Go to build with.
    #[error("{name} is built with Go: install Go {version} or newer from https://go.dev/dl")]
    GoMissing {
        /// The name of the program.
        name: String,
        /// The version that go.mod asks for.
        version: String,
    },
    /// It does not build.
    #[error("{name} does not build:\n{output}")]
    Build {
        /// The name of the program.
        name: String,
        /// What Go says.
        output: String,
    },
    /// Something failed on the way.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Program<'_> {
    /// The path of an up-to-date binary, which is built if there is none.
    pub fn binary(&self) -> Result<PathBuf, BuildError> {
        let folder = crate::target().join(self.name);
        fs_err::create_dir_all(&folder)?;
        let prefix = format!("{}-", self.name);
        let binary = folder.join(format!("{prefix}{:016x}", self.hash()?));
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
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs_err::remove_file(entry.path())?;
            }
        }
        let unfinished = folder.join("unfinished");
        self.build(&unfinished)?;
        fs_err::rename(&unfinished, &binary)?;
        Ok(binary)
    }

    /// A hash of all that decides what is built.
    fn hash(&self) -> Result<u64, BuildError> {
        let mut paths = Vec::new();
        for entry in fs_err::read_dir(self.module)? {
            let entry = entry?;
            if entry.file_type()?.is_file() {
                paths.push(entry.path());
            }
        }
        paths.sort();
        let mut hasher = DefaultHasher::new();
        (self.package, self.arguments).hash(&mut hasher);
        for path in paths {
            path.file_name().hash(&mut hasher);
            fs_err::read(&path)?.hash(&mut hasher);
        }
        Ok(hasher.finish())
    }

    fn build(&self, output: &Path) -> Result<(), BuildError> {
        let name = self.name.to_owned();
        let build = Command::new("go")
            .args(["build", "-trimpath", "-buildvcs=false"])
            .args(self.arguments)
            .arg("-o")
            .arg(output)
            .arg(self.package)
            .current_dir(self.module)
            .output();
        let output = match build {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let go_mod = fs_err::read_to_string(self.module.join("go.mod"))?;
                let version = version_in(&go_mod, "go").to_owned();
                return Err(BuildError::GoMissing { name, version });
            }
            Err(error) => return Err(error.into()),
        };
        if output.status.success() {
            Ok(())
        } else {
            let output = String::from_utf8_lossy(&output.stderr).into_owned();
            Err(BuildError::Build { name, output })
        }
    }
}

/// The version that a go.mod gives to a module, or to `go` itself; empty if it does not name it.
pub fn version_in<'a>(go_mod: &'a str, name: &str) -> &'a str {
    go_mod
        .lines()
        .find_map(|line| line.trim_start().strip_prefix(name)?.strip_prefix(' '))
        .unwrap_or_default()
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_in_go_mod() {
        let go_mod = "module m\n\ngo 1.26.0\n\nrequire (\n\tk8s.io/kubernetes v1.36.3\n)\n";
        assert_eq!(version_in(go_mod, "go"), "1.26.0");
        assert_eq!(version_in(go_mod, "k8s.io/kubernetes"), "v1.36.3");
        assert_eq!(version_in(go_mod, "k8s.io"), "");
    }

    #[test]
    fn hash_follows_sources_and_arguments() {
        let module = tempfile::tempdir().expect("a folder");
        let hash = |argument: &str| {
            let program = Program {
                name: "program",
                module: module.path(),
                package: ".",
                arguments: &[argument.to_owned()],
            };
            program.hash().expect("a readable folder")
        };
        let empty = hash("");
        assert_eq!(hash(""), empty);
        assert_ne!(hash("-tags=x"), empty);
        fs_err::write(module.path().join("main.go"), "package main").expect("a writable folder");
        assert_ne!(hash(""), empty);
    }
}

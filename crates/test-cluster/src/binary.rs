//! The control plane's binary.

use std::path::PathBuf;

use test_support::go::{BuildError, Program, version_in};

/// The path of an up-to-date binary.
pub(crate) fn binary() -> Result<PathBuf, BuildError> {
    let module = test_support::workspace().join("tests/cluster");
    let go_mod = fs_err::read_to_string(module.join("go.mod"))?;
    Program {
        name: "test-cluster",
        module: &module,
        package: ".",
        arguments: &["-ldflags".to_owned(), linker_flags(&go_mod)],
    }
    .binary()
}

/// No symbols, and the version of Kubernetes, which its packages know only from the linker.
fn linker_flags(go_mod: &str) -> String {
    let version = version_in(go_mod, "k8s.io/kubernetes");
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

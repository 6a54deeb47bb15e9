//! Synthetic meshes.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args;

#[derive(Args)]
pub(crate) struct GenMeshArgs {
    /// The number of services; each has a Service, a Deployment, a VirtualService, a DestinationRule and an
    /// AuthorizationPolicy
    #[arg(long)]
    services: usize,

    /// The folder to write to, one file a service; made if it does not exist
    #[arg(long, default_value = "target/gen-mesh")]
    dir: PathBuf,

    /// Write one file with all documents instead
    #[arg(long)]
    single_file: bool,
}

pub(crate) fn gen_mesh(args: &GenMeshArgs) -> io::Result<()> {
    let GenMeshArgs {
        services,
        dir,
        single_file,
    } = args;
    write_mesh(*services, dir, *single_file)
}

/// Writes the mesh, with nothing to find in it. A folder from an earlier run is replaced.
pub(crate) fn write_mesh(services: usize, dir: &Path, single_file: bool) -> io::Result<()> {
    if dir.exists() {
        fs_err::remove_dir_all(dir)?;
    }
    fs_err::create_dir_all(dir)?;
    if single_file {
        let all: String = mesh_samples::mesh(services).map(|(_, text)| text).collect();
        return fs_err::write(dir.join("mesh.yaml"), all);
    }
    for (name, text) in mesh_samples::mesh(services) {
        fs_err::write(dir.join(name), text)?;
    }
    Ok(())
}

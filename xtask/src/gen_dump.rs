//! Synthetic config dumps.

use std::io::{self, BufWriter, Write as _};
use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
pub(crate) struct GenDumpArgs {
    /// The number of services that the sidecar sees; 7750 make about 160 MB
    #[arg(long)]
    services: usize,

    /// The file to write
    #[arg(long, default_value = "target/config-dump.json")]
    file: PathBuf,
}

pub(crate) fn gen_dump(args: &GenDumpArgs) -> io::Result<()> {
    let GenDumpArgs { services, file } = args;
    let mut writer = BufWriter::new(fs_err::File::create(file)?);
    mesh_samples::config_dump(*services, &mut writer)?;
    writer.flush()
}

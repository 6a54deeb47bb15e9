//! `meshctl uninstall`: removes what was installed.

use clap::Args;
use mesh_install::engine::RemovalScope;
use mesh_install::inventory::DEFAULT_REVISION;

use crate::error::CommandError;
use crate::exit::Exit;
use crate::installer::{ChangeArgs, run};
use crate::ui::Printer;

/// Remove exactly what was installed, and say what stays
///
/// Webhooks go first and definitions last, and the command waits until everything is gone. What other revisions need
/// stays, and so do CustomResourceDefinitions, without which your configuration would go too; --purge removes these as
/// well. A namespace goes only if installing made it and nothing else is left in it.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, mut_arg("timeout", |arg| arg.default_value("10m")))]
pub(crate) struct UninstallArgs {
    /// Revision to remove [default: the one without a name]
    #[arg(long, short, value_name = "NAME", conflicts_with = "purge")]
    revision: Option<String>,

    /// Remove all revisions, the definitions with all objects of their kinds, and what istiod has made
    #[arg(long)]
    purge: bool,

    #[command(flatten)]
    change: ChangeArgs,
}

const EXAMPLES: &str = "\
Examples:
  See what would go, and what would stay
    meshctl uninstall --dry-run

  Remove the old control plane after an upgrade with revisions
    meshctl uninstall --revision 1-29

  Leave nothing behind, without being asked
    meshctl uninstall --purge -y

Exit status:
  0    everything is gone, or nothing was there
  2    it could not be done, or not to its end; the same command goes on
  130  stopped by Ctrl-C; the same command goes on";

/// Runs the command.
pub(crate) fn uninstall(printer: &mut Printer, args: UninstallArgs) -> Result<Exit, CommandError> {
    let UninstallArgs {
        revision,
        purge,
        change,
    } = args;
    let ChangeArgs {
        istio_namespace,
        ask,
        cluster,
    } = change;
    let scope = if purge {
        RemovalScope::Purge
    } else {
        RemovalScope::Revision(revision.unwrap_or_else(|| DEFAULT_REVISION.to_owned()))
    };
    cluster.run_to_end(async |connected| {
        run::remove(
            printer,
            &cluster,
            &connected,
            &istio_namespace,
            &scope,
            "uninstall",
            &ask,
        )
        .await
    })
}

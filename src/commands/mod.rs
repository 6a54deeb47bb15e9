//! The commands, one file each: an `Args` struct whose comments are the help, and a function.

pub(crate) mod analyze;
pub(crate) mod canary;
pub(crate) mod check_inject;
pub(crate) mod completion;
pub(crate) mod describe;
pub(crate) mod explain;
pub(crate) mod inject;
pub(crate) mod injector;
pub(crate) mod install;
pub(crate) mod manifest;
pub(crate) mod operator;
pub(crate) mod precheck;
pub(crate) mod profile;
pub(crate) mod proxy_config;
pub(crate) mod proxy_status;
pub(crate) mod rollback;
pub(crate) mod tag;
pub(crate) mod trace;
pub(crate) mod uninject;
pub(crate) mod uninstall;
pub(crate) mod util;
pub(crate) mod verify;
pub(crate) mod version;

use crate::cli::Command;
use crate::error::CommandError;
use crate::exit::Exit;
use crate::ui::Printer;

/// Runs a command.
pub(crate) fn run(printer: &mut Printer, command: Command) -> Result<Exit, CommandError> {
    match command {
        Command::Analyze(args) => analyze::analyze(printer, args),
        Command::Explain(args) => explain::explain(printer, args),
        Command::Manifest(args) => manifest::manifest(printer, *args),
        Command::Profile(args) => profile::profile(printer, *args),
        Command::Operator(args) => operator::operator(printer, args),
        Command::Precheck(args) => precheck::precheck(printer, *args),
        Command::Install(args) => install::install(printer, *args),
        Command::Upgrade(args) => install::upgrade(printer, *args),
        Command::Verify(args) => verify::verify(printer, args),
        Command::Rollback(args) => rollback::rollback(printer, *args),
        Command::Uninstall(args) => uninstall::uninstall(printer, *args),
        Command::Tag(args) => tag::tag(printer, args),
        Command::Inject(args) => inject::inject(printer, *args),
        Command::CheckInject(args) => check_inject::check_inject(printer, *args),
        Command::Injector(args) => injector::injector(printer, args),
        Command::Uninject(args) => uninject::uninject(printer, args),
        Command::ProxyConfig(args) => proxy_config::proxy_config(printer, args),
        Command::ProxyStatus(args) => proxy_status::proxy_status(printer, &args),
        Command::Describe(args) => describe::describe(printer, args),
        Command::Trace(args) => trace::run(printer, &args),
        Command::Canary(args) => canary::canary(printer, *args),
        Command::Completion(args) => completion::completion(printer, args),
        Command::Version(args) => version::version(printer, args),
        Command::Util(args) => util::util(printer, args),
    }
}

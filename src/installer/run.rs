//! From a plan to its end: shown, agreed to, carried out, and told what is in place if it does not come to its end.

use std::io::Write;
use std::time::Duration;

use jiff::Timestamp;
use mesh_core::cluster::{Cluster, ListQuery, Scope};
use mesh_core::k8s_openapi::api::core::v1::Pod;
use mesh_install::engine::{EngineError, InstallOptions, Removal, RemovalScope, Session};
use mesh_install::inventory::{DEFAULT_REVISION, Proxy, minor, proxies};
use mesh_install::operator::NAMESPACE;
use mesh_install::plan::{Desired, Plan};
use mesh_install::state::{EntryFacts, State};
use serde_json::json;

use super::{ApplyArgs, AskArgs, Console, Format, MESH, confirm, error, session, show};
use crate::cluster::ClusterArgs;
use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::ui::Printer;
use crate::ui::document::FormatArgs;

/// What an installation is of, for what users are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A revision of a control plane.
    ControlPlane,
    /// The operator.
    Operator,
}

/// What is to be installed.
pub(crate) struct Job<'a> {
    /// What it is of.
    pub(crate) subject: Subject,
    /// The objects.
    pub(crate) desired: Desired,
    /// What is remembered of it.
    pub(crate) facts: EntryFacts,
    /// How to go about it.
    pub(crate) apply: &'a ApplyArgs,
}

/// What is remembered of an installation that begins now.
pub(crate) fn facts(action: impl Into<String>) -> EntryFacts {
    EntryFacts {
        started: format!("{:.0}", Timestamp::now()),
        action: action.into(),
        meshctl: env!("CARGO_PKG_VERSION").to_owned(),
        ..EntryFacts::default()
    }
}

/// Installs. The output says what was done; an error what is in place, how to go on, and how to go back.
pub(crate) async fn install(
    printer: &mut Printer,
    args: &ClusterArgs,
    cluster: &Cluster,
    job: Job<'_>,
) -> Result<Exit, CommandError> {
    let Job {
        subject,
        desired,
        facts,
        apply,
    } = job;
    let AskArgs {
        dry_run,
        yes,
        wait_lock,
        output: FormatArgs { format },
    } = apply.ask;
    let (session, events) = session(cluster.clone(), &desired.mesh);
    let planned = args.unless_stopped(session.plan(&desired, apply.claims())).await;
    let plan = planned?.map_err(error)?;
    let obstacles = plan.obstacles();
    if !obstacles.is_empty() {
        return Err(show::obstacles(&obstacles));
    }
    show_plan(printer, &desired, &plan, apply)?;
    if dry_run {
        return Ok(Exit::Clean);
    }
    if !yes && !plan.is_empty() {
        let question = format!("Change {} in this way?", cluster.name());
        let answer = args.unless_stopped(confirm(printer, &question)).await;
        if !answer?? {
            return Err(CommandError::user("cancelled, nothing was changed"));
        }
    }

    let options = InstallOptions {
        claims: apply.claims(),
        no_wait: !apply.wait,
        wait_for_lock: wait_lock,
        agreed: (!yes).then(|| plan.clone()),
    };
    let version = facts.version.clone();
    let action = facts.action.clone();
    let mut console = Console::new(printer, format, events);
    // Futures of that much work are large.
    let work = Box::pin(session.install(&desired, facts, &options));
    let result = {
        let watched = console.watch(args.until_stopped(work)).await;
        session.close().await;
        watched?
    };
    console.catch_up()?;
    console.stop();
    let mut failure = match result {
        Ok(Ok(_)) => {
            console.document(&json!({ "event": "done", "action": action }))?;
            if format == Format::Text {
                let Desired { mesh, revision, .. } = &desired;
                let text = match subject {
                    Subject::ControlPlane => format!("{action}: revision {revision} in {mesh} is complete"),
                    Subject::Operator => format!("{action}: the operator in {mesh} is complete"),
                };
                console.line(&text);
            }
            drop(console);
            return after(printer, args, cluster, &desired, version.as_deref()).await;
        }
        Ok(Err(
            failure @ (EngineError::Locked(_) | EngineError::Outdated(_) | EngineError::Obstacles(_)),
        )) => {
            return Err(error(failure));
        }
        Ok(Err(failure)) => error(failure),
        Err(stop) => args.stopped(stop),
    };
    for line in console.how_far(&plan) {
        failure.message.push_str("\n  ");
        failure.message.push_str(&line);
    }
    console.document(&json!({ "event": "failed", "action": action, "error": failure.message }))?;
    // Whoever is impatient is not made to wait for long.
    let states = tokio::time::timeout(Duration::from_secs(2), session.states()).await;
    let states = states.ok().and_then(Result::ok).unwrap_or_default();
    Err(failure
        .hinted("to go on, run the same command again")
        .hinted(way_back(subject, &states, &desired)))
}

/// How to undo an installation that was not completed.
fn way_back(subject: Subject, states: &[State], desired: &Desired) -> String {
    if subject == Subject::Operator {
        let namespace = option("operator-namespace", &desired.mesh, NAMESPACE);
        return format!("to remove what is in place: `meshctl operator remove{namespace}`");
    }
    let options = options(&desired.revision, &desired.mesh);
    let state = states.iter().find(|state| state.revision == desired.revision);
    match state.and_then(State::current) {
        Some(before) => format!(
            "to go back to what was installed before: `meshctl rollback {}{options}`",
            before.facts.number
        ),
        None => format!("to remove what is in place: `meshctl uninstall{options}`"),
    }
}

/// The options that lead a command to a revision: ` --revision canary --istio-namespace mesh`, each only where needed.
pub(crate) fn options(revision: &str, mesh: &str) -> String {
    option("revision", revision, DEFAULT_REVISION) + &mesh_option(mesh)
}

/// The option that leads a command to a mesh, where it is needed.
pub(crate) fn mesh_option(mesh: &str) -> String {
    option("istio-namespace", mesh, MESH)
}

fn option(name: &str, value: &str, usual: &str) -> String {
    if value == usual {
        String::new()
    } else {
        format!(" --{name} {value}")
    }
}

fn show_plan(
    printer: &mut Printer,
    desired: &Desired,
    plan: &Plan,
    apply: &ApplyArgs,
) -> Result<(), CommandError> {
    let is_verbose = printer.is_verbose();
    if apply.ask.output.format == Format::Json {
        let document = show::PlanDocument::new(desired, plan);
        let out = printer.stdout();
        serde_json::to_writer(&mut *out, &document).map_err(std::io::Error::from)?;
        writeln!(out)?;
        return Ok(());
    }
    // It is what was asked for, or a remark before the change.
    let look = if apply.ask.dry_run {
        printer.look()
    } else {
        printer.status_look()
    };
    let mut text = Vec::new();
    if plan.is_empty() {
        writeln!(text, "everything is as it should be")?;
    } else {
        show::plan(&mut text, look, is_verbose, desired, plan)?;
    }
    if apply.diff {
        show::differences(&mut text, look, desired, plan)?;
    }
    write(printer, &text, apply.ask.dry_run)
}

/// Writes text that is either what was asked for, or a remark.
fn write(printer: &mut Printer, text: &[u8], is_data: bool) -> Result<(), CommandError> {
    if is_data {
        printer.stdout().write_all(text)?;
    } else {
        printer.status(String::from_utf8_lossy(text).trim_end());
    }
    Ok(())
}

/// The proxies of a cluster.
pub(crate) async fn data_plane(cluster: &Cluster) -> Result<Vec<Proxy>, CommandError> {
    let pods: Vec<Pod> = cluster.list(&ListQuery::of::<Pod>(&Scope::All)).await?;
    Ok(proxies(&pods))
}

/// Says who still runs another version.
async fn after(
    printer: &mut Printer,
    args: &ClusterArgs,
    cluster: &Cluster,
    desired: &Desired,
    version: Option<&str>,
) -> Result<Exit, CommandError> {
    // It is done; that nobody can say who uses it does not undo that.
    let Ok(Ok(proxies)) = args.until_stopped(data_plane(cluster)).await else {
        return Ok(Exit::Clean);
    };
    let is_old = |proxy: &&Proxy| {
        let is_ours = proxy
            .revision
            .as_deref()
            .is_none_or(|revision| revision == desired.revision);
        is_ours && version.is_some() && proxy.version.as_deref() != version
    };
    let old: Vec<&Proxy> = proxies.iter().filter(is_old).collect();
    if let (Some(version), false) = (version, old.is_empty()) {
        printer.note(format_args!(
            "{} not of version {version}: {}",
            match old.len() {
                1 => "1 proxy is".to_owned(),
                count => format!("{count} proxies are"),
            },
            show::by_namespace(&old)
        ));
        printer
            .note("they change when their pods restart: `kubectl rollout restart deployment -n NAMESPACE`");
    }
    Ok(Exit::Clean)
}

/// Whether a control plane may be brought from one version to another in its place.
///
/// # Errors
///
/// It may not.
pub(crate) fn check_step(from: Option<&str>, to: Option<&str>) -> Result<(), CommandError> {
    let minors = (from.and_then(minor), to.and_then(minor));
    let (Some(from_minor), Some(to_minor)) = minors else {
        return Ok(()); // A version that cannot be read cannot be compared.
    };
    let (from, to) = (from.unwrap_or_default(), to.unwrap_or_default());
    if to_minor < from_minor {
        return Err(
            CommandError::user(format!("{to} is older than {from}, which is installed"))
                .hinted("to go back to an earlier installation, use `meshctl rollback`")
                .hinted("to go down all the same, pass `--skip-version-check`"),
        );
    }
    if to_minor > from_minor + 1 {
        return Err(CommandError::user(format!(
            "from {from} to {to} is more than one minor version, and so cannot be done in place"
        ))
        .hinted(format!("install 1.{} first", from_minor + 1))
        .hinted("or install the new version beside the old one, with a `--revision` of its own")
        .hinted("to skip versions all the same, pass `--skip-version-check`"));
    }
    Ok(())
}

/// Removes. The output says what went and what stays.
pub(crate) async fn remove(
    printer: &mut Printer,
    args: &ClusterArgs,
    cluster: &Cluster,
    mesh: &str,
    scope: &RemovalScope,
    action: &str,
    ask: &AskArgs,
) -> Result<Exit, CommandError> {
    let (session, events) = session(cluster.clone(), mesh);
    let planned = args.unless_stopped(session.removal(scope)).await;
    let removal = planned?.map_err(error)?;
    if !removal.others.is_empty() {
        return Err(unknown_revision(scope, &removal.others, mesh));
    }
    let look = if ask.dry_run {
        printer.look()
    } else {
        printer.status_look()
    };
    let mut text = Vec::new();
    if ask.output.format == Format::Json {
        let document = json!({ "event": "removal", "objects": removal.objects, "left": removal.left });
        writeln!(printer.stdout(), "{document}")?;
    } else if removal.objects.is_empty() && removal.revisions.is_empty() {
        writeln!(text, "nothing is installed in {mesh}")?;
        show::left(&mut text, &removal)?;
    } else {
        show::removal(&mut text, look, printer.is_verbose(), &removal)?;
    }
    write(printer, &text, ask.dry_run)?;
    if ask.dry_run {
        return Ok(Exit::Clean);
    }
    if !ask.yes && !removal.objects.is_empty() {
        warn_of_users(printer, args, cluster, &removal).await;
        let question = format!("Remove this from {}?", cluster.name());
        let answer = args.unless_stopped(confirm(printer, &question)).await;
        if !answer?? {
            return Err(CommandError::user("cancelled, nothing was removed"));
        }
    }
    let mut console = Console::new(printer, ask.output.format, events);
    // Futures of that much work are large.
    let work = Box::pin(session.remove(scope, ask.wait_lock));
    let watched = console.watch(args.until_stopped(work)).await;
    session.close().await;
    console.catch_up()?;
    console.stop();
    let failure = match watched? {
        Ok(Ok(removal)) => {
            console.document(&json!({ "event": "done", "action": action, "left": removal.left }))?;
            if ask.output.format == Format::Text {
                let mut text = Vec::new();
                writeln!(
                    text,
                    "{action}: {} gone",
                    match removal.objects.len() {
                        1 => "1 object is".to_owned(),
                        count => format!("{count} objects are"),
                    }
                )?;
                show::left(&mut text, &removal)?;
                console.line(String::from_utf8_lossy(&text).trim_end());
            }
            return Ok(Exit::Clean);
        }
        Ok(Err(failure)) => error(failure),
        Err(stop) => args.stopped(stop),
    };
    console.document(&json!({ "event": "failed", "action": action, "error": failure.message }))?;
    Err(failure.hinted("to go on, run the same command again"))
}

fn unknown_revision(scope: &RemovalScope, others: &[String], mesh: &str) -> CommandError {
    let revision = match scope {
        RemovalScope::Revision(revision) => revision.as_str(),
        RemovalScope::Purge => DEFAULT_REVISION,
    };
    CommandError::user(format!("revision {revision} is not installed in {mesh}")).hinted(format!(
        "there {}: {}",
        if others.len() == 1 { "is" } else { "are" },
        others.join(", ")
    ))
}

/// Says whose proxies lose their control plane.
async fn warn_of_users(printer: &mut Printer, args: &ClusterArgs, cluster: &Cluster, removal: &Removal) {
    let Ok(Ok(proxies)) = args.until_stopped(data_plane(cluster)).await else {
        return;
    };
    let uses = |proxy: &&Proxy| {
        let revision = proxy.revision.as_deref().unwrap_or(DEFAULT_REVISION);
        removal.revisions.iter().any(|going| going == revision)
    };
    let users: Vec<&Proxy> = proxies.iter().filter(uses).collect();
    if !users.is_empty() {
        printer.warning(&CommandError {
            kind: ErrorKind::User,
            ..CommandError::user(format!(
                "{} proxies still use it: {}",
                users.len(),
                show::by_namespace(&users)
            ))
        });
    }
}

/// The states of a mesh, with something to say where there are none.
pub(crate) async fn states(session: &Session, args: &ClusterArgs) -> Result<Vec<State>, CommandError> {
    let states = args.unless_stopped(session.states()).await;
    states?.map_err(error)
}

/// The state of a revision.
///
/// # Errors
///
/// It is not installed.
pub(crate) fn state_of<'a>(
    states: &'a [State],
    revision: &str,
    mesh: &str,
) -> Result<&'a State, CommandError> {
    if let Some(state) = states.iter().find(|state| state.revision == revision) {
        return Ok(state);
    }
    let names: Vec<String> = states.iter().map(|state| state.revision.clone()).collect();
    if names.is_empty() {
        return Err(
            CommandError::user(format!("meshctl has installed nothing in namespace {mesh}"))
                .hinted("`meshctl install` installs a mesh; `--istio-namespace` names another namespace"),
        );
    }
    Err(unknown_revision(
        &RemovalScope::Revision(revision.to_owned()),
        &names,
        mesh,
    ))
}

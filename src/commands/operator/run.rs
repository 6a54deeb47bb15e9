//! `meshctl operator run`: the operator itself.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use http::{Method, Request, StatusCode};
use hyper::body::Incoming;
use mesh_core::cluster::Cluster;
use mesh_install::operator::{Notice, Operator, Outcome};
use tokio::sync::{mpsc, watch};

use super::PlacesArgs;
use super::metrics::Metrics;
use crate::cluster::{ClusterArgs, duration};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::service::http::{Answer, plain, status};
use crate::service::{self, EVENTS, Event, asked_to_stop, attend, block_on, http as server};
use crate::ui::Printer;

/// Look after control planes: what runs in the operator's pod
///
/// Installs what the MeshControlPlanes of the watched namespaces describe, repairs what others change or delete, and
/// removes it when they are deleted. Several of these may run: one works, the others wait for its Lease. Serves /healthz,
/// /readyz and /metrics over HTTP. Ends with SIGTERM or Ctrl-C; what is under way then is gone on with by the next one.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RunArgs {
    #[command(flatten)]
    places: PlacesArgs,

    /// Address and port to listen on; port 0 is any that is free, and is told on standard error
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:8383")]
    listen: SocketAddr,

    /// Time after which everything is looked at, even if nothing seems to have changed
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    resync: Duration,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  On this machine, instead of in the cluster
    meshctl operator run --watched-namespaces istio-system --listen 127.0.0.1:8383

Exit status:
  0  stopped as asked
  2  it could not start, or the API server refuses its Lease";

/// Runs the command.
pub(super) fn run(printer: &mut Printer, args: RunArgs) -> Result<Exit, CommandError> {
    block_on(serve(printer, args))
}

async fn serve(printer: &mut Printer, args: RunArgs) -> Result<Exit, CommandError> {
    let RunArgs {
        places,
        listen,
        resync,
        cluster,
    } = args;
    let stopped = asked_to_stop()?;
    let operator = Operator {
        namespaces: places.watched()?,
        namespace: places.operator_namespace,
        resync,
    };
    let connected = Cluster::connect(&cluster.options()).await?;
    let (listener, address) = service::listen(listen).await?;
    printer.status(format_args!("listening on http://{address}"));

    let (events, told) = mpsc::channel(EVENTS);
    let (stop, stopping) = watch::channel(false);
    let metrics = Arc::new(Metrics::default());
    let report: Arc<dyn Fn(Notice) + Send + Sync> = {
        let (metrics, events) = (Arc::clone(&metrics), events.clone());
        Arc::new(move |notice| {
            metrics.count(&notice);
            server::tell(&events, event(notice));
        })
    };
    let answering = {
        let (metrics, stopping) = (Arc::clone(&metrics), stopping.clone());
        move |request| {
            let answer = answer(&metrics, *stopping.borrow(), &request);
            async move { answer }
        }
    };
    let serving = tokio::spawn(server::run(listener, None, events, stopping.clone(), answering));
    let working = tokio::spawn(operator.run(connected, stopping, report));
    let work = async {
        let ended = working.await;
        let _ = stop.send(true);
        // That the server failed does not matter any more.
        let _ = serving.await;
        ended
    };
    match attend(printer, told, stopped, &stop, work).await {
        Ok(result) => result.map(|()| Exit::Clean).map_err(crate::installer::error),
        Err(error) => Err(CommandError::user(format!("the operator failed: {error}"))),
    }
}

/// The answer to any request.
fn answer(metrics: &Metrics, is_stopping: bool, request: &Request<Incoming>) -> Answer {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return status(StatusCode::METHOD_NOT_ALLOWED, "only GET works here");
    }
    match request.uri().path() {
        "/readyz" if is_stopping => status(StatusCode::SERVICE_UNAVAILABLE, "the operator is stopping"),
        "/readyz" if !metrics.is_ready() => status(
            StatusCode::SERVICE_UNAVAILABLE,
            "the operator has not reached the API server yet",
        ),
        "/healthz" | "/readyz" => plain("ok\n"),
        "/metrics" => plain(metrics.text()),
        _ => status(StatusCode::NOT_FOUND, "there are /healthz, /readyz and /metrics"),
    }
}

/// What is told of a notice.
fn event(notice: Notice) -> Event {
    match notice {
        Notice::Standby(holder) => Event::Note(format!("waiting: {holder} is the operator that works")),
        Notice::Leading => Event::Note("working".to_owned()),
        Notice::Replaced => Event::Warning("another operator has taken over".to_owned()),
        Notice::Trouble(what) => Event::Warning(what),
        Notice::Gone { plane } => Event::Detail(format!("{plane}: gone")),
        Notice::Tended {
            plane, outcome, took, ..
        } => {
            let text = format!("{plane}: {} ({:.1} s)", outcome.name(), took.as_secs_f64());
            match outcome {
                Outcome::Unchanged | Outcome::Stopped => Event::Detail(text),
                Outcome::Installed | Outcome::Removed => Event::Note(text),
                Outcome::Waiting(why) => Event::Detail(format!("{text}: {why}")),
                Outcome::Repaired(what) => Event::Note(format!("{text}: {}", what.join(", "))),
                Outcome::Refused(why) | Outcome::Failed(why) => Event::Warning(format!("{text}: {why}")),
            }
        }
    }
}

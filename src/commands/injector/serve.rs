//! `meshctl injector serve`: a webhook that injects.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use mesh_core::cluster::Cluster;
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;

use super::certificate::Certificate;
use super::server::{State, answer};
use crate::cluster::{ClusterArgs, duration};
use crate::commands::inject::settings::{Loaded, SettingsArgs};
use crate::error::CommandError;
use crate::exit::Exit;
use crate::service::{self, EVENTS, Event, asked_to_stop, attend, block_on, http};
use crate::ui::Printer;

/// Serve the webhook that injects sidecars
///
/// An HTTPS server that answers the API server's reviews of new pods at /inject (and /inject/cluster/NAME/net/NAME) as
/// Istio's injector does, and /healthz, /readyz and /metrics. It ends with SIGTERM or Ctrl-C, after the requests under
/// way.
///
/// Settings are read from the cluster, unless they are given by files or --offline, and again when they change; so is
/// the certificate. What cannot be read later on leaves the settings as they are.
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// Address and port to listen on; port 0 is any that is free, and is told on standard error
    #[arg(long, value_name = "ADDRESS", default_value = "0.0.0.0:15017")]
    listen: SocketAddr,

    /// Certificate of the server with its chain, in PEM
    #[arg(long, value_name = "FILE")]
    tls_cert: PathBuf,

    /// Private key of the certificate, in PEM
    #[arg(long, value_name = "FILE")]
    tls_key: PathBuf,

    /// Time between two looks for changes of the settings and the certificate
    #[arg(long, value_name = "DURATION", default_value = "10s", value_parser = duration)]
    refresh: Duration,

    #[command(flatten)]
    settings: SettingsArgs,

    #[command(flatten)]
    cluster: ClusterArgs,
}

const EXAMPLES: &str = "\
Examples:
  In a pod, with the settings of the cluster and a certificate from a Secret
    meshctl injector serve --tls-cert /etc/tls/tls.crt --tls-key /etc/tls/tls.key

  On this machine, with settings from files
    meshctl injector serve --listen 127.0.0.1:0 --tls-cert tls.crt --tls-key tls.key --mesh-config mesh.yaml --values values.yaml

Exit status:
  0  stopped as asked
  2  it could not start: wrong arguments, settings or certificate, address in use";

/// Runs the command.
pub(crate) fn serve(printer: &mut Printer, args: ServeArgs) -> Result<Exit, CommandError> {
    block_on(run(printer, args))
}

/// Where settings come from.
enum Source {
    Files,
    Cluster(Cluster),
}

impl Source {
    async fn load(&self, args: &SettingsArgs) -> Result<Loaded, CommandError> {
        match self {
            Self::Files => args.read_files(),
            Self::Cluster(cluster) => args.ask(cluster).await,
        }
    }
}

async fn run(printer: &mut Printer, args: ServeArgs) -> Result<Exit, CommandError> {
    let ServeArgs {
        listen,
        tls_cert,
        tls_key,
        refresh,
        settings,
        cluster,
    } = args;
    let mut stopped = std::pin::pin!(asked_to_stop()?);
    let certificate = Arc::new(Certificate::read(&tls_cert, &tls_key)?);
    let tls = TlsAcceptor::from(Arc::new(Arc::clone(&certificate).server()?));
    let source = if settings.are_local() {
        Source::Files
    } else {
        Source::Cluster(Cluster::connect(&cluster.options()).await?)
    };
    let loaded = tokio::select! {
        loaded = source.load(&settings) => loaded?,
        () = tokio::time::sleep(cluster.timeout) => {
            return Err(CommandError::user("the settings could not be read within the time of `--timeout`"));
        }
        () = stopped.as_mut() => return Ok(Exit::Clean),
    };
    for note in &loaded.notes {
        printer.note(note);
    }
    let (listener, address) = service::listen(listen).await?;
    printer.status(format_args!("listening on https://{address}"));

    let (events, told) = mpsc::channel(EVENTS);
    let (stop, mut stopping) = watch::channel(false);
    let state = Arc::new(State::new(loaded, certificate, stopping.clone(), events.clone()));
    let answering = {
        let state = Arc::clone(&state);
        move |request| {
            let state = Arc::clone(&state);
            async move { answer(&state, request).await }
        }
    };
    let server = http::run(listener, Some(tls), events, stopping.clone(), answering);
    let mut serving = tokio::spawn(server);
    let work = async {
        tokio::select! {
            ended = &mut serving => return ended,
            () = watch_for_changes(&state, &source, &settings, refresh) => {}
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        serving.await
    };
    // What reads settings is large.
    match Box::pin(attend(printer, told, stopped, &stop, work)).await {
        Ok(()) => Ok(Exit::Clean),
        Err(error) => Err(CommandError::user(format!("the server failed: {error}"))),
    }
}

/// Reads the settings and the certificate again and again. A failure is told once, until it is another one.
async fn watch_for_changes(state: &State, source: &Source, settings: &SettingsArgs, every: Duration) {
    let mut failures = [None, None];
    loop {
        tokio::time::sleep(every).await;
        let settings = source.load(settings).await.map(|loaded| state.take(loaded));
        let results = [
            ("settings", settings),
            ("certificate", state.certificate.refresh()),
        ];
        for ((what, result), failure) in results.into_iter().zip(&mut failures) {
            let is_new = match &result {
                Ok(_) => failure.take().is_some(),
                Err(error) => {
                    let message = error.to_string();
                    let is_new = failure.as_ref() != Some(&message);
                    *failure = Some(message);
                    is_new
                }
            };
            match result {
                Ok(true) => {
                    state.metrics.reload(what, true);
                    state.tell(Event::Note(format!("new {what}")));
                }
                Ok(false) if is_new => state.tell(Event::Note(format!("the {what} can be read again"))),
                Ok(false) => {}
                Err(error) => {
                    state.metrics.reload(what, false);
                    if is_new {
                        state.tell(Event::Warning(format!("the old {what} stays: {error}")));
                    }
                }
            }
        }
    }
}

//! What commands that talk to a cluster have in common: arguments, the runtime, deadlines and Ctrl-C.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use mesh_core::cluster::{Cluster, ClusterError, ConnectOptions, Impersonate};
use mesh_core::schema::Duration as GoDuration;

use crate::error::{CommandError, ErrorKind};
use crate::exit::Exit;
use crate::service::asked_to_stop;

/// The defaults, which the help shows too.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const TIMEOUT: Duration = Duration::from_mins(2);

/// Which cluster, as whom, and for how long.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Cluster")]
pub(crate) struct ClusterArgs {
    /// Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod's own ServiceAccount]
    #[arg(long, value_name = "FILE")]
    pub(crate) kubeconfig: Option<PathBuf>,

    /// Context of the kubeconfig [default: its current one]
    #[arg(long, value_name = "NAME")]
    pub(crate) context: Option<String>,

    /// User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)
    #[arg(long = "as", value_name = "USER")]
    pub(crate) as_user: Option<String>,

    /// Group to act as (can be repeated)
    #[arg(long, value_name = "GROUP")]
    pub(crate) as_group: Vec<String>,

    /// UID to act as
    #[arg(long, value_name = "UID")]
    pub(crate) as_uid: Option<String>,

    /// Time that one request may take
    #[arg(long, value_name = "DURATION", default_value = "15s", value_parser = duration)]
    pub(crate) request_timeout: Duration,

    /// Time that all of the work may take
    #[arg(long, value_name = "DURATION", default_value = "2m", value_parser = duration)]
    pub(crate) timeout: Duration,
}

/// What stopped work before its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `--timeout`.
    Late,
    /// Ctrl-C.
    Interrupted,
}

/// Reads a duration of the command line.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    GoDuration::parse(text)
        .and_then(|duration| u64::try_from(duration.as_nanos()).ok())
        .filter(|nanoseconds| *nanoseconds > 0)
        .map(Duration::from_nanos)
        .ok_or_else(|| "not a duration above zero, such as `30s`, `1m30s` or `500ms`".to_owned())
}

impl ClusterArgs {
    /// The first of the arguments that was given, for commands that work without a cluster too.
    pub(crate) fn given(&self) -> Option<&'static str> {
        let Self {
            kubeconfig,
            context,
            as_user,
            as_group,
            as_uid,
            request_timeout,
            timeout,
        } = self;
        let given = [
            ("--kubeconfig", kubeconfig.is_some()),
            ("--context", context.is_some()),
            ("--as", as_user.is_some()),
            ("--as-group", !as_group.is_empty()),
            ("--as-uid", as_uid.is_some()),
            ("--request-timeout", *request_timeout != REQUEST_TIMEOUT),
            ("--timeout", *timeout != TIMEOUT),
        ];
        given
            .into_iter()
            .find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// How to connect.
    pub(crate) fn options(&self) -> ConnectOptions {
        ConnectOptions {
            kubeconfig: self.kubeconfig.clone(),
            context: self.context.clone(),
            impersonate: Impersonate {
                user: self.as_user.clone(),
                groups: self.as_group.clone(),
                uid: self.as_uid.clone(),
            },
            request_timeout: self.request_timeout.min(self.timeout),
        }
    }

    /// The same without a deadline for all of the work, unless the user has set one.
    pub(crate) fn without_default_deadline(&self) -> Self {
        let timeout = match self.timeout {
            TIMEOUT => Duration::from_secs(u64::from(u32::MAX)),
            set => set,
        };
        Self {
            timeout,
            ..self.clone()
        }
    }

    /// Connects and runs `work` to its end, to `--timeout`, or to Ctrl-C or SIGTERM, whichever comes first.
    ///
    /// Work that is stopped is dropped where it waits, so it must be safe to stop there.
    ///
    /// # Errors
    ///
    /// Those of connecting and of `work`; [`ErrorKind::Interrupted`] after Ctrl-C.
    pub(crate) fn run<T>(
        &self,
        work: impl AsyncFnOnce(Cluster) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        self.run_to_end(async |cluster| self.unless_stopped(work(cluster)).await?)
    }

    /// Connects and runs `work` to its end: for work that has something to do after it was stopped. Its parts are
    /// stopped by [`Self::until_stopped`].
    ///
    /// # Errors
    ///
    /// Those of connecting and of `work`.
    pub(crate) fn run_to_end<T>(
        &self,
        work: impl AsyncFnOnce(Cluster) -> Result<T, CommandError>,
    ) -> Result<T, CommandError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .map_err(|error| CommandError::user(format!("cannot start threads: {error}")))?;
        let result = runtime.block_on(async {
            let connected = self.unless_stopped(Cluster::connect(&self.options())).await;
            let cluster = connected??;
            work(cluster).await
        });
        // The signal's own effect does not come back: from here on, when nobody waits for it, this stands in for it. The
        // runtime stays for that; requests that still wait for a server do not hold the process up.
        runtime.spawn(async {
            interrupted().await;
            end_interrupted();
        });
        std::mem::forget(runtime);
        result
    }

    /// Runs `work` to its end, to `--timeout`, or to Ctrl-C or SIGTERM, whichever comes first. Work that is stopped is dropped
    /// where it waits. After one signal another one ends the program at once.
    ///
    /// # Errors
    ///
    /// What stopped it.
    pub(crate) async fn until_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, Stop> {
        tokio::select! {
            result = work => Ok(result),
            () = tokio::time::sleep(self.timeout) => Err(Stop::Late),
            () = interrupted() => {
                tokio::spawn(async {
                    interrupted().await;
                    end_interrupted();
                });
                Err(Stop::Interrupted)
            }
        }
    }

    /// [`Self::until_stopped`], for those that have nothing to do after it was stopped.
    ///
    /// # Errors
    ///
    /// One that says what stopped it.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Result<T, CommandError> {
        self.until_stopped(work).await.map_err(|stop| self.stopped(stop))
    }

    /// The error that says what stopped the work.
    pub(crate) fn stopped(&self, stop: Stop) -> CommandError {
        match stop {
            Stop::Late => self.late(),
            Stop::Interrupted => CommandError::interrupted(),
        }
    }

    fn late(&self) -> CommandError {
        CommandError::user(format!(
            "not done within {} s (`--timeout`)",
            self.timeout.as_secs_f64()
        ))
        .hinted("allow more time, such as `--timeout 5m`")
    }
}

#[expect(
    clippy::exit,
    clippy::disallowed_methods,
    reason = "this is what the signal does to a program that does not handle it"
)]
fn end_interrupted() {
    std::process::exit(Exit::Interrupted as i32);
}

/// Waits for Ctrl-C or SIGTERM. Never returns where there are no signals.
async fn interrupted() {
    match asked_to_stop() {
        Ok(asked) => asked.await,
        Err(_) => std::future::pending().await,
    }
}

impl From<ClusterError> for CommandError {
    fn from(error: ClusterError) -> Self {
        let ClusterError {
            kind: _,
            message,
            hint,
        } = error;
        Self {
            kind: ErrorKind::User,
            message,
            place: None,
            hints: hint.into_iter().collect(),
        }
    }
}

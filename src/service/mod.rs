//! What programs that run until they are stopped have in common: a server, metrics, what they say, and signals.

pub(crate) mod http;
pub(crate) mod metrics;

use std::net::SocketAddr;

use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::error::CommandError;
use crate::ui::Printer;

/// Messages that wait to be printed.
pub(crate) const EVENTS: usize = 1000;

/// Something to tell who runs the program.
#[derive(Debug)]
pub(crate) enum Event {
    /// That happens all the time.
    Detail(String),
    /// That happens now and then.
    Note(String),
    /// That should not happen.
    Warning(String),
}

/// Tells what happens until some work has ended, and asks it to stop when that is wanted. Returns what the work ends with.
pub(crate) async fn attend<T>(
    printer: &mut Printer,
    mut events: mpsc::Receiver<Event>,
    stopped: impl Future<Output = ()>,
    stop: &watch::Sender<bool>,
    work: impl Future<Output = T>,
) -> T {
    let (mut stopped, mut work) = (std::pin::pin!(stopped), std::pin::pin!(work));
    loop {
        tokio::select! {
            Some(event) = events.recv() => tell(printer, event),
            () = stopped.as_mut(), if !*stop.borrow() => {
                printer.status("stopping");
                // Nobody listens only if the work has ended already.
                let _ = stop.send(true);
            }
            ended = work.as_mut() => {
                while let Ok(event) = events.try_recv() {
                    tell(printer, event);
                }
                return ended;
            }
        }
    }
}

fn tell(printer: &mut Printer, event: Event) {
    match event {
        Event::Detail(text) if printer.is_verbose() => printer.status(text),
        Event::Detail(_) => {}
        Event::Note(text) => printer.note(text),
        Event::Warning(text) => printer.warning(&CommandError::user(text)),
    }
}

/// Runs to the end on several threads, and leaves behind what is not done by then.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CommandError>>) -> Result<T, CommandError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| CommandError::user(format!("cannot start threads: {error}")))?;
    let result = runtime.block_on(work);
    runtime.shutdown_background();
    result
}

/// Listens on an address, and says on which one: its port may be any that is free.
pub(crate) async fn listen(address: SocketAddr) -> Result<(TcpListener, SocketAddr), CommandError> {
    let cannot = |error| CommandError::user(format!("cannot listen on {address}: {error}"));
    let listener = TcpListener::bind(address).await.map_err(cannot)?;
    let bound = listener.local_addr().map_err(cannot)?;
    Ok((listener, bound))
}

/// Waits for Ctrl-C or SIGTERM.
#[cfg(unix)]
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()>, CommandError> {
    use tokio::signal::unix::{SignalKind, signal};

    let listen =
        |kind| signal(kind).map_err(|error| CommandError::user(format!("cannot wait for signals: {error}")));
    let (mut terminate, mut interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}

/// Waits for Ctrl-C.
#[cfg(not(unix))]
#[expect(clippy::unnecessary_wraps, reason = "it can fail where there are signals")]
pub(crate) fn asked_to_stop() -> Result<impl Future<Output = ()>, CommandError> {
    Ok(async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    })
}

//! One at a time: a Lease in the namespace of the mesh.
//!
//! Whoever holds it renews it; when that stops, it falls to the next one after [`DURATION`]. All times are the API
//! server's, so that clocks need not agree. Where a holder ran on this very machine, and is known not to run any more,
//! nobody waits.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use jiff::{SignedDuration, Timestamp};
use mesh_core::cluster::Cluster;
use serde::Serialize;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use super::api::{Api, POLL};
use super::{EngineError, Event, Result};
use crate::object::{LEASE, OWNER_LABEL, ObjectRef};

/// How long the lock is held without being renewed.
const DURATION: Duration = Duration::from_secs(15);

/// How often it is renewed.
const RENEWAL: Duration = Duration::from_secs(4);

/// After this time without a renewal nothing is written before there is one.
const DOUBT: Duration = Duration::from_secs(10);

/// The server tells its time in whole seconds.
const SLACK: SignedDuration = SignedDuration::from_secs(2);

/// Time between two attempts to get the lock.
const PAUSE: Duration = Duration::from_secs(1);

/// The annotation that says which process holds the lock.
const PROCESS: &str = "install.meshctl.dev/process";

/// The name of the Lease.
pub(super) const NAME: &str = "meshctl-install";

/// A lock on something else than a mesh: one at a time works on what the Lease of this name is for.
pub struct NamedLock(Arc<Lock>);

impl fmt::Debug for NamedLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NamedLock").field(&self.0.reference).finish()
    }
}

impl NamedLock {
    /// Takes the lock.
    ///
    /// # Errors
    ///
    /// [`EngineError::Locked`]: somebody else has it.
    pub async fn acquire(cluster: &Cluster, namespace: &str, name: &str) -> Result<Self> {
        let api = Api::new(cluster.clone(), Arc::new(|_| {}));
        Lock::acquire(&api, namespace, name, None).await.map(Self)
    }

    /// Makes sure that the lock is still held.
    ///
    /// # Errors
    ///
    /// [`EngineError::LockLost`]: somebody else has taken it over.
    pub async fn assure(&self) -> Result<()> {
        self.0.assure().await
    }

    /// Lets others have it.
    pub async fn release(self) {
        self.0.release().await;
    }
}

/// Who holds the lock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Holder {
    /// User, host and process.
    pub who: String,
    /// Since when (RFC 3339); empty if nobody knows.
    pub since: String,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.who)?;
        if self.since.is_empty() {
            return Ok(());
        }
        write!(f, " (since {})", self.since)
    }
}

/// The lock, held until it is released or dropped.
pub(super) struct Lock {
    api: Api,
    reference: ObjectRef,
    me: Me,
    /// What the server's clock is ahead.
    ahead: SignedDuration,
    held: Mutex<Held>,
    renewal: Mutex<Option<JoinHandle<()>>>,
}

struct Held {
    /// When what renewed it last was begun: the Lease tells the time of then.
    renewed: Instant,
    /// Who has it now, if it is lost. Then it stays lost: whoever had it meanwhile may have changed everything.
    lost_to: Option<Holder>,
}

/// This process, as others see it.
struct Me {
    identity: String,
    process: Option<Process>,
}

/// A process of a machine: what tells whether it still runs. Written `MACHINE/PID/START`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Process {
    machine: String,
    pid: u32,
    start: String,
}

impl Process {
    /// This one, where that can be told (Linux).
    fn own() -> Option<Self> {
        // The boot and the namespace of process ids make a process id mean the same.
        let boot = fs_err::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
        let namespace = fs_err::read_link("/proc/self/ns/pid").ok()?;
        let pid = std::process::id();
        Some(Self {
            machine: format!("{}:{}", boot.trim(), namespace.display()),
            pid,
            start: start_of(pid)?,
        })
    }

    fn parse(text: &str) -> Option<Self> {
        let (rest, start) = text.rsplit_once('/')?;
        let (machine, pid) = rest.rsplit_once('/')?;
        Some(Self {
            machine: machine.to_owned(),
            pid: pid.parse().ok()?,
            start: start.to_owned(),
        })
    }

    /// Whether it is known not to run any more.
    fn is_gone(&self) -> bool {
        let is_here = Self::own().is_some_and(|own| own.machine == self.machine);
        is_here && start_of(self.pid).as_ref() != Some(&self.start)
    }
}

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.machine, self.pid, self.start)
    }
}

/// When a process started, in ticks since the machine did; `None` if it does not run (proc_pid_stat(5), field 22).
fn start_of(pid: u32) -> Option<String> {
    let stat = fs_err::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name of the program, in brackets, may hold anything.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_whitespace();
    // A zombie has ended: only its parent has not taken notice.
    let is_alive = !matches!(fields.next()?, "Z" | "X");
    fields.nth(18).filter(|_| is_alive).map(ToOwned::to_owned)
}

impl Me {
    fn new() -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let variable = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        let user = variable("USER").or_else(|| variable("USERNAME"));
        let host = fs_err::read_to_string("/proc/sys/kernel/hostname")
            .ok()
            .or_else(|| variable("COMPUTERNAME"));
        let process = Process::own();
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let start = process.as_ref().map_or("0", |process| process.start.as_str());
        Self {
            identity: format!(
                "{}@{} (process {}, {start}.{count})",
                user.as_deref().unwrap_or("meshctl"),
                host.as_deref().map_or("unknown", str::trim),
                std::process::id()
            ),
            process,
        }
    }
}

impl Lock {
    /// Takes the lock, and waits for it at most so long.
    pub(super) async fn acquire(
        api: &Api,
        namespace: &str,
        name: &str,
        wait: Option<Duration>,
    ) -> Result<Arc<Self>> {
        let api = api.patient();
        let reference = ObjectRef::new(&LEASE, namespace, name);
        let me = Me::new();
        let begun = Instant::now();
        let ahead = clock_ahead(&api.cluster).await;
        let mut reported = None;
        loop {
            let tried = Instant::now();
            let holder = match attempt(&api, &reference, &me, ahead, Wish::Take).await? {
                Attempt::Got => {
                    let lock = Arc::new(Self {
                        api,
                        reference,
                        me,
                        ahead,
                        held: Mutex::new(Held {
                            renewed: tried,
                            lost_to: None,
                        }),
                        renewal: Mutex::new(None),
                    });
                    let renewal = tokio::spawn(keep_renewing(Arc::downgrade(&lock)));
                    *lock.renewal.lock().unwrap_or_else(PoisonError::into_inner) = Some(renewal);
                    return Ok(lock);
                }
                Attempt::Again => {
                    tokio::time::sleep(POLL).await;
                    continue;
                }
                Attempt::Held(holder) => holder,
            };
            if wait.is_none_or(|wait| begun.elapsed() >= wait) {
                return Err(EngineError::Locked(holder));
            }
            if reported.as_ref() != Some(&holder) {
                reported = Some(holder.clone());
                api.report(Event::LockHeld { holder });
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Makes sure that the lock is still held: where renewing has failed for long, nothing must be written before it
    /// works again.
    pub(super) async fn assure(&self) -> Result<()> {
        let is_sure = {
            let held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(holder) = &held.lost_to {
                return Err(EngineError::LockLost(holder.clone()));
            }
            held.renewed.elapsed() < DOUBT
        };
        if is_sure { Ok(()) } else { self.renew().await }
    }

    /// Boxed because renewing writes, and writing may have to renew.
    fn renew(&self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            loop {
                let tried = Instant::now();
                let attempt = attempt(&self.api, &self.reference, &self.me, self.ahead, Wish::Keep).await?;
                if matches!(attempt, Attempt::Again) {
                    tokio::time::sleep(POLL).await;
                    continue;
                }
                let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
                if let Attempt::Held(holder) = attempt {
                    held.lost_to = Some(holder.clone());
                    return Err(EngineError::LockLost(holder));
                }
                held.renewed = tried;
                return Ok(());
            }
        })
    }

    /// Lets others have it. A failure does no harm: they get it all the same, only later.
    pub(super) async fn release(&self) {
        self.stop();
        let _ = tokio::time::timeout(RENEWAL, self.give_back()).await;
    }

    /// Deletes the Lease while it is of this holder. A renewal that was on its way may change it meanwhile.
    async fn give_back(&self) -> Result<()> {
        while let Some(lease) = self.api.get(&self.reference).await? {
            let is_mine = lease["spec"]["holderIdentity"] == self.me.identity.as_str();
            if !is_mine || self.api.delete_unchanged(&self.reference, &lease).await? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn stop(&self) {
        let mut renewal = self.renewal.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(renewal) = renewal.take() {
            renewal.abort();
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.stop();
    }
}

async fn keep_renewing(lock: Weak<Lock>) {
    loop {
        tokio::time::sleep(RENEWAL).await;
        let Some(lock) = lock.upgrade() else {
            return;
        };
        // That it is lost shows to whoever writes next.
        let _ = lock.renew().await;
    }
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wish {
    /// To take what nobody holds.
    Take,
    /// To keep what is held. What was lost meanwhile is not taken anew, even if nobody holds it any more.
    Keep,
}

enum Attempt {
    /// The Lease is ours now.
    Got,
    /// It changed in between.
    Again,
    Held(Holder),
}

/// How much the server's clock is ahead of ours.
async fn clock_ahead(cluster: &Cluster) -> SignedDuration {
    let date = cluster.date().await.ok().flatten();
    // HTTP's dates (RFC 9110, section 5.6.7) are those of mail with `GMT` for the zone.
    date.and_then(|date| jiff::fmt::rfc2822::parse(&date).ok())
        .map_or(SignedDuration::ZERO, |there| {
            there.timestamp().duration_since(Timestamp::now())
        })
}

async fn attempt(
    api: &Api,
    reference: &ObjectRef,
    me: &Me,
    ahead: SignedDuration,
    wish: Wish,
) -> Result<Attempt> {
    let now = Timestamp::now()
        .checked_add(ahead)
        .unwrap_or_else(|_| Timestamp::now());
    let time = format!("{now:.6}");
    let found = api.get(reference).await?;
    if let Some(holder) = in_the_way(found.as_ref(), &me.identity, now, wish) {
        return Ok(Attempt::Held(holder));
    }
    let mut lease = found.clone().unwrap_or_else(|| {
        let mut lease = json!({
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {
                "name": reference.name,
                "namespace": reference.namespace,
            },
        });
        if reference.name == NAME {
            lease["metadata"]["labels"] = json!({ OWNER_LABEL: reference.namespace });
        }
        lease
    });
    if lease["spec"]["holderIdentity"] != me.identity.as_str() {
        lease["spec"]["acquireTime"] = json!(time);
        lease["spec"]["holderIdentity"] = json!(me.identity);
        lease["metadata"]["annotations"] = match &me.process {
            Some(process) => json!({ PROCESS: process.to_string() }),
            None => Value::Null,
        };
    }
    lease["spec"]["leaseDurationSeconds"] = json!(DURATION.as_secs());
    lease["spec"]["renewTime"] = json!(time);
    let written = match found {
        Some(_) => api.replace(reference, &lease).await?,
        None => api.create(reference, &lease).await?,
    };
    Ok(written.map_or(Attempt::Again, |_| Attempt::Got))
}

/// Who is in the way of `me`: whoever holds the Lease, unless that has run out, or the process is known to be gone. For
/// who wants to keep it, everybody else, and that it is gone: somebody has had it meanwhile.
fn in_the_way(lease: Option<&Value>, me: &str, now: Timestamp, wish: Wish) -> Option<Holder> {
    let nobody = || Holder {
        who: "somebody else".to_owned(),
        since: String::new(),
    };
    let Some(lease) = lease else {
        return (wish == Wish::Keep).then(nobody);
    };
    let spec = &lease["spec"];
    let text = |field: &Value| field.as_str().unwrap_or_default().to_owned();
    let holder = Holder {
        who: text(&spec["holderIdentity"]),
        since: text(&spec["acquireTime"]),
    };
    if holder.who == me {
        return None;
    }
    if wish == Wish::Keep {
        return Some(if holder.who.is_empty() { nobody() } else { holder });
    }
    let process = lease["metadata"]["annotations"][PROCESS].as_str();
    let is_gone = process
        .and_then(Process::parse)
        .is_some_and(|process| process.is_gone());
    let renewed: Option<Timestamp> = text(&spec["renewTime"]).parse().ok();
    let seconds = spec["leaseDurationSeconds"].as_i64().unwrap_or(0);
    let is_over = renewed.is_none_or(|renewed| {
        now.duration_since(renewed) > SignedDuration::from_secs(seconds).saturating_add(SLACK)
    });
    (!holder.who.is_empty() && !is_gone && !is_over).then_some(holder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_os = "linux")]
    #[test]
    fn processes_are_known_to_run_or_not() {
        let own = Process::own().expect("Linux");
        assert!(!own.is_gone());
        assert_eq!(Process::parse(&own.to_string()), Some(own.clone()));
        let earlier = Process {
            start: "1".to_owned(),
            ..own.clone()
        };
        assert!(earlier.is_gone(), "another process with the same id");
        let mut child = std::process::Command::new("true").spawn().expect("a process");
        let pid = child.id();
        child.wait().expect("it ends");
        assert!(Process { pid, ..own.clone() }.is_gone());
        let elsewhere = Process {
            machine: "other".to_owned(),
            start: "1".to_owned(),
            ..own
        };
        assert!(!elsewhere.is_gone(), "nobody can tell from here");
    }

    #[test]
    fn what_was_lost_is_not_taken_anew() {
        let now: Timestamp = "2026-01-01T12:00:00Z".parse().expect("a time");
        let lease = |holder: &str, renewed: &str| {
            json!({ "spec": { "holderIdentity": holder, "acquireTime": "2026-01-01T11:00:00Z",
                "renewTime": renewed, "leaseDurationSeconds": 15 } })
        };
        let (fresh, stale) = ("2026-01-01T11:59:50Z", "2026-01-01T11:59:42Z");
        for (lease, takes, keeps) in [
            (None, true, false),
            (Some(lease("me", fresh)), true, true),
            (Some(lease("me", stale)), true, true),
            (Some(lease("other", fresh)), false, false),
            (Some(lease("other", stale)), true, false),
            (Some(lease("", fresh)), true, false),
            (Some(json!({})), true, false),
        ] {
            let may = |wish| in_the_way(lease.as_ref(), "me", now, wish).is_none();
            assert_eq!((may(Wish::Take), may(Wish::Keep)), (takes, keeps), "{lease:?}");
        }
        let told = |lease: Option<&Value>| {
            in_the_way(lease, "me", now, Wish::Keep).map(|holder| EngineError::LockLost(holder).to_string())
        };
        assert_eq!(
            told(Some(&lease("other", fresh))).as_deref(),
            Some(
                "the connection was lost for so long that other (since 2026-01-01T11:00:00Z) has taken over"
            )
        );
        assert_eq!(
            told(None).as_deref(),
            Some("the connection was lost for so long that somebody else has taken over")
        );
    }

    #[test]
    fn each_lock_of_a_process_has_its_own_name() {
        assert_ne!(Me::new().identity, Me::new().identity);
    }
}

//! Waiting for what the cluster does in its own time.

use std::fmt::Display;
use std::time::Duration;

/// How long [`wait_for`] waits. What is waited for takes well under a second; a machine that builds meanwhile is slow.
pub const TIMEOUT: Duration = Duration::from_mins(1);

const INTERVAL: Duration = Duration::from_millis(50);

/// Asks until the answer is `Some`, and returns what is in it. Panics after [`TIMEOUT`], saying `what` it waited for.
pub async fn wait_for<T>(what: impl Display, mut condition: impl AsyncFnMut() -> Option<T>) -> T {
    let answer = tokio::time::timeout(TIMEOUT, async {
        loop {
            if let Some(value) = condition().await {
                return value;
            }
            tokio::time::sleep(INTERVAL).await;
        }
    });
    answer
        .await
        .unwrap_or_else(|_| panic!("waited {} s for {what}", TIMEOUT.as_secs()))
}

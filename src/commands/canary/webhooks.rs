//! The webhooks of a plan, which may keep a run from going on.

use std::time::Duration;

use mesh_canary::percent::Percent;
use mesh_canary::plan::{Plan, Webhook, When};
use mesh_canary::state::Rollout;
use serde_json::json;

use super::event::{Event, Speaker};
use super::prometheus::{built, client, root};
use crate::error::CommandError;
use crate::ui::Printer;

/// How long a webhook may take if it does not say so.
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// Asks the webhooks of a time.
///
/// # Errors
///
/// One that says no, or does not answer; not at the end, when it is too late.
pub(super) async fn ask_webhooks(
    printer: &mut Printer,
    speaker: Speaker,
    plan: &Plan,
    when: When,
    rollout: &Rollout,
    percent: Percent,
) -> Result<(), CommandError> {
    for webhook in plan.webhooks.iter().filter(|webhook| webhook.when == when) {
        let problem = ask_webhook(webhook, rollout, percent).await;
        speaker.say(
            printer,
            &Event::Webhook {
                name: &webhook.name,
                problem: problem.clone(),
            },
        )?;
        if let Some(problem) = problem.filter(|_| when != When::End) {
            return Err(CommandError::user(format!(
                "webhook `{}` {problem}",
                webhook.name
            )));
        }
    }
    Ok(())
}

/// Why a webhook does not agree, if it does not.
async fn ask_webhook(webhook: &Webhook, rollout: &Rollout, percent: Percent) -> Option<String> {
    let body = json!({
        "service": rollout.subject.host,
        "stable": rollout.subject.stable.to_string(),
        "canary": rollout.subject.canary.to_string(),
        "phase": rollout.phase,
        "percent": percent,
        "when": webhook.when,
    });
    let client = match built(client(webhook.timeout.unwrap_or(WEBHOOK_TIMEOUT))) {
        Ok(client) => client,
        Err(error) => return Some(error.message),
    };
    let request = client
        .post(&webhook.url)
        .header("content-type", "application/json")
        .body(body.to_string());
    match request.send().await {
        Ok(answer) if answer.status().is_success() => None,
        Ok(answer) => Some(format!("says no ({})", answer.status())),
        Err(error) => Some(format!("does not answer: {}", root(error))),
    }
}

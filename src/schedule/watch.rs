//! Watches over the fleet's freshness while the service runs, and tells whoever is on call.

use std::sync::Arc;
use std::time::Duration;

use crate::domain::Alert;
use crate::extract::Clock;
use crate::ledger::LedgerError;
use crate::plan::{Breach, fleet};

use super::alarm::{News, news};
use super::health::Health;
use super::messenger::Messenger;
use super::planner::Planner;

/// How often the fleet is judged.
const EVERY: Duration = Duration::from_secs(300);

/// Judges, tells, and says that all is well, until it is dropped.
pub(super) async fn watch(
    planner: Arc<Planner>,
    messenger: Messenger,
    usual_goal: Duration,
    clock: Clock,
    health: Arc<Health>,
) {
    loop {
        // The first judgement waits too: what the start catches up is not late news.
        tokio::time::sleep(EVERY).await;
        let now = clock();
        if health.is_well(now)
            && let Err(error) = messenger.beat().await
        {
            tracing::warn!(%error, "the heartbeat was not heard");
        }
        if messenger.url.is_none() {
            continue;
        }
        let judge = Arc::clone(&planner);
        let judged =
            tokio::task::spawn_blocking(move || what_is_new(&judge, usual_goal, now)).await;
        match judged {
            Ok(Ok(news)) => {
                for item in news {
                    tell(&planner, &messenger, item, now).await;
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "the fleet cannot be judged"),
            Err(error) => tracing::error!(%error, "the fleet cannot be judged"),
        }
    }
}

fn what_is_new(
    planner: &Planner,
    usual_goal: Duration,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<Vec<News>, LedgerError> {
    let (sites, arrivals) = (planner.ledger.sites()?, planner.ledger.arrivals()?);
    let rows = fleet(&sites, &planner.timetables, &arrivals, usual_goal, now);
    let breaches: Vec<Breach> = rows.into_iter().flat_map(|row| row.breaches).collect();
    Ok(news(&breaches, &planner.ledger.alerts()?, now))
}

/// What was not taken is not remembered, and so told again at the next judgement.
async fn tell(
    planner: &Arc<Planner>,
    messenger: &Messenger,
    item: News,
    now: chrono::DateTime<chrono::Utc>,
) {
    if let Err(error) = messenger.tell(&item, now).await {
        tracing::error!(%error, "an alert was not taken; it is tried again");
        return;
    }
    let planner = Arc::clone(planner);
    let kept = tokio::task::spawn_blocking(move || {
        let alert: Option<Alert> = item.alert();
        planner.ledger.keep_alert(&item.cause, alert.as_ref())
    })
    .await;
    if let Ok(Err(error)) = kept {
        tracing::error!(%error, "an alert was told and cannot be remembered; it will be told again");
    }
}

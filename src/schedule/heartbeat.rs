//! The heartbeat: wakes the planner at every full minute.
//!
//! Only that. The cron library loses beats under load and freezes the offset of time zones, so nothing depends on
//! its beats coming: whoever waits for them looks by itself when none came for a while.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};

/// Second 0 of every minute, UTC.
const EVERY_MINUTE: &str = "0 * * * * *";

/// Beats until it is stopped.
pub(super) struct Heartbeat {
    scheduler: JobScheduler,
}

impl Heartbeat {
    /// Starts to notify `beat` every minute.
    pub(super) async fn start(beat: Arc<Notify>) -> Result<Self, JobSchedulerError> {
        let scheduler = JobScheduler::new().await?;
        let job = Job::new(EVERY_MINUTE, move |_, _| beat.notify_one())?;
        scheduler.add(job).await?;
        scheduler.start().await?;
        Ok(Self { scheduler })
    }

    /// Stops beating.
    pub(super) async fn stop(mut self) {
        // One that cannot be stopped beats for nobody until the process ends.
        drop(self.scheduler.shutdown().await);
    }
}

//! How the service stands, for whoever supervises it: `GET /healthz` and `/readyz`.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use axum::{Json, Router};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

/// Planning that did not succeed for this long is no longer well.
const SILENT: TimeDelta = TimeDelta::minutes(5);

/// How the service stands.
#[derive(Debug, Default)]
pub struct Health {
    now: Mutex<Now>,
}

/// What `/readyz` answers with.
#[derive(Debug, Clone, Default, Serialize)]
struct Now {
    ready: bool,
    /// When the planner last looked and all was well.
    planned_at: Option<DateTime<Utc>>,
    at_work: u32,
    stopping: bool,
    why: Option<String>,
}

impl Health {
    fn with<T>(&self, work: impl FnOnce(&mut Now) -> T) -> T {
        work(&mut self.now.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn planned(&self, at: DateTime<Utc>) {
        self.with(|now| (now.planned_at, now.why) = (Some(at), None));
    }

    /// What `why` says must be free of secrets, as every error is.
    pub(super) fn failed(&self, why: String) {
        self.with(|now| now.why = Some(why));
    }

    pub(super) fn at_work(&self, workers: u32) {
        self.with(|now| now.at_work = workers);
    }

    /// How many attempts are at work.
    pub(super) fn workers(&self) -> u32 {
        self.with(|now| now.at_work)
    }

    pub(super) fn stopping(&self) {
        self.with(|now| now.stopping = true);
    }

    /// Whether planning works, and nobody asked to stop.
    pub(super) fn is_well(&self, at: DateTime<Utc>) -> bool {
        self.with(|now| now.is_well(at))
    }
}

impl Now {
    fn is_well(&self, at: DateTime<Utc>) -> bool {
        !self.stopping && self.planned_at.is_some_and(|planned| at - planned < SILENT)
    }
}

/// Answers `/healthz` (the process lives) and `/readyz` (planning works).
pub fn router(health: Arc<Health>) -> Router {
    Router::new()
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(ready))
        .with_state(health)
}

async fn ready(State(health): State<Arc<Health>>) -> (StatusCode, Json<Now>) {
    let mut now = health.with(|now| now.clone());
    now.ready = health.is_well(Utc::now());
    let status = if now.ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    (status, Json(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_planner_that_has_been_silent_for_minutes_is_not_well() {
        let health = Health::default();
        let start = DateTime::UNIX_EPOCH;
        assert!(!health.is_well(start));

        health.planned(start);
        health.failed("the ledger is locked".to_owned());
        assert!(health.is_well(start + TimeDelta::minutes(4)));
        assert!(!health.is_well(start + TimeDelta::minutes(5)));

        health.planned(start + TimeDelta::minutes(6));
        assert!(health.is_well(start + TimeDelta::minutes(6)));
        health.stopping();
        assert!(!health.is_well(start + TimeDelta::minutes(6)));
    }
}

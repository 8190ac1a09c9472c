//! Registered queries: stored at the site, run at a frequency, only the latest result kept.
//!
//! Runs are due at the creation and every `frequency` seconds until `duration` has passed; a run that is due
//! while the site is away, or that the clock stepped over, is not caught up. A failed run does not end it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, TimeDelta, Utc};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::asynchronous::{query_id, unknown_query};
use super::cloud::{Cloud, Entry};
use super::commands::{Job, parse};
use super::execution::{SmallResult, execute};
use super::faults::Fault;
use super::link::Urgency;
use super::refusal::Refusal;
use super::reply::{Body, Reply};
use super::route::Endpoint;
use super::site::{Reach, Site};
use super::webhooks::{self, Source};
use super::wire::{self, ErrorDetails, RegisteredMetrics, RegisteredStatus, Stamp};

/// Least seconds between runs, and most seconds of life.
const LEAST_FREQUENCY: i64 = 60;
const LONGEST_DURATION: i64 = 86_400;

/// All registered queries by id.
#[derive(Debug, Default)]
pub(super) struct Registered {
    by_id: Mutex<HashMap<Uuid, Registration>>,
}

#[derive(Debug)]
struct Registration {
    id: Uuid,
    site_guid: Uuid,
    name: String,
    status: RegisteredStatus,
    frequency: u64,
    duration: u64,
    created_at: DateTime<Utc>,
    completed_at: Option<DateTime<Utc>>,
    last_error: Option<ErrorDetails>,
    latest: Option<Latest>,
    metrics: RegisteredMetrics,
    cancelled: CancellationToken,
}

/// The result of the last successful run.
#[derive(Debug)]
struct Latest {
    hash: String,
    data: String,
    rows: u64,
    size: u64,
    parameters: Vec<wire::Parameter>,
}

impl Registered {
    fn edit<T>(&self, id: Uuid, edit: impl FnOnce(&mut Registration) -> T) -> Option<T> {
        self.lock().get_mut(&id).map(edit)
    }

    fn edit_at<T>(
        &self,
        id: Uuid,
        site: Uuid,
        edit: impl FnOnce(&mut Registration) -> T,
    ) -> Option<T> {
        self.lock()
            .get_mut(&id)
            .filter(|registration| registration.site_guid == site)
            .map(edit)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, Registration>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Registration {
    fn describe(&self) -> wire::RegisteredQuery {
        wire::RegisteredQuery {
            id: self.id,
            name: self.name.clone(),
            registered_query_type: "query",
            status: self.status,
            frequency: self.frequency,
            duration: self.duration,
            created_at: Stamp(self.created_at),
            completed_at: self.completed_at.map(Stamp),
            last_hash: self.latest.as_ref().map(|latest| latest.hash.clone()),
            last_error_details: self.last_error.clone(),
            metrics: self.metrics.clone(),
        }
    }
}

/// `POST …/queries/registered`: 202 with the id.
pub(super) fn create(cloud: &Arc<Cloud>, site: &str, body: &[u8]) -> Result<Reply, Refusal> {
    let Entry { site, identity, .. } = cloud.enter(site, Endpoint::RegisteredCreate)?;
    let (mut registration, job) = read(body)?;
    let now = cloud.clock.now();
    registration.site_guid = identity.guid;
    registration.created_at = now;
    let limits = |fault: &Fault| match fault {
        Fault::RegisteredLimits { most, unique_names } => Some((*most, *unique_names)),
        _ => None,
    };
    let pms_id = Some(site.pms_id());
    let other = cloud
        .faults
        .strike(now, pms_id, Endpoint::RegisteredCreate, limits);
    let (most, unique_names) = other.unwrap_or_default();
    let most = most.unwrap_or(cloud.settings.limits.registered_per_site);
    let mut registered = cloud.registered.lock();
    let at_work = |known: &&Registration| {
        known.site_guid == identity.guid && known.status == RegisteredStatus::Enabled
    };
    if registered.values().filter(at_work).count() >= most {
        return Err(Refusal::bad_request(format!(
            "The site already has {most} registered queries at work."
        )));
    }
    let has_name = |known: &Registration| known.name == registration.name;
    if unique_names && registered.values().filter(at_work).any(has_name) {
        return Err(Refusal::bad_request(
            "The site already has a registered query of this name at work.",
        ));
    }
    let id = registration.id;
    let cache_fails = |fault: &Fault| match fault {
        Fault::Outcome {
            status: wire::Status::InitialisationFailedCacheError,
            ..
        } => Some(()),
        _ => None,
    };
    if cloud
        .faults
        .strike(
            now,
            Some(site.pms_id()),
            Endpoint::RegisteredCreate,
            cache_fails,
        )
        .is_some()
    {
        registration.status = RegisteredStatus::InitialisationFailedCacheError;
    } else {
        let life = Life {
            cloud: cloud.clone(),
            site,
            job,
            id,
            begun: now,
        };
        let (frequency, duration) = (registration.frequency, registration.duration);
        let cancelled = registration.cancelled.clone();
        cloud
            .tasks
            .spawn(async move { life.live(frequency, duration, cancelled).await });
    }
    registered.insert(id, registration);
    Ok(Reply::json(
        StatusCode::ACCEPTED,
        &wire::RegisteredId { id },
    ))
}

fn read(body: &[u8]) -> Result<(Registration, Job), Refusal> {
    let request: wire::Registration<'_> = parse(body)?;
    let wire::RegisteredKind::Query = request.registered_query_type;
    if request.name.trim().is_empty() {
        return Err(Refusal::bad_request("The registered query has no name."));
    }
    if request.frequency < LEAST_FREQUENCY {
        return Err(Refusal::bad_request(format!(
            "frequency must be at least {LEAST_FREQUENCY} seconds."
        )));
    }
    if !(1..=LONGEST_DURATION).contains(&request.duration) {
        return Err(Refusal::bad_request(format!(
            "duration must be between 1 and {LONGEST_DURATION} seconds."
        )));
    }
    let command = request.register_command.command;
    let command = command.ok_or_else(|| Refusal::bad_request("registerCommand has no command."))?;
    let job = Job::of_command(command, body.len())?;
    let registration = Registration {
        id: Uuid::new_v4(),
        site_guid: Uuid::nil(),
        name: request.name,
        status: RegisteredStatus::Enabled,
        frequency: request.frequency.unsigned_abs(),
        duration: request.duration.unsigned_abs(),
        created_at: DateTime::UNIX_EPOCH,
        completed_at: None,
        last_error: None,
        latest: None,
        metrics: RegisteredMetrics {
            request_size: body.len(),
            ..RegisteredMetrics::default()
        },
        cancelled: CancellationToken::new(),
    };
    Ok((registration, job))
}

/// `GET …/queries/registered`: all that are remembered, oldest first.
pub(super) fn list(cloud: &Cloud, site: &str) -> Result<Reply, Refusal> {
    let guid = cloud.enter(site, Endpoint::RegisteredList)?.identity.guid;
    let registered = cloud.registered.lock();
    let mut here: Vec<&Registration> = registered
        .values()
        .filter(|known| known.site_guid == guid)
        .collect();
    here.sort_by_key(|registration| (registration.created_at, registration.id));
    let registered_queries = here.into_iter().map(Registration::describe).collect();
    Ok(Reply::ok(&wire::RegisteredQueries { registered_queries }))
}

/// `GET …/queries/registered/{queryId}`.
pub(super) fn show(cloud: &Cloud, site: &str, query: &str) -> Result<Reply, Refusal> {
    let guid = cloud.enter(site, Endpoint::RegisteredShow)?.identity.guid;
    let shown = cloud
        .registered
        .edit_at(query_id(query)?, guid, |registration| {
            registration.describe()
        });
    shown
        .map(|shown| Reply::ok(&shown))
        .ok_or_else(unknown_query)
}

/// `GET …/queries/registered/{queryId}/results`: not found before the first success.
pub(super) fn results(cloud: &Cloud, site: &str, query: &str) -> Result<Reply, Refusal> {
    let guid = cloud
        .enter(site, Endpoint::RegisteredResults)?
        .identity
        .guid;
    let latest = cloud
        .registered
        .edit_at(query_id(query)?, guid, |registration| {
            registration
                .latest
                .as_ref()
                .map(|latest| wire::RegisteredResult {
                    data: latest.data.clone(),
                    parameters: Some(latest.parameters.clone())
                        .filter(|parameters| !parameters.is_empty()),
                    rows: latest.rows,
                    size: latest.size,
                })
        });
    latest
        .flatten()
        .map(|latest| Reply::ok(&latest))
        .ok_or_else(unknown_query)
}

/// `DELETE …/queries/registered/{queryId}`: 204, also for one that has ended. A run at work goes to its end.
pub(super) fn cancel(cloud: &Cloud, site: &str, query: &str) -> Result<Reply, Refusal> {
    let guid = cloud.enter(site, Endpoint::RegisteredCancel)?.identity.guid;
    let now = cloud.clock.now();
    let cancelled = cloud
        .registered
        .edit_at(query_id(query)?, guid, |registration| {
            if registration.status == RegisteredStatus::Enabled {
                registration.status = RegisteredStatus::Cancelled;
                registration.completed_at = Some(now);
            }
            registration.cancelled.cancel();
        });
    cancelled
        .map(|()| Reply::new(StatusCode::NO_CONTENT, Body::Empty))
        .ok_or_else(unknown_query)
}

/// One registered query at work.
struct Life {
    cloud: Arc<Cloud>,
    site: Arc<Site>,
    job: Job,
    id: Uuid,
    begun: DateTime<Utc>,
}

impl Life {
    async fn live(self, frequency: u64, duration: u64, cancelled: CancellationToken) {
        let last = duration / frequency;
        let mut next = Some(0);
        while let Some(number) = next {
            if !self.wait(self.due(number, frequency), &cancelled).await {
                break;
            }
            self.run(Duration::from_secs(frequency)).await;
            next = following(number, self.elapsed() / frequency, last);
        }
        let now = self.cloud.clock.now();
        self.cloud.registered.edit(self.id, |registration| {
            if registration.status == RegisteredStatus::Enabled {
                registration.status = RegisteredStatus::Completed;
                registration.completed_at = Some(now);
            }
        });
        let retention = now + super::clock::delta(self.cloud.settings.limits.retention);
        if self.wait(retention, &CancellationToken::new()).await {
            self.cloud
                .registered
                .edit(self.id, |registration| registration.latest = None);
        }
    }

    /// False when there is nothing to wait for any more.
    async fn wait(&self, due: DateTime<Utc>, cancelled: &CancellationToken) -> bool {
        tokio::select! {
            biased;
            () = cancelled.cancelled() => false,
            () = self.cloud.shutdown.cancelled() => false,
            () = self.cloud.clock.sleep_until(due) => true,
        }
    }

    fn due(&self, number: u64, frequency: u64) -> DateTime<Utc> {
        self.begun + TimeDelta::try_seconds((number * frequency).cast_signed()).unwrap_or_default()
    }

    fn elapsed(&self) -> u64 {
        u64::try_from((self.cloud.clock.now() - self.begun).num_seconds()).unwrap_or(0)
    }

    async fn run(&self, patience: Duration) {
        let cloud = &*self.cloud;
        let now = cloud.clock.now();
        if self.site.reach(&cloud.faults, now, Endpoint::RegisteredRun) != Reach::Online {
            return;
        }
        let turn = tokio::select! {
            turn = self.site.link.turn(Urgency::Patient) => turn,
            () = cloud.clock.sleep(patience) => return,
        };
        let limits = cloud.settings.limits;
        let empty = |fault: &Fault| matches!(fault, Fault::ZeroRows).then_some(());
        let discard = cloud
            .faults
            .strike(
                now,
                Some(self.site.pms_id()),
                Endpoint::RegisteredRun,
                empty,
            )
            .is_some();
        let sink = SmallResult::new(limits.immediate_result_bytes, discard);
        let limit = limits.immediate_execution;
        let executed = execute(
            cloud,
            &self.site,
            &turn,
            &self.job,
            sink,
            limit,
            Endpoint::RegisteredRun,
        )
        .await;
        drop(turn);
        let outcome = if executed.sink.overflowed {
            Err(too_large())
        } else {
            executed.outcome
        };
        let changed = match outcome {
            Ok(outcome) => {
                let rows = executed.sink.rows;
                let parameters = self.job.returned(&outcome.output);
                self.succeeded(
                    latest(executed.sink.into_json(), rows, parameters),
                    executed.took_ms,
                )
            }
            Err(error) => self.failed(error, executed.took_ms),
        };
        if changed {
            webhooks::announce(&self.cloud, &self.site, self.id, Source::Registered).await;
        }
    }

    /// Whether the result is another one than before. An unchanged one is not uploaded again.
    fn succeeded(&self, latest: Latest, took_ms: u64) -> bool {
        let now = self.cloud.clock.now();
        let changed = self.cloud.registered.edit(self.id, |registration| {
            registration.metrics.last_succeeded_at = Some(Stamp(now));
            registration.metrics.last_execution_duration = took_ms;
            registration.metrics.execution_succeeded_count += 1;
            let changed = registration
                .latest
                .as_ref()
                .is_none_or(|known| known.hash != latest.hash);
            if changed {
                registration.metrics.result_size_sum += latest.size;
                registration.latest = Some(latest);
            }
            changed
        });
        changed.unwrap_or(false)
    }

    fn failed(&self, error: ErrorDetails, took_ms: u64) -> bool {
        let now = self.cloud.clock.now();
        self.cloud.registered.edit(self.id, |registration| {
            registration.metrics.last_failed_at = Some(Stamp(now));
            registration.metrics.last_execution_duration = took_ms;
            registration.metrics.execution_failed_count += 1;
            registration.last_error = Some(error);
        });
        false
    }
}

/// The run after `number`: the next one, or the one that is due when the clock has gone past some.
fn following(number: u64, due: u64, last: u64) -> Option<u64> {
    let next = (number + 1).max(due.min(last));
    (next <= last).then_some(next)
}

fn latest(json: Vec<u8>, rows: u64, parameters: Vec<wire::Parameter>) -> Latest {
    Latest {
        hash: base64_simd::STANDARD.encode_to_string(Sha256::digest(&json)),
        size: json.len() as u64,
        data: base64_simd::STANDARD.encode_to_string(&json),
        rows,
        parameters,
    }
}

fn too_large() -> ErrorDetails {
    ErrorDetails {
        error_type: "http",
        error_code: 413,
        error_message: "The result is too large.".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_follow_one_another_to_the_last() {
        assert_eq!(following(0, 0, 2), Some(1));
        assert_eq!(following(1, 1, 2), Some(2));
        assert_eq!(following(2, 2, 2), None);
    }

    #[test]
    fn runs_that_the_clock_stepped_over_are_not_caught_up() {
        assert_eq!(following(0, 7, 9), Some(7));
        assert_eq!(following(0, 50, 9), Some(9));
        assert_eq!(following(9, 50, 9), None);
    }
}

//! The life of an async query: initialising → queued → executing → uploading → successful, and its ends.
//!
//! Each accepted query has one task that lives it, from the submission until its result has expired.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::clock::delta;
use super::cloud::{Cloud, Entry};
use super::commands::{ASYNC_QUEUE_TIME, Job, parse};
use super::execution::{Executed, execute, rows_affected};
use super::faults::{Fault, Liberties};
use super::link::{Turn, Urgency};
use super::queries::{Kept, Mode, RemoteQuery};
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::Endpoint;
use super::site::{Reach, Site};
use super::spool::{PageShape, Spool, SpoolWriter};
use super::webhooks::{self, Source};
use super::wire::{self, ErrorDetails, Status};

/// `POST …/queries/async`: 201 at once, the rest in the query's own task.
pub(super) fn submit(cloud: &Arc<Cloud>, site: &str, body: &[u8]) -> Result<Reply, Refusal> {
    let Entry { site, identity, .. } = cloud.enter(site, Endpoint::Async)?;
    let job = Job::read(body, ASYNC_QUEUE_TIME, &site.profile.catalogues)?;
    let now = cloud.clock.now();
    let reach = site.reach(&cloud.faults, now, Endpoint::Async);
    if matches!(
        reach,
        Reach::Offline { accepted: false } | Reach::Unreachable { accepted: false }
    ) {
        return Err(Refusal::site_away());
    }
    let query = RemoteQuery::accepted(
        &job,
        Mode::Async,
        (site.pms_id(), identity.guid),
        cloud.integrator,
        now,
    );
    let reply = Reply::json(StatusCode::CREATED, &query.describe(now));
    let life = Life {
        cloud: cloud.clone(),
        site,
        job,
        id: query.id,
    };
    cloud.queries.add(query);
    cloud.tasks.spawn(async move { life.live(reach).await });
    Ok(reply)
}

/// `GET …/queries/{queryId}`: not found once its result has expired.
pub(super) fn status(cloud: &Cloud, site: &str, query: &str) -> Result<Reply, Refusal> {
    let entry = cloud.enter(site, Endpoint::Status)?;
    let id = query_id(query)?;
    let now = cloud.clock.now();
    let found = cloud.queries.look(id, entry.identity.guid, |query| {
        (!query.expired).then(|| query.describe(now))
    });
    found
        .flatten()
        .map(|query| Reply::ok(&query))
        .ok_or_else(unknown_query)
}

/// `POST …/queries/status`: each id once, of this site; others are not found.
pub(super) fn status_batch(cloud: &Cloud, site: &str, body: &[u8]) -> Result<Reply, Refusal> {
    let entry = cloud.enter(site, Endpoint::StatusBatch)?;
    let wire::StatusBatch { query_ids } = parse(body)?;
    let other_limit = |fault: &Fault| match fault {
        Fault::BatchLimit { ids } => Some(*ids),
        _ => None,
    };
    let (now, pms_id) = (cloud.clock.now(), Some(entry.site.pms_id()));
    let most = cloud
        .faults
        .strike(now, pms_id, Endpoint::StatusBatch, other_limit)
        .unwrap_or(cloud.settings.limits.batch);
    if query_ids.len() > most {
        return Err(Refusal::bad_request(format!(
            "{} query ids were sent; at most {most} are allowed.",
            query_ids.len()
        )));
    }
    let look_up = |id: Uuid| {
        let found = cloud.queries.look(id, entry.identity.guid, |query| {
            (!query.expired).then(|| query.describe(now))
        });
        let query = found.flatten();
        wire::StatusBatchResult {
            query_id: id,
            status: if query.is_some() { "found" } else { "notFound" },
            query,
        }
    };
    Ok(Reply::ok(&wire::StatusBatchResults {
        results: query_ids.into_iter().map(look_up).collect(),
    }))
}

/// Reads a query id of a path.
pub(super) fn query_id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).map_err(|_| Refusal::bad_request("The query id is not a GUID."))
}

pub(super) fn unknown_query() -> Refusal {
    Refusal::not_found("The server cannot find the requested resource.")
}

/// Keeps a finished query for the time of retention, then lets its pages go. It is remembered as expired, so
/// that its pages answer 410 and not 404.
pub(super) async fn expire(cloud: &Cloud, id: Uuid) {
    tokio::select! {
        () = cloud.clock.sleep(cloud.settings.limits.retention) => {}
        () = cloud.shutdown.cancelled() => return,
    }
    let spool = cloud.queries.edit(id, |query| {
        query.expired = true;
        query.result.take()
    });
    // Dropped outside the lock, because it removes a file.
    drop(spool);
}

/// One query on its way.
struct Life {
    cloud: Arc<Cloud>,
    site: Arc<Site>,
    job: Job,
    id: Uuid,
}

/// The status that a query ends in, and the error that goes with it.
type End = (Status, Option<ErrorDetails>);

impl Life {
    async fn live(self, reach: Reach) {
        let ended = tokio::select! {
            ended = self.work(reach) => ended,
            () = self.cloud.shutdown.cancelled() => return,
        };
        if let Err((status, error)) = ended {
            self.edit(|query, now| {
                query.error = error;
                query.enter(status, now);
            });
        }
        expire(&self.cloud, self.id).await;
    }

    async fn work(&self, reach: Reach) -> Result<(), End> {
        let timings = self.cloud.settings.timings;
        self.cloud.pause(timings.initialise).await;
        match reach {
            Reach::Offline { .. } => return Err((Status::InitialisationFailedSiteOffline, None)),
            Reach::Unreachable { .. } => {
                return Err((Status::InitialisationFailedSiteUnreachable, None));
            }
            Reach::Online => {}
        }
        let scripted = self.strike(|fault| match fault {
            Fault::Outcome {
                status,
                code,
                message,
            } => Some((*status, code.unwrap_or(0), message.clone())),
            _ => None,
        });
        let scripted = scripted.map(|(status, code, message)| end(status, code, message));
        self.ends_at(&scripted, &INITIALISATION_FAILURES)?;

        self.enter(Status::Queued);
        self.ends_at(&scripted, &[Status::ExpiredInQueue])?;
        let turn = self.wait_for_turn(timings.queue).await?;

        self.enter(Status::Executing);
        self.ends_at(&scripted, &[Status::ExecutionFailed])?;
        let kept = self.execute(turn).await?;

        self.enter(Status::Uploading);
        self.ends_at(&scripted, &[Status::UploadFailed])?;
        self.upload(kept).await;
        Ok(())
    }

    fn ends_at(&self, scripted: &Option<End>, here: &[Status]) -> Result<(), End> {
        match scripted {
            Some(end) if here.contains(&end.0) => Err(end.clone()),
            _ => Ok(()),
        }
    }

    /// Waits in the site's queue: for its turn, and for the site to be there at all.
    async fn wait_for_turn(&self, least: Duration) -> Result<Turn, End> {
        let ready = async {
            self.cloud.pause(least).await;
            loop {
                let mut changes = self.cloud.faults.changes();
                let turn = self.site.link.turn(Urgency::Patient).await;
                if self
                    .site
                    .reach(&self.cloud.faults, self.cloud.clock.now(), Endpoint::Async)
                    == Reach::Online
                {
                    return turn;
                }
                drop(turn);
                self.look_again(&mut changes).await;
            }
        };
        tokio::select! {
            turn = ready => Ok(turn),
            () = self.cloud.clock.sleep(self.job.max_time_in_queue) => Err((Status::ExpiredInQueue, None)),
        }
    }

    async fn execute(&self, turn: Turn) -> Result<Kept, End> {
        self.wait_while_stuck().await;
        let shape = self.page_shape();
        let executed = self.run_to_the_end(turn, shape).await?;
        let spool = finish(executed.sink).await;
        self.edit(|query, _| query.execution_ms = Some(executed.took_ms));
        let outcome = executed
            .outcome
            .map_err(|error| (Status::ExecutionFailed, Some(error)))?;
        Ok(Kept {
            rows_affected: rows_affected(&self.job, &outcome),
            parameters: self.job.returned(&outcome.output),
            spool: Arc::new(spool.ok_or_else(link_failure)?),
            cached_at: Vec::new(),
            upload_at: Vec::new(),
        })
    }

    /// Runs the command, from its beginning again each time that it gave way to an immediate one. The query stays
    /// `executing` meanwhile, as the documentation has no status for it.
    async fn run_to_the_end(
        &self,
        mut turn: Turn,
        shape: PageShape,
    ) -> Result<Executed<SpoolWriter>, End> {
        let cloud = &*self.cloud;
        let limit = cloud.settings.limits.async_execution;
        loop {
            let writer = cloud.shelf.writer(shape);
            let (site, job) = (&self.site, &self.job);
            let executed = execute(cloud, site, &turn, job, writer, limit, Endpoint::Async).await;
            drop(turn);
            if !executed.gave_way {
                return Ok(executed);
            }
            drop(finish(executed.sink).await);
            turn = self.site.link.turn(Urgency::GaveWay).await;
        }
    }

    fn page_shape(&self) -> PageShape {
        let page_bytes = self.strike(|fault| match fault {
            Fault::PageSize { bytes } => Some(*bytes),
            _ => None,
        });
        let first_row_bytes = self.strike(|fault| match fault {
            Fault::WideRow { bytes } => Some(*bytes),
            _ => None,
        });
        let discard = self.strike(|fault| matches!(fault, Fault::ZeroRows).then_some(()));
        let liberties = self.strike(|fault| match fault {
            Fault::Wire(Liberties {
                no_empty_page: true,
                ..
            }) => Some(()),
            _ => None,
        });
        PageShape {
            page_bytes: page_bytes.unwrap_or(self.cloud.settings.page_size_bytes),
            first_row_bytes: first_row_bytes.unwrap_or(0),
            discard: discard.is_some(),
            empty_page: liberties.is_none() && self.job.has_page_without_rows(),
        }
    }

    /// Pages go up one after the other; the query is successful when the last one is there, unless a fault
    /// has them arrive later.
    async fn upload(&self, mut kept: Kept) {
        let each = delta(self.cloud.settings.timings.upload_page);
        let pages = i32::try_from(kept.spool.pages().len()).unwrap_or(i32::MAX);
        let began = self.cloud.clock.now();
        let listed_early = self.strike(|fault| match fault {
            Fault::EarlyPages { time } => Some(time.0),
            _ => None,
        });
        let late = self.strike(|fault| match fault {
            Fault::LatePages { time, reversed } => Some((time.0, *reversed)),
            _ => None,
        });
        match late {
            None if let Some(time) = listed_early => {
                schedule(&mut kept, began, time, false);
                let shown = kept.clone();
                self.edit(|query, _| query.result = Some(shown));
                self.cloud.clock.sleep_until(began + delta(time)).await;
            }
            None => {
                self.cloud
                    .pause((each * pages).to_std().unwrap_or_default())
                    .await;
                let done = self.cloud.clock.now();
                kept.upload_at = vec![began; kept.spool.pages().len()];
                kept.cached_at = vec![done; kept.spool.pages().len()];
            }
            Some((time, reversed)) => schedule(&mut kept, began, time, reversed),
        }
        let early = webhooks::goes_early(&self.cloud, &self.site);
        if early {
            webhooks::announce(&self.cloud, &self.site, self.id, Source::Async).await;
        }
        self.edit(|query, now| {
            query.result = Some(kept);
            query.enter(Status::Successful, now);
        });
        if !early {
            let announced = (self.cloud.clone(), self.site.clone(), self.id);
            self.cloud.tasks.spawn(async move {
                let (cloud, site, id) = announced;
                webhooks::announce(&cloud, &site, id, Source::Async).await;
            });
        }
    }

    async fn wait_while_stuck(&self) {
        let stuck =
            |fault: &Fault| matches!(fault, Fault::Stuck | Fault::DiesAfterDispatch).then_some(());
        loop {
            let mut changes = self.cloud.faults.changes();
            if self.strike(stuck).is_none() {
                return;
            }
            self.look_again(&mut changes).await;
        }
    }

    /// Rules change by command or by the clock; Link itself reports every minute.
    async fn look_again(&self, changes: &mut tokio::sync::watch::Receiver<()>) {
        tokio::select! {
            _ = changes.changed() => {}
            () = self.cloud.clock.sleep(Duration::from_secs(60)) => {}
        }
    }

    fn strike<T>(&self, pick: impl Fn(&Fault) -> Option<T>) -> Option<T> {
        self.cloud.faults.strike(
            self.cloud.clock.now(),
            Some(self.site.pms_id()),
            Endpoint::Async,
            pick,
        )
    }

    fn enter(&self, status: Status) {
        self.edit(|query, now| query.enter(status, now));
    }

    fn edit(&self, edit: impl FnOnce(&mut RemoteQuery, DateTime<Utc>)) {
        let now = self.cloud.clock.now();
        self.cloud.queries.edit(self.id, |query| edit(query, now));
    }
}

const INITIALISATION_FAILURES: [Status; 3] = [
    Status::InitialisationFailedCacheError,
    Status::InitialisationFailedSiteOffline,
    Status::InitialisationFailedSiteUnreachable,
];

/// Only the two failures with an error carry one.
fn end(status: Status, code: i64, message: Option<String>) -> End {
    let (error_type, usual) = match status {
        Status::ExecutionFailed => ("haloLink", "Unexpected error in Halo Link."),
        Status::UploadFailed => ("http", "The result could not be uploaded."),
        _ => return (status, None),
    };
    let error_message = message.unwrap_or_else(|| usual.to_owned());
    (
        status,
        Some(ErrorDetails {
            error_type,
            error_code: code,
            error_message,
        }),
    )
}

/// Closes the file of a result, off the async threads; nothing if the disk does not take it.
async fn finish(writer: SpoolWriter) -> Option<Spool> {
    let finished = tokio::task::spawn_blocking(move || writer.finish()).await;
    finished.ok()?.ok()
}

fn link_failure() -> End {
    end(
        Status::ExecutionFailed,
        0,
        Some("Halo Link could not store the result on disk.".to_owned()),
    )
}

/// Page after page arrives over `time`, the last one first if `reversed`.
fn schedule(kept: &mut Kept, began: DateTime<Utc>, time: Duration, reversed: bool) {
    let count = u32::try_from(kept.spool.pages().len())
        .unwrap_or(u32::MAX)
        .max(1);
    let place = |index: u32| if reversed { count - 1 - index } else { index };
    let at = |step: u32| began + delta(time * step / count);
    kept.upload_at = (0..count).map(|index| at(place(index))).collect();
    kept.cached_at = (0..count).map(|index| at(place(index) + 1)).collect();
}

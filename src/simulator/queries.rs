//! The immediate and async queries that the service remembers.
//!
//! A query is a record of facts with their instants; what the API shows of it, the state of each page
//! included, is read off the record at the moment of asking.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use serde::Serialize;
use uuid::Uuid;

use super::commands::Job;
use super::spool::{Leaf, Spool};
use super::wire::{self, ErrorDetails, Span, Stamp, Status, StatusTiming};

/// Whether a query was answered at once or later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Mode {
    Immediate,
    Async,
}

/// One remote query.
#[derive(Debug, Clone)]
pub(super) struct RemoteQuery {
    pub(super) id: Uuid,
    pub(super) pms_id: String,
    pub(super) site_guid: Uuid,
    pub(super) integrator: Uuid,
    pub(super) mode: Mode,
    pub(super) text: String,
    pub(super) status: Status,
    max_time_in_queue: u64,
    command_size: usize,
    request_size: usize,
    created_at: DateTime<Utc>,
    updated_at: DateTime<Utc>,
    timing: StatusTiming,
    /// Milliseconds at the database, once it was there.
    pub(super) execution_ms: Option<u64>,
    pub(super) result: Option<Kept>,
    pub(super) error: Option<ErrorDetails>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    /// Past retention: pages are gone and the status is not found.
    pub(super) expired: bool,
    /// Fetches by page number, from 1.
    pub(super) fetched: BTreeMap<u64, u64>,
}

/// The result of an async query.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) rows_affected: Option<u64>,
    /// Output parameters; empty if there are none.
    pub(super) parameters: Vec<wire::Parameter>,
    pub(super) spool: Arc<Spool>,
    /// When each page becomes available, by index.
    pub(super) cached_at: Vec<DateTime<Utc>>,
    /// When each page's upload begins, by index.
    pub(super) upload_at: Vec<DateTime<Utc>>,
}

impl RemoteQuery {
    /// A query that was accepted just now.
    pub(super) fn accepted(
        job: &Job,
        mode: Mode,
        (pms_id, site_guid): (&str, Uuid),
        integrator: Uuid,
        now: DateTime<Utc>,
    ) -> RemoteQuery {
        let begun = Span {
            start_time: Stamp(now),
            end_time: None,
        };
        RemoteQuery {
            id: Uuid::new_v4(),
            pms_id: pms_id.to_owned(),
            site_guid,
            integrator,
            mode,
            text: job.text.clone(),
            status: Status::Initialising,
            max_time_in_queue: u64::try_from(job.max_time_in_queue.as_millis()).unwrap_or(u64::MAX),
            command_size: job.command_size,
            request_size: job.request_size,
            created_at: now,
            updated_at: now,
            timing: StatusTiming {
                initialising: Some(begun),
                ..StatusTiming::default()
            },
            execution_ms: None,
            result: None,
            error: None,
            completed_at: None,
            expired: false,
            fetched: BTreeMap::new(),
        }
    }

    /// Goes on to another status: the state left gets its end, the one entered its start.
    pub(super) fn enter(&mut self, status: Status, now: DateTime<Utc>) {
        let timing = &mut self.timing;
        let states = [
            &mut timing.initialising,
            &mut timing.queued,
            &mut timing.executing,
            &mut timing.uploading,
        ];
        for span in states.into_iter().flatten() {
            span.end_time.get_or_insert(Stamp(now));
        }
        let begun = Some(Span {
            start_time: Stamp(now),
            end_time: None,
        });
        match status {
            Status::Queued => timing.queued = begun,
            Status::Executing => timing.executing = begun,
            Status::Uploading => timing.uploading = begun,
            _ => {}
        }
        self.status = status;
        self.updated_at = now;
        if status.is_final() {
            self.completed_at = Some(now);
        }
    }

    /// The query object of the API.
    pub(super) fn describe(&self, now: DateTime<Utc>) -> wire::Query {
        let shows_result = matches!(self.status, Status::Uploading | Status::Successful);
        let result = self.result.as_ref().filter(|_| shows_result);
        wire::Query {
            id: self.id,
            integrator_id: self.integrator,
            site_id: self.site_guid,
            mode: match self.mode {
                Mode::Immediate => "immediate",
                Mode::Async => "async",
            },
            status: self.status,
            max_time_in_queue: self.max_time_in_queue,
            command_size: self.command_size,
            request_size: self.request_size,
            created_at: Stamp(self.created_at),
            updated_at: Stamp(self.updated_at),
            status_timing: self.timing,
            metrics: self.execution_ms.map(|ms| wire::Metrics {
                sql_execution_duration: ms,
            }),
            result_size: result.map(|kept| kept.spool.size()),
            result: result.map(|kept| kept.describe(now)),
            completed_at: self.completed_at.map(Stamp),
            error_code: self.error.as_ref().map(|error| error.error_code),
            error_message: self.error.as_ref().map(|error| error.error_message.clone()),
            error_details: self.error.clone(),
        }
    }
}

impl Kept {
    fn describe(&self, now: DateTime<Utc>) -> wire::QueryResult {
        wire::QueryResult {
            rows: self.rows_affected.is_none().then(|| self.spool.rows()),
            rows_affected: self.rows_affected,
            size: self.spool.size(),
            pages: Some(self.pages(now)),
            ..wire::QueryResult::default()
        }
    }

    fn pages(&self, now: DateTime<Utc>) -> Vec<wire::Page> {
        let mut before = 0;
        let mut pages = Vec::with_capacity(self.spool.pages().len());
        for (index, leaf) in self.spool.pages().iter().enumerate() {
            pages.push(wire::Page {
                page_number: index as u64 + 1,
                status: self.page_status(index, now),
                size: leaf.size,
                rows: range(*leaf, before),
            });
            before += leaf.rows;
        }
        pages
    }

    /// Whether page `index`, counted from 0, can be fetched.
    pub(super) fn is_cached(&self, index: usize, now: DateTime<Utc>) -> bool {
        self.cached_at.get(index).is_some_and(|at| *at <= now)
    }

    fn page_status(&self, index: usize, now: DateTime<Utc>) -> &'static str {
        if self.is_cached(index, now) {
            "cached"
        } else if self.upload_at.get(index).is_some_and(|at| *at <= now) {
            "uploading"
        } else {
            "queued"
        }
    }
}

/// Row numbers of a page that begins after `before` rows.
pub(super) fn range(leaf: Leaf, before: u64) -> wire::PageRows {
    wire::PageRows {
        count: leaf.rows,
        range_start: before,
        range_end: (before + leaf.rows).saturating_sub(1),
    }
}

/// All queries by id.
#[derive(Debug, Default)]
pub(super) struct Queries {
    by_id: Mutex<HashMap<Uuid, RemoteQuery>>,
}

/// A query as the control endpoint lists it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) id: Uuid,
    pub(super) site: String,
    pub(super) mode: Mode,
    pub(super) status: Status,
    pub(super) created_at: DateTime<Utc>,
    pub(super) text: String,
    pub(super) rows: Option<u64>,
    pub(super) expired: bool,
    /// Successful fetches by page number.
    pub(super) fetched: BTreeMap<u64, u64>,
}

impl Queries {
    pub(super) fn add(&self, query: RemoteQuery) {
        self.lock().insert(query.id, query);
    }

    /// Changes a query and returns what the change returns.
    pub(super) fn edit<T>(&self, id: Uuid, edit: impl FnOnce(&mut RemoteQuery) -> T) -> Option<T> {
        self.lock().get_mut(&id).map(edit)
    }

    /// Looks at a query of one site.
    pub(super) fn look<T>(
        &self,
        id: Uuid,
        site: Uuid,
        look: impl FnOnce(&RemoteQuery) -> T,
    ) -> Option<T> {
        self.lock()
            .get(&id)
            .filter(|query| query.site_guid == site)
            .map(look)
    }

    /// Every query, oldest first.
    pub(super) fn list(&self) -> Vec<Listed> {
        let queries = self.lock();
        let mut listed: Vec<Listed> = queries.values().map(listed).collect();
        listed.sort_by_key(|query| (query.created_at, query.id));
        listed
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Uuid, RemoteQuery>> {
        self.by_id.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn listed(query: &RemoteQuery) -> Listed {
    Listed {
        id: query.id,
        site: query.pms_id.clone(),
        mode: query.mode,
        status: query.status,
        created_at: query.created_at,
        text: query.text.clone(),
        rows: query.result.as_ref().map(|kept| kept.spool.rows()),
        expired: query.expired,
        fetched: query.fetched.clone(),
    }
}

//! The status of a remote query, and what it promises of its result.
//!
//! States and their order: spec, schema `AsyncQueryStatus`. An unknown state counts as one on the way, so
//! that a new word of the API makes us wait until our own deadline instead of giving up a running query.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::{HaloGuid, PageNumber, RemoteQueryId};

use super::cause::Cause;
use super::error::RemoteError;
use super::failure::{ErrorDetails, Told, cause_of_query, discreet};
use super::wire::{Checked, Fault, Item, Loose};

/// A query that the API runs for us, as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteQuery {
    /// The API's id of it.
    pub id: RemoteQueryId,
    /// Where it stands.
    pub status: RemoteStatus,
    /// What its result holds, once it is successful.
    pub result: Option<RemoteResult>,
    /// Pages that the API lists but cannot give yet.
    pages_under_way: usize,
    told: Told,
}

/// Where a remote query stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RemoteStatus {
    /// Accepted by the API.
    Initialising,
    /// In the queue at the site.
    Queued,
    /// Running on the practice's database.
    Executing,
    /// Done, its pages on their way.
    Uploading,
    /// Done.
    Successful,
    /// Ended without a result, for this reason.
    Failed(Cause),
    /// A word we do not know; counts as being on its way.
    Unknown(String),
}

/// What a successful query promises: rows and pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RemoteResult {
    /// Rows of the whole result, as declared.
    pub rows: u64,
    /// Bytes of the whole result, as declared; whether before or after base64 is not documented.
    pub size_bytes: u64,
    /// Its pages in order, numbered from 1. May be empty for a result without rows.
    pub pages: Vec<RemotePage>,
    /// How long the practice's database worked on it, if told.
    pub sql_duration: Option<Duration>,
}

/// One page of a result, as declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RemotePage {
    /// Its number, from 1.
    pub number: PageNumber,
    /// Its rows, if the status tells; else the page's own header may.
    pub rows: Option<u64>,
}

impl RemoteQuery {
    /// Whether the result is complete and every page can be fetched.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == RemoteStatus::Successful && self.pages_under_way == 0
    }

    /// The failure that ended it, if it ended so.
    #[must_use]
    pub fn failure(&self, site: HaloGuid) -> Option<RemoteError> {
        let RemoteStatus::Failed(cause) = &self.status else {
            return None;
        };
        let task = format!("remote query {} at site {site}", self.id);
        let said = self
            .told
            .message
            .as_deref()
            .map(|message| discreet(message, &[]));
        Some(
            RemoteError::new(*cause, task)
                .with_said(said)
                .with_sql_number(self.told.sql_number()),
        )
    }
}

/// A query on the wire (spec, schema `AsyncQuery` and its variants).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct QueryBody {
    id: Loose,
    status: Loose,
    result: Option<ResultBody>,
    result_size: Loose,
    metrics: Option<MetricsBody>,
    error_details: Option<ErrorDetails>,
    error_code: Loose,
    error_message: Loose,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct MetricsBody {
    sql_execution_duration: Loose,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct ResultBody {
    rows: Loose,
    size: Loose,
    pages: Option<Checked<ListedPage>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct PageBody {
    page_number: Loose,
    status: Loose,
    rows: Option<PageRowsBody>,
}

/// A page as the status lists it.
struct ListedPage {
    page: RemotePage,
    /// Whether it says that it cannot be fetched yet; one that says nothing is taken as ready.
    under_way: bool,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct PageRowsBody {
    count: Loose,
}

/// The answer to a status question about several queries (spec, schema `QueryStatusBatchResult`).
#[derive(Deserialize, Default)]
#[serde(default)]
pub(crate) struct BatchBody {
    pub(crate) results: Option<Checked<BatchItem>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct BatchItemBody {
    query_id: Loose,
    status: Loose,
    query: Option<Box<QueryBody>>,
}

/// The id that was asked and what was found.
pub(crate) type BatchItem = (RemoteQueryId, Found);

/// What a status question found under one id.
pub(crate) enum Found {
    /// The query.
    Query(Box<QueryBody>),
    /// The API says that it holds no such query.
    Nothing,
}

impl QueryBody {
    /// The id alone, which is all that the answer to a submission must tell.
    pub(crate) fn id(&self) -> Option<RemoteQueryId> {
        self.id.clone().text()?.parse().ok()
    }

    /// The query, checked: a successful one must say its rows and name its pages once each.
    pub(crate) fn into_query(self, asked: RemoteQueryId) -> Result<RemoteQuery, Fault> {
        if self.id().is_some_and(|id| id != asked) {
            return Err("the status is that of another query");
        }
        let told = Told::of_query(self.error_details, self.error_code, self.error_message);
        let word = self.status.text().ok_or("a query tells no status")?;
        let status = read_status(word, &told);
        let sql_duration = self
            .metrics
            .and_then(|metrics| metrics.sql_execution_duration.count())
            .map(Duration::from_millis);
        let mut query = RemoteQuery {
            id: asked,
            status,
            result: None,
            pages_under_way: 0,
            told,
        };
        if query.status == RemoteStatus::Successful {
            let body = self.result.ok_or("a successful query tells no result")?;
            let (result, under_way) = body.into_result(self.result_size.count(), sql_duration)?;
            query.pages_under_way = under_way;
            query.result = Some(result);
        }
        Ok(query)
    }
}

impl Item for BatchItem {
    type Body = BatchItemBody;

    /// Only the documented word counts as "not found", because that makes us ask the practice again.
    fn of(body: BatchItemBody) -> Result<Option<Self>, Fault> {
        let id = body
            .query_id
            .text()
            .and_then(|id| id.parse().ok())
            .ok_or("a batch status tells no query id")?;
        match (body.query, body.status.text()) {
            (Some(query), _) => Ok(Some((id, Found::Query(query)))),
            (None, Some(word)) if word.eq_ignore_ascii_case("notFound") => {
                Ok(Some((id, Found::Nothing)))
            }
            _ => Err("a batch status says found but tells no query"),
        }
    }
}

impl ResultBody {
    /// The result, and how many of its pages say that they are not yet cached.
    fn into_result(
        self,
        result_size: Option<u64>,
        sql_duration: Option<Duration>,
    ) -> Result<(RemoteResult, usize), Fault> {
        let rows = self
            .rows
            .count()
            .ok_or("a successful query tells no row count")?;
        let listed = self.pages.unwrap_or_default().into_items()?;
        let under_way = listed.iter().filter(|listed| listed.under_way).count();
        let mut pages: Vec<_> = listed.into_iter().map(|listed| listed.page).collect();
        pages.sort_by_key(|page| page.number);
        let contiguous = (1..).zip(&pages).all(|(n, page)| page.number.0 == n);
        if !contiguous {
            return Err("the page numbers are not 1, 2, 3 …");
        }
        if rows > 0 && pages.is_empty() {
            return Err("a result with rows has no page");
        }
        let result = RemoteResult {
            rows,
            size_bytes: self.size.count().or(result_size).unwrap_or_default(),
            pages,
            sql_duration,
        };
        Ok((result, under_way))
    }
}

impl Item for ListedPage {
    type Body = PageBody;

    fn of(body: PageBody) -> Result<Option<Self>, Fault> {
        let number = body.page_number.count();
        let number = number.and_then(|number| u32::try_from(number).ok());
        let status = body.status.text();
        Ok(Some(Self {
            page: RemotePage {
                number: PageNumber(number.ok_or("a page has no number")?),
                rows: body.rows.and_then(|rows| rows.count.count()),
            },
            under_way: matches!(status.as_deref(), Some("queued" | "uploading")),
        }))
    }
}

fn read_status(word: String, told: &Told) -> RemoteStatus {
    match word.as_str() {
        "initialising" => RemoteStatus::Initialising,
        "queued" => RemoteStatus::Queued,
        "executing" => RemoteStatus::Executing,
        "uploading" => RemoteStatus::Uploading,
        "successful" => RemoteStatus::Successful,
        "initialisationFailedCacheError" => RemoteStatus::Failed(Cause::CacheFailed),
        "initialisationFailedSiteOffline" | "initialisationFailedSiteUnreachable" => {
            RemoteStatus::Failed(Cause::SiteOffline)
        }
        "expiredInQueue" => RemoteStatus::Failed(Cause::ExpiredInQueue),
        "executionFailed" => RemoteStatus::Failed(cause_of_query(told)),
        "uploadFailed" => RemoteStatus::Failed(Cause::UploadFailed),
        _ => RemoteStatus::Unknown(word),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;

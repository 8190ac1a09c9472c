//! Looking at remote queries: one, several, or until the result is there.

use std::collections::HashMap;
use std::sync::atomic::Ordering;

use reqwest::Method;
use serde::Serialize;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::domain::{HaloGuid, RemoteQueryId};

use super::cause::Cause;
use super::client::{Client, not_offered};
use super::error::RemoteError;
use super::facts;
use super::failure::Operation;
use super::poller::Look;
use super::settings::Patience;
use super::status::{BatchBody, Found, QueryBody, RemoteQuery, RemoteResult};
use super::wait::{Step, Watch};
use super::wire::Fault;

impl Client {
    /// A remote query as it stands now.
    ///
    /// # Errors
    /// As any call; [`Cause::Gone`] if the API no longer knows it. A query that failed is no error here:
    /// see [`RemoteQuery::failure`].
    pub async fn status(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
    ) -> Result<RemoteQuery, RemoteError> {
        let call = self.call(
            Operation::Status,
            Method::GET,
            &["sites", &site.to_string(), "queries", &query.to_string()],
            format!("asking for the status of query {query} at site {site}"),
        );
        let answer = self.send(&call).await?;
        let body: QueryBody = call.read_json(&answer)?;
        body.into_query(query)
            .map_err(|fault| call.unreadable(fault))
    }

    /// Several remote queries of one site as they stand now, in the order asked; `None` for one that the
    /// API does not know.
    ///
    /// One call for fifty queries, or one for each where the API offers no batch status.
    ///
    /// # Errors
    /// As any call.
    pub async fn statuses(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut found = Vec::with_capacity(queries.len());
        for some in queries.chunks(facts::BATCH_MOST_IDS) {
            if self.0.no_batch.load(Ordering::Relaxed) {
                found.extend(self.statuses_one_by_one(site, some).await?);
                continue;
            }
            match self.statuses_in_a_batch(site, some).await {
                // Never "these queries are gone": that is said about each by its own.
                Err(error) if not_offered(&error) => {
                    found.extend(self.statuses_one_by_one(site, some).await?);
                    self.0.no_batch.store(true, Ordering::Relaxed);
                }
                batch => found.extend(batch?),
            }
        }
        Ok(found)
    }

    async fn statuses_one_by_one(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut found = Vec::with_capacity(queries.len());
        for query in queries {
            found.push((*query, self.look_at_one(site, *query).await?));
        }
        Ok(found)
    }

    async fn statuses_in_a_batch(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, RemoteError> {
        let mut call = self.call(
            Operation::Status,
            Method::POST,
            &["sites", &site.to_string(), "queries", "status"],
            format!(
                "asking for the status of {} queries at site {site}",
                queries.len()
            ),
        );
        call.body = Some(batch_body(queries));
        let answer = self.send(&call).await?;
        let body: BatchBody = call.read_json(&answer)?;
        read_batch(body, queries).map_err(|fault| call.unreadable(fault))
    }

    /// Waits until the result of a remote query can be fetched.
    ///
    /// Looks at short, then longer intervals, together with all who wait for the same site, and goes on
    /// looking through passing faults until the deadline, because the query goes on too.
    ///
    /// # Errors
    /// The failure that ended the query, [`Cause::Gone`], [`Cause::SiteStuck`], [`Cause::NotYetReady`] at
    /// the deadline, or [`Cause::Cancelled`].
    ///
    /// # Cancel safety
    /// Dropping the future stops the looking; the remote query is not touched.
    pub async fn wait(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        patience: &Patience,
        cancel: &CancellationToken,
    ) -> Result<RemoteResult, RemoteError> {
        let task = format!("waiting for query {query} at site {site}");
        let memory = self.0.sites.of(site);
        let waited = tokio::select! {
            biased;
            () = cancel.cancelled() => Err(RemoteError::new(Cause::Cancelled, task)),
            waited = self.watch(site, query, patience, task.clone()) => waited,
        };
        match &waited {
            Ok(_) => memory.succeeded(),
            Err(error) => memory.failed(error),
        }
        waited
    }

    async fn watch(
        &self,
        site: HaloGuid,
        query: RemoteQueryId,
        patience: &Patience,
        task: String,
    ) -> Result<RemoteResult, RemoteError> {
        let deadline = Instant::now() + patience.deadline;
        let memory = self.0.sites.of(site);
        let mut seat = memory.poller.sit(query, patience);
        let mut watch = Watch::new(site, task, self.0.settings.stuck_after);
        loop {
            let look = seat.next_look(self, site);
            let Ok(look) = tokio::time::timeout_at(deadline, look).await else {
                return Err(watch.late());
            };
            match watch.judge(look, Instant::now()) {
                Step::Wait => {}
                Step::Ready(result) => return Ok(result),
                Step::Failed(error) if error.cause() == Cause::SiteStuck => {
                    return Err(error.with_link_version(self.link_version(site).await));
                }
                Step::Failed(error) => return Err(error),
            }
        }
    }

    /// Looks at a remote query that somebody waits for now instead of when it would be due.
    ///
    /// For a notice from outside, such as a webhook, which may come early, twice or never.
    pub fn wake(&self, site: HaloGuid, query: RemoteQueryId) {
        self.0.sites.of(site).poller.wake(query);
    }

    /// One look at several queries: one call where possible.
    pub(crate) async fn look(
        &self,
        site: HaloGuid,
        queries: &[RemoteQueryId],
    ) -> HashMap<RemoteQueryId, Look> {
        if let [query] = queries {
            return HashMap::from([(*query, self.look_at_one(site, *query).await)]);
        }
        match self.statuses(site, queries).await {
            Ok(found) => found
                .into_iter()
                .map(|(id, query)| (id, Ok(query)))
                .collect(),
            Err(error) => queries.iter().map(|id| (*id, Err(error.clone()))).collect(),
        }
    }

    async fn look_at_one(&self, site: HaloGuid, query: RemoteQueryId) -> Look {
        match self.status(site, query).await {
            Ok(query) => Ok(Some(query)),
            Err(error) if error.cause() == Cause::Gone => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The version of the agent, for an error; that it cannot be told is not worth another error.
    async fn link_version(&self, site: HaloGuid) -> Option<String> {
        self.site(site).await.ok()?.link_version
    }
}

#[derive(Serialize)]
struct BatchQuestion {
    #[serde(rename = "queryIds")]
    query_ids: Vec<RemoteQueryId>,
}

fn batch_body(queries: &[RemoteQueryId]) -> Vec<u8> {
    let question = BatchQuestion {
        query_ids: queries.to_vec(),
    };
    serde_json::to_vec(&question).expect("identifiers always serialise")
}

/// Puts the answers into the order asked; a query that is not mentioned makes the answer unreadable,
/// because "not found" would have us ask the practice again.
fn read_batch(
    body: BatchBody,
    queries: &[RemoteQueryId],
) -> Result<Vec<(RemoteQueryId, Option<RemoteQuery>)>, Fault> {
    let mut found = HashMap::new();
    for (id, query) in body.results.unwrap_or_default().into_items()? {
        let query = match query {
            Found::Query(query) => Some(query.into_query(id)?),
            Found::Nothing => None,
        };
        found.insert(id, query);
    }
    queries
        .iter()
        .map(|id| {
            let query = found
                .get(id)
                .ok_or("a batch status leaves out a query that was asked for")?;
            Ok((*id, query.clone()))
        })
        .collect()
}

#[cfg(test)]
#[path = "look_tests.rs"]
mod tests;

//! Asking a site: submitting a query, or having the answer at once.
//!
//! Both go past the site's breaker, and tell it what came of it.

use std::sync::Arc;

use reqwest::{Method, StatusCode};

use crate::domain::{HaloGuid, RemoteQueryId};

use super::breaker::Leave;
use super::cause::Cause;
use super::client::Client;
use super::error::RemoteError;
use super::facts;
use super::failure::Operation;
use super::immediate::{ImmediateResult, read_immediate};
use super::retry::Repeat;
use super::sites::SiteMemory;
use super::statement::Statement;
use super::status::QueryBody;

impl Client {
    /// Submits a query and returns as soon as the API has accepted it.
    ///
    /// Never repeated when it may have been accepted: see
    /// [`may_have_been_accepted`](RemoteError::may_have_been_accepted).
    ///
    /// # Errors
    /// As any call.
    pub async fn submit(
        &self,
        site: HaloGuid,
        statement: &Statement,
    ) -> Result<RemoteQueryId, RemoteError> {
        let mut call = self.call(
            Operation::Submit,
            Method::POST,
            &["sites", &site.to_string(), "queries", "async"],
            format!("submitting a query to site {site}"),
        );
        call.body = Some(statement.to_async_body());
        call.success = StatusCode::CREATED;
        call.repeat = Repeat::IfNothingHappened;
        let memory = self.admit(site).await?;
        let sent = self.send(&call).await;
        let answer = sent.inspect_err(|error| memory.failed(error))?;
        let body: QueryBody = call.read_json(&answer)?;
        body.id()
            .ok_or_else(|| call.unreadable("the accepted query has no id"))
    }

    /// Asks a small question and has the rows in the answer; at most 8 MB.
    ///
    /// # Errors
    /// As any call; a failed statement, whether or not the API calls it a success.
    pub async fn immediate(
        &self,
        site: HaloGuid,
        statement: &Statement,
    ) -> Result<ImmediateResult, RemoteError> {
        let mut call = self.call(
            Operation::Immediate,
            Method::POST,
            &["sites", &site.to_string(), "queries", "immediate"],
            format!("an immediate query at site {site}"),
        );
        call.body = Some(statement.to_immediate_body());
        call.silence = facts::IMMEDIATE_SILENCE;
        call.most_bytes = facts::IMMEDIATE_MOST_BYTES;
        let memory = self.admit(site).await?;
        let sent = self.send(&call).await;
        let result = sent
            .and_then(|answer| read_immediate(&call, &answer))
            .inspect_err(|error| memory.failed(error))?;
        memory.succeeded();
        Ok(result)
    }

    /// Lets a query through to a site unless its breaker is open; probes the site when its rest is over.
    async fn admit(&self, site: HaloGuid) -> Result<Arc<SiteMemory>, RemoteError> {
        let memory = self.0.sites.of(site);
        match memory.ask() {
            Leave::Ask => {}
            Leave::Rest(left) => {
                return Err(
                    RemoteError::new(Cause::SiteResting, asking(site)).with_retry_after(Some(left))
                );
            }
            Leave::Probe => {
                let seen = self.site(site).await?;
                if !seen.can_be_asked() {
                    let error = RemoteError::new(Cause::SiteOffline, asking(site));
                    memory.failed(&error);
                    return Err(error.with_link_version(seen.link_version));
                }
                memory.looks_well();
            }
        }
        Ok(memory)
    }
}

fn asking(site: HaloGuid) -> String {
    format!("asking site {site}")
}

#[cfg(test)]
#[path = "ask_tests.rs"]
mod tests;

//! What the tests of the client share: its settings, a statement, a result.

use std::time::Duration;

use chrono::NaiveDate;
use url::Url;
use uuid::Uuid;

use crate::domain::{HaloGuid, PageNumber, RemoteQueryId};

use super::client::Client;
use super::responder::Responder;
use super::retry::BackOff;
use super::settings::{Patience, Settings};
use super::statement::{Parameter, Statement};
use super::status::{QueryBody, RemotePage, RemoteResult};

pub(crate) const KEY: &str = "canary-key-5e17";
pub(crate) const SITE: HaloGuid = HaloGuid(Uuid::from_u128(0x5f0c_2a52));
pub(crate) const QUERY: RemoteQueryId = RemoteQueryId(Uuid::from_u128(0x7d0e));

pub(crate) fn settings(url: &Url) -> Settings {
    Settings {
        base_url: url.clone(),
        key: KEY.into(),
        back_off: BackOff {
            first: Duration::from_millis(1),
            most: Duration::from_millis(2),
            patience: Duration::from_secs(1),
        },
        ..Settings::default()
    }
}

pub(crate) fn client(responder: &Responder) -> Client {
    Client::new(settings(&responder.url)).expect("a client")
}

pub(crate) fn statement() -> Statement {
    let day = NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day");
    Statement {
        text: "SELECT 1 AS one".to_owned(),
        catalogue: Some("BPSPatients".to_owned()),
        parameters: vec![Parameter::date("snapshot_date", day)],
        max_time_in_queue: Duration::from_secs(3600),
    }
}

pub(crate) fn patience() -> Patience {
    Patience {
        just_posted: false,
        poll_first: Duration::from_millis(1),
        poll_most: Duration::from_millis(2),
        deadline: Duration::from_secs(20),
    }
}

/// A finished query with one row on each of `pages` pages.
pub(crate) fn successful(pages: u32) -> String {
    let listed: Vec<String> = (1..=pages)
        .map(|n| format!(r#"{{"pageNumber":{n},"status":"cached","rows":{{"count":1}}}}"#))
        .collect();
    format!(
        r#"{{"id":"{QUERY}","status":"successful","result":{{"rows":{pages},"size":9,"pages":[{}]}}}}"#,
        listed.join(",")
    )
}

pub(crate) fn result(pages: u32) -> RemoteResult {
    let body: QueryBody = serde_json::from_str(&successful(pages)).expect("a status");
    let query = body.into_query(QUERY).expect("a query");
    query.result.expect("a result")
}

pub(crate) fn one_page() -> RemotePage {
    RemotePage {
        number: PageNumber(1),
        rows: Some(1),
    }
}

//! Result pages, as the envelope with its headers and as a stream.

use std::sync::Arc;

use axum::body::Body as HttpBody;
use axum::http::StatusCode;
use bytes::Bytes;
use futures::stream;
use serde_json::Value;

use super::asynchronous::{query_id, unknown_query};
use super::cloud::Cloud;
use super::faults::{Fault, StreamForm};
use super::queries::{Kept, range};
use super::refusal::Refusal;
use super::reply::{Body, Reply};
use super::route::Endpoint;
use super::wire;

/// A page that may be sent.
struct Found {
    kept: Kept,
    /// Counted from 0.
    index: usize,
    form: StreamForm,
    /// Whether the last row is left out.
    loses_a_row: bool,
}

/// `GET …/results/{pageNumber}`: base64 of the row array, with its numbers in the headers.
pub(super) async fn envelope(
    cloud: &Arc<Cloud>,
    site: &str,
    query: &str,
    page: &str,
) -> Result<Reply, Refusal> {
    let found = find(cloud, site, query, page, Endpoint::Page)?;
    if found.kept.rows_affected.is_some() {
        return Ok(Reply::ok(&wire::QueryPage {
            parameters: found.kept.parameters,
        }));
    }
    let rows = read(&found).await?;
    let leaf = found.kept.spool.pages()[found.index];
    let before: u64 = found.kept.spool.pages()[..found.index]
        .iter()
        .map(|page| page.rows)
        .sum();
    let numbers = range(leaf, before);
    let mut reply = Reply::new(
        StatusCode::OK,
        Body::Text(enveloped(&rows, &found.kept.parameters)),
    );
    reply.headers = vec![
        ("Size", leaf.size.to_string()),
        ("Rows-Count", numbers.count.to_string()),
        ("Rows-Range-Start", numbers.range_start.to_string()),
        ("Rows-Range-End", numbers.range_end.to_string()),
    ];
    Ok(reply)
}

/// `GET …/results/{pageNumber}/stream`: the row array itself, in chunks.
pub(super) async fn stream(
    cloud: &Arc<Cloud>,
    site: &str,
    query: &str,
    page: &str,
) -> Result<Reply, Refusal> {
    let found = find(cloud, site, query, page, Endpoint::Stream)?;
    let rows = read(&found).await?;
    let bytes = match found.form {
        StreamForm::Rows => Bytes::from(rows),
        StreamForm::Envelope => enveloped(&rows, &found.kept.parameters),
        StreamForm::Text => Bytes::from(Value::from(String::from_utf8_lossy(&rows)).to_string()),
    };
    Ok(Reply::new(StatusCode::OK, Body::Stream(in_chunks(bytes))))
}

fn find(
    cloud: &Cloud,
    site: &str,
    query: &str,
    page: &str,
    endpoint: Endpoint,
) -> Result<Found, Refusal> {
    let entry = cloud.enter(site, endpoint)?;
    let id = query_id(query)?;
    let number = page_number(page)?;
    let now = cloud.clock.now();
    let pms_id = Some(entry.site.pms_id());
    let gone = |fault: &Fault| matches!(fault, Fault::Gone).then_some(());
    let form = |fault: &Fault| match fault {
        Fault::Wire(liberties) => Some(liberties.stream),
        _ => None,
    };
    let known = cloud.queries.look(id, entry.identity.guid, |query| {
        (query.expired, query.result.clone())
    });
    let (expired, kept) = known.ok_or_else(unknown_query)?;
    if expired || cloud.faults.strike(now, pms_id, endpoint, gone).is_some() {
        return Err(Refusal::gone());
    }
    let kept = kept.ok_or_else(unknown_query)?;
    let index = usize::try_from(number - 1).unwrap_or(usize::MAX);
    if !kept.is_cached(index, now) {
        return Err(unknown_query());
    }
    cloud
        .queries
        .edit(id, |query| *query.fetched.entry(number).or_default() += 1);
    let form = cloud
        .faults
        .strike(now, pms_id, endpoint, form)
        .unwrap_or_default();
    let loses = |fault: &Fault| matches!(fault, Fault::LostRow).then_some(());
    let loses_a_row = cloud.faults.strike(now, pms_id, endpoint, loses).is_some();
    Ok(Found {
        kept,
        index,
        form,
        loses_a_row,
    })
}

/// Pages count from 1.
fn page_number(text: &str) -> Result<u64, Refusal> {
    let number = text.parse().ok().filter(|number| *number >= 1);
    number.ok_or_else(|| Refusal::bad_request("The page number is not a whole number from 1 up."))
}

async fn read(found: &Found) -> Result<Vec<u8>, Refusal> {
    let (spool, index) = (found.kept.spool.clone(), found.index);
    let read = tokio::task::spawn_blocking(move || spool.read(index)).await;
    let rows = read.ok().and_then(Result::ok).map(|rows| {
        if found.loses_a_row {
            without_last_row(rows)
        } else {
            rows
        }
    });
    rows.ok_or_else(|| Refusal::internal("The result page could not be read."))
}

fn without_last_row(rows: Vec<u8>) -> Vec<u8> {
    let mut all: Vec<Box<serde_json::value::RawValue>> =
        serde_json::from_slice(&rows).unwrap_or_default();
    all.pop();
    serde_json::to_vec(&all).unwrap_or(rows)
}

/// Written by hand, because a page is large and base64 needs no escapes.
fn enveloped(rows: &[u8], parameters: &[wire::Parameter]) -> Bytes {
    let mut text = String::with_capacity(rows.len() / 3 * 4 + 64);
    text.push_str("{\"data\":\"");
    base64_simd::STANDARD.encode_append(rows, &mut text);
    text.push('"');
    if !parameters.is_empty() {
        text.push_str(",\"parameters\":");
        text.push_str(&serde_json::json!(parameters).to_string());
    }
    text.push('}');
    Bytes::from(text)
}

fn in_chunks(bytes: Bytes) -> HttpBody {
    const CHUNK: usize = 64 * 1024;
    let chunks = stream::unfold(bytes, |mut rest| async move {
        if rest.is_empty() {
            return None;
        }
        let chunk = rest.split_to(rest.len().min(CHUNK));
        Some((Ok::<_, std::convert::Infallible>(chunk), rest))
    });
    HttpBody::from_stream(chunks)
}

//! Liberties that answers take with the JSON of the specification, and how they are cut and compressed.

use std::io::Write;

use axum::body::Body as HttpBody;
use axum::http::HeaderValue;
use axum::http::header::{CONTENT_ENCODING, CONTENT_LENGTH};
use axum::response::Response;
use bytes::Bytes;
use chrono::{DateTime, Timelike};
use flate2::Compression;
use flate2::write::GzEncoder;
use futures::{StreamExt, stream};
use serde_json::{Map, Value, json};

use super::faults::Liberties;

/// Fields that no reader may insist on.
const OPTIONAL: [&str; 20] = [
    "pmsType",
    "haloLinkVersion",
    "enrichedAt",
    "catalogue",
    "name",
    "practiceManagementSiteId",
    "practiceManagementName",
    "practiceManagementVersion",
    "createdAt",
    "authoritative",
    "clientTimestampUTC",
    "heartbeatTimestampUTC",
    "integratorId",
    "maxTimeInQueue",
    "commandSize",
    "requestSize",
    "updatedAt",
    "statusTiming",
    "metrics",
    "resultSize",
];

/// Applies the liberties to an answer.
pub(super) fn take(liberties: &Liberties, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            take_with_object(liberties, fields);
            fields.values_mut().for_each(|value| take(liberties, value));
            if liberties.unknown_fields {
                fields.insert(
                    "announcedInSomeFutureRelease".into(),
                    json!({"nested": [1, null, "two"]}),
                );
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| take(liberties, item)),
        Value::Number(number) if liberties.numbers_as_text => {
            *value = Value::String(number.to_string())
        }
        Value::String(text) => {
            if let Some(digits) = liberties.fraction_digits
                && let Some(rewritten) = with_fraction(text, digits)
            {
                *text = rewritten;
            }
        }
        _ => {}
    }
}

fn take_with_object(liberties: &Liberties, fields: &mut Map<String, Value>) {
    if liberties.omit_optional {
        // The id of a site is all that names it, so the metadata keeps the practice's.
        let keep_ids = fields.contains_key("practiceName");
        fields.retain(|key, _| {
            !OPTIONAL.contains(&key.as_str()) || (keep_ids && key.starts_with("practice"))
        });
    }
    if liberties.unknown_values {
        surprise(
            fields,
            "status",
            &["initialising", "queued", "executing", "uploading"],
            "preparing",
        );
        surprise(
            fields,
            "availability",
            &["unreachable", "offline"],
            "unavailable",
        );
        surprise(fields, "errorType", &["mssql", "http", "haloLink"], "odbc");
    }
}

/// Puts a value nobody has announced in the place of those listed.
fn surprise(fields: &mut Map<String, Value>, key: &str, from: &[&str], to: &str) {
    if let Some(value) = fields.get_mut(key)
        && value.as_str().is_some_and(|text| from.contains(&text))
    {
        *value = Value::from(to);
    }
}

/// An instant with another number of fractional digits, cut off and not rounded; `None` for other text.
fn with_fraction(text: &str, digits: usize) -> Option<String> {
    let at = DateTime::parse_from_rfc3339(text)
        .ok()
        .filter(|_| text.ends_with('Z'))?;
    let seconds = at.format("%Y-%m-%dT%H:%M:%S");
    let nanoseconds = format!("{:09}", at.nanosecond());
    Some(match digits.min(7) {
        0 => format!("{seconds}Z"),
        digits => format!("{seconds}.{}Z", &nanoseconds[..digits]),
    })
}

/// Compresses a body.
pub(super) async fn gzip(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let Ok(plain) = axum::body::to_bytes(body, usize::MAX).await else {
        return Response::from_parts(parts, HttpBody::empty());
    };
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&plain).expect("memory takes every write");
    let packed = encoder.finish().expect("memory takes every write");
    parts.headers.remove(CONTENT_LENGTH);
    parts
        .headers
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    Response::from_parts(parts, HttpBody::from(packed))
}

/// Lets the connection break after so many bytes of the body.
pub(super) async fn cut(response: Response, bytes: usize) -> Response {
    let (mut parts, body) = response.into_parts();
    let whole = axum::body::to_bytes(body, usize::MAX)
        .await
        .unwrap_or_default();
    parts.headers.remove(CONTENT_LENGTH);
    let kept = whole.slice(..bytes.min(whole.len()));
    // The bytes must be on their way before the break, or the server would drop them together with the head.
    let body = stream::once(async move { Ok(kept) }).chain(stream::once(async {
        tokio::task::yield_now().await;
        Err(broken())
    }));
    Response::from_parts(parts, HttpBody::from_stream(body))
}

/// An answer that never comes: the connection closes before its head is written.
pub(super) fn lost() -> Response {
    Response::new(HttpBody::from_stream(stream::once(async {
        Err::<Bytes, _>(broken())
    })))
}

fn broken() -> std::io::Error {
    std::io::Error::new(std::io::ErrorKind::ConnectionReset, "broken off on purpose")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fraction_is_cut_and_never_rounded() {
        assert_eq!(
            with_fraction("2026-07-20T01:02:03.999Z", 2).unwrap(),
            "2026-07-20T01:02:03.99Z"
        );
        assert_eq!(
            with_fraction("2026-07-20T01:02:03.456Z", 0).unwrap(),
            "2026-07-20T01:02:03Z"
        );
        assert_eq!(
            with_fraction("2026-07-20T01:02:03.456Z", 7).unwrap(),
            "2026-07-20T01:02:03.4560000Z"
        );
        assert_eq!(with_fraction("40001", 3), None);
    }

    #[test]
    fn numbers_become_text_at_every_depth() {
        let mut value = json!({"rows": 3, "pages": [{"size": 7}]});

        take(
            &Liberties {
                numbers_as_text: true,
                ..Liberties::default()
            },
            &mut value,
        );

        assert_eq!(value, json!({"rows": "3", "pages": [{"size": "7"}]}));
    }

    #[test]
    fn a_final_status_is_never_made_unknown() {
        let mut value = json!({"status": "successful", "other": {"status": "queued"}});

        take(
            &Liberties {
                unknown_values: true,
                ..Liberties::default()
            },
            &mut value,
        );

        assert_eq!(
            value,
            json!({"status": "successful", "other": {"status": "preparing"}})
        );
    }
}

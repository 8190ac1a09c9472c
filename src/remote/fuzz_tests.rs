//! Whatever bytes come: every reader of answers answers or refuses, and never panics, and a page never takes more
//! memory than [`MEMORY_MULTIPLE`] says.

use chrono::Utc;
use secrecy::SecretString;

use super::failure::{Told, discreet};
use super::fuzz_bodies::campaign;
use super::page::{MEMORY_MULTIPLE, PageRows, SPARE_BYTES, looks_whole};
use super::status::{BatchBody, QueryBody};
use super::webhook::Verifier;

#[test]
fn no_bytes_whatever_make_a_reader_of_answers_panic() {
    campaign("answers", |body, _| read_everywhere(body));
}

fn read_everywhere(body: &[u8]) {
    let _ = looks_whole(body);
    if let Ok(rows) = PageRows::read(body.to_vec()) {
        let (buffer, range) = rows.into_parts();
        assert!(range.start <= range.end && range.end == buffer.len());
        assert!(buffer.capacity() >= buffer.len() + SPARE_BYTES);
        assert!(buffer.capacity() <= MEMORY_MULTIPLE * body.len() + 2 * SPARE_BYTES);
    }
    let told = Told::read(body);
    if let Some(message) = &told.message {
        let _ = discreet(message, &["off", ""]);
    }
    let _ = told.sql_number();
    let text = String::from_utf8_lossy(body);
    let _ = PageRows::of_base64(&text);
    let _ = discreet(&text, &["W3"]);
    if let Ok(query) = serde_json::from_slice::<QueryBody>(body) {
        let id = query.id().unwrap_or_else(|| ID.parse().expect("an id"));
        let _ = query.into_query(id);
    }
    if let Ok(batch) = serde_json::from_slice::<BatchBody>(body) {
        for item in batch.results.unwrap_or_default() {
            let _ = item.into_parts();
        }
    }
    webhook(body, &text);
}

const ID: &str = "c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42";

/// Damaged signatures and times, and the body as read once its signature was right.
fn webhook(body: &[u8], text: &str) {
    let verifier = Verifier::new(&SecretString::from("test-secret"));
    let now = Utc::now();
    assert!(verifier.verify(text, text, body, now).is_err());
    assert!(
        verifier
            .verify(&now.to_rfc3339(), &"0".repeat(64), body, now)
            .is_err()
    );
    let _ = super::webhook::read_notice(body);
}

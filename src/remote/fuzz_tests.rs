//! Whatever bytes come: every reader of answers answers or refuses, and never panics.
//!
//! A few thousand cases each time; `HALO_EXTRACT_FUZZ_SECONDS` says how long instead.

use std::time::{Duration, Instant};

use chrono::Utc;
use secrecy::SecretString;

use super::failure::{Told, discreet};
use super::page::{MEMORY_MULTIPLE, PageRows, SPARE_BYTES, looks_whole};
use super::status::{BatchBody, QueryBody};
use super::webhook::Verifier;

/// One sound body of each shape, to be damaged.
const SOUND: [&str; 9] = [
    r#"[{"id":1,"name":"Ünï","when":"2026-11-01T09:30:00"},{"id":2,"name":null}]"#,
    r#"{"data":"W3siaWQiOjF9LHsiaWQiOjJ9XQ==","rows":2}"#,
    r#"{"rows":2,"data":"W3siaWQiOjF9\nLHsiaWQiOjJ9XQ=="}"#,
    r#""[{\"id\":1},{\"id\":2}]""#,
    r#"{"error":{"status":503,"statusText":"x","message":"value 'off' of \"it\""}}"#,
    r#"{"statusCode":429,"message":"Rate limit is exceeded. Try again in 1 seconds."}"#,
    r#"{"id":"c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42","status":"successful","result":{"rows":3,"size":90,"pages":[{"pageNumber":1,"status":"cached","size":90,"rows":{"count":3}}]}}"#,
    r#"{"results":[{"queryId":"c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42","status":"executionFailed","errorDetails":{"errorType":"mssql","errorCode":208,"errorMessage":"Invalid object name 'x'."}}]}"#,
    r#"{"id":"0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d","siteId":"5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10","queryId":"c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42","webhookSource":"async"}"#,
];

/// Bytes at which readers turn.
const TURNS: &[u8] = b"[]{}\",:\\=n0-9eE.+ \n\0\x80\xff\xef\xbb\xbf'`(";

#[test]
fn no_bytes_whatever_make_a_reader_of_answers_panic() {
    let time = std::env::var("HALO_EXTRACT_FUZZ_SECONDS")
        .ok()
        .map(|text| Duration::from_secs(text.parse().expect("a number of seconds")));
    let began = Instant::now();
    let mut dice = fastrand::Rng::with_seed(19);
    let mut cases = 0_u64;
    while time.map_or(cases < 5_000, |time| began.elapsed() < time) {
        let body = body(&mut dice);
        read_everywhere(&body);
        cases += 1;
    }
    eprintln!("{cases} bodies in {:?}", began.elapsed());
}

/// A sound body after some damage, or bytes without any sense.
fn body(dice: &mut fastrand::Rng) -> Vec<u8> {
    if dice.u8(..8) == 0 {
        return (0..dice.usize(..200))
            .map(|_| TURNS[dice.usize(..TURNS.len())])
            .collect();
    }
    let mut body = SOUND[dice.usize(..SOUND.len())].as_bytes().to_vec();
    for _ in 0..dice.usize(..6) {
        damage(&mut body, dice);
    }
    body
}

fn damage(body: &mut Vec<u8>, dice: &mut fastrand::Rng) {
    let at = dice.usize(..=body.len());
    let until = dice.usize(at..=body.len());
    match dice.u8(..6) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..until)),
        2 => body.insert(at, TURNS[dice.usize(..TURNS.len())]),
        3 => body.extend_from_within(at..until),
        4 => {
            let other = SOUND[dice.usize(..SOUND.len())].as_bytes();
            body.splice(
                at..until,
                other[..dice.usize(..=other.len())].iter().copied(),
            );
        }
        _ => {
            if let Some(byte) = body.get_mut(at) {
                *byte = dice.u8(..);
            }
        }
    }
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

//! Whatever bytes come: every reader of answers answers or refuses, never panics, and never takes more memory than
//! a stated multiple of the bytes: [`MEMORY_MULTIPLE`] for pages, [`READ_MULTIPLE`] for everything else. Every
//! allocation is counted, freed ones included.

use std::cell::RefCell;
use std::collections::BTreeMap;

use chrono::Utc;
use reqwest::Method;
use reqwest::header::HeaderMap;
use secrecy::SecretString;

use super::call::{Answer, Call};
use super::client::Client;
use super::failure::{Operation, Told, cause_of_answer, discreet};
use super::fuzz_bodies::campaign;
use super::immediate::read_immediate;
use super::page::{MEMORY_MULTIPLE, Page, PageRows, SPARE_BYTES, looks_whole};
use super::samples::settings;
use super::site::{SiteBody, SitesBody};
use super::status::{BatchBody, QueryBody};
use super::webhook::{Verifier, read_notice};
use super::wire::{READ_MULTIPLE, READ_SPARE_BYTES};
use crate::domain::PageNumber;

#[test]
fn no_bytes_whatever_make_a_reader_of_answers_panic_or_take_more_memory_than_it_may() {
    let readers = Readers::new();
    campaign("answers", |body, _| readers.read(body));
    readers.say_worst();
}

#[test]
fn the_counter_of_memory_counts() {
    let readers = Readers::new();
    let taken = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        readers.within("a test", 2, 0, &[0; 1000], || vec![0_u8; 2001])
    }));
    assert!(taken.is_err());
    readers.within("a test", 2, 0, &[0; 1000], || vec![0_u8; 2000]);
}

const ID: &str = "c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42";

const OPERATIONS: [Operation; 6] = [
    Operation::Pair,
    Operation::LookUp,
    Operation::Submit,
    Operation::Immediate,
    Operation::Status,
    Operation::Page,
];

/// Every reader of what comes from outside, and the most memory that each took for a byte.
struct Readers {
    call: Call,
    verifier: Verifier,
    worst: RefCell<BTreeMap<&'static str, f64>>,
}

impl Readers {
    fn new() -> Self {
        let url = "http://127.0.0.1:9".parse().expect("a URL");
        let client = Client::new(settings(&url)).expect("a client");
        let (operation, task) = (Operation::Immediate, "a test".to_owned());
        Self {
            call: client.call(operation, Method::POST, &["sites"], task),
            verifier: Verifier::new(&SecretString::from("test-secret")),
            worst: RefCell::default(),
        }
    }

    fn read(&self, body: &[u8]) {
        self.pages(body);
        self.errors(body);
        self.statuses(body);
        self.sites(body);
        self.immediate(body);
        self.notices(body);
    }

    fn pages(&self, body: &[u8]) {
        let _ = looks_whole(body);
        // The body itself counts: it is what decoding works in.
        let rows = self.within("page", MEMORY_MULTIPLE, READ_SPARE_BYTES, body, || {
            let page = Page::new(PageNumber(1), None, body.to_vec());
            page.into_rows()
        });
        if let Ok(rows) = rows {
            let (buffer, range) = rows.into_parts();
            assert!(range.start <= range.end && range.end == buffer.len());
            assert!(buffer.capacity() >= buffer.len() + SPARE_BYTES);
        }
        let text = String::from_utf8_lossy(body);
        let _ = PageRows::of_base64(&text);
    }

    fn errors(&self, body: &[u8]) {
        self.answer("error", body, || {
            let told = Told::read(body);
            for operation in OPERATIONS {
                for status in [200, 302, 400, 401, 403, 404, 410, 413, 429, 500, 502, 504] {
                    let _ = cause_of_answer(operation, status, &told, None);
                }
            }
            let message = told.message.as_deref().unwrap_or_default();
            (discreet(message, &["off", ""]), told.sql_number())
        });
        let text = String::from_utf8_lossy(body);
        self.answer("message", text.as_bytes(), || discreet(&text, &["W3", ID]));
    }

    fn statuses(&self, body: &[u8]) {
        self.answer("status", body, || {
            let query: QueryBody = serde_json::from_slice(body).ok()?;
            let id = query.id().unwrap_or_else(|| ID.parse().expect("an id"));
            query.into_query(id).ok()
        });
        self.answer("batch status", body, || {
            let batch: BatchBody = serde_json::from_slice(body).ok()?;
            batch.results?.into_items().ok()
        });
    }

    fn sites(&self, body: &[u8]) {
        self.answer("site", body, || {
            let site: SiteBody = serde_json::from_slice(body).ok()?;
            site.into_site()
        });
        self.answer("sites", body, || {
            let sites: SitesBody = serde_json::from_slice(body).ok()?;
            sites.sites?.into_items().ok()
        });
    }

    fn immediate(&self, body: &[u8]) {
        let answer = Answer {
            headers: HeaderMap::new(),
            body: body.to_vec(),
        };
        self.answer("immediate", body, || {
            drop(read_immediate(&self.call, &answer));
        });
    }

    /// Damaged signatures and times, and the body as read once its signature was right.
    fn notices(&self, body: &[u8]) {
        let text = String::from_utf8_lossy(body);
        let now = Utc::now();
        let (told, zeros) = (now.to_rfc3339(), "0".repeat(64));
        self.answer("webhook", text.as_bytes(), || {
            assert!(self.verifier.verify(&text, &text, body, now).is_err());
            assert!(self.verifier.verify(&told, &zeros, body, now).is_err());
        });
        self.answer("notice", body, || read_notice(body));
    }

    fn answer<T>(&self, what: &'static str, body: &[u8], read: impl FnOnce() -> T) {
        self.within(what, READ_MULTIPLE, READ_SPARE_BYTES, body, read);
    }

    /// What `read` gives, which may hold `multiple` times the body's bytes and `spare` more at any moment.
    #[track_caller]
    fn within<T>(
        &self,
        what: &'static str,
        multiple: usize,
        spare: usize,
        body: &[u8],
        read: impl FnOnce() -> T,
    ) -> T {
        let mut found = None;
        let taken = allocation_counter::measure(|| found = Some(read())).bytes_max;
        let most = (multiple * body.len() + spare) as u64;
        assert!(taken <= most, "{what}: {taken} bytes for {}", body.len());
        if body.len() >= READ_SPARE_BYTES {
            #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
            let share = taken as f64 / body.len() as f64;
            let mut worst = self.worst.borrow_mut();
            let known = worst.entry(what).or_default();
            *known = known.max(share);
        }
        found.expect("it has read")
    }

    fn say_worst(&self) {
        for (what, share) in self.worst.borrow().iter() {
            eprintln!("{what}: at most {share:.1} times the bytes of a body of 4 kB and more");
        }
    }
}

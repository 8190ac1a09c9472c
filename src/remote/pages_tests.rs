use std::io::Write;
use std::sync::Arc;

use tokio::sync::Semaphore;

use super::super::responder::{Reply, Responder, Seen};
use super::super::samples::*;
use super::super::settings::Settings;
use super::*;
use crate::domain::FailureClass;

fn page_of(seen: &Seen) -> u32 {
    let tail = seen.path.split("/results/").nth(1).expect("a page path");
    tail.trim_end_matches("/stream").parse().expect("a number")
}

#[tokio::test]
async fn a_page_that_breaks_off_is_fetched_again() {
    let responder = Responder::start(|n, _| {
        let page = Reply::json(200, r#"[{"id":1}]"#);
        if n == 0 { page.cut() } else { page }
    })
    .await;

    let page = client(&responder)
        .page(SITE, QUERY, one_page())
        .await
        .expect("a page");

    assert_eq!(responder.seen().len(), 2);
    assert_eq!(page.into_rows().expect("rows").as_ref(), br#"[{"id":1}]"#);
}

#[tokio::test]
async fn a_page_that_breaks_off_unnoticed_by_the_connection_is_fetched_again() {
    let responder = Responder::start(|n, _| {
        let rows = if n == 0 {
            r#"[{"id":1},{"i"#
        } else {
            r#"[{"id":1}]"#
        };
        Reply::Bytes(format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{rows}").into_bytes())
    })
    .await;
    let page = client(&responder).page(SITE, QUERY, one_page()).await;
    assert!(page.is_ok());
    assert_eq!(responder.seen().len(), 2);
}

#[tokio::test]
async fn a_zipped_page_is_unzipped_and_its_limit_holds_for_what_comes_out() {
    let mut zip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let rows = format!("[\"{}\"]", "a".repeat(200_000));
    zip.write_all(rows.as_bytes()).expect("to memory");
    let zipped = zip.finish().expect("to memory");
    assert!(zipped.len() < 10_000);
    let responder = Responder::start(move |_, _| {
        Reply::with(200, &[("content-encoding", "gzip")], zipped.clone())
    })
    .await;

    let page = client(&responder).page(SITE, QUERY, one_page()).await;
    assert_eq!(page.expect("a page").size_bytes(), rows.len());

    let narrow = Settings {
        page_most_bytes: 100_000,
        ..settings(&responder.url)
    };
    let error = Client::new(narrow)
        .expect("a client")
        .page(SITE, QUERY, one_page())
        .await
        .expect_err("too large");
    assert_eq!(error.cause(), Cause::AnswerTooLarge);
}

#[tokio::test]
async fn where_stream_is_not_offered_the_envelope_is_used_from_then_on() {
    let responder = Responder::start(|_, seen| {
        if seen.path.ends_with("/stream") {
            Reply::json(404, r#"{"statusCode":404,"message":"Resource not found"}"#)
        } else {
            Reply::with(
                200,
                &[("Rows-Count", "1")],
                r#"{"data":"W3siaWQiOjF9XQ=="}"#,
            )
        }
    })
    .await;
    let client = client(&responder);

    for _ in 0..2 {
        let page = client.page(SITE, QUERY, one_page()).await.expect("a page");
        assert_eq!(page.rows_declared, Some(1));
        assert_eq!(page.into_rows().expect("rows").as_ref(), br#"[{"id":1}]"#);
    }

    let streamed = |seen: &Seen| seen.path.ends_with("/stream");
    let ways: Vec<bool> = responder.seen().iter().map(streamed).collect();
    assert_eq!(ways, [true, false, false]);
}

#[tokio::test]
async fn a_page_whose_header_contradicts_the_status_is_refused() {
    let responder =
        Responder::start(|_, _| Reply::with(200, &[("Rows-Count", "2")], "[1,2]")).await;
    let error = client(&responder)
        .page(SITE, QUERY, one_page())
        .await
        .expect_err("contradiction");
    assert_eq!(error.cause(), Cause::Unreadable);
}

#[tokio::test]
async fn an_expired_page_is_gone() {
    let responder = Responder::start(|_, _| {
        Reply::json(
            410,
            r#"{"error":{"status":410,"statusText":"Gone","message":"no longer"}}"#,
        )
    })
    .await;
    let error = client(&responder)
        .page(SITE, QUERY, one_page())
        .await
        .expect_err("gone");
    assert_eq!(
        (error.cause(), error.class()),
        (Cause::Gone, FailureClass::Gone)
    );
    assert_eq!(responder.seen().len(), 1);
}

#[tokio::test]
async fn a_page_that_is_reported_before_it_is_there_is_asked_for_again() {
    let responder = Responder::start(|n, _| match n {
        0..=3 => Reply::json(404, r#"{"error":{"message":"page not found"}}"#),
        _ => Reply::json(200, "[1]"),
    })
    .await;
    let page = client(&responder).page(SITE, QUERY, one_page()).await;
    assert!(page.is_ok());

    let responder = Responder::start(|_, _| Reply::json(404, "{}")).await;
    let error = client(&responder)
        .page(SITE, QUERY, one_page())
        .await
        .expect_err("never there");
    assert_eq!(error.cause(), Cause::Gone);
    assert_eq!(responder.seen().len(), 6);
}

#[tokio::test]
async fn pages_are_fetched_side_by_side_and_handed_on_in_order() {
    let first_gate = Arc::new(Semaphore::new(0));
    let (gate, asked) = (first_gate.clone(), Arc::new(Semaphore::new(0)));
    let later_asked = asked.clone();
    let responder = Responder::start(move |_, seen| {
        let number = page_of(seen);
        let page = Reply::json(200, format!("[{number}]"));
        if number == 1 {
            return page.held_by(&gate);
        }
        later_asked.add_permits(1);
        page
    })
    .await;
    let client = Client::new(Settings {
        pages_in_flight: 3,
        ..settings(&responder.url)
    })
    .expect("a client");

    let mut pages = client.pages(SITE, QUERY, &result(7), CancellationToken::new());
    let release = async {
        // Pages 2 and 3 are asked for while page 1 is held back; page 4 must not be.
        asked.acquire_many(2).await.expect("never closed").forget();
        assert_eq!(responder.seen().len(), 3);
        first_gate.add_permits(1);
    };
    let (first, ()) = tokio::join!(pages.next(), release);

    let mut numbers = vec![first.expect("a page").expect("fetched").number.0];
    while let Some(page) = pages.next().await {
        numbers.push(page.expect("fetched").number.0);
    }
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn cancelled_pages_end_in_an_error_and_not_as_a_shorter_result() {
    let gate = Arc::new(Semaphore::new(0));
    let responder = Responder::start(move |_, seen| {
        let page = Reply::json(200, "[1]");
        if page_of(seen) == 1 {
            page
        } else {
            page.held_by(&gate)
        }
    })
    .await;
    let cancel = CancellationToken::new();

    let mut pages = client(&responder).pages(SITE, QUERY, &result(3), cancel.clone());
    assert!(pages.next().await.expect("a page").is_ok());
    cancel.cancel();

    let error = pages.next().await.expect("an end").expect_err("cancelled");
    assert!(error.is_cancelled());
    assert!(pages.next().await.is_none());
}

use std::error::Error;
use std::io::Write;
use std::time::Duration;

use chrono::NaiveDate;
use tokio::sync::Semaphore;
use uuid::Uuid;

use super::super::responder::{Reply, Responder, Seen};
use super::super::{BackOff, BreakerRule, Parameter, RemoteStatus};
use super::*;
use crate::domain::{FailureClass, PageNumber, Retry};

const KEY: &str = "canary-key-5e17";
const SITE: HaloGuid = HaloGuid(Uuid::from_u128(0x5f0c_2a52));
const QUERY: RemoteQueryId = RemoteQueryId(Uuid::from_u128(0x7d0e));

fn settings(url: &Url) -> Settings {
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

fn client(responder: &Responder) -> Client {
    Client::new(settings(&responder.url)).expect("a client")
}

fn statement() -> Statement {
    let day = NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day");
    Statement {
        text: "SELECT 1 AS one".to_owned(),
        catalogue: Some("BPSPatients".to_owned()),
        parameters: vec![Parameter::date("snapshot_date", day)],
        max_time_in_queue: Duration::from_secs(3600),
    }
}

fn patience() -> Patience {
    Patience {
        poll_first: Duration::from_millis(1),
        poll_most: Duration::from_millis(2),
        deadline: Duration::from_secs(20),
    }
}

fn queued() -> Reply {
    Reply::json(200, format!(r#"{{"id":"{QUERY}","status":"queued"}}"#))
}

/// A finished query with one row on each of `pages` pages.
fn successful(pages: u32) -> String {
    let listed: Vec<String> = (1..=pages)
        .map(|n| format!(r#"{{"pageNumber":{n},"status":"cached","rows":{{"count":1}}}}"#))
        .collect();
    format!(
        r#"{{"id":"{QUERY}","status":"successful","result":{{"rows":{pages},"size":9,"pages":[{}]}}}}"#,
        listed.join(",")
    )
}

fn result(pages: u32) -> RemoteResult {
    let body: QueryBody = serde_json::from_str(&successful(pages)).expect("a status");
    let query = body.into_query(QUERY).expect("a query");
    query.result.expect("a result")
}

fn one_page() -> RemotePage {
    RemotePage {
        number: PageNumber(1),
        rows: Some(1),
    }
}

fn page_of(seen: &Seen) -> u32 {
    let tail = seen.path.split("/results/").nth(1).expect("a page path");
    tail.trim_end_matches("/stream").parse().expect("a number")
}

/// What an operator could get to see of an error, at its most talkative.
fn everything_said(error: &RemoteError) -> String {
    let mut said = format!("{error} {error:?} {} {}", error.why(), error.next_step());
    let mut source = error.source();
    while let Some(cause) = source {
        said.push_str(&format!(" {cause} {cause:?}"));
        source = cause.source();
    }
    said
}

#[tokio::test]
async fn pairing_sends_three_query_parameters_no_body_and_the_key() {
    let site = format!(
        r#"{{"id":"{SITE}","pmsType":"BestPractice","availability":"online","status":"active",
        "haloLinkVersion":"26.713.10445","newField":[1],
        "catalogue":[{{"name":"BPSDrugs","isDefault":false}},{{"name":"BPSPatients","isDefault":true}}],
        "practiceMetadata":{{"practiceName":"Example","practiceManagementSiteId":40123}}}}"#
    );
    let responder = Responder::start(move |_, _| Reply::json(200, site.clone())).await;

    let pms_id = "40123".parse().expect("an id");
    let code = SecretString::from("AB+C&1");
    let paired = client(&responder)
        .pair_site(&pms_id, PmsType::BestPractice, Some(&code))
        .await
        .expect("paired");

    let seen = &responder.seen()[0];
    assert_eq!(seen.method, "POST");
    assert_eq!(
        seen.path,
        "/integrator/pair-site?practiceManagementSiteId=40123&practiceManagementName=Best%20Practice&pairingCode=AB%2BC%261"
    );
    assert_eq!(seen.header("ocp-apim-subscription-key"), Some(KEY));
    assert_eq!(seen.header("content-length"), Some("0"));
    assert_eq!(paired.guid, SITE);
    assert_eq!(paired.pms_type, Some(PmsType::BestPractice));
    assert_eq!(paired.pms_id.as_deref(), Some("40123"));
    assert_eq!(paired.practice_name.as_deref(), Some("Example"));
    assert_eq!(paired.catalogues, ["BPSPatients", "BPSDrugs"]);
    assert!(paired.can_be_asked());
}

#[tokio::test]
async fn a_search_without_a_match_finds_no_site() {
    let responder = Responder::start(|_, _| Reply::json(200, r#"{"sites":[]}"#)).await;
    let pms_id = "1".parse().expect("an id");
    let found = client(&responder).find_sites(&pms_id, PmsType::D4w).await;
    assert_eq!(found.expect("an answer"), []);
}

#[tokio::test]
async fn a_submission_is_posted_once_as_a_reader() {
    let answer = format!(r#"{{"id":"{QUERY}","status":"initialising"}}"#);
    let responder = Responder::start(move |_, _| Reply::json(201, answer.clone())).await;

    let id = client(&responder)
        .submit(SITE, &statement())
        .await
        .expect("accepted");

    assert_eq!(id, QUERY);
    let seen = responder.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(
        seen[0].path,
        format!("/integrator/sites/{SITE}/queries/async")
    );
    assert_eq!(seen[0].header("content-type"), Some("application/json"));
    assert_eq!(seen[0].body, statement().to_async_body());
}

#[tokio::test]
async fn a_submission_whose_answer_is_lost_is_not_posted_again() {
    let cut = Reply::json(201, format!(r#"{{"id":"{QUERY}"}}"#)).cut();
    for (reply, cause) in [
        (Reply::Nothing, Cause::Unanswered),
        (cut, Cause::CutShort),
        (Reply::json(500, "{}"), Cause::ApiFailed),
        (Reply::json(504, "{}"), Cause::SiteLost),
        (Reply::json(201, "{}"), Cause::Unreadable),
    ] {
        let responder = Responder::start(move |_, _| reply.clone()).await;

        let error = client(&responder)
            .submit(SITE, &statement())
            .await
            .expect_err("lost");

        assert_eq!(error.cause(), cause);
        assert!(error.may_have_been_accepted(), "{cause:?}");
        assert_eq!(responder.seen().len(), 1, "{cause:?}");
    }
}

#[tokio::test]
async fn a_submission_that_never_reached_the_site_is_tried_again() {
    let accepted = format!(r#"{{"id":"{QUERY}","status":"initialising"}}"#);
    let responder = Responder::start(move |n, _| match n {
        0 => Reply::json(503, r#"{"error":{"status":503,"message":"offline"}}"#),
        1 => Reply::with(429, &[("retry-after", "0")], r#"{"statusCode":429}"#),
        _ => Reply::json(201, accepted.clone()),
    })
    .await;

    let id = client(&responder).submit(SITE, &statement()).await;

    assert_eq!(id.expect("accepted"), QUERY);
    assert_eq!(responder.seen().len(), 3);
}

#[tokio::test]
async fn a_call_that_keeps_failing_says_how_often_it_was_tried() {
    let responder =
        Responder::start(|_, _| Reply::json(503, r#"{"error":{"message":"gone home"}}"#)).await;

    let error = client(&responder)
        .submit(SITE, &statement())
        .await
        .expect_err("offline");

    assert_eq!((error.attempts(), responder.seen().len()), (4, 4));
    assert_eq!(error.class(), FailureClass::Site);
    let said = error.to_string();
    assert!(
        said.contains("the site is offline (HTTP 503): gone home; tried 4 times in"),
        "{said}"
    );
}

#[tokio::test]
async fn a_long_wait_that_the_api_asks_for_is_handed_to_the_caller() {
    let responder = Responder::start(|_, _| {
        Reply::with(
            403,
            &[("retry-after", "3600")],
            r#"{"statusCode":403,"message":"x"}"#,
        )
    })
    .await;

    let error = client(&responder).site(SITE).await.expect_err("refused");

    assert_eq!(error.cause(), Cause::QuotaSpent);
    assert_eq!(error.retry(), Retry::Later(Duration::from_secs(3600)));
    assert_eq!(responder.seen().len(), 1);
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

#[tokio::test]
async fn waiting_goes_on_through_passing_faults_until_every_page_is_there() {
    let responder = Responder::start(|n, _| match n {
        0 => queued(),
        1..=5 => Reply::json(500, "{}"),
        6 => Reply::json(200, successful(2).replacen("cached", "uploading", 1)),
        _ => Reply::json(200, successful(2)),
    })
    .await;

    let result = client(&responder)
        .wait(SITE, QUERY, &patience(), &CancellationToken::new())
        .await
        .expect("a result");

    assert_eq!((result.rows, result.pages.len()), (2, 2));
    assert_eq!(responder.seen().len(), 8);
}

#[tokio::test]
async fn waiting_ends_with_the_failure_of_the_query() {
    let responder = Responder::start(|_, _| {
        Reply::json(
            200,
            r#"{"status":"executionFailed","errorDetails":
            {"errorType":"mssql","errorCode":208,"errorMessage":"Invalid object name 'PATIENTZ'."}}"#,
        )
    })
    .await;

    let error = client(&responder)
        .wait(SITE, QUERY, &patience(), &CancellationToken::new())
        .await
        .expect_err("failed");

    assert_eq!(
        (error.class(), error.sql_number()),
        (FailureClass::Sql, Some(208))
    );
    assert_eq!(error.retry(), Retry::Never);
    assert!(
        error
            .to_string()
            .contains("Invalid object name 'PATIENTZ'.")
    );
}

#[tokio::test]
async fn waiting_ends_at_our_own_deadline_and_when_cancelled() {
    let responder = Responder::start(|_, _| queued()).await;
    let client = client(&responder);
    let short = Patience {
        deadline: Duration::from_millis(20),
        ..patience()
    };

    let late = client
        .wait(SITE, QUERY, &short, &CancellationToken::new())
        .await;
    assert_eq!(late.expect_err("late").cause(), Cause::NotYetReady);

    let cancel = CancellationToken::new();
    cancel.cancel();
    let stopped = client.wait(SITE, QUERY, &patience(), &cancel).await;
    assert!(stopped.expect_err("stopped").is_cancelled());
}

#[tokio::test]
async fn several_statuses_come_in_the_order_asked() {
    let other = RemoteQueryId(Uuid::from_u128(9));
    let body = format!(
        r#"{{"results":[{{"queryId":"{other}","status":"notFound"}},
        {{"queryId":"{QUERY}","status":"found","query":{{"status":"executing"}}}}]}}"#
    );
    let responder = Responder::start(move |_, _| Reply::json(200, body.clone())).await;

    let found = client(&responder)
        .statuses(SITE, &[QUERY, other])
        .await
        .expect("statuses");

    assert_eq!((found[0].0, found[1].0), (QUERY, other));
    let first = found[0].1.as_ref().expect("found");
    assert_eq!(first.status, RemoteStatus::Executing);
    assert!(found[1].1.is_none());
    let sent = format!(r#"{{"queryIds":["{QUERY}","{other}"]}}"#);
    assert_eq!(responder.seen()[0].body, sent.as_bytes());
}

#[tokio::test]
async fn an_immediate_answer_brings_its_rows() {
    let responder = Responder::start(|_, _| {
        Reply::json(
            200,
            r#"{"status":"successful","result":{"rows":1,"size":9,"data":"W3siaWQiOjF9XQ=="}}"#,
        )
    })
    .await;
    let answer = client(&responder)
        .immediate(SITE, &statement())
        .await
        .expect("rows");
    assert_eq!(answer.rows, 1);
    assert_eq!(answer.body.as_ref(), br#"[{"id":1}]"#);
}

#[tokio::test]
async fn a_failure_that_comes_as_a_success_is_a_failure() {
    for (body, cause) in [
        (
            r#"{"status":"executionFailed","errorDetails":{"errorType":"mssql","errorCode":207}}"#,
            Cause::SqlFailed,
        ),
        (r#"{"status":"initialising"}"#, Cause::Unreadable),
        (r#"{"result":{"rows":0,"data":""}}"#, Cause::Unreadable),
        (r#"{"status":"successful"}"#, Cause::Unreadable),
        (
            r#"{"status":"successful","result":{"rows":3,"data":""}}"#,
            Cause::Unreadable,
        ),
        ("<html>", Cause::Unreadable),
    ] {
        let responder = Responder::start(move |_, _| Reply::json(200, body)).await;
        let error = client(&responder)
            .immediate(SITE, &statement())
            .await
            .expect_err("a failure");
        assert_eq!(error.cause(), cause, "{body}");
    }
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    let responder =
        Responder::start(|_, _| Reply::with(302, &[("location", "/elsewhere")], "")).await;
    let error = client(&responder).site(SITE).await.expect_err("refused");
    assert_eq!(error.cause(), Cause::WrongAddress);
    assert_eq!(responder.seen().len(), 1);
}

#[tokio::test]
async fn an_api_that_stays_silent_is_given_up() {
    let gate = Arc::new(Semaphore::new(0));
    let responder = Responder::start(move |_, _| Reply::json(200, "{}").held_by(&gate)).await;
    let hasty = Settings {
        read_timeout: Duration::from_millis(20),
        max_attempts: 2,
        ..settings(&responder.url)
    };
    let error = Client::new(hasty)
        .expect("a client")
        .site(SITE)
        .await
        .expect_err("silent");
    assert_eq!((error.cause(), error.attempts()), (Cause::Unanswered, 2));
}

#[tokio::test]
async fn no_error_says_the_key_the_code_or_the_address() {
    let code = SecretString::from("CANARY77");
    let echo = format!(r#"{{"message":"no CANARY77 for {KEY}"}}"#);
    let pms_id = "40123".parse().expect("an id");
    let mut replies = vec![Reply::Nothing, Reply::json(200, "<html>CANARY77")];
    replies.extend(
        [302, 400, 401, 403, 404, 429, 500, 502, 503].map(|s| Reply::json(s, echo.clone())),
    );
    let mut errors = Vec::new();
    for reply in replies {
        let responder = Responder::start(move |_, _| reply.clone()).await;
        let client = client(&responder);
        let paired = client
            .pair_site(&pms_id, PmsType::BestPractice, Some(&code))
            .await;
        errors.push(paired.expect_err("refused"));
        assert!(!format!("{client:?}").contains(KEY));
    }
    // Nobody listens on a port that was just given back.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let nobody = format!("http://{}", listener.local_addr().expect("an address"));
    drop(listener);
    let unreachable = Client::new(settings(&nobody.parse().expect("a URL"))).expect("a client");
    let paired = unreachable
        .pair_site(&pms_id, PmsType::BestPractice, Some(&code))
        .await;
    let error = paired.expect_err("unreachable");
    assert_eq!((error.cause(), error.attempts()), (Cause::NotReached, 4));
    errors.push(error);

    for error in &errors {
        let said = everything_said(error);
        for secret in ["CANARY77", KEY, "practiceManagement", "http://"] {
            assert!(!said.contains(secret), "{said}");
        }
    }
    assert!(!format!("{:?}", settings(&nobody.parse().expect("a URL"))).contains(KEY));
}

#[test]
fn a_key_that_cannot_be_used_is_refused_before_any_call() {
    for key in ["", "  ", "two\nlines"] {
        let wrong = Settings {
            key: key.into(),
            ..Settings::default()
        };
        let error = Client::new(wrong).expect_err("refused");
        assert_eq!(error.cause(), Cause::Misconfigured);
    }
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

fn query(n: u128) -> RemoteQueryId {
    RemoteQueryId(Uuid::from_u128(n))
}

/// The ids asked for in a batch.
fn batch_of(seen: &Seen) -> Vec<RemoteQueryId> {
    let body: serde_json::Value = serde_json::from_slice(&seen.body).expect("JSON");
    serde_json::from_value(body["queryIds"].clone()).expect("ids")
}

fn batch_reply(ids: &[RemoteQueryId], query: &str) -> Reply {
    let items: Vec<String> = ids
        .iter()
        .map(|id| format!(r#"{{"queryId":"{id}","status":"found","query":{query}}}"#))
        .collect();
    Reply::json(200, format!(r#"{{"results":[{}]}}"#, items.join(",")))
}

const EMPTY_RESULT: &str = r#"{"status":"successful","result":{"rows":0,"pages":[]}}"#;

#[tokio::test]
async fn all_who_wait_for_one_site_share_each_look() {
    // Only a look at all three together finds them done.
    let responder = Responder::start(|_, seen| {
        if seen.method == "GET" {
            return Reply::json(200, r#"{"status":"queued"}"#);
        }
        let ids = batch_of(seen);
        let is_all = ids == [query(1), query(2), query(3)];
        batch_reply(
            &ids,
            if is_all {
                EMPTY_RESULT
            } else {
                r#"{"status":"queued"}"#
            },
        )
    })
    .await;
    let client = client(&responder);
    let mut waits = tokio::task::JoinSet::new();
    for n in 1..=3 {
        let client = client.clone();
        let cancel = CancellationToken::new();
        waits.spawn(async move { client.wait(SITE, query(n), &patience(), &cancel).await });
    }

    let results = waits.join_all().await;

    assert_eq!(results.len(), 3);
    assert!(results.iter().all(Result::is_ok));
    let full = responder
        .seen()
        .iter()
        .filter(|seen| seen.method == "POST" && batch_of(seen).len() == 3)
        .count();
    assert_eq!(full, 1);
}

#[tokio::test]
async fn when_the_one_who_looks_gives_up_another_takes_over() {
    let responder = Responder::start(|_, seen| {
        let asked_alone = seen.method == "GET";
        if asked_alone && seen.path.ends_with(&query(2).to_string()) {
            Reply::json(200, EMPTY_RESULT)
        } else if asked_alone {
            Reply::json(200, r#"{"status":"queued"}"#)
        } else {
            batch_reply(&batch_of(seen), r#"{"status":"queued"}"#)
        }
    })
    .await;
    let client = client(&responder);
    let (leaving, staying) = (CancellationToken::new(), CancellationToken::new());

    let first = {
        let (client, leaving) = (client.clone(), leaving.clone());
        tokio::spawn(async move { client.wait(SITE, query(1), &patience(), &leaving).await })
    };
    while responder.seen().is_empty() {
        tokio::task::yield_now().await;
    }
    let second =
        tokio::spawn(async move { client.wait(SITE, query(2), &patience(), &staying).await });
    while responder.seen().iter().all(|seen| seen.method == "GET") {
        tokio::task::yield_now().await;
    }
    leaving.cancel();

    assert!(
        first
            .await
            .expect("no panic")
            .expect_err("left")
            .is_cancelled()
    );
    assert!(second.await.expect("no panic").is_ok());
}

#[tokio::test]
async fn a_notice_makes_the_next_look_come_at_once() {
    let responder = Responder::start(|n, _| match n {
        0 => queued(),
        _ => Reply::json(200, successful(1)),
    })
    .await;
    let client = client(&responder);
    let patient = Patience {
        poll_first: Duration::from_secs(3600),
        poll_most: Duration::from_secs(3600),
        deadline: Duration::from_secs(7200),
    };
    let cancel = CancellationToken::new();
    let knock = async {
        while responder.seen().is_empty() {
            tokio::task::yield_now().await;
        }
        loop {
            client.wake(SITE, QUERY);
            client.wake(SITE, query(99));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };

    let result = tokio::select! {
        result = client.wait(SITE, QUERY, &patient, &cancel) => result,
        () = knock => unreachable!("it knocks for ever"),
    };

    assert_eq!(result.expect("a result").rows, 1);
}

#[tokio::test]
async fn where_no_batch_status_is_offered_each_query_is_looked_at_alone() {
    let responder = Responder::start(|_, seen| {
        if seen.method == "POST" {
            Reply::json(404, r#"{"statusCode":404,"message":"Resource not found"}"#)
        } else if seen.path.ends_with(&query(2).to_string()) {
            Reply::json(404, r#"{"error":{"message":"no such query"}}"#)
        } else {
            Reply::json(200, r#"{"status":"queued"}"#)
        }
    })
    .await;
    let client = client(&responder);

    for _ in 0..2 {
        let found = client
            .statuses(SITE, &[query(1), query(2)])
            .await
            .expect("statuses");
        assert!(found[0].1.is_some() && found[1].1.is_none());
    }

    let posts = responder
        .seen()
        .iter()
        .filter(|seen| seen.method == "POST")
        .count();
    assert_eq!((posts, responder.seen().len()), (1, 5));
}

#[tokio::test]
async fn a_query_that_hangs_is_told_with_the_version_of_the_agent() {
    let responder = Responder::start(|_, seen| {
        if seen.path.contains("/queries/") {
            Reply::json(200, r#"{"status":"executing"}"#)
        } else {
            Reply::json(
                200,
                format!(r#"{{"id":"{SITE}","haloLinkVersion":"26.202.8289"}}"#),
            )
        }
    })
    .await;
    let impatient = Settings {
        stuck_after: Duration::from_millis(5),
        ..settings(&responder.url)
    };
    let error = Client::new(impatient)
        .expect("a client")
        .wait(SITE, QUERY, &patience(), &CancellationToken::new())
        .await
        .expect_err("hangs");
    assert_eq!(error.cause(), Cause::SiteStuck);
    assert!(
        error.to_string().contains("Halo Link 26.202.8289"),
        "{error}"
    );
}

fn fragile_client(responder: &Responder, rest: Duration) -> Client {
    let breaker = BreakerRule {
        failures: 2,
        rest,
        rest_most: rest,
    };
    Client::new(Settings {
        max_attempts: 1,
        breaker,
        ..settings(&responder.url)
    })
    .expect("a client")
}

async fn submitted(client: &Client, site: HaloGuid) -> Result<RemoteQueryId, Cause> {
    let id = client.submit(site, &statement()).await;
    id.map_err(|error| error.cause())
}

#[tokio::test]
async fn a_site_that_keeps_failing_is_left_alone_and_no_other() {
    let responder = Responder::start(|n, _| match n {
        0 | 1 => Reply::json(503, "{}"),
        _ => Reply::json(201, format!(r#"{{"id":"{QUERY}"}}"#)),
    })
    .await;
    let client = fragile_client(&responder, Duration::from_secs(3600));

    assert_eq!(submitted(&client, SITE).await, Err(Cause::SiteOffline));
    assert_eq!(submitted(&client, SITE).await, Err(Cause::SiteOffline));
    assert_eq!(submitted(&client, SITE).await, Err(Cause::SiteResting));
    assert_eq!(responder.seen().len(), 2);
    let other = HaloGuid(Uuid::from_u128(2));
    assert_eq!(submitted(&client, other).await, Ok(QUERY));
}

#[tokio::test]
async fn after_its_rest_a_site_is_asked_again_once_its_status_says_it_is_back() {
    let site = |availability: &str| {
        let body =
            format!(r#"{{"id":"{SITE}","status":"active","availability":"{availability}"}}"#);
        Reply::json(200, body)
    };
    let responder = Responder::start(move |n, _| match n {
        0 | 1 => Reply::json(503, "{}"),
        2 => site("offline"),
        3 => site("online"),
        _ => Reply::json(201, format!(r#"{{"id":"{QUERY}"}}"#)),
    })
    .await;
    let client = fragile_client(&responder, Duration::ZERO);

    for _ in 0..3 {
        assert_eq!(submitted(&client, SITE).await, Err(Cause::SiteOffline));
    }
    assert_eq!(submitted(&client, SITE).await, Ok(QUERY));

    let methods: Vec<_> = responder
        .seen()
        .into_iter()
        .map(|seen| seen.method)
        .collect();
    assert_eq!(methods, ["POST", "POST", "GET", "GET", "POST"]);
}

#[tokio::test]
async fn a_refused_key_makes_no_second_call() {
    let responder = Responder::start(|_, _| Reply::json(401, r#"{"statusCode":401}"#)).await;
    let client = client(&responder);
    for attempts in [1, 0] {
        let error = client.site(SITE).await.expect_err("refused");
        assert_eq!(
            (error.cause(), error.attempts()),
            (Cause::KeyRefused, attempts)
        );
        assert_eq!(error.class(), FailureClass::Auth);
    }
    assert_eq!(responder.seen().len(), 1);
}

#[tokio::test]
async fn one_query_at_a_time_has_its_turn_at_a_site() {
    let responder = Responder::start(|_, _| Reply::Nothing).await;
    let client = client(&responder);
    let first = client.turn(SITE).await;
    let other_site = client.turn(HaloGuid(Uuid::from_u128(2)));
    assert!(
        tokio::time::timeout(Duration::from_secs(5), other_site)
            .await
            .is_ok()
    );
    let second = client.turn(SITE);
    tokio::pin!(second);
    assert!(futures::poll!(&mut second).is_pending());
    drop(first);
    assert!(
        tokio::time::timeout(Duration::from_secs(5), second)
            .await
            .is_ok()
    );
}

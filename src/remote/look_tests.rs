use std::time::Duration;

use uuid::Uuid;

use super::super::poller::Poller;
use super::super::responder::{Reply, Responder, Seen};
use super::super::samples::*;
use super::super::settings::Settings;
use super::super::status::RemoteStatus;
use super::*;
use crate::domain::{FailureClass, Retry};

fn queued() -> Reply {
    Reply::json(200, format!(r#"{{"id":"{QUERY}","status":"queued"}}"#))
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
        just_posted: false,
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

#[test]
fn a_query_that_was_just_posted_is_looked_at_after_the_first_pause_and_any_other_at_once() {
    let due_of = |just_posted| {
        let poller = Poller::new();
        let patience = Patience {
            just_posted,
            poll_first: Duration::from_secs(60),
            ..patience()
        };
        let _seat = poller.sit(QUERY, &patience);
        poller.next_due().expect("one waits")
    };
    let began = Instant::now();

    assert!(due_of(true) >= began + Duration::from_secs(60));
    assert!(due_of(false) <= Instant::now());
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

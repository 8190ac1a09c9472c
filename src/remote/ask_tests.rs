use std::time::Duration;

use uuid::Uuid;

use super::super::breaker::BreakerRule;
use super::super::responder::{Reply, Responder};
use super::super::samples::*;
use super::super::settings::Settings;
use super::*;
use crate::domain::FailureClass;

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

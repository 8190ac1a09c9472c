use std::error::Error;
use std::time::Duration;

use tokio::sync::Semaphore;

use super::super::cause::Cause;
use super::super::responder::{Reply, Responder};
use super::super::samples::*;
use super::*;
use crate::domain::{FailureClass, Retry};

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

#[test]
fn an_address_that_is_no_https_or_holds_a_password_is_refused() {
    for address in [
        "ftp://a.example",
        "https://me:canary@a.example",
        "https://me@a.example",
    ] {
        let wrong = Settings {
            base_url: address.parse().expect("a URL"),
            key: KEY.into(),
            ..Settings::default()
        };
        let error = Client::new(wrong).expect_err("refused");
        assert_eq!(error.cause(), Cause::Misconfigured);
        assert!(!everything_said(&error).contains("canary"));
    }
}

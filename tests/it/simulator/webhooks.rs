//! Webhooks: signed, retried with fresh time stamps, and with the defects that a receiver must survive.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use chrono::{DateTime, Utc};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};
use sha2::Sha256;
use tokio::net::TcpListener;

use super::stand::Stand;

/// One webhook as it arrived.
#[derive(Debug, Clone)]
struct Received {
    body: Value,
    timestamp: DateTime<Utc>,
    signature_holds: bool,
}

/// A receiver that answers with the statuses it is given, then with 204.
#[derive(Clone, Default)]
struct Receiver {
    received: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<Vec<StatusCode>>>,
    secret: Arc<Mutex<String>>,
}

impl Receiver {
    async fn for_stand(stand: &Stand) -> Receiver {
        let receiver = Receiver::default();
        let app = Router::new()
            .route("/{site}/{query}/{source}", post(take))
            .with_state(receiver.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!(
            "http://{}/{{siteId}}/{{queryId}}/{{source}}",
            listener.local_addr().unwrap()
        );
        tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
        let request = stand.request(reqwest::Method::PUT, "/simulator/webhooks");
        let body = json!({"async_url": url, "registered_url": url}).to_string();
        let answer = request
            .body(body)
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let answer: Value = serde_json::from_str(&answer).unwrap();
        *receiver.secret.lock().unwrap() = answer["secret"].as_str().unwrap().to_owned();
        receiver
    }

    async fn wait_for(&self, count: usize) -> Vec<Received> {
        loop {
            let received = self.received.lock().unwrap().clone();
            if received.len() >= count {
                return received;
            }
            tokio::task::yield_now().await;
        }
    }
}

async fn take(State(receiver): State<Receiver>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let text = |name: &str| headers[name].to_str().unwrap().to_owned();
    let mut mac =
        Hmac::<Sha256>::new_from_slice(receiver.secret.lock().unwrap().as_bytes()).unwrap();
    mac.update(&body);
    mac.update(format!(".{}", text("X-Halo-Timestamp")).as_bytes());
    let expected: String = mac
        .finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    let body: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(body["id"], text("X-Halo-Id"));
    receiver.received.lock().unwrap().push(Received {
        body,
        timestamp: text("X-Halo-Timestamp").parse().unwrap(),
        signature_holds: expected == text("X-Halo-Signature-256"),
    });
    receiver
        .answers
        .lock()
        .unwrap()
        .pop()
        .unwrap_or(StatusCode::NO_CONTENT)
}

async fn stand() -> (Stand, Receiver) {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.clock_scale = 0.0;
        settings.start = Some("2026-11-20T00:00:00Z".parse().unwrap());
    })
    .await;
    let receiver = Receiver::for_stand(&stand).await;
    (stand, receiver)
}

async fn outcome(stand: &Stand) -> Value {
    loop {
        let log = stand.get("/simulator/webhooks").await.json;
        if log["deliveries"][0]["outcome"].is_string() {
            return log["deliveries"][0].clone();
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_successful_query_is_announced_with_a_signature_that_holds() {
    let (stand, receiver) = stand().await;

    let id = stand.submit("SELECT 1 AS n").await;
    let received = receiver.wait_for(1).await;

    assert!(received[0].signature_holds);
    assert_eq!(received[0].body["queryId"], id);
    assert_eq!(received[0].body["siteId"], stand.guid());
    assert_eq!(received[0].body["webhookSource"], "async");
    assert_eq!(outcome(&stand).await["attempts"], json!([204]));
}

#[tokio::test]
async fn a_failed_query_is_not_announced() {
    let (stand, receiver) = stand().await;

    let failed = stand.submit("SELECT * FROM PATIENTZ").await;
    assert_eq!(stand.settled(&failed).await["status"], "executionFailed");
    let id = stand.submit("SELECT 1 AS n").await;
    let received = receiver.wait_for(1).await;

    assert_eq!(received.len(), 1);
    assert_eq!(received[0].body["queryId"], id);
}

#[tokio::test]
async fn a_refused_attempt_is_repeated_later_with_a_fresh_time_stamp() {
    let (stand, receiver) = stand().await;
    receiver
        .answers
        .lock()
        .unwrap()
        .push(StatusCode::SERVICE_UNAVAILABLE);

    stand.submit("SELECT 1 AS n").await;
    receiver.wait_for(1).await;
    while stand.get("/simulator/webhooks").await.json["deliveries"][0]["attempts"] != json!([503]) {
        tokio::task::yield_now().await;
    }
    stand.step("1m").await;
    let received = receiver.wait_for(2).await;

    assert_eq!(received[0].body, received[1].body);
    assert!(received[1].timestamp - received[0].timestamp >= chrono::TimeDelta::seconds(5));
    assert!(received[1].signature_holds);
    assert_eq!(outcome(&stand).await["attempts"], json!([503, 204]));
}

#[tokio::test]
async fn a_webhook_that_the_receiver_calls_forged_is_dropped() {
    let (stand, receiver) = stand().await;
    receiver
        .answers
        .lock()
        .unwrap()
        .push(StatusCode::UNAUTHORIZED);

    stand.submit("SELECT 1 AS n").await;

    assert_eq!(outcome(&stand).await["outcome"], "refused");
}

#[tokio::test]
async fn a_duplicate_arrives_twice_with_one_id() {
    let (stand, receiver) = stand().await;
    stand
        .fault(json!({"kind": "webhook", "defect": "duplicate"}))
        .await;

    stand.submit("SELECT 1 AS n").await;
    let received = receiver.wait_for(2).await;

    assert_eq!(received[0].body["id"], received[1].body["id"]);
}

#[tokio::test]
async fn a_bad_signature_does_not_hold_and_a_stale_one_is_old() {
    let (stand, receiver) = stand().await;

    stand
        .fault(json!({"kind": "webhook", "defect": "bad_signature", "times": 1}))
        .await;
    stand.submit("SELECT 1 AS n").await;
    assert!(!receiver.wait_for(1).await[0].signature_holds);

    stand
        .fault(json!({"kind": "webhook", "defect": "stale", "times": 1}))
        .await;
    stand.submit("SELECT 1 AS n").await;
    let received = receiver.wait_for(2).await;
    assert!(received[1].signature_holds);
    assert_eq!(
        received[1].timestamp,
        "2026-11-19T23:50:00Z".parse::<DateTime<Utc>>().unwrap()
    );
}

#[tokio::test]
async fn a_delayed_webhook_arrives_later_with_a_fresh_time_stamp() {
    let (stand, receiver) = stand().await;
    stand
        .fault(json!({"kind": "webhook", "defect": "delayed"}))
        .await;

    stand.submit("SELECT 1 AS n").await;
    while stand.get("/simulator/faults").await.json[0]["struck"] == 0 {
        tokio::task::yield_now().await;
    }
    stand.step("10m").await;
    let received = receiver.wait_for(1).await;

    let sent: DateTime<Utc> = received[0].body["occurredAt"]
        .as_str()
        .unwrap()
        .parse()
        .unwrap();
    assert_eq!(received[0].timestamp - sent, chrono::TimeDelta::minutes(10));
    assert!(received[0].signature_holds);
}

#[tokio::test]
async fn a_reordered_webhook_arrives_after_the_next_one() {
    let (stand, receiver) = stand().await;
    stand
        .fault(json!({"kind": "webhook", "defect": "reordered", "times": 1}))
        .await;

    let first = stand.submit("SELECT 1 AS n").await;
    while stand.get("/simulator/faults").await.json[0]["struck"] == 0 {
        tokio::task::yield_now().await;
    }
    let second = stand.submit("SELECT 2 AS n").await;
    let received = receiver.wait_for(2).await;

    assert_eq!(received[0].body["queryId"], second);
    assert_eq!(received[1].body["queryId"], first);
}

#[tokio::test]
async fn an_early_webhook_overtakes_the_status() {
    let (stand, receiver) = stand().await;
    stand
        .fault(json!({"kind": "webhook", "defect": "early"}))
        .await;
    // The receiver refuses once, which holds the query in `uploading` until the clock moves.
    receiver
        .answers
        .lock()
        .unwrap()
        .push(StatusCode::SERVICE_UNAVAILABLE);

    let id = stand.submit("SELECT 1 AS n").await;
    receiver.wait_for(1).await;

    assert_eq!(
        stand.get(&format!("{}/{id}", stand.queries())).await.json["status"],
        "uploading"
    );
}

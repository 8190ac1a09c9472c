use proptest::prelude::*;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use super::*;

/// The test vector of the fact sheet, made by hand from the documented rule.
const BODY: &str = r#"{"id":"0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d","occurredAt":"2026-03-05T14:30:00.0000000+00:00","siteId":"5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10","queryId":"c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42","webhookSource":"async"}"#;
const SENT: &str = "2026-03-05T14:30:02.1234567+00:00";
const SIGNATURE: &str = "ab561a66cacdf8a900efcb439397c624fd1bd9443dea6d1944e5e8fb792b1e37";

fn verifier() -> Verifier {
    Verifier::new(&SecretString::from("test-secret"))
}

fn at(seconds: i64) -> DateTime<Utc> {
    let sent = DateTime::parse_from_rfc3339(SENT).expect("a time");
    sent.to_utc() + TimeDelta::seconds(seconds)
}

fn verify(signature: &str, body: &str, now: DateTime<Utc>) -> Result<Notice, Refusal> {
    verifier().verify(SENT, signature, body.as_bytes(), now)
}

/// A delivery signed now, as the API would.
fn signed(body: &str, now: DateTime<Utc>) -> HeaderMap {
    let timestamp = now.to_rfc3339();
    let mut mac = verifier().mac;
    mac.update(body.as_bytes());
    mac.update(format!(".{timestamp}").as_bytes());
    let signature = mac.finalize().into_bytes();
    let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = HeaderMap::new();
    headers.insert(TIMESTAMP_HEADER, timestamp.parse().expect("a value"));
    headers.insert(SIGNATURE_HEADER, hex.parse().expect("a value"));
    headers
}

fn receiver(room: usize) -> (Receiver, mpsc::Receiver<Notice>) {
    let (notices, taken) = mpsc::channel(room);
    let receiver = Receiver {
        verifier: verifier(),
        notices,
        remembered: Mutex::default(),
    };
    (receiver, taken)
}

fn body(number: u128) -> String {
    let id = Uuid::from_u128(number);
    BODY.replace("0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d", &id.to_string())
}

#[test]
fn the_test_vector_of_the_fact_sheet_is_believed() {
    assert_eq!(BODY.len(), 215);
    let notice = verify(SIGNATURE, BODY, at(3)).expect("believed");
    assert_eq!(
        notice.id.to_string(),
        "0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d"
    );
    assert_eq!(
        notice.site.to_string(),
        "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10"
    );
    assert_eq!(
        notice.query.to_string(),
        "c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42"
    );
    assert!(notice.is_async);
}

#[test]
fn a_change_of_any_byte_is_a_forgery() {
    for place in 0..BODY.len() {
        let mut changed = BODY.as_bytes().to_vec();
        changed[place] ^= 1;
        let refused = verifier().verify(SENT, SIGNATURE, &changed, at(3));
        assert_eq!(refused, Err(Refusal::Forged), "{place}");
    }
    let other_time = verifier().verify("2026-03-05T14:30:03Z", SIGNATURE, BODY.as_bytes(), at(3));
    assert_eq!(other_time, Err(Refusal::Forged));
    let other_secret = Verifier::new(&SecretString::from("test-secreT"));
    let refused = other_secret.verify(SENT, SIGNATURE, BODY.as_bytes(), at(3));
    assert_eq!(refused, Err(Refusal::Forged));
    for signature in ["", "ab56", "zz", &"g".repeat(64), &"é".repeat(32)] {
        assert_eq!(verify(signature, BODY, at(3)), Err(Refusal::Forged));
    }
}

#[test]
fn a_notice_is_fresh_for_five_minutes_either_way() {
    assert!(verify(SIGNATURE, BODY, at(300)).is_ok());
    assert!(verify(SIGNATURE, BODY, at(-299)).is_ok());
    assert_eq!(verify(SIGNATURE, BODY, at(301)), Err(Refusal::Stale));
    assert_eq!(verify(SIGNATURE, BODY, at(-301)), Err(Refusal::Stale));
}

#[test]
fn a_repeated_notice_is_answered_well_and_handed_on_once() {
    let (receiver, mut taken) = receiver(4);
    let now = at(0);
    for _ in 0..3 {
        let status = receiver.receive(&signed(BODY, now), BODY.as_bytes(), now);
        assert_eq!(status, StatusCode::NO_CONTENT);
    }
    assert!(taken.try_recv().is_ok());
    assert!(taken.try_recv().is_err());
}

#[test]
fn a_notice_for_which_there_is_no_room_is_not_lost() {
    let (receiver, mut taken) = receiver(1);
    let now = at(0);
    let deliver = |number| {
        let body = body(number);
        receiver.receive(&signed(&body, now), body.as_bytes(), now)
    };

    assert_eq!(deliver(1), StatusCode::NO_CONTENT);
    assert_eq!(deliver(2), StatusCode::SERVICE_UNAVAILABLE);
    taken.try_recv().expect("the first");
    assert_eq!(deliver(2), StatusCode::NO_CONTENT);
    assert_eq!(taken.try_recv().expect("the second").id, Uuid::from_u128(2));
}

#[test]
fn only_forged_and_stale_notices_are_dropped_for_good() {
    let (receiver, _taken) = receiver(1);
    let now = at(0);
    let mut twice = signed(BODY, now);
    twice.append(
        TIMESTAMP_HEADER,
        "2026-03-05T14:30:02Z".parse().expect("a value"),
    );

    for (headers, body, status) in [
        (HeaderMap::new(), BODY, StatusCode::UNAUTHORIZED),
        (twice, BODY, StatusCode::UNAUTHORIZED),
        (signed("{}", now), BODY, StatusCode::UNAUTHORIZED),
        (signed(BODY, at(-400)), BODY, StatusCode::FORBIDDEN),
        (signed("{}", now), "{}", StatusCode::INTERNAL_SERVER_ERROR),
    ] {
        assert_eq!(receiver.receive(&headers, body.as_bytes(), now), status);
    }
}

#[test]
fn the_memory_of_notices_is_bounded() {
    let mut remembered = Remembered::default();
    for number in 0..(REMEMBERED as u128 + 50) {
        remembered.insert(Uuid::from_u128(number));
    }
    assert_eq!(remembered.ids.len(), REMEMBERED);
    assert!(!remembered.ids.contains(&Uuid::from_u128(49)));
    assert!(remembered.ids.contains(&Uuid::from_u128(50)));
}

#[tokio::test]
async fn a_delivery_over_http_is_answered_and_handed_on_under_any_path() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (sender, mut taken) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(listen(listener, verifier(), sender, async {
        let _ = stopped.await;
    }));

    let headers = signed(BODY, Utc::now());
    let mut request = format!(
        "POST /hooks/some/site HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n",
        BODY.len()
    );
    for (name, value) in &headers {
        request.push_str(&format!("{name}: {}\r\n", value.to_str().expect("text")));
    }
    let mut stream = TcpStream::connect(address).await.expect("a connection");
    stream
        .write_all(format!("{request}\r\n{BODY}").as_bytes())
        .await
        .expect("sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");

    assert!(answer.starts_with("HTTP/1.1 204"), "{answer}");
    assert!(taken.recv().await.is_some());
    stop.send(()).expect("still listening");
    serving.await.expect("no panic").expect("no error");
}

proptest! {
    #[test]
    fn no_delivery_panics_and_none_is_believed_unsigned(
        timestamp in any::<String>(), signature in "[0-9a-fA-F]{60,68}", body in proptest::collection::vec(any::<u8>(), 0..300)
    ) {
        let refused = verifier().verify(&timestamp, &signature, &body, at(0));
        prop_assert_eq!(refused, Err(Refusal::Forged));
    }

    #[test]
    fn no_signed_body_panics(body in r#"(\{|\}|\[|"id"|"siteId"|"queryId"|:|,|"0b0f6f0e-6a53-4c0e-9f0a-1d2f3a4b5c6d"|1|null){0,20}"#) {
        let (receiver, _taken) = receiver(1);
        let status = receiver.receive(&signed(&body, at(0)), body.as_bytes(), at(0));
        prop_assert!(status == StatusCode::NO_CONTENT || status.is_server_error());
    }
}

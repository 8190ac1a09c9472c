//! Posts alerts to a webhook, and asks for the heartbeat address.
//!
//! The addresses are secrets: no error and no log line has one.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretString};
use serde_json::json;
use sha2::Sha256;

use crate::config::AlertForm;
use crate::domain::Environment;

use super::alarm::News;

/// Whoever does not answer within this is asked again later.
const PATIENCE: Duration = Duration::from_secs(15);

/// Header with the time of sending, which is part of what is signed.
const TIMESTAMP_HEADER: &str = "x-halo-extract-timestamp";

/// Header with the lower-case hex of HMAC-SHA256 over body, a full stop and the timestamp.
const SIGNATURE_HEADER: &str = "x-halo-extract-signature-256";

/// Who is told, and how.
#[derive(Debug)]
pub struct Messenger {
    /// Where alerts are posted.
    pub url: Option<SecretString>,
    /// In which form.
    pub form: AlertForm,
    /// Signs them.
    pub signing_key: Option<SecretString>,
    /// Asked for as long as all is well.
    pub heartbeat_url: Option<SecretString>,
    /// Which world this is.
    pub environment: Environment,
}

/// A message that was not taken.
#[derive(Debug, thiserror::Error)]
pub enum Untold {
    /// It did not arrive, or no answer came.
    #[error("the address cannot be reached")]
    Unreached(#[source] reqwest::Error),
    /// The other side answered with an error.
    #[error("the other side answered {0}")]
    Refused(reqwest::StatusCode),
}

impl From<reqwest::Error> for Untold {
    fn from(error: reqwest::Error) -> Self {
        Self::Unreached(error.without_url())
    }
}

impl Messenger {
    /// Posts one piece of news.
    ///
    /// # Errors
    /// When it was not taken; nothing is remembered of it.
    pub async fn tell(&self, news: &News, now: DateTime<Utc>) -> Result<(), Untold> {
        let Some(url) = &self.url else {
            return Ok(());
        };
        let body = body(self.form, self.environment, news);
        let mut request = client()?
            .post(url.expose_secret())
            .header("content-type", "application/json");
        if let Some(key) = &self.signing_key {
            let timestamp = now.to_rfc3339_opts(SecondsFormat::Secs, true);
            request = request
                .header(SIGNATURE_HEADER, signature(key, &body, &timestamp))
                .header(TIMESTAMP_HEADER, timestamp);
        }
        taken(request.body(body).send().await?)
    }

    /// Says that all is well.
    ///
    /// # Errors
    /// When nobody took it.
    pub async fn beat(&self) -> Result<(), Untold> {
        match &self.heartbeat_url {
            None => Ok(()),
            Some(url) => taken(client()?.get(url.expose_secret()).send().await?),
        }
    }
}

/// Made when it is needed: messages are few, and a kept connection would be closed between them.
fn client() -> Result<reqwest::Client, Untold> {
    Ok(reqwest::Client::builder().timeout(PATIENCE).build()?)
}

fn taken(response: reqwest::Response) -> Result<(), Untold> {
    if response.status().is_success() {
        Ok(())
    } else {
        Err(Untold::Refused(response.status()))
    }
}

fn body(form: AlertForm, environment: Environment, news: &News) -> String {
    match form {
        AlertForm::Slack => {
            json!({"text": format!("halo-extract ({environment}): {}", news.text())}).to_string()
        }
        AlertForm::Json => json!({
            "source": "halo-extract",
            "environment": environment,
            "kind": news.kind,
            "cause": news.cause,
            "since": news.since,
            "site_count": news.site_count,
            "sites": news.sites,
            "queries": news.queries,
            "text": news.text(),
        })
        .to_string(),
    }
}

fn signature(key: &SecretString, body: &str, timestamp: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key.expose_secret().as_bytes())
        .expect("HMAC takes a key of any length");
    mac.update(body.as_bytes());
    mac.update(b".");
    mac.update(timestamp.as_bytes());
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_the_one_that_other_tools_compute() {
        // printf '%s' '{"text":"x"}.2026-11-18T00:00:00Z' | openssl dgst -sha256 -hmac 'a synthetic key'
        let found = signature(
            &SecretString::from("a synthetic key"),
            "{\"text\":\"x\"}",
            "2026-11-18T00:00:00Z",
        );
        assert_eq!(
            found,
            "9ce054de390cadc3520277621128875723e2ac3d16ae91ba239236e0a3b49222"
        );
    }

    fn news() -> News {
        News {
            kind: super::super::alarm::Kind::Late,
            cause: "failed (contract)".to_owned(),
            since: DateTime::UNIX_EPOCH,
            site_count: 1,
            sites: vec!["s1".parse().expect("a key")],
            queries: vec!["visit@v1".parse().expect("a query")],
        }
    }

    /// Tells the news to a server that answers so; what that server heard, and how telling ended.
    async fn told(form: AlertForm, status: &str) -> (String, Result<(), Untold>) {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("listens");
        let address = listener.local_addr().expect("an address");
        let messenger = Messenger {
            url: Some(SecretString::from(format!(
                "http://{address}/hook/secret-part"
            ))),
            form,
            signing_key: Some(SecretString::from("a synthetic key")),
            heartbeat_url: None,
            environment: Environment::Simulator,
        };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
        let server = async {
            let (mut stream, _) = listener.accept().await.expect("a connection");
            let mut heard = String::new();
            let mut buffer = [0; 4096];
            // The body is one JSON object, so the request is whole when it is closed.
            while !heard.ends_with('}') {
                let length = stream.read(&mut buffer).await.expect("read");
                heard.push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
            stream.write_all(answer.as_bytes()).await.expect("answered");
            heard
        };
        let item = news();
        tokio::join!(server, messenger.tell(&item, DateTime::UNIX_EPOCH))
    }

    #[tokio::test]
    async fn an_alert_is_posted_in_its_form_with_a_signature_over_body_and_time() {
        let (heard, told_so) = told(AlertForm::Json, "200 OK").await;

        told_so.expect("taken");
        let (head, body) = heard.split_once("\r\n\r\n").expect("a body");
        let document: serde_json::Value = serde_json::from_str(body).expect("JSON");
        assert_eq!(document["kind"], "late");
        assert_eq!(document["sites"], json!(["s1"]));
        assert_eq!(document["environment"], "simulator");
        let key = SecretString::from("a synthetic key");
        let expected = signature(&key, body, "1970-01-01T00:00:00Z");
        assert!(
            head.contains(&format!("{SIGNATURE_HEADER}: {expected}")),
            "{head}"
        );
        assert!(
            head.contains(&format!("{TIMESTAMP_HEADER}: 1970-01-01T00:00:00Z")),
            "{head}"
        );
    }

    #[tokio::test]
    async fn slack_is_posted_one_text() {
        let (heard, _) = told(AlertForm::Slack, "200 OK").await;

        let (_, body) = heard.split_once("\r\n\r\n").expect("a body");
        let document: serde_json::Value = serde_json::from_str(body).expect("JSON");
        let text = document["text"].as_str().expect("a text");
        assert!(
            text.starts_with(
                "halo-extract (simulator): 1 site is late because of: failed (contract)"
            ),
            "{text}"
        );
        assert_eq!(document.as_object().map(serde_json::Map::len), Some(1));
    }

    #[tokio::test]
    async fn a_refusal_is_an_error_that_does_not_tell_the_address() {
        let (_, told_so) = told(AlertForm::Slack, "500 Internal Server Error").await;

        let error = told_so.expect_err("refused");
        assert!(!format!("{error:?}").contains("secret-part"));
        assert_eq!(
            error.to_string(),
            "the other side answered 500 Internal Server Error"
        );
    }
}

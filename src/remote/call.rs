//! One call of the API: sending it and reading the whole body.
//!
//! The body is read within the try, because a body that breaks off is as good a reason to try again as a
//! connection that does. Addresses carry pairing codes, so none is ever logged or put into an error.

use std::time::Duration;

use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;

use super::cause::Cause;
use super::error::RemoteError;
use super::facts;
use super::failure::{Operation, Told, cause_of_answer, discreet};
use super::page::SPARE_BYTES;
use super::retry::Repeat;

/// A request that can be sent more than once.
pub(crate) struct Call {
    /// What is being done, for errors: "submitting a query to site 5f0c…".
    pub(crate) task: String,
    pub(crate) operation: Operation,
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) body: Option<Vec<u8>>,
    pub(crate) repeat: Repeat,
    /// The only status that counts as success.
    pub(crate) success: StatusCode,
    /// Longest silence while the answer is awaited or read.
    pub(crate) silence: Duration,
    /// Largest body that is read.
    pub(crate) most_bytes: usize,
    /// Size for which room is made at once.
    pub(crate) usual_bytes: usize,
    /// Whether a body looks complete; one that does not counts as cut short.
    pub(crate) looks_whole: fn(&[u8]) -> bool,
    /// Texts that must not come back out of the API's messages.
    pub(crate) secrets: Vec<String>,
}

/// A successful answer.
pub(crate) struct Answer {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Call {
    /// Sends it once.
    pub(crate) async fn try_once(&self, http: &reqwest::Client) -> Result<Answer, RemoteError> {
        let mut request = http.request(self.method.clone(), self.url.clone());
        request = match &self.body {
            Some(body) => request
                .header(CONTENT_TYPE, "application/json")
                .body(body.clone()),
            // Some servers refuse a POST that does not say how long it is.
            None if self.method == Method::POST => request.header(CONTENT_LENGTH, 0),
            None => request,
        };
        let response = tokio::time::timeout(self.silence, request.send())
            .await
            .map_err(|_| self.silent())?
            .map_err(|error| self.unsent(error))?;
        if response.status() == self.success {
            let headers = response.headers().clone();
            let body = self.read_body(response).await?;
            Ok(Answer { headers, body })
        } else {
            Err(self.refused(response).await)
        }
    }

    /// The whole body, or an error as soon as it is longer than allowed.
    async fn read_body(&self, mut response: Response) -> Result<Vec<u8>, RemoteError> {
        let declared = response
            .content_length()
            .and_then(|length| usize::try_from(length).ok());
        if declared.is_some_and(|length| length > self.most_bytes) {
            return Err(self.too_large());
        }
        let room = declared.unwrap_or(self.usual_bytes) + SPARE_BYTES;
        let mut body = Vec::with_capacity(room);
        while let Some(chunk) = self.next_chunk(&mut response).await? {
            if body.len() + chunk.len() > self.most_bytes {
                return Err(self.too_large());
            }
            body.extend_from_slice(&chunk);
        }
        if (self.looks_whole)(&body) {
            Ok(body)
        } else {
            Err(RemoteError::new(Cause::CutShort, &self.task))
        }
    }

    async fn next_chunk(
        &self,
        response: &mut Response,
    ) -> Result<Option<bytes::Bytes>, RemoteError> {
        tokio::time::timeout(self.silence, response.chunk())
            .await
            .map_err(|_| self.silent())?
            .map_err(|error| {
                RemoteError::new(Cause::CutShort, &self.task).with_source(error.without_url())
            })
    }

    /// Reads what an unsuccessful answer tells; its body may be cut, huge or missing.
    async fn refused(&self, mut response: Response) -> RemoteError {
        let status = response.status().as_u16();
        let retry_after = read_retry_after(response.headers());
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = self.next_chunk(&mut response).await {
            let room = facts::ERROR_MOST_BYTES - body.len();
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        self.refusal(status, &Told::read(&body), retry_after)
    }

    fn refusal(&self, status: u16, told: &Told, retry_after: Option<Duration>) -> RemoteError {
        let cause = cause_of_answer(self.operation, status, told, retry_after);
        let secrets: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        let said = told
            .message
            .as_deref()
            .map(|message| discreet(message, &secrets));
        RemoteError::new(cause, &self.task)
            .with_status(status)
            .with_said(said)
            .with_sql_number(told.sql_number())
            .with_retry_after(retry_after)
    }

    fn unsent(&self, error: reqwest::Error) -> RemoteError {
        let cause = if error.is_connect() {
            Cause::NotReached
        } else {
            Cause::Unanswered
        };
        RemoteError::new(cause, &self.task).with_source(error.without_url())
    }

    fn silent(&self) -> RemoteError {
        let seconds = self.silence.as_secs_f64();
        RemoteError::new(Cause::Unanswered, &self.task)
            .with_said(format!("silent for {seconds:.1} s"))
    }

    fn too_large(&self) -> RemoteError {
        RemoteError::new(Cause::AnswerTooLarge, &self.task)
            .with_said(format!("more than {} bytes", self.most_bytes))
    }

    /// An error for a success whose body is not as it should be.
    pub(crate) fn unreadable(&self, fault: &str) -> RemoteError {
        RemoteError::new(Cause::Unreadable, &self.task)
            .with_status(self.success.as_u16())
            .with_said(fault.to_owned())
            .with_attempts(1, Duration::ZERO)
    }

    /// Reads a body as JSON. The parser's own words are not passed on: they may quote the body.
    pub(crate) fn read_json<T: DeserializeOwned>(&self, answer: &Answer) -> Result<T, RemoteError> {
        serde_json::from_slice(&answer.body).map_err(|error| {
            let (line, column) = (error.line(), error.column());
            self.unreadable(&format!(
                "not the JSON expected, at line {line} column {column}"
            ))
        })
    }
}

/// `Retry-After` in either of its forms, seconds or a date (RFC 9110 §10.2.3).
fn read_retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = chrono::DateTime::parse_from_rfc2822(text).ok()?;
    let wait = date.signed_duration_since(chrono::Utc::now());
    Some(wait.to_std().unwrap_or_default())
}

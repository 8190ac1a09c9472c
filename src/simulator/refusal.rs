//! An answer other than success, and the five shapes in which the API is known to word it.
//!
//! Which shape each endpoint really uses is not published, so the nested one of the specification is the
//! default, the gateway's own refusals use the gateway's shape, and a fault can choose any.

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::reply::{Body, Reply};

/// The shape of an error body.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Envelope {
    /// `{"error":{"status":…,"statusText":…,"message":…}}`, as the specification has it.
    #[default]
    Nested,
    /// The same without the outer object, as the documentation prints it.
    Flat,
    /// `{"statusCode":…,"message":…}`, the default of Azure API Management.
    Gateway,
    /// `{"errorDetails":{…}}` alone, as the documentation prints a failed query.
    Details,
    /// No body at all.
    Empty,
    /// A page of HTML, as a proxy between would send.
    Html,
}

/// A request that was not granted.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
    /// Whole seconds.
    pub(super) retry_after: Option<u64>,
    pub(super) envelope: Envelope,
    /// The query object where a query failed: it is the body then, whatever the envelope.
    pub(super) query: Option<Value>,
}

impl Refusal {
    pub(super) fn new(status: StatusCode, message: impl Into<String>) -> Refusal {
        Refusal {
            status,
            message: message.into(),
            retry_after: None,
            envelope: Envelope::Nested,
            query: None,
        }
    }

    pub(super) fn bad_request(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::BAD_REQUEST, message)
    }

    pub(super) fn unauthorised(message: &str) -> Refusal {
        Refusal::new(StatusCode::UNAUTHORIZED, message)
    }

    pub(super) fn forbidden(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::FORBIDDEN, message)
    }

    pub(super) fn not_found(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::NOT_FOUND, message)
    }

    pub(super) fn gone() -> Refusal {
        Refusal::new(
            StatusCode::GONE,
            "Access to the target resource is permanently no longer available at the origin server.",
        )
    }

    pub(super) fn internal(message: impl Into<String>) -> Refusal {
        Refusal::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    }

    /// The site could not be reached before anything ran.
    pub(super) fn site_away() -> Refusal {
        Refusal::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Site could not be contacted, please try again later or contact a system administrator.",
        )
    }

    /// No answer came in time: whether the command ran is not known.
    pub(super) fn timeout(seconds: u64) -> Refusal {
        Refusal::new(
            StatusCode::GATEWAY_TIMEOUT,
            format!("Query took more than {seconds} seconds to return a result."),
        )
    }

    /// The gateway knows no such operation.
    pub(super) fn no_operation() -> Refusal {
        Refusal::not_found("Operation Not Found").shaped(Envelope::Gateway)
    }

    pub(super) fn shaped(mut self, envelope: Envelope) -> Refusal {
        self.envelope = envelope;
        self
    }

    pub(super) fn retry_after(mut self, seconds: u64) -> Refusal {
        self.retry_after = Some(seconds);
        self
    }

    pub(super) fn with_query(mut self, query: Value) -> Refusal {
        self.query = Some(query);
        self
    }

    /// The answer to send.
    pub(super) fn into_reply(self) -> Reply {
        let status = self.status.as_u16();
        let phrase = self.status.canonical_reason().unwrap_or("Unknown");
        let message = self.message;
        let body = match (self.query, self.envelope) {
            (Some(query), Envelope::Nested) => Body::Json(query),
            (_, Envelope::Nested) => Body::Json(
                json!({"error": {"status": status, "statusText": phrase, "message": message}}),
            ),
            (_, Envelope::Flat) => {
                Body::Json(json!({"status": status, "statusText": phrase, "message": message}))
            }
            (_, Envelope::Gateway) => Body::Json(json!({"statusCode": status, "message": message})),
            (query, Envelope::Details) => {
                Body::Json(json!({"errorDetails": details(query, status, message)}))
            }
            (_, Envelope::Empty) => Body::Empty,
            (_, Envelope::Html) => Body::Html(format!(
                "<html><head><title>{status} {phrase}</title></head><body><h1>{phrase}</h1></body></html>\r\n"
            )),
        };
        let mut reply = Reply::new(self.status, body);
        if let Some(seconds) = self.retry_after {
            reply.headers.push(("Retry-After", seconds.to_string()));
        }
        reply
    }
}

fn details(query: Option<Value>, status: u16, message: String) -> Value {
    query
        .and_then(|mut query| query.get_mut("errorDetails").map(Value::take))
        .unwrap_or_else(
            || json!({"errorType": "http", "errorCode": status, "errorMessage": message}),
        )
}

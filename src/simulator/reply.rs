//! An answer before it becomes bytes: status, headers and a body that wire faults can still change.

use axum::body::Body as HttpBody;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use bytes::Bytes;
use serde::Serialize;
use serde_json::Value;

/// What a request is answered with.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(&'static str, String)>,
    pub(super) body: Body,
}

/// The body of an answer.
#[derive(Debug)]
pub(super) enum Body {
    Empty,
    Json(Value),
    /// JSON text that is already written, such as a page.
    Text(Bytes),
    /// JSON text that is read as it is sent.
    Stream(HttpBody),
    Html(String),
}

impl Reply {
    pub(super) fn new(status: StatusCode, body: Body) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body,
        }
    }

    /// An answer whose body is a value of the specification.
    pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Reply {
        Reply::new(status, Body::Json(tree(value)))
    }

    pub(super) fn ok(value: &impl Serialize) -> Reply {
        Reply::json(StatusCode::OK, value)
    }

    /// The HTTP response.
    pub(super) fn into_response(self) -> Response {
        let (kind, body) = match self.body {
            Body::Empty => (None, HttpBody::empty()),
            Body::Json(value) => (
                Some("application/json; charset=utf-8"),
                HttpBody::from(value.to_string()),
            ),
            Body::Text(text) => (
                Some("application/json; charset=utf-8"),
                HttpBody::from(text),
            ),
            Body::Stream(body) => (Some("application/json"), body),
            Body::Html(text) => (Some("text/html"), HttpBody::from(text)),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        for (name, value) in self.headers {
            headers.insert(
                name_of(name),
                HeaderValue::try_from(value).expect("numbers and fixed words are valid"),
            );
        }
        response
    }
}

/// A wire value as a tree.
pub(super) fn tree(value: &impl Serialize) -> Value {
    serde_json::to_value(value).expect("wire shapes have string keys and finite numbers")
}

fn name_of(name: &str) -> header::HeaderName {
    header::HeaderName::from_bytes(name.as_bytes())
        .expect("header names are literals of this module's callers")
}

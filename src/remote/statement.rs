//! What is asked: the text of a query with its typed parameters, and its form on the wire.
//!
//! Values are never spliced into the text, and the execution mode is always `reader`: there is no way to
//! build a statement here that writes. Form: spec, schema `Command`.

use std::fmt;
use std::time::Duration;

use chrono::{NaiveDate, NaiveDateTime};
use serde::Serialize;

use super::facts;

/// One question to one practice database.
#[derive(Clone, PartialEq, Eq)]
pub struct Statement {
    /// The SQL text, a single `SELECT`.
    pub text: String,
    /// The database to ask, as the site object names it; the site's default one if absent.
    pub catalogue: Option<String>,
    /// Values for the `@names` of the text.
    pub parameters: Vec<Parameter>,
    /// How long it may wait at the site before it expires. Cut to what the API allows when sent: two
    /// hours for a submitted query, one minute for an immediate one.
    pub max_time_in_queue: Duration,
}

/// A typed value for one `@name` of a statement.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct Parameter {
    name: String,
    direction: &'static str,
    #[serde(rename = "type")]
    sql_type: &'static str,
    value: Option<String>,
}

impl Parameter {
    /// A `DateTime` in the practice's local time, sent to the millisecond, which is finer than the type keeps.
    #[must_use]
    pub fn date_time(name: &str, value: NaiveDateTime) -> Self {
        Self::typed(name, "DateTime", value.format("%Y-%m-%dT%H:%M:%S%.3f"))
    }

    /// A `Date`.
    #[must_use]
    pub fn date(name: &str, value: NaiveDate) -> Self {
        Self::typed(name, "Date", value.format("%Y-%m-%d"))
    }

    /// An `Int`.
    #[must_use]
    pub fn int(name: &str, value: i32) -> Self {
        Self::typed(name, "Int", value)
    }

    /// A `BigInt`.
    #[must_use]
    pub fn big_int(name: &str, value: i64) -> Self {
        Self::typed(name, "BigInt", value)
    }

    /// An `NVarChar` of at most 4,000 characters.
    #[must_use]
    pub fn text(name: &str, value: &str) -> Self {
        Self::typed(name, "NVarChar", value)
    }

    /// The parameter's name, with its `@`.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Every value travels as text, whatever its type (spec, schema `Value`).
    fn typed(name: &str, sql_type: &'static str, value: impl fmt::Display) -> Self {
        Self {
            name: format!("@{}", name.trim_start_matches('@')),
            direction: "input",
            sql_type,
            value: Some(value.to_string()),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    command: Command<'a>,
    max_time_in_queue: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    catalogue: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Command<'a> {
    text: &'a str,
    execution_mode: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    parameters: &'a [Parameter],
}

impl Statement {
    /// The request body of a submitted query.
    pub(crate) fn to_async_body(&self) -> Vec<u8> {
        self.to_body(facts::ASYNC_QUEUE_MOST)
    }

    /// The request body of an immediate query.
    pub(crate) fn to_immediate_body(&self) -> Vec<u8> {
        self.to_body(facts::IMMEDIATE_QUEUE_MOST)
    }

    fn to_body(&self, queue_most: Duration) -> Vec<u8> {
        let queue = self.max_time_in_queue.min(queue_most);
        let body = Body {
            command: Command {
                text: &self.text,
                execution_mode: "reader",
                kind: "text",
                parameters: &self.parameters,
            },
            max_time_in_queue: u64::try_from(queue.as_millis()).unwrap_or(u64::MAX),
            catalogue: self.catalogue.as_deref(),
        };
        serde_json::to_vec(&body).expect("strings and numbers always serialise")
    }
}

/// Parameter values may name a patient, so only the shape is printed.
impl fmt::Debug for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Statement")
            .field("text_bytes", &self.text.len())
            .field("catalogue", &self.catalogue)
            .field("parameters", &self.parameters)
            .field("max_time_in_queue", &self.max_time_in_queue)
            .finish()
    }
}

impl fmt::Debug for Parameter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.sql_type)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn statement() -> Statement {
        let day = NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day");
        Statement {
            text: "SELECT 1 AS one".to_owned(),
            catalogue: None,
            parameters: vec![
                Parameter::date_time("window_start", day.and_hms_opt(0, 0, 0).expect("midnight")),
                Parameter::date("@snapshot_date", day),
                Parameter::int("id", -7),
                Parameter::text("name", "O'Brien"),
            ],
            max_time_in_queue: Duration::from_secs(9 * 3600),
        }
    }

    #[test]
    fn a_statement_is_sent_as_a_reader_with_every_value_as_text() {
        let body: Value = serde_json::from_slice(&statement().to_async_body()).expect("JSON");

        let parameter = |name: &str, kind: &str, value: &str| json!({"name": name, "direction": "input", "type": kind, "value": value});
        let expected = json!({
            "command": {
                "text": "SELECT 1 AS one", "executionMode": "reader", "type": "text",
                "parameters": [
                    parameter("@window_start", "DateTime", "2026-11-18T00:00:00.000"),
                    parameter("@snapshot_date", "Date", "2026-11-18"),
                    parameter("@id", "Int", "-7"),
                    parameter("@name", "NVarChar", "O'Brien"),
                ]
            },
            "maxTimeInQueue": 7_200_000
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn an_immediate_statement_waits_a_minute_at_most() {
        let body: Value = serde_json::from_slice(&statement().to_immediate_body()).expect("JSON");
        assert_eq!(body["maxTimeInQueue"], 60_000);
    }

    #[test]
    fn the_debug_form_holds_no_parameter_value() {
        let printed = format!("{:?}", statement());
        assert!(printed.contains("@name NVarChar"));
        assert!(!printed.contains("Brien"), "{printed}");
    }
}

//! The answer to an immediate query.
//!
//! A success counts only when the body says `successful`: until release 23.927 failures came as HTTP 200
//! too. Shapes: spec, schemas `SuccessfulImmediateQuery` and `ExecutionFailedImmediateQuery`.

use serde::Deserialize;

use super::call::{Answer, Call};
use super::error::RemoteError;
use super::failure::{ErrorDetails, Told, cause_of_query, discreet};
use super::page::PageRows;
use super::wire::Loose;

/// The answer to an immediate query.
#[derive(Debug)]
pub struct ImmediateResult {
    /// Rows, as declared.
    pub rows: u64,
    /// The rows themselves.
    pub body: PageRows,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    status: Loose,
    result: Option<ResultBody>,
    error_details: Option<ErrorDetails>,
    error_code: Loose,
    error_message: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResultBody {
    rows: Loose,
    data: Loose,
}

/// Reads the answer that came with HTTP 200.
pub(crate) fn read_immediate(call: &Call, answer: &Answer) -> Result<ImmediateResult, RemoteError> {
    let body: Body = call.read_json(answer)?;
    let status = body.status.text();
    if status.as_deref() != Some("successful") {
        let told = Told::of_query(body.error_details, body.error_code, body.error_message);
        return Err(failure(call, status.as_deref(), &told));
    }
    let result = body
        .result
        .ok_or_else(|| call.unreadable("a successful query tells no result"))?;
    let rows = result
        .rows
        .count()
        .ok_or_else(|| call.unreadable("a successful query tells no row count"))?;
    let body = PageRows::of_base64(&result.data.text().unwrap_or_default())
        .map_err(|fault| call.unreadable(fault))?;
    if rows > 0 && body.is_bare() {
        return Err(call.unreadable("it declares rows and brings none"));
    }
    Ok(ImmediateResult { rows, body })
}

fn failure(call: &Call, status: Option<&str>, told: &Told) -> RemoteError {
    if status != Some("executionFailed") && *told == Told::default() {
        return call.unreadable("the answer is neither a success nor a failure");
    }
    let said = told
        .message
        .as_deref()
        .map(|message| discreet(message, &[]));
    RemoteError::new(cause_of_query(told), &call.task)
        .with_status(call.success.as_u16())
        .with_said(said)
        .with_sql_number(told.sql_number())
        .with_attempts(1, std::time::Duration::ZERO)
}

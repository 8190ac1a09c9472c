//! Reads an unsuccessful answer: five shapes of body, one cause.
//!
//! Sources: spec, schemas `Error`, `ErrorDetails` and `FailedQueryErrorProperties`; docs, page
//! troubleshooting; gateway, default error body. The same text may be a number here and a string there.

use std::time::Duration;

use serde::Deserialize;

use super::cause::Cause;
use super::wire::Loose;

/// Which operation an answer belongs to: the same HTTP status means different things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    /// Pairing a site.
    Pair,
    /// Looking up sites, or one site.
    LookUp,
    /// Submitting a query.
    Submit,
    /// An immediate query.
    Immediate,
    /// Asking for the status of one query or several.
    Status,
    /// Fetching a page.
    Page,
}

/// What an error body tells, whatever its shape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Told {
    /// The most specific message, as it came.
    pub(crate) message: Option<String>,
    /// `mssql`, `fbsql`, `http` or `halolink`, in lower case.
    pub(crate) error_type: Option<String>,
    /// SQL Server's error number, or an HTTP status for `http`.
    pub(crate) code: Option<i64>,
}

/// The error fields of every shape, side by side.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    error: Option<Envelope>,
    message: Loose,
    error_details: Option<ErrorDetails>,
    error_code: Loose,
    error_message: Loose,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Envelope {
    message: Loose,
}

/// How a failed query tells its reason (spec, schema `ErrorDetails`).
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct ErrorDetails {
    error_type: Loose,
    error_code: Loose,
    error_message: Loose,
}

impl Told {
    /// Reads any body; one that is no JSON object tells nothing.
    pub(crate) fn read(body: &[u8]) -> Self {
        let body: Body = serde_json::from_slice(body).unwrap_or_default();
        let told = Self::of_query(body.error_details, body.error_code, body.error_message);
        let general = body.error.unwrap_or_default().message.or(body.message);
        Self {
            message: told.message.or(general.text()),
            ..told
        }
    }

    /// From the error fields of a failed query; the newer ones count more than the deprecated ones.
    pub(crate) fn of_query(details: Option<ErrorDetails>, code: Loose, message: Loose) -> Self {
        let details = details.unwrap_or_default();
        Self {
            message: details.error_message.or(message).text(),
            error_type: details
                .error_type
                .text()
                .map(|name| name.to_ascii_lowercase()),
            code: details.error_code.or(code).number(),
        }
    }

    /// Whether the body is that of a query that failed, not of a call that was refused.
    fn is_query_failure(&self) -> bool {
        self.error_type.is_some() || self.code.is_some()
    }

    fn mentions(&self, words: &[&str]) -> bool {
        let message = self
            .message
            .as_deref()
            .unwrap_or_default()
            .to_ascii_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// The database's error number, where the code is one.
    pub(crate) fn sql_number(&self) -> Option<i64> {
        match self.error_type.as_deref() {
            Some("http" | "halolink") => None,
            _ => self.code,
        }
    }
}

/// The cause of an unsuccessful HTTP answer.
///
/// 403 is told apart in the order in which being wrong does least harm: a quota or an address that is not
/// listed must never be taken for a site that moved.
pub(crate) fn cause_of_answer(
    operation: Operation,
    status: u16,
    told: &Told,
    retry_after: Option<Duration>,
) -> Cause {
    if told.is_query_failure() && !matches!(status, 401 | 403 | 404 | 410 | 429) {
        return cause_of_query(told);
    }
    match status {
        300..=399 => Cause::WrongAddress,
        400 => cause_of_bad_request(operation, told),
        401 => Cause::KeyRefused,
        403 => cause_of_forbidden(operation, told, retry_after),
        404 => cause_of_not_found(operation, told),
        410 => Cause::Gone,
        413 => Cause::ResultTooLarge,
        429 => Cause::RateLimited,
        502 if operation == Operation::Pair => Cause::PairingFailed,
        503 if concerns_site(operation) => Cause::SiteOffline,
        504 if concerns_site(operation) => Cause::SiteLost,
        408 | 500..=599 => Cause::ApiFailed,
        _ => Cause::RequestRefused,
    }
}

/// Whether the API must reach the practice to answer: elsewhere 503 and 504 are its own.
fn concerns_site(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Pair | Operation::Submit | Operation::Immediate
    )
}

fn cause_of_bad_request(operation: Operation, told: &Told) -> Cause {
    match operation {
        _ if told.mentions(&["login failed"]) => Cause::IntegrationDisabled,
        Operation::Pair => Cause::PairingRefused,
        Operation::Submit | Operation::Immediate => Cause::SqlFailed,
        _ => Cause::RequestRefused,
    }
}

fn cause_of_forbidden(operation: Operation, told: &Told, retry_after: Option<Duration>) -> Cause {
    if retry_after.is_some() || told.mentions(&["quota"]) {
        Cause::QuotaSpent
    } else if told.mentions(&["caller ip", "ip not allowed", "ip address"]) {
        Cause::AddressRefused
    } else if told.mentions(&["subscription key"]) {
        Cause::KeyRefused
    } else if operation == Operation::Pair {
        Cause::PairingRefused
    } else {
        Cause::SiteRefused
    }
}

fn cause_of_not_found(operation: Operation, told: &Told) -> Cause {
    match operation {
        _ if told.mentions(&["operation not found", "no such operation"]) => Cause::WrongAddress,
        Operation::Status | Operation::Page => Cause::Gone,
        _ => Cause::SiteUnknown,
    }
}

/// SQL Server: the statement took longer than its client waits, which is what the agent allows.
pub(crate) const SQL_TIME_OUT: i64 = -2;

/// SQL Server: chosen as deadlock victim, and the client-side time-out.
const PASSING_SQL_ERRORS: [i64; 2] = [1205, SQL_TIME_OUT];

/// SQL Server: login failed, and cannot open the database that the login asks for.
const LOGIN_SQL_ERRORS: [i64; 2] = [18456, 4060];

/// The cause of a query that failed at the site.
pub(crate) fn cause_of_query(told: &Told) -> Cause {
    match (told.error_type.as_deref(), told.code) {
        (Some("http"), Some(413)) | (None, Some(413)) => Cause::ResultTooLarge,
        (Some("http"), _) => Cause::TransferFailed,
        (Some("halolink"), _) => Cause::LinkFault,
        (_, Some(number)) if LOGIN_SQL_ERRORS.contains(&number) => Cause::IntegrationDisabled,
        _ if told.mentions(&["login failed"]) => Cause::IntegrationDisabled,
        (_, Some(number)) if PASSING_SQL_ERRORS.contains(&number) => Cause::SqlTransient,
        _ => Cause::SqlFailed,
    }
}

/// Beginnings of messages that quote names of the statement or the login, never a row value.
const NAMING_MESSAGES: [&str; 16] = [
    "Invalid object name",
    "Invalid column name",
    "Ambiguous column name",
    "Incorrect syntax near",
    "Could not find stored procedure",
    "Cannot find the object",
    "Cannot find either column",
    "The multi-part identifier",
    "The column prefix",
    "Must declare the scalar variable",
    "The SELECT permission was denied",
    "The EXECUTE permission was denied",
    "Login failed for user",
    "Cannot open database",
    "Column '",
    "Database '",
];

/// Longest message that is passed on, in characters.
const MESSAGE_MOST: usize = 300;

/// A message of the API, made safe to show: row values, secrets and control characters taken out.
///
/// SQL Server quotes the value that it could not convert, the key that exists twice, the text that is too
/// long. So unless the message is known to quote names only, everything from the first quotation mark or
/// bracket to the last is left out, and what follows "value =" too.
pub(crate) fn discreet(message: &str, secrets: &[&str]) -> String {
    let mut safe: String = message
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        safe = safe.replace(secret, "…");
    }
    let names_only = NAMING_MESSAGES
        .iter()
        .any(|start| safe.trim_start().starts_with(start));
    if !names_only {
        safe = without_values(&safe);
    }
    safe.trim().chars().take(MESSAGE_MOST).collect()
}

fn without_values(message: &str) -> String {
    let head = ["value =", "value is", "value:"]
        .iter()
        .filter_map(|mark| message.find(mark).map(|at| at + mark.len()))
        .min()
        .map_or(message, |end| &message[..end]);
    let is_mark = |c: char| "'\"`‘’“”()[]{}<>«»".contains(c);
    let cut = if head.len() < message.len() {
        " …"
    } else {
        ""
    };
    match (head.find(is_mark), head.rfind(is_mark)) {
        (Some(first), Some(last)) => {
            let after_last = head[last..]
                .chars()
                .next()
                .map_or(last, |c| last + c.len_utf8());
            format!("{}…{}{cut}", &head[..first], &head[after_last..])
        }
        _ => format!("{head}{cut}"),
    }
}

#[cfg(test)]
#[path = "failure_tests.rs"]
mod tests;

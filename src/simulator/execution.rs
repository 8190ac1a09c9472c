//! One command on a practice's database, with the faults that can befall it there.

use std::time::Duration;

use super::cloud::Cloud;
use super::commands::Job;
use super::engine::{Mode, Outcome, RowSink, SqlError, Stop};
use super::faults::Fault;
use super::link::{Ran, Turn};
use super::route::Endpoint;
use super::site::Site;
use super::wire::ErrorDetails;

/// What came of a command.
pub(super) struct Executed<S> {
    pub(super) sink: S,
    pub(super) outcome: Result<Outcome, ErrorDetails>,
    /// Milliseconds at the database, simulated latency included.
    pub(super) took_ms: u64,
    /// Stopped to let an immediate command by: it has to run again, and the outcome says nothing.
    pub(super) gave_way: bool,
}

/// SQL Server's number for a time-out, as the .NET client reports it.
const TIMEOUT: i32 = -2;
const LOGIN_FAILED: i64 = 18456;

/// Runs a job whose turn has come. An async one that only reads gives way to immediate ones; one that writes is
/// not stopped half way.
pub(super) async fn execute<S: RowSink + Send + 'static>(
    cloud: &Cloud,
    site: &Site,
    turn: &Turn,
    job: &Job,
    sink: S,
    limit: Duration,
    endpoint: Endpoint,
) -> Executed<S> {
    let latency = cloud.settings.timings.execute;
    let gives_way = endpoint == Endpoint::Async && job.mode != Mode::NonQuery;
    tokio::select! {
        () = cloud.pause(latency.min(limit)) => {}
        () = turn.wanted(), if gives_way => {
            return Executed {
                sink,
                outcome: Err(timed_out()),
                took_ms: 0,
                gave_way: true,
            };
        }
    }
    let now = cloud.clock.now();
    let failure = cloud
        .faults
        .strike(now, Some(site.pms_id()), endpoint, failure_at_database);
    let failure = failure.or_else(|| (latency > limit).then(timed_out));
    if let Some(failure) = failure {
        return Executed {
            sink,
            outcome: Err(failure),
            took_ms: milliseconds(latency),
            gave_way: false,
        };
    }
    let command = job.command(site.practice_now(&cloud.faults, now));
    let Ran {
        sink,
        outcome,
        took,
        gave_way,
    } = site.link.run(turn, command, sink, limit, gives_way).await;
    Executed {
        sink,
        outcome: outcome.map_err(details),
        took_ms: milliseconds(took + latency),
        gave_way,
    }
}

/// What a command changed, where it is one that changes.
pub(super) fn rows_affected(job: &Job, outcome: &Outcome) -> Option<u64> {
    (job.mode == Mode::NonQuery).then(|| outcome.rows_affected.unwrap_or(0))
}

/// Whether the database ran out of time.
pub(super) fn is_timeout(error: &ErrorDetails) -> bool {
    error.error_code == i64::from(TIMEOUT)
}

fn failure_at_database(fault: &Fault) -> Option<ErrorDetails> {
    match fault {
        Fault::LoginFailed => Some(mssql(
            LOGIN_FAILED,
            "Login failed for user 'HaloIntegrator'.".to_owned(),
        )),
        Fault::SqlError { code, message } => Some(mssql(*code, message.clone())),
        _ => None,
    }
}

fn timed_out() -> ErrorDetails {
    mssql(i64::from(TIMEOUT), "Execution Timeout Expired.".to_owned())
}

fn details(error: SqlError) -> ErrorDetails {
    mssql(i64::from(error.number), error.message)
}

fn mssql(code: i64, message: String) -> ErrorDetails {
    ErrorDetails {
        error_type: "mssql",
        error_code: code,
        error_message: message,
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Rows in memory, up to a limit: what immediate and registered results may have.
#[derive(Debug)]
pub(super) struct SmallResult {
    json: Vec<u8>,
    limit: u64,
    pub(super) rows: u64,
    /// Whether rows beyond the limit came.
    pub(super) overflowed: bool,
    discard: bool,
}

impl SmallResult {
    pub(super) fn new(limit: u64, discard: bool) -> SmallResult {
        SmallResult {
            json: vec![b'['],
            limit,
            rows: 0,
            overflowed: false,
            discard,
        }
    }

    /// The row array.
    pub(super) fn into_json(mut self) -> Vec<u8> {
        self.json.push(b']');
        self.json
    }
}

impl RowSink for SmallResult {
    fn row(&mut self, row: &[u8]) -> Result<(), Stop> {
        if self.discard {
            return Ok(());
        }
        if (self.json.len() + row.len() + 2) as u64 > self.limit {
            self.overflowed = true;
            return Err(Stop);
        }
        if self.rows > 0 {
            self.json.push(b',');
        }
        self.json.extend_from_slice(row);
        self.rows += 1;
        Ok(())
    }
}

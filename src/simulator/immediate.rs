//! Immediate queries: one request, the result in its answer.
//!
//! A 504 does not stop the command at the site, because the real service is assumed not to: the work has its
//! own task and goes on to its end or limit.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::Value;

use super::cloud::{Cloud, Entry};
use super::commands::{IMMEDIATE_QUEUE_TIME, Job};
use super::execution::{Executed, SmallResult, execute, is_timeout, rows_affected};
use super::faults::{Fault, TooLargeForm};
use super::link::Urgency;
use super::queries::{Mode, RemoteQuery};
use super::refusal::Refusal;
use super::reply::{Reply, tree};
use super::route::Endpoint;
use super::site::Reach;
use super::wire::{ErrorDetails, QueryResult, Status};

/// `POST …/queries/immediate`.
pub(super) async fn answer(cloud: &Arc<Cloud>, site: &str, body: &[u8]) -> Result<Reply, Refusal> {
    let entry = cloud.enter(site, Endpoint::Immediate)?;
    let job = Job::read(body, IMMEDIATE_QUEUE_TIME, &entry.site.profile.catalogues)?;
    let now = cloud.clock.now();
    if entry.site.reach(&cloud.faults, now, Endpoint::Immediate) != Reach::Online {
        return Err(Refusal::site_away());
    }
    let other_limit = |fault: &Fault| match fault {
        Fault::AnswerLimit { time } => Some(time.0),
        _ => None,
    };
    let pms_id = Some(entry.site.pms_id());
    let limit = cloud
        .faults
        .strike(now, pms_id, Endpoint::Immediate, other_limit)
        .unwrap_or(cloud.settings.limits.immediate_answer);
    let lost = cloud.faults.strike(
        now,
        Some(entry.site.pms_id()),
        Endpoint::Immediate,
        commits_unheard,
    );
    if lost == Some(false) {
        return Err(Refusal::timeout(limit.as_secs()));
    }
    let work = cloud.tasks.spawn(perform(cloud.clone(), entry, job));
    if lost == Some(true) {
        return Err(Refusal::timeout(limit.as_secs()));
    }
    match tokio::time::timeout(limit, work).await {
        Ok(answered) => {
            answered.unwrap_or_else(|_| Err(Refusal::internal("The query could not be answered.")))
        }
        Err(_) => Err(Refusal::timeout(limit.as_secs())),
    }
}

/// For a 504 on purpose: whether the command runs all the same.
fn commits_unheard(fault: &Fault) -> Option<bool> {
    match fault {
        Fault::Timeout { commits } => Some(*commits),
        Fault::DiesAfterDispatch => Some(true),
        Fault::StuckChannel => Some(false),
        _ => None,
    }
}

async fn perform(cloud: Arc<Cloud>, entry: Entry, job: Job) -> Result<Reply, Refusal> {
    let Entry { site, identity, .. } = entry;
    let place = (site.pms_id(), identity.guid);
    let query = RemoteQuery::accepted(
        &job,
        Mode::Immediate,
        place,
        cloud.integrator,
        cloud.clock.now(),
    );
    let id = query.id;
    cloud.queries.add(query);
    cloud.pause(cloud.settings.timings.initialise).await;
    let turn = tokio::select! {
        turn = site.link.turn(Urgency::Immediate) => turn,
        () = cloud.clock.sleep(job.max_time_in_queue) => {
            cloud.queries.edit(id, |query| query.enter(Status::ExpiredInQueue, cloud.clock.now()));
            return Err(Refusal::timeout(job.max_time_in_queue.as_secs()));
        }
    };
    cloud.queries.edit(id, |query| {
        query.enter(Status::Executing, cloud.clock.now())
    });
    let limits = cloud.settings.limits;
    let empty = |fault: &Fault| matches!(fault, Fault::ZeroRows).then_some(());
    let discard = cloud
        .faults
        .strike(
            cloud.clock.now(),
            Some(site.pms_id()),
            Endpoint::Immediate,
            empty,
        )
        .is_some();
    let sink = SmallResult::new(limits.immediate_result_bytes, discard);
    let executed = execute(
        &cloud,
        &site,
        &turn,
        &job,
        sink,
        limits.immediate_execution,
        Endpoint::Immediate,
    )
    .await;
    drop(turn);
    cloud
        .queries
        .edit(id, |query| query.execution_ms = Some(executed.took_ms));
    let answered = conclude(&cloud, site.pms_id(), id, &job, executed);
    let retired = cloud.clone();
    cloud
        .tasks
        .spawn(async move { super::asynchronous::expire(&retired, id).await });
    answered
}

fn conclude(
    cloud: &Cloud,
    pms_id: &str,
    id: uuid::Uuid,
    job: &Job,
    executed: Executed<SmallResult>,
) -> Result<Reply, Refusal> {
    let now = cloud.clock.now();
    let large = cloud.faults.strike(
        now,
        Some(pms_id),
        Endpoint::Immediate,
        |fault| match fault {
            Fault::TooLarge { form } => Some(*form),
            _ => None,
        },
    );
    let large = large.or(executed.sink.overflowed.then_some(TooLargeForm::Status));
    if let Some(form) = large {
        return Err(too_large(cloud, id, form));
    }
    match executed.outcome {
        Err(error) if is_timeout(&error) => {
            failed(cloud, id, error);
            Err(Refusal::timeout(
                cloud.settings.limits.immediate_execution.as_secs(),
            ))
        }
        Err(error) => refused(cloud, pms_id, id, error),
        Ok(outcome) => {
            let parameters = Some(job.returned(&outcome.output));
            let affected = rows_affected(job, &outcome);
            let rows = executed.sink.rows;
            let json = executed.sink.into_json();
            let result = QueryResult {
                rows: affected.is_none().then_some(rows),
                rows_affected: affected,
                size: if affected.is_none() {
                    json.len() as u64
                } else {
                    0
                },
                data: affected
                    .is_none()
                    .then(|| base64_simd::STANDARD.encode_to_string(&json)),
                parameters,
                pages: None,
            };
            Ok(succeeded(cloud, id, result))
        }
    }
}

fn succeeded(cloud: &Cloud, id: uuid::Uuid, result: QueryResult) -> Reply {
    let now = cloud.clock.now();
    let size = result.size;
    let mut described = cloud.queries.edit(id, |query| {
        query.enter(Status::Successful, now);
        query.describe(now)
    });
    if let Some(described) = &mut described {
        described.result = Some(result);
        described.result_size = Some(size);
    }
    Reply::ok(&described)
}

/// A failed command: 400 with the query object, or 200 with the same as older releases had it.
fn refused(
    cloud: &Cloud,
    pms_id: &str,
    id: uuid::Uuid,
    error: ErrorDetails,
) -> Result<Reply, Refusal> {
    let message = error.error_message.clone();
    let described = failed(cloud, id, error);
    let legacy = |fault: &Fault| matches!(fault, Fault::FailureInSuccess).then_some(());
    if cloud
        .faults
        .strike(cloud.clock.now(), Some(pms_id), Endpoint::Immediate, legacy)
        .is_some()
    {
        return Ok(Reply::ok(&described));
    }
    Err(Refusal::bad_request(message).with_query(described))
}

/// The documentation has a limit of 8 MB but not the status that tells of it.
fn too_large(cloud: &Cloud, id: uuid::Uuid, form: TooLargeForm) -> Refusal {
    let limit = cloud.settings.limits.immediate_result_bytes;
    let message = format!("The result is larger than {limit} bytes.");
    let error = ErrorDetails {
        error_type: "http",
        error_code: 413,
        error_message: message.clone(),
    };
    let described = failed(cloud, id, error);
    let status = match form {
        TooLargeForm::Status => StatusCode::PAYLOAD_TOO_LARGE,
        TooLargeForm::Details => StatusCode::BAD_REQUEST,
    };
    Refusal::new(status, message).with_query(described)
}

fn failed(cloud: &Cloud, id: uuid::Uuid, error: ErrorDetails) -> Value {
    let now = cloud.clock.now();
    let described = cloud.queries.edit(id, |query| {
        query.error = Some(error);
        query.enter(Status::ExecutionFailed, now);
        query.describe(now)
    });
    tree(&described)
}

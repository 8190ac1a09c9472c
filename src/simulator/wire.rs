//! The JSON shapes of the published specification, field by field.
//!
//! Written from the specification alone. An absent optional field is left out, never null. Instants are UTC
//! text with three decimals. Row data is not here: pages go out as the bytes that were spooled.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use uuid::Uuid;

/// An instant as the service prints it: `2026-07-20T01:02:03.456Z`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp(pub(super) DateTime<Utc>);

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_rfc3339_opts(SecondsFormat::Millis, true))
    }
}

/// `SiteForIntegrator`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Site {
    pub(super) id: Uuid,
    pub(super) pms_type: &'static str,
    pub(super) availability: &'static str,
    pub(super) status: &'static str,
    pub(super) halo_link_version: String,
    pub(super) enriched_at: Stamp,
    pub(super) catalogue: Vec<Catalogue>,
    pub(super) practice_metadata: PracticeMetadata,
    pub(super) name: String,
    pub(super) practice_management_site_id: String,
    pub(super) practice_management_name: &'static str,
    pub(super) practice_management_version: String,
    pub(super) created_at: Stamp,
    pub(super) authoritative: bool,
    #[serde(rename = "clientTimestampUTC")]
    pub(super) client_timestamp_utc: Stamp,
    #[serde(rename = "heartbeatTimestampUTC")]
    pub(super) heartbeat_timestamp_utc: Stamp,
}

/// One database of a site.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Catalogue {
    pub(super) name: String,
    pub(super) is_default: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PracticeMetadata {
    pub(super) pms_type: &'static str,
    pub(super) practice_name: String,
    pub(super) practice_management_site_id: String,
    pub(super) practice_management_version: String,
}

#[derive(Debug, Serialize)]
pub(super) struct Sites {
    pub(super) sites: Vec<Site>,
}

/// `ImmediateCommand` and `AsyncCommand`; the command stays text so that its size can be told.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Submission<'a> {
    #[serde(borrow)]
    pub(super) command: &'a RawValue,
    #[serde(default, deserialize_with = "present")]
    pub(super) max_time_in_queue: Option<i64>,
    #[serde(default, deserialize_with = "present")]
    pub(super) catalogue: Option<String>,
}

/// An optional field may be absent but not null.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// `Command`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Command {
    pub(super) text: String,
    #[serde(default)]
    pub(super) execution_mode: ExecutionMode,
    #[serde(default, rename = "type")]
    pub(super) kind: CommandKind,
    #[serde(default)]
    pub(super) parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum ExecutionMode {
    #[default]
    Reader,
    NonQuery,
    Scalar,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum CommandKind {
    #[default]
    Text,
    StoredProcedure,
}

/// `Parameter`, of a request or of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Parameter {
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) name: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) direction: Option<Direction>,
    #[serde(
        default,
        deserialize_with = "present",
        rename = "type",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) kind: Option<ParameterKind>,
    #[serde(default)]
    pub(super) value: Option<String>,
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub(super) size: Option<i64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Direction {
    Output,
    Input,
    InputOutput,
    ReturnValue,
}

/// `Type`: the parameter types in the exact case of the specification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ParameterKind {
    BigInt,
    Binary,
    Bit,
    Char,
    String,
    Date,
    DateTime,
    DateTime2,
    DateTimeOffset,
    Decimal,
    Float,
    Image,
    Int,
    Money,
    NChar,
    NText,
    NVarChar,
    Real,
    SmallDateTime,
    SmallInt,
    SmallMoney,
    Structured,
    Text,
    Time,
    Timestamp,
    TinyInt,
    Udt,
    UniqueIdentifier,
    VarBinary,
    VarChar,
    Variant,
    Xml,
}

/// The life of a query as the API tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Status {
    Initialising,
    Queued,
    Executing,
    Uploading,
    Successful,
    InitialisationFailedCacheError,
    InitialisationFailedSiteOffline,
    InitialisationFailedSiteUnreachable,
    ExpiredInQueue,
    ExecutionFailed,
    UploadFailed,
}

impl Status {
    /// Whether the query will not change any more.
    pub(super) fn is_final(self) -> bool {
        !matches!(
            self,
            Status::Initialising | Status::Queued | Status::Executing | Status::Uploading
        )
    }
}

/// When a query entered and left a state.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Span {
    pub(super) start_time: Stamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) end_time: Option<Stamp>,
}

/// `StatusTiming` and `StatusTimingImmediate`.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub(super) struct StatusTiming {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) initialising: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) queued: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) executing: Option<Span>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) uploading: Option<Span>,
}

/// A query object: `AsyncQuery` with everything its status adds, or the immediate one.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Query {
    pub(super) id: Uuid,
    pub(super) integrator_id: Uuid,
    pub(super) site_id: Uuid,
    pub(super) mode: &'static str,
    pub(super) status: Status,
    pub(super) max_time_in_queue: u64,
    pub(super) command_size: usize,
    pub(super) request_size: usize,
    pub(super) created_at: Stamp,
    pub(super) updated_at: Stamp,
    pub(super) status_timing: StatusTiming,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) metrics: Option<Metrics>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result: Option<QueryResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) result_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_code: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) error_details: Option<ErrorDetails>,
}

/// `QueryMetrics`: milliseconds from dispatch to the database until its answer.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metrics {
    pub(super) sql_execution_duration: u64,
}

/// `QueryResult`, `NonQueryResult` and the two of async queries.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueryResult {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) rows_affected: Option<u64>,
    /// Bytes of the row JSON before base64.
    pub(super) size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) data: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameters: Option<Vec<Parameter>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pages: Option<Vec<Page>>,
}

/// One page in a status answer. Pages count from 1.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    pub(super) page_number: u64,
    pub(super) status: &'static str,
    pub(super) size: u64,
    pub(super) rows: PageRows,
}

/// Row numbers of a page; counted from 0, last one included.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageRows {
    pub(super) count: u64,
    pub(super) range_start: u64,
    pub(super) range_end: u64,
}

/// The body of a result page without rows.
#[derive(Debug, Serialize)]
pub(super) struct QueryPage {
    pub(super) parameters: Vec<Parameter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ErrorDetails {
    pub(super) error_type: &'static str,
    pub(super) error_code: i64,
    pub(super) error_message: String,
}

/// The body of a batch status request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusBatch {
    pub(super) query_ids: Vec<Uuid>,
}

#[derive(Debug, Serialize)]
pub(super) struct StatusBatchResults {
    pub(super) results: Vec<StatusBatchResult>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StatusBatchResult {
    pub(super) query_id: Uuid,
    /// Whether the query is known; its own status is inside.
    pub(super) status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) query: Option<Query>,
}

/// `RegisteredQueryPostReq`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Registration<'a> {
    pub(super) name: String,
    pub(super) registered_query_type: RegisteredKind,
    /// Seconds between runs.
    pub(super) frequency: i64,
    /// Seconds until the last run.
    pub(super) duration: i64,
    #[serde(borrow)]
    pub(super) register_command: RegisterCommand<'a>,
}

#[derive(Debug, Deserialize)]
pub(super) struct RegisterCommand<'a> {
    #[serde(borrow)]
    pub(super) command: Option<&'a RawValue>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum RegisteredKind {
    Query,
}

#[derive(Debug, Serialize)]
pub(super) struct RegisteredId {
    pub(super) id: Uuid,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisteredQueries {
    pub(super) registered_queries: Vec<RegisteredQuery>,
}

/// `RegisteredQuery`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisteredQuery {
    pub(super) id: Uuid,
    pub(super) name: String,
    pub(super) registered_query_type: &'static str,
    pub(super) status: RegisteredStatus,
    pub(super) frequency: u64,
    pub(super) duration: u64,
    pub(super) created_at: Stamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) completed_at: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_hash: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_error_details: Option<ErrorDetails>,
    pub(super) metrics: RegisteredMetrics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum RegisteredStatus {
    InitialisationFailedCacheError,
    Enabled,
    Cancelled,
    Completed,
}

#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RegisteredMetrics {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_succeeded_at: Option<Stamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) last_failed_at: Option<Stamp>,
    pub(super) last_execution_duration: u64,
    pub(super) execution_succeeded_count: u64,
    pub(super) execution_failed_count: u64,
    pub(super) result_size_sum: u64,
    pub(super) request_size: usize,
}

/// `RegisteredQueryResult`: all four fields are required, the parameters may be null.
#[derive(Debug, Serialize)]
pub(super) struct RegisteredResult {
    pub(super) data: String,
    pub(super) parameters: Option<Vec<Parameter>>,
    pub(super) rows: u64,
    pub(super) size: u64,
}

/// The body of a webhook, in the order of the documentation.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct WebhookBody {
    pub(super) id: Uuid,
    pub(super) occurred_at: String,
    pub(super) site_id: Uuid,
    pub(super) query_id: Uuid,
    pub(super) webhook_source: &'static str,
}

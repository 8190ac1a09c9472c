//! Why an attempt failed: one error that knows its class, when to try again, and the next step.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::convert::ConvertError;
use crate::domain::{
    Extraction, FailureClass, Fingerprint, PageNumber, ProofError, QueryId, Retry, SiteKey,
    VariantName,
};
use crate::ledger::{ContractBreak, LedgerError};
use crate::objects::StorageError;
use crate::privacy::PrivacyError;
use crate::remote::{Cause, RemoteError};

/// Pause before storage is tried again: long enough for a disk to be freed or a network to come back.
const STORAGE_PAUSE: Duration = Duration::from_secs(60);

/// The longest time outside quiet hours.
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The longest month.
const MONTH: Duration = Duration::from_secs(31 * 24 * 3600);

/// An attempt that did not end in a published object.
#[derive(Debug, thiserror::Error)]
pub enum AttemptError {
    /// The remote side.
    #[error(transparent)]
    Remote(#[from] RemoteError),
    /// The result does not fit the contract, or a page is not JSON rows.
    #[error(transparent)]
    Convert(#[from] ConvertError),
    /// De-identification cannot be done.
    #[error(transparent)]
    Privacy(#[from] PrivacyError),
    /// The object cannot be written.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The ledger cannot be read or written.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The four counts differ; nothing was published.
    #[error("the result is not complete, so nothing was published: {0}")]
    Incomplete(#[from] ProofError),
    /// The practice refused the statement, and takes another of the same query, which is asked from now on.
    #[error("the practice refuses a table of {query}; from now on it is asked {}", statement_name(to.as_ref()))]
    Turned {
        /// Which query.
        query: QueryId,
        /// The variant that it takes; `None` for the query's own statement.
        to: Option<VariantName>,
        /// How it refused.
        #[source]
        refusal: Box<RemoteError>,
    },
    /// The rows that the practice kept back could not be counted. The result itself is complete and lives on.
    #[error("the rows that the practice keeps back could not be counted")]
    Uncounted(#[source] Box<RemoteError>),
    /// What should count them answered with something else.
    #[error("the `withheld` statement of {0} did not answer with one number")]
    NotACount(QueryId),
    /// The query's text is not the one that ran under this version before.
    #[error("{query} was changed after it had run (fingerprint {now}, in the ledger {frozen})")]
    Edited {
        /// Which query.
        query: QueryId,
        /// What the file says now.
        now: Fingerprint,
        /// What it said when it first ran.
        frozen: Fingerprint,
    },
    /// The plan names a query that is not in the folder any more.
    #[error("{0} is not among the query files")]
    NoQuery(QueryId),
    /// The plan names a site that the ledger does not have, or that was never paired.
    #[error("site {0} is not paired")]
    NotPaired(SiteKey),
    /// The site's id now leads to another practice name, or to several sites; it is under review.
    #[error(
        "site {0} may be another practice now: its id leads to another practice name, or to several sites"
    )]
    OtherPractice(SiteKey),
    /// The practice's own database calls itself otherwise than the practice on record; it is under review.
    #[error(
        "the database that answers for site {0} is named otherwise than the practice on record"
    )]
    OtherDatabase(SiteKey),
    /// The site moved to another server while its query was at work, and nobody can ask for the result any more.
    #[error(
        "site {0} moved to another server while its query was at work; the result stays behind there"
    )]
    LeftBehind(SiteKey),
    /// Zero rows would replace an object that has many.
    #[error(
        "the new result of {extraction} is empty, while the object that stands has {standing} rows"
    )]
    WouldEmpty {
        /// Which extraction.
        extraction: Extraction,
        /// Rows of the object that stands.
        standing: u64,
    },
    /// The result was lost before it was fetched, and so was that of the query posted in its place.
    #[error("the result of {extraction} was lost a second time, so the query is not posted again")]
    LostAgain {
        /// Which extraction.
        extraction: Extraction,
        /// What the API said this time.
        #[source]
        error: Box<RemoteError>,
    },
    /// A page holds another number of rows than the API declared for it.
    #[error("page {page} holds {found} rows, but the API declared {declared}")]
    OtherRows {
        /// Which page.
        page: PageNumber,
        /// Rows declared for it.
        declared: u64,
        /// Rows found in it.
        found: u64,
    },
    /// The site's queries of this month are spent; nothing was posted.
    #[error("the {queries} queries that may be posted to site {site} in a month are spent")]
    BudgetSpent {
        /// Which site.
        site: SiteKey,
        /// How many there are in a month.
        queries: u32,
        /// The first instant of the next month.
        until: DateTime<Utc>,
    },
    /// The practice lends its server at other hours; nothing was asked of it.
    #[error("it is outside the quiet hours of site {site}")]
    OutsideHours {
        /// Which site.
        site: SiteKey,
        /// When its next quiet hours begin.
        until: DateTime<Utc>,
    },
    /// Another worker has the extraction now; this one stops without recording anything.
    #[error("another worker took the extraction over")]
    Lost,
    /// A fault of this program.
    #[error("this program failed: {0}")]
    Internal(String),
}

impl AttemptError {
    /// What failed in an attempt at `extraction` whose results were lost `results_lost` times before: a query is
    /// posted in the place of a lost one once, because whoever loses two loses the third too, and each costs the
    /// practice a whole run.
    #[must_use]
    pub(super) fn after_losses(self, extraction: &Extraction, results_lost: u32) -> Self {
        match self {
            Self::Remote(error) if error.cause() == Cause::Gone && results_lost > 0 => {
                Self::LostAgain {
                    extraction: extraction.clone(),
                    error: Box::new(error),
                }
            }
            other => other,
        }
    }

    /// Whether the API refuses whoever asks from here, which says nothing of what was asked.
    #[must_use]
    pub(super) fn refuses_us(&self) -> bool {
        matches!(self, Self::Remote(error)
            if matches!(error.cause(), Cause::KeyRefused | Cause::AddressRefused))
    }

    /// Whether the API no longer holds the result.
    #[must_use]
    pub(super) fn is_gone(&self) -> bool {
        matches!(self, Self::Remote(error) if error.cause() == Cause::Gone)
    }

    /// The class that the ledger keeps.
    #[must_use]
    pub fn class(&self) -> FailureClass {
        match self {
            Self::Remote(error) => error.class(),
            Self::Uncounted(error) | Self::LostAgain { error, .. } => error.class(),
            Self::Turned { refusal, .. } => refusal.class(),
            Self::Convert(ConvertError::Contract(_))
            | Self::Edited { .. }
            | Self::NoQuery(_)
            | Self::NotACount(_)
            | Self::Privacy(_)
            | Self::WouldEmpty { .. } => FailureClass::Contract,
            Self::Storage(error) => error.class(),
            Self::NotPaired(_)
            | Self::OtherPractice(_)
            | Self::OtherDatabase(_)
            | Self::LeftBehind(_) => FailureClass::Forbidden,
            Self::BudgetSpent { .. } | Self::OutsideHours { .. } => FailureClass::Limit,
            Self::Incomplete(_)
            | Self::OtherRows { .. }
            | Self::Convert(ConvertError::Malformed(_)) => FailureClass::Halo,
            Self::Ledger(_) | Self::Lost | Self::Internal(_) => FailureClass::Internal,
        }
    }

    /// What of the site's tables or of the result does not fit the query; nothing for other failures.
    #[must_use]
    pub(super) fn contract_breaks(&self) -> Vec<ContractBreak> {
        match self {
            Self::Convert(ConvertError::Contract(error)) => {
                let breaks = error.violations.iter().map(|violation| ContractBreak {
                    column: violation.column.clone(),
                    reason: violation.reason.to_string(),
                });
                breaks.collect()
            }
            Self::Remote(error) => absent(error).into_iter().collect(),
            _ => Vec::new(),
        }
    }

    /// When another attempt makes sense.
    #[must_use]
    pub fn retry(&self) -> Retry {
        match self {
            Self::Remote(error) => error.retry(),
            Self::Uncounted(error) => error.retry(),
            // A person mends most storage failures within one run of the command; the result is kept for the next.
            Self::Storage(_) => Retry::Later(STORAGE_PAUSE),
            Self::Turned { .. }
            | Self::LeftBehind(_)
            | Self::Incomplete(_)
            | Self::OtherRows { .. }
            | Self::Convert(ConvertError::Malformed(_)) => Retry::Now,
            // At most; the error itself names the day.
            Self::BudgetSpent { .. } => Retry::Later(MONTH),
            Self::OutsideHours { .. } => Retry::Later(DAY),
            _ => Retry::Never,
        }
    }

    /// Whether the remote query is over with this, so that another attempt must post anew.
    #[must_use]
    pub(super) fn ends_remote_query(&self) -> bool {
        match self {
            Self::Remote(error) => ends_remote_query(error.cause()),
            Self::Turned { .. }
            | Self::LeftBehind(_)
            | Self::Incomplete(_)
            | Self::OtherRows { .. }
            | Self::LostAgain { .. } => true,
            _ => false,
        }
    }

    /// Whether the practice's database gave up because the statement took longer than the agent allows: a shorter
    /// window may do.
    #[must_use]
    pub(super) fn ran_out_of_time(&self) -> bool {
        matches!(self, Self::Remote(error) if error.ran_out_of_time())
    }

    /// Whether the pages themselves may be at fault, so that none that is kept may be used again.
    #[must_use]
    pub(super) fn doubts_pages(&self) -> bool {
        match self {
            Self::Remote(error) => error.cause() == Cause::Unreadable,
            Self::Turned { .. }
            | Self::Storage(_)
            | Self::Ledger(_)
            | Self::Lost
            | Self::OutsideHours { .. } => false,
            _ => true,
        }
    }

    /// Why it happened, as far as is known.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        match self {
            Self::Remote(error) => Some(error.why()),
            Self::Uncounted(error) | Self::LostAgain { error, .. } => Some(error.why()),
            _ => None,
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn next(&self) -> Option<String> {
        match self {
            Self::Remote(error) => Some(match absent(error) {
                Some(it) if it.reason == NO_COLUMN => format!(
                    "see how many sites lack {}: halo-extract status --drift; if it is the column of opt-outs, nothing leaves \
                     these sites, on purpose: ask the vendor of their software what it is called there; then add the next \
                     version of the query",
                    it.column
                ),
                _ => error.next_step().to_owned(),
            }),
            Self::Uncounted(error) => Some(error.next_step().to_owned()),
            Self::Turned { query, .. } => Some(format!(
                "nothing, it is asked again by itself; halo-extract query show {query} tells what the other statement lacks"
            )),
            Self::NotACount(query) => Some(format!(
                "correct `withheld` in queries/{}/{}.sql: one SELECT COUNT(*) AS withheld",
                query.name, query.version
            )),
            Self::Edited { query, .. } => Some(format!(
                "restore queries/{}/{}.sql, and put the change into the next version beside it",
                query.name, query.version
            )),
            Self::NoQuery(query) => Some(format!(
                "put queries/{}/{}.sql back, or run another version",
                query.name, query.version
            )),
            Self::NotPaired(site) => Some(format!(
                "pair it: halo-extract site pair --key {site} --pms-id ID --code -"
            )),
            Self::OtherPractice(site) => Some(format!(
                "nothing is extracted from it until you decide: ask the practice whether it moved or merged, look at both names \
                 with `halo-extract site review {site}`, then: halo-extract site review {site} --accept, or --reject"
            )),
            Self::OtherDatabase(site) => Some(format!(
                "nothing is extracted from it until you decide: ask the practice whether its server runs the right database (a \
                 restored copy, another clinic's), look at both names with `halo-extract site review {site}`, then: \
                 halo-extract site review {site} --accept, or --reject"
            )),
            Self::LostAgain { extraction, .. } => Some(format!(
                "let a run end within a day of its query, then ask once more: halo-extract run --site {} --query {} --from {} \
                 --to {}; if results go sooner than in a day, give Halo support the remote query id",
                extraction.site,
                extraction.query,
                extraction.window.start(),
                extraction.window.end()
            )),
            Self::WouldEmpty { extraction, .. } => Some(format!(
                "if the practice really has no such rows any more, say so: halo-extract run --site {} --query {} --from {} \
                 --to {} --allow-empty",
                extraction.site,
                extraction.query,
                extraction.window.start(),
                extraction.window.end()
            )),
            Self::BudgetSpent { until, .. } => Some(format!(
                "it goes on by itself from {}; to ask sooner, raise limits.queries_per_site_month",
                until.format("%Y-%m-%d")
            )),
            Self::OutsideHours { until, .. } => Some(format!(
                "it goes on by itself from {}",
                until.format("%Y-%m-%d %H:%M UTC")
            )),
            Self::LeftBehind(_) => {
                Some("nothing: the site is asked again where it is now".to_owned())
            }
            Self::Incomplete(_) | Self::OtherRows { .. } => Some(
                "it is asked again; if it stays so, tell Halo support the remote query id"
                    .to_owned(),
            ),
            Self::Convert(_)
            | Self::Privacy(_)
            | Self::Storage(_)
            | Self::Ledger(_)
            | Self::Lost
            | Self::Internal(_) => None,
        }
    }
}

/// A statement of a query, as people call it.
fn statement_name(variant: Option<&VariantName>) -> String {
    match variant {
        Some(variant) => format!("its variant `{variant}`"),
        None => "its own statement again".to_owned(),
    }
}

/// Of a column that the statement names and the site's tables do not have.
const NO_COLUMN: &str = "is no column of the site's tables";

/// The column or table that the site's database does not have, as SQL Server names it.
fn absent(error: &RemoteError) -> Option<ContractBreak> {
    let (before, reason) = match error.sql_number()? {
        207 => ("Invalid column name '", NO_COLUMN),
        208 => ("Invalid object name '", "is no table of the site"),
        _ => return None,
    };
    let said = error.to_string();
    let (_, rest) = said.split_once(before)?;
    let (name, _) = rest.split_once('\'')?;
    Some(ContractBreak {
        column: name.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Whether the API will give no answer to the query any more: it failed for good, or its result is lost.
fn ends_remote_query(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::Gone
            | Cause::ResultTooLarge
            | Cause::SqlFailed
            | Cause::SqlTransient
            | Cause::IntegrationDisabled
            | Cause::SiteOffline
            | Cause::SiteLost
            | Cause::ExpiredInQueue
            | Cause::LinkFault
            | Cause::TransferFailed
            | Cause::UploadFailed
            | Cause::CacheFailed
    )
}

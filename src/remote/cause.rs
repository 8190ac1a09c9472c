//! What can go wrong with a call to the remote API, and who can do what about it.
//!
//! One table, [`advice`], gives every cause its class, its next time, its mender and its sentences, so
//! that logs, console and command line say the same. How an answer leads to a cause is in `failure.rs`.

use std::time::Duration;

use crate::domain::{FailureClass, Mender, Retry};

/// What went wrong, in the API's terms; finer than [`FailureClass`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Cause {
    /// No connection: nothing was sent.
    NotReached,
    /// Sent, perhaps, but no answer came.
    Unanswered,
    /// The answer broke off.
    CutShort,
    /// The key is missing, wrong, or of another environment.
    KeyRefused,
    /// Our network address is not on the API's list.
    AddressRefused,
    /// The key may not ask this site: another GUID is authoritative, or the pairing is gone.
    SiteRefused,
    /// The API knows no such site in this environment.
    SiteUnknown,
    /// The practice switched the integration off: its database refuses our login.
    IntegrationDisabled,
    /// The pairing code or id was refused.
    PairingRefused,
    /// The practice system failed while pairing.
    PairingFailed,
    /// The site was off or silent, before anything ran.
    SiteOffline,
    /// The site went away or took too long after the query was handed to it.
    SiteLost,
    /// Too many recent failures of this site; it is left alone for a while.
    SiteResting,
    /// The query waited too long in the site's queue.
    ExpiredInQueue,
    /// The query executes far beyond the time the agent allows: the agent hangs.
    SiteStuck,
    /// Our own deadline passed while the query was on its way.
    NotYetReady,
    /// The agent could not transfer the result.
    TransferFailed,
    /// The agent at the practice failed in a way of its own.
    LinkFault,
    /// The database refused or failed the statement.
    SqlFailed,
    /// The database gave up on the statement for a passing reason.
    SqlTransient,
    /// The API no longer holds the query or its result.
    Gone,
    /// Too many calls in a short time.
    RateLimited,
    /// The contract's quota is used up.
    QuotaSpent,
    /// The result is larger than an immediate query may give.
    ResultTooLarge,
    /// An answer is larger than we are prepared to hold.
    AnswerTooLarge,
    /// The API refused the form of the request.
    RequestRefused,
    /// The API has no such operation at this address, or sends us elsewhere.
    WrongAddress,
    /// The API failed inside.
    ApiFailed,
    /// The API could not keep the query in its cache.
    CacheFailed,
    /// The query ran, but its result was lost on the way up.
    UploadFailed,
    /// A success that does not read as the specification says.
    Unreadable,
    /// The client cannot be set up with what it was given.
    Misconfigured,
    /// We were asked to stop.
    Cancelled,
}

/// One row of the table of causes.
pub(crate) struct Advice {
    pub(crate) class: FailureClass,
    pub(crate) mender: Mender,
    pub(crate) retry: Retry,
    /// One fragment for the error itself.
    pub(crate) what: &'static str,
    pub(crate) why: &'static str,
    pub(crate) next: &'static str,
}

const fn later_minutes(minutes: u64) -> Retry {
    Retry::Later(Duration::from_secs(60 * minutes))
}

/// The table: what each cause means and who does what about it.
///
/// The times are ours; the API publishes none. They apply after the client's own short retries.
pub(crate) fn advice(cause: Cause) -> Advice {
    use FailureClass as Class;
    let row = |class, mender, retry, what, why, next| Advice {
        class,
        mender,
        retry,
        what,
        why,
        next,
    };
    match cause {
        Cause::NotReached => row(
            Class::Network,
            Mender::Time,
            later_minutes(2),
            "no connection to the remote API",
            "The address does not answer: a network fault, a firewall, a wrong address, or a certificate that is not trusted.",
            "Check `--halo-url` and that this machine reaches it; it is tried again by itself.",
        ),
        Cause::Unanswered => row(
            Class::Network,
            Mender::Time,
            later_minutes(1),
            "no answer from the remote API",
            "The connection was lost or stayed silent too long.",
            "Nothing to do unless it persists; then check the network between this machine and the API.",
        ),
        Cause::CutShort => row(
            Class::Network,
            Mender::Time,
            later_minutes(1),
            "the answer broke off",
            "The connection was lost before the whole answer had arrived.",
            "Nothing to do unless it persists; then check the network between this machine and the API.",
        ),
        Cause::KeyRefused => row(
            Class::Auth,
            Mender::Operator,
            Retry::Never,
            "the subscription key is refused",
            "The key is missing, mistyped, withdrawn, or belongs to another environment: keys of production and stage are not exchangeable.",
            "Set `HALO_SUBSCRIPTION_KEY` (or `HALO_SUBSCRIPTION_KEY_FILE`) to a key of this environment from the Integrator Portal.",
        ),
        Cause::AddressRefused => row(
            Class::Forbidden,
            Mender::Operator,
            Retry::Never,
            "this machine's network address is refused",
            "The API accepts this key from listed addresses only.",
            "Ask Halo support to list the public address of this machine.",
        ),
        Cause::SiteRefused => row(
            Class::Forbidden,
            Mender::Operator,
            later_minutes(60),
            "the API does not let us ask this site",
            "The practice moved to another server (another GUID is now authoritative), or the pairing has ended.",
            "Run `halo-extract doctor` to see what the API tells of the site; if nothing moved, ask the practice for a new pairing code.",
        ),
        Cause::SiteUnknown => row(
            Class::Forbidden,
            Mender::Operator,
            Retry::Never,
            "the API does not know this site",
            "No site with this id exists in this environment: Halo Link is not installed there, the id is mistyped, or the environment is another one.",
            "Compare the id with the practice's screen (Site ID) and `--environment` with the key's.",
        ),
        Cause::IntegrationDisabled => row(
            Class::Forbidden,
            Mender::Practice,
            later_minutes(12 * 60),
            "the practice's database refuses our login",
            "The integration is unticked in the practice system, which disables our database user.",
            "Ask the practice to tick the integration and save; if it is ticked already: untick, save, tick, save.",
        ),
        Cause::PairingRefused => row(
            Class::Forbidden,
            Mender::Practice,
            Retry::Never,
            "the pairing is refused",
            "The code is wrong, expired (codes live seven days) or used, or the integration is not ticked in the practice system.",
            "Ask the practice for its Site ID and a fresh code: Setup > Configuration > Database > Setup third-party integrations, tick our line, Generate pairing code.",
        ),
        Cause::PairingFailed => row(
            Class::Site,
            Mender::Practice,
            later_minutes(10),
            "the practice system failed while pairing",
            "It gave an answer that the API does not know, or its agent is offline or too old.",
            "Try again later; if it fails again, ask the practice for a fresh code and whether Halo Link is up to date.",
        ),
        Cause::SiteOffline => row(
            Class::Site,
            Mender::Practice,
            later_minutes(10),
            "the site is offline",
            "The practice's server or its internet line is off; nothing was executed.",
            "Nothing to do at night; if it lasts into business hours, ask the practice to check its server and Halo Link.",
        ),
        Cause::SiteLost => row(
            Class::Site,
            Mender::Time,
            later_minutes(10),
            "the site did not finish in time",
            "The query took longer than the API waits, or the site went away after it had been handed over.",
            "Nothing to do unless it persists; then make the query smaller, or have Halo Link restarted if the site shows online.",
        ),
        Cause::SiteResting => row(
            Class::Site,
            Mender::Time,
            later_minutes(5),
            "the site is left alone for a while",
            "It failed several times in a row, so it is not asked until a look at its status says it is back.",
            "Nothing to do; it is tried again by itself.",
        ),
        Cause::ExpiredInQueue => row(
            Class::Site,
            Mender::Time,
            later_minutes(30),
            "the query expired in the site's queue",
            "The site did not begin it within the time that was allowed; nothing was executed.",
            "Nothing to do; it is submitted again later.",
        ),
        Cause::SiteStuck => row(
            Class::Site,
            Mender::Practice,
            later_minutes(60),
            "the query hangs at the site",
            "It executes far beyond the five minutes that Halo Link allows, a known fault of some of its versions.",
            "Ask the practice to restart or update Halo Link; the same query is looked at again later.",
        ),
        Cause::NotYetReady => row(
            Class::Site,
            Mender::Time,
            later_minutes(10),
            "the result was not ready before our deadline",
            "The site is slow, or pauses the query for more urgent ones.",
            "Nothing to do; the same query is looked at again later and not submitted twice.",
        ),
        Cause::TransferFailed => row(
            Class::Site,
            Mender::Time,
            later_minutes(10),
            "the site could not hand over the result",
            "The transfer between the practice and the API failed.",
            "Nothing to do unless it persists; then give Halo support the GUID, the remote query id and the time.",
        ),
        Cause::LinkFault => row(
            Class::Site,
            Mender::HaloSupport,
            later_minutes(30),
            "the agent at the practice failed",
            "Halo Link reports an unexpected fault of its own.",
            "Give Halo support the GUID, the remote query id and the time.",
        ),
        Cause::SqlFailed => row(
            Class::Sql,
            Mender::QueryAuthor,
            Retry::Never,
            "the practice's database refused the statement",
            "The statement does not fit this database: a name it does not have, a right we do not have, or values it cannot convert.",
            "Run the statement in SQL Server Management Studio, then add the next version of the query.",
        ),
        Cause::SqlTransient => row(
            Class::Sql,
            Mender::Time,
            later_minutes(5),
            "the practice's database gave up on the statement",
            "It met a deadlock or ran out of time, which may pass.",
            "Nothing to do unless it persists; then make the query smaller.",
        ),
        Cause::Gone => row(
            Class::Gone,
            Mender::Time,
            Retry::Now,
            "the remote query or its result is no longer held",
            "Results expire about a day after the query ran.",
            "Nothing to do; the query is submitted again.",
        ),
        Cause::RateLimited => row(
            Class::Limit,
            Mender::Time,
            later_minutes(1),
            "the API's rate limit is exceeded",
            "Too many calls were made with this key in a short time.",
            "Nothing to do; if it persists, lower the number of workers or calls per second.",
        ),
        Cause::QuotaSpent => row(
            Class::Limit,
            Mender::Operator,
            later_minutes(60),
            "the API's quota is used up",
            "The contract allows a number of queries and bytes per day, and they are spent.",
            "Wait for the quota to renew, or ask Halo for a larger one.",
        ),
        Cause::ResultTooLarge => row(
            Class::Limit,
            Mender::QueryAuthor,
            Retry::Never,
            "the result is too large",
            "An immediate query may give 8 MB; the statement did run at the practice.",
            "Narrow the statement, or submit it instead of asking immediately.",
        ),
        Cause::AnswerTooLarge => row(
            Class::Limit,
            Mender::Operator,
            Retry::Never,
            "an answer is larger than allowed",
            "One page or status is larger than this client is set to hold in memory.",
            "Raise the page limit in the configuration, or narrow the query's columns.",
        ),
        Cause::RequestRefused => row(
            Class::Halo,
            Mender::HaloSupport,
            Retry::Never,
            "the API refused the request",
            "It does not accept the request's form or one of its values.",
            "Check that this program is up to date, then give Halo support the time and the message.",
        ),
        Cause::WrongAddress => row(
            Class::Halo,
            Mender::Operator,
            Retry::Never,
            "the API has no such operation at this address",
            "The base address is wrong, or something between us and the API answers in its place.",
            "Check `--halo-url`.",
        ),
        Cause::ApiFailed => row(
            Class::Halo,
            Mender::Time,
            later_minutes(5),
            "the API failed inside",
            "A fault on the API's side.",
            "Nothing to do unless it persists; then look at the API's status page and tell Halo support the time.",
        ),
        Cause::CacheFailed => row(
            Class::Halo,
            Mender::Time,
            later_minutes(5),
            "the API could not keep the query",
            "Its cache failed before the query reached the site; nothing was executed.",
            "Nothing to do; the query is submitted again.",
        ),
        Cause::UploadFailed => row(
            Class::Halo,
            Mender::Time,
            later_minutes(10),
            "the result was lost on its way from the site",
            "The query ran, but its result could not be uploaded.",
            "Nothing to do; the query is submitted again.",
        ),
        Cause::Unreadable => row(
            Class::Halo,
            Mender::HaloSupport,
            later_minutes(30),
            "the API's answer cannot be read",
            "The API reports success, but its answer is not what its specification says.",
            "Check that this program is up to date, then give Halo support the time and the GUID.",
        ),
        Cause::Misconfigured => row(
            Class::Internal,
            Mender::Operator,
            Retry::Never,
            "the client cannot be set up",
            "A setting cannot be used.",
            "Correct the setting named above.",
        ),
        Cause::Cancelled => row(
            Class::Internal,
            Mender::Operator,
            Retry::Now,
            "stopped before the end",
            "The program was asked to stop.",
            "Run it again; it goes on where it stopped.",
        ),
    }
}

//! The faults a simulator can show, and the book of rules that says when, where and how often.
//!
//! A rule is a fault with a selection: sites, endpoints, a stretch of simulated time, a share, a count. Rules
//! come from a scenario file or live over the control endpoint. The first rule that fits strikes. Nothing here
//! acts: those who serve a request ask the book whether something is to go wrong, and do it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, NaiveTime, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value, json};
use tokio::sync::watch;

use super::clock::delta;
use super::refusal::Envelope;
use super::route::Endpoint;
use super::stretch::Stretch;
use super::wire::Status;

/// Something that goes wrong. The variant's name in snake case is its `kind` in scenarios.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Fault {
    // --- the site
    /// Link has closed its connection: 503, or with `accepted` a 201 that ends `initialisationFailedSiteOffline`.
    Offline {
        #[serde(default)]
        accepted: bool,
    },
    /// Link is silent: as `offline`, ending `initialisationFailedSiteUnreachable`.
    Unreachable {
        #[serde(default)]
        accepted: bool,
    },
    /// The practice server is off from one local time of day to another.
    Closed { from: LocalTime, until: LocalTime },
    /// The site is lost once it has the command: immediates run and answer 504, async ones stay `executing`.
    DiesAfterDispatch,
    /// The known Link fault: online by every sign, and every immediate answers 504.
    StuckChannel,
    /// Another Link is authoritative now: a new GUID, and 403 at the old one.
    Moved {
        #[serde(default)]
        practice_name: Option<String>,
        /// Whether the pairing came along.
        #[serde(default = "yes")]
        paired: bool,
    },
    /// The practice merged into another one: its id leads to that one's GUID, under this name, and its own GUID
    /// answers 403.
    Merged { into: String, practice_name: String },
    /// The practice calls itself otherwise, at the same GUID.
    Renamed { practice_name: String },
    /// The site was removed: unknown to every call but the lookup.
    Removed,
    /// Link was uninstalled: the site says so, and nothing runs.
    Uninstalled,
    /// Link reports another version.
    LinkVersion { version: String },
    /// The practice server's clock is off by this many seconds.
    ClockSkew { seconds: i64 },

    // --- access
    /// The key is of another environment, or revoked: 401.
    KeyRefused,
    /// The caller's address is not on the list: 403.
    IpRefused,
    /// The practice has undone the pairing: 403.
    Unpaired,
    /// The lookup shows a practice before it is paired, which is 403 otherwise: what the API does is not documented.
    ShownUnpaired,
    /// Pairing fails although the code is right.
    Pairing {
        reason: PairingFault,
        #[serde(default)]
        status: Option<u16>,
    },
    /// The integration is unticked at the practice: the database login fails.
    LoginFailed,
    /// A daily quota of calls, then 403 with `Retry-After` until midnight UTC, in the gateway's form.
    Quota { calls: u64 },
    /// A number of calls in each stretch of seconds, then 429 with `Retry-After`, in the gateway's form.
    RateLimit { calls: u64, seconds: u64 },

    // --- any request
    /// A plain HTTP failure; `performed` says whether the request took effect all the same.
    Http {
        status: u16,
        #[serde(default)]
        message: Option<String>,
        #[serde(default)]
        retry_after: Option<u64>,
        #[serde(default)]
        envelope: Option<Envelope>,
        #[serde(default)]
        performed: bool,
    },
    /// The connection closes without an answer; `performed` says whether the request took effect.
    Lost {
        #[serde(default)]
        performed: bool,
    },
    /// The answer stops after so many bytes of its body.
    Cut { bytes: usize },
    /// The answer comes later.
    Delay { time: Stretch },

    // --- immediate queries
    /// 504, and the command runs to its end at the site if `commits`.
    Timeout {
        #[serde(default = "yes")]
        commits: bool,
    },
    /// The result counts as larger than allowed, after the command ran.
    TooLarge {
        #[serde(default)]
        form: TooLargeForm,
    },
    /// Failures come as HTTP 200, as they did before release 23.927.
    FailureInSuccess,

    // --- queries at work
    /// The query ends in this status; `uploadFailed` after it ran.
    Outcome {
        status: Status,
        #[serde(default)]
        code: Option<i64>,
        #[serde(default)]
        message: Option<String>,
    },
    /// The database answers with this SQL error.
    SqlError { code: i64, message: String },
    /// The query stays in `executing` as long as the rule stands.
    Stuck,
    /// Pages become available only this long after the query is `successful`, last page first if `reversed`.
    LatePages {
        time: Stretch,
        #[serde(default)]
        reversed: bool,
    },
    /// Pages are listed, and arrive over this time, while the query is still `uploading`.
    EarlyPages { time: Stretch },
    /// Pages answer 410.
    Gone,
    /// The result has no rows.
    ZeroRows,
    /// Pages lack their last row, while every count still has it.
    LostRow,
    /// Pages close at another size.
    PageSize { bytes: u64 },
    /// The first row of a result is blown up with blanks beyond this size.
    WideRow { bytes: usize },

    // --- webhooks
    /// What happens to a webhook.
    Webhook { defect: WebhookDefect },

    // --- what the documentation leaves open
    /// Other limits of registered queries at a site.
    RegisteredLimits {
        /// How many may be at work.
        #[serde(default)]
        most: Option<usize>,
        /// Whether no two at work may have one name.
        #[serde(default)]
        unique_names: bool,
    },
    /// Immediate queries are answered 504 after another time than 30 s. Real time.
    AnswerLimit { time: Stretch },
    /// Most query ids in a batch status request.
    BatchLimit { ids: usize },

    // --- wire
    /// Errors come in another shape.
    ErrorEnvelope { form: Envelope },
    /// Answers take liberties that a tolerant client survives.
    Wire(Liberties),
}

impl Fault {
    /// The endpoints at which it can strike; none if it is about the site as a whole, at every endpoint alike.
    fn reach(&self) -> &'static [Endpoint] {
        use Endpoint::{
            Async, Immediate, Page, Pair, RegisteredCreate, RegisteredRun, StatusBatch, Stream,
        };
        match self {
            Fault::Moved { .. }
            | Fault::Merged { .. }
            | Fault::Renamed { .. }
            | Fault::LinkVersion { .. }
            | Fault::ClockSkew { .. } => &[],
            Fault::Offline { .. }
            | Fault::Unreachable { .. }
            | Fault::Closed { .. }
            | Fault::Uninstalled => &[Pair, Immediate, Async, RegisteredRun],
            Fault::LoginFailed | Fault::SqlError { .. } | Fault::ZeroRows => {
                &[Immediate, Async, RegisteredRun]
            }
            Fault::DiesAfterDispatch => &[Immediate, Async],
            Fault::StuckChannel
            | Fault::Timeout { .. }
            | Fault::TooLarge { .. }
            | Fault::FailureInSuccess
            | Fault::AnswerLimit { .. } => &[Immediate],
            Fault::Outcome { .. } => &[Async, RegisteredCreate],
            Fault::Stuck
            | Fault::LatePages { .. }
            | Fault::EarlyPages { .. }
            | Fault::PageSize { .. }
            | Fault::WideRow { .. } => &[Async],
            Fault::Gone | Fault::LostRow => &[Page, Stream],
            Fault::Pairing { .. } => &[Pair],
            Fault::RegisteredLimits { .. } => &[RegisteredCreate],
            Fault::BatchLimit { .. } => &[StatusBatch],
            Fault::Webhook { .. } => &[Endpoint::Webhook],
            Fault::ShownUnpaired => &[Endpoint::Sites],
            Fault::Removed => &Endpoint::REQUESTS[3..],
            Fault::Unpaired => &Endpoint::REQUESTS[1..],
            Fault::KeyRefused
            | Fault::IpRefused
            | Fault::Quota { .. }
            | Fault::RateLimit { .. }
            | Fault::Http { .. }
            | Fault::Lost { .. }
            | Fault::Cut { .. }
            | Fault::Delay { .. }
            | Fault::ErrorEnvelope { .. }
            | Fault::Wire(_) => &Endpoint::REQUESTS,
        }
    }

    /// Says of the first of these endpoints where it cannot strike that it cannot: a rule that never strikes
    /// would only look like a client that survives.
    fn first_beyond_reach<'a>(&self, named: impl Iterator<Item = &'a Endpoint>) -> Option<String> {
        let reach = self.reach();
        let beyond = named.into_iter().find(|name| !reach.contains(name))?;
        let word = |endpoint: &Endpoint| json!(endpoint).as_str().unwrap_or_default().to_owned();
        let told = match reach {
            [] => "it is about the site at every endpoint: leave `endpoints` out".to_owned(),
            some => {
                let words: Vec<String> = some.iter().map(word).collect();
                format!("it strikes at {}", words.join(", "))
            }
        };
        Some(format!(
            "this fault never strikes at `{}`; {told}",
            word(beyond)
        ))
    }
}

/// Why a pairing fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PairingFault {
    Wrong,
    Expired,
    Reused,
    Regenerated,
    Unticked,
    /// The practice software answers something unexpected: 502.
    Unexpected,
}

/// How a result that is too large is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TooLargeForm {
    /// HTTP 413.
    #[default]
    Status,
    /// HTTP 400 with an error code of 413 inside.
    Details,
}

/// What happens to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum WebhookDefect {
    /// Sent twice.
    Duplicate,
    /// Kept back until the next one has gone.
    Reordered,
    /// Sent ten minutes later, freshly signed.
    Delayed,
    /// Sent with the signature and time stamp of ten minutes ago.
    Stale,
    /// Signed with another key.
    BadSignature,
    /// Sent before the status endpoint says `successful`.
    Early,
    /// Not sent.
    Lost,
}

/// Liberties in the JSON of answers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Liberties {
    /// Fields nobody has announced.
    pub(super) unknown_fields: bool,
    /// Values nobody has announced where an enumeration is expected.
    pub(super) unknown_values: bool,
    /// Optional fields are left out.
    pub(super) omit_optional: bool,
    /// Numbers come as text.
    pub(super) numbers_as_text: bool,
    /// Digits after the second in time stamps, 0 to 7.
    pub(super) fraction_digits: Option<usize>,
    /// Bodies are compressed where the client accepts it.
    pub(super) gzip: bool,
    /// What a stream answer looks like.
    pub(super) stream: StreamForm,
    /// An empty result has no page instead of one that holds `[]`.
    pub(super) no_empty_page: bool,
}

/// The three shapes that a stream answer may have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum StreamForm {
    /// The row array itself.
    #[default]
    Rows,
    /// The `data` envelope.
    Envelope,
    /// The row array as one JSON string.
    Text,
}

/// A local time of day, `HH:MM`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LocalTime(pub(super) NaiveTime);

impl LocalTime {
    /// Whether `time` lies in the half-open stretch from `self` to `until`, which may cross midnight.
    pub(super) fn reaches(self, until: LocalTime, time: NaiveTime) -> bool {
        if self.0 <= until.0 {
            self.0 <= time && time < until.0
        } else {
            time >= self.0 || time < until.0
        }
    }
}

/// A fault with its selection.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rule {
    selection: Selection,
    fault: Fault,
}

/// Where and when a fault strikes.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Selection {
    /// PMS ids; every site if absent.
    sites: Option<Vec<String>>,
    /// Every endpoint that the fault can touch if absent.
    endpoints: Option<Vec<Endpoint>>,
    /// Simulated time from when the rule is given until it begins.
    after: Option<Stretch>,
    /// Simulated time that it stands.
    lasts: Option<Stretch>,
    /// Occasions to let pass first.
    skip: u64,
    /// Occasions at which it strikes.
    times: Option<u64>,
    /// Share of occasions at which it strikes, 0 to 1.
    chance: Option<f64>,
}

const SELECTION_KEYS: [&str; 7] = [
    "sites",
    "endpoints",
    "after",
    "lasts",
    "skip",
    "times",
    "chance",
];

impl<'de> Deserialize<'de> for Rule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut fault = Map::<String, Value>::deserialize(deserializer)?;
        let selection: Map<_, _> = SELECTION_KEYS
            .iter()
            .filter_map(|key| fault.remove(*key).map(|value| ((*key).to_owned(), value)))
            .collect();
        let selection: Selection =
            serde_json::from_value(selection.into()).map_err(de::Error::custom)?;
        if selection
            .chance
            .is_some_and(|chance| !(0.0..=1.0).contains(&chance))
        {
            return Err(de::Error::custom("chance is a share between 0 and 1"));
        }
        let fault: Fault = serde_json::from_value(fault.into()).map_err(de::Error::custom)?;
        let named = selection.endpoints.iter().flatten();
        if let Some(beyond) = fault.first_beyond_reach(named) {
            return Err(de::Error::custom(beyond));
        }
        Ok(Rule { selection, fault })
    }
}

/// The rules in force.
#[derive(Debug)]
pub(super) struct Faults {
    book: Mutex<Book>,
    changed: watch::Sender<()>,
}

#[derive(Debug)]
struct Book {
    entries: Vec<Entry>,
    next_id: u64,
    dice: fastrand::Rng,
}

#[derive(Debug)]
struct Entry {
    id: u64,
    rule: Rule,
    from: DateTime<Utc>,
    until: Option<DateTime<Utc>>,
    /// Occasions that fitted.
    seen: u64,
    /// Occasions at which it struck.
    struck: u64,
}

/// A rule as the control endpoint lists it.
#[derive(Debug, Serialize)]
pub(super) struct Listed {
    pub(super) id: u64,
    pub(super) fault: Fault,
    pub(super) sites: Option<Vec<String>>,
    pub(super) endpoints: Option<Vec<Endpoint>>,
    pub(super) from: DateTime<Utc>,
    pub(super) until: Option<DateTime<Utc>>,
    /// Occasions at which it struck.
    pub(super) struck: u64,
}

impl Faults {
    /// An empty book whose dice are decided by the seed.
    pub(super) fn new(seed: u64) -> Faults {
        let book = Book {
            entries: Vec::new(),
            next_id: 1,
            dice: fastrand::Rng::with_seed(seed),
        };
        Faults {
            book: Mutex::new(book),
            changed: watch::Sender::new(()),
        }
    }

    /// Adds a rule, whose time begins `now`; returns its number.
    pub(super) fn add(&self, rule: Rule, now: DateTime<Utc>) -> u64 {
        let id = {
            let mut book = self.book();
            let id = book.next_id;
            book.next_id += 1;
            let from = now
                + delta(
                    rule.selection
                        .after
                        .map_or_else(Default::default, |after| after.0),
                );
            let until = rule.selection.lasts.map(|lasts| from + delta(lasts.0));
            book.entries.push(Entry {
                id,
                rule,
                from,
                until,
                seen: 0,
                struck: 0,
            });
            id
        };
        self.changed.send_replace(());
        id
    }

    /// Takes a rule out; false if there is none of that number.
    pub(super) fn remove(&self, id: u64) -> bool {
        let found = {
            let mut book = self.book();
            let before = book.entries.len();
            book.entries.retain(|entry| entry.id != id);
            book.entries.len() < before
        };
        self.changed.send_replace(());
        found
    }

    /// Takes every rule out.
    pub(super) fn clear(&self) {
        self.book().entries.clear();
        self.changed.send_replace(());
    }

    /// Waits until rules are added or taken out. Call before looking, so that no change is missed.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Asks whether something is to go wrong on this occasion; counts it when it does.
    ///
    /// `pick` says which faults matter here and takes from them what the caller needs.
    pub(super) fn strike<T>(
        &self,
        now: DateTime<Utc>,
        site: Option<&str>,
        endpoint: Endpoint,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        let mut book = self.book();
        let Book { entries, dice, .. } = &mut *book;
        for entry in entries
            .iter_mut()
            .filter(|entry| entry.fits(now, site, Some(endpoint)))
        {
            if let Some(picked) = pick(&entry.rule.fault)
                && entry.occasion(dice)
            {
                return Some(picked);
            }
        }
        None
    }

    /// What stands at a site now, without counting: for answers that describe the site.
    pub(super) fn standing<T>(
        &self,
        now: DateTime<Utc>,
        site: &str,
        pick: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        self.standing_since(now, site, |fault, _| pick(fault))
    }

    /// As [`Faults::standing`]; `pick` also learns since when each rule stands.
    pub(super) fn standing_since<T>(
        &self,
        now: DateTime<Utc>,
        site: &str,
        pick: impl Fn(&Fault, DateTime<Utc>) -> Option<T>,
    ) -> Option<T> {
        let book = self.book();
        let mut entries = book
            .entries
            .iter()
            .filter(|entry| !entry.is_spent() && entry.fits(now, Some(site), None));
        entries.find_map(|entry| pick(&entry.rule.fault, entry.from))
    }

    /// Every rule with the number of times it struck.
    pub(super) fn list(&self) -> Vec<Listed> {
        let book = self.book();
        book.entries.iter().map(Entry::listed).collect()
    }

    fn book(&self) -> MutexGuard<'_, Book> {
        self.book.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entry {
    fn fits(&self, now: DateTime<Utc>, site: Option<&str>, endpoint: Option<Endpoint>) -> bool {
        let selection = &self.rule.selection;
        let in_time = self.from <= now && self.until.is_none_or(|until| now < until);
        let at_site = selection
            .sites
            .as_ref()
            .is_none_or(|sites| site.is_some_and(|site| sites.iter().any(|s| s == site)));
        let at_endpoint = match (&selection.endpoints, endpoint) {
            (Some(endpoints), Some(endpoint)) => endpoints.contains(&endpoint),
            _ => true,
        };
        in_time && at_site && at_endpoint
    }

    /// Whether it has struck as often as it may.
    fn is_spent(&self) -> bool {
        let times = self.rule.selection.times;
        times.is_some_and(|times| self.struck >= times)
    }

    /// Counts an occasion and says whether the fault strikes.
    fn occasion(&mut self, dice: &mut fastrand::Rng) -> bool {
        let selection = &self.rule.selection;
        self.seen += 1;
        let strikes = self.seen > selection.skip
            && !self.is_spent()
            && selection.chance.is_none_or(|chance| dice.f64() < chance);
        self.struck += u64::from(strikes);
        strikes
    }

    fn listed(&self) -> Listed {
        Listed {
            id: self.id,
            fault: self.rule.fault.clone(),
            sites: self.rule.selection.sites.clone(),
            endpoints: self.rule.selection.endpoints.clone(),
            from: self.from,
            until: self.until,
            struck: self.struck,
        }
    }
}

fn yes() -> bool {
    true
}

impl<'de> Deserialize<'de> for LocalTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        NaiveTime::parse_from_str(&text, "%H:%M")
            .map(LocalTime)
            .map_err(|_| de::Error::custom("write a time of day as \"18:30\""))
    }
}

impl Serialize for LocalTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.format("%H:%M").to_string())
    }
}

//! Why a site stands as it does. Pure: the time is passed in.

use chrono::{DateTime, Utc};

use crate::domain::{ExtractionState, Mender, Site, SiteState, Waiting};
use crate::ledger::{AuditEntry, ExtractionRow, Setback, SiteIdentity, Unfinished};

use super::explanation::{Explanation, Fact, Newest, Waits, instant};

/// What the ledger tells besides the site itself.
pub(super) struct Told<'a> {
    /// Every change of it, oldest first.
    pub(super) changes: &'a [AuditEntry],
    /// The GUIDs and names that it had, oldest first.
    pub(super) identities: &'a [SiteIdentity],
    /// The newest window of each query.
    pub(super) newest: Vec<ExtractionRow>,
    /// What is not published, by state.
    pub(super) unfinished: Vec<Unfinished>,
    /// Queries posted to it this month.
    pub(super) posted: u32,
    /// How many may be.
    pub(super) budget: Option<u32>,
}

/// Why something stands as it does, who can mend it, and the next step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cause {
    pub(super) reason: String,
    pub(super) who: Option<String>,
    pub(super) next: Option<String>,
}

impl Cause {
    /// What stood in the way, in the words in which it was told then.
    pub(super) fn of(setback: &Setback) -> Self {
        Self {
            reason: match &setback.why {
                Some(why) => format!("{}. {why}", setback.what.trim_end_matches('.')),
                None => setback.what.clone(),
            },
            who: Some(setback.who.clone()),
            next: setback.next.clone(),
        }
    }

    /// With another sentence after the next step.
    pub(super) fn and(self, more: &str) -> Self {
        let next = match self.next {
            Some(next) => format!("{}; {more}", next.trim_end_matches('.')),
            None => more.to_owned(),
        };
        Self {
            next: Some(next),
            ..self
        }
    }

    fn operator(reason: impl Into<String>, next: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            who: Some(Mender::Operator.to_string()),
            next: Some(next.into()),
        }
    }
}

/// How it stands, and why.
pub(super) fn explain(site: &Site, told: Told<'_>, now: DateTime<Utc>) -> Explanation {
    let changed = told
        .changes
        .iter()
        .rev()
        .find(|entry| entry.changes.contains_key("state"));
    let Cause { reason, who, next } = if site.state == SiteState::Active {
        active(site, &told)
    } else {
        not_active(site)
    };
    Explanation {
        about: site.key.to_string(),
        state: site.state.to_string(),
        since: changed.and_then(|entry| entry.at.parse().ok()),
        reason,
        who,
        next,
        facts: facts(site, &told, changed, now),
        attempts: Vec::new(),
        newest: told.newest.iter().map(newest).collect(),
        unfinished: told
            .unfinished
            .iter()
            .map(|group| waits(group, site))
            .collect(),
    }
}

/// Why nothing is extracted from a site that is not active.
pub(super) fn not_active(site: &Site) -> Cause {
    let key = &site.key;
    match site.state {
        SiteState::Invited => Cause::operator(
            "it is known, and was never paired, so nothing can be asked of it",
            format!(
                "ask the practice for a pairing code (halo-extract site instructions --for practice), then: halo-extract site pair \
                 --pms-id {} --key {key} --code -",
                site.pms_id
            ),
        ),
        SiteState::Held => Cause::operator(
            "it is paired, and extraction was not begun or was stopped",
            format!(
                "when the practice knows that extraction begins: halo-extract site activate {key} --reason TEXT"
            ),
        ),
        SiteState::Paused => match site.paused_until {
            Some(until) => Cause {
                reason: format!("extraction is stopped until {until}"),
                who: Some(Mender::Time.to_string()),
                next: Some(format!(
                    "nothing: it goes on by itself; sooner: halo-extract site activate {key} --reason TEXT"
                )),
            },
            None => Cause::operator(
                "extraction is stopped until somebody activates it again",
                format!("to go on: halo-extract site activate {key} --reason TEXT"),
            ),
        },
        SiteState::IdentityReview => Cause::operator(
            "the API or its own database tells another practice name, or its id leads to several sites: it may be another practice now",
            format!(
                "halo-extract site review {key} shows both names; ask the practice whether it moved or merged; if it is the same: \
                 halo-extract site review {key} --accept --reason TEXT; if not: halo-extract site review {key} --reject --reason TEXT"
            ),
        ),
        SiteState::Withdrawn => Cause::operator(
            "the practice withdrew; nothing is asked of it any more",
            format!(
                "nothing; if it comes back, with a new code: halo-extract site pair --pms-id {} --key {key} --code -",
                site.pms_id
            ),
        ),
        SiteState::Active => Cause {
            reason: "it is active".to_owned(),
            who: None,
            next: None,
        },
    }
}

/// The first of: what failed, what waits for somebody, what waits for time; else nothing.
fn active(site: &Site, told: &Told<'_>) -> Cause {
    let Some(worst) = told
        .unfinished
        .iter()
        .min_by_key(|group| weight(&group.state))
    else {
        return if told.newest.is_empty() {
            Cause::operator(
                "nothing was asked of it yet",
                format!("halo-extract run --site {}", site.key),
            )
        } else {
            Cause {
                reason: "everything that was planned for it is published".to_owned(),
                who: None,
                next: None,
            }
        };
    };
    let total: u64 = told.unfinished.iter().map(|group| group.extractions).sum();
    let cause = standing(worst, site);
    let count = match total {
        1 => "1 extraction is not published".to_owned(),
        _ => format!("{total} extractions are not published"),
    };
    Cause {
        reason: format!(
            "{count}; {} {}: {}",
            worst.extractions, worst.state, cause.reason
        ),
        ..cause
    }
}

/// What must be looked at first.
fn weight(state: &ExtractionState) -> u8 {
    match state {
        ExtractionState::Failed(_) => 0,
        ExtractionState::Unknown(_) => 1,
        ExtractionState::Pending(Waiting::SiteOffline | Waiting::BackingOff) => 2,
        ExtractionState::Pending(Waiting::BudgetSpent | Waiting::RateLimited) => 3,
        ExtractionState::Pending(_) => 4,
        ExtractionState::Running(_) | ExtractionState::Succeeded | ExtractionState::Cancelled => 5,
    }
}

fn standing(group: &Unfinished, site: &Site) -> Cause {
    let run = format!("halo-extract run --site {}", site.key);
    match (&group.state, &group.setback) {
        (ExtractionState::Failed(_) | ExtractionState::Pending(_), Some(setback)) => {
            Cause::of(setback)
        }
        (ExtractionState::Pending(Waiting::Worker), None) => {
            Cause::operator("they wait for a worker", format!("ask them now: {run}"))
        }
        (ExtractionState::Pending(Waiting::Interrupted), None) => Cause::operator(
            "the worker that had them was stopped",
            format!("go on with them: {run}"),
        ),
        (ExtractionState::Pending(waiting), None) => Cause {
            reason: format!("they wait ({waiting})"),
            who: Some(Mender::Time.to_string()),
            next: None,
        },
        (ExtractionState::Running(_), _) => Cause {
            reason: "a worker is at it".to_owned(),
            who: Some(Mender::Time.to_string()),
            next: None,
        },
        (state, _) => Cause::operator(
            format!("they stand {state}"),
            format!("ask them again, which tells what stands in their way: {run}"),
        ),
    }
}

fn waits(group: &Unfinished, site: &Site) -> Waits {
    let Cause { reason, who, next } = standing(group, site);
    Waits {
        state: group.state.to_string(),
        extractions: group.extractions,
        not_before: matches!(group.state, ExtractionState::Pending(_)).then_some(group.not_before),
        reason,
        who,
        next,
    }
}

fn newest(row: &ExtractionRow) -> Newest {
    Newest {
        query: row.extraction.query.to_string(),
        window: row.extraction.window.to_string(),
        state: row.state.to_string(),
        since: row.changed_at,
        rows: row.object.as_ref().map(|object| object.rows),
    }
}

fn facts(
    site: &Site,
    told: &Told<'_>,
    changed: Option<&AuditEntry>,
    now: DateTime<Utc>,
) -> Vec<Fact> {
    let fact = |name, value: String| Fact { name, value };
    let mut facts = Vec::new();
    if let Some(entry) = changed {
        let reason = if entry.reason.is_empty() {
            "no reason was given"
        } else {
            &entry.reason
        };
        facts.push(fact(
            "last changed by",
            format!("{} ({}): {reason}", entry.actor, entry.action),
        ));
    }
    facts.push(fact(
        "practice",
        format!(
            "{}, Site ID {}",
            site.practice_name.as_deref().unwrap_or("without a name"),
            site.pms_id
        ),
    ));
    if let [.., before, last] = told.identities {
        facts.push(fact(
            "identity",
            format!(
                "since {}; before that {}",
                instant(last.since),
                before.practice_name.as_deref().unwrap_or("without a name")
            ),
        ));
    }
    if let Some(hours) = site.overrides.quiet_hours {
        let local = now.with_timezone(&site.time_zone);
        let standing = if hours.contains(local.time()) {
            "extraction may run now"
        } else {
            "extraction waits now"
        };
        facts.push(fact(
            "quiet hours",
            format!(
                "{hours} {}; it is {} there, {standing}",
                site.time_zone,
                local.format("%H:%M")
            ),
        ));
    }
    facts.push(fact(
        "budget",
        match told.budget {
            Some(budget) => format!("{} of {budget} queries posted this month", told.posted),
            None => format!("none; {} queries posted this month", told.posted),
        },
    ));
    if site.halo_guid.is_some() {
        facts.push(fact(
            "seen from Halo Cloud",
            format!("ask now: halo-extract site verify {}", site.key),
        ));
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{FailureClass, PmsType, SiteOverrides};

    fn now() -> DateTime<Utc> {
        "2026-11-19T11:30:00Z".parse().expect("a time")
    }

    fn site(state: SiteState) -> Site {
        Site {
            key: "s1".parse().expect("a key"),
            pms_type: PmsType::BestPractice,
            pms_id: "40123".parse().expect("an id"),
            halo_guid: None,
            practice_name: Some("Example Street Clinic".to_owned()),
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: chrono_tz::Australia::Brisbane,
            groups: Vec::new(),
            state,
            paused_until: None,
            overrides: SiteOverrides {
                quiet_hours: "20:00-06:00".parse().ok(),
                ..SiteOverrides::default()
            },
        }
    }

    fn group(state: ExtractionState, what: Option<&str>) -> Unfinished {
        Unfinished {
            extractions: 3,
            not_before: now(),
            setback: what.map(|what| Setback {
                at: now(),
                class: FailureClass::Site,
                who: "the practice".to_owned(),
                what: what.to_owned(),
                why: None,
                next: Some(format!("mend {what}")),
            }),
            state,
        }
    }

    fn told(site: &Site, unfinished: Vec<Unfinished>) -> Explanation {
        let told = Told {
            changes: &[],
            identities: &[],
            newest: Vec::new(),
            unfinished,
            posted: 4,
            budget: Some(900),
        };
        explain(site, told, now())
    }

    #[test]
    fn what_failed_is_told_before_what_waits() {
        let told = told(
            &site(SiteState::Active),
            vec![
                group(
                    ExtractionState::Pending(Waiting::SiteOffline),
                    Some("a silent server"),
                ),
                group(
                    ExtractionState::Failed(FailureClass::Sql),
                    Some("a missing table"),
                ),
                group(ExtractionState::Pending(Waiting::Worker), None),
            ],
        );
        assert!(
            told.reason
                .starts_with("9 extractions are not published; 3 failed (sql): a missing table"),
            "{}",
            told.reason
        );
        assert_eq!(told.next.as_deref(), Some("mend a missing table"));
        let groups: Vec<_> = told
            .unfinished
            .iter()
            .map(|waits| waits.reason.as_str())
            .collect();
        assert_eq!(
            groups,
            [
                "a silent server",
                "a missing table",
                "they wait for a worker"
            ]
        );
    }

    #[test]
    fn a_state_that_stops_everything_is_told_before_anything_that_failed() {
        let failed = || {
            vec![group(
                ExtractionState::Failed(FailureClass::Sql),
                Some("a missing table"),
            )]
        };
        for state in [
            SiteState::Invited,
            SiteState::Held,
            SiteState::Paused,
            SiteState::IdentityReview,
            SiteState::Withdrawn,
        ] {
            let told = told(&site(state), failed());
            assert!(!told.reason.contains("missing table"), "{state}: {told:?}");
            assert!(
                told.next
                    .is_some_and(|next| next.contains("halo-extract site ")),
                "{state}"
            );
        }
    }

    #[test]
    fn a_pause_with_an_end_is_mended_by_time() {
        let site = Site {
            paused_until: "2026-12-01".parse().ok(),
            ..site(SiteState::Paused)
        };
        let told = told(&site, Vec::new());
        assert!(told.reason.contains("until 2026-12-01"), "{told:?}");
        assert_eq!(told.who.as_deref(), Some("time"));
    }

    #[test]
    fn quiet_hours_and_budget_are_told_as_they_are_now_at_the_site() {
        let told = told(&site(SiteState::Active), Vec::new());
        let fact = |name: &str| {
            let found = told.facts.iter().find(|fact| fact.name == name);
            found.expect("a fact").value.clone()
        };
        assert_eq!(
            fact("quiet hours"),
            "20:00-06:00 Australia/Brisbane; it is 21:30 there, extraction may run now"
        );
        assert_eq!(fact("budget"), "4 of 900 queries posted this month");
    }
}

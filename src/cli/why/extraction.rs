//! Why an extraction stands as it does. Pure: the time is passed in.

use chrono::{DateTime, Utc};

use crate::domain::{Extraction, ExtractionState, Mender, Mode, Site, SiteState, Waiting};
use crate::ledger::{AttemptRow, AuditEntry, ExtractionRow, Setback};

use super::explanation::{Explanation, Fact, instant};
use super::site::{Cause, not_active};

/// What the ledger tells besides the extraction itself.
pub(super) struct Told<'a> {
    /// Its attempts, by number.
    pub(super) attempts: Vec<AttemptRow>,
    /// What last stood in its way since it last succeeded.
    pub(super) setback: Option<Setback>,
    /// What people did to it by hand, oldest first.
    pub(super) changes: &'a [AuditEntry],
    /// The command that asks it (again).
    pub(super) again: String,
}

/// The command that asks exactly this extraction. Without the query's mode it names both ways to give a day.
pub(super) fn ask_command(extraction: &Extraction, mode: Option<Mode>) -> String {
    let Extraction {
        site,
        query,
        window,
    } = extraction;
    let days = format!("--from {} --to {}", window.start(), window.end());
    let day = format!("--snapshot-date {}", window.start());
    let dates = match mode {
        Some(Mode::Incremental { .. }) => days,
        Some(Mode::Snapshot) => day,
        None => format!("{days} {day}"),
    };
    format!("halo-extract run --site {site} --query {query} {dates}")
}

/// How it stands, and why.
pub(super) fn explain(
    row: &ExtractionRow,
    site: &Site,
    told: Told<'_>,
    now: DateTime<Utc>,
) -> Explanation {
    let Cause { reason, who, next } = cause(row, site, &told, now);
    let mut facts = vec![Fact {
        name: "planned",
        value: format!(
            "{}, {} lane, because {}",
            instant(row.planned_at),
            row.lane,
            row.due
        ),
    }];
    if matches!(row.state, ExtractionState::Pending(_)) {
        let value = if row.not_before > now {
            instant(row.not_before)
        } else {
            "now".to_owned()
        };
        facts.push(Fact {
            name: "may start",
            value,
        });
    }
    if let Some(object) = &row.object {
        let value = format!("{} ({} rows)", object.path, object.rows);
        facts.push(Fact {
            name: "published",
            value,
        });
    }
    if let Some(remote) = told.attempts.last().and_then(|attempt| attempt.remote) {
        facts.push(Fact {
            name: "remote query",
            value: remote.to_string(),
        });
    }
    if matches!(
        row.state,
        ExtractionState::Failed(_) | ExtractionState::Cancelled
    ) {
        facts.push(Fact {
            name: "then ask again",
            value: told.again.clone(),
        });
    }
    Explanation {
        about: row.extraction.to_string(),
        state: row.state.to_string(),
        since: Some(row.changed_at),
        reason,
        who,
        next,
        facts,
        attempts: told.attempts,
        newest: Vec::new(),
        unfinished: Vec::new(),
    }
}

fn cause(row: &ExtractionRow, site: &Site, told: &Told<'_>, now: DateTime<Utc>) -> Cause {
    match &row.state {
        ExtractionState::Pending(_) if site.state != SiteState::Active => {
            let cause = not_active(site);
            Cause {
                reason: format!("its site is {}: {}", site.state, cause.reason),
                ..cause
            }
        }
        ExtractionState::Pending(waiting) => pending(row, site, waiting, told, now),
        ExtractionState::Running(step) => running(row, &step.to_string(), told, now),
        ExtractionState::Succeeded => Cause {
            reason: match &row.gone {
                Some(gone) => format!("its object was published, and is {gone} since"),
                None => "its object is published and proven".to_owned(),
            },
            who: None,
            next: Some(format!(
                "nothing; to extract it anew: {} --again",
                told.again
            )),
        },
        ExtractionState::Failed(class) => told.setback.as_ref().map_or_else(
            || Cause {
                reason: told
                    .attempts
                    .last()
                    .and_then(|attempt| attempt.message.clone())
                    .unwrap_or_else(|| format!("its last attempt failed ({class})")),
                who: Some(Mender::Operator.to_string()),
                next: Some(format!(
                    "ask again, which tells what stands in its way: {}",
                    told.again
                )),
            },
            Cause::of,
        ),
        ExtractionState::Cancelled => Cause {
            reason: match told.changes.last() {
                Some(change) => format!("called off by {}: {}", change.actor, change.reason),
                None => "it was called off: its days are part of a later night's window, or its site's work ended".to_owned(),
            },
            who: Some(Mender::Operator.to_string()),
            next: Some("nothing, unless it is wanted after all".to_owned()),
        },
        ExtractionState::Unknown(text) => Cause {
            reason: format!("a newer program left it in the state `{text}`"),
            who: Some(Mender::Operator.to_string()),
            next: Some("ask the program of the newest version on this machine".to_owned()),
        },
    }
}

fn pending(
    row: &ExtractionRow,
    site: &Site,
    waiting: &Waiting,
    told: &Told<'_>,
    now: DateTime<Utc>,
) -> Cause {
    let due = row.not_before <= now;
    let sooner = if due {
        format!("it is due; ask it now: {}", told.again)
    } else {
        format!(
            "it may start from {}; to ask it sooner: {}",
            instant(row.not_before),
            told.again
        )
    };
    let operator = Some(Mender::Operator.to_string());
    let time = Some(Mender::Time.to_string());
    if row.halted {
        return Cause {
            reason: "it is a unit of a backfill that does not run now".to_owned(),
            who: operator,
            next: Some(format!(
                "see which it is (halo-extract backfill list) and resume it, or ask this one by itself: {}",
                told.again
            )),
        };
    }
    match waiting {
        Waiting::Worker => Cause {
            reason: "nothing stands in its way; it waits for a free worker".to_owned(),
            who: if due { operator } else { time },
            next: Some(sooner),
        },
        Waiting::QuietHours => Cause {
            reason: match site.overrides.quiet_hours {
                Some(hours) => format!(
                    "the practice lends us its server only from {} to {} ({})",
                    hours.start().format("%H:%M"),
                    hours.end().format("%H:%M"),
                    site.time_zone
                ),
                None => "the practice does not lend us its server at this hour".to_owned(),
            },
            who: time,
            next: Some(sooner),
        },
        Waiting::SiteHeld => Cause {
            reason: "the site was not active when its turn came; it is now".to_owned(),
            who: operator,
            next: Some(sooner),
        },
        Waiting::Interrupted => Cause {
            reason: "the worker that had it was stopped; the next one goes on where it was"
                .to_owned(),
            who: operator,
            next: Some(format!("go on with it: {}", told.again)),
        },
        Waiting::BudgetSpent
        | Waiting::SiteOffline
        | Waiting::RateLimited
        | Waiting::BackingOff
        | Waiting::Unknown(_) => match &told.setback {
            Some(setback) => Cause::of(setback).and(&sooner),
            None => Cause {
                reason: format!("it waits: {waiting}"),
                who: time,
                next: Some(sooner),
            },
        },
    }
}

fn running(row: &ExtractionRow, step: &str, told: &Told<'_>, now: DateTime<Utc>) -> Cause {
    let worker = row.worker.as_deref().unwrap_or("a worker");
    if row.lease_until.is_some_and(|until| until > now) {
        Cause {
            reason: format!("worker {worker} is at it ({step})"),
            who: Some(Mender::Time.to_string()),
            next: Some("nothing; look again in a while".to_owned()),
        }
    } else {
        Cause {
            reason: format!("worker {worker} had it ({step}) and has not been heard of since"),
            who: Some(Mender::Operator.to_string()),
            next: Some(format!("go on with it: {}", told.again)),
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;

    use super::*;
    use crate::domain::{Due, Lane, SiteOverrides, Step};

    fn now() -> DateTime<Utc> {
        "2026-11-19T02:00:00Z".parse().expect("a time")
    }

    fn site() -> Site {
        Site {
            key: "s1".parse().expect("a key"),
            pms_type: crate::domain::PmsType::BestPractice,
            pms_id: "40123".parse().expect("an id"),
            halo_guid: None,
            practice_name: None,
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: chrono_tz::Australia::Brisbane,
            groups: Vec::new(),
            paused_until: None,
            overrides: SiteOverrides {
                quiet_hours: "20:00-06:00".parse().ok(),
                ..SiteOverrides::default()
            },
            state: SiteState::Active,
        }
    }

    fn row(state: ExtractionState) -> ExtractionRow {
        ExtractionRow {
            extraction: "s1/visit@v1/2026-11-18..2026-11-19".parse().expect("one"),
            state,
            due: Due::Scheduled,
            lane: Lane::Nightly,
            priority: 0,
            halted: false,
            not_before: now() + TimeDelta::hours(8),
            planned_at: now(),
            changed_at: now(),
            worker: Some("w1".to_owned()),
            lease_until: Some(now() + TimeDelta::minutes(1)),
            attempts: 0,
            proof: None,
            object: None,
            gone: None,
            variant: None,
            extracted_at: None,
        }
    }

    fn told(row: &ExtractionRow) -> Explanation {
        let told = Told {
            attempts: Vec::new(),
            setback: None,
            changes: &[],
            again: ask_command(&row.extraction, None),
        };
        explain(row, &site(), told, now())
    }

    #[test]
    fn quiet_hours_are_told_in_the_sites_own_time_and_mend_themselves() {
        let told = told(&row(ExtractionState::Pending(Waiting::QuietHours)));
        assert!(
            told.reason
                .contains("from 20:00 to 06:00 (Australia/Brisbane)"),
            "{told:?}"
        );
        assert_eq!(told.who.as_deref(), Some("time"));
        assert!(told.next.expect("next").contains("2026-11-19 10:00 UTC"));
    }

    #[test]
    fn a_worker_is_left_alone_until_its_lease_is_over() {
        let at_work = row(ExtractionState::Running(Step::Fetching));
        assert_eq!(told(&at_work).who.as_deref(), Some("time"));

        let silent = ExtractionRow {
            lease_until: Some(now()),
            ..at_work
        };
        let told = told(&silent);
        assert_eq!(told.who.as_deref(), Some("the operator"));
        assert!(
            told.next
                .expect("next")
                .contains("halo-extract run --site s1")
        );
    }

    #[test]
    fn every_state_has_a_reason_and_whoever_can_mend_something_has_a_next_step() {
        let mut states = vec![
            ExtractionState::Running(Step::Polling),
            ExtractionState::Succeeded,
            ExtractionState::Cancelled,
            ExtractionState::Unknown("asleep".to_owned()),
        ];
        states.extend(crate::domain::FailureClass::ALL.map(ExtractionState::Failed));
        states.extend(
            [
                Waiting::Worker,
                Waiting::QuietHours,
                Waiting::SiteOffline,
                Waiting::SiteHeld,
                Waiting::BudgetSpent,
                Waiting::RateLimited,
                Waiting::BackingOff,
                Waiting::Interrupted,
                Waiting::Unknown("moon".to_owned()),
            ]
            .map(ExtractionState::Pending),
        );
        for state in states {
            let told = told(&row(state));
            assert!(!told.reason.is_empty(), "{told:?}");
            assert!(told.next.is_some(), "{told:?}");
        }
    }

    #[test]
    fn a_unit_of_a_paused_backfill_waits_for_the_backfill_and_not_for_a_worker() {
        let mut row = row(ExtractionState::Pending(Waiting::Worker));
        row.halted = true;

        let told = told(&row);

        assert!(told.reason.contains("backfill"), "{told:?}");
        assert!(
            told.next
                .expect("next")
                .contains("halo-extract backfill list")
        );
    }

    #[test]
    fn the_command_names_the_days_in_the_way_of_the_query() {
        let extraction = row(ExtractionState::Succeeded).extraction;
        let ask = |mode| ask_command(&extraction, mode);
        assert_eq!(
            ask(Some(Mode::Incremental { overlap_days: 2 })),
            "halo-extract run --site s1 --query visit@v1 --from 2026-11-18 --to 2026-11-19"
        );
        assert_eq!(
            ask(Some(Mode::Snapshot)),
            "halo-extract run --site s1 --query visit@v1 --snapshot-date 2026-11-18"
        );
    }
}

use rusqlite::Connection;

use super::*;
use crate::domain::{
    BackfillEvent, FailureClass, FailureLimit, Open, Retry, Standing, Tonight, Waiting, Window,
};
use crate::ledger::{NewBackfill, NightOutcome, Requested, Steered};

const VISIT: &str = "s1/visit@v1/2026-11-18..2026-11-19";

/// Noon in Brisbane, where the sites of these tests are, `day` days after 19 November 2026.
fn noon(day: i64) -> DateTime<Utc> {
    at("02:00") + chrono::TimeDelta::days(day)
}

fn window(text: &str) -> Window {
    text.parse().expect("a window")
}

fn night(windows: &[&str], superseded: &[&str]) -> Tonight {
    let of = |text: &&str| extraction(&format!("s1/visit@v1/{text}"));
    let extractions: Vec<_> = windows.iter().map(of).collect();
    let (first, last) = (&extractions[0], &extractions[extractions.len() - 1]);
    Tonight {
        site: first.site.clone(),
        query: first.query.clone(),
        from: first.window.start(),
        to: last.window.end(),
        planned: extractions
            .iter()
            .map(|extraction| Planned {
                extraction: extraction.clone(),
                lane: Lane::Nightly,
                priority: 0,
                due: Due::Scheduled,
                not_before: at("01:30"),
            })
            .collect(),
        superseded: superseded.iter().map(of).collect(),
    }
}

impl Home {
    fn night(&self, windows: &[&str], superseded: &[&str], now: DateTime<Utc>) -> NightOutcome {
        let night = night(windows, superseded);
        self.ledger.plan_nights(&[night], now).expect("a plan")
    }

    fn standing(&self) -> Standing {
        let standings = self.ledger.standings().expect("standings");
        let (_, of_site) = standings.into_iter().next().expect("one site");
        of_site.into_values().next().expect("one query")
    }

    /// Extracts the next one that is due.
    fn extract(&self, now: DateTime<Utc>) {
        let mut request = request("02:00");
        request.now = now;
        let claim = self.ledger.claim(&request).expect("a claim").expect("due");
        journalled(self.ledger.begin_submit(&claim, guid(), None, now));
        let done = self
            .ledger
            .succeed(&claim, &proof(7), &object(7), AttemptCost::default(), now);
        recorded(done);
    }
}

#[test]
fn the_same_night_is_taken_in_once() {
    let home = Home::with_sites();

    let first = home.night(&["2026-11-18..2026-11-19"], &[], noon(0));
    let second = home.night(&["2026-11-18..2026-11-19"], &[], noon(0));

    assert_eq!(
        first,
        NightOutcome {
            planned: 1,
            superseded: 0
        }
    );
    assert_eq!(second, NightOutcome::default());
}

#[test]
fn the_frontier_moves_over_what_it_touches() {
    let home = Home::with_sites();
    home.night(&["2026-11-16..2026-11-17"], &[], noon(0));
    let claim = home.claim("02:00").expect("due");
    journalled(home.ledger.begin_submit(&claim, guid(), None, noon(0)));
    home.night(&["2026-11-17..2026-11-19"], &[], noon(0));
    let mut other = request("02:00");
    other.per_site_limit = 2;
    let later = home.ledger.claim(&other).expect("a claim").expect("due");
    recorded(home.ledger.succeed(
        &later,
        &proof(7),
        &object(7),
        AttemptCost::default(),
        noon(0),
    ));

    let gap = home.standing();
    assert_eq!(gap.covered_to, "2026-11-16".parse().ok());
    assert_eq!(gap.covered, [window("2026-11-17..2026-11-19")]);
    let open = Open {
        window: window("2026-11-16..2026-11-17"),
        begun: true,
    };
    assert_eq!(gap.open, [open]);

    recorded(home.ledger.succeed(
        &claim,
        &proof(7),
        &object(7),
        AttemptCost::default(),
        noon(0),
    ));
    let whole = home.standing();
    assert_eq!(whole.covered_to, "2026-11-19".parse().ok());
    assert_eq!((whole.covered, whole.open), (Vec::new(), Vec::new()));
}

#[test]
fn a_day_that_was_not_over_is_not_covered() {
    let home = Home::with_sites();
    home.night(&["2026-11-18..2026-11-20"], &[], noon(0));

    home.extract(noon(0));

    assert_eq!(home.standing().covered_to, "2026-11-19".parse().ok());
}

#[test]
fn what_waits_gives_way_and_what_was_begun_meanwhile_does_not() {
    let home = Home::with_sites();
    home.night(&["2026-11-17..2026-11-18"], &[], noon(0));
    let wider = (["2026-11-17..2026-11-19"], ["2026-11-17..2026-11-18"]);

    let claim = home.claim("02:00").expect("due");
    assert_eq!(
        home.night(&wider.0, &wider.1, noon(1)),
        NightOutcome::default()
    );

    // Given back before anything was asked, it waits again.
    recorded(home.ledger.release(&claim, noon(1)));
    let outcome = home.night(&wider.0, &wider.1, noon(1));
    assert_eq!(
        outcome,
        NightOutcome {
            planned: 1,
            superseded: 1
        }
    );
    let standing = home.standing();
    let open = Open {
        window: window("2026-11-17..2026-11-19"),
        begun: false,
    };
    assert_eq!(standing.open, [open]);
    let attempts = home.ledger.attempts(&claim.extraction).expect("attempts");
    assert!(attempts.iter().all(|attempt| attempt.outcome.is_some()));
}

#[test]
fn an_object_of_unfinished_days_is_asked_again_by_the_night() {
    let home = Home::with_sites();
    home.plan(&["s1/visit@v1/2026-11-18..2026-11-19"]);
    // 20:00 on the 18th in Brisbane.
    let evening = noon(-1) + chrono::TimeDelta::hours(8);
    let early = extraction("s1/visit@v1/2026-11-18..2026-11-19");
    let pending = home.ledger.request_again(&early, evening).expect("asked");
    assert_eq!(pending, Requested::Pending);
    home.extract(evening);
    assert_eq!(home.standing().covered_to, "2026-11-18".parse().ok());

    let outcome = home.night(&["2026-11-18..2026-11-19"], &[], noon(0));
    home.extract(noon(0));

    assert_eq!(outcome.planned, 1);
    assert_eq!(home.standing().covered_to, "2026-11-19".parse().ok());
}

#[test]
fn a_site_that_closed_keeps_what_was_asked_and_puts_off_the_rest() {
    let home = Home::with_sites();
    home.night(
        &["2026-11-15..2026-11-16", "2026-11-16..2026-11-17"],
        &[],
        noon(0),
    );
    let claim = home.claim("02:00").expect("due");
    journalled(home.ledger.begin_submit(&claim, guid(), None, noon(0)));
    recorded(home.ledger.record_remote(&claim, remote(1), noon(0)));
    recorded(home.ledger.release(&claim, noon(0)));
    let site = claim.extraction.site.clone();

    let put_off = home.ledger.put_off_site(
        &site,
        &Lane::Nightly,
        &Waiting::QuietHours,
        noon(1),
        noon(0),
    );

    assert_eq!(put_off.expect("written"), 1);
    let again = home.claim("03:00").expect("what was asked");
    assert_eq!(again.extraction, claim.extraction);
    assert_eq!(home.claim("03:00"), None);
}

#[test]
fn a_version_that_was_never_planned_stands_where_its_objects_end() {
    let home = Home::with_sites();
    home.plan(&["s1/visit@v1/2026-10-01..2026-11-01"]);
    home.extract(noon(0));

    let expected = Standing {
        covered_to: "2026-11-01".parse().ok(),
        open: Vec::new(),
        ..Standing::default()
    };
    assert_eq!(home.standing(), expected);
}

#[test]
fn a_backfill_leaves_its_site_to_a_night_that_is_due_there() {
    let home = Home::with_sites();
    let backfill = |text: &str| Planned {
        lane: Lane::Backfill,
        ..planned(text)
    };
    let history = [
        "s1/visit@v1/2025-01-01..2025-02-01",
        "s2/visit@v1/2025-01-01..2025-02-01",
    ];
    home.ledger
        .plan(&history.map(backfill), noon(0))
        .expect("planned");
    home.night(&["2026-11-18..2026-11-19"], &[], noon(0));
    let claim = || {
        let mut request = request("02:00");
        request.lanes = &[Lane::Backfill];
        let claim = home.ledger.claim(&request).expect("a claim")?;
        Some(claim.extraction.site.to_string())
    };

    assert_eq!(claim().as_deref(), Some("s2"));
    assert_eq!(claim(), None);
    home.extract(noon(0));
    assert_eq!(claim().as_deref(), Some("s1"));
}

#[test]
fn a_night_that_asks_again_for_a_unit_does_not_wait_for_the_backfill() {
    let home = Home::with_sites();
    let unit = extraction(VISIT);
    let plan = NewBackfill {
        digest: "d1",
        asked: "{}",
        estimate: "{}",
        most_failed: FailureLimit::Units(0),
        priority: 0,
        units: &[(unit.clone(), Due::Missing)],
    };
    let id = home.ledger.save_backfill(&plan, noon(0)).expect("saved");
    let steered = home
        .ledger
        .steer_backfill(id, BackfillEvent::Start, &change("start"));
    assert!(matches!(steered.expect("written"), Steered::Done { .. }));
    let claim = home.claim("02:00").expect("the unit");
    recorded(home.ledger.fail(
        &claim,
        FailureClass::Sql,
        "refused",
        Retry::Never,
        AttemptCost::default(),
        noon(0),
    ));

    let window = unit.window.to_string();
    home.night(&[&window], &[], noon(0));

    assert_eq!(
        home.claim("03:00").map(|claim| claim.extraction),
        Some(unit)
    );
}

#[test]
fn a_site_is_silent_from_its_activation_until_something_is_planned() {
    let home = Home::with_sites();
    let silent_since = |site: &Site, now: &str| {
        let change = Change {
            at: at(now),
            ..change("change")
        };
        home.ledger.put_site(site, &change).expect("a site");
        let arrivals = home.ledger.arrivals().expect("arrivals");
        arrivals.silent_since.get(&site.key).copied()
    };
    let held = Site {
        state: SiteState::Held,
        ..site("s1")
    };
    let renamed = Site {
        practice_name: Some("Another name".to_owned()),
        ..site("s1")
    };

    assert_eq!(silent_since(&held, "03:00"), None);
    assert_eq!(silent_since(&site("s1"), "04:00"), Some(at("04:00")));
    assert_eq!(silent_since(&renamed, "05:00"), Some(at("04:00")));
    home.night(&["2026-11-18..2026-11-19"], &[], noon(0));
    assert_eq!(silent_since(&renamed, "06:00"), None);
}

#[test]
fn what_waited_for_a_reason_that_may_be_gone_is_tried_at_once() {
    let home = Home::with_sites();
    home.plan(&[VISIT]);
    let site = "s1".parse().expect("a key");
    let put_off = home.ledger.put_off_site(
        &site,
        &Lane::Nightly,
        &Waiting::BudgetSpent,
        noon(9),
        noon(0),
    );
    assert_eq!(put_off.expect("written"), 1);
    assert_eq!(home.claim("03:00"), None);

    let again = |waiting| {
        home.ledger
            .try_again(&waiting, at("03:00"))
            .expect("written")
    };
    assert_eq!(again(Waiting::QuietHours), 0);
    assert_eq!(again(Waiting::BudgetSpent), 1);

    assert!(home.claim("03:00").is_some());
}

#[test]
fn what_came_last_is_looked_up_by_key_so_that_a_fleet_of_any_size_is_read_once() {
    let home = Home::new();
    let raw = Connection::open(home.folder.path().join("ledger.sqlite")).expect("a database");
    let mut statement = raw
        .prepare(&format!(
            "EXPLAIN QUERY PLAN {}",
            crate::ledger::night::ARRIVALS
        ))
        .expect("a statement");
    let steps = statement.query_map([], |row| row.get("detail"));
    let steps: Vec<String> = steps
        .expect("a plan")
        .map(|step| step.expect("text"))
        .collect();

    let joined: Vec<&String> = steps
        .iter()
        .filter(|step| step.contains("LEFT-JOIN"))
        .collect();
    assert_eq!(joined.len(), 2, "{steps:?}");
    assert!(
        joined.iter().all(|step| step.starts_with("SEARCH")),
        "{steps:?}"
    );
}

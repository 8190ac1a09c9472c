use super::*;
use crate::domain::{
    BackfillEvent, BackfillId, BackfillState, ExtractionState, FailureClass, FailureLimit, Retry,
    Window,
};
use crate::ledger::{BackfillRow, Cut, NewBackfill, Steered};

const FIRST: &str = "s1/visit@v1/2026-10-01..2026-10-31";
const SECOND: &str = "s1/visit@v1/2026-10-31..2026-11-10";
const OTHER: &str = "s2/visit@v1/2026-10-01..2026-10-31";

const ID: BackfillId = BackfillId(1);

/// A ledger with a backfill of these units, saved.
fn planned_backfill(units: &[&str], most_failed: u32) -> Home {
    let home = Home::with_sites();
    save(&home, units, most_failed);
    home
}

fn save(home: &Home, units: &[&str], most_failed: u32) -> BackfillId {
    let units: Vec<_> = units
        .iter()
        .map(|text| (extraction(text), Due::Missing))
        .collect();
    let plan = NewBackfill {
        digest: "d1",
        asked: "{}",
        estimate: "{}",
        most_failed: FailureLimit::Units(most_failed),
        priority: 0,
        units: &units,
    };
    home.ledger
        .save_backfill(&plan, at("01:00"))
        .expect("saved")
}

fn steer(home: &Home, event: BackfillEvent) -> Steered {
    let steered = home.ledger.steer_backfill(ID, event, &change("steer"));
    steered.expect("written")
}

fn started(units: &[&str], most_failed: u32) -> Home {
    let home = planned_backfill(units, most_failed);
    let state = BackfillState::Running;
    let count = units.len();
    assert_eq!(
        steer(&home, BackfillEvent::Start),
        Steered::Done {
            state,
            units: count
        }
    );
    home
}

fn row(home: &Home) -> BackfillRow {
    let row = home.ledger.backfill(ID, at("03:00")).expect("read");
    row.expect("saved")
}

fn refuse(home: &Home, claim: &Claim, now: &str) {
    let (class, cost) = (FailureClass::Sql, AttemptCost::default());
    let failed = home
        .ledger
        .fail(claim, class, "refused", Retry::Never, cost, at(now));
    recorded(failed);
}

/// Windows of eight days, as a planner would cut them.
fn in_eights(whole: Window) -> Vec<Window> {
    let starts = whole.start().iter_days().step_by(8);
    starts
        .map_while(|start| Window::new(start, (start + chrono::Days::new(8)).min(whole.end())))
        .collect()
}

#[test]
fn a_plan_is_saved_once_and_none_of_it_can_be_claimed_before_it_is_started() {
    let home = planned_backfill(&[FIRST, SECOND], 0);

    assert_eq!(save(&home, &[FIRST, SECOND], 0), ID);
    assert_ne!(save(&home, &[FIRST, SECOND], 5), ID);
    assert_eq!(home.claim("02:00"), None);
    assert_eq!(row(&home).counts.units, 2);
}

#[test]
fn the_end_of_the_last_unit_finishes_it_whoever_records_it() {
    let home = started(&[FIRST], 0);

    let claim = home.run_up_to_record("02:00");
    home.succeed(&claim, "02:05");

    assert_eq!(row(&home).state, BackfillState::Finished);
    assert_eq!(row(&home).counts.succeeded, 1);
}

#[test]
fn a_paused_backfill_is_not_claimed_from_even_where_a_worker_died() {
    let home = started(&[FIRST, OTHER], 0);
    let _dies = home.run_up_to_record("02:00");
    assert!(matches!(
        steer(&home, BackfillEvent::Pause),
        Steered::Done { .. }
    ));

    // The lease of a minute ran out long ago.
    assert_eq!(home.claim("02:30"), None);

    assert!(matches!(
        steer(&home, BackfillEvent::Resume),
        Steered::Done { .. }
    ));
    let claim = home.claim("02:30").expect("due again");
    assert_eq!(claim.resume.map(|resume| resume.remote), Some(remote(1)));
}

#[test]
fn the_failure_that_is_one_too_many_stops_it_and_what_was_known_at_resuming_does_not() {
    let home = started(&[FIRST, SECOND, OTHER], 0);
    let claim = home.run_up_to_record("02:00");
    refuse(&home, &claim, "02:01");

    assert_eq!(row(&home).state, BackfillState::Stopped);
    assert_eq!(
        row(&home).reason.as_deref(),
        Some("1 of 3 units failed, and 0 may")
    );
    assert_eq!(home.claim("02:02"), None);

    assert!(matches!(
        steer(&home, BackfillEvent::Resume),
        Steered::Done { .. }
    ));
    let claim = home.run_up_to_record("02:03");
    home.succeed(&claim, "02:04");
    assert_eq!(row(&home).state, BackfillState::Running);
}

#[test]
fn the_night_takes_a_window_that_a_paused_backfill_has_waiting() {
    let home = started(&[FIRST], 0);
    assert!(matches!(
        steer(&home, BackfillEvent::Pause),
        Steered::Done { .. }
    ));

    home.plan(&[FIRST]);

    let claim = home.claim("02:00").expect("the night's");
    home.succeed(&claim, "02:05");
    // It counts for the backfill all the same.
    assert_eq!(row(&home).counts.succeeded, 1);
    assert!(matches!(
        steer(&home, BackfillEvent::Resume),
        Steered::Done {
            state: BackfillState::Finished,
            ..
        }
    ));
}

#[test]
fn what_another_lane_has_waiting_or_at_work_is_left_to_it() {
    let home = planned_backfill(&[FIRST, SECOND], 0);
    home.plan(&[FIRST]);

    let steered = steer(&home, BackfillEvent::Start);

    let state = BackfillState::Running;
    assert_eq!(steered, Steered::Done { state, units: 1 });
    let lane = |text: &str| {
        let row = home.ledger.extraction(&extraction(text)).expect("read");
        row.expect("held").lane
    };
    assert_eq!((lane(FIRST), lane(SECOND)), (Lane::Nightly, Lane::Backfill));
}

#[test]
fn a_wider_object_settles_the_failures_within_its_window_and_no_other() {
    let home = Home::with_sites();
    let (inside, outside) = (
        "s1/visit@v1/2026-10-05..2026-10-06",
        "s1/visit@v1/2026-10-30..2026-11-02",
    );
    home.plan(&[inside, outside]);
    for now in ["02:00", "02:10"] {
        let claim = home.run_up_to_record(now);
        refuse(&home, &claim, now);
    }
    save(&home, &[FIRST], 0);
    assert!(matches!(
        steer(&home, BackfillEvent::Start),
        Steered::Done { .. }
    ));

    let claim = home.run_up_to_record("02:20");
    home.succeed(&claim, "02:25");

    let state = |text: &str| {
        let row = home.ledger.extraction(&extraction(text)).expect("read");
        row.expect("held").state
    };
    assert_eq!(state(inside), ExtractionState::Cancelled);
    assert_eq!(state(outside), ExtractionState::Failed(FailureClass::Sql));
}

/// Cuts what a claim has into windows of at most `days`.
fn cut(home: &Home, claim: &Claim, days: u32) -> Cut {
    let days = std::num::NonZeroU32::new(days).expect("not zero");
    let (why, cost) = ((FailureClass::Sql, "too long"), AttemptCost::default());
    let cut = home
        .ledger
        .cut(claim, why, cost, days, in_eights, at("02:10"));
    cut.expect("written")
}

fn workable(home: &Home, site: &str) -> Option<u32> {
    let (site, visit) = (site.parse().expect("a key"), extraction(FIRST).query);
    let days = home.ledger.workable_days(&site, &visit).expect("read");
    days.map(std::num::NonZeroU32::get)
}

#[test]
fn a_unit_that_takes_too_long_once_is_cut_alone() {
    let home = started(&[FIRST, SECOND, OTHER], 0);
    let claim = home.run_up_to_record("02:00");
    assert_eq!(claim.extraction, extraction(FIRST));

    let Cut::Into(parts) = cut(&home, &claim, 8) else {
        panic!("a unit of a backfill");
    };

    assert_eq!(parts.len(), 4);
    assert_eq!(cut(&home, &claim, 8), Cut::Lost);
    assert_eq!(row(&home).counts.units, 6);
    assert_eq!(row(&home).counts.days, 70);
    assert_eq!(workable(&home, "s1"), None);
    let attempts = home.ledger.attempts(&extraction(FIRST)).expect("read");
    assert_eq!(attempts[0].message.as_deref(), Some("too long"));
}

#[test]
fn the_second_time_what_waits_of_the_site_is_cut_too_and_the_length_is_remembered() {
    let third = "s1/visit@v1/2026-11-10..2026-11-20";
    let home = started(&[FIRST, SECOND, OTHER, third], 0);
    for expected in [FIRST, SECOND] {
        let claim = home.run_up_to_record("02:00");
        assert_eq!(claim.extraction, extraction(expected));
        assert!(matches!(cut(&home, &claim, 8), Cut::Into(_)));
    }

    // Thirty days in four, ten in two and ten in two, and the other site's one.
    assert_eq!(row(&home).counts.units, 9);
    assert_eq!(row(&home).counts.days, 80);
    assert_eq!(
        (workable(&home, "s1"), workable(&home, "s2")),
        (Some(8), None)
    );
}

#[test]
fn a_longer_window_that_succeeds_disproves_the_length() {
    let home = started(&[FIRST, SECOND], 0);
    for _ in 0..2 {
        let claim = home.run_up_to_record("02:00");
        assert!(matches!(cut(&home, &claim, 8), Cut::Into(_)));
    }
    assert_eq!(workable(&home, "s1"), Some(8));
    let longer = "s1/visit@v1/2026-12-01..2026-12-20";
    home.plan(&[longer]);

    let claim = home.run_up_to_record("02:20");
    assert_eq!(claim.extraction, extraction(longer));
    home.succeed(&claim, "02:25");

    assert_eq!(workable(&home, "s1"), None);
}

#[test]
fn an_extraction_that_is_no_unit_is_not_cut() {
    let home = Home::with_sites();
    home.plan(&[FIRST]);
    let claim = home.run_up_to_record("02:00");
    let days = std::num::NonZeroU32::new(8).expect("not zero");
    let (why, cost) = ((FailureClass::Sql, "too long"), AttemptCost::default());

    let shorter = |window| in_eights(window);
    let cut = home
        .ledger
        .cut(&claim, why, cost, days, shorter, at("02:10"));

    assert_eq!(cut.expect("read"), Cut::NoUnit);
    home.succeed(&claim, "02:20");
}

#[test]
fn cancelling_calls_off_what_waits_and_what_is_at_work_ends_after_a_crash_too() {
    let home = started(&[FIRST, OTHER, SECOND], 0);
    let _dies = home.run_up_to_record("02:00");

    let steered = steer(&home, BackfillEvent::Cancel);

    let state = BackfillState::Cancelled;
    assert_eq!(steered, Steered::Done { state, units: 2 });
    let claim = home.claim("02:30").expect("what was at work");
    assert_eq!(claim.extraction, extraction(FIRST));
    home.succeed(&claim, "02:35");
    assert_eq!(row(&home).state, BackfillState::Cancelled);
    assert_eq!(
        steer(&home, BackfillEvent::Resume),
        Steered::Refused(BackfillState::Cancelled)
    );
}

#[test]
fn every_change_of_state_is_in_the_audit() {
    let home = started(&[FIRST], 0);
    assert!(matches!(
        steer(&home, BackfillEvent::Pause),
        Steered::Done { .. }
    ));

    let tail = home.ledger.audit_tail(2).expect("read");

    let changes: Vec<_> = tail
        .iter()
        .map(|entry| (entry.subject.as_str(), entry.changes["state"].clone()))
        .collect();
    let some = |text: &str| Some(text.to_owned());
    assert_eq!(
        changes,
        [
            ("backfill 1", [some("planned"), some("running")]),
            ("backfill 1", [some("running"), some("paused")]),
        ]
    );
}

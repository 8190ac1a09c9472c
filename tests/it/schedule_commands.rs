//! `schedule next` and `status`: what each prints and returns.

use chrono::{DateTime, Days, Utc};

use crate::fixture::{Fixture, HEADER, SQL};
use crate::harness::{Home, Simulator};

/// A practice whose query runs at half past one.
fn fixture(more: &str) -> (Fixture, Simulator, Home) {
    let fixture = Fixture::new();
    let cron = format!("cron      = \"30 1 * * *\"\n{more}key       = [\"id\"]");
    fixture.query(
        "visits",
        &HEADER.replace("key       = [\"id\"]", &cron),
        SQL,
    );
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    (fixture, simulator, home)
}

#[test]
fn the_nights_to_come_are_told_in_local_time_with_their_days() {
    let (_fixture, simulator, home) = fixture("");
    let zone: chrono_tz::Tz = simulator.sites()[0]["time_zone"]
        .as_str()
        .and_then(|zone| zone.parse().ok())
        .expect("a zone");

    let mut command = home.command(&["schedule", "next", "--count", "3", "--output", "json"]);
    command.env("HALO_EXTRACT__SCHEDULE__SPREAD", "0s");
    let output = crate::harness::Finished::of(command.output().expect("runs"))
        .succeeded()
        .json();

    let nights = output.as_array().expect("rows");
    assert_eq!(nights.len(), 3);
    let now = Utc::now();
    for (index, night) in nights.iter().enumerate() {
        let utc: DateTime<Utc> = night["utc"]
            .as_str()
            .and_then(|at| at.parse().ok())
            .expect("an instant");
        let local = utc.with_timezone(&zone);
        assert_eq!(local.format("%H:%M").to_string(), "01:30");
        assert!(
            night["local"]
                .as_str()
                .expect("local")
                .starts_with(&local.format("%Y-%m-%dT01:30").to_string())
        );
        assert!(utc > now && utc <= now + Days::new(index as u64 + 2));
        let day = local.date_naive();
        assert_eq!(night["window"], format!("{}..{day}", day - Days::new(1)));
    }
}

#[test]
fn a_check_of_a_site_without_any_object_is_not_late_before_its_first_night() {
    let (_fixture, _simulator, home) = fixture("");

    let rows = home
        .run(&["status", "--check", "--output", "json"])
        .succeeded()
        .json();

    assert_eq!(rows[0]["query"], "visits@v1");
    assert_eq!(
        (&rows[0]["sites"], &rows[0]["first"]),
        (&1.into(), &1.into())
    );
    assert_eq!(rows[0]["goal_hours"], 36);
}

#[test]
fn a_check_ends_with_6_when_a_goal_is_missed_and_names_the_site() {
    let (_fixture, _simulator, home) = fixture("freshness = \"6 hours\"\n");
    home.run(&["run"]).succeeded();
    let fresh = home
        .run(&["status", "--check", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(fresh[0]["fresh"], 1);

    // Seven hours pass.
    let ledger = rusqlite::Connection::open(home.path().join("ledger.sqlite")).expect("opens");
    ledger
        .execute(
            "UPDATE reach SET extracted_at = extracted_at - 7 * 3600000",
            [],
        )
        .expect("aged");

    let late = home.run(&["status", "--check", "--output", "json"]).failed(
        6,
        &["late: s40001 visits@v1 has no newer object than 7 h old: nothing planned"],
    );
    assert_eq!(late.json()[0]["late"], 1);
    home.run(&["status"]).succeeded();
}

#[test]
fn held_sites_are_counted_apart() {
    let (_fixture, _simulator, home) = fixture("");
    home.run(&["site", "hold", "s40001", "--reason", "test"])
        .succeeded();

    let rows = home.run(&["status", "--output", "json"]).succeeded().json();

    assert_eq!(
        (&rows[0]["sites"], &rows[0]["held"]),
        (&0.into(), &1.into())
    );
}

//! `site verify`: the three questions about Halo Link, answered from afar, with the steps at the practice for the rest.

use crate::fixture::Fixture;
use crate::harness::Home;
use crate::resume::{received, submissions};
use crate::snapshot::matches_snapshot;

#[test]
fn a_site_that_is_well_needs_no_step_and_is_asked_no_query() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let verified = home.run(&["site", "verify", "s40001"]).succeeded();

    matches_snapshot("verify_well", &verified.told(&home));
    let checks = home
        .run(&["site", "verify", "--output", "json"])
        .succeeded()
        .json();
    for check in checks.as_array().expect("checks") {
        assert_eq!(check["verdict"], "yes", "{checks:#}");
    }
    assert_eq!(
        (submissions(&simulator), received(&simulator, "immediate")),
        (0, 0)
    );
}

#[test]
fn each_fault_is_seen_and_told_with_its_step_at_the_practice() {
    for (name, fault) in [
        ("verify_offline", r#"{"kind": "offline"}"#),
        ("verify_silent", r#"{"kind": "unreachable"}"#),
        ("verify_uninstalled", r#"{"kind": "uninstalled"}"#),
        (
            "verify_old",
            r#"{"kind": "link_version", "version": "26.202.8000"}"#,
        ),
        ("verify_clock", r#"{"kind": "clock_skew", "seconds": 300}"#),
        (
            "verify_renamed",
            r#"{"kind": "renamed", "practice_name": "Elsewhere Clinic"}"#,
        ),
        ("verify_removed", r#"{"kind": "removed"}"#),
        ("verify_unpaired", r#"{"kind": "unpaired"}"#),
    ] {
        let fixture = Fixture::new();
        let simulator = fixture.simulator(&[]);
        let home = fixture.home(&simulator);
        simulator.post("faults", fault);

        let verified = home.run(&["site", "verify", "s40001"]);

        matches_snapshot(name, &verified.told(&home));
        assert_eq!(verified.code, Some(69), "{name}");
    }
}

#[test]
fn a_key_that_is_refused_is_no_fault_of_the_site() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home: Home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "key_refused"}"#);

    home.run(&["site", "verify"])
        .failed(77, &["subscription key is refused", "next:"]);
}

//! `doctor`: what it finds, what it says to do, and that looking costs no query.

use crate::fixture::{Fixture, text};
use crate::harness::Finished;
use crate::resume::submissions;

#[test]
fn a_healthy_installation_is_well_and_no_query_is_sent() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let findings = home.run(&["doctor", "--output", "json"]).succeeded().json();

    for finding in findings.as_array().expect("findings") {
        assert_eq!(finding["verdict"], "well", "{findings:#}");
    }
    let about: Vec<_> = findings
        .as_array()
        .expect("findings")
        .iter()
        .map(|it| it["about"].clone())
        .collect();
    assert_eq!(
        about,
        ["settings", "queries", "storage", "ledger", "key", "s40001"]
    );
    assert_eq!(submissions(&simulator), 0);
    assert_eq!(crate::resume::received(&simulator, "immediate"), 0);
    assert_eq!(home.objects().len(), 0, "the probe of the storage is gone");
}

#[test]
fn a_probe_asks_each_site_one_query() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&["doctor", "--probe"]).succeeded();

    assert_eq!(crate::resume::received(&simulator, "immediate"), 1);
}

#[test]
fn every_fault_is_told_at_once_with_the_next_step() {
    let fixture = Fixture::new();
    fixture.query("visits", "no header\n", "SELECT 1\n");
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let blocked = home.path().join("blocked");
    std::fs::write(&blocked, "a file").expect("written");

    let mut command = home.command(&["doctor", "--storage", text(&blocked)]);
    let output = command
        .env("HALO_SUBSCRIPTION_KEY", "canary-wrong")
        .output()
        .expect("runs");

    let finished = Finished::of(output).failed(
        5,
        &[
            "queries",
            "visits/v1.sql",
            "storage",
            "--storage",
            "HALO_SUBSCRIPTION_KEY",
        ],
    );
    assert!(!finished.stderr.contains("canary"), "{}", finished.stderr);
}

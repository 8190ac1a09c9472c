//! What a site is spared: queries beyond its budget, and a query that hangs there.

use crate::fixture::{Fixture, HEADER, RUN, SQL};
use crate::harness::Finished;
use crate::resume::submissions;

#[test]
fn a_spent_budget_puts_the_other_queries_off_until_the_next_month_without_posting_them() {
    let fixture = Fixture::new();
    fixture.query("visits_too", HEADER, SQL);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let mut command = home.command(&RUN);
    // The first of them asks the database what it calls itself.
    command.env("HALO_EXTRACT__LIMITS__QUERIES_PER_SITE_MONTH", "2");
    let finished = Finished::of(command.output().expect("runs"));

    assert_eq!(submissions(&simulator), 1);
    let states: Vec<_> = finished
        .json()
        .as_array()
        .expect("outcomes")
        .iter()
        .map(|outcome| outcome["state"].clone())
        .collect();
    assert_eq!(states, ["succeeded", "pending (budget-spent)"]);
    // One of the two was done.
    finished.failed(
        3,
        &["waits until", "-01 00:00:00 UTC", "queries_per_site_month"],
    );

    let alone = Finished::of(command.output().expect("runs"));
    alone.failed(75, &["waits until", "are spent"]);
    assert_eq!(submissions(&simulator), 1);
}

#[test]
fn a_query_that_hangs_at_the_site_ends_with_the_version_of_the_agent_and_what_is_known_of_it() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "stuck"}"#);
    simulator.post(
        "faults",
        r#"{"kind": "link_version", "version": "26.407.9115"}"#,
    );

    let mut command = home.command(&RUN);
    command.env("HALO_EXTRACT__HALO__STUCK_AFTER", "1s");
    let finished = Finished::of(command.output().expect("runs"));

    // Mended in that version, says the table of known faults.
    finished.failed(
        69,
        &[
            "(site)",
            "hangs",
            "Halo Link 26.407.9115",
            "26.414.9810",
            "restart",
        ],
    );
    simulator.delete("faults");
    home.run(&RUN).succeeded();
    assert_eq!(submissions(&simulator), 1);
}

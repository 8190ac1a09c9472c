//! Complete or absent: a result that lacks a row is never published, whatever the counts say elsewhere.

use crate::fixture::{Fixture, RUN};
use crate::resume::{assert_whole, kill, received, submissions, until};

#[test]
fn a_page_that_lacks_a_row_publishes_nothing_and_a_whole_one_later_does() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "lost_row"}"#);

    let finished = home.run(&RUN).failed(
        69,
        &["page 1 holds 2 rows, but the API declared 3", "(halo)"],
    );

    assert_eq!(finished.json()[0]["rows"], serde_json::Value::Null);
    assert_eq!(home.objects().len(), 0);

    simulator.delete("faults");
    home.run(&RUN).succeeded();
    assert_eq!(home.objects().len(), 1);
}

#[test]
fn the_object_that_stands_outlives_a_rerun_that_lacks_a_row() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let before = std::fs::read(home.lake().join(&home.objects()[0])).expect("the object");
    simulator.post("faults", r#"{"kind": "lost_row"}"#);

    let mut again = RUN.to_vec();
    again.push("--again");
    home.run(&again).failed(69, &["page 1 holds 2 rows"]);

    assert_eq!(
        std::fs::read(home.lake().join(&home.objects()[0])).expect("the object"),
        before
    );
}

#[test]
fn a_site_that_moved_under_the_same_name_is_followed_without_anybody() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "moved"}"#);

    home.run(&RUN).succeeded();

    let site = &home
        .run(&["site", "list", "--output", "json"])
        .succeeded()
        .json()[0];
    assert_ne!(site["halo_guid"], simulator.sites()[0]["halo_guid"]);
    assert_eq!(site["state"], "active");
}

#[test]
fn a_site_that_moved_under_another_name_is_put_under_review_and_not_extracted_from() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post(
        "faults",
        r#"{"kind": "moved", "practice_name": "Another Clinic"}"#,
    );

    home.run(&RUN).failed(
        77,
        &["may be another practice", "site review s40001 --accept"],
    );

    let site = &home
        .run(&["site", "list", "--output", "json"])
        .succeeded()
        .json()[0];
    assert_eq!(site["state"], "identity-review");
    assert_eq!(site["halo_guid"], simulator.sites()[0]["halo_guid"]);
    assert_eq!(home.objects().len(), 0);

    home.run(&["site", "activate", "s40001"])
        .failed(1, &["identity-review", "whether it is the same practice"]);
    let reviewed = home
        .run(&["site", "review", "s40001", "--accept", "--output", "json"])
        .succeeded()
        .json();
    assert_eq!(reviewed[0]["state"], "held");
}

#[test]
fn a_site_that_moves_while_its_query_is_at_work_is_asked_again_where_it_is_now() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post("faults", r#"{"kind": "stuck"}"#);
    let mut waiting = home.command(&RUN).spawn().expect("starts");
    until("the query is at work", || {
        received(&simulator, "status") > 0
    });
    kill(&mut waiting);
    simulator.delete("faults");
    simulator.post("faults", r#"{"kind": "moved"}"#);

    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 2, "one at each GUID");
    assert_whole(&home, &finished.json(), 3);
    let site = &home.run(&["site", "list", "--output", "json"]).json()[0];
    assert_ne!(site["halo_guid"], simulator.sites()[0]["halo_guid"]);
}

#[test]
fn a_site_that_refuses_for_a_while_and_has_not_moved_is_not_asked_twice() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    simulator.post(
        "faults",
        r#"{"kind": "http", "status": 403, "endpoints": ["status", "stream"]}"#,
    );
    home.run(&RUN).failed(77, &["does not let us ask"]);
    simulator.delete("faults");

    let finished = home.run(&RUN).succeeded();

    assert_eq!(submissions(&simulator), 1);
    assert_whole(&home, &finished.json(), 3);
}

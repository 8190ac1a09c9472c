//! A ledger that was lost is rebuilt from the objects, and the next run goes on with it.

use std::fs;

use crate::fixture::{Fixture, RUN};
use crate::harness::Home;
use crate::resume::submissions;

const REBUILD: [&str; 5] = ["state", "rebuild", "--from-output", "--output", "json"];

fn lose_the_ledger(home: &Home) {
    for name in ["ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm"] {
        let file = home.path().join(name);
        if file.exists() {
            fs::remove_file(file).expect("removed");
        }
    }
}

#[test]
fn a_lost_ledger_is_rebuilt_from_the_objects_and_nothing_is_asked_again() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let listed = |home: &Home| {
        let list = home.run(&["output", "list", "--output", "json"]);
        let mut rows = list.succeeded().json();
        for row in rows.as_array_mut().expect("rows") {
            // Of a rebuilt record this is when the file became visible.
            row.as_object_mut().expect("a row").remove("extracted_at");
        }
        rows
    };
    let before = listed(&home);
    lose_the_ledger(&home);
    home.run(&["output", "verify"]).failed(1, &["1 are wrong"]);

    let rebuilt = home.run(&REBUILD).succeeded().json();

    assert_eq!(rebuilt[0]["recorded"], 1);
    assert_eq!(rebuilt[0]["sites"], serde_json::json!(["s40001"]));
    assert_eq!(listed(&home), before);
    home.run(&["output", "verify"]).succeeded();
    let again = home.run(&REBUILD).succeeded().json();
    assert_eq!(
        (&again[0]["recorded"], &again[0]["known"]),
        (&0.into(), &1.into())
    );
    // Held until it is paired again; then the window is there and is not asked for.
    home.pair_all(&simulator);
    home.run(&RUN).succeeded();
    assert_eq!(submissions(&simulator), 1);
    let mut anew = RUN.to_vec();
    anew.push("--again");
    home.run(&anew).succeeded();
    assert_eq!(listed(&home)[0]["rows"], 3);
    home.run(&["output", "verify"]).succeeded();
}

#[test]
fn what_cannot_be_taken_back_is_listed_and_the_rest_is_recorded() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    home.run(&RUN).succeeded();
    let foreign = home.objects()[0].with_file_name("part-0.parquet");
    fs::write(foreign, "somebody else's").expect("written");
    lose_the_ledger(&home);

    let finished = home.run(&REBUILD).failed(3, &["part-0.parquet", "foreign"]);

    assert_eq!(finished.json()[0]["recorded"], 1);
}

#[test]
fn a_rebuild_says_what_it_is_from() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    home.run(&["state", "rebuild"])
        .failed(2, &["--from-output"]);
}

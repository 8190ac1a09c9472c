//! Rows that a practice keeps back: counted with the object, or there is no object.

use halo_extract::domain::Environment;
use halo_extract::objects::Store;

use crate::fixture::{Fixture, HEADER, RUN, SQL, text};

/// The fixture's query, with a count of what it keeps back.
fn counting(fixture: &Fixture, withheld: &str) {
    let with = format!("withheld = \"{withheld}\"\n\n[columns]");
    fixture.query("visits", &HEADER.replace("[columns]", &with), SQL);
}

/// Two of the three visits weigh more than nothing known: 71.50 and 80.25.
const WEIGHED: &str = "SELECT COUNT(*) AS withheld FROM visits v WHERE v.seen >= @window_start \
    AND v.seen < @window_end AND v.weight IS NOT NULL";

#[tokio::test(flavor = "multi_thread")]
async fn what_was_kept_back_is_told_with_the_proof_and_in_the_footer() {
    let fixture = Fixture::new();
    counting(&fixture, WEIGHED);
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let told = home.run(&RUN).succeeded().json();

    assert_eq!(told[0]["withheld"], 2);
    assert_eq!(told[0]["rows"], 3);
    let store = Store::open(text(&home.lake())).expect("the lake");
    let read = store.recover(Environment::Simulator).await;
    let (objects, _) = read.expect("objects");
    assert_eq!(objects[0].provenance.rows_withheld, Some(2));
}

#[test]
fn a_query_that_counts_nothing_tells_no_number() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let told = home.run(&RUN).succeeded().json();

    assert_eq!(told[0]["withheld"], serde_json::Value::Null);
}

#[test]
fn without_the_count_there_is_no_object() {
    let fixture = Fixture::new();
    counting(
        &fixture,
        &WEIGHED.replace("v.weight IS NOT NULL", "v.opted_out = 1"),
    );
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);

    let finished = home.run(&RUN);

    assert_ne!(finished.code, Some(0));
    assert!(
        finished.stderr.contains("could not be counted"),
        "{finished:#?}"
    );
    assert_eq!(home.objects().len(), 0);
}

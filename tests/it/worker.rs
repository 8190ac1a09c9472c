//! A worker and its claim: a panic fails one attempt and no other, and a claim is kept as long as the work lasts.

use std::sync::Arc;
use std::time::Duration;

use chrono::{NaiveDate, Utc};
use halo_extract::domain::{
    Due, Extraction, ExtractionState, FailureClass, Lane, Planned, Step, Window,
};
use halo_extract::extract::{Ended, Engine, Hand, Progress, work};
use halo_extract::ledger::{Claim, ClaimRequest};
use halo_extract::remote::{Client, Settings};
use tokio_util::sync::CancellationToken;

use crate::fault_matrix::engine;
use crate::fixture::Fixture;
use crate::resume::submissions;

/// Plans so many days of the fixture's query.
fn plan(engine: &Engine, days: u32) -> Vec<Extraction> {
    let extractions: Vec<Extraction> = (1..=days)
        .map(|day| {
            let day = NaiveDate::from_ymd_opt(2026, 11, day).expect("a day");
            format!("s40001/visits@v1/{}", Window::day(day))
                .parse()
                .expect("an extraction")
        })
        .collect();
    let planned: Vec<Planned> = extractions
        .iter()
        .map(|extraction| Planned {
            extraction: extraction.clone(),
            lane: Lane::Manual,
            priority: 0,
            due: Due::Requested,
            not_before: Utc::now(),
        })
        .collect();
    engine.ledger.plan(&planned, Utc::now()).expect("planned");
    extractions
}

fn state(engine: &Engine, extraction: &Extraction) -> ExtractionState {
    let row = engine.ledger.extraction(extraction).expect("a ledger");
    row.expect("planned").state
}

#[tokio::test]
async fn a_panic_fails_its_own_attempt_and_the_others_are_published() {
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&[]);
    let home = fixture.home(&simulator);
    let engine = engine(&fixture, &simulator, &home);
    let extractions = plan(&engine, 4);
    let unlucky = extractions[1].clone();
    let observer = {
        let unlucky = unlucky.clone();
        move |extraction: &Extraction, progress: Progress<'_>| {
            let is_step = matches!(progress, Progress::Step(Step::Fetching));
            assert!(
                *extraction != unlucky || !is_step,
                "a panic that is wanted here"
            );
        }
    };

    let worked = work(
        engine.clone(),
        "a test",
        extractions.clone(),
        Arc::new(observer),
        CancellationToken::new(),
    );
    let finished = worked.await.expect("a ledger");

    assert_eq!(finished.len(), 4);
    for it in &finished {
        let is_published = matches!(it.ended, Ended::Published(_));
        assert_eq!(is_published, it.extraction != unlucky, "{it:?}");
    }
    assert_eq!(
        state(&engine, &unlucky),
        ExtractionState::Failed(FailureClass::Internal)
    );
}

fn claim(engine: &Engine, lease: Duration) -> Option<Claim> {
    let request = ClaimRequest {
        worker: "a test",
        now: Utc::now(),
        lease,
        per_site_limit: 9,
        lanes: &[Lane::Manual],
        only: None,
    };
    engine.ledger.claim(&request).expect("a ledger")
}

#[tokio::test]
async fn a_claim_is_renewed_as_long_as_its_attempt_lasts() {
    const LEASE: Duration = Duration::from_secs(2);
    let fixture = Fixture::new();
    let simulator = fixture.simulator(&["--execute-ms", "5000"]);
    let home = fixture.home(&simulator);
    let mut engine = engine(&fixture, &simulator, &home);
    engine.halo.query_deadline = Duration::from_secs(60);
    // The usual patience: the engine's own takes a query of a twentieth of a second for one that hangs.
    engine.client = Client::new(Settings {
        base_url: simulator.url().parse().expect("a URL"),
        key: simulator.key().into(),
        ..Settings::default()
    })
    .expect("a client");
    let extractions = plan(&engine, 1);
    let hand = Hand {
        engine: engine.clone(),
        observer: Arc::new(|_: &Extraction, _: Progress<'_>| {}),
        cancel: CancellationToken::new(),
        lease: LEASE,
    };
    let mine = claim(&engine, LEASE).expect("due");

    let others = async {
        // Twice the lease: without renewal anybody could have it by then.
        tokio::time::sleep(LEASE * 2).await;
        claim(&engine, LEASE)
    };
    let (ended, taken) = tokio::join!(hand.carry_out(mine, 1), others);

    assert_eq!(taken, None);
    assert!(matches!(ended.expect("a ledger"), Ended::Published(_)));
    assert_eq!(state(&engine, &extractions[0]), ExtractionState::Succeeded);
    assert_eq!(submissions(&simulator), 1);
}

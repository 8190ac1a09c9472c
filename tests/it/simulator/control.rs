//! The control endpoint, and scenarios from a file.

use serde_json::json;

use super::stand::{PMS_ID, Stand};

#[tokio::test]
async fn counters_tell_every_request_by_site_endpoint_and_answer() {
    let stand = Stand::paired().await;
    let site = format!("/integrator/sites/{}", stand.guid());

    stand.get(&site).await;
    stand.get(&site).await;
    stand
        .get("/integrator/sites/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
        .await;

    let counted = stand.get("/simulator/counters").await.json;
    assert_eq!(
        counted[PMS_ID]["site"],
        json!({"received": 2, "answered": {"200": 2}})
    );
    assert_eq!(
        counted["-"]["site"],
        json!({"received": 1, "answered": {"404": 1}})
    );
    assert_eq!(stand.received("site").await, 2);
    stand.delete("/simulator/counters").await;
    assert_eq!(stand.get("/simulator/counters").await.json, json!({}));
}

#[tokio::test]
async fn page_fetches_are_counted_by_page() {
    let stand = Stand::paired().await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;

    stand
        .get(&format!("{}/{id}/results/1", stand.queries()))
        .await;
    stand
        .get(&format!("{}/{id}/results/1/stream", stand.queries()))
        .await;
    stand
        .get(&format!("{}/{id}/results/2", stand.queries()))
        .await;

    let listed = stand.get("/simulator/queries").await.json;
    assert_eq!(listed[0]["fetched"], json!({"1": 2}));
    assert_eq!(listed[0]["text"], "SELECT 1 AS n");
}

#[tokio::test]
async fn the_ready_line_can_be_asked_for_again() {
    let stand = Stand::paired().await;

    let answer = stand.get("/simulator/ready").await.json;

    assert_eq!(answer, serde_json::to_value(&stand.ready).unwrap());
    assert_eq!(answer["sites"][0]["pms_name"], "Best Practice");
}

#[tokio::test]
async fn every_shipped_scenario_can_be_played() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/scenarios");
    let names = [
        "quiet-night",
        "flaky-fleet",
        "server-migration",
        "expired-pages",
        "quota-day",
        "offline-till-morning",
    ];

    for name in names {
        let stand = Stand::with(|settings| {
            settings.paired = true;
            settings.scenario = Some(format!("{folder}/{name}.toml").into());
        })
        .await;
        assert_eq!(stand.get("/simulator/faults").await.status, 200, "{name}");
    }
}

#[tokio::test]
async fn offline_till_morning_opens_in_the_morning() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/config/scenarios");
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.scenario = Some(format!("{folder}/offline-till-morning.toml").into());
    })
    .await;

    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 503);
    stand.step("10h").await;
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 200);
}

#[tokio::test]
async fn a_generated_practice_lives_on_at_its_midnight() {
    // 23:00 in Sydney.
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.source = halo_extract::simulator::Source::Generated {
            practices: 1,
            patients: 60,
        };
        settings.start = Some("2026-11-20T12:00:00Z".parse().unwrap());
        settings.clock_scale = 0.0;
    })
    .await;
    let newest = "SELECT CONVERT(varchar(10), MAX(VISITDATE), 126) AS d FROM VISITS";
    let before = super::stand::rows(&stand.immediate(newest).await.json["result"])[0]["d"]
        .as_str()
        .unwrap()
        .to_owned();
    assert!(before.as_str() < "2026-11-20");

    stand.step("30d").await;
    loop {
        let now = super::stand::rows(&stand.immediate(newest).await.json["result"])[0]["d"]
            .as_str()
            .unwrap()
            .to_owned();
        if now > before {
            assert!(now.as_str() < "2026-12-20", "{now}");
            break;
        }
        tokio::task::yield_now().await;
    }
}

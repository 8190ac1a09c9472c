//! Registered queries: run by frequency, latest result only, hash, failures and their end.

use serde_json::{Value, json};

use super::stand::{Stand, rows};

fn registration(sql: &str, frequency: u64, duration: u64) -> Value {
    json!({"name": "probe", "registeredQueryType": "query", "frequency": frequency, "duration": duration,
        "registerCommand": {"command": {"text": sql}}})
}

async fn register(stand: &Stand, body: &Value) -> String {
    let answer = stand.post(&path(stand), body).await;
    assert_eq!(answer.status, 202, "{}", answer.json);
    format!("{}/{}", path(stand), answer.json["id"].as_str().unwrap())
}

fn path(stand: &Stand) -> String {
    format!("{}/registered", stand.queries())
}

/// Asks until the counts of successful and failed runs are these.
async fn after_runs(stand: &Stand, query: &str, succeeded: u64, failed: u64) -> Value {
    loop {
        let shown = stand.get(query).await.json;
        let metrics = &shown["metrics"];
        if metrics["executionSucceededCount"] == succeeded
            && metrics["executionFailedCount"] == failed
        {
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

async fn until_status(stand: &Stand, query: &str, status: &str) -> Value {
    loop {
        let shown = stand.get(query).await.json;
        if shown["status"] == status {
            return shown;
        }
        tokio::task::yield_now().await;
    }
}

async fn standing() -> Stand {
    Stand::with(|settings| {
        settings.paired = true;
        settings.clock_scale = 0.0;
    })
    .await
}

#[tokio::test]
async fn a_query_of_two_minutes_runs_three_times_and_completes() {
    let stand = standing().await;
    let query = register(&stand, &registration("SELECT 7 AS n", 60, 120)).await;

    for runs in 1..=3 {
        let shown = after_runs(&stand, &query, runs, 0).await;
        assert!(shown["lastHash"].is_string());
        if runs < 3 {
            assert_eq!(shown["status"], "enabled");
            stand.step("60s").await;
        }
    }
    let ended = until_status(&stand, &query, "completed").await;
    let results = stand.get(&format!("{query}/results")).await.json;

    assert!(ended["completedAt"].is_string());
    assert_eq!(rows(&results), json!([{"n": 7}]));
    assert_eq!(
        (&results["rows"], &results["size"], &results["parameters"]),
        (&json!(1), &json!(9), &Value::Null)
    );
    assert_eq!(
        stand.get(&path(&stand)).await.json["registeredQueries"][0]["id"],
        ended["id"]
    );
}

#[tokio::test]
async fn an_unchanged_result_keeps_its_hash_and_is_not_uploaded_again() {
    let stand = standing().await;
    let query = register(&stand, &registration("SELECT 7 AS n", 60, 600)).await;
    let first = after_runs(&stand, &query, 1, 0).await;

    stand.step("60s").await;
    let second = after_runs(&stand, &query, 2, 0).await;

    assert_eq!(first["lastHash"], second["lastHash"]);
    assert_eq!(second["metrics"]["resultSizeSum"], 9);
}

#[tokio::test]
async fn a_failing_run_does_not_end_the_query() {
    let stand = standing().await;
    stand.fault(json!({"kind": "sql_error", "code": 1205, "message": "Deadlock.", "endpoints": ["registered_run"], "times": 1})).await;
    let query = register(&stand, &registration("SELECT 7 AS n", 60, 600)).await;

    let failed = after_runs(&stand, &query, 0, 1).await;
    assert_eq!(failed["lastErrorDetails"]["errorCode"], 1205);
    assert_eq!(stand.get(&format!("{query}/results")).await.status, 404);
    stand.step("60s").await;
    after_runs(&stand, &query, 1, 1).await;

    assert_eq!(stand.get(&format!("{query}/results")).await.status, 200);
}

#[tokio::test]
async fn a_run_that_is_due_while_the_site_is_away_is_not_caught_up() {
    let stand = standing().await;
    let query = register(&stand, &registration("SELECT 7 AS n", 60, 120)).await;
    after_runs(&stand, &query, 1, 0).await;

    let away = stand.fault(json!({"kind": "offline"})).await;
    stand.step("60s").await;
    while stand.get("/simulator/faults").await.json[0]["struck"] == 0 {
        tokio::task::yield_now().await;
    }
    stand.delete(&format!("/simulator/faults/{away}")).await;
    stand.step("60s").await;

    let ended = until_status(&stand, &query, "completed").await;
    assert_eq!(ended["metrics"]["executionSucceededCount"], 2);
}

#[tokio::test]
async fn a_cancelled_query_runs_no_more() {
    let stand = standing().await;
    let query = register(&stand, &registration("SELECT 7 AS n", 60, 600)).await;
    after_runs(&stand, &query, 1, 0).await;

    assert_eq!(stand.delete(&query).await.status, 204);
    assert_eq!(stand.delete(&query).await.status, 204);
    stand.step("10m").await;

    let shown = stand.get(&query).await.json;
    assert_eq!(shown["status"], "cancelled");
    assert_eq!(shown["metrics"]["executionSucceededCount"], 1);
    assert_eq!(
        stand
            .delete(&format!(
                "{}/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee",
                path(&stand)
            ))
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn limits_of_frequency_and_duration_are_kept() {
    let stand = standing().await;

    assert_eq!(
        stand
            .post(&path(&stand), &registration("SELECT 1 AS n", 59, 600))
            .await
            .status,
        400
    );
    assert_eq!(
        stand
            .post(&path(&stand), &registration("SELECT 1 AS n", 60, 86_401))
            .await
            .status,
        400
    );
    assert_eq!(
        stand
            .post(&path(&stand), &json!({"name": "x"}))
            .await
            .status,
        400
    );
    assert_eq!(
        stand.get(&path(&stand)).await.json,
        json!({"registeredQueries": []})
    );
}

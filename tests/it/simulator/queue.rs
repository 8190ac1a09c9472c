//! Who has the practice's database: immediate queries first, and async ones that read give way to them.

use serde_json::{Value, json};

use super::stand::{Stand, command, rows};

/// Works for minutes as long as a patient has this name, and for no time once none has it.
const SLOW_WHILE_NAMED: &str =
    "SELECT COUNT(*) AS n FROM PATIENTS p CROSS JOIN GENERATE_SERIES(1, 2000000000) g
     WHERE p.SURNAME = 'Slow'";

#[tokio::test]
async fn an_async_query_gives_way_to_an_immediate_one_and_begins_again_after_it() {
    let stand = Stand::paired().await;
    rename(&stand, "Slow").await;
    let slow = stand.submit(SLOW_WHILE_NAMED).await;
    stand.until(&slow, |status| status == "executing").await;

    let urgent = stand.immediate("SELECT 1 AS n").await;
    assert_eq!(urgent.status, 200, "{}", urgent.json);
    let status = stand.get(&format!("{}/{slow}", stand.queries())).await;
    assert_eq!(status.json["status"], "executing");
    rename(&stand, "Quick").await;

    let done = stand.settled(&slow).await;
    assert_eq!(done["status"], "successful", "{done}");
    let page = stand
        .get(&format!("{}/{slow}/results/1", stand.queries()))
        .await;
    assert_eq!(rows(&page.json), json!([{"n": 0}]));
}

#[tokio::test]
async fn an_async_query_that_writes_is_not_interrupted() {
    let stand = Stand::paired().await;
    rename(&stand, "Slow").await;
    let body = writing(command(SLOW_WHILE_NAMED));
    let submitted = stand
        .post(&format!("{}/async", stand.queries()), &body)
        .await;
    let busy = submitted.json["id"].as_str().unwrap().to_owned();
    stand.until(&busy, |status| status == "executing").await;
    let mut urgent = command("SELECT 1 AS n");
    urgent["maxTimeInQueue"] = json!(20);

    let answer = stand
        .post(&format!("{}/immediate", stand.queries()), &urgent)
        .await;

    assert_eq!(answer.status, 504, "it waited too long for its turn");
    stand.stop().await;
}

/// Gives every patient a name.
async fn rename(stand: &Stand, name: &str) {
    let body = writing(command(&format!("UPDATE PATIENTS SET SURNAME = '{name}'")));
    let answer = stand
        .post(&format!("{}/immediate", stand.queries()), &body)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.json);
}

fn writing(mut body: Value) -> Value {
    body["command"]["executionMode"] = json!("nonQuery");
    body
}

//! What each endpoint answers when nothing is wrong, and what it answers to a wrong request.

use reqwest::Method;
use serde_json::json;

use super::stand::{PMS_ID, Stand, command, rows};

#[tokio::test]
async fn a_request_without_key_or_with_a_wrong_one_is_unauthorised() {
    let stand = Stand::paired().await;
    let path = format!("/integrator/sites/{}", stand.guid());

    let without = stand
        .request_without_key(Method::GET, &path)
        .send()
        .await
        .unwrap();
    let wrong = stand
        .request_without_key(Method::GET, &path)
        .header("Ocp-Apim-Subscription-Key", "no");
    let by_query = stand.request_without_key(
        Method::GET,
        &format!("{path}?subscription-key={}", stand.ready.subscription_key),
    );

    assert_eq!(without.status(), 401);
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    assert_eq!(by_query.send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn the_same_seed_gives_the_same_identities() {
    let (one, two) = (Stand::paired().await, Stand::paired().await);
    let other = Stand::with(|settings| settings.seed = 2).await;

    assert_eq!(one.ready.sites, two.ready.sites);
    assert_eq!(one.ready.subscription_key, two.ready.subscription_key);
    assert_ne!(one.ready.sites[0].halo_guid, other.ready.sites[0].halo_guid);
}

#[tokio::test]
async fn pairing_by_code_opens_the_site() {
    let stand = Stand::with(|_| ()).await;
    let site = format!("/integrator/sites/{}", stand.guid());
    let code = stand.ready.sites[0].pairing_code.clone();
    let pair = |code: &str| {
        format!(
            "/integrator/pair-site?practiceManagementSiteId={PMS_ID}&practiceManagementName=Best%20Practice&pairingCode={code}"
        )
    };

    assert_eq!(stand.get(&site).await.status, 403);
    assert_eq!(stand.post(&pair("WRONG1"), &json!(null)).await.status, 400);
    let paired = stand.post(&pair(&code), &json!(null)).await;
    let again = stand
        .post(&pair(&code).replace("pair-site", "pairSite"), &json!(null))
        .await;

    assert_eq!(paired.status, 200);
    assert_eq!(paired.json["id"], stand.guid());
    assert_eq!(
        paired.json["practiceMetadata"]["practiceManagementSiteId"],
        PMS_ID
    );
    assert_eq!(
        paired.json["catalogue"][0],
        json!({"name": "BPSPatients", "isDefault": true})
    );
    assert_eq!(again.status, 200);
    assert_eq!(stand.get(&site).await.status, 200);
}

#[tokio::test]
async fn a_regenerated_code_replaces_the_former_one() {
    let stand = Stand::with(|_| ()).await;
    let former = stand.ready.sites[0].pairing_code.clone();
    let fresh = stand
        .post(
            &format!("/simulator/sites/{PMS_ID}/pairing-code"),
            &json!(null),
        )
        .await;
    let fresh = fresh.json["pairing_code"].as_str().unwrap().to_owned();
    let pair = |code: &str| {
        format!(
            "/integrator/pair-site?practiceManagementSiteId={PMS_ID}&practiceManagementName=Best%20Practice&pairingCode={code}"
        )
    };

    assert_eq!(stand.post(&pair(&former), &json!(null)).await.status, 400);
    assert_eq!(stand.post(&pair(&fresh), &json!(null)).await.status, 200);
}

#[tokio::test]
async fn pairing_again_needs_no_code_and_refuses_a_wrong_one() {
    let stand = Stand::paired().await;
    let pair = format!(
        "/integrator/pair-site?practiceManagementSiteId={PMS_ID}&practiceManagementName=Best%20Practice"
    );

    let again = stand.post(&pair, &json!(null)).await;
    let wrong = stand
        .post(&format!("{pair}&pairingCode=WRONG1"), &json!(null))
        .await;

    assert_eq!((again.status, wrong.status), (200, 400));
    assert_eq!(again.json["id"], stand.guid());
    let stranger = Stand::with(|_| ()).await;
    assert_eq!(stranger.post(&pair, &json!(null)).await.status, 400);
}

#[tokio::test]
async fn a_pairing_code_ends_after_seven_days() {
    let stand = Stand::with(|_| ()).await;
    let code = stand.ready.sites[0].pairing_code.clone();

    stand.step("7d").await;

    let path = format!(
        "/integrator/pair-site?practiceManagementSiteId={PMS_ID}&practiceManagementName=Best%20Practice&pairingCode={code}"
    );
    let answer = stand.post(&path, &json!(null)).await;
    assert_eq!(answer.status, 400);
    assert_eq!(
        answer.json["error"]["message"],
        "The pairing code has expired."
    );
}

#[tokio::test]
async fn a_look_up_of_an_unknown_practice_is_an_empty_list() {
    let stand = Stand::paired().await;

    let known = stand.get("/integrator/sites?practiceManagementSiteId=40001&practiceManagementName=Best%20Practice").await;
    let unknown = stand
        .get("/integrator/sites?practiceManagementSiteId=7&practiceManagementName=Best%20Practice")
        .await;
    let incomplete = stand
        .get("/integrator/sites?practiceManagementSiteId=40001")
        .await;

    assert_eq!(known.json["sites"][0]["id"], stand.guid());
    assert_eq!((unknown.status, unknown.json), (200, json!({"sites": []})));
    assert_eq!(incomplete.status, 400);
}

#[tokio::test]
async fn an_immediate_query_answers_with_its_rows() {
    let stand = Stand::paired().await;

    let answer = stand
        .immediate("SELECT INTERNALID, SURNAME FROM (VALUES (1, 'Nguyen'), (2, 'O''Brien'), (3, NULL)) AS p(INTERNALID, SURNAME) ORDER BY INTERNALID")
        .await;

    assert_eq!(answer.status, 200, "{}", answer.json);
    assert_eq!(answer.json["status"], "successful");
    assert_eq!(answer.json["mode"], "immediate");
    assert_eq!(answer.json["result"]["rows"], 3);
    assert_eq!(
        rows(&answer.json["result"]),
        json!([
            {"INTERNALID": 1, "SURNAME": "Nguyen"},
            {"INTERNALID": 2, "SURNAME": "O'Brien"},
            {"INTERNALID": 3, "SURNAME": null}
        ])
    );
}

#[tokio::test]
async fn an_immediate_query_that_fails_tells_the_number_of_the_database() {
    let stand = Stand::paired().await;

    let answer = stand.immediate("SELECT * FROM PATIENTZ").await;

    assert_eq!(answer.status, 400);
    assert_eq!(answer.json["status"], "executionFailed");
    assert_eq!(answer.json["errorDetails"]["errorType"], "mssql");
    assert_eq!(answer.json["errorDetails"]["errorCode"], 208);
}

#[tokio::test]
async fn an_immediate_result_above_eight_megabytes_is_refused() {
    let stand = Stand::paired().await;

    let answer = stand.immediate("SELECT value AS n, 'a text of some length to fill the result' AS t FROM GENERATE_SERIES(1, 200000)").await;

    assert_eq!(answer.status, 413);
    assert_eq!(answer.json["errorDetails"]["errorCode"], 413);
}

#[tokio::test]
async fn an_async_query_passes_through_its_states_to_pages() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.page_size_bytes = 500;
    })
    .await;

    let submitted = stand
        .post(
            &format!("{}/async", stand.queries()),
            &command("SELECT value AS n FROM GENERATE_SERIES(1, 500)"),
        )
        .await;
    let id = submitted.json["id"].as_str().unwrap();
    let done = stand.settled(id).await;

    assert_eq!(submitted.json["status"], "initialising");
    assert_eq!(submitted.json["maxTimeInQueue"], 3_600_000);
    assert_eq!(done["status"], "successful");
    for state in ["initialising", "queued", "executing", "uploading"] {
        assert!(
            done["statusTiming"][state]["endTime"].is_string(),
            "{state}: {done}"
        );
    }
    assert_eq!(done["result"]["rows"], 500);
    let pages = done["result"]["pages"].as_array().unwrap();
    assert!(pages.len() > 5);
    let mut numbers = Vec::new();
    for page in pages {
        assert_eq!(page["status"], "cached");
        let answer = stand
            .get(&format!(
                "{}/{id}/results/{}",
                stand.queries(),
                page["pageNumber"]
            ))
            .await;
        let streamed = stand
            .get(&format!(
                "{}/{id}/results/{}/stream",
                stand.queries(),
                page["pageNumber"]
            ))
            .await;
        let rows = rows(&answer.json);
        assert_eq!(streamed.json, rows);
        assert_eq!(
            answer.header("Rows-Count"),
            page["rows"]["count"].to_string()
        );
        assert_eq!(answer.header("Size"), page["size"].to_string());
        assert_eq!(answer.header("Rows-Range-Start"), numbers.len().to_string());
        numbers.extend(
            rows.as_array()
                .unwrap()
                .iter()
                .map(|row| row["n"].as_u64().unwrap()),
        );
        assert_eq!(
            answer.header("Rows-Range-End"),
            (numbers.len() - 1).to_string()
        );
    }
    assert_eq!(numbers, (1..=500).collect::<Vec<_>>());
}

#[tokio::test]
async fn parameters_are_bound_and_not_spliced() {
    let stand = Stand::paired().await;
    let body = json!({"command": {"text": "SELECT INTERNALID FROM (VALUES (1, 'Nguyen'), (2, 'O''Brien')) AS p(INTERNALID, SURNAME) WHERE SURNAME = @name", "parameters": [
        {"name": "@name", "direction": "input", "type": "VarChar", "value": "O'Brien"}]}});

    let answer = stand
        .post(&format!("{}/immediate", stand.queries()), &body)
        .await;

    assert_eq!(rows(&answer.json["result"]), json!([{"INTERNALID": 2}]));
}

#[tokio::test]
async fn a_failed_async_query_carries_the_error_in_both_places() {
    let stand = Stand::paired().await;

    let id = stand.submit("SELECT NOSUCH FROM PATIENTS").await;
    let done = stand.settled(&id).await;

    assert_eq!(done["status"], "executionFailed");
    assert_eq!(done["errorCode"], 207);
    assert_eq!(done["errorDetails"]["errorCode"], 207);
    assert_eq!(done["errorDetails"]["errorMessage"], done["errorMessage"]);
    assert!(done["completedAt"].is_string());
}

#[tokio::test]
async fn a_batch_tells_known_queries_from_unknown_ones() {
    let stand = Stand::paired().await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    let stranger = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";

    let answer = stand
        .post(
            &format!("{}/status", stand.queries()),
            &json!({"queryIds": [id, stranger]}),
        )
        .await;
    let too_many = vec![stranger; 51];
    let refused = stand
        .post(
            &format!("{}/status", stand.queries()),
            &json!({"queryIds": too_many}),
        )
        .await;

    assert_eq!(answer.json["results"][0]["status"], "found");
    assert_eq!(answer.json["results"][0]["query"]["status"], "successful");
    assert_eq!(
        answer.json["results"][1],
        json!({"queryId": stranger, "status": "notFound"})
    );
    assert_eq!(refused.status, 400);
}

#[tokio::test]
async fn a_result_is_gone_after_a_day_and_its_status_is_not_found() {
    let spool = tempfile::tempdir().unwrap();
    let folder = spool.path().to_owned();
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.spool = Some(folder);
    })
    .await;
    let spooled = || {
        let private = std::fs::read_dir(spool.path())
            .unwrap()
            .next()
            .unwrap()
            .unwrap();
        std::fs::read_dir(private.path()).unwrap().count()
    };
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    let page = format!("{}/{id}/results/1", stand.queries());
    assert_eq!(stand.get(&page).await.status, 200);

    stand.step("1d").await;
    while stand.get(&page).await.status == 200 {
        tokio::task::yield_now().await;
    }

    assert_eq!(stand.get(&page).await.status, 410);
    while spooled() > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(
        stand.get(&format!("{}/{id}", stand.queries())).await.status,
        404
    );
}

#[tokio::test]
async fn pages_that_do_not_exist_are_not_found_and_page_numbers_begin_at_one() {
    let stand = Stand::paired().await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    let page = |number: &str| format!("{}/{id}/results/{number}", stand.queries());

    assert_eq!(stand.get(&page("2")).await.status, 404);
    assert_eq!(stand.get(&page("0")).await.status, 400);
    assert_eq!(stand.get(&page("one")).await.status, 400);
}

#[tokio::test]
async fn a_result_without_rows_has_one_page_that_says_so() {
    let stand = Stand::paired().await;

    let id = stand
        .submit("SELECT INTERNALID FROM PATIENTS WHERE 1 = 0")
        .await;
    let done = stand.settled(&id).await;

    assert_eq!(done["result"]["rows"], 0);
    let page = stand
        .get(&format!("{}/{id}/results/1", stand.queries()))
        .await;
    assert_eq!(rows(&page.json), json!([]));
}

#[tokio::test]
async fn a_malformed_submission_is_refused_before_anything_runs() {
    let stand = Stand::paired().await;
    let path = format!("{}/async", stand.queries());
    let bodies = [
        json!({}),
        json!({"command": {}}),
        json!({"command": {"text": ""}}),
        json!({"command": {"text": "SELECT 1", "executionMode": "write"}}),
        json!({"command": {"text": "SELECT 1"}, "maxTimeInQueue": 7_200_001}),
        json!({"command": {"text": "SELECT 1"}, "maxTimeInQueue": "60"}),
        json!({"command": {"text": "SELECT 1"}, "catalogue": "Nowhere"}),
        json!({"command": {"text": "SELECT @n", "parameters": [{"name": "@n", "type": "int", "value": "1"}]}}),
        json!({"command": {"text": "SELECT @n", "parameters": [{"name": "@n", "type": "Int", "value": 1}]}}),
    ];

    for body in bodies {
        let answer = stand.post(&path, &body).await;
        assert_eq!(answer.status, 400, "{body}");
        assert_eq!(answer.json["error"]["statusText"], "Bad Request", "{body}");
    }

    assert_eq!(stand.get("/simulator/queries").await.json, json!([]));
}

#[tokio::test]
async fn an_address_outside_the_specification_is_answered_by_the_gateway_and_counted() {
    let stand = Stand::paired().await;

    let answer = stand.get("/integrator/practices").await;

    assert_eq!(
        (answer.status, answer.json),
        (
            404,
            json!({"statusCode": 404, "message": "Operation Not Found"})
        )
    );
    let counters = stand.get("/simulator/counters").await.json;
    assert_eq!(
        counters["-"]["no_operation"],
        json!({"received": 1, "answered": {"404": 1}})
    );
}

#[tokio::test]
async fn a_guid_is_accepted_without_dashes_and_in_capitals() {
    let stand = Stand::paired().await;
    let bare = stand.guid().replace('-', "").to_uppercase();

    assert_eq!(
        stand.get(&format!("/integrator/sites/{bare}")).await.status,
        200
    );
    assert_eq!(stand.get("/integrator/sites/40001").await.status, 400);
    assert_eq!(
        stand
            .get("/integrator/sites/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee")
            .await
            .status,
        404
    );
}

#[tokio::test]
async fn the_private_folder_is_gone_after_the_end() {
    let spool = tempfile::tempdir().unwrap();
    let folder = spool.path().to_owned();
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.spool = Some(folder);
    })
    .await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 1);

    stand.stop().await;

    assert_eq!(std::fs::read_dir(spool.path()).unwrap().count(), 0);
}

/// A statement that works for minutes.
const ENDLESS: &str = "SELECT COUNT(*) AS n FROM GENERATE_SERIES(1, 2000000000)";

#[tokio::test]
async fn a_query_is_stopped_at_the_limit_of_its_execution() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.limits.async_execution = std::time::Duration::from_millis(50);
    })
    .await;

    let id = stand.submit(ENDLESS).await;
    let done = stand.settled(&id).await;

    assert_eq!(done["status"], "executionFailed");
    assert_eq!(done["errorDetails"]["errorCode"], -2);
}

#[tokio::test]
async fn a_late_immediate_query_is_answered_504_and_stopped_later() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.limits.immediate_answer = std::time::Duration::from_millis(50);
        settings.limits.immediate_execution = std::time::Duration::from_millis(200);
    })
    .await;

    assert_eq!(stand.immediate(ENDLESS).await.status, 504);
    while stand.get("/simulator/queries").await.json[0]["status"] != "executionFailed" {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_change_through_a_non_query_tells_its_rows_and_stays() {
    let stand = Stand::paired().await;
    let mut body = command("UPDATE PATIENTS SET SURNAME = 'Changed'");
    body["command"]["executionMode"] = json!("nonQuery");

    let answer = stand
        .post(&format!("{}/immediate", stand.queries()), &body)
        .await;
    let counted = stand
        .immediate("SELECT COUNT(*) AS n FROM PATIENTS WHERE SURNAME = 'Changed'")
        .await;

    assert_eq!(answer.status, 200, "{}", answer.json);
    assert!(answer.json["result"]["data"].is_null());
    assert_eq!(
        answer.json["result"]["rowsAffected"],
        rows(&counted.json["result"])[0]["n"]
    );
}

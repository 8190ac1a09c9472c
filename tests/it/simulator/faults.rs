//! Faults: each does what it says, where it says, and leaves everything else as it was.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use super::stand::{PMS_ID, Stand, command, rows};

const PAIR: &str = "/integrator/pair-site?practiceManagementSiteId=40001&practiceManagementName=Best%20Practice&pairingCode=";
const FIND: &str =
    "/integrator/sites?practiceManagementSiteId=40001&practiceManagementName=Best%20Practice";

async fn async_status(stand: &Stand) -> u16 {
    stand
        .post(
            &format!("{}/async", stand.queries()),
            &command("SELECT 1 AS n"),
        )
        .await
        .status
}

fn site(stand: &Stand) -> String {
    format!("/integrator/sites/{}", stand.guid())
}

#[tokio::test]
async fn an_offline_site_refuses_work_and_says_so() {
    let stand = Stand::paired().await;
    let id = stand.fault(json!({"kind": "offline"})).await;

    assert_eq!(async_status(&stand).await, 503);
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 503);
    assert_eq!(
        stand.get(&site(&stand)).await.json["availability"],
        "offline"
    );

    stand.delete(&format!("/simulator/faults/{id}")).await;
    assert_eq!(async_status(&stand).await, 201);
    assert_eq!(
        stand.get(&site(&stand)).await.json["availability"],
        "online"
    );
}

#[tokio::test]
async fn a_practice_that_is_away_cannot_be_paired() {
    let stand = Stand::with(|_| ()).await;
    stand
        .fault(json!({"kind": "unreachable", "times": 1}))
        .await;
    let path = format!("{PAIR}{}", stand.ready.sites[0].pairing_code);

    assert_eq!(stand.post(&path, &json!(null)).await.status, 502);
    assert_eq!(stand.post(&path, &json!(null)).await.status, 200);
}

#[tokio::test]
async fn a_site_that_dies_after_dispatch_leaves_the_outcome_unknown() {
    let stand = Stand::paired().await;
    let fault = stand.fault(json!({"kind": "dies_after_dispatch"})).await;

    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 504);
    let id = stand.submit("SELECT 1 AS n").await;
    stand.until(&id, |status| status == "executing").await;
    stand.delete(&format!("/simulator/faults/{fault}")).await;

    assert_eq!(stand.settled(&id).await["status"], "successful");
}

#[tokio::test]
async fn an_unreachable_site_may_take_work_that_fails_later() {
    let stand = Stand::paired().await;
    stand
        .fault(json!({"kind": "unreachable", "accepted": true}))
        .await;

    let id = stand.submit("SELECT 1 AS n").await;
    let done = stand.settled(&id).await;

    assert_eq!(done["status"], "initialisationFailedSiteUnreachable");
    assert!(done["completedAt"].is_string());
    assert_eq!(
        stand.get(&site(&stand)).await.json["availability"],
        "unreachable"
    );
}

#[tokio::test]
async fn a_practice_that_closes_at_night_is_offline_in_its_own_time() {
    // 10:00 in Sydney.
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.start = Some("2026-11-19T23:00:00Z".parse().unwrap());
    })
    .await;
    assert_eq!(stand.ready.sites[0].time_zone, "Australia/Sydney");
    stand
        .fault(json!({"kind": "closed", "from": "18:00", "until": "08:00"}))
        .await;

    assert_eq!(async_status(&stand).await, 201);
    stand.step("8h").await;
    assert_eq!(async_status(&stand).await, 503);
    stand.step("14h").await;
    assert_eq!(async_status(&stand).await, 201);
}

#[tokio::test]
async fn a_moved_site_has_a_new_guid_and_its_old_one_is_forbidden() {
    let stand = Stand::paired().await;
    stand
        .fault(json!({"kind": "moved", "practice_name": "Merged Clinic"}))
        .await;

    let found = stand.get(FIND).await;
    let guid = found.json["sites"][0]["id"].as_str().unwrap().to_owned();
    let at_new = stand
        .post(
            &format!("/integrator/sites/{guid}/queries/async"),
            &command("SELECT 1 AS n"),
        )
        .await;

    assert_ne!(guid, stand.guid());
    assert_eq!(
        found.json["sites"][0]["practiceMetadata"]["practiceName"],
        "Merged Clinic"
    );
    assert_eq!(async_status(&stand).await, 403);
    assert_eq!(stand.get(&site(&stand)).await.json["authoritative"], false);
    assert_eq!(at_new.status, 201);
}

#[tokio::test]
async fn a_site_that_moved_without_its_pairing_asks_for_a_new_one() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "moved", "paired": false})).await;

    assert_eq!(stand.get(FIND).await.status, 403);
    let paired = stand
        .post(
            &format!("{PAIR}{}", stand.ready.sites[0].pairing_code),
            &json!(null),
        )
        .await;
    assert_eq!(paired.status, 200);
    assert_ne!(paired.json["id"], stand.guid());
    assert_eq!(
        stand.get(FIND).await.json["sites"][0]["id"],
        paired.json["id"]
    );
}

#[tokio::test]
async fn a_removed_site_is_unknown_to_queries_and_says_why() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "removed"})).await;

    assert_eq!(async_status(&stand).await, 404);
    assert_eq!(stand.get(&site(&stand)).await.json["status"], "removed");
}

#[tokio::test]
async fn an_uninstalled_link_says_so_and_runs_nothing() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "uninstalled"})).await;

    assert_eq!(async_status(&stand).await, 503);
    assert_eq!(stand.get(&site(&stand)).await.json["status"], "uninstalled");
}

#[tokio::test]
async fn a_site_reports_the_version_and_clock_that_a_fault_gives_it() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.start = Some("2026-11-20T00:00:00Z".parse().unwrap());
        settings.clock_scale = 0.0;
    })
    .await;
    stand
        .fault(json!({"kind": "link_version", "version": "25.1210.7669"}))
        .await;
    stand
        .fault(json!({"kind": "clock_skew", "seconds": 90}))
        .await;

    let described = stand.get(&site(&stand)).await.json;
    let practice_time = stand.immediate("SELECT SYSDATETIMEOFFSET() AS t").await;

    assert_eq!(described["haloLinkVersion"], "25.1210.7669");
    assert_eq!(described["clientTimestampUTC"], "2026-11-20T00:01:30.000Z");
    let told = rows(&practice_time.json["result"])[0]["t"]
        .as_str()
        .unwrap()
        .to_owned();
    let told = chrono::DateTime::parse_from_rfc3339(&told).unwrap();
    assert_eq!(
        told.to_utc(),
        "2026-11-20T00:01:30Z"
            .parse::<chrono::DateTime<chrono::Utc>>()
            .unwrap()
    );
    assert_eq!(told.offset().local_minus_utc(), 11 * 3600);
}

#[tokio::test]
async fn access_is_refused_as_the_gateway_words_it() {
    let stand = Stand::paired().await;
    let cases = [
        (
            json!({"kind": "key_refused"}),
            401,
            "Access denied due to invalid subscription key.",
        ),
        (json!({"kind": "ip_refused"}), 403, "Caller Ip Not Allowed"),
        (
            json!({"kind": "unpaired"}),
            403,
            "The integrator is not paired with the site.",
        ),
    ];

    for (rule, status, words) in cases {
        let id = stand.fault(rule.clone()).await;
        let answer = stand.get(&site(&stand)).await;
        assert_eq!(answer.status, status, "{rule}");
        assert!(
            answer.json.to_string().contains(words),
            "{rule}: {}",
            answer.json
        );
        stand.delete(&format!("/simulator/faults/{id}")).await;
    }
}

#[tokio::test]
async fn each_pairing_failure_has_its_message_and_a_status_of_choice() {
    let stand = Stand::with(|_| ()).await;
    let path = format!("{PAIR}{}", stand.ready.sites[0].pairing_code);
    let mut messages = BTreeSet::new();

    for (reason, status) in [
        ("wrong", 400),
        ("expired", 400),
        ("reused", 400),
        ("regenerated", 400),
        ("unticked", 403),
        ("unexpected", 502),
    ] {
        stand
            .fault(json!({"kind": "pairing", "reason": reason, "times": 1}))
            .await;
        let answer = stand.post(&path, &json!(null)).await;
        assert_eq!(answer.status, status, "{reason}");
        messages.insert(answer.json["error"]["message"].as_str().unwrap().to_owned());
    }
    stand
        .fault(json!({"kind": "pairing", "reason": "wrong", "status": 404, "times": 1}))
        .await;

    assert_eq!(stand.post(&path, &json!(null)).await.status, 404);
    assert_eq!(messages.len(), 6);
    assert_eq!(stand.post(&path, &json!(null)).await.status, 200);
}

#[tokio::test]
async fn an_unticked_integration_is_a_failed_login() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "login_failed"})).await;

    let now = stand.immediate("SELECT 1 AS n").await;
    let id = stand.submit("SELECT 1 AS n").await;
    let later = stand.settled(&id).await;

    assert_eq!(now.status, 400);
    assert!(
        now.json["errorDetails"]["errorMessage"]
            .as_str()
            .unwrap()
            .starts_with("Login failed for user")
    );
    assert_eq!(later["status"], "executionFailed");
    assert_eq!(later["errorDetails"]["errorCode"], 18456);
}

#[tokio::test]
async fn a_quota_lasts_until_midnight() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.start = Some("2026-11-20T23:50:00Z".parse().unwrap());
        settings.clock_scale = 0.0;
    })
    .await;
    stand.fault(json!({"kind": "quota", "calls": 2})).await;

    assert_eq!(stand.get(&site(&stand)).await.status, 200);
    assert_eq!(stand.get(&site(&stand)).await.status, 200);
    let refused = stand.get(&site(&stand)).await;
    assert_eq!(refused.status, 403);
    assert_eq!(refused.header("Retry-After"), "600");
    assert_eq!(refused.json["statusCode"], 403);

    stand.step("10m").await;
    assert_eq!(stand.get(&site(&stand)).await.status, 200);
}

#[tokio::test]
async fn a_rate_limit_says_when_to_come_back() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.start = Some("2026-11-20T00:00:10Z".parse().unwrap());
        settings.clock_scale = 0.0;
    })
    .await;
    stand
        .fault(json!({"kind": "rate_limit", "calls": 1, "seconds": 60}))
        .await;

    assert_eq!(stand.get(&site(&stand)).await.status, 200);
    let refused = stand.get(&site(&stand)).await;
    assert_eq!(refused.status, 429);
    assert_eq!(refused.header("Retry-After"), "50");
    assert_eq!(
        refused.json["message"],
        "Rate limit is exceeded. Try again in 50 seconds."
    );

    stand.step("50s").await;
    assert_eq!(stand.get(&site(&stand)).await.status, 200);
}

#[tokio::test]
async fn a_failure_without_effect_and_one_with_effect_differ_in_what_was_submitted() {
    let stand = Stand::paired().await;

    stand
        .fault(json!({"kind": "http", "status": 500, "endpoints": ["async"], "times": 1}))
        .await;
    assert_eq!(async_status(&stand).await, 500);
    assert_eq!(stand.get("/simulator/queries").await.json, json!([]));

    stand.fault(json!({"kind": "http", "status": 504, "endpoints": ["async"], "times": 1, "performed": true})).await;
    assert_eq!(async_status(&stand).await, 504);
    assert_eq!(
        stand
            .get("/simulator/queries")
            .await
            .json
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn an_answer_can_be_lost_before_and_after_the_effect() {
    let stand = Stand::paired().await;
    let path = format!("{}/async", stand.queries());
    let send = || {
        let request = stand
            .request(Method::POST, &path)
            .header("Content-Type", "application/json");
        request.body(command("SELECT 1 AS n").to_string()).send()
    };

    for (performed, submitted) in [(false, 0), (true, 1)] {
        stand
            .fault(
                json!({"kind": "lost", "performed": performed, "endpoints": ["async"], "times": 1}),
            )
            .await;
        assert!(send().await.is_err());
        assert_eq!(
            stand
                .get("/simulator/queries")
                .await
                .json
                .as_array()
                .unwrap()
                .len(),
            submitted
        );
    }

    let counted = stand.get("/simulator/counters").await.json;
    assert_eq!(
        counted[PMS_ID]["async"],
        json!({"received": 2, "answered": {"lost": 2}})
    );
}

#[tokio::test]
async fn an_answer_can_break_off_in_its_body() {
    let stand = Stand::paired().await;
    stand
        .fault(json!({"kind": "cut", "bytes": 20, "endpoints": ["site"]}))
        .await;

    let response = stand
        .request(Method::GET, &site(&stand))
        .send()
        .await
        .unwrap();

    assert_eq!(response.status(), 200);
    assert!(response.bytes().await.is_err());
}

#[tokio::test]
async fn a_late_immediate_answer_may_hide_a_command_that_ran() {
    let stand = Stand::paired().await;

    stand.fault(json!({"kind": "timeout", "times": 1})).await;
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 504);
    while stand.get("/simulator/queries").await.json[0]["status"] != "successful" {
        tokio::task::yield_now().await;
    }

    stand
        .fault(json!({"kind": "timeout", "commits": false, "times": 1}))
        .await;
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 504);
    assert_eq!(
        stand
            .get("/simulator/queries")
            .await
            .json
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn a_stuck_channel_fails_immediates_of_a_site_that_is_online() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "stuck_channel"})).await;

    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 504);
    assert_eq!(
        stand.get(&site(&stand)).await.json["availability"],
        "online"
    );
    assert_eq!(async_status(&stand).await, 201);
}

#[tokio::test]
async fn a_result_that_is_too_large_is_told_in_two_forms() {
    let stand = Stand::paired().await;

    stand.fault(json!({"kind": "too_large", "times": 1})).await;
    let by_status = stand.immediate("SELECT 1 AS n").await;
    stand
        .fault(json!({"kind": "too_large", "form": "details", "times": 1}))
        .await;
    let by_details = stand.immediate("SELECT 1 AS n").await;

    assert_eq!(
        (
            by_status.status,
            &by_status.json["errorDetails"]["errorCode"]
        ),
        (413, &json!(413))
    );
    assert_eq!(
        (
            by_details.status,
            &by_details.json["errorDetails"]["errorCode"]
        ),
        (400, &json!(413))
    );
}

#[tokio::test]
async fn a_failure_can_come_as_success_as_it_did_in_older_releases() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "failure_in_success"})).await;

    let answer = stand.immediate("SELECT * FROM PATIENTZ").await;

    assert_eq!(answer.status, 200);
    assert_eq!(answer.json["status"], "executionFailed");
}

#[tokio::test]
async fn an_async_query_can_end_in_every_final_state() {
    let stand = Stand::paired().await;

    for status in [
        "initialisationFailedCacheError",
        "initialisationFailedSiteOffline",
        "initialisationFailedSiteUnreachable",
        "expiredInQueue",
        "executionFailed",
        "uploadFailed",
    ] {
        stand
            .fault(json!({"kind": "outcome", "status": status, "times": 1}))
            .await;
        let id = stand.submit("SELECT 1 AS n").await;
        let done = stand.settled(&id).await;
        assert_eq!(done["status"], status);
        assert!(done["completedAt"].is_string(), "{status}");
        assert_eq!(
            done["metrics"].is_object(),
            status == "uploadFailed",
            "{status}: only this one ran"
        );
        assert_eq!(
            done["errorMessage"].is_string(),
            ["executionFailed", "uploadFailed"].contains(&status),
            "{status}"
        );
    }
}

#[tokio::test]
async fn a_query_that_waits_longer_than_it_may_expires_in_the_queue() {
    let stand = Stand::paired().await;
    // The site takes the query and then goes away, which is when queries queue up.
    stand
        .fault(json!({"kind": "offline", "endpoints": ["async"], "skip": 1}))
        .await;
    let mut body = command("SELECT 1 AS n");
    body["maxTimeInQueue"] = json!(600_000);

    let answer = stand
        .post(&format!("{}/async", stand.queries()), &body)
        .await;
    let id = answer.json["id"].as_str().unwrap();
    stand.until(id, |status| status == "queued").await;
    stand.step("11m").await;

    assert_eq!(stand.settled(id).await["status"], "expiredInQueue");
}

#[tokio::test]
async fn a_stuck_query_executes_until_the_fault_is_lifted() {
    let stand = Stand::paired().await;
    let fault = stand.fault(json!({"kind": "stuck"})).await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.until(&id, |status| status == "executing").await;

    stand.step("1h").await;
    assert_eq!(
        stand.get(&format!("{}/{id}", stand.queries())).await.json["status"],
        "executing"
    );
    stand.delete(&format!("/simulator/faults/{fault}")).await;

    assert_eq!(stand.settled(&id).await["status"], "successful");
}

#[tokio::test]
async fn pages_can_arrive_after_success_and_the_last_one_first() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.page_size_bytes = 10;
        settings.clock_scale = 0.0;
    })
    .await;
    stand
        .fault(json!({"kind": "late_pages", "time": "30s", "reversed": true}))
        .await;
    let id = stand
        .submit("SELECT value AS n FROM GENERATE_SERIES(1, 3)")
        .await;
    let statuses = |done: &Value| {
        let pages = done["result"]["pages"].as_array().unwrap().clone();
        pages
            .iter()
            .map(|page| page["status"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };

    let done = stand.settled(&id).await;
    assert_eq!(statuses(&done), ["queued", "queued", "uploading"]);
    assert_eq!(
        stand
            .get(&format!("{}/{id}/results/1", stand.queries()))
            .await
            .status,
        404
    );
    stand.step("10s").await;
    assert_eq!(
        statuses(&stand.settled(&id).await),
        ["queued", "uploading", "cached"]
    );
    assert_eq!(
        stand
            .get(&format!("{}/{id}/results/3", stand.queries()))
            .await
            .status,
        200
    );
    stand.step("20s").await;
    assert_eq!(
        statuses(&stand.settled(&id).await),
        ["cached", "cached", "cached"]
    );
}

#[tokio::test]
async fn pages_can_be_listed_while_the_query_is_still_uploading() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.page_size_bytes = 10;
        settings.clock_scale = 0.0;
    })
    .await;
    stand
        .fault(json!({"kind": "early_pages", "time": "20s"}))
        .await;
    let id = stand
        .submit("SELECT value AS n FROM GENERATE_SERIES(1, 2)")
        .await;
    let path = format!("{}/{id}", stand.queries());
    while stand.get(&path).await.json["result"].is_null() {
        tokio::task::yield_now().await;
    }

    stand.step("10s").await;
    let halfway = stand.get(&path).await.json;
    assert_eq!(halfway["status"], "uploading");
    assert_eq!(halfway["result"]["pages"][0]["status"], "cached");
    assert_eq!(halfway["result"]["pages"][1]["status"], "uploading");
    assert_eq!(stand.get(&format!("{path}/results/1")).await.status, 200);
    assert_eq!(stand.get(&format!("{path}/results/2")).await.status, 404);

    stand.step("10s").await;
    assert_eq!(stand.settled(&id).await["status"], "successful");
}

#[tokio::test]
async fn results_can_be_gone_empty_or_wide() {
    let stand = Stand::paired().await;
    let page = |id: &str| format!("{}/{id}/results/1", stand.queries());

    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    stand.fault(json!({"kind": "gone", "times": 1})).await;
    assert_eq!(stand.get(&page(&id)).await.status, 410);
    assert_eq!(stand.get(&page(&id)).await.status, 200);

    stand.fault(json!({"kind": "zero_rows", "times": 1})).await;
    let id = stand.submit("SELECT 1 AS n").await;
    assert_eq!(stand.settled(&id).await["result"]["rows"], 0);

    stand
        .fault(json!({"kind": "wide_row", "bytes": 2_000_000, "times": 1}))
        .await;
    let id = stand.submit("SELECT 1 AS n").await;
    assert!(stand.settled(&id).await["resultSize"].as_u64().unwrap() > 2_000_000);
    assert_eq!(rows(&stand.get(&page(&id)).await.json), json!([{"n": 1}]));
}

#[tokio::test]
async fn a_sql_error_of_choice_befalls_a_query() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "sql_error", "code": 1205, "message": "Transaction was deadlocked.", "times": 1})).await;

    assert_eq!(
        stand.immediate("SELECT 1 AS n").await.json["errorDetails"]["errorCode"],
        1205
    );
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 200);
}

#[tokio::test]
async fn errors_come_in_each_of_the_known_shapes() {
    let stand = Stand::paired().await;
    let unknown = "/integrator/sites/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
    let message = "The server cannot find the requested resource.";
    let cases = [
        (
            "nested",
            json!({"error": {"status": 404, "statusText": "Not Found", "message": message}}),
        ),
        (
            "flat",
            json!({"status": 404, "statusText": "Not Found", "message": message}),
        ),
        ("gateway", json!({"statusCode": 404, "message": message})),
        (
            "details",
            json!({"errorDetails": {"errorType": "http", "errorCode": 404, "errorMessage": message}}),
        ),
        ("empty", Value::Null),
        ("html", Value::Null),
    ];

    for (form, expected) in cases {
        let id = stand
            .fault(json!({"kind": "error_envelope", "form": form}))
            .await;
        let answer = stand.get(unknown).await;
        assert_eq!((answer.status, answer.json), (404, expected), "{form}");
        stand.delete(&format!("/simulator/faults/{id}")).await;
    }
}

#[tokio::test]
async fn the_wire_takes_the_liberties_it_is_given() {
    let stand = Stand::paired().await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    let status = format!("{}/{id}", stand.queries());

    stand.fault(json!({"kind": "wire", "unknown_fields": true, "omit_optional": true, "numbers_as_text": true, "fraction_digits": 7, "times": 1})).await;
    let answer = stand.get(&status).await.json;

    assert!(answer["announcedInSomeFutureRelease"].is_object());
    assert_eq!(answer["integratorId"], Value::Null);
    assert_eq!(answer["result"]["rows"], "1");
    assert_eq!(
        answer["completedAt"].as_str().unwrap().len(),
        "2026-07-20T01:02:03.1234567Z".len()
    );
}

#[tokio::test]
async fn a_stream_comes_in_three_shapes() {
    let stand = Stand::paired().await;
    let id = stand.submit("SELECT 1 AS n").await;
    stand.settled(&id).await;
    let stream = format!("{}/{id}/results/1/stream", stand.queries());

    assert_eq!(stand.get(&stream).await.json, json!([{"n": 1}]));
    stand
        .fault(json!({"kind": "wire", "stream": "envelope", "endpoints": ["stream"], "times": 1}))
        .await;
    assert_eq!(rows(&stand.get(&stream).await.json), json!([{"n": 1}]));
    stand.delete("/simulator/faults").await;
    stand
        .fault(json!({"kind": "wire", "stream": "text", "endpoints": ["stream"]}))
        .await;
    assert_eq!(stand.get(&stream).await.json, json!("[{\"n\":1}]"));
}

#[tokio::test]
async fn a_body_is_compressed_only_for_those_who_accept_it() {
    let stand = Stand::paired().await;
    stand.fault(json!({"kind": "wire", "gzip": true})).await;

    // A client that leaves bodies as they are, so that the header can be seen.
    let client = reqwest::Client::builder()
        .no_proxy()
        .gzip(false)
        .build()
        .unwrap();
    let ask = |encoding: &str| {
        let request = client
            .get(format!("{}{}", stand.ready.url, site(&stand)))
            .header("Accept-Encoding", encoding);
        request
            .header("Ocp-Apim-Subscription-Key", &stand.ready.subscription_key)
            .send()
    };

    assert!(
        ask("identity")
            .await
            .unwrap()
            .headers()
            .get("content-encoding")
            .is_none()
    );
    assert_eq!(
        ask("gzip").await.unwrap().headers()["content-encoding"],
        "gzip"
    );
    assert_eq!(stand.get(&site(&stand)).await.json["id"], stand.guid());
}

#[tokio::test]
async fn a_rule_strikes_only_where_when_and_as_often_as_it_says() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.clock_scale = 0.0;
    })
    .await;
    let path = site(&stand);
    stand
        .fault(json!({"kind": "http", "status": 500, "sites": ["49999"]}))
        .await;
    stand
        .fault(json!({"kind": "http", "status": 500, "endpoints": ["async"]}))
        .await;
    stand.fault(json!({"kind": "http", "status": 502, "after": "10m", "lasts": "5m", "skip": 1, "times": 1})).await;

    assert_eq!(stand.get(&path).await.status, 200);
    stand.step("10m").await;
    let statuses = [
        stand.get(&path).await.status,
        stand.get(&path).await.status,
        stand.get(&path).await.status,
    ];
    assert_eq!(statuses, [200, 502, 200]);
    assert_eq!(stand.get("/simulator/faults").await.json[2]["struck"], 1);
}

#[tokio::test]
async fn the_same_seed_throws_the_same_dice() {
    let mut throws = Vec::new();
    for _ in 0..2 {
        let stand = Stand::paired().await;
        stand
            .fault(json!({"kind": "http", "status": 500, "chance": 0.5}))
            .await;
        let mut statuses = Vec::new();
        for _ in 0..20 {
            statuses.push(stand.get(&site(&stand)).await.status);
        }
        throws.push(statuses);
    }

    assert_eq!(throws[0], throws[1]);
    assert!(throws[0].contains(&200) && throws[0].contains(&500));
}

#[tokio::test]
async fn a_rule_with_an_unknown_word_is_refused_with_the_known_ones() {
    let stand = Stand::paired().await;

    let kind = stand
        .post("/simulator/faults", &json!({"kind": "ofline"}))
        .await;
    let field = stand
        .post(
            "/simulator/faults",
            &json!({"kind": "offline", "site": "40001"}),
        )
        .await;
    let share = stand
        .post(
            "/simulator/faults",
            &json!({"kind": "offline", "chance": 2}),
        )
        .await;

    assert_eq!((kind.status, field.status, share.status), (400, 400, 400));
    assert!(kind.json["error"].as_str().unwrap().contains("`offline`"));
    assert!(field.json["error"].as_str().unwrap().contains("`site`"));
}

#[tokio::test]
async fn a_rule_that_could_never_strike_is_refused_with_where_it_does() {
    let stand = Stand::paired().await;

    let page = stand
        .post(
            "/simulator/faults",
            &json!({"kind": "late_pages", "time": "1s", "endpoints": ["async", "page"]}),
        )
        .await;
    let whole = stand
        .post(
            "/simulator/faults",
            &json!({"kind": "moved", "endpoints": ["site"]}),
        )
        .await;
    let scenario = "[[fault]]\nkind = \"gone\"\nendpoints = [\"async\"]";
    let played = stand
        .request(Method::POST, "/simulator/scenario")
        .body(scenario)
        .send()
        .await
        .unwrap();

    assert_eq!((page.status, whole.status), (400, 400));
    assert_eq!(played.status(), 400);
    let said = page.json["error"].as_str().unwrap();
    assert!(
        said.contains("never strikes at `page`; it strikes at async"),
        "{said}"
    );
    let said = whole.json["error"].as_str().unwrap();
    assert!(said.contains("leave `endpoints` out"), "{said}");
}

#[tokio::test]
async fn a_site_that_is_away_was_last_heard_of_when_it_went() {
    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.clock_scale = 0.0;
        settings.start = Some("2026-11-20T00:00:00Z".parse().unwrap());
    })
    .await;
    let heard = async || {
        let site = stand.get(&site(&stand)).await.json;
        let text = |name: &str| site[name].as_str().unwrap().to_owned();
        (text("heartbeatTimestampUTC"), text("clientTimestampUTC"))
    };
    let at = |time: &str| (time.to_owned(), time.to_owned());

    stand.step("1h").await;
    assert_eq!(heard().await, at("2026-11-20T01:00:00.000Z"));
    let away = stand.fault(json!({"kind": "unreachable"})).await;
    stand.step("3h").await;
    assert_eq!(heard().await, at("2026-11-20T01:00:00.000Z"));
    stand.delete(&format!("/simulator/faults/{away}")).await;
    assert_eq!(heard().await, at("2026-11-20T04:00:00.000Z"));

    // Closed from half past six in the evening, in Sydney.
    assert_eq!(stand.ready.sites[0].time_zone, "Australia/Sydney");
    stand
        .fault(json!({"kind": "closed", "from": "18:30", "until": "07:30"}))
        .await;
    stand.step("12h").await;
    assert_eq!(heard().await, at("2026-11-20T07:30:00.000Z"));
}

#[tokio::test]
async fn a_rule_that_has_struck_as_often_as_it_may_stands_no_longer() {
    let stand = Stand::paired().await;
    let availability = async || stand.get(&site(&stand)).await.json["availability"].clone();
    stand.fault(json!({"kind": "offline", "times": 1})).await;

    assert_eq!(availability().await, "offline");
    assert_eq!(async_status(&stand).await, 503);
    assert_eq!(availability().await, "online");
    assert_eq!(async_status(&stand).await, 201);
}

#[tokio::test]
async fn what_the_documentation_leaves_open_can_be_chosen() {
    let stranger = Stand::with(|_| ()).await;
    assert_eq!(stranger.get(FIND).await.status, 403);
    stranger.fault(json!({"kind": "shown_unpaired"})).await;
    assert_eq!(stranger.get(FIND).await.status, 200);
    assert_eq!(async_status(&stranger).await, 403);

    let stand = Stand::with(|settings| {
        settings.paired = true;
        settings.timings.execute = std::time::Duration::from_secs(3);
    })
    .await;
    let post = async |path: &str, body: &Value| {
        let path = format!("{}/{path}", stand.queries());
        stand.post(&path, body).await.status
    };
    stand
        .fault(json!({"kind": "answer_limit", "time": "20ms"}))
        .await;
    assert_eq!(stand.immediate("SELECT 1 AS n").await.status, 504);

    let ids = json!({"queryIds": [PAGE_ID, PAGE_ID]});
    assert_eq!(post("status", &ids).await, 200);
    stand.fault(json!({"kind": "batch_limit", "ids": 1})).await;
    assert_eq!(post("status", &ids).await, 400);

    let named = |name: &str| {
        json!({
            "name": name, "registeredQueryType": "query", "frequency": 60, "duration": 600,
            "registerCommand": command("SELECT 1 AS n"),
        })
    };
    stand
        .fault(json!({"kind": "registered_limits", "most": 2, "unique_names": true}))
        .await;
    assert_eq!(post("registered", &named("one")).await, 202);
    assert_eq!(post("registered", &named("one")).await, 400);
    assert_eq!(post("registered", &named("two")).await, 202);
    assert_eq!(post("registered", &named("three")).await, 400);
}

/// The id of no query.
const PAGE_ID: &str = "c2a7f0de-11aa-4d7f-a2b0-6f3b8a1c9d42";

#[tokio::test]
async fn refusals_take_the_same_liberties_as_answers() {
    let stand = Stand::paired().await;
    stand
        .fault(json!({"kind": "wire", "unknown_fields": true, "numbers_as_text": true}))
        .await;

    let refused = stand.get(&format!("{}/{PAGE_ID}", stand.queries())).await;

    assert_eq!(refused.status, 404);
    assert_eq!(refused.json["error"]["status"], "404");
    assert!(refused.json["announcedInSomeFutureRelease"].is_object());
}

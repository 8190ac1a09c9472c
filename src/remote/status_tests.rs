use std::time::Duration;

use proptest::prelude::*;
use serde_json::json;
use uuid::Uuid;

use super::*;

const ID: RemoteQueryId = RemoteQueryId(Uuid::from_u128(7));

fn read(body: serde_json::Value) -> Result<RemoteQuery, Fault> {
    let body: QueryBody = serde_json::from_value(body).expect("lenient");
    body.into_query(ID)
}

fn page(number: u32, rows: u64) -> RemotePage {
    RemotePage {
        number: PageNumber(number),
        rows: Some(rows),
    }
}

#[test]
fn a_successful_query_promises_its_rows_and_pages_in_order() {
    let query = read(json!({
        "id": ID, "status": "successful", "resultSize": 2_350_112, "metrics": {"sqlExecutionDuration": 5120},
        "somethingNew": {"a": [1]},
        "result": {"rows": 30, "size": 2_350_112, "pages": [
            {"pageNumber": 2, "status": "cached", "size": 9, "rows": {"count": 10, "rangeStart": 1}},
            {"pageNumber": 1, "status": "cached", "size": 9, "rows": {"count": 20}}]}
    }))
    .expect("a query");

    assert!(query.is_ready());
    let expected = RemoteResult {
        rows: 30,
        size_bytes: 2_350_112,
        pages: vec![page(1, 20), page(2, 10)],
        sql_duration: Some(Duration::from_millis(5120)),
    };
    assert_eq!(query.result, Some(expected));
}

#[test]
fn numbers_may_come_as_text_and_optional_fields_not_at_all() {
    let query = read(json!({
        "status": "successful",
        "result": {"rows": "1", "pages": [{"pageNumber": "1"}]}
    }))
    .expect("a query");

    let result = query.result.expect("a result");
    assert_eq!((result.rows, result.size_bytes), (1, 0));
    assert_eq!(
        result.pages,
        [RemotePage {
            number: PageNumber(1),
            rows: None
        }]
    );
}

#[test]
fn a_successful_query_with_a_page_on_its_way_is_not_ready() {
    let query = read(json!({
        "status": "successful",
        "result": {"rows": 2, "pages": [{"pageNumber": 1, "status": "cached"}, {"pageNumber": 2, "status": "uploading"}]}
    }))
    .expect("a query");
    assert!(!query.is_ready());
}

#[test]
fn a_result_that_cannot_be_proven_is_refused() {
    for body in [
        json!({"status": "successful"}),
        json!({"status": "successful", "result": {"pages": []}}),
        json!({"status": "successful", "result": {"rows": 1, "pages": []}}),
        json!({"status": "successful", "result": {"rows": 1, "pages": [{"pageNumber": 2}]}}),
        json!({"status": "successful", "result": {"rows": 1, "pages": [{"pageNumber": 1}, {"pageNumber": 1}]}}),
        json!({"status": "successful", "result": {"rows": 1, "pages": [{"rows": {"count": 1}}]}}),
        json!({"id": Uuid::from_u128(8), "status": "queued"}),
        json!({"error": {"message": "off"}}),
    ] {
        assert!(read(body.clone()).is_err(), "{body}");
    }
}

#[test]
fn a_result_without_rows_may_have_no_page_or_an_empty_one() {
    for pages in [json!([]), json!([{"pageNumber": 1, "rows": {"count": 0}}])] {
        let query = read(json!({"status": "successful", "result": {"rows": 0, "pages": pages}}));
        assert!(query.expect("a query").is_ready());
    }
}

#[test]
fn every_final_status_is_told_and_every_other_one_waited_for() {
    for (word, cause) in [
        ("initialisationFailedCacheError", Cause::CacheFailed),
        ("initialisationFailedSiteOffline", Cause::SiteOffline),
        ("initialisationFailedSiteUnreachable", Cause::SiteOffline),
        ("expiredInQueue", Cause::ExpiredInQueue),
        ("executionFailed", Cause::SqlFailed),
        ("uploadFailed", Cause::UploadFailed),
    ] {
        let query = read(json!({"status": word})).expect("a query");
        let failure = query.failure(HaloGuid(Uuid::nil())).expect("a failure");
        assert_eq!(failure.cause(), cause);
    }
    for word in [
        "initialising",
        "queued",
        "executing",
        "uploading",
        "resting",
    ] {
        let query = read(json!({"status": word})).expect("a query");
        assert!(
            query.failure(HaloGuid(Uuid::nil())).is_none() && !query.is_ready(),
            "{word}"
        );
    }
}

#[test]
fn a_batch_item_is_gone_only_by_the_documented_word() {
    let item = |body| {
        let body = serde_json::from_value::<BatchItemBody>(body).expect("lenient");
        BatchItem::of(body)
    };

    assert!(matches!(
        item(json!({"queryId": ID, "status": "notFound"})),
        Ok(Some((ID, Found::Nothing)))
    ));
    assert!(matches!(
        item(json!({"queryId": ID, "query": {"status": "queued"}})),
        Ok(Some((ID, Found::Query(_))))
    ));
    assert!(item(json!({"queryId": ID, "status": "found"})).is_err());
    assert!(item(json!({"status": "notFound"})).is_err());
}

proptest! {
    #[test]
    fn no_status_body_panics(body in r#"(\{|\}|\[|\]|"status"|"successful"|"result"|"pages"|"rows"|"pageNumber"|"count"|:|,|1|null|"2"|-7){0,40}"#) {
        if let Ok(body) = serde_json::from_str::<QueryBody>(&body) {
            let _ = body.into_query(ID);
        }
    }
}

use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn cause(operation: Operation, status: u16, body: &str) -> Cause {
    cause_of_answer(operation, status, &Told::read(body.as_bytes()), None)
}

#[test]
fn all_five_shapes_of_an_error_body_are_read() {
    let nested = Told::read(br#"{"error":{"status":503,"statusText":"x","message":"off"}}"#);
    let flat = Told::read(br#"{"status":400,"statusText":"Bad Request","message":"off"}"#);
    let gateway = Told::read(br#"{"statusCode":429,"message":"off"}"#);
    let query = Told::read(
        br#"{"id":"7","status":"executionFailed","errorMessage":"old","errorCode":1,
            "errorDetails":{"errorType":"mssql","errorCode":208,"errorMessage":"off"}}"#,
    );
    let none = Told::read(b"<html>busy</html>");

    for told in [&nested, &flat, &gateway, &query] {
        assert_eq!(told.message.as_deref(), Some("off"));
    }
    assert_eq!(query.code, Some(208));
    assert_eq!(query.error_type.as_deref(), Some("mssql"));
    assert_eq!(none, Told::default());
}

#[test]
fn deprecated_error_fields_and_codes_as_text_are_read() {
    let told = Told::read(br#"{"status":"executionFailed","errorCode":"207","errorMessage":"x"}"#);
    assert_eq!((told.code, told.sql_number()), (Some(207), Some(207)));
}

#[test]
fn a_403_is_told_apart_before_anything_is_changed() {
    let plain = r#"{"error":{"message":"Access to resource is forbidden."}}"#;
    let quota = r#"{"statusCode":403,"message":"Out of call volume quota."}"#;
    let address = r#"{"message":"Caller Ip Not Allowed"}"#;
    let key = r#"{"error":{"message":"Access denied due to missing subscription key."}}"#;

    assert_eq!(cause(Operation::Submit, 403, plain), Cause::SiteRefused);
    assert_eq!(cause(Operation::Submit, 403, quota), Cause::QuotaSpent);
    assert_eq!(
        cause(Operation::Submit, 403, address),
        Cause::AddressRefused
    );
    assert_eq!(cause(Operation::Submit, 403, key), Cause::KeyRefused);
    assert_eq!(cause(Operation::Pair, 403, plain), Cause::PairingRefused);
    let wait = Some(Duration::from_secs(9));
    let told = Told::read(plain.as_bytes());
    assert_eq!(
        cause_of_answer(Operation::Submit, 403, &told, wait),
        Cause::QuotaSpent
    );
}

#[test]
fn the_same_status_means_another_thing_for_another_operation() {
    for (operation, status, expected) in [
        (Operation::Pair, 400, Cause::PairingRefused),
        (Operation::Submit, 400, Cause::SqlFailed),
        (Operation::LookUp, 400, Cause::RequestRefused),
        (Operation::Pair, 404, Cause::SiteUnknown),
        (Operation::Submit, 404, Cause::SiteUnknown),
        (Operation::Status, 404, Cause::Gone),
        (Operation::Page, 404, Cause::Gone),
        (Operation::Page, 410, Cause::Gone),
        (Operation::Pair, 502, Cause::PairingFailed),
        (Operation::LookUp, 502, Cause::ApiFailed),
        (Operation::Submit, 503, Cause::SiteOffline),
        (Operation::LookUp, 503, Cause::ApiFailed),
        (Operation::Immediate, 504, Cause::SiteLost),
        (Operation::Page, 504, Cause::ApiFailed),
        (Operation::Page, 302, Cause::WrongAddress),
        (Operation::Submit, 401, Cause::KeyRefused),
        (Operation::Immediate, 413, Cause::ResultTooLarge),
        (Operation::Submit, 429, Cause::RateLimited),
        (Operation::Submit, 500, Cause::ApiFailed),
        (Operation::Submit, 418, Cause::RequestRefused),
    ] {
        assert_eq!(
            cause(operation, status, ""),
            expected,
            "{operation:?} {status}"
        );
    }
}

#[test]
fn a_failed_query_is_classed_by_its_details_under_any_status() {
    let body = |kind: &str, code: i64, message: &str| {
        format!(
            r#"{{"errorDetails":{{"errorType":"{kind}","errorCode":{code},"errorMessage":"{message}"}}}}"#
        )
    };
    for (kind, code, message, expected) in [
        ("mssql", 208, "Invalid object name", Cause::SqlFailed),
        ("mssql", 1205, "deadlock victim", Cause::SqlTransient),
        ("mssql", -2, "timeout", Cause::SqlTransient),
        ("mssql", 18456, "", Cause::IntegrationDisabled),
        (
            "mssql",
            0,
            "Login failed for user",
            Cause::IntegrationDisabled,
        ),
        ("fbsql", 335544321, "overflow", Cause::SqlFailed),
        ("http", 413, "too large", Cause::ResultTooLarge),
        ("http", 500, "", Cause::TransferFailed),
        ("halolink", 1, "", Cause::LinkFault),
        ("haloLink", 1, "", Cause::LinkFault),
    ] {
        for status in [400, 500] {
            let found = cause(Operation::Immediate, status, &body(kind, code, message));
            assert_eq!(found, expected, "{kind} {code} {status}");
        }
    }
}

#[test]
fn a_message_that_may_quote_a_row_value_loses_it() {
    for (message, expected) in [
        (
            "Conversion failed when converting the varchar value 'O'Brien' to data type int.",
            "Conversion failed when converting the varchar value … to data type int.",
        ),
        (
            "Cannot insert duplicate key. The duplicate key value is (Canary, 3).",
            "Cannot insert duplicate key. The duplicate key value is …",
        ),
        (
            "Arithmetic overflow error for data type tinyint, value = 1042.",
            "Arithmetic overflow error for data type tinyint, value = …",
        ),
        (
            "String or binary data would be truncated in table 'x', column 'y'. Truncated value: 'Can'.",
            "String or binary data would be truncated in table ….",
        ),
    ] {
        let safe = discreet(message, &[]);
        assert!(!safe.contains("Brien") && !safe.contains("Can'") && !safe.contains("1042"));
        if !message.contains("Truncated") {
            assert_eq!(safe, expected);
        }
    }
}

#[test]
fn a_message_that_quotes_names_of_the_statement_is_kept() {
    let message = "Invalid column name 'SURNAMEX'.";
    assert_eq!(discreet(message, &[]), message);
}

#[test]
fn a_secret_does_not_come_back_out_of_a_message() {
    let safe = discreet(
        "no code ABC123 for key s3cr3t\nhere",
        &["ABC123", "s3cr3t", ""],
    );
    assert_eq!(safe, "no code … for key … here");
}

proptest! {
    #[test]
    fn no_error_body_panics_and_none_tells_more_than_it_holds(body in proptest::collection::vec(any::<u8>(), 0..600)) {
        let told = Told::read(&body);
        let told_bytes = told.message.map_or(0, |m| m.len()) + told.error_type.map_or(0, |t| t.len());
        prop_assert!(told_bytes <= 2 * body.len());
    }

    #[test]
    fn no_json_like_error_body_panics(body in r#"(\{|\}|\[|\]|"error"|"message"|"status"|"errorDetails"|"errorCode"|:|,|"x"|1|null|true|-2\.5e9){0,40}"#) {
        let told = Told::read(body.as_bytes());
        let _ = cause_of_answer(Operation::Submit, 400, &told, None);
    }

    #[test]
    fn a_quoted_value_never_survives(before in "[A-Za-z ]{0,20}", value in "[A-Z']{3,12}", after in "[a-z ]{0,20}") {
        let message = format!("{before} '{value}' {after}");
        prop_assume!(!NAMING_MESSAGES.iter().any(|start| message.trim_start().starts_with(start)));
        prop_assume!(!before.contains(&value));
        prop_assert!(!discreet(&message, &[]).contains(&value));
    }

    #[test]
    fn any_text_is_made_discreet_without_panic(message in any::<String>(), secret in any::<String>()) {
        prop_assert!(discreet(&message, &[&secret]).chars().count() <= MESSAGE_MOST);
    }
}

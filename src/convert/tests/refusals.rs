//! What a page is refused for, how that is told, and what it leaves behind.

use super::build::{contract, contract_error, convert, converter, refusal};
use crate::convert::{ConvertError, Reason};
use crate::domain::PageNumber;

#[test]
fn each_misfit_has_its_reason() {
    for (declared, value, reason) in [
        ("int not null", "null", Reason::Null),
        ("bit", "2", Reason::OutOfRange),
        ("bit", "\"true\"", Reason::Unreadable),
        ("tinyint", "256", Reason::OutOfRange),
        ("tinyint", "-1", Reason::OutOfRange),
        ("int", "2147483648", Reason::OutOfRange),
        ("int", "1.5", Reason::Fraction),
        ("int", "1e-1", Reason::Fraction),
        ("int", "true", Reason::Unreadable),
        ("int", "\" 1\"", Reason::Unreadable),
        ("int", "\"\"", Reason::Unreadable),
        ("int", "\"<0.5\"", Reason::Unreadable),
        ("int", "{\"a\":[1,2]}", Reason::Unreadable),
        ("decimal(5,2)", "1000", Reason::OutOfRange),
        ("decimal(5,2)", "1.234", Reason::Fraction),
        ("decimal(5,2)", "1e99999999999999999999", Reason::OutOfRange),
        ("decimal(5,2)", "\"NaN\"", Reason::Unreadable),
        ("real", "3.5e38", Reason::OutOfRange),
        ("float", "1e309", Reason::OutOfRange),
        ("float", "\"Infinity\"", Reason::Unreadable),
        ("float", "\"nan\"", Reason::Unreadable),
        ("date", "\"2026-02-29\"", Reason::OutOfRange),
        ("date", "\"0000-01-01\"", Reason::OutOfRange),
        ("date", "\"2026-11-18T00:00:01\"", Reason::NotMidnight),
        ("date", "\"18/11/2026\"", Reason::Unreadable),
        ("date", "20261118", Reason::Unreadable),
        ("time(7)", "\"24:00:00\"", Reason::OutOfRange),
        ("time(7)", "\"09:30:00.0000001\"", Reason::TooFine),
        ("time(7)", "\"09:30:00Z\"", Reason::Zone),
        ("datetime", "\"2026-11-18T09:30:00Z\"", Reason::Zone),
        ("datetime", "\"2026-11-18T09:30:00+10:00\"", Reason::Zone),
        ("datetime", "\"2026-11-18T09:30\"", Reason::Unreadable),
        (
            "datetime2(7)",
            "\"2026-11-18T09:30:00.1234567\"",
            Reason::TooFine,
        ),
        (
            "datetime2(7)",
            "\"2026-11-18T09:30:00.12345670\"",
            Reason::Unreadable,
        ),
        (
            "datetime2(7)",
            "\"2026-11-18T23:59:60\"",
            Reason::OutOfRange,
        ),
        (
            "datetimeoffset(7)",
            "\"2026-11-18T09:30:00\"",
            Reason::NoZone,
        ),
        (
            "datetimeoffset(7)",
            "\"2026-11-18T09:30:00+14:01\"",
            Reason::OutOfRange,
        ),
        ("varchar(3)", "\"four\"", Reason::TooLong),
        ("varchar(3)", "5", Reason::Unreadable),
        ("nvarchar(9)", "\"\\ud800\"", Reason::BrokenText),
        (
            "uniqueidentifier",
            "\"00112233445566778899aabbccddeeff\"",
            Reason::Unreadable,
        ),
        (
            "uniqueidentifier",
            "\"{0112233-4455-6677-8899-aabbccddeef}\"",
            Reason::Unreadable,
        ),
        ("varbinary(8)", "\"AQ\"", Reason::Unreadable),
        ("varbinary(8)", "\"AR==\"", Reason::Unreadable),
        ("varbinary(1)", "\"AQI=\"", Reason::TooLong),
        ("rowversion", "\"AAAAAAAAAAAA\"", Reason::TooLong),
    ] {
        assert_eq!(
            refusal(declared, value),
            Some(reason),
            "{declared}: {value}"
        );
    }
}

#[test]
fn all_that_is_wrong_with_a_page_is_told_at_once_with_rows_and_counts() {
    let contract = contract(&[("id", "int not null"), ("dose", "decimal(5,2)")]);
    let mut converter = converter(&contract);
    let first = br#"[{"id":1,"dose":1.25},{"id":2,"dose":null}]"#;
    converter
        .push_page(PageNumber(1), first)
        .expect("a sound page");

    let second = br#"[{"id":3,"dose":1.5},
        {"id":null,"dose":1.255,"nhs":"secret","nhs":"again"},
        {"dose":77777,"id":5,"dose":6},
        {"id":null},
        {"id":7,"dose":8.125}]"#;
    let error = converter
        .push_page(PageNumber(2), second)
        .expect_err("many misfits");

    let error = contract_error(error);
    let found: Vec<_> = error
        .violations
        .iter()
        .map(|v| {
            (
                v.column.as_str(),
                v.declared.as_str(),
                v.reason,
                v.row_in_page,
                v.row,
                v.rows,
            )
        })
        .collect();
    assert_eq!(
        found,
        [
            ("id", "int not null", Reason::Null, 2, 4, 2),
            ("dose", "decimal(5,2)", Reason::Fraction, 2, 4, 2),
            ("nhs", "", Reason::Extra, 2, 4, 1),
            ("dose", "decimal(5,2)", Reason::OutOfRange, 3, 5, 1),
            ("dose", "decimal(5,2)", Reason::Repeated, 3, 5, 1),
            ("dose", "decimal(5,2)", Reason::Missing, 4, 6, 1),
        ]
    );
    assert_eq!(error.unlisted, 0);
}

#[test]
fn a_refusal_says_what_where_and_what_next_and_never_the_value() {
    let contract = contract(&[("medicare", "int not null")]);
    let page = r#"[{"medicare":1},{"medicare":"29501234561X"},{"medicare":"29501234562X"}]"#;
    let error = convert(&contract, page).expect_err("not an int");
    assert_eq!(
        error.to_string(),
        "page 1 of visit@v3 breaks the contract: column `medicare` (int not null) does not read as its \
         declared type in row 2 of the page, 2 of the result (and 1 more rows); mend the SQL or the [columns] \
         of the query in a new version"
    );
    assert!(!format!("{error:?}").contains("2950"));
}

#[test]
fn a_refused_page_leaves_the_converter_as_it_was() {
    let contract = contract(&[
        ("id", "int"),
        ("note", "varchar(20)"),
        ("raw", "varbinary(9)"),
        ("flag", "bit"),
    ]);
    let sound = br#"[{"id":1,"note":"a","raw":"AQ==","flag":true},{"id":null,"note":null,"raw":null,"flag":null}]"#;
    let misfit = br#"[{"id":null,"note":"b","raw":null,"flag":null},{"id":"x","note":"c","raw":"AQ==","flag":true}]"#;
    let cut = br#"[{"id":null,"note":"b","raw":null,"flag":null},{"id":7,"note":"c"#;
    let mut with_refusals = converter(&contract);
    let mut without = converter(&contract);

    for _ in 0..2 {
        with_refusals
            .push_page(PageNumber(2), misfit)
            .expect_err("a misfit");
        with_refusals
            .push_page(PageNumber(2), cut)
            .expect_err("a cut page");
        with_refusals
            .push_page(PageNumber(1), sound)
            .expect("a sound page");
        without
            .push_page(PageNumber(1), sound)
            .expect("a sound page");
    }

    assert_eq!((with_refusals.rows(), without.rows()), (4, 4));
    assert_eq!(with_refusals.finish(), without.finish());
}

#[test]
fn a_page_that_is_not_json_rows_is_malformed_and_says_where() {
    let contract = contract(&[("v", "int")]);
    for (page, offset) in [
        ("", 0),
        ("null", 0),
        ("{\"v\":1}", 0),
        ("[1]", 1),
        ("[{\"v\":1}", 8),
        ("[{\"v\":1},]", 9),
        ("[{\"v\":1}]x", 9),
        ("[{\"v\":1}{\"v\":1}]", 8),
        ("[{\"v\":01}]", 6),
        ("[{\"v\":1,}]", 8),
        ("[{v:1}]", 2),
        ("[{\"v\" 1}]", 6),
        ("\u{feff}[]", 0),
        ("[{\"v\":\"\t\"}]", 7),
        ("[{\"v\":[1,{\"a\":}]}]", 14),
    ] {
        match convert(&contract, page) {
            Err(ConvertError::Malformed(error)) => {
                assert_eq!(
                    (error.offset, error.length),
                    (offset, page.len() as u64),
                    "{page}"
                );
            }
            other => panic!("{page}: {other:?}"),
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_malformed_wherever_they_stand() {
    let contract = contract(&[("v", "varchar(9)")]);
    let page = b"[{\"v\":\"caf\xe9\"}]";
    let error = converter(&contract)
        .push_page(PageNumber(4), page)
        .expect_err("Latin-1");
    assert_eq!(
        error.to_string(),
        "page 4 of visit@v3 is not JSON rows: UTF-8 expected at byte 10 of 14; fetch the page again, and if \
         it stays so, report it to the API's owner"
    );
}

#[test]
fn very_deep_nesting_is_refused_without_exhausting_the_stack() {
    let contract = contract(&[("v", "int")]);
    let deep = format!(
        "[{{\"v\":{}{}}}]",
        "[".repeat(1_000_000),
        "]".repeat(1_000_000)
    );
    assert!(matches!(
        convert(&contract, &deep),
        Err(ConvertError::Contract(_))
    ));
}

#[test]
fn an_extra_key_behind_all_others_is_told_with_its_row_however_it_is_written() {
    let contract = contract(&[("v", "int")]);
    for page in [
        r#"[{"v":1},{"v":2,"x":3},{"v":4}]"#,
        r#"[{"v":1},{"v":2 , "x":[{}]} ,{"v":4}]"#,
        "[{\"v\":1},{\"v\":2\n,\"x\":null}]",
    ] {
        let error = contract_error(convert(&contract, page).expect_err("an extra key"));
        let found: Vec<_> = error
            .violations
            .iter()
            .map(|v| (v.column.as_str(), v.reason, v.row))
            .collect();
        assert_eq!(found, [("x", Reason::Extra, 2)], "{page}");
    }
}

#[test]
fn a_hundred_violations_are_listed_and_the_rest_counted() {
    let contract = contract(&[("v", "int")]);
    let extra: Vec<String> = (0..150)
        .map(|i| format!("{{\"v\":1,\"k{i}\":0}}"))
        .collect();
    let error = convert(&contract, &format!("[{}]", extra.join(","))).expect_err("extra columns");
    let error = contract_error(error);
    assert_eq!((error.violations.len(), error.unlisted), (100, 50));
}

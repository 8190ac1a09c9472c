use proptest::prelude::*;

use super::*;

const ROWS: &str = r#"[{"id":1,"name":"Zoë"},{"id":2,"name":null}]"#;

fn base64(text: &str) -> String {
    base64_simd::STANDARD.encode_to_string(text)
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string")
}

/// Every shape in which the same rows may come.
fn shapes(rows: &str) -> Vec<String> {
    let data = base64(rows);
    let escaped = data.replace('+', "\\u002B").replace('/', "\\/");
    vec![
        rows.to_owned(),
        format!("\u{feff} {rows}\r\n"),
        format!(r#"{{"data":"{data}"}}"#),
        format!(r#"{{"data":"{data}","parameters":[]}}"#),
        format!(r#" {{ "parameters" : null, "data" : "{data}" }} "#),
        format!(r#"{{"data":"{escaped}"}}"#),
        quoted(rows),
        quoted(&data),
        quoted(&format!(r#"{{"data":"{data}"}}"#)),
    ]
}

fn read(body: &str) -> Result<PageRows, Fault> {
    PageRows::read(body.as_bytes().to_vec())
}

#[test]
fn the_same_rows_come_out_of_every_shape() {
    for body in shapes(ROWS) {
        let rows = read(&body).unwrap_or_else(|fault| panic!("{fault}: {body}"));
        assert_eq!(rows.as_ref(), ROWS.as_bytes(), "{body}");
    }
}

#[test]
fn room_for_padding_is_left_behind_the_rows() {
    for body in shapes(ROWS).into_iter().chain(["".to_owned()]) {
        let (buffer, rows) = read(&body).expect("rows").into_parts();
        assert_eq!(rows.end, buffer.len());
        assert!(buffer.capacity() - buffer.len() >= SPARE_BYTES, "{body}");
    }
}

#[test]
fn an_empty_page_is_an_empty_array_however_it_is_said() {
    let bodies = [
        "",
        " ",
        "null",
        "[]",
        "[ ]",
        "{}",
        r#"{"data":null}"#,
        r#"{"data":""}"#,
        r#"{"data":"W10="}"#,
        r#"{"data":"bnVsbA=="}"#,
        r#"{"parameters":[]}"#,
        r#""""#,
        r#""[]""#,
    ];
    for body in bodies {
        let rows = read(body).unwrap_or_else(|fault| panic!("{fault}: {body}"));
        assert!(rows.is_bare(), "{body}");
    }
}

#[test]
fn a_page_that_declares_rows_and_brings_none_is_refused() {
    let page = Page::new(PageNumber(1), Some(3), b"{}".to_vec());
    let error = page.into_rows().expect_err("refused");
    assert_eq!(error.cause(), Cause::Unreadable);
}

#[test]
fn an_envelope_that_breaks_off_anywhere_is_refused() {
    let whole = format!(r#"{{"data":"{}"}}"#, base64(ROWS));
    for length in 1..whole.len() {
        assert!(read(&whole[..length]).is_err(), "{length}");
    }
}

#[test]
fn a_body_that_breaks_off_does_not_look_whole() {
    for body in shapes(ROWS) {
        assert!(looks_whole(body.as_bytes()), "{body}");
    }
    for body in ["", "null", "<html>"] {
        assert!(looks_whole(body.as_bytes()), "left to the reader: {body}");
    }
    for body in [
        "[",
        "{",
        "\"",
        r#"[{"id":1},{"na"#,
        r#"{"data":"W10="#,
        r#"{"data":"W1"#,
        r#""W10="#,
    ] {
        assert!(!looks_whole(body.as_bytes()), "{body}");
    }
}

#[test]
fn what_is_no_page_is_refused() {
    for body in [
        "<html>",
        "7",
        "true",
        r#"{"data":7}"#,
        r#"{"data":"e30="}"#,
        r#"{"data":"***"}"#,
        "[{",
        r#""x"#,
    ] {
        assert!(read(body).is_err(), "{body}");
    }
}

#[test]
fn the_debug_form_of_a_page_holds_no_value() {
    let page = Page::new(PageNumber(2), Some(2), ROWS.as_bytes().to_vec());
    let printed = format!("{page:?}");
    let rows = format!("{:?}", page.into_rows().expect("rows"));
    assert!(
        !printed.contains("Zo") && !rows.contains("Zo"),
        "{printed} {rows}"
    );
}

proptest! {
    #[test]
    fn any_array_comes_out_of_every_shape_as_it_went_in(cells in proptest::collection::vec(any::<String>(), 1..8)) {
        let rows = serde_json::to_string(&cells).expect("an array");
        for body in shapes(&rows) {
            let read = read(&body).expect("rows");
            prop_assert_eq!(read.as_ref(), rows.as_bytes());
        }
    }

    #[test]
    fn no_bytes_panic_and_none_take_more_than_the_stated_memory(body in proptest::collection::vec(any::<u8>(), 0..400)) {
        check_memory(body)?;
    }

    #[test]
    fn no_page_like_bytes_panic(body in r#"(\{"data":"|"|\\|\[|\]|\}|\{|,|:|W10=|AAAA|\\u002B|null| ){0,30}"#) {
        check_memory(body.into_bytes())?;
    }
}

/// What can be seen from outside: the buffer that is kept. That the intermediate copies stay within the
/// multiple follows from the code.
fn check_memory(body: Vec<u8>) -> Result<(), TestCaseError> {
    let limit = MEMORY_MULTIPLE * body.len() + 2 * SPARE_BYTES;
    if let Ok(rows) = PageRows::read(body) {
        prop_assert!(rows.into_parts().0.capacity() <= limit);
    }
    Ok(())
}

//! Each row of the type table, with values written out by hand.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{
    Date32Type, Decimal128Type, Float32Type, Float64Type, Int16Type, Int32Type, Int64Type,
    Time64MicrosecondType, TimestampMicrosecondType, UInt8Type,
};

use super::build::{column, convert, convert_values, page_of};
use crate::domain::Contract;

#[test]
fn bits_are_true_and_false_zero_and_one_and_their_text() {
    let batch = convert_values(
        "bit",
        &["true", "false", "1", "0", "\"1\"", "\"0\"", "null"],
    );
    let batch = batch.expect("bits");
    let bits: Vec<_> = batch.column(0).as_boolean().iter().collect();
    assert_eq!(
        bits,
        [
            Some(true),
            Some(false),
            Some(true),
            Some(false),
            Some(true),
            Some(false),
            None
        ]
    );
}

#[test]
fn whole_numbers_reach_both_ends_of_their_range() {
    let batch = convert_values("tinyint", &["0", "255", "\"7\""]).expect("tinyints");
    assert_eq!(
        batch.column(0).as_primitive::<UInt8Type>().values(),
        &[0, 255, 7]
    );
    let batch = convert_values("smallint", &["-32768", "32767"]).expect("smallints");
    assert_eq!(
        batch.column(0).as_primitive::<Int16Type>().values(),
        &[i16::MIN, i16::MAX]
    );
    let batch = convert_values("int", &["-2147483648", "2147483647"]).expect("ints");
    assert_eq!(
        batch.column(0).as_primitive::<Int32Type>().values(),
        &[i32::MIN, i32::MAX]
    );
    let batch = convert_values(
        "bigint",
        &["-9223372036854775808", "\"9223372036854775807\""],
    );
    let batch = batch.expect("bigints");
    assert_eq!(
        batch.column(0).as_primitive::<Int64Type>().values(),
        &[i64::MIN, i64::MAX]
    );
}

#[test]
fn a_whole_number_may_be_written_with_a_zero_fraction_or_an_exponent() {
    let batch = convert_values("int", &["12.0", "1.5e1", "-0", "2000e-3"]).expect("ints");
    assert_eq!(
        batch.column(0).as_primitive::<Int32Type>().values(),
        &[12, 15, 0, 2]
    );
}

#[test]
fn decimals_keep_every_digit() {
    let batch = convert_values(
        "decimal(5,2)",
        &[
            "1.5", "-999.99", "\"0.07\"", "1.2300", "1e2", "12345e-2", "-0",
        ],
    );
    let batch = batch.expect("decimals");
    let digits = batch
        .column(0)
        .as_primitive::<Decimal128Type>()
        .values()
        .to_vec();
    assert_eq!(digits, [150, -99_999, 7, 123, 10_000, 12_345, 0]);

    let largest = "9999999999999999999999999999.9999999999";
    let batch = convert_values("decimal(38,10)", &[largest, "0.1234567891"]).expect("decimals");
    let digits = batch
        .column(0)
        .as_primitive::<Decimal128Type>()
        .values()
        .to_vec();
    assert_eq!(digits, [10_i128.pow(38) - 1, 1_234_567_891]);
}

#[test]
fn money_has_four_digits_after_the_point() {
    let batch = convert_values("money", &["922337203685477.5807", "-922337203685477.5808"]);
    let batch = batch.expect("money");
    let digits = batch.column(0).as_primitive::<Decimal128Type>();
    assert_eq!(
        digits.values(),
        &[i128::from(i64::MAX), i128::from(i64::MIN)]
    );
    assert_eq!((digits.precision(), digits.scale()), (19, 4));
    let batch = convert_values("smallmoney", &["-214748.3648", "214748.3647"]).expect("smallmoney");
    let digits = batch.column(0).as_primitive::<Decimal128Type>();
    assert_eq!(
        digits.values(),
        &[i128::from(i32::MIN), i128::from(i32::MAX)]
    );
}

#[test]
fn floats_are_rounded_once_to_the_nearest() {
    // 16777217 = 2^24 + 1 lies between two 32-bit floats; the tie goes to the even one. The number
    // behind it is a hair more than the tie, which 64 bits cannot tell and 32 must.
    let batch = convert_values("real", &["16777217", "16777217.0000000001", "\"-0.1\""]);
    let batch = batch.expect("reals");
    assert_eq!(
        batch.column(0).as_primitive::<Float32Type>().values(),
        &[16_777_216.0, 16_777_218.0, -0.1]
    );
    let batch = convert_values(
        "float",
        &[
            "0.1",
            "1.7976931348623157e308",
            "5e-324",
            "9007199254740993",
        ],
    );
    let batch = batch.expect("floats");
    assert_eq!(
        batch.column(0).as_primitive::<Float64Type>().values(),
        &[0.1, f64::MAX, f64::from_bits(1), 9_007_199_254_740_992.0]
    );
}

#[test]
fn dates_count_days_and_may_come_as_midnight() {
    let values = [
        "\"1970-01-01\"",
        "\"1969-12-31\"",
        "\"2000-02-29T00:00:00\"",
        "\"0001-01-01T00:00:00.0000000\"",
        "\"9999-12-31\"",
        "null",
    ];
    let batch = convert_values("date", &values).expect("dates");
    let dates: Vec<_> = batch
        .column(0)
        .as_primitive::<Date32Type>()
        .iter()
        .collect();
    assert_eq!(
        dates,
        [
            Some(0),
            Some(-1),
            Some(11_016),
            Some(-719_162),
            Some(2_932_896),
            None
        ]
    );
}

#[test]
fn times_count_microseconds_since_midnight() {
    let values = ["\"00:00:00\"", "\"23:59:59.9999990\"", "\"09:30:00.5\""];
    let batch = convert_values("time(7)", &values).expect("times");
    assert_eq!(
        batch
            .column(0)
            .as_primitive::<Time64MicrosecondType>()
            .values(),
        &[0, 86_399_999_999, 34_200_500_000]
    );
}

#[test]
fn local_date_times_count_microseconds_on_the_practices_clock() {
    let values = [
        "\"1970-01-01T00:00:00\"",
        "\"1969-12-31T23:59:59.997\"",
        "\"2001-09-09T01:46:40.1234560\"",
        "\"2001-09-09 01:46:40\"",
        "\"1970-01-02\"",
    ];
    for declared in ["datetime", "datetime2(7)", "smalldatetime"] {
        let batch = convert_values(declared, &values).expect("date-times");
        assert_eq!(
            batch
                .column(0)
                .as_primitive::<TimestampMicrosecondType>()
                .values(),
            &[
                0,
                -3_000,
                1_000_000_000_123_456,
                1_000_000_000_000_000,
                86_400_000_000
            ]
        );
    }
}

#[test]
fn instants_are_kept_in_utc_with_their_offset_beside_them() {
    let mut at = column("v", "datetimeoffset(7)");
    at.offset = true;
    let contract = Contract { columns: vec![at] };
    let page = page_of(&[
        "\"1970-01-01T10:00:00+10:00\"",
        "\"1970-01-01T00:00:00.25Z\"",
        "null",
        "\"1969-12-31T14:30:00-09:30\"",
    ]);

    let batch = convert(&contract, &page).expect("instants");

    let instants: Vec<_> = batch
        .column(0)
        .as_primitive::<TimestampMicrosecondType>()
        .iter()
        .collect();
    assert_eq!(instants, [Some(0), Some(250_000), None, Some(0)]);
    let offsets: Vec<_> = batch.column(1).as_primitive::<Int16Type>().iter().collect();
    assert_eq!(offsets, [Some(600), Some(0), None, Some(-570)]);
    assert_eq!(batch.schema().field(1).name(), "v_offset_minutes");
}

#[test]
fn text_keeps_every_character_and_escapes_are_undone() {
    let values = [
        r#""""#,
        r#""Zo\u00eb \ud83d\ude00 \"quoted\" \\ \/ \b\f\n\r\t""#,
        r#""O'Brien — naïve 😀""#,
        r#""a text of exactly thirty-two by""#,
        "null",
    ];
    let batch = convert_values("nvarchar(max)", &values).expect("texts");
    let texts: Vec<_> = batch.column(0).as_string::<i32>().iter().collect();
    assert_eq!(
        texts,
        [
            Some(""),
            Some("Zo\u{eb} \u{1F600} \"quoted\" \\ / \u{8}\u{c}\n\r\t"),
            Some("O'Brien \u{2014} na\u{ef}ve \u{1F600}"),
            Some("a text of exactly thirty-two by"),
            None
        ]
    );
}

#[test]
fn trim_cuts_trailing_blanks_only_and_only_when_asked() {
    let mut padded = column("v", "char(6)");
    let page = page_of(&["\" ab   \"", "\"      \"", "\"\\u0020x\\u0020\\u0020\""]);
    let texts = |column: &crate::domain::Column| {
        let contract = Contract {
            columns: vec![column.clone()],
        };
        let batch = convert(&contract, &page).expect("texts");
        let texts: Vec<String> = batch
            .column(0)
            .as_string::<i32>()
            .iter()
            .flatten()
            .map(str::to_owned)
            .collect();
        texts
    };
    assert_eq!(texts(&padded), [" ab   ", "      ", " x  "]);
    padded.trim = true;
    assert_eq!(texts(&padded), [" ab", "", " x"]);
}

#[test]
fn declared_lengths_count_characters_and_utf16_units_in_n_types() {
    for (declared, value, fits) in [
        ("varchar(4)", "\"naïf\"", true),
        ("varchar(4)", "\"naïfs\"", false),
        ("nvarchar(4)", "\"ab😀\"", true),
        ("nvarchar(4)", "\"abc😀\"", false),
        ("nvarchar(max)", "\"as long as it likes\"", true),
        ("varbinary(2)", "\"AQI=\"", true),
        ("varbinary(2)", "\"AQID\"", false),
    ] {
        assert_eq!(
            convert_values(declared, &[value]).is_ok(),
            fits,
            "{declared}: {value}"
        );
    }
}

#[test]
fn uuids_are_the_sixteen_bytes_in_the_order_of_their_text() {
    let values = [
        "\"00112233-4455-6677-8899-aabbccddeeff\"",
        "\"00112233-4455-6677-8899-AABBCCDDEEFF\"",
    ];
    let batch = convert_values("uniqueidentifier", &values).expect("uuids");
    let expected: Vec<u8> = (0..16).map(|i| i * 0x11).collect();
    for row in 0..2 {
        assert_eq!(batch.column(0).as_fixed_size_binary().value(row), expected);
    }
}

#[test]
fn binaries_are_the_bytes_that_base64_stands_for() {
    let values = ["\"\"", "\"AAEC/w==\"", "\"\\/\\/79\""];
    let batch = convert_values("varbinary(max)", &values).expect("binaries");
    let bytes: Vec<_> = batch
        .column(0)
        .as_binary::<i32>()
        .iter()
        .flatten()
        .collect();
    assert_eq!(bytes, [&[][..], &[0, 1, 2, 0xFF], &[0xFF, 0xFE, 0xFD]]);
}

#[test]
fn an_empty_page_has_no_rows() {
    for page in ["[]", " [ \n] "] {
        let batch = convert(&super::build::contract(&[("v", "int")]), page).expect("a page");
        assert_eq!(batch.num_rows(), 0);
    }
}

#[test]
fn nulls_are_kept_apart_from_zeros() {
    let batch = convert_values("int", &["0", "null", "5", "null"]).expect("ints");
    let numbers: Vec<_> = batch.column(0).as_primitive::<Int32Type>().iter().collect();
    assert_eq!(numbers, [Some(0), None, Some(5), None]);
    assert_eq!(
        convert_values("int", &["1"])
            .expect("an int")
            .column(0)
            .nulls(),
        None
    );
}

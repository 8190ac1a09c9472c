//! Random pages: contracts of some of the types, values from usual to wrong, rows in any spelling.

use proptest::prelude::*;
use proptest::sample::select;

use super::build::column;
use crate::domain::{Contract, SqlType};

/// One column of each type, nullable ones and not, with names that need escapes or are long.
pub(super) fn every_type() -> Contract {
    let declared = [
        "bit",
        "tinyint",
        "smallint not null",
        "int not null",
        "bigint",
        "decimal(5,2)",
        "decimal(38,10) not null",
        "money",
        "smallmoney",
        "real",
        "float",
        "date not null",
        "time(7)",
        "smalldatetime",
        "datetime",
        "datetime2(7)",
        "datetimeoffset(3)",
        "char(6)",
        "varchar(20) not null",
        "text",
        "nchar(3)",
        "nvarchar(max)",
        "ntext",
        "xml",
        "uniqueidentifier",
        "binary(4)",
        "varbinary(max)",
        "rowversion",
    ];
    let names = [
        "ID",
        "a\"quote",
        "ünïcode",
        "A_NAME_OF_FOUR_AND_TWENTY",
        "A_NAME_THAT_IS_LONGER_THAN_TWO_WORDS",
    ];
    let columns = declared.iter().enumerate().map(|(i, declared)| {
        let mut column = column(&format!("{}{i}", names[i % names.len()]), declared);
        column.trim = i % 2 == 0;
        column.offset = true;
        column
    });
    Contract {
        columns: columns.collect(),
    }
}

/// JSON texts of numbers, from common to extreme.
fn number() -> BoxedStrategy<String> {
    prop_oneof![
        6 => "-?(0|[1-9][0-9]{0,5})",
        3 => "-?(0|[1-9][0-9]{0,4})\\.[0-9]{1,4}",
        2 => "-?[0-9]{1,42}",
        2 => "-?[0-9]{0,18}\\.?[0-9]{0,12}",
        2 => "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,3}0{0,8})?[eE][+-]?[0-9]{1,4}",
        1 => select(vec![
            "-0", "0e9999999999999999999", "1e-99999999999999999999", "255", "256", "32767", "32768", "-32768", "-32769",
            "2147483647", "2147483648", "-2147483648", "-2147483649", "9223372036854775807", "9223372036854775808",
            "-9223372036854775808", "-9223372036854775809", "999.99", "999.995", "1000.00", "99999999999999999999999999999.9999999999",
            "9999999999999999999999999999.9999999999", "1e28", "3.4028235e38", "3.4028236e38", "1.7976931348623157e308", "1.8e308",
            "5e-324", "16777217", "9007199254740993", "0.1", "NaN", "Infinity", "-Infinity", "+1", "1.", ".5", "01", "1e", "1e+", "0x10",
        ]).prop_map(str::to_owned),
    ]
    .boxed()
}

/// What stands between the quotes of dates and times, from common to wrong.
fn moment() -> BoxedStrategy<String> {
    let date = "[0-9]{4}-(0[0-9]|1[0-3])-([0-2][0-9]|3[0-2])";
    let usual = "(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])";
    let clock = "([01][0-9]|2[0-4]):[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,8})?";
    let fine = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6}0?)?";
    let zone = "(Z|[+-](0[0-9]|1[0-5]):[0-6][0-9])";
    let of = |pattern: String| proptest::string::string_regex(&pattern).expect("a pattern");
    prop_oneof![
        4 => of(format!("{usual}T{fine}")),
        3 => of(usual.to_owned()),
        2 => of(fine.to_owned()),
        2 => of(format!("{usual}T00:00:00(\\.0{{1,7}})?")),
        2 => of(format!("{usual}T{fine}{zone}")),
        2 => of(format!("{date}(T|t| )?({clock})?{zone}?")),
        1 => of(clock.to_owned()),
    ]
    .boxed()
}

/// What stands between the quotes of text, before escaping.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        4 => "[ -~]{0,40}",
        2 => any::<String>(),
        2 => "[a-zA-Z \u{e9}\u{1F600}\"\\\\/\n\r\t\u{0}]{0,24} {0,3}",
        1 => "[A-Za-z0-9+/]{0,12}={0,2}",
        1 => "([0-9a-fA-F]{8})-([0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}",
        1 => "[{]?[0-9a-f-]{32,38}[}]?",
    ]
    .boxed()
}

/// A JSON string of `text`, with some characters escaped that need not be, and now and then a broken escape.
fn quoted(text: BoxedStrategy<String>) -> BoxedStrategy<String> {
    let odd = select(vec![
        "\\/",
        "\\u0041",
        "\\ud83d\\ude00",
        "\\ud83d",
        "\\ude00\\ud83d",
        "\\uD83D\\u0041",
        "\\x",
        "\\u12",
        "\\u00e9",
        "\t",
    ]);
    (text, proptest::option::weighted(0.1, odd))
        .prop_map(|(text, odd)| {
            let mut json = serde_json::to_string(&text).expect("a string");
            if let Some(odd) = odd {
                json.insert_str(json.len() - 1, odd);
            }
            json
        })
        .boxed()
}

/// The JSON text of any value, broken ones included.
pub(super) fn anything() -> BoxedStrategy<String> {
    prop_oneof![
        number(),
        quoted(number()),
        quoted(moment()),
        quoted(text()),
        select(vec![
            "null",
            "true",
            "false",
            "[]",
            "{}",
            "[1,{\"a\":[]}]",
            "{\"ID0\":1}",
            "nul",
            "",
            "[1,]",
            "{\"a\"}",
            "\"1\"",
            "\"0\"",
            "0",
            "1"
        ])
        .prop_map(str::to_owned),
    ]
    .boxed()
}

/// JSON texts of values that often fit the type.
fn fitting(sql_type: SqlType) -> BoxedStrategy<String> {
    match sql_type {
        SqlType::Bit => select(vec!["true", "false", "0", "1", "\"0\"", "\"1\""]).prop_map(str::to_owned).boxed(),
        SqlType::TinyInt => any::<u8>().prop_map(|n| n.to_string()).boxed(),
        SqlType::SmallInt => any::<i16>().prop_map(|n| n.to_string()).boxed(),
        SqlType::Int => any::<i32>().prop_map(|n| n.to_string()).boxed(),
        SqlType::BigInt => any::<i64>().prop_map(|n| n.to_string()).boxed(),
        SqlType::Decimal { .. } | SqlType::Money | SqlType::SmallMoney => "-?(0|[1-9][0-9]{0,2})(\\.[0-9]{1,2}0{0,3})?".boxed(),
        SqlType::Real | SqlType::Float => any::<f32>().prop_filter("finite", |n| n.is_finite()).prop_map(|n| n.to_string()).boxed(),
        SqlType::Date => "\"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])(T00:00:00(\\.0{1,7})?)?\"".boxed(),
        SqlType::Time(_) => "\"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6}0?)?\"".boxed(),
        SqlType::SmallDateTime | SqlType::DateTime | SqlType::DateTime2(_) => {
            "\"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6}0?)?\"".boxed()
        }
        SqlType::DateTimeOffset(_) => {
            "\"(19|20)[0-9]{2}-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\\.[0-9]{1,6}0?)?(Z|[+-](0[0-9]|1[0-3]):[0-5][0-9])\"".boxed()
        }
        SqlType::Char(_) | SqlType::NChar(_) => quoted("[a-zA-Z\u{e9}\"]{0,2} {0,1}".boxed()),
        SqlType::VarChar(_) => quoted("[ -~\u{e9}\u{1F600}]{0,20}".boxed()),
        SqlType::UniqueIdentifier => any::<u128>().prop_map(|n| format!("\"{}\"", uuid::Uuid::from_u128(n))).boxed(),
        SqlType::Binary(_) | SqlType::RowVersion => select(vec!["\"\"", "\"AQ==\"", "\"AQI=\"", "\"AQID\"", "\"AQIDBA==\"", "\"AR==\"", "\"AQIDBAU=\""]).prop_map(str::to_owned).boxed(),
        SqlType::VarBinary(_) | SqlType::Image => quoted("([A-Za-z0-9+/]{4}){0,20}".boxed()),
        _ => quoted(text()),
    }
}

/// How a page is written.
#[derive(Debug, Clone)]
struct Style {
    order: Vec<usize>,
    blanks: [&'static str; 3],
}

fn style(columns: usize) -> BoxedStrategy<Style> {
    let order: Vec<usize> = (0..columns).collect();
    let order = prop_oneof![3 => Just(order.clone()), 1 => Just(order).prop_shuffle()];
    let blank = || prop_oneof![3 => Just(""), 1 => select(vec![" ", "\n", "\r\n\t "])];
    (order, [blank(), blank(), blank()])
        .prop_map(|(order, blanks)| Style { order, blanks })
        .boxed()
}

fn row(contract: &Contract, wrong: u32) -> BoxedStrategy<Vec<String>> {
    let values: Vec<BoxedStrategy<String>> = contract
        .columns
        .iter()
        .map(|column| {
            let null = if column.nullable { 10 } else { wrong };
            prop_oneof![
                100 => fitting(column.sql_type),
                null => Just("null".to_owned()),
                wrong => anything(),
            ]
            .boxed()
        })
        .collect();
    values.boxed()
}

/// Writes the rows in the styles given, which are repeated as long as there are rows.
fn write(contract: &Contract, styles: &[Style], rows: &[Vec<String>]) -> String {
    let rows: Vec<String> = rows
        .iter()
        .zip(styles.iter().cycle())
        .map(|(row, style)| {
            let [a, b, c] = style.blanks;
            let pair = |i: &usize| {
                let key = serde_json::to_string(&contract.columns[*i].name).expect("a key");
                format!("{a}{key}{b}:{c}{}{a}", row[*i])
            };
            let pairs: Vec<String> = style.order.iter().map(pair).collect();
            format!("{b}{{{}}}{c}", pairs.join(","))
        })
        .collect();
    let [a, b, _] = styles[0].blanks;
    format!("{a}[{}]{b}", rows.join(","))
}

/// Pages of a contract of some of the types; about `wrong` in a hundred values may be of any kind.
pub(super) fn page(wrong: u32) -> BoxedStrategy<(Contract, Vec<String>)> {
    let all = every_type().columns;
    proptest::sample::subsequence(all.clone(), 1..=all.len())
        .prop_flat_map(move |columns| {
            let contract = Contract { columns };
            let rows = proptest::collection::vec(row(&contract, wrong), 0..5);
            let styles = proptest::collection::vec(style(contract.columns.len()), 1..3);
            let page = (styles, rows);
            (Just(contract), proptest::collection::vec(page, 1..3))
        })
        .prop_map(|(contract, pages)| {
            let pages = pages
                .iter()
                .map(|(styles, rows)| write(&contract, styles, rows))
                .collect();
            (contract, pages)
        })
        .boxed()
}

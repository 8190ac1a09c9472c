//! Whatever the page: the converter accepts what the reference accepts, with the same cells, and no more.

use proptest::prelude::*;
use proptest::sample::select;

use super::build::{column, converter};
use super::reference::{cells, cells_of};
use crate::domain::{Contract, PageNumber, SqlType};

/// One column of each type, nullable ones and not, with names that need escapes or are long.
fn every_type() -> Contract {
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

fn anything() -> BoxedStrategy<String> {
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

/// A page of a contract of some of the types.
fn page(wrong: u32) -> BoxedStrategy<(Contract, Vec<String>)> {
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

/// Pushes the pages in turn; each must be accepted or refused as the reference does, and what comes out
/// must be the rows of all accepted ones.
fn agree(contract: &Contract, pages: &[Vec<u8>]) -> Result<(), TestCaseError> {
    let mut converter = converter(contract);
    let mut expected = Vec::new();
    for (i, page) in pages.iter().enumerate() {
        let shown = String::from_utf8_lossy(page);
        let pushed = converter.push_page(PageNumber(i as u32 + 1), page);
        match (cells(contract, page), pushed) {
            (Ok(rows), Ok(count)) => {
                prop_assert_eq!(rows.len() as u64, count);
                expected.extend(rows);
            }
            (Err(_), Err(_)) => {}
            (Ok(_), Err(error)) => prop_assert!(false, "refused a sound page {}: {}", shown, error),
            (Err(why), Ok(_)) => prop_assert!(false, "accepted {}: {}", shown, why),
        }
    }
    let actual = converter.finish().as_ref().map_or_else(Vec::new, cells_of);
    prop_assert_eq!(actual, expected);
    Ok(())
}

fn bytes(pages: Vec<String>) -> Vec<Vec<u8>> {
    pages.into_iter().map(String::into_bytes).collect()
}

/// One change to the bytes of a page.
#[derive(Debug, Clone)]
enum Mutation {
    Set(usize, u8),
    Insert(usize, &'static str),
    Remove(usize, usize),
    Repeat(usize, usize),
}

fn mutation() -> BoxedStrategy<Mutation> {
    let place = || 0..4096_usize;
    let length = || 1..40_usize;
    let mark = select(vec![
        "\"",
        "\\",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "0",
        "1",
        ".",
        "e",
        "-",
        " ",
        "\n",
        "null",
        "\u{e9}",
        "\"ID0\":1,",
        ",\"x\":[]",
    ]);
    prop_oneof![
        (
            place(),
            prop_oneof![any::<u8>(), select(b"\"\\{}[],:0189.eE-+tTzZ \n".to_vec())]
        )
            .prop_map(|(at, byte)| Mutation::Set(at, byte)),
        (place(), mark).prop_map(|(at, mark)| Mutation::Insert(at, mark)),
        (place(), length()).prop_map(|(at, length)| Mutation::Remove(at, length)),
        (place(), length()).prop_map(|(at, length)| Mutation::Repeat(at, length)),
    ]
    .boxed()
}

fn mutate(page: &mut Vec<u8>, mutation: &Mutation) {
    if page.is_empty() {
        return;
    }
    let size = page.len();
    let range = |at: usize, length: usize| at % size..(at % size + length).min(size);
    match *mutation {
        Mutation::Set(at, byte) => page[at % size] = byte,
        Mutation::Insert(at, mark) => {
            page.splice(at % size..at % size, mark.bytes());
        }
        Mutation::Remove(at, length) => {
            page.drain(range(at, length));
        }
        Mutation::Repeat(at, length) => {
            let part = page[range(at, length)].to_vec();
            page.splice(at % size..at % size, part);
        }
    }
}

/// `PROPTEST_CASES` asks for a longer search than each test run can afford.
fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES");
    asked
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(usual)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(96)))]

    #[test]
    fn pages_of_fitting_values_give_the_cells_of_the_reference((contract, pages) in page(0)) {
        agree(&contract, &bytes(pages))?;
    }

    #[test]
    fn pages_with_odd_and_wrong_values_are_judged_as_the_reference_judges((contract, pages) in page(2)) {
        agree(&contract, &bytes(pages))?;
    }

    #[test]
    fn mutated_pages_are_judged_as_the_reference_judges(
        (contract, pages) in page(0),
        mutations in proptest::collection::vec(mutation(), 1..3),
    ) {
        let mut pages = bytes(pages);
        for mutation in &mutations {
            mutate(&mut pages[0], mutation);
        }
        agree(&contract, &pages)?;
    }

    #[test]
    fn cut_pages_are_refused((contract, pages) in page(0), at in any::<proptest::sample::Index>()) {
        let mut page = pages[0].clone().into_bytes();
        page.truncate(at.index(page.len()));
        agree(&contract, &[page])?;
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(cases(1024)))]

    #[test]
    fn one_value_of_any_kind_is_judged_as_the_reference_judges(index in 0..28_usize, json in anything()) {
        let mut contract = every_type();
        let mut column = contract.columns.swap_remove(index);
        column.name = "v".to_owned();
        contract.columns = vec![column];
        agree(&contract, &[format!("[{{\"v\":{json}}}]").into_bytes()])?;
    }
}

//! Invariants of the pieces beneath T-SQL.

use chrono::{Datelike, NaiveDate};
use proptest::prelude::*;
use rusqlite::types::{Value as Stored, ValueRef};

use super::calendar::{self, DAY, Part};
use super::collation::compare;
use super::convert::{Conversion, fit_text};
use super::decimal::{self, Scaled};
use super::digits;
use super::moment;
use super::offset;
use super::pattern::Pattern;
use crate::SqlType;

/// Any number of at most 38 digits.
fn unscaled() -> impl Strategy<Value = i128> {
    let limit = 10i128.pow(38) - 1;
    prop_oneof![
        -limit..=limit,
        any::<i64>().prop_map(i128::from),
        -1000i128..1000
    ]
}

fn sql_type() -> impl Strategy<Value = SqlType> {
    const FIXED: &[SqlType] = &[
        SqlType::TinyInt,
        SqlType::SmallInt,
        SqlType::Int,
        SqlType::Money,
        SqlType::Real,
        SqlType::Float,
        SqlType::Date,
        SqlType::SmallDateTime,
        SqlType::DateTime,
        SqlType::Text,
        SqlType::NText,
        SqlType::Xml,
        SqlType::UniqueIdentifier,
        SqlType::Image,
    ];
    prop_oneof![
        prop::sample::select(FIXED),
        (1u16..=8000).prop_map(SqlType::Binary),
        (1u16..=4000).prop_map(SqlType::NChar),
        prop::option::of(1u16..=8000).prop_map(SqlType::VarChar),
        prop::option::of(1u16..=8000).prop_map(SqlType::VarBinary),
        (0u8..=7).prop_map(SqlType::DateTimeOffset),
        Just(SqlType::Bit),
        Just(SqlType::BigInt),
        (1u8..=38)
            .prop_flat_map(|p| (Just(p), 0..=p))
            .prop_map(|(p, s)| SqlType::Decimal(p, s)),
        (0u8..=7).prop_map(SqlType::DateTime2),
        (0u8..=7).prop_map(SqlType::Time),
        (1u16..=8000).prop_map(SqlType::Char),
        prop::option::of(1u16..=4000).prop_map(SqlType::NVarChar),
        Just(SqlType::RowVersion),
        Just(SqlType::SmallMoney),
    ]
}

/// The text of a decimal as school teaches it.
fn slowly_written(number: i128, scale: u8) -> String {
    let scale = usize::from(scale);
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    let sign = if number < 0 { "-" } else { "" };
    let point = if scale > 0 { "." } else { "" };
    format!("{sign}{whole}{point}{fraction}")
}

/// Cuts or pads a text, character by character.
fn slowly_fitted(text: &str, to: SqlType) -> String {
    let Some(length) = to.length().map(usize::from) else {
        return text.to_owned();
    };
    let mut fitted: Vec<char> = text.chars().take(length).collect();
    if matches!(to, SqlType::Char(_) | SqlType::NChar(_)) {
        fitted.resize(length, ' ');
    }
    fitted.into_iter().collect()
}

proptest! {
    #[test]
    fn whole_numbers_are_written_as_the_standard_library_writes_them(number in prop_oneof![any::<i64>(), -200i64..200], width in 1usize..=7) {
        let mut signed = Vec::new();
        digits::write_signed(&mut signed, number);
        let mut padded = Vec::new();
        digits::write(&mut padded, number, width);

        prop_assert_eq!(String::from_utf8(signed).unwrap(), number.to_string());
        prop_assert_eq!(String::from_utf8(padded).unwrap(), format!("{:0width$}", number.unsigned_abs()));
    }

    #[test]
    fn decimals_are_written_as_written_slowly(number in prop_oneof![unscaled(), any::<i128>()], scale in 0u8..=38) {
        prop_assert_eq!(decimal::to_text(number, scale), slowly_written(number, scale));
    }

    #[test]
    fn a_division_that_fits_a_word_is_the_long_one(
        a in prop_oneof![any::<i64>().prop_map(i128::from), unscaled()],
        b in prop_oneof![-5000i128..5000, unscaled()],
        (from, by, to) in (0u8..=12, 0u8..=12, 0u8..=20),
    ) {
        prop_assume!(b != 0);
        let (left, right) = (Scaled { unscaled: a, scale: from }, Scaled { unscaled: b, scale: by });
        let steps = i32::from(to) - i32::from(from) + i32::from(by);
        let long = decimal::divide_long(a.unsigned_abs(), b.unsigned_abs(), steps)
            .and_then(|quotient| i128::try_from(quotient).ok())
            .map(|quotient| if (a < 0) == (b < 0) { quotient } else { -quotient })
            .filter(|quotient| decimal::fits(*quotient, 38));

        prop_assert_eq!(decimal::calculate('/', left, right, 38, to).ok(), long);
    }

    #[test]
    fn a_product_that_fits_a_word_is_the_long_one(a in prop_oneof![any::<i64>().prop_map(i128::from), unscaled()], b in prop_oneof![-5000i128..5000, unscaled()]) {
        let (left, right) = (Scaled { unscaled: a, scale: 0 }, Scaled { unscaled: b, scale: 0 });
        let long = a.checked_mul(b).filter(|product| decimal::fits(*product, 38));

        prop_assert_eq!(decimal::calculate('*', left, right, 38, 0).ok(), long);
    }

    #[test]
    fn dates_and_times_are_written_as_another_calendar_writes_them(days in 0i64..3_652_059, seconds in 0u32..86_400) {
        let date = NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).unwrap() + 1).unwrap();
        let time = chrono::NaiveTime::from_num_seconds_from_midnight_opt(seconds, 0).unwrap();

        prop_assert_eq!(moment::date_text(days).to_vec(), date.format("%Y-%m-%d").to_string().into_bytes());
        let ticks = i64::from(seconds) * calendar::SECOND + 9_999_999;
        prop_assert_eq!(moment::time_text(ticks).to_vec(), time.format("%H:%M:%S").to_string().into_bytes());
    }

    #[test]
    fn a_text_is_cut_and_padded_by_characters(text in "[a-zé€ ]{0,12}", length in 1u16..12) {
        for to in [SqlType::Char(length), SqlType::NVarChar(Some(length)), SqlType::VarChar(None)] {
            prop_assert_eq!(fit_text(text.clone(), to), slowly_fitted(&text, to));
        }
    }

    #[test]
    fn a_type_reads_back_from_its_code(t in sql_type()) {
        prop_assert_eq!(SqlType::from_code(t.code()), Some(t));
    }

    #[test]
    fn stored_decimals_order_as_their_numbers_do(a in unscaled(), b in unscaled()) {
        prop_assert_eq!(decimal::encode(a).cmp(&decimal::encode(b)), a.cmp(&b));
        prop_assert_eq!(decimal::decode(&decimal::encode(a)), Some(a));
    }

    #[test]
    fn a_decimal_written_out_reads_back(number in unscaled(), scale in 0u8..=38) {
        let text = decimal::to_text(number, scale);

        prop_assert_eq!(decimal::parse(&text, scale), Some(number));
        let decimals = text.split_once('.').map_or(0, |(_, fraction)| fraction.len());
        prop_assert_eq!(decimals, usize::from(scale));
    }

    #[test]
    fn rounding_moves_a_decimal_by_half_a_unit_at_most(number in -10i128.pow(30)..10i128.pow(30), drop in 1u8..=9) {
        let rounded = decimal::rescale(number, drop, 0).unwrap();
        let unit = 10i128.pow(u32::from(drop));

        prop_assert!((rounded * unit - number).abs() * 2 <= unit);
    }

    #[test]
    fn a_quotient_times_its_divisor_falls_short_by_less_than_a_unit(a in 0i128..10i128.pow(15), b in 1i128..10i128.pow(6)) {
        let left = Scaled { unscaled: a, scale: 2 };
        let right = Scaled { unscaled: b, scale: 2 };

        let quotient = decimal::calculate('/', left, right, 38, 6).unwrap();

        let missing = a * 10i128.pow(6) - quotient * b;
        prop_assert!((0..b).contains(&missing));
    }

    #[test]
    fn days_and_dates_are_those_of_another_calendar(days in 0i64..3_652_059) {
        let known = NaiveDate::from_num_days_from_ce_opt(i32::try_from(days).unwrap() + 1).unwrap();
        let date = calendar::civil_from_days(days);

        prop_assert_eq!(date, (i64::from(known.year()), i64::from(known.month()), i64::from(known.day())));
        prop_assert_eq!(calendar::days_from_civil(date.0, date.1, date.2), Some(days));
        prop_assert_eq!(calendar::part_of(Part::IsoWeek, days * DAY), i64::from(known.iso_week().week()));
        prop_assert_eq!(calendar::part_of(Part::DayOfYear, days * DAY), i64::from(known.ordinal()));
        prop_assert_eq!(
            calendar::part_of(Part::Weekday, days * DAY),
            i64::from(known.weekday().num_days_from_sunday()) + 1
        );
    }

    #[test]
    fn a_datetime_is_a_whole_number_of_three_hundredths(ticks in 639_905 * DAY..3_652_058 * DAY) {
        let rounded = calendar::round_to(ticks, SqlType::DateTime).unwrap();

        prop_assert!([0, 3, 7].contains(&(rounded / 10_000 % 10)), "{}", rounded);
        prop_assert!((rounded - ticks).abs() <= 20_000);
        prop_assert_eq!(calendar::round_to(rounded, SqlType::DateTime), Some(rounded));
    }

    #[test]
    fn a_moment_written_in_iso_reads_back(ticks in 0..3_652_059 * DAY) {
        let text = moment::format(ticks, SqlType::DateTime2(7), Some(126)).unwrap();

        prop_assert_eq!(moment::parse(&text, None).map(moment::Moment::ticks), Ok(ticks));
    }

    #[test]
    fn offsets_read_back_and_order_as_instants(a in DAY..3_000_000 * DAY, b in DAY..3_000_000 * DAY, x in -840i64..=840, y in -840i64..=840) {
        let (first, second) = (offset::encode(a, x).unwrap(), offset::encode(b, y).unwrap());

        prop_assert_eq!(offset::decode(&first), Some((a, x)));
        let instants = (a - x * calendar::MINUTE).cmp(&(b - y * calendar::MINUTE));
        prop_assert_eq!(first[..8].cmp(&second[..8]), instants);
    }

    #[test]
    fn the_collation_is_an_order(a in "[a-cA-Cé ]{0,4}", b in "[a-cA-Cé ]{0,4}", c in "[a-cA-Cé ]{0,4}") {
        prop_assert_eq!(compare(&a, &b), compare(&b, &a).reverse());
        if compare(&a, &b).is_le() && compare(&b, &c).is_le() {
            prop_assert!(compare(&a, &c).is_le());
        }
        let shouted = format!("{}  ", a.to_uppercase());
        prop_assert_eq!(compare(&a, &shouted), std::cmp::Ordering::Equal);
    }

    #[test]
    fn like_agrees_with_a_matcher_that_tries_everything(pattern in "[ab%_]{0,6}", text in "[ab]{0,6}") {
        fn slow(pattern: &[u8], text: &[u8]) -> bool {
            match pattern.split_first() {
                None => text.is_empty(),
                Some((b'%', rest)) => (0..=text.len()).any(|at| slow(rest, &text[at..])),
                Some((b'_', rest)) => !text.is_empty() && slow(rest, &text[1..]),
                Some((c, rest)) => text.first() == Some(c) && slow(rest, &text[1..]),
            }
        }
        prop_assert_eq!(Pattern::new(&pattern, None).matches(&text, false), slow(pattern.as_bytes(), text.as_bytes()));
    }

    #[test]
    fn a_type_reads_back_from_its_name(t in sql_type()) {
        prop_assert_eq!(t.to_string().parse(), Ok(t));
    }

    #[test]
    fn no_text_makes_a_conversion_panic(text in "\\PC{0,24}", to in sql_type()) {
        let _ = Conversion::new(SqlType::VarChar(None), to).apply(ValueRef::Text(text.as_bytes()));
    }

    #[test]
    fn near_dates_never_make_a_conversion_panic(text in "[0-9TZ:./ +é-]{0,24}", style in prop::option::of(0i64..131)) {
        let conversion = Conversion { style, ..Conversion::new(SqlType::VarChar(None), SqlType::DateTimeOffset(7)) };
        let _ = conversion.apply(ValueRef::Text(text.as_bytes()));
    }

    #[test]
    fn floats_convert_to_the_decimal_of_their_shortest_digits(whole in -1_000_000i64..1_000_000, cents in 0i64..100) {
        let text = format!("{whole}.{cents:02}");
        let number: f64 = text.parse().unwrap();

        let stored = Conversion::new(SqlType::Float, SqlType::Decimal(18, 2)).apply(ValueRef::Real(number)).unwrap();

        let expected = decimal::parse(&text, 2).unwrap();
        prop_assert_eq!(stored, Stored::Blob(decimal::encode(expected).to_vec()));
    }
}

#[test]
fn a_part_of_a_date_reads_back_from_its_code() {
    for name in [
        "yy", "qq", "mm", "dy", "dd", "wk", "isowk", "dw", "hh", "mi", "ss", "ms", "mcs", "ns",
        "tz",
    ] {
        let part = Part::parse(name).unwrap();
        assert_eq!(Part::from_code(part.code()), Some(part));
    }
    assert_eq!(Part::from_code(15), None);
    assert_eq!(Part::from_code(-1), None);
}

use std::collections::BTreeSet;

use chrono::{Datelike, Days, NaiveDate};

use super::population::{Rows, Visitor};
use super::records::Record;
use super::*;
use crate::simulator::engine::{SqlType, Value};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day")
}

fn practice() -> Practice {
    Practice::generate(7, 0, 400, today())
}

/// All values of all tables, and checks of what every table must keep.
#[derive(Default, PartialEq, Debug)]
struct Everything(Vec<(&'static str, Vec<Vec<Value>>)>);

impl Visitor for Everything {
    type Error = std::convert::Infallible;

    fn table<R: Record>(&mut self, rows: &Rows<R>) -> Result<(), Self::Error> {
        self.0
            .push((R::TABLE, rows.iter().map(Record::values).collect()));
        Ok(())
    }
}

fn everything(practice: &Practice) -> Everything {
    let mut everything = Everything::default();
    practice
        .population()
        .visit(&mut everything)
        .expect("never fails");
    everything
}

struct Shapes;

impl Visitor for Shapes {
    type Error = std::convert::Infallible;

    fn table<R: Record>(&mut self, rows: &Rows<R>) -> Result<(), Self::Error> {
        let names: BTreeSet<String> = R::COLUMNS
            .iter()
            .map(|(name, _)| name.to_ascii_uppercase())
            .collect();
        assert_eq!(names.len(), R::COLUMNS.len(), "{}", R::TABLE);
        let keys: Vec<u32> = rows.iter().map(Record::key).collect();
        assert!(keys.is_sorted_by(|a, b| a < b), "keys of {}", R::TABLE);
        assert!(!rows.is_empty(), "{} has rows", R::TABLE);
        for row in rows.iter() {
            let values = row.values();
            assert_eq!(values[0], Value::Int(i64::from(row.key())), "{}", R::TABLE);
            for ((column, declared), value) in R::COLUMNS.iter().zip(values) {
                fits(R::TABLE, column, declared, &value);
            }
        }
        Ok(())
    }
}

fn fits(table: &str, column: &str, declared: &str, value: &Value) {
    let not_null = declared.strip_suffix(" not null");
    let sql_type: SqlType = not_null.unwrap_or(declared).parse().expect(column);
    let length = match sql_type {
        SqlType::Char(length) | SqlType::VarChar(Some(length)) => usize::from(length),
        _ => usize::MAX,
    };
    match value {
        Value::Null => assert!(not_null.is_none(), "{table}.{column} is null"),
        Value::Text(text) => assert!(text.chars().count() <= length, "{table}.{column} is cut"),
        _ => {}
    }
}

#[test]
fn every_row_has_a_value_that_fits_for_every_column() {
    practice()
        .population()
        .visit(&mut Shapes)
        .expect("never fails");
}

#[test]
fn the_same_seed_gives_the_same_practice() {
    assert_eq!(everything(&practice()), everything(&practice()));
    assert_ne!(
        everything(&practice()),
        everything(&Practice::generate(8, 0, 400, today()))
    );
    assert_ne!(
        everything(&practice()).0[2],
        everything(&Practice::generate(7, 1, 400, today())).0[2]
    );
}

#[test]
fn a_practice_has_as_many_patients_as_asked_for() {
    for patients in [0, 1, 2, 9, 400] {
        let practice = Practice::generate(3, 0, patients, today());
        assert_eq!(practice.population().patients.len(), patients);
    }
}

#[test]
fn nothing_is_written_on_a_day_that_has_not_come() {
    let practice = practice();
    let population = practice.population();

    let last = population.visits.iter().map(|row| row.audit.changed());
    assert!(last.clone().all(|changed| changed.date() < today()));
    assert!(
        last.max()
            .is_some_and(|changed| changed.date() + Days::new(4) >= today())
    );
    assert!(
        population
            .patients
            .iter()
            .all(|row| row.audit.changed().date() < today())
    );
    assert!(
        population
            .appointments
            .iter()
            .all(|row| row.audit.changed().date() < today())
    );
}

#[test]
fn a_night_writes_within_the_day_that_was_lived() {
    let mut practice = practice();

    let night = practice.advance(today() + Days::new(1));

    assert!(night.changed_rows() > 0);
    let changed_that_day = |count: &mut usize, changed: chrono::NaiveDateTime| {
        *count += usize::from(changed.date() == today());
    };
    let mut count = 0;
    let population = practice.population();
    population
        .visits
        .iter()
        .for_each(|row| changed_that_day(&mut count, row.audit.changed()));
    population
        .patients
        .iter()
        .for_each(|row| changed_that_day(&mut count, row.audit.changed()));
    assert!(count >= 2, "a visit and an opt-out at least");
}

#[test]
fn two_nights_at_once_are_the_two_nights_one_by_one() {
    let mut at_once = practice();
    let mut one_by_one = practice();

    let _ = at_once.advance(today() + Days::new(2));
    let _ = one_by_one.advance(today() + Days::new(1));
    let _ = one_by_one.advance(today() + Days::new(2));

    assert_eq!(everything(&at_once), everything(&one_by_one));
}

#[test]
fn a_regular_patient_opts_out_in_a_night() {
    let mut practice = practice();
    let before = practice
        .population()
        .patients
        .iter()
        .filter(|p| p.opted_out)
        .count();

    let _ = practice.advance(today() + Days::new(1));

    let after = practice
        .population()
        .patients
        .iter()
        .filter(|p| p.opted_out)
        .count();
    assert_eq!(after, before + 1);
}

#[test]
fn a_night_that_is_not_later_changes_nothing() {
    let mut practice = practice();

    assert_eq!(practice.advance(today()).changed_rows(), 0);
    assert_eq!(practice.today(), today());
}

#[test]
fn the_traps_of_the_real_tables_are_there() {
    let practice = Practice::generate(7, 1, 1500, today());
    let population = practice.population();

    assert!(
        population
            .observations
            .iter()
            .any(|o| o.data_value == "<0.5")
    );
    assert!(
        population
            .observations
            .iter()
            .any(|o| o.data_value.is_empty())
    );
    assert!(
        population
            .report_values
            .iter()
            .any(|r| r.result_value.starts_with('>'))
    );
    assert!(population.patients.iter().any(|p| p.surname.contains('’')));
    assert!(population.patients.iter().any(|p| p.surname.contains('\'')));
    assert!(
        population
            .patients
            .iter()
            .any(|p| p.dob == NaiveDate::from_ymd_opt(1900, 1, 1))
    );
    assert!(population.patients.iter().any(|p| p.dob.is_none()));
    assert!(
        population
            .patients
            .iter()
            .any(|p| p.surname == "DO NOT BOOK")
    );
    assert!(
        population
            .patients
            .iter()
            .any(|p| p.deny_access && !p.opted_out)
    );
    assert!(population.visits.iter().any(|v| v.audit.created_by < 0));
    assert!(
        population
            .visits
            .iter()
            .any(|v| v.visit_date < v.audit.created.date())
    );
    assert!(population.visits.iter().any(|v| !v.audit.is_live()));
    assert!(population.visits.iter().any(|v| v.confidential));
    assert!(
        population
            .past_history
            .iter()
            .any(|h| h.year == 0 && h.item_code == 0)
    );
    assert!(population.services.iter().any(|s| s.service_status == 9));
    assert!(population.locations.len() > 1);
}

#[test]
fn a_practice_looks_like_a_practice() {
    let practice = Practice::generate(11, 2, 2000, today());
    let population = practice.population();
    let since = today() - Days::new(365);

    let visits = population
        .visits
        .iter()
        .filter(|v| v.visit_date >= since)
        .count();
    let seen: BTreeSet<u32> = population
        .visits
        .iter()
        .filter(|v| v.visit_date >= since)
        .map(|v| v.internal_id)
        .collect();

    // Published: about one encounter per patient on file and year, and a fifth of the patients seen in one.
    assert!((2000..8000).contains(&visits), "{visits} visits");
    assert!((400..1300).contains(&seen.len()), "{} seen", seen.len());
}

#[test]
fn illness_follows_age_and_influenza_vaccine_its_season() {
    let practice = Practice::generate(11, 2, 2000, today());
    let population = practice.population();
    let diabetic: BTreeSet<u32> = population
        .past_history
        .iter()
        .filter(|row| row.audit.is_live() && [3, 774, 775, 776, 778].contains(&row.item_code))
        .map(|row| row.internal_id)
        .collect();

    let share = |ages: std::ops::Range<i32>| {
        let of_age = population.patients.iter().filter(|patient| {
            patient
                .age_on(today())
                .is_some_and(|age| ages.contains(&age))
        });
        let (ill, all) = of_age.fold((0_u32, 0_u32), |(ill, all), patient| {
            let is_ill = diabetic.contains(&patient.internal_id);
            (ill + u32::from(is_ill), all + 1)
        });
        f64::from(ill) / f64::from(all)
    };
    // Published: about one in twenty of all, and one in six of the old.
    let (all, young, old) = (share(0..130), share(15..45), share(65..110));
    assert!((0.02..0.12).contains(&all), "{all}");
    assert!(old > 3.0 * young && old > 0.08, "{young} and {old}");

    let doses = population.immunisations.iter();
    let influenza: Vec<u32> = doses
        .filter(|dose| [211, 212].contains(&dose.vaccine_id))
        .map(|dose| dose.given.month())
        .collect();
    let in_season = influenza.iter().filter(|month| (3..=8).contains(*month));
    assert!(influenza.len() > 200, "{} doses", influenza.len());
    assert!(in_season.count() * 100 >= influenza.len() * 95);
}

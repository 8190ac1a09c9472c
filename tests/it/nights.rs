//! What nights bring together: rows that change, rows that are deleted, and values that break naive queries.

use std::collections::{BTreeMap, BTreeSet};

use arrow::array::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};
use chrono::{Datelike, Days, NaiveDate};
use halo_extract::domain::{Mode, Query, Window};
use halo_extract::simulator::engine::Database;
use halo_extract::simulator::practice::records::Observation;

use crate::lake::{Lake, Site, ask, catalog, long_ago};

/// A row as texts by column, without the columns that the tool adds.
type Row = BTreeMap<String, String>;

const NULL: &str = "∅";

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day")
}

async fn rows(lake: &Lake, paths: &[String], query: &str) -> Vec<Row> {
    let folder = format!("/{query}/");
    let path = paths.iter().find(|path| path.contains(&folder));
    let path = path.expect("every query of the catalog ran");
    let batches = lake.store().read_batches(path).await.expect("an object");
    batches.iter().flat_map(texts).collect()
}

fn texts(batch: &RecordBatch) -> Vec<Row> {
    let options = FormatOptions::default().with_null(NULL);
    let schema = batch.schema();
    let columns: Vec<_> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .filter(|(field, _)| !field.name().starts_with('_'))
        .map(|(field, column)| {
            let formatter = ArrayFormatter::try_new(column, &options).expect("a type that prints");
            (field.name(), formatter)
        })
        .collect();
    (0..batch.num_rows())
        .map(|row| {
            columns
                .iter()
                .map(|(name, formatter)| ((*name).clone(), formatter.value(row).to_string()))
                .collect()
        })
        .collect()
}

fn key_of(query: &Query, row: &Row) -> Vec<String> {
    query.key.iter().map(|name| row[name].clone()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn three_nights_of_changes_add_up_to_what_one_full_reading_brings() {
    let lake = Lake::new();
    let mut site = Site::open(2, 250, today());
    let mut nights = vec![lake.night(&mut site, long_ago(), today()).await];
    let mut day = today();
    for _ in 0..3 {
        let next = day + Days::new(1);
        site.advance(next);
        nights.push(lake.night(&mut site, day, next).await);
        day = next;
    }

    let again = Lake::new();
    let full = again.night(&mut site, long_ago(), day).await;

    let roster = rows(&again, &full, "patient_roster").await;
    let agreed: BTreeSet<&str> = roster
        .iter()
        .map(|row| row["patient_id"].as_str())
        .collect();
    for query in catalog().queries() {
        if query.mode == Mode::Snapshot {
            continue;
        }
        let name = query.id.name.as_str();
        let mut newest = BTreeMap::new();
        for paths in &nights {
            for row in rows(&lake, paths, name).await {
                newest.insert(key_of(query, &row), row);
            }
        }
        newest.retain(|_, row| agreed.contains(row["patient_id"].as_str()));
        let whole: BTreeMap<_, _> = rows(&again, &full, name)
            .await
            .into_iter()
            .map(|row| (key_of(query, &row), row))
            .collect();
        assert!(!whole.is_empty(), "{name}");
        assert!(
            newest == whole,
            "{name}: {} and {} rows",
            newest.len(),
            whole.len()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rerun_of_a_night_gives_equal_objects() {
    let (first, second) = (Lake::new(), Lake::new());
    let mut site = Site::open(2, 150, today());
    let next = today() + Days::new(1);
    site.advance(next);

    let paths = first.night(&mut site, today(), next).await;
    // Once over the objects of the first run, once elsewhere.
    let before = bytes_of(&first, &paths);
    assert_eq!(first.night(&mut site, today(), next).await, paths);
    assert_eq!(second.night(&mut site, today(), next).await, paths);

    let catalog = catalog();
    assert_eq!(paths.len(), catalog.queries().count());
    for again in [bytes_of(&first, &paths), bytes_of(&second, &paths)] {
        for ((path, before), again) in paths.iter().zip(&before).zip(&again) {
            assert!(before == again, "{path}");
        }
    }
}

fn bytes_of(lake: &Lake, paths: &[String]) -> Vec<Vec<u8>> {
    let root = lake.environment();
    let root = root.parent().expect("the root of the lake");
    let read = |path: &String| std::fs::read(root.join(path)).expect("an object");
    paths.iter().map(read).collect()
}

/// Which tables an extract reads one row of for each of its own.
const TABLES_OF: [(&str, &[&str]); 13] = [
    ("patient", &["PATIENTS"]),
    ("visit", &["VISITS"]),
    ("visit_reason", &["VISITREASON"]),
    ("condition", &["PASTHISTORY"]),
    ("observation", &["OBSERVATIONS"]),
    ("result_value", &["REPORTVALUES"]),
    ("investigation", &["INVESTIGATIONS"]),
    ("immunisation", &["IMMUNISATIONS"]),
    ("prescription_item", &["SCRIPTITEMS"]),
    ("allergy", &["REACTIONS"]),
    ("cervical_screening", &["PAPSMEARS", "OBSGYNDETAIL"]),
    ("appointment", &["APPOINTMENTS"]),
    ("service", &["SERVICES"]),
];

/// Every row of a table is in its extract, or the control counts it as withheld. Returns how many are withheld of
/// each extract.
async fn reconciled(site: &mut Site, day: NaiveDate) -> BTreeMap<&'static str, u64> {
    let lake = Lake::new();
    let paths = lake.night(site, long_ago(), day).await;
    let control = rows(&lake, &paths, "control").await;
    let counted = |table: &str, column: &str| -> u64 {
        let row = control.iter().find(|row| row["table_name"] == table);
        let text = &row.unwrap_or_else(|| panic!("{table} is in the control"))[column];
        text.parse()
            .unwrap_or_else(|_| panic!("{table}: {column} is {text}"))
    };
    let mut withheld = BTreeMap::new();
    for (query, tables) in TABLES_OF {
        let sum = |column: &str| -> u64 { tables.iter().map(|table| counted(table, column)).sum() };
        let arrived = rows(&lake, &paths, query).await.len() as u64;
        assert_eq!(arrived + sum("withheld_rows"), sum("total_rows"), "{query}");
        withheld.insert(query, sum("withheld_rows"));
    }
    withheld
}

#[tokio::test(flavor = "multi_thread")]
async fn every_row_is_in_an_extract_or_counted_as_withheld_also_when_a_patient_opts_out() {
    let mut site = Site::open(0, 300, today());
    let before = reconciled(&mut site, today()).await;
    let agreed: BTreeSet<u32> = may_leave(&site);

    let next = today() + Days::new(1);
    site.advance(next);
    let after = reconciled(&mut site, next).await;

    let opted_out: Vec<u32> = agreed.difference(&may_leave(&site)).copied().collect();
    assert_eq!(opted_out.len(), 1, "one patient opts out in a night");
    let population = site.practice.population();
    let measured = population.observations.iter();
    let of_patient = measured
        .filter(|row| row.internal_id == opted_out[0])
        .count() as u64;
    assert!(of_patient > 0, "the patient was measured once");
    assert!(after["observation"] >= before["observation"] + of_patient);
    for query in ["visit", "condition", "service", "patient"] {
        assert!(before[query] > 0, "{query}: somebody is kept back");
    }
}

/// Live patients whose rows may leave the practice.
fn may_leave(site: &Site) -> BTreeSet<u32> {
    let patients = site.practice.population().patients.iter();
    patients
        .filter(|patient| patient.may_leave() && patient.audit.is_live())
        .map(|patient| patient.internal_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_row_comes_again_with_another_record_status() {
    let lake = Lake::new();
    let mut site = Site::open(0, 800, today());
    let next = today() + Days::new(14);
    site.advance(next);

    let paths = lake.night(&mut site, today(), next).await;

    let population = site.practice.population();
    let may_leave = |internal_id: u32| {
        let mut patients = population.patients.iter();
        patients.any(|patient| patient.internal_id == internal_id && patient.may_leave())
    };
    let deleted: BTreeSet<String> = population
        .observations
        .iter()
        .filter(|row| !row.audit.is_live() && row.audit.changed().date() >= today())
        .filter(|row| may_leave(row.internal_id))
        .map(|row| row.record_id.to_string())
        .collect();
    let arrived: BTreeSet<String> = rows(&lake, &paths, "observation")
        .await
        .into_iter()
        .filter(|row| row["record_status"] == "0")
        .filter(|row| row["changed"] >= today().to_string())
        .map(|row| row["record_id"].clone())
        .collect();
    assert!(!deleted.is_empty(), "a fortnight has deletions");
    assert_eq!(arrived, deleted);
}

#[tokio::test(flavor = "multi_thread")]
async fn values_that_break_naive_queries_arrive_as_the_practice_has_them() {
    let lake = Lake::new();
    let mut site = Site::open(1, 600, today());

    let paths = lake.night(&mut site, long_ago(), today()).await;

    let population = site.practice.population();
    let observations: BTreeMap<String, String> = rows(&lake, &paths, "observation")
        .await
        .into_iter()
        .map(|mut row| {
            (
                row["record_id"].clone(),
                row.remove("value").expect("a column"),
            )
        })
        .collect();
    for value in ["<0.5", "", "82,5", "refused"] {
        let with_value = |row: &&_| -> bool {
            let row: &Observation = row;
            row.data_value == value && observations.contains_key(&row.record_id.to_string())
        };
        let record = population.observations.iter().find(with_value);
        let record = record.expect("the generator makes each of them");
        assert_eq!(observations[&record.record_id.to_string()], value);
    }

    let services = rows(&lake, &paths, "service").await;
    assert!(
        services.iter().any(|row| row["fee_cents"] == "4290"),
        "cents stay whole"
    );
    assert!(
        services.iter().any(|row| row["mbs_item"] == NULL),
        "no item is null, not 0"
    );

    let conditions = rows(&lake, &paths, "condition").await;
    let typed = conditions.iter().find(|row| row["condition_code"] == "0");
    assert_eq!(
        typed.expect("a typed condition")["condition"],
        NULL,
        "typed text stays"
    );
    assert!(
        conditions.iter().any(|row| row["onset_year"] == NULL),
        "0 is not a year"
    );

    let patients = rows(&lake, &paths, "patient").await;
    assert!(
        patients.iter().all(|row| row["sex"].trim() == row["sex"]),
        "padding is cut"
    );
    assert!(
        patients.iter().any(|row| row["birth_year"] == "1900"),
        "placeholders are kept"
    );
    assert!(patients.iter().any(|row| row["birth_year"] == NULL));
    assert!(patients.iter().all(|row| row["postcode"].len() == 3));
    let oldest = population
        .patients
        .iter()
        .filter_map(|patient| patient.dob)
        .min();
    assert_eq!(oldest.map(|dob| dob.year()), Some(1900));
}

#[test]
fn a_practice_without_the_opt_out_column_gives_nothing_of_its_patients() {
    let mut site = (0..20)
        .map(|index| Site::open(index, 30, today()))
        .find(|site| !site.practice.identity().has_opt_out_column)
        .expect("one in ten has none");

    for query in catalog().queries() {
        let answer = ask_for_all(&mut site.database, query);
        match query.opt_out {
            Some(_) => assert_eq!(answer.expect_err("closed").0, 207, "{}", query.id),
            None => assert!(answer.is_ok(), "{}", query.id),
        }
    }
}

#[test]
fn where_current_medicines_cannot_be_read_their_view_can() {
    let mut site = Site::open(5, 200, today());
    assert!(!site.practice.identity().current_rx_readable);
    let catalog = catalog();
    let query = catalog
        .select("current_medication")
        .expect("a query that ships");
    let view = &query.variants[0];
    let as_view = Query {
        sql: view.sql.clone(),
        ..query.clone()
    };

    let table = ask_for_all(&mut site.database, query);
    let view = ask_for_all(&mut site.database, &as_view);

    assert_eq!(table.expect_err("denied").0, 229);
    assert!(view.is_ok());
}

/// Asks for everything there is; the error as SQL Server's number.
fn ask_for_all(database: &mut Database, query: &Query) -> Result<(), (i32,)> {
    let window = match query.mode {
        Mode::Incremental { .. } => Window::new(long_ago(), today()),
        Mode::Snapshot => Some(Window::day(today())),
    };
    ask(database, query, window.expect("a window has days"))
        .map(|_| ())
        .map_err(|error| (error.number,))
}

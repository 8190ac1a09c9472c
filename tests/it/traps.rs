//! Each trap of a practice's tables, set by hand with the value that breaks a naive query.

use chrono::{Days, NaiveDate};
use halo_extract::domain::{Mode, Window};
use halo_extract::simulator::practice::records::{Investigation, PastHistory, Visit};
use serde_json::{Value, json};

use crate::lake::{Site, ask, by_hand, catalog, long_ago};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day")
}

fn site() -> Site {
    Site::open(1, 80, today())
}

/// Keys of the live rows of a table whose patient may leave and that are not `$closed` themselves.
macro_rules! open_rows {
    ($site:expr, $table:ident, $key:ident) => {
        open_rows!($site, $table, $key, |_| false)
    };
    ($site:expr, $table:ident, $key:ident, $closed:expr) => {{
        let population = $site.practice.population();
        let may_leave = |internal_id: u32| {
            let mut patients = population.patients.iter();
            patients.any(|patient| patient.internal_id == internal_id && patient.may_leave())
        };
        let rows = population.$table.iter();
        rows.filter(|row| row.audit.is_live() && may_leave(row.internal_id))
            .filter(|row| !($closed)(*row))
            .map(|row| row.$key)
            .collect::<Vec<u32>>()
    }};
}

/// Changes rows by hand on the evening of today, and gives what a query brings for today.
fn changed(site: &mut Site, changes: &[String], query: &str) -> Vec<Value> {
    for change in changes {
        by_hand(&mut site.database, change);
    }
    let catalog = catalog();
    let query = catalog.select(query).expect("a query that ships");
    let page = ask(&mut site.database, query, Window::day(today()));
    page.unwrap_or_else(|error| panic!("{}: {error}", query.id))
        .json()
}

fn update(table: &str, set: &str, key: &str, value: u32) -> String {
    format!("UPDATE {table} SET {set}, UPDATED = '2026-11-18T19:00:00' WHERE {key} = {value}")
}

fn found<'a>(rows: &'a [Value], column: &str, key: u32) -> Option<&'a Value> {
    rows.iter().find(|row| row[column] == json!(key))
}

#[test]
fn a_value_recorded_years_later_comes_with_the_night_it_was_typed_in() {
    let mut site = site();
    let key = open_rows!(site, observations, record_id)[0];
    let change = format!(
        "UPDATE OBSERVATIONS SET OBSDATE = '2011-03-04', CREATED = '2026-11-18T09:00:00', UPDATED = NULL
         WHERE RECORDID = {key}"
    );

    let rows = changed(&mut site, &[change], "observation");

    let row = found(&rows, "record_id", key).expect("by its change, not by its date");
    assert_eq!(row["observed"], "2011-03-04T00:00:00");
}

#[test]
fn the_last_tick_of_a_day_is_of_that_day_and_midnight_of_the_next() {
    let mut site = site();
    let keys = open_rows!(site, observations, record_id);
    // A datetime has steps of 1/300 second: .999 is the next midnight.
    let ticks = ["18T23:59:59.997", "19T00:00:00", "18T23:59:59.999"];
    let changes = keys.iter().zip(ticks).map(|(key, tick)| {
        format!("UPDATE OBSERVATIONS SET UPDATED = '2026-11-{tick}' WHERE RECORDID = {key}")
    });

    let rows = changed(&mut site, &changes.collect::<Vec<_>>(), "observation");

    let row = found(&rows, "record_id", keys[0]).expect("the last tick");
    assert_eq!(row["changed"], "2026-11-18T23:59:59.997");
    assert!(found(&rows, "record_id", keys[1]).is_none());
    assert!(found(&rows, "record_id", keys[2]).is_none());
}

#[test]
fn numbers_that_are_text_come_as_the_practice_typed_them_and_without_padding() {
    let mut site = site();
    let keys = open_rows!(site, observations, record_id);
    let values = ["<0.5", "  7.1", "82,5", "NAD", ""];
    let changes = keys.iter().zip(values).map(|(key, value)| {
        let set = format!("DATAVALUE = '{value}'");
        update("OBSERVATIONS", &set, "RECORDID", *key)
    });

    let rows = changed(&mut site, &changes.collect::<Vec<_>>(), "observation");

    for (key, value) in keys.iter().zip(values) {
        let row = found(&rows, "record_id", *key).expect("it changed");
        assert_eq!(row["value"], value);
    }
}

#[test]
fn times_of_day_are_seconds_and_zero_is_not_midnight_but_not_yet() {
    let mut site = site();
    let key = open_rows!(site, appointments, record_id)[0];
    let set = "APPOINTMENTTIME = 29700, ARRIVALTIME = 0, CONSULTATIONTIME = 0, VISITID = 0";
    let change = update("APPOINTMENTS", set, "RECORDID", key);

    let rows = changed(&mut site, &[change], "appointment");

    let row = found(&rows, "record_id", key).expect("it changed");
    assert_eq!(row["booked_for_seconds"], 29700);
    for column in ["arrived_seconds", "seen_seconds", "visit_id"] {
        assert_eq!(row[column], Value::Null, "{column}");
    }
}

#[test]
fn a_booking_of_nobody_stays_behind() {
    let mut site = site();
    let keys = open_rows!(site, appointments, record_id);
    let changes = keys.iter().zip([0, -1]).map(|(key, nobody)| {
        let set = format!("INTERNALID = {nobody}");
        update("APPOINTMENTS", &set, "RECORDID", *key)
    });

    let rows = changed(&mut site, &changes.collect::<Vec<_>>(), "appointment");

    assert!(found(&rows, "record_id", keys[0]).is_none());
    assert!(found(&rows, "record_id", keys[1]).is_none());
}

#[test]
fn a_cancelled_item_comes_as_cancelled_with_its_money_in_cents() {
    let mut site = site();
    let invoices = open_rows!(site, invoices, invoice_id);
    let visits = open_rows!(site, visits, visit_id, |row: &Visit| row.confidential);
    let population = site.practice.population();
    let mut services = population.services.iter();
    let item =
        services.find(|it| invoices.contains(&it.invoice_id) && visits.contains(&it.visit_id));
    let key = item.expect("an item of an open visit").service_id;
    let set = "RECORDSTATUS = 2, SERVICESTATUS = 9, MBSITEM = 0, FEE = 4290";
    let change = update("SERVICES", set, "SERVICEID", key);

    let rows = changed(&mut site, &[change], "service");

    let row = found(&rows, "service_id", key).expect("it was cancelled");
    assert_eq!(
        (&row["record_status"], &row["service_status"]),
        (&json!(2), &json!(9))
    );
    assert_eq!(
        (&row["mbs_item"], &row["fee_cents"]),
        (&Value::Null, &json!(4290))
    );
}

#[test]
fn an_allergy_that_became_inactive_comes_as_such() {
    let mut site = site();
    let key = open_rows!(site, reactions, record_id)[0];
    let change = update("REACTIONS", "RECORDSTATUS = 0", "RECORDID", key);

    let rows = changed(&mut site, &[change], "allergy");

    let row = found(&rows, "record_id", key).expect("it changed");
    assert_eq!(row["record_status"], 0);
}

#[test]
fn a_month_that_nobody_knows_is_null_and_typed_text_stays_behind() {
    let mut site = site();
    let open = open_rows!(site, past_history, record_id, |row: &PastHistory| row
        .privacy_code
        != 0);
    let set = "YEAR = 1998, MONTH = 0, ITEMCODE = 0, ITEMTEXT = 'as Mrs Smith said'";
    let change = update("PASTHISTORY", set, "RECORDID", open[0]);

    let rows = changed(&mut site, &[change], "condition");

    let row = found(&rows, "record_id", open[0]).expect("it changed");
    assert_eq!(
        (&row["onset_year"], &row["onset_month"]),
        (&json!(1998), &Value::Null)
    );
    assert_eq!(row["condition"], Value::Null);
}

#[test]
fn an_opt_out_of_another_value_than_known_closes_the_patient() {
    let mut site = site();
    let observations = site.practice.population().observations.iter();
    let patients = open_rows!(site, patients, internal_id);
    let mut rows = observations.filter(|row| row.audit.is_live());
    let row = rows.find(|row| patients.contains(&row.internal_id));
    let (key, patient) = row
        .map(|row| (row.record_id, row.internal_id))
        .expect("a row");
    let changes = [
        update("OBSERVATIONS", "MODIFIER = 1", "RECORDID", key),
        update("PATIENTS", "DATASHARINGOPTOUT = 2", "INTERNALID", patient),
    ];

    let before = changed(&mut site, &changes[..1], "observation");
    let after = changed(&mut site, &changes[1..], "observation");

    assert!(found(&before, "record_id", key).is_some());
    assert!(found(&after, "record_id", key).is_none());
}

#[test]
fn an_apostrophe_and_a_curly_quote_come_through() {
    let mut site = site();
    let open = open_rows!(site, investigations, report_id, |row: &Investigation| row
        .confidential);
    let set = "TESTNAME = 'Crohn’s panel / O''Brien'";
    let change = update("INVESTIGATIONS", set, "REPORTID", open[0]);

    let rows = changed(&mut site, &[change], "investigation");

    let row = found(&rows, "report_id", open[0]).expect("it changed");
    assert_eq!(row["test_name"], "Crohn’s panel / O'Brien");
}

#[test]
fn clinics_that_share_a_database_are_told_apart() {
    let mut site = site();
    assert!(site.practice.identity().clinics > 1);
    let catalog = catalog();
    let query = catalog.select("visit").expect("a query that ships");
    let all = Window::new(long_ago(), today()).expect("years");

    let page = ask(&mut site.database, query, all).unwrap_or_else(|error| panic!("{error}"));

    let rows = page.json();
    let first = &rows[0]["location_id"];
    assert!(rows.iter().any(|row| &row["location_id"] != first));
}

#[test]
fn an_edit_of_smoking_alone_brings_the_patients_history_with_its_own_day() {
    let mut site = site();
    let newest = *open_rows!(site, tobacco, record_id).last().expect("one");
    let mut tobacco = site.practice.population().tobacco.iter();
    let row = tobacco.find(|row| row.record_id == newest);
    let patient = row.expect("it is there").internal_id;
    let change = update("TOBACCO", "SMOKESPERDAY = 33", "RECORDID", newest);

    let rows = changed(&mut site, &[change], "social_history");

    let row = found(&rows, "patient_id", patient).expect("by its tobacco record");
    assert_eq!(row["smokes_per_day"], 33);
    assert_eq!(row["smoking_recorded"], "2026-11-18T19:00:00");
    assert_eq!(row["changed"], "2026-11-18T19:00:00");
}

#[test]
fn a_smoking_status_without_a_tobacco_record_has_no_day_of_its_own() {
    let mut site = site();
    let tobacco = site.practice.population().tobacco.iter();
    let recorded: Vec<u32> = tobacco.map(|row| row.internal_id).collect();
    let patients = open_rows!(site, clinical, internal_id).into_iter();
    let mut without = patients.filter(|patient| !recorded.contains(patient));
    let patient = without.next().expect("one of eighty");
    let change = update("CLINICAL", "SMOKINGSTATUS = 1", "INTERNALID", patient);

    let rows = changed(&mut site, &[change], "social_history");

    // The one UPDATED of CLINICAL is of allergies, alcohol and living situation too.
    let row = found(&rows, "patient_id", patient).expect("it changed");
    assert_eq!(row["smoking_status"], 1);
    assert_eq!(row["smoking_recorded"], Value::Null);
}

#[test]
fn a_script_that_was_cancelled_brings_its_items_which_did_not_change() {
    let mut site = site();
    let key = *open_rows!(site, prescriptions, script_id)
        .last()
        .expect("one");
    let set = "RECORDSTATUS = 9, DELETIONDATE = '2026-11-18'";
    let change = update("PRESCRIPTIONS", set, "SCRIPTID", key);

    let rows = changed(&mut site, &[change], "prescription_item");

    let row = found(&rows, "script_id", key).expect("an item");
    assert_eq!(row["record_status"], 9);
    assert_eq!(row["cancelled"], "2026-11-18T00:00:00");
}

#[test]
fn an_invoice_that_was_cancelled_brings_its_items_which_did_not_change() {
    let mut site = site();
    let open = open_rows!(site, invoices, invoice_id);
    let visits = open_rows!(site, visits, visit_id, |row: &Visit| row.confidential);
    let services = site.practice.population().services.iter();
    let mut live = services.filter(|item| item.audit.is_live());
    let item = live.find(|item| open.contains(&item.invoice_id) && visits.contains(&item.visit_id));
    let key = item.expect("an item of an open visit").invoice_id;
    let change = update("INVOICES", "RECORDSTATUS = 2", "INVOICEID", key);

    let rows = changed(&mut site, &[change], "service");

    let row = found(&rows, "invoice_id", key).expect("an item");
    assert_eq!(row["record_status"], 2);
}

#[test]
fn who_declined_cervical_screening_did_not_opt_out_of_the_extract() {
    let mut site = site();
    let key = open_rows!(site, obs_gyn_details, record_id)[0];
    let change = update("OBSGYNDETAIL", "OPTOUT = 1", "RECORDID", key);

    let rows = changed(&mut site, &[change], "cervical_screening");

    let mut summaries = rows.iter().filter(|row| row["source"] == "summary");
    let row = summaries.find(|row| row["record_id"] == json!(key));
    assert_eq!(row.expect("it is there")["declined"], 1);
}

#[test]
fn one_result_under_two_codes_is_two_rows_with_keys_of_their_own() {
    let mut site = site();
    let keys = open_rows!(site, report_values, record_id);
    let investigations = site.practice.population().investigations.iter();
    let open: Vec<u32> = investigations
        .filter(|report| !report.confidential)
        .map(|report| report.report_id)
        .collect();
    let values = site.practice.population().report_values.iter();
    let mut values = values.filter(|row| keys.contains(&row.record_id));
    let first = values.find(|row| open.contains(&row.report_id));
    let (first, report) = first
        .map(|row| (row.record_id, row.report_id))
        .expect("a value of an open report");
    let other = values.next().expect("another value").record_id;
    let same = |code: u32| format!("REPORTID = {report}, BPCODE = {code}, RESULTVALUE = '2.1'");
    let changes = [
        update("REPORTVALUES", &same(7), "RECORDID", first),
        update("REPORTVALUES", &same(18), "RECORDID", other),
    ];

    let rows = changed(&mut site, &changes, "result_value");

    for (key, code) in [(first, 7), (other, 18)] {
        let row = found(&rows, "record_id", key).expect("it changed");
        assert_eq!(
            (&row["report_id"], &row["value"]),
            (&json!(report), &json!("2.1"))
        );
        assert_eq!(row["result_code"], code);
    }
}

#[test]
fn a_patient_who_is_a_blocked_slot_has_no_year_of_birth() {
    let mut site = site();
    let patients = site.practice.population().patients.iter();
    let mut dummies = patients.filter(|patient| patient.surname == "DO NOT BOOK");
    let key = dummies.next().expect("one").internal_id;
    let change = update("PATIENTS", "CTG = 0", "INTERNALID", key);

    let rows = changed(&mut site, &[change], "patient");

    let row = found(&rows, "patient_id", key).expect("it changed");
    assert_eq!(row["birth_year"], Value::Null);
    assert!(
        !row.to_string().contains("BOOK"),
        "its name stays behind as every name does"
    );
}

#[test]
fn staff_who_left_are_in_the_reference_because_old_rows_name_them() {
    let mut site = site();
    let key = site.practice.population().users.iter().next();
    let key = key.expect("somebody").user_id;
    let change = update("USERS", "USERSTATUS = 2, RECORDSTATUS = 0", "USERID", key);

    let rows = changed(&mut site, &[change], "reference_provider");

    let row = found(&rows, "provider_id", key).expect("inactive, and listed");
    assert_eq!(
        (&row["user_status"], &row["record_status"]),
        (&json!(2), &json!(0))
    );
}

#[test]
fn no_text_of_any_query_ends_in_the_padding_of_its_column() {
    let mut site = site();
    for query in catalog().queries() {
        let window = match query.mode {
            Mode::Incremental { .. } => Window::new(long_ago(), today() + Days::new(1)),
            Mode::Snapshot => Some(Window::day(today())),
        };
        let page = ask(&mut site.database, query, window.expect("years"));
        let rows = page
            .unwrap_or_else(|error| panic!("{}: {error}", query.id))
            .json();
        assert!(!rows.is_empty(), "{}", query.id);
        for row in &rows {
            for (column, value) in row.as_object().expect("a row") {
                let padded = value.as_str().is_some_and(|text| text.ends_with(' '));
                assert!(!padded, "{}: {column}", query.id);
            }
        }
    }
}

//! What must not leave a practice: no object holds a name, number, address or key of a generated patient.

use std::collections::BTreeSet;

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{DataType, Int32Type};
use arrow::util::display::array_value_to_string;
use chrono::{Days, NaiveDate};
use halo_extract::domain::Window;
use halo_extract::simulator::practice::Population;

use crate::lake::{Lake, Site, catalog, long_ago, withheld};

fn today() -> NaiveDate {
    NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day")
}

/// What points at a person, as words and as keys.
struct Secrets {
    words: BTreeSet<String>,
    keys: BTreeSet<i32>,
}

impl Secrets {
    fn of(population: &Population) -> Self {
        let mut words = BTreeSet::new();
        for patient in population.patients.iter() {
            let texts = [
                &patient.first_name,
                &patient.middle_name,
                &patient.preferred_name,
                &patient.surname,
                &patient.address1,
                &patient.city,
                &patient.postcode,
                &patient.home_phone,
                &patient.mobile_phone,
                &patient.medicare_no,
                &patient.ihi,
                &patient.pension_no,
                &patient.dva_no,
                &patient.record_no,
            ];
            words.extend(texts.into_iter().map(|text| text.to_lowercase()));
        }
        words.extend(
            population
                .emails
                .iter()
                .map(|mail| mail.address.to_lowercase()),
        );
        words.extend(
            population
                .users
                .iter()
                .map(|user| user.surname.to_lowercase()),
        );
        words.extend(
            population
                .users
                .iter()
                .map(|user| user.provider_no.to_lowercase()),
        );
        words.extend(free_texts(population).map(str::to_lowercase));
        words.remove("");
        let keys = population
            .patients
            .iter()
            .map(|patient| i32::try_from(patient.internal_id).expect("a small key"))
            .collect();
        Self { words, keys }
    }

    /// Whether a text is one of them, or has one among its words.
    fn are_in(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let is_word_end = |c: char| c.is_whitespace() || ",;:(){}\\".contains(c);
        self.words.contains(&text)
            || text
                .split(is_word_end)
                .any(|word| self.words.contains(word))
    }
}

/// What people wrote in their own words, and the names of clinics.
fn free_texts(population: &Population) -> impl Iterator<Item = &str> {
    let notes = population.visits.iter().map(|row| row.notes.as_str());
    let doctors = population.visits.iter().map(|row| row.doctor_name.as_str());
    let clinics = population.locations.iter().map(|row| row.name.as_str());
    let scripts = population.script_items.iter();
    let medicines = population.current_rx.iter();
    let details = population.past_history.iter();
    let histories = population.clinical.iter();
    let bookings = population.appointments.iter();
    notes
        .chain(doctors)
        .chain(clinics)
        .chain(scripts.map(|row| row.instructions.as_str()))
        .chain(medicines.map(|row| row.instructions.as_str()))
        .chain(bookings.map(|row| row.comment.as_str()))
        .chain(details.filter_map(|row| row.details.as_deref()))
        .chain(histories.filter_map(|row| row.social_history.as_deref()))
}

fn columns_that_tell(batch: &RecordBatch, secrets: &Secrets) -> Vec<String> {
    let schema = batch.schema();
    let tells = |place: &usize| {
        let column = batch.column(*place);
        match column.data_type() {
            DataType::Int32 => {
                let mut numbers = column.as_primitive::<Int32Type>().iter().flatten();
                numbers.any(|number| secrets.keys.contains(&number))
            }
            DataType::Utf8 => {
                let mut texts = column.as_string::<i32>().iter().flatten();
                texts.any(|text| secrets.are_in(text))
            }
            DataType::Int16 | DataType::Date32 | DataType::Timestamp(..) => false,
            other => panic!("no query is known to write {other}"),
        }
    };
    (0..batch.num_columns())
        .filter(tells)
        .map(|place| schema.field(place).name().clone())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_object_holds_what_points_at_a_patient() {
    let lake = Lake::new();
    let mut site = Site::open(1, 300, today());

    let paths = lake.night(&mut site, long_ago(), today()).await;

    let secrets = Secrets::of(site.practice.population());
    let mut rows = 0;
    for path in paths {
        let footer = lake.store().read_footer(&path).await.expect("a footer");
        let told = footer.metadata.file_metadata().key_value_metadata();
        for pair in told.expect("a footer tells something") {
            let value = pair.value.as_deref().unwrap_or_default();
            assert!(!secrets.are_in(value), "{path}: {}", pair.key);
        }
        for batch in lake.store().read_batches(&path).await.expect("an object") {
            assert_eq!(
                columns_that_tell(&batch, &secrets),
                Vec::<String>::new(),
                "{path}"
            );
            rows += batch.num_rows();
        }
    }
    assert!(rows > 5000, "{rows} rows were looked at");
}

#[test]
fn a_patient_who_opts_out_is_counted_among_the_withheld_from_that_night_on() {
    let mut site = Site::open(0, 300, today());
    let agreed = agreeing(&site);
    assert_withheld(&mut site, today());

    let next = today() + Days::new(1);
    site.advance(next);

    let left: Vec<u32> = agreed.difference(&agreeing(&site)).copied().collect();
    assert_eq!(left.len(), 1, "one patient opts out in a night");
    assert!(
        kept_back(&site, |changed| changed >= today()).contains(&left[0]),
        "the opt-out is a change of the night"
    );
    assert_withheld(&mut site, next);
}

/// Both queries of patients count who is kept back as the population itself says.
#[track_caller]
fn assert_withheld(site: &mut Site, day: NaiveDate) {
    let catalog = catalog();
    let mut counted = |name: &str, window| {
        let query = catalog.select(name).expect("a query that ships");
        withheld(&mut site.database, query, window)
    };
    let roster = counted("patient_roster", Window::day(day));
    let night = Window::new(day - Days::new(1), day).expect("a day");
    let patient = counted("patient", night);

    let live = |population: &Population| {
        let patients = population.patients.iter();
        let kept = patients.filter(|patient| patient.audit.is_live() && !patient.may_leave());
        kept.count() as u64
    };
    assert_eq!(roster, live(site.practice.population()));
    assert!(roster > 0, "somebody is kept back");
    // The window and its two days of overlap.
    let from = day - Days::new(3);
    let changed = kept_back(site, |changed| changed >= from && changed < day);
    assert_eq!(patient, changed.len() as u64);
}

/// Patients who may not leave, and whose record changed on a day that `within` takes.
fn kept_back(site: &Site, within: impl Fn(NaiveDate) -> bool) -> BTreeSet<u32> {
    let patients = site.practice.population().patients.iter();
    patients
        .filter(|patient| !patient.may_leave() && within(patient.audit.changed().date()))
        .map(|patient| patient.internal_id)
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_patient_who_opts_out_is_absent_from_that_night_on() {
    let lake = Lake::new();
    let mut site = Site::open(0, 300, today());
    let before = roster(&lake, &mut site, today()).await;
    let agreed: BTreeSet<u32> = agreeing(&site);

    let next = today() + Days::new(1);
    site.advance(next);
    let after = roster(&lake, &mut site, next).await;

    let left: Vec<u32> = agreed.difference(&agreeing(&site)).copied().collect();
    assert_eq!(left.len(), 1, "one patient opts out in a night");
    assert_eq!(before.difference(&after).count(), 1);
    assert_eq!(after.len(), agreeing(&site).len());
    let gone = before.difference(&after).next().expect("one pseudonym");
    let again = lake.night(&mut site, long_ago(), next).await;
    let mut queries = 0;
    for path in again {
        let named = patients_in(&lake, &path).await;
        queries += usize::from(!named.is_empty());
        assert!(!named.contains(gone), "{path}");
    }
    assert_eq!(queries, 17, "each query that names patients names some");
}

/// The pseudonyms of patients that an object holds.
async fn patients_in(lake: &Lake, path: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for batch in lake.store().read_batches(path).await.expect("an object") {
        if let Some(column) = batch.column_by_name("patient_id") {
            let texts = column.as_string::<i32>().iter().flatten();
            found.extend(texts.map(str::to_owned));
        }
    }
    found
}

fn agreeing(site: &Site) -> BTreeSet<u32> {
    let patients = site.practice.population().patients.iter();
    patients
        .filter(|patient| patient.may_leave() && patient.audit.is_live())
        .map(|patient| patient.internal_id)
        .collect()
}

/// The pseudonyms that the roster of a night holds.
async fn roster(lake: &Lake, site: &mut Site, day: NaiveDate) -> BTreeSet<String> {
    let paths = lake.night(site, day - Days::new(1), day).await;
    let path = paths
        .iter()
        .find(|path| path.contains("/patient_roster/"))
        .expect("the roster is among the queries");
    let mut found = BTreeSet::new();
    for batch in lake.store().read_batches(path).await.expect("an object") {
        let column = batch
            .column_by_name("patient_id")
            .expect("a column of the contract");
        for row in 0..column.len() {
            found.insert(array_value_to_string(column, row).expect("a text"));
        }
    }
    found
}

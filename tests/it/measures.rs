//! The ten PIP QI measures, counted twice: by the SQL that ships, over Parquet alone, and by plain code over what
//! the generated practices know. The two share no line.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use chrono::{Datelike, Days, Months, NaiveDate};
use halo_extract::simulator::practice::Population;
use halo_extract::simulator::practice::records::Patient;

use crate::harness::{project, python, run_python};
use crate::lake::{Lake, Site, long_ago};

/// Site, measure, category → numerator, denominator.
type Counts = BTreeMap<(String, String, String), (u64, u64)>;

#[tokio::test(flavor = "multi_thread")]
async fn the_measures_over_parquet_are_those_of_the_practices_over_two_nights() {
    let Some(python) = python() else {
        return;
    };
    let today = NaiveDate::from_ymd_opt(2026, 11, 18).expect("a day");
    let lake = Lake::new();
    let mut sites: Vec<Site> = (0..3).map(|index| Site::open(index, 300, today)).collect();
    for site in &mut sites {
        lake.night(site, long_ago(), today).await;
    }
    assert_eq!(
        counted_by_duckdb(&python, &lake, today),
        counted_here(&sites, today)
    );

    let first = counted_here(&sites, today);
    for measure in 1..=10 {
        let name = format!("QIM {measure}");
        let mut counts = first.iter().filter(|((_, measure, _), _)| *measure == name);
        assert!(
            counts.any(|(_, (hits, of))| *hits > 0 && hits < of),
            "{name} has patients with and without it: {first:?}"
        );
    }

    for night in 1..=2 {
        let next = today + Days::new(night);
        for site in &mut sites {
            site.advance(next);
            lake.night(site, next - Days::new(1), next).await;
        }
        assert_eq!(
            counted_by_duckdb(&python, &lake, next),
            counted_here(&sites, next)
        );
    }
}

fn counted_by_duckdb(python: &Path, lake: &Lake, as_of: NaiveDate) -> Counts {
    let sql = project().join("queries/measures/pip-qi.duckdb.sql");
    let as_of = as_of.to_string();
    let arguments = [&lake.environment(), Path::new(&as_of), &sql];
    let printed = run_python(python, "pip_qi.py", &arguments);
    csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(printed.as_bytes())
        .deserialize::<(String, String, String, u64, u64)>()
        .map(|row| row.expect("five columns"))
        .map(|(site, measure, category, hit, of)| ((site, measure, category), (hit, of)))
        .collect()
}

fn counted_here(sites: &[Site], as_of: NaiveDate) -> Counts {
    let mut counts = Counts::new();
    for site in sites {
        let facts = Facts::new(site.practice.population(), as_of);
        for patient in facts.regular_clients() {
            facts.count(patient, |measure, category, hit| {
                let key = (
                    site.key.to_string(),
                    measure.to_owned(),
                    category.to_owned(),
                );
                let (hits, of) = counts.entry(key).or_default();
                *hits += u64::from(hit);
                *of += 1;
            });
        }
    }
    counts
}

const DIABETES: &[i32] = &[3, 774, 775, 776, 778, 7840, 11998];
const COPD: &[i32] = &[598, 4740, 414, 702];
const HYSTERECTOMY: &[i32] = &[4053, 4046, 4054, 8214, 4055];
const INFLUENZA_VACCINES: &[u32] = &[211, 212];

fn is_heart_disease(code: i32) -> bool {
    matches!(code, 226..=228 | 2376..=2382 | 3576..=3579 | 1534 | 2556 | 6847 | 7847)
        || matches!(code, 1480 | 3083 | 777 | 1522 | 677..=681 | 1347)
}

/// What is known of a practice's patients on one day.
struct Facts<'a> {
    population: &'a Population,
    as_of: NaiveDate,
}

impl<'a> Facts<'a> {
    fn new(population: &'a Population, as_of: NaiveDate) -> Self {
        Self { population, as_of }
    }

    fn months_ago(&self, months: u32) -> NaiveDate {
        self.as_of - Months::new(months)
    }

    /// Living patients who agree to extraction, with three rebated visits in two years.
    fn regular_clients(&self) -> impl Iterator<Item = &'a Patient> {
        let open: BTreeSet<u32> = self
            .population
            .visits
            .iter()
            .filter(|visit| visit.audit.is_live() && !visit.confidential)
            .map(|visit| visit.visit_id)
            .collect();
        let patient_of: BTreeMap<u32, u32> = self
            .population
            .invoices
            .iter()
            .filter(|invoice| invoice.audit.is_live())
            .map(|invoice| (invoice.invoice_id, invoice.internal_id))
            .collect();
        let mut visits: BTreeMap<u32, BTreeSet<u32>> = BTreeMap::new();
        for service in self.population.services.iter() {
            let stands = service.audit.is_live() && service.service_status != 9;
            let recent = (self.months_ago(24)..self.as_of).contains(&service.service_date);
            if stands
                && recent
                && service.mbs_item != 0
                && open.contains(&service.visit_id)
                && let Some(patient) = patient_of.get(&service.invoice_id)
            {
                visits.entry(*patient).or_default().insert(service.visit_id);
            }
        }
        self.population.patients.iter().filter(move |patient| {
            patient.audit.is_live()
                && patient.may_leave()
                && patient.date_of_death.is_none()
                && visits
                    .get(&patient.internal_id)
                    .is_some_and(|seen| seen.len() >= 3)
        })
    }

    /// Age reached in the calendar year; `None` when the year of birth is not known.
    fn age(&self, patient: &Patient) -> Option<i32> {
        let born = patient.dob?.year();
        (born != 1900).then(|| self.as_of.year() - born)
    }

    fn count(&self, patient: &Patient, mut say: impl FnMut(&str, &str, bool)) {
        let age = self.age(patient);
        let is_aged =
            |range: std::ops::RangeInclusive<i32>| age.is_some_and(|age| range.contains(&age));
        let adult = is_aged(15..=200);
        let vaccinated = self.vaccinated(patient);
        let diabetes = self.has_condition(patient, |code| DIABETES.contains(&code));
        if diabetes {
            say("QIM 1", "recorded", self.has_result(patient, &[1, 19], 12));
            say("QIM 5", "recorded", vaccinated);
            let pressure = [3, 4].map(|code| self.has_measurement(patient, code, 6));
            say("QIM 10", "recorded", pressure == [true, true]);
        }
        if adult {
            self.count_smoking(patient, &mut say);
            self.count_body_mass(patient, &mut say);
            say("QIM 7", "recorded", self.alcohol_recorded(patient));
        }
        if is_aged(65..=200) {
            say("QIM 4", "recorded", vaccinated);
        }
        if adult && self.has_condition(patient, |code| COPD.contains(&code)) {
            say("QIM 6", "recorded", vaccinated);
        }
        if is_aged(45..=74) && !self.has_condition(patient, is_heart_disease) {
            say(
                "QIM 8",
                "recorded",
                self.has_risk_factors(patient, diabetes),
            );
        }
        let womb = !self.has_condition(patient, |code| HYSTERECTOMY.contains(&code));
        if patient.sex_code == 1 && is_aged(25..=74) && womb {
            say("QIM 9", "recorded", self.screened(patient));
        }
    }

    fn has_condition(&self, patient: &Patient, is: impl Fn(i32) -> bool) -> bool {
        self.population.past_history.iter().any(|item| {
            item.internal_id == patient.internal_id
                && item.audit.is_live()
                && item.privacy_code == 0
                && is(item.item_code)
        })
    }

    fn has_result(&self, patient: &Patient, codes: &[i32], months: u32) -> bool {
        let since = self.months_ago(months);
        self.population.report_values.iter().any(|value| {
            value.internal_id == patient.internal_id
                && value.audit.is_live()
                && codes.contains(&value.bp_code)
                && value.result_value.contains(|c: char| c.is_ascii_digit())
                && (since..self.as_of).contains(&value.reported)
                && !self.population.investigations[value.report_id as usize - 1].confidential
        })
    }

    /// Plain numbers of one kind with their days, the newest last.
    fn measurements(&self, patient: &Patient, code: i32) -> Vec<(NaiveDate, f64)> {
        let mut found: Vec<_> = self
            .population
            .observations
            .iter()
            .filter(|row| row.internal_id == patient.internal_id && row.data_code == code)
            .filter(|row| row.audit.is_live() && row.observed < self.as_of)
            .filter(|row| row.data_value.starts_with(|c: char| c.is_ascii_digit()))
            .filter_map(|row| {
                let number: f64 = row.data_value.parse().ok()?;
                Some(((row.observed, row.observed_time, row.record_id), number))
            })
            .collect();
        found.sort_by_key(|(when, _)| *when);
        found
            .into_iter()
            .map(|((day, ..), number)| (day, number))
            .collect()
    }

    fn has_measurement(&self, patient: &Patient, code: i32, months: u32) -> bool {
        let since = self.months_ago(months);
        self.measurements(patient, code)
            .iter()
            .any(|(day, _)| *day >= since)
    }

    fn vaccinated(&self, patient: &Patient) -> bool {
        let since = self.months_ago(15);
        self.population.immunisations.iter().any(|dose| {
            dose.internal_id == patient.internal_id
                && dose.audit.is_live()
                && INFLUENZA_VACCINES.contains(&dose.vaccine_id)
                && (since..self.as_of).contains(&dose.given)
        })
    }

    /// Smoking status and the day it was recorded, if it has one.
    fn smoking(&self, patient: &Patient) -> (i32, Option<NaiveDate>) {
        let tobacco = self
            .population
            .tobacco
            .iter()
            .rfind(|row| row.internal_id == patient.internal_id && row.audit.is_live());
        match tobacco {
            Some(row) => (row.smoking_code, Some(row.audit.changed().date())),
            None => {
                let clinical = self.population.clinical.iter();
                let mut own = clinical.filter(|row| row.internal_id == patient.internal_id);
                (own.next().map_or(0, |row| row.smoking_status), None)
            }
        }
    }

    fn count_smoking(&self, patient: &Patient, say: &mut impl FnMut(&str, &str, bool)) {
        let (status, recorded) = self.smoking(patient);
        let since = match self.age(patient) {
            Some(age) if age >= 30 => {
                NaiveDate::from_ymd_opt(self.as_of.year() - age + 30, 1, 1).expect("a day")
            }
            _ => self.months_ago(12),
        };
        let current = (1..=3).contains(&status) && recorded.is_none_or(|day| day >= since);
        say("QIM 2", "recorded", current);
        for (category, code) in [("never", 1), ("ex smoker", 2), ("smoker", 3)] {
            say("QIM 2", category, current && status == code);
        }
    }

    fn count_body_mass(&self, patient: &Patient, say: &mut impl FnMut(&str, &str, bool)) {
        let year_ago = self.months_ago(12);
        let age = self
            .age(patient)
            .expect("only patients with an age are asked");
        let height_since = if age < 25 {
            year_ago
        } else {
            NaiveDate::from_ymd_opt(self.as_of.year() - age + 25, 1, 1).expect("a day")
        };
        let newest = |code, since| {
            let found = self.measurements(patient, code);
            let fits =
                |(day, number): &(NaiveDate, f64)| *day >= since && (code != 7 || *number > 0.0);
            found.into_iter().rfind(fits).map(|(_, number)| number)
        };
        let body_mass = newest(8, year_ago)
            .zip(newest(7, height_since))
            .map(|(weight, height)| weight * 10000.0 / (height * height));
        say("QIM 3", "recorded", body_mass.is_some());
        let classes = [
            ("underweight", 0.0..18.5),
            ("healthy", 18.5..25.0),
            ("overweight", 25.0..30.0),
            ("obese", 30.0..1e9),
        ];
        for (category, range) in classes {
            say(
                "QIM 3",
                category,
                body_mass.is_some_and(|value| range.contains(&value)),
            );
        }
    }

    fn alcohol_recorded(&self, patient: &Patient) -> bool {
        let status = self
            .population
            .clinical
            .iter()
            .find(|row| row.internal_id == patient.internal_id)
            .map_or(0, |row| row.alcohol_status);
        let mut rows = self.population.alcohol.iter();
        let since = self.months_ago(12);
        (1..=4).contains(&status)
            && rows.any(|row| {
                row.internal_id == patient.internal_id
                    && row.audit.is_live()
                    && row.audit.changed().date() >= since
            })
    }

    fn has_risk_factors(&self, patient: &Patient, diabetes: bool) -> bool {
        (1..=3).contains(&self.smoking(patient).0)
            && (diabetes || self.has_result(patient, &[1, 19, 14], 24))
            && self.has_measurement(patient, 3, 24)
            && self.has_result(patient, &[2], 60)
            && self.has_result(patient, &[3], 60)
    }

    fn screened(&self, patient: &Patient) -> bool {
        self.population.pap_smears.iter().any(|test| {
            let since = self.months_ago(if test.cst == 1 { 24 } else { 60 });
            test.internal_id == patient.internal_id
                && test.audit.is_live()
                && (since..self.as_of).contains(&test.pap_date)
        })
    }
}

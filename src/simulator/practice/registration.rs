//! How patients come into the records: who they are, and the rows that each has from the first day.

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime};

use super::chance::Chance;
use super::identity::Identity;
use super::life::Practice;
use super::names;
use super::profile::Profile;
use super::records::{Audit, Clinical, Email, Patient};

/// Keys of patients begin here, above every other key, so that a leaked one can be told from them.
const FIRST_PATIENT_KEY: u32 = 8_100_001;
/// Seconds after midnight when the doors open.
pub(super) const OPENING: i32 = 8 * 3600 + 1800;
/// Years of age and how many of a thousand patients are in them.
const AGES: &[((i32, i32), u32)] = &[
    ((0, 4), 60),
    ((5, 14), 110),
    ((15, 24), 115),
    ((25, 44), 270),
    ((45, 64), 245),
    ((65, 79), 145),
    ((80, 99), 55),
];

impl Practice {
    /// Registers `count` patients on days before `begin`, the earliest first.
    pub(super) fn register_earlier(&mut self, count: usize, begin: NaiveDate) {
        let since = Identity::records_since();
        let span = u64::try_from((begin - since).num_days()).unwrap_or(0);
        for nth in 0..count {
            let day = since + Days::new(span * nth as u64 / count as u64);
            self.register(day);
        }
    }

    /// One new patient with the rows that every patient has.
    pub(super) fn register(&mut self, day: NaiveDate) {
        let at_second = self.chance.between(OPENING, OPENING + 30_000);
        let at = self.instant(day, at_second);
        let position = self.population.patients.len();
        // The second row of every practice is not a person: it blocks slots in the book.
        let patient = if position == 1 {
            self.dummy(at)
        } else {
            self.patient(position, at)
        };
        let profile = self.profile(&patient, day);
        let copies = usize::try_from(profile.visits_per_year).expect("a small number");
        self.roster.extend(std::iter::repeat_n(position, copies));
        self.population.patients.push(patient);
        self.profiles.push(profile);
        self.record_mail(position);
        let is_allergic = self.record_allergy(position);
        self.record_clinical(position, is_allergic);
        self.record_history(position, day);
    }

    fn patient(&mut self, position: usize, at: NaiveDateTime) -> Patient {
        let user_id = 1 + u32::try_from(self.doctor()).expect("few doctors");
        let created_by = self.signature(user_id);
        let (first_name, sex_code) = self.first_name();
        let internal_id = FIRST_PATIENT_KEY + u32::try_from(position).expect("a small number") * 7;
        let can_opt_out = self.identity.has_opt_out_column;
        let chance = &mut self.chance;
        let (age, dob) = birth(chance, position, at.date());
        let cards = Cards::new(chance, position, age, at.year());
        let (city, postcode) = names::town(chance);
        let ethnic_code =
            chance.weighted(&[(4, 780), (0, 150), (1, 38), (2, 6), (3, 4), (1013, 22)]);
        Patient {
            internal_id,
            patient_status: 1,
            record_no: format!("{}{:05}", &self.identity.pms_id[3..], position + 1),
            first_name: first_name.to_owned(),
            middle_name: (*chance.pick(&["", "", "Anne", "Lê", "O’Neil"])).to_owned(),
            preferred_name: String::new(),
            surname: (*chance.pick(names::SURNAMES)).to_owned(),
            title_code: if sex_code == 2 { 2 } else { 1 },
            dob,
            date_of_death: None,
            sex_code,
            ethnic_code,
            address1: names::street(chance),
            city: city.to_owned(),
            postcode: postcode.to_owned(),
            home_phone: names::landline(chance),
            mobile_phone: names::mobile(chance),
            medicare_no: cards.medicare_no,
            medicare_line_no: cards.medicare_line_no,
            medicare_expiry: cards.medicare_expiry,
            ihi: cards.ihi,
            pension_code: i32::from(!cards.pension_no.is_empty()),
            pension_no: cards.pension_no,
            dva_code: i32::from(!cards.dva_no.is_empty()),
            dva_no: cards.dva_no,
            user_id,
            head_of_family_id: internal_id,
            deny_access: chance.per_mille(6),
            hch_tier: 0,
            ctg: i32::from((1..=3).contains(&ethnic_code)),
            opted_out: can_opt_out && chance.per_mille(18),
            audit: Audit::new(at, created_by),
        }
    }

    fn dummy(&mut self, at: NaiveDateTime) -> Patient {
        let mut patient = self.patient(1, at);
        "DO NOT BOOK".clone_into(&mut patient.surname);
        "MEETING".clone_into(&mut patient.first_name);
        patient.dob = None;
        patient.opted_out = false;
        patient.deny_access = false;
        patient
    }

    fn profile(&mut self, patient: &Patient, day: NaiveDate) -> Profile {
        let Some(age) = patient.age_on(day) else {
            return Profile::default();
        };
        let chance = &mut self.chance;
        let mut odds = |child: u32, adult: u32, middle: u32, old: u32| {
            chance.per_mille(match age {
                ..18 => child,
                18..45 => adult,
                45..65 => middle,
                _ => old,
            })
        };
        let mut profile = Profile {
            diabetes: odds(4, 18, 85, 180),
            hypertension: odds(0, 30, 230, 520),
            asthma: odds(100, 100, 90, 80),
            copd: odds(0, 2, 35, 95),
            heart_disease: odds(0, 3, 45, 170),
            hysterectomy: odds(0, 4, 90, 190) && patient.sex_code == 1,
            ..Profile::default()
        };
        let base = chance.weighted(&[(0, 420), (1, 240), (2, 160), (4, 110), (7, 50), (12, 20)]);
        profile.visits_per_year = base
            + 3 * u32::from(profile.is_chronic())
            + u32::from(age >= 65)
            + 2 * u32::from(age < 2);
        if age >= 15 {
            profile.smoking = chance.weighted(&[(1, 600), (2, 270), (3, 130)]);
        }
        profile.drinks = age >= 15 && chance.percent(70);
        let grown = age.clamp(0, 18);
        profile.height = 52 + grown * 6 + chance.between(-8, 12);
        profile.weight = profile.height * profile.height * chance.around(170, 380) / 10_000;
        profile
    }

    /// The mail address of those who gave one.
    fn record_mail(&mut self, position: usize) {
        if !self.chance.percent(55) {
            return;
        }
        let patient = &self.population.patients[position];
        let record_id = self.population.emails.next_key();
        self.population.emails.push(Email {
            record_id,
            internal_id: patient.internal_id,
            address: names::mail(&patient.first_name, &patient.surname, record_id),
            audit: patient.audit.clone(),
        });
    }

    /// The row of `CLINICAL` that every patient has.
    fn record_clinical(&mut self, position: usize, is_allergic: bool) {
        let chance = &mut self.chance;
        // Some practices ask for smoking at the desk: then CLINICAL has a status and TOBACCO has no row.
        let asked = chance.percent(15);
        let asked_for_allergies = chance.percent(60);
        let (kin, phone) = (chance.pick(names::SURNAMES), names::landline(chance));
        let patient = &self.population.patients[position];
        self.population.clinical.push(Clinical {
            internal_id: patient.internal_id,
            known_allergies: match (is_allergic, asked_for_allergies) {
                (true, _) => 2,
                (false, true) => 1,
                (false, false) => 0,
            },
            smoking_status: if asked {
                self.profiles[position].smoking
            } else {
                0
            },
            alcohol_status: 0,
            accommodation: chance.percent(40).then_some(1),
            lives_with: chance.percent(30).then_some(1),
            has_carer: None,
            social_history: chance
                .percent(10)
                .then(|| format!("Neighbour {kin} holds a key, ring {phone}")),
            audit: patient.audit.clone(),
        });
    }

    /// A first name and the code of the sex that goes with it.
    pub(super) fn first_name(&mut self) -> (&'static str, i32) {
        let sex_code = self.chance.weighted(&[(1, 520), (2, 474), (3, 6)]);
        let choices = match sex_code {
            1 => names::FEMALE_NAMES,
            2 => names::MALE_NAMES,
            _ if self.chance.percent(50) => names::FEMALE_NAMES,
            _ => names::MALE_NAMES,
        };
        (*self.chance.pick(choices), sex_code)
    }
}

/// Age in years and date of birth; the date is missing or a placeholder in one row of two hundred each.
fn birth(chance: &mut Chance, position: usize, today: NaiveDate) -> (i32, Option<NaiveDate>) {
    let (low, high) = chance.weighted(AGES);
    let age = chance.between(low, high);
    let days = u64::try_from(age * 365 + chance.between(0, 364)).expect("nobody is unborn");
    let dob = match position % 200 {
        7 => None,
        11 => NaiveDate::from_ymd_opt(1900, 1, 1),
        _ => Some(today - Days::new(days)),
    };
    (age, dob)
}

/// Numbers on the cards that a patient shows; empty for a card that the patient has not.
struct Cards {
    medicare_no: String,
    medicare_line_no: String,
    medicare_expiry: String,
    ihi: String,
    pension_no: String,
    dva_no: String,
}

impl Cards {
    fn new(chance: &mut Chance, position: usize, age: i32, year: i32) -> Self {
        let concession = chance.percent(if age >= 67 { 70 } else { 15 });
        let veteran = age >= 75 && chance.percent(6);
        let pension_no = format!("{}Z", chance.between(100_000_000, 999_999_999));
        let (month, year) = (chance.between(1, 12), year + chance.between(1, 5));
        Self {
            medicare_no: names::medicare(chance),
            medicare_line_no: chance.between(1, 5).to_string(),
            medicare_expiry: format!("{month:02}/{year}"),
            ihi: names::health_identifier(chance),
            pension_no: if concession {
                pension_no
            } else {
                String::new()
            },
            dva_no: if veteran {
                format!("NX{position:06}")
            } else {
                String::new()
            },
        }
    }
}

//! How people come into the records: staff and clinics on the first day, patients as they register.

use chrono::{Datelike, Days, NaiveDate};

use super::identity::Identity;
use super::life::Practice;
use super::names;
use super::profile::Profile;
use super::records::{Audit, Clinical, Email, Location, PastHistory, Patient, Reaction, User};

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

/// A condition of `PASTHISTORY`: vendor code and text.
type Condition = (i32, &'static str);

const TYPE_1: Condition = (776, "Diabetes Mellitus, Type 1");
const TYPE_2: Condition = (778, "Diabetes Mellitus, Type 2");
const DIABETES: Condition = (3, "Diabetes Mellitus");
const HYPERTENSION: Condition = (1200, "Hypertension");
const ASTHMA: Condition = (281, "Asthma");
const COPD: Condition = (598, "COPD");
const HEART_DISEASE: Condition = (2376, "Ischaemic heart disease");
const HYSTERECTOMY: Condition = (4053, "Hysterectomy");
/// Conditions that no measure asks for, one of them typed freely and so without a code.
const OTHERS: &[Condition] = &[
    (1850, "Osteoarthritis"),
    (910, "Depression"),
    (1105, "Gastro-oesophageal reflux"),
    (702, "Chronic bronchitis"),
    (0, "Funny turn – ?cause"),
    (1446, "Familial hypercholesterolaemia"),
    (662, "Chronic kidney disease"),
    (81, "Cirrhosis"),
    (12, "Gestational diabetes"),
];

const ALLERGIES: &[(i32, i32, &str, &str)] = &[
    (1, 15_601, "Amoxicillin", "Rash"),
    (2, 741, "Aspirin", "Angio-oedema"),
    (3, 61, "Penicillins", "Anaphylaxis"),
    (3, 62, "Cephalosporins", "Vomiting"),
];

impl Practice {
    /// Clinics and staff, in place since the records began; enough doctors for `patients`.
    pub(super) fn open(&mut self, patients: usize) {
        let since = Identity::records_since();
        for location_id in 1..=self.identity.clinics {
            let (city, postcode) = names::town(&mut self.chance);
            let audit = Audit::new(self.instant(since, OPENING), 1);
            self.population.locations.push(Location {
                location_id,
                name: format!("{} ({city})", self.identity.name),
                city: city.to_owned(),
                postcode: postcode.to_owned(),
                audit,
            });
        }
        let doctors = 3 + patients / 1500;
        for _ in 0..doctors {
            self.hire(1, 1);
        }
        self.hire(1, 2);
        self.hire(2, 1);
        self.hire(3, 1);
    }

    fn hire(&mut self, group_code: i32, user_status: i32) {
        let user_id = self.population.users.next_key();
        let location_id = 1 + (user_id - 1) % self.identity.clinics;
        let (first_name, _) = self.first_name();
        let surname = *self.chance.pick(names::SURNAMES);
        let provider = self.chance.between(100_000, 999_999);
        let audit = Audit::new(self.instant(Identity::records_since(), OPENING), 1);
        self.population.users.push(User {
            user_id,
            user_status,
            location_id,
            group_code,
            first_name: first_name.to_owned(),
            surname: surname.to_owned(),
            provider_no: if group_code == 1 {
                format!("{provider}ZZ")
            } else {
                String::new()
            },
            audit,
        });
    }

    /// A doctor at work, as position in the users.
    pub(super) fn doctor(&mut self) -> usize {
        let doctors: usize = self
            .population
            .users
            .iter()
            .filter(|user| user.group_code == 1 && user.user_status == 1)
            .count();
        self.chance.position(doctors)
    }

    /// Registers `count` patients on days before `begin`, the earliest first.
    pub(super) fn register_earlier(&mut self, count: usize, begin: NaiveDate) {
        let since = Identity::records_since();
        let span = u64::try_from((begin - since).num_days()).unwrap_or(0);
        for nth in 0..count {
            let day = since + Days::new(span * nth as u64 / count as u64);
            self.register(day);
        }
    }

    /// A first name and the code of the sex that goes with it.
    fn first_name(&mut self) -> (&'static str, i32) {
        let sex_code = self.chance.weighted(&[(1, 520), (2, 474), (3, 6)]);
        let choices = match sex_code {
            1 => names::FEMALE_NAMES,
            2 => names::MALE_NAMES,
            _ if self.chance.percent(50) => names::FEMALE_NAMES,
            _ => names::MALE_NAMES,
        };
        (*self.chance.pick(choices), sex_code)
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
        self.record_once(position);
        self.record_history(position, day);
    }

    fn patient(&mut self, position: usize, at: chrono::NaiveDateTime) -> Patient {
        let chance = &mut self.chance;
        let (low, high) = chance.weighted(AGES);
        let age = chance.between(low, high);
        let dob =
            at.date() - Days::new(u64::try_from(age * 365 + chance.between(0, 364)).unwrap_or(0));
        let dob = match chance.between(0, 399) {
            0 => None,
            1 => NaiveDate::from_ymd_opt(1900, 1, 1),
            _ => Some(dob),
        };
        let (city, postcode) = names::town(chance);
        let medicare_line_no = chance.between(1, 5).to_string();
        let expiry = format!(
            "{:02}/{}",
            chance.between(1, 12),
            at.year() + chance.between(1, 5)
        );
        let concession = chance.percent(if age >= 67 { 70 } else { 15 });
        let veteran = age >= 75 && chance.percent(6);
        let internal_id = FIRST_PATIENT_KEY + u32::try_from(position).expect("a small number") * 7;
        let address1 = names::street(chance);
        let home_phone = names::landline(chance);
        let mobile_phone = names::mobile(chance);
        let medicare_no = names::medicare(chance);
        let ihi = names::health_identifier(chance);
        let pension_no = format!("{}Z", chance.between(100_000_000, 999_999_999));
        let ethnic_code =
            chance.weighted(&[(4, 780), (0, 150), (1, 38), (2, 6), (3, 4), (1013, 22)]);
        let closed = chance.per_mille(6);
        let opted_out = self.identity.has_opt_out_column && chance.per_mille(18);
        let surname = *chance.pick(names::SURNAMES);
        let middle = *chance.pick(&["", "", "Anne", "Lê", "O’Neil"]);
        let user_id = 1 + u32::try_from(self.doctor()).expect("few doctors");
        let created_by = self.signature(user_id);
        let (first_name, sex_code) = self.first_name();
        Patient {
            internal_id,
            patient_status: 1,
            record_no: format!("{}{:05}", &self.identity.pms_id[3..], position + 1),
            first_name: first_name.to_owned(),
            middle_name: middle.to_owned(),
            preferred_name: String::new(),
            surname: surname.to_owned(),
            title_code: if sex_code == 2 { 2 } else { 1 },
            dob,
            date_of_death: None,
            sex_code,
            ethnic_code,
            address1,
            city: city.to_owned(),
            postcode: postcode.to_owned(),
            home_phone,
            mobile_phone,
            medicare_no,
            medicare_line_no,
            medicare_expiry: expiry,
            ihi,
            pension_code: i32::from(concession),
            pension_no: if concession {
                pension_no
            } else {
                String::new()
            },
            dva_code: i32::from(veteran),
            dva_no: if veteran {
                format!("NX{position:06}")
            } else {
                String::new()
            },
            user_id,
            head_of_family_id: internal_id,
            deny_access: closed,
            hch_tier: 0,
            ctg: i32::from((1..=3).contains(&ethnic_code)),
            opted_out,
            audit: Audit::new(at, created_by),
        }
    }

    fn dummy(&mut self, at: chrono::NaiveDateTime) -> Patient {
        let mut patient = self.patient(1, at);
        "DO NOT BOOK".clone_into(&mut patient.surname);
        "MEETING".clone_into(&mut patient.first_name);
        patient.dob = None;
        patient.opted_out = false;
        patient.deny_access = false;
        patient
    }

    /// Who signs a row: a user, or its negative when a program wrote it in that user's name.
    pub(super) fn signature(&mut self, user_id: u32) -> i32 {
        let user_id = i32::try_from(user_id).expect("few users");
        if self.chance.percent(4) {
            -user_id
        } else {
            user_id
        }
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

    /// The rows that a patient has once: mail address, `CLINICAL`, sometimes an allergy.
    fn record_once(&mut self, position: usize) {
        let patient = &self.population.patients[position];
        let (internal_id, user_id, audit) =
            (patient.internal_id, patient.user_id, patient.audit.clone());
        if self.chance.percent(55) {
            let record_id = self.population.emails.next_key();
            self.population.emails.push(Email {
                record_id,
                internal_id,
                address: names::mail(&patient.first_name, &patient.surname, record_id),
                audit: audit.clone(),
            });
        }
        let allergic = self.chance.percent(12);
        // Some practices ask for smoking at the desk: then CLINICAL has a status and TOBACCO has no row.
        let asked = self.chance.percent(15);
        let (kin, phone) = (
            self.chance.pick(names::SURNAMES),
            names::landline(&mut self.chance),
        );
        let smoking = self.profiles[position].smoking;
        self.population.clinical.push(Clinical {
            internal_id,
            known_allergies: if allergic {
                2
            } else {
                i32::from(self.chance.percent(60))
            },
            smoking_status: if asked { smoking } else { 0 },
            alcohol_status: 0,
            accommodation: self.chance.percent(40).then_some(1),
            lives_with: self.chance.percent(30).then_some(1),
            has_carer: None,
            social_history: self
                .chance
                .percent(10)
                .then(|| format!("Neighbour {kin} holds a key, ring {phone}")),
            audit: audit.clone(),
        });
        if allergic {
            let (item_type, item_code, item_name, reaction) = *self.chance.pick(ALLERGIES);
            self.population.reactions.push(Reaction {
                record_id: self.population.reactions.next_key(),
                internal_id,
                user_id,
                item_type,
                item_code,
                item_name,
                reaction_code: 0,
                reaction,
                severity: self.chance.between(1, 3),
                audit,
            });
        }
    }

    /// Diagnoses that a patient brings along.
    fn record_history(&mut self, position: usize, day: NaiveDate) {
        let profile = self.profiles[position].clone();
        let kind = *self
            .chance
            .pick(&[TYPE_2, TYPE_2, TYPE_2, TYPE_2, TYPE_1, DIABETES]);
        let known = [
            (profile.diabetes, kind),
            (profile.hypertension, HYPERTENSION),
            (profile.asthma, ASTHMA),
            (profile.copd, COPD),
            (profile.heart_disease, HEART_DISEASE),
            (profile.hysterectomy, HYSTERECTOMY),
        ];
        let at_second = self.chance.between(OPENING + 30_000, OPENING + 34_000);
        for (has, condition) in known {
            if has {
                self.diagnose(position, condition, day, at_second);
            }
        }
        if self.profiles[position].visits_per_year > 0 && self.chance.percent(30) {
            let other = *self.chance.pick(OTHERS);
            self.diagnose(position, other, day, at_second);
        }
    }

    /// A new diagnosis at a visit, of something that no measure asks for.
    pub(super) fn diagnose_something(&mut self, position: usize, day: NaiveDate, at_second: i32) {
        let condition = *self.chance.pick(OTHERS);
        self.diagnose(position, condition, day, at_second);
    }

    fn diagnose(&mut self, position: usize, condition: Condition, day: NaiveDate, at_second: i32) {
        let (item_code, item_text) = condition;
        let patient = &self.population.patients[position];
        let (internal_id, user_id) = (patient.internal_id, patient.user_id);
        let details = format!("{} {} told by phone", patient.first_name, patient.surname);
        // Onset is often known by its year only, or not at all; unknown parts are 0.
        let (year, month, of_month) = match self.chance.between(0, 9) {
            0 => (0, 0, 0),
            1..=3 => (day.year() - self.chance.between(0, 9), 0, 0),
            _ => (day.year(), i32::try_from(day.month()).unwrap_or(0), 1),
        };
        let audit = Audit::new(self.instant(day, at_second), self.signature(user_id));
        self.population.past_history.push(PastHistory {
            record_id: self.population.past_history.next_key(),
            internal_id,
            user_id,
            year,
            month,
            day: of_month,
            item_text,
            item_code,
            status_code: 1,
            privacy_code: i32::from(self.chance.per_mille(15)),
            provisional: self.chance.percent(3),
            details: self.chance.percent(20).then_some(details),
            audit,
        });
    }
}

//! What is done at a visit: measuring, asking, vaccinating, prescribing, screening.

use chrono::{Datelike, Days, NaiveDate};

use super::consultation::Encounter;
use super::life::Practice;
use super::lookups::{CHILDHOOD, INFLUENZA, OLDER, PRODUCTS, VACCINES};
use super::pathology::decimal;
use super::records::{
    Alcohol, Audit, CurrentRx, Immunisation, ObsGynDetail, Observation, PapSmear, Pregnancy,
    Prescription, ScriptItem, Tobacco,
};

/// Values that stand where a number is expected.
const NOT_NUMBERS: &[&str] = &[
    "", "<0.5", "refused", "120/80", "98.6F", "unable", "82,5", "~70",
];
/// Months in which influenza vaccine is given.
const INFLUENZA_SEASON: std::ops::RangeInclusive<u32> = 4..=8;
/// Positions of long-term medicines in the products, by condition.
const DIABETES_MEDICINES: [usize; 2] = [0, 1];
const PRESSURE_MEDICINES: [usize; 2] = [2, 3];
const LUNG_MEDICINES: [usize; 2] = [5, 6];
const HEART_MEDICINES: [usize; 2] = [4, 7];
const ACUTE_MEDICINES: [usize; 3] = [8, 9, 10];

impl Practice {
    /// Measurements, each a row of its own; blood pressure is two rows with the same date and time.
    pub(super) fn measure(&mut self, encounter: &Encounter) {
        let profile = self.profiles[encounter.patient].clone();
        let adult = encounter.age >= 18;
        let watched = profile.diabetes || profile.hypertension;
        if adult && self.chance.percent(if watched { 65 } else { 32 }) {
            let systolic = self.chance.around(98, 176);
            let diastolic = self.chance.around(54, 104);
            self.observe(encounter, 3, "BP Systolic", systolic.to_string());
            self.observe(encounter, 4, "BP Diastolic", diastolic.to_string());
        }
        let weighed = self.chance.percent(if watched { 40 } else { 20 });
        if weighed {
            self.observe(encounter, 8, "Weight", decimal(profile.weight, 1));
        }
        if weighed && self.chance.percent(55) {
            let body_mass = profile.weight * 10_000 / (profile.height * profile.height);
            self.observe(encounter, 7, "Height", profile.height.to_string());
            self.observe(encounter, 9, "BMI", decimal(body_mass, 1));
        }
        if self.chance.percent(10) {
            let temperature = self.chance.around(358, 391);
            self.observe(encounter, 1, "Temp", decimal(temperature, 1));
        }
        if self.chance.percent(12) {
            let pulse = self.chance.around(52, 110);
            self.observe(encounter, 2, "Pulse", pulse.to_string());
        }
        if profile.diabetes && self.chance.percent(18) {
            let sugar = self.chance.around(42, 168);
            self.observe(encounter, 6, "BSL", decimal(sugar, 1));
        }
        if adult && self.chance.percent(5) {
            let waist = self.chance.around(64, 132);
            self.observe(encounter, 17, "Waist", waist.to_string());
        }
    }

    fn observe(
        &mut self,
        encounter: &Encounter,
        data_code: i32,
        data_name: &'static str,
        value: String,
    ) {
        let audit = self.audit(encounter);
        let data_value = match self.chance.between(0, 149) {
            0 => (*self.chance.pick(NOT_NUMBERS)).to_owned(),
            _ => value,
        };
        self.population.observations.push(Observation {
            record_id: self.population.observations.next_key(),
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            observed: encounter.day,
            observed_time: encounter.start + 300,
            data_name,
            data_code,
            data_value,
            modifier: 0,
            audit,
        });
    }

    /// Smoking and alcohol: kept once per patient, edited when asked again.
    pub(super) fn ask_about_habits(&mut self, encounter: &Encounter) {
        if encounter.age < 15 {
            return;
        }
        let ask_smoking = self.chance.percent(16);
        let ask_alcohol = self.chance.percent(13);
        if ask_smoking {
            self.record_smoking(encounter);
        }
        if ask_alcohol {
            self.record_alcohol(encounter);
        }
        if ask_smoking || ask_alcohol {
            let (at, by) = (encounter.written, self.signature(encounter.user_id));
            let smoking = self.profiles[encounter.patient].smoking;
            let drinks = self.profiles[encounter.patient].drinks;
            let clinical = self.population.clinical.edit(encounter.patient);
            if ask_smoking {
                clinical.smoking_status = smoking;
            }
            if ask_alcohol {
                clinical.alcohol_status = if drinks { 2 } else { 1 };
            }
            clinical.audit.edit(at, by);
        }
    }

    fn record_smoking(&mut self, encounter: &Encounter) {
        if self.profiles[encounter.patient].smoking == 3 && self.chance.percent(8) {
            self.profiles[encounter.patient].smoking = 2;
        }
        let smoking = self.profiles[encounter.patient].smoking;
        let by = self.signature(encounter.user_id);
        let per_day = if smoking == 3 {
            self.chance.between(1, 30)
        } else {
            0
        };
        let stopped = if smoking == 2 {
            encounter.day.year() - 1
        } else {
            0
        };
        if let Some(position) = self.profiles[encounter.patient].tobacco {
            let tobacco = self.population.tobacco.edit(position);
            tobacco.smoking_code = smoking;
            tobacco.smokes_per_day = per_day;
            tobacco.past_stopped = stopped;
            tobacco.audit.edit(encounter.written, by);
            return;
        }
        let position = self.population.tobacco.push(Tobacco {
            record_id: self.population.tobacco.next_key(),
            internal_id: encounter.internal_id,
            smoking_code: smoking,
            smokes_per_day: per_day,
            year_started: 0,
            past_stopped: stopped,
            audit: Audit::new(encounter.written, by),
        });
        self.profiles[encounter.patient].tobacco = Some(position);
    }

    fn record_alcohol(&mut self, encounter: &Encounter) {
        let drinks = self.profiles[encounter.patient].drinks;
        let by = self.signature(encounter.user_id);
        let days = if drinks { self.chance.between(1, 7) } else { 0 };
        let per_day = if drinks { self.chance.between(1, 6) } else { 0 };
        if let Some(position) = self.profiles[encounter.patient].alcohol {
            let alcohol = self.population.alcohol.edit(position);
            alcohol.days_per_week = days;
            alcohol.drinks_per_day = per_day;
            alcohol.audit.edit(encounter.written, by);
            return;
        }
        let position = self.population.alcohol.push(Alcohol {
            record_id: self.population.alcohol.next_key(),
            internal_id: encounter.internal_id,
            days_per_week: days,
            drinks_per_day: per_day,
            alcohol_code: i32::from(!drinks),
            audit: Audit::new(encounter.written, by),
        });
        self.profiles[encounter.patient].alcohol = Some(position);
    }

    /// Vaccines of the season, of childhood and of age.
    pub(super) fn vaccinate(&mut self, encounter: &Encounter) {
        let profile = &self.profiles[encounter.patient];
        let due = profile
            .last_influenza
            .is_none_or(|last| encounter.day > last + Days::new(270));
        let percent = match encounter.age {
            65.. => 48,
            _ if profile.is_chronic() => 34,
            _ => 12,
        };
        if due && INFLUENZA_SEASON.contains(&encounter.day.month()) && self.chance.percent(percent)
        {
            let which = INFLUENZA[usize::from(encounter.age >= 65)];
            self.inject(encounter, which);
            self.profiles[encounter.patient].last_influenza = Some(encounter.day);
        }
        if encounter.age < 5 && self.chance.percent(35) {
            let which = *self.chance.pick(&CHILDHOOD);
            self.inject(encounter, which);
        }
        if encounter.age >= 65 && self.chance.percent(3) {
            let which = *self.chance.pick(&OLDER);
            self.inject(encounter, which);
        }
        if self.chance.percent(2) {
            let which = 8 + self.chance.position(2);
            self.inject(encounter, which);
        }
    }

    fn inject(&mut self, encounter: &Encounter, which: usize) {
        let vaccine = &VACCINES[which];
        let audit = self.audit(encounter);
        // A dose that a pharmacy gave is entered when the patient tells of it.
        let elsewhere = self.chance.percent(8);
        let before = if elsewhere {
            self.chance.between(1, 40)
        } else {
            0
        };
        let profile = &mut self.profiles[encounter.patient];
        profile.doses += 1;
        let batch = self.chance.between(100_000, 999_999);
        self.population.immunisations.push(Immunisation {
            record_id: self.population.immunisations.next_key(),
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            given: encounter.day - Days::new(u64::try_from(before).unwrap_or(0)),
            not_given_here: elsewhere,
            vaccine_name: vaccine.name,
            vaccine_id: vaccine.id,
            batch_number: if elsewhere {
                String::new()
            } else {
                format!("AU{batch}")
            },
            sequence: i32::try_from(self.profiles[encounter.patient].doses).unwrap_or(1),
            audit,
        });
    }

    /// Scripts: long-term medicines are repeated, short courses are given and ceased.
    pub(super) fn prescribe(&mut self, encounter: &Encounter) {
        let profile = &self.profiles[encounter.patient];
        let conditions = [
            (profile.diabetes, DIABETES_MEDICINES),
            (profile.hypertension, PRESSURE_MEDICINES),
            (profile.copd || profile.asthma, LUNG_MEDICINES),
            (profile.heart_disease, HEART_MEDICINES),
        ];
        let mut medicines = Vec::new();
        for (has, choices) in conditions {
            if has && self.chance.percent(42) {
                medicines.push(choices[usize::from(self.chance.percent(35))]);
            }
        }
        if self.chance.percent(10) {
            medicines.push(*self.chance.pick(&ACUTE_MEDICINES));
        }
        if medicines.is_empty() {
            return;
        }
        let script_id = self.script(encounter);
        for product in medicines {
            self.script_item(encounter, script_id, product);
            self.take(encounter, product);
        }
    }

    fn script(&mut self, encounter: &Encounter) -> u32 {
        let audit = self.audit(encounter);
        let ctg = self.population.patients[encounter.patient].ctg != 0;
        let script_id = self.population.prescriptions.next_key();
        self.population.prescriptions.push(Prescription {
            script_id,
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            location_id: self.population.users[encounter.user_id as usize - 1].location_id,
            script_date: encounter.day,
            restriction_code: self.chance.between(0, 2),
            ctg: if ctg { "CTG" } else { "" },
            deletion_date: None,
            audit,
        });
        script_id
    }

    fn script_item(&mut self, encounter: &Encounter, script_id: u32, product: usize) {
        let product = &PRODUCTS[product];
        let audit = self.audit(encounter);
        let instructions = self.instructions(encounter);
        self.population.script_items.push(ScriptItem {
            record_id: self.population.script_items.next_key(),
            script_id,
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            product_id: product.id,
            product_name: product.name,
            strength: product.strength,
            dose: product.dose,
            instructions,
            frequency: self.chance.between(1, 4),
            quantity: *self.chance.pick(&[20, 30, 60, 100]),
            repeats: self.chance.between(0, 5),
            audit,
        });
    }

    /// Free text that names the patient: what an extract must leave behind.
    fn instructions(&self, encounter: &Encounter) -> String {
        let patient = &self.population.patients[encounter.patient];
        format!(
            "Blister pack for {} {}",
            patient.first_name, patient.surname
        )
    }

    /// The patient's list of medicines: added to, or the date of the last script moved.
    fn take(&mut self, encounter: &Encounter, product: usize) {
        let by = self.signature(encounter.user_id);
        let taken = self.profiles[encounter.patient]
            .medicines
            .iter()
            .find(|(taken, _)| *taken == product)
            .map(|(_, position)| *position);
        if let Some(position) = taken {
            let medicine = self.population.current_rx.edit(position);
            medicine.last_date = encounter.day.max(medicine.first_date);
            medicine.audit.edit(encounter.written, by);
            return;
        }
        let acute = ACUTE_MEDICINES.contains(&product);
        let instructions = self.instructions(encounter);
        let medicine = &PRODUCTS[product];
        let position = self.population.current_rx.push(CurrentRx {
            record_id: self.population.current_rx.next_key(),
            internal_id: encounter.internal_id,
            product_id: medicine.id,
            drug_name: medicine.name,
            rx_status: if acute { 2 } else { 1 },
            dose: medicine.dose,
            frequency: 1,
            quantity: 30,
            repeats: 5,
            first_date: encounter.day,
            last_date: encounter.day,
            instructions,
            deletion_date: None,
            audit: Audit::new(encounter.written, by),
        });
        if !acute {
            self.profiles[encounter.patient]
                .medicines
                .push((product, position));
        }
    }

    /// Cervical screening and pregnancy.
    pub(super) fn care_for_women(&mut self, encounter: &Encounter) {
        if !encounter.is_female {
            return;
        }
        let profile = &self.profiles[encounter.patient];
        let due = profile
            .last_screening
            .is_none_or(|last| encounter.day > last + Days::new(4 * 365));
        if (25..75).contains(&encounter.age)
            && !profile.hysterectomy
            && due
            && self.chance.percent(14)
        {
            self.screen(encounter);
        }
        if (20..43).contains(&encounter.age) && self.chance.percent(2) {
            self.follow_pregnancy(encounter);
        }
    }

    fn screen(&mut self, encounter: &Encounter) {
        // A test that was done years ago, at another practice, is entered with its own date.
        let old = self.chance.percent(30);
        let years = if old { self.chance.between(1, 6) } else { 0 };
        let pap_date = encounter.day - Days::new(u64::try_from(years * 365).unwrap_or(0));
        let audit = self.audit(encounter);
        let pap_code = self.chance.weighted(&[(1, 920), (2, 50), (3, 10), (4, 20)]);
        self.population.pap_smears.push(PapSmear {
            record_id: self.population.pap_smears.next_key(),
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            pap_date,
            cst: if years >= 6 {
                1
            } else {
                2 + i32::from(self.chance.percent(20))
            },
            pap_code,
            hpv16: i32::from(self.chance.per_mille(15)),
            hpv18: i32::from(self.chance.per_mille(8)),
            hpv_other: i32::from(self.chance.per_mille(50)),
            audit: audit.clone(),
        });
        self.profiles[encounter.patient].last_screening = Some(pap_date);
        self.summarise_screening(encounter, pap_date, pap_code, audit);
    }

    fn summarise_screening(
        &mut self,
        encounter: &Encounter,
        pap_date: NaiveDate,
        pap_code: i32,
        audit: Audit,
    ) {
        if let Some(position) = self.profiles[encounter.patient].obs_gyn {
            let detail = self.population.obs_gyn_details.edit(position);
            detail.last_pap_date = Some(pap_date);
            detail.last_pap_result = pap_code;
            detail.audit.edit(audit.created, audit.created_by);
            return;
        }
        let children = self.chance.between(0, 4);
        let position = self.population.obs_gyn_details.push(ObsGynDetail {
            record_id: self.population.obs_gyn_details.next_key(),
            internal_id: encounter.internal_id,
            last_pap_date: Some(pap_date),
            last_pap_result: pap_code,
            no_pap: false,
            opt_out: self.chance.percent(2),
            gravidity: Some(children),
            parity: Some(children),
            audit,
        });
        self.profiles[encounter.patient].obs_gyn = Some(position);
    }

    fn follow_pregnancy(&mut self, encounter: &Encounter) {
        let by = self.signature(encounter.user_id);
        if let Some(position) = self.profiles[encounter.patient].pregnancy.take() {
            let pregnancy = self.population.pregnancies.edit(position);
            pregnancy.ended = Some(encounter.day.min(pregnancy.due_by_date));
            pregnancy.outcome_code = 1;
            pregnancy.audit.edit(encounter.written, by);
            return;
        }
        let due =
            encounter.day + Days::new(u64::try_from(self.chance.between(90, 230)).unwrap_or(90));
        let scanned = self.chance.percent(60);
        let position = self.population.pregnancies.push(Pregnancy {
            pregnancy_id: self.population.pregnancies.next_key(),
            internal_id: encounter.internal_id,
            due_by_date: due,
            due_by_scan: scanned.then_some(due + Days::new(3)),
            ended: None,
            outcome_code: 0,
            gdm: self.chance.percent(12),
            hypertension: self.chance.percent(6),
            audit: Audit::new(encounter.written, by),
        });
        self.profiles[encounter.patient].pregnancy = Some(position);
    }
}

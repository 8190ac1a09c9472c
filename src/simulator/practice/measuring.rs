//! Measurements at a visit: numbers that the practice keeps as text.

use super::consultation::Encounter;
use super::life::Practice;
use super::pathology::decimal;
use super::records::Observation;

/// Values that stand where a number is expected.
const NOT_NUMBERS: &[&str] = &[
    "", "<0.5", "refused", "120/80", "98.6F", "unable", "82,5", "~70",
];
/// One measurement in so many is not a number.
const TRAP_EVERY: usize = 150;

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
        let record_id = self.population.observations.next_key();
        // In turn, so that a small practice has each of them.
        let trap = record_id as usize / TRAP_EVERY % NOT_NUMBERS.len();
        let data_value = match record_id as usize % TRAP_EVERY {
            0 => NOT_NUMBERS[trap].to_owned(),
            _ => value,
        };
        self.population.observations.push(Observation {
            record_id,
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
}

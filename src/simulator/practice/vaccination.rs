//! Vaccines: influenza in its season, those of childhood and those of age.

use chrono::{Datelike, Days};

use super::consultation::Encounter;
use super::life::Practice;
use super::records::Immunisation;
use super::vaccines::{CHILDHOOD, INFLUENZA, OLDER, VACCINES};

/// Months in which influenza vaccine is given.
const INFLUENZA_SEASON: std::ops::RangeInclusive<u32> = 4..=8;

impl Practice {
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
}

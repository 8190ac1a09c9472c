//! Smoking and alcohol, asked at a visit now and then.

use chrono::Datelike;

use super::consultation::Encounter;
use super::life::Practice;
use super::records::{Alcohol, Audit, Tobacco};

impl Practice {
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
}

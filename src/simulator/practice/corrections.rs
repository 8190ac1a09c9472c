//! What happens to rows that exist: typing errors mended, wrong rows deleted in the soft way, addresses
//! changed, services cancelled, deaths, and patients who opt out of extraction.

use chrono::{NaiveDate, NaiveDateTime};

use super::life::Practice;
use super::names;
use super::population::Rows;
use super::records::Audit;

/// Corrections are made after the last visit, before midnight.
const EVENING: i32 = 19 * 3600;
/// `RECORDSTATUS` of a cancelled service.
const CANCELLED: i32 = 2;
/// `SERVICESTATUS` of a reversed service.
const REVERSED: i32 = 9;
/// How far back, in rows, a mistake is found.
const RECENT: usize = 400;

impl Practice {
    /// The evening's corrections, a few more in a larger practice.
    pub(super) fn correct(&mut self, day: NaiveDate) {
        if self.population.patients.is_empty() {
            return;
        }
        let rounds = self.chance.rounded(2500 + self.roster.len());
        for round in 0..rounds {
            let second = EVENING + i32::try_from(round % 3600).unwrap_or(0);
            let at = self.instant(day, second);
            let by = 1 + self.chance.between(0, 2);
            match self.chance.between(0, 11) {
                0..=2 => self.mend_measurement(at, by),
                3 | 4 => self.delete_something(at, by),
                5..=7 => self.move_house(at, by),
                8 => self.cancel_service(at, by),
                9 => self.cease_medicine(at, by),
                10 => self.resolve_condition(at, by),
                _ => self.someone_dies(at, by),
            }
        }
    }

    fn mend_measurement(&mut self, at: NaiveDateTime, by: i32) {
        let Some(position) = self.recent(self.population.observations.len()) else {
            return;
        };
        let value = self.chance.between(40, 199).to_string();
        let observation = self.population.observations.edit(position);
        observation.data_value = value;
        observation.audit.edit(at, by);
    }

    /// A row made for the wrong patient: it stays, with another `RECORDSTATUS`.
    fn delete_something(&mut self, at: NaiveDateTime, by: i32) {
        match self.chance.between(0, 4) {
            0 => {
                let position = self.recent(self.population.observations.len());
                delete(&mut self.population.observations, position, at, by, |row| {
                    &mut row.audit
                });
            }
            1 => {
                let position = self.recent(self.population.immunisations.len());
                delete(
                    &mut self.population.immunisations,
                    position,
                    at,
                    by,
                    |row| &mut row.audit,
                );
            }
            2 => {
                let position = self.recent(self.population.report_values.len());
                delete(
                    &mut self.population.report_values,
                    position,
                    at,
                    by,
                    |row| &mut row.audit,
                );
            }
            3 => {
                let position = self.recent(self.population.past_history.len());
                delete(&mut self.population.past_history, position, at, by, |row| {
                    &mut row.audit
                });
            }
            _ => {
                let position = self.recent(self.population.visits.len());
                delete(&mut self.population.visits, position, at, by, |row| {
                    &mut row.audit
                });
            }
        }
    }

    fn move_house(&mut self, at: NaiveDateTime, by: i32) {
        let position = self.chance.position(self.population.patients.len());
        let address1 = names::street(&mut self.chance);
        let (city, postcode) = names::town(&mut self.chance);
        let patient = self.population.patients.edit(position);
        patient.address1 = address1;
        city.clone_into(&mut patient.city);
        postcode.clone_into(&mut patient.postcode);
        patient.audit.edit(at, by);
    }

    fn cancel_service(&mut self, at: NaiveDateTime, by: i32) {
        let Some(position) = self.recent(self.population.services.len()) else {
            return;
        };
        let reversed = self.chance.percent(40);
        let service = self.population.services.edit(position);
        if reversed {
            service.service_status = REVERSED;
        } else {
            service.audit.record_status = CANCELLED;
        }
        service.audit.edit(at, by);
    }

    fn cease_medicine(&mut self, at: NaiveDateTime, by: i32) {
        let Some(position) = self.recent(self.population.current_rx.len()) else {
            return;
        };
        let medicine = self.population.current_rx.edit(position);
        medicine.deletion_date = Some(at.date());
        medicine.audit.edit(at, by);
    }

    fn resolve_condition(&mut self, at: NaiveDateTime, by: i32) {
        let Some(position) = self.recent(self.population.past_history.len()) else {
            return;
        };
        let condition = self.population.past_history.edit(position);
        condition.status_code = 2;
        condition.audit.edit(at, by);
    }

    /// One of three tried patients dies if old enough.
    fn someone_dies(&mut self, at: NaiveDateTime, by: i32) {
        for _ in 0..3 {
            let position = self.chance.position(self.population.patients.len());
            let patient = &self.population.patients[position];
            let is_old = patient
                .age_on(at.date())
                .is_some_and(|age| (70..115).contains(&age));
            if is_old && patient.date_of_death.is_none() && self.chance.percent(12) {
                let patient = self.population.patients.edit(position);
                patient.date_of_death = Some(at.date());
                patient.patient_status = 3;
                patient.audit.edit(at, by);
                return;
            }
        }
    }

    /// A patient in regular care ticks the opt-out box, so that its effect can be seen the night after.
    pub(super) fn someone_opts_out(&mut self, day: NaiveDate) {
        if !self.identity.has_opt_out_column || self.roster.is_empty() {
            return;
        }
        let at = self.instant(day, EVENING - 600);
        for _ in 0..20 {
            let position = self.roster[self.chance.position(self.roster.len())];
            if self.population.patients[position].may_leave() {
                let patient = self.population.patients.edit(position);
                patient.opted_out = true;
                patient.audit.edit(at, 1);
                return;
            }
        }
    }

    /// A position among the latest rows of a table with `length` rows; `None` when it is empty.
    fn recent(&mut self, length: usize) -> Option<usize> {
        let reach = length.min(RECENT);
        (reach > 0).then(|| length - 1 - self.chance.position(reach))
    }
}

fn delete<T>(
    rows: &mut Rows<T>,
    position: Option<usize>,
    at: NaiveDateTime,
    by: i32,
    audit: impl Fn(&mut T) -> &mut Audit,
) {
    if let Some(position) = position {
        audit(rows.edit(position)).delete(at, by);
    }
}

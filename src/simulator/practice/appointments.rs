//! The appointment book: slots booked ahead, kept, missed or cancelled, and patients without a booking.

use chrono::{Days, NaiveDate};

use super::consultation::Encounter;
use super::life::Practice;
use super::records::{Appointment, Audit};
use super::registration::OPENING;

const BOOKED: i32 = 1;
const COMPLETED: i32 = 5;
const DID_NOT_ATTEND: i32 = 7;

impl Practice {
    /// The day's bookings: most patients come, some cancel, some stay away. Returns how many came.
    pub(super) fn booked_patients_come(&mut self, day: NaiveDate) -> usize {
        let mut came = 0;
        for appointment in self.bookings.remove(&day).unwrap_or_default() {
            came += usize::from(self.keep_booking(appointment, day));
        }
        came
    }

    fn keep_booking(&mut self, position: usize, day: NaiveDate) -> bool {
        let booking = &self.population.appointments[position];
        let (internal_id, start, user_id) = (
            booking.internal_id,
            booking.appointment_time,
            booking.user_id,
        );
        let patient = self
            .population
            .patients
            .binary_search_by_key(&internal_id, |patient| patient.internal_id)
            .expect("a booking is of a registered patient");
        self.profiles[patient].booked = false;
        let is_dead = self.population.patients[patient].date_of_death.is_some();
        let by = self.signature(user_id);
        let outcome = if is_dead {
            0
        } else {
            self.chance.between(0, 99)
        };
        if outcome < 5 {
            let at = self.instant(day, OPENING);
            self.population
                .appointments
                .edit(position)
                .audit
                .delete(at, by);
            return false;
        }
        if outcome < 10 {
            let at = self.instant(day, start + 3600);
            let booking = self.population.appointments.edit(position);
            booking.appointment_code = DID_NOT_ATTEND;
            booking.audit.edit(at, by);
            return false;
        }
        let visit_id = self.visit(patient, day, start);
        let wait = self.chance.between(-300, 1500);
        let at = self.instant(day, start + 2400);
        let booking = self.population.appointments.edit(position);
        complete(booking, visit_id, wait);
        booking.audit.edit(at, by);
        true
    }

    /// The slot of a patient who came without a booking: made and completed on the same day.
    pub(super) fn attended_walk_in(
        &mut self,
        patient: usize,
        day: NaiveDate,
        start: i32,
        visit_id: u32,
    ) {
        let at = self.instant(day, start - 900);
        let wait = self.chance.between(-300, 1500);
        let closed = self.instant(day, start + 2400);
        let audit = Audit::new(at, 1);
        let mut appointment = self.appointment(patient, day, start, audit);
        appointment.urgent = self.chance.percent(5);
        complete(&mut appointment, visit_id, wait);
        appointment.audit.edit(closed, 1);
        self.population.appointments.push(appointment);
    }

    /// Many patients book the next visit at the desk.
    pub(super) fn book_again(&mut self, encounter: &Encounter) {
        let profile = &self.profiles[encounter.patient];
        let likely = if profile.is_chronic() { 35 } else { 12 };
        if profile.booked || !self.chance.percent(likely) {
            return;
        }
        let ahead = u64::try_from(self.chance.between(7, 90)).expect("a positive number");
        let day = encounter.written.date() + Days::new(ahead);
        let start = OPENING + self.chance.between(0, 30) * 900;
        let audit = self.audit(encounter);
        let appointment = self.appointment(encounter.patient, day, start, audit);
        let position = self.population.appointments.push(appointment);
        self.bookings.entry(day).or_default().push(position);
        self.profiles[encounter.patient].booked = true;
    }

    fn appointment(
        &mut self,
        position: usize,
        day: NaiveDate,
        start: i32,
        audit: Audit,
    ) -> Appointment {
        let patient = &self.population.patients[position];
        let user = &self.population.users[patient.user_id as usize - 1];
        let long = self.chance.percent(15);
        Appointment {
            record_id: self.population.appointments.next_key(),
            internal_id: patient.internal_id,
            user_id: user.user_id,
            location_id: user.location_id,
            visit_id: 0,
            appointment_date: day,
            appointment_time: start,
            appointment_length: if long { 1800 } else { 900 },
            appointment_code: BOOKED,
            appointment_type: if long { 2 } else { 1 },
            arrival_time: 0,
            consultation_time: 0,
            urgent: false,
            comment: format!("{} rang", patient.first_name),
            audit,
        }
    }
}

fn complete(appointment: &mut Appointment, visit_id: u32, wait_seconds: i32) {
    appointment.appointment_code = COMPLETED;
    appointment.visit_id = visit_id;
    appointment.arrival_time = appointment.appointment_time - 300;
    appointment.consultation_time = appointment.appointment_time + wait_seconds.max(-240);
}

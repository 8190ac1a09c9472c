//! A practice from day to day: who comes, and what the day leaves in the records.

use std::collections::BTreeMap;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, NaiveTime, TimeDelta, Weekday};

use super::super::engine::{Database, SqlError};
use super::chance::Chance;
use super::filling::{self, Night};
use super::identity::Identity;
use super::population::Population;
use super::profile::Profile;

/// Days that a new practice has lived before it is handed out: three years.
const HISTORY_DAYS: u64 = 3 * 365 + 1;
/// Patients in a hundred who are registered before that history begins.
const PERCENT_REGISTERED_BEFORE: usize = 90;

/// One generated practice: its identity, its records, and its own course of chance.
#[derive(Debug, Clone)]
pub struct Practice {
    pub(super) identity: Identity,
    pub(super) population: Population,
    pub(super) chance: Chance,
    /// What drives each patient's care, in the order of the patients; never in the database.
    pub(super) profiles: Vec<Profile>,
    /// Positions of patients, each as often as it visits in a year.
    pub(super) roster: Vec<usize>,
    /// Positions of booked appointments by their day.
    pub(super) bookings: BTreeMap<NaiveDate, Vec<usize>>,
    /// How many patients register in ten thousand days.
    registrations: usize,
    today: NaiveDate,
}

impl Practice {
    /// The practice at place `index` (from 0) of the fleet that `seed` makes, with `patients` patients, as it
    /// stands when `today` begins: the last day on record is the day before.
    ///
    /// Equal arguments give equal practices, on every machine.
    #[must_use]
    pub fn generate(seed: u64, index: usize, patients: usize, today: NaiveDate) -> Self {
        let begin = today - Days::new(HISTORY_DAYS);
        let registered = patients * PERCENT_REGISTERED_BEFORE / 100;
        let mut practice = Self {
            identity: Identity::new(seed, index),
            population: Population::default(),
            chance: Chance::new(&[seed, index as u64]),
            profiles: Vec::with_capacity(patients),
            roster: Vec::new(),
            bookings: BTreeMap::new(),
            registrations: 0,
            today: begin,
        };
        practice.open(patients);
        practice.register_earlier(registered, begin);
        practice.live_history(patients, begin, today);
        practice.population.mark_written();
        practice
    }

    /// Lives through the history and registers the rest of `patients`, evenly spread.
    fn live_history(&mut self, patients: usize, begin: NaiveDate, today: NaiveDate) {
        let days = usize::try_from(HISTORY_DAYS).expect("three years of days");
        let missing = patients - self.population.patients.len();
        let mut registered = 0;
        for (nth, day) in begin.iter_days().take_while(|day| *day < today).enumerate() {
            while registered < missing * (nth + 1) / days {
                self.register(day);
                registered += 1;
            }
            self.live(day);
        }
        self.registrations = missing * 10_000 / days;
        self.today = today;
    }

    /// Moves to the beginning of `today`: every day from the last one to the day before is lived. Returns what
    /// changed, for [`Night::apply`]. A `today` that is not later changes nothing.
    #[must_use = "the database does not know of the night until it is applied"]
    pub fn advance(&mut self, today: NaiveDate) -> Night {
        self.population.mark_written();
        while self.today < today {
            let day = self.today;
            for _ in 0..self.chance.rounded(self.registrations / 10) {
                self.register(day);
            }
            self.live(day);
            self.someone_opts_out(day);
            self.today = day + Days::new(1);
        }
        let night = Night::of(&self.identity, &self.population);
        self.population.mark_written();
        night
    }

    /// Creates all tables and views in an empty database and fills them with what is on record.
    ///
    /// # Errors
    /// What the database says when it is not empty.
    pub fn fill(&self, database: &mut Database) -> Result<(), SqlError> {
        filling::fill(database, &self.identity, &self.population)
    }

    /// What Halo Cloud knows of the practice.
    #[must_use]
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// What is on record: the truth that a test compares with.
    #[must_use]
    pub fn population(&self) -> &Population {
        &self.population
    }

    /// The day that has not been lived yet.
    #[must_use]
    pub fn today(&self) -> NaiveDate {
        self.today
    }

    fn live(&mut self, day: NaiveDate) {
        let came = self.booked_patients_come(day);
        let visits = self.expected_visits(day).saturating_sub(came);
        for _ in 0..visits {
            let patient = self.roster[self.chance.position(self.roster.len())];
            if self.can_come(patient) {
                self.walk_in(patient, day);
            }
        }
        self.correct(day);
    }

    /// How many patients a day of the week brings, from how often they visit in a year.
    fn expected_visits(&mut self, day: NaiveDate) -> usize {
        if self.roster.is_empty() {
            return 0;
        }
        let share = match day.weekday() {
            Weekday::Mon => 1180,
            Weekday::Sat => 300,
            Weekday::Sun => 80,
            _ => 1000,
        };
        // A year has 260 weekdays, and the weekends add a twentieth of their visits.
        self.chance.rounded(self.roster.len() * share / 285)
    }

    fn can_come(&self, patient: usize) -> bool {
        let patient = &self.population.patients[patient];
        patient.date_of_death.is_none() && patient.audit.is_live()
    }

    /// An instant of `day`, `seconds` after midnight, at one of the thousandths that a `datetime` can hold.
    pub(super) fn instant(&mut self, day: NaiveDate, seconds: i32) -> NaiveDateTime {
        let thousandths =
            i64::from(self.chance.between(0, 99)) * 10 + *self.chance.pick(&[0, 3, 7]);
        day.and_time(NaiveTime::MIN)
            + TimeDelta::seconds(i64::from(seconds))
            + TimeDelta::milliseconds(thousandths)
    }
}

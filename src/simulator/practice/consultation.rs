//! A visit: who saw whom and why, what was billed, and which records the doctor made.

use chrono::{Days, NaiveDate, NaiveDateTime};

use super::life::Practice;
use super::records::{Audit, Invoice, Service, Visit, VisitReason};
use super::registration::OPENING;

/// Last consultation begins this many seconds after opening.
const DAY_LENGTH: i32 = 8 * 3600 + 1800;

/// What all records of one visit share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Encounter {
    /// Position of the patient.
    pub(super) patient: usize,
    pub(super) internal_id: u32,
    pub(super) visit_id: u32,
    pub(super) user_id: u32,
    /// Day of the visit as the records say it.
    pub(super) day: NaiveDate,
    /// Seconds after midnight.
    pub(super) start: i32,
    /// When the records were made; the day after `day` or later for a visit written up late.
    pub(super) written: NaiveDateTime,
    /// Whole years; 40 for a patient without date of birth.
    pub(super) age: i32,
    pub(super) is_female: bool,
}

/// Reasons for a visit with the vendor's code as text; a reason that was typed has none.
const REASONS: &[(&str, &str)] = &[
    ("Check up", "1021"),
    ("Prescription - Repeat", "2204"),
    ("Upper respiratory tract infection", "3311"),
    ("Immunisation", "1180"),
    ("Hypertension review", "1200"),
    ("Back pain", "1475"),
    ("Results", "2290"),
    ("Care plan", "4410"),
    ("Tired – “not herself”", ""),
    ("Skin lesion", "2702"),
    ("Depression", "910"),
];

/// Kinds of visit and how many of a thousand are of each.
const KINDS: &[(i32, u32)] = &[(1, 800), (7, 90), (13, 50), (12, 30), (6, 20), (2, 10)];
/// Not a visit: a note made without the patient, never billed.
const NON_VISIT: i32 = 12;

/// Medicare items: number, description, fee in cents.
type Item = (i32, &'static str, i32);
const STANDARD: &[(Item, u32)] = &[
    ((23, "Consultation, level B", 4290), 700),
    ((36, "Consultation, level C", 8290), 180),
    ((3, "Consultation, level A", 1980), 40),
    ((44, "Consultation, level D", 12_220), 30),
    ((0, "Private consultation, no rebate", 9500), 50),
];
const TELEHEALTH: Item = (91_800, "Video consultation, level B", 4290);
const TELEPHONE: Item = (91_891, "Telephone consultation, level B", 4290);
const CARE_PLAN: Item = (721, "Preparation of a management plan", 16_435);
const BULK_BILL_INCENTIVE: Item = (10_990, "Bulk billing incentive", 760);

impl Practice {
    /// A patient comes without a booking.
    pub(super) fn walk_in(&mut self, patient: usize, day: NaiveDate) {
        let start = OPENING + self.chance.between(0, DAY_LENGTH / 900) * 900;
        let visit_id = self.visit(patient, day, start);
        self.attended_walk_in(patient, day, start, visit_id);
    }

    /// Everything that a visit leaves in the records; returns its key.
    pub(super) fn visit(&mut self, patient: usize, day: NaiveDate, start: i32) -> u32 {
        let encounter = self.encounter(patient, day, start);
        let kind = self.chance.weighted(KINDS);
        self.record_visit(&encounter, kind);
        self.record_reasons(&encounter);
        if kind != NON_VISIT {
            self.bill(&encounter, kind);
            self.measure(&encounter);
            self.ask_about_habits(&encounter);
            self.vaccinate(&encounter);
        }
        self.prescribe(&encounter);
        self.receive_reports(&encounter);
        self.care_for_women(&encounter);
        if self.chance.per_mille(12) {
            self.diagnose_something(patient, encounter.written.date(), encounter.start + 700);
        }
        self.book_again(&encounter);
        encounter.visit_id
    }

    fn encounter(&mut self, position: usize, day: NaiveDate, start: i32) -> Encounter {
        // Some visits are written up late: the visit's date is before the day on which its row appears.
        let late = if self.chance.percent(1) {
            self.chance.between(1, 28)
        } else {
            0
        };
        let after = self.chance.between(60, 840);
        let usual = self.population.patients[position].user_id;
        let other = self.doctor();
        let patient = &self.population.patients[position];
        let encounter = Encounter {
            patient: position,
            internal_id: patient.internal_id,
            visit_id: self.population.visits.next_key(),
            user_id: if self.chance.percent(70) {
                usual
            } else {
                self.population.users[other].user_id
            },
            day: day - Days::new(u64::try_from(late).unwrap_or(0)),
            start,
            written: day.and_time(chrono::NaiveTime::MIN),
            age: patient.age_on(day).unwrap_or(40),
            is_female: patient.sex_code == 1,
        };
        Encounter {
            written: self.instant(day, start + after),
            ..encounter
        }
    }

    /// The audit columns of a row that this visit makes.
    pub(super) fn audit(&mut self, encounter: &Encounter) -> Audit {
        Audit::new(encounter.written, self.signature(encounter.user_id))
    }

    fn record_visit(&mut self, encounter: &Encounter, visit_code: i32) {
        let audit = self.audit(encounter);
        let confidential = self.chance.per_mille(5);
        let user = &self.population.users[encounter.user_id as usize - 1];
        let patient = &self.population.patients[encounter.patient];
        self.population.visits.push(Visit {
            visit_id: encounter.visit_id,
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            visit_code,
            doctor_name: format!("Dr {} {}", user.first_name, user.surname),
            visit_date: encounter.day,
            start_time: encounter.start,
            duration: self.chance.between(5, 40) * 60,
            location: user.location_id,
            confidential,
            // Notes are rich text that names the patient: what an extract must leave behind.
            notes: format!(
                "{{\\rtf1\\ansi {} {} came in, ring {}}}",
                patient.first_name, patient.surname, patient.mobile_phone
            ),
            audit,
        });
    }

    fn record_reasons(&mut self, encounter: &Encounter) {
        for _ in 0..=i32::from(self.chance.percent(30)) {
            let (reason, reason_code) = *self.chance.pick(REASONS);
            let audit = self.audit(encounter);
            self.population.visit_reasons.push(VisitReason {
                record_id: self.population.visit_reasons.next_key(),
                visit_id: encounter.visit_id,
                internal_id: encounter.internal_id,
                reason,
                reason_code,
                audit,
            });
        }
    }

    fn bill(&mut self, encounter: &Encounter, kind: i32) {
        let chronic = self.profiles[encounter.patient].is_chronic();
        let main = match kind {
            7 => TELEPHONE,
            13 => TELEHEALTH,
            _ => self.chance.weighted(STANDARD),
        };
        let concession = self.population.patients[encounter.patient].pension_code != 0;
        let bulk_billed = main.0 != 0 && self.chance.percent(if concession { 90 } else { 45 });
        let mut items = vec![main];
        if bulk_billed && concession {
            items.push(BULK_BILL_INCENTIVE);
        }
        if chronic && self.chance.percent(8) {
            items.push(CARE_PLAN);
        }
        let payer_code = if bulk_billed { 2 } else { 1 };
        self.record_invoice(encounter, payer_code, &items);
    }

    fn record_invoice(&mut self, encounter: &Encounter, payer_code: i32, items: &[Item]) {
        let audit = self.audit(encounter);
        let location_id = self.population.users[encounter.user_id as usize - 1].location_id;
        let invoice_id = self.population.invoices.next_key();
        self.population.invoices.push(Invoice {
            invoice_id,
            internal_id: encounter.internal_id,
            user_id: encounter.user_id,
            location_id,
            invoice_date: encounter.day,
            payer_code,
            total: items.iter().map(|(_, _, fee)| fee).sum(),
            audit: audit.clone(),
        });
        for &(mbs_item, description, fee) in items {
            self.population.services.push(Service {
                service_id: self.population.services.next_key(),
                invoice_id,
                visit_id: encounter.visit_id,
                user_id: encounter.user_id,
                location_id,
                service_date: encounter.day,
                service_status: 0,
                mbs_item,
                description,
                fee,
                payer_code,
                audit: audit.clone(),
            });
        }
    }
}

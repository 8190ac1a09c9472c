//! What patients bring along and what is found later: diagnoses and allergies.

use chrono::{Datelike, NaiveDate};

use super::life::Practice;
use super::records::{Audit, PastHistory, Reaction};
use super::registration::OPENING;

/// A condition of `PASTHISTORY`: vendor code and text. The public notes have the codes of the groups that measures
/// ask for; those of hypertension and of some of the others are invented.
type Condition = (i32, &'static str);
const TYPE_1: Condition = (776, "Diabetes Mellitus, Type 1");
const TYPE_2: Condition = (778, "Diabetes Mellitus, Type 2");
const DIABETES: Condition = (3, "Diabetes Mellitus");
const HYPERTENSION: Condition = (1200, "Hypertension");
const ASTHMA: Condition = (281, "Asthma");
const COPD: Condition = (598, "COPD");
const HEART_DISEASE: Condition = (2376, "Ischaemic heart disease");
const HYSTERECTOMY: Condition = (4053, "Hysterectomy");
/// Further conditions, one of them typed freely and so without a code.
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
/// Kind of item, its code, its name, what it did.
const ALLERGIES: &[(i32, i32, &str, &str)] = &[
    (1, 15_601, "Amoxicillin", "Rash"),
    (2, 741, "Aspirin", "Angio-oedema"),
    (3, 61, "Penicillins", "Anaphylaxis"),
    (3, 62, "Cephalosporins", "Vomiting"),
];

impl Practice {
    /// One patient in eight has an allergy; says whether this one has.
    pub(super) fn record_allergy(&mut self, position: usize) -> bool {
        let is_allergic = self.chance.percent(12);
        if is_allergic {
            let patient = &self.population.patients[position];
            let (item_type, item_code, item_name, reaction) = *self.chance.pick(ALLERGIES);
            self.population.reactions.push(Reaction {
                record_id: self.population.reactions.next_key(),
                internal_id: patient.internal_id,
                user_id: patient.user_id,
                item_type,
                item_code,
                item_name,
                reaction_code: 0,
                reaction,
                severity: self.chance.between(1, 3),
                audit: patient.audit.clone(),
            });
        }
        is_allergic
    }

    /// Diagnoses that a patient brings along.
    pub(super) fn record_history(&mut self, position: usize, day: NaiveDate) {
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

    /// A new diagnosis at a visit.
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

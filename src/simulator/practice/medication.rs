//! Medicines: scripts, and the list of what a patient takes.

use super::consultation::Encounter;
use super::life::Practice;
use super::products::PRODUCTS;
use super::records::{Audit, CurrentRx, Prescription, ScriptItem};

/// Positions of long-term medicines in the products, by condition.
const DIABETES_MEDICINES: [usize; 2] = [0, 1];
const PRESSURE_MEDICINES: [usize; 2] = [2, 3];
const LUNG_MEDICINES: [usize; 2] = [5, 6];
const HEART_MEDICINES: [usize; 2] = [4, 7];
const ACUTE_MEDICINES: [usize; 3] = [8, 9, 10];

impl Practice {
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
}

//! Cervical screening and pregnancy.

use chrono::{Days, NaiveDate};

use super::consultation::Encounter;
use super::life::Practice;
use super::records::{Audit, ObsGynDetail, PapSmear, Pregnancy};

impl Practice {
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

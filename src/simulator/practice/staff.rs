//! Clinics and staff, and who signs a row.

use super::identity::Identity;
use super::life::Practice;
use super::names;
use super::records::{Audit, Location, User};
use super::registration::OPENING;

impl Practice {
    /// Clinics and staff, in place since the records began; enough doctors for `patients`.
    pub(super) fn open(&mut self, patients: usize) {
        let since = Identity::records_since();
        for location_id in 1..=self.identity.clinics {
            let (city, postcode) = names::town(&mut self.chance);
            let audit = Audit::new(self.instant(since, OPENING), 1);
            self.population.locations.push(Location {
                location_id,
                name: format!("{} ({city})", self.identity.name),
                city: city.to_owned(),
                postcode: postcode.to_owned(),
                audit,
            });
        }
        let doctors = 3 + patients / 1500;
        for _ in 0..doctors {
            self.hire(1, 1);
        }
        self.hire(1, 2);
        self.hire(2, 1);
        self.hire(3, 1);
    }

    fn hire(&mut self, group_code: i32, user_status: i32) {
        let user_id = self.population.users.next_key();
        let location_id = 1 + (user_id - 1) % self.identity.clinics;
        let (first_name, _) = self.first_name();
        let surname = *self.chance.pick(names::SURNAMES);
        let provider = self.chance.between(100_000, 999_999);
        let audit = Audit::new(self.instant(Identity::records_since(), OPENING), 1);
        self.population.users.push(User {
            user_id,
            user_status,
            location_id,
            group_code,
            first_name: first_name.to_owned(),
            surname: surname.to_owned(),
            provider_no: if group_code == 1 {
                format!("{provider}ZZ")
            } else {
                String::new()
            },
            audit,
        });
    }

    /// A doctor at work, as position in the users.
    pub(super) fn doctor(&mut self) -> usize {
        let doctors: usize = self
            .population
            .users
            .iter()
            .filter(|user| user.group_code == 1 && user.user_status == 1)
            .count();
        self.chance.position(doctors)
    }

    /// Who signs a row: a user, or its negative when a program wrote it in that user's name.
    pub(super) fn signature(&mut self, user_id: u32) -> i32 {
        let user_id = i32::try_from(user_id).expect("few users");
        if self.chance.percent(4) {
            -user_id
        } else {
            user_id
        }
    }
}

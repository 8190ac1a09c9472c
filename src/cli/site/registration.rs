//! What the registry says of a site once it is paired: a pure step from what was known, what the practice was
//! expected to be, and what the API told.

use chrono_tz::Tz;

use crate::domain::{
    PmsId, PmsType, SAME_PRACTICE, Site, SiteEvent, SiteKey, SiteOverrides, SiteState, similarity,
    transition,
};
use crate::remote::RemoteSite;

/// The zone of a site for which none was ever given.
pub(crate) const USUAL_ZONE: Tz = Tz::Australia__Sydney;

/// Who is to be paired, and as what.
#[derive(Debug, Clone)]
pub(crate) struct Invitation {
    pub(crate) key: SiteKey,
    pub(crate) pms_type: PmsType,
    pub(crate) pms_id: PmsId,
    /// The name that the practice is known by here; that of the registry if absent.
    pub(crate) name: Option<String>,
    /// Take the practice whatever it calls itself.
    pub(crate) accept_name: bool,
    /// Of the site's calendar; what the registry has, if absent.
    pub(crate) time_zone: Option<Tz>,
    /// To be added to those that it has.
    pub(crate) groups: Vec<String>,
}

/// How the name that the practice gives itself compares with the one expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum NameVerdict {
    /// There is nothing to compare.
    Unknown,
    /// It is the one expected, this alike.
    Fits(f64),
    /// It is another one, and the operator takes it all the same.
    Accepted(f64),
    /// It is another one: a person must decide.
    Doubtful(f64),
}

impl Invitation {
    /// The site after the API paired it. What is known stays, what the API tells is new, a new site is held, and
    /// one that calls itself otherwise than expected is put under review.
    pub(crate) fn paired(&self, remote: &RemoteSite, before: Option<&Site>) -> (Site, NameVerdict) {
        let expected = self
            .name
            .as_deref()
            .or(before.and_then(|site| site.practice_name.as_deref()));
        let verdict = self.judge(expected, remote.practice_name.as_deref());
        let mut site = self.invited(before);
        let paired = transition(site.state, SiteEvent::Pair).unwrap_or(SiteState::Held);
        site.stand(match verdict {
            NameVerdict::Doubtful(_) => {
                transition(paired, SiteEvent::NameChanged).unwrap_or(SiteState::IdentityReview)
            }
            _ => paired,
        });
        let told = |new: &Option<String>, old: Option<String>| new.clone().or(old);
        if let NameVerdict::Doubtful(_) = verdict {
            // What was expected stays on record, for the person who decides to compare.
            site.practice_name = expected.map(str::to_owned);
            site.halo_guid = site.halo_guid.or(Some(remote.guid));
            return (site, verdict);
        }
        site.halo_guid = Some(remote.guid);
        site.practice_name = told(&remote.practice_name, site.practice_name);
        site.link_version = told(&remote.link_version, site.link_version);
        site.pms_version = told(&remote.pms_version, site.pms_version);
        if !remote.catalogues.is_empty() {
            site.catalogues.clone_from(&remote.catalogues);
        }
        (site, verdict)
    }

    /// The site as it stands before it is paired.
    pub(crate) fn invited(&self, before: Option<&Site>) -> Site {
        let mut site = before.cloned().unwrap_or_else(|| Site {
            key: self.key.clone(),
            pms_type: self.pms_type,
            pms_id: self.pms_id.clone(),
            halo_guid: None,
            practice_name: self.name.clone(),
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: USUAL_ZONE,
            groups: Vec::new(),
            state: SiteState::Invited,
            paused_until: None,
            overrides: SiteOverrides::default(),
        });
        site.time_zone = self.time_zone.unwrap_or(site.time_zone);
        for group in &self.groups {
            if !site.groups.contains(group) {
                site.groups.push(group.clone());
            }
        }
        site
    }

    fn judge(&self, expected: Option<&str>, told: Option<&str>) -> NameVerdict {
        let Some((expected, told)) = expected.zip(told) else {
            return NameVerdict::Unknown;
        };
        let alike = similarity(expected, told);
        if alike >= SAME_PRACTICE {
            NameVerdict::Fits(alike)
        } else if self.accept_name {
            NameVerdict::Accepted(alike)
        } else {
            NameVerdict::Doubtful(alike)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::HaloGuid;
    use crate::remote::{Availability, SiteStatus};

    fn invitation() -> Invitation {
        Invitation {
            key: "s40123".parse().expect("a key"),
            pms_type: PmsType::BestPractice,
            pms_id: "40123".parse().expect("an id"),
            name: Some("Red Gum Medical Centre".to_owned()),
            accept_name: false,
            time_zone: None,
            groups: vec!["north".to_owned()],
        }
    }

    fn remote(name: &str) -> RemoteSite {
        RemoteSite {
            guid: guid(),
            pms_type: None,
            pms_id: None,
            practice_name: Some(name.to_owned()),
            pms_version: Some("1.13".to_owned()),
            link_version: None,
            catalogues: vec!["BPSPatients".to_owned()],
            availability: Availability::Online,
            status: SiteStatus::Active,
            authoritative: None,
            clock: None,
            heartbeat: None,
        }
    }

    fn guid() -> HaloGuid {
        "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10"
            .parse()
            .expect("a GUID")
    }

    #[test]
    fn a_new_site_is_held_under_its_guid_and_the_name_it_gives_itself() {
        let (site, verdict) = invitation().paired(&remote("RED GUM MEDICAL CENTRE"), None);

        assert_eq!(verdict, NameVerdict::Fits(1.0));
        assert_eq!(site.state, SiteState::Held);
        assert_eq!(site.halo_guid, Some(guid()));
        assert_eq!(
            site.practice_name.as_deref(),
            Some("RED GUM MEDICAL CENTRE")
        );
    }

    #[test]
    fn another_name_than_expected_is_for_a_person_unless_it_is_accepted() {
        let (site, verdict) = invitation().paired(&remote("Kurrajong Doctors"), None);
        assert!(matches!(verdict, NameVerdict::Doubtful(_)), "{verdict:?}");
        assert_eq!(site.state, SiteState::IdentityReview);

        let accepting = Invitation {
            accept_name: true,
            ..invitation()
        };
        let (site, verdict) = accepting.paired(&remote("Kurrajong Doctors"), None);
        assert!(matches!(verdict, NameVerdict::Accepted(_)), "{verdict:?}");
        assert_eq!(site.state, SiteState::Held);
    }

    #[test]
    fn pairing_again_keeps_state_zone_groups_and_overrides() {
        let (mut site, _) = invitation().paired(&remote("Red Gum Medical Centre"), None);
        site.stand(SiteState::Active);
        site.time_zone = Tz::Australia__Perth;
        site.overrides.queries_per_month = Some(9);
        let bare = Invitation {
            name: None,
            groups: Vec::new(),
            ..invitation()
        };

        let (again, verdict) = bare.paired(&remote("Red Gum Medical Centre"), Some(&site));

        assert_eq!(verdict, NameVerdict::Fits(1.0));
        assert_eq!(again, site);
    }

    #[test]
    fn pairing_again_under_another_name_stops_extraction_until_a_person_decides() {
        let (mut site, _) = invitation().paired(&remote("Red Gum Medical Centre"), None);
        site.stand(SiteState::Active);
        let bare = Invitation {
            name: None,
            ..invitation()
        };

        let (again, _) = bare.paired(&remote("Kurrajong Doctors"), Some(&site));

        assert_eq!(again.state, SiteState::IdentityReview);
        assert_eq!(again.practice_name, site.practice_name);
        assert_eq!(again.halo_guid, site.halo_guid);
    }
}

//! Whether the site we know is still the same practice: a pure decision over a fresh look-up.
//!
//! When a site that used to answer is refused, the API's owner recommends to look it up again by its id
//! in the practice system. A new GUID under the same name is a practice that moved servers. A new name
//! may be another practice, by merger or mistake, and data of one practice must never land under
//! another: then a person decides.

use crate::domain::{HaloGuid, PmsId};

use super::site::{RemoteSite, SiteStatus};

/// What we remember of a site.
#[derive(Debug, Clone, Copy)]
pub struct KnownSite<'a> {
    /// Its id in the practice system.
    pub pms_id: &'a PmsId,
    /// The GUID that is now refused.
    pub guid: HaloGuid,
    /// The practice's name as it was told at pairing.
    pub practice_name: Option<&'a str>,
}

/// What a fresh look-up says about a site.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum Identity {
    /// Same GUID: not a move. Quota, address list or pairing must be the reason.
    Unchanged,
    /// Another GUID, the same practice: use the new one from now on.
    Moved(Box<RemoteSite>),
    /// Another GUID and another name, or none to compare: hold the site for a person to decide.
    Doubtful(Box<RemoteSite>),
    /// Several sites claim the id: hold the site for a person to decide.
    Ambiguous(Vec<HaloGuid>),
    /// No site in use has this id.
    Missing,
}

/// Decides from the sites found under the stored id.
pub fn reconsider(known: KnownSite<'_>, found: &[RemoteSite]) -> Identity {
    let claims: Vec<&RemoteSite> = found.iter().filter(|site| may_be(known, site)).collect();
    let chosen: Vec<&RemoteSite> = claims
        .iter()
        .copied()
        .filter(|site| site.authoritative == Some(true))
        .collect();
    // Where the API still says which one is authoritative, the others do not count.
    match if chosen.is_empty() { claims } else { chosen }.as_slice() {
        [] => Identity::Missing,
        [site] if site.guid == known.guid => Identity::Unchanged,
        [site] if same_name(known.practice_name, site.practice_name.as_deref()) => {
            Identity::Moved(Box::new((*site).clone()))
        }
        [site] => Identity::Doubtful(Box::new((*site).clone())),
        several => Identity::Ambiguous(several.iter().map(|site| site.guid).collect()),
    }
}

fn may_be(known: KnownSite<'_>, site: &RemoteSite) -> bool {
    let in_use = !matches!(site.status, SiteStatus::Removed | SiteStatus::Uninstalled);
    let same_id = site
        .pms_id
        .as_deref()
        .is_none_or(|id| id == known.pms_id.as_str());
    in_use && same_id && site.authoritative != Some(false)
}

/// Equal but for case, blanks and punctuation. An unknown name is equal to none.
fn same_name(known: Option<&str>, found: Option<&str>) -> bool {
    let plain = |name: &str| -> String {
        name.chars()
            .filter(|c| c.is_alphanumeric())
            .flat_map(char::to_lowercase)
            .collect()
    };
    match (known.map(plain), found.map(plain)) {
        (Some(known), Some(found)) => !known.is_empty() && known == found,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::site::Availability;
    use super::*;

    fn guid(n: u128) -> HaloGuid {
        HaloGuid(Uuid::from_u128(n))
    }

    fn site(n: u128, name: &str) -> RemoteSite {
        RemoteSite {
            guid: guid(n),
            pms_type: None,
            pms_id: Some("40123".to_owned()),
            practice_name: Some(name.to_owned()),
            pms_version: None,
            link_version: None,
            catalogues: Vec::new(),
            availability: Availability::Online,
            status: SiteStatus::Active,
            authoritative: None,
            clock: None,
            heartbeat: None,
        }
    }

    fn decide(name: Option<&str>, found: &[RemoteSite]) -> Identity {
        let pms_id = "40123".parse().expect("an id");
        let known = KnownSite {
            pms_id: &pms_id,
            guid: guid(1),
            practice_name: name,
        };
        reconsider(known, found)
    }

    #[test]
    fn a_new_guid_under_the_same_name_is_a_move() {
        let moved = site(2, "Smith St. Medical Centre");
        let found = decide(
            Some("SMITH ST MEDICAL CENTRE "),
            std::slice::from_ref(&moved),
        );
        assert_eq!(found, Identity::Moved(Box::new(moved)));
    }

    #[test]
    fn a_new_guid_under_another_name_or_none_is_for_a_person() {
        let found = [site(2, "Jones Clinic")];
        assert!(matches!(
            decide(Some("Smith"), &found),
            Identity::Doubtful(_)
        ));
        assert!(matches!(decide(None, &found), Identity::Doubtful(_)));
        assert!(matches!(
            decide(Some("!"), &[site(2, "?")]),
            Identity::Doubtful(_)
        ));
    }

    #[test]
    fn the_same_guid_is_no_move_even_under_another_name() {
        assert_eq!(
            decide(Some("Smith"), &[site(1, "Jones")]),
            Identity::Unchanged
        );
    }

    #[test]
    fn of_several_the_authoritative_one_counts_and_without_it_a_person_decides() {
        let old = RemoteSite {
            authoritative: Some(false),
            ..site(1, "Smith")
        };
        let new = RemoteSite {
            authoritative: Some(true),
            ..site(2, "Smith")
        };
        let found = decide(Some("Smith"), &[old, new.clone()]);
        assert_eq!(found, Identity::Moved(Box::new(new)));

        let found = decide(Some("Smith"), &[site(1, "Smith"), site(2, "Smith")]);
        assert_eq!(found, Identity::Ambiguous(vec![guid(1), guid(2)]));
    }

    #[test]
    fn removed_sites_and_sites_of_another_id_do_not_count() {
        let removed = RemoteSite {
            status: SiteStatus::Removed,
            ..site(2, "Smith")
        };
        let other = RemoteSite {
            pms_id: Some("7".to_owned()),
            ..site(3, "Smith")
        };
        assert_eq!(decide(Some("Smith"), &[removed, other]), Identity::Missing);
        assert_eq!(decide(Some("Smith"), &[]), Identity::Missing);
    }
}

//! Which night something was published in, and the manifests of a night.

use std::collections::BTreeMap;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;

use crate::domain::{Environment, Extraction, QueryId, SiteKey};
use crate::ledger::StandingObject;
use crate::objects::{Manifest, ManifestObject};

/// The night of an instant, by the date of its morning in the site's own calendar: from noon to noon.
pub(super) fn night_of(instant: DateTime<Utc>, zone: Tz) -> NaiveDate {
    (instant.with_timezone(&zone).naive_local() + TimeDelta::hours(12)).date()
}

/// The manifests of what was published at sites of one calendar, one for each night, site and query version of which
/// something was published at `changed_since` or later. `published` must hold all of those nights, and `replaced` the
/// paths whose rows went into merged objects of them.
pub(super) fn manifests(
    environment: Environment,
    published: &[StandingObject],
    replaced: &BTreeMap<Extraction, Vec<String>>,
    zone: Tz,
    changed_since: DateTime<Utc>,
    now: DateTime<Utc>,
) -> Vec<Manifest> {
    let mut nights: BTreeMap<(NaiveDate, &SiteKey, &QueryId), Vec<&StandingObject>> =
        BTreeMap::new();
    for object in published {
        let (site, query) = (&object.extraction.site, &object.extraction.query);
        let night = night_of(object.extracted_at, zone);
        nights.entry((night, site, query)).or_default().push(object);
    }
    nights
        .into_iter()
        .filter(|(_, objects)| {
            objects
                .iter()
                .any(|object| object.extracted_at >= changed_since)
        })
        .map(|((night, site, query), objects)| {
            let entries = objects.into_iter().map(|object| entry(object, replaced));
            let mut objects: Vec<ManifestObject> = entries.collect();
            objects.sort_by(|one, other| one.object.path.cmp(&other.object.path));
            Manifest {
                format: Manifest::FORMAT,
                environment,
                night,
                site: site.clone(),
                query: query.name.clone(),
                version: query.version,
                written_at: now,
                objects,
            }
        })
        .collect()
}

fn entry(object: &StandingObject, replaced: &BTreeMap<Extraction, Vec<String>>) -> ManifestObject {
    let replaces = replaced.get(&object.extraction).cloned();
    ManifestObject {
        replaces: replaces.unwrap_or_default(),
        ..ManifestObject::new(
            object.object.clone(),
            object.extraction.window,
            object.attempt,
            object.proof,
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{AttemptNumber, Extraction, ObjectRecord, Proof, Sha256};

    const SYDNEY: Tz = Tz::Australia__Sydney;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().expect("an instant")
    }

    fn object(extraction: &str, extracted_at: &str) -> StandingObject {
        let extraction: Extraction = extraction.parse().expect("an extraction");
        StandingObject {
            number: 1,
            object: ObjectRecord {
                path: format!("path of {extraction}"),
                size_bytes: 10,
                rows: 1,
                sha256: Sha256([1; 32]),
                etag: None,
            },
            extraction,
            attempt: AttemptNumber(1),
            proof: Proof {
                declared: 1,
                pages: 1,
                batches: 1,
                footer: 1,
                withheld: None,
            },
            extracted_at: at(extracted_at),
        }
    }

    #[test]
    fn a_night_is_named_by_its_morning_in_the_sites_own_calendar() {
        // Sydney is 11 hours ahead in November.
        for (instant, night) in [
            ("2026-11-18T14:30:00Z", "2026-11-19"),
            ("2026-11-18T12:00:00Z", "2026-11-19"),
            ("2026-11-19T00:59:59Z", "2026-11-19"),
            ("2026-11-19T01:00:00Z", "2026-11-20"),
        ] {
            assert_eq!(
                night_of(at(instant), SYDNEY).to_string(),
                night,
                "{instant}"
            );
        }
    }

    #[test]
    fn only_nights_in_which_something_changed_have_a_new_manifest_and_it_lists_all_of_the_night() {
        let published = [
            object("s1/visit@v1/2026-11-16..2026-11-17", "2026-11-17T15:00:00Z"),
            object("s1/visit@v1/2026-11-17..2026-11-18", "2026-11-18T15:00:00Z"),
            object("s1/visit@v1/2026-11-01..2026-11-02", "2026-11-18T16:00:00Z"),
            object("s2/visit@v1/2026-11-17..2026-11-18", "2026-11-18T15:00:00Z"),
        ];

        let told = at("2026-11-18T15:30:00Z");
        let manifests = manifests(
            Environment::Simulator,
            &published,
            &BTreeMap::from([(
                published[2].extraction.clone(),
                vec!["path of a day".to_owned()],
            )]),
            SYDNEY,
            told,
            at("2026-11-18T17:00:00Z"),
        );

        let [manifest] = manifests.as_slice() else {
            panic!("{manifests:?}")
        };
        assert_eq!(
            manifest.path(),
            "simulator/_meta/manifests/2026-11-19/s1/visit_v1.json"
        );
        let windows: Vec<String> = manifest
            .objects
            .iter()
            .map(|object| object.window.to_string())
            .collect();
        assert_eq!(
            windows,
            ["2026-11-01..2026-11-02", "2026-11-17..2026-11-18"]
        );
        assert_eq!(manifest.objects[0].replaces, ["path of a day"]);
        assert_eq!(manifest.objects[1].replaces, [""; 0]);
    }
}

//! Who a generated practice is: name, PMS id, time zone, versions, and what its database lacks.

use chrono::NaiveDate;

use super::chance::Chance;

/// What Halo Cloud and its pairing screen know of a practice, and how its database differs from the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Id at the practice management system: `40001` and on.
    pub pms_id: String,
    /// Name on the door.
    pub name: String,
    /// IANA name of its time zone.
    pub time_zone: &'static str,
    /// Version of Bp Premier.
    pub pms_version: &'static str,
    /// Version of Halo Link.
    pub link_version: &'static str,
    /// Clinics that share the database, from 1.
    pub clinics: u32,
    /// Whether `PATIENTS` has the opt-out column; queries must fail closed where it has not.
    pub has_opt_out_column: bool,
    /// Whether `CURRENTRX` can be read; where not, the view `BPS_CurrentRx` can.
    pub current_rx_readable: bool,
}

const FIRST_WORDS: &[&str] = &[
    "Wattle Grove",
    "Harbour Street",
    "Red Gum",
    "Banksia",
    "Southern Cross",
    "Ironbark Creek",
    "Lighthouse",
    "St Brigid’s",
    "Riverbend",
    "Kurrajong",
    "Seven Mile Beach",
    "Old Post Office",
    "Magpie Hill",
    "Coral Tree",
    "Snowy Plains",
    "O'Halloran",
];
const LAST_WORDS: &[&str] = &[
    "Medical Centre",
    "Family Practice",
    "General Practice",
    "Health Clinic",
    "Doctors",
];
const TIME_ZONES: &[&str] = &[
    "Australia/Sydney",
    "Australia/Perth",
    "Australia/Adelaide",
    "Australia/Brisbane",
    "Australia/Melbourne",
    "Australia/Hobart",
    "Australia/Darwin",
];
const PMS_VERSIONS: &[&str] = &["1.13.0.1045", "1.12.1.1024", "1.13.0.1045", "1.11.0.929"];
const LINK_VERSIONS: &[&str] = &[
    "26.713.10445",
    "26.619.10213",
    "26.713.10445",
    "26.302.9571",
];

/// Which practice of a fleet lacks the opt-out column: one in ten, none of the first seven.
const WITHOUT_OPT_OUT: (usize, usize) = (10, 7);
/// Which practice of a fleet keeps `CURRENTRX` to itself: one in six, none of the first five.
const WITHOUT_CURRENT_RX: (usize, usize) = (6, 5);

impl Identity {
    /// The practice at place `index` (from 0) of the fleet that `seed` makes.
    #[must_use]
    pub fn new(seed: u64, index: usize) -> Self {
        let mut chance = Chance::new(&[seed, index as u64, 1]);
        let first = FIRST_WORDS[(index + chance.position(2) * 8) % FIRST_WORDS.len()];
        let last = chance.pick(LAST_WORDS);
        let is = |(of, which): (usize, usize)| index % of == which;
        Self {
            pms_id: (40_001 + index).to_string(),
            name: match index / FIRST_WORDS.len() {
                0 => format!("{first} {last}"),
                round => format!("{first} {last} {}", round + 1),
            },
            time_zone: TIME_ZONES[index % TIME_ZONES.len()],
            pms_version: PMS_VERSIONS[index % PMS_VERSIONS.len()],
            link_version: LINK_VERSIONS[index % LINK_VERSIONS.len()],
            clinics: 1 + u32::from(index % 3 == 1) + u32::from(index % 4 == 1),
            has_opt_out_column: !is(WITHOUT_OPT_OUT),
            current_rx_readable: !is(WITHOUT_CURRENT_RX),
        }
    }

    /// The day on which the practice's records begin: before it, nothing was written.
    #[must_use]
    pub fn records_since() -> NaiveDate {
        NaiveDate::from_ymd_opt(2009, 7, 1).expect("a day of the calendar")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fleet_has_distinct_ids_and_names() {
        let fleet: Vec<Identity> = (0..48).map(|index| Identity::new(7, index)).collect();

        let ids: std::collections::BTreeSet<_> = fleet.iter().map(|p| &p.pms_id).collect();
        assert_eq!(ids.len(), 48);
        assert_eq!(fleet[2].pms_id, "40003");
        assert!(fleet.iter().any(|p| !p.has_opt_out_column));
        assert!(fleet.iter().any(|p| !p.current_rx_readable));
        assert!(fleet.iter().any(|p| p.clinics > 1));
    }

    #[test]
    fn every_time_zone_is_one_of_the_iana_database() {
        for zone in TIME_ZONES {
            assert!(zone.parse::<chrono_tz::Tz>().is_ok(), "{zone}");
        }
    }
}

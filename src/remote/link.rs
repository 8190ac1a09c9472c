//! Halo Link, the agent at the practice: which of its versions have which known faults.
//!
//! A pure table, so that whoever looks at a site can say what to ask the practice for. Versions are
//! compared by their build, the third number: one and the same release has been printed as
//! `26.414.9810` and as `2026.414.9810`. Source: the owner's release notes of 2023 to July 2026, as told
//! by a third party; read on 2026-11-20.

/// A fault that some versions of the agent have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkFault {
    /// What it does, in a sentence.
    pub what: &'static str,
    /// First version without it, as printed in the release notes.
    pub mended_in: &'static str,
    since: u32,
    until: u32,
}

const FAULTS: [LinkFault; 6] = [
    LinkFault {
        what: "Registered queries may never expire.",
        mended_in: "25.1210.7669",
        since: 0,
        until: 7669,
    },
    LinkFault {
        what: "Immediate queries may end in HTTP 504 for ever although the site shows online; a restart of Halo Link helps.",
        mended_in: "26.202.8289",
        since: 0,
        until: 8289,
    },
    LinkFault {
        what: "Result pages may time out, and looking up the site is slow.",
        mended_in: "26.407.9115",
        since: 0,
        until: 9115,
    },
    LinkFault {
        what: "Halo Link may fail to start when its survey of the hardware times out.",
        mended_in: "26.416.9328",
        since: 0,
        until: 9328,
    },
    LinkFault {
        what: "Submitted queries may stay in `executing` for ever; a restart of Halo Link helps.",
        mended_in: "26.414.9810",
        since: 0,
        until: 9810,
    },
    LinkFault {
        what: "Best Practice older than Oxford SP1 is not supported.",
        mended_in: "26.713.10445",
        since: 10396,
        until: 10445,
    },
];

/// The known faults of a version of Halo Link; none for a version that cannot be read.
#[must_use]
pub fn known_link_faults(version: &str) -> Vec<LinkFault> {
    let Some(build) = read_build(version) else {
        return Vec::new();
    };
    FAULTS
        .into_iter()
        .filter(|fault| (fault.since..fault.until).contains(&build))
        .collect()
}

/// The first version of Halo Link without any fault that is known.
#[must_use]
pub fn faultless_link() -> &'static str {
    FAULTS
        .iter()
        .max_by_key(|fault| fault.until)
        .map_or("", |fault| fault.mended_in)
}

/// The third number of `26.713.10445`, `2026.414.9810` or `26.713.10445.0`.
fn read_build(version: &str) -> Option<u32> {
    version.trim().split('.').nth(2)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mended(version: &str) -> Vec<&'static str> {
        let faults = known_link_faults(version);
        faults.iter().map(|fault| fault.mended_in).collect()
    }

    #[test]
    fn a_version_has_the_faults_that_were_mended_after_it() {
        assert_eq!(mended("26.407.9115"), ["26.416.9328", "26.414.9810"]);
        assert_eq!(mended("26.713.10445"), [""; 0]);
        assert_eq!(mended("26.709.10396.0"), ["26.713.10445"]);
    }

    #[test]
    fn one_release_printed_in_two_ways_is_the_same() {
        assert_eq!(mended("2026.414.9810"), mended("26.414.9810"));
    }

    #[test]
    fn a_version_that_cannot_be_read_is_not_accused() {
        for version in ["", "26", "new", "26.713.x"] {
            assert!(known_link_faults(version).is_empty(), "{version}");
        }
    }

    #[test]
    fn the_faultless_version_has_no_fault() {
        assert!(known_link_faults(faultless_link()).is_empty());
        assert!(read_build(faultless_link()).is_some());
    }

    #[test]
    fn every_fault_ends_at_the_build_that_mended_it() {
        for fault in FAULTS {
            assert_eq!(read_build(fault.mended_in), Some(fault.until));
        }
    }
}

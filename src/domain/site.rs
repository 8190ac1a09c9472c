//! A site: one practice database, reached through the remote API.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, Utc};
use chrono_tz::Tz;
use uuid::Uuid;

use super::{ParseError, SiteOverrides, serde_as_text};

/// Our own short name of a site: it never changes, while the GUID and the practice name may.
///
/// A lower-case letter, then lower-case letters, digits, `-` or `_`, at most 48 characters. It begins with
/// a letter so that no reader of a `site=<key>` path takes it for a number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SiteKey(String);

impl SiteKey {
    /// The key a site has unless the operator chooses one: `s` and the PMS id, so `40123` is `s40123`.
    ///
    /// Characters that a key cannot hold become `-`.
    #[must_use]
    pub fn from_pms_id(pms_id: &PmsId) -> Self {
        let tail: String = pms_id
            .as_str()
            .chars()
            .take(47)
            .map(|c| c.to_ascii_lowercase())
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        Self(format!("s{tail}"))
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for SiteKey {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut chars = text.chars();
        let first_is_letter = chars.next().is_some_and(|c| c.is_ascii_lowercase());
        let rest_fits =
            chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_');
        if first_is_letter && rest_fits && text.len() <= 48 {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseError::new(
                text,
                "a site key (a lower-case letter, then letters, digits, - or _)",
                "s40123",
            ))
        }
    }
}

/// The remote API's identifier of a site. It changes when a practice moves servers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct HaloGuid(pub Uuid);

impl FromStr for HaloGuid {
    type Err = ParseError;

    /// Accepts dashed and undashed, in any case; printed dashed and lower case.
    fn from_str(text: &str) -> Result<Self, ParseError> {
        Uuid::try_parse(text).map(Self).map_err(|_| {
            ParseError::new(text, "a Halo GUID", "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10")
        })
    }
}

/// The practice management system's own id of a site, as its screen shows it (Bp: Site ID).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PmsId(String);

impl PmsId {
    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PmsId {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let trimmed = text.trim();
        let fits = !trimmed.is_empty()
            && trimmed.len() <= 47
            && trimmed.chars().all(|c| c.is_ascii_graphic());
        if fits {
            Ok(Self(trimmed.to_owned()))
        } else {
            Err(ParseError::new(
                text,
                "a practice management site id (visible characters, no blanks)",
                "40123",
            ))
        }
    }
}

/// The practice management system that a site runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PmsType {
    /// Best Practice (Bp) Premier, on SQL Server.
    BestPractice,
    /// Zedmed, on Firebird.
    Zedmed,
    /// Dental4Windows.
    D4w,
}

impl FromStr for PmsType {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "best-practice" => Ok(Self::BestPractice),
            "zedmed" => Ok(Self::Zedmed),
            "d4w" => Ok(Self::D4w),
            _ => Err(ParseError::new(
                text,
                "one of best-practice, zedmed, d4w",
                "best-practice",
            )),
        }
    }
}

/// Which world a home directory, its ledger and its objects belong to; never mixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Environment {
    /// Real practices.
    Production,
    /// The API owner's test stage.
    Staging,
    /// The stand-in of this program.
    Simulator,
}

impl FromStr for Environment {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "production" => Ok(Self::Production),
            "staging" => Ok(Self::Staging),
            "simulator" => Ok(Self::Simulator),
            _ => Err(ParseError::new(
                text,
                "one of production, staging, simulator",
                "production",
            )),
        }
    }
}

/// Where a site stands between the first invitation and withdrawal.
///
/// Only an `Active` site is extracted from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SiteState {
    /// Known to us, not yet paired.
    Invited,
    /// Paired, but the practice is not yet told that extraction may begin.
    Held,
    /// Extracted from every night.
    Active,
    /// Stopped for a while by an operator.
    Paused,
    /// The practice behind the GUID may be another one; a person must decide.
    IdentityReview,
    /// Ended for good.
    Withdrawn,
}

impl FromStr for SiteState {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        match text {
            "invited" => Ok(Self::Invited),
            "held" => Ok(Self::Held),
            "active" => Ok(Self::Active),
            "paused" => Ok(Self::Paused),
            "identity-review" => Ok(Self::IdentityReview),
            "withdrawn" => Ok(Self::Withdrawn),
            _ => Err(ParseError::new(
                text,
                "one of invited, held, active, paused, identity-review, withdrawn",
                "active",
            )),
        }
    }
}

/// One practice database in our registry.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Site {
    /// Our name of it.
    pub key: SiteKey,
    /// The system it runs.
    pub pms_type: PmsType,
    /// Its id there.
    pub pms_id: PmsId,
    /// The API's id of it, once paired.
    pub halo_guid: Option<HaloGuid>,
    /// The practice's name as the API told it at pairing, and before that as the operator expects it; guards
    /// against extracting from another practice.
    pub practice_name: Option<String>,
    /// Version of the agent at the practice, as last told.
    pub link_version: Option<String>,
    /// Version of the practice management system, as last told.
    pub pms_version: Option<String>,
    /// Databases that a query may name; the first is the default one.
    pub catalogues: Vec<String>,
    /// The site's calendar: windows, quiet hours and crons are read in it.
    #[serde(serialize_with = "zone_name")]
    pub time_zone: Tz,
    /// Labels for roll-out and selection, for example a region.
    pub groups: Vec<String>,
    /// Where it stands.
    pub state: SiteState,
    /// While it is paused: the first day on which it is extracted from again, in its calendar; never by itself if
    /// absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused_until: Option<NaiveDate>,
    /// What it has otherwise than the configuration says.
    pub overrides: SiteOverrides,
}

impl Site {
    /// Puts the site into a state; a pause that it leaves has no end any more.
    pub fn stand(&mut self, state: SiteState) {
        self.state = state;
        if state != SiteState::Paused {
            self.paused_until = None;
        }
    }

    /// Whether the day has come until which the site was paused.
    #[must_use]
    pub fn pause_is_over(&self, now: DateTime<Utc>) -> bool {
        let today = now.with_timezone(&self.time_zone).date_naive();
        self.state == SiteState::Paused && self.paused_until.is_some_and(|until| until <= today)
    }
}

fn zone_name<S: serde::Serializer>(zone: &Tz, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(zone.name())
}

impl fmt::Display for SiteKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for HaloGuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

impl fmt::Display for PmsId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for PmsType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BestPractice => "best-practice",
            Self::Zedmed => "zedmed",
            Self::D4w => "d4w",
        })
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Production => "production",
            Self::Staging => "staging",
            Self::Simulator => "simulator",
        })
    }
}

impl fmt::Display for SiteState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Invited => "invited",
            Self::Held => "held",
            Self::Active => "active",
            Self::Paused => "paused",
            Self::IdentityReview => "identity-review",
            Self::Withdrawn => "withdrawn",
        })
    }
}

serde_as_text!(SiteKey, HaloGuid, PmsId, PmsType, Environment, SiteState);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_site_key_begins_with_a_letter() {
        assert!("s40123".parse::<SiteKey>().is_ok());
        for bad in ["40123", "", "S1", "a b", "a/b", "é1", &"s".repeat(49)] {
            assert!(bad.parse::<SiteKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_key_of_any_pms_id_is_a_valid_key() {
        for id in ["40123", "CRN/77.b", "0007", &"9".repeat(47)] {
            let key = SiteKey::from_pms_id(&id.parse().expect("a PMS id"));
            assert_eq!(key.as_str().parse::<SiteKey>().as_ref(), Ok(&key));
        }
    }

    #[test]
    fn a_guid_is_printed_dashed_and_lower_case() {
        let guid: HaloGuid = "5F0C2A527A4E4A0B8D539B1F6D2C7E10"
            .parse()
            .expect("undashed");
        assert_eq!(guid.to_string(), "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10");
    }
}

//! What a started simulator says about itself: one JSON object that scripts can read.

use serde::Serialize;
use uuid::Uuid;

/// The first line of a simulator: where it is and what it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ready {
    /// Base URL for a client, without a slash at its end.
    pub url: String,
    /// The one key that the simulator accepts.
    pub subscription_key: String,
    /// The practices, by rising PMS id.
    pub sites: Vec<ReadySite>,
}

/// One practice of a started simulator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReadySite {
    /// What the practice would tell us as its Site ID.
    pub pms_id: String,
    /// `Best Practice`, as the pairing call spells it.
    pub pms_name: String,
    /// The GUID that pairing will return.
    pub halo_guid: Uuid,
    /// The practice's name as the site object gives it.
    pub practice_name: String,
    /// The pairing code that the practice would read out.
    pub pairing_code: String,
    /// IANA name.
    pub time_zone: String,
}

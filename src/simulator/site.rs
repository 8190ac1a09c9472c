//! A practice as Halo Cloud sees it: identity, pairing, Link, and what stands at it now.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::clock::delta;
use super::engine::Now;
use super::faults::{Fault, Faults};
use super::link::Link;
use super::route::Endpoint;
use super::wire::{self, Stamp};

/// What is fixed about a practice.
#[derive(Debug, Clone)]
pub(super) struct Profile {
    pub(super) pms_id: String,
    pub(super) practice_name: String,
    pub(super) time_zone: Tz,
    pub(super) pms_version: String,
    pub(super) link_version: String,
    /// The default one first.
    pub(super) catalogues: Vec<String>,
}

/// One practice.
pub(super) struct Site {
    pub(super) profile: Profile,
    pub(super) link: Arc<Link>,
    seed: u64,
    created_at: DateTime<Utc>,
    pairing: Mutex<Pairing>,
}

/// The pairing of our one integrator with a practice.
#[derive(Debug, Clone)]
pub(super) struct Pairing {
    /// The code on the practice's screen.
    pub(super) code: String,
    pub(super) expires_at: DateTime<Utc>,
    /// Codes made so far.
    generation: u64,
    /// GUIDs of this practice that are paired.
    paired: BTreeSet<Uuid>,
}

/// Who a practice is at a moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) guid: Uuid,
    pub(super) practice_name: String,
    /// Whether the pairing of the former GUID counts for this one.
    carries_pairing: bool,
}

/// Whether a practice can be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    Online,
    /// `accepted`: a submission is taken all the same and fails later.
    Offline {
        accepted: bool,
    },
    Unreachable {
        accepted: bool,
    },
}

/// PMS names: as the pairing call, and as `pmsType` spells it.
pub(super) const PMS_NAME: &str = "Best Practice";
pub(super) const PMS_TYPE: &str = "BestPractice";

/// Link reports once a minute, so "last heard from" is at most that old while it is online.
const HEARTBEAT_SECONDS: i64 = 60;

impl Site {
    pub(super) fn new(
        profile: Profile,
        link: Arc<Link>,
        seed: u64,
        now: DateTime<Utc>,
        code_life: Duration,
    ) -> Site {
        let pairing = Pairing {
            code: code(seed, &profile.pms_id, 0),
            expires_at: now + delta(code_life),
            generation: 0,
            paired: BTreeSet::new(),
        };
        Site {
            profile,
            link,
            seed,
            created_at: now,
            pairing: Mutex::new(pairing),
        }
    }

    pub(super) fn pms_id(&self) -> &str {
        &self.profile.pms_id
    }

    /// The GUID at the start.
    pub(super) fn first_guid(&self) -> Uuid {
        guid(self.seed, &["site", self.pms_id()])
    }

    /// The GUID after a move to another server.
    pub(super) fn second_guid(&self) -> Uuid {
        guid(self.seed, &["site moved", self.pms_id()])
    }

    /// Who the practice is now.
    pub(super) fn identity(&self, faults: &Faults, now: DateTime<Utc>) -> Identity {
        let moved = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::Moved {
                practice_name,
                paired,
            } => Some((practice_name.clone(), *paired)),
            _ => None,
        });
        let renamed = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::Renamed { practice_name } => Some(practice_name.clone()),
            _ => None,
        });
        let merged = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::Merged {
                into,
                practice_name,
            } => Some((into.clone(), practice_name.clone())),
            _ => None,
        });
        if let Some((into, practice_name)) = merged {
            return Identity {
                guid: guid(self.seed, &["site", &into]),
                practice_name,
                carries_pairing: true,
            };
        }
        let own_name = || self.profile.practice_name.clone();
        match moved {
            None => Identity {
                guid: self.first_guid(),
                practice_name: renamed.unwrap_or_else(own_name),
                carries_pairing: false,
            },
            Some((name, paired)) => Identity {
                guid: self.second_guid(),
                practice_name: name.or(renamed).unwrap_or_else(own_name),
                carries_pairing: paired,
            },
        }
    }

    /// Whether our integrator is paired with the practice as it is now.
    pub(super) fn is_paired(&self, identity: &Identity) -> bool {
        let pairing = self.pairing();
        let carried = identity.carries_pairing && pairing.paired.contains(&self.first_guid());
        carried || pairing.paired.contains(&identity.guid)
    }

    /// Notes the pairing.
    pub(super) fn pair(&self, guid: Uuid) {
        self.pairing().paired.insert(guid);
    }

    /// Forgets every pairing.
    pub(super) fn unpair(&self) {
        self.pairing().paired.clear();
    }

    /// The code on the practice's screen and when it ends.
    pub(super) fn code(&self) -> (String, DateTime<Utc>) {
        let pairing = self.pairing();
        (pairing.code.clone(), pairing.expires_at)
    }

    /// Presses "Generate pairing code" again: the former code is worth nothing from now on.
    pub(super) fn new_code(&self, now: DateTime<Utc>, life: Duration) -> (String, DateTime<Utc>) {
        let mut pairing = self.pairing();
        pairing.generation += 1;
        pairing.code = code(self.seed, self.pms_id(), pairing.generation);
        pairing.expires_at = now + delta(life);
        (pairing.code.clone(), pairing.expires_at)
    }

    /// Whether the practice can be reached, on an occasion that counts.
    pub(super) fn reach(&self, faults: &Faults, now: DateTime<Utc>, endpoint: Endpoint) -> Reach {
        let met = faults.strike(now, Some(self.pms_id()), endpoint, |fault| {
            self.reach_under(fault, now)
        });
        met.unwrap_or(Reach::Online)
    }

    fn reach_under(&self, fault: &Fault, now: DateTime<Utc>) -> Option<Reach> {
        let local = now.with_timezone(&self.profile.time_zone).time();
        match fault {
            Fault::Offline { accepted } => Some(Reach::Offline {
                accepted: *accepted,
            }),
            Fault::Unreachable { accepted } => Some(Reach::Unreachable {
                accepted: *accepted,
            }),
            Fault::Uninstalled => Some(Reach::Offline { accepted: false }),
            Fault::Closed { from, until } if from.reaches(*until, local) => {
                Some(Reach::Offline { accepted: false })
            }
            _ => None,
        }
    }

    /// The practice server's clock.
    pub(super) fn practice_now(&self, faults: &Faults, now: DateTime<Utc>) -> Now {
        let local = self
            .skewed(faults, now)
            .with_timezone(&self.profile.time_zone);
        let offset = chrono::Offset::fix(local.offset()).local_minus_utc();
        Now {
            local: local.naive_local(),
            offset_minutes: offset / 60,
        }
    }

    fn skewed(&self, faults: &Faults, now: DateTime<Utc>) -> DateTime<Utc> {
        now + self.skew(faults, now)
    }

    /// How far the practice server's clock is ahead.
    fn skew(&self, faults: &Faults, now: DateTime<Utc>) -> TimeDelta {
        let skew = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::ClockSkew { seconds } => Some(*seconds),
            _ => None,
        });
        TimeDelta::try_seconds(skew.unwrap_or(0)).unwrap_or_default()
    }

    /// The site object of the API, for one of the practice's GUIDs.
    pub(super) fn describe(&self, faults: &Faults, now: DateTime<Utc>, asked: Uuid) -> wire::Site {
        let identity = self.identity(faults, now);
        let away = faults.standing_since(now, self.pms_id(), |fault, since| {
            let reach = self.reach_under(fault, now)?;
            Some((reach, self.last_heard(fault, since, now)))
        });
        let (reach, heard) = away.unwrap_or((Reach::Online, now));
        let status = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::Removed => Some("removed"),
            Fault::Uninstalled => Some("uninstalled"),
            _ => None,
        });
        let link_version = faults.standing(now, self.pms_id(), |fault| match fault {
            Fault::LinkVersion { version } => Some(version.clone()),
            _ => None,
        });
        wire::Site {
            id: asked,
            pms_type: PMS_TYPE,
            availability: availability(reach),
            status: status.unwrap_or("active"),
            halo_link_version: link_version.unwrap_or_else(|| self.profile.link_version.clone()),
            enriched_at: Stamp(heard - TimeDelta::seconds(HEARTBEAT_SECONDS)),
            catalogue: self.catalogues(),
            practice_metadata: self.metadata(&identity),
            authoritative: asked == identity.guid,
            name: identity.practice_name,
            practice_management_site_id: self.profile.pms_id.clone(),
            practice_management_name: PMS_NAME,
            practice_management_version: self.profile.pms_version.clone(),
            created_at: Stamp(self.created_at),
            client_timestamp_utc: Stamp(heard + self.skew(faults, now)),
            heartbeat_timestamp_utc: Stamp(heard),
        }
    }

    /// When a site was last heard of that is away by a fault in force `since` then.
    fn last_heard(&self, fault: &Fault, since: DateTime<Utc>, now: DateTime<Utc>) -> DateTime<Utc> {
        let Fault::Closed { from, .. } = fault else {
            return since;
        };
        let zone = self.profile.time_zone;
        let today = now.with_timezone(&zone).date_naive();
        let closings = [Some(today), today.pred_opt()];
        let closed = closings.into_iter().flatten().filter_map(|day| {
            let closing = day.and_time(from.0).and_local_timezone(zone).earliest()?;
            Some(closing.to_utc())
        });
        let last = closed.into_iter().find(|closing| *closing <= now);
        last.map_or(since, |closing| closing.max(since))
    }

    fn metadata(&self, identity: &Identity) -> wire::PracticeMetadata {
        wire::PracticeMetadata {
            pms_type: PMS_TYPE,
            practice_name: identity.practice_name.clone(),
            practice_management_site_id: self.profile.pms_id.clone(),
            practice_management_version: self.profile.pms_version.clone(),
        }
    }

    fn catalogues(&self) -> Vec<wire::Catalogue> {
        let names = self.profile.catalogues.iter().enumerate();
        names
            .map(|(index, name)| wire::Catalogue {
                name: name.clone(),
                is_default: index == 0,
            })
            .collect()
    }

    fn pairing(&self) -> MutexGuard<'_, Pairing> {
        self.pairing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn availability(reach: Reach) -> &'static str {
    match reach {
        Reach::Online => "online",
        Reach::Offline { .. } => "offline",
        Reach::Unreachable { .. } => "unreachable",
    }
}

/// Bytes that depend on the seed and the words alone.
pub(super) fn derive(seed: u64, words: &[&str]) -> [u8; 32] {
    let mut digest = Sha256::new();
    digest.update(seed.to_be_bytes());
    for word in words {
        digest.update((word.len() as u64).to_be_bytes());
        digest.update(word.as_bytes());
    }
    digest.finalize().into()
}

/// A GUID that depends on the seed and the words alone.
pub(super) fn guid(seed: u64, words: &[&str]) -> Uuid {
    let bytes = derive(seed, words);
    let head = bytes[..16].try_into().expect("sixteen of thirty-two");
    uuid::Builder::from_random_bytes(head).into_uuid()
}

/// Six characters without those that are mistaken for one another on the telephone.
fn code(seed: u64, pms_id: &str, generation: u64) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    let bytes = derive(seed, &["pairing code", pms_id, &generation.to_string()]);
    bytes[..6]
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()]))
        .collect()
}

//! Why a pairing did not come about, in words that a practice manager can be read out over the telephone.
//!
//! The API gives a refused code no status of its own, and which one it uses is not documented; so the status
//! decides only roughly, and the API's own words, where it says any, decide between a wrong, an expired, a used
//! and a replaced code. Where it says nothing, the message names all of them. Of a practice whose side did not answer
//! the API may tell, on a second look, whether Halo Link is offline or too old; it need not before a pairing.

use crate::cli::exit_code::ExitCode;
use crate::cli::report::Failure;
use crate::domain::{Environment, PmsId, PmsType};
use crate::remote::{
    Availability, Cause, RemoteError, RemoteSite, faultless_link, known_link_faults,
};

/// Why a pairing did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    WrongCode,
    ExpiredCode,
    UsedCode,
    ReplacedCode,
    /// Refused, and the API does not say why.
    Unspecified,
    Unticked,
    NoSuchSite,
    /// The practice's side did not answer as it should: its server is off, or its agent or system is too old. The
    /// API does not show which.
    PracticeSilent,
    /// The practice's agent is not in touch.
    LinkOffline,
    /// The practice's agent is in touch, in a version with known faults.
    LinkTooOld {
        version: String,
    },
    /// The practice's agent is in touch and has no known fault, so it is Bp that does not answer.
    PmsFailed,
    OtherEnvironment,
    /// Nothing about the pairing: the network, a limit, our address, the API itself.
    Elsewhere,
}

impl Refusal {
    /// From the cause, and what the API said.
    pub(super) fn of(cause: Cause, said: Option<&str>) -> Self {
        match cause {
            Cause::PairingRefused => Self::by_words(&said.unwrap_or_default().to_lowercase()),
            Cause::IntegrationDisabled => Self::Unticked,
            Cause::SiteUnknown => Self::NoSuchSite,
            Cause::PairingFailed | Cause::SiteOffline | Cause::SiteLost => Self::PracticeSilent,
            Cause::KeyRefused => Self::OtherEnvironment,
            _ => Self::Elsewhere,
        }
    }

    /// Whether it can be told more exactly by what the API tells of the practice.
    pub(super) fn asks_for_a_look(&self) -> bool {
        *self == Self::PracticeSilent
    }

    /// The same, after a look at the practice's agent.
    pub(super) fn seen(self, agent: &RemoteSite) -> Self {
        if !self.asks_for_a_look() {
            return self;
        }
        let is_too_old = |version: &&String| !known_link_faults(version).is_empty();
        match (&agent.availability, agent.link_version.as_ref()) {
            (Availability::Offline | Availability::Unreachable, _) => Self::LinkOffline,
            (Availability::Online, Some(version)) if is_too_old(&version) => Self::LinkTooOld {
                version: version.clone(),
            },
            (Availability::Online, _) => Self::PmsFailed,
            (Availability::Unknown, _) => self,
        }
    }

    fn by_words(said: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| said.contains(word));
        if says(&["expired"]) {
            Self::ExpiredCode
        } else if says(&["already been used", "already used"]) {
            Self::UsedCode
        } else if says(&["replaced", "newer", "regenerated"]) {
            Self::ReplacedCode
        } else if says(&["not enabled", "integration"]) {
            Self::Unticked
        } else if says(&["invalid", "incorrect", "wrong", "does not match"]) {
            Self::WrongCode
        } else {
            Self::Unspecified
        }
    }

    fn what(&self) -> String {
        let what = match self {
            Self::WrongCode => "the pairing code is not the one on the practice's screen",
            Self::ExpiredCode => "the pairing code has expired: a code is valid for seven days",
            Self::UsedCode => "the pairing code was used before, and each works once",
            Self::ReplacedCode => {
                "the practice made a newer pairing code, which ended the one given"
            }
            Self::Unspecified => {
                "the pairing is refused: the code is wrong, expired, used or replaced, or our integration is not ticked"
            }
            Self::Unticked => "our integration is not ticked at the practice",
            Self::NoSuchSite => "no practice with this Site ID is known in this environment",
            Self::PracticeSilent => {
                "the practice's side did not answer: its server or Halo Link is off, or Halo Link or Bp is too old to pair"
            }
            Self::LinkOffline => {
                "Halo Link at the practice is offline, so nobody there could look at the code"
            }
            Self::LinkTooOld { version } => {
                return format!(
                    "the practice's side did not answer as it should, and its Halo Link {version} is too old"
                );
            }
            Self::PmsFailed => {
                "Halo Link at the practice is in touch, but Bp did not look at the code: it may be too old to pair"
            }
            Self::OtherEnvironment => {
                "the subscription key is refused: it is wrong, or belongs to another environment"
            }
            Self::Elsewhere => "the pairing could not be tried",
        };
        what.to_owned()
    }

    /// What to do, step by step, and who does it.
    fn steps(&self, error: &RemoteError, pms_id: &PmsId, environment: Environment) -> String {
        let again = format!(
            "Then you: halo-extract site pair --pms-id {pms_id} --code -  (and type the code)"
        );
        let make_a_code = make_a_code();
        match self {
            Self::WrongCode => format!(
                "Compare what you typed with what the practice sent: Site ID {pms_id} and the code belong together.\n\
                 If they are the same, the practice makes a new pairing code. {make_a_code}\n{again}"
            ),
            Self::ExpiredCode | Self::UsedCode => {
                format!("The practice makes a new pairing code. {make_a_code}\n{again}")
            }
            Self::ReplacedCode => format!(
                "Ask the practice for the code that its screen shows now, or for a new one. {make_a_code}\n{again}"
            ),
            Self::Unspecified => format!(
                "The practice compares its Site ID with {pms_id}, sees that our line is ticked, and makes a new pairing code. \
                 {make_a_code}\n{again}"
            ),
            Self::Unticked => format!(
                "The practice ticks it. In Bp, by a user with permission to configure: {SCREEN}, tick our line \"(via Halo Connect)\" and press Save; if it is ticked \
                 already: untick, Save, tick, Save. A legacy line of ours stays ticked until the change-over is done. \
                 Then it presses Generate pairing code and sends you Site ID and code.\n{again}"
            ),
            Self::NoSuchSite => format!(
                "You compare {pms_id} with the Site ID on the practice's pairing screen, and `--environment {environment}` with \
                 the environment of Halo Link there.\n\
                 If both are right, Halo Link is not installed or has never spoken: the practice's IT provider installs Bp's \
                 latest Data Update on the server, which brings Halo Link, and starts the service. Bp developer licences show \
                 Site ID 0: take the Site ID that Halo Link invented, from its log."
            ),
            Self::PracticeSilent => format!(
                "Try again in ten minutes with the same code. If it fails again, the practice's IT provider sees on the \
                 server that the service Halo Link runs, restarts it, and installs Bp's latest Data Update, which brings the \
                 newest Halo Link; pairing by code needs Bp Spectra SP1 Revision 3 or later, or the pairing utility before it.\n\
                 {again}"
            ),
            Self::LinkOffline => format!(
                "The practice's IT provider starts the server, sees in its Services (services.msc) that Halo Link runs, \
                 restarts it if it does, and sees that the server reaches the internet. The code stays good for its seven \
                 days.\n{again}"
            ),
            Self::LinkTooOld { .. } => format!(
                "The practice's IT provider updates Halo Link to {} or later, with Bp's latest Data Update, and restarts \
                 its service.\n{again}",
                faultless_link()
            ),
            Self::PmsFailed => format!(
                "Try again in ten minutes with the same code. If it fails again, ask the practice for its version of Bp: a \
                 pairing code on Bp's own screen needs Spectra SP1 Revision 3 or later; before it, the practice's IT provider \
                 installs a recent Data Update and makes the code with the pairing utility.\n{again}"
            ),
            Self::OtherEnvironment => format!(
                "You set HALO_SUBSCRIPTION_KEY to a key for {environment} from the Integrator Portal: production and stage \
                 have keys of their own. The code is not used up; pair again with it."
            ),
            Self::Elsewhere => error.next_step().to_owned(),
        }
    }

    fn exit_code(&self, error: &RemoteError) -> ExitCode {
        match self {
            Self::PracticeSilent
            | Self::LinkOffline
            | Self::LinkTooOld { .. }
            | Self::PmsFailed => ExitCode::Unavailable,
            Self::Elsewhere => ExitCode::of_failure(error.class()),
            _ => ExitCode::Auth,
        }
    }
}

/// Where Bp keeps its integrations, as its menus name it.
const SCREEN: &str = "Setup > Configuration > Database > Setup third-party integrations";

fn make_a_code() -> String {
    format!(
        "In Bp, by a user with permission to configure: {SCREEN}, tick our line \"(via Halo Connect)\" and press Save, then \
         Generate pairing code; it sends you Site ID and code."
    )
}

/// What a person is told when the API did not pair.
pub(super) fn failure(
    refusal: &Refusal,
    error: &RemoteError,
    pms_id: &PmsId,
    environment: Environment,
) -> Failure {
    Failure::new(
        refusal.exit_code(error),
        format!("{}\n  caused by: {error}", refusal.what()),
    )
    .next(refusal.steps(error, pms_id, environment))
}

/// Refuses a Site ID that cannot be paired by anybody, before the code is spent on it.
pub(super) fn check_pms_id(pms_id: &PmsId, pms: PmsType) -> Result<(), Failure> {
    let is_developer_licence =
        pms == PmsType::BestPractice && pms_id.as_str().chars().all(|digit| digit == '0');
    if !is_developer_licence {
        return Ok(());
    }
    Err(Failure::new(
        ExitCode::Usage,
        "Site ID 0 is what every developer licence of Bp shows, so it names no practice",
    )
    .next(
        "take the Site ID that Halo Link invented for this database: it is in Halo Link's log and in the registry of the \
         server, not on Bp's screens",
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_pairing_is_told_apart_by_what_the_api_says() {
        let of = |said| Refusal::of(Cause::PairingRefused, said);
        for (said, refusal) in [
            ("The pairing code is invalid.", Refusal::WrongCode),
            ("Pairing code has expired", Refusal::ExpiredCode),
            ("The pairing code has already been used.", Refusal::UsedCode),
            (
                "The code was replaced by a newer one.",
                Refusal::ReplacedCode,
            ),
            (
                "The integration is not enabled at the practice.",
                Refusal::Unticked,
            ),
            ("Bad Request", Refusal::Unspecified),
        ] {
            assert_eq!(of(Some(said)), refusal, "{said}");
        }
        assert_eq!(of(None), Refusal::Unspecified);
    }

    fn agent(availability: Availability, link_version: &str) -> RemoteSite {
        RemoteSite {
            guid: "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10"
                .parse()
                .expect("a GUID"),
            pms_type: None,
            pms_id: None,
            practice_name: None,
            pms_version: None,
            link_version: Some(link_version.to_owned()),
            catalogues: Vec::new(),
            availability,
            status: crate::remote::SiteStatus::Active,
            authoritative: None,
            clock: None,
            heartbeat: None,
        }
    }

    #[test]
    fn a_look_at_the_agent_tells_offline_from_too_old_and_changes_nothing_else() {
        let old = "26.407.9115";
        let too_old = || Refusal::LinkTooOld {
            version: old.to_owned(),
        };
        for (availability, version, refusal) in [
            (
                Availability::Offline,
                faultless_link(),
                Refusal::LinkOffline,
            ),
            (Availability::Unreachable, old, Refusal::LinkOffline),
            (Availability::Online, old, too_old()),
            (Availability::Online, faultless_link(), Refusal::PmsFailed),
            (Availability::Unknown, old, Refusal::PracticeSilent),
        ] {
            let agent = agent(availability.clone(), version);
            let seen = Refusal::PracticeSilent.seen(&agent);
            assert_eq!(seen, refusal, "{availability:?} {version}");
            assert_eq!(Refusal::WrongCode.seen(&agent), Refusal::WrongCode);
        }
    }

    #[test]
    fn what_is_no_fault_of_the_code_is_not_blamed_on_it() {
        for (cause, refusal) in [
            (Cause::SiteUnknown, Refusal::NoSuchSite),
            (Cause::PairingFailed, Refusal::PracticeSilent),
            (Cause::SiteOffline, Refusal::PracticeSilent),
            (Cause::KeyRefused, Refusal::OtherEnvironment),
            (Cause::NotReached, Refusal::Elsewhere),
            (Cause::RateLimited, Refusal::Elsewhere),
            (Cause::AddressRefused, Refusal::Elsewhere),
        ] {
            assert_eq!(Refusal::of(cause, Some("expired")), refusal, "{cause:?}");
        }
    }
}

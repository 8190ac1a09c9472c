//! `site verify`: is Halo Link there and running, up to date, and does it have its id?
//!
//! These are the three checks that its owner asks a practice to make. Each is answered as far as Halo Cloud shows it,
//! and for the rest the step at the practice's server is told. No query is sent.

use chrono::TimeDelta;
use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::domain::{Mender, Site, SiteKey, SiteState};
use crate::remote::{
    Availability, Cause, Client, RemoteError, RemoteSite, SiteStatus, faultless_link,
    known_link_faults,
};

use super::known::{failed, known};

/// Halo Link asks for less than this between the practice server's clock and the true time.
const DRIFT: TimeDelta = TimeDelta::minutes(1);

/// Check from afar whether Halo Link is there, runs, is up to date and has its id; tell what to check at the practice
#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// The sites; all that are not withdrawn if absent
    #[arg(value_name = "KEY")]
    sites: Vec<SiteKey>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Yes,
    No,
    /// It cannot be seen from here.
    Unseen,
}

/// One check of a site. Part of the documented JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Check {
    site: SiteKey,
    check: &'static str,
    verdict: Verdict,
    /// What Halo Cloud tells.
    seen: String,
    /// What to do, unless all is well.
    next: Option<String>,
    /// Who does it.
    who: Option<String>,
}

impl Verify {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let client = context.client(&config)?;
        let mut sites = Vec::new();
        for key in &self.sites {
            sites.push(known(&ledger, key)?);
        }
        if self.sites.is_empty() {
            sites = ledger.sites().map_err(failed)?;
            sites.retain(|site| site.state != SiteState::Withdrawn);
        }
        let mut checks = Vec::new();
        for site in &sites {
            let seen = context.block_on(look(&client, site))?;
            checks.extend(judge(site, &seen.map_err(refused)?));
        }
        output::rows(context.format(), &checks)?;
        checks.iter().for_each(Check::explain);
        match checks
            .iter()
            .filter(|check| check.verdict == Verdict::No)
            .count()
        {
            0 => Ok(()),
            count => Err(Failure::new(
                ExitCode::Unavailable,
                format!("{count} of {} checks failed", checks.len()),
            )
            .next("take the steps above, then check again: halo-extract site verify")),
        }
    }
}

/// What Halo Cloud shows of a site.
enum Seen {
    Site(Box<RemoteSite>),
    /// It has no such site.
    Nothing,
    /// It does not let us look.
    Refused,
}

async fn look(client: &Client, site: &Site) -> Result<Seen, RemoteError> {
    let asked = match site.halo_guid {
        Some(guid) => client.site(guid).await.map(Some),
        None => client
            .find_sites(&site.pms_id, site.pms_type)
            .await
            .map(|found| found.into_iter().next()),
    };
    match asked {
        Ok(Some(remote)) => Ok(Seen::Site(Box::new(remote))),
        Ok(None) => Ok(Seen::Nothing),
        Err(error) if error.cause() == Cause::SiteUnknown => Ok(Seen::Nothing),
        Err(error) if error.cause() == Cause::SiteRefused => Ok(Seen::Refused),
        Err(error) => Err(error),
    }
}

fn refused(error: RemoteError) -> Failure {
    let (code, next) = (ExitCode::of_failure(error.class()), error.next_step());
    Failure::new(code, error).next(next)
}

/// The checks of a site, each with its answer and, unless it is yes, the next step.
fn judge(site: &Site, seen: &Seen) -> Vec<Check> {
    let mut answers = match seen {
        Seen::Site(remote) => [
            present(remote),
            running(remote),
            up_to_date(remote),
            has_its_id(site, remote),
            clock(remote),
            same_practice(site, remote),
        ],
        Seen::Nothing | Seen::Refused => {
            [(); 6].map(|()| (Verdict::Unseen, "cannot be seen from here".to_owned()))
        }
    };
    match seen {
        Seen::Nothing => {
            let unknown = format!("Halo Cloud knows no site with the id {}", site.pms_id);
            answers[0] = (Verdict::No, unknown);
        }
        Seen::Refused if site.halo_guid.is_some() => {
            let refused = "Halo Cloud refuses to show it: another Halo Link may answer for the practice now, or the pairing has ended";
            answers[3] = (Verdict::No, refused.to_owned());
        }
        Seen::Refused => {
            let unpaired = "not paired; Halo Cloud shows paired sites only";
            answers[0] = (Verdict::Unseen, unpaired.to_owned());
        }
        Seen::Site(_) => {}
    }
    let removed = matches!(seen, Seen::Site(remote) if remote.status == SiteStatus::Removed);
    let checks = answers
        .into_iter()
        .zip(CHECKS)
        .map(|((verdict, told), check)| {
            let (next, who) = match check {
                "present" if removed => (
                    "ask Halo support why the site was removed".to_owned(),
                    Mender::HaloSupport,
                ),
                "same practice" => (on_site(check, site), Mender::Operator),
                _ => (on_site(check, site), Mender::Practice),
            };
            let open = verdict != Verdict::Yes;
            Check {
                site: site.key.clone(),
                check,
                verdict,
                seen: told,
                next: open.then_some(next),
                who: open.then(|| who.to_string()),
            }
        });
    checks.collect()
}

const CHECKS: [&str; 6] = [
    "present",
    "running",
    "up to date",
    "has its id",
    "clock",
    "same practice",
];

type Answer = (Verdict, String);

fn present(remote: &RemoteSite) -> Answer {
    match remote.status {
        SiteStatus::Active => (Verdict::Yes, "in use".to_owned()),
        SiteStatus::Initialising => (Verdict::No, "being set up".to_owned()),
        SiteStatus::Removed => (Verdict::No, "removed by the API's owner".to_owned()),
        SiteStatus::Uninstalled => (Verdict::No, "uninstalled at the practice".to_owned()),
        SiteStatus::Unknown => (Verdict::Unseen, "not told".to_owned()),
    }
}

fn running(remote: &RemoteSite) -> Answer {
    let heard = remote.heartbeat.map_or(String::new(), |at| {
        format!("; last heard {}", at.format("%Y-%m-%d %H:%M UTC"))
    });
    match remote.availability {
        Availability::Online => (Verdict::Yes, format!("online{heard}")),
        Availability::Offline => (Verdict::No, format!("it closed its connection{heard}")),
        Availability::Unreachable => (Verdict::No, format!("silent for minutes{heard}")),
        Availability::Unknown => (Verdict::Unseen, "not told".to_owned()),
    }
}

fn up_to_date(remote: &RemoteSite) -> Answer {
    let Some(version) = &remote.link_version else {
        return (Verdict::Unseen, "its version is not told".to_owned());
    };
    let faults = known_link_faults(version);
    if faults.is_empty() {
        return (Verdict::Yes, format!("{version}, no known fault"));
    }
    let faults: Vec<_> = faults
        .iter()
        .map(|fault| fault.what.trim_end_matches('.'))
        .collect();
    (Verdict::No, format!("{version}: {}", faults.join("; ")))
}

fn has_its_id(site: &Site, remote: &RemoteSite) -> Answer {
    let told = remote.pms_id.as_deref();
    if remote.authoritative == Some(false) {
        return (
            Verdict::No,
            format!(
                "{} does not answer for the practice: another Halo Link does",
                remote.guid
            ),
        );
    }
    match told {
        Some(id) if id == site.pms_id.as_str() => {
            (Verdict::Yes, format!("{} for Site ID {id}", remote.guid))
        }
        Some(id) => (
            Verdict::No,
            format!("{} is of Site ID {id}, not {}", remote.guid, site.pms_id),
        ),
        None => (
            Verdict::Unseen,
            format!("{}, its Site ID is not told", remote.guid),
        ),
    }
}

fn clock(remote: &RemoteSite) -> Answer {
    let (Some(clock), Some(heartbeat)) = (remote.clock, remote.heartbeat) else {
        return (Verdict::Unseen, "not told".to_owned());
    };
    let drift = clock - heartbeat;
    if drift.abs() < DRIFT {
        (Verdict::Yes, "right".to_owned())
    } else {
        (Verdict::No, format!("off by {} s", drift.num_seconds()))
    }
}

fn same_practice(site: &Site, remote: &RemoteSite) -> Answer {
    match (&site.practice_name, &remote.practice_name) {
        (Some(ours), Some(theirs)) if ours == theirs => (Verdict::Yes, ours.clone()),
        (Some(ours), Some(theirs)) => (
            Verdict::No,
            format!("{theirs}, and {ours} when it was paired"),
        ),
        _ => (Verdict::Unseen, "its name is not told".to_owned()),
    }
}

/// The step at the practice.
fn on_site(check: &str, site: &Site) -> String {
    match check {
        "present" => "on the database server, Services (services.msc) must list the service of Halo Link; if it does not, install the \
                      latest Data Update of Bp (.NET Framework 4.8 is needed)"
            .to_owned(),
        "running" => "in Services its status must be Running: start it; if it runs, see whether the server reaches the internet, then \
                      restart the service"
            .to_owned(),
        "up to date" => format!(
            "Halo Link updates itself every hour unless updates are put off: update it to {} or later, by hand if need be",
            faultless_link()
        ),
        "has its id" => match site.halo_guid {
            Some(guid) => format!(
                "on the server, the registry value HaloGUIDs must hold {guid} (dashes and case do not matter), and Bp must show the \
                 Site ID {}; if the practice has two servers, Halo support switches to the right one; if the pairing ended, ask for a new \
                 code",
                site.pms_id
            ),
            None => format!(
                "on the server, the registry value HaloGUIDs must not be empty, and Bp must show the Site ID {}",
                site.pms_id
            ),
        },
        "clock" => "let the server follow a time server: its clock may be off by less than 60 seconds".to_owned(),
        _ => "ask the practice what it is called, and whether it merged or moved, before anything is extracted".to_owned(),
    }
}

impl Check {
    fn explain(&self) {
        if let (Some(next), Some(who)) = (&self.next, &self.who) {
            remark(&format!(
                "\n{}: {}: {}\n  next ({who}): {next}",
                self.site, self.check, self.seen
            ));
        }
    }
}

impl Row for Check {
    const HEADINGS: &'static [&'static str] = &["SITE", "CHECK", "VERDICT", "SEEN FROM HALO CLOUD"];

    fn cells(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Yes => "yes",
            Verdict::No => "NO",
            Verdict::Unseen => "unseen",
        };
        vec![
            self.site.to_string(),
            self.check.to_owned(),
            verdict.to_owned(),
            self.seen.clone(),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{PmsType, SiteOverrides};

    fn site(halo_guid: Option<&str>) -> Site {
        Site {
            key: "s40123".parse().expect("a key"),
            pms_type: PmsType::BestPractice,
            pms_id: "40123".parse().expect("an id"),
            halo_guid: halo_guid.map(|guid| guid.parse().expect("a GUID")),
            practice_name: None,
            link_version: None,
            pms_version: None,
            catalogues: Vec::new(),
            time_zone: chrono_tz::Australia::Brisbane,
            groups: Vec::new(),
            state: SiteState::Held,
            paused_until: None,
            overrides: SiteOverrides::default(),
        }
    }

    fn verdicts(checks: &[Check]) -> Vec<Verdict> {
        checks.iter().map(|check| check.verdict).collect()
    }

    #[test]
    fn a_site_that_was_never_paired_is_not_accused_and_gets_every_step() {
        let checks = judge(&site(None), &Seen::Refused);
        assert_eq!(verdicts(&checks), [Verdict::Unseen; 6]);
        assert!(
            checks.iter().all(|check| check.next.is_some()),
            "{checks:?}"
        );
    }

    #[test]
    fn a_paired_site_that_is_refused_has_lost_its_id() {
        let guid = "5f0c2a52-7a4e-4a0b-8d53-9b1f6d2c7e10";
        let checks = judge(&site(Some(guid)), &Seen::Refused);
        let lost: Vec<_> = checks
            .iter()
            .filter(|check| check.verdict == Verdict::No)
            .collect();
        assert_eq!(lost.len(), 1, "{checks:?}");
        assert_eq!(lost[0].check, "has its id");
        assert!(
            lost[0]
                .next
                .as_ref()
                .is_some_and(|next| next.contains(guid))
        );
    }

    #[test]
    fn a_site_that_halo_cloud_does_not_know_has_no_link() {
        let checks = judge(&site(None), &Seen::Nothing);
        assert_eq!(checks[0].check, "present");
        assert_eq!(checks[0].verdict, Verdict::No);
    }
}

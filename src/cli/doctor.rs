//! `doctor`: looks at everything that a night needs, and says for each fault what to do and who does it.

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use serde::Serialize;
use std::time::Duration;

use crate::config::Config;
use crate::domain::{Mender, PmsId, PmsType, Site, SiteKey, SiteState};
use crate::ledger::Ledger;
use crate::remote::{Client, RemoteError, RemoteSite, Statement, known_link_faults};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Row};
use super::report::{Failure, remark};
use super::site;

/// Clocks may differ by this much; Halo Link itself asks for less than a minute at the practice.
const DRIFT: TimeDelta = TimeDelta::minutes(1);

/// A site id that no practice has: looking it up tries the key and asks no practice.
const NOBODY: &str = "halo-extract-doctor";

/// Check settings, queries, ledger, storage, key and sites; each finding with the next step
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Only this site; may be given more than once. All paired sites if absent
    #[arg(long = "site", value_name = "KEY")]
    sites: Vec<SiteKey>,
    /// Also ask each site `SELECT 1`: this is a query that counts
    #[arg(long)]
    probe: bool,
}

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Verdict {
    Well,
    Note,
    Fault,
}

/// One finding. Part of the documented JSON.
#[derive(Debug, Serialize)]
struct Finding {
    about: String,
    verdict: Verdict,
    what: String,
    next: Option<String>,
    who: Option<String>,
    #[serde(skip)]
    code: ExitCode,
}

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let mut findings = vec![well(
            "settings",
            format!("valid; environment {}", config.environment),
        )];
        findings.push(queries(context, &config));
        findings.push(storage(context, &config));
        let ledger = match context.ledger(&config) {
            Ok(ledger) => {
                findings.push(well("ledger", ledger.path().display().to_string()));
                Some(ledger)
            }
            Err(failure) => {
                findings.push(broken("ledger", &failure));
                None
            }
        };
        match context.client(&config) {
            Ok(client) => self.ask_api(context, &client, ledger.as_deref(), &mut findings)?,
            Err(failure) => findings.push(broken("key", &failure)),
        }
        output::rows(context.format(), &findings)?;
        findings
            .iter()
            .filter(|finding| finding.verdict != Verdict::Well)
            .for_each(Finding::explain);
        let worst = findings
            .iter()
            .find(|finding| finding.verdict == Verdict::Fault);
        Ok(worst.map_or(ExitCode::Ok, |finding| finding.code))
    }

    fn ask_api(
        &self,
        context: &Context,
        client: &Client,
        ledger: Option<&Ledger>,
        findings: &mut Vec<Finding>,
    ) -> Result<(), Failure> {
        let nobody: PmsId = NOBODY.parse().expect("visible characters");
        match context.block_on(client.find_sites(&nobody, PmsType::BestPractice))? {
            Ok(_) => findings.push(well("key", "accepted by the API")),
            Err(error) => {
                findings.push(refused("key", &error));
                return Ok(());
            }
        }
        let Some(ledger) = ledger else { return Ok(()) };
        for site in self.sites(ledger)? {
            match (site.state, site.halo_guid) {
                (SiteState::Withdrawn, _) => {}
                (_, None) => findings.push(note(
                    &site.key,
                    "not paired",
                    format!(
                        "halo-extract site pair --pms-id {} --code CODE",
                        site.pms_id
                    ),
                    Mender::Operator,
                )),
                (_, Some(guid)) => match context.block_on(client.site(guid))? {
                    Ok(remote) => {
                        look_at(&site, &remote, Utc::now(), findings);
                        if self.probe {
                            findings.push(probe(context, client, &site)?);
                        }
                    }
                    Err(error) => findings.push(refused(site.key.as_str(), &error)),
                },
            }
        }
        Ok(())
    }

    fn sites(&self, ledger: &Ledger) -> Result<Vec<Site>, Failure> {
        if self.sites.is_empty() {
            return ledger
                .sites()
                .map_err(|error| Failure::new(ExitCode::Failed, error));
        }
        self.sites
            .iter()
            .map(|key| site::known(ledger, key))
            .collect()
    }
}

fn queries(context: &Context, config: &Config) -> Finding {
    match context.catalog(config) {
        Ok(catalog) => well(
            "queries",
            format!("{} current, all valid", catalog.current_queries().count()),
        ),
        Err(failure) => broken("queries", &failure),
    }
}

fn storage(context: &Context, config: &Config) -> Finding {
    let tried = context.store(config).and_then(|store| {
        context
            .block_on(store.probe(config.environment))?
            .map_err(|error| Failure::new(ExitCode::Unavailable, error))
    });
    match tried {
        Ok(()) => well(
            "storage",
            format!("{} can be written, read and deleted", config.storage),
        ),
        Err(failure) => broken("storage", &failure),
    }
}

/// What the API tells of a site, without asking the practice anything.
fn look_at(site: &Site, remote: &RemoteSite, now: DateTime<Utc>, findings: &mut Vec<Finding>) {
    let version = remote.link_version.as_deref().unwrap_or("unknown");
    if remote.can_be_asked() {
        findings.push(well(
            site.key.as_str(),
            format!("{}; online; Halo Link {version}", site.state),
        ));
    } else {
        findings.push(note(
            &site.key,
            format!("{:?}, {:?}", remote.availability, remote.status).to_lowercase(),
            "at night nothing; in business hours ask the practice whether its server and Halo Link run",
            Mender::Practice,
        ));
    }
    for fault in remote
        .link_version
        .as_deref()
        .map(known_link_faults)
        .unwrap_or_default()
    {
        let next = format!(
            "ask the practice to update Halo Link to {} or later",
            fault.mended_in
        );
        findings.push(note(
            &site.key,
            format!("Halo Link {version}: {}", fault.what),
            next,
            Mender::Practice,
        ));
    }
    if let (Some(clock), Some(heartbeat)) = (remote.clock, remote.heartbeat)
        && (clock - heartbeat).abs() >= DRIFT
    {
        let what = format!(
            "the practice server's clock is off by {} s",
            (clock - heartbeat).num_seconds()
        );
        findings.push(note(
            &site.key,
            what,
            "have the server set its clock by NTP",
            Mender::Practice,
        ));
    }
    if let Some(heartbeat) = remote.heartbeat
        && heartbeat - now >= DRIFT
    {
        let what = "this machine's clock is behind the API's";
        findings.push(note(
            &site.key,
            what,
            "set the clock of this machine by NTP",
            Mender::Operator,
        ));
    }
    if site.practice_name.is_some() && site.practice_name != remote.practice_name {
        let what = "the practice's name is another one than at pairing";
        let next = "ask the practice whether it merged or was renamed before the next night";
        findings.push(note(&site.key, what, next, Mender::Operator));
    }
}

fn probe(context: &Context, client: &Client, site: &Site) -> Result<Finding, Failure> {
    let Some(guid) = site.halo_guid else {
        return Ok(note(
            &site.key,
            "not paired",
            "pair it first",
            Mender::Operator,
        ));
    };
    let statement = Statement {
        text: "SELECT 1 AS one".to_owned(),
        catalogue: None,
        parameters: Vec::new(),
        max_time_in_queue: Duration::from_secs(30),
    };
    Ok(
        match context.block_on(client.immediate(guid, &statement))? {
            Ok(_) => well(site.key.as_str(), "answers a query"),
            Err(error) => refused(site.key.as_str(), &error),
        },
    )
}

fn well(about: &str, what: impl Into<String>) -> Finding {
    Finding {
        about: about.to_owned(),
        verdict: Verdict::Well,
        what: what.into(),
        next: None,
        who: None,
        code: ExitCode::Ok,
    }
}

fn note(site: &SiteKey, what: impl Into<String>, next: impl Into<String>, who: Mender) -> Finding {
    Finding {
        about: site.to_string(),
        verdict: Verdict::Note,
        what: what.into(),
        next: Some(next.into()),
        who: Some(who.to_string()),
        code: ExitCode::Ok,
    }
}

fn refused(about: &str, error: &RemoteError) -> Finding {
    Finding {
        about: about.to_owned(),
        verdict: Verdict::Fault,
        what: error.to_string(),
        next: Some(error.next_step().to_owned()),
        who: Some(error.mender().to_string()),
        code: ExitCode::of_failure(error.class()),
    }
}

fn broken(about: &str, failure: &Failure) -> Finding {
    Finding {
        about: about.to_owned(),
        verdict: Verdict::Fault,
        what: failure.what(),
        next: failure.next_step(),
        who: Some(Mender::Operator.to_string()),
        code: failure.code,
    }
}

impl Finding {
    fn explain(&self) {
        let next = self.next.as_deref().unwrap_or("-");
        let who = self.who.as_deref().unwrap_or("the operator");
        remark(&format!(
            "\n{}: {}\n  next ({who}): {next}",
            self.about, self.what
        ));
    }
}

impl Row for Finding {
    const HEADINGS: &'static [&'static str] = &["ABOUT", "VERDICT", "WHAT"];

    fn cells(&self) -> Vec<String> {
        let verdict = match self.verdict {
            Verdict::Well => "well",
            Verdict::Note => "note",
            Verdict::Fault => "FAULT",
        };
        vec![
            self.about.clone(),
            verdict.to_owned(),
            self.what.lines().next().unwrap_or_default().to_owned(),
        ]
    }
}

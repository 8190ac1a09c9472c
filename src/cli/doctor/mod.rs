//! `doctor`: looks at everything that a night needs, and says for each fault what to do and who does it.

mod finding;
mod site;

use chrono::{DateTime, TimeDelta, Utc};
use clap::Args;
use std::time::Duration;

use crate::catalog::Catalog;
use crate::config::Config;
use crate::domain::{Mender, Site, SiteKey, SiteState};
use crate::ledger::Ledger;
use crate::remote::{Client, Statement};

use super::carry_out::has_pseudonyms;
use super::context::Context;
use super::exit_code::ExitCode;
use super::output;
use super::report::Failure;
use super::site::known;
use finding::{Finding, Verdict};

/// Our clock and the API's may differ by this much: windows, leases and signatures are read by ours.
const DRIFT: TimeDelta = TimeDelta::minutes(1);

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

impl Doctor {
    pub(crate) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = context.config()?;
        let mut findings = vec![Finding::well(
            "settings",
            format!("valid; environment {}", config.environment),
        )];
        let catalog = told(
            &mut findings,
            "queries",
            context.catalog(&config),
            |catalog| {
                let count = catalog.current_queries().count();
                vec![Finding::well(
                    "queries",
                    format!("{count} current, all valid"),
                )]
            },
        );
        findings.push(storage(context, &config));
        let ledger = told(&mut findings, "ledger", context.ledger(&config), |ledger| {
            vec![ledger_health(ledger)]
        });
        if let Some(catalog) = &catalog {
            findings.extend(pseudonym_key(context, &config, catalog, ledger.as_deref()));
        }
        if let Some(client) = told(&mut findings, "key", context.client(&config), |_| {
            Vec::new()
        }) {
            let sites = Sites {
                context,
                client: &client,
                catalog: catalog.as_ref(),
            };
            if sites.key_and_clock(&mut findings)?
                && let Some(ledger) = &ledger
            {
                for site in self.sites(ledger)? {
                    findings.extend(sites.look(&site, self.probe.then_some(&**ledger))?);
                }
            }
        }
        output::rows(context.format(), &findings)?;
        findings.iter().for_each(Finding::explain);
        let worst = findings
            .iter()
            .find(|finding| finding.verdict == Verdict::Fault);
        Ok(worst.map_or(ExitCode::Ok, |finding| finding.code))
    }

    fn sites(&self, ledger: &Ledger) -> Result<Vec<Site>, Failure> {
        if self.sites.is_empty() {
            return ledger
                .sites()
                .map_err(|error| Failure::new(ExitCode::Failed, error));
        }
        self.sites.iter().map(|key| known(ledger, key)).collect()
    }
}

/// Adds what a thing's state is worth saying, or why it cannot be had, and hands it on.
fn told<T>(
    findings: &mut Vec<Finding>,
    about: &str,
    had: Result<T, Failure>,
    findings_of: impl FnOnce(&T) -> Vec<Finding>,
) -> Option<T> {
    match had {
        Ok(thing) => {
            findings.extend(findings_of(&thing));
            Some(thing)
        }
        Err(failure) => {
            findings.push(Finding::broken(about, &failure));
            None
        }
    }
}

fn storage(context: &Context, config: &Config) -> Finding {
    let tried = context.store(config).and_then(|store| {
        context
            .block_on(store.probe(config.environment))?
            .map_err(|error| Failure::new(ExitCode::Unavailable, error))
    });
    match tried {
        Ok(()) => Finding::well(
            "storage",
            format!("{} can be written, read and deleted", config.storage),
        ),
        Err(failure) => Finding::broken("storage", &failure),
    }
}

fn ledger_health(ledger: &Ledger) -> Finding {
    let path = ledger.path().display();
    match ledger.health() {
        Ok(health) if health.faults.is_empty() => {
            Finding::well("ledger", format!("{path}; whole; schema {}", health.schema))
        }
        Ok(health) => Finding::fault(
            "ledger",
            format!("{path} is damaged: {}", health.faults.join("; ")),
            "stop what uses it, keep a copy of the file with its -wal and -shm, check the disk, and restore the last backup",
            Mender::Operator,
            ExitCode::Failed,
        ),
        Err(error) => Finding::broken("ledger", &Failure::new(ExitCode::Failed, error)),
    }
}

/// Whether the key of pseudonyms is there and the one that objects were written with; nothing where no query
/// needs it. Looking records nothing.
fn pseudonym_key(
    context: &Context,
    config: &Config,
    catalog: &Catalog,
    ledger: Option<&Ledger>,
) -> Option<Finding> {
    const ABOUT: &str = "pseudonym key";
    if !catalog.current_queries().any(has_pseudonyms) {
        return None;
    }
    let key = match context.pseudonym_key(config) {
        Ok(key) => key,
        Err(failure) => return Some(Finding::broken(ABOUT, &failure)),
    };
    let recorded = ledger.and_then(|ledger| ledger.pseudonym_key().ok()?);
    Some(match recorded {
        Some(recorded) if recorded.id != key.id() => Finding::fault(
            ABOUT,
            format!(
                "has the id {}, while objects are written with {} since {}",
                key.id(),
                recorded.id,
                recorded.since.format("%Y-%m-%d")
            ),
            "put the former key back; if the key is meant to change: halo-extract privacy rotate-key --reason TEXT",
            Mender::Operator,
            ExitCode::Config,
        ),
        _ => Finding::well(ABOUT, format!("id {}", key.id())),
    })
}

/// What is needed to look at sites.
struct Sites<'a> {
    context: &'a Context,
    client: &'a Client,
    catalog: Option<&'a Catalog>,
}

impl Sites<'_> {
    /// Tries the key and reads the API's clock by one call that asks no practice; whether the key is accepted.
    fn key_and_clock(&self, findings: &mut Vec<Finding>) -> Result<bool, Failure> {
        let tried = self.context.block_on(self.client.try_key())?;
        let now = Utc::now();
        Ok(match tried {
            Ok(theirs) => {
                findings.push(Finding::well("key", "accepted by the API"));
                findings.extend(theirs.map(|theirs| clock(theirs, now)));
                true
            }
            Err(error) => {
                findings.push(Finding::refused("key", &error));
                false
            }
        })
    }

    /// What the API tells of a site and, where a query may be spent on it, whether it answers one; `probe` counts it.
    fn look(&self, site: &Site, probe: Option<&Ledger>) -> Result<Vec<Finding>, Failure> {
        let guid = match (site.state, site.halo_guid) {
            (SiteState::Withdrawn, _) => return Ok(Vec::new()),
            (_, Some(guid)) => guid,
            (_, None) => {
                let next = format!("halo-extract site pair --pms-id {} --code -", site.pms_id);
                let note = Finding::note(site.key.as_str(), "not paired", next, Mender::Operator);
                return Ok(vec![note]);
            }
        };
        let mut findings = match self.context.block_on(self.client.site(guid))? {
            Ok(remote) => site::look_at(site, &remote, self.catalog),
            Err(error) => return Ok(vec![Finding::refused(site.key.as_str(), &error)]),
        };
        if let Some(ledger) = probe {
            ledger
                .count_immediate(&site.key, Utc::now())
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            let asked = self
                .context
                .block_on(self.client.immediate(guid, &smallest()))?;
            findings.push(match asked {
                Ok(_) => Finding::well(site.key.as_str(), "answers a query"),
                Err(error) => Finding::refused(site.key.as_str(), &error),
            });
        }
        Ok(findings)
    }
}

/// Compares the clocks; the API tells whole seconds.
fn clock(theirs: DateTime<Utc>, ours: DateTime<Utc>) -> Finding {
    let off = ours - theirs;
    let seconds = off.num_seconds().abs();
    if off.abs() < DRIFT {
        return Finding::well("clock", format!("within {seconds} s of the API's"));
    }
    let side = if off > TimeDelta::zero() {
        "ahead of"
    } else {
        "behind"
    };
    Finding::note(
        "clock",
        format!("this machine's clock is {seconds} s {side} the API's"),
        "set the clock of this machine by NTP: windows, leases and webhook signatures are read by it",
        Mender::Operator,
    )
}

/// A query that costs the practice next to nothing.
fn smallest() -> Statement {
    Statement {
        text: "SELECT 1 AS one".to_owned(),
        catalogue: None,
        parameters: Vec::new(),
        max_time_in_queue: Duration::from_secs(30),
    }
}

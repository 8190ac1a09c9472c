//! `site activate`, `hold`, `pause`, `withdraw`: the changes of a site's state, of one, several or a group.

use chrono::{NaiveDate, Utc};
use clap::Args;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format};
use crate::cli::report::{Failure, remark};
use crate::domain::{Refused, Site, SiteEvent, SiteKey, transition};
use crate::ledger::Ledger;

use super::known::{failed, known, of_group, toward_active};
use super::list::Listed;

/// The sites to change, and why
#[derive(Debug, Clone, Args)]
pub(crate) struct Chosen {
    /// The sites
    #[arg(required_unless_present = "group", value_name = "KEY")]
    pub(super) sites: Vec<SiteKey>,
    /// Every site of a group that is not withdrawn; may be given more than once
    // Its own id: `groups` is what other commands call theirs.
    #[arg(long = "group", id = "group", value_name = "NAME")]
    pub(super) groups: Vec<String>,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub(super) reason: String,
}

/// Stop extraction for a while, for good or until a date
#[derive(Debug, Args)]
pub(crate) struct Pause {
    #[command(flatten)]
    chosen: Chosen,
    /// First day on which the site is extracted from again, in its own calendar; until it is activated if absent
    #[arg(long, value_name = "DATE")]
    until: Option<NaiveDate>,
}

/// What is to happen to sites, and what the audit calls it.
pub(super) struct Step {
    pub(super) action: &'static str,
    pub(super) event: SiteEvent,
    /// The end of a pause.
    pub(super) until: Option<NaiveDate>,
}

impl Step {
    pub(super) fn new(action: &'static str, event: SiteEvent) -> Self {
        Self {
            action,
            event,
            until: None,
        }
    }
}

impl Pause {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        if let Some(until) = self.until
            && until <= Utc::now().date_naive()
        {
            return Err(Failure::new(
                ExitCode::Usage,
                format!("the pause would end on {until}, which has come"),
            )
            .next(
                "--until is the first day on which the site is extracted from again, after today",
            ));
        }
        let step = Step {
            until: self.until,
            ..Step::new("pause", SiteEvent::Pause)
        };
        self.chosen.apply(context, &step)
    }
}

impl Chosen {
    /// Lets the event happen to each site; those that do not allow it are told, and the others are changed.
    pub(super) fn apply(&self, context: &Context, step: &Step) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let sites = self.find(&ledger)?;
        let (mut changed, mut refused) = (Vec::new(), Vec::new());
        for site in sites {
            let why = context.change(step.action, &self.reason);
            match change(&ledger, &site.key, step, &why)? {
                Ok(site) => changed.push(site),
                Err(refusal) => refused.push((site, refusal)),
            }
        }
        let rows: Vec<Listed> = changed.iter().map(Listed::of).collect();
        if !rows.is_empty() {
            output::rows(context.format(), &rows)?;
        }
        if context.format() == Format::Table {
            tell_what_follows(step, &changed);
        }
        refusal(step, &refused, changed.len())
    }

    /// The sites that are meant, each once, in the order given.
    pub(super) fn find(&self, ledger: &Ledger) -> Result<Vec<Site>, Failure> {
        let mut found: Vec<Site> = Vec::new();
        for key in &self.sites {
            found.push(known(ledger, key)?);
        }
        for group in &self.groups {
            for site in of_group(ledger, group)? {
                if !found.iter().any(|other| other.key == site.key) {
                    found.push(site);
                }
            }
        }
        Ok(found)
    }
}

/// Lets the event happen to one site as it stands at this moment.
pub(super) fn change(
    ledger: &Ledger,
    key: &SiteKey,
    step: &Step,
    change: &crate::ledger::Change,
) -> Result<Result<Site, Refused>, Failure> {
    let mut outcome = None;
    ledger
        .change_site(key, change, |site| {
            let next = transition(site.state, step.event);
            if let Ok(state) = next {
                site.stand(state);
                site.paused_until = step.until;
            }
            outcome = Some(next.map(|_| site.clone()));
        })
        .map_err(failed)?;
    Ok(outcome.expect("the ledger lets a site be changed or fails"))
}

fn tell_what_follows(step: &Step, changed: &[Site]) {
    let Some(first) = changed.first() else { return };
    let key = &first.key;
    match step.event {
        SiteEvent::Activate => remark(&format!(
            "next: the coming nights extract from it; to extract now: halo-extract run --site {key}"
        )),
        SiteEvent::Hold | SiteEvent::Pause if step.until.is_none() => remark(&format!(
            "next: nothing is asked of it until: halo-extract site activate {key} --reason TEXT"
        )),
        SiteEvent::Pause => {
            remark("next: nothing; it is extracted from again by itself from that day on");
        }
        SiteEvent::Withdraw | SiteEvent::Reject => remark(&format!(
            "next: nothing is asked of it any more, and what was at work was called off. What is published still stands; to remove \
             it, with a receipt: halo-extract output forget --site {key} --reason TEXT"
        )),
        SiteEvent::Accept => remark(&format!(
            "next: it is held; to go on extracting: halo-extract site activate {key} --reason TEXT"
        )),
        _ => {}
    }
}

/// The failure that lists the sites that do not allow what was asked.
fn refusal(step: &Step, refused: &[(Site, Refused)], changed: usize) -> Result<(), Failure> {
    let Some((first, _)) = refused.first() else {
        return Ok(());
    };
    let code = if changed == 0 {
        ExitCode::Failed
    } else {
        ExitCode::Partly
    };
    let lines: Vec<String> = refused
        .iter()
        .map(|(site, why)| format!("{} {}: {why}", step.action, site.key))
        .collect();
    Err(Failure::new(code, lines.join("\n")).next(toward_active(first)))
}

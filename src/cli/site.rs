//! `site`: the practices, from the pairing code on.

use std::io::Read;

use chrono_tz::Tz;
use clap::{Args, Subcommand};
use secrecy::SecretString;
use serde::Serialize;

use crate::domain::{
    FailureClass, PmsId, PmsType, Site as Record, SiteEvent, SiteKey, SiteState, transition,
};
use crate::remote::{RemoteError, RemoteSite};

use super::context::Context;
use super::exit_code::ExitCode;
use super::output::{self, Format, Row};
use super::report::{Failure, remark};

/// Practices, from pairing to withdrawal
#[derive(Debug, Subcommand)]
pub(crate) enum Site {
    Pair(Pair),
    /// List the sites with state, practice name and versions
    List,
    /// Begin extraction from held or paused sites
    Activate(Chosen),
    /// Stop extraction until sites are activated again
    Hold(Chosen),
    /// Stop extraction for a while
    Pause(Chosen),
    /// End extraction for good; what is published stays
    Withdraw(Chosen),
    Review(Review),
}

/// Pair a practice with the Site ID and the pairing code that it sends; leaves it held
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The practice's Site ID, as its screen shows it
    #[arg(long, value_name = "ID")]
    pms_id: PmsId,
    /// The pairing code; `-` reads it from standard input, so that it stays out of the shell's history
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// Our name of the site; `s` and the Site ID if absent
    #[arg(long, value_name = "KEY")]
    key: Option<SiteKey>,
    /// The practice management system
    #[arg(long, default_value = "best-practice", value_name = "TYPE")]
    pms: PmsType,
    /// The site's time zone, in which its windows and schedules are read
    #[arg(long, default_value = "Australia/Sydney", value_name = "ZONE")]
    time_zone: Tz,
    /// A group of the site, for selection and roll-out; may be given more than once
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
}

/// The sites to change, and why
#[derive(Debug, Args)]
pub(crate) struct Chosen {
    /// The sites
    #[arg(required = true, value_name = "KEY")]
    sites: Vec<SiteKey>,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "")]
    reason: String,
}

/// Settle whether a site under review is still the same practice
#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    chosen: Chosen,
    /// It is the same practice; the site is held until it is activated
    #[arg(long, conflicts_with = "reject", required_unless_present = "reject")]
    accept: bool,
    /// It is another practice; the site is withdrawn
    #[arg(long)]
    reject: bool,
}

impl Site {
    pub(crate) fn run(&self, context: &Context) -> Result<(), Failure> {
        match self {
            Self::Pair(pair) => pair.run(context),
            Self::List => list(context),
            Self::Activate(chosen) => chosen.apply(context, "activate", SiteEvent::Activate),
            Self::Hold(chosen) => chosen.apply(context, "hold", SiteEvent::Hold),
            Self::Pause(chosen) => chosen.apply(context, "pause", SiteEvent::Pause),
            Self::Withdraw(chosen) => chosen.apply(context, "withdraw", SiteEvent::Withdraw),
            Self::Review(review) if review.accept => {
                review
                    .chosen
                    .apply(context, "review --accept", SiteEvent::Accept)
            }
            Self::Review(review) => {
                review
                    .chosen
                    .apply(context, "review --reject", SiteEvent::Reject)
            }
        }
    }
}

impl Pair {
    fn run(&self, context: &Context) -> Result<(), Failure> {
        let code = self.code()?;
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let client = context.client(&config)?;
        let key = self
            .key
            .clone()
            .unwrap_or_else(|| SiteKey::from_pms_id(&self.pms_id));
        let paired = context.block_on(client.pair_site(&self.pms_id, self.pms, code.as_ref()))?;
        let remote = paired.map_err(|error| refused(error, &self.pms_id))?;
        let before = ledger
            .site(&key)
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        let site = self.site(key, &remote, before);
        ledger
            .put_site(&site, &context.change("pair", "paired by code"))
            .map_err(|error| Failure::new(ExitCode::Failed, error))?;
        if context.format() == Format::Table {
            remark(&format!(
                "paired {} with {} ({}); it is {}",
                site.key,
                site.practice_name
                    .as_deref()
                    .unwrap_or("a practice without a name"),
                site.pms_id,
                site.state
            ));
            if site.state == SiteState::Held {
                remark(&format!(
                    "next: halo-extract site activate {} --reason \"practice agreed\"",
                    site.key
                ));
            }
        }
        output::rows(context.format(), &[Listed::of(&site)])
    }

    /// The code, from the flag or standard input; Best Practice always needs one.
    fn code(&self) -> Result<Option<SecretString>, Failure> {
        let text = match self.code.as_deref() {
            Some("-") => {
                let mut text = String::new();
                std::io::stdin()
                    .read_to_string(&mut text)
                    .map_err(|error| Failure::new(ExitCode::Usage, error))?;
                text
            }
            Some(text) => text.to_owned(),
            None => String::new(),
        };
        match (text.trim(), self.pms) {
            ("", PmsType::BestPractice) => Err(Failure::new(ExitCode::Usage, "a Best Practice site is paired by a pairing code, and none was given")
                .next("ask the practice for it, then: --code CODE, or --code - to read it from standard input")),
            ("", _) => Ok(None),
            (code, _) => Ok(Some(SecretString::from(code))),
        }
    }

    /// Our record of what was paired: what is known stays, what the API tells is new, and a new site is held.
    fn site(&self, key: SiteKey, remote: &RemoteSite, before: Option<Record>) -> Record {
        let stood = before
            .as_ref()
            .map_or(SiteState::Invited, |site| site.state);
        let state = transition(stood, SiteEvent::Pair).unwrap_or(SiteState::Held);
        let (mut groups, overrides) = before
            .map(|site| (site.groups, site.overrides))
            .unwrap_or_default();
        groups.extend(
            self.groups
                .iter()
                .filter(|group| !groups.contains(group))
                .cloned()
                .collect::<Vec<_>>(),
        );
        Record {
            key,
            pms_type: self.pms,
            pms_id: self.pms_id.clone(),
            halo_guid: Some(remote.guid),
            practice_name: remote.practice_name.clone(),
            link_version: remote.link_version.clone(),
            pms_version: remote.pms_version.clone(),
            catalogues: remote.catalogues.clone(),
            time_zone: self.time_zone,
            groups,
            state,
            overrides,
        }
    }
}

/// The API gives the wrong code no status of its own, so the next step names both causes.
fn refused(error: RemoteError, pms_id: &PmsId) -> Failure {
    let class = error.class();
    let next = match class {
        FailureClass::Auth | FailureClass::Network | FailureClass::Limit => {
            error.next_step().to_owned()
        }
        _ => format!(
            "check with the practice that its Site ID is {pms_id}, and ask for a new pairing code: in Bp, Setup > Configuration > \
             Database > Setup third-party integrations, tick our line \"(via Halo Connect)\", then Generate pairing code; a \
             code is valid for 7 days"
        ),
    };
    let code = match class {
        FailureClass::Network | FailureClass::Halo | FailureClass::Site => ExitCode::Unavailable,
        FailureClass::Limit => ExitCode::TryLater,
        _ => ExitCode::Auth,
    };
    Failure::new(code, error).next(next)
}

impl Chosen {
    /// Lets the event happen to each site, in the order given; the first one that does not allow it ends it.
    fn apply(&self, context: &Context, action: &str, event: SiteEvent) -> Result<(), Failure> {
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let mut changed = Vec::new();
        for key in &self.sites {
            let mut site = known(&ledger, key)?;
            site.state = transition(site.state, event).map_err(|refused| {
                Failure::new(ExitCode::Failed, format!("{action} {key}: {refused}"))
            })?;
            ledger
                .put_site(&site, &context.change(action, &self.reason))
                .map_err(|error| Failure::new(ExitCode::Failed, error))?;
            changed.push(Listed::of(&site));
        }
        output::rows(context.format(), &changed)
    }
}

/// The site of this key.
pub(crate) fn known(ledger: &crate::ledger::Ledger, key: &SiteKey) -> Result<Record, Failure> {
    let sites = ledger
        .sites()
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    sites
        .iter()
        .find(|site| site.key == *key)
        .cloned()
        .ok_or_else(|| {
            let nearest = sites.iter().map(|site| site.key.as_str()).max_by(|a, b| {
                strsim::jaro_winkler(a, key.as_str())
                    .total_cmp(&strsim::jaro_winkler(b, key.as_str()))
            });
            let failure = Failure::new(ExitCode::Usage, format!("there is no site {key}"));
            match nearest {
                Some(nearest) => failure.next(format!(
                    "did you mean {nearest}? halo-extract site list shows all"
                )),
                None => {
                    failure.next("pair one first: halo-extract site pair --pms-id ID --code CODE")
                }
            }
        })
}

/// The site of this key, if it may be asked.
pub(crate) fn active(ledger: &crate::ledger::Ledger, key: &SiteKey) -> Result<Record, Failure> {
    let site = known(ledger, key)?;
    if site.state == SiteState::Active {
        return Ok(site);
    }
    Err(Failure::new(
        ExitCode::Usage,
        format!(
            "site {key} is {}, so nothing is extracted from it",
            site.state
        ),
    )
    .next(format!(
        "when the practice has agreed: halo-extract site activate {key}"
    )))
}

fn list(context: &Context) -> Result<(), Failure> {
    let config = context.config()?;
    let ledger = context.ledger(&config)?;
    let sites = ledger
        .sites()
        .map_err(|error| Failure::new(ExitCode::Failed, error))?;
    output::rows(
        context.format(),
        &sites.iter().map(Listed::of).collect::<Vec<_>>(),
    )
}

/// A site as commands show it. Part of the documented JSON.
#[derive(Debug, Serialize)]
#[serde(transparent)]
struct Listed(Record);

impl Listed {
    fn of(site: &Record) -> Self {
        Self(site.clone())
    }
}

impl Row for Listed {
    const HEADINGS: &'static [&'static str] = &[
        "SITE",
        "STATE",
        "PRACTICE",
        "PMS ID",
        "TIME ZONE",
        "LINK",
        "GROUPS",
    ];

    fn cells(&self) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            self.0.key.to_string(),
            self.0.state.to_string(),
            or_dash(&self.0.practice_name),
            self.0.pms_id.to_string(),
            self.0.time_zone.to_string(),
            or_dash(&self.0.link_version),
            self.0.groups.join(", "),
        ]
    }
}

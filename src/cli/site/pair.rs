//! `site pair`: from the Site ID and the code that a practice sends to a site that is held.

use std::io::{IsTerminal, Read};

use chrono_tz::Tz;
use clap::Args;
use console::Term;
use secrecy::SecretString;

use crate::cli::context::Context;
use crate::cli::exit_code::ExitCode;
use crate::cli::output::{self, Format};
use crate::cli::report::{Failure, remark};
use crate::domain::{Environment, PmsId, PmsType, Site, SiteKey, SiteState};
use crate::ledger::Ledger;
use crate::remote::{Client, RemoteSite, known_link_faults};

use super::known::failed;
use super::list::Listed;
use super::refusal::{self, Refusal};
use super::registration::{Invitation, NameVerdict, USUAL_ZONE};

/// Pair a practice with the Site ID and the pairing code that it sends; leaves it held
///
/// Pairing again is safe: what is known of the site stays, and a site that is active stays active. The code is
/// neither stored nor logged.
#[derive(Debug, Args)]
pub(crate) struct Pair {
    /// The practice's Site ID, as its screen shows it
    #[arg(long, value_name = "ID")]
    pms_id: PmsId,
    /// The pairing code; `-` reads it from standard input. Asked for at the terminal if absent
    #[arg(long, value_name = "CODE")]
    code: Option<String>,
    /// The practice's name as you know it; compared with the one that the API tells
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Take the practice although it calls itself otherwise than expected
    #[arg(long)]
    accept_name: bool,
    /// Our name of the site; `s` and the Site ID if absent
    #[arg(long, value_name = "KEY")]
    key: Option<SiteKey>,
    /// The practice management system
    #[arg(long, default_value = "best-practice", value_name = "TYPE")]
    pms: PmsType,
    /// The site's time zone, in which its windows and schedules are read; Australia/Sydney for a new site if absent
    #[arg(long, value_name = "ZONE")]
    time_zone: Option<Tz>,
    /// A group of the site, for selection and roll-out; may be given more than once
    #[arg(long = "group", value_name = "NAME")]
    groups: Vec<String>,
    /// Why, for the audit
    #[arg(long, value_name = "TEXT", default_value = "paired by code")]
    reason: String,
}

impl Pair {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        refusal::check_pms_id(&self.pms_id, self.pms)?;
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let before = registered(
            &ledger.sites().map_err(failed)?,
            self.pms,
            &self.pms_id,
            self.key.as_ref(),
        )?;
        let client = context.client(&config)?;
        let code = self.code()?;
        let invitation = self.invitation(before.as_ref());
        let remote = context.block_on(pair_or_say_why(
            &client,
            &invitation,
            code.as_ref(),
            config.environment,
        ))??;
        let change = context.change("pair", &self.reason);
        let (site, verdict) = record(&ledger, &invitation, &remote, before.as_ref(), &change)?;
        if context.format() == Format::Table {
            // A doubtful name is the command's failure, which tells all there is.
            if !matches!(verdict, NameVerdict::Doubtful(_)) {
                self.tell(&site, before.as_ref(), verdict, config.environment);
            }
        }
        output::rows(context.format(), &[Listed::of(&site)])?;
        match verdict {
            NameVerdict::Doubtful(alike) => {
                Err(doubtful(&site, remote.practice_name.as_deref(), alike))
            }
            _ => Ok(()),
        }
    }

    fn invitation(&self, before: Option<&Site>) -> Invitation {
        let key = before.map(|site| site.key.clone());
        Invitation {
            key: key
                .or(self.key.clone())
                .unwrap_or_else(|| SiteKey::from_pms_id(&self.pms_id)),
            pms_type: self.pms,
            pms_id: self.pms_id.clone(),
            name: self.name.clone(),
            accept_name: self.accept_name,
            time_zone: self.time_zone,
            groups: self.groups.clone(),
        }
    }

    fn expected<'a>(&'a self, before: Option<&'a Site>) -> Option<&'a str> {
        self.name
            .as_deref()
            .or(before.and_then(|site| site.practice_name.as_deref()))
    }

    /// The code, from the flag, standard input or the terminal; Best Practice always needs one.
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
            None if self.pms == PmsType::BestPractice && std::io::stdin().is_terminal() => {
                ask_for_code()?
            }
            None => String::new(),
        };
        match (text.trim(), self.pms) {
            ("", PmsType::BestPractice) => Err(Failure::new(
                ExitCode::Usage,
                "a Best Practice site is paired by a pairing code, and none was given",
            )
            .next(
                "ask the practice for it, then: --code - to type or pipe it into standard input",
            )),
            ("", _) => Ok(None),
            (code, _) => Ok(Some(SecretString::from(code))),
        }
    }

    fn tell(
        &self,
        site: &Site,
        before: Option<&Site>,
        verdict: NameVerdict,
        environment: Environment,
    ) {
        let name = site.practice_name.as_deref().unwrap_or("no name");
        let again = before.is_some_and(|before| before.halo_guid == site.halo_guid);
        remark(&format!(
            "{} {} with {name} (Site ID {}, {environment}); it is {}",
            if again { "paired again:" } else { "paired" },
            site.key,
            site.pms_id,
            site.state
        ));
        tell_name(self.expected(before), verdict);
        tell_versions(site);
        if before.is_none() && self.time_zone.is_none() {
            remark(&format!(
                "  time zone: {USUAL_ZONE}, because none was given; to change it: halo-extract site set {} --time-zone ZONE",
                site.key
            ));
        }
        match site.state {
            SiteState::Held => remark(&format!(
                "next: nothing is asked of it yet. When the practice agrees that extraction begins: halo-extract site activate \
                 {} --reason \"practice agreed\"",
                site.key
            )),
            SiteState::Active => remark("next: nothing; the next night goes on as before"),
            _ => {}
        }
    }
}

fn tell_name(expected: Option<&str>, verdict: NameVerdict) {
    let expected = expected.unwrap_or_default();
    match verdict {
        NameVerdict::Fits(alike) if alike < 1.0 => {
            remark(&format!(
                "  name: \"{expected}\" was expected, {} alike",
                percent(alike)
            ));
        }
        NameVerdict::Accepted(alike) => remark(&format!(
            "  name: \"{expected}\" was expected, only {} alike, and accepted by --accept-name",
            percent(alike)
        )),
        NameVerdict::Unknown => {
            remark("  name: nothing to compare it with; --name NAME would have");
        }
        NameVerdict::Fits(_) | NameVerdict::Doubtful(_) => {}
    }
}

/// Versions and databases of the practice, and what is known to be wrong with them.
pub(super) fn tell_versions(site: &Site) {
    let or_unknown = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".to_owned());
    remark(&format!(
        "  versions: Bp {}, Halo Link {}; databases: {}",
        or_unknown(&site.pms_version),
        or_unknown(&site.link_version),
        site.catalogues.join(", ")
    ));
    for fault in site
        .link_version
        .as_deref()
        .map(known_link_faults)
        .unwrap_or_default()
    {
        remark(&format!(
            "  too old: {} The practice's IT provider updates Halo Link to {} or later, with Bp's latest Data Update.",
            fault.what, fault.mended_in
        ));
    }
}

pub(super) fn percent(alike: f64) -> String {
    format!("{:.0} %", alike * 100.0)
}

fn doubtful(site: &Site, told: Option<&str>, alike: f64) -> Failure {
    let key = &site.key;
    Failure::new(
        ExitCode::Auth,
        format!(
            "the practice behind Site ID {} calls itself \"{}\", and \"{}\" was expected ({} alike): {key} is put under review, \
             and nothing is extracted from it",
            site.pms_id,
            told.unwrap_or_default(),
            site.practice_name.as_deref().unwrap_or_default(),
            percent(alike)
        ),
    )
    .next(format!(
        "You compare name and Site ID with what the practice sent, or ask it.\n\
         If it is the same practice: halo-extract site review {key} --accept --reason TEXT\n\
         If it is another one: halo-extract site review {key} --reject --reason TEXT, then pair with the right Site ID\n\
         When you expect such a name beforehand, `site pair --accept-name` takes it at once."
    ))
}

/// The site that is registered under this practice id, if any; refuses what would register one practice twice,
/// before a code is spent on it.
pub(super) fn registered(
    sites: &[Site],
    pms: PmsType,
    pms_id: &PmsId,
    key: Option<&SiteKey>,
) -> Result<Option<Site>, Failure> {
    let wanted = key.cloned().unwrap_or_else(|| SiteKey::from_pms_id(pms_id));
    let same_practice = |site: &&Site| site.pms_type == pms && site.pms_id == *pms_id;
    if let Some(site) = sites.iter().find(same_practice) {
        return match key {
            Some(key) if *key != site.key => Err(Failure::new(
                ExitCode::Usage,
                format!(
                    "Site ID {pms_id} is registered as {}, not as {key}",
                    site.key
                ),
            )
            .next(format!("leave --key away, or say --key {}", site.key))),
            _ => Ok(Some(site.clone())),
        };
    }
    match sites.iter().find(|site| site.key == wanted) {
        Some(site) => Err(Failure::new(
            ExitCode::Usage,
            format!(
                "the key {wanted} belongs to the practice with Site ID {}",
                site.pms_id
            ),
        )
        .next("give this practice a key of its own: --key KEY")),
        None => Ok(None),
    }
}

/// Pairs; if that fails, says why as exactly as the API lets us see.
pub(super) async fn pair_or_say_why(
    client: &Client,
    invitation: &Invitation,
    code: Option<&SecretString>,
    environment: Environment,
) -> Result<RemoteSite, Failure> {
    let error = match pair(client, invitation, code).await {
        Ok(paired) => return Ok(paired),
        Err(error) => error,
    };
    let mut refusal = Refusal::of(error.cause(), error.said());
    if refusal.asks_for_a_look() {
        // That we may not look either is no news: the API need not show a practice before it is paired.
        let found = client
            .find_sites(&invitation.pms_id, invitation.pms_type)
            .await;
        if let Some(agent) = found.ok().and_then(|found| found.into_iter().next()) {
            refusal = refusal.seen(&agent);
        }
    }
    Err(refusal::failure(
        &refusal,
        &error,
        &invitation.pms_id,
        environment,
    ))
}

/// Pairs, and looks the site up once more where the answer leaves out what we need to know.
async fn pair(
    client: &Client,
    invitation: &Invitation,
    code: Option<&SecretString>,
) -> Result<RemoteSite, crate::remote::RemoteError> {
    let paired = client
        .pair_site(&invitation.pms_id, invitation.pms_type, code)
        .await?;
    if paired.link_version.is_some() && !paired.catalogues.is_empty() {
        return Ok(paired);
    }
    // What it still leaves out is unknown; that is no reason to lose a pairing that succeeded.
    Ok(client.site(paired.guid).await.unwrap_or(paired))
}

/// Puts a paired practice into the registry.
///
/// # Errors
/// When its GUID belongs to another site of ours: two keys would then get the rows of one database.
pub(super) fn record(
    ledger: &Ledger,
    invitation: &Invitation,
    remote: &RemoteSite,
    before: Option<&Site>,
    change: &crate::ledger::Change,
) -> Result<(Site, NameVerdict), Failure> {
    let twin = ledger.sites().map_err(failed)?.into_iter().find(|site| {
        site.halo_guid == Some(remote.guid)
            && site.key != invitation.key
            && site.state != SiteState::Withdrawn
    });
    if let Some(twin) = twin {
        return Err(Failure::new(
            ExitCode::Auth,
            format!(
                "Site ID {} leads to the database of {}, which is registered already: two keys would get the same rows",
                invitation.pms_id, twin.key
            ),
        )
        .next(format!(
            "if the two practices merged, go on with {twin} alone, and end the other one if it is registered: halo-extract site \
             withdraw {other} --reason merged",
            twin = twin.key,
            other = invitation.key
        )));
    }
    let (site, verdict) = invitation.paired(remote, before);
    ledger.put_site(&site, change).map_err(failed)?;
    Ok((site, verdict))
}

fn ask_for_code() -> Result<String, Failure> {
    remark("pairing code (not shown):");
    Term::stderr()
        .read_secure_line()
        .map_err(|error| Failure::new(ExitCode::Usage, error))
}

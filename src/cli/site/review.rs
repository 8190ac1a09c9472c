//! `site review`: a person decides whether a site is still the same practice.

use clap::Args;
use serde::Serialize;

use crate::cli::context::Context;
use crate::cli::output::{self, Row};
use crate::cli::report::{Failure, remark};
use crate::domain::{Site, SiteEvent, SiteState, similarity};
use crate::ledger::{Confirmation, Ledger};
use crate::remote::{Client, RemoteSite, SiteStatus};

use super::change::{Chosen, Step};
use super::known::failed;
use super::pair::percent;

/// Settle whether a site under review is still the same practice; without a decision, show what differs
#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    chosen: Chosen,
    /// It is the same practice: name and GUID that the API tells now are taken over; the site is held until it is
    /// activated
    #[arg(long, conflicts_with = "reject")]
    accept: bool,
    /// It is another practice; the site is withdrawn
    #[arg(long)]
    reject: bool,
}

impl Review {
    pub(super) fn run(&self, context: &Context) -> Result<(), Failure> {
        if self.reject {
            let step = Step::new("review --reject", SiteEvent::Reject);
            return self.chosen.apply(context, &step);
        }
        let config = context.config()?;
        let ledger = context.ledger(&config)?;
        let client = context.client(&config)?;
        let sites = self.chosen.find(&ledger)?;
        if self.accept {
            for site in &sites {
                let found = look(context, &client, site)?;
                self.accept_one(context, &ledger, site, found)?;
            }
            let step = Step::new("review --accept", SiteEvent::Accept);
            return self.chosen.apply(context, &step);
        }
        let mut rows = Vec::new();
        for site in &sites {
            let found = look(context, &client, site)?;
            let told = ledger.confirmation(&site.key).map_err(failed)?;
            rows.extend(compare(site, found.as_ref(), told.as_ref()));
        }
        output::rows(context.format(), &rows)?;
        for site in sites
            .iter()
            .filter(|site| site.state == SiteState::IdentityReview)
        {
            remark(&format!(
                "next: ask the practice. If {0} is the same practice: halo-extract site review {0} --accept --reason TEXT, \
                 otherwise with --reject",
                site.key
            ));
        }
        Ok(())
    }

    /// Takes over what the API tells of the one site that stands for the practice now.
    fn accept_one(
        &self,
        context: &Context,
        ledger: &Ledger,
        site: &Site,
        found: Option<RemoteSite>,
    ) -> Result<(), Failure> {
        if site.state != SiteState::IdentityReview {
            return Ok(());
        }
        let twin = |remote: &RemoteSite| -> Result<bool, Failure> {
            let sites = ledger.sites().map_err(failed)?;
            Ok(sites.iter().any(|other| {
                other.key != site.key
                    && other.halo_guid == Some(remote.guid)
                    && other.state != SiteState::Withdrawn
            }))
        };
        match found {
            Some(remote) if !twin(&remote)? => {
                let why = context.change("review --accept", &self.chosen.reason);
                ledger
                    .change_site(&site.key, &why, |site| adopt(site, remote))
                    .map_err(failed)?;
            }
            Some(_) => remark(&format!(
                "the id of {0} leads to the database of another site of yours, so its GUID is not taken over: after a merger, end \
                 one of the two: halo-extract site withdraw {0} --reason merged",
                site.key
            )),
            None => remark(&format!(
                "the API does not tell one site for {}; its name and GUID on record stay. If it moved, pair it again: halo-extract \
                 site pair --pms-id {} --code -",
                site.key, site.pms_id
            )),
        }
        Ok(())
    }
}

/// The one site in use that the API tells under the practice's id, if it is exactly one.
fn look(context: &Context, client: &Client, site: &Site) -> Result<Option<RemoteSite>, Failure> {
    let found = context
        .block_on(client.find_sites(&site.pms_id, site.pms_type))?
        .unwrap_or_default();
    let mut in_use = found.into_iter().filter(|site| {
        !matches!(site.status, SiteStatus::Removed | SiteStatus::Uninstalled)
            && site.authoritative != Some(false)
    });
    Ok(in_use.next().filter(|_| in_use.next().is_none()))
}

fn adopt(site: &mut Site, remote: RemoteSite) {
    site.halo_guid = Some(remote.guid);
    site.practice_name = remote.practice_name.or(site.practice_name.take());
    site.link_version = remote.link_version.or(site.link_version.take());
    site.pms_version = remote.pms_version.or(site.pms_version.take());
    if !remote.catalogues.is_empty() {
        site.catalogues = remote.catalogues;
    }
}

/// One thing that tells which practice it is, as it is on record and as it is told now. Part of the documented
/// JSON.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Compared {
    site: String,
    what: &'static str,
    on_record: Option<String>,
    now: Option<String>,
    alike: Option<String>,
}

fn compare(
    site: &Site,
    remote: Option<&RemoteSite>,
    database: Option<&Confirmation>,
) -> Vec<Compared> {
    let on_record = site.practice_name.clone();
    let row = |what, on_record: Option<String>, now: Option<String>| Compared {
        site: site.key.to_string(),
        what,
        alike: on_record
            .as_deref()
            .zip(now.as_deref())
            .map(|(before, now)| percent(similarity(before, now))),
        on_record,
        now,
    };
    let guid = |guid: Option<crate::domain::HaloGuid>| guid.map(|guid| guid.to_string());
    vec![
        row(
            "name, by the API",
            on_record.clone(),
            remote.and_then(|remote| remote.practice_name.clone()),
        ),
        row(
            "name, by its database",
            on_record,
            database.and_then(|told| told.practice_name.clone()),
        ),
        Compared {
            alike: None,
            ..row(
                "GUID",
                guid(site.halo_guid),
                guid(remote.map(|remote| remote.guid)),
            )
        },
    ]
}

impl Row for Compared {
    const HEADINGS: &'static [&'static str] = &["SITE", "WHAT", "ON RECORD", "NOW", "ALIKE"];

    fn cells(&self) -> Vec<String> {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        vec![
            self.site.clone(),
            self.what.to_owned(),
            or_dash(&self.on_record),
            or_dash(&self.now),
            or_dash(&self.alike),
        ]
    }
}

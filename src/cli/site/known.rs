//! Finding the sites that a command names, with a helpful answer where there is none.

use std::collections::BTreeSet;

use crate::cli::exit_code::ExitCode;
use crate::cli::report::Failure;
use crate::domain::{Site, SiteKey, SiteState};
use crate::ledger::{Ledger, LedgerError};

/// The site of this key.
pub(crate) fn known(ledger: &Ledger, key: &SiteKey) -> Result<Site, Failure> {
    let sites = ledger.sites().map_err(failed)?;
    sites
        .iter()
        .find(|site| site.key == *key)
        .cloned()
        .ok_or_else(|| {
            let failure = Failure::new(ExitCode::Usage, format!("there is no site {key}"));
            match nearest(key.as_str(), sites.iter().map(|site| site.key.as_str())) {
                Some(nearest) => failure.next(format!(
                    "did you mean {nearest}? halo-extract site list shows all"
                )),
                None => failure.next("pair one first: halo-extract site pair --pms-id ID --code -"),
            }
        })
}

/// The site of this key, if it may be asked.
pub(crate) fn active(ledger: &Ledger, key: &SiteKey) -> Result<Site, Failure> {
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
    .next(toward_active(&site)))
}

/// What leads a site that is not active towards being so, as a command.
pub(crate) fn toward_active(site: &Site) -> String {
    let key = &site.key;
    match site.state {
        SiteState::Active => format!("halo-extract run --site {key}"),
        SiteState::Held | SiteState::Paused => {
            format!("when the practice has agreed: halo-extract site activate {key} --reason TEXT")
        }
        SiteState::IdentityReview => format!(
            "decide whether it is the same practice; halo-extract site review {key} shows the names"
        ),
        SiteState::Invited | SiteState::Withdrawn => format!(
            "with a new code from the practice: halo-extract site pair --key {key} --pms-id {} --code -",
            site.pms_id
        ),
    }
}

/// The sites of a group that are not withdrawn, by key.
///
/// # Errors
/// When it has none.
pub(super) fn of_group(ledger: &Ledger, group: &str) -> Result<Vec<Site>, Failure> {
    let all = ledger.sites().map_err(failed)?;
    let groups: BTreeSet<&str> = all
        .iter()
        .flat_map(|site| site.groups.iter().map(String::as_str))
        .collect();
    let found: Vec<Site> = all
        .iter()
        .filter(|site| site.state != SiteState::Withdrawn)
        .filter(|site| site.groups.iter().any(|name| name == group))
        .cloned()
        .collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let failure = Failure::new(ExitCode::Usage, format!("no site is in the group {group}"));
    Err(match nearest(group, groups.into_iter()) {
        Some(nearest) => failure.next(format!(
            "did you mean {nearest}? halo-extract site list shows the groups of each site"
        )),
        None => failure.next("put sites into it: halo-extract site set KEY --add-group NAME"),
    })
}

/// The name most like the one given.
pub(super) fn nearest<'a>(given: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let alike = |name: &str| strsim::jaro_winkler(name, given);
    names.max_by(|a, b| alike(a).total_cmp(&alike(b)))
}

/// The ledger's refusal as a command's failure.
pub(crate) fn failed(error: LedgerError) -> Failure {
    Failure::new(ExitCode::Failed, error)
}

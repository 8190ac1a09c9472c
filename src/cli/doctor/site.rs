//! What the API tells of a site, judged without asking the practice anything.

use std::collections::BTreeMap;

use chrono::TimeDelta;

use crate::catalog::Catalog;
use crate::cli::exit_code::ExitCode;
use crate::domain::{Mender, Site};
use crate::remote::{RemoteSite, known_link_faults};

use super::finding::Finding;

/// Halo Link asks for less than a minute between the practice server's clock and the true time.
const DRIFT: TimeDelta = TimeDelta::minutes(1);

/// Every finding about a site; `catalog` if the query files could be read.
pub(super) fn look_at(site: &Site, remote: &RemoteSite, catalog: Option<&Catalog>) -> Vec<Finding> {
    let mut findings = vec![presence(site, remote)];
    findings.extend(agent(site, remote));
    findings.extend(clock(site, remote));
    findings.extend(name(site, remote));
    if let Some(catalog) = catalog {
        findings.extend(catalogues(site, remote, catalog));
    }
    findings
}

fn presence(site: &Site, remote: &RemoteSite) -> Finding {
    let version = remote.link_version.as_deref().unwrap_or("unknown");
    if remote.can_be_asked() {
        let what = format!("{}; online; Halo Link {version}", site.state);
        return Finding::well(site.key.as_str(), what);
    }
    Finding::note(
        site.key.as_str(),
        format!("{:?}, {:?}", remote.availability, remote.status).to_lowercase(),
        "at night nothing; in business hours ask the practice whether its server and Halo Link run",
        Mender::Practice,
    )
}

fn agent(site: &Site, remote: &RemoteSite) -> Vec<Finding> {
    let Some(version) = remote.link_version.as_deref() else {
        return Vec::new();
    };
    let faults = known_link_faults(version).into_iter();
    faults
        .map(|fault| {
            let next = format!(
                "ask the practice to update Halo Link to {} or later",
                fault.mended_in
            );
            let what = format!("Halo Link {version}: {}", fault.what);
            Finding::note(site.key.as_str(), what, next, Mender::Practice)
        })
        .collect()
}

fn clock(site: &Site, remote: &RemoteSite) -> Option<Finding> {
    let off = remote.clock? - remote.heartbeat?;
    (off.abs() >= DRIFT).then(|| {
        Finding::note(
            site.key.as_str(),
            format!(
                "the practice server's clock is off by {} s",
                off.num_seconds()
            ),
            "have the server set its clock by NTP",
            Mender::Practice,
        )
    })
}

fn name(site: &Site, remote: &RemoteSite) -> Option<Finding> {
    let other = site.practice_name.is_some() && site.practice_name != remote.practice_name;
    other.then(|| {
        Finding::note(
            site.key.as_str(),
            "the practice's name is another one than at pairing",
            "ask the practice whether it merged or was renamed before the next night",
            Mender::Operator,
        )
    })
}

/// The catalogues that current queries name and the site does not have: the API refuses those queries there.
fn catalogues(site: &Site, remote: &RemoteSite, catalog: &Catalog) -> Vec<Finding> {
    // A site that tells none is not accused: the field is optional.
    if remote.catalogues.is_empty() {
        return Vec::new();
    }
    let mut absent: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for query in catalog.current_queries() {
        if query.pms == site.pms_type
            && let Some(wanted) = query.catalogue.as_deref()
            && !has(&remote.catalogues, wanted)
        {
            absent.entry(wanted).or_default().push(query.id.to_string());
        }
    }
    let told = remote.catalogues.join(", ");
    absent
        .into_iter()
        .map(|(wanted, queries)| {
            Finding::fault(
                site.key.as_str(),
                format!(
                    "has no catalogue {wanted}, which {} asks for; it has {told}",
                    queries.join(", ")
                ),
                "name one that the site has as `catalogue` in the next version of the query, or leave it out for the default one",
                Mender::QueryAuthor,
                ExitCode::Contract,
            )
        })
        .collect()
}

/// SQL Server's own comparison of database names ignores case in its usual settings.
fn has(catalogues: &[String], wanted: &str) -> bool {
    catalogues
        .iter()
        .any(|name| name.eq_ignore_ascii_case(wanted))
}

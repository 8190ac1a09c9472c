//! Pairing with a practice, and looking practices up.

use axum::http::StatusCode;
use axum::http::request::Parts;

use super::access::parameter;
use super::cloud::Cloud;
use super::faults::{Fault, PairingFault};
use super::refusal::Refusal;
use super::reply::Reply;
use super::route::Endpoint;
use super::site::{PMS_NAME, Reach, Site};
use super::wire;

/// The spellings of PMS names that the specification allows.
const PMS_NAMES: [&str; 3] = [PMS_NAME, "Zedmed", "D4w"];

/// `POST /integrator/pair-site`: everything in the query string, the site object in answer.
///
/// Pairing again is answered as the first time, and needs no code. Which status a refused code gets is not published; 400 unless
/// a fault says otherwise.
pub(super) fn pair(cloud: &Cloud, parts: &Parts) -> Result<Reply, Refusal> {
    let now = cloud.clock.now();
    let (pms_id, pms_name) = practice_asked(parts)?;
    let site = cloud
        .site_of_pms(&pms_id)
        .filter(|_| pms_name == PMS_NAME)
        .ok_or_else(|| {
            Refusal::not_found("No site with this practice management site id is known.")
        })?;
    let pairing_fault = |fault: &Fault| match fault {
        Fault::Pairing { reason, status } => Some((*reason, *status)),
        _ => None,
    };
    if let Some((reason, status)) =
        cloud
            .faults
            .strike(now, Some(&pms_id), Endpoint::Pair, pairing_fault)
    {
        return Err(refused(reason, status));
    }
    if site.reach(&cloud.faults, now, Endpoint::Pair) != Reach::Online {
        return Err(refused(PairingFault::Unexpected, None));
    }
    let identity = site.identity(&cloud.faults, now);
    let code = parameter(parts, "pairingCode").filter(|code| !code.is_empty());
    if code.is_some() || !site.is_paired(&identity) {
        check_code(site, code.as_deref(), now)?;
    }
    let guid = identity.guid;
    site.pair(guid);
    Ok(Reply::ok(&site.describe(&cloud.faults, now, guid)))
}

fn check_code(
    site: &Site,
    given: Option<&str>,
    now: chrono::DateTime<chrono::Utc>,
) -> Result<(), Refusal> {
    let (code, expires_at) = site.code();
    match given {
        None => Err(Refusal::bad_request(
            "A pairing code is required for Best Practice sites.",
        )),
        Some(given) if given != code => Err(refused(PairingFault::Wrong, None)),
        Some(_) if now >= expires_at => Err(refused(PairingFault::Expired, None)),
        Some(_) => Ok(()),
    }
}

fn refused(reason: PairingFault, status: Option<u16>) -> Refusal {
    let (usual, message) = match reason {
        PairingFault::Wrong => (400, "The pairing code is invalid."),
        PairingFault::Expired => (400, "The pairing code has expired."),
        PairingFault::Reused => (400, "The pairing code has already been used."),
        PairingFault::Regenerated => (400, "The pairing code has been replaced by a newer one."),
        PairingFault::Unticked => (403, "The integration is not enabled at the practice."),
        PairingFault::Unexpected => (
            502,
            "The practice management software returned an unexpected result code.",
        ),
    };
    let status = StatusCode::from_u16(status.unwrap_or(usual)).unwrap_or(StatusCode::BAD_REQUEST);
    Refusal::new(status, message)
}

/// `GET /integrator/sites`: the practice with this PMS id, or an empty list; 403 before pairing unless a rule opens it.
pub(super) fn find(cloud: &Cloud, parts: &Parts) -> Result<Reply, Refusal> {
    let now = cloud.clock.now();
    let (pms_id, pms_name) = practice_asked(parts)?;
    let Some(site) = cloud.site_of_pms(&pms_id).filter(|_| pms_name == PMS_NAME) else {
        return Ok(Reply::ok(&wire::Sites { sites: Vec::new() }));
    };
    let identity = site.identity(&cloud.faults, now);
    let strikes = |wanted: Fault| {
        let is_wanted = |fault: &Fault| (*fault == wanted).then_some(());
        cloud
            .faults
            .strike(now, Some(&pms_id), Endpoint::Sites, is_wanted)
            .is_some()
    };
    let undone = strikes(Fault::Unpaired);
    if undone || !(site.is_paired(&identity) || strikes(Fault::ShownUnpaired)) {
        return Err(Refusal::forbidden(
            "The integrator is not paired with the site.",
        ));
    }
    Ok(Reply::ok(&wire::Sites {
        sites: vec![site.describe(&cloud.faults, now, identity.guid)],
    }))
}

/// `GET /integrator/sites/{siteId}`.
pub(super) fn show(cloud: &Cloud, site: &str) -> Result<Reply, Refusal> {
    let entry = cloud.enter(site, Endpoint::Site)?;
    Ok(Reply::ok(&entry.site.describe(
        &cloud.faults,
        cloud.clock.now(),
        entry.asked,
    )))
}

fn practice_asked(parts: &Parts) -> Result<(String, String), Refusal> {
    let needed = |name: &str| {
        parameter(parts, name)
            .filter(|value| !value.is_empty())
            .ok_or_else(|| Refusal::bad_request(format!("The query parameter {name} is required.")))
    };
    let pms_id = needed("practiceManagementSiteId")?;
    let pms_name = needed("practiceManagementName")?;
    if !PMS_NAMES.contains(&pms_name.as_str()) {
        return Err(Refusal::bad_request(
            "practiceManagementName must be Best Practice, Zedmed or D4w.",
        ));
    }
    Ok((pms_id, pms_name))
}

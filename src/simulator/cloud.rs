//! The state that every request shares, and the questions that most of them ask first.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use super::access::Usage;
use super::clock::Clock;
use super::counters::Counters;
use super::faults::{Fault, Faults};
use super::queries::Queries;
use super::ready::Ready;
use super::refusal::Refusal;
use super::registered::Registered;
use super::route::Endpoint;
use super::scenario::Scenario;
use super::settings::Settings;
use super::site::{Identity, Site};
use super::spool::Shelf;
use super::webhooks::Postman;

/// One simulated Halo Cloud.
pub(super) struct Cloud {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) faults: Faults,
    pub(super) counters: Counters,
    pub(super) usage: Usage,
    /// By rising PMS id.
    pub(super) sites: Vec<Arc<Site>>,
    /// Where in `sites` the one is that has or may come to have a GUID.
    pub(super) by_guid: HashMap<Uuid, usize>,
    pub(super) queries: Queries,
    pub(super) registered: Registered,
    pub(super) postman: Postman,
    pub(super) key: String,
    pub(super) integrator: Uuid,
    pub(super) ready: Ready,
    /// Everything that goes on besides requests; ends at shutdown.
    pub(super) tasks: TaskTracker,
    pub(super) shutdown: CancellationToken,
    pub(super) shelf: Shelf,
}

/// A site that a request may use.
pub(super) struct Entry {
    pub(super) site: Arc<Site>,
    pub(super) identity: Identity,
    /// The GUID of the request.
    pub(super) asked: Uuid,
}

impl Cloud {
    /// Waits for a step of a query. A standing clock does not hold work up: the step takes no time then.
    pub(super) async fn pause(&self, time: Duration) {
        if !time.is_zero() && self.clock.scale() > 0.0 {
            self.clock.sleep(time).await;
        }
    }

    /// Plays another scenario from now on: its rules replace those in force.
    pub(super) fn play(&self, scenario: Scenario) {
        self.faults.clear();
        if let Some(scale) = scenario.clock.scale {
            self.clock.set_scale(scale);
        }
        // The clock cannot go back: a start in the past is the present.
        if let Some(ahead) = scenario
            .clock
            .start
            .and_then(|start| (start - self.clock.now()).to_std().ok())
        {
            self.clock.step(ahead);
        }
        self.play_faults(scenario);
    }

    /// Adds the rules of a scenario, whose time begins now.
    pub(super) fn play_faults(&self, scenario: Scenario) {
        let now = self.clock.now();
        for rule in scenario.faults {
            self.faults.add(rule, now);
        }
    }

    /// The site with this PMS id.
    pub(super) fn site_of_pms(&self, pms_id: &str) -> Option<&Arc<Site>> {
        self.sites.iter().find(|site| site.pms_id() == pms_id)
    }

    /// The site that has or had this GUID, dashed or not, in any case.
    pub(super) fn site_of_guid(&self, text: &str) -> Option<(Uuid, &Arc<Site>)> {
        let guid = Uuid::try_parse(text).ok()?;
        let now = self.clock.now();
        let site = &self.sites[*self.by_guid.get(&guid)?];
        let known = site.first_guid() == guid || site.identity(&self.faults, now).guid == guid;
        known.then_some((guid, site))
    }

    /// Checks that a request may use the site of its path: known, not removed, paired, authoritative.
    pub(super) fn enter(&self, text: &str, endpoint: Endpoint) -> Result<Entry, Refusal> {
        if Uuid::try_parse(text).is_err() {
            return Err(Refusal::bad_request("The site id is not a GUID."));
        }
        let now = self.clock.now();
        let unknown = || Refusal::not_found("The server cannot find the requested resource.");
        let (asked, site) = self.site_of_guid(text).ok_or_else(unknown)?;
        let pms_id = site.pms_id();
        let removed = |fault: &Fault| matches!(fault, Fault::Removed).then_some(());
        if endpoint != Endpoint::Site
            && self
                .faults
                .strike(now, Some(pms_id), endpoint, removed)
                .is_some()
        {
            return Err(unknown());
        }
        let identity = site.identity(&self.faults, now);
        if endpoint != Endpoint::Site && asked != identity.guid {
            return Err(Refusal::forbidden(
                "The site is not the authoritative site for its practice.",
            ));
        }
        let unpaired = |fault: &Fault| matches!(fault, Fault::Unpaired).then_some(());
        if !site.is_paired(&identity)
            || self
                .faults
                .strike(now, Some(pms_id), endpoint, unpaired)
                .is_some()
        {
            return Err(Refusal::forbidden(
                "The integrator is not paired with the site.",
            ));
        }
        Ok(Entry {
            site: site.clone(),
            identity,
            asked,
        })
    }
}

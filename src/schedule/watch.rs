//! Watches over the fleet's freshness while the service runs, and tells whoever is on call.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::Alert;
use crate::extract::Clock;
use crate::ledger::LedgerError;
use crate::plan::{Breach, fleet};

use super::alarm::{News, news};
use super::health::Health;
use super::messenger::Messenger;
use super::planner::Planner;

/// How often the fleet is judged.
const EVERY: Duration = Duration::from_secs(300);

/// Who judges the fleet, by which goal, and who is told.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) planner: Arc<Planner>,
    pub(super) messenger: Messenger,
    /// The goal of queries that do not say so themselves.
    pub(super) usual_goal: Duration,
    pub(super) health: Arc<Health>,
}

impl Watch {
    /// Judges, tells, and says that all is well, until it is dropped.
    pub(super) async fn run(self, clock: Clock) {
        loop {
            // The first judgement waits too: what the start catches up is not late news.
            tokio::time::sleep(EVERY).await;
            self.look(clock()).await;
        }
    }

    async fn look(&self, now: DateTime<Utc>) {
        if self.health.is_well(now)
            && let Err(error) = self.messenger.beat().await
        {
            tracing::warn!(%error, "the heartbeat was not heard");
        }
        if self.messenger.url.is_none() {
            return;
        }
        let (judge, usual_goal) = (Arc::clone(&self.planner), self.usual_goal);
        let judged =
            tokio::task::spawn_blocking(move || what_is_new(&judge, usual_goal, now)).await;
        match judged {
            Ok(Ok(news)) => {
                for item in news {
                    self.tell(item, now).await;
                }
            }
            Ok(Err(error)) => tracing::error!(%error, "the fleet cannot be judged"),
            Err(error) => tracing::error!(%error, "the fleet cannot be judged"),
        }
    }

    /// What was not taken is not remembered, and so told again at the next judgement.
    async fn tell(&self, item: News, now: DateTime<Utc>) {
        if let Err(error) = self.messenger.tell(&item, now).await {
            tracing::error!(%error, "an alert was not taken; it is tried again");
            return;
        }
        let planner = Arc::clone(&self.planner);
        let kept = tokio::task::spawn_blocking(move || {
            let alert: Option<Alert> = item.alert();
            planner.ledger.keep_alert(&item.cause, alert.as_ref())
        })
        .await;
        if let Ok(Err(error)) = kept {
            tracing::error!(%error, "an alert was told and cannot be remembered; it will be told again");
        }
    }
}

fn what_is_new(
    planner: &Planner,
    usual_goal: Duration,
    now: DateTime<Utc>,
) -> Result<Vec<News>, LedgerError> {
    let (sites, arrivals) = (planner.ledger.sites()?, planner.ledger.arrivals()?);
    let rows = fleet(&sites, &planner.timetables, &arrivals, usual_goal, now);
    let breaches: Vec<Breach> = rows.into_iter().flat_map(|row| row.breaches).collect();
    Ok(news(&breaches, &planner.ledger.alerts()?, now))
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::sync::Mutex;

    use axum::Router;
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use chrono::{Days, TimeDelta};
    use secrecy::SecretString;

    use super::*;
    use crate::config::AlertForm;
    use crate::domain::{
        Environment, ExtractionState, Lane, ObjectRecord, PmsType, Proof, Sha256, Site,
        SiteOverrides, SiteState,
    };
    use crate::ledger::{AttemptCost, Change, ClaimRequest, ExtractionFilter, Ledger};
    use crate::plan::{Rules, Timetable};

    const HEADER_AND_SQL: &str = "/*---
purpose   = \"Visits.\"
owner     = \"tests\"
pms       = \"best-practice\"
mode      = \"incremental\"
watermark = \"updated\"
overlap   = \"0 days\"
opt_out   = \"nobody is in it\"
cron      = \"0 1 * * *\"
key       = [\"id\"]

[columns]
id = { type = \"int not null\", class = \"operational\" }
---*/
SELECT v.id AS id
FROM visits v
WHERE v.updated >= @window_start AND v.updated < @window_end
ORDER BY v.id
";

    /// Whoever is on call: what was told, how often the heartbeat came, and whether alerts are taken.
    #[derive(Default)]
    struct OnCall {
        told: Mutex<Vec<(String, u64)>>,
        beats: Mutex<u32>,
        refuses: Mutex<bool>,
    }

    async fn listen(on_call: Arc<OnCall>) -> String {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
            .await
            .expect("listens");
        let address = listener.local_addr().expect("an address");
        let (told, beats) = (Arc::clone(&on_call), on_call);
        let router = Router::new()
            .route(
                "/alert",
                post(move |body: String| async move {
                    if *told.refuses.lock().expect("whole") {
                        return StatusCode::SERVICE_UNAVAILABLE;
                    }
                    let news: serde_json::Value = serde_json::from_str(&body).expect("JSON");
                    let kind = news["kind"].as_str().expect("a kind").to_owned();
                    let sites = news["site_count"].as_u64().expect("a count");
                    told.told.lock().expect("whole").push((kind, sites));
                    StatusCode::OK
                }),
            )
            .route(
                "/beat",
                get(move || async move {
                    *beats.beats.lock().expect("whole") += 1;
                    "heard"
                }),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    /// Two sites, of which nothing ever came, and their night.
    fn planner(folder: &std::path::Path, now: DateTime<Utc>) -> Planner {
        let queries = folder.join("queries/visit");
        std::fs::create_dir_all(&queries).expect("made");
        std::fs::write(queries.join("v1.sql"), HEADER_AND_SQL).expect("written");
        let catalog = crate::catalog::Catalog::read(&folder.join("queries"))
            .unwrap_or_else(|error| panic!("{error}"));
        let ledger = Ledger::open(&folder.join("ledger.sqlite"), Environment::Simulator);
        let planner = Planner {
            ledger: Arc::new(ledger.expect("a ledger")),
            timetables: Timetable::of_all(catalog.current_queries()).expect("followed"),
            rules: Rules {
                spread: Duration::ZERO,
                quiet_hours: "00:00-00:00".parse().expect("hours"),
                last_start: TimeDelta::zero(),
                longest: NonZeroU32::new(35).expect("not zero"),
            },
        };
        let change = Change {
            actor: "test".to_owned(),
            action: "activate".to_owned(),
            reason: "test".to_owned(),
            at: now,
        };
        for number in 1..=2 {
            let site = Site {
                key: format!("s{number}").parse().expect("a key"),
                pms_type: PmsType::BestPractice,
                pms_id: number.to_string().parse().expect("an id"),
                halo_guid: None,
                practice_name: None,
                link_version: None,
                pms_version: None,
                catalogues: Vec::new(),
                time_zone: chrono_tz::Australia::Brisbane,
                groups: Vec::new(),
                state: SiteState::Active,
                paused_until: None,
                overrides: SiteOverrides::default(),
            };
            planner.ledger.put_site(&site, &change).expect("a site");
        }
        assert_eq!(planner.look(now).expect("a look").planned, 2);
        planner
    }

    /// Publishes whatever waits.
    fn extract(ledger: &Ledger, now: DateTime<Utc>) {
        let request = ClaimRequest {
            worker: "test",
            now,
            lease: Duration::from_secs(60),
            per_site_limit: 1,
            lanes: &[Lane::Nightly],
            only: None,
        };
        while let Some(claim) = ledger.claim(&request).expect("a claim") {
            let proof = Proof {
                declared: 1,
                pages: 1,
                batches: 1,
                footer: 1,
                withheld: None,
            };
            let object = ObjectRecord {
                path: claim.extraction.to_string(),
                size_bytes: 1,
                rows: 1,
                sha256: Sha256([0; 32]),
                etag: None,
            };
            let recorded = ledger.succeed(&claim, &proof, &object, AttemptCost::default(), now);
            assert_eq!(recorded.expect("written"), crate::ledger::Fenced::Recorded);
        }
        let rows = ledger.extractions(&ExtractionFilter::default());
        let is_done = |row: &crate::ledger::ExtractionRow| row.state == ExtractionState::Succeeded;
        assert!(rows.expect("rows").iter().all(is_done));
    }

    #[tokio::test]
    async fn lateness_is_told_until_it_is_taken_once_and_so_is_its_end() {
        let folder = tempfile::tempdir().expect("a folder");
        let start: DateTime<Utc> = "2026-11-18T00:00:00Z".parse().expect("a time");
        let on_call = Arc::new(OnCall::default());
        let address = listen(Arc::clone(&on_call)).await;
        let watch = Watch {
            planner: Arc::new(planner(folder.path(), start)),
            messenger: Messenger {
                url: Some(SecretString::from(format!("{address}/alert"))),
                form: AlertForm::Json,
                signing_key: None,
                heartbeat_url: Some(SecretString::from(format!("{address}/beat"))),
                environment: Environment::Simulator,
            },
            usual_goal: Duration::from_secs(36 * 3600),
            health: Arc::new(Health::default()),
        };
        let told = || on_call.told.lock().expect("whole").clone();
        let beats = || *on_call.beats.lock().expect("whole");

        watch.look(start).await;
        assert_eq!((told(), beats()), (vec![], 0), "nothing was planned yet");
        watch.health.planned(start);
        watch.look(start).await;
        assert_eq!((told(), beats()), (vec![], 1));

        let late = start + Days::new(2);
        *on_call.refuses.lock().expect("whole") = true;
        watch.look(late).await;
        assert_eq!(
            (told(), beats()),
            (vec![], 1),
            "silent, because planning is"
        );
        *on_call.refuses.lock().expect("whole") = false;
        watch.look(late).await;
        watch.look(late).await;
        let late_ones = ("late".to_owned(), 2);
        assert_eq!(told(), std::slice::from_ref(&late_ones));

        extract(&watch.planner.ledger, late);
        watch.look(late).await;
        watch.look(late).await;
        assert_eq!(told(), [late_ones, ("recovered".to_owned(), 0)]);
    }
}

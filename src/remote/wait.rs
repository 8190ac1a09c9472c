//! What to make of each look at a remote query: a pure decision.

use std::time::Duration;

use tokio::time::Instant;

use crate::domain::HaloGuid;

use super::cause::Cause;
use super::error::RemoteError;
use super::poller::Look;
use super::status::{RemoteResult, RemoteStatus};

/// The course of one wait.
pub(crate) struct Watch {
    site: HaloGuid,
    task: String,
    stuck_after: Duration,
    executing_since: Option<Instant>,
    /// Why nothing could be seen last time.
    trouble: Option<RemoteError>,
}

/// What follows from a look.
#[must_use]
pub(crate) enum Step {
    /// Look again later.
    Wait,
    /// The result can be fetched.
    Ready(RemoteResult),
    /// It ended otherwise.
    Failed(RemoteError),
}

impl Watch {
    pub(crate) fn new(site: HaloGuid, task: String, stuck_after: Duration) -> Self {
        Self {
            site,
            task,
            stuck_after,
            executing_since: None,
            trouble: None,
        }
    }

    /// Judges a look taken at `now`, by our own clock: the practice's may be wrong.
    pub(crate) fn judge(&mut self, look: Look, now: Instant) -> Step {
        let query = match look {
            Ok(Some(query)) => query,
            Ok(None) => return Step::Failed(RemoteError::new(Cause::Gone, &self.task)),
            Err(error) if passes(error.cause()) => {
                self.trouble = Some(error);
                return Step::Wait;
            }
            Err(error) => return Step::Failed(error),
        };
        self.trouble = None;
        if let Some(failure) = query.failure(self.site) {
            return Step::Failed(failure);
        }
        if query.is_ready()
            && let Some(result) = query.result
        {
            return Step::Ready(result);
        }
        self.judge_execution(&query.status, now)
    }

    fn judge_execution(&mut self, status: &RemoteStatus, now: Instant) -> Step {
        if *status != RemoteStatus::Executing {
            self.executing_since = None;
            return Step::Wait;
        }
        let since = *self.executing_since.get_or_insert(now);
        if now.saturating_duration_since(since) >= self.stuck_after {
            Step::Failed(RemoteError::new(Cause::SiteStuck, &self.task))
        } else {
            Step::Wait
        }
    }

    /// The error of a wait that met its deadline: what kept it from seeing, else that it is not ready.
    pub(crate) fn late(self) -> RemoteError {
        self.trouble
            .unwrap_or_else(|| RemoteError::new(Cause::NotYetReady, self.task))
    }
}

/// Whether a look that failed so says nothing about the query, which goes on meanwhile.
fn passes(cause: Cause) -> bool {
    matches!(
        cause,
        Cause::NotReached
            | Cause::Unanswered
            | Cause::CutShort
            | Cause::ApiFailed
            | Cause::RateLimited
            | Cause::SiteOffline
            | Cause::SiteLost
    )
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::super::status::QueryBody;
    use super::*;
    use crate::domain::RemoteQueryId;

    fn look(status: &str) -> Look {
        let body: QueryBody =
            serde_json::from_str(&format!(r#"{{"status":"{status}"}}"#)).expect("a status");
        Ok(Some(
            body.into_query(RemoteQueryId(Uuid::nil()))
                .expect("a query"),
        ))
    }

    fn watch() -> Watch {
        let site = HaloGuid(Uuid::nil());
        Watch::new(site, "waiting".to_owned(), Duration::from_secs(600))
    }

    fn failure(step: Step) -> Option<Cause> {
        match step {
            Step::Failed(error) => Some(error.cause()),
            _ => None,
        }
    }

    #[test]
    fn execution_far_beyond_the_allowed_time_is_a_hanging_agent() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = watch();

        assert_eq!(failure(watch.judge(look("queued"), at(0))), None);
        assert_eq!(failure(watch.judge(look("executing"), at(5000))), None);
        assert_eq!(failure(watch.judge(look("executing"), at(5599))), None);
        let stuck = watch.judge(look("executing"), at(5600));
        assert_eq!(failure(stuck), Some(Cause::SiteStuck));
    }

    #[test]
    fn a_query_sent_back_to_the_queue_begins_its_execution_anew() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut watch = watch();
        for (word, seconds) in [
            ("executing", 0),
            ("queued", 500),
            ("executing", 700),
            ("executing", 1299),
        ] {
            assert_eq!(failure(watch.judge(look(word), at(seconds))), None);
        }
    }

    #[test]
    fn what_kept_us_from_seeing_is_told_at_the_deadline() {
        let now = Instant::now();
        let mut watch = watch();
        let trouble = Err(RemoteError::new(Cause::Unanswered, "a look"));
        assert_eq!(failure(watch.judge(trouble, now)), None);
        assert_eq!(watch.late().cause(), Cause::Unanswered);
    }

    #[test]
    fn a_query_that_the_api_does_not_know_is_gone() {
        assert_eq!(
            failure(watch().judge(Ok(None), Instant::now())),
            Some(Cause::Gone)
        );
    }
}

//! The lifecycle of a site: which event leads from which state to which.
//!
//! | state            | pair   | activate | hold | pause  | name changed    | accept | reject    | withdraw  |
//! |------------------|--------|----------|------|--------|-----------------|--------|-----------|-----------|
//! | invited          | held   | -        | -    | -      | -               | -      | -         | withdrawn |
//! | held             | held   | active   | held | -      | identity-review | -      | -         | withdrawn |
//! | active           | active | active   | held | paused | identity-review | -      | -         | withdrawn |
//! | paused           | paused | active   | held | paused | identity-review | -      | -         | withdrawn |
//! | identity-review  | held   | -        | -    | -      | identity-review | held   | withdrawn | withdrawn |
//! | withdrawn        | held   | -        | -    | -      | -               | -      | -         | withdrawn |
//!
//! Nothing but activation leads to `active`, so neither pairing nor a review starts extraction by itself.

use super::SiteState;

/// What happens to a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SiteEvent {
    /// The practice's code was accepted.
    Pair,
    /// Extraction may begin.
    Activate,
    /// Extraction may not begin yet, or no longer.
    Hold,
    /// Extraction stops for a while.
    Pause,
    /// The API tells another practice name than the one on record.
    NameChanged,
    /// A person found that it is the same practice.
    Accept,
    /// A person found that it is another practice.
    Reject,
    /// The practice ends it.
    Withdraw,
}

/// An event that a site's state does not allow, with what to do instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the site is {state}, which does not allow this · {}", advice(*state))]
pub struct Refused {
    /// Where the site stands.
    pub state: SiteState,
    /// What was to happen.
    pub event: SiteEvent,
}

/// The state after the event.
///
/// # Errors
/// When the state does not allow the event; the site stays where it is.
pub fn transition(state: SiteState, event: SiteEvent) -> Result<SiteState, Refused> {
    use SiteState::{Active, Held, IdentityReview, Invited, Paused, Withdrawn};
    match (event, state) {
        (SiteEvent::Withdraw, _) | (SiteEvent::Reject, IdentityReview) => Ok(Withdrawn),
        (SiteEvent::Pair, Active | Paused) => Ok(state),
        (SiteEvent::Pair, Invited | Held | IdentityReview | Withdrawn)
        | (SiteEvent::Hold, Held | Active | Paused)
        | (SiteEvent::Accept, IdentityReview) => Ok(Held),
        (SiteEvent::Activate, Held | Active | Paused) => Ok(Active),
        (SiteEvent::Pause, Active | Paused) => Ok(Paused),
        (SiteEvent::NameChanged, Held | Active | Paused | IdentityReview) => Ok(IdentityReview),
        _ => Err(Refused { state, event }),
    }
}

fn advice(state: SiteState) -> &'static str {
    match state {
        SiteState::Invited => "pair it first, with a code from the practice",
        SiteState::Held => "activate it first",
        SiteState::Active | SiteState::Paused => "there is nothing to review",
        SiteState::IdentityReview => "a person must first decide whether it is the same practice",
        SiteState::Withdrawn => "pair it anew, with a new code from the practice",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENTS: [SiteEvent; 8] = [
        SiteEvent::Pair,
        SiteEvent::Activate,
        SiteEvent::Hold,
        SiteEvent::Pause,
        SiteEvent::NameChanged,
        SiteEvent::Accept,
        SiteEvent::Reject,
        SiteEvent::Withdraw,
    ];

    /// The rows of the tables of a text whose first cell is a state.
    fn documented(text: &str, before: &str) -> Vec<(SiteState, Vec<String>)> {
        text.lines()
            .filter_map(|line| line.strip_prefix(before))
            .filter_map(|line| {
                let mut cells = line.split('|').map(|cell| cell.trim().to_owned());
                let state = cells.next()?.parse().ok()?;
                Some((state, cells.take(EVENTS.len()).collect()))
            })
            .collect()
    }

    #[test]
    fn every_state_and_event_do_what_the_table_says() {
        let header = documented(include_str!("lifecycle.rs"), "//! | ");
        let page = documented(include_str!("../../docs/sites.md"), "| ");
        for table in [header, page] {
            assert_eq!(table.len(), 6, "one row per state");
            for (state, cells) in table {
                for (event, cell) in EVENTS.into_iter().zip(cells) {
                    let after =
                        transition(state, event).map_or("-".to_owned(), |state| state.to_string());
                    assert_eq!(after, cell, "{state} and {event:?}");
                }
            }
        }
    }
}

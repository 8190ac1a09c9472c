//! One look for all who wait for queries of the same site.
//!
//! Whoever waits first leads: sleeps until a look is due, asks once about every open query, and hands
//! each waiter its news. When the leader leaves, the next in line leads. So there is one poller per site
//! without a task that somebody would have to own, and a wait that is dropped stops nothing.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, Semaphore, mpsc};
use tokio::time::Instant;

use crate::domain::{HaloGuid, RemoteQueryId};

use super::client::Client;
use super::error::RemoteError;
use super::settings::Patience;
use super::status::RemoteQuery;

/// What one look found: the query, or that the API does not know it, or why nothing could be seen.
pub(crate) type Look = Result<Option<RemoteQuery>, RemoteError>;

/// All who wait for queries of one site.
pub(crate) struct Poller {
    /// One permit: whoever holds it leads.
    lead: Semaphore,
    board: Mutex<Board>,
    /// Rung when a look has become due earlier than it was.
    sooner: Notify,
}

#[derive(Default)]
struct Board {
    last_seat: u64,
    seats: HashMap<u64, Waiting>,
}

struct Waiting {
    query: RemoteQueryId,
    due: Instant,
    pause: Duration,
    pause_most: Duration,
    news: mpsc::UnboundedSender<Look>,
}

/// A place among those who wait; given up when dropped.
pub(crate) struct Seat<'a> {
    poller: &'a Poller,
    number: u64,
    news: mpsc::UnboundedReceiver<Look>,
}

impl Poller {
    pub(crate) fn new() -> Self {
        Self {
            lead: Semaphore::new(1),
            board: Mutex::default(),
            sooner: Notify::new(),
        }
    }

    /// Begins to wait for a query. The first look is due at once, unless the query was posted only now: no practice
    /// answers within a round trip, and each look is a call that counts against the key.
    pub(crate) fn sit(&self, query: RemoteQueryId, patience: &Patience) -> Seat<'_> {
        let (sender, news) = mpsc::unbounded_channel();
        let mut due = Instant::now();
        if patience.just_posted {
            due += patience.poll_first;
        }
        let waiting = Waiting {
            query,
            due,
            pause: patience.poll_first,
            pause_most: patience.poll_most,
            news: sender,
        };
        let number = self.with_board(|board| {
            board.last_seat += 1;
            board.seats.insert(board.last_seat, waiting);
            board.last_seat
        });
        self.sooner.notify_one();
        Seat {
            poller: self,
            number,
            news,
        }
    }

    /// Makes the next look at a query due now. One that nobody waits for is ignored.
    pub(crate) fn wake(&self, query: RemoteQueryId) {
        self.with_board(|board| {
            let seats = board.seats.values_mut();
            for seat in seats.filter(|seat| seat.query == query) {
                seat.due = Instant::now();
            }
        });
        self.sooner.notify_one();
    }

    /// Sleeps until a look is due, looks, and hands out what was seen.
    async fn lead(&self, client: &Client, site: HaloGuid) {
        loop {
            let Some(due) = self.next_due() else { return };
            tokio::select! {
                () = tokio::time::sleep_until(due) => break,
                () = self.sooner.notified() => {}
            }
        }
        let looks = client.look(site, &self.open_queries()).await;
        self.hand_out(&looks);
    }

    /// When the next look is due; `None` while nobody waits.
    pub(crate) fn next_due(&self) -> Option<Instant> {
        self.with_board(|board| board.seats.values().map(|seat| seat.due).min())
    }

    fn open_queries(&self) -> Vec<RemoteQueryId> {
        let mut open: Vec<_> =
            self.with_board(|board| board.seats.values().map(|seat| seat.query).collect());
        open.sort_unstable();
        open.dedup();
        open
    }

    fn hand_out(&self, looks: &HashMap<RemoteQueryId, Look>) {
        let now = Instant::now();
        self.with_board(|board| {
            for seat in board.seats.values_mut() {
                // One who sat down during the look has no news yet and stays due.
                if let Some(look) = looks.get(&seat.query) {
                    seat.due = now + seat.pause;
                    seat.pause = seat.pause.mul_f64(1.5).min(seat.pause_most);
                    // A waiter that has just gone needs no news.
                    let _ = seat.news.send(look.clone());
                }
            }
        });
    }

    /// A panic elsewhere leaves the board whole: each change to it is one step.
    fn with_board<T>(&self, work: impl FnOnce(&mut Board) -> T) -> T {
        work(&mut self.board.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Seat<'_> {
    /// The next news of the query, from whoever leads; leads itself when nobody does.
    ///
    /// # Cancel safety
    /// Dropping the future loses no news; a lead is passed on.
    pub(crate) async fn next_look(&mut self, client: &Client, site: HaloGuid) -> Look {
        loop {
            tokio::select! {
                biased;
                Some(look) = self.news.recv() => return look,
                permit = self.poller.lead.acquire() => {
                    let _leading = permit.expect("never closed");
                    // News that came just before the lead makes another look needless.
                    if self.news.is_empty() {
                        self.poller.lead(client, site).await;
                    }
                }
            }
        }
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.poller
            .with_board(|board| board.seats.remove(&self.number));
    }
}

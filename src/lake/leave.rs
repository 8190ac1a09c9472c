//! Removing from storage what the ledger has marked as gone.

use chrono::{DateTime, Utc};
use futures::TryStreamExt;

use super::{Holdings, LakeError};
use crate::fail_point::fail_point;

/// Objects that are removed in one turn: who wants to publish waits as long.
const PAGE: u32 = 500;
/// Removals on their way at once.
const AT_ONCE: usize = 16;

impl Holdings {
    /// Removes every object that is marked as gone and still there, also what an earlier call was killed over; how
    /// many.
    ///
    /// # Errors
    /// When ledger or storage refuse; the next call goes on.
    pub async fn finish_leaving(&self, now: DateTime<Utc>) -> Result<u64, LakeError> {
        let (mut after, mut removed) = (0, 0);
        loop {
            let turn = self.turn().await?;
            let page = self
                .ledger(move |ledger| ledger.leaving(after, PAGE))
                .await?;
            let Some(last) = page.last() else {
                return Ok(removed);
            };
            after = last.number;
            removed += page.len() as u64;
            let (paths, numbers): (Vec<String>, Vec<u64>) = page
                .into_iter()
                .map(|leaving| (leaving.path, leaving.number))
                .unzip();
            fail_point("before a removal");
            self.remove_all(paths).await?;
            self.ledger(move |ledger| ledger.note_removed(&numbers, now))
                .await?;
            drop(turn);
        }
    }

    /// Removes files, several at a time. That one is gone already is as good.
    pub(super) async fn remove_all(
        &self,
        paths: impl IntoIterator<Item = String>,
    ) -> Result<(), LakeError> {
        futures::stream::iter(paths.into_iter().map(Ok::<_, LakeError>))
            .try_for_each_concurrent(AT_ONCE, |path| async move {
                self.store.remove(&path).await?;
                fail_point("after a removal");
                Ok(())
            })
            .await
    }
}

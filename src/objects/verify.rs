//! Whether a file in storage is still the object that was published.
//!
//! Each is compared with its record in up to three depths: its footer, its bytes, its rows. A small object is
//! fetched once and looked at in memory; a large one is streamed for its digest and read a row group at a time.

use bytes::Bytes;
use futures::TryStreamExt;
use object_store::ObjectStoreExt;
use sha2::Digest;

use super::error::{StorageError, StorageErrorKind};
use super::layout::object_path;
use super::list::Listed;
use super::read::Footer;
use super::store::Store;
use crate::domain::{AttemptNumber, ObjectRecord, Sha256};

/// Up to this size an object is fetched whole, in one request in place of three.
pub(super) const SMALL_BYTES: u64 = 4 << 20;

/// How closely an object is looked at; each depth includes those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// What the listing of the store tells: existence, size, ETag. Costs no request.
    Listing,
    /// Also the footer: whose object it is, which attempt wrote it, how many rows it has.
    Footer,
    /// Also the digest: every byte is fetched.
    Bytes,
    /// Also every row: counted, and held against the statistics that readers skip by.
    Rows,
}

/// What the ledger says of one published object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// The object as it was recorded.
    pub object: ObjectRecord,
    /// The attempt that published it.
    pub attempt: AttemptNumber,
}

/// What is wrong with one path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Wrong {
    /// The ledger has it, storage does not.
    #[error("missing: the ledger says it was published; extract it again")]
    Missing,
    /// No path of ours.
    #[error(
        "foreign: not a path that this program makes; find out who wrote it, readers of the folder will read it"
    )]
    Foreign,
    /// A path of ours that the ledger does not know.
    #[error(
        "unrecorded: the ledger does not know it; rebuild the ledger from storage, or remove it"
    )]
    Unrecorded,
    /// Another attempt's object than the recorded one.
    #[error(
        "stale: attempt {found} wrote it, the ledger recorded attempt {recorded}; extract it again"
    )]
    Stale {
        /// The attempt that its footer tells.
        found: AttemptNumber,
        /// The attempt that the ledger tells.
        recorded: AttemptNumber,
    },
    /// Not what was published.
    #[error("altered: {0}; extract it again, and find out who changed it")]
    Altered(String),
}

impl Wrong {
    /// The kind in one word: `missing`, `foreign`, `unrecorded`, `stale` or `altered`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Foreign => "foreign",
            Self::Unrecorded => "unrecorded",
            Self::Stale { .. } => "stale",
            Self::Altered(_) => "altered",
        }
    }
}

impl Store {
    /// Compares one listed file with what the ledger `expected` at its path; `None` if nothing is wrong.
    ///
    /// # Errors
    /// When storage cannot be read. What is wrong with the object is not an error but the result.
    pub async fn judge(
        &self,
        listed: &Listed,
        expected: Option<&Expected>,
        depth: Depth,
    ) -> Result<Option<Wrong>, StorageError> {
        let Some(expected) = expected else {
            let known = listed.extraction.as_ref();
            return Ok(Some(known.map_or(Wrong::Foreign, |_| Wrong::Unrecorded)));
        };
        if depth == Depth::Listing {
            return Ok(compare_size(listed.size_bytes, expected)
                .or_else(|| compare_etag(listed, expected)));
        }
        match self.look_into(listed, expected, depth).await {
            Ok(wrong) => Ok(wrong),
            Err(error) => broken(error),
        }
    }

    async fn look_into(
        &self,
        listed: &Listed,
        expected: &Expected,
        depth: Depth,
    ) -> Result<Option<Wrong>, StorageError> {
        let path = &listed.path;
        let whole = if depth >= Depth::Bytes && listed.size_bytes <= SMALL_BYTES {
            Some(self.get(path).await?)
        } else {
            None
        };
        let footer = match &whole {
            Some(bytes) => self.footer_of(path, bytes)?,
            None => self.read_footer(path).await?,
        };
        if let Some(wrong) = compare(path, &footer, expected) {
            return Ok(Some(wrong));
        }
        if depth < Depth::Bytes {
            return Ok(compare_etag(listed, expected));
        }
        let digest = match &whole {
            Some(bytes) => digest_of(bytes),
            None => self.digest(path).await?,
        };
        if digest != expected.object.sha256 {
            return Ok(altered("its bytes have another digest"));
        }
        if depth < Depth::Rows {
            return Ok(None);
        }
        let fault = self.check_rows(path, &footer, whole).await?;
        Ok(fault.map(Wrong::Altered))
    }

    /// SHA-256 of the object at `path`, streamed.
    ///
    /// # Errors
    /// When it cannot be read.
    pub async fn digest(&self, path: &str) -> Result<Sha256, StorageError> {
        let refuse = |error| StorageError::from_store("read", path, error);
        let answer = self
            .inner
            .get(&self.location(path)?)
            .await
            .map_err(refuse)?;
        let mut bytes = answer.into_stream();
        let mut digest = sha2::Sha256::new();
        while let Some(some) = bytes.try_next().await.map_err(refuse)? {
            digest.update(&some);
        }
        Ok(Sha256(digest.finalize().into()))
    }
}

pub(super) fn digest_of(bytes: &Bytes) -> Sha256 {
    Sha256(sha2::Sha256::digest(bytes).into())
}

/// What footer and record disagree about: first who wrote it, then what.
fn compare(path: &str, footer: &Footer, expected: &Expected) -> Option<Wrong> {
    let Some(provenance) = &footer.provenance else {
        return altered("its footer is not one of ours");
    };
    let told = object_path(provenance.environment, &provenance.extraction);
    if told != path {
        return altered(format!("its footer says that it belongs at {told}"));
    }
    if provenance.attempt != expected.attempt {
        return Some(Wrong::Stale {
            found: provenance.attempt,
            recorded: expected.attempt,
        });
    }
    let in_groups: i64 = footer
        .metadata
        .row_groups()
        .iter()
        .map(|group| group.num_rows())
        .sum();
    let rows = expected.object.rows;
    if footer.rows != rows || in_groups.unsigned_abs() != rows {
        return altered(format!(
            "it has {} rows, {rows} were published",
            footer.rows
        ));
    }
    compare_size(footer.size_bytes, expected)
}

fn compare_size(found: u64, expected: &Expected) -> Option<Wrong> {
    let published = expected.object.size_bytes;
    (found != published)
        .then(|| Wrong::Altered(format!("it has {found} bytes, {published} were published")))
}

/// Only where the bytes are not read: equal bytes that were written again, by restoring a copy for example, have
/// another ETag and are right all the same.
fn compare_etag(listed: &Listed, expected: &Expected) -> Option<Wrong> {
    let (found, published) = (listed.etag.as_ref()?, expected.object.etag.as_ref()?);
    (found != published)
        .then(|| Wrong::Altered("it was written again since, as its ETag tells".to_owned()))
}

fn altered(how: impl Into<String>) -> Option<Wrong> {
    Some(Wrong::Altered(how.into()))
}

/// An object that is no Parquet file is a finding, one that cannot be fetched is an error.
fn broken(error: StorageError) -> Result<Option<Wrong>, StorageError> {
    match error.kind {
        StorageErrorKind::Foreign(why) => Ok(altered(why)),
        StorageErrorKind::Missing => Ok(Some(Wrong::Missing)),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::sync::Arc;

    use object_store::memory::InMemory;
    use proptest::prelude::*;

    use super::super::samples::{
        every_type, folder, noise, path, plausible_batches, provenance, publish, stage,
    };
    use super::*;
    use crate::domain::Environment;

    fn expecting(object: &ObjectRecord) -> BTreeMap<String, Expected> {
        let expected = Expected {
            object: object.clone(),
            attempt: provenance().attempt,
        };
        BTreeMap::from([(object.path.clone(), expected)])
    }

    async fn verify(
        store: &Store,
        expected: &BTreeMap<String, Expected>,
        depth: Depth,
    ) -> BTreeMap<String, Wrong> {
        let listed: Vec<Listed> = store
            .list(Environment::Simulator)
            .try_collect()
            .await
            .expect("listed");
        let mut wrong = BTreeMap::new();
        for one in listed {
            let judged = store.judge(&one, expected.get(&one.path), depth).await;
            wrong.extend(judged.expect("judged").map(|fault| (one.path, fault)));
        }
        wrong
    }

    #[tokio::test]
    async fn what_was_published_is_right_in_every_depth() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(20_000, 6_000)).await;

        for depth in [Depth::Listing, Depth::Footer, Depth::Bytes, Depth::Rows] {
            let wrong = verify(&store, &expecting(&object), depth).await;

            assert_eq!(wrong, BTreeMap::new(), "{depth:?}");
        }
    }

    #[tokio::test]
    async fn a_large_object_is_right_in_every_depth_too() {
        let (_folder, store) = folder();
        let (schema, batches) = noise(2, 4096);
        let staged = stage(&store, &schema, batches).await.expect("staged");
        let object = staged.publish().await.expect("published");
        assert!(object.size_bytes > SMALL_BYTES);

        for depth in [Depth::Footer, Depth::Bytes, Depth::Rows] {
            let wrong = verify(&store, &expecting(&object), depth).await;

            assert_eq!(wrong, BTreeMap::new(), "{depth:?}");
        }
    }

    #[tokio::test]
    async fn an_object_written_again_shows_by_its_etag_until_its_bytes_are_read() {
        let store = Store::over(Arc::new(InMemory::new()));
        let recorded = publish(&store, plausible_batches(3, 3)).await;
        let again = publish(&store, plausible_batches(3, 3)).await;
        assert_ne!(recorded.etag, again.etag);

        for (depth, wrong) in [
            (Depth::Listing, 1),
            (Depth::Footer, 1),
            (Depth::Bytes, 0),
            (Depth::Rows, 0),
        ] {
            let found = verify(&store, &expecting(&recorded), depth).await;
            assert_eq!(found.len(), wrong, "{depth:?}: {found:?}");
            assert_eq!(
                verify(&store, &expecting(&again), depth).await,
                BTreeMap::new()
            );
        }
    }

    #[tokio::test]
    async fn an_object_that_goes_between_listing_and_reading_is_missing() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        let listed = store.list(Environment::Simulator).try_next().await;
        let listed = listed.expect("listed").expect("one");
        store.remove(&object.path).await.expect("removed");
        store.remove(&object.path).await.expect("removed again");

        let expected = expecting(&object);
        for depth in [Depth::Footer, Depth::Bytes] {
            let wrong = store
                .judge(&listed, expected.get(&object.path), depth)
                .await;
            assert_eq!(wrong.expect("judged"), Some(Wrong::Missing));
        }
    }

    #[tokio::test]
    async fn a_file_of_somebody_else_is_foreign_and_one_of_ours_unrecorded() {
        let (folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        let foreign = "simulator/data/observation/v2/site=s40123/part-0.parquet";
        fs::write(folder.path().join(foreign), "not ours").expect("written");

        let wrong = verify(&store, &BTreeMap::new(), Depth::Footer).await;

        assert_eq!(
            wrong,
            BTreeMap::from([
                (object.path, Wrong::Unrecorded),
                (foreign.to_owned(), Wrong::Foreign),
            ])
        );
    }

    #[tokio::test]
    async fn an_object_of_another_attempt_is_stale() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        let mut expected = expecting(&object);
        let recorded = AttemptNumber(4);
        expected.get_mut(&object.path).expect("it").attempt = recorded;

        let wrong = verify(&store, &expected, Depth::Footer).await;

        let found = provenance().attempt;
        assert_eq!(wrong[&object.path], Wrong::Stale { found, recorded });
    }

    #[tokio::test]
    async fn an_object_moved_to_another_site_is_altered() {
        let (folder, store) = folder();
        let mut object = publish(&store, plausible_batches(3, 3)).await;
        let other = object.path.replace("s40123", "s40124");
        let target = folder.path().join(&other);
        fs::create_dir_all(target.parent().expect("a parent")).expect("made");
        fs::rename(folder.path().join(&object.path), target).expect("moved");
        object.path = other;

        let wrong = verify(&store, &expecting(&object), Depth::Footer).await;

        assert!(wrong[&object.path].to_string().contains("belongs at"));
    }

    #[tokio::test]
    async fn an_object_with_other_rows_than_recorded_is_altered() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        let staged = stage(&store, &every_type(), plausible_batches(2, 2)).await;
        staged.expect("staged").publish().await.expect("published");

        let wrong = verify(&store, &expecting(&object), Depth::Footer).await;

        assert!(
            wrong[&object.path]
                .to_string()
                .contains("2 rows, 3 were published")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn one_changed_byte_anywhere_is_found(at in any::<prop::sample::Index>(), flip in 1..=255_u8) {
            let runtime = tokio::runtime::Runtime::new().expect("a runtime");
            let wrong = runtime.block_on(async {
                let (folder, store) = folder();
                let object = publish(&store, plausible_batches(50, 50)).await;
                let file = folder.path().join(&object.path);
                let mut bytes = fs::read(&file).expect("read");
                let at = at.index(bytes.len());
                bytes[at] ^= flip;
                fs::write(&file, bytes).expect("written");
                verify(&store, &expecting(&object), Depth::Bytes).await
            });

            prop_assert_eq!(wrong.keys().cloned().collect::<Vec<_>>(), [path()]);
        }
    }
}

//! Whether storage still holds what the ledger says was published.
//!
//! Each object is compared with its record in up to three depths: its footer, its bytes, its rows. Objects
//! are checked a few at a time, each streamed, so memory does not grow with their number or their size.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt};
use object_store::ObjectStoreExt;
use sha2::Digest;

use super::error::{StorageError, StorageErrorKind};
use super::layout::object_path;
use super::list::Listed;
use super::read::Footer;
use super::store::Store;
use crate::domain::{AttemptNumber, Environment, ObjectRecord, Sha256};

/// Objects that are checked at once.
const AT_ONCE: usize = 8;

/// How closely each object is looked at; each depth includes those above it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// Existence, size, footer: a request or two per object.
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

/// What a verification saw.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verification {
    /// Files that storage lists.
    pub listed: u64,
    /// Those that were looked into.
    pub looked_into: u64,
    /// The size of those in bytes.
    pub size_bytes: u64,
    /// What is wrong, by path. Empty if storage and ledger agree.
    pub wrong: BTreeMap<String, Wrong>,
}

impl Store {
    /// Compares storage with what the ledger `expected` there, which is by path.
    ///
    /// `every` looks into each n-th object only (1: all); that all exist, and no other, is always checked.
    ///
    /// # Errors
    /// When storage cannot be listed or read. What is wrong with objects is not an error but the result.
    pub async fn verify(
        &self,
        environment: Environment,
        expected: &BTreeMap<String, Expected>,
        depth: Depth,
        every: usize,
    ) -> Result<Verification, StorageError> {
        let mut result = Verification::default();
        let mut unseen: BTreeSet<&str> = expected.keys().map(String::as_str).collect();
        let mut looked_at = self
            .list(environment)
            .enumerate()
            .map(|(number, listed)| async move {
                let listed = listed?;
                let depth = (number % every.max(1) == 0).then_some(depth);
                let wrong = self.judge(&listed, expected, depth).await?;
                Ok::<_, StorageError>((listed, depth, wrong))
            })
            .buffer_unordered(AT_ONCE)
            .boxed();
        while let Some((listed, depth, wrong)) = looked_at.try_next().await? {
            unseen.remove(listed.path.as_str());
            result.listed += 1;
            if depth.is_some() {
                result.looked_into += 1;
                result.size_bytes += listed.size_bytes;
            }
            if let Some(wrong) = wrong {
                result.wrong.insert(listed.path, wrong);
            }
        }
        let missing = unseen
            .into_iter()
            .map(|path| (path.to_owned(), Wrong::Missing));
        result.wrong.extend(missing);
        Ok(result)
    }

    async fn judge(
        &self,
        listed: &Listed,
        expected: &BTreeMap<String, Expected>,
        depth: Option<Depth>,
    ) -> Result<Option<Wrong>, StorageError> {
        let Some(expected) = expected.get(&listed.path) else {
            let wrong = listed
                .extraction
                .as_ref()
                .map_or(Wrong::Foreign, |_| Wrong::Unrecorded);
            return Ok(Some(wrong));
        };
        let Some(depth) = depth else {
            return Ok(None);
        };
        let footer = match self.read_footer(&listed.path).await {
            Ok(footer) => footer,
            Err(error) => return broken(error),
        };
        if let Some(wrong) = compare(&listed.path, &footer, expected) {
            return Ok(Some(wrong));
        }
        if depth >= Depth::Bytes && self.digest(&listed.path).await? != expected.object.sha256 {
            return Ok(altered("its bytes have another digest"));
        }
        if depth >= Depth::Rows {
            return match self.check_rows(&listed.path, &footer).await {
                Ok(fault) => Ok(fault.map(Wrong::Altered)),
                Err(error) => broken(error),
            };
        }
        Ok(None)
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
    let ObjectRecord {
        size_bytes, rows, ..
    } = expected.object;
    if footer.rows != rows || in_groups.unsigned_abs() != rows {
        return altered(format!(
            "it has {} rows, {rows} were published",
            footer.rows
        ));
    }
    if footer.size_bytes != size_bytes {
        let found = footer.size_bytes;
        return altered(format!("it has {found} bytes, {size_bytes} were published"));
    }
    None
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
    use std::fs;

    use proptest::prelude::*;

    use super::super::samples::{
        every_type, folder, path, plausible_batches, provenance, publish, stage,
    };
    use super::*;

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
        let result = store
            .verify(Environment::Simulator, expected, depth, 1)
            .await;
        result.expect("verified").wrong
    }

    #[tokio::test]
    async fn what_was_published_is_right_in_every_depth() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(20_000, 6_000)).await;

        for depth in [Depth::Footer, Depth::Bytes, Depth::Rows] {
            let result = store
                .verify(Environment::Simulator, &expecting(&object), depth, 1)
                .await
                .expect("verified");

            assert_eq!(result.wrong, BTreeMap::new());
            assert_eq!((result.listed, result.looked_into), (1, 1));
            assert_eq!(result.size_bytes, object.size_bytes);
        }
    }

    #[tokio::test]
    async fn an_object_that_is_gone_is_missing() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        store.remove(&object.path).await.expect("removed");
        store.remove(&object.path).await.expect("removed again");

        let wrong = verify(&store, &expecting(&object), Depth::Footer).await;

        assert_eq!(wrong, BTreeMap::from([(object.path, Wrong::Missing)]));
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

    #[tokio::test]
    async fn a_verification_of_a_sample_still_finds_what_is_missing() {
        let (_folder, store) = folder();
        let object = publish(&store, plausible_batches(3, 3)).await;
        let mut expected = expecting(&object);
        let gone = object.path.replace("2026-11-18", "2026-11-17");
        expected.insert(gone.clone(), expected[&object.path].clone());

        let result = store
            .verify(Environment::Simulator, &expected, Depth::Rows, 1_000)
            .await
            .expect("verified");

        assert_eq!(result.wrong, BTreeMap::from([(gone, Wrong::Missing)]));
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

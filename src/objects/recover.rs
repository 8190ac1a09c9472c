//! A ledger from nothing: what the objects themselves say was published.
//!
//! Every fact comes from an object's own footer and bytes; its path only has to agree. The four counts of a
//! proof cannot be recovered, except that rows declared and rows in the footer are both in the footer.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use futures::{StreamExt, TryStreamExt};

use super::error::{StorageError, StorageErrorKind};
use super::footer::Provenance;
use super::layout::object_path;
use super::list::Listed;
use super::store::Store;
use super::verify::Wrong;
use crate::domain::{Environment, ObjectRecord};

/// Objects that are read at once.
const AT_ONCE: usize = 8;

/// A published object, as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recovered {
    /// Where its rows come from.
    pub provenance: Provenance,
    /// What a ledger records of it; the digest is computed anew.
    pub object: ObjectRecord,
    /// When it became visible.
    pub published_at: DateTime<Utc>,
}

impl Store {
    /// Reads every object of the environment: those that a ledger can record, and by path what is wrong
    /// with the others.
    ///
    /// # Errors
    /// When storage cannot be listed or read.
    pub async fn recover(
        &self,
        environment: Environment,
    ) -> Result<(Vec<Recovered>, BTreeMap<String, Wrong>), StorageError> {
        let mut recovered = Vec::new();
        let mut wrong = BTreeMap::new();
        let mut read = self
            .list(environment)
            .map(|listed| async move {
                let listed = listed?;
                let path = listed.path.clone();
                Ok::<_, StorageError>((path, self.recover_one(listed).await?))
            })
            .buffer_unordered(AT_ONCE)
            .boxed();
        while let Some((path, result)) = read.try_next().await? {
            match result {
                Ok(object) => recovered.push(object),
                Err(fault) => {
                    wrong.insert(path, fault);
                }
            }
        }
        recovered.sort_by(|one, other| one.object.path.cmp(&other.object.path));
        Ok((recovered, wrong))
    }

    async fn recover_one(&self, listed: Listed) -> Result<Result<Recovered, Wrong>, StorageError> {
        let Listed {
            path,
            published_at,
            etag,
            extraction,
            ..
        } = listed;
        if extraction.is_none() {
            return Ok(Err(Wrong::Foreign));
        }
        let footer = match self.read_footer(&path).await {
            Ok(footer) => footer,
            Err(error) => match error.kind {
                StorageErrorKind::Foreign(why) => return Ok(Err(Wrong::Altered(why.to_owned()))),
                _ => return Err(error),
            },
        };
        let Some(provenance) = footer.provenance else {
            return Ok(Err(Wrong::Altered(
                "its footer is not one of ours".to_owned(),
            )));
        };
        let told = object_path(provenance.environment, &provenance.extraction);
        if told != path {
            let how = format!("its footer says that it belongs at {told}");
            return Ok(Err(Wrong::Altered(how)));
        }
        if provenance.rows_declared != footer.rows {
            let (declared, rows) = (provenance.rows_declared, footer.rows);
            let how = format!("it has {rows} rows, the API declared {declared}");
            return Ok(Err(Wrong::Altered(how)));
        }
        let object = ObjectRecord {
            sha256: self.digest(&path).await?,
            size_bytes: footer.size_bytes,
            rows: footer.rows,
            etag,
            path,
        };
        Ok(Ok(Recovered {
            provenance,
            object,
            published_at,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{folder, path, plausible_batches, provenance, publish};
    use super::*;

    #[tokio::test]
    async fn a_lost_ledger_is_told_again_by_the_objects() {
        let (folder, store) = folder();
        let rows = usize::try_from(provenance().rows_declared).expect("a few");
        let published = publish(&store, plausible_batches(rows, rows)).await;
        let foreign = "simulator/data/notes.txt";
        std::fs::write(folder.path().join(foreign), "not ours").expect("written");

        let (recovered, wrong) = store.recover(Environment::Simulator).await.expect("read");

        let found: Vec<_> = recovered
            .iter()
            .map(|one| (&one.object, &one.provenance))
            .collect();
        assert_eq!(found, [(&published, &provenance())]);
        assert_eq!(
            wrong,
            BTreeMap::from([(foreign.to_owned(), Wrong::Foreign)])
        );
    }

    #[tokio::test]
    async fn an_object_with_other_rows_than_declared_is_not_taken_back() {
        let (_folder, store) = folder();
        publish(&store, plausible_batches(4, 4)).await;

        let (recovered, wrong) = store.recover(Environment::Simulator).await.expect("read");

        assert_eq!(recovered, []);
        assert!(
            wrong[&path()]
                .to_string()
                .contains("4 rows, the API declared 5")
        );
    }
}

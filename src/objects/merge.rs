//! Several objects of one query at one site → one, row by row as they are.
//!
//! Every row keeps its own `_window_start`, `_window_end` and `_extracted_at`; the footer lists the extractions. Each
//! object is held against its recorded digest before its rows are taken, because it is removed afterwards. Memory is a
//! row group to read and one to write, whatever is merged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, RecordBatch};
use arrow::compute::filter_record_batch;
use arrow::datatypes::{Date32Type, Schema, SchemaRef};
use arrow::error::ArrowError;
use parquet::errors::ParquetError;
use tokio::sync::mpsc::{self, Sender};

use super::encode::{self, Source};
use super::error::{StorageError, StorageErrorKind};
use super::footer::{MergedPart, Provenance};
use super::lanes::Lanes;
use super::layout::object_path;
use super::read::Footer;
use super::rows::{batches_of, undecodable};
use super::store::{Staged, Store};
use super::verify::{SMALL_BYTES, digest_of};
use crate::domain::{AttemptNumber, Extraction, ObjectRecord, Window};

/// An object whose rows may be merged with those of others.
#[derive(Debug, Clone)]
pub struct MergeSource {
    object: ObjectRecord,
    footer: Footer,
    provenance: Provenance,
}

/// One object to be made of several.
#[derive(Debug, Clone)]
pub struct Merge {
    /// What it will tell of itself. Its window is from the first day of all to the last.
    pub provenance: Provenance,
    schema: SchemaRef,
    sources: Vec<(MergeSource, BTreeSet<Window>)>,
}

impl MergeSource {
    /// Of which days it is.
    #[must_use]
    pub fn window(&self) -> Window {
        self.provenance.extraction.window
    }

    /// Whether it was merged itself.
    #[must_use]
    pub fn is_merged(&self) -> bool {
        !self.provenance.merged.is_empty()
    }

    /// Whether rows of both can lie in one object: equal columns, and equal in what a footer says once.
    #[must_use]
    pub fn goes_with(&self, other: &Self) -> bool {
        let said_once = |provenance: &Provenance| Provenance {
            extraction: Extraction {
                window: other.window(),
                ..provenance.extraction.clone()
            },
            link_version: None,
            remote_query_id: other.provenance.remote_query_id,
            attempt: other.provenance.attempt,
            rows_declared: 0,
            rows_withheld: None,
            merged: Vec::new(),
            ..provenance.clone()
        };
        said_once(&self.provenance) == said_once(&other.provenance)
            && self.footer.schema.fields() == other.footer.schema.fields()
    }

    fn parts(&self) -> Vec<MergedPart> {
        if self.is_merged() {
            return self.provenance.merged.clone();
        }
        vec![MergedPart {
            window: self.window(),
            attempt: self.provenance.attempt.0,
            remote_query_id: self.provenance.remote_query_id,
            rows: self.provenance.rows_declared,
            rows_withheld: self.provenance.rows_withheld,
        }]
    }
}

impl Merge {
    /// What `sources` become as `extraction`, under the number `attempt`; they go with each other. Of days that were
    /// extracted again after they had been merged, only the newer rows are taken.
    ///
    /// # Panics
    /// Without any source.
    #[must_use]
    pub fn of(sources: Vec<MergeSource>, extraction: Extraction, attempt: AttemptNumber) -> Self {
        let last = sources.iter().max_by_key(|source| source.window().end());
        let last = last.expect("nothing is merged from nothing").clone();
        let newest = newest_parts(&sources);
        let mut merged: Vec<MergedPart> = newest.values().map(|(_, part)| part.clone()).collect();
        merged.sort_by_key(|part| part.window);
        let provenance = Provenance {
            extraction,
            attempt,
            rows_declared: merged.iter().map(|part| part.rows).sum(),
            rows_withheld: merged.iter().map(|part| part.rows_withheld).sum(),
            merged,
            ..last.provenance.clone()
        };
        let sources = sources.into_iter().enumerate().map(|(index, source)| {
            let taken = |part: &MergedPart| newest[&part.window].0 == index;
            let left_out = source.parts().into_iter().filter(|part| !taken(part));
            let left_out = left_out.map(|part| part.window).collect();
            (source, left_out)
        });
        Self {
            provenance,
            // What the schema was read with tells of the source alone.
            schema: Arc::new(Schema::new(last.footer.schema.fields().clone())),
            sources: sources.collect(),
        }
    }

    /// Where it will lie.
    #[must_use]
    pub fn path(&self) -> String {
        object_path(self.provenance.environment, &self.provenance.extraction)
    }
}

/// For each window the source that has its newest rows. An object of that window alone is newer than one that it was
/// merged into, or else it would have gone.
fn newest_parts(sources: &[MergeSource]) -> BTreeMap<Window, (usize, MergedPart)> {
    let mut newest: BTreeMap<Window, (usize, MergedPart)> = BTreeMap::new();
    for (index, source) in sources.iter().enumerate() {
        for part in source.parts() {
            let rank =
                |index: usize, part: &MergedPart| (!sources[index].is_merged(), part.attempt);
            let known = newest.get(&part.window);
            if known.is_none_or(|(other, known)| rank(index, &part) > rank(*other, known)) {
                newest.insert(part.window, (index, part));
            }
        }
    }
    newest
}

impl Store {
    /// What a recorded object says of itself, to be merged.
    ///
    /// # Errors
    /// When it cannot be read, or is not an object of ours.
    pub async fn merge_source(&self, object: &ObjectRecord) -> Result<MergeSource, StorageError> {
        let footer = self.read_footer(&object.path).await?;
        let Some(provenance) = footer.provenance.clone() else {
            return Err(unfit(&object.path, "its footer is not one of ours"));
        };
        Ok(MergeSource {
            object: object.clone(),
            footer,
            provenance,
        })
    }

    /// Brings the rows of all sources to storage as one object, which nobody sees before [`Staged::publish`].
    ///
    /// # Errors
    /// When a source is no longer what was recorded or has other rows than it told, or the store refuses. Nothing is
    /// left behind then.
    pub async fn stage_merged(&self, merge: &Merge) -> Result<Staged, StorageError> {
        let path = merge.path();
        let (to_stage, batches) = mpsc::channel(1);
        let source = Source {
            batches: batches.into(),
            origin: None,
            schema: Arc::clone(&merge.schema),
            footer: merge.provenance.to_key_values(),
            keys: self.keys.clone(),
        };
        let lanes = Lanes::for_this_machine();
        let staging = self.stage_bytes(&path, move |sink| encode::encode(source, sink, lanes));
        let feeding = self.feed_merged(merge, to_stage);
        let (staged, fed) = tokio::join!(staging, feeding);
        match (staged, fed) {
            (Ok(staged), Ok(rows))
                if rows == merge.provenance.rows_declared && rows == staged.rows_in_footer() =>
            {
                Ok(staged)
            }
            (Ok(staged), fed) => {
                staged.abort().await;
                Err(fed.err().unwrap_or_else(|| {
                    unfit(&path, "it would have other rows than its parts told")
                }))
            }
            // The sources' own fault is the better story, where there is one.
            (Err(error), fed) => Err(fed.err().unwrap_or(error)),
        }
    }

    /// Sends the rows of all sources on; how many.
    async fn feed_merged(
        &self,
        merge: &Merge,
        to_stage: Sender<RecordBatch>,
    ) -> Result<u64, StorageError> {
        let mut rows = 0;
        for (source, left_out) in &merge.sources {
            rows += self.feed_source(source, left_out, &to_stage).await?;
        }
        Ok(rows)
    }

    async fn feed_source(
        &self,
        source: &MergeSource,
        left_out: &BTreeSet<Window>,
        to_stage: &Sender<RecordBatch>,
    ) -> Result<u64, StorageError> {
        let (path, footer) = (&source.object.path, &source.footer);
        let whole = if source.object.size_bytes <= SMALL_BYTES {
            Some(self.get(path).await?)
        } else {
            None
        };
        let digest = match &whole {
            Some(bytes) => digest_of(bytes),
            None => self.digest(path).await?,
        };
        if digest != source.object.sha256 {
            return Err(unfit(
                path,
                "its bytes have another digest than was recorded",
            ));
        }
        let mut rows = 0;
        for number in 0..footer.metadata.num_row_groups() {
            let part = self.row_group(path, footer, whole.as_ref(), number).await?;
            let metadata = Arc::clone(&footer.metadata);
            let (left_out, to_stage) = (left_out.clone(), to_stage.clone());
            let decoding = tokio::task::spawn_blocking(move || {
                let mut rows = 0;
                for batch in batches_of(part, metadata, number)? {
                    let batch = without(batch?, &left_out)?;
                    rows += batch.num_rows() as u64;
                    if to_stage.blocking_send(batch).is_err() {
                        break;
                    }
                }
                Ok::<_, ParquetError>(rows)
            });
            let decoded = decoding.await.expect("decoding does not panic");
            rows += decoded.map_err(|_| undecodable(path))?;
        }
        Ok(rows)
    }
}

fn unfit(path: &str, why: &'static str) -> StorageError {
    StorageError::new("merge", path, StorageErrorKind::Foreign(why))
}

/// The rows of other windows than these.
fn without(batch: RecordBatch, left_out: &BTreeSet<Window>) -> Result<RecordBatch, ArrowError> {
    if left_out.is_empty() {
        return Ok(batch);
    }
    let dates = |name: &str| {
        let column = batch
            .column_by_name(name)
            .and_then(|column| column.as_primitive_opt::<Date32Type>());
        column.ok_or_else(|| ArrowError::SchemaError(format!("no dates in {name}")))
    };
    let (starts, ends) = (dates("_window_start")?, dates("_window_end")?);
    let is_kept = |(start, end): (&i32, &i32)| {
        let start = Date32Type::to_naive_date_opt(*start);
        let window = start.zip(Date32Type::to_naive_date_opt(*end));
        let window = window.and_then(|(start, end)| Window::new(start, end));
        window.is_none_or(|window| !left_out.contains(&window))
    };
    let kept: BooleanArray = starts
        .values()
        .iter()
        .zip(ends.values())
        .map(is_kept)
        .map(Some)
        .collect();
    filter_record_batch(&batch, &kept)
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::super::samples::{every_type, files_below, folder, plausible_batches, provenance};
    use super::*;

    /// Publishes `rows` rows of one day of November 2026 as attempt `attempt`.
    async fn publish(store: &Store, day: u32, attempt: u32, rows: usize) -> ObjectRecord {
        let window = format!("2026-11-{day:02}..2026-11-{:02}", day + 1);
        let mut provenance = provenance();
        provenance.extraction.window = window.parse().expect("a window");
        provenance.attempt = AttemptNumber(attempt);
        provenance.rows_declared = rows as u64;
        let extracted_at: DateTime<Utc> = format!("2026-11-{:02}T0{attempt}:00:00Z", day + 1)
            .parse()
            .expect("an instant");
        let (to_stage, batches) = mpsc::channel(1);
        let path = object_path(provenance.environment, &provenance.extraction);
        let schema = every_type();
        let staging = store.stage(&path, &schema, &provenance, extracted_at, batches);
        let sending = async move {
            for batch in plausible_batches(rows, 5_000) {
                to_stage.send(batch).await.expect("taken");
            }
        };
        let staged = tokio::join!(staging, sending).0.expect("staged");
        staged.publish().await.expect("published")
    }

    async fn merge(store: &Store, objects: &[&ObjectRecord], window: &str, attempt: u32) -> Merge {
        let mut sources = Vec::new();
        for object in objects {
            sources.push(store.merge_source(object).await.expect("ours"));
        }
        assert!(sources.iter().all(|source| source.goes_with(&sources[0])));
        let extraction = Extraction {
            window: window.parse().expect("a window"),
            ..provenance().extraction
        };
        Merge::of(sources, extraction, AttemptNumber(attempt))
    }

    async fn publish_merged(store: &Store, merge: &Merge) -> ObjectRecord {
        let staged = store.stage_merged(merge).await.expect("staged");
        staged.publish().await.expect("published")
    }

    /// Rows by window and hour of extraction.
    async fn count(store: &Store, path: &str) -> BTreeMap<(i32, i64), usize> {
        let mut counted = BTreeMap::new();
        for batch in store.read_batches(path).await.expect("readable") {
            let days = batch.column_by_name("_window_start").expect("it");
            let days = days.as_primitive::<Date32Type>();
            let instants = batch.column_by_name("_extracted_at").expect("it");
            let instants = instants.as_primitive::<arrow::datatypes::TimestampMicrosecondType>();
            for row in 0..days.len() {
                let hour = instants.value(row) / 3_600_000_000 % 24;
                *counted.entry((days.value(row), hour)).or_insert(0) += 1;
            }
        }
        counted
    }

    /// 2026-11-01, as days after 1970-01-01.
    const FIRST: i32 = 20_758;

    #[tokio::test]
    async fn merged_rows_keep_types_windows_and_times_and_the_footer_lists_what_they_are_of() {
        let (_folder, store) = folder();
        let one = publish(&store, 1, 1, 20_000).await;
        let none = publish(&store, 2, 1, 0).await;
        let three = publish(&store, 3, 2, 7).await;

        let merge = merge(&store, &[&one, &none, &three], "2026-11-01..2026-11-04", 1).await;
        let merged = publish_merged(&store, &merge).await;

        assert_eq!(merged.rows, 20_007);
        let footer = store.read_footer(&merged.path).await.expect("ours");
        let before = store.read_footer(&one.path).await.expect("ours");
        assert_eq!(footer.schema.fields(), before.schema.fields());
        let told = footer.provenance.expect("ours");
        assert_eq!(told, merge.provenance);
        assert_eq!(told.rows_declared, 20_007);
        assert_eq!(told.rows_withheld, Some(6), "two of each");
        let parts: Vec<(u32, u64)> = told
            .merged
            .iter()
            .map(|part| (part.attempt, part.rows))
            .collect();
        assert_eq!(parts, [(1, 20_000), (1, 0), (2, 7)]);
        let expected = BTreeMap::from([((FIRST, 1), 20_000), ((FIRST + 2, 2), 7)]);
        assert_eq!(count(&store, &merged.path).await, expected);
    }

    #[tokio::test]
    async fn of_a_day_extracted_again_only_the_newer_rows_are_merged() {
        let (_folder, store) = folder();
        let days = [
            publish(&store, 1, 1, 10).await,
            publish(&store, 2, 1, 20).await,
        ];
        let first = merge(&store, &[&days[0], &days[1]], "2026-11-01..2026-11-03", 1).await;
        let merged = publish_merged(&store, &first).await;
        let again = publish(&store, 2, 2, 5).await;
        let next = publish(&store, 3, 1, 3).await;

        let second = merge(
            &store,
            &[&merged, &again, &next],
            "2026-11-01..2026-11-04",
            1,
        )
        .await;
        let merged = publish_merged(&store, &second).await;

        let expected = BTreeMap::from([((FIRST, 1), 10), ((FIRST + 1, 2), 5), ((FIRST + 2, 1), 3)]);
        assert_eq!(count(&store, &merged.path).await, expected);
    }

    #[tokio::test]
    async fn an_object_that_changed_since_it_was_recorded_is_refused_and_nothing_is_left_behind() {
        let (folder, store) = folder();
        let one = publish(&store, 1, 1, 10).await;
        let recorded = publish(&store, 2, 1, 10).await;
        let merge = merge(&store, &[&one, &recorded], "2026-11-01..2026-11-03", 1).await;
        publish(&store, 2, 2, 10).await;

        let error = store
            .stage_merged(&merge)
            .await
            .map(|_| ())
            .expect_err("refused");

        assert!(error.to_string().contains("another digest"), "{error}");
        assert_eq!(files_below(folder.path()).len(), 2);
    }

    #[tokio::test]
    async fn rows_under_another_key_or_contract_do_not_go_into_one_object() {
        let (_folder, store) = folder();
        let object = publish(&store, 1, 1, 3).await;
        let source = store.merge_source(&object).await.expect("ours");
        assert!(source.goes_with(&source));

        let with = |change: fn(&mut Provenance)| {
            let mut other = source.clone();
            change(&mut other.provenance);
            source.goes_with(&other)
        };
        assert!(
            with(|told| told.link_version = None),
            "an agent's new version changes nothing"
        );
        assert!(with(|told| told.attempt = AttemptNumber(9)));
        assert!(!with(
            |told| told.pseudonym_key_id = Some("other".to_owned())
        ));
        assert!(!with(|told| told.contract_hash.0[0] ^= 1));
        assert!(!with(|told| told.variant = "view".parse().ok()));
    }
}

//! Whether storage still holds what the ledger says was published, all of it or a sample.
//!
//! The listing of the store is held against the ledger a thousand files at a time, then the ledger against what was
//! listed; one bit is kept per record, so memory does not grow with objects that are right. What looks wrong is
//! looked at once more at the end: a night at work publishes and replaces while we read.

use std::collections::{BTreeMap, HashMap};
use std::str::FromStr;

use futures::{StreamExt, TryStreamExt};
use sha2::{Digest, Sha256};

use super::{Holdings, LakeError};
use crate::domain::Extraction;
use crate::ledger::{ObjectFilter, StandingObject};
use crate::objects::{Depth, Expected, Listed, Wrong, parse_object_path};

/// Files that are held against the ledger in one look.
const LOOK: usize = 1_000;
/// Objects that are read at once: each may be a row group in memory.
const AT_ONCE: usize = 4;

/// How many of the objects are looked into; that each exists, and no other, is always checked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sample {
    /// All.
    All,
    /// About so many, chosen anew each time.
    Count(u32),
    /// About this part of them, above 0 and at most 1.
    Part(f64),
}

/// A sample that is neither a number nor a percentage.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a sample; write a number of objects such as `500`, or a part such as `5%`")]
pub struct SampleError(String);

impl FromStr for Sample {
    type Err = SampleError;

    fn from_str(text: &str) -> Result<Self, SampleError> {
        let wrong = || SampleError(text.to_owned());
        match text.strip_suffix('%') {
            Some(percent) => {
                let percent: f64 = percent.trim().parse().map_err(|_| wrong())?;
                let fits = percent > 0.0 && percent <= 100.0;
                fits.then_some(Self::Part(percent / 100.0))
                    .ok_or_else(wrong)
            }
            None => match text.trim().parse() {
                Ok(count) if count > 0 => Ok(Self::Count(count)),
                _ => Err(wrong()),
            },
        }
    }
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

impl Holdings {
    /// Compares storage with the ledger. `seed` chooses the sample: another one chooses others.
    ///
    /// With a site or query in `filter`, only their objects are compared, and files of nobody are not looked for.
    ///
    /// # Errors
    /// When ledger or storage cannot be read. What is wrong with objects is not an error but the result.
    pub async fn verify(
        &self,
        filter: &ObjectFilter,
        depth: Depth,
        sample: Sample,
        seed: u64,
    ) -> Result<Verification, LakeError> {
        let part = self.part(filter, sample).await?;
        let mut result = Verification::default();
        let mut seen = Seen::default();
        let mut looks = self
            .store
            .list(self.environment)
            .try_filter(|listed| futures::future::ready(concerns(filter, listed)))
            .try_chunks(LOOK)
            .map_err(|error| error.1)
            .boxed();
        while let Some(listed) = looks.try_next().await? {
            self.look(
                listed,
                depth,
                part.map(|part| (part, seed)),
                &mut seen,
                &mut result,
            )
            .await?;
        }
        drop(looks);
        self.find_missing(filter, &seen, &mut result).await?;
        self.look_again(depth, &mut result).await?;
        Ok(result)
    }

    /// The part of the objects that the sample is; `None` for all.
    async fn part(&self, filter: &ObjectFilter, sample: Sample) -> Result<Option<f64>, LakeError> {
        Ok(match sample {
            Sample::All => None,
            Sample::Part(part) => Some(part),
            Sample::Count(count) => {
                let filter = filter.clone();
                let all = self.ledger(move |ledger| ledger.count_standing(&filter));
                Some(f64::from(count) / all.await?.max(1) as f64)
            }
        })
    }

    async fn look(
        &self,
        listed: Vec<Listed>,
        depth: Depth,
        sample: Option<(f64, u64)>,
        seen: &mut Seen,
        result: &mut Verification,
    ) -> Result<(), LakeError> {
        let records = self.records(&listed).await?;
        let mut judged = futures::stream::iter(listed)
            .map(|listed| {
                let record = records.get(&listed.path);
                let chosen = sample.is_none_or(|(part, seed)| is_chosen(&listed.path, part, seed));
                let depth = if chosen { depth } else { Depth::Listing };
                async move {
                    let expected = record.map(expected);
                    let wrong = self.store.judge(&listed, expected.as_ref(), depth).await?;
                    Ok::<_, LakeError>((listed, record, chosen, wrong))
                }
            })
            .buffer_unordered(AT_ONCE);
        while let Some((listed, record, chosen, wrong)) = judged.try_next().await? {
            result.listed += 1;
            if chosen && record.is_some() {
                result.looked_into += 1;
                result.size_bytes += listed.size_bytes;
            }
            if let Some(record) = record {
                seen.insert(record.number);
            }
            if let Some(wrong) = wrong {
                result.wrong.insert(listed.path, wrong);
            }
        }
        Ok(())
    }

    /// What the ledger says of these files, by path.
    pub(super) async fn records(
        &self,
        listed: &[Listed],
    ) -> Result<HashMap<String, StandingObject>, LakeError> {
        let known: Vec<Extraction> = listed
            .iter()
            .filter_map(|listed| listed.extraction.clone())
            .collect();
        let standing = self.ledger(move |ledger| ledger.standing(&known)).await?;
        let by_path = standing
            .into_iter()
            .map(|record| (record.object.path.clone(), record));
        Ok(by_path.collect())
    }

    async fn find_missing(
        &self,
        filter: &ObjectFilter,
        seen: &Seen,
        result: &mut Verification,
    ) -> Result<(), LakeError> {
        let mut after = 0;
        loop {
            let filter = filter.clone();
            let page = self
                .ledger(move |ledger| ledger.standing_after(after, LOOK as u32, &filter))
                .await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            after = last.number;
            for record in page {
                if !seen.contains(record.number) {
                    result.wrong.insert(record.object.path, Wrong::Missing);
                }
            }
        }
    }

    async fn look_again(&self, depth: Depth, result: &mut Verification) -> Result<(), LakeError> {
        for (path, wrong) in std::mem::take(&mut result.wrong) {
            let still = match parse_object_path(&path) {
                None => Some(wrong),
                Some((_, extraction)) => {
                    let record = self
                        .ledger(move |ledger| ledger.standing(&[extraction]))
                        .await?
                        .pop();
                    match (self.store.listed_at(&path).await?, record) {
                        (Some(listed), record) => {
                            let expected = record.as_ref().map(expected);
                            self.store.judge(&listed, expected.as_ref(), depth).await?
                        }
                        (None, Some(_)) => Some(Wrong::Missing),
                        (None, None) => None,
                    }
                }
            };
            result.wrong.extend(still.map(|wrong| (path, wrong)));
        }
        Ok(())
    }
}

fn expected(record: &StandingObject) -> Expected {
    Expected {
        object: record.object.clone(),
        attempt: record.attempt,
    }
}

/// Whether a listed file is one that the filter is about.
fn concerns(filter: &ObjectFilter, listed: &Listed) -> bool {
    let ObjectFilter { site, query, .. } = filter;
    match &listed.extraction {
        None => site.is_none() && query.is_none(),
        Some(extraction) => {
            site.as_ref().is_none_or(|site| *site == extraction.site)
                && query
                    .as_ref()
                    .is_none_or(|query| *query == extraction.query.name)
        }
    }
}

/// A part of all paths, evenly, and the same for the same seed.
fn is_chosen(path: &str, part: f64, seed: u64) -> bool {
    let digest = Sha256::new()
        .chain_update(seed.to_be_bytes())
        .chain_update(path)
        .finalize();
    let first = digest.first_chunk().expect("a digest has 32 bytes");
    (u64::from_be_bytes(*first) as f64) < part * u64::MAX as f64
}

/// One bit for each number.
#[derive(Default)]
pub(super) struct Seen(Vec<u64>);

impl Seen {
    pub(super) fn insert(&mut self, number: u64) {
        let (word, bit) = Self::place(number);
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= bit;
    }

    pub(super) fn contains(&self, number: u64) -> bool {
        let (word, bit) = Self::place(number);
        self.0.get(word).is_some_and(|found| found & bit != 0)
    }

    fn place(number: u64) -> (usize, u64) {
        let word =
            usize::try_from(number / 64).expect("a ledger has fewer records than memory has bits");
        (word, 1 << (number % 64))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_a_number_or_a_percentage() {
        assert_eq!("500".parse(), Ok(Sample::Count(500)));
        assert_eq!("2.5%".parse(), Ok(Sample::Part(0.025)));
        assert_eq!("100%".parse(), Ok(Sample::Part(1.0)));
        for wrong in ["", "0", "0%", "101%", "many", "-3", "%"] {
            let refused = wrong.parse::<Sample>().expect_err(wrong).to_string();
            assert!(refused.contains("500"), "{refused}");
        }
    }

    #[test]
    fn a_sample_is_about_the_part_that_was_asked_for_and_another_with_another_seed() {
        let paths: Vec<String> = (0..4_000).map(|number| format!("path {number}")).collect();
        let chosen = |seed| -> Vec<&String> {
            let of = paths.iter().filter(|path| is_chosen(path, 0.1, seed));
            of.collect()
        };

        let (one, other) = (chosen(1), chosen(2));

        // 400 expected; four standard deviations are 76.
        assert!((324..=476).contains(&one.len()), "{}", one.len());
        assert_eq!(one, chosen(1));
        assert_ne!(one, other);
    }

    #[test]
    fn a_number_is_seen_after_it_was_inserted_and_no_other_is() {
        let mut seen = Seen::default();
        for number in [0, 63, 64, 1_000] {
            assert!(!seen.contains(number));
            seen.insert(number);
            assert!(seen.contains(number));
        }
        assert!(!seen.contains(65));
        assert!(!seen.contains(1 << 40));
    }
}

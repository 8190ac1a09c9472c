//! Whether everything that the practices have has arrived: their own nightly counts held against the objects.
//!
//! `control` counts at the practice, table by table, the rows that must have been brought by the extracts up to its
//! night. Here the different keys in the objects of those nights are counted, without patients who may not be in the
//! extract any more, because the practice does not count them either. A row that became confidential, or vanished
//! from its table, after it arrived hides as many missing ones: what is found here is certain, what is not found is
//! not proven.
//!
//! One row group is in memory at a time, one bit for each key that is a number, and the pseudonyms of one practice.

use std::collections::{BTreeMap, HashSet};

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int32Type;
use arrow::util::display::array_value_to_string;
use chrono::NaiveDate;

use super::counts::{COLUMNS, CONTROL, Counted, Loss};
use super::verify::Seen;
use super::{Holdings, LakeError};
use crate::catalog::Catalog;
use crate::domain::{Mode, Query, QueryName, Rule, SiteKey, SiteState};
use crate::ledger::StandingObject;

/// Patients who may be in the extract on a day; without it nobody is left out.
const ROSTER: &str = "patient_roster";
/// Patients with their record status: one who is deleted is not in the roster, and is counted all the same.
const PATIENT: &str = "patient";

/// Something that the practices have and we do not, or had and have no longer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// At this site.
    pub site: SiteKey,
    /// The night of the count, by the date of the snapshot.
    pub night: NaiveDate,
    /// The query whose objects should hold the rows; `None` for a table that is only joined.
    pub query: Option<QueryName>,
    /// Tables of the practice.
    pub tables: Vec<String>,
    /// What is wrong.
    pub loss: Loss,
}

/// What was compared, and what was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reconciled {
    /// Sites whose counts were compared.
    pub sites: u64,
    /// Rows that must have arrived, over all of them.
    pub due: u64,
    /// Active sites of which there is no count.
    pub uncounted: Vec<SiteKey>,
    /// What was found, by site.
    pub findings: Vec<Finding>,
}

impl Holdings {
    /// Compares the newest nightly count of each site, or of one, with the count before and with the objects.
    /// Withdrawn sites are left out.
    ///
    /// # Errors
    /// When ledger or storage cannot be read. What is missing is not an error but the result.
    pub async fn reconcile(
        &self,
        catalog: &Catalog,
        only: Option<&SiteKey>,
    ) -> Result<Reconciled, LakeError> {
        let mut sites = self.ledger(|ledger| ledger.sites()).await?;
        sites.retain(|site| {
            site.state != SiteState::Withdrawn && only.is_none_or(|only| site.key == *only)
        });
        let mut result = Reconciled::default();
        for site in sites {
            let Some((night, counted)) =
                self.compare_nights(catalog, &site.key, &mut result).await?
            else {
                if site.state == SiteState::Active {
                    result.uncounted.push(site.key);
                }
                continue;
            };
            result.sites += 1;
            let agreeing = self.agreeing(catalog, &site.key, night).await?;
            for (query, tables) in by_extract(counted) {
                let due: i64 = tables.iter().map(|table| table.due).sum();
                let due = due.unsigned_abs();
                result.due += due;
                let loss = self
                    .not_arrived(catalog, &site.key, &query, night, due, agreeing.as_ref())
                    .await?;
                result.findings.extend(loss.map(|loss| Finding {
                    site: site.key.clone(),
                    night,
                    query: Some(query),
                    tables: tables.into_iter().map(|table| table.table).collect(),
                    loss,
                }));
            }
        }
        Ok(result)
    }

    /// The newest count of a site, after it was compared with the one before.
    async fn compare_nights(
        &self,
        catalog: &Catalog,
        site: &SiteKey,
        result: &mut Reconciled,
    ) -> Result<Option<(NaiveDate, Vec<Counted>)>, LakeError> {
        let mut standing = self.standing_of_name(catalog, site, CONTROL).await?;
        let Some((night, now)) = self.newest_count(&mut standing).await? else {
            return Ok(None);
        };
        if let Some((since, before)) = self.newest_count(&mut standing).await? {
            for table in &now {
                let earlier = before.iter().find(|before| before.table == table.table);
                let loss = earlier.and_then(|before| table.lost_since(before, since));
                result.findings.extend(loss.map(|loss| Finding {
                    site: site.clone(),
                    night,
                    query: table.brought_by.clone(),
                    tables: vec![table.table.clone()],
                    loss,
                }));
            }
        }
        Ok(Some((night, now)))
    }

    /// Takes the newest of `standing` that counts anything.
    async fn newest_count(
        &self,
        standing: &mut Vec<(&Query, StandingObject)>,
    ) -> Result<Option<(NaiveDate, Vec<Counted>)>, LakeError> {
        while let Some((_, newest)) = standing.pop() {
            let mut counted = Vec::new();
            self.store
                .read_columns(&newest.object.path, &COLUMNS, |batch| {
                    counted.extend(Counted::of_batch(batch));
                })
                .await?;
            if !counted.is_empty() {
                return Ok(Some((newest.extraction.window.start(), counted)));
            }
        }
        Ok(None)
    }

    /// The objects of all versions of a query at a site, oldest window first.
    async fn standing_of_name<'a>(
        &self,
        catalog: &'a Catalog,
        site: &SiteKey,
        name: &str,
    ) -> Result<Vec<(&'a Query, StandingObject)>, LakeError> {
        let mut found = Vec::new();
        for query in catalog.queries().filter(|it| it.id.name.as_str() == name) {
            let (key, id) = (site.clone(), query.id.clone());
            let standing = self
                .ledger(move |ledger| ledger.standing_of(&key, &id))
                .await?;
            found.extend(standing.into_iter().map(|object| (query, object)));
        }
        found.sort_by_key(|(query, object)| (object.extraction.window, query.id.version));
        Ok(found)
    }

    /// Pseudonyms of the patients whom the practice counts as due on a night: those of the newest roster, and the
    /// deleted ones. `None` where there is no roster.
    async fn agreeing(
        &self,
        catalog: &Catalog,
        site: &SiteKey,
        night: NaiveDate,
    ) -> Result<Option<HashSet<u128>>, LakeError> {
        let rosters = self.standing_of_name(catalog, site, ROSTER).await?;
        let newest = rosters
            .iter()
            .rfind(|(_, object)| object.extraction.window.start() <= night);
        let Some((query, roster)) = newest else {
            return Ok(None);
        };
        let Some(column) = patient_column(query) else {
            return Ok(None);
        };
        let mut agreeing = HashSet::new();
        self.store
            .read_columns(&roster.object.path, &[column], |batch| {
                agreeing.extend(pseudonyms(batch, column).into_iter().flatten());
            })
            .await?;
        for (query, object) in self.standing_of_name(catalog, site, PATIENT).await? {
            let Some(column) = patient_column(query) else {
                continue;
            };
            self.store
                .read_columns(&object.object.path, &[column, "record_status"], |batch| {
                    let status = batch
                        .column_by_name("record_status")
                        .and_then(|status| status.as_primitive_opt::<Int32Type>());
                    let is_deleted = |row: usize| status.is_some_and(|it| it.value(row) != 1);
                    let patients = pseudonyms(batch, column).into_iter().enumerate();
                    let deleted = patients.filter(|(row, _)| is_deleted(*row));
                    agreeing.extend(deleted.filter_map(|(_, patient)| patient));
                })
                .await?;
        }
        Ok(Some(agreeing))
    }

    /// What of an extract has not arrived up to a night.
    async fn not_arrived(
        &self,
        catalog: &Catalog,
        site: &SiteKey,
        name: &QueryName,
        night: NaiveDate,
        due: u64,
        agreeing: Option<&HashSet<u128>>,
    ) -> Result<Option<Loss>, LakeError> {
        let mut objects = self.standing_of_name(catalog, site, name.as_str()).await?;
        objects.retain(|(query, object)| {
            matches!(query.mode, Mode::Incremental { .. })
                && object.extraction.window.start() < night
        });
        let windows = || objects.iter().map(|(_, it)| it.extraction.window);
        let since = windows().map(|window| window.start()).min();
        let until = windows().map(|window| window.end()).max();
        let mut arrived = Arrived::default();
        for (query, object) in &objects {
            let patient = agreeing.and(patient_column(query));
            let mut columns: Vec<&str> = query.key.iter().map(String::as_str).collect();
            columns.extend(patient.filter(|patient| !columns.contains(patient)));
            self.store
                .read_columns(&object.object.path, &columns, |batch| {
                    let patients = patient.map(|column| pseudonyms(batch, column));
                    arrived.insert(batch, &query.key, |row| match (&patients, agreeing) {
                        (Some(patients), Some(agreeing)) => {
                            patients[row].is_some_and(|patient| agreeing.contains(&patient))
                        }
                        _ => true,
                    });
                })
                .await?;
        }
        Ok(match since {
            _ if arrived.count >= due => None,
            Some(since) if until >= Some(night) => Some(Loss::NotArrived {
                due,
                arrived: arrived.count,
                since,
            }),
            _ => Some(Loss::Behind { until }),
        })
    }
}

/// Tables by the query that brings their rows.
fn by_extract(counted: Vec<Counted>) -> BTreeMap<QueryName, Vec<Counted>> {
    let mut extracts: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for table in counted {
        if let Some(query) = table.brought_by.clone() {
            extracts.entry(query).or_default().push(table);
        }
    }
    extracts
}

/// The column that names the patient of a row.
fn patient_column(query: &Query) -> Option<&str> {
    let of_patient = |rule: &Rule| matches!(rule, Rule::Pseudonym { kind } if kind == "patient");
    let mut columns = query.contract.columns.iter();
    let column = columns.find(|column| column.rule.as_ref().is_some_and(of_patient))?;
    Some(&column.name)
}

/// The pseudonyms of a column, row by row: 128 bits as hex digits.
fn pseudonyms(batch: &RecordBatch, column: &str) -> Vec<Option<u128>> {
    let texts = batch
        .column_by_name(column)
        .and_then(|texts| texts.as_string_opt::<i32>());
    match texts {
        Some(texts) => texts
            .iter()
            .map(|text| u128::from_str_radix(text?, 16).ok())
            .collect(),
        None => vec![None; batch.num_rows()],
    }
}

/// Different keys that have come.
#[derive(Default)]
struct Arrived {
    count: u64,
    numbers: Seen,
    others: HashSet<String>,
}

impl Arrived {
    /// Takes the keys of the rows that `counts` lets through.
    fn insert(&mut self, batch: &RecordBatch, key: &[String], counts: impl Fn(usize) -> bool) {
        let columns = key.iter().filter_map(|name| batch.column_by_name(name));
        let columns: Vec<_> = columns.collect();
        let numbers = match columns.as_slice() {
            [column] => column.as_primitive_opt::<Int32Type>(),
            _ => None,
        };
        for row in (0..batch.num_rows()).filter(|row| counts(*row)) {
            let number = numbers.and_then(|numbers| u64::try_from(numbers.value(row)).ok());
            let is_new = match number {
                Some(number) if self.numbers.contains(number) => false,
                Some(number) => {
                    self.numbers.insert(number);
                    true
                }
                None => {
                    let parts = columns.iter();
                    let parts = parts.map(|part| array_value_to_string(part, row));
                    let parts: Vec<String> = parts.map(Result::unwrap_or_default).collect();
                    self.others.insert(parts.join("\u{1f}"))
                }
            };
            self.count += u64::from(is_new);
        }
    }
}

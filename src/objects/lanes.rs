//! Lanes: threads that encode the columns of a row group side by side.
//!
//! Each lane owns some of the columns, takes every batch in order and encodes its share. The sender learns
//! the size of the row group one batch late: all lanes are always one batch behind it and never further, so
//! they stay busy, memory stays two batches, and where a row group ends depends on the rows alone.

use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{Scope, ScopedJoinHandle};

use arrow::array::RecordBatch;
use arrow::datatypes::FieldRef;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::errors::{ParquetError, Result};

/// Most lanes of one object. More would wait for decoding, and other extractions want cores too.
const MOST_LANES: usize = 4;

/// One column of the row group in the making. Columns are flat, so each has one writer.
pub(super) struct OpenColumn {
    pub(super) index: usize,
    pub(super) field: FieldRef,
    pub(super) writer: ArrowColumnWriter,
}

enum Work {
    Open(Vec<OpenColumn>),
    Encode(RecordBatch),
    Close,
}

enum Answer {
    /// Bytes that the lane's columns take so far.
    Encoded(usize),
    Closed(Vec<(usize, ArrowColumnChunk)>),
}

struct Lane<'scope> {
    work: SyncSender<Work>,
    answers: Receiver<Result<Answer>>,
    _thread: ScopedJoinHandle<'scope, ()>,
}

/// The lanes of one object.
pub(super) struct Lanes<'scope> {
    lanes: Vec<Lane<'scope>>,
    /// Whether the lanes owe an answer for the last batch.
    owed: bool,
    encoded_bytes: usize,
}

impl<'scope> Lanes<'scope> {
    /// Starts `count` lanes, at least one; they end when this is dropped.
    pub(super) fn start<'env>(scope: &'scope Scope<'scope, 'env>, count: usize) -> Self {
        let lanes = (0..count.max(1)).map(|_| {
            let (work, taken) = sync_channel(1);
            let (given, answers) = channel();
            Lane {
                work,
                answers,
                _thread: scope.spawn(move || run(&taken, &given)),
            }
        });
        Self {
            lanes: lanes.collect(),
            owed: false,
            encoded_bytes: 0,
        }
    }

    /// How many lanes this machine has cores for; asked of the system once, which reads several files to tell.
    pub(super) fn for_this_machine() -> usize {
        static LANES: OnceLock<usize> = OnceLock::new();
        let cores = || std::thread::available_parallelism().map_or(1, NonZero::get);
        *LANES.get_or_init(|| cores().min(MOST_LANES))
    }

    /// Begins a row group. `weights` tells how heavy each column is, in any unit; heavy ones are spread first.
    pub(super) fn open(&mut self, columns: Vec<OpenColumn>, weights: &[usize]) -> Result<()> {
        let mut shares: Vec<(usize, Vec<OpenColumn>)> =
            self.lanes.iter().map(|_| (0, Vec::new())).collect();
        let mut columns = columns;
        columns.sort_by_key(|column| std::cmp::Reverse(weights[column.index]));
        for column in columns {
            let lightest = shares
                .iter_mut()
                .min_by_key(|(weight, _)| *weight)
                .expect("at least one lane");
            lightest.0 += weights[column.index].max(1);
            lightest.1.push(column);
        }
        self.encoded_bytes = 0;
        for (lane, (_, share)) in self.lanes.iter().zip(shares) {
            lane.send(Work::Open(share))?;
        }
        Ok(())
    }

    /// Encodes a batch into the open row group; the bytes that the group takes without this batch.
    pub(super) fn encode(&mut self, batch: &RecordBatch) -> Result<usize> {
        for lane in &self.lanes {
            lane.send(Work::Encode(batch.clone()))?;
        }
        let before = self.settle();
        self.owed = true;
        before
    }

    /// Ends the row group: its columns in order.
    pub(super) fn close(&mut self) -> Result<Vec<ArrowColumnChunk>> {
        self.settle()?;
        for lane in &self.lanes {
            lane.send(Work::Close)?;
        }
        let mut columns = Vec::new();
        for lane in &self.lanes {
            if let Answer::Closed(share) = lane.answer()? {
                columns.extend(share);
            }
        }
        columns.sort_by_key(|(index, _)| *index);
        Ok(columns.into_iter().map(|(_, chunk)| chunk).collect())
    }

    fn settle(&mut self) -> Result<usize> {
        if std::mem::take(&mut self.owed) {
            self.encoded_bytes = 0;
            for lane in &self.lanes {
                if let Answer::Encoded(bytes) = lane.answer()? {
                    self.encoded_bytes += bytes;
                }
            }
        }
        Ok(self.encoded_bytes)
    }
}

impl Lane<'_> {
    fn send(&self, work: Work) -> Result<()> {
        self.work.send(work).map_err(|_| stopped())
    }

    fn answer(&self) -> Result<Answer> {
        self.answers.recv().map_err(|_| stopped())?
    }
}

/// A lane ends early after an error, which it has told, or a panic, which the scope passes on.
fn stopped() -> ParquetError {
    ParquetError::General("an encoding thread has stopped".to_owned())
}

fn run(work: &Receiver<Work>, answers: &Sender<Result<Answer>>) {
    let mut columns = Vec::new();
    while let Ok(work) = work.recv() {
        let answer = match work {
            Work::Open(share) => {
                columns = share;
                continue;
            }
            Work::Encode(batch) => encode(&mut columns, &batch).map(Answer::Encoded),
            Work::Close => close(std::mem::take(&mut columns)).map(Answer::Closed),
        };
        let failed = answer.is_err();
        if answers.send(answer).is_err() || failed {
            return;
        }
    }
}

fn encode(columns: &mut [OpenColumn], batch: &RecordBatch) -> Result<usize> {
    let mut encoded_bytes = 0;
    for column in columns {
        for leaf in compute_leaves(&column.field, batch.column(column.index))? {
            column.writer.write(&leaf)?;
        }
        encoded_bytes += column.writer.get_estimated_total_bytes();
    }
    Ok(encoded_bytes)
}

fn close(columns: Vec<OpenColumn>) -> Result<Vec<(usize, ArrowColumnChunk)>> {
    columns
        .into_iter()
        .map(|column| Ok((column.index, column.writer.close()?)))
        .collect()
}

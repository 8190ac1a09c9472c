//! One file of the spool: records one after the other, each a header and a body with a check sum over both.
//!
//! Whatever does not fit is no record: a file is read up to the first header that is not whole or not of its query, and
//! a record whose check sum does not fit counts as absent. Of two with the same number the later counts.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};

use flate2::Crc;

use crate::domain::{PageNumber, RemoteQueryId};

/// Begins every record; the last byte is the version of the layout.
const MAGIC: [u8; 4] = *b"HxP\x03";

/// Magic, remote query, number of the page, declared rows, size of the body, check sum.
pub(super) const HEADER_BYTES: usize = 4 + 16 + 4 + 8 + 8 + 4;

/// Stands for a page whose rows were not declared.
const NOT_DECLARED: u64 = u64::MAX;

/// The records of an open file.
#[derive(Debug)]
pub(super) struct Records {
    file: File,
    places: BTreeMap<PageNumber, Place>,
    /// Where the next record goes.
    end: u64,
}

/// Where a record lies, header and body.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: u64,
    bytes: u64,
}

impl Records {
    /// The records of `file` up to the first that is not whole or not of `query`.
    pub(super) fn read(mut file: File, query: RemoteQueryId) -> io::Result<Self> {
        let size = file.metadata()?.len();
        let (mut places, mut start) = (BTreeMap::new(), 0);
        let mut header = [0; HEADER_BYTES];
        while start + HEADER_BYTES as u64 <= size {
            file.seek(SeekFrom::Start(start))?;
            file.read_exact(&mut header)?;
            let Some(told) = Told::of(query, &header) else {
                break;
            };
            let bytes = told.size.saturating_add(HEADER_BYTES as u64);
            if bytes > size - start {
                break;
            }
            places.insert(told.page, Place { start, bytes });
            start += bytes;
        }
        Ok(Self {
            file,
            places,
            end: start,
        })
    }

    /// Cuts off what lies behind the last record, such as one that a kill left half written; how many bytes.
    pub(super) fn cut_rest(&self) -> io::Result<u64> {
        let size = self.file.metadata()?.len();
        self.file.set_len(self.end)?;
        Ok(size - self.end)
    }

    /// Whether there is a record of this number; whether it is whole shows when it is read.
    pub(super) fn has(&self, page: PageNumber) -> bool {
        self.places.contains_key(&page)
    }

    /// The declared rows and the body of a record that is whole.
    pub(super) fn body(
        &mut self,
        query: RemoteQueryId,
        page: PageNumber,
    ) -> Option<(Option<u64>, Vec<u8>)> {
        let place = self.places.get(&page)?;
        let mut header = [0; HEADER_BYTES];
        let mut body = vec![0; usize::try_from(place.bytes).ok()? - HEADER_BYTES];
        self.file.seek(SeekFrom::Start(place.start)).ok()?;
        self.file.read_exact(&mut header).ok()?;
        self.file.read_exact(&mut body).ok()?;
        let told = Told::of(query, &header)?;
        let whole = told.page == page
            && told.size == body.len() as u64
            && told.sum == check_sum(&header[..HEADER_BYTES - 4], &body);
        whole.then_some((told.rows, body))
    }

    /// Writes a record behind the others; what was written of it in vain is cut off.
    pub(super) fn append(
        &mut self,
        query: RemoteQueryId,
        page: PageNumber,
        rows: Option<u64>,
        body: &[u8],
    ) -> io::Result<()> {
        let header = header(query, page, rows, body);
        self.file.seek(SeekFrom::Start(self.end))?;
        let written = [&header, body]
            .iter()
            .try_for_each(|part| self.file.write_all(part));
        if let Err(error) = written {
            self.file.set_len(self.end)?;
            return Err(error);
        }
        let bytes = (header.len() + body.len()) as u64;
        let place = Place {
            start: self.end,
            bytes,
        };
        self.places.insert(page, place);
        self.end += bytes;
        Ok(())
    }
}

/// What a header tells of its record.
struct Told {
    page: PageNumber,
    rows: Option<u64>,
    /// Bytes of the body.
    size: u64,
    sum: u32,
}

impl Told {
    /// What `header` tells, if it is one of `query`.
    fn of(query: RemoteQueryId, header: &[u8; HEADER_BYTES]) -> Option<Self> {
        let rest = header.strip_prefix(&MAGIC)?;
        let rest = rest.strip_prefix(query.0.as_bytes())?;
        let (page, rest) = rest.split_first_chunk()?;
        let (rows, rest) = rest.split_first_chunk()?;
        let (size, rest) = rest.split_first_chunk()?;
        let (sum, _) = rest.split_first_chunk()?;
        let rows = u64::from_le_bytes(*rows);
        Some(Self {
            page: PageNumber(u32::from_le_bytes(*page)),
            rows: (rows != NOT_DECLARED).then_some(rows),
            size: u64::from_le_bytes(*size),
            sum: u32::from_le_bytes(*sum),
        })
    }
}

/// What goes before `body`: whose it is, what it is, and its check sum.
fn header(query: RemoteQueryId, page: PageNumber, rows: Option<u64>, body: &[u8]) -> Vec<u8> {
    let mut header = Vec::with_capacity(HEADER_BYTES);
    header.extend_from_slice(&MAGIC);
    header.extend_from_slice(query.0.as_bytes());
    header.extend_from_slice(&page.0.to_le_bytes());
    header.extend_from_slice(&rows.unwrap_or(NOT_DECLARED).to_le_bytes());
    header.extend_from_slice(&(body.len() as u64).to_le_bytes());
    let sum = check_sum(&header, body);
    header.extend_from_slice(&sum.to_le_bytes());
    header
}

/// CRC-32 over all that is kept of a record.
fn check_sum(told: &[u8], body: &[u8]) -> u32 {
    let mut sum = Crc::new();
    sum.update(told);
    sum.update(body);
    sum.sum()
}

//! Result rows, cut into pages: small results in memory, others on disk, where memory holds one row while writing and
//! one page while reading.
//!
//! Invariant: each page is a JSON array of whole rows; together they hold every row once, in order. What is kept goes
//! with the spool, a file in the simulator's private folder at the latest with that.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tempfile::TempDir;
use uuid::Uuid;

use super::engine::{RowSink, Stop};

/// A result up to this size stays in memory: most are small, and a file for each is most of what they would cost.
const SMALL_BYTES: usize = 64 << 10;

/// What small results may take together; beyond that they are files as well.
const MEMORY_BYTES: usize = 64 << 20;

/// Where results are kept.
#[derive(Debug)]
pub(super) struct Shelf {
    folder: TempDir,
    in_memory: Arc<AtomicUsize>,
}

/// Writes the rows of one result.
pub(super) struct SpoolWriter {
    out: Destination,
    in_memory: Arc<AtomicUsize>,
    shape: PageShape,
    pages: Vec<Leaf>,
    open: Leaf,
    failure: Option<io::Error>,
}

/// Where rows are written: memory, until they are too many.
struct Destination {
    /// Made when it is needed.
    path: PathBuf,
    memory: Vec<u8>,
    file: Option<BufWriter<File>>,
}

/// How a result is cut into pages.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct PageShape {
    /// A page closes before the row that would take it beyond this.
    pub(super) page_bytes: u64,
    /// Blanks are put into the first row until it is this long.
    pub(super) first_row_bytes: usize,
    /// Rows are taken and forgotten.
    pub(super) discard: bool,
    /// Whether an empty result still has one page, which holds `[]`.
    pub(super) empty_page: bool,
}

/// Where one page lies in the file.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Leaf {
    offset: u64,
    /// Bytes of the row array.
    pub(super) size: u64,
    /// Rows in it.
    pub(super) rows: u64,
}

/// A finished result.
#[derive(Debug)]
pub(super) struct Spool {
    place: Place,
    pages: Vec<Leaf>,
}

#[derive(Debug)]
enum Place {
    Memory {
        bytes: Vec<u8>,
        in_memory: Arc<AtomicUsize>,
    },
    File(PathBuf),
}

impl Shelf {
    /// A private folder in `folder`, empty.
    ///
    /// # Errors
    /// When it cannot be made.
    pub(super) fn new(folder: &Path) -> io::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("halo-simulator-")
            .tempdir_in(folder)?;
        Ok(Self {
            folder,
            in_memory: Arc::default(),
        })
    }

    /// Begins a result.
    pub(super) fn writer(&self, shape: PageShape) -> SpoolWriter {
        SpoolWriter {
            out: Destination {
                path: self.folder.path().join(Uuid::new_v4().to_string()),
                memory: Vec::new(),
                file: None,
            },
            in_memory: Arc::clone(&self.in_memory),
            shape,
            pages: Vec::new(),
            open: Leaf::default(),
            failure: None,
        }
    }
}

impl Write for Destination {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.file.is_none() {
            if self.memory.len() + bytes.len() <= SMALL_BYTES {
                self.memory.extend_from_slice(bytes);
                return Ok(bytes.len());
            }
            self.move_to_disk()?;
        }
        self.file.as_mut().expect("just made").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.as_mut().map_or(Ok(()), Write::flush)
    }
}

impl Destination {
    fn move_to_disk(&mut self) -> io::Result<()> {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&self.path)?;
        let file = self.file.insert(BufWriter::with_capacity(256 * 1024, file));
        file.write_all(&std::mem::take(&mut self.memory))
    }
}

impl Drop for Destination {
    fn drop(&mut self) {
        // A file that `finish` handed on has been taken out.
        if self.file.is_some() {
            remove(&self.path);
        }
    }
}

/// The private folder goes as a whole at the end, so a file that stays behind is not a leak.
fn remove(file: &Path) {
    let _ = std::fs::remove_file(file);
}

impl SpoolWriter {
    /// Closes the last page.
    ///
    /// # Errors
    /// What writing met, now or earlier.
    pub(super) fn finish(mut self) -> io::Result<Spool> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.open.rows > 0 {
            self.close_page()?;
        } else if self.pages.is_empty() && self.shape.empty_page {
            self.out.write_all(b"[]")?;
            self.pages.push(Leaf {
                offset: 0,
                size: 2,
                rows: 0,
            });
        }
        Ok(Spool {
            pages: std::mem::take(&mut self.pages),
            place: self.place()?,
        })
    }

    /// What was written, in memory if it is small and there is room.
    fn place(mut self) -> io::Result<Place> {
        if self.out.file.is_none() {
            let size = self.out.memory.len();
            let before = self.in_memory.fetch_add(size, Ordering::Relaxed);
            if before + size <= MEMORY_BYTES {
                return Ok(Place::Memory {
                    bytes: std::mem::take(&mut self.out.memory),
                    in_memory: self.in_memory,
                });
            }
            self.in_memory.fetch_sub(size, Ordering::Relaxed);
            self.out.move_to_disk()?;
        }
        self.out.flush()?;
        self.out.file = None;
        Ok(Place::File(std::mem::take(&mut self.out.path)))
    }

    fn write(&mut self, row: &[u8]) -> io::Result<()> {
        // The row, the comma or bracket before it and the bracket that closes the page.
        let grown = self.open.size + row.len() as u64 + 2;
        if self.open.rows > 0 && grown > self.shape.page_bytes {
            self.close_page()?;
        }
        self.out
            .write_all(if self.open.rows == 0 { b"[" } else { b"," })?;
        self.open.size += 1 + row.len() as u64;
        if self.open.rows == 0 && self.pages.is_empty() {
            self.widen(row)?;
        } else {
            self.out.write_all(row)?;
        }
        self.open.rows += 1;
        Ok(())
    }

    /// Writes the first row, blown up with blanks before its closing brace where that was asked.
    fn widen(&mut self, row: &[u8]) -> io::Result<()> {
        let blanks = self.shape.first_row_bytes.saturating_sub(row.len());
        let (head, brace) = row.split_at(row.len().saturating_sub(1));
        self.out.write_all(head)?;
        io::copy(&mut io::repeat(b' ').take(blanks as u64), &mut self.out)?;
        self.open.size += blanks as u64;
        self.out.write_all(brace)
    }

    fn close_page(&mut self) -> io::Result<()> {
        self.out.write_all(b"]")?;
        self.open.size += 1;
        let next = self.open.offset + self.open.size;
        self.pages.push(self.open);
        self.open = Leaf {
            offset: next,
            ..Leaf::default()
        };
        Ok(())
    }
}

impl RowSink for SpoolWriter {
    fn row(&mut self, json: &[u8]) -> Result<(), Stop> {
        if self.shape.discard {
            return Ok(());
        }
        self.write(json).map_err(|failure| {
            self.failure = Some(failure);
            Stop
        })
    }
}

impl Spool {
    /// The pages in order.
    pub(super) fn pages(&self) -> &[Leaf] {
        &self.pages
    }

    /// Rows of all pages.
    pub(super) fn rows(&self) -> u64 {
        self.pages.iter().map(|page| page.rows).sum()
    }

    /// Bytes of all pages.
    pub(super) fn size(&self) -> u64 {
        self.pages.iter().map(|page| page.size).sum()
    }

    /// Reads page `index`, counted from 0. Blocks.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(super) fn read(&self, index: usize) -> io::Result<Vec<u8>> {
        let page = self.pages[index];
        match &self.place {
            Place::Memory { bytes, .. } => {
                let from = page.offset as usize;
                Ok(bytes[from..from + page.size as usize].to_vec())
            }
            Place::File(path) => {
                let mut file = File::open(path)?;
                file.seek(SeekFrom::Start(page.offset))?;
                let mut bytes = Vec::with_capacity(usize::try_from(page.size).unwrap_or(0));
                file.take(page.size).read_to_end(&mut bytes)?;
                Ok(bytes)
            }
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        match self {
            Self::Memory { bytes, in_memory } => {
                in_memory.fetch_sub(bytes.len(), Ordering::Relaxed);
            }
            Self::File(path) => remove(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape(page_bytes: u64) -> PageShape {
        PageShape {
            page_bytes,
            first_row_bytes: 0,
            discard: false,
            empty_page: true,
        }
    }

    fn shelf() -> Shelf {
        Shelf::new(&std::env::temp_dir()).unwrap()
    }

    fn spooled_on(shelf: &Shelf, rows: &[&str], shape: PageShape) -> Spool {
        let mut writer = shelf.writer(shape);
        for row in rows {
            writer.row(row.as_bytes()).unwrap();
        }
        writer.finish().unwrap()
    }

    /// The shelf goes with the test, after the spool.
    fn spooled(rows: &[&str], shape: PageShape) -> (Shelf, Spool) {
        let shelf = shelf();
        let spool = spooled_on(&shelf, rows, shape);
        (shelf, spool)
    }

    fn files(shelf: &Shelf) -> usize {
        std::fs::read_dir(shelf.folder.path()).unwrap().count()
    }

    /// A row of about so many bytes.
    fn row_of(bytes: usize) -> String {
        format!(r#"{{"text":"{}"}}"#, "x".repeat(bytes))
    }

    fn text(spool: &Spool, index: usize) -> String {
        String::from_utf8(spool.read(index).unwrap()).unwrap()
    }

    #[test]
    fn a_page_closes_before_the_row_that_would_make_it_too_large() {
        // `[{"n":1},{"n":2}]` has 17 bytes.
        let (_shelf, spool) = spooled(&[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#], shape(17));

        assert_eq!(spool.pages().len(), 2);
        assert_eq!(text(&spool, 0), r#"[{"n":1},{"n":2}]"#);
        assert_eq!(text(&spool, 1), r#"[{"n":3}]"#);
    }

    #[test]
    fn a_row_larger_than_a_page_has_a_page_of_its_own() {
        let (_shelf, spool) = spooled(
            &[r#"{"n":1}"#, r#"{"n":22222222222222}"#, r#"{"n":3}"#],
            shape(12),
        );

        assert_eq!(
            spool
                .pages()
                .iter()
                .map(|page| page.rows)
                .collect::<Vec<_>>(),
            [1, 1, 1]
        );
    }

    #[test]
    fn a_result_without_rows_has_one_page_that_says_so() {
        let (_shelf, spool) = spooled(&[], shape(100));

        assert_eq!(spool.rows(), 0);
        assert_eq!(text(&spool, 0), "[]");
    }

    #[test]
    fn a_blown_up_row_is_the_same_row() {
        let wide = PageShape {
            first_row_bytes: 5000,
            ..shape(100)
        };
        let (_shelf, spool) = spooled(&[r#"{"n":1}"#, r#"{"n":2}"#], wide);

        assert!(spool.pages()[0].size > 5000);
        let rows: serde_json::Value = serde_json::from_str(&text(&spool, 0)).unwrap();
        assert_eq!(rows, serde_json::json!([{"n": 1}]));
    }

    #[test]
    fn a_large_result_is_a_file_that_goes_with_the_spool_or_with_its_unfinished_writer() {
        let row = row_of(SMALL_BYTES / 2);
        let (shelf, spool) = spooled(&[&row, &row, &row], shape(SMALL_BYTES as u64));
        let mut unfinished = shelf.writer(shape(100));
        for _ in 0..3 {
            unfinished.row(row.as_bytes()).unwrap();
        }

        assert_eq!(files(&shelf), 2);
        drop(unfinished);
        assert_eq!(files(&shelf), 1);
        assert_eq!(text(&spool, 2), format!("[{row}]"));
        drop(spool);
        assert_eq!(files(&shelf), 0);
    }

    #[test]
    fn small_results_are_in_memory_as_long_as_there_is_room_for_all() {
        let shelf = shelf();
        let row = row_of(SMALL_BYTES - 1_000);
        let one = || spooled_on(&shelf, &[&row], shape(100));
        let fit = MEMORY_BYTES / usize::try_from(one().size()).unwrap();

        let mut spools: Vec<Spool> = (0..fit).map(|_| one()).collect();
        assert_eq!(files(&shelf), 0);
        let beyond = one();
        assert_eq!(files(&shelf), 1);
        assert_eq!(text(&beyond, 0), text(&spools[0], 0));

        spools.pop();
        let _in_its_place = one();
        assert_eq!(files(&shelf), 1);
    }

    proptest! {
        #[test]
        fn pages_hold_every_row_once_and_in_order(
            numbers in prop::collection::vec(any::<u32>(), 0..200),
            page in 1u64..300,
            first_row_bytes in prop_oneof![Just(0), Just(SMALL_BYTES)],
        ) {
            let rows: Vec<String> = numbers.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
            let borrowed: Vec<&str> = rows.iter().map(String::as_str).collect();

            let (_shelf, spool) = spooled(&borrowed, PageShape { first_row_bytes, ..shape(page) });

            let mut read = Vec::new();
            for (index, leaf) in spool.pages().iter().enumerate() {
                let page: Vec<serde_json::Value> = serde_json::from_str(&text(&spool, index)).unwrap();
                prop_assert_eq!(page.len() as u64, leaf.rows);
                prop_assert_eq!(text(&spool, index).len() as u64, leaf.size);
                read.extend(page.into_iter().map(|row| row["n"].as_u64().unwrap()));
            }
            prop_assert_eq!(read, numbers.into_iter().map(u64::from).collect::<Vec<_>>());
        }
    }
}

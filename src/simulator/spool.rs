//! Result rows on disk, cut into pages: memory holds one row while writing and one page while reading.
//!
//! Invariant: each page is a JSON array of whole rows; together they hold every row once, in order. The file
//! lies in the simulator's private folder and goes with the spool.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use super::engine::{RowSink, Stop};

/// Writes the rows of one result.
pub(super) struct SpoolWriter {
    file: BufWriter<File>,
    path: PathBuf,
    shape: PageShape,
    pages: Vec<Leaf>,
    open: Leaf,
    failure: Option<io::Error>,
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
    path: PathBuf,
    pages: Vec<Leaf>,
}

impl SpoolWriter {
    /// Begins a result in a new file of its own.
    ///
    /// # Errors
    /// When the folder takes no file.
    pub(super) fn create(path: &Path, shape: PageShape) -> io::Result<SpoolWriter> {
        let file = OpenOptions::new().write(true).create_new(true).open(path)?;
        Ok(SpoolWriter {
            file: BufWriter::with_capacity(256 * 1024, file),
            path: path.to_owned(),
            shape,
            pages: Vec::new(),
            open: Leaf::default(),
            failure: None,
        })
    }

    /// Closes the last page.
    ///
    /// # Errors
    /// What writing met, now or earlier.
    pub(super) fn finish(mut self) -> io::Result<Spool> {
        // From here on the file goes with the spool, also when finishing fails.
        let mut spool = Spool {
            path: self.path.clone(),
            pages: Vec::new(),
        };
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        if self.open.rows > 0 {
            self.close_page()?;
        } else if self.pages.is_empty() && self.shape.empty_page {
            self.file.write_all(b"[]")?;
            self.pages.push(Leaf {
                offset: 0,
                size: 2,
                rows: 0,
            });
        }
        self.file.flush()?;
        spool.pages = self.pages;
        Ok(spool)
    }

    fn write(&mut self, row: &[u8]) -> io::Result<()> {
        // The row, the comma or bracket before it and the bracket that closes the page.
        let grown = self.open.size + row.len() as u64 + 2;
        if self.open.rows > 0 && grown > self.shape.page_bytes {
            self.close_page()?;
        }
        self.file
            .write_all(if self.open.rows == 0 { b"[" } else { b"," })?;
        self.open.size += 1 + row.len() as u64;
        if self.open.rows == 0 && self.pages.is_empty() {
            self.widen(row)?;
        } else {
            self.file.write_all(row)?;
        }
        self.open.rows += 1;
        Ok(())
    }

    /// Writes the first row, blown up with blanks before its closing brace where that was asked.
    fn widen(&mut self, row: &[u8]) -> io::Result<()> {
        let blanks = self.shape.first_row_bytes.saturating_sub(row.len());
        let (head, brace) = row.split_at(row.len().saturating_sub(1));
        self.file.write_all(head)?;
        io::copy(&mut io::repeat(b' ').take(blanks as u64), &mut self.file)?;
        self.open.size += blanks as u64;
        self.file.write_all(brace)
    }

    fn close_page(&mut self) -> io::Result<()> {
        self.file.write_all(b"]")?;
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
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(page.offset))?;
        let mut bytes = Vec::with_capacity(usize::try_from(page.size).unwrap_or(0));
        file.take(page.size).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // The private folder goes as a whole at the end, so a file that stays behind is not a leak.
        let _ = std::fs::remove_file(&self.path);
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

    fn spooled(rows: &[&str], shape: PageShape) -> (tempfile::TempDir, Spool) {
        let folder = tempfile::tempdir().unwrap();
        let mut writer = SpoolWriter::create(&folder.path().join("result"), shape).unwrap();
        for row in rows {
            writer.row(row.as_bytes()).unwrap();
        }
        let spool = writer.finish().unwrap();
        (folder, spool)
    }

    fn text(spool: &Spool, index: usize) -> String {
        String::from_utf8(spool.read(index).unwrap()).unwrap()
    }

    #[test]
    fn a_page_closes_before_the_row_that_would_make_it_too_large() {
        // `[{"n":1},{"n":2}]` has 17 bytes.
        let (_folder, spool) = spooled(&[r#"{"n":1}"#, r#"{"n":2}"#, r#"{"n":3}"#], shape(17));

        assert_eq!(spool.pages().len(), 2);
        assert_eq!(text(&spool, 0), r#"[{"n":1},{"n":2}]"#);
        assert_eq!(text(&spool, 1), r#"[{"n":3}]"#);
    }

    #[test]
    fn a_row_larger_than_a_page_has_a_page_of_its_own() {
        let (_folder, spool) = spooled(
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
        let (_folder, spool) = spooled(&[], shape(100));

        assert_eq!(spool.rows(), 0);
        assert_eq!(text(&spool, 0), "[]");
    }

    #[test]
    fn a_blown_up_row_is_the_same_row() {
        let wide = PageShape {
            first_row_bytes: 5000,
            ..shape(100)
        };
        let (_folder, spool) = spooled(&[r#"{"n":1}"#, r#"{"n":2}"#], wide);

        assert!(spool.pages()[0].size > 5000);
        let rows: serde_json::Value = serde_json::from_str(&text(&spool, 0)).unwrap();
        assert_eq!(rows, serde_json::json!([{"n": 1}]));
    }

    #[test]
    fn the_file_goes_with_the_spool() {
        let (folder, spool) = spooled(&[r#"{"n":1}"#], shape(100));

        drop(spool);

        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    proptest! {
        #[test]
        fn pages_hold_every_row_once_and_in_order(numbers in prop::collection::vec(any::<u32>(), 0..200), page in 1u64..300) {
            let rows: Vec<String> = numbers.iter().map(|n| format!("{{\"n\":{n}}}")).collect();
            let borrowed: Vec<&str> = rows.iter().map(String::as_str).collect();

            let (_folder, spool) = spooled(&borrowed, shape(page));

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

//! Pages → batches that may be written: converted by the contract, de-identified, counted.

use arrow::array::RecordBatch;
use tokio::sync::{mpsc, oneshot};

use crate::convert::Converter;
use crate::privacy::Deidentifier;
use crate::remote::Page;

use super::error::AttemptError;

/// What conversion counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Converted {
    /// Rows in the batches.
    pub rows: u64,
    /// Sum of the rows that the API declared for the pages; a page for which it declared none counts as it is.
    pub declared: u64,
    /// Bytes of row JSON.
    pub bytes: u64,
}

/// The batches of a result, made of its pages as they are taken. Taking one blocks.
///
/// The batches end when the pages do, and also where a page is broken: which of the two it was, the [`Verdict`] tells.
pub struct Conversion<P> {
    pages: P,
    converter: Converter,
    deidentifier: Deidentifier,
    converted: Converted,
    /// Told once, at the end.
    verdict: Option<oneshot::Sender<Result<Converted, AttemptError>>>,
}

/// How a [`Conversion`] ended.
pub struct Verdict(oneshot::Receiver<Result<Converted, AttemptError>>);

impl<P: Iterator<Item = Page>> Conversion<P> {
    /// The conversion of `pages`, which come in order, and where to learn how it ended.
    #[must_use]
    pub fn new(pages: P, converter: Converter, deidentifier: Deidentifier) -> (Self, Verdict) {
        let (told, verdict) = oneshot::channel();
        let conversion = Self {
            pages,
            converter,
            deidentifier,
            converted: Converted::default(),
            verdict: Some(told),
        };
        (conversion, Verdict(verdict))
    }

    /// Takes the batches on a thread that may block and sends them on, until they end or nobody receives them any
    /// more. Why nobody does is for the receiver to tell.
    ///
    /// # Panics
    /// Outside a runtime.
    pub fn send_to(self, batches: mpsc::Sender<RecordBatch>)
    where
        P: Send + 'static,
    {
        tokio::task::spawn_blocking(move || {
            for batch in self {
                if batches.blocking_send(batch).is_err() {
                    break;
                }
            }
        });
    }

    /// The next batch as it was converted; `None` at the end of the pages.
    fn next_converted(&mut self) -> Result<Option<RecordBatch>, AttemptError> {
        loop {
            if let Some(batch) = self.converter.take_batch() {
                return Ok(Some(batch));
            }
            match self.pages.next() {
                Some(page) => self.convert(page)?,
                None => return Ok(self.converter.finish()),
            }
        }
    }

    fn convert(&mut self, page: Page) -> Result<(), AttemptError> {
        let (number, declared) = (page.number, page.rows_declared);
        let rows = page.into_rows()?;
        self.converted.bytes += rows.as_ref().len() as u64;
        let found = self.converter.push_page(number, rows.as_ref())?;
        let declared = declared.unwrap_or(found);
        // Compared page by page, because two wrong pages could make one right sum.
        if declared != found {
            return Err(AttemptError::OtherRows {
                page: number,
                declared,
                found,
            });
        }
        self.converted.declared += declared;
        Ok(())
    }

    fn tell(&mut self, verdict: Result<Converted, AttemptError>) {
        if let Some(told) = self.verdict.take() {
            // Nobody listens where the attempt was dropped.
            let _ = told.send(verdict);
        }
    }
}

impl<P: Iterator<Item = Page>> Iterator for Conversion<P> {
    type Item = RecordBatch;

    fn next(&mut self) -> Option<RecordBatch> {
        self.verdict.as_ref()?;
        match self.next_converted() {
            Ok(Some(batch)) => {
                self.converted.rows += batch.num_rows() as u64;
                Some(self.deidentifier.apply(&batch))
            }
            Ok(None) => {
                self.tell(Ok(self.converted));
                None
            }
            Err(error) => {
                self.tell(Err(error));
                None
            }
        }
    }
}

impl Verdict {
    /// What was converted, once it is.
    ///
    /// # Errors
    /// When a page is broken, breaks the contract or has other rows than declared; an internal one when the batches
    /// were not taken to their end.
    pub async fn told(self) -> Result<Converted, AttemptError> {
        self.0.await.unwrap_or_else(|_| {
            Err(AttemptError::Internal(
                "conversion stopped before the result ended".to_owned(),
            ))
        })
    }
}

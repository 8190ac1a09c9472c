//! Progress of a run on the terminal: a bar for the whole, a line for each extraction at work.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use crate::domain::Extraction;
use crate::extract::{Ended, Observer, Progress};

const TICK: Duration = Duration::from_millis(120);

/// The bars of one run, drawn on stderr.
struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    at_work: Mutex<BTreeMap<Extraction, ProgressBar>>,
}

/// An observer that draws the progress of `extractions` extractions.
pub(crate) fn bars(extractions: usize) -> Arc<Observer> {
    let style = "{pos}/{len} extractions {bar:30} {elapsed}";
    bars_of(ProgressBar::new(extractions as u64).with_style(styled(style)))
}

/// An observer that draws the progress of a backfill of `units`, of which `done` are over.
pub(crate) fn backfill_bars(done: u64, units: u64) -> Arc<Observer> {
    let style = "{pos}/{len} units {bar:30} {elapsed}, ends in about {eta}";
    let total = ProgressBar::new(units).with_style(styled(style));
    bars_of(total.with_position(done))
}

/// Where stderr is no terminal nothing is drawn: a bar that nobody sees would still start a thread to turn its spinner.
fn bars_of(total: ProgressBar) -> Arc<Observer> {
    if !std::io::stderr().is_terminal() {
        return Arc::new(|_: &Extraction, _: Progress<'_>| {});
    }
    let all = MultiProgress::new();
    let total = all.add(total);
    let bars = Bars {
        all,
        total,
        at_work: Mutex::default(),
    };
    Arc::new(move |extraction: &Extraction, progress: Progress<'_>| {
        bars.show(extraction, &progress)
    })
}

impl Bars {
    fn show(&self, extraction: &Extraction, progress: &Progress<'_>) {
        let mut at_work = self.at_work.lock().unwrap_or_else(PoisonError::into_inner);
        match progress {
            Progress::Started(attempt) => {
                let bar = self
                    .all
                    .insert_before(&self.total, ProgressBar::new_spinner());
                bar.set_style(styled("  {spinner} {prefix} {msg}"));
                bar.set_prefix(extraction.to_string());
                bar.set_message(format!("attempt {attempt}"));
                bar.enable_steady_tick(TICK);
                at_work.insert(extraction.clone(), bar);
            }
            Progress::Step(step) => {
                if let Some(bar) = at_work.get(extraction) {
                    bar.set_message(step.to_string());
                }
            }
            Progress::Pages { done, total } => {
                if let Some(bar) = at_work.get(extraction) {
                    bar.set_message(format!("page {done} of {total}"));
                }
            }
            Progress::Ended(ended) => {
                if let Some(bar) = at_work.remove(extraction) {
                    bar.finish_and_clear();
                    self.all.remove(&bar);
                }
                if !matches!(ended, Ended::Again(_) | Ended::Cut(..)) {
                    self.total.inc(1);
                }
                if at_work.is_empty() && self.total.length() == Some(self.total.position()) {
                    self.total.finish_and_clear();
                }
            }
        }
    }
}

fn styled(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the templates of this file are valid")
}

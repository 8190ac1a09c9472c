//! Objects: batches become one Parquet file, and the file becomes visible in storage in one step.
//!
//! Not for deciding whether an object may be published: the caller compares the four row counts
//! (`domain::Proof`) between [`Store::stage`] and [`Staged::publish`]. The invariants kept here: a path is a
//! function of the extraction's identity; a reader sees the old object, none, or the complete new one; and
//! whatever ends badly leaves no open upload and no temporary file behind.
//!
//! Facts about Parquet: <https://parquet.apache.org/docs/file-format/>, read 2026-11-20.

mod address;
mod choice;
mod columns;
mod encode;
mod encryption;
mod error;
mod folder;
mod footer;
mod journal;
mod kit;
mod lanes;
mod layout;
mod list;
mod merge;
mod parts;
mod probe;
mod read;
mod recover;
mod retention;
mod rows;
mod schema;
mod store;
mod upload;
mod verify;

pub use encode::Batches;
pub use encryption::{ObjectKeyError, ObjectKeys};
pub use error::{StorageError, StorageErrorKind};
pub use footer::{MergedPart, Provenance};
pub use kit::{CoverageRow, Lake, Manifest, ManifestObject, PublishedQuery, RunRow, readme, views};
pub use layout::{object_path, parse_object_path};
pub use list::Listed;
pub use merge::{Merge, MergeSource};
pub use parts::PartWriter;
pub use read::Footer;
pub use recover::Recovered;
pub use retention::expired_snapshots;
pub use schema::output_schema;
pub use store::{Staged, Store};
pub use verify::{Depth, Expected, Wrong};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

//! Generated practices: Bp databases of people who do not exist, the same from the same seed.
//!
//! A practice lives one civil day after the other. Its first three years of days are its history; every
//! further day adds visits and their records, corrects some older rows, deletes a few in the soft way, and
//! now and then somebody opts out of extraction. What it has recorded is kept twice, as records in memory
//! (the truth of tests) and as the tables of a [`super::engine::Database`].
//!
//! Not a statistical model of Australia: distributions are only near enough that the measures of general
//! practice have sensible numerators. Shapes, codes and traps are those of the public notes on Bp Premier;
//! what the notes do not tell (the opt-out column's name, most code values) is invented and marked so.

mod appointments;
mod chance;
mod consultation;
mod corrections;
mod filling;
mod habits;
mod history;
mod identity;
mod life;
mod lookups;
mod measuring;
mod medication;
mod names;
mod pathology;
mod population;
mod products;
mod profile;
pub mod records;
mod registration;
mod screening;
mod staff;
mod vaccination;
mod vaccines;
mod views;

pub use filling::Night;
pub use identity::Identity;
pub use life::Practice;
pub use population::{Population, Rows};

#[cfg(test)]
mod tests;

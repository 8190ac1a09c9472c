//! Integration tests: one binary, a module per behaviour. What each needs and which fixtures exist is listed
//! in `README.md` beside this file.

mod advice;
mod analyst_kit;
mod audit;
mod bad_input;
mod chaos;
mod client;
mod commands;
mod complete;
mod demo;
mod doctor;
mod fixture;
mod harness;
mod instructions;
mod lake;
mod layers;
mod limits;
mod log_fields;
mod measures;
mod nights;
mod object_stores;
mod output_commands;
mod privacy;
mod queries;
mod query_commands;
mod real_data;
mod resume;
mod secrets;
mod simulator;
mod snapshot;
mod state;
mod traps;
mod variants;
mod verify;
mod why;
mod withheld;

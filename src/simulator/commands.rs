//! Request bodies that carry a command, checked once and turned into what the engine runs.

use std::time::Duration;

use serde_json::value::RawValue;

use super::engine;
use super::refusal::Refusal;
use super::wire::{self, CommandKind, Direction, ExecutionMode, ParameterKind};

/// A command that may run.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) text: String,
    pub(super) mode: engine::Mode,
    pub(super) catalogue: Option<String>,
    pub(super) max_time_in_queue: Duration,
    pub(super) parameters: Vec<wire::Parameter>,
    pub(super) stored_procedure: bool,
    /// Bytes of the command object as it was sent.
    pub(super) command_size: usize,
    /// Bytes of the whole body.
    pub(super) request_size: usize,
}

/// Range and default of `maxTimeInQueue`, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueTime {
    default: u64,
    max: u64,
}

pub(super) const IMMEDIATE_QUEUE_TIME: QueueTime = QueueTime {
    default: 30_000,
    max: 60_000,
};
pub(super) const ASYNC_QUEUE_TIME: QueueTime = QueueTime {
    default: 3_600_000,
    max: 7_200_000,
};

impl Job {
    /// Reads the body of an immediate or async submission to a site with these catalogues.
    pub(super) fn read(
        body: &[u8],
        queue_time: QueueTime,
        catalogues: &[String],
    ) -> Result<Job, Refusal> {
        let submission: wire::Submission<'_> = parse(body)?;
        let wait = queue_time.check(submission.max_time_in_queue)?;
        if let Some(name) = &submission.catalogue
            && !catalogues
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
        {
            return Err(Refusal::bad_request(format!(
                "The site has no catalogue '{name}'."
            )));
        }
        let mut job = Job::of_command(submission.command, body.len())?;
        job.max_time_in_queue = wait;
        job.catalogue = submission.catalogue;
        Ok(job)
    }

    /// Reads a command object alone, as a registration has it.
    pub(super) fn of_command(raw: &RawValue, request_size: usize) -> Result<Job, Refusal> {
        let command: wire::Command = parse(raw.get().as_bytes())?;
        if command.text.trim().is_empty() {
            return Err(Refusal::bad_request("The command has no text."));
        }
        if command
            .parameters
            .iter()
            .any(|parameter| parameter.name.as_deref().is_none_or(str::is_empty))
        {
            return Err(Refusal::bad_request(
                "A parameter of the command has no name.",
            ));
        }
        Ok(Job {
            text: command.text,
            mode: mode(command.execution_mode),
            catalogue: None,
            max_time_in_queue: Duration::ZERO,
            parameters: command.parameters,
            stored_procedure: command.kind == CommandKind::StoredProcedure,
            command_size: raw.get().len(),
            request_size,
        })
    }

    /// The engine's command, at the practice's time.
    pub(super) fn command(&self, now: engine::Now) -> engine::Command {
        engine::Command {
            text: self.text.clone(),
            catalogue: self.catalogue.clone(),
            mode: self.mode,
            stored_procedure: self.stored_procedure,
            parameters: self.parameters.iter().map(parameter).collect(),
            now,
        }
    }

    /// Whether a result without rows still has a page: `[]`, or the parameters that come back.
    pub(super) fn has_page_without_rows(&self) -> bool {
        self.mode != engine::Mode::NonQuery || self.parameters.iter().any(returns)
    }

    /// The parameters as a result carries them: those that come back, with their values.
    pub(super) fn returned(&self, output: &[engine::OutputParameter]) -> Vec<wire::Parameter> {
        let returning = self
            .parameters
            .iter()
            .filter(|parameter| returns(parameter));
        let value_of = |name: &Option<String>| {
            let found = output
                .iter()
                .find(|parameter| Some(&parameter.name) == name.as_ref());
            found.and_then(|parameter| parameter.value.clone())
        };
        returning
            .map(|p| wire::Parameter {
                value: value_of(&p.name),
                ..p.clone()
            })
            .collect()
    }
}

impl QueueTime {
    fn check(self, asked: Option<i64>) -> Result<Duration, Refusal> {
        let Some(asked) = asked else {
            return Ok(Duration::from_millis(self.default));
        };
        match u64::try_from(asked) {
            Ok(asked) if (1..=self.max).contains(&asked) => Ok(Duration::from_millis(asked)),
            _ => Err(Refusal::bad_request(format!(
                "maxTimeInQueue is {asked}; it must be between 1 and {} milliseconds.",
                self.max
            ))),
        }
    }
}

/// Reads JSON. The message of a failure names the place and what was expected, as the parser words it.
pub(super) fn parse<'a, T: serde::Deserialize<'a>>(body: &'a [u8]) -> Result<T, Refusal> {
    serde_json::from_slice(body)
        .map_err(|error| Refusal::bad_request(format!("Invalid request body: {error}")))
}

fn returns(parameter: &wire::Parameter) -> bool {
    !matches!(parameter.direction, None | Some(Direction::Input))
}

fn mode(mode: ExecutionMode) -> engine::Mode {
    match mode {
        ExecutionMode::Reader => engine::Mode::Reader,
        ExecutionMode::NonQuery => engine::Mode::NonQuery,
        ExecutionMode::Scalar => engine::Mode::Scalar,
    }
}

/// An omitted direction counts as input, an omitted type as NVarChar.
fn parameter(parameter: &wire::Parameter) -> engine::Parameter {
    engine::Parameter {
        name: parameter.name.clone().unwrap_or_default(),
        direction: match parameter.direction.unwrap_or(Direction::Input) {
            Direction::Input => engine::Direction::Input,
            Direction::Output => engine::Direction::Output,
            Direction::InputOutput => engine::Direction::InputOutput,
            Direction::ReturnValue => engine::Direction::ReturnValue,
        },
        sql_type: format!("{:?}", parameter.kind.unwrap_or(ParameterKind::NVarChar)),
        value: parameter.value.clone(),
        size: parameter.size.and_then(|size| u32::try_from(size).ok()),
    }
}

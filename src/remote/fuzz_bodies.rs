//! Bodies for fuzzing: sound and odd ones that are kept, and what damage makes of them.
//!
//! `tests/data/fuzz/<folder>` holds the seeds; every run replays each as it is and then goes on with damaged ones, a
//! few thousand, or for `HALO_EXTRACT_FUZZ_SECONDS`. A body that brings a reader down is written to
//! `target/fuzz-failures`, to become a seed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Bytes at which readers turn.
const TURNS: &[u8] = b"[]{}\",:\\=n0-9eE.+ \n\0\x80\xff\xef\xbb\xbf'`(";

/// Damaged bodies of a run that is told no time.
const FEW: u64 = 2_000;

/// Longest body that damage makes.
const MOST_BYTES: usize = 64 << 10;

/// Has `check` look at every seed of a folder, then at damaged ones.
#[track_caller]
pub(crate) fn campaign(folder: &str, check: impl Fn(&[u8], &mut fastrand::Rng)) {
    let time = variable("HALO_EXTRACT_FUZZ_SECONDS").map(Duration::from_secs);
    let seed = variable("HALO_EXTRACT_FUZZ_SEED").unwrap_or(19);
    let mut dice = fastrand::Rng::with_seed(seed);
    let seeds = seeds(folder);
    let began = Instant::now();
    for body in &seeds {
        guarded(folder, body, &mut dice, &check);
    }
    let (mut bodies, mut bytes) = (seeds.len() as u64, 0);
    while time.map_or(bodies < FEW, |time| began.elapsed() < time) {
        let body = damaged(&seeds, &mut dice);
        guarded(folder, &body, &mut dice, &check);
        bodies += 1;
        bytes += body.len() as u64;
    }
    eprintln!(
        "{folder}: {} seeds, {bodies} bodies, {bytes} bytes in {:?}",
        seeds.len(),
        began.elapsed()
    );
}

fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name} is a number")),
    )
}

fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let folder = project().join("tests/data/fuzz").join(folder);
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder)
        .expect("a folder of seeds")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no seed in {}", folder.display());
    let bodies = files
        .iter()
        .map(|file| std::fs::read(file).expect("a seed"));
    bodies.collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Keeps the body that a check fails on.
#[track_caller]
fn guarded(
    folder: &str,
    body: &[u8],
    dice: &mut fastrand::Rng,
    check: &impl Fn(&[u8], &mut fastrand::Rng),
) {
    let before = dice.get_seed();
    if catch_unwind(AssertUnwindSafe(|| check(body, dice))).is_err() {
        let kept = project().join("target/fuzz-failures");
        let file = kept.join(format!("{folder}-{before:016x}"));
        std::fs::create_dir_all(&kept).expect("a folder");
        std::fs::write(&file, body).expect("written");
        panic!(
            "the body in {} fails the check; once mended, keep it in tests/data/fuzz/{folder}",
            file.display()
        );
    }
}

/// A seed after some damage, or bytes without any sense.
fn damaged(seeds: &[Vec<u8>], dice: &mut fastrand::Rng) -> Vec<u8> {
    if dice.u8(..16) == 0 {
        return (0..dice.usize(..200)).map(|_| turn(dice)).collect();
    }
    let mut body = seeds[dice.usize(..seeds.len())].clone();
    for _ in 0..dice.usize(..6) {
        damage(&mut body, seeds, dice);
        body.truncate(MOST_BYTES);
    }
    body
}

fn damage(body: &mut Vec<u8>, seeds: &[Vec<u8>], dice: &mut fastrand::Rng) {
    let at = dice.usize(..=body.len());
    let until = dice.usize(at..=body.len());
    match dice.u8(..8) {
        0 => body.truncate(at),
        1 => drop(body.drain(at..until)),
        2 => body.insert(at, turn(dice)),
        3 => body.extend_from_within(at..until),
        4 => {
            let other = &seeds[dice.usize(..seeds.len())];
            let end = dice.usize(..=other.len());
            body.splice(at..until, other[..end].iter().copied());
        }
        // As deep as it gets.
        5 => {
            let byte = turn(dice);
            let deep = dice.usize(..2_000);
            body.splice(at..at, std::iter::repeat_n(byte, deep));
        }
        6 => {
            let part = body[at..until].to_vec();
            body.splice(at..at, part);
        }
        _ => {
            if let Some(byte) = body.get_mut(at) {
                *byte = dice.u8(..);
            }
        }
    }
}

fn turn(dice: &mut fastrand::Rng) -> u8 {
    TURNS[dice.usize(..TURNS.len())]
}

//! `datetimeoffset` in storage: the instant first, so that bytes order as instants do.

use super::calendar::MINUTE;

/// Widest offset, in minutes either way.
const WIDEST: i64 = 840;

/// Local ticks and minutes east of UTC as ten bytes; `None` when the instant leaves the calendar.
pub(crate) fn encode(local: i64, minutes: i64) -> Option<[u8; 10]> {
    let instant = u64::try_from(local - minutes * MINUTE).ok()?;
    let biased = u16::try_from(minutes + WIDEST).ok()?;
    let mut bytes = [0; 10];
    bytes[..8].copy_from_slice(&instant.to_be_bytes());
    bytes[8..].copy_from_slice(&biased.to_be_bytes());
    Some(bytes)
}

/// Local ticks and minutes east of UTC.
pub(crate) fn decode(bytes: &[u8]) -> Option<(i64, i64)> {
    let (instant, biased) = bytes.split_at_checked(8)?;
    let instant = i64::try_from(u64::from_be_bytes(instant.try_into().ok()?)).ok()?;
    let minutes = i64::from(u16::from_be_bytes(biased.try_into().ok()?)) - WIDEST;
    Some((instant + minutes * MINUTE, minutes))
}

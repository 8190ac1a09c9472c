//! Looking at eight or sixteen bytes of a page at once, within one machine word.
//!
//! A loop over single bytes spends its time on branches; the same question asked of a whole word costs a
//! few additions and masks. All functions read little-endian, so the first byte of the page is the lowest
//! of the word, and treat bytes behind the end of the page as zero, which is neither digit nor letter.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// The next eight bytes.
#[inline]
pub(super) fn word8(rest: &[u8]) -> u64 {
    match rest.first_chunk::<8>() {
        Some(bytes) => u64::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; 8];
            bytes[..rest.len()].copy_from_slice(rest);
            u64::from_le_bytes(bytes)
        }
    }
}

/// The next sixteen bytes.
#[inline]
pub(super) fn word16(rest: &[u8]) -> u128 {
    match rest.first_chunk::<16>() {
        Some(bytes) => u128::from_le_bytes(*bytes),
        None => {
            let mut bytes = [0; 16];
            bytes[..rest.len()].copy_from_slice(rest);
            u128::from_le_bytes(bytes)
        }
    }
}

/// The bytes of `word` with `0` to `9` turned into 0 to 9, and everything else into something larger.
#[inline]
fn as_digits(word: u64) -> u64 {
    word ^ (ONES * b'0' as u64)
}

/// The high bit of every byte of `digits` that is larger than 9.
///
/// The addition may carry out of such a byte and spoil the ones above it, so only the lowest set bit, or
/// that there is none, means anything.
#[inline]
pub(super) fn not_digits(digits: u64) -> u64 {
    (digits.wrapping_add(ONES * 0x76) | digits) & HIGH_BITS
}

/// How many of the eight bytes, from the first, are ASCII digits.
#[inline]
fn digit_count(word: u64) -> usize {
    not_digits(as_digits(word)).trailing_zeros() as usize / 8
}

/// The number that eight ASCII digits write: neighbours are joined to pairs, pairs to fours, fours to one.
#[inline]
fn eight_digits(word: u64) -> u64 {
    let ones = word & (ONES * 0x0F);
    let pairs = (ones.wrapping_mul(10 * 0x100 + 1) >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs.wrapping_mul(100 * 0x1_0000 + 1) >> 16) & 0x0000_FFFF_0000_FFFF;
    fours.wrapping_mul(10_000 * 0x1_0000_0000 + 1) >> 32
}

/// The number that the first `count` bytes write, 1 to 8 digits: shifted up, zeros lead.
#[inline]
fn up_to_eight_digits(word: u64, count: usize) -> u64 {
    eight_digits(word << ((8 - count) * 8))
}

/// The number that the leading digits of `rest` write, and how many there are: 0 to 16.
///
/// A count of 16 may be the beginning of a longer number; the caller looks at the next byte.
#[inline(always)]
pub(super) fn leading_digits(rest: &[u8]) -> (u64, usize) {
    let word = word8(rest);
    let count = digit_count(word);
    match count {
        0 => (0, 0),
        8 => sixteen_digits(word, &rest[8..]),
        _ => (up_to_eight_digits(word, count), count),
    }
}

#[inline]
fn sixteen_digits(first: u64, rest: &[u8]) -> (u64, usize) {
    let word = word8(rest);
    let count = digit_count(word);
    if count == 0 {
        return (eight_digits(first), 8);
    }
    let number = eight_digits(first) * POWERS_OF_TEN[count] + up_to_eight_digits(word, count);
    (number, 8 + count)
}

/// 10⁰ to 10¹⁶.
pub(super) const POWERS_OF_TEN: [u64; 17] = {
    let mut powers = [1; 17];
    let mut i = 1;
    while i < powers.len() {
        powers[i] = powers[i - 1] * 10;
        i += 1;
    }
    powers
};

/// How many bytes from the first may stand in a JSON string as they are: all but `"`, `\` and control bytes.
///
/// Each of the three tests borrows out of a byte only if that byte itself matched, so the lowest match of
/// their union is exact.
#[inline]
fn unescaped_bytes(word: u64) -> usize {
    let quote = word ^ (ONES * b'"' as u64);
    let backslash = word ^ (ONES * b'\\' as u64);
    let special = (quote.wrapping_sub(ONES) & !quote)
        | (backslash.wrapping_sub(ONES) & !backslash)
        | (word.wrapping_sub(ONES * 0x20) & !word);
    (special & HIGH_BITS).trailing_zeros() as usize / 8
}

/// Appends the bytes of a JSON string up to the first `"`, `\` or control byte, which `rest` is left at.
///
/// Sixteen bytes are copied before they are looked at and those too many are cut again: a copy of fixed
/// size is two moves, a copy of variable size is a call.
#[inline]
pub(super) fn copy_unescaped<'a>(mut rest: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    while let Some((bytes, after)) = rest.split_first_chunk::<16>() {
        out.extend_from_slice(bytes);
        let mut plain = unescaped_bytes(word8(bytes));
        if plain == 8 {
            plain += unescaped_bytes(word8(&bytes[8..]));
        }
        if plain < 16 {
            out.truncate(out.len() - (16 - plain));
            return &rest[plain..];
        }
        rest = after;
    }
    let plain = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20))
        .unwrap_or(rest.len());
    out.extend_from_slice(&rest[..plain]);
    &rest[plain..]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn leading_digits_are_read_up_to_sixteen() {
        assert_eq!(leading_digits(b""), (0, 0));
        assert_eq!(leading_digits(b"-1"), (0, 0));
        assert_eq!(leading_digits(b"7,"), (7, 1));
        assert_eq!(leading_digits(b"1234567"), (1_234_567, 7));
        assert_eq!(leading_digits(b"12345678"), (12_345_678, 8));
        assert_eq!(leading_digits(b"123456789}"), (123_456_789, 9));
        assert_eq!(
            leading_digits(b"99999999999999999"),
            (9_999_999_999_999_999, 16)
        );
        assert_eq!(leading_digits("12\u{664}".as_bytes()), (12, 2));
    }

    proptest! {
        #[test]
        fn leading_digits_agree_with_a_loop(bytes in proptest::collection::vec(any::<u8>(), 0..24)) {
            let mut number = 0;
            let mut count = 0;
            for byte in bytes.iter().take(16).take_while(|byte| byte.is_ascii_digit()) {
                number = number * 10 + u64::from(byte - b'0');
                count += 1;
            }
            prop_assert_eq!(leading_digits(&bytes), (number, count));
        }

        #[test]
        fn digits_before_anything_are_counted(digits in "[0-9]{1,16}", tail in proptest::collection::vec(any::<u8>(), 0..12)) {
            let mut bytes = digits.clone().into_bytes();
            bytes.push(b'x');
            bytes.extend(tail);
            prop_assert_eq!(leading_digits(&bytes), (digits.parse().expect("digits"), digits.len()));
        }

        #[test]
        fn copying_stops_at_the_first_byte_that_json_escapes(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
            let end = bytes.iter().position(|b| *b == b'"' || *b == b'\\' || *b < 0x20).unwrap_or(bytes.len());
            let mut out = vec![1, 2, 3];
            let rest = copy_unescaped(&bytes, &mut out);
            prop_assert_eq!(rest, &bytes[end..]);
            prop_assert_eq!(&out[..3], &[1, 2, 3]);
            prop_assert_eq!(&out[3..], &bytes[..end]);
        }
    }
}

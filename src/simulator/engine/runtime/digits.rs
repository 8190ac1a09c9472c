//! Decimal digits, two at a time.

/// `00` to `99`, end to end.
const PAIRS: &[u8; 200] = b"\
    00010203040506070809101112131415161718192021222324252627282930313233343536373839\
    40414243444546474849505152535455565758596061626364656667686970717273747576777879\
    8081828384858687888990919293949596979899";

/// The last two digits of a number.
pub(crate) fn pair(number: i64) -> [u8; 2] {
    let at = usize::try_from(number.rem_euclid(100)).expect("below a hundred") * 2;
    [PAIRS[at], PAIRS[at + 1]]
}

/// Writes a number to the end of a buffer that is long enough, and returns where it begins; zero has no digits.
pub(crate) fn place(buffer: &mut [u8], mut number: u64) -> usize {
    let mut at = buffer.len();
    while number >= 10 {
        let two = usize::try_from(number % 100).expect("below a hundred") * 2;
        number /= 100;
        at -= 2;
        buffer[at] = PAIRS[two];
        buffer[at + 1] = PAIRS[two + 1];
    }
    if number > 0 {
        at -= 1;
        buffer[at] = b'0' + u8::try_from(number).expect("one digit");
    }
    at
}

/// Appends a number without its sign, with at least `width` digits, of at most twenty.
pub(crate) fn write(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut buffer = [b'0'; 20];
    let start = place(&mut buffer, number.unsigned_abs());
    out.extend_from_slice(&buffer[start.min(buffer.len() - width)..]);
}

/// Appends a number with its sign.
pub(crate) fn write_signed(out: &mut Vec<u8>, number: i64) {
    // Nineteen digits and the sign.
    let mut buffer = [b'0'; 20];
    let mut start = place(&mut buffer, number.unsigned_abs()).min(19);
    if number < 0 {
        start -= 1;
        buffer[start] = b'-';
    }
    out.extend_from_slice(&buffer[start..]);
}

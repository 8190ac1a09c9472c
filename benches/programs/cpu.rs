//! CPU time of this thread.

/// CPU seconds that this thread has used; needs Linux.
pub(crate) fn seconds() -> f64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat")
        .expect("Linux tells the CPU time of a thread");
    let nanoseconds: f64 = statistics
        .split(' ')
        .next()
        .and_then(|text| text.parse().ok())
        .expect("the first number is the time on the CPU");
    nanoseconds / 1e9
}

/// Adds the CPU time of `work` to `sum`.
pub(crate) fn timed<T>(sum: &mut f64, work: impl FnOnce() -> T) -> T {
    let before = seconds();
    let value = work();
    *sum += seconds() - before;
    value
}

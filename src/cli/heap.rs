//! What the process does with memory that it has freed.

use std::hint::black_box;

/// The largest block that is kept, rather than given back to the kernel, when it is freed.
const KEPT_BYTES: usize = 8 << 20;

/// Lets freed memory stay with the process for what comes next, blocks of up to 8 MiB and twice as much at the end of each heap.
///
/// Pages, batches and columns of a result are a few megabytes each, and come and go all the time. To be given them anew each
/// time was a tenth of the CPU of a conversion, nearly all of it page faults. The allocator of glibc learns what to keep
/// from the first large block that is freed, so it is shown one, which is never touched and takes no memory. Other
/// allocators do as they always do.
pub fn keep_freed_memory() {
    drop(black_box(Vec::<u8>::with_capacity(KEPT_BYTES)));
}

#[cfg(all(test, target_os = "linux", target_env = "gnu"))]
mod tests {
    use super::*;

    /// KiB of this process that are in memory and no file's.
    fn resident() -> u64 {
        let status = std::fs::read_to_string("/proc/self/status").expect("Linux tells");
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("RssAnon:"))
            .expect("how much is in memory");
        let number = line.trim().trim_end_matches(" kB");
        number.parse().expect("a number")
    }

    #[test]
    fn memory_of_a_few_megabytes_stays_when_it_is_freed() {
        let bytes = KEPT_BYTES / 2;
        let before = resident();

        keep_freed_memory();
        assert!(resident() < before + 1024, "what is shown takes no memory");
        drop(black_box(vec![1_u8; bytes]));

        assert!(resident() > before + bytes as u64 / 1024 / 2);
    }
}

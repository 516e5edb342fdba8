//! How many files and sockets telephones that fetch files may keep open: calls need them too, and come first.

use rustix::process::{Resource, getrlimit};

/// Of the descriptors that the program may have, one in so many is the number of transfers (or connections) at a time: each
/// takes two, its socket and its file, so that TFTP and HTTP together have a quarter.
const SHARE: u64 = 16;

/// How many there may be at a time: `most`, and fewer where the system lets the program open few files.
pub(super) fn bound(most: usize) -> usize {
    within(getrlimit(Resource::Nofile).current, most)
}

fn within(limit: Option<u64>, most: usize) -> usize {
    limit.and_then(|limit| usize::try_from(limit / SHARE).ok()).map_or(most, |share| share.clamp(1, most))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_few_files_may_be_open_three_quarters_are_left_to_calls() {
        assert_eq!((within(None, 512), within(Some(32_768), 512), within(Some(1024), 512)), (512, 512, 64));
        assert_eq!(within(Some(10), 512), 1);
    }
}

//! Randomness from the system.

use std::io;

/// A seed nobody can guess.
///
/// # Errors
/// The system gives none.
pub(super) fn entropy() -> io::Result<[u8; 32]> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|error| io::Error::other(format!("the system gives no randomness: {error}")))?;
    Ok(seed)
}

//! What there is to count and to log of a stateless response.

use crate::event::security::{Denial, MAX_ACCOUNT};

/// What there is to count and to log of a stateless response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AuthEvent {
    /// A challenge was sent. Nothing is proved yet: it is counted and rate-limited, and is no reason for a ban.
    Challenged,
    /// A challenge was sent to the address of an account that has no secret to answer it with, for the request came from
    /// another port than configured. Nothing is proved; it is worth a word to the administrator, and no reason for a ban.
    ChallengedNeighbour(Box<Denial>),
    /// A request whose sender proved its address was refused: this may count towards a ban.
    Refused(Box<Denial>),
}

/// A name from the network with at most its first characters that begin within the limit, so that what is kept of
/// refusals stays small.
pub(super) fn cut(name: &str) -> String {
    name.char_indices().take_while(|(at, _)| *at < MAX_ACCOUNT).map(|(_, character)| character).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_between_characters() {
        assert_eq!(cut("pap2t-client"), "pap2t-client");
        assert_eq!(cut(&"a".repeat(10_000)).len(), MAX_ACCOUNT);
        assert_eq!(cut(&format!("a{}", "é".repeat(10_000))).len(), MAX_ACCOUNT + 1);
    }
}

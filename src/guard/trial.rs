//! Whether a digest is looked at, and what it costs: what the edge asks of those who count.

/// Whether a digest is verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trial {
    /// It is.
    Verify,
    /// Too many were wrong: its sender is challenged, whether or not it is right.
    Challenge,
    /// It is dropped.
    Ignore,
}

/// Counts the digests that one source tries.
pub trait Trials {
    /// May it try one for this account? The same whether or not the account exists.
    fn may_try(&self, account: &str) -> Trial;
    /// It tried one that was wrong.
    fn wrong(&self, account: &str);
}

/// Nobody counts.
#[derive(Debug)]
pub struct Uncounted;

impl Trials for Uncounted {
    fn may_try(&self, _: &str) -> Trial {
        Trial::Verify
    }

    fn wrong(&self, _: &str) {}
}

/// When a request came, and what its sender may still cause.
#[derive(Clone, Copy)]
pub struct Circumstances<'a> {
    /// When.
    pub now: crate::clock::Now,
    /// Makes the nonce of a challenge.
    pub random: u64,
    /// An answer may be sent to somebody who proves nothing. If not, none is made, and only a proof is looked for.
    pub may_answer: bool,
    /// The digests of its source.
    pub trials: &'a dyn Trials,
}

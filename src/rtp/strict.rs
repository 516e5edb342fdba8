//! Strict RTP: which source's packets are believed (`decisions.md` 24).

/// `strictrtp=` in rtp.conf.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// `yes` (and `seqno`): the SDP's address at once, another port or the signalling source's address after four packets in sequence.
    #[default]
    Strict,
    /// `no`: any source, after four packets in sequence.
    Open,
}

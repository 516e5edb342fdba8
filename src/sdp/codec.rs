//! The audio codecs by name: as Asterisk's `allow=` spells them and as SDP's `a=rtpmap` does.

/// An audio codec that `allow=` can name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Codec {
    /// G.711 mu-law, `ulaw`, static payload type 0.
    Ulaw,
    /// G.711 A-law, `alaw`, static payload type 8.
    Alaw,
    /// GSM full rate, `gsm`, static payload type 3.
    Gsm,
    /// G.722, `g722`, static payload type 9.
    G722,
    /// G.726 at 32 kbit/s, `g726`, dynamic (or 2).
    G726,
    /// G.729, `g729`, static payload type 18.
    G729,
    /// G.723.1, `g723`, static payload type 4.
    G723,
    /// iLBC, `ilbc`, dynamic.
    Ilbc,
    /// Signed linear, 8 kHz, `slin`, dynamic.
    Slin,
}

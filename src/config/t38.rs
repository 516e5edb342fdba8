//! `t38pt_udptl=`: what sip.conf says of fax by T.38.

/// The words of `t38pt_udptl=yes`, for the console: what the devices negotiate of both passes unchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct T38 {
    /// The error correction named.
    pub correction: Correction,
    /// `maxdatagram=`, in bytes.
    pub max_datagram: Option<u32>,
}

/// How T.38 makes up for lost packets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// Forward error correction; also when no word is said.
    Fec,
    /// Each packet repeats the last ones.
    Redundancy,
    /// Not at all.
    None,
}

impl Correction {
    /// The one a word of sip.conf names.
    pub fn from_word(word: &str) -> Option<Correction> {
        let all = [Correction::Fec, Correction::Redundancy, Correction::None];
        all.into_iter().find(|correction| correction.name().eq_ignore_ascii_case(word))
    }

    /// The word the console shows.
    pub fn name(self) -> &'static str {
        match self {
            Correction::Fec => "FEC",
            Correction::Redundancy => "Redundancy",
            Correction::None => "None",
        }
    }
}

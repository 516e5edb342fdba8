//! The audio codecs by name: as in Asterisk's `allow=` and as in SDP's `a=rtpmap`.

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

/// One row per codec: `allow=` name, encoding name, static payload type.
const TABLE: &[(Codec, &str, &str, Option<u8>)] = &[
    (Codec::Ulaw, "ulaw", "PCMU", Some(0)),
    (Codec::Alaw, "alaw", "PCMA", Some(8)),
    (Codec::Gsm, "gsm", "GSM", Some(3)),
    (Codec::G722, "g722", "G722", Some(9)),
    (Codec::G726, "g726", "G726-32", None),
    (Codec::G729, "g729", "G729", Some(18)),
    (Codec::G723, "g723", "G723", Some(4)),
    (Codec::Ilbc, "ilbc", "iLBC", None),
    (Codec::Slin, "slin", "L16", None),
];

impl Codec {
    /// Every codec, in the order of the enum.
    pub fn all() -> impl Iterator<Item = Codec> {
        TABLE.iter().map(|row| row.0)
    }

    /// The name in `allow=` and on the console, such as `ulaw`.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    /// The codec that `allow=` calls `name`, in any case.
    pub fn from_name(name: &str) -> Option<Codec> {
        let name = match name.to_ascii_lowercase().as_str() {
            "g723.1" => "g723".to_owned(),
            "g729a" => "g729".to_owned(),
            other => other.to_owned(),
        };
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// The encoding name of `a=rtpmap` (RFC 3551 section 6), such as `PCMU`.
    pub fn encoding(self) -> &'static str {
        self.row().2
    }

    /// What it is, for people.
    pub fn description(self) -> &'static str {
        match self {
            Codec::Ulaw => "G.711 u-law",
            Codec::Alaw => "G.711 a-law",
            Codec::Gsm => "GSM full rate",
            Codec::G722 => "G.722",
            Codec::G726 => "G.726 at 32 kbit/s",
            Codec::G729 => "G.729A",
            Codec::G723 => "G.723.1",
            Codec::Ilbc => "iLBC",
            Codec::Slin => "16 bit signed linear PCM",
        }
    }

    /// The RTP clock in Hz as in `a=rtpmap`. 8,000 for all of these: for G.722, too, by a mistake that RFC 3551 section
    /// 4.5.2 keeps.
    pub fn clock(self) -> u32 {
        8000
    }

    /// The static payload type of RFC 3551; `None` for codecs with a dynamic one.
    pub fn static_payload(self) -> Option<u8> {
        self.row().3
    }

    /// The codec that `a=rtpmap:.. encoding/clock` names, in any case (RFC 8866 section 6.6). Sipura and Linksys write
    /// `G729a`, which has the same bit stream.
    pub fn from_encoding(encoding: &str, clock: u32) -> Option<Codec> {
        let is = |name: &str| encoding.eq_ignore_ascii_case(name);
        let codec = if is("G729a") || is("G729ab") {
            Codec::G729
        } else if is("G723.1") {
            Codec::G723
        } else {
            TABLE.iter().find(|row| is(row.2)).map(|row| row.0)?
        };
        // Some phones write the true clock of G.722.
        (clock == codec.clock() || (codec == Codec::G722 && clock == 16000)).then_some(codec)
    }

    fn row(self) -> &'static (Codec, &'static str, &'static str, Option<u8>) {
        const FIRST: &(Codec, &str, &str, Option<u8>) = &(Codec::Ulaw, "ulaw", "PCMU", Some(0));
        TABLE.iter().find(|row| row.0 == self).unwrap_or(FIRST)
    }
}

/// The codecs that `allow=` permits, the preferred one first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodecList {
    /// Each codec once, with the packet time in milliseconds where one is configured (`ulaw:30`).
    pub entries: Vec<(Codec, Option<u8>)>,
}

impl CodecList {
    /// A list of codecs without packet times.
    pub fn of(codecs: &[Codec]) -> CodecList {
        CodecList { entries: codecs.iter().map(|codec| (*codec, None)).collect() }
    }

    /// Whether the codec is permitted.
    pub fn contains(&self, codec: Codec) -> bool {
        self.entries.iter().any(|entry| entry.0 == codec)
    }

    /// The packet time in milliseconds configured for this codec.
    pub fn ptime(&self, codec: Codec) -> Option<u8> {
        self.entries.iter().find(|entry| entry.0 == codec).and_then(|entry| entry.1)
    }

    /// The list with this codec alone; empty when it is not on it.
    pub fn only(&self, codec: Codec) -> CodecList {
        CodecList { entries: self.entries.iter().filter(|(entry, _)| *entry == codec).copied().collect() }
    }

    /// What both lists permit, in this list's order: the exchange does not transcode, so two legs need one codec.
    pub fn common(&self, other: &CodecList) -> CodecList {
        CodecList { entries: self.entries.iter().filter(|entry| other.contains(entry.0)).copied().collect() }
    }

    /// The names as `allow=` spells them, in order.
    pub fn names(&self) -> Vec<String> {
        self.entries.iter().map(|entry| entry.0.name().to_owned()).collect()
    }
}

impl Default for CodecList {
    /// chan_sip's audio default: ulaw, alaw, gsm.
    fn default() -> CodecList {
        CodecList::of(&[Codec::Ulaw, Codec::Alaw, Codec::Gsm])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_codec_is_found_by_both_its_names() {
        assert_eq!(Codec::all().count(), 9);
        for codec in Codec::all() {
            assert_eq!(Codec::from_name(codec.name()), Some(codec));
            assert_eq!(Codec::from_name(&codec.name().to_uppercase()), Some(codec));
            assert_eq!(Codec::from_encoding(&codec.encoding().to_lowercase(), codec.clock()), Some(codec));
        }
        assert_eq!(Codec::Gsm.encoding(), "GSM");
        assert_eq!(Codec::Alaw.static_payload(), Some(8));
    }

    #[test]
    fn odd_spellings_of_devices_are_known() {
        assert_eq!(Codec::from_encoding("G729a", 8000), Some(Codec::G729));
        assert_eq!(Codec::from_encoding("G722", 16000), Some(Codec::G722));
        assert_eq!(Codec::from_encoding("PCMU", 16000), None);
        assert_eq!(Codec::from_encoding("AAL2-G726-32", 8000), None, "another bit order than G726-32");
        assert_eq!(Codec::from_name("h263"), None);
    }

    #[test]
    fn what_two_lists_have_in_common_keeps_the_first_order_and_times() {
        let a = CodecList { entries: vec![(Codec::Alaw, None), (Codec::Ulaw, Some(30)), (Codec::G729, None)] };
        let both = a.common(&CodecList::default());
        assert_eq!(both.entries, [(Codec::Alaw, None), (Codec::Ulaw, Some(30))]);
        assert_eq!(a.ptime(Codec::Ulaw), Some(30));
        assert_eq!(CodecList::default().names(), ["ulaw", "alaw", "gsm"]);
    }
}

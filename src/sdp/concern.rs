//! What a new description of one party means for the other, when the exchange relays their media: an address, a port or
//! a payload number is the exchange's own business.

use super::audio::{Audio, Direction, Format};
use super::codec::Codec;
use super::description::Sdp;
use super::line::{SdpLine, media_line};
use super::{media_kind, relay_sdp};

/// How much the other party has to know of a new description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Concern {
    /// Nothing: the exchange answers it alone.
    Nothing,
    /// It should, but its refusal is no reason to refuse: what the two agreed on still holds.
    Wish,
    /// It must: a hold, another codec, another medium.
    Must,
}

/// What the exchange and the other party have described to each other.
#[derive(Debug, Clone, Copy)]
pub struct Other<'a> {
    /// Our description.
    pub local: &'a Sdp,
    /// Its own.
    pub remote: &'a Sdp,
    /// Ours was the offer.
    pub we_offered: bool,
    /// The codec in use.
    pub codec: Codec,
}

impl Other<'_> {
    /// The codecs that both described: what it may send and get.
    pub fn codecs(&self) -> Vec<Codec> {
        let (Some(local), Some(remote)) = (self.local.audio(), self.remote.audio()) else { return Vec::new() };
        remote.formats.iter().filter(|format| local.find(format).is_some()).filter_map(|format| format.codec).collect()
    }
}

/// How much the other party has to know, when a party whose description was `before` makes the offer `new`.
pub fn concern(before: &Sdp, new: &Sdp, other: &Other<'_>) -> Concern {
    let direction = |sdp: &Sdp| (sdp.audio().map(|audio| audio.direction), sdp.is_hold());
    if direction(before) != direction(new) { Concern::Must } else { but_for_hold(before, new, other) }
}

/// The same when it is no matter of the other party's whether this one holds the call.
pub fn but_for_hold(before: &Sdp, new: &Sdp, other: &Other<'_>) -> Concern {
    let (Some(was), Some(is), Some(local), Some(remote)) =
        (before.audio(), new.audio(), other.local.audio(), other.remote.audio())
    else {
        return Concern::Must;
    };
    let has_codec = is.formats.iter().any(|format| format.codec == Some(other.codec));
    if !has_codec || was.proto != is.proto || !same_secondary_media(before, new) {
        return Concern::Must;
    }
    let knows = other.codecs();
    let in_use = |format: &&Format| format.codec.is_some_and(|codec| knows.contains(&codec));
    let lacks = knows.iter().any(|codec| is.formats.iter().all(|format| format.codec != Some(*codec)));
    let first = |audio: &Audio| audio.formats.iter().find_map(|format| format.codec);
    let prefers = first(&is) != Some(other.codec) && first(&is) != first(&was);
    let parameters = |audio: &Audio| {
        let mut all: Vec<_> = audio.formats.iter().filter(in_use).map(|f| (f.codec, f.fmtp.clone())).collect();
        all.sort();
        all
    };
    let ptime = was.ptime.is_some() && is.ptime.is_some() && was.ptime != is.ptime;
    let is_news = is.formats.iter().filter(|format| format.is_companion()).any(|format| {
        let (told, has) = (local.find(format).is_some(), remote.find(format).is_some());
        // Where it was the offerer, what it lacks it does not know; else only if we asked it.
        if has { !told } else { other.we_offered && !told }
    });
    let gone = remote
        .formats
        .iter()
        .filter(|format| format.is_companion())
        .any(|format| local.find(format).is_some() && is.find(format).is_none() && was.find(format).is_some());
    let changed = lacks || prefers || ptime || is_news || gone || parameters(&was) != parameters(&is);
    if changed || attributes(before, &was) != attributes(new, &is) { Concern::Wish } else { Concern::Nothing }
}

/// The attributes of the voice stream that mean something to whoever it comes from.
fn attributes(sdp: &Sdp, audio: &Audio) -> Vec<Vec<u8>> {
    const OURS: [&str; 9] = ["rtpmap", "fmtp", "rtcp-fb", "rtcp", "ptime", "maxptime", "ssrc", "ssrc-group", "mid"];
    let section = sdp.media.get(audio.index).map(Vec::as_slice).unwrap_or_default();
    let mut all: Vec<Vec<u8>> = section
        .iter()
        .filter(|line| !relay_sdp::names_endpoint(line) && Direction::of_line(line).is_none())
        .filter_map(|line| Some((line, line.attribute()?.0)))
        .filter(|(_, name)| OURS.iter().all(|ours| !name.eq_ignore_ascii_case(ours.as_bytes())))
        .map(|(line, _)| match line.of_payload() {
            Some((name, payload, rest)) => {
                let format = audio.formats.iter().find(|format| format.payload == payload);
                format!("{name}:{} {rest}", format.map_or("", |format| &format.encoding)).into_bytes()
            }
            None => line.text.to_vec(),
        })
        .collect();
    all.sort();
    all
}

/// Whether both have the same media beside voice, and say the same of them but where they are.
fn same_secondary_media(before: &Sdp, new: &Sdp) -> bool {
    let of = |sdp: &Sdp| -> Vec<_> { sdp.secondary_media().collect() };
    let text = |sdp: &Sdp, kind| -> Vec<Vec<u8>> {
        let section = media_kind::section(sdp, kind).unwrap_or_default();
        section.iter().filter_map(without_address).collect()
    };
    of(before) == of(new) && of(new).into_iter().all(|kind| text(before, kind) == text(new, kind))
}

fn without_address(line: &SdpLine) -> Option<Vec<u8>> {
    if let Some(parts) = media_line(line) {
        return Some(format!("{} {} {}", parts.medium, parts.proto, parts.joined_formats()).into_bytes());
    }
    let is_address = line.letter() == Some(b'c') || line.attribute_named("rtcp").is_some();
    (!is_address && !relay_sdp::names_endpoint(line) && line.letter().is_some()).then(|| line.text.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEYS: &str = "a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n";

    fn sdp(address: &str, port: u16, formats: &str, lines: &str) -> Sdp {
        let text = format!(
            "v=0\r\no=- 1 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port} RTP/AVP {formats}\r\n{lines}"
        );
        Sdp::parse(text.as_bytes()).unwrap()
    }

    /// What the other line has to know of `new`, when "0 8 101" was answered with "0 101" on both legs.
    fn of(new: &Sdp) -> Concern {
        let offer = sdp("192.0.2.7", 4000, "0 8 101", KEYS);
        let answer = sdp("192.0.2.1", 5000, "0 101", KEYS);
        let called = Other { local: &offer, remote: &answer, we_offered: true, codec: Codec::Ulaw };
        let caller = Other { local: &answer, remote: &offer, we_offered: false, codec: Codec::Ulaw };
        let concerns = concern(&offer, new, &called);
        assert_eq!(concern(&offer, new, &caller), concerns);
        concerns
    }

    #[test]
    fn where_media_are_and_how_they_are_numbered_is_no_concern() {
        for (address, port, formats, lines) in [
            ("192.0.2.7", 4002, "0 8 101", KEYS.to_owned()),
            ("198.51.100.9", 4002, "0 8 101", KEYS.to_owned()),
            (
                "192.0.2.7",
                4000,
                "0 8 101",
                format!("{KEYS}a=rtcp:9999\r\na=rtcp-mux\r\na=ssrc:1 cname:x\r\na=ptime:20\r\n"),
            ),
            ("192.0.2.7", 4000, "0 101", KEYS.to_owned()),
            ("192.0.2.7", 4000, "0 8 18 9 101", KEYS.to_owned()),
            ("192.0.2.7", 4000, "97 100", "a=rtpmap:97 PCMU/8000\r\na=rtpmap:100 telephone-event/8000\r\n".to_owned()),
            ("192.0.2.7", 4000, "0 8 101", format!("{KEYS}a=sendrecv\r\nm=video 0 RTP/AVP 31\r\n")),
        ] {
            assert_eq!(of(&sdp(address, port, formats, &lines)), Concern::Nothing, "{formats} {lines}");
        }
    }

    #[test]
    fn what_it_should_know_is_told_but_it_need_not_agree() {
        for (formats, lines) in [
            ("8 0 101", KEYS),
            ("0 8", ""),
            ("0 8 101", "a=rtpmap:101 telephone-event/8000\r\na=silenceSupp:off - - - -\r\n"),
            ("0 8 101", "a=rtpmap:101 telephone-event/8000\r\na=fmtp:0 mode=2\r\n"),
        ] {
            assert_eq!(of(&sdp("192.0.2.7", 4002, formats, lines)), Concern::Wish, "{formats} {lines}");
        }
        let with_ptime = |ms: u8| sdp("192.0.2.7", 4000, "0", &format!("a=ptime:{ms}\r\n"));
        let (local, remote) = (sdp("192.0.2.1", 1, "0", ""), sdp("192.0.2.2", 2, "0", ""));
        let other = Other { local: &local, remote: &remote, we_offered: true, codec: Codec::Ulaw };
        assert_eq!(concern(&with_ptime(20), &with_ptime(30), &other), Concern::Wish);
        // NSE, of which a called line was not asked, is news; to a caller that did not offer it, it is not.
        let with_nse = sdp("192.0.2.7", 4000, "0 100", "a=rtpmap:100 NSE/8000\r\n");
        assert_eq!(concern(&with_ptime(20), &with_nse, &other), Concern::Wish);
        assert_eq!(concern(&with_ptime(20), &with_nse, &Other { we_offered: false, ..other }), Concern::Nothing);
    }

    #[test]
    fn hold_another_codec_and_another_medium_must_be_agreed() {
        for (address, port, formats, lines) in [
            ("192.0.2.7", 4000, "0 8 101", "a=sendonly\r\n"),
            ("192.0.2.7", 4000, "0 8 101", "a=inactive\r\n"),
            ("0.0.0.0", 4000, "0 8 101", ""),
            ("192.0.2.7", 4000, "8 101", ""),
            ("192.0.2.7", 0, "0 8 101", ""),
            ("192.0.2.7", 4000, "0 8 101", "m=video 4004 RTP/AVP 31\r\n"),
            ("192.0.2.7", 4000, "0 8 101", "m=image 4004 udptl t38\r\n"),
        ] {
            assert_eq!(of(&sdp(address, port, formats, lines)), Concern::Must, "{formats} {lines}");
        }
    }
}

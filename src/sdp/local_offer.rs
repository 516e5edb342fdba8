//! Descriptions that are entirely ours: the exchange answers a call itself, or makes the offer.

use super::audio::{Audio, Format};
use super::codec::{Codec, CodecList};
use super::description::Sdp;
use super::line::{SdpLine, media_line, payload_type};
use super::local_media::LocalMedia;
use super::negotiate::{NoCommonCodec, align_media};
use bytes::Bytes;

/// The answer when the exchange itself takes the call (a prompt, an echo, a menu): the first codec of the offer that
/// `allow` permits, and key presses if offered, under the offer's numbers. The packet time is the offered one, else
/// that of `allow` for this codec, else `ptime` (milliseconds), else omitted.
///
/// # Errors
/// [`NoCommonCodec`] when nothing offered is permitted.
pub fn own_answer(offer: &Sdp, allow: &CodecList, local: &LocalMedia, ptime: Option<u8>) -> Result<Sdp, NoCommonCodec> {
    let offered = offer.audio();
    let refusal = || NoCommonCodec::between(offered.as_ref(), allow);
    let audio = offered.as_ref().ok_or_else(refusal)?;
    let permitted = audio.formats.iter().filter_map(|format| Some((format, format.codec?)));
    let (format, codec) = permitted.clone().find(|(_, codec)| allow.contains(*codec)).ok_or_else(refusal)?;
    // RFC 4733 2.1: at the clock of the sound. Some list them for every clock they know, the fastest first.
    let mut events = audio.formats.iter().filter(|format| format.is_telephone_event());
    let keys = events.clone().find(|events| events.clock == format.clock).or_else(|| events.next());
    let mut section = media_lines(audio, format, keys, local);
    if let Some(ptime) = audio.ptime.or(allow.ptime(codec)).or(ptime) {
        section.push(SdpLine::made(format!("a=ptime:{ptime}")));
    }
    section.extend(silence_line(offer, audio.index));
    section.push(SdpLine::made(format!("a={}", audio.direction.mirrored().name())));
    section.extend(local.rtcp_line());
    // RFC 3264 section 6: the answer's t= is the offer's.
    let time = offer.session.iter().find(|line| line.letter() == Some(b't')).map(|line| line.text.clone());
    let answer = Sdp { session: session_lines(local, time), media: vec![section] };
    Ok(align_media(answer, offer))
}

/// An offer of our own, for a call without one: each codec in order and key presses as payload type 101. The packet
/// time is that of `codecs` for the first one.
///
/// # Errors
/// [`NoCommonCodec`] when `codecs` is empty.
pub fn own_offer(codecs: &CodecList, local: &LocalMedia) -> Result<Sdp, NoCommonCodec> {
    if codecs.entries.is_empty() {
        return Err(NoCommonCodec::between(None, codecs));
    }
    let mut dynamic = 96..KEYS;
    let numbered: Vec<(u8, Codec)> = codecs
        .entries
        .iter()
        .filter_map(|(codec, _)| Some((codec.static_payload().or_else(|| dynamic.next())?, *codec)))
        .collect();
    let numbers: Vec<String> = numbered.iter().map(|(payload, _)| payload.to_string()).collect();
    let mut section = vec![SdpLine::made(format!("m=audio {} RTP/AVP {} {KEYS}", local.rtp_port, numbers.join(" ")))];
    for (payload, codec) in &numbered {
        section.push(SdpLine::made(format!("a=rtpmap:{payload} {}/{}", codec.encoding(), codec.clock())));
    }
    section.push(SdpLine::made(format!("a=rtpmap:{KEYS} telephone-event/8000")));
    section.push(SdpLine::made(format!("a=fmtp:{KEYS} {EVENTS}")));
    if let Some(ptime) = numbered.first().and_then(|(_, codec)| codecs.ptime(*codec)) {
        section.push(SdpLine::made(format!("a=ptime:{ptime}")));
    }
    section.push(SdpLine::made("a=sendrecv".into()));
    section.extend(local.rtcp_line());
    Ok(Sdp { session: session_lines(local, None), media: vec![section] })
}

/// The same description without key presses: for a line that sends them in its sound.
pub fn without_events(mut description: Sdp) -> Sdp {
    let Some(audio) = description.audio() else { return description };
    let events: Vec<u8> =
        audio.formats.iter().filter(|format| format.is_telephone_event()).map(|format| format.payload).collect();
    let Some(section) = description.media.get_mut(audio.index) else { return description };
    let is_of_event = |line: &SdpLine| line.of_payload().is_some_and(|(_, payload, _)| events.contains(&payload));
    section.retain(|line| !is_of_event(line));
    let is_event = |word: &str| payload_type(word.as_bytes()).is_some_and(|number| events.contains(&number));
    let without = section.first().and_then(media_line).map(|parts| {
        let formats: Vec<&str> = parts.formats().filter(|word| !is_event(word)).collect();
        SdpLine::made(format!("m={} {} {} {}", parts.medium, parts.port, parts.proto, formats.join(" ")))
    });
    if let Some((first, without)) = section.first_mut().zip(without) {
        *first = without;
    }
    description
}

/// The usual payload type of key presses.
const KEYS: u8 = 101;
/// The keys, A to D, and the flash hook (RFC 4733 section 3.2).
const EVENTS: &str = "0-16";

fn session_lines(local: &LocalMedia, time: Option<Bytes>) -> Vec<SdpLine> {
    let time = match time {
        Some(text) => SdpLine { text, end: super::line::CRLF },
        None => SdpLine::made("t=0 0".into()),
    };
    vec![SdpLine::made("v=0".into()), local.origin_line(), local.name_line(), local.connection_line(None), time]
}

fn media_lines(audio: &Audio, format: &Format, keys: Option<&Format>, local: &LocalMedia) -> Vec<SdpLine> {
    let numbers: Vec<String> =
        [Some(format), keys].into_iter().flatten().map(|format| format.payload.to_string()).collect();
    let mut section = vec![SdpLine::made(format!("m=audio {} {} {}", local.rtp_port, audio.proto, numbers.join(" ")))];
    for format in [Some(format), keys].into_iter().flatten() {
        let Format { payload, encoding, clock, .. } = format;
        section.push(SdpLine::made(format!("a=rtpmap:{payload} {encoding}/{clock}")));
        let fallback = format.is_telephone_event().then_some(EVENTS);
        if let Some(parameters) = format.fmtp.as_deref().or(fallback) {
            section.push(SdpLine::made(format!("a=fmtp:{payload} {parameters}")));
        }
    }
    section
}

/// `a=silenceSupp:off` (RFC 3108) when the offer has that attribute: no phone is to suppress silence.
fn silence_line(offer: &Sdp, index: usize) -> Option<SdpLine> {
    let mut lines = offer.media.get(index)?.iter();
    lines.find(|line| line.attribute_named("silenceSupp").is_some())?;
    Some(SdpLine::made("a=silenceSupp:off - - - -".into()))
}

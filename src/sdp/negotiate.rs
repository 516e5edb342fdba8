//! Offer and answer between two legs (RFC 3264): one leg's description, forwarded to the other.

use super::audio::{Audio, Direction, Format};
use super::codec::CodecList;
use super::description::Sdp;
use super::line::SdpLine;
use super::local_media::LocalMedia;
use super::payload::Agreed;
use super::relay_sdp::{self, Renumbered};
use super::{media_kind, media_order};
use std::fmt;

/// No codec remains: the call is refused with 488, because the exchange does not transcode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoCommonCodec {
    /// The encodings that were offered or answered; empty when there was no voice stream at all.
    pub offered: Vec<String>,
    /// What `allow=` permits.
    pub allowed: Vec<String>,
}

impl fmt::Display for NoCommonCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = if self.allowed.is_empty() { "nothing".to_owned() } else { self.allowed.join(", ") };
        if self.offered.is_empty() {
            write!(
                f,
                "no voice stream to agree on (an m=audio line with RTP/AVP, a port and a format); allowed: {allowed}"
            )
        } else {
            let offered = self.offered.join(", ");
            write!(f, "no codec in common: offered {offered}; allowed {allowed} (see allow= of both peers)")
        }
    }
}

impl std::error::Error for NoCommonCodec {}

impl NoCommonCodec {
    pub(super) fn between(audio: Option<&Audio>, allow: &CodecList) -> NoCommonCodec {
        let formats = audio.map(|audio| audio.formats.as_slice()).unwrap_or_default();
        let offered = formats.iter().filter(|format| !format.is_companion()).map(Format::label);
        NoCommonCodec { offered: offered.collect(), allowed: allow.names() }
    }
}

/// Checks that `description` has a codec that `allow` permits.
///
/// # Errors
/// [`NoCommonCodec`] when it has none.
pub fn usable(description: &Sdp, allow: &CodecList) -> Result<(), NoCommonCodec> {
    let audio = description.audio();
    let permitted = |format: &Format| format.codec.is_some_and(|codec| allow.contains(codec));
    match &audio {
        Some(found) if found.formats.iter().any(permitted) => Ok(()),
        Some(_) | None => Err(NoCommonCodec::between(audio.as_ref(), allow)),
    }
}

/// The offer for the callee, made from the caller's description: its codecs that `allow` permits, under the caller's
/// numbers and in the caller's order, with all that accompanies them, and the other media that `local` has a port for.
/// Anything else is left out.
///
/// # Errors
/// [`NoCommonCodec`] when no permitted codec remains of a voice stream, or nothing at all.
pub fn offer_from(source: &Sdp, allow: &CodecList, local: &LocalMedia) -> Result<Sdp, NoCommonCodec> {
    let media = carried(source, allow, local)?;
    Ok(Sdp { session: relay_sdp::session(source, local), media })
}

/// The same within a call: a later offer has every `m=` line of `before`, the last one sent, in its place (RFC 3264
/// section 8).
///
/// # Errors
/// As those of [`offer_from`]; also when the result would have too many `m=` lines.
pub fn reoffer_from(source: &Sdp, allow: &CodecList, local: &LocalMedia, before: &Sdp) -> Result<Sdp, NoCommonCodec> {
    let laid = media_order::lay(carried(source, allow, local)?, &source.media, &before.media);
    let media = laid.ok_or_else(|| NoCommonCodec::between(None, allow))?;
    Ok(Sdp { session: relay_sdp::session(source, local), media })
}

/// The sections of `source` that are forwarded.
fn carried(source: &Sdp, allow: &CodecList, local: &LocalMedia) -> Result<Vec<Vec<SdpLine>>, NoCommonCodec> {
    let audio = source.audio();
    let refusal = || NoCommonCodec::between(audio.as_ref(), allow);
    let mut voice = match &audio {
        Some(audio) => {
            let stay = staying(audio, |format| format.codec.is_some_and(|codec| allow.contains(codec)), |_| true);
            Some(voice_with(source, audio, &stay, local).ok_or_else(refusal)?)
        }
        None => None,
    };
    let index_of_voice = audio.as_ref().map(|audio| audio.index);
    let sections = (0..source.media.len()).filter_map(|index| match index_of_voice {
        Some(voice_index) if voice_index == index => voice.take(),
        Some(_) | None => media_kind::carried(source, index, local),
    });
    let sections: Vec<_> = sections.collect();
    if sections.is_empty() { Err(refusal()) } else { Ok(sections) }
}

/// The offer for another leg when this one has already agreed (a prompt was played before the call went on): only the
/// codec in use and, if agreed, its key presses, with the packet time in use.
///
/// # Errors
/// [`NoCommonCodec`] when `allow` does not permit the codec in use.
pub fn offer_of_agreed(
    leg_remote: &Sdp,
    agreed: &Agreed,
    allow: &CodecList,
    local: &LocalMedia,
) -> Result<Sdp, NoCommonCodec> {
    let audio = leg_remote.audio();
    let refusal = || NoCommonCodec { offered: vec![agreed.codec.encoding().to_owned()], allowed: allow.names() };
    let audio = audio.as_ref().ok_or_else(refusal)?;
    let chosen = audio.formats.iter().find(|format| format.codec == Some(agreed.codec) && allow.contains(agreed.codec));
    let is_chosen = |format: &Format| chosen.is_some_and(|chosen| chosen.payload == format.payload);
    let stay = staying(audio, is_chosen, |format| format.is_telephone_event() && agreed.telephone_event.is_some());
    let mut offer = offer_with(leg_remote, audio, &stay, local).ok_or_else(refusal)?;
    if let (Some(ptime), Some(section)) = (agreed.ptime, offer.media.first_mut()) {
        let line = SdpLine::made(format!("a=ptime:{ptime}"));
        match section.iter_mut().find(|line| line.attribute_named("ptime").is_some()) {
            Some(_) if audio.ptime == Some(ptime) => {}
            Some(old) => *old = line,
            None => section.push(line),
        }
    }
    Ok(offer)
}

/// The answer for the leg that offered `leg_offer`, made from what the other leg answered: the other's lines, under the
/// payload types of the offer (RFC 3264 section 6.1), with a line for each offered medium. Secondary media are accepted
/// where the other leg accepted them and `local` has a port for them.
///
/// # Errors
/// [`NoCommonCodec`] when the other leg answered no codec that was offered here and that `allow` permits, or no medium
/// that was offered.
pub fn answer_from(
    leg_offer: &Sdp,
    other_answer: &Sdp,
    allow: &CodecList,
    local: &LocalMedia,
) -> Result<Sdp, NoCommonCodec> {
    let offered = leg_offer.audio();
    let mut voice = match &offered {
        Some(offered) => voice_answer(offered, other_answer, allow, local)?,
        None => None,
    };
    let mut accepted = 0usize;
    let media = leg_offer.media.iter().enumerate().filter_map(|(index, section)| {
        let taken = match &offered {
            Some(offered) if offered.index == index => voice.take(),
            Some(_) | None => media_kind::answered(leg_offer, index, other_answer, local),
        };
        accepted = accepted.saturating_add(usize::from(taken.is_some()));
        taken.or_else(|| relay_sdp::rejected(section))
    });
    let media: Vec<_> = media.collect();
    if accepted == 0 {
        return Err(NoCommonCodec::between(other_answer.audio().as_ref(), allow));
    }
    Ok(Sdp { session: relay_sdp::session(other_answer, local), media })
}

/// The voice stream of an answer; none when the other leg declined it as a whole.
fn voice_answer(
    offered: &Audio,
    other_answer: &Sdp,
    allow: &CodecList,
    local: &LocalMedia,
) -> Result<Option<Vec<SdpLine>>, NoCommonCodec> {
    let Some(answered) = other_answer.audio().map(|audio| audio.understood_by(offered)) else { return Ok(None) };
    let permitted =
        |format: &Format| format.codec.is_some_and(|codec| allow.contains(codec)) && offered.find(format).is_some();
    let mut stay = staying(&answered, permitted, |format| offered.find(format).is_some());
    renumber(&mut stay, &answered, offered);
    let section = other_answer.media.get(answered.index).filter(|_| !stay.is_empty());
    let section = section.ok_or_else(|| NoCommonCodec::between(Some(&answered), allow))?;
    let mut section = relay_sdp::medium(section, Some(&stay), local, !relay_sdp::has_session_address(other_answer));
    section.extend(missing_maps(&section, &stay, offered));
    // RFC 3264 section 6.1: the answer to sendonly is recvonly or inactive, whatever the other leg answered.
    let direction = answered.direction.narrowed(offered.direction.mirrored());
    if direction != answered.direction {
        set_direction(&mut section, direction);
    }
    Ok(Some(section))
}

/// The same content with our `o=` and the address and port of `local`: for a re-INVITE that moves media, back to the
/// exchange or directly to the other phone. Secondary media without a port in `local` are rejected, not dropped: a
/// later offer must not have fewer `m=` lines (RFC 3264 section 8).
pub fn readdress(sdp: &Sdp, local: &LocalMedia) -> Sdp {
    let voice = sdp.audio().map(|audio| audio.index);
    let needs_address = !relay_sdp::has_session_address(sdp);
    let media = sdp.media.iter().enumerate().filter_map(|(index, section)| {
        if voice == Some(index) {
            Some(relay_sdp::medium(section, None, local, needs_address))
        } else {
            media_kind::carried(sdp, index, local).or_else(|| relay_sdp::rejected(section))
        }
    });
    Sdp { session: relay_sdp::session(sdp, local), media: media.collect() }
}

/// The same for a phone that is no longer on hold: the direction is `sendrecv`.
pub fn reopen(sdp: &Sdp, local: &LocalMedia) -> Sdp {
    let mut open = readdress(sdp, local);
    if let Some(section) = open.audio().and_then(|audio| open.media.get_mut(audio.index)) {
        set_direction(section, Direction::SendRecv);
        // In the old form of hold the address is 0.0.0.0.
        section
            .iter_mut()
            .filter(|line| line.letter() == Some(b'c'))
            .for_each(|line| *line = local.connection_line(None));
    }
    open.session
        .iter_mut()
        .filter(|line| line.letter() == Some(b'c'))
        .for_each(|line| *line = local.connection_line(None));
    open
}

/// The description with as many `m=` lines as `before`, in its order: the voice stream where it was, every other
/// medium rejected (RFC 3264 sections 6 and 8).
pub fn align_media(sdp: Sdp, before: &Sdp) -> Sdp {
    let Some(index) = sdp.audio().map(|audio| audio.index) else {
        return sdp;
    };
    let Sdp { session, media } = sdp;
    let mut voice = media.into_iter().nth(index);
    let slot = before.audio().map_or(0, |audio| audio.index);
    let mut aligned = Vec::with_capacity(before.media.len().max(1));
    for (index, section) in before.media.iter().enumerate() {
        if index == slot { aligned.extend(voice.take()) } else { aligned.extend(relay_sdp::rejected(section)) }
    }
    aligned.extend(voice);
    Sdp { session, media: aligned }
}

/// Whether two descriptions of one originator are the same but for the version of `o=` and the line ends. A re-INVITE
/// with such a body only refreshes the call.
pub fn same_media(a: &Sdp, b: &Sdp) -> bool {
    let (old, new) = (a.origin(), b.origin());
    let texts = |sdp: &Sdp| {
        let other = sdp.lines().filter(|line| line.letter() != Some(b'o') && !line.text.is_empty());
        other.map(|line| line.text.clone()).collect::<Vec<_>>()
    };
    (old.user, old.id, old.addr) == (new.user, new.id, new.addr) && texts(a) == texts(b)
}

fn offer_with(source: &Sdp, audio: &Audio, stay: &[Renumbered], local: &LocalMedia) -> Option<Sdp> {
    let section = voice_with(source, audio, stay, local)?;
    Some(Sdp { session: relay_sdp::session(source, local), media: vec![section] })
}

fn voice_with(source: &Sdp, audio: &Audio, stay: &[Renumbered], local: &LocalMedia) -> Option<Vec<SdpLine>> {
    let section = source.media.get(audio.index).filter(|_| !stay.is_empty())?;
    Some(relay_sdp::medium(section, Some(stay), local, !relay_sdp::has_session_address(source)))
}

/// The payload types that stay, under their own numbers: the codecs that are `permitted` and, if there is one, the
/// companions that `goes_along` selects. Empty when no codec stays.
fn staying(
    audio: &Audio,
    permitted: impl Fn(&Format) -> bool,
    goes_along: impl Fn(&Format) -> bool,
) -> Vec<Renumbered> {
    let codecs = |payload: u8| audio.formats.iter().any(|format| format.payload == payload && permitted(format));
    if !audio.formats.iter().any(&permitted) {
        return Vec::new();
    }
    let stays = |format: &&Format| {
        permitted(format) || (format.is_companion() && goes_along(format) && redundant_payloads(format).all(codecs))
    };
    let same = |format: &Format| Renumbered { from: format.payload, to: format.payload };
    audio.formats.iter().filter(stays).map(same).collect()
}

/// The payload types that redundancy consists of (`a=fmtp:121 0/5`, RFC 2198 section 5): it cannot stay without them.
fn redundant_payloads(format: &Format) -> impl Iterator<Item = u8> {
    let is_red = format.encoding.eq_ignore_ascii_case("red");
    let text = format.fmtp.as_deref().filter(|_| is_red).unwrap_or_default();
    text.split('/').filter_map(|word| super::line::payload_type(word.trim().as_bytes()))
}

/// Gives each answered payload type its number in the offer. Of two with the same number the first keeps it.
fn renumber(stay: &mut Vec<Renumbered>, answered: &Audio, offered: &Audio) {
    let mut taken: Vec<u8> = Vec::new();
    stay.retain_mut(|number| {
        let Some(format) = answered.formats.iter().find(|format| format.payload == number.from) else {
            return false;
        };
        let same = offered.formats.iter().filter(|theirs| theirs.is_same_encoding(format)).map(|theirs| theirs.payload);
        let free = |payload: &u8| !taken.contains(payload);
        let chosen =
            same.clone().find(|payload| *payload == number.from && free(payload)).or_else(|| same.clone().find(free));
        let Some(payload) = chosen else {
            return false;
        };
        number.to = payload;
        taken.push(payload);
        true
    });
    let moved: Vec<u8> = stay.iter().filter(|number| number.from != number.to).map(|number| number.from).collect();
    let is_stale = |format: &Format| redundant_payloads(format).any(|payload| moved.contains(&payload));
    let stale = answered.formats.iter().filter(|format| is_stale(format)).map(|format| format.payload);
    let stale: Vec<u8> = stale.collect();
    stay.retain(|number| !stale.contains(&number.from));
}

/// `a=rtpmap` for payload types that got another number and had none, because the old one is static in RFC 3551.
fn missing_maps(section: &[SdpLine], stay: &[Renumbered], offered: &Audio) -> Vec<SdpLine> {
    let is_mapped = |payload: u8| {
        let mut lines = section.iter().filter_map(SdpLine::of_payload);
        lines.any(|(name, number, _)| number == payload && name.eq_ignore_ascii_case("rtpmap"))
    };
    let bare = stay.iter().filter(|number| number.from != number.to && !is_mapped(number.to));
    let formats = bare.filter_map(|number| offered.formats.iter().find(|format| format.payload == number.to));
    formats
        .map(|Format { payload, encoding, clock, .. }| SdpLine::made(format!("a=rtpmap:{payload} {encoding}/{clock}")))
        .collect()
}

fn set_direction(section: &mut Vec<SdpLine>, direction: Direction) {
    section.retain(|line| Direction::of_line(line).is_none());
    section.push(SdpLine::made(format!("a={}", direction.name())));
}

#[cfg(test)]
mod tests;

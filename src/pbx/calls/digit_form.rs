//! As what a line's digits come and go: telephone events, INFO, or tones in the sound. Decided by `dtmfmode=` and by what
//! was agreed with its telephone.

use super::channel::Channel;
use super::leg::Leg;
use crate::audio::g711::Law;
use crate::config::peer::DtmfMode;
use crate::pbx::core::Core;
use crate::pbx::media::{DigitForm, G711, Listening, MediaCommand, StreamId, WhileBridged};
use crate::sdp::codec::Codec;

/// A channel and its leg.
pub(super) type Seen<'a> = (&'a Channel, &'a Leg);

/// As what a line is sent a digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SentAs {
    /// In its RTP stream.
    Media(DigitForm),
    /// INFO, `application/dtmf-relay`.
    Info,
    /// INFO, `application/dtmf`.
    ShortInfo,
}

/// How a line sends its digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Events,
    Info,
    Sound,
}

/// The way a line is to be sent digits; none when nothing was agreed on that could carry them.
pub(super) fn sent_as(party: Seen<'_>) -> Option<SentAs> {
    let event = || outgoing_events(party).map(|number| SentAs::Media(DigitForm::Event(number)));
    match mode(party) {
        DtmfMode::Info => Some(SentAs::Info),
        DtmfMode::ShortInfo => Some(SentAs::ShortInfo),
        DtmfMode::Inband => tone(party),
        // A telephone that takes no events hears tones.
        DtmfMode::Rfc2833 | DtmfMode::Auto => event().or_else(|| tone(party)),
    }
}

/// In which other form one of two that talk is to be sent what the other presses; none where they are alike, so that all
/// passes as it is, and where a modem takes part.
pub(super) fn converted(from: Seen<'_>, to: Seen<'_>) -> Option<SentAs> {
    if from.0.has_modem() || to.0.has_modem() {
        return None;
    }
    let event = || outgoing_events(to).map(|number| SentAs::Media(DigitForm::Event(number)));
    match (source(from), mode(to)) {
        (Source::Sound, _) | (Source::Info, DtmfMode::Info | DtmfMode::ShortInfo) => None,
        (Source::Events, DtmfMode::Info) => Some(SentAs::Info),
        (Source::Events, DtmfMode::ShortInfo) => Some(SentAs::ShortInfo),
        (Source::Info, DtmfMode::Rfc2833) => event(),
        (Source::Info, DtmfMode::Auto) => event().or_else(|| tone(to)),
        (Source::Info, DtmfMode::Inband) => tone(to),
        // A line whose owner said nothing is given nothing that its telephone did not ask for.
        (Source::Events, DtmfMode::Rfc2833) => None,
        (Source::Events, DtmfMode::Auto | DtmfMode::Inband) => {
            if outgoing_events(to).is_some() {
                None
            } else {
                tone(to)
            }
        }
    }
}

/// What becomes of the telephone events of one of two that talk.
pub(super) fn while_bridged(from: Seen<'_>, to: Seen<'_>) -> WhileBridged {
    if from.0.has_modem() || to.0.has_modem() {
        WhileBridged::Pass
    } else if from.0.watch.is_some() && mode(from) == DtmfMode::Inband {
        // Nobody's sound is listened to but that of a line whose owner says that its digits are there.
        WhileBridged::Listen
    } else if source(from) == Source::Events && converted(from, to).is_some() {
        WhileBridged::Take
    } else {
        match &from.0.watch {
            None => WhileBridged::Pass,
            Some(watch) if watch.hangs_up_alone() => WhileBridged::Report,
            Some(_) => WhileBridged::Take,
        }
    }
}

/// Tells the media thread where to look for the digits of a channel's telephone, when that is news.
pub(super) fn listen(channel: &mut Channel, leg: &Leg, stream: StreamId, bridged: WhileBridged, core: &mut Core) {
    let seen = (&*channel, leg);
    // A line may have agreed on events with whom it calls, and send none: its owner knows.
    let is_said = mode(seen) == DtmfMode::Inband && matches!(bridged, WhileBridged::Pass | WhileBridged::Listen);
    let events = incoming_events(seen).filter(|_| !is_said || channel.has_modem());
    let in_sound = matches!(mode(seen), DtmfMode::Inband | DtmfMode::Auto) && events.is_none() && !channel.has_modem();
    let inband = g711(seen).filter(|_| in_sound).map(|(_, incoming)| incoming);
    let listening = Listening { events, inband, bridged };
    if channel.listening != listening {
        channel.listening = listening;
        core.out.media.push(MediaCommand::Listen { stream, listening });
    }
}

/// `dtmfmode=` of its line, or what `SIPDtmfMode()` said since.
pub(super) fn mode(party: Seen<'_>) -> DtmfMode {
    party.0.dtmf_mode.unwrap_or(party.1.peer.settings.dtmf_mode)
}

fn source(party: Seen<'_>) -> Source {
    match mode(party) {
        DtmfMode::Info | DtmfMode::ShortInfo => Source::Info,
        DtmfMode::Rfc2833 | DtmfMode::Auto | DtmfMode::Inband => {
            if incoming_events(party).is_some() {
                Source::Events
            } else {
                Source::Sound
            }
        }
    }
}

/// The payload type of events from its telephone: that of our description.
pub(super) fn incoming_events(party: Seen<'_>) -> Option<u8> {
    party.1.agreement.telephone_events().map(|(incoming, _)| incoming)
}

/// The payload type of events to its telephone: that of its description.
pub(super) fn outgoing_events(party: Seen<'_>) -> Option<u8> {
    party.1.agreement.telephone_events().map(|(_, outgoing)| outgoing)
}

fn tone(party: Seen<'_>) -> Option<SentAs> {
    let (codec, _) = g711(party)?;
    let ptime_ms = party.1.agreement.agreed()?.ptime.unwrap_or(20);
    Some(SentAs::Media(DigitForm::Tone { codec, ptime_ms }))
}

/// G.711, when that is what they speak: to its telephone, and from it.
fn g711(party: Seen<'_>) -> Option<(G711, G711)> {
    let agreed = party.1.agreement.agreed()?;
    let law = match agreed.codec {
        Codec::Ulaw => Law::Mu,
        Codec::Alaw => Law::A,
        _ => return None,
    };
    let numbers = [agreed.to_offerer, agreed.to_answerer].map(|payload_type| G711 { payload_type, law });
    let [to_offerer, to_answerer] = numbers;
    let we_offered = party.1.agreement.we_offered();
    Some(if we_offered { (to_answerer, to_offerer) } else { (to_offerer, to_answerer) })
}

//! Requests as types: which reply belongs to which request stands here and nowhere else.

use super::digits::Digits;
use super::handover::{CourtesyTone, NotPickedUp, ParkRequest, ParkedAt, ParkedPlace, PickupTarget};
use super::originate::{OriginateRequest, OriginateStatus};
use super::outside::{OutsideReply, OutsideRequest};
use super::recording::{RecordReply, RecordRequest, TapRequest, Tapped};
use super::request::{
    AppReply, AppRequest, DialReport, DialRequest, DialTarget, HangUpRequest, PageReply, PageRequest, PinRequest,
    PinVerdict, PlayRequest, Played, PlayedFrom, SendDigitsRequest, Tone,
};
use super::spying::{SpyReply, SpyRequest};
use super::test_signal::{SignalReply, TestSignal};
use super::text_message::{NotSent, TextMessage};
use crate::audio::sound::Sound;
use std::time::Duration;

/// A request, and the type of what the switch replies to it. Only `ChannelHandle` sends one.
pub(super) trait Ask {
    /// What the application gets.
    type Reply: Clone;

    /// Is it waited for even when the channel is hung up, and can it be asked afterwards, in `h`?
    const OUTLIVES_HANGUP: bool = false;

    /// The request as the switch gets it.
    fn into_request(self) -> AppRequest;

    /// What the switch replied; `None` when it is a reply to a request of another kind.
    fn reply(reply: &AppReply) -> Option<&Self::Reply>;
}

pub(super) struct Wait(pub(super) Duration);

impl Ask for Wait {
    type Reply = ();

    fn into_request(self) -> AppRequest {
        AppRequest::Wait(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&()> {
        matches!(reply, AppReply::Waited).then_some(&())
    }
}

pub(super) struct Answer;

impl Ask for Answer {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Answer
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::Answered(answered) = reply { Some(answered) } else { None }
    }
}

pub(super) struct Indicate(pub(super) Tone);

impl Ask for Indicate {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Indicate(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::Indicated(indicated) = reply { Some(indicated) } else { None }
    }
}

pub(super) struct Record(pub(super) RecordRequest);

impl Ask for Record {
    type Reply = RecordReply;

    fn into_request(self) -> AppRequest {
        AppRequest::Record(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&RecordReply> {
        if let AppReply::Recorded(recorded) = reply { Some(recorded) } else { None }
    }
}

pub(super) struct Tap(pub(super) TapRequest);

impl Ask for Tap {
    type Reply = Result<Tapped, String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Tap(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::Tapped(tapped) = reply { Some(tapped) } else { None }
    }
}

pub(super) struct PlayTone(pub(super) Option<String>);

impl Ask for PlayTone {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::PlayTone(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::PlaysTone(plays) = reply { Some(plays) } else { None }
    }
}

pub(super) struct Music(pub(super) Option<String>);

impl Ask for Music {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Music(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::PlaysMusic(plays) = reply { Some(plays) } else { None }
    }
}

pub(super) struct Play(pub(super) PlayRequest);

impl Ask for Play {
    type Reply = Played;

    fn into_request(self) -> AppRequest {
        AppRequest::Play(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Played> {
        if let AppReply::Played(played) = reply { Some(played) } else { None }
    }
}

pub(super) struct PlaySound(pub(super) Sound, pub(super) Digits);

impl Ask for PlaySound {
    type Reply = Played;

    fn into_request(self) -> AppRequest {
        AppRequest::PlaySound(self.0, self.1)
    }

    fn reply(reply: &AppReply) -> Option<&Played> {
        if let AppReply::Played(played) = reply { Some(played) } else { None }
    }
}

pub(super) struct PlayBeside(pub(super) PlayRequest);

impl Ask for PlayBeside {
    type Reply = Result<Duration, String>;

    fn into_request(self) -> AppRequest {
        AppRequest::PlayBeside(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::PlaysBeside(plays) = reply { Some(plays) } else { None }
    }
}

pub(super) struct PlayFrom(pub(super) PlayRequest, pub(super) Duration);

impl Ask for PlayFrom {
    type Reply = PlayedFrom;

    fn into_request(self) -> AppRequest {
        AppRequest::PlayFrom(self.0, self.1)
    }

    fn reply(reply: &AppReply) -> Option<&PlayedFrom> {
        if let AppReply::PlayedFrom(played) = reply { Some(played) } else { None }
    }
}

pub(super) struct Digit(pub(super) Duration);

impl Ask for Digit {
    type Reply = Option<char>;

    fn into_request(self) -> AppRequest {
        AppRequest::Digit(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Option<char>> {
        if let AppReply::Digit(digit) = reply { Some(digit) } else { None }
    }
}

pub(super) struct SendDigits(pub(super) SendDigitsRequest);

impl Ask for SendDigits {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::SendDigits(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::DigitsSent(sent) = reply { Some(sent) } else { None }
    }
}

pub(super) struct SendText(pub(super) TextMessage);

impl Ask for SendText {
    type Reply = Result<(), NotSent>;

    fn into_request(self) -> AppRequest {
        AppRequest::SendText(Box::new(self.0))
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::TextSent(sent) = reply { Some(sent) } else { None }
    }
}

pub(super) struct SendToCaller(pub(super) String);

impl Ask for SendToCaller {
    type Reply = Result<(), NotSent>;

    fn into_request(self) -> AppRequest {
        AppRequest::SendToCaller(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::TextSent(sent) = reply { Some(sent) } else { None }
    }
}

pub(super) struct Transfer(pub(super) String);

impl Ask for Transfer {
    type Reply = Result<bool, String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Transfer(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::Transferred(done) = reply { Some(done) } else { None }
    }
}

pub(super) struct SetDtmfMode(pub(super) String);

impl Ask for SetDtmfMode {
    type Reply = Result<(), String>;

    fn into_request(self) -> AppRequest {
        AppRequest::DtmfMode(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::DtmfModeSet(set) = reply { Some(set) } else { None }
    }
}

pub(super) struct CheckPin(pub(super) PinRequest);

impl Ask for CheckPin {
    type Reply = PinVerdict;

    fn into_request(self) -> AppRequest {
        AppRequest::Pin(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&PinVerdict> {
        if let AppReply::Pin(verdict) = reply { Some(verdict) } else { None }
    }
}

pub(super) struct Dial(pub(super) DialRequest);

impl Ask for Dial {
    type Reply = DialReport;

    fn into_request(self) -> AppRequest {
        AppRequest::Dial(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&DialReport> {
        if let AppReply::Dialed(report) = reply { Some(report) } else { None }
    }
}

pub(super) struct StartPage(pub(super) PageRequest);

impl Ask for StartPage {
    type Reply = PageReply;

    fn into_request(self) -> AppRequest {
        AppRequest::Page(Box::new(self.0))
    }

    fn reply(reply: &AppReply) -> Option<&PageReply> {
        if let AppReply::Paged(paged) = reply { Some(paged) } else { None }
    }
}

pub(super) struct Spy(pub(super) SpyRequest);

impl Ask for Spy {
    type Reply = SpyReply;

    fn into_request(self) -> AppRequest {
        AppRequest::Spy(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&SpyReply> {
        if let AppReply::Spied(reply) = reply { Some(reply) } else { None }
    }
}

pub(super) struct TalkToPage;

impl Ask for TalkToPage {
    type Reply = PageReply;

    fn into_request(self) -> AppRequest {
        AppRequest::TalkToPage
    }

    fn reply(reply: &AppReply) -> Option<&PageReply> {
        StartPage::reply(reply)
    }
}

pub(super) struct Originate(pub(super) Box<OriginateRequest>);

impl Ask for Originate {
    type Reply = OriginateStatus;

    fn into_request(self) -> AppRequest {
        AppRequest::Originate(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&OriginateStatus> {
        if let AppReply::Originated(status) = reply { Some(status) } else { None }
    }
}

pub(super) struct LineStates(pub(super) Vec<DialTarget>);

impl Ask for LineStates {
    type Reply = Vec<u8>;

    fn into_request(self) -> AppRequest {
        AppRequest::LineStates(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Vec<u8>> {
        if let AppReply::LineStates(states) = reply { Some(states) } else { None }
    }
}

pub(super) struct HangUp(pub(super) HangUpRequest);

impl Ask for HangUp {
    type Reply = usize;

    fn into_request(self) -> AppRequest {
        AppRequest::HangUp(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&usize> {
        if let AppReply::HungUp(channels) = reply { Some(channels) } else { None }
    }
}

pub(super) struct Echo;

impl Ask for Echo {
    type Reply = ();

    fn into_request(self) -> AppRequest {
        AppRequest::Echo
    }

    fn reply(reply: &AppReply) -> Option<&()> {
        matches!(reply, AppReply::Echoed).then_some(&())
    }
}

impl Ask for TestSignal {
    type Reply = SignalReply;

    fn into_request(self) -> AppRequest {
        AppRequest::TestSignal(self)
    }

    fn reply(reply: &AppReply) -> Option<&SignalReply> {
        if let AppReply::SignalEnded(ended) = reply { Some(ended) } else { None }
    }
}

impl Ask for OutsideRequest {
    type Reply = OutsideReply;

    const OUTLIVES_HANGUP: bool = true;

    fn into_request(self) -> AppRequest {
        AppRequest::Outside(self)
    }

    fn reply(reply: &AppReply) -> Option<&OutsideReply> {
        if let AppReply::Outside(reply) = reply { Some(reply) } else { None }
    }
}

pub(super) struct PickUp(pub(super) Vec<PickupTarget>);

impl Ask for PickUp {
    type Reply = NotPickedUp;

    fn into_request(self) -> AppRequest {
        AppRequest::PickUp(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&NotPickedUp> {
        if let AppReply::NotPickedUp(why) = reply { Some(why) } else { None }
    }
}

impl Ask for ParkRequest {
    type Reply = Result<Box<ParkedAt>, String>;

    fn into_request(self) -> AppRequest {
        AppRequest::Park(self)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::Parked(parked) = reply { Some(parked) } else { None }
    }
}

pub(super) struct WaitParked(pub(super) Duration);

impl Ask for WaitParked {
    type Reply = ();

    fn into_request(self) -> AppRequest {
        AppRequest::WaitParked(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&()> {
        matches!(reply, AppReply::Waited).then_some(&())
    }
}

pub(super) struct FindParked(pub(super) ParkedPlace);

impl Ask for FindParked {
    type Reply = Option<CourtesyTone>;

    fn into_request(self) -> AppRequest {
        AppRequest::FindParked(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&Self::Reply> {
        if let AppReply::ParkedFound(found) = reply { Some(found) } else { None }
    }
}

pub(super) struct TakeParked(pub(super) ParkedPlace);

impl Ask for TakeParked {
    type Reply = DialReport;

    fn into_request(self) -> AppRequest {
        AppRequest::TakeParked(self.0)
    }

    fn reply(reply: &AppReply) -> Option<&DialReport> {
        if let AppReply::Dialed(report) = reply { Some(report) } else { None }
    }
}

//! Two answered legs joined: who is told what about media. It decides the next step and knows neither legs nor SDP.
//!
//! Direct media is reached one leg after the other: the callee is told the caller's address, and what it answers is
//! what the caller is told. So a phone that answers a re-INVITE with a new port is followed, and a refusal leaves
//! only one leg to lead back to the relay.

use crate::dialplan::ChannelId;

/// One of the two legs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The channel whose program dialled.
    Caller,
    /// The line that answered.
    Callee,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Side {
        match self {
            Side::Caller => Side::Callee,
            Side::Callee => Side::Caller,
        }
    }
}

/// Where the media goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Route {
    /// Through the exchange.
    Relay,
    /// From line to line.
    Direct,
}

/// What the bridge is in the middle of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Nothing: it just carries.
    None,
    /// It waits until both legs are settled before media goes direct, or is led back.
    Settling,
    /// The callee is told what the caller changed behind its back: while it rang, say.
    Telling,
    /// This side was told the other's own address and has not answered yet.
    Directing(Side),
    /// This side is being led back to the relay.
    Retreating(Side),
    /// This side's new offer waits for the ports of a medium beside voice.
    Preparing(Side),
    /// This side's new offer was carried to the other, whose answer it gets.
    Carrying(Side),
    /// This side's answer to a carried offer was of no use: it is told again what holds.
    Restoring(Side),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// Tell this side the other's own address.
    Direct(Side),
    /// Tell this side the relay's address.
    Relay(Side),
    /// They would chase each other for ever: tell this side the relay's address, and the other one afterwards.
    Chased(Side),
    /// Both know each other's address now.
    IsDirect,
    /// A side knows what it has to know: the relay maps what they agree to now.
    Told,
    /// Both are back on the relay (or never left it), because of this side's refusal and its status.
    Stays(Side, u16),
    /// The other side accepted this side's offer: answer it.
    Accept(Side),
    /// The other side refused this side's offer.
    Refuse(Side, u16),
}

/// Two legs joined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bridge {
    /// The caller's channel.
    pub caller: ChannelId,
    /// The called line's channel.
    pub callee: ChannelId,
    /// Where the media goes now.
    pub route: Route,
    /// What is under way.
    pub work: Work,
    /// How often a phone answered a direct offer with yet another address; bounded, or two of them could chase each other.
    moves: u8,
    /// How often direct media met an offer of a phone's own (491).
    glares: u8,
    wants_direct: bool,
    /// What stands behind an offer that is carried: the way it names, and who is astray then. Once it is accepted, what was before it.
    carried: (Route, Vec<Side>),
    /// How often the caller had changed its media when the callee was last told of it.
    told: u32,
    /// These sides send to where the other is not heard from any more: they are led back to the relay, one after the other, as soon as nothing is
    /// under way.
    astray: Vec<Side>,
    refusal: Option<(Side, u16)>,
}

/// A phone may change its address this often while direct media is set up.
const MOST_MOVES: u8 = 2;
/// Direct media is begun again so often after a phone was busy with an offer of its own.
const MOST_GLARES: u8 = 3;

impl Bridge {
    /// Joined through the relay; `direct`: both lines want direct media; `told`: how often the caller had changed its media when
    /// the callee was called.
    pub fn new(caller: ChannelId, callee: ChannelId, direct: bool, told: u32) -> Bridge {
        let mut bridge = Bridge {
            caller,
            callee,
            route: Route::Relay,
            work: Work::None,
            moves: 0,
            glares: 0,
            wants_direct: direct,
            carried: (Route::Relay, Vec::new()),
            told,
            astray: Vec::new(),
            refusal: None,
        };
        bridge.rest();
        bridge
    }

    /// What is done has ended: direct media, if it is still wanted, waits for both legs to settle.
    fn rest(&mut self) {
        let settling = (self.wants_direct || !self.astray.is_empty()) && self.route == Route::Relay;
        self.work = if settling { Work::Settling } else { Work::None };
    }

    /// The channel on a side.
    pub fn channel(&self, side: Side) -> ChannelId {
        match side {
            Side::Caller => self.caller,
            Side::Callee => self.callee,
        }
    }

    /// The side a channel is on.
    pub fn side(&self, channel: ChannelId) -> Option<Side> {
        if channel == self.caller {
            Some(Side::Caller)
        } else if channel == self.callee {
            Some(Side::Callee)
        } else {
            None
        }
    }

    /// Both legs are settled (answered, acknowledged, nothing pending). `heard`: how often the caller has changed its media; `voice_alone`:
    /// they carry nothing else, which could not go directly.
    pub fn settled(&mut self, heard: u32, voice_alone: bool) -> Step {
        match self.work {
            Work::Settling if !self.astray.is_empty() => self.lead_back(),
            Work::Settling if self.wants_direct && voice_alone => {
                self.work = Work::Directing(Side::Callee);
                Step::Direct(Side::Callee)
            }
            Work::Settling | Work::None if self.route == Route::Relay && self.told != heard => {
                self.work = Work::Telling;
                Step::Relay(Side::Callee)
            }
            Work::Settling
            | Work::None
            | Work::Telling
            | Work::Directing(_)
            | Work::Retreating(_)
            | Work::Preparing(_)
            | Work::Carrying(_)
            | Work::Restoring(_) => Step::Rest,
        }
    }

    /// The callee is told now what the caller said last.
    pub fn tells(&mut self, heard: u32) {
        self.told = heard;
    }

    /// A side accepted our offer. `moved`: its own address is not the one the other side was told.
    pub fn accepted(&mut self, side: Side, moved: bool) -> Step {
        match self.work {
            Work::Directing(asked) if asked == side => {
                let first = side == Side::Callee && self.route == Route::Relay;
                if first {
                    self.work = Work::Directing(Side::Caller);
                    return Step::Direct(Side::Caller);
                }
                self.route = Route::Direct;
                if moved && self.moves < MOST_MOVES {
                    self.moves = self.moves.saturating_add(1);
                    self.work = Work::Directing(side.other());
                    return Step::Direct(side.other());
                }
                if moved {
                    return self.give_up_chase(side);
                }
                self.work = Work::None;
                Step::IsDirect
            }
            Work::Retreating(asked) if asked == side => match self.refusal.take() {
                Some((by, status)) => self.stay(by, status),
                // The second one led back: it was told why before.
                None => {
                    self.rest();
                    Step::Told
                }
            },
            Work::Carrying(from) if from == side.other() => {
                // Both were told of each other anew.
                let before = (self.route, std::mem::take(&mut self.astray));
                (self.route, self.astray) = std::mem::replace(&mut self.carried, before);
                self.rest();
                Step::Accept(from)
            }
            Work::Telling if side == Side::Callee => {
                self.rest();
                Step::Told
            }
            Work::Restoring(asked) if asked == side => {
                self.rest();
                Step::Told
            }
            Work::None
            | Work::Settling
            | Work::Telling
            | Work::Directing(_)
            | Work::Retreating(_)
            | Work::Preparing(_)
            | Work::Carrying(_)
            | Work::Restoring(_) => Step::Rest,
        }
    }

    /// A side refused our offer; what it had agreed to before stands (RFC 3261 14.1).
    pub fn refused(&mut self, side: Side, status: u16) -> Step {
        match self.work {
            Work::Directing(asked) if asked == side => {
                if side == Side::Callee && self.route == Route::Relay {
                    return self.stay(side, status);
                }
                // The other side already sends to this one directly: lead it back. And this one after it, if it was told before.
                self.astray = Some(side).filter(|_| self.route == Route::Direct).into_iter().collect();
                self.refusal = Some((side, status));
                self.work = Work::Retreating(side.other());
                Step::Relay(side.other())
            }
            Work::Retreating(asked) if asked == side => {
                if status == 491 && self.glares < MOST_GLARES {
                    self.glares = self.glares.saturating_add(1);
                    self.route = Route::Relay;
                    self.astray.insert(0, side);
                    self.rest();
                    return Step::Rest;
                }
                match self.refusal.take() {
                    Some((by, status)) => self.stay(by, status),
                    // It was led back for something else than refused direct media.
                    None => {
                        self.route = Route::Relay;
                        self.rest();
                        Step::Told
                    }
                }
            }
            Work::Carrying(from) if from == side.other() => {
                self.rest();
                Step::Refuse(from, status)
            }
            Work::Telling if side == Side::Callee => {
                // Not now: it has an offer of its own under way, which goes first.
                if status == 491 && self.glares < MOST_GLARES {
                    self.glares = self.glares.saturating_add(1);
                    self.told = self.told.wrapping_sub(1);
                }
                self.rest();
                Step::Rest
            }
            Work::Restoring(asked) if asked == side => {
                if status == 491 && self.glares < MOST_GLARES && self.route == Route::Relay {
                    self.glares = self.glares.saturating_add(1);
                    self.astray.insert(0, side);
                }
                self.rest();
                Step::Rest
            }
            Work::None
            | Work::Settling
            | Work::Telling
            | Work::Directing(_)
            | Work::Retreating(_)
            | Work::Preparing(_)
            | Work::Carrying(_)
            | Work::Restoring(_) => Step::Rest,
        }
    }

    /// Both answer from new addresses for ever: both are led back to the relay, which follows each by itself.
    fn give_up_chase(&mut self, side: Side) -> Step {
        self.wants_direct = false;
        self.route = Route::Relay;
        self.astray = vec![side];
        self.work = Work::Retreating(side.other());
        Step::Chased(side.other())
    }

    fn lead_back(&mut self) -> Step {
        if self.astray.is_empty() {
            return Step::Rest;
        }
        let side = self.astray.remove(0);
        self.work = Work::Retreating(side);
        Step::Relay(side)
    }

    /// The media stays on the relay for the rest of the call; but after a 491, which only says "not now" (RFC 3261 14.1), until the legs have settled.
    fn stay(&mut self, by: Side, status: u16) -> Step {
        self.route = Route::Relay;
        if status == 491 && self.glares < MOST_GLARES {
            self.glares = self.glares.saturating_add(1);
            self.rest();
            return Step::Rest;
        }
        self.wants_direct = false;
        self.rest();
        Step::Stays(by, status)
    }

    /// A side gave a new address by itself (in the ACK of an offerless re-INVITE): must the other be told?
    pub fn moved(&mut self, side: Side) -> Step {
        match (self.route, self.work) {
            (Route::Direct, Work::None) => {
                self.work = Work::Directing(side.other());
                Step::Direct(side.other())
            }
            (Route::Direct | Route::Relay, _) => Step::Rest,
        }
    }

    /// A side makes a new offer: may it be carried to the other now? Otherwise it is asked to come again (491).
    pub fn offered(&mut self, side: Side) -> bool {
        match self.work {
            Work::None | Work::Settling => {
                self.work = Work::Preparing(side);
                true
            }
            Work::Telling
            | Work::Directing(_)
            | Work::Retreating(_)
            | Work::Preparing(_)
            | Work::Carrying(_)
            | Work::Restoring(_) => false,
        }
    }

    /// The side whose new offer waits to be carried.
    pub fn preparing(&self) -> Option<Side> {
        if let Work::Preparing(side) = self.work { Some(side) } else { None }
    }

    /// A side's new offer is carried to the other, with media that way from then on if it is accepted.
    pub fn carried(&mut self, side: Side, by: Route) {
        self.work = Work::Carrying(side);
        self.carried = (by, Vec::new());
    }

    /// A carried offer could not even be made to the other side.
    pub fn not_carried(&mut self) {
        self.rest();
    }

    /// A side accepted a carried offer in a way that is of no use to the one that made it: it is led back to what holds.
    pub fn restore(&mut self, side: Side) {
        (self.route, self.astray) = std::mem::replace(&mut self.carried, (Route::Relay, Vec::new()));
        self.astray.retain(|astray| *astray != side);
        self.work = Work::Restoring(side);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bridge(direct: bool) -> Bridge {
        Bridge::new(ChannelId(1), ChannelId(2), direct, 0)
    }

    #[test]
    fn a_callee_is_told_once_what_changed_while_it_rang() {
        let mut bridge = bridge(false);
        assert_eq!(bridge.settled(1, true), Step::Relay(Side::Callee));
        bridge.tells(1);
        assert!(!bridge.offered(Side::Caller), "one after the other");
        assert_eq!(bridge.refused(Side::Callee, 491), Step::Rest);
        assert_eq!(bridge.settled(1, true), Step::Relay(Side::Callee));
        bridge.tells(1);
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Told);
        assert_eq!((bridge.settled(1, true), bridge.work), (Step::Rest, Work::None));
        assert_eq!(bridge.settled(2, true), Step::Relay(Side::Callee), "and again, when it changes again");
    }

    #[test]
    fn a_callee_that_will_not_hear_what_changed_is_left_alone() {
        let mut refusing = bridge(false);
        refusing.settled(1, true);
        refusing.tells(1);
        assert_eq!(refusing.refused(Side::Callee, 488), Step::Rest);
        assert_eq!(refusing.settled(1, true), Step::Rest);
        // Direct media tells it the same, so it is told nothing else.
        let mut direct = bridge(true);
        assert_eq!(direct.settled(1, true), Step::Direct(Side::Callee));
        direct.tells(1);
        direct.accepted(Side::Callee, false);
        assert_eq!(direct.accepted(Side::Caller, false), Step::IsDirect);
        assert_eq!(direct.settled(1, true), Step::Rest);
    }

    #[test]
    fn both_are_told_one_after_the_other() {
        let mut bridge = bridge(true);
        assert_eq!(bridge.settled(0, true), Step::Direct(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Direct(Side::Caller));
        assert_eq!(bridge.accepted(Side::Caller, false), Step::IsDirect);
        assert_eq!((bridge.route, bridge.work), (Route::Direct, Work::None));
    }

    #[test]
    fn a_callee_that_refuses_leaves_everything_as_it_was() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        assert_eq!(bridge.refused(Side::Callee, 488), Step::Stays(Side::Callee, 488));
        assert_eq!((bridge.route, bridge.work), (Route::Relay, Work::None));
    }

    #[test]
    fn a_caller_that_refuses_sends_the_callee_back_to_the_relay() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Relay(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Stays(Side::Caller, 488));
        assert_eq!((bridge.route, bridge.work), (Route::Relay, Work::None));
    }

    #[test]
    fn a_callee_too_busy_to_be_led_back_is_led_back_later_but_not_for_ever() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Relay(Side::Callee));
        for _ in 0..3 {
            assert_eq!(bridge.refused(Side::Callee, 491), Step::Rest);
            assert_eq!(bridge.settled(0, true), Step::Relay(Side::Callee));
        }
        assert_eq!(bridge.refused(Side::Callee, 491), Step::Stays(Side::Caller, 488));
        assert_eq!(bridge.settled(0, true), Step::Rest);
    }

    #[test]
    fn both_are_led_back_when_one_refuses_where_the_other_moved() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        assert_eq!(bridge.accepted(Side::Caller, false), Step::IsDirect);
        assert_eq!(bridge.moved(Side::Callee), Step::Direct(Side::Caller));
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Relay(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Stays(Side::Caller, 488));
        assert_eq!(bridge.settled(0, true), Step::Relay(Side::Caller));
        assert_eq!(bridge.accepted(Side::Caller, false), Step::Told);
        assert_eq!((bridge.settled(0, true), bridge.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn both_are_led_back_also_when_the_first_is_too_busy() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        bridge.accepted(Side::Caller, false);
        assert_eq!(bridge.moved(Side::Callee), Step::Direct(Side::Caller));
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Relay(Side::Callee));
        assert_eq!(bridge.refused(Side::Callee, 491), Step::Rest);
        assert_eq!(bridge.settled(0, true), Step::Relay(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Stays(Side::Caller, 488));
        assert_eq!(bridge.settled(0, true), Step::Relay(Side::Caller), "it sends past the exchange still");
        assert_eq!(bridge.accepted(Side::Caller, false), Step::Told);
        assert_eq!((bridge.settled(0, true), bridge.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn a_new_port_in_the_answer_is_told_to_the_other_but_not_for_ever() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        assert_eq!(bridge.accepted(Side::Caller, true), Step::Direct(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, true), Step::Direct(Side::Caller));
        assert_eq!(bridge.accepted(Side::Caller, true), Step::Chased(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, true), Step::Told);
        assert_eq!(bridge.settled(0, true), Step::Relay(Side::Caller));
        assert_eq!(bridge.accepted(Side::Caller, true), Step::Told);
        assert_eq!((bridge.settled(0, true), bridge.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn a_phone_busy_with_its_own_offer_is_asked_again_but_not_for_ever() {
        let mut bridge = bridge(true);
        for _ in 0..3 {
            assert_eq!(bridge.settled(0, true), Step::Direct(Side::Callee));
            assert_eq!(bridge.refused(Side::Callee, 491), Step::Rest);
            assert!(bridge.offered(Side::Callee), "its own offer goes first");
            bridge.carried(Side::Callee, Route::Relay);
            assert_eq!(bridge.accepted(Side::Caller, false), Step::Accept(Side::Callee));
        }
        assert_eq!(bridge.settled(0, true), Step::Direct(Side::Callee));
        assert_eq!(bridge.refused(Side::Callee, 491), Step::Stays(Side::Callee, 491));
        assert_eq!(bridge.settled(0, true), Step::Rest);
    }

    #[test]
    fn an_offer_is_carried_and_its_answer_brought_back() {
        let mut bridge = bridge(false);
        assert!(bridge.offered(Side::Caller));
        assert!(!bridge.offered(Side::Callee));
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Rest, "it was asked nothing yet");
        assert_eq!(bridge.preparing(), Some(Side::Caller));
        bridge.carried(Side::Caller, Route::Relay);
        assert_eq!(bridge.preparing(), None);
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Accept(Side::Caller));
        assert!(bridge.offered(Side::Callee));
        bridge.carried(Side::Callee, Route::Relay);
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Refuse(Side::Callee, 488));
    }

    #[test]
    fn an_offer_while_direct_media_is_set_up_has_to_come_again() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        assert!(!bridge.offered(Side::Caller));
    }

    /// Fax by T.38 goes through the exchange, also in a call whose voice goes directly; and voice directly again afterwards.
    #[test]
    fn an_offer_may_bring_media_back_to_the_relay() {
        let mut bridge = bridge(true);
        bridge.settled(0, true);
        bridge.accepted(Side::Callee, false);
        bridge.accepted(Side::Caller, false);
        assert!(bridge.offered(Side::Callee));
        bridge.carried(Side::Callee, Route::Relay);
        assert_eq!(bridge.refused(Side::Caller, 488), Step::Refuse(Side::Callee, 488));
        assert_eq!(bridge.route, Route::Direct, "refused: all as it was");
        assert!(bridge.offered(Side::Callee));
        bridge.carried(Side::Callee, Route::Relay);
        assert_eq!(bridge.accepted(Side::Caller, false), Step::Accept(Side::Callee));
        assert_eq!((bridge.route, bridge.work), (Route::Relay, Work::Settling));
    }

    #[test]
    fn who_answered_to_no_use_is_led_back() {
        let mut bridge = bridge(false);
        bridge.offered(Side::Caller);
        bridge.carried(Side::Caller, Route::Relay);
        bridge.accepted(Side::Callee, false);
        bridge.restore(Side::Callee);
        assert!(!bridge.offered(Side::Caller), "not now");
        assert_eq!(bridge.accepted(Side::Callee, true), Step::Told);
        assert_eq!(bridge.work, Work::None);
        let mut bridge = Bridge { route: Route::Direct, work: Work::None, ..self::bridge(true) };
        bridge.offered(Side::Caller);
        bridge.carried(Side::Caller, Route::Relay);
        bridge.accepted(Side::Callee, false);
        bridge.restore(Side::Callee);
        assert_eq!(bridge.route, Route::Direct, "what holds is what was");
        assert_eq!(bridge.refused(Side::Callee, 488), Step::Rest);
        assert_eq!((bridge.route, bridge.work), (Route::Direct, Work::None));
    }

    #[test]
    fn who_was_busy_when_led_back_from_a_useless_answer_is_led_back_later_but_not_for_ever() {
        let mut bridge = bridge(false);
        bridge.offered(Side::Caller);
        bridge.carried(Side::Caller, Route::Relay);
        bridge.accepted(Side::Callee, false);
        bridge.restore(Side::Callee);
        for _ in 0..3 {
            assert_eq!(bridge.refused(Side::Callee, 491), Step::Rest);
            assert_eq!(bridge.settled(0, true), Step::Relay(Side::Callee));
        }
        assert_eq!(bridge.refused(Side::Callee, 491), Step::Told);
        assert_eq!((bridge.settled(0, true), bridge.work), (Step::Rest, Work::None));
    }

    /// The other one was to be led back to the relay, and its offer comes to nothing: it still is.
    #[test]
    fn a_useless_answer_leaves_who_was_astray_astray() {
        let astray = || Bridge { astray: vec![Side::Caller], work: Work::Settling, ..bridge(false) };
        let mut useless = astray();
        useless.offered(Side::Caller);
        useless.carried(Side::Caller, Route::Relay);
        useless.accepted(Side::Callee, false);
        useless.restore(Side::Callee);
        assert_eq!(useless.accepted(Side::Callee, false), Step::Told);
        assert_eq!(useless.settled(0, true), Step::Relay(Side::Caller));
        // One that is of use tells it where media go.
        let mut agreed = astray();
        agreed.offered(Side::Caller);
        agreed.carried(Side::Caller, Route::Relay);
        assert_eq!(agreed.accepted(Side::Callee, false), Step::Accept(Side::Caller));
        assert_eq!((agreed.settled(0, true), agreed.work), (Step::Rest, Work::None));
    }

    /// Video stays on the relay; but the callee is told what the caller changed, all the same.
    #[test]
    fn more_than_voice_waits_with_going_direct_and_with_nothing_else() {
        let mut bridge = bridge(true);
        assert_eq!(bridge.settled(0, false), Step::Rest);
        assert_eq!(bridge.settled(1, false), Step::Relay(Side::Callee));
        bridge.tells(1);
        assert_eq!(bridge.accepted(Side::Callee, false), Step::Told);
        assert_eq!(bridge.settled(1, false), Step::Rest);
        assert_eq!(bridge.settled(1, true), Step::Direct(Side::Callee), "the video is over");
    }
}

//! The media path of two bridged parties: relay or direct, and which party gets the next offer. It decides, and knows
//! neither channels nor legs nor SDP.
//!
//! Direct media is reached one leg after the other: the callee is offered the caller's address, and what it answers is
//! what the caller is offered. So a phone that answers a re-INVITE with a new port is followed, and a refusal leaves
//! only one leg to restore to the relay.

/// One of the two parties of a bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The first: the channel whose program dialed.
    Caller,
    /// The second: the line that answered.
    Callee,
}

impl Role {
    /// The other one.
    pub fn other(self) -> Role {
        match self {
            Role::Caller => Role::Callee,
            Role::Callee => Role::Caller,
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

/// What is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Work {
    /// Nothing.
    None,
    /// It waits until both legs are settled before media goes direct, or is restored to the relay.
    Settling,
    /// The callee is offered what the caller changed before they were bridged: while it rang, say.
    Informing,
    /// This party was offered the other's own address and has not answered yet.
    Directing(Role),
    /// This party is being restored to the relay.
    Restoring(Role),
    /// This party's new offer waits for the ports of a medium beside voice.
    Preparing(Role),
    /// This party's new offer was forwarded to the other, whose answer it gets.
    Forwarding(Role),
    /// This party's answer to a forwarded offer was of no use: it is offered again what holds.
    Reverting(Role),
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Rest,
    /// Offer this party the other's own address.
    Direct(Role),
    /// Offer this party the relay's address.
    Relay(Role),
    /// They would chase each other for ever: offer this party the relay's address, and the other one afterwards.
    Chased(Role),
    /// Both know each other's address now.
    IsDirect,
    /// A party knows what it has to know: the relay maps what they agree to now.
    Updated,
    /// Both are back on the relay (or never left it), because of this party's refusal and its status.
    Stays(Role, u16),
    /// The other party accepted this party's offer: answer it.
    Accept(Role),
    /// The other party refused this party's offer.
    Refuse(Role, u16),
}

/// A route, and the parties whose remote description does not fit it any more.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Agreed {
    route: Route,
    stale: Vec<Role>,
}

/// The media path of two parties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MediaPath {
    route: Route,
    work: Work,
    /// How often a phone answered a direct offer with yet another address; bounded, or two of them could chase each
    /// other.
    moves: u8,
    /// How often direct media met an offer of a phone's own (491).
    glares: u8,
    wants_direct: bool,
    /// What will hold when the forwarded offer is accepted; once it is, what held before it.
    other: Agreed,
    /// Which version of the caller's media the callee was offered last.
    offered_version: u32,
    /// Parties whose remote SDP is stale and must be re-INVITEd back to the relay, one after the other, as soon as
    /// nothing is under way.
    stale: Vec<Role>,
    refusal: Option<(Role, u16)>,
    /// The two were joined, and are being brought to the relay.
    is_joining: bool,
}

/// A phone may change its address this often while direct media is set up.
const MAX_MOVES: u8 = 2;
/// Direct media is begun again this often after a phone was busy with an offer of its own.
const MAX_GLARES: u8 = 3;

impl MediaPath {
    /// Through the relay; `direct`: both lines want direct media; `offered_version`: which version of the caller's
    /// media the callee was offered when it was called.
    pub fn new(direct: bool, offered_version: u32) -> MediaPath {
        let mut path = MediaPath {
            route: Route::Relay,
            work: Work::None,
            moves: 0,
            glares: 0,
            wants_direct: direct,
            other: Agreed { route: Route::Relay, stale: Vec::new() },
            offered_version,
            stale: Vec::new(),
            refusal: None,
            is_joining: false,
        };
        path.rest();
        path
    }

    /// The path of two that were joined while their calls go on: each is offered the other's media anew, and brought
    /// back to the relay first where its media was direct. `version`: which version of its media the first has.
    pub fn rejoined(was_direct: bool, version: u32) -> MediaPath {
        let mut path = MediaPath::new(false, version.wrapping_sub(1));
        if was_direct {
            path.stale = vec![Role::Caller, Role::Callee];
        }
        path.rest();
        path
    }

    /// The path of two that were joined, each out of another call: both are brought to the relay first, one after the
    /// other. `direct`: both lines want direct media; `version`: which version of its media the first has.
    pub fn joined(direct: bool, version: u32) -> MediaPath {
        let mut path = MediaPath::new(direct, version);
        path.stale = vec![Role::Caller, Role::Callee];
        path.is_joining = true;
        path.rest();
        path
    }

    /// The caller is to be offered the callee's media anew: that changed before they were bridged.
    pub fn informs_caller(&mut self) {
        self.stale.push(Role::Caller);
        self.rest();
    }

    /// Are two that were joined still on their way to the relay?
    pub fn is_joining(&self) -> bool {
        self.is_joining
    }

    /// Where the media goes now.
    pub fn route(&self) -> Route {
        self.route
    }

    /// What was under way is done: direct media, if it is still wanted, waits for both legs to settle.
    fn rest(&mut self) {
        let settling = (self.wants_direct || !self.stale.is_empty()) && self.route == Route::Relay;
        self.work = if settling { Work::Settling } else { Work::None };
    }

    /// Both legs are settled (answered, acknowledged, nothing pending). `version`: how often the caller has changed its
    /// media; `voice_alone`: they carry nothing else, which could not go directly.
    pub fn settled(&mut self, version: u32, voice_alone: bool) -> Step {
        let is_idle = matches!(self.work, Work::None | Work::Settling);
        if self.work == Work::Settling && !self.stale.is_empty() {
            let role = self.stale.remove(0);
            self.work = Work::Restoring(role);
            return Step::Relay(role);
        }
        if self.work == Work::Settling && self.wants_direct && voice_alone {
            self.work = Work::Directing(Role::Callee);
            return Step::Direct(Role::Callee);
        }
        if is_idle && self.route == Route::Relay && self.offered_version != version {
            self.work = Work::Informing;
            return Step::Relay(Role::Callee);
        }
        Step::Rest
    }

    /// The callee is offered this version of the caller's media now.
    pub fn offers(&mut self, version: u32) {
        self.offered_version = version;
    }

    /// The caller's media changed from one version to another, and the callee is not told: it hears music on hold, say. What it
    /// should have been told before, it still is.
    pub fn conceals(&mut self, before: u32, version: u32) {
        if self.offered_version == before {
            self.offered_version = version;
        }
    }

    /// A party accepted our offer. `moved`: its address is not the one the other party has.
    pub fn accepted(&mut self, role: Role, moved: bool) -> Step {
        match self.work {
            Work::Directing(asked) if asked == role => self.directed(role, moved),
            Work::Restoring(asked) if asked == role => self.restored(),
            Work::Forwarding(from) if from == role.other() => self.forwarded(from),
            Work::Informing if role == Role::Callee => self.updated(),
            Work::Reverting(asked) if asked == role => self.updated(),
            Work::None
            | Work::Settling
            | Work::Informing
            | Work::Directing(_)
            | Work::Restoring(_)
            | Work::Preparing(_)
            | Work::Forwarding(_)
            | Work::Reverting(_) => Step::Rest,
        }
    }

    /// A party refused our offer; what it had agreed to before stands (RFC 3261 14.1).
    pub fn refused(&mut self, role: Role, status: u16) -> Step {
        match self.work {
            Work::Directing(asked) if asked == role => self.not_directed(role, status),
            Work::Restoring(asked) if asked == role => self.not_restored(role, status),
            Work::Forwarding(from) if from == role.other() => {
                self.rest();
                Step::Refuse(from, status)
            }
            Work::Informing if role == Role::Callee => {
                // Not now: it has an offer of its own under way, which goes first.
                if self.may_try_again(status) {
                    self.offered_version = self.offered_version.wrapping_sub(1);
                }
                self.rest();
                Step::Rest
            }
            Work::Reverting(asked) if asked == role => {
                if self.route == Route::Relay && self.may_try_again(status) {
                    self.stale.insert(0, role);
                }
                self.rest();
                Step::Rest
            }
            Work::None
            | Work::Settling
            | Work::Informing
            | Work::Directing(_)
            | Work::Restoring(_)
            | Work::Preparing(_)
            | Work::Forwarding(_)
            | Work::Reverting(_) => Step::Rest,
        }
    }

    // ---- what follows, by what was under way ----

    /// Directing, accepted: the callee first, then the caller with the address that the callee answered.
    fn directed(&mut self, role: Role, moved: bool) -> Step {
        if role == Role::Callee && self.route == Route::Relay {
            self.work = Work::Directing(Role::Caller);
            return Step::Direct(Role::Caller);
        }
        self.route = Route::Direct;
        if moved && self.moves < MAX_MOVES {
            self.moves = self.moves.saturating_add(1);
            self.work = Work::Directing(role.other());
            return Step::Direct(role.other());
        }
        if moved {
            return self.give_up_chase(role);
        }
        self.work = Work::None;
        Step::IsDirect
    }

    /// Directing, refused.
    fn not_directed(&mut self, role: Role, status: u16) -> Step {
        if role == Role::Callee && self.route == Route::Relay {
            return self.stay(role, status);
        }
        // The other party already sends to this one directly: restore it. And this one after it, if it had the direct
        // address.
        self.stale = Some(role).filter(|_| self.route == Route::Direct).into_iter().collect();
        self.refusal = Some((role, status));
        self.work = Work::Restoring(role.other());
        Step::Relay(role.other())
    }

    /// Restoring, accepted.
    fn restored(&mut self) -> Step {
        match self.refusal.take() {
            Some((by, status)) => self.stay(by, status),
            // The second one: the reason was reported with the first.
            None => self.updated(),
        }
    }

    /// Restoring, refused.
    fn not_restored(&mut self, role: Role, status: u16) -> Step {
        if self.may_try_again(status) {
            self.route = Route::Relay;
            self.stale.insert(0, role);
            self.rest();
            return Step::Rest;
        }
        match self.refusal.take() {
            Some((by, status)) => self.stay(by, status),
            // It was restored for something else than refused direct media.
            None => {
                self.route = Route::Relay;
                self.updated()
            }
        }
    }

    /// Forwarding, accepted: both have a new description of each other.
    fn forwarded(&mut self, from: Role) -> Step {
        let before = Agreed { route: self.route, stale: std::mem::take(&mut self.stale) };
        let now = std::mem::replace(&mut self.other, before);
        (self.route, self.stale) = (now.route, now.stale);
        self.rest();
        Step::Accept(from)
    }

    fn updated(&mut self) -> Step {
        self.is_joining &= !self.stale.is_empty();
        self.rest();
        Step::Updated
    }

    /// RFC 3261 14.1: 491 only says "not now". Counted, so that it comes to an end.
    fn may_try_again(&mut self, status: u16) -> bool {
        let may = status == 491 && self.glares < MAX_GLARES;
        if may {
            self.glares = self.glares.saturating_add(1);
        }
        may
    }

    /// Both answer from new addresses for ever: both are restored to the relay, which follows each by itself.
    fn give_up_chase(&mut self, role: Role) -> Step {
        self.wants_direct = false;
        self.route = Route::Relay;
        self.stale = vec![role];
        self.work = Work::Restoring(role.other());
        Step::Chased(role.other())
    }

    /// The media stays on the relay for the rest of the call; but after a 491 until the legs have settled.
    fn stay(&mut self, by: Role, status: u16) -> Step {
        self.route = Route::Relay;
        if self.may_try_again(status) {
            self.rest();
            return Step::Rest;
        }
        self.wants_direct = false;
        self.rest();
        Step::Stays(by, status)
    }

    // ---- what parties do by themselves ----

    /// A party gave a new address by itself (in the ACK of an offerless re-INVITE): must the other get an offer?
    pub fn moved(&mut self, role: Role) -> Step {
        match (self.route, self.work) {
            (Route::Direct, Work::None) => {
                self.work = Work::Directing(role.other());
                Step::Direct(role.other())
            }
            (Route::Direct | Route::Relay, _) => Step::Rest,
        }
    }

    /// A party makes a new offer: may it be forwarded to the other now? Otherwise it is asked to come again (491).
    pub fn may_forward(&mut self, role: Role) -> bool {
        let may = matches!(self.work, Work::None | Work::Settling);
        if may {
            self.work = Work::Preparing(role);
        }
        may
    }

    /// May a party's new offer be answered by the exchange alone? Not where the other sends to its address itself, or
    /// is being told of it.
    pub fn may_absorb(&self) -> bool {
        self.route == Route::Relay && matches!(self.work, Work::None | Work::Settling)
    }

    /// The party whose new offer waits to be forwarded.
    pub fn preparing(&self) -> Option<Role> {
        if let Work::Preparing(role) = self.work { Some(role) } else { None }
    }

    /// A party's new offer is forwarded to the other, with media that way from then on if it is accepted.
    pub fn forwards(&mut self, role: Role, by: Route) {
        self.work = Work::Forwarding(role);
        self.other = Agreed { route: by, stale: Vec::new() };
    }

    /// An offer could not even be made to the other party.
    pub fn not_forwarded(&mut self) {
        self.rest();
    }

    /// A party accepted a forwarded offer in a way that is of no use to the one that made it: it is offered again what
    /// holds.
    pub fn revert(&mut self, role: Role) {
        let held = std::mem::replace(&mut self.other, Agreed { route: Route::Relay, stale: Vec::new() });
        (self.route, self.stale) = (held.route, held.stale);
        self.stale.retain(|stale| *stale != role);
        self.work = Work::Reverting(role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(direct: bool) -> MediaPath {
        MediaPath::new(direct, 0)
    }

    #[test]
    fn two_that_are_joined_come_to_the_relay_one_after_the_other_and_then_go_direct() {
        let mut path = MediaPath::joined(true, 3);
        assert!(path.is_joining());
        assert_eq!(path.settled(3, true), Step::Relay(Role::Caller));
        assert_eq!(path.accepted(Role::Caller, false), Step::Updated);
        assert!(path.is_joining(), "the other is still to come");
        assert_eq!(path.settled(3, true), Step::Relay(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Updated);
        assert!(!path.is_joining());
        assert_eq!(path.settled(3, true), Step::Direct(Role::Callee));
        let mut path = MediaPath::joined(false, 3);
        path.settled(3, true);
        assert_eq!(path.refused(Role::Caller, 488), Step::Updated, "what it has stands");
        path.settled(3, true);
        path.accepted(Role::Callee, false);
        assert_eq!(path.settled(3, true), Step::Rest, "and nobody is told anything more");
    }

    #[test]
    fn a_callee_is_told_once_what_changed_while_it_rang() {
        let mut path = path(false);
        assert_eq!(path.settled(1, true), Step::Relay(Role::Callee));
        path.offers(1);
        assert!(!path.may_forward(Role::Caller), "one after the other");
        assert_eq!(path.refused(Role::Callee, 491), Step::Rest);
        assert_eq!(path.settled(1, true), Step::Relay(Role::Callee));
        path.offers(1);
        assert_eq!(path.accepted(Role::Callee, false), Step::Updated);
        assert_eq!((path.settled(1, true), path.work), (Step::Rest, Work::None));
        assert_eq!(path.settled(2, true), Step::Relay(Role::Callee), "and again, when it changes again");
    }

    #[test]
    fn a_callee_that_will_not_hear_what_changed_is_left_alone() {
        let mut refusing = path(false);
        refusing.settled(1, true);
        refusing.offers(1);
        assert_eq!(refusing.refused(Role::Callee, 488), Step::Rest);
        assert_eq!(refusing.settled(1, true), Step::Rest);
        // Direct media offers it the same, so nothing else is offered.
        let mut direct = path(true);
        assert_eq!(direct.settled(1, true), Step::Direct(Role::Callee));
        direct.offers(1);
        direct.accepted(Role::Callee, false);
        assert_eq!(direct.accepted(Role::Caller, false), Step::IsDirect);
        assert_eq!(direct.settled(1, true), Step::Rest);
    }

    #[test]
    fn two_that_are_joined_in_mid_call_are_offered_each_others_media() {
        let mut relayed = MediaPath::rejoined(false, 3);
        assert_eq!(relayed.settled(3, true), Step::Relay(Role::Callee));
        relayed.offers(3);
        assert_eq!(relayed.accepted(Role::Callee, false), Step::Updated);
        assert_eq!(relayed.settled(3, true), Step::Rest);
        // Each still sends to a telephone it talks to no more.
        let mut direct = MediaPath::rejoined(true, 0);
        for role in [Role::Caller, Role::Callee] {
            assert_eq!(direct.settled(0, true), Step::Relay(role));
            assert_eq!(direct.accepted(role, false), Step::Updated);
        }
    }

    #[test]
    fn both_are_offered_it_one_after_the_other() {
        let mut path = path(true);
        assert_eq!(path.settled(0, true), Step::Direct(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Direct(Role::Caller));
        assert_eq!(path.accepted(Role::Caller, false), Step::IsDirect);
        assert_eq!((path.route, path.work), (Route::Direct, Work::None));
    }

    #[test]
    fn a_callee_that_refuses_leaves_everything_as_it_was() {
        let mut path = path(true);
        path.settled(0, true);
        assert_eq!(path.refused(Role::Callee, 488), Step::Stays(Role::Callee, 488));
        assert_eq!((path.route, path.work), (Route::Relay, Work::None));
    }

    #[test]
    fn a_caller_that_refuses_sends_the_callee_back_to_the_relay() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        assert_eq!(path.refused(Role::Caller, 488), Step::Relay(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Stays(Role::Caller, 488));
        assert_eq!((path.route, path.work), (Route::Relay, Work::None));
    }

    #[test]
    fn a_callee_too_busy_to_be_led_back_is_led_back_later_but_not_for_ever() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        assert_eq!(path.refused(Role::Caller, 488), Step::Relay(Role::Callee));
        for _ in 0..3 {
            assert_eq!(path.refused(Role::Callee, 491), Step::Rest);
            assert_eq!(path.settled(0, true), Step::Relay(Role::Callee));
        }
        assert_eq!(path.refused(Role::Callee, 491), Step::Stays(Role::Caller, 488));
        assert_eq!(path.settled(0, true), Step::Rest);
    }

    #[test]
    fn both_are_led_back_when_one_refuses_where_the_other_moved() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        assert_eq!(path.accepted(Role::Caller, false), Step::IsDirect);
        assert_eq!(path.moved(Role::Callee), Step::Direct(Role::Caller));
        assert_eq!(path.refused(Role::Caller, 488), Step::Relay(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Stays(Role::Caller, 488));
        assert_eq!(path.settled(0, true), Step::Relay(Role::Caller));
        assert_eq!(path.accepted(Role::Caller, false), Step::Updated);
        assert_eq!((path.settled(0, true), path.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn both_are_led_back_also_when_the_first_is_too_busy() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        path.accepted(Role::Caller, false);
        assert_eq!(path.moved(Role::Callee), Step::Direct(Role::Caller));
        assert_eq!(path.refused(Role::Caller, 488), Step::Relay(Role::Callee));
        assert_eq!(path.refused(Role::Callee, 491), Step::Rest);
        assert_eq!(path.settled(0, true), Step::Relay(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Stays(Role::Caller, 488));
        assert_eq!(path.settled(0, true), Step::Relay(Role::Caller), "it sends past the exchange still");
        assert_eq!(path.accepted(Role::Caller, false), Step::Updated);
        assert_eq!((path.settled(0, true), path.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn a_new_port_in_the_answer_is_told_to_the_other_but_not_for_ever() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        assert_eq!(path.accepted(Role::Caller, true), Step::Direct(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, true), Step::Direct(Role::Caller));
        assert_eq!(path.accepted(Role::Caller, true), Step::Chased(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, true), Step::Updated);
        assert_eq!(path.settled(0, true), Step::Relay(Role::Caller));
        assert_eq!(path.accepted(Role::Caller, true), Step::Updated);
        assert_eq!((path.settled(0, true), path.route), (Step::Rest, Route::Relay));
    }

    #[test]
    fn a_phone_busy_with_its_own_offer_is_asked_again_but_not_for_ever() {
        let mut path = path(true);
        for _ in 0..3 {
            assert_eq!(path.settled(0, true), Step::Direct(Role::Callee));
            assert_eq!(path.refused(Role::Callee, 491), Step::Rest);
            assert!(path.may_forward(Role::Callee), "its own offer goes first");
            path.forwards(Role::Callee, Route::Relay);
            assert_eq!(path.accepted(Role::Caller, false), Step::Accept(Role::Callee));
        }
        assert_eq!(path.settled(0, true), Step::Direct(Role::Callee));
        assert_eq!(path.refused(Role::Callee, 491), Step::Stays(Role::Callee, 491));
        assert_eq!(path.settled(0, true), Step::Rest);
    }

    #[test]
    fn an_offer_is_carried_and_its_answer_brought_back() {
        let mut path = path(false);
        assert!(path.may_forward(Role::Caller));
        assert!(!path.may_forward(Role::Callee));
        assert_eq!(path.accepted(Role::Callee, false), Step::Rest, "it was asked nothing yet");
        assert_eq!(path.preparing(), Some(Role::Caller));
        path.forwards(Role::Caller, Route::Relay);
        assert_eq!(path.preparing(), None);
        assert_eq!(path.accepted(Role::Callee, false), Step::Accept(Role::Caller));
        assert!(path.may_forward(Role::Callee));
        path.forwards(Role::Callee, Route::Relay);
        assert_eq!(path.refused(Role::Caller, 488), Step::Refuse(Role::Callee, 488));
    }

    #[test]
    fn an_offer_while_direct_media_is_set_up_has_to_come_again() {
        let mut path = path(true);
        path.settled(0, true);
        assert!(!path.may_forward(Role::Caller));
    }

    /// Fax by T.38 goes through the exchange, also in a call whose voice goes directly; and voice directly again
    /// afterwards.
    #[test]
    fn an_offer_may_bring_media_back_to_the_relay() {
        let mut path = path(true);
        path.settled(0, true);
        path.accepted(Role::Callee, false);
        path.accepted(Role::Caller, false);
        assert!(path.may_forward(Role::Callee));
        path.forwards(Role::Callee, Route::Relay);
        assert_eq!(path.refused(Role::Caller, 488), Step::Refuse(Role::Callee, 488));
        assert_eq!(path.route, Route::Direct, "refused: all as it was");
        assert!(path.may_forward(Role::Callee));
        path.forwards(Role::Callee, Route::Relay);
        assert_eq!(path.accepted(Role::Caller, false), Step::Accept(Role::Callee));
        assert_eq!((path.route, path.work), (Route::Relay, Work::Settling));
    }

    #[test]
    fn who_answered_to_no_use_is_led_back() {
        let mut path = path(false);
        path.may_forward(Role::Caller);
        path.forwards(Role::Caller, Route::Relay);
        path.accepted(Role::Callee, false);
        path.revert(Role::Callee);
        assert!(!path.may_forward(Role::Caller), "not now");
        assert_eq!(path.accepted(Role::Callee, true), Step::Updated);
        assert_eq!(path.work, Work::None);
        let mut path = MediaPath { route: Route::Direct, work: Work::None, ..self::path(true) };
        path.may_forward(Role::Caller);
        path.forwards(Role::Caller, Route::Relay);
        path.accepted(Role::Callee, false);
        path.revert(Role::Callee);
        assert_eq!(path.route, Route::Direct, "what holds is what was");
        assert_eq!(path.refused(Role::Callee, 488), Step::Rest);
        assert_eq!((path.route, path.work), (Route::Direct, Work::None));
    }

    #[test]
    fn who_was_busy_when_led_back_from_a_useless_answer_is_led_back_later_but_not_for_ever() {
        let mut path = path(false);
        path.may_forward(Role::Caller);
        path.forwards(Role::Caller, Route::Relay);
        path.accepted(Role::Callee, false);
        path.revert(Role::Callee);
        for _ in 0..3 {
            assert_eq!(path.refused(Role::Callee, 491), Step::Rest);
            assert_eq!(path.settled(0, true), Step::Relay(Role::Callee));
        }
        assert_eq!(path.refused(Role::Callee, 491), Step::Updated);
        assert_eq!((path.settled(0, true), path.work), (Step::Rest, Work::None));
    }

    /// The other one was to be led back to the relay, and its offer comes to nothing: it still is.
    #[test]
    fn a_useless_answer_leaves_who_was_stale_stale() {
        let stale = || MediaPath { stale: vec![Role::Caller], work: Work::Settling, ..path(false) };
        let mut useless = stale();
        useless.may_forward(Role::Caller);
        useless.forwards(Role::Caller, Route::Relay);
        useless.accepted(Role::Callee, false);
        useless.revert(Role::Callee);
        assert_eq!(useless.accepted(Role::Callee, false), Step::Updated);
        assert_eq!(useless.settled(0, true), Step::Relay(Role::Caller));
        // One that is of use tells it where media go.
        let mut agreed = stale();
        agreed.may_forward(Role::Caller);
        agreed.forwards(Role::Caller, Route::Relay);
        assert_eq!(agreed.accepted(Role::Callee, false), Step::Accept(Role::Caller));
        assert_eq!((agreed.settled(0, true), agreed.work), (Step::Rest, Work::None));
    }

    /// Video stays on the relay; but the callee is offered what the caller changed, all the same.
    #[test]
    fn more_than_voice_waits_with_going_direct_and_with_nothing_else() {
        let mut path = path(true);
        assert_eq!(path.settled(0, false), Step::Rest);
        assert_eq!(path.settled(1, false), Step::Relay(Role::Callee));
        path.offers(1);
        assert_eq!(path.accepted(Role::Callee, false), Step::Updated);
        assert_eq!(path.settled(1, false), Step::Rest);
        assert_eq!(path.settled(1, true), Step::Direct(Role::Callee), "the video is over");
    }
}

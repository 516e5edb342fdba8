//! What keeps keys from being heard, said once a call: a program waits for them and no telephone can send them, or two
//! lines are connected of which one does not take what the other sends.

use super::digit_form::{self, Seen};
use super::party::Party;
use crate::config::peer::DtmfMode;
use crate::event::CallEvent;
use crate::pbx::core::Core;
use crate::pbx::failure::FailureReason;

/// A program begins to wait for a digit of this party. `dtmfmode=rfc2833` expects telephone events (RFC 4733); a
/// telephone that did not describe any presses tones, for which nobody listens.
pub(super) fn awaited(party: &mut Party<'_>, core: &mut Core) {
    let seen = party.seen();
    let is_described = seen.1.agreement.agreed().is_some();
    let is_deaf = digit_form::mode(seen) == DtmfMode::Rfc2833 && digit_form::incoming_events(seen).is_none();
    if is_described && is_deaf && !seen.0.has_modem() {
        let peer = &seen.1.peer;
        let reason = FailureReason::KeysUnheard.with(&[&peer.name, &peer.section()]).text;
        say(party, reason, core);
    }
}

/// Two parties are connected: keys that `from` sends as telephone events pass to `to` as they are, and its telephone did
/// not say that it takes any.
pub(super) fn connected(from: &mut Party<'_>, to: Seen<'_>, core: &mut Core) {
    let seen = from.seen();
    let passes = digit_form::incoming_events(seen).is_some() && digit_form::converted(seen, to).is_none();
    let takes = digit_form::outgoing_events(to).is_some() || digit_form::mode(to) != DtmfMode::Rfc2833;
    if passes && !takes && !seen.0.has_modem() && !to.0.has_modem() {
        let (line, other) = (&seen.1.peer.name, &to.1.peer);
        let reason = FailureReason::KeysLost.with(&[line, &other.name, &other.section()]).text;
        say(from, reason, core);
    }
}

fn say(party: &mut Party<'_>, reason: String, core: &mut Core) {
    if !std::mem::replace(&mut party.channel.digit_fault_logged, true) {
        core.emit(CallEvent::DigitFault { channel: party.channel.name.clone(), reason });
    }
}

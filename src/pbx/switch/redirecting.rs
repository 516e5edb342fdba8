//! A called line sends the call elsewhere (3xx, RFC 3261 8.1.3.4).

use super::Switch;
use super::dialling::place;
use crate::dialplan::ChannelId;
use crate::pbx::cause;
use crate::pbx::leg::Refusal;
use crate::sip::dialog::plain;
use crate::sip::{Flow, Uri};

/// Most places that the redirections of one Dial lead to: phones that send a call round and round come to an end.
const MOST: usize = 5;

impl Switch {
    /// Calls the places that a line names instead of itself, all at once as a Dial does, in the name of that line. None is tried twice
    /// in one Dial, and none that is a name or the exchange itself.
    pub(super) fn line_redirected(
        &mut self,
        caller: ChannelId,
        id: ChannelId,
        (status, words): (u16, String),
        places: &[Uri],
    ) {
        let Some(channel) = self.channels.get(&id) else { return };
        let (peer, name) = (channel.peer.clone(), channel.name.clone());
        let Some(flow) = self.leg_of_channel(id).map(|leg| leg.flow) else { return };
        let mut followed = Vec::new();
        for uri in places {
            let Some(to) = self.core.routing.to(uri, Flow { connection: None, ..flow }, &peer.settings) else {
                continue;
            };
            let target = plain(uri).to_string();
            let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) else { return };
            if dial.redirections.len() < MOST && !dial.redirections.contains(&target) {
                dial.redirections.push(target.clone());
                followed.push(place(&peer, to, false, target, false));
            }
        }
        if followed.is_empty() {
            return self.line_failed(caller, id, Refusal::Status(status, words));
        }
        self.hang_up_leg(id, cause::NORMAL);
        self.forget_channel(id);
        if let Some(dial) = self.channels.get_mut(&caller).and_then(|channel| channel.dial_mut()) {
            dial.drop_branch(id);
        }
        for found in followed {
            self.core.out.verbose(3, format!("{name} sends the call on to {} ({status} {words})", found.target()));
            self.open_branch(caller, &format!("SIP/{}", peer.name), found);
        }
    }
}

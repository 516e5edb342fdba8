//! A leg's request that was asked for a password is sent again.

use super::Calls;
use super::leg::{LegId, number_again as of_leg};
use crate::pbx::core::Core;
use crate::sip::message::Request;
use crate::sip::transaction::ClientId;

/// The CSeq number under which a leg's refused request is to be sent again, `next` being the one after its own; none: its
/// answer is not wanted any more.
pub fn number_again(
    calls: &mut Calls,
    (leg, id): (LegId, ClientId),
    (request, next): (&Request, u32),
    core: &mut Core,
) -> Option<u32> {
    calls.parties.with_leg(leg, core, |leg, cx| of_leg(leg, id, request, next, cx)).flatten()
}

//! `rtp ...`: packets shown as they come and go.

use super::{Answer, sip};
use crate::observe::control_api::{ControlApi, RtpDebug};

pub(super) fn debug_on(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    if !arguments.is_empty() {
        return Answer::Usage;
    }
    exchange.set_rtp_debug(RtpDebug::On);
    Answer::Done("RTP Packet Debugging Enabled\n".to_owned())
}

pub(super) fn debug_off(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    if !arguments.is_empty() {
        return Answer::Usage;
    }
    exchange.set_rtp_debug(RtpDebug::Off);
    Answer::Done("RTP Packet Debugging Disabled\n".to_owned())
}

pub(super) fn debug_ip(arguments: &[String], exchange: &mut dyn ControlApi) -> Answer {
    let [text] = arguments else { return Answer::Usage };
    let (ip, port) = match sip::address(text) {
        Ok(address) => address,
        Err(why) => return Answer::Failed(why),
    };
    exchange.set_rtp_debug(RtpDebug::Address(ip, port));
    Answer::Done(format!("RTP Packet Debugging Enabled for address: {}\n", sip::shown(ip, port)))
}

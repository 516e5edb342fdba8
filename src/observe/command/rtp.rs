//! `rtp ...`: packets shown as they come and go.

use super::reply::Reply;
use super::sip_text::{address, shown};
use crate::observe::control_api::{ControlApi, RtpDebug};

pub(super) fn debug_on(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.set_rtp_debug(RtpDebug::On);
    Reply::Done("RTP Packet Debugging Enabled\n".to_owned())
}

pub(super) fn debug_off(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    if !arguments.is_empty() {
        return Reply::Usage;
    }
    exchange.set_rtp_debug(RtpDebug::Off);
    Reply::Done("RTP Packet Debugging Disabled\n".to_owned())
}

pub(super) fn debug_ip(arguments: &[String], exchange: &mut dyn ControlApi) -> Reply {
    let [text] = arguments else { return Reply::Usage };
    let (ip, port) = match address(text) {
        Ok(address) => address,
        Err(why) => return Reply::Failed(why),
    };
    exchange.set_rtp_debug(RtpDebug::Address(ip, port));
    Reply::Done(format!("RTP Packet Debugging Enabled for address: {}\n", shown(ip, port)))
}

//! The accounts and the dialplan of a script, and the numbers that its telephones know.

use super::script::{PHONES, Script};
use crate::testbed::AND_FEATURES;

/// What everybody may dial, and with `[default]` what all but the kitchen's Cisco may.
const INSIDE: &str = "[inside]\n\
    exten => 1,1,Dial(SIP/client,20)\n\
    exten => 2,1,Dial(SIP/isp,20)\n\
    exten => 3,1,Dial(SIP/desk,20)\n\
    exten => 4,1,Dial(SIP/cisco,20)\n\
    exten => 5,1,Dial(SIP/isp&SIP/desk,15)\n\
    exten => 6,1,Dial(SIP/desk&SIP/cisco&SIP/client,8)\nexten => 6,2,Dial(SIP/isp,10)\n\
    exten => 7,1,Answer()\nexten => 7,2,Echo()\n\
    exten => 8,1,Answer()\nexten => 8,2,Playback(beep)\nexten => 8,3,Dial(SIP/isp,20,g)\nexten => 8,4,Dial(SIP/desk,20)\n\
    exten => 10,1,Dial(Local/3@default&SIP/isp,15)\n\
    exten => 11,1,Dial(SIP/desk&SIP/cisco,15,U(screen)cg)\nexten => 11,2,Dial(Local/3@default,20,e)\n\
    exten => 12,1,Dial(SIP/desk,20,TtKkHhXxWw)\n\
    exten => 13,1,Dial(SIP/cisco,20,TtKkHhg)\nexten => 13,2,Playback(beep)\n\
    exten => 20,1,Goto(menu,s,1)\n\
    exten => 21,1,MixMonitor(${UNIQUEID}.wav)\nexten => 21,2,Dial(SIP/desk,20,gD(12))\nexten => 21,3,StopMixMonitor()\n\
    exten => 22,1,Answer()\nexten => 22,2,Record(greeting-${UNIQUEID}.wav,3,20)\nexten => 22,3,Playback(beep)\n\
    exten => 23,1,Read(got,beep,2,,2,4)\nexten => 23,2,SayDigits(${got}105)\nexten => 23,3,Dial(SIP/isp,15,A(silence/2))\n\
    exten => 24,1,Answer()\nexten => 24,2,Wait(1)\nexten => 24,3,Transfer(3@192.0.2.99)\nexten => 24,4,Playback(beep)\n\
    exten => 25,1,Transfer(SIP/2)\nexten => 25,2,Playback(beep)\n\
    exten => 26,1,Answer()\nexten => 26,2,SendText(Welcome)\nexten => 26,3,Dial(SIP/isp,15)\n\
    exten => 31,1,Set(DEVICE_STATE(Custom:night)=INUSE)\nexten => 31,2,Hangup()\n\
    exten => 32,1,Set(DEVICE_STATE(Custom:night)=NOT_INUSE)\nexten => 32,2,Hangup()\n\
    exten => 70,1,Park(,st(15)c(default^23^1))\n\
    exten => 71,1,ParkedCall()\n\
    exten => 30,1,PickupChan(SIP/client&SIP/isp&SIP/desk&SIP/cisco)\nexten => 30,2,Hangup()\n\
    exten => 601,hint,SIP/client\nexten => 602,hint,SIP/isp\nexten => 603,hint,SIP/desk\nexten => 604,hint,SIP/cisco\n\
    exten => 605,hint,SIP/isp&SIP/desk\nexten => 606,hint,Custom:night\n\
    exten => h,1,NoOp()\n";

/// What costs money, and what a provider's calls may reach.
const OUTSIDE: &str = "[default]\ninclude => inside\n\
    exten => 40,1,Dial(SIP/provider/4930123,20)\n\
    exten => 41,1,Dial(SIP/4930124@provider&SIP/desk,20,tg)\nexten => 41,2,Dial(SIP/isp,15)\n\
    [outside]\n\
    exten => 4930,1,Dial(SIP/client,20,t)\n\
    exten => 4931,1,Dial(SIP/desk&SIP/cisco,15)\n\
    exten => 4932,1,Goto(menu,s,1)\n";

const ROOMS: &str = "[menu]\nexten => s,1,Answer()\nexten => s,2,BackGround(silence/3&beep)\nexten => s,3,WaitExten(4)\n\
    exten => 5,1,Verbose(1,the menu leads)\nexten => 5,2,Dial(SIP/desk,15)\n\
    exten => 55,1,Playback(silence/2&digits/5)\nexten => 55,2,Goto(s,2)\nexten => 12,1,Dial(SIP/isp&SIP/cisco,15,m)\n\
    exten => i,1,Playback(beep)\nexten => i,2,Goto(s,2)\nexten => t,1,Playback(digits/1)\nexten => h,1,NoOp()\n\
    [screen]\nexten => s,1,Playback(beep)\nexten => s,2,Return()\n\
    [texts]\nexten => 911,1,MessageSend(sip:isp,${MESSAGE(from)})\nexten => _[cidn]!,1,MessageSend(sip:${EXTEN})\n";

const FEATURES: &str = "[general]\nfeaturedigittimeout=800\n[featuremap]\nblindxfer=#1\natxfer=#2\ndisconnect=**\n\
    parkcall=#7\nautomon=#8\nautomixmon=#9\n";

/// The dialplan, and the codes.
pub fn plan() -> String {
    format!("{INSIDE}{OUTSIDE}{ROOMS}{AND_FEATURES}{FEATURES}")
}

/// What can be dialled. The last is nobody's.
pub const NUMBERS: [&str; 18] =
    ["1", "2", "3", "4", "5", "6", "7", "8", "10", "11", "20", "21", "22", "23", "70", "71", "30", "9"];

/// What leads to the provider.
pub const TRUNK_NUMBERS: [&str; 2] = ["40", "41"];

/// Where a telephone's calls begin.
pub fn context_of(name: &str) -> &'static str {
    match name {
        "cisco" => "inside",
        "provider" => "outside",
        _ => "default",
    }
}

/// The accounts.
pub fn sip(script: &Script) -> String {
    let mut text = "[general]\ncontext=default\nudpbindaddr=192.0.2.1\n".to_owned();
    let trunk = script.trunk;
    if trunk.is_some_and(|trunk| trunk.registers) {
        text += "register => 4711:pass@sip.p.example/4930\n";
    }
    for (name, it) in PHONES.iter().zip(&script.traits) {
        let (direct, context) = (if it.direct { "yes" } else { "no" }, context_of(name));
        text += &format!(
            "[{name}]\ntype=friend\nhost=dynamic\nsecret=password\ncontext={context}\nnat=no\ndirectmedia={direct}\n"
        );
        if it.originate {
            text += "session-timers=originate\nsession-expires=90\n";
        }
        if it.may_show {
            text += "videosupport=yes\nt38pt_udptl=yes\n";
        }
        if it.qualify {
            text += "qualify=yes\n";
        }
        if script.asks_plan_for_texts {
            text += "outofcall_message_context=texts\n";
        }
        if *name == "desk" {
            text += "mailbox=100\nsubscribemwi=yes\n";
        }
    }
    if let Some(trunk) = trunk {
        text += "[provider]\ntype=peer\nhost=sip.p.example\ndefaultuser=4711\nremotesecret=pass\ninsecure=port,invite\n\
                 context=outside\ndirectmedia=no\n";
        text += if trunk.is_limited { "max_outgoing=1\n" } else { "" };
        text += if trunk.qualify { "qualify=yes\n" } else { "" };
        text += if trunk.is_quick { "timerb=2000\n" } else { "" };
    }
    text
}

//! Calls change hands: a channel goes on elsewhere, two calls become one, a telephone takes another's place.

use crate::helpers::{over, talk};
use crate::stories::stories;
use crate::testbed::{SIP, Testbed};
use std::sync::LazyLock;
use std::time::Duration;
use strowger::pbx::switch::orders::{NotDone, Order};
use strowger::sim::Change;

const PLAN: &str = "[default]\n\
    exten => 1,1,Set(__KEPT=yes)\n same => n,Dial(SIP/desk,20)\n\
    exten => 2,1,Dial(SIP/cisco,20)\n\
    exten => 3,1,Dial(SIP/isp,20)\n\
    exten => 4,1,Answer()\n same => n,Echo()\n\
    exten => 5,1,Verbose(1,${CALLERID(num)} is here: ${KEPT})\n same => n,Dial(SIP/isp,20)\n\
    exten => h,1,Verbose(1,over for ${CHANNEL(name)})\n";

/// Two telephones that want direct media.
static DIRECT: LazyLock<String> = LazyLock::new(|| SIP.replace("directmedia=no", "directmedia=yes"));

/// `client` may have both codecs, its partner one, the two others the other.
static CODECS: LazyLock<String> = LazyLock::new(|| {
    let allow = |sip: &str, line: &str, codecs: &str| {
        sip.replace(&format!("[{line}]\n"), &format!("[{line}]\ndisallow=all\nallow={codecs}\n"))
    };
    let sip = allow(&allow(SIP, "client", "ulaw,alaw"), "desk", "ulaw");
    allow(&allow(&sip, "isp", "alaw"), "cisco", "alaw")
});

stories! {
    a_caller_goes_on_elsewhere(SIP, PLAN);
    a_called_line_goes_on_elsewhere(SIP, PLAN);
    two_calls_become_one(SIP, PLAN);
    two_calls_on_hold_become_one(SIP, PLAN);
    two_direct_calls_become_one(DIRECT, PLAN);
    two_calls_in_two_codecs(CODECS, PLAN);
    two_callees_are_joined(SIP, PLAN);
    a_telephone_takes_the_place_of_one_in_an_application(SIP, PLAN);
    a_telephone_takes_the_place_of_one_whose_call_rings(SIP, PLAN);
    a_ringing_call_is_picked_up(SIP, PLAN);
    what_cannot_be_done_is_refused(SIP, PLAN);
}

fn redirect(world: &mut Testbed, line: &str, place: &str) {
    let channel = world.channel_of(line);
    world.orders(&Order::Redirect(channel, place.to_owned())).unwrap();
}

fn a_caller_goes_on_elsewhere(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    redirect(world, "client", "default,5,1");
    world.until(|w| w.is_called("isp") && !w.look("desk").has_call());
    assert!(world.has_line("client is here: yes"), "its variables stay its own");
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "isp", true);
    over(world, "isp");
}

fn a_called_line_goes_on_elsewhere(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    redirect(world, "desk", "5,1");
    world.until(|w| w.is_called("isp") && !w.look("client").has_call());
    assert!(world.has_line("desk is here: yes"), "it inherits what its caller left it");
    assert!(world.has_line("over for SIP/client-"));
    world.phone("isp").answers();
    world.until(|w| w.is_talking("isp"));
    world.run(Duration::from_secs(2));
    world.assert_agreed("desk", "isp", true);
    over(world, "desk");
}

fn join(world: &mut Testbed, a: &str, b: &str) {
    let (a, b) = (world.channel_of(a), world.channel_of(b));
    world.orders(&Order::Join(a, b)).unwrap();
}

fn two_calls_become_one(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    join(world, "client", "cisco");
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(3));
    world.assert_agreed("client", "cisco", true);
    for line in ["client", "cisco"] {
        let told = world.messages("exchange", line, &["INVITE sip:"]).len();
        assert!(told <= usize::from(line == "cisco") || !world.is_perfect(), "nothing has to be told to {line}");
    }
    over(world, "cisco");
}

fn two_calls_in_two_codecs(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    assert_eq!((world.look("client").payload_type(), world.look("cisco").payload_type()), (Some(0), Some(8)));
    let (desk, cisco) = (world.channel_of("desk"), world.channel_of("cisco"));
    let Err(NotDone::Refused(why)) = world.orders(&Order::Join(desk, cisco)) else { panic!("it has only ulaw") };
    assert!(why.contains("no codec in common"), "{why}");
    join(world, "client", "cisco");
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(8));
    assert_eq!((world.look("client").payload_type(), world.look("cisco").payload_type()), (Some(8), Some(8)));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn two_calls_on_hold_become_one(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    world.phone("desk").reoffers(Change::Hold);
    world.phone("isp").reoffers(Change::Hold);
    world.run(Duration::from_secs(3));
    join(world, "client", "cisco");
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(8));
    world.assert_agreed("client", "cisco", true);
    over(world, "client");
}

fn two_direct_calls_become_one(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    world.run(Duration::from_secs(5));
    join(world, "client", "cisco");
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(15));
    world.assert_agreed("client", "cisco", false);
    over(world, "client");
}

fn two_callees_are_joined(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    talk(world, "isp", "2", "cisco");
    join(world, "desk", "cisco");
    world.until(|w| !w.look("client").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(3));
    world.assert_agreed("desk", "cisco", true);
    over(world, "desk");
}

fn a_telephone_takes_the_place_of_one_in_an_application(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.phone("isp").dials("4");
    world.until(|w| w.is_talking("isp"));
    world.run(Duration::from_secs(1));
    let (from, into) = (world.channel_of("client"), world.channel_of("isp"));
    world.orders(&Order::TakePlace(from, into.clone())).unwrap();
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(5));
    assert!(world.is_talking("client"));
    assert_eq!(world.channels(), [into], "the program goes on where it was");
    let echo = world.media.streams.values().find(|it| matches!(it.doing, crate::media::Doing::Echo)).unwrap();
    assert_eq!(echo.remote.and_then(|remote| remote.rtp), Some(world.look("client").rtp()));
    assert_eq!(world.look("client").media(), Some(echo.rtp));
    over(world, "client");
}

fn a_telephone_takes_the_place_of_one_whose_call_rings(world: &mut Testbed) {
    talk(world, "client", "1", "desk");
    world.phone("isp").dials("2");
    world.until(|w| w.is_called("cisco"));
    world.run(Duration::from_secs(2));
    let (from, into) = (world.channel_of("client"), world.channel_of("isp"));
    world.orders(&Order::TakePlace(from, into)).unwrap();
    world.until(|w| !w.look("desk").has_call() && !w.look("isp").has_call());
    world.run(Duration::from_secs(2));
    assert!(world.is_called("cisco"), "it rings on");
    assert!(world.is_played_to("client"), "and the other hears that");
    world.phone("cisco").answers();
    world.until(|w| w.is_talking("cisco"));
    world.run(Duration::from_secs(4));
    world.assert_agreed("client", "cisco", true);
    over(world, "cisco");
}

fn a_ringing_call_is_picked_up(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    world.phone("isp").dials("4");
    world.until(|w| w.is_talking("isp"));
    let (ringing, by) = (world.channel_of("desk"), world.channel_of("isp"));
    world.orders(&Order::PickUp(ringing, by)).unwrap();
    world.until(|w| w.is_talking("client") && !w.look("desk").has_call());
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "isp", true);
    over(world, "client");
}

fn what_cannot_be_done_is_refused(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_called("desk"));
    let (client, desk) = (world.channel_of("client"), world.channel_of("desk"));
    let refused = |done: Result<(), NotDone>| matches!(done, Err(NotDone::Refused(_)));
    assert!(refused(world.orders(&Order::Redirect(desk.clone(), "default,5,1".into()))), "it rings");
    assert!(refused(world.orders(&Order::Redirect(client.clone(), "default,6,1".into()))), "there is no such place");
    assert!(refused(world.orders(&Order::Join(client.clone(), desk.clone()))));
    assert!(refused(world.orders(&Order::PickUp(desk, client.clone()))), "its own call");
    let unknown = world.orders(&Order::Join(client, "SIP/nobody-1".into()));
    assert_eq!(unknown, Err(NotDone::Unknown("SIP/nobody-1".into())));
    over(world, "client");
}

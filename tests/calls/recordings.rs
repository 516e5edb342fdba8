//! Recordings, as the dialplan asks for them.

use crate::stories::stories;
use crate::testbed::{SIP, Testbed, at};
use std::time::Duration;
use strowger::dialplan::outside::{OutsideReply, OutsideRequest};
use strowger::pbx::effect::Input;
use strowger::pbx::outside::{OutsideOrder, OutsideReport};
use strowger::pbx::recording::{RecordingEnd, Sides};

const MIX: &str = "[default]\nexten => _X!,1,MixMonitor(${EXTEN}.wav)\n same => n,Dial(SIP/isp,20)\n";
const RECORD: &str = "[default]\nexten => _X!,1,Record(greeting.wav,3,60)\n same => n,Verbose(1,it is ${RECORD_STATUS})\n\
    same => n,Wait(5)\n";
const ESCAPE: &str = "[globals]\nCALLS=/etc/calls\n[default]\nexten => _X!,1,Set(F=../../etc/x)\n same => n,MixMonitor(${F}.wav)\n\
    same => n,Set(F=/etc/cron.d/x)\n same => n,MixMonitor(${F}.wav)\n same => n,MixMonitor(x.gsm)\n same => n,MixMonitor(x.WAV)\n\
    same => n,Answer()\n same => n,Wait(1)\n";
const AFTERWARDS: &str =
    "[default]\nexten => _X!,1,Answer()\n same => n,MixMonitor(x.wav,mc,ls /tmp)\n same => n,Wait(2)\n";
const WITH_NAMES: &str = "[default]\nexten => 1,1,Answer()\n same => n,Set(TO=/srv)\n \
    same => n,MixMonitor(x.wav,,mv ^{MIXMONITOR_FILENAME} ^{TO}/^{EXTEN}.wav)\n same => n,Set(TO=/elsewhere)\n same => n,Wait(2)\n";

const RENAMED: &str = "[default]\nexten => _X!,1,ChangeMonitor(too-early)\n same => n,Monitor(wav,first)\n same => n,ChangeMonitor(second/of-${EXTEN})\n\
    same => n,ChangeMonitor(../away)\n same => n,Answer()\n same => n,Wait(2)\n";

stories! {
    a_recording_gets_another_name(SIP, RENAMED);
    a_call_is_recorded(SIP, MIX);
    a_recorded_call_stays_on_the_relay(direct(), MIX);
    a_modem_is_not_recorded(modem(), MIX);
    silence_ends_what_a_caller_says(SIP, RECORD);
    no_name_leads_out_of_the_folder(SIP, ESCAPE);
    a_command_is_run_when_the_recording_is_over(SIP, AFTERWARDS);
    the_names_in_a_command_are_those_of_when_the_recording_began(SIP, WITH_NAMES);
}

fn direct() -> String {
    SIP.replace("directmedia=no", "directmedia=yes")
}

fn modem() -> String {
    SIP.replace("[isp]\n", "[isp]\nline=modem\n")
}

fn a_call_is_recorded(world: &mut Testbed) {
    world.connect();
    let [(_, _, plan)] = world.media.recordings.as_slice() else { panic!("{:?}", world.media.recordings) };
    let file = &plan.files[0];
    assert_eq!((file.path.as_str(), file.sides), ("/state/recordings/88567682.wav", Sides::Both));
    world.run(Duration::from_secs(2));
    world.phone("isp").hangs_up();
    world.until_over();
    world.until(|w| w.media.recordings.is_empty());
}

fn a_recorded_call_stays_on_the_relay(world: &mut Testbed) {
    world.connect();
    world.run(Duration::from_secs(2));
    world.assert_agreed("client", "isp", true);
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_modem_is_not_recorded(world: &mut Testbed) {
    world.connect();
    world.until(|w| w.media.recordings.is_empty());
    assert!(world.has_line("the recording ends: 'isp' has a modem (line=modem)"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn a_recording_gets_another_name(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| w.is_talking("client"));
    let [(_, id, plan)] = world.media.recordings.as_slice() else { panic!("{:?}", world.media.recordings) };
    let paths: Vec<&str> = plan.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["/state/recordings/first-in.wav", "/state/recordings/first-out.wav"]);
    assert_eq!(world.media.renamed, [(*id, "/state/recordings/second/of-1".to_owned())]);
    assert!(world.has_line("ChangeMonitor: nothing is recorded"));
    assert!(world.has_line("would leave its folder ('..')"));
    world.until_over();
}

fn silence_ends_what_a_caller_says(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until(|w| !w.media.recordings.is_empty());
    let plan = world.media.recordings[0].2.clone();
    assert_eq!(plan.max, Some(Duration::from_secs(60)));
    assert_eq!(plan.until.map(|until| (until.noise, until.lasting)), Some((false, Duration::from_secs(3))));
    world.end_recordings(&RecordingEnd::Until);
    world.until(|w| w.has_line("it is SILENCE"));
    world.phone("client").hangs_up();
    world.until_over();
}

fn no_name_leads_out_of_the_folder(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until_over();
    assert!(world.media.recordings.is_empty());
    for why in [
        "would leave its folder ('..')",
        "is absolute, and the folder does not stand in the dialplan itself",
        "is of a format that is not written: use .wav, .ulaw, .alaw or .sln",
        "the file 'x.WAV' is of a format that is not written (gsm in a WAV file): use .wav",
    ] {
        assert!(world.has_line(why), "{why}");
    }
}

/// It needs nothing of the call, which is long over, and a refusal is said.
fn a_command_is_run_when_the_recording_is_over(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until_over();
    world.until(|w| !w.outside.is_empty());
    assert!(world.has_line("MixMonitor: the options 'mc' are without effect here"));
    let [OutsideOrder::Run { errand, channel, request: OutsideRequest::Command(command) }] = world.outside.as_slice()
    else {
        panic!("{:?}", world.outside)
    };
    assert_eq!((command.text.as_str(), command.wants_output), ("ls /tmp", false));
    let reply = OutsideReply::Refused("write system = true".to_owned());
    let report = OutsideReport { errand: *errand, channel: *channel, reply };
    world.outside.clear();
    let effects = world.switch.handle(at(world.now), Input::Outside(report));
    world.execute(effects);
    assert!(world.has_line("The command after a recording (MixMonitor) is refused: write system = true"));
}

fn the_names_in_a_command_are_those_of_when_the_recording_began(world: &mut Testbed) {
    world.phone("client").dials("1");
    world.until_over();
    world.until(|w| !w.outside.is_empty());
    let [OutsideOrder::Run { request: OutsideRequest::Command(command), .. }] = world.outside.as_slice() else {
        panic!("{:?}", world.outside)
    };
    assert_eq!(command.text, "mv /state/recordings/x.wav /srv/1.wav");
    world.outside.clear();
}

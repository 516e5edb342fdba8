//! Stories of prompts: what the exchange says is heard by other people's telephones, and recognised in what they
//! recorded; and a menu is walked through.

use std::path::{Path, PathBuf};
use std::time::Duration;

use strowger::audio::g711::{self, Law};

use crate::clients::{network, over};
use crate::exchange::{ALICE, Exchange, Wishes};
use crate::telephone::Client::{self, Baresip, Pjsua2};
use crate::telephone::{Order, Telephone, Way};
use crate::{skip, tone};

/// How alike a prompt and what was heard have to be: 1 is the same.
const ALIKE: f64 = 0.9;
/// No more alike than this is another prompt.
const UNLIKE: f64 = 0.7;
/// As much is laid over what was heard at once: half a second.
const BLOCK: usize = 4_000;
/// A telephone that evens out the network may leave out or repeat so much between two blocks.
const SLIP: usize = 800;
/// The first look is at every fourth sample.
const COARSE: usize = 4;
/// Where Debian's package has the human voice.
const DEBIAN: &str = "/usr/share/asterisk/sounds/en_US_f_Allison";

#[test]
fn baresip_hears_our_prompts() {
    hears_our_prompts(Baresip);
}

#[test]
fn pjsua2_hears_our_prompts() {
    hears_our_prompts(Pjsua2);
}

/// 630 says a sentence and a digit, and reads out a number. A second of silence follows, for baresip keeps the last packets back until others come.
fn hears_our_prompts(client: Client) {
    let Some(namespace) = network(&format!("{client:?} hears our prompts"), &[client]) else { return };
    let folder = format!("[sounds]\nfolder = \"{}\"\n", ours().display());
    let exchange = start(&format!("prompts-{client:?}"), &namespace.name, &folder);
    let names = ["demo-congrats", "digits/7", "digits/1", "digits/0", "digits/5"];
    let heard = call_and_hear(&exchange, client, "630", &names.map(|name| (name, our(name))));
    for other in ["vm-goodbye", "demo-thanks", "digits/9", "digits/3"] {
        let (_, alike) = find(&heard, &our(other), 0);
        assert!(alike < UNLIKE, "{other} was not said, and is recognised: {alike:.2}");
    }
    exchange.stop();
}

/// 631 says goodbye and a digit: in the human voice where that is installed, and not in ours.
#[test]
fn pjsua2_hears_debians_voice_before_ours() {
    let story = "pjsua2 hears Debian's voice";
    if !Path::new(DEBIAN).exists() && !skip(story, "asterisk-core-sounds-en-wav: not installed") {
        return;
    }
    let Some(namespace) = network(story, &[Pjsua2]) else { return };
    let exchange = start("prompts-debian", &namespace.name, "");
    let human = |name: &str| tone::read(&Path::new(DEBIAN).join(format!("{name}.wav"))).unwrap();
    let prompts = ["vm-goodbye", "digits/7"].map(|name| (name, human(name)));
    let heard = call_and_hear(&exchange, Pjsua2, "631", &prompts);
    for name in ["vm-goodbye", "digits/7"] {
        let (_, alike) = find(&heard, &our(name), 0);
        assert!(alike < UNLIKE, "{name} was said in our voice, too: {alike:.2}");
    }
    exchange.stop();
}

/// The digits cut the prompt off, each leads where it should, and what is said there is heard.
#[test]
fn pjsua2_is_led_through_a_menu() {
    let Some(namespace) = network("pjsua2 is led through a menu", &[Pjsua2]) else { return };
    let folder = format!("[sounds]\nfolder = \"{}\"\n", ours().display());
    let exchange = start("menu", &namespace.name, &folder);
    let mut telephone = Telephone::start(&exchange, Pjsua2, ALICE, Way::Udp);
    exchange.said("Registered SIP 'alice'");
    telephone.told(Order::Call("640"));
    exchange.said("the menu begins");
    let orders: [(Order<'_>, &str, Duration); 3] = [
        // By event, by INFO, and one that the menu has not.
        (Order::Press("1"), "the menu leads to 1", Duration::from_millis(1_500)),
        (Order::PressByInfo("2"), "the menu leads to 2", Duration::from_millis(3_500)),
        (Order::Press("9"), "the menu has no 9", Duration::from_millis(3_500)),
    ];
    for (order, words, pause) in orders {
        // In the middle of the prompt, of more than five seconds.
        std::thread::sleep(pause);
        assert!(!exchange.log().contains("the prompt is over"), "{}", exchange.log());
        telephone.told(order);
        exchange.said(words);
    }
    exchange.said("the menu is over");
    std::thread::sleep(Duration::from_millis(1_500));
    telephone.told(Order::HangUp);
    over(&exchange, &[&telephone]);
    let heard = telephone.recording();
    let congratulations = our("demo-congrats");
    let (begin, rest) = congratulations.split_at(BLOCK * 2);
    let (is_not_cut, is_cut) = (find(&heard, begin, 0).1, find(&heard, &rest[rest.len() - BLOCK * 2..], 0).1);
    assert!(is_not_cut > ALIKE && is_cut < UNLIKE, "it is not cut off: {is_not_cut:.2}, then {is_cut:.2}");
    let names = ["digits/1", "digits/2", "option-is-invalid"];
    in_order(&heard, &names.map(|name| (name, our(name)))).unwrap();
    telephone.quits();
    exchange.stop();
}

fn start(story: &str, namespace: &str, toml: &str) -> Exchange {
    let wishes =
        Wishes { address: Way::Udp.address(), namespace: Some(namespace), extensions: PLAN, toml, ..Wishes::default() };
    Exchange::start(story, &wishes)
}

const PLAN: &str = "exten => 630,1,Answer()\n\
    \x20same => n,Wait(1)\n\
    \x20same => n,Playback(demo-congrats&digits/7)\n\
    \x20same => n,SayDigits(105)\n\
    \x20same => n,Playback(silence/1)\n\
    \x20same => n,Verbose(1,all is said)\n\
    \x20same => n,Wait(9)\n\
    exten => 631,1,Answer()\n\
    \x20same => n,Wait(1)\n\
    \x20same => n,Playback(vm-goodbye&digits/7&silence/1)\n\
    \x20same => n,Verbose(1,all is said)\n\
    \x20same => n,Wait(9)\n\
    exten => 640,1,Answer()\n\
    \x20same => n,Goto(menu,s,1)\n\
    [menu]\n\
    exten => s,1,Verbose(1,the menu begins)\n\
    \x20same => n(again),BackGround(demo-congrats)\n\
    \x20same => n,Verbose(1,the prompt is over)\n\
    \x20same => n,WaitExten(9)\n\
    exten => 1,1,Verbose(1,the menu leads to 1)\n\
    \x20same => n,Playback(digits/1)\n\
    \x20same => n,Goto(s,again)\n\
    exten => 2,1,Verbose(1,the menu leads to 2)\n\
    \x20same => n,Playback(digits/2)\n\
    \x20same => n,Goto(s,again)\n\
    exten => i,1,Verbose(1,the menu has no ${INVALID_EXTEN})\n\
    \x20same => n,Playback(option-is-invalid)\n\
    \x20same => n,Verbose(1,the menu is over)\n\
    \x20same => n,Wait(9)\n";

/// Calls a number that says something and then that all is said; what was heard.
fn call(exchange: &Exchange, client: Client, number: &str) -> Vec<f64> {
    let mut telephone = Telephone::start(exchange, client, ALICE, Way::Udp);
    exchange.said("Registered SIP 'alice'");
    let said = || exchange.log().matches("all is said").count();
    let before = said();
    telephone.told(Order::Call(number));
    assert!(crate::exchange::wait(Duration::from_secs(20), || said() > before), "{}", exchange.log());
    std::thread::sleep(Duration::from_millis(1_500));
    telephone.told(Order::HangUp);
    over(exchange, &[&telephone]);
    let heard = telephone.recording();
    telephone.quits();
    heard
}

fn ours() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sounds")
}

/// A prompt of our own.
fn our(name: &str) -> Vec<f64> {
    let bytes = std::fs::read(ours().join(format!("en/{name}.ulaw"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    g711::decode(&bytes, Law::Mu).into_iter().map(f64::from).collect()
}

/// Calls the number and hears these prompts, in order. On a busy machine a telephone drops or stretches what came late: it
/// calls three times before it is the exchange's fault.
fn call_and_hear(exchange: &Exchange, client: Client, number: &str, prompts: &[(&str, Vec<f64>)]) -> Vec<f64> {
    let mut missing = String::new();
    for _ in 0..3 {
        let heard = call(exchange, client, number);
        match in_order(&heard, prompts) {
            Ok(()) => return heard,
            Err(why) => missing = why,
        }
    }
    panic!("{missing}\n{}", exchange.log());
}

/// Is every prompt heard where the one before has ended, or later?
fn in_order(heard: &[f64], prompts: &[(&str, Vec<f64>)]) -> Result<(), String> {
    let mut from = 0;
    for (name, prompt) in prompts {
        let (at, alike) = find(heard, prompt, from);
        eprintln!("{name}: {alike:.3} at {:.2} s", at as f64 / 8_000.0);
        if alike <= ALIKE {
            return Err(format!("{name} is not recognised after {from} samples: {alike:.2}"));
        }
        // What telephones slip by.
        from = (at + prompt.len()).saturating_sub(SLIP);
    }
    Ok(())
}

/// Where a prompt is most likely heard from there on, and how alike they are.
fn find(heard: &[f64], prompt: &[f64], from: usize) -> (usize, f64) {
    let rest = heard.get(from..).unwrap_or_default();
    let (coarse, begin) = (fewer(rest), fewer(&prompt[..prompt.len().min(BLOCK)]));
    if coarse.len() <= begin.len() {
        return (from, 0.0);
    }
    let at = best(&coarse, &begin, 0..coarse.len() - begin.len() + 1).0 * COARSE;
    // What the first look has missed by, then the slips.
    let (mut start, mut around) = (at, 2 * COARSE);
    let (mut first, mut alike, mut weight) = (None, 0.0, 0.0);
    for block in prompt.chunks(BLOCK) {
        let range = start.saturating_sub(around)..(start + around).min((rest.len() + 1).saturating_sub(block.len()));
        let (place, likeness) = best(rest, block, range);
        let power = block.iter().map(|sample| sample * sample).sum::<f64>();
        (alike, weight) = (alike + likeness * power, weight + power);
        first = first.or(Some(place));
        // In silence every place is as good as the other.
        start = if likeness > ALIKE { place } else { start } + block.len();
        around = SLIP;
    }
    (from + first.unwrap_or(at), alike / weight)
}

/// Every fourth sample, of what has no more in it.
fn fewer(samples: &[f64]) -> Vec<f64> {
    samples.chunks_exact(COARSE).map(|some| some.iter().sum::<f64>()).collect()
}

/// The place in the range where a block is most alike, and how much: their correlation over their powers.
fn best(heard: &[f64], block: &[f64], range: std::ops::Range<usize>) -> (usize, f64) {
    let own = block.iter().map(|sample| sample * sample).sum::<f64>();
    let mut found = (range.start, 0.0);
    for at in range {
        let Some(window) = heard.get(at..at + block.len()) else { break };
        let (mut both, mut other) = (0.0, 0.0);
        for (one, two) in window.iter().zip(block) {
            both += one * two;
            other += one * one;
        }
        // Silence is alike to nothing.
        let alike = both / (own * other.max(own / 100.0)).sqrt();
        if alike > found.1 {
            found = (at, alike);
        }
    }
    found
}

#[test]
fn a_prompt_is_told_from_another_also_when_a_telephone_slips() {
    let (said, other) = (our("demo-congrats"), our("demo-thanks"));
    let mut heard = vec![0.0; 3_001];
    heard.extend(&said[..10_000]);
    // 20 ms are lost, 20 ms are repeated.
    heard.extend(&said[10_160..20_000]);
    heard.extend(&said[19_840..]);
    heard.extend([0.0; 4_000]);
    let (at, alike) = find(&heard, &said, 0);
    assert!(at == 3_001 && alike > ALIKE, "{alike:.2} at {at}");
    let (_, alike) = find(&heard, &other, 0);
    assert!(alike < UNLIKE, "{alike:.2}");
}

//! What `ChanSpy` and `ExtenSpy` have in common: one channel after the other is listened to, and digits say which and
//! how.

use super::app::{App, Outcome, Target};
use super::arguments;
use super::ask::Spy;
use super::handle::ChannelHandle;
use super::lookup;
use super::recording::{TapKind, TapRequest, TapSides};
use super::request::Interrupted;
use super::spying::{Spied, SpyChoice, SpyHears, SpyManner, SpyReply, SpyRequest};
use crate::event::Level;
use crate::wording::outside;
use std::time::Duration;

/// How long it is waited for a channel when there is none.
const PAUSE: Duration = Duration::from_secs(1);
/// The loudest; the softest is as far below 0.
const LOUDEST: i8 = 4;
/// Digits of a channel's name that are kept.
const MAX_TYPED: usize = 32;
/// Where a digit that ends the spying leads.
const EXIT_CONTEXT: &str = "SPY_EXIT_CONTEXT";
/// The channel that was listened to last.
const LAST: &str = "SPY_CHANNEL";

/// The option letters.
pub const LETTERS: &str = "bBcdeEglnoqrsSuvwWxX";
/// Those that change nothing here.
const IDLE: &str = "ln";

/// What the letters do, for both applications.
pub const HELP: &str = "One channel after the other is listened to until the listener hangs up. Digits: * goes on to the next \
    channel, # changes the volume, digits and # listen to the channel whose name goes on with them behind the prefix and a /. \
    A call that is only listened to is not changed; its sound is brought to the relay when it went direct. A line with \
    line=modem is listened to and never whispered to, nor who talks to it; when its sound goes direct it is not listened to. Options: b (only channels that \
    talk to somebody), B (barge: both sides hear the listener), c(digit) (instead of *), d (4 listens, 5 whispers, 6 barges), e(SIP/201:SIP/202) (no others), E (over when the channel \
    that was listened to hangs up), g(group:group) (only channels with one of them in SPYGROUP), o (only what the channel's telephone says), q (no beep, no \
    name), r(name) (what is heard is recorded, as NAME-TIME.wav, chanspy without a name), s (the name without its technology), S (over when there is no channel left), u (the prefix is a unique id), \
    v(volume) (-4 to 4), w (whisper: the channel's telephone hears the listener), W (whisper without listening), x(digit) (ends it), X (a digit ends \
    it that is an extension of this context, or of that in SPY_EXIT_CONTEXT). Accepted, without effect: l, n.";

/// The options of one application.
#[derive(Debug, Default)]
struct Options {
    manner: SpyManner,
    next: char,
    exit: Option<char>,
    by_extension: bool,
    modes: bool,
    once: bool,
    stops: bool,
    quiet: bool,
    without_technology: bool,
    recording: Option<String>,
}

fn read(text: &str, choice: &mut SpyChoice) -> Options {
    let mut options = Options { next: '*', ..Options::default() };
    let list = |text: &str| -> Vec<String> {
        text.split(':').map(str::trim).filter(|one| !one.is_empty()).map(str::to_owned).collect()
    };
    for (letter, argument) in arguments::options(text) {
        let argument = argument.as_deref().unwrap_or_default().trim();
        match letter {
            'b' => choice.only_bridged = true,
            'B' => (options.manner.whispers, options.manner.barges) = (true, true),
            'c' => options.next = argument.chars().next().unwrap_or('*'),
            'd' => options.modes = true,
            'e' => choice.lines = list(argument),
            'E' => options.once = true,
            'g' => choice.groups = list(argument),
            'o' => options.manner.hears = SpyHears::Telephone,
            'q' => options.quiet = true,
            'r' => options.recording = Some(if argument.is_empty() { "chanspy" } else { argument }.to_owned()),
            's' => options.without_technology = true,
            'S' => options.stops = true,
            'u' => choice.by_unique_id = true,
            'v' => options.manner.volume = argument.parse().unwrap_or(0i8).clamp(-LOUDEST, LOUDEST),
            'w' => options.manner.whispers = true,
            'W' => (options.manner.whispers, options.manner.hears) = (true, SpyHears::Nothing),
            'x' => options.exit = argument.chars().next(),
            'X' => options.by_extension = true,
            _ => {}
        }
    }
    options
}

/// What one channel's listening led to.
enum Turn {
    /// The next one.
    Next,
    /// The one whose name begins so.
    Named(String),
    /// It is over.
    Done(Outcome),
}

/// Listens to one channel after the other.
pub(super) async fn run(
    app: &App,
    channel: &mut ChannelHandle,
    mut choice: SpyChoice,
    text: &str,
) -> Result<Outcome, Interrupted> {
    let mut options = read(text, &mut choice);
    said_of_letters(app, channel, text);
    channel.answer().await?;
    let recording = match options.recording.take() {
        Some(name) => record(app, channel, &name).await?,
        None => None,
    };
    if !options.quiet {
        channel.play(vec!["beep".to_owned()]).await?;
    }
    let outcome = listen(app, channel, &choice, &mut options).await?;
    channel.ask(Spy(SpyRequest::Stop)).await?;
    if recording.is_some() {
        // There is nothing to say of it when it has ended before.
        let _ = channel.tap(TapRequest::Stop(TapKind::Mix, recording)).await?;
    }
    Ok(outcome)
}

async fn listen(
    app: &App,
    channel: &mut ChannelHandle,
    choice: &SpyChoice,
    options: &mut Options,
) -> Result<Outcome, Interrupted> {
    let (mut behind, mut named, mut found_any) = (0, None, false);
    loop {
        let wanted = named.take().map_or_else(|| choice.clone(), |prefix| SpyChoice { prefix, ..choice.clone() });
        let is_named = wanted != *choice;
        let from = if is_named { 0 } else { behind };
        let SpyReply::Found(found) = channel.ask(Spy(SpyRequest::Find(wanted, from))).await? else {
            return Ok(Outcome::Next);
        };
        let Some(spied) = found else {
            let is_end = behind > 0 && found_any && !is_named;
            behind = 0;
            if is_end {
                // All were listened to: again from the first.
                found_any = false;
                continue;
            }
            if options.stops && !is_named {
                return Ok(Outcome::Next);
            }
            match pause(channel, options).await? {
                Turn::Done(outcome) => return Ok(outcome),
                Turn::Named(digits) => named = Some(format!("{}/{digits}", choice.prefix)),
                Turn::Next => {}
            }
            continue;
        };
        (behind, found_any) = (spied.number, true);
        channel.set_variable(LAST, &spied.name);
        match one(app, channel, &spied, options).await? {
            Turn::Next => {}
            Turn::Named(digits) => named = Some(format!("{}/{digits}", choice.prefix)),
            Turn::Done(outcome) => return Ok(outcome),
        }
    }
}

/// There is nobody to listen to for now.
async fn pause(channel: &mut ChannelHandle, options: &mut Options) -> Result<Turn, Interrupted> {
    match channel.digit(PAUSE).await? {
        Some(digit) => Ok(exits(channel, options, digit).map_or(Turn::Next, Turn::Done)),
        None => Ok(Turn::Next),
    }
}

/// Listens to one channel.
async fn one(
    app: &App,
    channel: &mut ChannelHandle,
    spied: &Spied,
    options: &mut Options,
) -> Result<Turn, Interrupted> {
    if !options.quiet {
        channel.ask(Spy(SpyRequest::Stop)).await?;
        channel.play(name_sounds(&spied.name, options.without_technology)).await?;
    }
    let mut typed = String::new();
    loop {
        let digit = match channel.ask(Spy(SpyRequest::Listen(spied.number, options.manner))).await? {
            SpyReply::Digit(digit) => digit,
            SpyReply::Failed(why) => {
                channel.log(Level::Notice, format!("{}: {why}", app.name));
                // Not so soon again, when it is the only one.
                return pause(channel, options).await;
            }
            SpyReply::Over | SpyReply::Found(_) if options.once => return Ok(Turn::Done(Outcome::Next)),
            SpyReply::Over | SpyReply::Found(_) => return Ok(Turn::Next),
        };
        if let Some(outcome) = exits(channel, options, digit) {
            return Ok(Turn::Done(outcome));
        }
        match digit {
            '#' if !typed.is_empty() => return Ok(Turn::Named(typed)),
            '#' => {
                let volume = options.manner.volume;
                options.manner.volume = if volume >= LOUDEST { -LOUDEST } else { volume.saturating_add(1) };
            }
            digit if digit == options.next => return Ok(Turn::Next),
            '4' | '5' | '6' if options.modes => {
                options.manner.whispers = digit != '4';
                options.manner.barges = digit == '6';
            }
            digit if digit.is_ascii_digit() && typed.len() < MAX_TYPED => typed.push(digit),
            _ => {}
        }
    }
}

/// Where a digit leads that ends it.
fn exits(channel: &ChannelHandle, options: &Options, digit: char) -> Option<Outcome> {
    if options.exit == Some(digit) {
        return Some(Outcome::Next);
    }
    if !options.by_extension || !digit.is_ascii_digit() {
        return None;
    }
    channel.with_state(|state| {
        let own = state.position.context.clone();
        let context = state.variable(EXIT_CONTEXT).filter(|context| !context.is_empty()).unwrap_or(own);
        let exten = digit.to_string();
        lookup::has(state, &context, &exten).then(|| Outcome::Jump(Target::to(&context, &exten)))
    })
}

/// A channel's name, letter by letter: `SIP`, and the line.
fn name_sounds(name: &str, without_technology: bool) -> Vec<String> {
    let line = name.rsplit_once('-').map_or(name, |(line, _)| line);
    let (technology, line) = line.split_once('/').unwrap_or(("", line));
    let technology = if without_technology { "" } else { technology };
    let letters = technology.chars().chain(line.chars()).filter(char::is_ascii_alphanumeric);
    let sound = |letter: char| match letter {
        '0'..='9' => format!("digits/{letter}"),
        _ => format!("letters/{}", letter.to_ascii_lowercase()),
    };
    letters.take(MAX_TYPED).map(sound).collect()
}

fn said_of_letters(app: &App, channel: &ChannelHandle, text: &str) {
    let given: Vec<char> = arguments::options(text).into_iter().map(|(letter, _)| letter).collect();
    let of = |fits: &dyn Fn(char) -> bool| given.iter().copied().filter(|letter| fits(*letter)).collect::<String>();
    let (idle, unknown) = (of(&|letter| IDLE.contains(letter)), of(&|letter| !LETTERS.contains(letter)));
    if !idle.is_empty() {
        channel.log(Level::Notice, format!("{}: the options '{idle}' are without effect here", app.name));
    }
    if !unknown.is_empty() {
        channel.log(Level::Notice, format!("{}: there are no options '{}'", app.name, outside(&unknown)));
    }
}

/// The letters that mean nothing.
pub fn unknown(text: &str) -> String {
    arguments::options(text).into_iter().map(|(letter, _)| letter).filter(|letter| !LETTERS.contains(*letter)).collect()
}

async fn record(app: &App, channel: &mut ChannelHandle, name: &str) -> Result<Option<u64>, Interrupted> {
    let start = TapRequest::Start {
        kind: TapKind::Mix,
        files: vec![(format!("{name}-{}.wav", channel.wall().0.div_euclid(1000)), TapSides::Out)],
        append: false,
        only_bridged: false,
        gains: [0, 0],
        command: String::new(),
    };
    Ok(match channel.tap(start).await? {
        Ok(tapped) => Some(tapped.id),
        Err(why) => {
            channel.log(Level::Warning, format!("{}: {why}", app.name));
            None
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_read() {
        let mut choice = SpyChoice::default();
        let options = read("bc(9)de(SIP/1: SIP/2)Eg(a:b)oqr(calls)sSuv(9)wx(0)X", &mut choice);
        assert!(choice.only_bridged && choice.by_unique_id);
        assert_eq!((choice.lines, choice.groups), (vec!["SIP/1".into(), "SIP/2".into()], vec!["a".into(), "b".into()]));
        let manner = SpyManner { hears: SpyHears::Telephone, whispers: true, barges: false, volume: 4 };
        assert_eq!((options.manner, options.next, options.exit), (manner, '9', Some('0')));
        assert!(options.modes && options.once && options.quiet && options.without_technology && options.stops);
        assert_eq!(options.recording.as_deref(), Some("calls"));
        assert_eq!(read("W", &mut SpyChoice::default()).manner.hears, SpyHears::Nothing);
        assert!(read("B", &mut SpyChoice::default()).manner.barges);
        assert_eq!(unknown("qzw1"), "z1");
    }

    #[test]
    fn a_name_is_spelled() {
        assert_eq!(name_sounds("SIP/2b-00000001", true), ["digits/2", "letters/b"]);
        assert_eq!(name_sounds("SIP/a-x-00000001", false).len(), 5);
    }
}

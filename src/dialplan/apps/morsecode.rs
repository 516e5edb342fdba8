//! `Morsecode`: a text in Morse code (ITU-R M.1677-1).

use crate::audio::sound::Sound;
use crate::audio::tone;
use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::digits::Digits;
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Interrupted, Played};
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Morsecode",
    synopsis: "Plays a text in Morse code",
    syntax: "Morsecode(text)",
    help: "In the international code (ITU-R M.1677-1). MORSEDITLEN is the length of a dot in milliseconds (80), MORSETONE the \
           tone in Hz (800), MORSESPACETONE that of the pauses (none). Does not answer first. MORSETYPE=AMERICAN is not \
           there: the international code is played, which is logged. At most 200 letters.",
    arity: 1,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The longest text that is played.
const MAX_LETTERS: usize = 200;

/// Each letter and its code.
const CODE: &[(char, &str)] = &[
    ('a', ".-"),
    ('b', "-..."),
    ('c', "-.-."),
    ('d', "-.."),
    ('e', "."),
    ('f', "..-."),
    ('g', "--."),
    ('h', "...."),
    ('i', ".."),
    ('j', ".---"),
    ('k', "-.-"),
    ('l', ".-.."),
    ('m', "--"),
    ('n', "-."),
    ('o', "---"),
    ('p', ".--."),
    ('q', "--.-"),
    ('r', ".-."),
    ('s', "..."),
    ('t', "-"),
    ('u', "..-"),
    ('v', "...-"),
    ('w', ".--"),
    ('x', "-..-"),
    ('y', "-.--"),
    ('z', "--.."),
    ('é', "..-.."),
    ('0', "-----"),
    ('1', ".----"),
    ('2', "..---"),
    ('3', "...--"),
    ('4', "....-"),
    ('5', "....."),
    ('6', "-...."),
    ('7', "--..."),
    ('8', "---.."),
    ('9', "----."),
    ('.', ".-.-.-"),
    (',', "--..--"),
    (':', "---..."),
    ('?', "..--.."),
    ('\'', ".----."),
    ('-', "-....-"),
    ('/', "-..-."),
    ('(', "-.--."),
    (')', "-.--.-"),
    ('"', ".-..-."),
    ('=', "-...-"),
    ('+', ".-.-."),
    ('*', "-..-"),
    ('@', ".--.-."),
];

/// How a text is sent: the tone's parts in dots, with whether each sounds.
fn parts(text: &str) -> Vec<(u32, bool)> {
    let mut parts: Vec<(u32, bool)> = Vec::new();
    for letter in text.chars().take(MAX_LETTERS) {
        let letter = letter.to_lowercase().next().unwrap_or(letter);
        if letter.is_whitespace() {
            // Three of the pause are behind the letter already: seven in all.
            parts.push((4, false));
            continue;
        }
        let Some((_, code)) = CODE.iter().find(|(known, _)| *known == letter) else { continue };
        for mark in code.chars() {
            parts.push((if mark == '-' { 3 } else { 1 }, true));
            parts.push((1, false));
        }
        parts.push((2, false));
    }
    parts
}

async fn run(mut channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let text = args.text().trim();
    let number = |name: &str, usual: u32| channel.variable(name).trim().parse::<u32>().unwrap_or(usual);
    let (dot, high, low) = (number("MORSEDITLEN", 80), number("MORSETONE", 800), number("MORSESPACETONE", 0));
    if channel.variable("MORSETYPE").trim().eq_ignore_ascii_case("AMERICAN") {
        channel
            .log(Level::Notice, "Morsecode: American Morse is not there, the international code is played".to_owned());
    }
    let left: String = text.chars().skip(MAX_LETTERS).take(20).collect();
    if !left.is_empty() {
        let text = format!("Morsecode plays {MAX_LETTERS} letters: '{}...' is left out", outside(&left));
        channel.log(Level::Warning, text);
    }
    let frequency = |hz: u32| u16::try_from(hz.min(3_400)).unwrap_or(0);
    let (dot, high, low) = (dot.clamp(10, 400), frequency(high), frequency(low));
    let samples: Vec<i16> = parts(text)
        .into_iter()
        .flat_map(|(dots, sounds)| tone::stretch(&[if sounds { high } else { low }], dot.saturating_mul(dots), -13.0))
        .collect();
    if samples.is_empty() {
        return Ok(Outcome::Next);
    }
    if let Played::Failed(why) = channel.play_sound(Sound::of_samples(&samples), Digits::NONE).await? {
        channel.log(Level::Warning, format!("Morsecode: {why}"));
    }
    Ok(Outcome::Next)
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn paris_takes_fifty_dots() {
        // The word by which the speed is counted, with the pause behind it.
        let length: u32 = parts("PARIS ").iter().map(|(dots, _)| dots).sum();
        assert_eq!(length, 50);
        assert!(parts("\u{1F600}").is_empty());
    }
}

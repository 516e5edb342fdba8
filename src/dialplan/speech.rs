//! A text that a program of the machine speaks: what `Festival`, `Flite` and the like share.

use super::app::{Args, Outcome};
use super::digits::Digits;
use super::handle::ChannelHandle;
use super::menu;
use super::outside::{OutsideReply, OutsideRequest, Speech};
use super::request::Interrupted;
use crate::event::Level;

/// Speaks the text: the arguments are the text, the digits that interrupt it, and the language.
///
/// # Errors
/// The channel was hung up or redirected.
pub(super) async fn speak(
    channel: &mut ChannelHandle,
    application: &str,
    program: &str,
    args: &Args,
) -> Result<Outcome, Interrupted> {
    let args = args.split();
    let text = args.trimmed(0);
    if text.is_empty() {
        channel.log(Level::Warning, format!("{application} needs a text"));
        return Ok(Outcome::Next);
    }
    let stop_on = match args.trimmed(1) {
        any if any.eq_ignore_ascii_case("any") => Digits::ANY,
        digits => Digits::of(digits),
    };
    let language = Some(args.trimmed(2)).filter(|language| !language.is_empty());
    let language = language.map_or_else(|| channel.language(), str::to_owned);
    channel.answer().await?;
    let speech = Speech { text: text.to_owned(), program: program.to_owned(), language };
    let sound = match channel.outside(OutsideRequest::Speak(speech)).await? {
        OutsideReply::Spoken(Ok(sound)) => sound,
        OutsideReply::Spoken(Err(why)) => {
            channel.log(Level::Warning, format!("{application}: {why}"));
            return Ok(Outcome::Next);
        }
        OutsideReply::Refused(why) => {
            channel.log(Level::Warning, format!("{application} is refused: {why}"));
            return Ok(Outcome::Next);
        }
        _ => return Ok(Outcome::Next),
    };
    let played = channel.play_sound(sound, stop_on).await?;
    menu::follow(channel, application, played).await
}

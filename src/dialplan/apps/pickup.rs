//! `Pickup`: answers a line that rings somewhere else.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::handover::PickupTarget;
use crate::dialplan::menu;
use crate::dialplan::pick_up::{MAX_TARGETS, pick_up};
use crate::dialplan::request::Interrupted;

/// The application.
pub const APP: App = App {
    name: "Pickup",
    synopsis: "Answers a call that rings at another line",
    syntax: "Pickup([extension[@context][&extension[@context]...]])",
    help: "The first of these that rings is taken: a line that is called because that extension was dialled, in the \
           context named or else in this one. With PICKUPMARK for the context: a line whose Dial has that value in the \
           variable PICKUPMARK (Set(__PICKUPMARK=...) before the Dial). Without arguments: the line that rings longest \
           in one of the caller's groups (pickupgroup, namedpickupgroup). The caller takes the place of the line, and \
           this dialplan is over; when nothing rings it goes on.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// The context that stands for a mark.
const MARK: &str = "PICKUPMARK";

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let here = menu::here(&channel);
    let text = args.text().trim();
    let words = text.split('&').map(str::trim).filter(|word| !word.is_empty());
    let targets = words.take(MAX_TARGETS).map(|word| target(word, &here)).collect();
    pick_up(channel, if text.is_empty() { vec![PickupTarget::Group] } else { targets }).await
}

fn target(word: &str, here: &str) -> PickupTarget {
    match word.split_once('@') {
        Some((mark, context)) if context.eq_ignore_ascii_case(MARK) => PickupTarget::Mark(mark.to_owned()),
        Some((exten, context)) => PickupTarget::Extension { exten: exten.to_owned(), context: context.to_owned() },
        None => PickupTarget::Extension { exten: word.to_owned(), context: here.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_read() {
        let exten =
            |exten: &str, context: &str| PickupTarget::Extension { exten: exten.into(), context: context.into() };
        assert_eq!(target("201", "home"), exten("201", "home"));
        assert_eq!(target("201@shop", "home"), exten("201", "shop"));
        assert_eq!(target("door@pickupmark", "home"), PickupTarget::Mark("door".to_owned()));
    }
}

//! `Hangup`: ends the call.

use crate::dialplan::app::{App, Args, Outcome};
use crate::dialplan::handle::ChannelHandle;
use crate::dialplan::request::{Cause, Interrupted};
use crate::event::Level;
use crate::wording::outside;

/// The application.
pub const APP: App = App {
    name: "Hangup",
    synopsis: "Ends the call",
    syntax: "Hangup([cause])",
    help: "The cause is a Q.850 number or name (17 or USER_BUSY); it decides the response to an unanswered caller.",
    arity: 0,
    run: |channel, args| Box::pin(run(channel, args)),
};

/// Q.850's causes by the names that dialplans use.
const NAMES: &[(&str, u16)] = &[
    ("UNALLOCATED", 1),
    ("NO_ROUTE_TRANSIT_NET", 2),
    ("NO_ROUTE_DESTINATION", 3),
    ("CHANNEL_UNACCEPTABLE", 6),
    ("NORMAL", 16),
    ("NORMAL_CLEARING", 16),
    ("BUSY", 17),
    ("USER_BUSY", 17),
    ("NO_USER_RESPONSE", 18),
    ("NO_ANSWER", 19),
    ("NOANSWER", 19),
    ("SUBSCRIBER_ABSENT", 20),
    ("CALL_REJECTED", 21),
    ("NUMBER_CHANGED", 22),
    ("DESTINATION_OUT_OF_ORDER", 27),
    ("INVALID_NUMBER_FORMAT", 28),
    ("FACILITY_REJECTED", 29),
    ("NORMAL_UNSPECIFIED", 31),
    ("CONGESTION", 34),
    ("NORMAL_CIRCUIT_CONGESTION", 34),
    ("NETWORK_OUT_OF_ORDER", 38),
    ("NORMAL_TEMPORARY_FAILURE", 41),
    ("FAILURE", 38),
    ("SWITCH_CONGESTION", 42),
    ("REQUESTED_CHAN_UNAVAIL", 44),
    ("BEARERCAPABILITY_NOTAVAIL", 58),
    ("UNREGISTERED", 20),
    ("INTERWORKING", 127),
];

async fn run(channel: ChannelHandle, args: Args) -> Result<Outcome, Interrupted> {
    let wanted = args.text().trim();
    let cause = if wanted.is_empty() {
        channel.with_state(|state| state.cause)
    } else {
        cause(wanted).unwrap_or_else(|| {
            channel.log(
                Level::Warning,
                format!("Hangup: '{}' is no cause; write a number from 1 to 127", outside(wanted)),
            );
            Cause::NONE
        })
    };
    Ok(Outcome::Stop(cause))
}

fn cause(text: &str) -> Option<Cause> {
    if let Ok(number) = text.parse::<u16>() {
        return (number <= 127).then_some(Cause(number));
    }
    let name = text.to_ascii_uppercase();
    let name = name.strip_prefix("AST_CAUSE_").unwrap_or(&name);
    NAMES.iter().find(|(known, _)| *known == name).map(|(_, number)| Cause(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_have_numbers_and_names() {
        assert_eq!(cause("34"), Some(Cause(34)));
        assert_eq!(cause("user_busy"), Some(Cause(17)));
        assert_eq!(cause("AST_CAUSE_CONGESTION"), Some(Cause(34)));
        assert_eq!(cause("999"), None);
        assert_eq!(cause("later"), None);
    }
}

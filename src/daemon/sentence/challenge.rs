//! A request of ours was asked for a password and got no further, as the log says it: what to look at.

use crate::event::{ChallengeEvent, ChallengeFailure, LogLine};

/// The line of such an event.
pub(super) fn line(event: &ChallengeEvent) -> LogLine {
    let ChallengeEvent { whose, method, address, status, realm, reason } = event;
    let asked = format!("Failed to authenticate on {method} to '{whose}' at {address} ({status}, realm '{realm}')");
    LogLine::warning(format!("{asked}: {}", words(reason)))
}

fn words(reason: &ChallengeFailure) -> String {
    match reason {
        ChallengeFailure::Refused { user, option } => {
            format!("it refuses the password of user '{user}': check the user (defaultuser=) and {option}")
        }
        ChallengeFailure::NoPassword { section } => {
            format!("there is no password for it: write 'remotesecret=' or 'secret=' in {section}")
        }
        ChallengeFailure::HashDoesNotServe { option } => format!(
            "the hash of a password serves one realm and MD5 alone: write the password itself instead of {option}"
        ),
        ChallengeFailure::FromElsewhere { sent_to } => {
            format!("the request was sent to {sent_to}, and nobody else is given a password")
        }
        ChallengeFailure::NotItsRealm { section } => format!(
            "this is not the address in 'host=', and the realm is none it has asked for there: if it is right, write \
             'auth=USER:SECRET@REALM' in {section}"
        ),
        ChallengeFailure::OurOwnRealm { section } => format!(
            "that is our own realm, and an answer could be used against us: write another 'realm=' in [general], or \
             'remotesecret=' in {section}"
        ),
        ChallengeFailure::NotDialled { home } => {
            format!("the password in the dial string is for {home} alone: give that provider a section with 'host='")
        }
        ChallengeFailure::NotRegistered => "no line is registered there, so nobody is given its password".to_owned(),
        ChallengeFailure::Unknown => {
            "nothing of what it asks for is known here: MD5 and SHA-256, with qop=auth or without, and MD5-sess and SHA-256-sess with it are".to_owned()
        }
        ChallengeFailure::TooLong { most } => format!("what it asks with is longer than {most} bytes"),
        ChallengeFailure::TooOften => "the request has been answered twice already".to_owned(),
    }
}

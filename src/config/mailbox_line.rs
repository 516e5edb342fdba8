//! A line `mwi =>` of sip.conf: a mailbox of ours at a provider or another exchange, whose messages we have ourselves told of.
//!
//! `user[:secret[:authuser]]@host[:port]/mailbox`

use super::register_line::{RegisterLine, Written};
use std::sync::Arc;

/// The context of mailboxes that are elsewhere, as chan_sip has it.
const CONTEXT: &str = "SIP_Remote";

/// A mailbox elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MailboxLine {
    /// The account: the same words as those of a `register` line.
    pub account: Arc<RegisterLine>,
    /// The mailbox that is told of here, with its context.
    pub mailbox: String,
}

/// A line as it is read: the account, and the mailbox with its context.
///
/// # Errors
/// What is wrong with it; no secret is in that.
pub fn parse(text: &str) -> Result<(Written, String), String> {
    let missing = || "there is no '/' with a mailbox behind the host".to_owned();
    let (account, mailbox) = text.trim().rsplit_once('/').ok_or_else(missing)?;
    let mailbox = mailbox.trim();
    // Behind the last '@' of an account is its host: else this '/' was one of the password.
    if mailbox.is_empty() || mailbox.contains([':', '"']) {
        return Err(missing());
    }
    let account = Written::parse(account)?;
    if account.extension.is_some() {
        return Err("there are two '/' behind the host".to_owned());
    }
    let full = if mailbox.contains('@') { mailbox.to_owned() } else { format!("{mailbox}@{CONTEXT}") };
    Ok((account, full))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_account_and_a_mailbox() {
        let read = |text: &str| {
            let (account, mailbox) = parse(text)?;
            let secret = account.secret.map(|secret| secret.reveal().to_owned()).unwrap_or_default();
            Ok::<_, String>((account.user, secret, account.auth_user, account.host, account.port, mailbox))
        };
        let found = |user: &str, secret: &str, auth: Option<&str>, port, mailbox: &str| {
            Ok((user.into(), secret.into(), auth.map(Into::into), "itsp.example".into(), port, mailbox.into()))
        };
        assert_eq!(read("4711@itsp.example/100"), found("4711", "", None, None, "100@SIP_Remote"));
        assert_eq!(read("4711:p/w@itsp.example/100"), found("4711", "p/w", None, None, "100@SIP_Remote"));
        assert_eq!(
            read("4711:pw:me@itsp.example:5070/100@home"),
            found("4711", "pw", Some("me"), Some(5070), "100@home")
        );
        for wrong in ["4711:hush@itsp.example", "4711:hush@itsp.example/", "4711:hu/sh@", "hush/100", "a:hush@h/1/2"] {
            let said = read(wrong).unwrap_err();
            assert!(!said.contains("hush"), "{wrong}: {said}");
        }
    }
}

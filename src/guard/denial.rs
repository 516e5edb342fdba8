//! Why a request whose sender proved its address was refused: what the administrator has to put right, and nothing else.

use super::event::cut;
use super::identity::{Account, ClaimedIdentity, Directory};
use crate::config::peer::{Credential, PeerAddress};
use crate::event::security::DenialCause;
use crate::sip::header::Credentials;
use crate::sip::{Flow, Method};

/// What was found of a digest that does not let its sender in.
#[derive(Clone, Copy)]
pub(super) struct Judged<'a> {
    pub directory: Directory<'a>,
    pub claim: &'a ClaimedIdentity<'a>,
    pub credentials: &'a Credentials,
    pub method: &'a Method,
    pub flow: Flow,
    /// `[general]` allows the source, and serves the domain.
    pub source_allowed: bool,
    pub domain_served: bool,
    /// The lists of `[general]` and of the account allow the source.
    pub is_allowed: bool,
    pub knows_secret: bool,
    pub realm: &'a str,
}

/// The cause of a refusal.
pub(super) fn cause(judged: Judged<'_>) -> DenialCause {
    let Judged { claim, flow, .. } = judged;
    match claim.account {
        _ if !judged.source_allowed => DenialCause::GeneralAccessList,
        _ if !judged.domain_served => DenialCause::OtherDomain,
        None => unknown(judged),
        Some(account) if !judged.knows_secret && account.is_elsewhere(judged.method, flow, judged.directory.names) => {
            let (peer, section, home) = (account.peer.name.clone(), section(account), home(account));
            DenialCause::OtherAddress { peer, section, home, registers: *judged.method == Method::Register }
        }
        Some(_) if claim.is_mixed => DenialCause::OtherUser { username: cut(&judged.credentials.username) },
        Some(account) if !judged.is_allowed => DenialCause::AccessList { section: section(account) },
        Some(account) => match account.peer.credential {
            Some(Credential::Ha1(_)) => {
                DenialCause::WrongHash { section: section(account), realm: judged.realm.to_owned() }
            }
            Some(Credential::Password(_)) | None => DenialCause::WrongSecret { section: section(account) },
        },
    }
}

/// Nobody has the name that was given: or somebody has it who may not use it so, or it is a neighbour from another port.
fn unknown(judged: Judged<'_>) -> DenialCause {
    let Judged { directory, claim, flow, .. } = judged;
    if *judged.method == Method::Register {
        let named = directory.accounts.get(claim.name.as_str());
        return named
            .map_or(DenialCause::UnknownAccount, |account| DenialCause::MayNotRegister { section: section(account) });
    }
    match directory.addresses.at_other_port(directory.accounts, flow, directory.names) {
        Some(account) => {
            let (peer, section, home) = (account.peer.name.clone(), section(account), home(account));
            DenialCause::OtherPort { peer, section, home }
        }
        None => DenialCause::UnknownAccount,
    }
}

/// What to say of a call that is challenged for its port alone: it comes from the fixed address of an account that may
/// call from there without a secret, and so will hardly answer with one. A trunk of a provider does not even try.
pub(super) fn neighbour(
    directory: Directory<'_>,
    claim: &ClaimedIdentity<'_>,
    method: &Method,
    flow: Flow,
) -> Option<DenialCause> {
    if *method != Method::Invite {
        return None;
    }
    let account = directory.addresses.at_other_port(directory.accounts, flow, directory.names)?;
    let (peer, section, home) = (account.peer.name.clone(), section(account), home(account));
    match claim.account {
        _ if account.peer.credential.is_some() && !account.peer.settings.insecure.invite => None,
        None => Some(DenialCause::OtherPort { peer, section, home }),
        Some(claimed) if claimed.peer.name == peer => {
            Some(DenialCause::OtherAddress { peer, section, home, registers: false })
        }
        Some(_) => None,
    }
}

fn section(account: &Account) -> String {
    account.peer.place.to_string()
}

fn home(account: &Account) -> String {
    match &account.peer.host {
        PeerAddress::Static(address) => address.to_string(),
        PeerAddress::Named(host) => host.to_string(),
        PeerAddress::Dynamic | PeerAddress::Unset => String::new(),
    }
}

//! Where a peer can be called: asked by calls, answered by lines, which do not know each other.

use super::Core;
use crate::config::peer::Peer;
use crate::pbx::failure::Failure;
use crate::sip::Flow;
use crate::sip::transaction::Given;
use bytes::Bytes;
use smol_str::SmolStr;
use std::sync::Arc;

/// One place to send an INVITE to.
#[derive(Clone)]
pub struct Target {
    /// Whose line it is.
    pub peer: Arc<Peer>,
    /// How it is reached.
    pub flow: Flow,
    /// It is reached at where it sends from, not where its Contact says.
    pub behind_nat: bool,
    /// The Request-URI.
    pub uri: String,
    /// The route to it (Path of its registration, RFC 3327).
    pub route: Vec<Bytes>,
    /// What its telephone called itself when it registered.
    pub user_agent: Option<SmolStr>,
    /// It is asked regularly whether it is there, and answers: silence to an INVITE is noticed early.
    pub monitored: bool,
    /// The URI of To, when it is another than that.
    pub to: Option<String>,
    /// What answers a challenge instead of the peer's own password.
    pub login: Option<Arc<Given>>,
    /// Where the same call goes when this place does not take it, one after another (RFC 3263 4.3). They have none
    /// themselves.
    pub alternates: Vec<Target>,
}

impl Target {
    /// Of a peer that is reached so, by a Request-URI.
    pub fn new(peer: Arc<Peer>, flow: Flow, uri: String) -> Target {
        Target {
            peer,
            flow,
            behind_nat: false,
            uri,
            route: Vec::new(),
            user_agent: None,
            monitored: false,
            to: None,
            login: None,
            alternates: Vec::new(),
        }
    }
}

/// Answers where peers are.
pub trait Directory {
    /// Where a peer is to be called, `exten` being the number to call there, the preferred places first; or why it
    /// cannot be.
    ///
    /// # Errors
    /// It is not registered, has no address, or does not answer `qualify=`.
    fn targets(&self, core: &mut Core, peer: &Arc<Peer>, exten: Option<&str>) -> Result<Vec<Target>, Failure>;

    /// Is a line, which may be in a call, known to be out of reach: does it not answer `qualify=`, has its registration
    /// ended, or is it not configured any more? A line of which nothing can be known is not.
    fn is_lost(&self, core: &Core, peer: &Peer) -> bool;

    /// `SIPPEER(name,item)`, as far as it is about the line and not about its calls.
    fn peer_item(&self, core: &Core, peer: &Peer, item: &str) -> Option<String>;
}

//! Who finds the servers of a host that a `Dial` names. Who asks the DNS is elsewhere, and is handed in.

use crate::dialplan::{HostQuery, Located};
use std::fmt::Debug;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// How long a look-up takes at most: a caller waits for it.
const PATIENCE: Duration = Duration::from_secs(10);

/// What comes of a look-up, later.
pub type Found = Pin<Box<dyn Future<Output = Result<Vec<Located>, String>> + Send>>;

/// Finds the servers of hosts (RFC 3263).
pub trait Locator: Debug + Send + Sync {
    /// The servers of a host, those to try first first.
    fn locate(&self, query: HostQuery) -> Found;
}

/// What the locator finds, in time.
pub(super) async fn find(query: HostQuery, locator: Option<&Arc<dyn Locator>>) -> Result<Vec<Located>, String> {
    let Some(locator) = locator else { return Err("nobody looks hosts up here".to_owned()) };
    let found = tokio::time::timeout(PATIENCE, locator.locate(query)).await;
    found.unwrap_or_else(|_| Err("the name servers do not answer".to_owned()))
}

//! Credentials that belong to one request's place alone, and to no account of the configuration.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

/// A user and what proves it, for whoever is asked there.
#[derive(Clone, PartialEq, Eq)]
pub struct Given {
    /// Whom they are for, for people.
    pub whom: String,
    /// The user.
    pub user: String,
    /// What proves it.
    pub proof: GivenProof,
    /// Only a challenge from there is answered.
    pub home: IpAddr,
}

/// A password, or the hash of one. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub enum GivenProof {
    /// The password.
    Password(Arc<str>),
    /// The hexadecimal MD5 of `user:realm:password`.
    Md5(Arc<str>),
}

impl fmt::Debug for Given {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Given").field("user", &self.user).field("home", &self.home).finish_non_exhaustive()
    }
}

//! The log line for a refused request: what was wrong, and what the administrator can do about it.

use super::admission::{GeneralAccess, RequestContext};
use super::event::{self, DenialReason};
use super::identity::ClaimedIdentity;
use crate::sip::header::Credentials;

/// Which account was refused, why, and how to repair it.
pub(super) fn hint(
    why: DenialReason,
    context: RequestContext<'_>,
    credentials: &Credentials,
    claim: &ClaimedIdentity<'_>,
    access: GeneralAccess,
) -> String {
    let account = event::encode(&claim.name);
    let address = context.flow.remote.ip().to_canonical();
    let place = claim.account.map(|account| account.peer.place.to_string()).unwrap_or_default();
    match why {
        DenialReason::InvalidPassword => {
            format!(
                "phone '{account}' at {address}: wrong secret. Type the one of [{account}] ({place}) into the phone; its user \
                 name is right (`sip show peer {account}`)"
            )
        }
        DenialReason::InvalidAccountID => {
            format!(
                "{address} wants to be '{account}', which sip.conf does not have. A phone of yours? Correct its user name, or add [{account}] there"
            )
        }
        DenialReason::FailedACL if !access.source_allowed => {
            format!("'{account}' at {address}: the permit, deny and acl lines of [general] refuse that address")
        }
        DenialReason::FailedACL if !access.domain_served => format!(
            "phone '{account}' at {address} asks for a domain that is not ours. Add it with 'domain=' in [general], or \
             'autodomain=yes' when it is our address"
        ),
        DenialReason::FailedACL => {
            format!("phone '{account}' at {address}: the permit, deny and acl lines of [{account}] ({place}) refuse it")
        }
        DenialReason::ChallengeResponseFailed if claim.is_mixed => format!(
            "phone '{account}' at {address} authenticates as '{}'. Set its authentication name to '{account}'",
            event::encode(&credentials.username)
        ),
        DenialReason::ChallengeResponseFailed => {
            format!("phone '{account}' at {address}: its digest was made for another number than the one it dials")
        }
    }
}

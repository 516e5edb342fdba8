//! Subscriptions outlive a restart: each as one text, there and back. A text is written when a subscription begins, is
//! refreshed or moves, and not for each NOTIFY: it names a number that none has reached yet, and after a restart the next
//! NOTIFY has that number.

use super::package::{Format, Package};
use super::subscription::{Arrival, Subscription};
use crate::clock::{Now, Wall};
use crate::config::peer::Peer;
use crate::pbx::core::{Core, SubscriptionId};
use crate::sip::Flow;
use crate::sip::Uri;
use crate::sip::dialog::Dialog;
use crate::sip::flow::{OpensFor, Transport};
use crate::sip::header::NameAddr;
use bytes::Bytes;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

/// The form of the text.
const VERSION: &str = "1";
/// How many NOTIFYs go out before a subscription is written again.
pub const STEP: u32 = 100;
/// What is left at least of a subscription's time after a restart: time to notice that it is told again.
const RETURN: Duration = Duration::from_secs(60);
/// The longest that a subscription may say it lasts.
const LONGEST_MS: i64 = 7 * 86_400_000;

/// A subscription as text: a line for each of its fields, of which none has a line end.
pub fn write(one: &Subscription, now: Now) -> String {
    let Subscription { dialog, reached, .. } = one;
    let mut text = format!("version {VERSION}\n");
    let mut field = |name: &str, value: &str| {
        let _ = writeln!(text, "{name} {}", value.replace(['\r', '\n'], " "));
    };
    let left = i64::try_from(one.expires.since(now.mono).as_millis()).unwrap_or(LONGEST_MS);
    field("peer", &one.peer.name);
    field("context", &one.place.0);
    field("exten", &one.place.1);
    field("package", one.package.name());
    field("format", one.format.name());
    field("id", one.event_id.as_deref().unwrap_or_default());
    field("ends", &now.wall.0.saturating_add(left).to_string());
    field("lasts", &left.to_string());
    field("call", &dialog.call_id);
    field("ours", &dialog.local_tag);
    field("theirs", dialog.remote_tag.as_deref().unwrap_or_default());
    field("local", &dialog.local.to_string());
    field("remote", &dialog.remote.to_string());
    field("target", &dialog.remote_target.to_string());
    field("next", &one.reserved().to_string());
    field("heard", &dialog.remote_cseq.unwrap_or_default().to_string());
    field("secure", if dialog.secure { "yes" } else { "no" });
    field("transport", reached.flow.transport.name());
    field("from", &reached.flow.local.to_string());
    field("to", &reached.flow.remote.to_string());
    field("nat", if reached.behind_nat { "yes" } else { "no" });
    for route in &dialog.route_set {
        field("route", &String::from_utf8_lossy(route));
    }
    text
}

/// A subscription of a text, and how long it lasts yet; none when it cannot be read, or its line is not there any more.
pub fn read(text: &str, peers: &BTreeMap<String, Arc<Peer>>, core: &mut Core) -> Option<(Subscription, Duration)> {
    let find = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    if find("version")? != VERSION {
        return None;
    }
    let peer = peers.get(find("peer")?)?.clone();
    let optional = |name: &str| find(name).filter(|value| !value.is_empty());
    let number: u32 = find("next")?.parse().ok()?;
    let name_addr = |name: &str| NameAddr::parse(find(name)?.as_bytes()).ok();
    let routes = text.lines().filter_map(|line| line.strip_prefix("route "));
    let dialog = Dialog {
        call_id: find("call")?.into(),
        local_tag: find("ours")?.into(),
        remote_tag: optional("theirs").map(Into::into),
        local: name_addr("local")?,
        remote: name_addr("remote")?,
        remote_target: Uri::parse(find("target")?.as_bytes()).ok()?,
        route_set: routes.map(|route| Bytes::copy_from_slice(route.as_bytes())).collect(),
        local_cseq: number,
        remote_cseq: find("heard")?.parse().ok(),
        secure: find("secure")? == "yes",
        confirmed: true,
    };
    let transport = Transport::from_name(find("transport")?)?;
    let (local, remote): (std::net::SocketAddr, std::net::SocketAddr) =
        (find("from")?.parse().ok()?, find("to")?.parse().ok()?);
    let advertised = core.config.admission.advertised_address(transport, local, remote.ip());
    // No connection outlives the program.
    let flow = Flow { transport, advertised, opens_for: OpensFor::Peer, ..Flow::udp(local, remote) };
    let arrival = Arrival { flow, behind_nat: find("nat")? == "yes" };
    let place = (find("context")?.into(), find("exten")?.into());
    let what = (Package::from_name(find("package")?)?, Format::from_name(find("format")?)?);
    let id = SubscriptionId(core.fresh_id());
    let mut one = Subscription::new((id, peer), place, what, optional("id").map(str::to_owned), (dialog, arrival));
    one.version = number;
    let ends = Wall(find("ends")?.parse().ok()?);
    let lasts: i64 = find("lasts")?.parse().ok()?;
    Some((one, left(ends, lasts.clamp(0, LONGEST_MS), core.now)))
}

/// What is left of its time. A wall clock that has jumped tells nothing: then it has its whole time again.
fn left(ends: Wall, lasts: i64, now: Now) -> Duration {
    let left = ends.0.saturating_sub(now.wall.0);
    let left = if (0..=lasts).contains(&left) { left } else { lasts };
    Duration::from_millis(u64::try_from(left).unwrap_or(0)).max(RETURN)
}

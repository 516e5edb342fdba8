//! SUBSCRIBE (RFC 6665 4.2.1): a subscription begins, is refreshed, or ends.

use super::package::{Package, allow_events};
use super::subscription::{Arrival, Subscription, Wanted};
use super::table::{Subscriptions, source_of};
use super::watched::Place;
use crate::config::peer::Peer;
use crate::event::SubscriptionEvent;
use crate::event::subscription::SubscribeRefusal;
use crate::pbx::core::{Core, Devices, SubscriptionId};
use crate::pbx::uri_text::user_of;
use crate::sip::dialog::Dialog;
use crate::sip::header::HeaderName;
use crate::sip::header::contact::expires_seconds;
use crate::sip::message::{Request, Response};
use crate::sip::method::Method;
use crate::sip::transaction::ServerId;
use crate::sip::validate::Essentials;
use std::sync::Arc;
use std::time::Duration;

/// A time that is never refused as too brief (RFC 6665 4.2.1.1): an hour.
const NEVER_TOO_BRIEF: Duration = Duration::from_secs(3600);

/// A SUBSCRIBE of an account that is known.
pub struct Subscribe<'a> {
    /// Its transaction.
    pub server: ServerId,
    /// The request.
    pub request: &'a Request,
    /// Its mandatory headers, read.
    pub essentials: &'a Essentials,
    /// How it came.
    pub arrival: Arrival,
}

/// Why it is refused: the status, what else the response says, and what is said of it.
struct Refusal(u16, Option<(HeaderName, String)>, Option<SubscribeRefusal>);

/// A SUBSCRIBE outside of any dialog.
pub fn subscribe(
    subscriptions: &mut Subscriptions,
    asked: &Subscribe<'_>,
    peer: &Arc<Peer>,
    table: &dyn Devices,
    core: &mut Core,
) {
    match begun(subscriptions, asked, peer, table, core) {
        Ok((subscription, devices, time)) => begin(subscriptions, asked, subscription, devices, time, table, core),
        Err(refusal) => refuse(asked, Some(peer), refusal, core),
    }
}

/// What it asks for; or why that is refused.
fn begun(
    subscriptions: &Subscriptions,
    asked: &Subscribe<'_>,
    peer: &Arc<Peer>,
    table: &dyn Devices,
    core: &mut Core,
) -> Result<(Subscription, Vec<String>, Duration), Refusal> {
    let (package, event_id) = event_of(asked.request)?;
    if !peer.settings.allow_subscribe {
        return Err(Refusal(403, None, Some(SubscribeRefusal::NotAllowed)));
    }
    if asked.arrival.flow.may_be_forged() {
        return Err(Refusal(403, None, Some(SubscribeRefusal::MayBeForged)));
    }
    let format = package.choose(&asked.request.headers).ok_or(Refusal(406, None, None))?;
    let settings = &peer.settings;
    let own = &settings.subscribe_context;
    let context = if own.is_empty() { &settings.context } else { own };
    let exten = user_of(&asked.request.uri()).unwrap_or_default();
    // What waits is the line's own, whatever number it names.
    let (context, exten) = match package {
        Package::Dialog | Package::Presence => (context.as_str(), exten),
        Package::MessageSummary => ("", peer.name.clone()),
    };
    let devices = table.hint(core, context, &exten).ok_or_else(|| {
        let said = match package {
            Package::Dialog | Package::Presence => {
                SubscribeRefusal::NoHint { exten: exten.as_str().into(), context: context.to_owned() }
            }
            Package::MessageSummary => SubscribeRefusal::NoMailbox,
        };
        Refusal(404, None, Some(said))
    })?;
    let time = time_of(asked.request, core)?;
    let dialog =
        Dialog::uas(asked.request, asked.essentials, &core.rng.hex(16)).map_err(|_| Refusal(400, None, None))?;
    let place: Place = (context.into(), exten.into());
    let id = SubscriptionId(core.fresh_id());
    let names = (id, peer.clone());
    let mut new = Subscription::new(names, place, (package, format), event_id, (dialog, asked.arrival));
    new.dialog.confirmed = true;
    new.follow(asked.arrival, core);
    if subscriptions.replaced_by(&new).is_none() && !subscriptions.has_room(&peer.name, source_of(&new)) {
        let later = Some((HeaderName::RetryAfter, "300".to_owned()));
        return Err(Refusal(503, later, Some(SubscribeRefusal::TooMany)));
    }
    Ok((new, devices, time))
}

fn begin(
    subscriptions: &mut Subscriptions,
    asked: &Subscribe<'_>,
    mut new: Subscription,
    devices: Vec<String>,
    time: Duration,
    table: &dyn Devices,
    core: &mut Core,
) {
    let id = new.id;
    if let Some(old) = subscriptions.replaced_by(&new) {
        subscriptions.remove(old, core);
    }
    accept(asked, &new, time, core);
    new.want(Wanted::Everything);
    if time.is_zero() {
        // RFC 6665 4.4.3: whoever asks for no time at all is told the state once.
        new.expires = core.now.mono;
        new.end("timeout");
    } else {
        new.last(time, core);
    }
    subscriptions.insert(new, devices, table, core);
    subscriptions.flush(id, core);
}

/// A request within the dialog of a subscription: it is refreshed, or ended by a time of 0.
pub fn refresh(subscriptions: &mut Subscriptions, id: SubscriptionId, asked: &Subscribe<'_>, core: &mut Core) {
    match refreshed(subscriptions, id, asked, core) {
        Ok(time) => {
            let Some(subscription) = subscriptions.get_mut(id) else { return };
            accept(asked, subscription, time, core);
            subscription.retry_now(core);
            subscription.want(Wanted::Everything);
            if time.is_zero() {
                subscription.expires = core.now.mono;
                subscription.end("timeout");
            } else {
                subscription.last(time, core);
            }
            subscriptions.touch(id);
            subscriptions.flush(id, core);
        }
        Err(refusal) => refuse(asked, None, refusal, core),
    }
}

fn refreshed(
    subscriptions: &mut Subscriptions,
    id: SubscriptionId,
    asked: &Subscribe<'_>,
    core: &mut Core,
) -> Result<Duration, Refusal> {
    let Subscribe { request, essentials, arrival, .. } = asked;
    let subscription = subscriptions.get_mut(id).ok_or(Refusal(481, None, None))?;
    let in_order = subscription.dialog.receive(essentials.cseq.number, &request.method);
    in_order.map_err(|_| Refusal(500, None, None))?;
    if request.method != Method::Subscribe {
        return Err(Refusal(request.method.rules().in_dialog.unwrap_or(405), None, None));
    }
    // RFC 6665 4.4.1: one subscription a dialog, so another event is none of it.
    let (package, event_id) = event_of(request)?;
    if package != subscription.package || event_id != subscription.event_id {
        return Err(Refusal(489, Some((HeaderName::AllowEvents, allow_events())), None));
    }
    if subscription.ending.is_some() {
        return Err(Refusal(481, None, None));
    }
    let time = time_of(request, core)?;
    subscription.dialog.refresh_target(&request.headers);
    let before = source_of(subscription);
    subscription.follow(*arrival, core);
    let after = source_of(subscription);
    subscriptions.change_source(before, after);
    Ok(time)
}

/// The package of a SUBSCRIBE and the `id` of its Event header.
fn event_of(request: &Request) -> Result<(Package, Option<String>), Refusal> {
    let bad = || Refusal(489, Some((HeaderName::AllowEvents, allow_events())), None);
    let text = request.headers.text(HeaderName::Event).ok_or_else(bad)?;
    let (name, params) = text.split_once(';').unwrap_or((&text, ""));
    let package = Package::from_name(name.trim()).ok_or_else(bad)?;
    let id = params.split(';').filter_map(|param| param.split_once('=')).find(|(name, _)| name.trim() == "id");
    // It is repeated in ours: only what a token may have.
    let is_token = |id: &str| id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte));
    Ok((package, id.map(|(_, id)| id.trim().to_owned()).filter(|id| is_token(id))))
}

/// For how long; zero: it is over. RFC 6665 4.2.1.1: shorter than what is asked, but never longer.
fn time_of(request: &Request, core: &Core) -> Result<Duration, Refusal> {
    let general = &core.config.general;
    let least = general.lamps.min_expiry.unwrap_or(general.min_expiry);
    let most = general.lamps.max_expiry.unwrap_or(general.max_expiry);
    let Some(value) = request.headers.get(HeaderName::Expires) else {
        return Ok(general.default_expiry.max(least).min(most));
    };
    let asked = Duration::from_secs(expires_seconds(value).into());
    if !asked.is_zero() && asked < least.min(NEVER_TOO_BRIEF) {
        return Err(Refusal(423, Some((HeaderName::MinExpires, least.as_secs().to_string())), None));
    }
    Ok(asked.min(most))
}

/// 200, with what forms or refreshes the dialog (RFC 3261 12.1.1).
fn accept(asked: &Subscribe<'_>, subscription: &Subscription, time: Duration, core: &mut Core) {
    let mut response = Response::for_request(asked.request, 200, Some(&subscription.dialog.local_tag));
    for route in asked.request.headers.lines(HeaderName::RecordRoute) {
        response.headers.push(HeaderName::RecordRoute, route.clone());
    }
    response.headers.push(HeaderName::Contact, subscription.contact());
    response.headers.push(HeaderName::Expires, time.as_secs().to_string());
    core.respond(asked.server, response);
}

fn refuse(asked: &Subscribe<'_>, peer: Option<&Arc<Peer>>, refusal: Refusal, core: &mut Core) {
    let Refusal(status, header, said) = refusal;
    let mut response = Response::for_request(asked.request, status, None);
    if let Some((name, value)) = header {
        response.headers.push(name, value);
    }
    core.respond(asked.server, response);
    if let Some((peer, reason)) = peer.zip(said) {
        let (line, source) = (peer.name.clone(), asked.arrival.flow.remote);
        core.emit(SubscriptionEvent::Refused { line, source, reason });
    }
}

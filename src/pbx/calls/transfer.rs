//! Transfer: a telephone asks by REFER that whom it talks to calls somebody else (blind), or takes over another call of its
//! own (attended). What it asked for and how that goes is in `transferred`; what changes hands, in `moving`.

use super::bridge::Bridges;
use super::channel::{Activity, Channel};
use super::deferred::Deferred;
use super::leg::user_of;
use super::moving::{Moving, Unmovable};
use super::own_host;
use super::parties::Parties;
use super::transferred;
use crate::config::peer::Kind;
use crate::dialplan::program::set_foreign_variable;
use crate::dialplan::{ChannelId, Existence, Position};
use crate::event::{Level, LogLine};
use crate::pbx::core::{Core, LegId};
use crate::sip::Uri;
use crate::sip::dialog::DialogKey;
use crate::sip::header::{HeaderName, NameAddr, Replaces};
use crate::sip::message::{Request, Response};
use crate::sip::transaction::ServerId;
use crate::wording::outside;

/// Carries out what telephones ask for by REFER, with all channels and bridges at hand.
pub(super) struct Transferring<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

/// What a REFER asks for.
struct Asked {
    /// Where to: the number.
    exten: String,
    /// Refer-To, as it is to be shown to the dialplan.
    to: String,
    /// Who is said to ask (RFC 3892).
    by: Option<String>,
    /// Which call is to be taken over.
    replaces: Option<Replaces>,
    /// The address is one of this exchange's own.
    is_here: bool,
}

/// Why a REFER is refused at once: the status, its reason phrase, and the same for the log.
type Refusal = (u16, &'static str, String);

/// How a transfer went: who asked, on which leg, and the status of what came of it when that is known.
type Outcome = Result<Option<LegId>, (u16, String)>;

impl Transferring<'_> {
    /// A channel's telephone sent REFER.
    pub(super) fn referred(&mut self, id: ChannelId, server: ServerId) {
        let Some(request) = self.core.tx.server_request(server).cloned() else { return };
        let name = self.parties.name_of(id);
        let asked = match self.judge(id, &request) {
            Ok(asked) => asked,
            Err((status, reason, why)) => {
                let mut response = Response::for_request(&request, status, None);
                if !reason.is_empty() {
                    response.reason = reason.into();
                }
                self.core.respond(server, response);
                return self.say(Level::Notice, format!("{name}: transfer refused with {status}: {why}"));
            }
        };
        let Some(leg) = self.parties.channel(id).and_then(|channel| channel.leg()) else { return };
        self.parties.with_leg(leg, self.core, |leg, cx| {
            leg.refers.accept(server, &request, &leg.ua, cx);
            leg.refers.notify(100, &mut leg.ua, cx);
        });
        if let Err((status, why)) = self.carry_out(id, leg, &asked) {
            transferred::tell(self.parties, leg, status, self.core);
            self.say(
                Level::Notice,
                format!("{name}: transfer to {} failed with {status}: {why}", outside(&asked.exten)),
            );
        }
    }

    /// A telephone has hung up and says in its BYE whom the other one is to call: as transfers were before there was REFER.
    /// Nobody is told how that goes, and no call comes back.
    pub(super) fn also(&mut self, id: ChannelId, text: &[u8]) {
        let name = self.parties.name_of(id);
        let outcome = self.may_transfer(id).and_then(|()| self.asked(id, text, None));
        let outcome = outcome.map_err(|(status, _, why)| (status, why)).and_then(|asked| {
            let leg = self.parties.channel(id).and_then(Channel::leg).ok_or((481, "the call is over".to_owned()))?;
            self.carry_out(id, leg, &asked)
        });
        if let Err((_, why)) = outcome {
            self.say(Level::Notice, format!("{name}: transfer by BYE with Also failed: {why}"));
        }
    }

    /// Does it, by which of the two ways it asks for.
    fn carry_out(&mut self, id: ChannelId, leg: LegId, asked: &Asked) -> Outcome {
        let Some(replaces) = &asked.replaces else { return self.blind(id, leg, asked) };
        match self.dialog_of(replaces) {
            Some(other) => self.attended(id, leg, other),
            // RFC 3891 3: it was here, and is over. The call that is at another exchange is reached through the dialplan.
            None if asked.is_here => Err((481, "the call that it names is over".to_owned())),
            None => self.blind(id, leg, asked),
        }
    }

    /// What a REFER asks for, if its sender may ask for that.
    fn judge(&self, id: ChannelId, request: &Request) -> Result<Asked, Refusal> {
        self.may_transfer(id)?;
        let mut lines = request.headers.lines(HeaderName::ReferTo);
        match (lines.next(), lines.next()) {
            (Some(to), None) => self.asked(id, to, request.headers.get(HeaderName::ReferredBy).map(|by| &**by)),
            _ => Err((400, "", "there is not one Refer-To".to_owned())),
        }
    }

    /// May a channel's telephone have whom it talks to go elsewhere?
    fn may_transfer(&self, id: ChannelId) -> Result<(), Refusal> {
        let declined = |reason, why: &str| Err((603, reason, why.to_owned()));
        let channel = self.parties.channel(id).filter(|channel| !channel.dead);
        let Some((channel, peer)) = channel.and_then(|channel| Some((channel, channel.peer()?))) else {
            return Err((481, "", "the call is over".to_owned()));
        };
        let leg = self.parties.leg_of(id);
        let waits = self.parties.transfers.values().any(|transfer| transfer.by == id);
        if waits || leg.is_some_and(|leg| leg.refers.is_open()) {
            return Err((491, "", "it has asked for another already, whose outcome is not known yet".to_owned()));
        }
        if peer.kind == Kind::Guest || !peer.settings.allow_transfer {
            return declined("Declined (policy)", "allowtransfer=no, or it is a guest");
        }
        if channel.called_by.is_some() && channel.bridge.is_none() || leg.is_none_or(|leg| leg.is_unanswered_caller()) {
            return declined("", "the call is not answered yet");
        }
        let others = self.other_of(id).and_then(|other| self.parties.channel(other));
        if let Some(modem) = [Some(channel), others].into_iter().flatten().find(|channel| channel.has_modem()) {
            let why = format!("'{}' is line=modem: its calls are not transferred", modem.line());
            return Err((603, "Declined (policy)", why));
        }
        Ok(())
    }

    /// What is asked for by a Refer-To, or Also, and a Referred-By.
    fn asked(&self, id: ChannelId, to: &[u8], by: Option<&[u8]>) -> Result<Asked, Refusal> {
        let declined = |reason, why: &str| Err((603, reason, why.to_owned()));
        let bad = |why: &str| (400, "", why.to_owned());
        let Ok(to) = NameAddr::parse(to) else { return Err(bad("whom to call cannot be read")) };
        let Uri::Sip(uri) = &to.uri else {
            return declined("Declined (Non sip: uri)", "whom to call is no sip: address");
        };
        if uri.params.get("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
            return declined("", "it asks for something else than a call");
        }
        let replaces = match Replaces::of_uri(uri) {
            None => None,
            Some(Ok(replaces)) => Some(replaces),
            Some(Err(error)) => return Err(bad(&error.to_string())),
        };
        let by = by.and_then(|by| NameAddr::parse(by).ok());
        let exten = user_of::<()>(&Ok(to.uri.clone())).unwrap_or_default();
        // Its own call was to us, under whatever name.
        let own = self.parties.leg_of(id).map(|leg| (leg.ua.flow, leg.ua.local_uri().and_then(Uri::sip)));
        let is_here = own.is_some_and(|(flow, known)| {
            known.is_some_and(|known| known.host == uri.host) || own_host::is_ours(self.core, &to.uri, flow)
        });
        Ok(Asked { exten, to: to.to_string(), by: by.map(|by| by.to_string()), replaces, is_here })
    }

    /// The channel that a dialog of ours belongs to; some telephones have the two tags the other way round.
    fn dialog_of(&self, replaces: &Replaces) -> Option<ChannelId> {
        let Replaces { call_id, to_tag, from_tag, .. } = replaces;
        let dialogs = &self.parties.index.dialogs;
        let key = |ours: &str, theirs: &str| DialogKey::new(call_id, ours, Some(theirs));
        let leg = dialogs.get(&key(to_tag, from_tag)).or_else(|| dialogs.get(&key(from_tag, to_tag)))?;
        self.parties.channel_of_leg(leg)
    }

    /// Whom a channel talks to.
    fn other_of(&self, id: ChannelId) -> Option<ChannelId> {
        let bridge = self.bridges.get(self.parties.channel(id)?.bridge?)?;
        bridge.channel(bridge.role(id)?.other())
    }

    // ---- blind ----

    /// Whom a telephone talks to goes on at a number of the dialplan.
    fn blind(&mut self, id: ChannelId, leg: LegId, asked: &Asked) -> Outcome {
        let Some(other) = self.other_of(id) else { return Err((603, "there is nobody to be transferred".to_owned())) };
        if self.parties.channel(other).is_none_or(|channel| channel.sip().is_none()) {
            return Err(unmovable(Unmovable::NoTelephone));
        }
        let to = self.place(id, &asked.exten);
        let number = self.parties.channel(other).and_then(|other| other.program.as_ref()).map(|it| it.caller().number);
        let (plan, wall) = (&self.core.config.dialplan, self.core.now.wall);
        match plan.exists(&to.context, &to.exten, number.as_deref(), wall) {
            Existence::Yes => {}
            Existence::MoreDigits => return Err((484, format!("it is too short for context '{}'", to.context))),
            Existence::No => return Err((404, format!("there is no such extension in context '{}'", to.context))),
        }
        let (name, other_name) = (self.parties.name_of(id), self.parties.name_of(other));
        self.moving().go_on(other, to.clone()).map_err(unmovable)?;
        let context = self.parties.channel(id).and_then(|channel| channel.peer()).map(|it| it.settings.context.clone());
        let variables = [
            ("BLINDTRANSFER", name.clone()),
            ("TRANSFERERNAME", name.clone()),
            ("_SIPTRANSFER", "yes".to_owned()),
            ("SIPREFERRINGCONTEXT", context.unwrap_or_default()),
        ];
        let mut foreign = vec![("SIPREFERTOHDR", asked.to.clone())];
        if let Some(by) = &asked.by {
            foreign.extend([("SIPREFERREDBYHDR", by.clone()), ("_SIPTRANSFER_REFERER", by.clone())]);
        }
        if let Some(replaces) = &asked.replaces {
            foreign.push(("_SIPTRANSFER_REPLACES", replaces.to_string()));
        }
        if let Some(program) = self.parties.channel_mut(other).and_then(|channel| channel.program.as_mut()) {
            variables.iter().for_each(|(name, value)| program.set_variable(name, value));
            foreign.iter().for_each(|(name, value)| set_foreign_variable(program, name, value));
        }
        transferred::begin(self.parties, other, id, leg, self.core);
        self.say(Level::Verbose(3), format!("{name} transfers {other_name} to {}@{}", outside(&to.exten), to.context));
        Ok(Some(leg))
    }

    /// Where a telephone's transfers are looked up: `TRANSFER_CONTEXT`, which its caller's program may have left it, else
    /// its own context.
    fn place(&self, id: ChannelId, exten: &str) -> Position {
        let Some(channel) = self.parties.channel(id) else { return Position::new("", exten, 1) };
        let own = channel.program.as_ref().and_then(|program| program.variable("TRANSFER_CONTEXT"));
        let caller = channel.called_by.and_then(|caller| self.parties.channel(caller));
        let inherited = caller.and_then(|caller| caller.program.as_ref()).map(|it| it.inherited()).unwrap_or_default();
        let left = channel.callee.variables.iter().chain(&inherited);
        let mut left =
            left.filter(|(name, _)| name.trim_start_matches('_') == "TRANSFER_CONTEXT").map(|(_, text)| text);
        let context = own.or_else(|| left.next_back().cloned()).filter(|context| !context.is_empty());
        let context = context.or_else(|| channel.peer().map(|peer| peer.settings.context.clone()));
        Position::new(&context.unwrap_or_default(), if exten.is_empty() { "s" } else { exten }, 1)
    }

    // ---- attended ----

    /// A telephone with two calls connects the others of both: `other` is its second call.
    fn attended(&mut self, id: ChannelId, leg: LegId, other: ChannelId) -> Outcome {
        let line = |id| self.parties.channel(id).map(|channel| channel.line().to_owned());
        if line(id) != line(other) {
            return Err((603, "the call that it names is another line's".to_owned()));
        }
        let ends = [Some(other), self.other_of(other)].into_iter().flatten();
        if let Some(modem) = ends.filter_map(|id| self.parties.channel(id)).find(|channel| channel.has_modem()) {
            return Err((603, format!("'{}' is line=modem: its calls are not transferred", modem.line())));
        }
        if self.other_of(id) == Some(other) {
            return Err(unmovable(Unmovable::Itself));
        }
        let (name, names) = (self.parties.name_of(id), [id, other].map(|id| self.parties.name_of(id)));
        match (self.other_of(id), self.other_of(other)) {
            (Some(a), Some(b)) if self.moving().joinable(a, b) != Err(Unmovable::NoTelephone) => {
                let (first, second) = (self.parties.name_of(a), self.parties.name_of(b));
                self.moving().join(a, b).map_err(unmovable)?;
                self.moving().hang_up(other);
                self.say(Level::Verbose(3), format!("{name} transfers {first} to {second}"));
                self.told_itself(id, leg);
            }
            // The second call is with an application, or rings still.
            (Some(a), _) => {
                let first = self.parties.name_of(a);
                self.moving().take_place(a, other).map_err(unmovable)?;
                self.moving().hang_up(a);
                self.say(Level::Verbose(3), format!("{name} transfers {first} into {}", names[1]));
                self.told_itself(id, leg);
            }
            // The first one is.
            (None, Some(b)) => {
                let second = self.parties.name_of(b);
                let alone = self.moving().take_place(b, id).map_err(unmovable)?;
                self.say(Level::Verbose(3), format!("{name} transfers {second} into it"));
                transferred::tell(self.parties, leg, 200, self.core);
                [b].into_iter().chain(alone).for_each(|id| self.moving().hang_up(id));
            }
            (None, None) => return Err((603, "nobody is at the other end of either call".to_owned())),
        }
        Ok(Some(leg))
    }

    fn told_itself(&mut self, id: ChannelId, leg: LegId) {
        transferred::done(self.parties, id, leg, self.core);
    }

    // ---- how it ends ----

    /// A channel did not arrive where a telephone wanted it: its call comes back.
    pub(super) fn failed(&mut self, id: ChannelId, status: u16) {
        let Some((by, leg)) = transferred::take(self.parties, id, self.core) else { return };
        transferred::tell(self.parties, leg, status, self.core);
        let (name, other) = (self.parties.name_of(by), self.parties.name_of(id));
        let Some(channel) = self.parties.channel_mut(id).filter(|channel| !channel.dead) else { return };
        channel.activity = Activity::Called;
        if channel.program.take().is_some() {
            let unlocked = Deferred::Unlock(channel.name.clone());
            self.parties.deferred.push_back(unlocked);
        }
        match self.moving().join(by, id) {
            Ok(_) => self.say(Level::Verbose(3), format!("{other} did not arrive ({status}): it is back with {name}")),
            Err(why) => {
                self.say(Level::Notice, format!("{other} cannot come back to {name}: {}", why.words()));
                [id, by].into_iter().for_each(|id| self.moving().hang_up(id));
            }
        }
    }

    /// The transfer went well, and the telephone that asked for it has not hung up.
    pub(super) fn over(&mut self, by: ChannelId) {
        if self.parties.channel(by).is_some_and(transferred::is_left) {
            self.moving().hang_up(by);
        }
    }

    fn moving(&mut self) -> Moving<'_> {
        Moving { parties: self.parties, bridges: self.bridges, core: self.core }
    }

    fn say(&mut self, level: Level, text: String) {
        self.core.emit(LogLine { level, text });
    }
}

fn unmovable(why: Unmovable) -> (u16, String) {
    (why.status(), why.words().to_owned())
}

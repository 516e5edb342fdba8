//! `Page` at work: telephones are called as the exchange begins calls of its own, answer by themselves, and hear who
//! pages; the media thread makes many streams of one, or a mix.

use super::bridge::Bridges;
use super::channel::{Activity, Channel, Share};
use super::dialing::Dialing;
use super::hangup::Hangup;
use super::local;
use super::originating::Originating;
use super::paged;
use super::pages::Page;
use super::parties::Parties;
use crate::config::peer::LineKind;
use crate::dialplan::app::AppCall;
use crate::dialplan::originate::{Goal, OriginateRequest};
use crate::dialplan::program::errand;
use crate::dialplan::{AppReply, ChannelId, DialStatus, DialTarget, PageReply, PageRequest, Position, Program};
use crate::event::{Level, LogLine};
use crate::pbx::cause;
use crate::pbx::cdr::HangupBy;
use crate::pbx::core::{Core, Directory};
use crate::pbx::media::MediaCommand;
use crate::pbx::mixing::MixId;
use crate::wording::outside;
use std::time::Duration;

/// How long telephones ring when no time is given: the page itself is over before.
const UNTIL_OVER: Duration = Duration::from_secs(3_600);

/// Works on pages, with all channels and bridges at hand.
pub(super) struct Paging<'a> {
    pub(super) parties: &'a mut Parties,
    pub(super) bridges: &'a mut Bridges,
    pub(super) core: &'a mut Core,
}

impl Paging<'_> {
    /// Calls the telephones. The program goes on when the first is there, or none will be.
    pub(super) fn begin(&mut self, pager: ChannelId, request: PageRequest, directory: &dyn Directory) {
        if self.parties.pages.contains_key(&pager) {
            self.over(pager);
        }
        let mix = request.duplex.then(|| MixId(self.core.fresh_id()));
        let announcement = request.announcement.clone();
        self.parties.pages.insert(pager, Page { mix, announcement, ..Page::default() });
        if let Some(channel) = self.parties.channel_mut(pager) {
            channel.activity = Activity::Paging;
        }
        for target in &request.targets {
            match self.why_not(pager, target, request.only_idle, directory) {
                Some(why) => self.say(Level::Notice, pager, format!("Page: '{}' {why}", outside(&target.to_string()))),
                None => self.call(pager, target.clone(), &request, directory),
            }
        }
        self.lost(pager);
    }

    /// Why a line is left out, when it is.
    fn why_not(
        &mut self,
        pager: ChannelId,
        target: &DialTarget,
        only_idle: bool,
        directory: &dyn Directory,
    ) -> Option<&'static str> {
        let peers = self.core.config.peers.clone();
        let is_sip = target.technology.eq_ignore_ascii_case("SIP");
        let peer = peers.get(target.line().0).filter(|_| is_sip);
        if peer.is_some_and(|peer| peer.settings.line == Some(LineKind::Modem)) {
            return Some("is not paged: it has a modem (line=modem)");
        }
        if peer.is_some_and(|peer| self.parties.channel(pager).is_some_and(|channel| channel.line() == peer.name)) {
            return Some("is not paged: it is the one who pages");
        }
        let nothing = Default::default();
        let mut dialing = Dialing { parties: self.parties, bridges: self.bridges, core: self.core };
        let is_busy = only_idle && matches!(dialing.places(directory, &nothing).line_state(target), 2 | 3);
        is_busy.then_some("is not paged: it has a call (option s)")
    }

    fn call(&mut self, pager: ChannelId, target: DialTarget, request: &PageRequest, directory: &dyn Directory) {
        let program = self.parties.channel(pager).and_then(|channel| channel.program.as_ref());
        let caller = program.map(Program::caller).unwrap_or_default();
        // What the called channels inherit of the one who pages, SIPAddHeader's header fields among it.
        let inherited = program.map(Program::inherited).unwrap_or_default().into_iter();
        let variables = inherited.map(|(name, value)| match name.starts_with('_') {
            true => (name, value),
            false => (format!("_{name}"), value),
        });
        let timeout = request.timeout.unwrap_or(UNTIL_OVER);
        let call = OriginateRequest {
            caller: (caller.name, caller.number),
            variables: variables.collect(),
            options: request.options.clone(),
            ..OriginateRequest::new(target, Goal::Page(pager), timeout)
        };
        Originating { parties: self.parties, bridges: self.bridges, core: self.core }.begin(call, None, directory);
    }

    /// A telephone has answered.
    pub(super) fn joined(&mut self, pager: ChannelId, line: ChannelId) {
        let announcement = self.parties.pages.get(&pager).map(|page| page.announcement.clone());
        let Some(channel) = self.parties.channel_mut(line) else { return };
        let name = channel.name.clone();
        let fits = self.parties.with_party(line, self.core, |party, cx| {
            party.set_media_remote(cx.core);
            party.played_as().map(|_| ())
        });
        let refused = match (announcement.is_some(), fits) {
            (true, Some(Ok(()))) => None,
            (true, Some(Err(why))) => Some(why),
            (true, None) => Some(format!("{name}: the dialplan has answered itself: telephones are paged")),
            // It was over a moment before.
            (false, _) => Some(String::new()),
        };
        if let Some(why) = refused {
            if !why.is_empty() {
                self.say(Level::Warning, pager, format!("Page: {why}"));
            }
            self.hang_up(line);
            return self.lost(pager);
        }
        let Some(page) = self.parties.pages.get_mut(&pager) else { return };
        page.members.push(line);
        if let Some(channel) = self.parties.channel_mut(line) {
            channel.page = Some(pager);
            channel.activity = Activity::Called;
        }
        self.say(Level::Verbose(3), line, "is paged".to_owned());
        match announcement.flatten() {
            Some(sound) => self.announce(pager, line, &sound),
            None => self.take_part(pager, line),
        }
        if self.parties.pages.get(&pager).is_none_or(|page| page.speaker.is_none())
            && self.parties.channel(pager).is_some_and(|channel| matches!(channel.activity, Activity::Paging))
        {
            self.parties.resume(pager, AppReply::Paged(PageReply::Connected));
        }
    }

    /// Plays a telephone what it is to hear first; its program is over when that is.
    fn announce(&mut self, pager: ChannelId, line: ChannelId, sound: &str) {
        let of_pager = self.parties.channel(pager).and_then(|channel| channel.program.as_ref());
        let (language, caller) =
            of_pager.map_or_else(Default::default, |program| (program.language(), program.caller()));
        let Some(channel) = self.parties.channel_mut(line) else { return };
        let call = AppCall { name: "Playback".to_owned(), args: sound.to_owned() };
        let mut program = errand::application((line, &channel.name), Position::new("", "", 1), caller, call);
        program.set_language(&language);
        program.set_answered();
        channel.program = Some(program);
        channel.activity = Activity::Running;
        self.parties.make_runnable(line);
    }

    /// A telephone has heard what it was to hear first.
    pub(super) fn announced(&mut self, line: ChannelId) {
        let Some(channel) = self.parties.channel_mut(line) else { return };
        channel.program = None;
        channel.activity = Activity::Called;
        if let Some(pager) = channel.page {
            self.take_part(pager, line);
        }
    }

    /// Who pages begins to speak.
    pub(super) fn talk(&mut self, pager: ChannelId) {
        let speaker = local::caller(self.parties, pager);
        let Some(page) = self.parties.pages.get_mut(&pager) else {
            return self.parties.resume(pager, AppReply::Paged(PageReply::Over));
        };
        page.speaker = Some(speaker);
        let (mix, members) = (page.mix, page.members.clone());
        if let Some(channel) = self.parties.channel_mut(pager) {
            channel.activity = Activity::Paging;
        }
        if let Some(mix) = mix {
            self.share(pager, speaker, Share::Mix(mix, 0));
        }
        members.into_iter().for_each(|line| self.take_part(pager, line));
        self.lost(pager);
    }

    /// A telephone hears the page as soon as somebody speaks, and it has heard what it was to hear first.
    fn take_part(&mut self, pager: ChannelId, line: ChannelId) {
        let Some(page) = self.parties.pages.get(&pager) else { return };
        let Some(speaker) = page.speaker else { return };
        if self.parties.channel(line).is_none_or(|channel| channel.program.is_some()) {
            return;
        }
        let source = self.parties.channel(speaker).and_then(Channel::stream);
        let share = page.mix.map(|mix| Share::Mix(mix, 0)).or(source.map(Share::Feed));
        if let Some(share) = share {
            self.share(pager, line, share);
        }
    }

    fn share(&mut self, pager: ChannelId, id: ChannelId, share: Share) {
        let shared = self.parties.with_party(id, self.core, |party, cx| party.share(share, cx.core));
        if let Some(Err(why)) = shared {
            self.say(Level::Warning, pager, format!("Page: {why}"));
        }
    }

    /// One telephone less: when none is left, and none is called any more, the program goes on.
    pub(super) fn lost(&mut self, pager: ChannelId) {
        let is_empty = self.parties.pages.get(&pager).is_some_and(|page| page.members.is_empty());
        let waits = self.parties.channel(pager).is_some_and(|channel| matches!(channel.activity, Activity::Paging));
        if !is_empty || !waits || paged::is_calling(self.parties, pager) {
            return;
        }
        self.over(pager);
        self.parties.resume(pager, AppReply::Paged(PageReply::Over));
    }

    /// A page is over: its telephones are hung up, and those that ring ring no more.
    pub(super) fn over(&mut self, pager: ChannelId) {
        let Some(page) = self.parties.pages.remove(&pager) else { return };
        let calls: Vec<ChannelId> = paged::calls(self.parties, pager).collect();
        for call in calls {
            Dialing { parties: self.parties, bridges: self.bridges, core: self.core }.end(
                call,
                DialStatus::Cancel,
                None,
            );
        }
        page.members.into_iter().for_each(|line| self.hang_up(line));
        let Some(channel) = page.speaker.and_then(|speaker| self.parties.channel_mut(speaker)) else { return };
        channel.share = None;
        if let Some(stream) = channel.stream().filter(|_| !channel.dead) {
            self.core.out.media.push(MediaCommand::Idle { stream });
        }
    }

    fn hang_up(&mut self, line: ChannelId) {
        let Some(channel) = self.parties.channel_mut(line).filter(|channel| !channel.dead) else { return };
        (channel.page, channel.program) = (None, None);
        self.parties.hang_up_leg(line, cause::NORMAL, self.core);
        Hangup { parties: self.parties, bridges: self.bridges, core: self.core }.end(
            line,
            HangupBy::Exchange,
            cause::NORMAL,
        );
    }

    fn say(&mut self, level: Level, id: ChannelId, text: String) {
        let text = format!("{}: {text}", self.parties.name_of(id));
        self.core.emit(LogLine { level, text });
    }
}

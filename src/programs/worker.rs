//! Carries the orders out: each is a task of its own, and each has its report.

use super::fetch::Fetcher;
use super::files;
use super::locator;
use super::process;
use super::settings::Settings;
use super::speech;
use super::talk::Talk;
use super::ticket::Tickets;
use crate::dialplan::ChannelId;
use crate::dialplan::outside::{NotOpened, OutsideReply, OutsideRequest, TalkEnd, TalkId};
use crate::pbx::outside::{ErrandId, OutsideOrder, OutsideReport};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::{Arc, PoisonError, RwLock};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::{JoinHandle, spawn_local};

/// What the thread is given.
pub(super) enum Work {
    Order(OutsideOrder),
    Stop,
}

/// Takes reports.
type Report = Box<dyn Fn(OutsideReport) + Send>;

/// See the module.
pub(super) struct Worker {
    settings: Arc<RwLock<Arc<Settings>>>,
    shared: Rc<Shared>,
}

/// What every task has.
struct Shared {
    report: Report,
    tickets: Tickets,
    fetcher: Fetcher,
    talks: RefCell<BTreeMap<TalkId, Rc<Talk>>>,
    /// What runs, and for which channel. One that was sent elsewhere may have something new done before the old is over.
    running: RefCell<BTreeMap<ErrandId, Running>>,
}

/// An errand under way.
struct Running {
    channel: ChannelId,
    /// It is a part of a talk.
    talks: bool,
    task: JoinHandle<()>,
}

/// Reports once, whatever becomes of the task that has it.
struct Reporter {
    shared: Rc<Shared>,
    errand: ErrandId,
    channel: ChannelId,
    reply: Option<OutsideReply>,
}

impl Reporter {
    fn done(&mut self, reply: OutsideReply) {
        self.reply = Some(reply);
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        let failed = || OutsideReply::Refused("what was to be done outside has failed: please report it".to_owned());
        let reply = self.reply.take().unwrap_or_else(failed);
        (self.shared.report)(OutsideReport { errand: self.errand, channel: self.channel, reply });
    }
}

impl Worker {
    pub(super) fn new(settings: Arc<RwLock<Arc<Settings>>>, report: Report) -> Worker {
        let shared = Shared {
            report,
            tickets: Tickets::default(),
            fetcher: Fetcher::default(),
            talks: RefCell::default(),
            running: RefCell::default(),
        };
        Worker { settings, shared: Rc::new(shared) }
    }

    /// Takes orders until the stop.
    pub(super) async fn run(self, mut inbox: UnboundedReceiver<Work>) {
        while let Some(Work::Order(order)) = inbox.recv().await {
            match order {
                OutsideOrder::Run { errand, channel, request } => self.begin(errand, channel, request),
                OutsideOrder::HungUp(channel) => self.each_talk(channel, |talk| talk.hang_up()),
                OutsideOrder::Leave(channel) => self.end(channel, |running| running.talks),
                OutsideOrder::Forget(channel) => self.end(channel, |_| true),
            }
        }
        for running in self.shared.running.take().into_values() {
            running.task.abort();
        }
        self.shared.talks.take();
    }

    fn begin(&self, errand: ErrandId, channel: ChannelId, request: OutsideRequest) {
        let settings = self.settings.read().unwrap_or_else(PoisonError::into_inner).clone();
        let shared = self.shared.clone();
        let talks = matches!(request, OutsideRequest::Open(_) | OutsideRequest::Exchange(_));
        let mut reporter = Reporter { shared: shared.clone(), errand, channel, reply: None };
        let task = spawn_local(async move {
            let reply = shared.reply(errand, channel, request, &settings).await;
            shared.running.borrow_mut().remove(&errand);
            reporter.done(reply);
        });
        self.shared.running.borrow_mut().insert(errand, Running { channel, talks, task });
    }

    fn each_talk(&self, channel: ChannelId, act: impl Fn(&Rc<Talk>)) {
        self.shared.talks.borrow().values().filter(|talk| talk.channel == channel).for_each(act);
    }

    /// Nobody waits for these errands of a channel any more, nor for its talks.
    fn end(&self, channel: ChannelId, is_over: impl Fn(&Running) -> bool) {
        self.shared.running.borrow_mut().retain(|_, running| {
            let stays = running.channel != channel || !is_over(running);
            if !stays {
                running.task.abort();
            }
            stays
        });
        let gone: Vec<Rc<Talk>> = {
            let mut talks = self.shared.talks.borrow_mut();
            let ids: Vec<TalkId> =
                talks.iter().filter(|(_, talk)| talk.channel == channel).map(|(id, _)| *id).collect();
            ids.into_iter().filter_map(|id| talks.remove(&id)).collect()
        };
        for talk in gone {
            let signal = talk.signals.get();
            spawn_local(async move { talk.close(signal).await });
        }
    }
}

impl Shared {
    async fn reply(
        &self,
        errand: ErrandId,
        channel: ChannelId,
        request: OutsideRequest,
        settings: &Settings,
    ) -> OutsideReply {
        let allowed = settings.allowed;
        match request {
            OutsideRequest::Command(_) if !allowed.system => OutsideReply::Refused(settings.advice("system")),
            OutsideRequest::Fetch(_) if !allowed.curl => OutsideReply::Refused(settings.advice("curl")),
            OutsideRequest::Speak(_) if !allowed.speech => OutsideReply::Refused(settings.advice("speech")),
            OutsideRequest::Open(_) if !allowed.agi => OutsideReply::Refused(settings.advice("agi")),
            OutsideRequest::Command(command) => match self.tickets.take(channel) {
                Ok(_ticket) => {
                    let (status, output) = process::run(&command.text, command.wants_output, settings).await;
                    OutsideReply::Ran { status, output }
                }
                Err(why) => OutsideReply::Refused(why),
            },
            OutsideRequest::Fetch(fetch) => match self.tickets.take(channel) {
                Ok(_ticket) => OutsideReply::Fetched(self.fetcher.fetch(&fetch).await),
                Err(why) => OutsideReply::Refused(why),
            },
            OutsideRequest::File(request) => match self.tickets.take(channel) {
                Ok(_ticket) => OutsideReply::File(files::act(request, settings).await),
                Err(why) => OutsideReply::Refused(why),
            },
            OutsideRequest::Speak(speech) => match self.tickets.take(channel) {
                Ok(_ticket) => OutsideReply::Spoken(speech::speak(&speech, settings).await),
                Err(why) => OutsideReply::Refused(why),
            },
            OutsideRequest::Locate(query) => match self.tickets.take(channel) {
                Ok(_ticket) => OutsideReply::Located(locator::find(query, settings.locator.as_ref()).await),
                Err(why) => OutsideReply::Refused(why),
            },
            OutsideRequest::Open(opening) => {
                let ticket = match self.tickets.take(channel) {
                    Ok(ticket) => ticket,
                    Err(why) => return OutsideReply::Opened(Err(NotOpened::Failed(why))),
                };
                let talk = Talk::open(&opening, channel, settings, ticket).await;
                OutsideReply::Opened(talk.map(|talk| {
                    let id = TalkId(errand.0);
                    self.talks.borrow_mut().insert(id, Rc::new(talk));
                    id
                }))
            }
            OutsideRequest::Exchange(exchange) => {
                let talk = self.talks.borrow().get(&exchange.talk).cloned();
                OutsideReply::Line(match talk {
                    Some(talk) => talk.exchange(&exchange).await,
                    None => Err(TalkEnd::Silent),
                })
            }
            OutsideRequest::Close { talk, signal } => {
                let talk = self.talks.borrow_mut().remove(&talk);
                OutsideReply::Closed(match talk {
                    Some(talk) => talk.close(signal).await,
                    None => String::new(),
                })
            }
        }
    }
}

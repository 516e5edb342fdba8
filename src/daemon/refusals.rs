//! What there is to say of refused requests is said by a thread of its own: a receiving thread does the same work for
//! every refusal, whether or not the account exists, and none of it grows with the number of accounts.

use super::clock::Clock;
use super::event_bus::EventBus;
use super::order::Console;
use super::service::Service;
use crate::clock::Time;
use crate::config::Config;
use crate::event::SecurityEvent;
use crate::event::security::{Denial, DenialCause};
use crate::guard::repeat_filter::Refusals;
use crate::net::ingress::{AuthTable, Counters};
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// Refusals that may wait to be told. Beyond, they are dropped and counted.
const MAX_WAITING: usize = 4_096;
/// Names that are compared with all accounts in a second; each comparison takes the longer the more accounts there are.
const COMPARISONS: u32 = 10;
/// The second they are counted in.
const SECOND: Duration = Duration::from_secs(1);

/// What the thread is told.
enum News {
    /// A request was refused.
    Refused(Box<Denial>, IpAddr),
    /// A request was asked for a secret that its account does not have.
    Challenged(Box<Denial>, IpAddr),
    /// A device was admitted.
    Admitted(String, IpAddr),
    /// The end.
    Stop,
}

/// Where receiving threads leave what there is to say. It never waits.
#[derive(Clone)]
pub(super) struct RefusalDesk {
    news: SyncSender<News>,
    counters: Arc<Counters>,
    /// Somebody is remembered who was refused: an admission may be worth a word.
    has_refused: Arc<AtomicBool>,
}

impl RefusalDesk {
    /// A request was refused.
    pub(super) fn refused(&self, denial: &Denial, source: IpAddr) {
        self.has_refused.store(true, Ordering::Relaxed);
        if self.news.try_send(News::Refused(Box::new(denial.clone()), source)).is_err() {
            self.counters.add("refusal not logged: too many at once");
        }
    }

    /// A request was asked for a secret that its account does not have. Its address may be forged, as that of an account.
    pub(super) fn challenged(&self, denial: &Denial, source: IpAddr) {
        if self.news.try_send(News::Challenged(Box::new(denial.clone()), source)).is_err() {
            self.counters.add("refusal not logged: too many at once");
        }
    }

    /// A device was admitted that may have been refused before.
    pub(super) fn admitted(&self, account: &str, source: IpAddr) {
        if self.has_refused.load(Ordering::Relaxed) {
            // Without room the log misses a line that says that all is well.
            let _ = self.news.try_send(News::Admitted(account.to_owned(), source));
        }
    }
}

/// The thread that says it.
pub(super) struct RefusalService {
    desk: RefusalDesk,
    prepared: Option<(Teller, Receiver<News>)>,
    thread: Option<JoinHandle<()>>,
}

impl RefusalService {
    /// Prepares the thread.
    pub(super) fn new(
        events: EventBus,
        auth_table: Arc<AuthTable>,
        counters: Arc<Counters>,
        clock: Clock,
    ) -> RefusalService {
        let (news, inbox) = sync_channel(MAX_WAITING);
        let has_refused = Arc::new(AtomicBool::new(false));
        let desk = RefusalDesk { news, counters, has_refused: has_refused.clone() };
        let (refusals, challenged) = (Refusals::default(), Refusals::default());
        let comparisons = (Time::ZERO, 0);
        let teller = Teller { events, auth_table, clock, refusals, challenged, has_refused, comparisons };
        RefusalService { desk, prepared: Some((teller, inbox)), thread: None }
    }

    /// Where receiving threads leave what there is to say.
    pub(super) fn desk(&self) -> RefusalDesk {
        self.desk.clone()
    }
}

impl Service for RefusalService {
    fn start(&mut self, _: &Console) -> io::Result<()> {
        if let Some((mut teller, inbox)) = self.prepared.take() {
            let run = move || {
                while let Ok(news) = inbox.recv() {
                    match news {
                        News::Refused(denial, source) => teller.refused(*denial, source),
                        News::Challenged(denial, source) => teller.challenged(*denial, source),
                        News::Admitted(account, source) => teller.admitted(&account, source),
                        News::Stop => return,
                    }
                }
            };
            self.thread = Some(std::thread::Builder::new().name("refusals".into()).spawn(run)?);
        }
        Ok(())
    }

    fn renew(&mut self, _: &Config) {}

    /// What waits is said before.
    fn stop(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _ = self.desk.news.send(News::Stop);
            // A thread that has panicked has said so already.
            let _ = thread.join();
        }
    }
}

struct Teller {
    events: EventBus,
    auth_table: Arc<AuthTable>,
    clock: Clock,
    /// Devices already reported for bad credentials.
    refusals: Refusals,
    /// What was said to those who proved nothing, apart, so that it can push nothing out of `refusals`.
    challenged: Refusals,
    has_refused: Arc<AtomicBool>,
    /// Since when names were compared, and how many.
    comparisons: (Time, u32),
}

impl Teller {
    fn refused(&mut self, denial: Denial, source: IpAddr) {
        let now = self.clock.now().mono;
        // Each refusal for programs that count them towards a ban; the warning for the administrator once.
        self.events.publish(&SecurityEvent::Denied(denial.clone()).into());
        if now.since(self.comparisons.0) >= SECOND {
            self.comparisons = (now, 0);
        }
        let (table, count) = (&self.auth_table, &mut self.comparisons.1);
        let nearest = |account: &str| {
            *count = count.saturating_add(1);
            if *count > COMPARISONS { None } else { table.admission().nearest(account) }
        };
        if let Some(report) = self.refusals.record(&denial, source, now, nearest) {
            self.events.publish(&report.into());
        }
    }

    /// For the administrator alone: nothing was proved, and nothing counts towards a ban. What the request called itself
    /// is nothing to tell it apart by, or one line would follow another.
    fn challenged(&mut self, denial: Denial, source: IpAddr) {
        let (DenialCause::OtherPort { peer, .. } | DenialCause::OtherAddress { peer, .. }) = &denial.cause else {
            return;
        };
        let one = Denial { account: peer.clone(), ..denial.clone() };
        if let Some(report) = self.challenged.record(&one, source, self.clock.now().mono, |_| None) {
            let report = match report {
                SecurityEvent::DenialReported { nearest, repeated, .. } => {
                    SecurityEvent::DenialReported { denial, nearest, repeated }
                }
                other => other,
            };
            self.events.publish(&report.into());
        }
    }

    fn admitted(&mut self, account: &str, source: IpAddr) {
        if let Some(event) = self.refusals.admitted(account, source, self.clock.now().mono) {
            self.events.publish(&event.into());
        }
        self.has_refused.store(!self.refusals.is_empty(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::super::event_bus::Subscriber;
    use super::super::event_bus::tests::Recorder;
    use super::*;
    use crate::clock::Wall;
    use crate::event::Event;
    use crate::guard::admission::Admission;
    use crate::sip::digest::nonce::NonceKey;
    use std::net::SocketAddr;
    use std::time::Instant;

    fn denial(account: &str, source: IpAddr) -> Denial {
        Denial {
            cause: DenialCause::UnknownAccount,
            account: account.to_owned(),
            id: "7f".to_owned(),
            source: SocketAddr::new(source, 5060),
            transport: "UDP".to_owned(),
            at: Wall(0),
        }
    }

    fn service(subscriber: impl Subscriber + 'static) -> RefusalService {
        let config = Config::from_texts("[client]\ntype=friend\nhost=dynamic\nsecret=x\n", "", "", "").0.unwrap();
        let admission = Admission::new(&config.sip, NonceKey::new([0; 32], 1));
        let table = Arc::new(AuthTable::new(Arc::new(admission)));
        let mut service =
            RefusalService::new(EventBus::new(vec![Box::new(subscriber)]), table, Arc::default(), Clock::start());
        service.start(&Console::new(sync_channel(1).0)).unwrap();
        service
    }

    #[test]
    fn each_refusal_is_an_event_and_the_first_of_a_kind_is_one_for_the_administrator_too() {
        let recorder = Recorder::default();
        let mut service = service(recorder.clone());
        let source = "192.0.2.7".parse().unwrap();
        let denial = denial("cleint", source);
        let desk = service.desk();
        desk.admitted("cleint", source);
        desk.refused(&denial, source);
        desk.refused(&denial, source);
        desk.admitted("cleint", source);
        service.stop();
        let denied = Event::from(SecurityEvent::Denied(denial.clone()));
        let nearest = Some("client".to_owned());
        let reported = SecurityEvent::DenialReported { denial, nearest, repeated: None };
        let events = recorder.events();
        assert_eq!(events[..3], [denied.clone(), reported.into(), denied]);
        assert!(
            matches!(&events[3..], [Event::Security(SecurityEvent::Admitted { denied: 2, .. })]),
            "{:?}",
            &events[3..]
        );
        assert!(!desk.has_refused.load(Ordering::Relaxed), "nobody is left to speak of");
    }

    #[test]
    fn a_trunk_that_calls_from_another_port_is_told_of_once_whatever_it_calls_itself_and_nobody_is_banned() {
        let recorder = Recorder::default();
        let mut service = service(recorder.clone());
        let source = "192.0.2.7".parse().unwrap();
        let (peer, section, home) = ("trunk".to_owned(), "sip.conf:7".to_owned(), "192.0.2.7:5070".to_owned());
        let cause = DenialCause::OtherPort { peer, section, home };
        let calls: Vec<Denial> =
            (0..50).map(|number| Denial { cause: cause.clone(), ..denial(&format!("0{number}"), source) }).collect();
        calls.iter().for_each(|call| service.desk().challenged(call, source));
        let desk = service.desk();
        service.stop();
        let reported = SecurityEvent::DenialReported { denial: calls[0].clone(), nearest: None, repeated: None };
        assert_eq!(recorder.events(), [reported.into()]);
        assert!(!desk.has_refused.load(Ordering::Relaxed));
    }

    #[test]
    fn names_are_compared_a_few_times_a_second_however_many_are_guessed() {
        let recorder = Recorder::default();
        let mut service = service(recorder.clone());
        let start = Instant::now();
        for host in 1..=200 {
            let source = IpAddr::from([192, 0, 2, host]);
            service.desk().refused(&denial("cleint", source), source);
        }
        service.stop();
        let seconds = u32::try_from(start.elapsed().as_secs()).unwrap() + 2;
        let is_compared =
            |event: &&Event| matches!(event, Event::Security(SecurityEvent::DenialReported { nearest: Some(_), .. }));
        let compared = recorder.events().iter().filter(is_compared).count();
        assert!((10..=10 * seconds as usize).contains(&compared), "{compared}");
        let denied = |event: &&Event| matches!(event, Event::Security(SecurityEvent::Denied(_)));
        assert_eq!(recorder.events().iter().filter(denied).count(), 200, "each counts towards a ban all the same");
    }

    /// Whoever is told what happens may be slow: it is not the receiving thread that waits.
    #[test]
    fn a_receiving_thread_waits_for_nobody_who_is_told() {
        struct Slow(std::sync::Mutex<Receiver<()>>);
        impl Subscriber for Slow {
            fn event(&self, _: &Event) {
                let _ = self.0.lock().unwrap().recv();
            }
        }
        let (go, may_go) = std::sync::mpsc::channel();
        let mut service = service(Slow(std::sync::Mutex::new(may_go)));
        let desk = service.desk();
        let source = "192.0.2.7".parse().unwrap();
        let extra = 500;
        for _ in 0..MAX_WAITING + extra {
            desk.refused(&denial("a", source), source);
        }
        let counted = desk.counters.all();
        assert!(matches!(counted[..], [("refusal not logged: too many at once", 499 | 500)]), "{counted:?}");
        drop(go);
        service.stop();
    }
}

//! One look-up of a name (RFC 3263 4): says what to ask the DNS next, takes what it answers, and ends with the servers in
//! their order.

use super::srv::{by_preference, by_weight};
use super::{HostName, MAX_SERVERS, Naptr, Records, Server, Srv, is_nobody};
use crate::rng::Rng;
use crate::sip::flow::Transport;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

/// How often a name is looked up at most: an answer that is good for a shorter time is used for this long.
pub const SHORTEST: Duration = Duration::from_secs(30);
/// How often at least.
pub const LONGEST: Duration = Duration::from_secs(3600);

/// What is asked of the DNS.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Question {
    /// The NAPTR records of a name.
    Naptr(String),
    /// The SRV records of a name.
    Srv(String),
    /// Its A and AAAA records.
    Addresses(String),
}

/// What the DNS answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The records; none: there are none.
    pub found: Found,
    /// How long it is good for; none: nobody said.
    pub ttl: Option<Duration>,
}

/// The records of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// NAPTR records.
    Naptr(Vec<Naptr>),
    /// SRV records.
    Srv(Vec<Srv>),
    /// Addresses, those to use first first.
    Addresses(Vec<IpAddr>),
    /// There is no such name, or it has no such record.
    Nothing,
    /// Nobody knows: no server answered, or it could not. Why, for people.
    Failed(String),
}

/// What a look-up came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The servers, those to try first first; never empty.
    pub servers: Vec<Server>,
    /// When to ask again.
    pub again: Duration,
}

/// What is to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Ask these, all at once.
    Ask(Vec<Question>),
    /// It is over: the servers, or why there are none.
    Done(Result<Located, String>),
}

/// A look-up under way.
#[derive(Debug)]
pub struct Lookup {
    host: HostName,
    ttl: Option<Duration>,
    state: State,
}

#[derive(Debug)]
enum State {
    Naptr,
    /// SRV records are awaited of these names, the preferred first. `is_listed`: NAPTR records named them, and all of
    /// them are used; else those of the first transport that has any.
    Srv {
        names: Vec<(Transport, String)>,
        is_listed: bool,
    },
    /// The addresses of these hosts are awaited.
    Hosts(Vec<(Transport, Srv)>),
    /// The addresses of the name itself.
    Itself,
}

impl Lookup {
    /// Begins a look-up.
    pub fn new(host: &HostName) -> (Lookup, Step) {
        let mut lookup = Lookup { host: host.clone(), ttl: None, state: State::Itself };
        let step = match host.records {
            Records::Addresses => lookup.ask_itself(),
            Records::Srv => lookup.ask_usual_srv(),
            Records::Naptr => {
                lookup.state = State::Naptr;
                Step::Ask(vec![Question::Naptr(host.name.clone())])
            }
        };
        (lookup, step)
    }

    /// All that was asked is answered. A question without an answer has failed. `rng` draws by weight; with the same
    /// source, the same records come in the same order, so that a look-up which finds nothing new changes nothing.
    pub fn answered(&mut self, answers: &BTreeMap<Question, Answer>, rng: &mut Rng) -> Step {
        match std::mem::replace(&mut self.state, State::Itself) {
            State::Naptr => self.naptr(answers),
            State::Srv { names, is_listed } => self.srv(names, is_listed, answers, rng),
            State::Hosts(records) => self.hosts(&records, answers),
            State::Itself => self.itself(answers),
        }
    }

    fn naptr(&mut self, answers: &BTreeMap<Question, Answer>) -> Step {
        let answer = answers.get(&Question::Naptr(self.host.name.clone()));
        // Many a home router knows no NAPTR and says nothing at all: SRV is tried whatever came of it.
        let names = match answer.map(|answer| &answer.found) {
            Some(Found::Naptr(records)) => by_preference(records.clone(), &self.host.transports),
            Some(_) | None => Vec::new(),
        };
        if names.is_empty() {
            return self.ask_usual_srv();
        }
        self.live_for(answer);
        self.ask_srv(names, true)
    }

    fn srv(
        &mut self,
        names: Vec<(Transport, String)>,
        is_listed: bool,
        answers: &BTreeMap<Question, Answer>,
        rng: &mut Rng,
    ) -> Step {
        let (mut records, mut is_denied): (Vec<(Transport, Srv)>, bool) = (Vec::new(), false);
        for (transport, name) in names {
            if !is_listed && !records.is_empty() {
                break;
            }
            let Some(answer) = answers.get(&Question::Srv(name)) else { continue };
            if let Found::Srv(found) = &answer.found {
                self.live_for(Some(answer));
                let found = by_weight(found.clone(), rng);
                is_denied |= found.is_empty();
                records.extend(found.into_iter().map(|record| (transport, record)));
            }
        }
        records.truncate(MAX_SERVERS);
        if records.is_empty() {
            // RFC 2782: a target of "." says that the service is decidedly not there.
            return match is_denied {
                true => Step::Done(Err("its SRV record says that no SIP is spoken there (its target is '.')".into())),
                false => self.ask_itself(),
            };
        }
        let mut hosts: Vec<Question> =
            records.iter().map(|(_, record)| Question::Addresses(record.target.clone())).collect();
        hosts.sort();
        hosts.dedup();
        self.state = State::Hosts(records);
        Step::Ask(hosts)
    }

    fn hosts(&mut self, records: &[(Transport, Srv)], answers: &BTreeMap<Question, Answer>) -> Step {
        let mut servers = Vec::new();
        let mut why = String::new();
        for (transport, record) in records {
            match answers.get(&Question::Addresses(record.target.clone())) {
                Some(answer @ Answer { found: Found::Addresses(ips), .. }) => {
                    self.live_for(Some(answer));
                    let at = |ip: &IpAddr| Server::new(*transport, SocketAddr::new(*ip, record.port));
                    servers.extend(ips.iter().map(at));
                }
                other => why = format!("its server {} has no address{}", record.target, failure(other)),
            }
        }
        self.done(servers, why)
    }

    fn itself(&mut self, answers: &BTreeMap<Question, Answer>) -> Step {
        match answers.get(&Question::Addresses(self.host.name.clone())) {
            Some(answer @ Answer { found: Found::Addresses(ips), .. }) => {
                self.live_for(Some(answer));
                let servers = ips.iter().map(|ip| self.host.server_at(*ip)).collect();
                self.done(servers, "it has no address".into())
            }
            other => self.done(Vec::new(), format!("it has no address{}", failure(other))),
        }
    }

    fn done(&self, mut servers: Vec<Server>, why: String) -> Step {
        let found = servers.len();
        servers.retain(|server| !is_nobody(server.address.ip()));
        let why = if found > 0 { "it leads to addresses that no device has".into() } else { why };
        let mut seen = std::collections::BTreeSet::new();
        servers.retain(|server| seen.insert(*server));
        servers.truncate(MAX_SERVERS);
        if servers.is_empty() {
            return Step::Done(Err(why));
        }
        let again = self.ttl.unwrap_or(SHORTEST * 10).clamp(SHORTEST, LONGEST);
        Step::Done(Ok(Located { servers, again }))
    }

    /// RFC 3263 4.1: without NAPTR records SRV is asked for every transport that may be used.
    fn ask_usual_srv(&mut self) -> Step {
        let domain = &self.host.name;
        let names = self.host.transports.iter().map(|transport| {
            let service = match transport {
                Transport::Udp => "_sip._udp",
                Transport::Tcp => "_sip._tcp",
                Transport::Tls => "_sips._tcp",
            };
            (*transport, format!("{service}.{domain}"))
        });
        self.ask_srv(names.collect(), false)
    }

    fn ask_srv(&mut self, names: Vec<(Transport, String)>, is_listed: bool) -> Step {
        let names: Vec<(Transport, String)> = names.into_iter().take(MAX_SERVERS).collect();
        let mut questions: Vec<Question> = names.iter().map(|(_, name)| Question::Srv(name.clone())).collect();
        questions.sort();
        questions.dedup();
        self.state = State::Srv { names, is_listed };
        Step::Ask(questions)
    }

    fn ask_itself(&mut self) -> Step {
        self.state = State::Itself;
        Step::Ask(vec![Question::Addresses(self.host.name.clone())])
    }

    /// What is used of an answer is good for no longer than that.
    fn live_for(&mut self, answer: Option<&Answer>) {
        let ttl = answer.and_then(|answer| answer.ttl);
        self.ttl = [self.ttl, ttl].into_iter().flatten().min();
    }
}

/// Why there was no answer, when that is known.
fn failure(answer: Option<&Answer>) -> String {
    match answer.map(|answer| &answer.found) {
        Some(Found::Failed(why)) => format!(": {why}"),
        Some(_) | None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Transport::{Tcp, Tls, Udp};

    /// A DNS of a few lines: `name TYPE ttl rest`.
    fn zone(text: &str) -> impl Fn(&Question) -> Answer + '_ {
        move |question| {
            let (name, kind) = match question {
                Question::Naptr(name) => (name, "NAPTR"),
                Question::Srv(name) => (name, "SRV"),
                Question::Addresses(name) => (name, "A"),
            };
            let (mut naptr, mut srv, mut ips, mut ttl, mut failed) = (vec![], vec![], vec![], None, None);
            for line in text.lines() {
                let words: Vec<&str> = line.split_whitespace().collect();
                if words.is_empty() || words[0] != name || words[1] != kind {
                    continue;
                }
                if words[2] == "fails" {
                    failed = Some("no answer".to_owned());
                    continue;
                }
                ttl = Some(Duration::from_secs(words[2].parse().unwrap()));
                let number = |at: usize| words[at].parse::<u16>().unwrap();
                match kind {
                    "NAPTR" => naptr.push(Naptr {
                        order: number(3),
                        preference: number(4),
                        flags: "s".into(),
                        service: words[5].into(),
                        replacement: words[6].into(),
                    }),
                    "SRV" => srv.push(Srv {
                        priority: number(3),
                        weight: number(4),
                        port: number(5),
                        target: words[6].trim_matches('.').into(),
                    }),
                    _ => ips.push(words[3].parse().unwrap()),
                }
            }
            let found = match (failed, kind) {
                (Some(why), _) => Found::Failed(why),
                (None, _) if naptr.is_empty() && srv.is_empty() && ips.is_empty() => Found::Nothing,
                (None, "NAPTR") => Found::Naptr(naptr),
                (None, "SRV") => Found::Srv(srv),
                (None, _) => Found::Addresses(ips),
            };
            Answer { found, ttl }
        }
    }

    /// Looks a name up; gives the servers or why not, when it asks again, and what it asked.
    fn look_up(host: &HostName, text: &str, seed: u64) -> (Result<Vec<String>, String>, u64, Vec<Question>) {
        let dns = zone(text);
        let (mut lookup, mut step) = Lookup::new(host);
        let (mut asked, mut rng) = (Vec::new(), Rng::from_number(seed));
        loop {
            match step {
                Step::Ask(questions) => {
                    let answers = questions.iter().map(|question| (question.clone(), dns(question))).collect();
                    asked.extend(questions);
                    step = lookup.answered(&answers, &mut rng);
                }
                Step::Done(Ok(Located { servers, again })) => {
                    let servers = servers.iter().map(|s| format!("{} {}", s.transport.name(), s.address)).collect();
                    return (Ok(servers), again.as_secs(), asked);
                }
                Step::Done(Err(why)) => return (Err(why), 0, asked),
            }
        }
    }

    fn host(pinned: &[Transport], spoken: &[Transport]) -> HostName {
        HostName::of_server("p.example", None, pinned, spoken, true)
    }

    /// Whoever answers for a name could have us send to everybody.
    #[test]
    fn addresses_of_no_single_device_are_left_out() {
        let none = "p.example A 60 239.1.1.1\np.example A 60 255.255.255.255\np.example A 60 0.0.0.0";
        let name = HostName::of_addresses("p.example");
        assert_eq!(look_up(&name, none, 1).0, Err("it leads to addresses that no device has".to_owned()));
        let some = format!("{none}\np.example A 60 192.0.2.1");
        assert_eq!(look_up(&name, &some, 1).0, Ok(vec!["udp 192.0.2.1:5060".to_owned()]));
    }

    /// The example of RFC 3263 4.1, with addresses.
    const RFC: &str = "p.example NAPTR 600 50 50 SIPS+D2T _sips._tcp.p.example
        p.example NAPTR 600 90 50 SIP+D2T _sip._tcp.p.example
        p.example NAPTR 600 100 50 SIP+D2U _sip._udp.p.example
        _sip._tcp.p.example SRV 300 0 1 5060 server1.p.example
        _sip._tcp.p.example SRV 300 1 2 5060 server2.p.example
        _sip._udp.p.example SRV 300 1 1 5070 server2.p.example
        _sip._udp.p.example SRV 300 2 1 5060 server1.p.example
        server1.p.example A 120 192.0.2.1
        server2.p.example A 90 192.0.2.2
        server2.p.example A 90 2001:db8::2";

    #[test]
    fn naptr_chooses_the_transport_that_both_speak() {
        let (servers, again, asked) = look_up(&host(&[], &[Udp, Tcp]), RFC, 1);
        assert_eq!(servers.unwrap(), ["tcp 192.0.2.1:5060", "tcp 192.0.2.2:5060", "tcp [2001:db8::2]:5060"]);
        assert_eq!(again, 90, "the shortest life of all that was used");
        assert_eq!(asked[..2], [Question::Naptr("p.example".into()), Question::Srv("_sip._tcp.p.example".into())]);
        let (servers, _, _) = look_up(&host(&[], &[Udp]), RFC, 1);
        assert_eq!(servers.unwrap(), ["udp 192.0.2.2:5070", "udp [2001:db8::2]:5070", "udp 192.0.2.1:5060"]);
    }

    #[test]
    fn one_transport_in_the_configuration_wins_and_asks_for_no_naptr() {
        let (servers, _, asked) = look_up(&host(&[Tcp], &[Udp, Tcp, Tls]), RFC, 1);
        assert_eq!(servers.unwrap()[0], "tcp 192.0.2.1:5060");
        assert_eq!(asked[0], Question::Srv("_sip._tcp.p.example".into()));
    }

    #[test]
    fn without_naptr_the_first_transport_with_srv_records_is_taken() {
        let zone = "p.example NAPTR fails
            _sip._tcp.p.example SRV 300 0 1 5060 one.example
            _sips._tcp.p.example SRV 300 0 1 5061 one.example
            one.example A 5 192.0.2.1";
        let (servers, again, asked) = look_up(&host(&[], &[Udp, Tcp, Tls]), zone, 1);
        assert_eq!(servers.unwrap(), ["tcp 192.0.2.1:5060"]);
        assert_eq!(again, 30, "not oftener");
        assert_eq!(asked.len(), 5, "NAPTR, SRV of three transports, one host: {asked:?}");
    }

    #[test]
    fn without_srv_the_name_itself_is_the_server() {
        let zone = "p.example A 999999 192.0.2.1\np.example A 999999 192.0.2.2";
        let (servers, again, _) = look_up(&host(&[], &[Udp]), zone, 1);
        assert_eq!((servers.unwrap(), again), (vec!["udp 192.0.2.1:5060".into(), "udp 192.0.2.2:5060".into()], 3600));
        let (servers, _, _) = look_up(&host(&[Tls], &[Udp, Tls]), zone, 1);
        assert_eq!(servers.unwrap()[0], "tls 192.0.2.1:5061");
        let named = HostName::of_server("p.example", Some(5080), &[], &[Udp], true);
        let (servers, _, asked) = look_up(&named, RFC.replace("server1.", "").as_str(), 1);
        assert_eq!(servers.unwrap(), ["udp 192.0.2.1:5080"]);
        assert_eq!(asked, [Question::Addresses("p.example".into())]);
    }

    #[test]
    fn a_server_without_an_address_is_left_out_and_nothing_left_says_why() {
        let zone = "_sip._udp.p.example SRV 300 0 1 5060 dead.example
            _sip._udp.p.example SRV 300 1 1 5060 live.example
            dead.example A fails
            live.example A 60 192.0.2.1";
        assert_eq!(look_up(&host(&[], &[Udp]), zone, 1).0.unwrap(), ["udp 192.0.2.1:5060"]);
        let dead = zone.replace("live.example A 60 192.0.2.1", "");
        let why = look_up(&host(&[Udp], &[Udp]), &dead, 1).0.unwrap_err();
        assert_eq!(why, "its server live.example has no address");
        assert_eq!(look_up(&host(&[], &[Udp]), "p.example A fails", 1).0.unwrap_err(), "it has no address: no answer");
        let refused = "_sip._udp.p.example SRV 300 0 0 0 .\np.example A 60 192.0.2.1";
        assert!(look_up(&host(&[], &[Udp]), refused, 1).0.unwrap_err().contains("no SIP is spoken there"));
    }

    #[test]
    fn however_many_servers_a_name_lists_few_are_used() {
        let many: String = (0..200)
            .map(|at| {
                format!("_sip._udp.p.example SRV 60 {at} 0 5060 h{at}.example\nh{at}.example A 60 192.0.2.{at}\n")
            })
            .collect();
        let (servers, _, asked) = look_up(&host(&[], &[Udp]), &many, 1);
        assert_eq!(servers.unwrap().len(), MAX_SERVERS);
        assert!(asked.len() <= MAX_SERVERS + 2);
    }

    /// Answers of all kinds to questions of all kinds, in seeded disorder: it always ends, and never with more.
    #[test]
    fn it_ends_whatever_is_answered() {
        let mut rng = Rng::from_number(0xD15);
        for _ in 0..3000 {
            let all = [Udp, Tcp, Tls];
            let count = usize::try_from(rng.below(3)).unwrap() + 1;
            let (mut lookup, mut step) = Lookup::new(&host(&[], &all[..count]));
            let mut rounds = 0;
            while let Step::Ask(questions) = step {
                rounds += 1;
                assert!(rounds <= 4 && questions.len() <= MAX_SERVERS);
                let answers = questions.into_iter().map(|question| {
                    let records = rng.below(40);
                    let text = |rng: &mut Rng| ["", "a.example", "b.example"][usize::try_from(rng.below(3)).unwrap()];
                    let found = match rng.below(5) {
                        0 => Found::Nothing,
                        1 => Found::Failed("x".into()),
                        2 => Found::Addresses(
                            (0..records).map(|at| [192, 0, 2, u8::try_from(at).unwrap()].into()).collect(),
                        ),
                        3 => Found::Srv(
                            (0..records)
                                .map(|_| Srv {
                                    priority: u16::try_from(rng.below(3)).unwrap(),
                                    weight: u16::try_from(rng.below(65536)).unwrap(),
                                    port: 5060,
                                    target: text(&mut rng).into(),
                                })
                                .collect(),
                        ),
                        _ => Found::Naptr(
                            (0..records)
                                .map(|_| Naptr {
                                    order: u16::try_from(rng.below(3)).unwrap(),
                                    preference: 0,
                                    flags: "S".into(),
                                    service: ["SIP+D2U", "SIP+D2T", "x"][usize::try_from(rng.below(3)).unwrap()].into(),
                                    replacement: text(&mut rng).into(),
                                })
                                .collect(),
                        ),
                    };
                    (question, Answer { found, ttl: Some(Duration::from_secs(rng.below(100_000))) })
                });
                let answers: BTreeMap<Question, Answer> = answers.collect();
                step = lookup.answered(&answers, &mut Rng::from_number(1));
            }
            if let Step::Done(Ok(located)) = step {
                assert!((1..=MAX_SERVERS).contains(&located.servers.len()));
                assert!((SHORTEST..=LONGEST).contains(&located.again));
            }
        }
    }
}

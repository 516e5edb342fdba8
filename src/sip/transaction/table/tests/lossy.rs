//! Two ends over a network that loses, duplicates and reorders: whatever happens, every call ends and nothing is left.

use super::*;
use crate::sip::dialog::{Dialog, DialogKey};
use crate::sip::transaction::Account;
use std::collections::BTreeMap;

/// What the callee does, and when the caller loses patience.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Script {
    Answer,
    Busy,
    /// The caller cancels after this many milliseconds; the callee would answer after 2 s.
    Cancel(u64),
    /// The callee receives nothing any more once it has answered.
    StopReceiving,
}

/// One end. Its timers are few: the next thing the user does, and the 2xx again.
struct End {
    table: Transactions<Requester>,
    rng: Rng,
    flow: Flow,
    out: Vec<Transmit>,
    dialogs: BTreeMap<DialogKey, Dialog>,
    todo: Vec<(Time, Todo)>,
    invites: u32,
    talked: bool,
    receives_nothing: bool,
    script: Script,
}

#[derive(Debug, Clone)]
enum Todo {
    Answer(ServerId),
    /// The 2xx again, after twice the interval (RFC 3261 13.3.1.4).
    Again(ServerId, Response, Duration, Time),
    Cancel(ClientId),
    HangUp,
}

impl End {
    fn new(seed: u64, local: &str, remote: &str, script: Script) -> End {
        End {
            table: transactions(),
            rng: Rng::from_number(seed),
            flow: Flow::udp(address(local), address(remote)),
            out: Vec::new(),
            dialogs: BTreeMap::new(),
            todo: Vec::new(),
            invites: 0,
            talked: false,
            receives_nothing: false,
            script,
        }
    }

    fn next(&self) -> Option<Time> {
        self.todo.iter().map(|(when, _)| *when).chain(self.table.next_deadline()).min()
    }

    fn is_done(&self) -> bool {
        self.table.is_empty() && self.dialogs.is_empty() && self.todo.is_empty()
    }

    fn send(&mut self, now: Time, request: Request) -> ClientId {
        let request = ClientRequest {
            request,
            flow: self.flow,
            how: Sending::Reliably,
            requester: "end",
            account: Account::Nobody,
        };
        self.table.request(now, request, &mut self.rng, &mut self.out)
    }

    fn hang_up(&mut self, now: Time) {
        for (_, mut dialog) in std::mem::take(&mut self.dialogs) {
            let bye = dialog.request(Method::Bye);
            self.send(now, bye);
        }
    }

    fn wake(&mut self, now: Time) {
        let (due, later) = self.todo.drain(..).partition(|(when, _)| *when <= now);
        self.todo = later;
        for (_, todo) in due {
            self.act(now, todo);
        }
        let _ = self.table.expire(now, &mut self.out);
    }

    fn act(&mut self, now: Time, todo: Todo) {
        match todo {
            Todo::Answer(id) => {
                // Cancelled meanwhile, or gone.
                if self.dialogs.is_empty() {
                    return;
                }
                self.receives_nothing = self.script == Script::StopReceiving;
                let Some(request) = self.table.server_request(id) else { return };
                let mut response = Response::for_request(request, 200, Some("callee"));
                response.headers.push(HeaderName::Contact, format!("<sip:callee@{}>", self.flow.local));
                self.act(now, Todo::Again(id, response, ms(500), now + ms(32_000)));
            }
            Todo::Again(id, response, interval, end) => {
                if now >= end {
                    return self.hang_up(now);
                }
                self.table.respond(now, id, response.clone(), &mut self.out);
                let when = (now + interval).min(end);
                self.todo.push((when, Todo::Again(id, response, (interval * 2).min(ms(4_000)), end)));
            }
            Todo::Cancel(id) => {
                let started = self.table.request_of(id).is_some_and(|request| request.method == Method::Invite);
                if self.table.cancel(now, id, None, &mut self.out).is_none() && started && self.dialogs.is_empty() {
                    self.todo.push((now + ms(100), Todo::Cancel(id)));
                }
            }
            Todo::HangUp => self.hang_up(now),
        }
    }

    fn receive(&mut self, now: Time, bytes: &Bytes) {
        match parsed(bytes) {
            Message::Request(request) => self.request(now, &request),
            Message::Response(response) => self.response(now, response),
        }
    }

    fn request(&mut self, now: Time, request: &Request) {
        if self.receives_nothing {
            return;
        }
        let essentials = validate::request(request).unwrap();
        let incoming = self.table.receive_request(now, request, &essentials, self.flow, &mut self.out);
        match incoming {
            Incoming::New(id) if request.method == Method::Invite => self.invited(now, id, request, &essentials),
            Incoming::New(id) => {
                let known = DialogKey::of_request(&essentials).and_then(|key| self.dialogs.remove(&key)).is_some();
                self.todo.retain(|(_, todo)| !matches!(todo, Todo::Again(..)));
                let response = Response::for_request(request, if known { 200 } else { 481 }, None);
                self.table.respond(now, id, response, &mut self.out);
            }
            Incoming::Cancel { id, invite } => {
                let response = Response::for_request(request, if invite.is_some() { 200 } else { 481 }, Some("callee"));
                self.table.respond(now, id, response, &mut self.out);
                let invite = invite.and_then(|id| self.table.server_request(id).cloned().map(|request| (id, request)));
                if let Some((id, request)) = invite
                    && !self.talked
                    && self.todo.iter().any(|(_, todo)| matches!(todo, Todo::Answer(_)))
                {
                    self.todo.clear();
                    self.dialogs.clear();
                    self.table.respond(now, id, Response::for_request(&request, 487, Some("callee")), &mut self.out);
                }
            }
            Incoming::Ack(_) => {
                self.talked = true;
                self.todo.retain(|(_, todo)| !matches!(todo, Todo::Again(..)));
            }
            Incoming::Absorbed => {}
            Incoming::Full => panic!("two calls do not fill a table of a hundred"),
        }
    }

    fn invited(&mut self, now: Time, id: ServerId, request: &Request, essentials: &Essentials) {
        self.invites += 1;
        if self.script == Script::Busy {
            return self.table.respond(now, id, Response::for_request(request, 486, Some("callee")), &mut self.out);
        }
        let dialog = Dialog::uas(request, essentials, "callee").unwrap();
        self.dialogs.insert(dialog.key(), dialog);
        self.table.respond(now, id, Response::for_request(request, 180, Some("callee")), &mut self.out);
        self.todo.push((now + ms(2_000), Todo::Answer(id)));
    }

    fn response(&mut self, now: Time, response: Response) {
        let essentials = validate::response(&response).unwrap();
        let Some(answer) = self.table.receive_response(now, response, essentials, self.flow, &mut self.out) else {
            return;
        };
        if answer.essentials.cseq.method != Method::Invite || !(200..300).contains(&answer.response.status) {
            return;
        }
        let sent = self.table.request_of(answer.id).unwrap();
        let dialog = Dialog::uac(&sent, &answer.response, &answer.essentials).unwrap();
        let ack = dialog.ack(answer.essentials.cseq.number);
        self.table.acknowledge(answer.id, ack, self.flow, &mut self.rng, &mut self.out);
        self.dialogs.insert(dialog.key(), dialog);
        self.talked = true;
        // Who cancelled too late hangs up at once.
        let patience = if matches!(self.script, Script::Cancel(_)) { 0 } else { 20_000 };
        self.todo.push((now + ms(patience), Todo::HangUp));
    }
}

/// One call. Whether both ends talked.
fn call(seed: u64, script: Script, loss: u64) -> bool {
    let mut net = Rng::from_number(seed ^ 0x5eed);
    let mut ends = [
        End::new(seed * 2, "192.0.2.1:5060", "192.0.2.20:5062", script),
        End::new(seed * 2 + 1, "192.0.2.20:5062", "192.0.2.1:5060", script),
    ];
    let [caller, _] = &mut ends;
    let invite = caller.send(at(0), ours(Method::Invite));
    if let Script::Cancel(after) = script {
        caller.todo.push((at(after), Todo::Cancel(invite)));
    }
    let mut wire: BTreeMap<(Time, u64), Transmit> = BTreeMap::new();
    let (mut now, mut number) = (at(0), 0u64);
    for _ in 0..10_000 {
        for transmit in ends.iter_mut().flat_map(|end| end.out.drain(..)) {
            for _ in 0..if net.below(100) < 5 { 2 } else { 1 } {
                number += 1;
                if net.below(100) >= loss {
                    wire.insert((now + ms(net.below(400)), number), transmit.clone());
                }
            }
        }
        let arrival = wire.first_key_value().map(|((when, _), _)| *when);
        let Some(next) = ends.iter().filter_map(End::next).chain(arrival).min() else { break };
        assert!(next >= now && next < at(300_000), "seed {seed} {script:?}: time goes forward and comes to an end");
        now = next;
        while let Some(entry) = wire.first_entry().filter(|entry| entry.key().0 <= now) {
            let transmit = entry.remove();
            let [caller, callee] = &mut ends;
            let end = if transmit.flow.remote == caller.flow.local { caller } else { callee };
            end.receive(now, &transmit.bytes);
        }
        ends.iter_mut().for_each(|end| end.wake(now));
    }
    let [caller, callee] = &ends;
    assert!(caller.is_done() && callee.is_done() && wire.is_empty(), "seed {seed} {script:?}: something is left");
    assert!(callee.invites <= 1, "seed {seed} {script:?}: a retransmission was taken for a new call");
    caller.talked && (callee.talked || script == Script::StopReceiving)
}

fn talks(script: Script, loss: u64) -> usize {
    (0..200).filter(|seed| call(*seed, script, loss)).count()
}

#[test]
fn answered_calls_end_with_nothing_left_at_30_percent_loss() {
    let talked = talks(Script::Answer, 30);
    assert!(talked >= 199, "{talked} of 200 calls came about");
}

#[test]
fn answered_calls_end_with_nothing_left_without_loss() {
    assert_eq!(talks(Script::Answer, 0), 200);
}

#[test]
fn refused_calls_end_with_nothing_left() {
    assert_eq!(talks(Script::Busy, 30), 0);
}

#[test]
fn cancelled_calls_end_with_nothing_left_whoever_is_first() {
    assert_eq!(talks(Script::Cancel(500), 0), 0);
    talks(Script::Cancel(500), 30);
    assert!(talks(Script::Cancel(2_100), 30) > 0, "some answers cross the CANCEL");
}

#[test]
fn the_timers_end_a_call_whose_callee_receives_nothing() {
    assert!(talks(Script::StopReceiving, 30) >= 195);
}

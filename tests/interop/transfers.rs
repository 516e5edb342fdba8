//! Stories of calls that change hands, told with telephones of three makers: each of them holds, transfers, parks and
//! picks up by what its own program has for that.
//!
//! baresip 1.0.0 has no attended transfer; all else each of them can.

use std::sync::OnceLock;

use crate::clients::{network, over};
use crate::exchange::{ALICE, BOB, CAROL, Exchange, Wishes};
use crate::telephone::Client::{self, Baresip, Linphone, Pjsua2};
use crate::telephone::{Order, Telephone, Way};
use crate::tone;

/// The music on hold, in Hz.
const MUSIC: u16 = 880;

#[test]
fn baresip_holds_transfers_parks_and_picks_up() {
    told("baresip transfers", [Baresip, Linphone, Pjsua2]);
}

#[test]
fn linphone_holds_transfers_parks_and_picks_up() {
    told("linphone transfers", [Linphone, Pjsua2, Baresip]);
}

#[test]
fn pjsua2_holds_transfers_parks_and_picks_up() {
    told("pjsua2 transfers", [Pjsua2, Baresip, Linphone]);
}

/// Three telephones, 100, 200 and 300. The first does what the story is about.
struct Stage<'a> {
    exchange: &'a Exchange,
    a: Telephone,
    b: Telephone,
    c: Telephone,
}

/// 650 and 651 send the caller to 300: by REFER, and by 302.
const PLAN: &str = "include => parkedcalls\n\
    exten => 650,1,Answer()\n\
    \x20same => n,Transfer(300)\n\
    \x20same => n,Verbose(1,650 transferred: ${TRANSFERSTATUS})\n\
    exten => 651,1,Transfer(300)\n";

fn told(story: &str, clients: [Client; 3]) {
    let Some(namespace) = network(story, &clients) else { return };
    let music = format!("[default]\nmode=files\ndirectory={}\n", music().display());
    let wishes = Wishes {
        address: Way::Udp.address(),
        namespace: Some(&namespace.name),
        line: "mohinterpret=default\ncallgroup=1\npickupgroup=1\n",
        extensions: PLAN,
        files: &[("musiconhold.conf", &music)],
        ..Wishes::default()
    };
    let exchange = Exchange::start(&story.replace(' ', "-"), &wishes);
    let before = exchange.descriptors();
    let [a, b, c] =
        [(0, ALICE), (1, BOB), (2, CAROL)].map(|(at, line)| Telephone::start(&exchange, clients[at], line, Way::Udp));
    for user in ["alice", "bob", "carol"] {
        exchange.said(&format!("Registered SIP '{user}'"));
    }
    let mut stage = Stage { exchange: &exchange, a, b, c };
    stage.everything();
    for telephone in [stage.a, stage.b, stage.c] {
        telephone.quits();
    }
    exchange.assert_nothing_left(before);
    exchange.stop();
}

impl Stage<'_> {
    fn everything(&mut self) {
        self.holds_with_music_and_transfers_whom_it_called();
        self.transfers_who_called_it();
        if self.a.client != Baresip {
            self.connects_its_two_calls();
        }
        self.is_transferred("650");
        self.is_transferred("651");
        self.parks();
        self.picks_up();
    }

    fn holds_with_music_and_transfers_whom_it_called(&mut self) {
        self.a.told(Order::Call("200"));
        self.talk(&self.a, &self.b);
        self.a.told(Order::Hold);
        self.b.hears(MUSIC, self.exchange);
        self.b.hears_no_more(self.a.client.tone());
        self.a.told(Order::Resume);
        self.b.hears(self.a.client.tone(), self.exchange);
        self.b.hears_no_more(MUSIC);
        if self.a.client.records_after_hold() {
            self.a.hears(self.b.client.tone(), self.exchange);
        }
        self.a.told(Order::Transfer("300"));
        self.talk(&self.b, &self.c);
        self.a.is_idle();
        self.b.told(Order::HangUp);
        self.over();
    }

    fn transfers_who_called_it(&mut self) {
        self.b.told(Order::Call("100"));
        self.talk(&self.a, &self.b);
        self.a.told(Order::Transfer("300"));
        self.talk(&self.b, &self.c);
        self.a.is_idle();
        self.c.told(Order::HangUp);
        self.over();
    }

    /// REFER with Replaces.
    fn connects_its_two_calls(&mut self) {
        self.a.told(Order::Call("200"));
        self.talk(&self.a, &self.b);
        self.a.told(Order::Hold);
        self.b.hears(MUSIC, self.exchange);
        self.a.told(Order::Call("300"));
        self.talk(&self.a, &self.c);
        self.a.told(Order::Connect);
        self.talk(&self.b, &self.c);
        self.a.is_idle();
        self.b.told(Order::HangUp);
        self.over();
    }

    fn is_transferred(&mut self, number: &str) {
        self.a.told(Order::Call(number));
        self.talk(&self.a, &self.c);
        self.c.told(Order::HangUp);
        self.over();
    }

    /// It transfers its caller to 700, and 701 is where another one takes the call back.
    fn parks(&mut self) {
        self.b.told(Order::Call("100"));
        self.talk(&self.a, &self.b);
        self.a.told(Order::Transfer("700"));
        self.b.hears(MUSIC, self.exchange);
        self.a.is_idle();
        self.c.told(Order::Call("701"));
        self.talk(&self.b, &self.c);
        self.c.told(Order::HangUp);
        self.over();
    }

    /// 200 rings, and it answers by *8.
    fn picks_up(&mut self) {
        self.b.answers(false, self.exchange);
        self.c.told(Order::Call("200"));
        self.exchange.ask_until("core show channels", "Ringing");
        self.a.told(Order::Call("*8"));
        self.talk(&self.a, &self.c);
        self.exchange.ask_until("core show channels", "2 active channels");
        self.a.told(Order::HangUp);
        self.over();
        self.b.answers(true, self.exchange);
    }

    /// Each hears the other.
    fn talk(&self, one: &Telephone, other: &Telephone) {
        one.hears(other.client.tone(), self.exchange);
        other.hears(one.client.tone(), self.exchange);
    }

    fn over(&self) {
        over(self.exchange, &[&self.a, &self.b, &self.c]);
    }
}

/// A folder with one piece of music.
fn music() -> &'static std::path::Path {
    static FOLDER: OnceLock<std::path::PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("interop-music");
        std::fs::create_dir_all(&folder).unwrap();
        tone::write(&folder.join("tone.wav"), MUSIC, 20);
        folder
    })
}

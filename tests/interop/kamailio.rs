//! Kamailio as a proxy in front of the exchange, after `kamailio.cfg`: telephones register and call through it.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::clients::{calls_and_is_heard, network, over};
use crate::exchange::{ALICE, BOB, Exchange, Wishes, wait};
use crate::namespace::{ADDRESS, PROXY};
use crate::skip;
use crate::telephone::Client::{self, Baresip, Linphone, Pjsua2};
use crate::telephone::{Order, Telephone, Way, program};

/// One that is running; ended with the value.
pub struct Kamailio {
    child: Child,
}

impl Kamailio {
    fn start(exchange: &Exchange) -> Kamailio {
        Kamailio::start_as(exchange, "kamailio.cfg", &format!("{PROXY}:{}", exchange.port))
    }

    /// One after another file, at this address.
    pub fn start_as(exchange: &Exchange, file: &str, at: &str) -> Kamailio {
        let template = format!("{}/tests/interop/{file}", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&template).unwrap_or_else(|error| panic!("{template}: {error}"));
        let text = text
            .replace("{PROXY}", at)
            .replace("{EXCHANGE_PORT}", &exchange.port.to_string())
            .replace("{EXCHANGE}", &exchange.server(Way::Udp));
        let folder = exchange.folder.join("kamailio");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("kamailio.cfg"), text).unwrap();
        let output = std::fs::File::create(folder.join("output")).unwrap();
        let child = program(exchange, "kamailio")
            .args(["-DD", "-E", "-m", "32", "-M", "4", "-Y"])
            .arg(&folder)
            .arg("-P")
            .arg(folder.join("pid"))
            .arg("-f")
            .arg(folder.join("kamailio.cfg"))
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        let mut kamailio = Kamailio { child };
        let ready = wait(Duration::from_secs(10), || {
            assert!(kamailio.child.try_wait().unwrap().is_none(), "kamailio ended, see {}", folder.display());
            std::fs::read_to_string(folder.join("output")).is_ok_and(|text| text.contains("tcp main process"))
                || folder.join("pid").exists()
        });
        assert!(ready, "kamailio does not start, see {}", folder.display());
        kamailio
    }
}

impl Drop for Kamailio {
    fn drop(&mut self) {
        // Asked first, so that it ends its processes, too.
        let _ = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        if !wait(Duration::from_secs(5), || self.child.try_wait().is_ok_and(|status| status.is_some())) {
            let _ = self.child.kill();
        }
        let _ = self.child.wait();
    }
}

#[test]
fn baresip_and_pjsua2_behind_a_proxy_with_path_and_record_route() {
    behind_a_proxy(Baresip, Pjsua2);
}

#[test]
fn baresip_and_linphone_behind_a_proxy_with_path_and_record_route() {
    behind_a_proxy(Baresip, Linphone);
}

/// The first telephone reaches the proxy over UDP, the second over TCP; the exchange knows the proxy over UDP only.
fn behind_a_proxy(first: Client, second: Client) {
    let story = format!("{first:?} and {second:?} behind Kamailio");
    if !crate::installed("kamailio") {
        skip(&story, "kamailio: not installed");
        return;
    }
    let Some(namespace) = network(&story, &[first, second]) else { return };
    let general = format!("supportpath=yes\ncontactpermit={PROXY}\n");
    let wishes = Wishes {
        qualify: "2000",
        address: ADDRESS,
        namespace: Some(&namespace.name),
        general: &general,
        ..Wishes::default()
    };
    let exchange = Exchange::start(&story.replace(' ', "-"), &wishes);
    exchange.ask("sip set debug on");
    let before = exchange.descriptors();
    let kamailio = Kamailio::start(&exchange);
    let server = format!("{PROXY}:{}", exchange.port);
    let mut a = Telephone::start_at(&exchange, first, ALICE, Way::Udp, &server);
    let mut b = Telephone::start_at(&exchange, second, BOB, Way::Tcp, &server);
    exchange.said("Registered SIP 'alice'");
    exchange.said("Registered SIP 'bob'");
    exchange.said("Peer 'alice' is now Reachable");
    exchange.said("Peer 'bob' is now Reachable");

    calls_and_is_heard(&exchange, &mut a, &mut b, "200");
    b.told(Order::HangUp);
    over(&exchange, &[&a, &b]);
    calls_and_is_heard(&exchange, &mut b, &mut a, "100");
    a.told(Order::HangUp);
    over(&exchange, &[&a, &b]);
    a.is_refused("602", 486);
    over(&exchange, &[&a]);
    for telephone in [a, b] {
        telephone.quits();
    }
    exchange.said("Unregistered SIP 'alice'");
    exchange.said("Unregistered SIP 'bob'");
    // Whatever the Contacts said: each message went to the proxy, and none past it.
    let log = exchange.log();
    let past: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("Transmitting to") && !line.contains(&format!("UDP:{server} ")))
        .collect();
    assert!(past.is_empty(), "past the proxy: {past:?}");
    exchange.assert_nothing_left(before);
    drop(kamailio);
    exchange.stop();
}

//! The ports for TCP and TLS.

use super::finding::Finding;
use crate::config::Config;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener};

/// Whether the exchange could have its ports for connections; one that runs has them.
pub(super) fn ports(config: &Config, runs: bool) -> Vec<Finding> {
    let streams = &config.sip.general.streams;
    let tls = streams.tls.as_ref().map(|tls| tls.bind);
    let all = [("TCP", "tcpbindaddr", streams.tcp), ("TLS", "tlsbindaddr", tls)];
    all.into_iter().filter_map(|(name, option, bind)| Some(port(name, option, bind?, runs))).collect()
}

fn port(name: &str, option: &str, bind: SocketAddr, runs: bool) -> Finding {
    match TcpListener::bind(bind) {
        Ok(_) if runs => Finding::todo(
            "port",
            format!("{bind} (SIP over {name}): the exchange that runs does not listen there"),
            "restart it: such a port is opened at its start only",
        ),
        Ok(_) => Finding::fine("port", format!("{bind} (SIP over {name}) is free")),
        Err(error) if error.kind() == ErrorKind::AddrInUse && runs => {
            Finding::fine("port", format!("{bind} (SIP over {name}) is taken, by the exchange that runs as it seems"))
        }
        Err(error) if error.kind() == ErrorKind::AddrInUse => Finding::todo(
            "port",
            format!("{bind} (SIP over {name}) is taken by another program"),
            format!("ss -tlpn shows which: end it, or set another port: {option}= in sip.conf"),
        ),
        Err(error) => Finding::todo(
            "port",
            format!("{bind} (SIP over {name}) cannot be opened: {error}"),
            format!("set {option}= in sip.conf to an address of this machine and a port above 1023"),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_for_connections_is_free_taken_or_the_exchange_s_own() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let bind = taken.local_addr().unwrap();
        let text = format!("[general]\ntcpenable=yes\ntcpbindaddr={bind}\n");
        let config = Config::from_texts(&text, "", "", "").0.unwrap();
        assert!(ports(&config, false)[0].is_todo() && !ports(&config, true)[0].is_todo());
        drop(taken);
        assert!(!ports(&config, false)[0].is_todo() && ports(&config, true)[0].is_todo());
        assert!(ports(&Config::from_texts("", "", "", "").0.unwrap(), false).is_empty());
    }
}

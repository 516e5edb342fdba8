//! The options of `[general]` that say how SIP is carried.

use super::builder::GeneralDraft;
use super::option::{Effect, OptionRow, Trouble, guard, row};
use crate::config::value;
use std::net::IpAddr;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(&["tcpenable"], "yes or no", "no", "accept SIP over TCP, too", Effect::General(tcp_enable)),
    guard(
        &["tcpbindaddr"],
        BIND,
        "the address and port for UDP",
        "where SIP over TCP is accepted",
        Effect::General(|draft, text| bind(text, &mut draft.tcp_bind)),
    ),
    row(
        &["tlsenable"],
        "yes or no",
        "no",
        "accept SIP over TLS, too; needs 'tlscertfile'",
        Effect::General(tls_enable),
    ),
    guard(
        &["tlsbindaddr"],
        BIND,
        "the address for UDP, port 5061",
        "where SIP over TLS is accepted",
        Effect::General(|draft, text| bind(text, &mut draft.tls_bind)),
    ),
    row(
        &["tlscertfile"],
        "a file (PEM)",
        "must be given with 'tlsenable'",
        "our certificate with its chain, and its key unless 'tlsprivatekey' names another file",
        Effect::General(certificate),
    ),
    row(
        &["tlsprivatekey"],
        "a file (PEM)",
        "the file of 'tlscertfile'",
        "the key of our certificate",
        Effect::General(key),
    ),
    row(
        &["tlscafile"],
        "a file (PEM)",
        "the system's list",
        "whose certificates a server must show that we connect to",
        Effect::General(authorities),
    ),
    row(
        &["tlsdontverifyserver"],
        "yes or no",
        "no",
        "connect to servers whatever certificate they show",
        Effect::General(dont_verify),
    ),
    row(
        &["tcpauthtimeout"],
        "seconds, at least 1",
        "30",
        "a TCP or TLS connection that is not authenticated within this time is closed",
        Effect::General(auth_timeout),
    ),
    row(
        &["tcpauthlimit"],
        "a number from 1",
        "100",
        "maximum number of unauthenticated TCP and TLS connections; beyond it the oldest are closed",
        Effect::General(auth_limit),
    ),
    row(
        &["externaddr", "externip"],
        "an IP address, with ':port' if need be",
        "none",
        "our address outside of an address translator: told to devices that are not in 'localnet'",
        Effect::General(extern_address),
    ),
    row(
        &["externhost"],
        "a host name, with ':port' if need be",
        "none",
        "the same by name, looked up every 'externrefresh'",
        Effect::General(extern_host),
    ),
    row(
        &["stunaddr"],
        "a host name or IP address, with ':port' if it is not 3478; empty: none",
        "none",
        "a STUN server that is asked for our address outside, where neither 'externaddr' nor 'externhost' says it",
        Effect::General(stun_address),
    ),
    row(
        &["externrefresh"],
        "seconds, at least 1",
        "10",
        "how often 'externhost' is looked up",
        Effect::General(extern_refresh),
    ),
    row(
        &["srvlookup"],
        "yes or no",
        "yes",
        "a host name without a port is asked of NAPTR and SRV records, too (RFC 3263); no: of A and AAAA alone",
        Effect::General(srv_lookup),
    ),
    row(
        &["localnet"],
        "a network such as 192.168.0.0/16; may be repeated",
        "none",
        "networks on our side of the address translator; without any 'externaddr' has no effect",
        Effect::General(local_net),
    ),
    row(
        &["externtcpport"],
        PORT,
        "the port we listen on",
        "our TCP port outside",
        Effect::General(|draft, text| port(text, &mut draft.general.external.tcp_port)),
    ),
    row(
        &["externtlsport"],
        PORT,
        "the port we listen on",
        "our TLS port outside",
        Effect::General(|draft, text| port(text, &mut draft.general.external.tls_port)),
    ),
    row(
        &["matchexternaddrlocally", "matchexterniplocally"],
        "yes or no",
        "no",
        "tell the address outside only where our own address is in 'localnet'",
        Effect::General(match_locally),
    ),
];

const BIND: &str = "an IP address of this machine, or 0.0.0.0 or :: for all, with ':port' if need be";
/// RFC 5389 9.
const STUN_PORT: u16 = 3478;
const PORT: &str = "a port from 1 to 65535";

fn tcp_enable(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.tcp = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn tls_enable(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.tls = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn bind(text: &str, setting: &mut Option<(IpAddr, Option<u16>)>) -> Result {
    // Listening on all addresses instead would accept requests that the line excludes: the row guards.
    *setting = Some(value::address(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn certificate(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.certificate_place = Some(draft.at.clone());
    file(text, &mut draft.tls_certificate)
}

fn key(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.key_place = Some(draft.at.clone());
    file(text, &mut draft.tls_key)
}

fn authorities(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.authorities_place = Some(draft.at.clone());
    file(text, &mut draft.tls_authorities)
}

fn file(text: &str, setting: &mut Option<std::path::PathBuf>) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    *setting = Some(text.into());
    Ok(())
}

fn dont_verify(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.tls_verify = !value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn auth_timeout(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.streams.auth_timeout = some_seconds(text)?;
    Ok(())
}

fn auth_limit(draft: &mut GeneralDraft, text: &str) -> Result {
    let limit = value::number(text).filter(|limit| *limit > 0).and_then(|limit| usize::try_from(limit).ok());
    draft.general.streams.auth_limit = limit.ok_or(Trouble::Bad)?;
    Ok(())
}

fn some_seconds(text: &str) -> std::result::Result<Duration, Trouble> {
    value::seconds(text).filter(|time| !time.is_zero()).ok_or(Trouble::Bad)
}

fn extern_address(draft: &mut GeneralDraft, text: &str) -> Result {
    let Some((ip, port)) = value::address(text) else {
        // As chan_sip, which looks a name up here, too.
        return extern_host(draft, text);
    };
    if ip.is_unspecified() || ip.is_multicast() || ip.is_loopback() {
        return Err(Trouble::ignored(
            format!("'{text}' is not an address that others can reach"),
            "write the one outside",
        ));
    }
    draft.general.external.address = Some((ip, port));
    Ok(())
}

fn extern_host(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.external.host = Some(value::host_name(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn stun_address(draft: &mut GeneralDraft, text: &str) -> Result {
    let read = match value::address(text) {
        Some((ip, port)) => Some((ip.to_string(), port)),
        None => value::host_name(text),
    };
    draft.general.external.stun = match (read, text.is_empty()) {
        (Some((name, port)), _) => Some((name, port.unwrap_or(STUN_PORT))),
        (None, true) => None,
        (None, false) => return Err(Trouble::Bad),
    };
    Ok(())
}

fn extern_refresh(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.external.refresh = some_seconds(text)?;
    Ok(())
}

fn local_net(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.external.local_nets.push(value::network(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn port(text: &str, setting: &mut Option<u16>) -> Result {
    *setting = Some(value::port(text).ok_or(Trouble::Bad)?);
    Ok(())
}

fn srv_lookup(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.srv_lookup = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn match_locally(draft: &mut GeneralDraft, text: &str) -> Result {
    draft.general.external.match_locally = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

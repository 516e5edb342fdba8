//! The options that `[general]` presets and a peer may change.

use super::option::{Effect, OptionRow, Trouble, guard, row};
use crate::config::peer::{
    Correction, DirectMedia, DtmfMode, Insecure, Nat, OutboundProxy, PeerAddress, ProgressInBand, SendRpid,
    SessionTimers, Settings, T38, Tristate,
};
use crate::config::value::{self, FALSE_WORDS, TRUE_WORDS, is_one_of, words};
use crate::names::HostName;
use crate::sip::digest::Algorithm;
use crate::sip::flow::Transport;
use crate::sip::header::Refresher;
use crate::sip::header::session_expires::SHORTEST;
use std::net::SocketAddr;
use std::time::Duration;

type Result = std::result::Result<(), Trouble>;

pub(super) const ROWS: &[OptionRow] = &[
    row(
        &["context"],
        "a context of extensions.conf",
        "default",
        "where calls enter the dialplan",
        Effect::Settings(context),
    ),
    row(
        &["nat"],
        "no, force_rport, comedia, auto_force_rport, auto_comedia, with commas between",
        "auto_force_rport",
        "how replies and media find a device behind an address translator",
        Effect::Settings(nat),
    ),
    row(
        &["directmedia", "canreinvite"],
        "yes, no, or nonat (not for a device behind an address translator)",
        "no",
        "send RTP directly between the devices instead of through the exchange",
        Effect::Settings(direct_media),
    ),
    row(
        &["dtmfmode"],
        "rfc2833, inband, info, shortinfo, auto",
        "rfc2833",
        "how digits are sent to the device, and whether its sound is listened to for them; between two lines digits are converted only where this says that they differ in kind (docs/explain/digits.md)",
        Effect::Settings(dtmf_mode),
    ),
    row(
        &["auth_algorithm"],
        "md5, sha256",
        "md5",
        "what its digest is made with; sha256 (RFC 8760) only for devices that know it (not an option of Asterisk's)",
        Effect::Settings(auth_algorithm),
    ),
    row(
        &["insecure"],
        "port, invite, with a comma between, or no; very (port,invite) and yes (port) as old files have it",
        "no",
        "port: calls from the 'host' are known whatever port they come from (over TCP and TLS they always are); invite: calls from the 'host', or of a friend or user by its name, need no password",
        Effect::Settings(insecure),
    ),
    row(
        &["outboundproxy"],
        "[udp://|tcp://|tls://]host[:port][,force]; empty: none",
        "none",
        "requests to it go to this proxy; force: those within a call, too. In [general] it is for peers whose 'host' is an address or a name, not for devices that register",
        Effect::Settings(outbound_proxy),
    ),
    row(
        &["qualify"],
        "yes (2000 ms), no, or milliseconds",
        "no",
        "ask regularly whether the device is there; slower answers make it LAGGED",
        Effect::Settings(qualify),
    ),
    row(
        &["qualifyfreq"],
        "seconds, at least 1",
        "60",
        "time between two questions of 'qualify'",
        Effect::Settings(qualify_freq),
    ),
    row(
        &["keepalive"],
        "yes (60 s), no, or seconds",
        "no",
        "send empty packets so that an address translator stays open",
        Effect::Settings(keepalive),
    ),
    row(
        &["videosupport"],
        "yes, no, always",
        "no",
        "its calls may carry video between two devices that both may, as it comes; always is yes",
        Effect::Settings(video),
    ),
    row(
        &["textsupport"],
        "yes or no",
        "no",
        "its calls may carry real-time text (T.140) between two devices that both may, as it comes",
        Effect::Settings(text_support),
    ),
    row(
        &["t38pt_udptl"],
        "no, or yes, with fec, redundancy or none and maxdatagram=BYTES behind commas",
        "no",
        "its calls may change to fax by T.38 when both devices may; it passes as it comes, so the words behind yes are only shown. Refused (488) on a call with a line=modem",
        Effect::Settings(t38),
    ),
    row(
        &["trustrpid"],
        "yes or no",
        "no",
        "believe who calls by P-Asserted-Identity, Remote-Party-ID or P-Preferred-Identity, before 'callerid'; and by From, also of a line that registers, and who forwarded the call (Diversion)",
        Effect::Settings(trust_rpid),
    ),
    row(
        &["sendrpid"],
        "no, yes, rpid, pai",
        "no",
        "tell the device who calls in Remote-Party-ID (yes, rpid) or P-Asserted-Identity (pai), too",
        Effect::Settings(send_rpid),
    ),
    row(
        &["usereqphone"],
        "yes or no",
        "no",
        "addresses in our calls to it whose user is a number say so (;user=phone): Request-URI, To and From",
        Effect::Settings(user_eq_phone),
    ),
    row(
        &["trust_id_outbound"],
        "yes, no, legacy",
        "no",
        "yes: 'sendrpid' tells the device of callers who want to be hidden, too, marked as such; legacy is no here",
        Effect::Settings(trust_id),
    ),
    row(
        &["progressinband"],
        "yes, no, never",
        "no",
        "yes: its calls hear ringing as sound (183), instead of making it themselves of a 180; the called line is then offered one codec. \
         no: by a 180, and as sound, too, where 'Progress' or a prompt came before. never: by a 180 alone",
        Effect::Settings(progress_in_band),
    ),
    row(
        &["language"],
        "a language such as en",
        "none",
        "the language in which sounds are looked for first; told by CHANNEL(language) and SIPPEER()",
        Effect::Settings(language),
    ),
    row(
        &["tonezone"],
        "a country such as us, uk, de, or a section of indications.conf",
        "the country of indications.conf",
        "whose tones the line's calls hear: ringing, busy, congestion, Playtones",
        Effect::Settings(tone_zone),
    ),
    row(
        &["outofcall_message_context", "messagecontext"],
        "a context of extensions.conf",
        "none",
        "where the line's text messages enter the dialplan, as the number they are for; without it they go to the line of that name, or that the hint of that number names",
        Effect::Settings(message_context),
    ),
    row(
        &["timert1"],
        "milliseconds, at least 200",
        "500",
        "SIP's T1: the first retransmission of our requests comes after it; below 500 it stays 500",
        Effect::Settings(timer_t1),
    ),
    row(
        &["timerb"],
        "milliseconds, at least 200",
        "6000 for a line that 'qualify' says is there, else 64 times T1",
        "how long a call attempt without any response is tried; then its INVITE is not sent again",
        Effect::Settings(timer_b),
    ),
    row(&["maxforwards"], "1 to 255", "70", "Max-Forwards of requests we begin", Effect::Settings(max_forwards)),
    row(
        &["promiscredir"],
        "yes or no",
        "no",
        "a redirection (302) of this device is followed to whatever address it names; otherwise to extensions of the exchange alone, in the context of the device, and any other is a refusal",
        Effect::Settings(promisc_redir),
    ),
    row(
        &["supportpath"],
        "yes or no",
        "no",
        "a device that registers through a proxy is called through it (Path, RFC 3327), if 'contactpermit' or a peer's 'host' names the proxy",
        Effect::Settings(support_path),
    ),
    row(
        &["session-timers"],
        "originate, accept, refuse",
        "accept",
        "a call that is not refreshed ends by itself (RFC 4028): originate asks every device for it, accept goes along when a device asks. A device that takes UPDATE is refreshed by that, any other by a re-INVITE that changes nothing; a line=modem that takes no UPDATE by nothing: its timer is declined",
        Effect::Settings(session_timers),
    ),
    row(
        &["session-expires"],
        "seconds, at least 90",
        "1800",
        "the interval that 'session-timers=originate' asks for, and the longest that is granted to a device that asks",
        Effect::Settings(session_expires),
    ),
    row(
        &["session-minse"],
        "seconds, at least 90",
        "90",
        "a device that asks for a shorter interval is told this one (422)",
        Effect::Settings(session_min_se),
    ),
    row(
        &["session-refresher"],
        "uac, uas",
        "uas",
        "who refreshes when it is ours to say: the side that sent the INVITE, or the one that answered it",
        Effect::Settings(session_refresher),
    ),
    guard(
        &["transport"],
        "udp, tcp, tls, with commas between",
        "any that is enabled; udp for our own requests",
        "what carries SIP to and from the device; the first is used to reach it at 'host'",
        Effect::Settings(transport),
    ),
];

fn context(settings: &mut Settings, text: &str) -> Result {
    if text.is_empty() {
        return Err(Trouble::Bad);
    }
    settings.context = text.into();
    Ok(())
}

fn nat(settings: &mut Settings, text: &str) -> Result {
    let mut nat = Nat { force_rport: Tristate::Off, comedia: Tristate::Off };
    let (mut auto_rport, mut auto_comedia, mut remark, mut left_out) = (false, false, None, Vec::new());
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "force_rport" => nat.force_rport = Tristate::On,
            "comedia" => nat.comedia = Tristate::On,
            "auto_force_rport" => auto_rport = true,
            "auto_comedia" => auto_comedia = true,
            "yes" | "true" | "y" | "t" | "1" | "on" => {
                nat = Nat { force_rport: Tristate::On, comedia: Tristate::On };
                let say = format!("'{word}' is an old way to say force_rport,comedia, and is read as that");
                remark = Some(Trouble::remark(say, "write 'nat=force_rport,comedia'"));
            }
            "route" | "rfc3581" => {
                let say = format!("'{word}' is a word of very old versions and is ignored");
                remark = Some(Trouble::remark(say, "write 'nat=force_rport' or 'nat=no'"));
            }
            // A false word clears what stands before it and ends the list.
            "never" | "no" | "false" | "n" | "f" | "0" | "off" => {
                nat = Nat { force_rport: Tristate::Off, comedia: Tristate::Off };
                (auto_rport, auto_comedia) = (false, false);
                break;
            }
            _ => left_out.push(word.to_owned()),
        }
    }
    if left_out.len() == words(text).count() {
        return Err(Trouble::Bad);
    }
    if auto_rport {
        nat.force_rport = Tristate::Auto;
    }
    if auto_comedia {
        nat.comedia = Tristate::Auto;
    }
    settings.nat = nat;
    Trouble::skipped(left_out)?;
    remark.map_or(Ok(()), Err)
}

fn direct_media(settings: &mut Settings, text: &str) -> Result {
    if let Some(is_on) = value::boolean(text) {
        settings.direct_media = match is_on {
            true => DirectMedia::Direct { nonat: false },
            false => DirectMedia::Relay,
        };
        return Ok(());
    }
    let (mut nonat, mut ignored, mut left_out) = (false, Vec::new(), Vec::new());
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "nonat" => nonat = true,
            "update" | "outgoing" => ignored.push(word),
            "yes" => {}
            _ => left_out.push(word.to_owned()),
        }
    }
    if left_out.len() == words(text).count() {
        return Err(Trouble::Bad);
    }
    settings.direct_media = DirectMedia::Direct { nonat };
    Trouble::skipped(left_out)?;
    if ignored.is_empty() {
        return Ok(());
    }
    let say = format!("'{}' is ignored: direct media is arranged by re-INVITE on both lines", ignored.join("', '"));
    Err(Trouble::remark(say, "write 'directmedia=yes' or 'directmedia=nonat'"))
}

fn dtmf_mode(settings: &mut Settings, text: &str) -> Result {
    settings.dtmf_mode = DtmfMode::parse(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn auth_algorithm(settings: &mut Settings, text: &str) -> Result {
    settings.auth_algorithm = match text.to_ascii_lowercase().as_str() {
        "md5" => Algorithm::Md5,
        "sha256" | "sha-256" => Algorithm::Sha256,
        _ => return Err(Trouble::Bad),
    };
    Ok(())
}

fn insecure(settings: &mut Settings, text: &str) -> Result {
    let (mut insecure, mut remark, mut left_out) = (Insecure::default(), Ok(()), Vec::new());
    let old = |word: &str, now: &str| {
        let say = format!("'{word}' is an old way to say {now}, and is read as that");
        Err(Trouble::remark(say, format!("write 'insecure={now}'")))
    };
    for word in words(text) {
        match word.to_ascii_lowercase().as_str() {
            "port" => insecure.port = true,
            "invite" => insecure.invite = true,
            // What they meant up to Asterisk 1.4.
            "very" => {
                insecure = Insecure { port: true, invite: true };
                remark = old(word, "port,invite");
            }
            word if is_one_of(word, TRUE_WORDS) => {
                insecure.port = true;
                remark = old(word, "port");
            }
            word if is_one_of(word, FALSE_WORDS) => {}
            _ => left_out.push(word.to_owned()),
        }
    }
    settings.insecure = insecure;
    Trouble::skipped(left_out)?;
    remark
}

fn qualify(settings: &mut Settings, text: &str) -> Result {
    settings.qualify = if is_one_of(text, FALSE_WORDS) {
        None
    // "1" is one millisecond, as in Asterisk: only the words count as yes.
    } else if is_one_of(text, TRUE_WORDS) && text != "1" {
        Some(Duration::from_millis(2000))
    } else {
        Some(value::millis(text).ok_or(Trouble::Bad)?).filter(|limit| !limit.is_zero())
    };
    Ok(())
}

fn qualify_freq(settings: &mut Settings, text: &str) -> Result {
    settings.qualify_freq = value::seconds(text).filter(|time| !time.is_zero()).ok_or(Trouble::Bad)?;
    Ok(())
}

fn keepalive(settings: &mut Settings, text: &str) -> Result {
    settings.keepalive = if is_one_of(text, TRUE_WORDS) && text != "1" {
        Some(Duration::from_secs(60))
    } else {
        value::seconds_or_off(text).ok_or(Trouble::Bad)?
    };
    Ok(())
}

fn video(settings: &mut Settings, text: &str) -> Result {
    let always = text.eq_ignore_ascii_case("always").then_some(true);
    settings.video = always.or_else(|| value::boolean(text)).ok_or(Trouble::Bad)?;
    Ok(())
}

fn text_support(settings: &mut Settings, text: &str) -> Result {
    settings.text = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn t38(settings: &mut Settings, text: &str) -> Result {
    let (mut is_on, mut t38) = (false, T38 { correction: Correction::Fec, max_datagram: None });
    let mut left_out = Vec::new();
    for word in words(text) {
        let lower = word.to_ascii_lowercase();
        match (value::boolean(&lower), lower.strip_prefix("maxdatagram="), Correction::from_word(&lower)) {
            (Some(true), ..) => is_on = true,
            // A false word clears what stands before it and ends the list.
            (Some(false), ..) => {
                is_on = false;
                break;
            }
            (None, Some(bytes), _) => match value::number(bytes) {
                Some(bytes) => t38.max_datagram = Some(bytes),
                None => left_out.push(word.to_owned()),
            },
            (None, None, Some(correction)) => (is_on, t38.correction) = (true, correction),
            (None, None, None) => left_out.push(word.to_owned()),
        }
    }
    if left_out.len() == words(text).count() {
        return Err(Trouble::Bad);
    }
    settings.t38 = is_on.then_some(t38);
    Trouble::skipped(left_out)
}

fn trust_rpid(settings: &mut Settings, text: &str) -> Result {
    settings.trust_rpid = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn user_eq_phone(settings: &mut Settings, text: &str) -> Result {
    settings.user_eq_phone = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn send_rpid(settings: &mut Settings, text: &str) -> Result {
    settings.send_rpid = match (value::boolean(text), text.to_ascii_lowercase().as_str()) {
        (Some(true), _) | (None, "rpid") => SendRpid::Rpid,
        (Some(false), _) => SendRpid::No,
        (None, "pai") => SendRpid::Pai,
        (None, _) => return Err(Trouble::Bad),
    };
    Ok(())
}

fn trust_id(settings: &mut Settings, text: &str) -> Result {
    let legacy = text.eq_ignore_ascii_case("legacy").then_some(false);
    settings.trust_id = legacy.or_else(|| value::boolean(text)).ok_or(Trouble::Bad)?;
    Ok(())
}

fn progress_in_band(settings: &mut Settings, text: &str) -> Result {
    settings.progress_in_band = match (text.eq_ignore_ascii_case("never"), value::boolean(text)) {
        (true, _) => ProgressInBand::Never,
        (false, Some(true)) => ProgressInBand::Yes,
        (false, Some(false)) => ProgressInBand::No,
        (false, None) => return Err(Trouble::Bad),
    };
    Ok(())
}

fn language(settings: &mut Settings, text: &str) -> Result {
    // It becomes part of a file's path.
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        return Err(Trouble::Bad);
    }
    settings.language = text.into();
    Ok(())
}

fn message_context(settings: &mut Settings, text: &str) -> Result {
    settings.message_context = text.into();
    Ok(())
}

fn tone_zone(settings: &mut Settings, text: &str) -> Result {
    // Whether there is such a zone, indications.conf decides, which is read elsewhere; one that is not is the exchange's.
    if text.is_empty() || text.len() > 40 {
        return Err(Trouble::Bad);
    }
    settings.tone_zone = text.to_ascii_lowercase();
    Ok(())
}

fn timer_t1(settings: &mut Settings, text: &str) -> Result {
    let asked = timer(text)?;
    // RFC 3261 17.1.1.1: smaller values are for closed networks; a slow ATA would be called twice for each call.
    settings.timer_t1 = asked.max(Settings::default().timer_t1);
    if asked < settings.timer_t1 {
        let say = format!("'timert1' is never below 500 ms: {} is read as 500", asked.as_millis());
        return Err(Trouble::remark(say, "to give up silent devices sooner write 'timerb'"));
    }
    Ok(())
}

fn timer_b(settings: &mut Settings, text: &str) -> Result {
    settings.timer_b = Some(timer(text)?);
    Ok(())
}

fn timer(text: &str) -> std::result::Result<Duration, Trouble> {
    value::millis(text).filter(|time| *time >= Duration::from_millis(200)).ok_or(Trouble::Bad)
}

fn max_forwards(settings: &mut Settings, text: &str) -> Result {
    let number = value::number(text).and_then(|number| u8::try_from(number).ok()).filter(|number| *number > 0);
    settings.max_forwards = number.ok_or(Trouble::Bad)?;
    Ok(())
}

fn promisc_redir(settings: &mut Settings, text: &str) -> Result {
    settings.promisc_redir = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn support_path(settings: &mut Settings, text: &str) -> Result {
    settings.support_path = value::boolean(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn session_timers(settings: &mut Settings, text: &str) -> Result {
    let all = [SessionTimers::Originate, SessionTimers::Accept, SessionTimers::Refuse];
    settings.session_timers =
        all.into_iter().find(|mode| mode.name().eq_ignore_ascii_case(text)).ok_or(Trouble::Bad)?;
    Ok(())
}

fn session_expires(settings: &mut Settings, text: &str) -> Result {
    settings.session_expires = interval(text)?;
    Ok(())
}

fn session_min_se(settings: &mut Settings, text: &str) -> Result {
    settings.session_min_se = interval(text)?;
    Ok(())
}

/// RFC 4028 4 and 5.
fn interval(text: &str) -> std::result::Result<u32, Trouble> {
    value::number(text).filter(|seconds| *seconds >= SHORTEST).ok_or(Trouble::Bad)
}

fn session_refresher(settings: &mut Settings, text: &str) -> Result {
    settings.session_refresher = Refresher::from_name(text).ok_or(Trouble::Bad)?;
    Ok(())
}

fn outbound_proxy(settings: &mut Settings, text: &str) -> Result {
    if text.is_empty() {
        settings.outbound_proxy = None;
        return Ok(());
    }
    let mut parts = text.split(',').map(str::trim);
    let written = parts.next().unwrap_or_default();
    let (mut force, mut left_out) = (false, Vec::new());
    for word in parts {
        match word.eq_ignore_ascii_case("force") {
            true => force = true,
            false => left_out.push(word.to_owned()),
        }
    }
    let (transport, place) = match written.split_once("://") {
        Some((name, place)) => (Some(Transport::from_name(name).ok_or(Trouble::Bad)?), place),
        None => (None, written),
    };
    let address = match value::address(place) {
        Some((ip, _)) if ip.is_unspecified() || ip.is_multicast() => return Err(Trouble::Bad),
        Some((ip, port)) => {
            let port = port.unwrap_or(transport.unwrap_or(Transport::Udp).default_port());
            PeerAddress::Static(SocketAddr::new(ip, port))
        }
        None => {
            let (name, port) = value::host_name(place).ok_or(Trouble::Bad)?;
            // The whole of [general] says how it is looked up: see `PeerDraft::finish`.
            PeerAddress::Named(HostName::of_server(&name, port, transport.as_slice(), &[Transport::Udp], true))
        }
    };
    settings.outbound_proxy = Some(OutboundProxy { address, transport, force, is_preset: false });
    Trouble::skipped(left_out)
}

fn transport(settings: &mut Settings, text: &str) -> Result {
    let (mut known, mut left_out) = (Vec::new(), Vec::new());
    for word in words(text) {
        match Transport::from_name(word) {
            Some(transport) if known.contains(&transport) => {}
            Some(transport) => known.push(transport),
            None => left_out.push(word.to_owned()),
        }
    }
    // With none that is known, any would do: what was to be encrypted would be sent in the clear. The row guards.
    if known.is_empty() {
        return Err(Trouble::Bad);
    }
    settings.transports = known;
    Trouble::skipped(left_out)
}

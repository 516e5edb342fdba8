//! Options that older versions of chan_sip, or the files that FreePBX writes, know: named as what they are, not as misspelt.

/// An option of another time: its name, and what to do instead.
type Obsolete = (&'static str, &'static str);

const OUT: &str = "take the line out";
const LIMIT: &str = "write 'call-limit' in the peer: it counts calls made and received together";
const TABLES: &str = "tables have the size they need: take the line out";
const T38: &str = "T.38 passes over UDPTL alone: write 't38pt_udptl=yes'";
const REALTIME: &str =
    "a column of Asterisk's database of peers: here they come from files only, and a registration is kept by itself";
const FREEPBX: &str = "FreePBX writes it for itself, and chan_sip does not read it either: take the line out";

const ROWS: &[Obsolete] = &[
    ("limitonpeers", LIMIT),
    ("limitonpeer", LIMIT),
    ("incominglimit", LIMIT),
    ("outgoinglimit", LIMIT),
    ("callevents", "there is no manager interface that it could tell of hold: take the line out"),
    ("checkmwi", "changes are told at once: take the line out"),
    ("t38pt_rtp", T38),
    ("t38pt_tcp", T38),
    ("tos", "write 'tos_sip' and 'tos_audio'"),
    ("restrictcid", "write 'callingpres=prohib' in the peer"),
    ("usecallingpres", "write 'callingpres' in the peer"),
    ("cancallforward", OUT),
    ("ospauth", OUT),
    ("allowexternalinvites", "write 'allowexternaldomains'"),
    ("engine", "there is one RTP engine: take the line out"),
    ("hash_users", TABLES),
    ("hash_peers", TABLES),
    ("hash_dialogs", TABLES),
    ("rtignoreexpire", REALTIME),
    ("rtignoreregexpire", REALTIME),
    ("rtnoupdate", REALTIME),
    ("fullcontact", REALTIME),
    ("regseconds", REALTIME),
    ("regserver", REALTIME),
    ("ipaddr", REALTIME),
    ("lastms", REALTIME),
    ("ignoreoodresponses", OUT),
    ("constantssrc", "a stream keeps its SSRC: take the line out"),
    ("silencesuppression", "chan_sip never had it: switch silence suppression off in the device"),
    ("vad", "chan_sip never had it: switch silence suppression off in the device"),
    ("echocancel", "chan_sip never had it: the device cancels echo"),
    ("compactheader", "headers are written in full; short ones are understood"),
    ("notifymime", OUT),
    ("mailboxdetail", "counts are always told: take the line out"),
    ("account", FREEPBX),
    ("dial", FREEPBX),
    ("sipdriver", FREEPBX),
    ("devicetype", FREEPBX),
    ("record_in", FREEPBX),
    ("record_out", FREEPBX),
    ("vmcontext", FREEPBX),
    ("emergency_cid", FREEPBX),
    ("outboundcid", FREEPBX),
    ("outcid", FREEPBX),
    ("cid_masquerade", FREEPBX),
    ("concurrency_limit", FREEPBX),
    ("secret_origional", FREEPBX),
    ("keepcid", FREEPBX),
    (
        "user_eq_phone",
        "chan_sip calls it 'usereqphone', which is not supported: no ';user=phone' is added to addresses",
    ),
    ("sessiontimers", "write 'session-timers'"),
    ("mediaencryption", "SRTP is not supported: calls can be heard on the network"),
];

/// What to do instead of an option of that name, when it is one of another time.
pub(super) fn instead_of(name: &str) -> Option<&'static str> {
    ROWS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, instead)| *instead)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::sip_conf::option_table::table;

    #[test]
    fn none_is_an_option_of_today() {
        for (name, instead) in ROWS {
            assert!(!table().any(|row| row.names.contains(name)), "{name}");
            assert!(!instead.is_empty() && *name == name.to_ascii_lowercase());
            assert_eq!(ROWS.iter().filter(|(other, _)| other == name).count(), 1, "{name}");
        }
    }
}

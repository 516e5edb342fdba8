//! THE table of problems that a configuration without syntax errors may have.

use super::diagnostic::{Diagnostic, Place};

/// One kind of finding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// Its name in `check --format json`: the same in every release.
    pub code: &'static str,
    /// What is found.
    pub what: &'static str,
    /// What comes of it.
    pub why: &'static str,
    /// What to do about it.
    pub advice: &'static str,
}

impl Finding {
    /// A warning of this kind.
    pub fn at(&'static self, place: &Place, message: impl Into<String>) -> Diagnostic {
        Diagnostic { code: self.code, ..Diagnostic::warning(place.clone(), message) }
    }
}

/// Every kind, by its code.
pub static TABLE: &[&Finding] = &[
    &APPLICATION_UNKNOWN,
    &CALLER_CLAIMED,
    &COMMAND_OPEN,
    &CONTEXT_UNUSED,
    &DEVICE_KIND,
    &DEVICE_LINE,
    &DEVICE_MODEL,
    &DEVICE_PEER,
    &DEVICE_TEMPLATE,
    &DIAL_HOST,
    &DIAL_NOBODY,
    &DIAL_OPTION,
    &DIAL_UNFILTERED,
    &DISA_OPEN,
    &EVALUATION_OPEN,
    &EXTENSION_SHADOWED,
    &FILE_OPEN,
    &FUNCTION_UNKNOWN,
    &GUESTS_ALLOWED,
    &HINT_NOBODY,
    &INCLUDE_NOWHERE,
    &JUMP_NOWHERE,
    &PAGE_MODEM,
    &PEER_CONTEXT,
    &PRIORITY_UNREACHABLE,
    &PROGRAM_OPEN,
    &PROGRAM_REFUSED,
    &SECRET_MISSING,
    &SECRET_PLACEHOLDER,
    &SECRET_SHARED,
    &SECRET_WEAK,
    &SOUND_MISSING,
    &SPY_OPEN,
    &TEXT_UNCLOSED,
    &TLS_EXPIRED,
    &TLS_EXPIRING,
    &TLS_KEY_OPEN,
    &TLS_UNUSABLE,
    &TRUNK_CHALLENGED,
    &TRUNKS_ALIKE,
];

/// An application that is not there.
pub static APPLICATION_UNKNOWN: Finding = Finding {
    code: "application-unknown",
    what: "a line runs an application that is not there",
    why: "a call that gets to it ends",
    advice: "correct the name, or do without it",
};

/// A provider's calls that would be asked for a password.
pub static TRUNK_CHALLENGED: Finding = Finding {
    code: "trunk-challenged",
    what: "a peer at which the exchange is registered has a secret, a context with extensions, and no insecure=invite",
    why: "its calls in are asked for that secret, and a provider has none of ours to give: they all fail with 401",
    advice: "write insecure=port,invite in its section: its calls are known by their address then; another exchange of yours that answers the challenge needs no change",
};

/// Peers at one address that nothing tells apart.
pub static TRUNKS_ALIKE: Finding = Finding {
    code: "trunks-alike",
    what: "two peers have the same host= and port=, and not each a defaultuser=, fromuser=, fromdomain= or register line of its own",
    why: "a call from there is known by its address: one that names neither in its Request-URI, To or From is taken to be of the first by name, with the context of that",
    advice: "give each the user or number that the provider calls it by as defaultuser=, or leave one of them out when both do the same",
};

/// A decision by who calls, where somebody may say who that is.
pub static CALLER_CLAIMED: Finding = Finding {
    code: "caller-claimed",
    what: "the dialplan decides by who calls (an extension with /number, CALLERID in GotoIf, ExecIf, Dial and their kin), and a caller that gets there may say it is anybody",
    why: "a guest, a peer with a fixed address that needs no secret, or one with trustrpid=yes tells its number itself: it can be that of a telephone of yours",
    advice: "let those callers begin in a context of their own (context=), or give the peer the one number it has (callerid=); a line that registers always calls as itself",
};

/// A context that no call reaches.
pub static CONTEXT_UNUSED: Finding = Finding {
    code: "context-unused",
    what: "no peer, include or jump names the context",
    why: "what stands in it is never run",
    advice: "name it in a peer's context=, include it, or take it out",
};

/// A sound that is played and is not there.
pub static SOUND_MISSING: Finding = Finding {
    code: "sound-missing",
    what: "the dialplan plays a sound that is in none of the folders for sounds, or that cannot be read",
    why: "the caller hears nothing instead, and PLAYBACKSTATUS says FAILED",
    advice: "correct the name, put the file into a folder for sounds, or install a voice: apt-get install asterisk-core-sounds-en-wav",
};

/// `Dial` of a host that is no peer.
pub static DIAL_HOST: Finding = Finding {
    code: "dial-host",
    what: "Dial calls a host by its name or address (SIP/user@host) that no section of sip.conf has",
    why: "it is called with what [general] presets: without a limit, and looked up for each call; where the user comes from ${EXTEN}, a caller may reach anybody there, or have a stranger's bill or trouble traced to this exchange",
    advice: "give it a section with host=, and dial SIP/number@section",
};

/// `Dial` of a peer that does not exist or cannot be called.
pub static DIAL_NOBODY: Finding = Finding {
    code: "dial-nobody",
    what: "Dial names a peer that is not in sip.conf or is type=user, a Local/ extension that is not there, or a technology other than SIP and Local",
    why: "it fails at once with CHANUNAVAIL",
    advice: "correct the name; a peer with an error is left out, and so is not there",
};

/// A command of the machine made with what a caller chooses.
pub static COMMAND_OPEN: Finding = Finding {
    code: "command-open",
    what: "System, TrySystem, SHELL() or the command of MixMonitor has what the caller chooses in it: ${CALLERID(...)}, ${SIP_HEADER(...)} and their kin, the ${EXTEN} of an open pattern, or a variable set to one of them in a line before",
    why: "the shell reads it: a caller whose name is `;reboot` has that run on the machine",
    advice: "write ${FILTER(0-9,...)}, or hand it to an AGI script as an argument",
};

/// Something evaluated that a caller chooses.
pub static EVALUATION_OPEN: Finding = Finding {
    code: "evaluation-open",
    what: "EVAL() evaluates what the caller chooses, or that names the variable that Set assigns, or the application that Exec runs",
    why: "a caller whose name is `${SHELL(reboot)}` has that run on the machine, or changes any variable",
    advice: "write ${FILTER(0-9,...)}, or do without it",
};

/// A file written whose name a caller chooses.
pub static FILE_OPEN: Finding = Finding {
    code: "file-open",
    what: "Record, MixMonitor or Monitor writes a file whose name has what the caller chooses in it; the number of a line that calls as itself is not the caller's choice",
    why: "a caller writes over the recordings of others, or into other folders below that one",
    advice: "write ${FILTER(0-9,...)}, or name the file by ${UNIQUEID}",
};

/// Guests may call.
pub static GUESTS_ALLOWED: Finding = Finding {
    code: "guests-allowed",
    what: "allowguest=yes",
    why: "whoever reaches this machine may call what the context of [general] holds",
    advice: "leave nothing there that costs money, or give each caller a section and a secret",
};

/// A modem in a page.
pub static PAGE_MODEM: Finding = Finding {
    code: "page-modem",
    what: "Page names a line with a modem (line=modem)",
    why: "a modem is never paged: it is left out each time",
    advice: "name telephones",
};

/// A script whose name a caller chooses.
pub static PROGRAM_OPEN: Finding = Finding {
    code: "program-open",
    what: "AGI runs the script, or asks the server, that is named by what the caller chooses",
    why: "a caller runs whatever lies in the folder of scripts, or has the exchange connect anywhere",
    advice: "name the script, and hand it that as an argument",
};

/// A program that strowger.toml does not allow.
pub static PROGRAM_REFUSED: Finding = Finding {
    code: "program-refused",
    what: "the dialplan runs a command (System, TrySystem, SHELL()), a script (AGI) or a program that speaks (SayText) that strowger.toml does not allow",
    why: "it is refused: SYSTEMSTATUS or AGISTATUS is FAILURE, SHELL() is empty, and the call goes on",
    advice: "write what the hint says below [programs] in strowger.toml",
};

/// An option letter of `Dial` that no exchange has.
pub static DIAL_OPTION: Finding = Finding {
    code: "dial-option",
    what: "Dial, Page or ChanSpy is given an option letter that is none",
    why: "the call goes on as if the letter did not stand there",
    advice: "`core show application Dial` (or `Page`) says what each letter does",
};

/// A dialled number used unfiltered in a dial string.
pub static DIAL_UNFILTERED: Finding = Finding {
    code: "dial-unfiltered",
    what: "a pattern with an open end (. or !) lets ${EXTEN} say, as it was dialled, which line Dial calls",
    why: "a telephone can dial more than digits: a caller rings any line whose name fits. (An & or / in a dialled number is refused by Dial when it comes to that.)",
    advice: "write ${FILTER(0-9,${EXTEN})}",
};

/// `DISA` without a PIN.
pub static DISA_OPEN: Finding = Finding {
    code: "disa-open",
    what: "DISA(no-password) gives whoever reaches it a dial tone",
    why: "callers dial whatever its context holds, at your expense; numbers like that are found by trying",
    advice: "give it a PIN, and a context of its own",
};

/// Who listens to calls.
pub static SPY_OPEN: Finding = Finding {
    code: "spy-open",
    what: "ChanSpy or ExtenSpy is where a guest, or a trunk that says of each caller who it is, may get",
    why: "a stranger listens to your calls; numbers like that are found by trying",
    advice: "put it into a context of the lines that may listen, or behind Authenticate",
};

/// A text whose brackets do not fit.
pub static TEXT_UNCLOSED: Finding = Finding {
    code: "text-unclosed",
    what: "a ${ or $[ in a line is never closed",
    why: "the rest of the text stays as it is written, and the application gets that",
    advice: "count the brackets",
};

/// An extension that is never reached, because another matches first.
pub static EXTENSION_SHADOWED: Finding = Finding {
    code: "extension-shadowed",
    what: "a pattern with an open end matches what stands in a context that is searched later",
    why: "a context's own extensions come before its includes, and includes count in their order: the exact number is never reached",
    advice: "put the pattern into a context of its own, and include that last",
};

/// A function that is not there.
pub static FUNCTION_UNKNOWN: Finding = Finding {
    code: "function-unknown",
    what: "a line reads or assigns a function that is not there, or cannot be assigned",
    why: "it evaluates to nothing, and what is assigned is lost",
    advice: "correct the name, or do without it",
};

/// A hint without a device.
pub static HINT_NOBODY: Finding = Finding {
    code: "hint-nobody",
    what: "a hint names a peer that is not in sip.conf",
    why: "its state is never known",
    advice: "correct the name",
};

/// An include of a context that does not exist.
pub static INCLUDE_NOWHERE: Finding = Finding {
    code: "include-nowhere",
    what: "a context includes one that is not there",
    why: "nothing is included",
    advice: "correct the name",
};

/// A jump to a place that does not exist.
pub static JUMP_NOWHERE: Finding = Finding {
    code: "jump-nowhere",
    what: "Goto, GotoIf, GotoIfTime, Gosub, Macro, DISA, Originate and their kin, or an option of Dial, lead to a context, extension, priority or label that is not there",
    why: "a call that gets there ends",
    advice: "correct the place; one that holds a variable is not judged",
};

/// A peer whose context does not exist.
pub static PEER_CONTEXT: Finding = Finding {
    code: "peer-context",
    what: "the context of a peer is not in extensions.conf",
    why: "every call from it is answered with 404",
    advice: "correct context=, or write the context",
};

/// A priority that is never reached.
pub static PRIORITY_UNREACHABLE: Finding = Finding {
    code: "priority-unreachable",
    what: "an extension has no priority 1, or there is a gap before a priority and no jump leads to it",
    why: "the call ends at the gap; without a priority 1 the number does not exist",
    advice: "write 1 and then n; n counts on from the line before, whatever its extension",
};

/// No secret at all.
pub static SECRET_MISSING: Finding = Finding {
    code: "secret-missing",
    what: "a peer that registers has neither secret= nor permit=",
    why: "whoever knows its name can take its place",
    advice: "give it a secret",
};

/// An example's secret.
pub static SECRET_PLACEHOLDER: Finding = Finding {
    code: "secret-placeholder",
    what: "a secret is the placeholder of an example, such as change-me-1",
    why: "everybody can read the example",
    advice: "give it a secret of its own",
};

/// One secret for several.
pub static SECRET_SHARED: Finding = Finding {
    code: "secret-shared",
    what: "several peers have the same secret",
    why: "who has one telephone can be the other",
    advice: "give each its own",
};

/// A secret that can be guessed.
pub static SECRET_WEAK: Finding = Finding {
    code: "secret-weak",
    what: "a secret is one that is tried first, the peer's own name, or shorter than eight characters",
    why: "it is what scanners try first, to call at your expense",
    advice: "twelve letters and digits at random",
};

/// A certificate that is not valid any more, or not yet.
pub static TLS_EXPIRED: Finding = Finding {
    code: "tls-expired",
    what: "the certificate of tlscertfile=, or one of its chain, is over, or not valid yet",
    why: "telephones that look at it do not connect",
    advice: "put a new one in its place and reload; look at this machine's clock",
};

/// A certificate that expires soon.
pub static TLS_EXPIRING: Finding = Finding {
    code: "tls-expiring",
    what: "the certificate of tlscertfile=, or one of its chain, is over within 30 days",
    why: "then telephones that look at it do not connect",
    advice: "put a new one in its place and reload",
};

/// A private key that others can read.
pub static TLS_KEY_OPEN: Finding = Finding {
    code: "tls-key-open",
    what: "everyone on this machine can read the key of the certificate",
    why: "whoever has it can be the exchange",
    advice: "chmod o= the file",
};

/// Files that TLS cannot use.
pub static TLS_UNUSABLE: Finding = Finding {
    code: "tls-unusable",
    what: "the file of tlscertfile=, tlsprivatekey= or tlscafile= is missing, cannot be read or is no PEM, or the key is not the certificate's",
    why: "TLS is not spoken; after a reload it goes on with the files of before",
    advice: "repair the file and reload",
};

/// A line of an adapter that does not say what is behind it.
pub static DEVICE_KIND: Finding = Finding {
    code: "device-kind",
    what: "a peer is a line of an adapter whose configuration is made here, and has no line=",
    why: "the adapter is set up for a modem: without echo cancelling, which people who talk would miss",
    advice: "write line=modem, line=fax or line=voice in its section",
};

/// A line that a device cannot have.
pub static DEVICE_LINE: Finding = Finding {
    code: "device-line",
    what: "two peers are the same line of a device, or one is a line that the device does not have",
    why: "the line is left out of the device's configuration: it does not register",
    advice: "give each peer a device_line= of its own, no higher than the model has lines",
};

/// A device of which nobody knows what it is.
pub static DEVICE_MODEL: Finding = Finding {
    code: "device-model",
    what: "peers have a mac= without a device=, a device= without a mac=, or a model that is not there",
    why: "no configuration is made for the device",
    advice: "write both in one peer of the device; docs/reference/devices.md has the models",
};

/// A peer that does not fit the device it is a line of.
pub static DEVICE_PEER: Finding = Finding {
    code: "device-peer",
    what: "a peer whose device's configuration is made here has no host=dynamic, no password that can be told, or one that the device cannot take",
    why: "the device gets its configuration, and cannot register with it",
    advice: "write host=dynamic and a secret= of letters and digits, no longer than the device takes",
};

/// A template that cannot be used.
pub static DEVICE_TEMPLATE: Finding = Finding {
    code: "device-template",
    what: "a template in the provisioning folder cannot be read",
    why: "the one that came with the program is used instead, if there is one",
    advice: "correct the line; docs/reference/devices.md has the names that a template may have",
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_complete() {
        assert!(TABLE.windows(2).all(|pair| matches!(pair, [a, b] if a.code < b.code)));
        for finding in TABLE {
            assert!(!finding.what.is_empty() && !finding.why.is_empty() && !finding.advice.is_empty());
            assert!(finding.code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'), "{}", finding.code);
        }
    }
}

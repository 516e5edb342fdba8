use super::numbers::Work;
use super::phrase::some_of;
use super::*;
use crate::config::Config;

mod growth;

const PEERS: &str = "[kitchen]\ntype=friend\nhost=dynamic\nsecret=k3vw9m2xq8tz\ncontext=home\n\
    [hall]\ntype=friend\nhost=dynamic\nsecret=p2cd7n4yr6sv\ncontext=home\n";

/// What is found, as `file:line code message -- hint`, without the file's ending.
fn said(sip: &str, extensions: &str) -> Vec<String> {
    let (config, _) = Config::from_texts(sip, extensions, "", "");
    let config = config.unwrap();
    let (plan, _) = dialplan::parse(&config.extensions, REGISTRAR);
    let lines = findings(&config, &plan).into_iter().map(|one| {
        let file = one.place.file.trim_end_matches(".conf");
        format!("{file}:{} {} {} -- {}", one.place.line, one.code, one.message, one.hint.unwrap_or_default())
    });
    lines.collect()
}

/// What is found of a dialplan of two good peers; the file's name is left out.
fn plan(extensions: &str) -> Vec<String> {
    said(PEERS, extensions).into_iter().map(|line| line.replacen("extensions:", "", 1)).collect()
}

/// The lines and codes alone.
fn codes(extensions: &str) -> Vec<String> {
    let short = |line: String| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    plan(extensions).into_iter().map(short).collect()
}

const NOTHING: [&str; 0] = [];

#[test]
fn a_jump_to_a_place_that_is_not_there_is_said() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,Goto(hone,s,1)\nexten => 2,1,Goto(nightt,s,1)\nexten => 3,1,GotoIf($[1 > 0]?bsuy:9,1)\n\
             same => n(busy),Gosub(night,s,2(${EXTEN}))\nexten => 4,1,ExecIf(1?Goto(+7):Goto(nowhere))\n[night]\nexten => s,1,Return()"
        ),
        [
            "2 jump-nowhere Goto leads to context 'hone', which does not exist -- did you mean 'home'?",
            "3 jump-nowhere Goto leads to context 'nightt', which does not exist -- did you mean 'night'?",
            "4 jump-nowhere GotoIf leads to 'bsuy', which is not a priority or label of extension '3' -- did you mean 'busy'?",
            "4 jump-nowhere GotoIf leads to extension '9', which does not exist -- a call that gets there ends",
            "5 jump-nowhere Gosub leads to '2', which is not a priority or label of extension 's' in context 'night' -- a call that gets there ends",
            "6 jump-nowhere Goto leads to '+7', which is not a priority or label of extension '4' -- a call that gets there ends",
            "6 jump-nowhere Goto leads to 'nowhere', which is not a priority or label of extension '4' -- a call that gets there ends",
        ]
    );
}

#[test]
fn whom_a_page_names_is_looked_at() {
    assert_eq!(
        said(
            &format!("{PEERS}[modem]\ntype=friend\nhost=dynamic\nsecret=q8rn5w3jz7kb\ncontext=home\nline=modem\n"),
            "[home]\nexten => 1,1,Page(SIP/kitchen&SIP/modem&SIP/kitchn&Local/2@home,dqZ,5)\nexten => 2,1,Page(SIP/${EXTEN},${X})\n",
        ),
        [
            "extensions:2 page-modem Page names 'modem', which has a modem (line=modem): it is never paged -- name telephones: a modem is left out, and the log says so each time",
            "extensions:2 dial-nobody Page names 'kitchn', which is not a peer in sip.conf -- did you mean 'kitchen'?",
            "extensions:2 dial-option Page's option 'Z' is unknown -- it does nothing: `core show application Page` lists the letters",
        ]
    );
}

#[test]
fn who_gets_to_a_spy_is_said() {
    let plan = "[home]\nexten => 1,1,ChanSpy(SIP,qk)\nexten => 2,1,Authenticate(1234)\n same => n,ExtenSpy(1,q)\n\
        exten => 3,1,ExtenSpy(1,q)\n same => n,Authenticate(1234)\n";
    let letter = "extensions:2 dial-option ChanSpy's option 'k' is unknown -- it does nothing: `core show application ChanSpy` lists the letters";
    assert_eq!(said(PEERS, plan), [letter]);
    let hint = "put it into a context of the lines that may, or let Authenticate ask for a PIN before";
    let open = said(&format!("[general]\nallowguest=yes\ncontext=home\n{PEERS}"), plan);
    let open: Vec<&String> = open.iter().filter(|line| line.contains("spy-open")).collect();
    assert_eq!(
        open,
        [
            &format!(
                "extensions:2 spy-open ChanSpy listens to calls, and a guest (allowguest=yes) gets to it -- {hint}"
            ),
            &format!(
                "extensions:5 spy-open ExtenSpy listens to calls, and a guest (allowguest=yes) gets to it -- {hint}"
            ),
        ]
    );
}

#[test]
fn a_jump_that_a_variable_decides_or_a_pattern_takes_is_none() {
    assert_eq!(
        plan(
            "[globals]\nWHERE=home\n[home]\nexten => 1,1,Goto(${WHERE},s,1)\n same => n,Goto(home,s-${DIALSTATUS},1)\n\
             same => n,GotoIf($[\"${X}\" = \"?\"]?:3)\n same => n,Gosub(sub,${CUT(X,-,1)},1(a,b))\n same => n,Goto(home,555,1)\n\
             same => n,Goto(-2)\n same => n(here),Goto(here)\n same => n,GotoIf(1?shared,1)\n same => n,Goto(77,there)\n\
             exten => _5XX,1,Hangup()\nexten => _7X,1(there),Hangup()\nexten => s,1,Hangup()\ninclude => more\n\
             [more]\nexten => shared,1,Goto(up,1)\n[sub]\nexten => _X,1,Return()\nexten => i,1,Hangup()\n\
             [outer]\ninclude => more\ninclude => home\nexten => up,1,Hangup()\n"
        ),
        NOTHING
    );
}

#[test]
fn what_a_caller_chooses_and_should_not_is_said() {
    let open = |body: &str| {
        let extensions = format!("[home]\nexten => _X.,1,NoOp()\n same => n,{}", body.replace('\n', "\n same => n,"));
        let lines = plan(&extensions).into_iter().filter(|line| line.contains("-open "));
        lines.map(|line| line.split(" -- ").next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        open(
            "AGI(${CALLERID(name)}.sh,1)\nAGI(x.sh,${CALLERID(name)})\nSet(X=${EVAL(${SIP_HEADER(X-Y)})})\nSet(${EXTEN}=1)\n\
             Set(DB(a/${CALLERID(num)})=1)\nExecIf(1?${CALLERID(name)}(1))\nRecord(/tmp/${EXTEN}.wav)\n\
             Record(/tmp/${FILTER(0-9,${EXTEN})}.wav)"
        ),
        [
            "3 program-open AGI runs the script that ${CALLERID(name)} names, which the caller chooses",
            "5 evaluation-open EVAL() evaluates ${SIP_HEADER(X-Y)}, which the caller chooses",
            "6 evaluation-open Set assigns to ${EXTEN}, which the caller chooses",
            "8 evaluation-open the application that is run is ${CALLERID(name)}, which the caller chooses",
            "9 file-open Record writes a file named by ${EXTEN}, which the caller chooses",
        ]
    );
    // By way of a variable, until it holds something else; and a lookup gives what is not the caller's.
    assert_eq!(
        open(
            "Set(NAME=x-${CALLERID(name)})\nSystem(echo ${NAME:1})\nSet(NAME=${FILTER(a-z,${NAME})})\nSystem(echo ${NAME})\n\
             System(echo ${DB(names/${CALLERID(num)})} ${CDR(uniqueid)})\nMixMonitor(${UNIQUEID}.wav,b,rm ${CDR(src)})"
        ),
        [
            "4 command-open a command of the machine is made with ${NAME:1}, which the caller chooses",
            "8 command-open a command of the machine is made with ${CDR(src)}, which the caller chooses",
        ]
    );
    // A line that registers calls as itself, and a guest as anybody.
    let extensions = "[home]\nexten => 1,1,MixMonitor(${CALLERID(num)}.wav,r(${CALLERID(num)}-in.wav))\n";
    let files = |sip: &str| said(sip, extensions).into_iter().filter(|line| line.contains("file-open")).count();
    assert_eq!((files(PEERS), files(&format!("[general]\nallowguest=yes\ncontext=home\n{PEERS}"))), (0, 1));
    // The other finding of such a configuration has a name, too.
    let (_, said) = Config::from_texts("[general]\nallowguest=yes\n", "", "", "");
    assert_eq!(said.iter().map(|one| one.code).collect::<Vec<_>>(), ["guests-allowed"]);
}

/// `there`: the sounds that there are, each with its language; what is found, with the line.
fn without(sip: &str, extensions: &str, there: &[(&str, &str)]) -> Vec<String> {
    let (config, _) = Config::from_texts(sip, extensions, "", "");
    let config = config.unwrap();
    let (plan, _) = dialplan::parse(&config.extensions, REGISTRAR);
    let missing = |name: &str, language: &str| {
        let is_there = there.iter().any(|(one, of)| *one == name && (of.is_empty() || *of == language));
        (!is_there).then(|| "why".to_owned())
    };
    let found = missing_sounds(&config, &plan, &missing).into_iter();
    found.map(|one| format!("{} {}", one.place.line, one.message)).collect()
}

#[test]
fn sounds_are_missed_in_the_language_that_is_spoken() {
    let said = |line: u32, app: &str, name: &str| format!("{line} {app} plays '{name}', which is not there");
    let plays = "[home]\nexten => 1,1,Playback(a&b)\n same => n,Read(x,c,1,i)\n same => n,Read(x,c)\n same => n,Record(x.wav,,,q)\n \
                 same => n,Record(x.wav)\n same => n,Authenticate(1)\n same => n,Authenticate(1,,,mine)\n same => n,SayDigits(12)\n \
                 same => n,SayNumber(21)\n same => n,SayDigits(${X})\n same => n,SayAlpha(a)\n";
    let there = [
        ("a", ""),
        ("auth-incorrect", ""),
        ("auth-thankyou", ""),
        ("vm-goodbye", ""),
        ("digits/1", ""),
        ("digits/20", ""),
    ];
    assert_eq!(
        without(PEERS, plays, &there),
        [
            said(2, "Playback", "b"),
            said(4, "Read", "c"),
            said(6, "Record", "beep"),
            said(7, "Authenticate", "agent-pass"),
            said(8, "Authenticate", "mine"),
            said(9, "SayDigits", "digits/2"),
            said(12, "SayAlpha", "letters/a"),
        ]
    );
    // Somebody is spoken to in German, and so has it all.
    let german = "[home]\nexten => 1,1,Playback(nur-deutsch)\n";
    assert_eq!(without(PEERS, german, &[("nur-deutsch", "de")]), [said(2, "Playback", "nur-deutsch")]);
    let peers = PEERS.replacen("[hall]\n", "[hall]\nlanguage=de\n", 1);
    assert_eq!(without(&peers, german, &[("nur-deutsch", "de")]), NOTHING);
    // What a line sets is spoken from there on.
    let set = "[home]\nexten => 1,1,Set(CHANNEL(language)=de)\n same => n,Playback(ja&yes)\n same => n,Set(CHANNEL(language)=${X})\n \
               same => n,Playback(oui)\nexten => 2,1,Playback(ja)\n";
    let there = [("ja", "de"), ("yes", "en"), ("oui", "")];
    assert_eq!(without(PEERS, set, &there), [said(3, "Playback", "yes")]);
    let french = "[home]\nexten => 1,1,SetLanguage(fr)\n same => n,SayNumber(71)\n";
    assert_eq!(
        without(PEERS, french, &[]),
        ["digits/60", "digits/et", "digits/11"].map(|name| said(3, "SayNumber", name))
    );
}

#[test]
fn what_is_not_there_goes_to_i() {
    assert_eq!(codes("[home]\nexten => 1,1,Goto(menu,9,1)\n[menu]\nexten => i,1,Hangup()"), NOTHING);
    assert_eq!(codes("[home]\nexten => 1,1,Goto(menu,9,1)\n[menu]\nexten => 8,1,Hangup()"), ["2 jump-nowhere"]);
}

#[test]
fn a_priority_behind_a_gap_is_said() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,NoOp()\nexten => 1,3,NoOp()\n same => n,NoOp()\nexten => 2,n,NoOp()\nexten => 3,1,NoOp()\n\
             same => n+4,Hangup()"
        ),
        [
            "3 priority-unreachable extension '1' has no priority 2: priority 3 is never reached -- write 'n', or 2",
            "5 priority-unreachable extension '2' has no priority 1 and cannot be dialled: priority 5 is never reached -- \
             begin with 1; 'n' counts on from the line before, whatever its extension",
            "7 priority-unreachable extension '3' has no priority 5: priority 6 is never reached -- write 'n', or 5",
        ]
    );
}

#[test]
fn a_gap_that_is_jumped_over_or_filled_by_another_extension_is_none() {
    for extensions in [
        "[home]\nexten => 1,1,Goto(102)\nexten => 1,102,Hangup()",
        "[home]\nexten => 1,1,GotoIf(1?away)\n same => n+50(away),Hangup()",
        "[home]\nexten => 1,1,Goto(+4)\nexten => 1,5,Hangup()",
        "[home]\nexten => 1,1,Gosub(std,${EXTEN},enter)\n[std]\nexten => _X.,50000(enter),NoOp()\n same => n,Return()",
        "[home]\nexten => 1,1,Set(N=7)\n same => n,Goto(${N})\nexten => 1,7,Hangup()",
        "[home]\nexten => 2000,2,Hangup()\nexten => _2XXX,1,NoOp()\n same => n,Hangup()",
        "[home]\nexten => 2000,1,NoOp()\ninclude => rest\n[rest]\nexten => 2000,2,Hangup()",
        "[home]\nexten => 1/5,1,NoOp()\nexten => 1,1,NoOp()\nexten => 1,2,NoOp()\nexten => 9,hint,SIP/hall",
    ] {
        assert_eq!(codes(extensions), NOTHING, "{extensions}");
    }
}

#[test]
fn contexts_are_missed_where_they_are_named() {
    let sip = format!("{PEERS}[attic]\ntype=friend\nhost=dynamic\nsecret=w6tb3h8zk5mq\ncontext=houme\n");
    assert_eq!(
        said(&sip, "[home]\nexten => 1,1,Hangup()\ninclude => inetrnal\ninclude => internal\n[internal]\n"),
        [
            "extensions:3 include-nowhere context 'home' includes 'inetrnal', which does not exist -- did you mean 'internal'?",
            "sip:11 peer-context calls from 'attic' begin in context 'houme', which is not in extensions.conf -- did you mean 'home'?",
        ]
    );
    assert_eq!(
        said(PEERS, ""),
        [
            "sip:1 peer-context calls from 'kitchen' and 'hall' begin in context 'home', which is not in extensions.conf -- \
          write [home] in extensions.conf, or another 'context=' in sip.conf"
        ]
    );
}

#[test]
fn a_trunk_that_is_only_called_and_a_context_of_registrations_are_not_missed() {
    let sip = format!("[general]\nregcontext=lines\n{PEERS}[trunk]\ntype=peer\nhost=192.0.2.9\n");
    assert_eq!(said(&sip, "[home]\nexten => 1,1,Goto(lines,hall,1)\ninclude => lines\n"), NOTHING);
    let own = format!("{PEERS}[trunk]\ntype=peer\nhost=192.0.2.9\ncontext=fromtrunk\n");
    assert_eq!(said(&own, "[home]\nexten => 1,1,Hangup()\n").len(), 1);
}

#[test]
fn contexts_of_texts_lamps_and_parked_calls_are_in_use() {
    let sip = format!(
        "[general]\noutofcall_message_context=texts\n{PEERS}[b]\ntype=friend\nhost=dynamic\nsecret=q8wn3kz5tb7x\n\
         context=home\nsubscribecontext=lamps\n"
    );
    let plan = "[home]\nexten => 1,1,Hangup()\n[texts]\nexten => 1,1,Hangup()\n[lamps]\nexten => 1,hint,SIP/b\nexten => 1,1,Hangup()\n\
        [parkedcallstimeout]\nexten => s,1,Hangup()\n";
    assert_eq!(said(&sip, plan), NOTHING);
}

#[test]
fn a_context_that_nothing_names_is_said_once() {
    assert_eq!(
        plan("[home]\nexten => 1,1,Hangup()\n[lost]\nexten => 1,1,Hangup()\n[lost]\nexten => 2,1,Hangup()\n[empty]\n"),
        ["3 context-unused no call comes to context 'lost': no peer, include or Goto names it -- \
          name it in a peer's 'context=', include it, or take it out"]
    );
}

#[test]
fn a_context_that_something_may_name_is_in_use() {
    let lost = "[lost-1]\nexten => s,1,Hangup()\n";
    for line in [
        "Goto(lost-1,s,1)",
        "Goto(lost-${N},s,1)",
        "Goto(${X},s,1)",
        "Dial(SIP/hall,20,G(lost-1^s^1))",
        "Set(X=lost-1)",
    ] {
        assert_eq!(codes(&format!("[home]\nexten => 1,1,{line}\n{lost}")), NOTHING, "{line}");
    }
    assert_eq!(codes(&format!("[globals]\nX=lost-1\n[home]\nexten => 1,1,Hangup()\n{lost}")), NOTHING);
    assert_eq!(codes(&format!("[home]\ninclude => lost-1,9:00-17:00,*,*,*\n{lost}")), NOTHING);
    let sip = format!("[general]\ncontext=lost-1\n{PEERS}");
    assert_eq!(said(&sip, &format!("[home]\n{lost}")), NOTHING);
}

#[test]
fn an_open_pattern_that_hides_what_is_included_is_said() {
    assert_eq!(
        plan(
            "[home]\ninclude => phones\ninclude => emergency\nexten => _9.,1,Hangup()\n[phones]\nexten => _X!,1,Hangup()\n\
             [emergency]\nexten => 911,1,Hangup()\nexten => 112,1,Hangup()\nexten => *1,1,Hangup()\nexten => _1XX,1,Hangup()\n"
        ),
        [
            "4 extension-shadowed '_9.' also matches '911' of context 'emergency', which calls from 'home' search later: \
             never reached -- put '_9.' into a context of its own, and include that last",
            "6 extension-shadowed '_X!' also matches '112' and '_1XX' of context 'emergency', which calls from 'home' search \
             later: never reached -- put '_X!' into a context of its own, and include that last",
        ]
    );
}

#[test]
fn an_open_pattern_that_comes_last_or_not_always_hides_nothing() {
    let phones = "[phones]\nexten => 101,1,Hangup()\nexten => _2XX,1,Hangup()\nexten => s,1,Hangup()\n";
    for extensions in [
        "[home]\ninclude => phones\ninclude => rest\n[rest]\nexten => _X.,1,Hangup()\n",
        "[home]\ninclude => night,22:00-06:00,*,*,*\ninclude => phones\n[night]\nexten => _X.,1,Hangup()\n",
        "[home]\ninclude => phones\nexten => _X./5,1,Hangup()\n",
        "[home]\ninclude => phones\nexten => _9.,1,Hangup()\n",
        "[home]\ninclude => phones\nexten => _2XX,1,Hangup()\nexten => 101,1,Busy()\n",
    ] {
        assert_eq!(codes(&format!("{extensions}{phones}")), NOTHING, "{extensions}");
    }
}

#[test]
fn a_trunk_behind_a_dialled_number_is_held_against_the_peers_too() {
    assert_eq!(
        plan(
            "[home]\nexten => _0X,1,Dial(SIP/${EXTEN:1}@provder&SIP/hal/${EXTEN:1}&Zap/g2/${EXTEN},20)\n\
             same => n,Dial(SIP/${EXTEN:1}@hall&SIP/hall/${EXTEN:1}&SIP/${X}@${Y}&SIP/${IF($[1]?a&b:c)}@hall&${Z}/1)\n"
        ),
        [
            "2 dial-nobody Dial names 'provder', which is not a peer in sip.conf -- it fails at once (CHANUNAVAIL)",
            "2 dial-nobody Dial names 'hal', which is not a peer in sip.conf -- did you mean 'hall'?",
            "2 dial-nobody Dial names 'Zap': only SIP and Local are here -- it fails at once (CHANUNAVAIL)",
        ]
    );
}

#[test]
fn what_names_a_peer_that_an_error_leaves_out_is_no_mistake_of_its_own() {
    let sip = format!("{PEERS}[door]\ntype=friend\nhost=dynamic\nsecret=w6tb3h8zk5mq\nacl=nosuch\ncontext=porch\n");
    assert_eq!(
        said(&sip, "[home]\nexten => 1,1,Dial(SIP/door)\nexten => 1,hint,SIP/door\n[porch]\nexten => 2,1,Hangup()\n"),
        ["extensions:2 dial-nobody Dial names 'door', which an error in sip.conf leaves out -- \
          mend that error: until then it fails at once (CHANUNAVAIL)"]
    );
}

#[test]
fn files_of_asterisk_1_2_are_told_what_became_of_macros_and_of_n_plus_101() {
    let found = plan(
        "[home]\nexten => 1,1,Macro(std,hall)\nexten => 2,1,Dial(SIP/hall)\nexten => 2,102,Busy()\n\
         [macro-std]\nexten => s,1,Dial(SIP/${ARG1})\n[macro-lost]\nexten => s,1,Hangup()\n",
    );
    let found: Vec<&str> = found.iter().map(|line| line.split(" -- ").last().unwrap_or_default()).collect();
    assert!(
        matches!(&found[..], [busy, unused] if busy.starts_with("Asterisk 1.2 jumped here (n+101)")
            && unused.contains("context=")),
        "{found:?}"
    );
}

#[test]
fn dial_and_hints_are_held_against_the_peers() {
    let sip = format!("{PEERS}[door]\ntype=user\nsecret=w6tb3h8zk5mq\ncontext=home\n");
    assert_eq!(
        said(
            &sip,
            "[home]\nexten => 1,1,Dial(SIP/kitchn&SIP/hall/100&SIP/100@cellar,20)\n same => n,Dial(SIP/door)\n\
             same => n,Dial(IAX2/far/1)\nexten => 1,hint,SIP/halll&Custom:x\n"
        ),
        [
            "extensions:2 dial-nobody Dial names 'kitchn', which is not a peer in sip.conf -- did you mean 'kitchen'?",
            "extensions:2 dial-nobody Dial names 'cellar', which is not a peer in sip.conf -- it fails at once (CHANUNAVAIL)",
            "extensions:3 dial-nobody 'door' is type=user: it may call, not be called -- write 'type=friend' or 'type=peer'",
            "extensions:4 dial-nobody Dial names 'IAX2': only SIP and Local are here -- it fails at once (CHANUNAVAIL)",
            "extensions:5 hint-nobody the hint names 'halll', which is not a peer in sip.conf -- did you mean 'hall'?",
        ]
    );
    assert_eq!(
        codes(
            "[globals]\nOUT=DAHDI/g2\n[home]\nexten => 1,1,Dial(SIP/${WHO}&${OUT}/5&sip/hall@kitchen,20,g)\nexten => 1,hint,SIP/hall\n\
             exten => 2,1,ExecIf(${X}?Dial(SIP/hall))\n"
        ),
        NOTHING
    );
}

#[test]
fn what_is_dialled_reaches_dial_filtered_or_by_a_pattern_of_one_length() {
    assert_eq!(
        plan(
            "[home]\nexten => _0.,1,NoOp()\n same => n,Dial(SIP/${EXTEN:1}@hall,20)\nexten => _9!,1,ExecIf(1?Dial(SIP/${IF(1?${EXTEN})}))"
        ),
        ["4 dial-unfiltered '${EXTEN}' of '_9!' may be any text, and rings the line that a caller names in it -- \
             write ${FILTER(0-9,${EXTEN})}: a telephone can dial more than digits",]
    );
    assert_eq!(
        plan(
            "[home]\nexten => _0.,1,Dial(SIP/${FILTER(0-9,${EXTEN:1})}@trunk,20)\nsame => n,Dial(SIP/trunk2/${EXTEN:1})"
        )
        .len(),
        2,
        "the trunk is constant, and not there"
    );
    assert_eq!(
        plan("[home]\nexten => 1,1,Dial(SIP/hall,20,gpP(x)r)\nsame => n,Dial(Local/7@home&Local/1@home&Local/1@no)\n"),
        [
            "3 dial-nobody Dial names Local/7@home, and '7' is not in context 'home' -- it fails at once (CHANUNAVAIL)",
            "3 dial-nobody Dial names Local/1@no, and there is no context 'no' -- it fails at once (CHANUNAVAIL)",
        ]
    );
    assert_eq!(
        codes(
            "[home]\nexten => _1XX,1,Dial(SIP/${EXTEN})\nexten => _0.,1,Dial(SIP/${FILTER(0-9,${EXTEN:1})}@hall)\n\
             exten => _X!,1,Dial(SIP/hall,${LEN(${EXTEN})})\n same => n,Set(N=${EXTEN})\n"
        ),
        NOTHING
    );
}

#[test]
fn functions_and_applications_in_a_branch_are_looked_for() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,Set(X=${FILTR(0-9,${LENN(${EXTEN})})})\n same => n,Set(TIMEOUT(absolute)=9)\n\
             same => n,Set(LEN(x)=9)\n same => n,ExecIf($[${ODBC_X(1)}]?Plaback(beep):Set(NOPE(1)=2))\n"
        ),
        [
            "2 function-unknown there is no function 'FILTR' -- did you mean 'FILTER'?",
            "2 function-unknown there is no function 'LENN' -- did you mean 'LEN'?",
            "4 function-unknown the function 'LEN' cannot be assigned -- it can only be read",
            "5 function-unknown there is no function 'ODBC_X' -- it evaluates to nothing",
            "5 function-unknown there is no function 'NOPE' -- what is assigned is lost",
            "5 application-unknown there is no application 'Plaback' -- did you mean 'Playback'? A call that gets here ends",
        ]
    );
    assert_eq!(
        codes(
            "[home]\nexten => 1,1,Set(CALLERID(num)=${CALLERID(name):2}${X:1}${${Y}(1)})\n same => n,ExecIf(${Z}?${APP}(x))\n\
             same => n,Set(__X=${DB(a/${EXTEN})}$[${LEN(x)} + 1])\n same => n,NoOp(${a:(x)})"
        ),
        NOTHING
    );
}

#[test]
fn secrets_are_judged_and_not_shown() {
    let peer =
        |name: &str, secret: &str| format!("[{name}]\ntype=friend\nhost=dynamic\nsecret={secret}\ncontext=home\n");
    let sip = [("a", "password"), ("b", "change-me-2"), ("c", "k3vw9m2xq8tz"), ("d", "k3vw9m2xq8tz"), ("e", "x7")]
        .map(|(name, secret)| peer(name, secret))
        .concat();
    let said = said(&sip, "[home]\nexten => 1,1,Hangup()\n");
    let hint = "set 'secret=' to twelve letters and digits, here and in the device";
    assert_eq!(
        said,
        [
            format!("sip:1 secret-weak peer 'a' has a secret everybody tries first, such as the guides' 'password' -- {hint}"),
            format!("sip:6 secret-placeholder peer 'b' still has the secret of an example, which everybody can read -- {hint}"),
            "sip:11 secret-shared peers 'c' and 'd' have the same secret: who has one device can be the other -- give each its own"
                .to_owned(),
            format!("sip:21 secret-weak peer 'e' has a secret of less than eight characters -- {hint}"),
        ]
    );
}

#[test]
fn many_names_are_cut() {
    assert_eq!(some_of(["a"]), "'a'");
    assert_eq!(some_of(["a", "b", "c"]), "'a', 'b' and 'c'");
    assert_eq!(some_of(["a", "b", "c", "d", "e"]), "'a', 'b', 'c' and 2 more");
}

#[test]
fn a_decision_by_who_calls_is_said_where_a_caller_tells_that_itself() {
    let found = |peer: &str, plan: &str| -> Vec<String> {
        let sip = format!("{peer}{PEERS}");
        let all = said(&sip, plan);
        all.into_iter().filter(|line| line.contains("caller-claimed")).collect()
    };
    let trunk = |lines: &str| format!("[trunk]\ntype=friend\nhost=192.0.2.9\ncontext=in\n{lines}\n");
    let plan = "[in]\ninclude => home\nexten => 1,1,Goto(deeper,1,1)\n[home]\nexten => _0X./201,1,Dial(SIP/hall)\n\
                exten => 5,1,GotoIf($[\"${CALLERID(num)}\" = \"201\"]?2)\nexten => 5,2,Hangup()\n\
                [deeper]\nexten => 1,1,ExecIf($[\"${callerid(ANI)}\"=\"1\"]?Hangup())\n\
                [far]\nexten => 1/5,1,Hangup()\nexten => 2,1,Goto(in,1,1)";
    let hint = "let that caller begin in a 'context=' of its own, or give the peer its one number with 'callerid='";
    assert_eq!(
        found(&trunk(""), plan),
        [
            format!(
                "extensions:5 caller-claimed context 'home' decides by who calls (here and 1 more times), and 'trunk' (a fixed address, and no secret for its calls) may say to be anybody -- {hint}"
            ),
            format!(
                "extensions:9 caller-claimed context 'deeper' decides by who calls, and 'trunk' (a fixed address, and no secret for its calls) may say to be anybody -- {hint}"
            ),
        ]
    );
    assert_eq!(found(&trunk("secret=k3vw9m2xq8tq\ninsecure=invite"), plan).len(), 2);
    assert_eq!(found(&trunk("secret=k3vw9m2xq8tq"), plan), NOTHING, "it proves that it is the other exchange");
    assert_eq!(found(&trunk("callerid=77"), plan), NOTHING);
    assert_eq!(found(&trunk("callerid=77\ntrustrpid=yes"), plan).len(), 2);
    assert_eq!(found("", plan), NOTHING, "a line that registers calls as itself");
    assert_eq!(found("[general]\nallowguest=yes\ncontext=far\n", plan).len(), 3, "and a guest as it likes");
    // What tells something else of a call, or only writes it down, decides nothing.
    let harmless = "[in]\nexten => 1,1,NoOp(${CALLERID(num)})\nsame => n,Set(x=${CALLERID(num)})\n\
                    same => n,Set(CALLERID(num)=$[1 + 1])\nsame => n,GotoIf($[\"${CALLERID(dnid)}\"=\"1\"]?1)";
    assert_eq!(found(&trunk(""), harmless), NOTHING);
    let kept = "[in]\nexten => 1,1,Set(ok=$[\"${CALLERID(num)}\" = \"201\"])";
    assert_eq!(found(&trunk(""), kept).len(), 1);
    let anywhere = "[in]\nexten => _X.,1,Goto(${EXTEN},s,1)\n[home]\nexten => s/1,1,Hangup()";
    assert_eq!(found(&trunk(""), anywhere).len(), 1);
}

#[test]
fn jumps_of_macros_times_options_and_menus_are_followed() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,Macro(rnig,a)\nexten => 2,1,Dial(SIP/hall,9,U(subb^x)gM(rnig^a))\n\
             exten => 3,1,GotoIfTime(9:00-17:00,mon-fri,*,*?day,s,1:night,s,1)\n\
             exten => 4,1,ExecIfTime(9:00-17:00,mon-fri,*,*?Goto(dayy,s,1))\nexten => 5,1,TryExec(Goto(nine))\n\
             exten => 6,1,DISA(1234,outt)\nexten => 7,1,MacroIf(1?ring:rnig)\nexten => 8,1,Originate(Local/9@house,exten,dayy,s,1)\n\
             [macro-ring]\nexten => s,1,NoOp()\n[day]\nexten => s,1,NoOp()\n"
        ),
        [
            "2 jump-nowhere Macro leads to context 'macro-rnig', which does not exist -- did you mean 'macro-ring'?",
            "3 jump-nowhere Dial leads to context 'macro-rnig', which does not exist -- did you mean 'macro-ring'?",
            "3 jump-nowhere Dial leads to context 'subb', which does not exist -- a call that gets there ends",
            "4 jump-nowhere GotoIfTime leads to context 'night', which does not exist -- a call that gets there ends",
            "5 jump-nowhere Goto leads to context 'dayy', which does not exist -- did you mean 'day'?",
            "6 jump-nowhere Goto leads to 'nine', which is not a priority or label of extension '5' -- a call that gets there ends",
            "7 jump-nowhere DISA leads to context 'outt', which does not exist -- a call that gets there ends",
            "8 jump-nowhere MacroIf leads to context 'macro-rnig', which does not exist -- did you mean 'macro-ring'?",
            "9 jump-nowhere Originate leads to context 'dayy', which does not exist -- did you mean 'day'?",
            "9 dial-nobody Originate names Local/9@house, and there is no context 'house' -- it fails at once (CHANUNAVAIL)",
        ]
    );
}

#[test]
fn what_programs_and_menus_lead_to_is_in_use() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,Macro(ring,a)\n same => n,Dial(SIP/hall,9,U(sub^x)b(hdr^s^1(y))${MORE})\n\
             same => n,Background(beep,,,menu)\n same => n,WaitExten(5)\n same => n,DISA(123456,out)\n same => n,While(1)\n\
             same => n,EndWhile()\n same => n,Gosub(${X},s,1)\n same => n,Macro(${Y})\n same => n,GotoIfTime(*,*,*,*?50)\n same => 50,NoOp()\n\
             [macro-ring]\nexten => s,1,NoOp()\n[sub]\nexten => s,1,Return()\n[hdr]\nexten => s,1,Return()\n\
             [menu]\nexten => 1,1,NoOp()\nexten => 2,1,NoOp()\nexten => i,1,NoOp()\n[out]\nexten => _9X,1,NoOp()\n"
        ),
        NOTHING
    );
}

#[test]
fn brackets_that_are_not_closed_letters_that_are_none_and_an_open_disa_are_said() {
    assert_eq!(
        plan(
            "[home]\nexten => 1,1,NoOp(${LEN(${EXTEN})\nexten => 2,1,Set(A=$[1 + ${B})\nexten => 3,1,NoOp(${A} $[1] ${B:1})\n\
             exten => 4,1,Dial(SIP/hall,9,gyp${O}q)\nexten => 5,1,DISA(no-password,home)\nexten => 6,1,DISA(${PIN},home)\n"
        ),
        [
            "2 text-unclosed '${' is never closed with '}': ${LEN(${EXTEN} -- count the brackets: each '${' needs its own '}', each '(' its ')'",
            "3 text-unclosed '$[' is never closed with ']': $[1 + ${B} -- count the brackets: each '$[' needs its own ']', each '(' its ')'",
            "5 dial-option Dial's options 'y', 'q' are unknown -- it does nothing: `core show application Dial` lists the letters",
            "6 disa-open DISA asks for no PIN: who gets here dials whatever context 'home' holds -- give it a PIN, DISA(123456,...), unless nothing in that context costs money",
        ]
    );
}

#[test]
fn programs_that_are_not_allowed_and_commands_that_a_caller_makes_are_said() {
    let extensions = "[home]\nexten => 1,1,System(date)\n same => n,AGI(x.sh)\n same => n,NoOp(${SHELL(date)})\n \
        same => n,SayText(hello)\n same => n,ExecIf(1?TrySystem(date))\n";
    let refused = |what: &str, line: u32, key: &str| {
        format!(
            "{line} program-refused {what} is refused: strowger.toml does not allow it -- to allow it, write '{key} = true' \
             below [programs] in strowger.toml"
        )
    };
    assert_eq!(
        plan(extensions),
        [
            refused("System", 2, "system"),
            refused("AGI", 3, "agi"),
            refused("SHELL()", 4, "system"),
            refused("SayText", 5, "speech"),
            refused("TrySystem", 6, "system"),
        ]
    );
    let allowed = |extensions: &str| {
        let toml = "[programs]\nsystem = true\nagi = true\nspeech = true\n";
        let (config, _) = Config::from_texts(PEERS, extensions, "", toml);
        let config = config.unwrap();
        let (plan, _) = dialplan::parse(&config.extensions, REGISTRAR);
        let found = findings(&config, &plan).into_iter();
        found.map(|one| format!("{} {} {}", one.place.line, one.code, one.message)).collect::<Vec<_>>()
    };
    assert_eq!(allowed(extensions), NOTHING);
    let open = |line: u32, name: &str| {
        format!("{line} command-open a command of the machine is made with {name}, which the caller chooses")
    };
    assert_eq!(
        allowed(
            "[home]\nexten => _X.,1,System(echo \"${CALLERID(name)}\")\n same => n,NoOp(${SHELL(echo ${EXTEN})})\n \
             same => n,System(echo ${FILTER(0-9,${EXTEN})} ${LEN(${CALLERID(num)})})\nexten => _XX,1,System(echo ${EXTEN})\n \
             same => n,AGI(x.sh,${CALLERID(name)})\n same => n,SayText(${CALLERID(name)})\n"
        ),
        [open(2, "${CALLERID(name)}"), open(3, "${EXTEN}")]
    );
}

#[test]
fn peers_at_one_address_that_nothing_tells_apart_are_said_with_whose_a_call_is() {
    let found = |one: &str, two: &str| -> Vec<String> {
        let peer = |name: &str, lines: &str| {
            format!("[{name}]\ntype=peer\nhost=203.0.113.5\nsecret=k3vw9m2xq8tq\ncontext=in\n{lines}\n")
        };
        let all = said(&format!("{}{}", peer("two", two), peer("one", one)), "[in]\nexten => s,1,Hangup()");
        all.into_iter().filter(|line| line.contains("trunks-alike")).collect()
    };
    let alike = found("", "");
    assert_eq!(alike.len(), 1);
    assert!(
        alike[0].contains("'one' and 'two' are both at 203.0.113.5:5060: a call from there that names none of them")
    );
    assert!(alike[0].contains("is taken to be of 'one' -- write what the provider calls each by"), "{alike:?}");
    assert_eq!(found("defaultuser=4711", "").len(), 1, "one of them still has nothing of its own");
    assert_eq!(found("defaultuser=4711", "fromuser=4711").len(), 1, "the same");
    assert_eq!(found("defaultuser=4711", "fromuser=4712"), NOTHING);
    assert_eq!(found("fromdomain=a.example", "fromuser=4712"), NOTHING);
    assert_eq!(found("port=5070", ""), NOTHING);
}

#[test]
fn a_provider_whose_calls_would_be_challenged_is_said() {
    let found = |lines: &str, general: &str| -> Vec<String> {
        let sip = format!(
            "[general]\n{general}\n[itsp]\ntype=peer\nhost=sip.itsp.example\nsecret=k3vw9m2xq8tq\ncontext=in\n{lines}\n"
        );
        let all = said(&sip, "[in]\nexten => 4930,1,Hangup()");
        all.into_iter().filter(|line| line.contains("trunk-challenged")).collect()
    };
    const REGISTERED: &str = "register => 4711:k3vw9m2xq8tq@sip.itsp.example/4930";
    let asked = found("", REGISTERED);
    assert_eq!(asked.len(), 1);
    assert!(asked[0].contains("calls in from 'itsp' are asked for its secret"), "{asked:?}");
    assert!(asked[0].ends_with("write 'insecure=port,invite' in its section"), "{asked:?}");
    assert_eq!(found("callbackextension=4930", "").len(), 1);
    assert_eq!(found("insecure=port", REGISTERED).len(), 1);
    assert_eq!(found("insecure=invite", REGISTERED), NOTHING);
    assert_eq!(found("secret=\nremotesecret=k3vw9m2xq8tq", REGISTERED), NOTHING);
    assert_eq!(found("", ""), NOTHING, "nobody registers there: it may be another exchange");
    assert_eq!(found("context=elsewhere", REGISTERED), NOTHING, "no call comes in");
}

#[test]
fn a_host_that_is_no_peer_is_said_with_what_a_caller_chooses_there() {
    let found = |exten: &str, dial: &str| -> Vec<String> {
        let all = said(PEERS, &format!("[home]\nexten => {exten},1,Dial({dial})\n"));
        all.into_iter().filter(|line| line.contains("dial-host") || line.contains("dial-nobody")).collect()
    };
    let one = found("1", "SIP/bob@pbx.example");
    assert_eq!(one.len(), 1);
    assert!(
        one[0].contains("dial-host Dial calls host 'pbx.example', which has no section") && !one[0].contains("chooses")
    );
    assert!(found("_X.", "SIP/${EXTEN:1}@203.0.113.9:5070,30")[0].contains("whoever dials chooses any user there"));
    assert!(found("_X.", "SIP/${EXTEN}@trnuk")[0].contains("dial-nobody"));
}

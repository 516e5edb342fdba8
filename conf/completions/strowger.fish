# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_strowger_global_optspecs
    string join \n C/config= socket= v/verbose n/no-color r/console x/execute= c f g d F U= G= p q m T i I t X B W L= M= e= h/help V/version
end

function __fish_strowger_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_strowger_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_strowger_using_subcommand
    set -l cmd (__fish_strowger_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c strowger -n "__fish_strowger_needs_command" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_needs_command" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_needs_command" -s x -l execute -d 'Run one console command, print the result, exit (usually as -rx)' -r
complete -c strowger -n "__fish_strowger_needs_command" -s U -r
complete -c strowger -n "__fish_strowger_needs_command" -s G -r
complete -c strowger -n "__fish_strowger_needs_command" -s L -r
complete -c strowger -n "__fish_strowger_needs_command" -s M -r
complete -c strowger -n "__fish_strowger_needs_command" -s e -r
complete -c strowger -n "__fish_strowger_needs_command" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_needs_command" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_needs_command" -s r -l console -d 'Open a console on the running exchange'
complete -c strowger -n "__fish_strowger_needs_command" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_needs_command" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_needs_command" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_needs_command" -s d -d 'Debug levels'
complete -c strowger -n "__fish_strowger_needs_command" -s F
complete -c strowger -n "__fish_strowger_needs_command" -s p
complete -c strowger -n "__fish_strowger_needs_command" -s q
complete -c strowger -n "__fish_strowger_needs_command" -s m
complete -c strowger -n "__fish_strowger_needs_command" -s T
complete -c strowger -n "__fish_strowger_needs_command" -s i
complete -c strowger -n "__fish_strowger_needs_command" -s I
complete -c strowger -n "__fish_strowger_needs_command" -s t
complete -c strowger -n "__fish_strowger_needs_command" -s X
complete -c strowger -n "__fish_strowger_needs_command" -s B
complete -c strowger -n "__fish_strowger_needs_command" -s W
complete -c strowger -n "__fish_strowger_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c strowger -n "__fish_strowger_needs_command" -s V -l version -d 'Print version'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "run" -d 'Run the exchange in the foreground (the default)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "demo" -d 'Run a call between two simulated phones, without any hardware'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "check" -d 'Check the configuration and report every problem'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "doctor" -d 'Check this machine for what would keep calls from working, with advice'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "init" -d 'Create a first configuration, with new secrets, in a directory that has none'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "console" -d 'Open a console on the running exchange (as -r)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "reload" -d 'Have the running exchange read its configuration again (core reload)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "status" -d 'Show whether the exchange runs, since when, and how many calls and peers it has'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "peers" -d 'List the peers of the running exchange (sip show peers)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "calls" -d 'List the latest calls, with why each ended; reads what is kept, whether the exchange runs or not'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "quality" -d 'Draw the sound of a call: delay, losses, and where jitter buffers of fixed length slip'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "sounds" -d 'Show which sounds there are, measure one, or convert a recording'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "provision" -d 'Set up telephones and adapters: show their files, add one, have one fetch its files anew'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "logo" -d 'Make the picture for the screen of a Cisco 7940 or 7960 from a PNG, JPEG or BMP file, and show it'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand run" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand run" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand demo" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand check" -l format -d 'Output format' -r -f -a "text\t'Text for people: the line, a caret, a hint'
json\t'One JSON document for programs'"
complete -c strowger -n "__fish_strowger_using_subcommand check" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand check" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand check" -l all -d 'Report each problem, also of a kind of which there are many'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -l json -d 'Print the findings as JSON'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand init" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand init" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s x -l execute -d 'Run one console command, print the result, exit' -r
complete -c strowger -n "__fish_strowger_using_subcommand console" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand console" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand console" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand reload" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand reload" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand status" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand status" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand status" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand peers" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand peers" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s N -l number -d 'How many' -r
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand calls" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand calls" -l quality -d 'Also how the sound of each line came, and what to do for a modem'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -l json -d 'Print the calls, with the quality of their lines, as JSON'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand calls" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand quality" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand quality" -l svg -d 'Print the picture as SVG'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand quality" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -f -a "list" -d 'List the folders where sounds are looked for, and the sounds in them'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -f -a "play" -d 'Show what is played for a name: the file, its format, length and level'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -f -a "convert" -d 'Convert a recording for a telephone line: to 8 kHz, as the ending of OUT says (.ulaw, .alaw, .wav, .sln)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and not __fish_seen_subcommand_from list play convert help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -l language -d 'Only the names that begin with this language' -r
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -l language -d 'The language of the call' -r
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -l to -d 'Write what a telephone line carries of it into this WAV file' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from play" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from convert" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from help" -f -a "list" -d 'List the folders where sounds are looked for, and the sounds in them'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from help" -f -a "play" -d 'Show what is played for a name: the file, its format, length and level'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from help" -f -a "convert" -d 'Convert a recording for a telephone line: to 8 kHz, as the ending of OUT says (.ulaw, .alaw, .wav, .sln)'
complete -c strowger -n "__fish_strowger_using_subcommand sounds; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -f -a "show" -d 'Print every file that is made for a device'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -f -a "new" -d 'Add a telephone or adapter: asks what is not said, makes passwords, writes its peers'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -f -a "push" -d 'Have a device fetch its files anew: sends the NOTIFY that its make understands'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and not __fish_seen_subcommand_from show new push help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -l address -d 'The exchange\'s address as the device reaches it (default: that of this machine)' -r
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -l secrets -d 'Print passwords, too'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -l device -d 'The model, such as pap2t or cisco-7960; generic for a softphone and any other' -r
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -l mac -d 'The hardware address on its label' -r
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -l for -d 'What is on its lines: \'modem 881\', \'voice 201\', several with commas between' -r
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -l address -d 'The exchange\'s address as the device reaches it (default: that of this machine)' -r
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from push" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from help" -f -a "show" -d 'Print every file that is made for a device'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from help" -f -a "new" -d 'Add a telephone or adapter: asks what is not said, makes passwords, writes its peers'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from help" -f -a "push" -d 'Have a device fetch its files anew: sends the NOTIFY that its make understands'
complete -c strowger -n "__fish_strowger_using_subcommand provision; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf (default: /etc/strowger if it has a sip.conf, else what the first start made in conf of the state folder: /var/lib/strowger or ~/.local/state/strowger)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand logo" -l socket -d 'Path of the control socket (default: derived from the configuration directory)' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s v -l verbose -d 'Increase verbosity (repeatable)'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s n -l no-color -d 'No colours at a console'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s c -d 'Run the exchange, and take console commands from the standard input (at a terminal it does so anyway)'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s f -d 'Run the exchange in the foreground; it always does'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s g -d 'Let the system write a core dump if the exchange crashes'
complete -c strowger -n "__fish_strowger_using_subcommand logo" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "run" -d 'Run the exchange in the foreground (the default)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "demo" -d 'Run a call between two simulated phones, without any hardware'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "check" -d 'Check the configuration and report every problem'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "doctor" -d 'Check this machine for what would keep calls from working, with advice'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "init" -d 'Create a first configuration, with new secrets, in a directory that has none'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "console" -d 'Open a console on the running exchange (as -r)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "reload" -d 'Have the running exchange read its configuration again (core reload)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "status" -d 'Show whether the exchange runs, since when, and how many calls and peers it has'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "peers" -d 'List the peers of the running exchange (sip show peers)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "calls" -d 'List the latest calls, with why each ended; reads what is kept, whether the exchange runs or not'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "quality" -d 'Draw the sound of a call: delay, losses, and where jitter buffers of fixed length slip'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "sounds" -d 'Show which sounds there are, measure one, or convert a recording'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "provision" -d 'Set up telephones and adapters: show their files, add one, have one fetch its files anew'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "logo" -d 'Make the picture for the screen of a Cisco 7940 or 7960 from a PNG, JPEG or BMP file, and show it'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console reload status peers calls quality sounds provision logo help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from sounds" -f -a "list" -d 'List the folders where sounds are looked for, and the sounds in them'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from sounds" -f -a "play" -d 'Show what is played for a name: the file, its format, length and level'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from sounds" -f -a "convert" -d 'Convert a recording for a telephone line: to 8 kHz, as the ending of OUT says (.ulaw, .alaw, .wav, .sln)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from provision" -f -a "show" -d 'Print every file that is made for a device'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from provision" -f -a "new" -d 'Add a telephone or adapter: asks what is not said, makes passwords, writes its peers'
complete -c strowger -n "__fish_strowger_using_subcommand help; and __fish_seen_subcommand_from provision" -f -a "push" -d 'Have a device fetch its files anew: sends the NOTIFY that its make understands'

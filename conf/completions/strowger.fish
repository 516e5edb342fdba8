# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_strowger_global_optspecs
    string join \n C/config= socket= v/verbose r/console x/execute= h/help V/version
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

complete -c strowger -n "__fish_strowger_needs_command" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_needs_command" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_needs_command" -s x -l execute -d 'Have the running exchange carry out one console command, print its answer and end (usually as -rx)' -r
complete -c strowger -n "__fish_strowger_needs_command" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_needs_command" -s r -l console -d 'Connect to the running exchange: a console'
complete -c strowger -n "__fish_strowger_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c strowger -n "__fish_strowger_needs_command" -s V -l version -d 'Print version'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "run" -d 'Run the exchange in the foreground (also without a command)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "demo" -d 'Show a call between two simulated lines, without any hardware'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "check" -d 'Read the configuration and print everything there is to say about it'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "doctor" -d 'Look at this machine: what would keep calls from working, and what to do about it'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "init" -d 'Write a first configuration with fresh secrets into a directory that has none'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "console" -d 'Connect to the running exchange (as -r)'
complete -c strowger -n "__fish_strowger_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand run" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand run" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand run" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand demo" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand demo" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand check" -l format -d 'How it is printed' -r -f -a "text\t'For people: the line, a caret, a hint'
json\t'For programs: one JSON document'"
complete -c strowger -n "__fish_strowger_using_subcommand check" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand check" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand check" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -l json -d 'Print the findings as JSON'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand init" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand init" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand init" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s x -l execute -d 'Carry out one console command, print its answer and end' -r
complete -c strowger -n "__fish_strowger_using_subcommand console" -s C -l config -d 'The configuration directory, or the path of an asterisk.conf' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand console" -l socket -d 'Where the control socket is, instead of the usual places' -r -F
complete -c strowger -n "__fish_strowger_using_subcommand console" -s v -l verbose -d 'Tell more; may be repeated'
complete -c strowger -n "__fish_strowger_using_subcommand console" -s h -l help -d 'Print help'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "run" -d 'Run the exchange in the foreground (also without a command)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "demo" -d 'Show a call between two simulated lines, without any hardware'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "check" -d 'Read the configuration and print everything there is to say about it'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "doctor" -d 'Look at this machine: what would keep calls from working, and what to do about it'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "init" -d 'Write a first configuration with fresh secrets into a directory that has none'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "console" -d 'Connect to the running exchange (as -r)'
complete -c strowger -n "__fish_strowger_using_subcommand help; and not __fish_seen_subcommand_from run demo check doctor init console help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'

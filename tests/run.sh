#!/usr/bin/env bash
# Every check there is, one after the other: `bash tests/run.sh`, or only some: `bash tests/run.sh tests interop`.
# As root on Debian it installs what is missing; as anyone else it skips that, and says so by name.
# Changes nothing in the tree. Ends with the line `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.." || exit 1

PARTS="format lints tests mutations oracle interop docs licences"
case "${1:-}" in help | -h | --help)
    echo "bash tests/run.sh [PART...]   parts: $PARTS"
    exit 0 ;;
esac
for part in "$@"; do
    case " $PARTS " in *" $part "*) ;; *)
        echo "tests/run.sh: no part '$part'; there are: $PARTS"
        exit 2 ;;
    esac
done
PARTS=${*:-$PARTS}

scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
tools=${CARGO_TARGET_DIR:-target}/tools
export PATH="$PATH:$HOME/.cargo/bin:/usr/sbin:/sbin:$PWD/$tools/bin:$tools/bin"
export CARGO_TERM_COLOR=never RUST_BACKTRACE="${RUST_BACKTRACE:-0}" CARGO_NET_RETRY=5
export STROWGER_SKIPPED="$scratch/skipped"
# Where every change is judged, nothing may be missing.
if [ -n "${CI:-}" ]; then export STROWGER_INTEROP_REQUIRED=1; fi
: > "$STROWGER_SKIPPED"
passed=0
failed=0

# -- helpers ------------------------------------------------------------------------------------------------------

has() { command -v "$1" > /dev/null 2>&1; }
wanted() { case " $PARTS " in *" $1 "*) return 0 ;; *) return 1 ;; esac; }
is_root() { [ "$(id -u)" = 0 ]; }
skip() { echo "$1" >> "$STROWGER_SKIPPED"; }

# check NAME COMMAND...: one check that passes or fails as a whole.
check() {
    local name=$1
    shift
    if "$@" < /dev/null; then
        passed=$((passed + 1))
        echo "ok: $name"
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
    fi
}

# counted COMMAND...: a run of cargo test, each of whose tests counts.
counted() {
    local skipped_before
    skipped_before=$(wc -l < "$STROWGER_SKIPPED")
    "$@" < /dev/null 2>&1 | tee "$scratch/out"
    local status=${PIPESTATUS[0]} p f
    p=$(sed -n 's/^test result: .* \([0-9]*\) passed;.*/\1/p' "$scratch/out" | awk '{n += $1} END {print n + 0}')
    f=$(sed -n 's/^test result: .* \([0-9]*\) failed;.*/\1/p' "$scratch/out" | awk '{n += $1} END {print n + 0}')
    # A test that was skipped ends as one that passed: it is counted once, as skipped.
    passed=$((passed + p - $(wc -l < "$STROWGER_SKIPPED") + skipped_before))
    # What did not even build is a failure, too; so is a run that tests nothing.
    if [ "$f" = 0 ] && { [ "$status" != 0 ] || [ "$p" = 0 ]; }; then f=1; fi
    failed=$((failed + f))
    [ "$f" = 0 ] || echo "FAILED: $*"
}

part() {
    wanted "$1" || return 0
    local begin=$SECONDS
    printf '\n== %s\n' "$1"
    "part_$1"
    printf -- '-- %s took %d s\n' "$1" $((SECONDS - begin))
}

# -- what is needed -----------------------------------------------------------------------------------------------

install_programs() {
    local packages=""
    has sipp || packages="$packages sip-tester"
    has baresip || packages="$packages baresip"
    has linphonec || packages="$packages linphone-cli"
    has sipsak || packages="$packages sipsak"
    has faketime || packages="$packages faketime"
    has strace || packages="$packages strace"
    has ip || packages="$packages iproute2"
    has nft || packages="$packages nftables"
    has conntrack || packages="$packages conntrack"
    # Without the service of the same name.
    has dnsmasq || packages="$packages dnsmasq-base"
    # Clients of TFTP and HTTP.
    has tftp || packages="$packages tftp-hpa"
    has atftp || packages="$packages atftp"
    has curl || packages="$packages curl"
    # Where services run, their installation would start one: there they are left to whoever wants them.
    has fail2ban-regex || [ -d /run/systemd/system ] || packages="$packages fail2ban"
    has kamailio || [ -d /run/systemd/system ] || packages="$packages kamailio"
    has python3 || packages="$packages python3"
    has pkill || packages="$packages procps"
    has flite || packages="$packages flite"
    python3 -c "import ensurepip" 2> /dev/null || packages="$packages python3-venv"
    has cc || packages="$packages gcc libc6-dev"
    # Modems, for those that call each other.
    [ -e "$(echo /usr/lib/*/libspandsp.so.2)" ] || packages="$packages libspandsp2"
    # A human voice, for the test that plays it.
    [ -e /usr/share/asterisk/sounds/en_US_f_Allison ] || packages="$packages asterisk-core-sounds-en-wav"
    [ -n "$packages" ] || return 0
    if ! is_root || ! has apt-get; then
        echo "not installed:$packages (as root on Debian this script installs them)"
        return 0
    fi
    echo "installing:$packages"
    export DEBIAN_FRONTEND=noninteractive
    # One index that cannot be fetched (a mirror in mid-change) is no reason: the others may have what is needed.
    apt-get -q update > "$scratch/apt" 2>&1 < /dev/null || true
    # shellcheck disable=SC2086 # a list of words
    apt-get -q install -y --no-install-recommends $packages >> "$scratch/apt" 2>&1 < /dev/null ||
        { tail -n 5 "$scratch/apt"; echo "not all could be installed:$packages"; }
}

# Telephones' libraries for Python, and sipvicious, which is no package of Debian 12: in a place of their own.
install_libraries() {
    mkdir -p "$tools/bin"
    local place
    place=$(cd "$tools" && pwd)/python
    export STROWGER_PYTHON="${STROWGER_PYTHON:-$place/bin/python}"
    ln -sf ../python/bin/sipvicious_svwar "$tools/bin/sipvicious_svwar"
    if "$STROWGER_PYTHON" -c "import pjsua2, pyVoIP" > /dev/null 2>&1 && has sipvicious_svwar; then return 0; fi
    echo "installing: pjsua2-python, pyVoIP, sipvicious (for Python, in $place)"
    { python3 -m venv "$place" && "$place/bin/pip" --quiet --disable-pip-version-check install \
        pjsua2-python==2.15.1.post1 pyVoIP==1.6.8 sipvicious==0.3.8; } > "$scratch/pip" 2>&1 < /dev/null ||
        { tail -n 3 "$scratch/pip"; echo "not all could be installed"; }
}

# -- the parts ----------------------------------------------------------------------------------------------------

part_format() { check "cargo fmt --check" cargo fmt --check; }

part_lints() { check "clippy" cargo clippy --locked --all-targets -- -D warnings; }

part_tests() {
    local targets=() file name
    # All but those that are parts of their own; a folder with a main.rs is a test as well.
    for file in tests/*.rs tests/*/main.rs; do
        name=${file%/main.rs}
        name=$(basename "$name" .rs)
        [ -e "$file" ] || continue
        case $name in interop | networks | documentation) ;; *) targets+=(--test "$name") ;; esac
    done
    counted cargo test --locked --no-fail-fast --lib --bins "${targets[@]}"
    check "examples in the documentation" cargo test --locked --doc
}

# 100,000 spoilt datagrams in calls over the whole switch, and 6,000 random scripts; and 120,000 mutated messages, session
# descriptions and configurations, a third each. The seeds are fixed. All of it in what was built for the tests: building
# it optimised takes longer than the numbers save. docs/develop/fuzzing.md has the long forms.
part_mutations() {
    counted env STROWGER_MUTATIONS=100000 STROWGER_SCRIPTS=6000 cargo test --locked --no-fail-fast --test calls -- \
        mutated_calls random_scripts
    counted env STROWGER_MUTATIONS=40000 cargo test --locked --no-fail-fast --lib --test config -- \
        mutated_messages mutated_descriptions mutated_files
}

part_oracle() { counted cargo test --locked --no-fail-fast --manifest-path tests/oracle/Cargo.toml; }

part_interop() {
    install_libraries
    # They wait more than they work.
    counted cargo test --locked --no-fail-fast --test interop --test networks -- --test-threads 4
}

part_docs() {
    check "cargo doc" env RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --lib
    counted cargo test --locked --no-fail-fast --test documentation
}

part_licences() {
    if ! has cargo-deny && is_root; then
        echo "installing: cargo-deny (about a minute)"
        cargo install --quiet --locked --debug --version 0.20.2 --root "$tools" cargo-deny < /dev/null
    fi
    if has cargo-deny; then
        check "cargo deny" cargo deny --locked --log-level error check bans licenses sources
    elif [ -n "${CI:-}" ]; then
        check "cargo deny: could not be installed" false
    else
        skip "licences (cargo-deny: not installed)"
    fi
}

# -- the run ------------------------------------------------------------------------------------------------------

if ! has cargo; then
    echo "tests/run.sh: cargo is missing. Install Rust 1.95 or newer (https://rustup.rs), then run this again."
    exit 1
fi
if wanted interop || wanted tests || ! has cc; then install_programs; fi
for name in format lints tests mutations oracle interop docs licences; do part "$name"; done

skipped=$(wc -l < "$STROWGER_SKIPPED")
printf '\nall of it took %d s\n' "$SECONDS"
[ "$skipped" = 0 ] || { echo "skipped: $skipped"; sed 's/^/  /' "$STROWGER_SKIPPED"; }
echo "$passed passed, $failed failed, $((skipped)) skipped"
[ "$failed" = 0 ]

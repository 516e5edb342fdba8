#!/bin/bash
# The Debian package, from its making to its purge: bash tests/install/deb.sh [FILE.deb]
# Needs root and cargo-deb (or a package that is made already). Leaves nothing behind on the machine.
set -euo pipefail
cd "$(dirname "$0")/../.."

skip() { echo "SKIP tests/install/deb.sh: $1"; exit 0; }
fail() { echo "FAIL tests/install/deb.sh: $1" >&2; exit 1; }

[ "$(id -u)" = 0 ] || skip "needs root, to install a package"
command -v dpkg > /dev/null || skip "needs dpkg"
command -v systemd-sysusers > /dev/null || skip "needs systemd-sysusers, to make the service's user"
command -v setpriv > /dev/null || skip "needs setpriv, to run as the service's user"
# A machine that already has an exchange keeps it.
if dpkg -s strowger > /dev/null 2>&1 || getent passwd strowger > /dev/null || [ -e /etc/strowger ] || [ -e /var/lib/strowger ]; then
    skip "strowger is already installed here"
fi

work=$(mktemp -d /tmp/strowger-deb.XXXXXX)
pid=
tidy() {
    [ -z "$pid" ] || kill -KILL "$pid" 2> /dev/null || true
    dpkg -P strowger > /dev/null 2>&1 || true
    rm -rf /etc/strowger /var/lib/strowger /var/log/strowger /run/strowger "$work"
    if getent passwd strowger > /dev/null; then userdel strowger; fi
    if getent group strowger > /dev/null; then groupdel strowger; fi
}
trap tidy EXIT

deb=${1:-}
if [ -z "$deb" ]; then
    command -v cargo-deb > /dev/null || skip "needs cargo-deb (cargo install cargo-deb)"
    cargo deb --quiet --strip --output "$work/strowger.deb"
    deb=$work/strowger.deb
fi

echo "what is in it"
dpkg-deb --fsys-tarfile "$deb" > "$work/content.tar"
dpkg-deb --control "$deb" "$work/control"
dpkg-deb --field "$deb" Package Version Depends
sort "$work/control/conffiles" | diff - <(printf '/etc/strowger/%s\n' extensions.conf logger.conf rtp.conf strowger.toml) ||
    fail "other conffiles than these"
mkdir "$work/content"
tar -xf "$work/content.tar" -C "$work/content"
if grep -rEs '^[[:space:]]*(secret|md5secret)[[:space:]]*=' "$work/content/etc"; then fail "a secret is shipped"; fi
[ ! -e "$work/content/etc/strowger/sip.conf" ] || fail "a sip.conf is shipped: its secrets are made at the installation"
for path in usr/bin/strowger usr/lib/systemd/system/strowger.service usr/lib/systemd/system/strowger-tftp.socket usr/lib/sysusers.d/strowger.conf \
    usr/share/man/man1/strowger.1.gz usr/share/bash-completion/completions/strowger \
    usr/share/strowger/sounds/en/beep.ulaw usr/share/strowger/sounds/en/digits/1.ulaw usr/share/strowger/sounds/moh/default.ulaw; do
    [ -e "$work/content/$path" ] || fail "$path is missing"
done

alone=

echo "installed"
dpkg -i "$deb" > "$work/log" 2>&1 || { cat "$work/log"; fail "dpkg -i"; }
grep -q 'made in /etc/strowger/sip.conf' "$work/log" || fail "the installation does not say where the secrets are"
stat -c '%a %U:%G' /etc/strowger | grep -qx '2750 root:strowger' || fail "/etc/strowger: $(stat -c '%a %U:%G' /etc/strowger)"
stat -c '%a %U:%G' /etc/strowger/sip.conf | grep -qx '640 root:strowger' || fail "sip.conf: $(stat -c '%a %U:%G' /etc/strowger/sip.conf)"
[ "$(grep -c '^secret=' /etc/strowger/sip.conf)" = 10 ] || fail "not ten secrets in sip.conf"
if grep -qF "$(sed -n 's/^secret=//p' /etc/strowger/sip.conf | head -n 1)" "$work/log"; then fail "a secret is shown"; fi
strowger check > "$work/check" && grep -q 'errors 0, warnings 0' "$work/check" || { cat "$work/check"; fail "the installed configuration does not load"; }
if command -v systemd-analyze > /dev/null; then
    level=$(systemd-analyze security --offline=true --no-pager /usr/lib/systemd/system/strowger.service |
        sed -n 's/.*exposure level for strowger.service: \([0-9.]*\).*/\1/p')
    echo "systemd-analyze security: $level"
    awk -v level="$level" 'BEGIN { exit !(level != "" && level < 2.0) }' || fail "the sandbox is too wide: $level"
fi

if [ -d /run/systemd/system ]; then
    echo "run by systemd"
    systemctl is-active strowger || fail "the service does not run"
    strowger -rx "sip show peers" | tee "$work/peers"
else
    # Without systemd: what the unit sets, by hand, and on a network of its own where port 5060 is free.
    echo "run as the unit would (no systemd here)"
    install -d -o strowger -g strowger -m 0700 /var/lib/strowger
    install -d -o strowger -g strowger -m 0755 /run/strowger
    install -d -o strowger -g strowger -m 0750 /var/log/strowger
    if unshare -n true 2> /dev/null; then alone="unshare -n"; fi
    LOGS_DIRECTORY=/var/log/strowger STATE_DIRECTORY=/var/lib/strowger RUNTIME_DIRECTORY=/run/strowger \
        $alone setpriv --reuid strowger --regid strowger --clear-groups --no-new-privs --bounding-set=-all \
        /usr/bin/strowger run 2> "$work/run" &
    pid=$!
    for _ in $(seq 50); do
        if strowger -rx "core waitfullybooted" > /dev/null 2>&1; then break; fi
        sleep 0.1
    done
    strowger -rx "core waitfullybooted" || { cat "$work/run"; fail "it does not answer"; }
    strowger -rx "sip show peers" | tee "$work/peers"
fi
grep -q '^10 sip peers' "$work/peers" || fail "not the ten telephones of /etc/strowger"

echo "the log in a file"
sed -i 's/^;messages/messages/' /etc/strowger/logger.conf
strowger -rx "logger reload" > "$work/logger" || fail "logger reload"
stat -c '%U:%G' /var/log/strowger/messages | grep -qx strowger:strowger || { cat "$work/logger"; fail "no /var/log/strowger/messages"; }

echo "doctor"
# There it has no network, which the doctor says; only what is asked for below counts.
${alone:+nsenter --target "$pid" --net} strowger doctor --json > "$work/doctor" || true
grep -q '"check":"config","state":"ok"' "$work/doctor" || { cat "$work/doctor"; fail "the doctor finds fault with a fresh installation"; }
grep -q '"check":"port","state":"ok","what":".*belongs to the exchange' "$work/doctor" ||
    { cat "$work/doctor"; fail "the doctor does not see who has the port"; }

if [ -n "$pid" ]; then
    kill -TERM "$pid"
    wait "$pid" || { cat "$work/run"; fail "it did not end with 0"; }
    pid=
fi

echo "installed again: what the user changed stays"
echo "; mine" >> /etc/strowger/extensions.conf
sum=$(cat /etc/strowger/*.conf | cksum)
dpkg -i "$deb" > "$work/log" 2>&1 || { cat "$work/log"; fail "dpkg -i a second time"; }
[ "$sum" = "$(cat /etc/strowger/*.conf | cksum)" ] || fail "a second installation changed the configuration"

echo "removed: the configuration stays"
dpkg -r strowger > /dev/null 2>&1 || fail "dpkg -r"
[ ! -e /usr/bin/strowger ] && [ -e /etc/strowger/sip.conf ] || fail "removal took too little or too much"

echo "purged: nothing stays"
dpkg -P strowger > "$work/log" 2>&1 || { cat "$work/log"; fail "dpkg -P"; }
for path in /etc/strowger /var/lib/strowger /var/log/strowger /usr/share/doc/strowger /usr/lib/systemd/system/strowger.service \
    /etc/systemd/system/multi-user.target.wants/strowger.service; do
    [ ! -e "$path" ] && [ ! -L "$path" ] || fail "$path is left"
done
echo "PASS tests/install/deb.sh"

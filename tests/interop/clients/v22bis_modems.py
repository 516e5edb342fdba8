"""Pairs of V.22bis modems (spandsp's) that call each other through an exchange, and count every bit.

    v22bis_modems.py SERVER PORT SECONDS PAIR...

A pair is `wire` (no exchange between them), or `CALLER:SECRET:CALLEE:SECRET:NUMBER`; with `:slip` behind it a proxy beside
the caller repeats one sample of what it sends, every ten seconds. All pairs talk at once. When both modems of a pair are
trained each sends a row of bits that the other knows, for so many seconds. At the end a line `NAME KEY=VALUE...` is said of
each modem.

A modem has a crystal: it takes 20 ms of sound every 20 ms, from a playout buffer of 60 ms, and sends as much. This program has
none. Therefore a packet counts as having come when it reached the socket (by the kernel's stamp), less what this program was
late to send it; and what a modem hears is worked out `BEHIND` later than it was to be played. So what is counted is what the
exchange does, on a busy machine too.
"""

import array
import ctypes
import hashlib
import os
import random
import re
import socket
import struct
import sys
import time

FRAME = 20_000_000  # ns
BUFFER = 60_000_000
BEHIND = 250_000_000
TRAINING = 15.0  # s, at most
SO_TIMESTAMPNS = 35
LOCAL = "127.0.0.1"

spandsp = ctypes.CDLL("libspandsp.so.2")
GET_BIT = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
PUT_BIT = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int)
spandsp.v22bis_init.restype = ctypes.c_void_p
spandsp.v22bis_init.argtypes = [ctypes.c_void_p, ctypes.c_int, ctypes.c_int, ctypes.c_int, GET_BIT, ctypes.c_void_p,
                                PUT_BIT, ctypes.c_void_p]
for name in ("v22bis_rx", "v22bis_tx"):
    getattr(spandsp, name).argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int]
spandsp.v22bis_get_current_bit_rate.argtypes = [ctypes.c_void_p]
spandsp.v22bis_request_retrain.argtypes = [ctypes.c_void_p, ctypes.c_int]
# What put_bit is told instead of a bit.
STATUS = {-1: "carrier lost", -2: "carrier", -3: "trains", -4: "trained", -5: "training failed", -13: "retrains"}


# -- G.711 --------------------------------------------------------------------------------------------------------

def expanded(byte):
    byte = ~byte & 0xFF
    value = (((byte & 15) << 3) + 132 << (byte >> 4 & 7)) - 132
    return -value if byte & 128 else value


TO_LINEAR = [expanded(byte) for byte in range(256)]


def compressed(value):
    sign, value = (128, -value) if value < 0 else (0, value)
    value = min(value, 32_635) + 132
    segment = max(value.bit_length() - 8, 0)
    return ~(sign | segment << 4 | (value >> segment + 3 & 15)) & 0xFF


TO_ULAW = bytes(compressed(value if value < 32_768 else value - 65_536) for value in range(65_536))


# -- a modem ------------------------------------------------------------------------------------------------------

class Row:
    """Bits of x^23 + x^18 + 1: whoever knows 23 of them knows the next."""

    def __init__(self, seed):
        self.state = seed

    def next(self):
        bit = (self.state >> 22 ^ self.state >> 17) & 1
        self.state = (self.state << 1 | bit) & 0x7FFFFF
        return bit


class Modem:
    """One end: the modem, its clock and its playout buffer. What it hears comes from `peer`."""

    def __init__(self, name, calls, link):
        self.name, self.calls, self.link = name, calls, link
        self.peer = None
        self.statuses, self.rate, self.bits, self.errors = [], 0, 0, 0
        self.retrains, self.wrong_lately, self.bits_lately, self.is_checking = 0, 0, 0, False
        self.row, self.heard, self.is_sending = Row(0x2ACE1 + calls), Row(0), False
        self.sent = []  # of every packet: when it was to go, when it went, itself
        self.came = {}  # by the number of the packet: when it came, itself
        self.delays, self.played, self.starts, self.began = [], 0, None, None
        self.late, self.missing, self.changed = 0, 0, 0
        self.sequence, self.timestamp = random.getrandbits(16), random.getrandbits(32)
        self.ssrc = random.getrandbits(32)
        self.sound, self.sound_heard = array.array("h", bytes(320)), array.array("h", bytes(320))
        # Python has to keep what C calls.
        self.calls_back = GET_BIT(self.get_bit), PUT_BIT(self.put_bit)
        self.modem = spandsp.v22bis_init(None, 2400, 0, calls, self.calls_back[0], None, self.calls_back[1], None)

    def get_bit(self, _):
        return self.row.next() if self.is_sending else 1

    def put_bit(self, _, bit):
        if bit < 0:
            status = STATUS.get(bit, str(bit))
            self.statuses.append(status)
            self.retrains += self.is_checking and status in ("retrains", "carrier lost", "training failed")
            return
        expected = self.heard.next()
        if self.is_checking:
            self.bits += 1
            self.bits_lately += 1
            self.errors += bit != expected
            self.wrong_lately += bit != expected
        self.heard.state = self.heard.state & ~1 | bit

    def is_trained(self):
        return "trained" in self.statuses

    def starts_at(self, now):
        self.began = now

    def sends(self, now):
        """All that its crystal says is to be sent by now."""
        while True:
            due = self.began + len(self.sent) * FRAME
            if due > now:
                return
            length = spandsp.v22bis_tx(self.modem, self.sound.buffer_info()[0], 160)
            sound = self.sound.tolist()
            sound[length:] = [0] * (160 - length)
            number = len(self.sent)
            head = struct.pack("!BBHII", 128, 0 if number else 128, self.sequence + number & 0xFFFF,
                               self.timestamp + number * 160 & 0xFFFFFFFF, self.ssrc)
            packet = head + bytes([TO_ULAW[value & 0xFFFF] for value in sound])
            before = time.time_ns()
            self.link.send(packet)
            after = time.time_ns()
            # When this program had to wait between, it was not sent before.
            self.sent.append((due, after if after - before > 2_000_000 else before, packet))

    def receives(self):
        for packet, at in self.link.receive():
            if len(packet) < 12 or len(self.peer.sent) == 0:
                continue
            number = struct.unpack("!H", packet[2:4])[0] - self.peer.sequence & 0xFFFF
            number += (len(self.peer.sent) - 1 - number + 0x8000) // 0x10000 * 0x10000
            if not 0 <= number < len(self.peer.sent) or number in self.came:
                self.changed += 1
                continue
            due, sent_at, sent = self.peer.sent[number]
            self.changed += packet != sent
            self.delays.append(at - sent_at)
            self.came[number] = (at - sent_at + due, packet[12:])

    def plays(self, now):
        """What has come, at the pace of its crystal, and as late as it was to be played."""
        if self.starts is None:
            if not self.came:
                return
            # The first one to come fills the buffer.
            self.played, (first, _) = min(self.came.items())
            self.starts = first + BUFFER - self.played * FRAME
        while self.played < len(self.peer.sent):
            due = self.starts + self.played * FRAME
            if max(due, self.peer.sent[self.played][1]) + BEHIND > now:
                return
            at, payload = self.came.get(self.played, (None, None))
            if at is None:
                self.missing += 1
            elif at > due:
                self.late += 1
            else:
                self.sound_heard = array.array("h", [TO_LINEAR[byte] for byte in payload])
            # In place of a packet that is not there the one before it is heard once more.
            spandsp.v22bis_rx(self.modem, self.sound_heard.buffer_info()[0], 160)
            self.came.pop(self.played - 100, None)
            self.played += 1
            if self.played % 50 == 0:
                self.looks_at_the_line()

    def looks_at_the_line(self):
        """Once a second: a modem that gets one bit of twenty wrong asks for a retrain."""
        if self.bits_lately and self.wrong_lately > self.bits_lately / 20:
            spandsp.v22bis_request_retrain(self.modem, 2400)
        self.bits_lately = self.wrong_lately = 0

    def told(self):
        delays = sorted(self.delays) or [0]
        said = {"trained": int(self.is_trained()), "rate": spandsp.v22bis_get_current_bit_rate(self.modem),
                "bits": self.bits, "errors": self.errors, "retrains": self.retrains,
                "packets": self.played, "late": self.late, "missing": self.missing, "changed": self.changed,
                "moves": len(self.link.remotes),
                # What the exchange added, in microseconds: in the middle, of 999 in 1000 at most, at most.
                "p50": delays[len(delays) // 2] // 1000, "p999": delays[len(delays) * 999 // 1000] // 1000,
                "most": delays[-1] // 1000}
        return " ".join([self.name, *(f"{key}={value}" for key, value in said.items())])


# -- what sound goes over -----------------------------------------------------------------------------------------

class Link:
    """A socket for sound, and where it sends."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOCAL, 0))
        self.socket.setblocking(False)
        self.socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.port = self.socket.getsockname()[1]
        self.remote, self.remotes = None, []

    def leads_to(self, remote):
        self.remote = remote
        self.remotes.append(remote)

    def send(self, packet):
        if self.remote:
            self.socket.sendto(packet, self.remote)

    def receive(self):
        while True:
            try:
                packet, notes, _, _ = self.socket.recvmsg(2048, 128)
            except BlockingIOError:
                return
            seconds, nanoseconds = struct.unpack("qq", notes[0][2][:16])
            yield packet, seconds * 1_000_000_000 + nanoseconds


class Slipping(Link):
    """A link that repeats a sample of what is sent over it, every ten seconds: a crystal that differs from the other one."""

    def __init__(self):
        super().__init__()
        self.number, self.rest = 0, b""

    def send(self, packet):
        self.number += 1
        sound = self.rest + packet[12:]
        if self.number % 500 == 0:
            sound += sound[-1:]
        self.rest = sound[160:]
        super().send(packet[:12] + sound[:160])


# -- SIP ----------------------------------------------------------------------------------------------------------

class Line:
    """A telephone line of the exchange: registers, calls or answers, and follows re-INVITEs."""

    def __init__(self, server, user, secret, link):
        self.server, self.user, self.secret, self.link = server, user, secret, link
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((LOCAL, 0))
        self.socket.setblocking(False)
        self.port = self.socket.getsockname()[1]
        self.domain = f"{server[0]}:{server[1]}"
        self.version, self.cseq, self.pending, self.answers = 1, 0, None, {}
        self.is_registered = self.is_talking = self.is_over = False
        self.failed = self.dialog = None

    def description(self):
        self.version += 1
        return (f"v=0\r\no=modem 1 {self.version} IN IP4 {LOCAL}\r\ns=-\r\nc=IN IP4 {LOCAL}\r\nt=0 0\r\n"
                f"m=audio {self.link.port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=ptime:20\r\n"
                "a=silenceSupp:off - - - -\r\n")

    def request(self, method, uri, dialog, body="", cseq=None, proof=""):
        self.cseq = self.cseq + 1 if cseq is None else cseq
        contact = f"Contact: <sip:{self.user}@{LOCAL}:{self.port}>\r\n" if method in ("REGISTER", "INVITE") else ""
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP {LOCAL}:{self.port};branch=z9hG4bK{random.getrandbits(64):x}\r\n"
                f"From: {dialog['local']}\r\nTo: {dialog['remote']}\r\nCall-ID: {dialog['id']}\r\n"
                f"CSeq: {self.cseq} {method}\r\nMax-Forwards: 70\r\n{contact}{proof}{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")

    def begins(self, method, uri, remote, body=""):
        """A request outside of a dialog; sent again until it is answered, and with a proof when it is asked for one."""
        local = f"<sip:{self.user}@{self.domain}>;tag={random.getrandbits(48):x}"
        self.dialog = {"id": f"{random.getrandbits(64):x}@{LOCAL}", "local": local, "remote": remote, "target": uri}
        self.asks(method, uri, body)

    def asks(self, method, uri, body="", proof=""):
        text = self.request(method, uri, self.dialog, body, proof=proof)
        self.pending = {"method": method, "uri": uri, "body": body, "text": text, "proved": bool(proof), "quiet": False}
        self.out(text)
        self.again = time.monotonic() + 0.5

    def out(self, text):
        self.socket.sendto(text.encode(), self.server)

    def registers(self):
        self.begins("REGISTER", f"sip:{self.domain}", f"<sip:{self.user}@{self.domain}>")

    def calls(self, number):
        uri = f"sip:{number}@{self.domain}"
        self.begins("INVITE", uri, f"<{uri}>", self.description())

    def hangs_up(self):
        self.asks("BYE", self.dialog["target"])

    def looks(self):
        """Whatever has come since."""
        if self.pending and not self.pending["quiet"] and time.monotonic() > self.again:
            self.out(self.pending["text"])
            self.again = time.monotonic() + 0.5
        while True:
            try:
                text = self.socket.recv(65_536).decode(errors="replace")
            except BlockingIOError:
                return
            if text.startswith("SIP/2.0 "):
                self.is_answered(text)
            elif text.strip():
                self.is_asked(text)

    def is_answered(self, text):
        status, cseq = int(text[8:11]), field(text, "CSeq").split()
        # What comes again is acknowledged again.
        if cseq[1] == "INVITE" and status >= 200 and self.dialog["id"] == field(text, "Call-ID"):
            dialog = dict(self.dialog, remote=field(text, "To"))
            target = contact(text) if status < 300 else self.dialog["target"]
            ack = self.request("ACK", target, dialog, cseq=int(cseq[0]))
            if status >= 300:
                ack = re.sub(r"branch=[^;\r]*", "branch=" + re.search(r"branch=([^;\r]*)", text)[1], ack, count=1)
            self.out(ack)
        if self.pending is None or cseq != [str(self.cseq), self.pending["method"]]:
            return
        if status < 200:
            self.pending["quiet"] = True
            return
        asked, self.pending = self.pending, None
        if status in (401, 407) and not asked["proved"]:
            self.asks(asked["method"], asked["uri"], asked["body"], self.proof(text, status, asked))
        elif status >= 300:
            self.failed = text.split("\r\n")[0]
        elif asked["method"] == "REGISTER":
            self.is_registered = True
        elif asked["method"] == "INVITE":
            self.dialog.update(remote=field(text, "To"), target=contact(text))
            self.connects(text)
        elif asked["method"] == "BYE":
            self.is_over = True

    def proof(self, text, status, asked):
        """RFC 2617, with and without qop."""
        named = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        asks = dict(re.findall(r'(\w+)="?([^",]*)"?', field(text, named)))
        digest = lambda words: hashlib.md5(words.encode()).hexdigest()
        secret = digest(f"{self.user}:{asks['realm']}:{self.secret}")
        what = digest(f"{asked['method']}:{asked['uri']}")
        count = "00000001:c0ffee:auth:" if "auth" in asks.get("qop", "") else ""
        answer = digest(f"{secret}:{asks['nonce']}:{count}{what}")
        more = ', qop=auth, nc=00000001, cnonce="c0ffee"' if count else ""
        opaque = f', opaque="{asks["opaque"]}"' if "opaque" in asks else ""
        name = "Authorization" if status == 401 else "Proxy-Authorization"
        return (f'{name}: Digest username="{self.user}", realm="{asks["realm"]}", nonce="{asks["nonce"]}", '
                f'uri="{asked["uri"]}", response="{answer}", algorithm=MD5{more}{opaque}\r\n')

    def is_asked(self, text):
        method, cseq = text.split(" ", 1)[0], field(text, "CSeq")
        if method == "ACK":
            return
        known = (field(text, "Call-ID"), cseq)
        if known not in self.answers:
            self.answers[known] = self.answer(text, method)
        self.out(self.answers[known])

    def answer(self, text, method):
        body = ""
        if method == "INVITE":
            to = field(text, "To")
            if "tag=" not in to:
                to += f";tag={random.getrandbits(48):x}"
                self.dialog = {"id": field(text, "Call-ID"), "local": to, "remote": field(text, "From"),
                               "target": contact(text)}
                self.cseq = random.getrandbits(15)
            body = self.description()
            self.connects(text)
        to = self.dialog["local"] if self.dialog and field(text, "Call-ID") == self.dialog["id"] else field(text, "To")
        if method == "BYE":
            self.is_talking, self.is_over = False, True
        vias = "".join(f"Via: {via}\r\n" for via in re.findall(r"(?im)^via:\s*(.*?)\r$", text))
        kind = "Content-Type: application/sdp\r\n" if body else ""
        return (f"SIP/2.0 200 OK\r\n{vias}From: {field(text, 'From')}\r\nTo: {to}\r\nCall-ID: {field(text, 'Call-ID')}\r\n"
                f"CSeq: {field(text, 'CSeq')}\r\nContact: <sip:{self.user}@{LOCAL}:{self.port}>\r\n{kind}"
                f"Content-Length: {len(body)}\r\n\r\n{body}")

    def connects(self, text):
        address = re.search(r"(?m)^c=IN IP4 (\S+)", text)
        port = re.search(r"(?m)^m=audio (\d+)", text)
        if address and port:
            self.link.leads_to((address[1], int(port[1])))
            self.is_talking = True


def field(text, name):
    found = re.search(rf"(?im)^{name}:\s*(.*?)\r$", text)
    return found[1] if found else ""


def contact(text):
    return re.search(r"<([^>]*)>", field(text, "Contact") or "<>")[1]


# -- a pair -------------------------------------------------------------------------------------------------------

class Pair:
    """Two modems, and the call that they have."""

    def __init__(self, words, server):
        self.slips = words.endswith(":slip")
        links = (Slipping() if self.slips else Link(), Link())
        self.modems = [Modem(f"{words.split(':')[0]}-{end}", 1 - at, links[at]) for at, end in enumerate(("calls", "answers"))]
        self.modems[0].peer, self.modems[1].peer = self.modems[1], self.modems[0]
        self.lines, self.began, self.data, self.ended = [], None, None, False
        if words.split(":")[0] == "wire":
            links[0].leads_to((LOCAL, links[1].port))
            links[1].leads_to((LOCAL, links[0].port))
            return
        caller, secret, callee, other_secret, self.number = words.split(":")[:5]
        self.lines = [Line(server, caller, secret, links[0]), Line(server, callee, other_secret, links[1])]
        for line in self.lines:
            line.registers()
        self.called = False

    def is_connected(self):
        for line in self.lines:
            line.looks()
            if line.failed:
                sys.exit(f"{line.user}: {line.failed}")
        if self.lines and not self.called and all(line.is_registered for line in self.lines):
            self.called = True
            self.lines[0].calls(self.number)
        return all(line.is_talking for line in self.lines)

    def goes_on(self, now, seconds):
        """20 ms of the call; says whether it is over."""
        if self.ended:
            return True
        is_connected = self.is_connected()
        if self.began is None:
            if is_connected:
                self.began = now
                for modem in self.modems:
                    # Two crystals do not tick together.
                    modem.starts_at(now + random.randrange(FRAME))
            return False
        for modem in self.modems:
            modem.sends(time.time_ns())
        for modem in self.modems:
            modem.receives()
            modem.plays(time.time_ns())
        passed = (now - self.began) / 1e9
        if self.data is None:
            if passed > TRAINING:
                self.end()
            elif all(modem.is_trained() for modem in self.modems):
                for modem in self.modems:
                    modem.is_sending = True
                self.data = passed + 2
            return self.ended
        # The first bits of the row have come.
        checks = self.data <= passed < self.data + seconds
        for modem in self.modems:
            modem.is_checking = checks
        if passed >= self.data + seconds:
            self.end()
        return self.ended

    def end(self):
        self.ended = True
        if self.lines:
            self.lines[0].hangs_up()

    def told(self):
        for modem in self.modems:
            print(modem.told(), flush=True)


def main():
    server, seconds = (sys.argv[1], int(sys.argv[2])), float(sys.argv[3])
    try:
        # As a box of its own would. Where it may not, what it is late by is taken out.
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(3))
    except OSError:
        pass
    pairs = [Pair(words, server) for words in sys.argv[4:]]
    limit = time.monotonic() + seconds + TRAINING + 30
    said = False
    turn = time.time_ns()
    while time.monotonic() < limit:
        now = time.time_ns()
        over = [pair.goes_on(now, seconds) for pair in pairs]
        if not said and all(pair.data is not None for pair in pairs):
            said = True
            print("all exchange data", flush=True)
        if all(over) and all(line.is_over or line.looks() for pair in pairs for line in pair.lines):
            break
        # Turns are counted from the first: whoever sent a little later each time would in the end send two packets at once.
        turn += FRAME
        time.sleep(max(turn - time.time_ns(), 0) / 1e9)
    for pair in pairs:
        pair.told()


main()

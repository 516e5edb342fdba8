"""A telephone played by pyVoIP. Says what happens on standard output, does what it is told on standard input.

    pyvoip_phone.py USER SECRET SERVER PORT LOCAL_ADDRESS LOCAL_PORT TONE_HZ RECORDING.wav

Takes `call NUMBER`, `hangup` and `quit`, a line each; answers every call by itself. UDP and IPv4 is all it has.
"""

import math
import os
import sys
import threading
import time
import wave

from pyVoIP.VoIP import CallState, InvalidStateError, PhoneStatus, VoIPPhone

user, secret, server, port, local, local_port, tone, recording = sys.argv[1:]
# The library's sound is 8 bits unsigned, 8,000 a second.
SECOND = bytes(128 + round(80 * math.sin(2 * math.pi * int(tone) * at / 8000)) for at in range(8000))
ear = wave.open(open(recording, "wb", buffering=0), "wb")
ear.setnchannels(1)
ear.setsampwidth(1)
ear.setframerate(8000)
current = None


def say(*words):
    print(*words, flush=True)


def converse(call):
    """Follows a call from its first state to its last, with sound both ways while it is answered."""
    seen, sent = None, 0
    due = time.monotonic()
    while call.state != CallState.ENDED:
        if call.state != seen:
            seen = call.state
            say("call", seen.name)
        if seen != CallState.ANSWERED:
            time.sleep(0.01)
            due = time.monotonic()
            continue
        at = sent % 8000
        sent += 160
        call.write_audio(SECOND[at : at + 160])
        ear.writeframes(call.read_audio(160, blocking=False))
        due += 0.02
        time.sleep(max(0.0, due - time.monotonic()))
    say("call ENDED")


def rings(call):
    global current
    current = call
    call.answer()
    converse(call)


phone = VoIPPhone(server, int(port), user, secret, myIP=local, sipPort=int(local_port), callCallback=rings,
                  rtpPortLow=42000, rtpPortHigh=42999)
try:
    phone.start()
except Exception as error:
    say("error", error)


def tell_registration():
    seen = None
    while True:
        status = phone.get_status()
        if status != seen:
            seen = status
            say("registered" if status == PhoneStatus.REGISTERED else "status", status.name)
        time.sleep(0.05)


threading.Thread(target=tell_registration, daemon=True).start()
for line in sys.stdin:
    word, _, rest = line.strip().partition(" ")
    if word == "call":
        current = phone.call(rest)
        threading.Thread(target=converse, args=(current,), daemon=True).start()
    elif word == "hangup" and current:
        try:
            current.hangup()
        except InvalidStateError as error:
            say("error", error)
    elif word == "quit":
        break
ear.close()
phone.stop()
os._exit(0)

"""A telephone played by pjsua2. Says what happens on standard output, does what it is told on standard input.

    pjsua2_phone.py USER SECRET SERVER[:PORT] LOCAL_ADDRESS udp|tcp|tls|sips TONE_HZ RECORDING.wav AUTHORITY.pem

Takes, a line each: `call NUMBER`, `hold`, `resume`, `press DIGITS` (telephone events), `info DIGITS`, `tones DIGITS` (in
the sound), `transfer NUMBER` (its last call), `connect` (its first call with its last one), `text NUMBER WORDS`, `reply
WORDS` (within the call), `watch NUMBER` (presence), `mailbox` (message waiting), `ring` and `answer` (whether it
answers calls by itself, as it does at first), `hangup` and `quit`. Goes where a REFER or a redirection leads.
"""

import os
import queue
import sys
import threading

import pjsua2 as pj

user, secret, server, local, transport, tone, recording, authority = sys.argv[1:]
calls = {}
buddies = {}
answers = True
# What is for TLS by its scheme names no transport.
scheme, ending = ("sips", "") if transport == "sips" else ("sip", f";transport={transport}")
# Everything is done on one thread, as the library wants it: also what one of its callbacks asks for.
todo = queue.Queue()


def say(*words):
    print(*words, flush=True)


class Call(pj.Call):
    def onCallState(self, prm):
        info = self.getInfo()
        say("call", info.stateText, info.lastStatusCode)
        if info.state == pj.PJSIP_INV_STATE_DISCONNECTED:
            todo.put(lambda: calls.pop(self.getId(), None))

    def onCallMediaState(self, prm):
        # The list lives as long as the answer it came in does.
        info = self.getInfo()
        for index, media in enumerate(info.media):
            if media.type == pj.PJMEDIA_TYPE_AUDIO and media.status == pj.PJSUA_CALL_MEDIA_ACTIVE:
                audio = self.getAudioMedia(index)
                mouth.startTransmit(audio)
                audio.startTransmit(ear)
                say("sound")

    def onDtmfDigit(self, prm):
        say("digit", prm.digit)

    def onCallTransferRequest(self, prm):
        say("transferred to", prm.dstUri)
        # The library keeps no reference of its own.
        call = prm.newCall = Call(account)
        todo.put(lambda: calls.update({call.getId(): call}))

    def onCallTransferStatus(self, prm):
        say("transfer", prm.statusCode)
        if prm.finalNotify and prm.statusCode == 200:
            todo.put(lambda: self.isActive() and self.hangup(pj.CallOpParam()))

    def onCallRedirected(self, prm):
        say("redirected to", prm.targetUri)
        return pj.PJSIP_REDIRECT_ACCEPT

    def onInstantMessage(self, prm):
        say("reply from", prm.fromUri, prm.msgBody)

    def onInstantMessageStatus(self, prm):
        say("reply sent", prm.code)


class Watched(pj.Buddy):
    def onBuddyState(self):
        info = self.getInfo()
        say("watched", info.uri, info.presStatus.statusText, info.presStatus.note)


class Account(pj.Account):
    def onRegState(self, prm):
        say("registered" if prm.code == 200 and prm.expiration > 0 else "not registered", prm.code)

    def onIncomingCall(self, prm):
        call = Call(self, prm.callId)
        calls[prm.callId] = call
        answer = pj.CallOpParam()
        answer.statusCode = 200 if answers else 180
        call.answer(answer)

    def onInstantMessage(self, prm):
        say("text from", prm.fromUri, prm.msgBody)

    def onInstantMessageStatus(self, prm):
        say("text sent", prm.code)

    def onMwiInfo(self, prm):
        say("mailbox", *prm.rdata.wholeMsg.partition("\r\n\r\n")[2].split())


def dial(number):
    call = Call(account)
    call.makeCall(f"{scheme}:{number}@{server}{ending}", pj.CallOpParam(True))
    calls[call.getId()] = call


def known(number):
    if number not in buddies:
        config = pj.BuddyConfig()
        config.uri = f"{scheme}:{number}@{server}{ending}"
        buddies[number] = Watched()
        buddies[number].create(account, config)
    return buddies[number]


def text(words):
    param = pj.SendInstantMessageParam()
    param.content = words
    return param


def tone_of(digit):
    one = pj.ToneDigit()
    one.digit, one.on_msec, one.off_msec = digit, 100, 100
    return one


def obey(line):
    global answers
    word, _, rest = line.strip().partition(" ")
    number, _, words = rest.partition(" ")
    if word == "call":
        dial(rest)
    elif word in ("ring", "answer"):
        answers = word == "answer"
        say("answers itself" if answers else "lets it ring")
    elif word == "text":
        known(number).sendInstantMessage(text(words))
    elif word == "watch":
        known(number).subscribePresence(True)
    elif word == "mailbox":
        account_config.mwiConfig.enabled = True
        account.modify(account_config)
    elif word == "transfer":
        list(calls.values())[-1].xfer(f"{scheme}:{rest}@{server}{ending}", pj.CallOpParam())
    elif word == "connect":
        first, *_, last = calls.values()
        first.xferReplaces(last, pj.CallOpParam())
    elif word == "reply":
        list(calls.values())[-1].sendInstantMessage(text(rest))
    elif word == "tones":
        # In place of its own tone, which would hide them.
        mouth.stop()
        mouth.playDigits(pj.ToneDigitVector([tone_of(digit) for digit in rest]))
    for call in list(calls.values()):
        param = pj.CallOpParam(True)
        if word == "hold":
            call.setHold(param)
        elif word == "resume":
            param.opt.flag = pj.PJSUA_CALL_UNHOLD
            call.reinvite(param)
        elif word in ("press", "info"):
            press = pj.CallSendDtmfParam()
            press.digits = rest
            press.method = pj.PJSUA_DTMF_METHOD_RFC2833 if word == "press" else pj.PJSUA_DTMF_METHOD_SIP_INFO
            call.sendDtmf(press)
        elif word == "hangup":
            call.hangup(pj.CallOpParam())
    if word == "quit":
        for buddy in buddies.values():
            buddy.subscribePresence(False)
        if account_config.mwiConfig.enabled:
            account_config.mwiConfig.enabled = False
            account.modify(account_config)
        account.setRegistration(False)
        for _ in range(20):
            endpoint.libHandleEvents(50)
        # Its destructors wait for each other: this ends without them.
        os._exit(0)


def listen():
    for line in sys.stdin:
        todo.put(lambda line=line: obey(line))
    todo.put(lambda: obey("quit"))


endpoint = pj.Endpoint()
endpoint.libCreate()
config = pj.EpConfig()
config.uaConfig.threadCnt = 0
config.uaConfig.mainThreadOnly = True
config.logConfig.level = 4
config.logConfig.consoleLevel = 0
config.logConfig.filename = recording + ".log"
config.medConfig.clockRate = 8000
config.medConfig.noVad = True
endpoint.libInit(config)
endpoint.audDevManager().setNullDev()
kinds = {"udp": pj.PJSIP_TRANSPORT_UDP, "tcp": pj.PJSIP_TRANSPORT_TCP, "tls": pj.PJSIP_TRANSPORT_TLS}
kinds["sips"] = kinds["tls"]
own = pj.TransportConfig()
own.boundAddress = local
if kinds[transport] == pj.PJSIP_TRANSPORT_TLS:
    own.tlsConfig.CaListFile = authority
    own.tlsConfig.verifyServer = True
endpoint.transportCreate(kinds[transport], own)
endpoint.libStart()
for codec in endpoint.codecEnum2():
    endpoint.codecSetPriority(codec.codecId, 255 if codec.codecId.startswith("PCMU/8000") else 0)

mouth = pj.ToneGenerator()
mouth.createToneGenerator(8000, 1)
one = pj.ToneDesc()
one.freq1, one.freq2, one.on_msec, one.off_msec = int(tone), 0, 1000, 0
mouth.play(pj.ToneDescVector([one]), True)
ear = pj.AudioMediaRecorder()
ear.createRecorder(recording)

account_config = pj.AccountConfig()
account_config.idUri = f"{scheme}:{user}@{server}"
account_config.regConfig.registrarUri = f"{scheme}:{server}{ending}"
account_config.regConfig.retryIntervalSec = 0
account_config.sipConfig.authCreds.append(pj.AuthCredInfo("digest", "*", user, 0, secret))
account_config.mediaConfig.transportConfig.boundAddress = local
account = Account()
account.create(account_config)

threading.Thread(target=listen, daemon=True).start()
while True:
    endpoint.libHandleEvents(10)
    while not todo.empty():
        try:
            todo.get()()
        except pj.Error as error:
            say("error", error.info())

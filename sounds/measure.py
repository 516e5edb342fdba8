#!/usr/bin/env python3
"""How well a recogniser understands our prompts, as they come out of a telephone: 8 kHz and mu-law.

    measure.py voices           the sample of sample.txt in every voice: what the choice was made by
    measure.py prompts [-v]     the prompts as they lie in en/

Sentences are recognised freely, with the language model of pocketsphinx; prompts of one or two words with the grammar "one of our short
prompts", which is how a machine listens to single words. Counted are the words that come out right, at the right place.
"""

import argparse
import re
import sys
from difflib import SequenceMatcher
from pathlib import Path

import numpy
import pocketsphinx

import audio
import make

HERE = Path(__file__).parent
# Words that the recogniser has under another spelling.
SAME = {"dialled": "dialed", "zee": "z", "wake-up": "wake up", "x-ray": "x. ray", "whisky": "whiskey"}


def words(text):
    text = text.lower()
    for ours, theirs in SAME.items():
        text = re.sub(rf"\b{ours}\b", theirs, text)
    return [w + "." if len(w) == 1 and w not in "ai" else w for w in re.findall(r"[a-z']+", text)]


class Recogniser:
    def __init__(self, prompts):
        quiet = {"loglevel": "FATAL", "samprate": 16_000}
        self.free = pocketsphinx.Decoder(**quiet)
        short = sorted({" ".join(words(text)) for text in prompts.values() if self.is_short(text)})
        known = [line for line in short if all(self.free.lookup_word(word) for word in line.split())]
        grammar = "#JSGF V1.0;\ngrammar short;\npublic <short> = " + " | ".join(known) + ";\n"
        self.bound = pocketsphinx.Decoder(**quiet)
        self.bound.add_jsgf_string("short", grammar)
        self.bound.activate_search("short")

    @staticmethod
    def is_short(text):
        return len(words(text)) <= 2

    def hear(self, data, text):
        narrow = audio.decode(data).astype(float)
        rest = numpy.zeros(audio.RATE // 4)
        narrow = numpy.concatenate([rest, narrow, rest])
        spectrum = numpy.zeros(len(narrow) + 1, dtype=complex)
        half = numpy.fft.rfft(narrow)
        spectrum[: len(half)] = half * 2
        # A little noise, as on a line: without any the recogniser stumbles over digital silence.
        wide = numpy.fft.irfft(spectrum, 2 * len(narrow)) + numpy.random.default_rng(1).normal(0, 8, 2 * len(narrow))
        decoder = self.bound if self.is_short(text) else self.free
        decoder.start_utt()
        decoder.process_raw(numpy.clip(wide, -32768, 32767).astype("<i2").tobytes(), no_search=False, full_utt=True)
        decoder.end_utt()
        hypothesis = decoder.hyp()
        return re.sub(r"\(\d+\)", "", hypothesis.hypstr).split() if hypothesis else []


def right(expected, heard):
    return sum(block.size for block in SequenceMatcher(None, expected, heard, autojunk=False).get_matching_blocks())


class Count:
    def __init__(self):
        self.short = [0, 0]
        self.long = [0, 0]

    def add(self, text, heard):
        expected = words(text)
        counts = self.short if Recogniser.is_short(text) else self.long
        good = right(expected, heard)
        counts[0] += good
        counts[1] += len(expected)
        return good == len(expected)

    def __str__(self):
        total = [self.short[0] + self.long[0], self.short[1] + self.long[1]]
        parts = [f"{name} {n}/{of} ({100 * n / max(1, of):.1f} %)" for name, (n, of) in
                 (("short", self.short), ("sentences", self.long), ("all", total))]
        return ", ".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["voices", "prompts"])
    parser.add_argument("-v", "--verbose", action="store_true", help="also what was heard wrongly")
    parser.add_argument("--voice", action="append", help="only this voice")
    arguments = parser.parse_args()
    prompts = {name: text for name, text in make.read_list().items() if not text.startswith("(")}
    recogniser = Recogniser(prompts)
    if arguments.what == "prompts":
        check(recogniser, {"": lambda name: (HERE / "en" / f"{name}.ulaw").read_bytes()}, prompts, arguments.verbose)
        return
    from voices import VOICES

    sample = {name: prompts[name] for name in (HERE / "sample.txt").read_text().split()}
    chosen = {voice: (lambda name, voice=voice: make.render(VOICES[voice][0], name, sample[name]))
              for voice in VOICES if not arguments.voice or voice in arguments.voice}
    check(recogniser, chosen, sample, arguments.verbose)


def check(recogniser, sources, prompts, verbose):
    for label, source in sources.items():
        count = Count()
        seconds = 0
        for name, text in prompts.items():
            data = source(name)
            seconds += len(data) / audio.RATE
            heard = recogniser.hear(data, text)
            if not count.add(text, heard) and verbose:
                print(f"  {name}: {' '.join(words(text))}\n    heard: {' '.join(heard)}")
        print(f"{label or 'en'}: {count}; {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    sys.exit(main())

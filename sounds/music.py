"""The music on hold: our own tune, played by sine waves. It begins where it ends, so that it can go round without a seam.

Sixteen bars in D, three beats each, at 72 beats a minute: 40 seconds. A slow broken chord under a melody of few notes, with nothing below
200 Hz or above 2 kHz, which a telephone would not carry; quieter than the prompts, since people have to bear it for long.
"""

import numpy

import audio

BEAT = 60 / 72
BARS = 16
LEVEL = -22.0

# Chord of each bar, lowest note first, as notes of the scale below.
CHORDS = [
    "d3 a3 f#4", "b3 f#4 d4", "g3 d4 b4", "a3 e4 c#5",
    "d3 a3 f#4", "f#3 c#4 a4", "g3 d4 b4", "a3 e4 g4",
    "b3 f#4 d5", "g3 d4 b4", "e4 b3 g4", "a3 e4 c#5",
    "d3 a3 f#4", "b3 f#4 d4", "e4 g3 b4", "a3 e4 c#5",
]

# The melody: bar, beat in it, note, beats it lasts.
MELODY = [
    (0, 0, "f#5", 2), (0, 2, "e5", 1), (1, 0, "d5", 3),
    (2, 0, "b4", 1), (2, 1, "d5", 1), (2, 2, "g5", 1), (3, 0, "e5", 3),
    (4, 0, "f#5", 2), (4, 2, "a5", 1), (5, 0, "a5", 1), (5, 1, "g5", 1), (5, 2, "f#5", 1),
    (6, 0, "g5", 2), (6, 2, "d5", 1), (7, 0, "e5", 3),
    (8, 0, "d5", 1.5), (8, 1.5, "e5", 1.5), (9, 0, "d5", 1), (9, 1, "b4", 2),
    (10, 0, "g5", 2), (10, 2, "f#5", 1), (11, 0, "e5", 3),
    (12, 0, "a5", 2), (12, 2, "f#5", 1), (13, 0, "d5", 2), (13, 2, "f#5", 1),
    (14, 0, "e5", 1.5), (14, 1.5, "d5", 1.5), (15, 0, "c#5", 1.5), (15, 1.5, "e5", 1.5),
]

STEPS = {"c": 0, "c#": 1, "d": 2, "e": 4, "f#": 6, "g": 7, "a": 9, "b": 11}


def hertz(note):
    return 440 * 2 ** ((STEPS[note[:-1]] - 9) / 12 + int(note[-1]) - 4)


def played(note, seconds, overtones, rise, fall):
    """One note that swells and dies away."""
    time = numpy.arange(int(seconds * audio.RATE)) / audio.RATE
    pitch = hertz(note)
    out = sum(weight * numpy.sin(2 * numpy.pi * pitch * (n + 1) * time) * numpy.exp(-time * fall * (1 + 0.5 * n))
              for n, weight in enumerate(overtones) if pitch * (n + 1) < 2_000)
    return out * numpy.minimum(1, time / rise) * numpy.minimum(1, (seconds - time) / 0.1)


def calm():
    length = round(BARS * 3 * BEAT * audio.RATE)
    whole = numpy.zeros(length)

    def add(at, sound):
        # What rings on beyond the end rings on at the beginning.
        place = (round(at * audio.RATE) + numpy.arange(len(sound))) % length
        numpy.add.at(whole, place, sound)

    for bar, chord in enumerate(CHORDS):
        for beat, note in enumerate(chord.split()):
            add((bar * 3 + beat) * BEAT, 0.5 * played(note, 4 * BEAT, (1, 0.5, 0.2), 0.02, 1.0))
            add((bar * 3 + beat + 0.5) * BEAT, 0.25 * played(chord.split()[-1], 2 * BEAT, (1, 0.3), 0.02, 1.6))
    for bar, beat, note, beats in MELODY:
        add((bar * 3 + beat) * BEAT, 0.8 * played(note, beats * BEAT + 0.6, (1, 0.25, 0.08), 0.06, 0.7))
    return audio.levelled(whole, LEVEL)


PIECES = {"default": calm}

"""The ring tones for Cisco 7940 and 7960: bells of four countries, computed. Raw mu-law at 8 kHz, 240 to 16,080 bytes and a
multiple of 240 (Cisco's administrator guides), beginning and ending in silence.

    python3 sounds/ring/make.py

The telephone plays a file once for each ring and makes the pause itself. So a file has the sounding part of its country's
cadence (ITU-T E.180 Supplement 2): British 0.4 s, 0.2 s silence, 0.4 s; American 2 s; German 1 s; French 1.5 s.
"""

import math
import pathlib

RATE = 8000
BLOCK = 240
LONGEST = 16080

# The clapper strikes two gongs in turn, twice in each period of the ringing current.
BELLS = {
    "british": {"hertz": 25.0, "gongs": (1180.0, 1420.0), "on": ((0.0, 0.4), (0.6, 1.0))},
    "american": {"hertz": 20.0, "gongs": (1060.0, 1330.0), "on": ((0.0, 1.96),)},
    "german": {"hertz": 25.0, "gongs": (960.0, 1190.0), "on": ((0.0, 1.0),)},
    "french": {"hertz": 25.0, "gongs": (1320.0, 1320.0), "on": ((0.0, 1.5),)},
}
# Partials of a gong: their frequency, their weight, and how fast they die away.
PARTIALS = ((1.0, 1.0, 22.0), (2.71, 0.45, 40.0), (5.15, 0.15, 80.0))


def mulaw(sample):
    """G.711, from 16 bits."""
    sign = 0x80 if sample < 0 else 0
    size = min(abs(sample), 32635) + 132
    exponent = max(size.bit_length() - 8, 0)
    return ~(sign | (exponent << 4) | ((size >> (exponent + 3)) & 15)) & 0xFF


def bell(hertz, gongs, on):
    seconds = max(end for _, end in on) + 0.05
    count = min(math.ceil(seconds * RATE / BLOCK) * BLOCK, LONGEST)
    out = [0.0] * count
    for begin, end in on:
        for strike in range(int((end - begin) * hertz * 2)):
            at = int((begin + strike / (hertz * 2)) * RATE)
            gong = gongs[strike % 2]
            for sample in range(at, min(at + RATE // 8, count)):
                time = (sample - at) / RATE
                out[sample] += sum(
                    weight * math.sin(2 * math.pi * gong * ratio * time) * math.exp(-time * fall)
                    for ratio, weight, fall in PARTIALS
                    if gong * ratio < RATE / 2
                )
    loudest = max(abs(sample) for sample in out)
    fade = RATE // 20
    for sample in range(fade):
        out[count - 1 - sample] *= sample / fade
    return bytes(mulaw(round(sample / loudest * 16000)) for sample in out)


def main():
    for name, parts in BELLS.items():
        data = bell(**parts)
        assert BLOCK <= len(data) <= LONGEST and len(data) % BLOCK == 0
        pathlib.Path(__file__).with_name(f"{name}.raw").write_bytes(data)


if __name__ == "__main__":
    main()

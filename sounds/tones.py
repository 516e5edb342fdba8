"""The prompts that are no speech: tones, and monkeys of our own making. All of it is computed here; nothing is a recording."""

import numpy

import audio


def tone(parts, seconds, dbm0):
    """Sine waves (Hz) together at a level, with 4 ms of rise and fall."""
    time = numpy.arange(int(seconds * audio.RATE)) / audio.RATE
    out = sum(numpy.sin(2 * numpy.pi * hertz * time) for hertz in parts)
    out *= audio.rms_of(dbm0) * numpy.sqrt(2 / len(parts))
    edge = audio.RATE // 250
    out[:edge] *= numpy.linspace(0, 1, edge)
    out[-edge:] *= numpy.linspace(1, 0, edge)
    return out


def rest(seconds):
    return numpy.zeros(int(seconds * audio.RATE))


def bell(hertz, seconds, dbm0):
    """A soft struck note."""
    time = numpy.arange(int(seconds * audio.RATE)) / audio.RATE
    out = sum(weight * numpy.sin(2 * numpy.pi * hertz * n * time) * numpy.exp(-time * fall)
              for n, weight, fall in ((1, 1, 6), (2, 0.3, 9), (3, 0.1, 14)))
    out *= numpy.minimum(1, time / 0.005) * numpy.minimum(1, (seconds - time) / 0.01)
    return audio.levelled(out, dbm0)


def after_another(*sounds):
    return numpy.concatenate(sounds)


def monkey(random, pitch, syllables, faster):
    """One monkey: glides of a buzzing throat through a mouth that opens."""
    out = []
    for number in range(syllables):
        seconds = random.uniform(0.09, 0.2) / (1 + faster * number / syllables)
        time = numpy.linspace(0, 1, int(seconds * audio.RATE), endpoint=False)
        rise = pitch * (1 + 0.8 * numpy.sin(numpy.pi * time) * random.uniform(0.6, 1.2) + 0.05 * number)
        phase = 2 * numpy.pi * numpy.cumsum(rise) / audio.RATE
        mouth = 900 + 700 * numpy.sin(numpy.pi * time)
        out.append(sum(numpy.exp(-(((n * rise - mouth) / 500) ** 2)) * numpy.sin(n * phase)
                       for n in range(1, 9)) * numpy.sin(numpy.pi * time) ** 0.7)
        out.append(rest(random.uniform(0.02, 0.07)))
    return numpy.concatenate(out)


def monkeys():
    random = numpy.random.default_rng(1891)
    whole = numpy.zeros(12 * audio.RATE)
    for at in numpy.sort(random.uniform(0, 9.5, 26)):
        voice = monkey(random, random.uniform(260, 620), random.integers(3, 9), random.uniform(0, 1.5))
        start = int(at * audio.RATE)
        voice = voice[: len(whole) - start]
        whole[start : start + len(voice)] += random.uniform(0.4, 1) * voice
    return audio.levelled(audio.trim(audio.RATE, whole, 20, 80))


TONES = {
    "beep": lambda: tone([1_000], 0.2, -13),
    "beeperr": lambda: after_another(tone([330, 350], 0.15, -13), rest(0.06), tone([330, 350], 0.25, -13)),
    "ascending-2tone": lambda: after_another(tone([620], 0.12, -13), tone([930], 0.18, -13)),
    "descending-2tone": lambda: after_another(tone([930], 0.12, -13), tone([620], 0.18, -13)),
    "confbridge-join": lambda: after_another(bell(523.25, 0.2, -17), bell(783.99, 0.45, -17)),
    "confbridge-leave": lambda: after_another(bell(783.99, 0.2, -17), bell(523.25, 0.45, -17)),
    "tt-monkeys": monkeys,
}

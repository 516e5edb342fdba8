"""What is done to a sound on its way to the telephone: 8 kHz, trimmed, levelled, mu-law. Only numpy is needed."""

import numpy

RATE = 8_000

# Active level of every prompt: RMS of its loud frames, in dBm0 (0 dBm0 is 3.17 dB below a full-scale sine wave).
LEVEL = -16.0
# No sample may be larger than this: full scale is 32,124.
PEAK = 28_000

FRAME = 160
FULL_SCALE_SINE = 32_124 / numpy.sqrt(2)


def rms_of(dbm0):
    return FULL_SCALE_SINE * 10 ** ((dbm0 - 3.17) / 20)


def frames(samples, length):
    count = max(1, -(-len(samples) // length))
    padded = numpy.zeros(count * length)
    padded[: len(samples)] = samples
    return numpy.sqrt((padded.reshape(count, length) ** 2).mean(axis=1))


def level(samples):
    """Active level in dBm0: RMS over those frames of 20 ms that are within 20 dB of the loudest. tests/sounds.rs does the same."""
    energy = frames(samples, FRAME)
    loud = energy[energy > energy.max() / 10]
    return 20 * numpy.log10(max(1e-9, numpy.sqrt((loud**2).mean())) / FULL_SCALE_SINE) + 3.17


def to_telephone(rate, samples):
    """8 kHz, and of its band 100 to 3,800 Hz, rising by 6 dB to the top as a telephone's microphone does. There is no DC left."""
    pad = rate // 10
    samples = numpy.concatenate([numpy.zeros(pad), samples, numpy.zeros(pad)])
    samples = numpy.concatenate([samples, numpy.zeros(-len(samples) % (rate // 50))])
    length = len(samples)
    spectrum = numpy.fft.rfft(samples[:length])
    hertz = numpy.fft.rfftfreq(length, 1 / rate)
    slope = numpy.clip((hertz - 60) / 80, 0, 1) * numpy.clip((3_900 - hertz) / 300, 0, 1)
    rise = 10 ** (6 * numpy.clip((hertz - 500) / 2_500, 0, 1) / 20)
    out = length * RATE // rate
    kept = numpy.zeros(out // 2 + 1, dtype=complex)
    count = min(len(kept), len(spectrum))
    kept[:count] = (spectrum * rise * (0.5 - 0.5 * numpy.cos(numpy.pi * slope)))[:count]
    narrow = numpy.fft.irfft(kept, out) * (out / length)
    return narrow[RATE // 10 : -(RATE // 10)]


def trim(rate, samples, before, after):
    """Cuts off both ends what is quieter than 46 dB below the loudest 5 ms, but for so many ms, and fades the ends.

    Before the sound is made narrow: at 8 kHz an f or th at the end of a word is hardly louder than silence.
    """
    step = rate // 200
    energy = frames(samples, step)
    loud = numpy.nonzero(energy > energy.max() / 200)[0]
    start = max(0, loud[0] * step - before * rate // 1000)
    end = min(len(samples), (loud[-1] + 1) * step + after * rate // 1000)
    out = samples[start:end].copy()
    fade = min(step, len(out) // 4)
    out[:fade] *= numpy.linspace(0, 1, fade)
    out[-fade:] *= numpy.linspace(1, 0, fade)
    return out


def levelled(samples, target=LEVEL):
    """The samples as 16-bit numbers at the level; what would be too large is bent, not cut."""
    for _ in range(4):
        samples = samples * 10 ** ((target - level(samples)) / 20)
        knee = 0.6 * PEAK
        over = numpy.abs(samples) > knee
        bent = knee + (PEAK - knee) * numpy.tanh((numpy.abs(samples) - knee) / (PEAK - knee))
        samples = numpy.where(over, numpy.sign(samples) * bent, samples)
    return samples


def encode(samples):
    """G.711 mu-law."""
    values = numpy.clip(numpy.round(samples), -32_635, 32_635).astype(int)
    sign = numpy.where(values < 0, 0x80, 0)
    magnitude = numpy.abs(values) + 132
    exponent = numpy.floor(numpy.log2(magnitude)).astype(int) - 7
    mantissa = (magnitude >> (exponent + 3)) & 0x0F
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(numpy.uint8).tobytes()


def decode(data):
    """What encode() made, as 16-bit numbers."""
    codes = ~numpy.frombuffer(data, dtype=numpy.uint8).astype(int) & 0xFF
    exponent, mantissa = (codes >> 4) & 7, codes & 0x0F
    magnitude = (((mantissa << 3) + 132) << exponent) - 132
    return numpy.where(codes & 0x80, -magnitude, magnitude)

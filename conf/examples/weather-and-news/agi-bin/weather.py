#!/usr/bin/env python3
"""Says the weather: fetches ${WEATHER_URL} and speaks it by the exchange's prompts. Needs Python 3 and nothing else."""

import json
import sys
import urllib.request

PATIENCE = 5  # seconds that a page may take
LARGEST = 200_000  # bytes of it that are read


def command(text):
    """Tells the exchange something, and gives back the number and the text in brackets that it answers."""
    print(text, flush=True)
    answer = sys.stdin.readline()
    if not answer.startswith("200 result="):
        raise EOFError(answer)  # the caller has hung up, or the exchange knows no such command
    result, _, rest = answer[len("200 result=") :].strip().partition(" ")
    return result, rest.strip("()")


def say(*names):
    for name in names:
        command(f'STREAM FILE {name} ""')


def say_number(number):
    command(f'SAY NUMBER {round(number)} ""')


def fetch(variable):
    """The page at the address in a variable of the dialplan."""
    address = command(f"GET VARIABLE {variable}")[1]
    with urllib.request.urlopen(address, timeout=PATIENCE) as page:
        return page.read(LARGEST)


def sky(code):
    """The prompt for a weather code of the World Meteorological Organization."""
    if code <= 1:
        return "sunny"
    if 71 <= code <= 77 or 85 <= code <= 86:
        return "snow"
    return "rain" if code >= 51 else "cloudy"


def weather(now):
    temperature, humidity, wind = (
        float(now[key]) for key in ("temperature_2m", "relative_humidity_2m", "wind_speed_10m")
    )
    say("weather", sky(int(now["weather_code"])))
    say("temperature")
    say_number(temperature)
    say("degrees", "celsius", "humidity")
    say_number(humidity)
    say("percent", "wind")
    say_number(wind)
    say("kilometers", "per", "hour")


def main():
    # What the exchange tells of the call, up to an empty line.
    while sys.stdin.readline().strip():
        pass
    try:
        say("one-moment-please")
        try:
            now = json.loads(fetch("WEATHER_URL"))["current"]
            weather(now)
        except (OSError, ValueError, KeyError, TypeError) as error:
            # Offline, or the page is another one than expected. What stands here is in the exchange's log.
            print(f"no weather: {error!r}", file=sys.stderr)
            say("im-sorry", "weather", "T-is-not-available", "please-try-call-later")
        say("goodbye")
    except EOFError:
        pass  # the caller has hung up


main()

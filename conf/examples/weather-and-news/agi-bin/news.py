#!/usr/bin/env python3
"""Reads headlines: fetches the feed at ${NEWS_URL} and has ${NEWS_SPEAKER}, an application that speaks a text, read them.
Needs Python 3 and nothing else; to be heard, a synthesiser and [programs] speech = true."""

import shutil
import sys
import urllib.request
import xml.etree.ElementTree as xml

PATIENCE = 5  # seconds that a page may take
LARGEST = 1_000_000  # bytes of it that are read
HEADLINES = 5
# The programs behind the applications: without them there is nothing to try.
PROGRAMS = {"flite": ["flite"], "festival": ["text2wave"], "espeak": ["espeak-ng", "espeak"]}


def command(text):
    """Tells the exchange something, and gives back the number and the text in brackets that it answers."""
    print(text, flush=True)
    answer = sys.stdin.readline()
    if not answer.startswith("200 result="):
        raise EOFError(answer)  # the caller has hung up, or the exchange knows no such command
    result, _, rest = answer[len("200 result=") :].strip().partition(" ")
    return result, rest.strip("()")


def variable(name):
    return command(f"GET VARIABLE {name}")[1]


def say(*names):
    for name in names:
        command(f'STREAM FILE {name} ""')


def headlines(page):
    """The titles of the entries of an RSS or Atom feed."""
    if b"<!DOCTYPE" in page or b"<!ENTITY" in page:
        raise ValueError("a feed has no entities of its own")
    entries = [part for part in xml.fromstring(page).iter() if part.tag.split("}")[-1] in ("item", "entry")]
    titles = (part.text or "" for entry in entries for part in entry if part.tag.split("}")[-1] == "title")
    return [clean(title) for title in titles if clean(title)][:HEADLINES]


def clean(title):
    """A title as one argument of an application: the feed is written by others. Letters, digits and full stops are left;
    a comma, a bracket or a dollar sign would mean something to the dialplan."""
    kept = "".join(sign if sign.isalnum() or sign in ".?'-" else " " for sign in title)
    return " ".join(kept.replace("'", "").split())[:200]


def read(titles):
    """Has the titles read. False: there is nobody who could."""
    speaker = variable("NEWS_SPEAKER")
    if not any(shutil.which(program) for program in PROGRAMS.get(speaker.lower(), [])):
        print(f"no program for {speaker or 'an empty NEWS_SPEAKER'} is installed", file=sys.stderr)
        return False
    for title in titles:
        # -2: there is no such application; -1: it failed.
        if command(f'EXEC {speaker} "{title}"')[0] in ("-1", "-2"):
            return False
        command("EXEC Wait 0.5")
    return True


def main():
    # What the exchange tells of the call, up to an empty line.
    while sys.stdin.readline().strip():
        pass
    try:
        say("one-moment-please")
        try:
            with urllib.request.urlopen(variable("NEWS_URL"), timeout=PATIENCE) as page:
                titles = headlines(page.read(LARGEST))
        except (OSError, ValueError, xml.ParseError) as error:
            # Offline, or no feed. What stands here is in the exchange's log.
            print(f"no news: {error!r}", file=sys.stderr)
            say("im-sorry", "connection-failed", "please-try-call-later", "goodbye")
            return
        say("there-are")
        command(f'SAY NUMBER {len(titles)} ""')
        say("new", "vm-messages")
        if not read(titles):
            # "I am sorry. There is no operator": nobody who could read them.
            say("im-sorry", "there-is", "no", "operator")
        say("goodbye")
    except EOFError:
        pass  # the caller has hung up


main()

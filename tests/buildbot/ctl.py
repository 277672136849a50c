"""Gives orders to the master of buildbot.t and prints the answer.

usage: ctl.py SOCKET [--until REGEX COUNT] WORD...

Each WORD is JSON or a plain string. With --until, asks again until as many lines of the answer
match, or more, for a minute at most.
"""
import json
import re
import socket
import sys
import time


def word(text):
    try:
        return json.loads(text)
    except ValueError:
        return text


def ask(words):
    with socket.socket(socket.AF_UNIX) as control:
        control.settimeout(60)
        control.connect(sys.argv[1])
        control.sendall(json.dumps([word(text) for text in words]).encode() + b"\n")
        answer = json.loads(control.makefile().readline())
    if isinstance(answer, dict):
        sys.exit(answer["error"])
    if isinstance(answer, list):
        return [json.dumps(row) for row in answer]
    return (answer or "").splitlines()


words, regex, count = sys.argv[2:], "", 0
if words[0] == "--until":
    regex, count, words = words[1], int(words[2]), words[3:]
deadline = time.monotonic() + 60
while True:
    lines = ask(words)
    if sum(1 for line in lines if re.search(regex, line)) >= count:
        break
    if time.monotonic() > deadline:
        sys.exit(f"ctl.py: not {count} times '{regex}' in: {lines}")
    time.sleep(0.5)  # the master has other things to do
for line in lines:
    print(line)

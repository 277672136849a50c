"""Builds of grouplock that are changed on purpose.

MUTANTS have a guard broken, and a run of each must show what its promise was. JUMPING_CLOCK has nothing
broken, so that a run of it must show nothing.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    text: str
    instead: str
    shows: tuple        # the checks of which one must fail
    seconds: float = 3


MUTANTS = (
    Mutant("slots are locked shared", "src/lock/slots.c", "take ? LOCK_EX : LOCK_SH", "LOCK_SH", ("names", "limit")),
    Mutant("the keeper lets go at once", "src/keep/keeper.c", "int ready = left < 0 ?", "int ready = left < 1 ?",
           ("names", "limit")),
    Mutant("newcomers do not look at the queue", "src/lock/queue.c", "*empty = fd < 0;", "*empty = true;", ("order",), 10),
    Mutant("slots above a lowered limit are not counted", "src/lock/slots.c",
           "slots->total = top > set->count ? top : set->count;", "slots->total = set->count;", ("limit",), 30),
    Mutant("the keeper lets go late", "src/keep/keeper.c", "flock(task->fds[i], LOCK_UN);",
           "sleep(5); flock(task->fds[i], LOCK_UN);",
           ("idle",), 6),
)

JUMPING_CLOCK = Mutant("the wall clock jumps by hours all the time", "src/base/clock.c",
                       "return read_clock(CLOCK_REALTIME);",
                       "return read_clock(CLOCK_REALTIME) + (clock_now() / 1000 % 7 - 3) * 3600 * CLOCK_SECOND;", ())


def build(mutant, source, work):
    """Copies the source tree with what was built of it, changes the copy, and makes that. Returns the program."""
    tree = os.path.join(work, "tree")
    os.mkdir(tree)
    shutil.copy2(os.path.join(source, "Makefile"), tree)
    shutil.copytree(os.path.join(source, "src"), os.path.join(tree, "src"))
    built = os.path.join(source, "build", "src")
    if os.path.isdir(built):
        shutil.copytree(built, os.path.join(tree, "build", "src"))
        shutil.copy2(os.path.join(source, "build", "flags"), os.path.join(tree, "build"))
    path = os.path.join(tree, mutant.file)
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if text.count(mutant.text) != 1:
        raise SystemExit(f"stress: {mutant.file} has not exactly one '{mutant.text}' to change; see mutants.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text.replace(mutant.text, mutant.instead))
    subprocess.run(["make", "-s", "-C", tree, "FLAVOUR=static", "build/grouplock"], check=True,
                   stdout=subprocess.DEVNULL)
    return os.path.join(tree, "build", "grouplock")

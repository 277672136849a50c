"""Stress runs and their verdict, in TAP. scripts/stress calls it."""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections import Counter

import idle
import mutants
import oracle
import remains
import schedule
from driver import Driver
from places import Places, make_containers
from trace import Trace

SHOWN = 8       # problems of one kind
ROUND = 60      # seconds; what is longer is done in several runs, each with the next seed
MUTANT_RUNS = 6 # at most, each with the next seed
RATE = 25       # calls a second
HARM = ("kill", "stop", "edit", "terminate")
SOURCE = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

CHECKS = {
    "enough": "enough happened to judge by",
    "limit": "never more at once than the limit",
    "names": "no slot is given twice, nor one that there is not",
    "order": "nobody is overtaken",
    "idle": "nobody waits for more than a second while slots are free",
    "ends": "every call ends, with a status that it may have",
    "nested": "nested calls pass while their outer command runs",
    "left": "nothing is left behind: no lock, no keeper, no other process",
}
NEED_NO_TIMES = ("limit", "names", "ends", "nested", "left")    # of those in records


class Tap:
    def __init__(self):
        self.count = 0
        self.failed = 0
        self.skipped = 0

    def line(self, good, name, problems=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for problem in problems[:SHOWN]:
            print(f"#   {problem}")
        if len(problems) > SHOWN:
            print(f"#   and {len(problems) - SHOWN} more")
        sys.stdout.flush()

    def skip(self, name, why):
        self.count += 1
        self.skipped += 1
        print(f"ok {self.count} - {name} # SKIP {why}", flush=True)

    def close(self, seed):
        print(f"1..{self.count}")
        print(f"Stress: {self.count - self.failed - self.skipped} passed, {self.failed} failed, "
              f"{self.skipped} not run, seed {seed}")
        print(f"Result: {'FAIL' if self.failed else 'PASS'}", flush=True)


class Run:
    """One run: what it found is in `problems`, by check."""

    def __init__(self, grouplock, tools, work, seed, contained=True):
        self.seed = seed
        self.places = Places(work, grouplock, tools)
        self.contained = contained
        self.driver = None
        self.why_no_containers = ""
        self.trace = None
        self.left = []
        self.problems = {}

    def carry_out(self, seconds):
        """The schedule, from beginning to end."""
        places = self.places
        places.write_config(schedule.NORMAL)
        places.say("edit", "0", json.dumps(schedule.NORMAL, separators=(",", ":")))
        places.say("known", "0")
        places.make_locks()
        containers, self.why_no_containers = make_containers(places) if self.contained else ([], "")
        watcher = subprocess.Popen([places.watch, places.trace, *places.lock_dirs()], stdin=subprocess.PIPE)
        measure = subprocess.Popen([places.job, "-t", places.trace, "-i", "?", "-L"], stdin=subprocess.PIPE)
        self.driver = Driver(places, containers, self.seed)
        try:
            self.driver.carry_out(schedule.make(self.seed, seconds, RATE))
            self.left = remains.find(places)
        finally:
            self.driver.end_all()
            for process in (measure, watcher):
                process.stdin.close()
                process.wait()
            for container in containers:
                container.end()

    def judge(self, times_in_records=True):
        self.trace = trace = Trace(self.places.trace, times_in_records)
        found = {
            "enough": self.too_little(),
            "limit": oracle.limit_exceeded(trace),
            "names": oracle.names_wrong(trace),
            "order": oracle.overtaken(trace),
            "idle": idle.too_long(trace),
            "ends": [*oracle.statuses_wrong(trace), *self.driver.problems],
            "nested": oracle.nested_wrong(trace),
            "left": self.left,
        }
        self.problems = {check: list(problems) for check, problems in found.items()
                         if times_in_records or check in NEED_NO_TIMES}

    def too_little(self):
        """What a verdict would mean nothing without."""
        pasts = self.trace.pasts.values()
        ran = sum(1 for past in pasts if past.start)
        waited = sum(1 for past in pasts if past.tickets)
        missed = sum(map(len, self.trace.missed.values()))
        if ran < len(pasts) / 4:
            yield f"only {ran} of {len(pasts)} commands ran"
        if waited < len(pasts) / 20:
            yield f"only {waited} of {len(pasts)} calls waited in the queue"
        for what in HARM if len(pasts) >= 200 else ():    # a short run may do without one of them
            if not any(line.startswith(what + " ") for line in self.trace.lines):
                yield f"nothing was done of this kind: {what}"
        if missed > waited / 4:
            yield f"{missed} tickets were not seen"

    def tell_figures(self):
        trace, pasts = self.trace, self.trace.pasts.values()
        what = Counter(line.split(" ")[0] for line in trace.lines)
        ran = [past for past in pasts if past.start]
        print(f"# {len(pasts)} calls: {len(ran)} commands ran, {sum(1 for past in pasts if past.tickets)} calls waited "
              f"in the queue, {what['nested']} nested calls, {sum(1 for past in ran if past.call.claim)} claims")
        print(f"# {what['kill']} killed, {what['stop']} stopped, {what['edit'] - 1} edits of the config, "
              f"{sum(map(len, trace.missed.values()))} tickets not seen")
        by_kernel = [past for past in ran if past.orphaned or past.call.keep]
        both = sum(1 for past in by_kernel if past.orphaned and past.killed < past.exit)
        print(f"# slots let go by the keeper: {len(ran) - len(by_kernel)} times, by the kernel: {len(by_kernel)}, "
              f"{both} of them with keeper and command killed; {what['left']} daemons left")
        longest = max((wait[0] for wait in idle.waits_for_nothing(trace)), default=0)
        print(f"# slots that could be had were had after {longest / 1e9:.3f} s at worst; this machine gave a process "
              f"no time for {max((end - begin for begin, end in trace.late), default=0) / 1e9:.3f} s at worst")


def make_work(options, name):
    work = os.path.join(options.work, name)
    os.mkdir(work, 0o700)
    return work


def check_program(tap, options, seed, seconds):
    print(f"# seed {seed}, {seconds:g} s", flush=True)
    work = make_work(options, f"seed-{seed}")
    run = Run(options.grouplock, options.tools, work, seed)
    run.carry_out(seconds)
    run.judge()
    run.tell_figures()
    before = tap.failed
    for check, name in CHECKS.items():
        tap.line(not run.problems[check], name, run.problems[check])
    what = "commands ran in PID, mount and time namespaces of their own"
    if run.driver.containers:
        inside = sum(1 for who in run.driver.contained if run.trace.pasts[who].start)
        tap.line(inside > 0, f"{inside} {what}")
    else:
        tap.skip(what, run.why_no_containers)
    if options.keep or tap.failed > before:
        keep = f"{options.keep or os.path.join(tempfile.gettempdir(), 'grouplock-stress-trace')}.{seed}"
        shutil.copy(run.places.trace, keep)
        print(f"# the trace is in {keep}")
    shutil.rmtree(work)


def run_mutant(mutant, options, seed):
    if Driver.interrupted:
        sys.exit(130)
    work = make_work(options, "mutant")
    run = Run(mutants.build(mutant, SOURCE, work), options.tools, work, seed, contained=False)
    run.carry_out(mutant.seconds)
    run.judge(times_in_records=bool(mutant.shows))
    shutil.rmtree(work)
    return run


def check_mutant(tap, mutant, options):
    """A run must show what is broken. One alone may never come to where it matters."""
    for seed in range(options.seed, options.seed + MUTANT_RUNS):
        problems = run_mutant(mutant, options, seed).problems
        shown = [problem for check in mutant.shows for problem in problems[check]]
        if shown:
            break
    tap.line(bool(shown), f"it shows when {mutant.name}" if shown else
             f"{MUTANT_RUNS} runs do not show when {mutant.name}", shown[:1])


def check_clock(tap, options):
    """Admission must not depend on the wall clock."""
    run = run_mutant(mutants.JUMPING_CLOCK, options, options.seed)
    problems = [problem for found in run.problems.values() for problem in found]
    tap.line(not problems, f"nothing of this changes when {mutants.JUMPING_CLOCK.name}", problems)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--duration", type=float, help="seconds in which calls are made")
    parser.add_argument("-n", type=int, help="calls, about")
    parser.add_argument("--mutants", type=int, default=0, help="how many of the mutants are to be found")
    parser.add_argument("--keep", help="where copies of all traces go; without it, those of failures to TMPDIR")
    parser.add_argument("--work", required=True, help="an empty directory")
    parser.add_argument("grouplock")
    parser.add_argument("tools")
    return parser.parse_args()


def interrupt(*_):
    Driver.interrupted = True


def main():
    options = parse()
    signal.signal(signal.SIGTERM, interrupt)
    tap = Tap()
    left = options.duration if options.duration else (options.n or 500) / RATE
    seed = options.seed
    while left > 0:
        check_program(tap, options, seed, min(left, ROUND))
        left, seed = left - ROUND, seed + 1
    for mutant in mutants.MUTANTS[:options.mutants]:
        check_mutant(tap, mutant, options)
    if options.mutants >= len(mutants.MUTANTS):
        check_clock(tap, options)
    tap.close(options.seed)
    return 1 if tap.failed else 0


if __name__ == "__main__":
    sys.exit(main())

"""Carries out a schedule with real processes, and says in the trace all that it does to them."""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from dataclasses import asdict

import remains
import schedule
from places import Edits, processes

MOST_AT_ONCE = 250  # calls under way
MOST_NEW = 16       # of these neither waiting nor holding
PATIENCE = 90       # seconds for all to end after the last event
TICK = 0.003
RESUME = 0.1


class Process:
    """A process in a group of its own. Unlike subprocess it is not waited for until it has begun."""

    def __init__(self, command, output, environment):
        self.returncode = None
        self.pid = os.fork()
        if self.pid:
            try:
                os.setpgid(self.pid, self.pid)  # here as well: nobody may signal the group before it is there
            except OSError:
                pass  # it has begun, and so was first
            return
        try:
            os.setpgrp()
            os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
            os.dup2(output.fileno(), 1)
            os.dup2(output.fileno(), 2)
            os.execvpe(command[0], command, environment)
        finally:
            os._exit(95)

    def wait(self):
        _, status = os.waitpid(self.pid, 0)
        self.returncode = os.waitstatus_to_exitcode(status)
        return self.returncode


class Running:
    """A call under way, as far as the driver knows."""

    def __init__(self, call, process, contained):
        self.call = call
        self.process = process
        self.contained = contained
        self.tickets = {}       # lock: number
        self.started = False
        self.killed = False
        self.stopped = False
        self.resumed = 0.0      # when it was last continued
        self.open = ""          # the slots that the command has open

    @property
    def waits(self):
        return bool(self.tickets) and not self.started


class Driver:
    interrupted = False     # by a signal, which is looked at where it can do no harm

    def __init__(self, places, containers, seed):
        self.places = places
        self.containers = containers
        self.seed = seed
        self.edits = Edits(places)
        self.running = {}       # by pid
        self.by_id = {}
        self.statuses = []      # processes of `grouplock status`
        self.continues = []     # (when, Running)
        self.daemons = {}       # whose daemon is not gone yet: its container, or -1
        self.contained = {}     # the container of every call that runs in one
        self.problems = []
        self._trace = open(places.trace, "rb")  # pylint: disable=consider-using-with
        self._rest = b""

    # --- what goes on --------------------------------------------------------

    def be_quick(self):
        """What is to happen at once should, on a machine that has much else to do."""
        try:
            os.sched_setscheduler(0, os.SCHED_RR | os.SCHED_RESET_ON_FORK, os.sched_param(1))
        except OSError:
            pass

    def carry_out(self, events):
        self.be_quick()
        at, last = 0.0, time.monotonic()
        for event in events:
            self.tick(0)  # however late: what was stopped must go on
            while at < event.at:
                self.tick(TICK)
                now = time.monotonic()
                if not self.is_ahead():
                    at += now - last
                last = now
            getattr(self, "do_" + event.what)(random.Random(f"{self.seed} {event.number}"), **event.args)
        self.finish()

    def is_ahead(self):
        """Whether a busy machine has not done yet what was called for. Time stands still until it has."""
        return len(self.running) > MOST_AT_ONCE or len(self.candidates("newcomer")) > MOST_NEW

    def tick(self, length):
        if Driver.interrupted:
            sys.exit(130)
        time.sleep(length)
        self.read_trace()
        self.reap()
        self.edits.settle()
        while self.continues and self.continues[0][0] <= time.monotonic():
            running = self.continues.pop(0)[1]
            running.stopped = False
            self.resume(running)
            self.places.say("cont", running.call.id)
        for running in self.running.values():
            if running.resumed and not running.stopped and time.monotonic() - running.resumed > RESUME:
                self.resume(running)

    def read_trace(self):
        *lines, self._rest = (self._rest + self._trace.read()).split(b"\n")
        for line in lines:
            what, who, *rest = line.decode().split(" ")
            running = self.by_id.get(who)
            if what == "left":
                self.daemons[who] = self.contained.get(who, -1)
            elif what == "gone":
                self.daemons.pop(who, None)
            elif running and what == "ticket":
                running.tickets[rest[1]] = int(rest[2])
            elif running and what == "start":
                running.started, running.open = True, rest[3]

    def reap(self):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            running = self.running.pop(ended.si_pid, None)
            if not running:
                break
            del self.by_id[running.call.id]
            self.places.say("exit", running.call.id, running.process.wait())
        for process in [process for process in self.statuses if process.poll() is not None]:
            self.statuses.remove(process)
            if process.returncode:
                self.problems.append(f"status {process.returncode}: {process.stderr.read().decode().strip()}")

    # --- events --------------------------------------------------------------

    def do_call(self, _, call):
        contained = call.container >= 0 and bool(self.containers)
        inside = self.containers[call.container].enter() if contained else []
        with open(os.path.join(self.places.errors, call.id), "wb") as errors:
            self.places.say("ask", call.id, json.dumps(asdict(call), separators=(",", ":")))
            command = inside + self.places.become(call.user) + self.command(call)
            process = Process(command, errors, self.places.environment(contained))
        running = Running(call, process, contained)
        if contained:
            self.contained[call.id] = call.container
        self.running[process.pid] = running
        self.by_id[call.id] = running

    def command(self, call):
        places = self.places
        job = [places.job, "-t", places.trace, "-i", call.id, "-m", str(call.ms)]
        options = ["-g", call.group, "-w", call.id]
        for lock, count in call.wants.items():
            options += ["-l", f"{lock}={count}"]
        if call.nonblock:
            options += ["-n"]
        if call.timeout:
            options += ["-t", str(call.timeout)]
        if call.claim:
            return [places.claim, places.grouplock, call.form, call.claim, *job, "--", "claim", *options]
        job += ["-e", str(call.status)]
        if call.closes:
            job += ["-c"]
        if call.daemon_ms:
            job += ["-d", str(call.daemon_ms)]
        if call.nested:
            lock = sorted(call.wants)[0]
            job += ["--", places.grouplock, "run", "-g", call.group, "-w", call.id + "-nested", "-l", lock, "--",
                    places.job, "-t", places.trace, "-i", call.id, "-n"]
        if call.keep:
            options += ["-k"]
        return [places.grouplock, "run", *options, "--", *job]

    def do_edit(self, _, config):
        self.edits.make(config)

    def do_status(self, _):
        self.statuses.append(subprocess.Popen(
            [self.places.grouplock, "status", "-J"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, env=self.places.environment()))

    def candidates(self, whom):
        fit = [one for one in self.running.values()
               if not one.killed and not one.stopped and one.call.id != schedule.LONG]
        if whom == "holder":
            return [one for one in fit if one.started]
        if whom == "newcomer":
            return [one for one in fit if not one.started and not one.tickets]
        waiters = [one for one in fit if one.waits]
        if whom == "waiter":
            return waiters
        heads = {}
        for one in waiters:
            for lock, number in one.tickets.items():
                if lock not in heads or number < heads[lock][0]:
                    heads[lock] = (number, one)
        return [head for _, head in sorted(heads.values(), key=lambda entry: entry[1].call.id)]

    def pick(self, rng, whom):
        self.read_trace()
        fit = sorted(self.candidates(whom), key=lambda one: one.call.id)
        return rng.choice(fit) if fit else None

    def target(self, running):
        """The process that has the locks: behind nsenter there is one more."""
        if running.contained:
            for pid, parent, _ in processes():
                if parent == running.process.pid:
                    return pid
        return running.process.pid

    def send(self, running, pid, number):
        try:
            if running.process.returncode is None:  # not waited for yet: the pid is its own
                os.kill(pid, number)
        except ProcessLookupError:
            pass

    def do_kill(self, rng, whom, **how):
        running = self.pick(rng, whom)
        if not running:
            return
        # A claim's waiter and its shell are two processes: one without the other is no end.
        group = how.get("group") or running.call.claim
        running.killed = True
        pid = -running.process.pid if group else self.target(running)
        self.places.say("kill", running.call.id, how["signal"], whom)
        self.send(running, pid, signal.Signals["SIG" + how["signal"]])

    def do_kill_keeper(self, rng):
        # Who has closed its descriptors, or is a claim, has nothing but its keeper.
        fit = [one for one in self.candidates("holder") if one.open != "-" and not one.call.closes]
        if not fit:
            return
        running = rng.choice(sorted(fit, key=lambda one: one.call.id))
        slot = os.path.join(self.places.locks, running.open.split("@")[0])
        for pid in remains.keepers([slot]):
            self.kill_keeper(running, pid, rng.random() < 0.3)

    def do_terminate_keepers(self, _):
        """What a shutdown does, and a service that is stopped. It ends nothing: none here is bound to nothing."""
        self.places.say("terminate", "?")
        for pid in remains.keepers(remains.slots(self.places)):
            try:
                os.kill(pid, signal.SIGTERM)
            except ProcessLookupError:
                pass

    def kill_keeper(self, running, pid, both):
        try:
            keeper = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        if both:
            running.killed = True
            self.places.say("kill", running.call.id, "KILL", "holder")
        try:
            signal.pidfd_send_signal(keeper, signal.SIGKILL)
            if both:
                self.send(running, self.target(running), signal.SIGKILL)
            select.select([keeper], [], [])
            self.places.say("orphan", running.call.id)
        except ProcessLookupError:
            pass
        os.close(keeper)

    def do_kill_container(self, rng):
        if not self.containers:
            return
        index = rng.randrange(len(self.containers))
        for running in self.running.values():
            if running.contained and running.call.container == index:
                running.killed = True
                self.places.say("kill", running.call.id, "KILL", "container")
        self.read_trace()
        for who in self.daemons_in(index):
            self.places.say("lost", who)
        old = self.containers[index]
        old.end()
        self.containers[index] = type(old)(self.places, index)
        self.read_trace()
        for who in self.daemons_in(index):
            self.places.say("gone", who)

    def daemons_in(self, index):
        return [who for who, place in self.daemons.items() if place == index]

    def do_stop(self, rng, whom, length, **how):
        running = self.pick(rng, whom)
        if not running or running.call.claim:
            return
        running.stopped = True
        self.places.say("stop", running.call.id, how["signal"], whom)
        self.send(running, self.target(running), signal.Signals["SIG" + how["signal"]])
        self.continues.append((time.monotonic() + length, running))
        self.continues.sort(key=lambda entry: entry[0])

    def resume(self, running):
        """To be repeated: who is about to stop itself, as after SIGTSTP or as nsenter does, misses a single one."""
        running.resumed = time.monotonic()
        self.send(running, -running.process.pid, signal.SIGCONT)

    # --- the end -------------------------------------------------------------

    def finish(self):
        """Waits until all is over; what is not is a problem."""
        self.do_edit(None, schedule.NORMAL)
        deadline = time.monotonic() + PATIENCE
        while self.running or self.statuses or self.daemons or self.continues or not self.edits.settle():
            self.tick(TICK)
            if time.monotonic() > deadline:
                self.give_up()
                break
        self.read_trace()

    def give_up(self):
        stuck = sorted(self.by_id)
        self.problems.append(f"not over after {PATIENCE} s: calls {stuck}, daemons {sorted(self.daemons)}")
        self.end_all()

    def end_all(self):
        while self.running:
            _, running = self.running.popitem()
            try:
                os.killpg(running.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            running.process.wait()

"""Keeps a Buildbot master from handing a build to a machine that is full.

In master.cfg:

    from can_start_build import can_start_build, AskAgain
    c['builders'] = [BuilderConfig(..., canStartBuild=can_start_build)]
    c['services'] = [AskAgain()]

Without this a build is handed over, and its step waits in `grouplock run`, in the queue with all
others; with it the request stays with the master, which may give it to another worker. Only
`grouplock run` admits: between the question and the step another may take the slot.
"""

import json

from buildbot.util.service import BuildbotService
from twisted.internet import defer, task, utils

SECONDS = 1  # how long a slot that another master or a shell freed may stay unnoticed
GROUPLOCK = ["grouplock"]  # or with a path, -f and -d


@defer.inlineCallbacks
def ask(*arguments):
    out, err, status = yield utils.getProcessOutputAndValue(
        GROUPLOCK[0], GROUPLOCK[1:] + list(arguments), env=None)
    if status:
        raise RuntimeError(f"grouplock {arguments[0]}: status {status}: {err.decode()}")
    return json.loads(out)


@defer.inlineCallbacks
def can_start_build(builder, worker_for_builder, request):
    """Whether the worker's machine has a free slot, and nobody waits for it."""
    worker = worker_for_builder.worker.workername
    group = (yield ask("which", "-J", "-w", worker))["group"]
    locks = (yield ask("status", "-J", "-g", group, "-l", "default"))["locks"]
    return all(lock["held"] < lock["limit"] and not lock["waiting"] for lock in locks)


class AskAgain(BuildbotService):
    """A slot that is freed is no event in Buildbot: has it ask again."""

    name = "ask-again"

    @defer.inlineCallbacks
    def startService(self):
        yield super().startService()
        self.loop = task.LoopingCall(
            lambda: self.master.botmaster.maybeStartBuildsForAllBuilders())
        self.loop.start(SECONDS, now=False)

    def stopService(self):
        self.loop.stop()
        return super().stopService()

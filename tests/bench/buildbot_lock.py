"""Buildbot's own MasterLock as a step uses it, without a master's database, builders and workers.

    buildbot_lock.py STAMP FILE COUNT SLOTS MILLISECONDS

COUNT requesters stand in line while the slots are held; then each, in its turn, runs stamp(1).
"""

import sys

from buildbot.locks import MasterLock, RealMasterLock
from twisted.internet import defer, reactor, utils

from line import duration


@defer.inlineCallbacks
def run_step(lock, access, words):
    """As BuildStep.acquireLocks() does it."""
    owner = object()
    while not lock.isAvailable(owner, access):
        yield lock.waitUntilMaybeAvailable(owner, access)
    lock.claim(owner, access)
    yield utils.getProcessValue(words[0], words[1:])
    lock.release(owner, access)


def main():
    stamp, path = sys.argv[1:3]
    count, slots, milliseconds = map(int, sys.argv[3:])
    identity = MasterLock("bench", maxCount=slots)
    access = identity.access("counting")
    lock = RealMasterLock("bench")
    lock.updateFromLockId(identity, 0)

    def start():
        holders = [object() for _ in range(slots)]
        for holder in holders:
            lock.claim(holder, access)
        done = defer.DeferredList([run_step(lock, access, [stamp, path, str(number),
                                                           str(duration(number, milliseconds))])
                                   for number in range(1, count + 1)])
        for holder in holders:
            lock.release(holder, access)
        done.addBoth(lambda _: reactor.stop())

    reactor.callWhenRunning(start)
    reactor.run()


if __name__ == "__main__":
    main()

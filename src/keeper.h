/*
 * keeper - the small process that frees the slots when the command ends.
 *
 * A slot is held by an open file description. The command has it open, and so may have a daemon
 * that it leaves behind; or it may have closed it. So a second process keeps a duplicate: it
 * waits on a pidfd until the command is gone and then calls flock(LOCK_UN), which frees the lock
 * for every duplicate of the description (flock(2)). Just before, it clears the first byte of the
 * file, so that the record in it is no record any more for whoever still has GROUPLOCK_HELD.
 *
 *     daemon inherits the fd       the keeper frees it
 *     command closes its fds       the keeper holds it
 *     keeper is killed             the command's fd holds it
 *     process group is killed      the keeper is in a session of its own and sees the end
 *
 * It is a clone() that shares the caller's memory until the caller execs (a fork() would copy
 * page tables for nothing) and has exit signal 0, so that the command's wait() never sees it
 * (clone(2), wait(2) __WCLONE). It has a session of its own, all signals blocked, cwd "/", stdio
 * on /dev/null, and no other descriptor than the pidfd and the slots'.
 */
#ifndef GROUPLOCK_KEEPER_H
#define GROUPLOCK_KEEPER_H

#include <stddef.h>

#include "error.h"

#define KEEPER_NAME "grouplock-keeper"

enum keeper_result {
	KEEPER_STARTED,
	KEEPER_UNSUPPORTED, /* no pidfd_open(2): Linux before 5.3, or a filter forbids it */
	KEEPER_ERROR,
};

/*
 * Starts the keeper of the calling process, which is about to exec, for `count` slots. `fds` and
 * the array itself must stay as they are until the exec. Returns when the keeper is in its own
 * session: from then on nothing that is meant for the command's process group reaches it.
 *
 * `title` is the memory that /proc/PID/cmdline shows, `title_size` bytes from argv[0] on: it is
 * overwritten with the keeper's name, or else ps(1) would show a second grouplock. Whoever needs
 * the arguments copies them first.
 */
enum keeper_result keeper_start(const int *fds, size_t count, char *title, size_t title_size,
				struct error *err);

#endif

/*
 * keeper - the small process that frees the slots of a command, or of a claim, when it ends.
 *
 * A slot is held by an open file description. The command has it open, and so may have a daemon
 * that it leaves behind; or it may have closed it. So a second process keeps a duplicate: it
 * waits on a pidfd until the command is gone and then calls flock(LOCK_UN), which frees the lock
 * for every duplicate of the description (flock(2)). Just before, it writes the reason into the
 * record, which from then on lets nobody pass who still has GROUPLOCK_HELD; unless the command has unlocked the
 * slot itself, and it is another's.
 *
 *     daemon inherits the fd       the keeper frees it
 *     command closes its fds       the keeper holds it
 *     keeper is killed             the command's fd holds it; of a claim, nothing does: it is free
 *     process group is killed      the keeper is in a session of its own and sees the end
 *
 * It is a process of its own, with a copy of the caller's memory, and nobody's child: a helper between the
 * two ends at once, so that init adopts the keeper and reaps it, and no wait() of the command ever sees it,
 * not even strace's, which waits for children of any kind (wait(2), __WALL). Only where the caller would
 * itself adopt it, as init of a PID namespace or a subreaper, it is a child from the start, without an exit
 * signal: then wait() passes over it without __WALL.
 *
 * It has a session of its own, all signals blocked, cwd "/", stdio on /dev/null, and no other
 * descriptors than pidfd, slots and, for a claim, a signalfd.
 */
#ifndef GROUPLOCK_KEEPER_H
#define GROUPLOCK_KEEPER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define KEEPER_NAME "grouplock-keeper"

enum keeper_result {
	KEEPER_STARTED,
	KEEPER_UNSUPPORTED, /* this machine does not let us have one */
	KEEPER_ERROR,
};

enum keeper_reason {
	KEEPER_ENDED,    /* the process watched */
	KEEPER_EXPIRED,  /* the time */
	KEEPER_RELEASED, /* it was told so, where that is allowed */
	KEEPER_REASONS,
};

/*
 * keeper_tell() queues this signal with this value, as sigqueue(3) does and nothing that means all processes.
 * By its number: SIGRTMIN is not the same for all C libraries. A real-time signal, since those are not merged: a
 * SIGTERM is lost, value and all, while another one is pending.
 */
#define KEEPER_RELEASE_SIGNAL 60
#define KEEPER_RELEASE_VALUE 0x67726f75

#define KEEPER_OWN_SIZE 80

struct keeper_task {
	const int *fds; /* the slots' descriptors, `count` of them, none below 3 */
	size_t count;
	int pidfd;       /* of the process to watch, not below 3; -1: none */
	int64_t timeout; /* nanoseconds, CLOCK_NEVER: none */
	bool releasable; /* by keeper_tell(), and by SIGTERM if there is no process to watch */
	/*
	 * The read end of a pipe, or -1. Until its other end, which only the caller has, has said a
	 * byte, nothing counts as held: a caller that dies before takes the slots with it.
	 */
	int commit_fd;
	/*
	 * How each slot's file begins while it is the task's: a command may unlock what it inherited, and then
	 * another holds it, whose record is not to be marked.
	 */
	char own[KEEPER_OWN_SIZE];
	off_t mark_offset; /* where in each slot the reason goes, and what it is in bytes */
	size_t mark_size;
	const char *marks[KEEPER_REASONS];
	/*
	 * The memory that /proc/PID/cmdline shows, from argv[0] on. The keeper overwrites its copy with its
	 * name, or else ps(1) would show a second grouplock.
	 */
	char *title;
	size_t title_size;
};

/*
 * Opens a pidfd, close-on-exec, `lowest` or above. KEEPER_UNSUPPORTED: no pidfd_open(2), on Linux before
 * 5.3 or since a filter forbids it. KEEPER_ERROR: see errno, ESRCH if the process is gone.
 */
enum keeper_result keeper_open_pidfd(pid_t pid, int lowest, int *pidfd);

/*
 * Starts the keeper, which gets copies of the task and of all that it points to. The caller has one thread.
 * Blocks for an instant, until nothing that is meant for the caller's process group reaches the keeper any
 * more. *pid becomes its pid. It is not there unless all that it is told to wait for will reach it.
 * KEEPER_UNSUPPORTED: no memory for a copy of this process, as vm.overcommit_memory=2 may refuse it, proc(5).
 * Unless KEEPER_STARTED, err says why, and there is no keeper.
 */
enum keeper_result keeper_start(const struct keeper_task *task, pid_t *pid, struct error *err);

/*
 * Tells a keeper, by its pidfd, to release what it holds. `by_term`: it is one of old, which SIGTERM tells. -1:
 * errno; EAGAIN: its user has as many signals pending as RLIMIT_SIGPENDING allows now.
 */
int keeper_tell(int pidfd, bool by_term);

#endif

/*
 * request - what `run` and `claim` have in common: the options that say what is asked for, and
 * the way from them to held slots.
 */
#ifndef GROUPLOCK_REQUEST_H
#define GROUPLOCK_REQUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/resource.h>

#include "base/error.h"
#include "cli/command.h"
#include "cli/talk.h"
#include "config/resolve.h"
#include "keep/keeper.h"
#include "lock/acquire.h"

#define REQUEST_KEY_HEARTBEAT 256

#define REQUEST_OPTIONS                                                                         \
	{'w', "worker", "NAME", "the worker, instead of $GROUPLOCK_WORKER or the host name"},   \
		{'g', "group", "NAME", "the group, instead of the worker's"},                   \
		{'l', "lock", "LOCK[=COUNT|=all]",                                              \
		 "the lock, instead of 'default'; may be repeated"},                            \
		{'c', "count", "N", "take N slots of each lock without a count of its own"},    \
		{'x', "exclusive", NULL,                                                        \
		 "take all slots of each lock without a count of its own"},                     \
		{'n', "nonblock", NULL, "do not wait: exit with 75 if no slot is free"},        \
		{'t', "timeout", "DURATION",                                                    \
		 "wait no longer than this: 30, 1.5, 10m, 2h, 1d; then exit with 75"},          \
		{'E', "conflict-exit-code", "N", "exit with N instead of 75; 0 skips quietly"}, \
		{REQUEST_KEY_HEARTBEAT, "heartbeat", "DURATION",                                \
		 "report this often while waiting (60); 0: never"},                             \
		{'q', "quiet", NULL, "print nothing about waiting"},                            \
	{                                                                                       \
		'v', "verbose", NULL, "print how group, limit and directory were found"         \
	}

struct request {
	/* from the command line */
	struct acquire_want wants[ACQUIRE_MAX_LOCKS];
	bool has_count[ACQUIRE_MAX_LOCKS]; /* -l gave one */
	unsigned want_count;
	unsigned count; /* -c; 0: not given */
	bool exclusive, nonblock, has_timeout, quiet, verbose;
	int64_t timeout, heartbeat;
	int conflict_status;
	/* from there to the slots */
	struct resolve_options *options;
	struct resolved where;
	struct acquire_job job;
	struct talk talk;
	struct rlimit fd_limit; /* as it was */
};

/* Reads a duration, the argument of `option`, into *ns. */
int request_duration(const char *option, const char *text, int64_t *ns, struct error *err);

/* Takes an option of REQUEST_OPTIONS, as a command_option does. */
int request_option(struct request *request, int key, const char *argument, struct error *err);

/*
 * Parses the call's options as command_parse() does; `option` passes those that are not the
 * command's alone on to request_option(). `request` is all zero.
 */
int request_parse(struct request *request, struct command_call *call, command_option *option,
		  void *arg, struct error *err);

/*
 * Finds config, directory, worker and group; under -v says how. Then job.record is to be completed
 * by the command: kind is RECORD_RUN, and the command line is empty.
 */
int request_resolve(struct request *request, struct error *err);

/*
 * Before anything is waited for: refuses what could not be told to a command or a shell, and says
 * how many slots will be held at the least. A nested call adds nothing, so a lock of which the
 * caller seems to hold slots does not count.
 */
int request_check(const struct request *request, size_t *slots, struct error *err);

/*
 * Gets the slots. Wants room for descriptors: fdlimit_raise(). `err` is empty after BUSY and TIMEOUT, which
 * have been told.
 */
enum acquire_result request_acquire(struct request *request, struct error *err);

/* The descriptors that hold what was got, malloc()ed; *count of them. NULL: no memory. */
int *request_fds(const struct request *request, size_t *count);

/* Completes a keeper's task: what it holds, how it marks the records of that, and its title. */
void request_keeper(struct keeper_task *task, const struct request *request, const int *fds,
		    size_t count);

/* Writes job.record anew into each slot that is held. */
int request_write_records(const struct request *request, struct error *err);

#endif

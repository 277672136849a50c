/*
 * caller - somebody who asks for slots of group "hw1", in a directory of the test's own.
 *
 *     TestSuite(name, .init = caller_setup, .fini = caller_teardown);
 *
 *     caller_prepare_for(&caller, 1);
 *     caller_check(&caller, ACQUIRE_OK);
 *     acquire_release(&caller.job);
 *
 * While acquire() waits it tells its news: they are what a test reacts to, and there is no need
 * to sleep anywhere.
 */
#ifndef GROUPLOCK_TESTS_CALLER_H
#define GROUPLOCK_TESTS_CALLER_H

#include "lock/acquire.h"
#include "lock/queue.h"

struct caller {
	struct acquire_job job;
	struct acquire_want wants[3];
};

extern struct statedir caller_sd; /* of lock "default" */
extern struct error caller_err;

/* A letter for each news but heartbeats: Waits, First, Got, X for gave up, Note. */
extern char caller_heard[64];
extern char caller_last_note[512];

/* What the test does about news, or NULL. */
extern void (*caller_react)(const struct acquire_report *report);

void caller_setup(void); /* with one slot for every group */
void caller_teardown(void);

/* Rewrites the config file; only caller_configure() gives it to callers from the start. */
void caller_write_config(const char *text);
void caller_configure(const char *text);

/* Without a want; with `count` slots of lock "default" as its want, 0 being all. */
void caller_prepare(struct caller *caller);
void caller_prepare_for(struct caller *caller, unsigned count);
void caller_want(struct caller *caller, const char *lock, unsigned count);

/* Acquires, which must end with that result. */
void caller_check(struct caller *caller, enum acquire_result expected);

/* A live ticket of somebody else who asks for `count`; NULL: of a process that is nowhere here. */
struct ticket caller_enter_queue(unsigned count, const struct proc_identity *process);

#endif

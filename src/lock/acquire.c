#include "lock/acquire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "lock/attempt.h"
#include "lock/held.h"

/* A directory that is removed each time we use it is an error. */
#define RESTARTS 100

/* Makes a grant of what is MINE, and lets go of everything else. */
static enum step make_grant(struct attempt *at)
{
	struct slots *slots = &at->slots;
	struct grant *grant = grant_new(at->want->lock, slots->mine, &at->sd);

	for (unsigned i = 0; grant && i < slots->eligible; i++) {
		char file[NAME_MAX + 1], label[NAME_MAX + 1];

		if (slots->slot[i].state != SLOT_MINE)
			continue;
		slots_file(slots, i, file);
		slots_label(slots, i, label);
		if (grant_add(grant, file, label, slots_hand_over(slots, i))) {
			grant_free(grant);
			grant = NULL;
		}
	}
	slots_close(slots);
	at->grant = grant;
	if (grant)
		return STEP_ON;
	error_sys(at->err, ENOMEM, "cannot list the slots of '%s'", at->sd.path);
	return STEP_ERROR;
}

/* From opening the directory to holding the slots; leaves nothing behind but them. */
static enum step attempt_lock(struct acquire_job *job, unsigned i, bool stoppable,
			      struct error *err)
{
	struct attempt at = {
		.job = job,
		.want = &job->wants[i],
		.stoppable = stoppable,
		.err = err,
		.sd.fd = -1,
		.gate.fd = -1,
		.ticket.fd = -1,
		.began = clock_now(),
	};
	enum step step = STEP_ERROR;

	if (!config_slots(job->config, at.want->lock, job->group, &at.set, err) &&
	    statedir_open(&at.sd, job->directory, job->group, at.want->lock, true, err) ==
		    STATEDIR_OK)
		step = attempt_run(&at);
	/* I4: the ticket goes last, when the slots are held or given back. */
	if (step != STEP_ON)
		slots_close(&at.slots);
	queue_drop(&at.sd, &at.ticket);
	if (step == STEP_ON)
		step = make_grant(&at);
	if (at.waiting)
		waitset_close(&at.waits);
	gate_close(&at.gate);
	job->grants[i] = at.grant;
	if (step == STEP_ON && at.told.waits)
		attempt_tell(&at, ACQUIRE_GOT, NULL, false);
	config_free(at.fresh);
	slotset_free(&at.set);
	statedir_close(&at.sd);
	return step;
}

void acquire_release(struct acquire_job *job)
{
	for (unsigned i = 0; i < job->count; i++) {
		grant_free(job->grants[i]);
		job->grants[i] = NULL;
	}
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct acquire_job *job = arg;
	const unsigned *i = a, *j = b;

	return strcmp(job->wants[*i].lock, job->wants[*j].lock);
}

/* Before anything is waited for: there are such locks, and they can have that many slots. */
static enum step check_wants(struct acquire_job *job, struct error *err)
{
	for (unsigned i = 0; i < job->count; i++) {
		struct attempt at = {.job = job, .want = &job->wants[i], .err = err};
		enum step step = STEP_ON;

		if (config_slots(job->config, at.want->lock, job->group, &at.set, err))
			return STEP_ERROR;
		/* What the caller's tree holds may be more than the limit of now: its turn tells. */
		if (!held_is_likely(job->held, job->directory, job->group, at.want->lock))
			step = attempt_check_possible(&at);
		slotset_free(&at.set);
		if (step != STEP_ON)
			return step;
	}
	return STEP_ON;
}

/* All locks, in the order that every caller keeps; or none. */
static enum step acquire_each(struct acquire_job *job, bool stoppable, struct error *err)
{
	unsigned order[ACQUIRE_MAX_LOCKS];

	for (unsigned i = 0; i < job->count; i++)
		order[i] = i;
	qsort_r(order, job->count, sizeof(*order), compare_names, job);
	for (unsigned rank = 0; rank < job->count; rank++) {
		const char *lock = job->wants[order[rank]].lock;
		enum step step = STEP_AGAIN;

		for (int tries = 0; step == STEP_AGAIN && tries < RESTARTS; tries++)
			step = attempt_lock(job, order[rank], stoppable, err);
		if (step == STEP_ON || step == STEP_NESTED)
			continue;
		if (step == STEP_AGAIN)
			error_set(
				err,
				"somebody keeps removing the directory of lock '%s' of group '%s' in "
				"'%s'",
				lock, job->group, job->directory);
		acquire_release(job);
		return step;
	}
	return STEP_ON;
}

/* Lets the SIGTSTP that is pending stop this process, unless a SIGCONT has taken it back, until continued. */
static void stop_here(void)
{
	sigset_t stop, was;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &stop, &was); /* here */
	sigprocmask(SIG_SETMASK, &was, NULL);
}

enum acquire_result acquire(struct acquire_job *job, struct error *err)
{
	struct sigaction action;
	sigset_t block, was;
	bool stoppable;
	enum step step;

	if (record_secret(job->secret, err))
		return ACQUIRE_ERROR;
	sigemptyset(&block);
	sigaddset(&block, SIGTSTP);
	sigaddset(&block, SIGTTOU); /* what is written from the background must not stop a waiter */
	sigprocmask(SIG_BLOCK, &block, &was);
	sigaction(SIGTSTP, NULL, &action);
	stoppable = action.sa_handler != SIG_IGN && !sigismember(&was, SIGTSTP);
	step = check_wants(job, err);
	while (step == STEP_ON && (step = acquire_each(job, stoppable, err)) == STEP_STOP) {
		stop_here();
		step = STEP_ON;
	}
	sigprocmask(SIG_SETMASK, &was, NULL);
	switch (step) {
	case STEP_ON:
		return ACQUIRE_OK;
	case STEP_BUSY:
		return ACQUIRE_BUSY;
	case STEP_TIMEOUT:
		return ACQUIRE_TIMEOUT;
	default:
		return ACQUIRE_ERROR;
	}
}

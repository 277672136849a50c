/*
 * talk - what `run` says on stderr while it waits.
 *
 * In a log: a line when the wait begins, on becoming first, at each heartbeat (CI servers kill a
 * step that prints nothing), and when the slot comes. On a terminal one line, redrawn each second.
 */
#ifndef GROUPLOCK_TALK_H
#define GROUPLOCK_TALK_H

#include <stdbool.h>

#include "lock/acquire.h"

struct talk {
	bool skip_quietly; /* giving up is as good as success (-E 0): no line about it */
	bool terminal;     /* stderr is one: redraw */
	pid_t caller;      /* the parent when this began */
	size_t drawn;      /* columns of the line that stands there unfinished */
	pid_t named_head;  /* the stopped head that was named last, or 0 */
};

void talk_open(struct talk *talk, bool skip_quietly);

/* How often the state is to be told: each second on a terminal, else each `heartbeat` ns. */
int64_t talk_interval(const struct talk *talk, int64_t heartbeat);

/* acquire_job's `tell`; arg is the struct talk. */
void talk_tell(void *arg, const struct acquire_report *report);

/* Ends an unfinished line, so that what follows starts on its own. */
void talk_close(struct talk *talk);

#endif

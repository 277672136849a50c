#include "lock/attempt.h"

#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "lock/lockfile.h"

#define DISTINCT_HOLDERS 64 /* beyond, each slot counts as a holder's only one */

/* What a look under the gate collects for a report. */
struct view {
	struct acquire_report *report;
	struct record holder, head;
	bool has_head;    /* head is the record of the first in the queue */
	unsigned of_head; /* slots it has gathered itself */
	char ids[DISTINCT_HOLDERS][RECORD_SECRET_SIZE]; /* of the holders seen */
};

/* Whoever holds several slots has the same id in all of them. */
static bool is_new_holder(struct view *view, const struct record *record)
{
	unsigned seen = view->report->holders;

	for (unsigned i = 0; record && i < seen && i < DISTINCT_HOLDERS; i++) {
		if (!strcmp(view->ids[i], record->id))
			return false;
	}
	if (seen < DISTINCT_HOLDERS)
		strcpy(view->ids[seen], record ? record->id : "");
	return true;
}

static bool is_same(const struct proc_identity *a, const struct proc_identity *b)
{
	return a->pid == b->pid && a->start == b->start && a->pidns == b->pidns &&
	       !strcmp(a->boot, b->boot) && !strcmp(a->host, b->host);
}

static void see_holder(void *arg, const char *label, const struct record *record)
{
	struct view *view = arg;
	struct acquire_report *report = view->report;

	(void)label;
	report->held++;
	view->of_head += view->has_head && record && is_same(&record->process, &view->head.process);
	report->holders += is_new_holder(view, record);
	if (!record || (report->holder && report->holder->since <= record->since))
		return;
	view->holder = *record;
	report->holder = &view->holder;
}

/*
 * I9: a head that could go on and does not is stopped. Where its pid means something here, the
 * kernel may say so. Otherwise it must have been found so at the last look too, and have slept ever since
 * where that can be seen: in a frozen cgroup it looks asleep.
 */
static void look_for_stopped_head(struct attempt *at, struct view *view)
{
	const struct proc_identity *head = &view->head.process, *self = &at->job->record.process;
	struct acquire_report *report = view->report;
	pid_t was = at->told.suspect;
	uint64_t sleeps = at->told.suspect_sleeps;
	bool here = proc_is_here(head, self);

	at->told.suspect = 0;
	if (!view->has_head || report->limit + view->of_head < report->held + view->head.count)
		return;
	at->told.suspect = head->pid;
	at->told.suspect_sleeps = here ? proc_sleeps(head->pid) : 1;
	if ((here && proc_is_stopped(head, self)) ||
	    (was == head->pid && sleeps && sleeps == at->told.suspect_sleeps))
		report->stopped = &view->head;
}

/* Under the gate. */
static void look(struct attempt *at, struct view *view)
{
	struct error ignored; /* what cannot be seen is not told */
	int fd;

	if (at->ticket.fd >= 0)
		view->report->place = queue_place(&at->gate.counters, &at->ticket);
	if (view->report->place > 1 && !queue_first(&at->gate, &fd, &ignored) && fd >= 0) {
		view->has_head = record_read(&view->head, fd);
		close(fd);
	}
	slots_look(&at->sd, &at->set, at->gate.counters.top, &at->slots, see_holder, view,
		   &ignored);
	if (at->ticket.fd >= 0)
		look_for_stopped_head(at, view);
}

void attempt_tell(struct attempt *at, enum acquire_event event, const char *note, bool entered)
{
	struct acquire_report report = {
		.event = event,
		.group = at->job->group,
		.lock = at->want->lock,
		.grant = at->grant,
		.limit = at->set.count,
		.waited = clock_now() -
			  (event == ACQUIRE_GAVE_UP && at->job->began ? at->job->began : at->began),
		.note = note,
	};
	struct view view = {.report = &report};
	struct error ignored;

	at->told.gave_up |= event == ACQUIRE_GAVE_UP;
	if (!at->job->tell)
		return;
	if (event == ACQUIRE_NOTE || event == ACQUIRE_GOT) {
		at->job->tell(at->job->arg, &report);
		return;
	}
	if (entered) {
		look(at, &view);
	} else if (at->gate.fd >= 0 && gate_try(&at->gate, &ignored) == LOCKFILE_OK) {
		look(at, &view);
		gate_leave(&at->gate, &ignored);
	} else if (at->ticket.fd >= 0) {
		report.place = queue_place(&at->gate.counters, &at->ticket);
	}
	at->job->tell(at->job->arg, &report);
}

#include "status/look.h"

#include <stdlib.h>
#include <string.h>

#include "lock/gate.h"

static void free_row(struct report_row *row)
{
	for (unsigned i = 0; i < row->process_count; i++)
		free(row->processes[i].command);
	free(row->processes);
	free(row->name);
	free(row->file);
	free(row->who);
}

static void free_rows(struct report_row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		free_row(&rows[i]);
	free(rows);
}

void report_clear(struct report_lock *lock)
{
	free_rows(lock->rows, lock->count);
	lock->rows = NULL;
	lock->count = lock->room = 0;
}

/* --- the gate and the directory ----------------------------------------------------------- */

/* A directory without a gate: whoever comes next makes one. Until then nobody has given out anything. */
static int look_without_gate(struct report_probe *look, struct error *err)
{
	for (unsigned i = 0; i < look->files.count; i++) {
		const char *file = look->files.list[i];

		if (!strncmp(file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) ||
		    !strncmp(file, GATE_TICKET_PREFIX, sizeof(GATE_TICKET_PREFIX) - 1))
			return error_set(
				err,
				"cannot look: '%s/%s' is missing; the next 'grouplock run' "
				"makes it",
				look->sd.path, GATE_NAME);
	}
	return report_probe(look, err);
}

static int look_into(struct report_probe *look, struct error *err)
{
	struct report_gate gate;
	enum lockfile_result entered = report_enter_gate(&gate, &look->sd, err);
	int result = entered == LOCKFILE_OK || entered == LOCKFILE_MISSING ? 0 : -1;

	if (!result)
		result = names_read(&look->files, look->sd.fd, look->sd.path, err);
	names_sort(&look->files);
	if (!result)
		result = entered == LOCKFILE_OK ? report_probe(look, err)
						: look_without_gate(look, err);
	if (entered == LOCKFILE_OK)
		report_leave_gate(&gate);
	return result;
}

static int look(struct report_lock *lock, const char *directory, const struct slotset *set,
		struct error *err)
{
	struct report_probe look = {.lock = lock, .set = set};
	int result = -1;

	switch (statedir_open(&look.sd, directory, lock->group, lock->lock, false, err)) {
	case STATEDIR_OK:
		result = look_into(&look, err);
		break;
	case STATEDIR_MISSING: /* nobody was ever here */
		result = report_probe(&look, err);
		break;
	case STATEDIR_ERROR:
		break;
	}
	statedir_close(&look.sd);
	names_free(&look.files);
	return result;
}

/* --- what it means ------------------------------------------------------------------------ */

static bool is_same_doubt(const struct report_row *a, const struct report_row *b)
{
	if (!a->doubts || !a->file || strcmp(a->file, b->file) || !a->who != !b->who)
		return false;
	return !a->who ||
	       (a->who->process.pid == b->who->process.pid &&
		a->who->process.start == b->who->process.start && a->who->since == b->who->since);
}

/*
 * A holder has its slot a moment before its record is written, and a moment after it has ended:
 * its keeper may be about to let go. So one look gives no more than a doubt.
 */
static void judge_slot(struct report_row *row, const struct report_row *before, unsigned count,
		       const struct proc_identity *self)
{
	const struct report_who *who = row->who;

	if (who && who->state == RECORD_HELD && !proc_has_ended(&who->process, self))
		return;
	row->doubts = 1;
	for (unsigned i = 0; i < count; i++) {
		if (is_same_doubt(&before[i], row))
			row->doubts += before[i].doubts;
	}
	if (row->doubts > 1 && who)
		row->state = REPORT_LEAKED;
}

static bool judge(struct report_lock *lock, const struct report_row *before, unsigned count,
		  const struct proc_identity *self)
{
	bool doubtful = false;

	lock->held = lock->waiting = 0;
	for (unsigned i = 0; i < lock->count; i++) {
		struct report_row *row = &lock->rows[i];

		if (row->state == REPORT_HELD) {
			lock->held++;
			judge_slot(row, before, count, self);
			doubtful |= row->doubts > 0;
		} else if (row->state == REPORT_WAITING) {
			lock->waiting++;
			if (row->who && proc_is_stopped(&row->who->process, self))
				row->state = REPORT_STOPPED;
		}
	}
	return doubtful;
}

bool report_look(struct report_lock *lock, const char *directory, const struct slotset *set,
		 const struct proc_identity *self)
{
	struct report_row *before = lock->rows;
	unsigned count = lock->count;
	bool doubtful = false;

	lock->rows = NULL;
	lock->count = lock->room = 0;
	if (look(lock, directory, set, &lock->problem)) {
		report_clear(lock);
		lock->held = lock->waiting = 0;
	} else {
		*lock->problem.text = '\0'; /* what was overcome is no problem */
		doubtful = judge(lock, before, count, self);
	}
	free_rows(before, count);
	return doubtful;
}

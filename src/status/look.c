#include "status/look.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/num.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/slots.h"

/* One look at a lock. */
struct look {
	struct report_lock *lock;
	const struct slotset *set; /* NULL: the config has no such lock */
	struct statedir sd;        /* fd -1: there is no directory */
	struct names files;        /* of the directory, sorted */
};

static int no_memory(struct error *err)
{
	return error_sys(err, ENOMEM, "cannot make a report");
}

/* --- rows --------------------------------------------------------------------------------- */

static void free_rows(struct report_row *rows, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned j = 0; j < rows[i].process_count; j++)
			free(rows[i].processes[j].command);
		free(rows[i].processes);
		free(rows[i].name);
		free(rows[i].file);
		free(rows[i].who);
	}
	free(rows);
}

void report_clear(struct report_lock *lock)
{
	free_rows(lock->rows, lock->count);
	lock->rows = NULL;
	lock->count = lock->room = 0;
}

/* A new row at the end, all zero; NULL without memory. */
static struct report_row *add_row(struct report_lock *lock)
{
	if (lock->count == lock->room) {
		unsigned room = lock->room ? 2 * lock->room : 8;
		struct report_row *rows = realloc(lock->rows, room * sizeof(*rows));

		if (!rows)
			return NULL;
		lock->rows = rows;
		lock->room = room;
	}
	lock->rows[lock->count] = (struct report_row){0};
	return &lock->rows[lock->count++];
}

/* The record of an open file into the row, if there is one. */
static int read_record(struct report_row *row, int fd, struct error *err)
{
	struct record record;

	if (!record_read(&record, fd))
		return 0;
	record.id[RECORD_SHORT_ID] = '\0';
	row->who = malloc(sizeof(record));
	if (!row->who)
		return no_memory(err);
	*row->who = record;
	return 0;
}

/*
 * Opens a file and finds out whether it is locked. *out: a row with the state HELD or FREE and the file's record; NULL for a file that is not held,
 * unless it is `listed`: then it need not even be there.
 */
static int look_at_file(const struct look *look, const char *file, bool listed,
			struct report_row **out, struct error *err)
{
	enum lockfile_result state = LOCKFILE_MISSING;
	struct report_row *row = NULL;
	int fd = -1, result = 0;
	struct stat st;

	if (look->sd.fd >= 0) /* there is a directory */
		state = lockfile_look(&look->sd, file, &fd, err);
	if (state == LOCKFILE_ERROR) {
		result = -1;
	} else if (listed || state == LOCKFILE_BUSY) {
		row = add_row(look->lock);
		result = row ? 0 : no_memory(err);
	}
	if (row) {
		row->state = state == LOCKFILE_BUSY ? REPORT_HELD : REPORT_FREE;
		if (state == LOCKFILE_BUSY && !fstat(fd, &st)) {
			row->device = st.st_dev;
			row->inode = st.st_ino;
		}
		if (state != LOCKFILE_MISSING)
			result = read_record(row, fd, err);
	}
	if (fd >= 0)
		close(fd);
	*out = row;
	return result;
}

/* A row for a slot; none for one that the config does not have, unless it is held. */
static int look_at_slot(const struct look *look, const char *file, const char *name, bool listed,
			struct error *err)
{
	struct report_row *row;
	int result = look_at_file(look, file, listed, &row, err);

	if (result || !row)
		return result;
	row->name = strdup(name);
	row->numbered = !name[strspn(name, "0123456789")];
	row->above_limit = !listed;
	if (row->state == REPORT_HELD)
		row->file = strdup(file);
	else
		row->expired = row->who && row->who->kind == RECORD_CLAIM &&
			       row->who->state == RECORD_EXPIRED;
	if (!row->name || (row->state == REPORT_HELD && !row->file))
		return no_memory(err);
	return 0;
}

/* What people call the slot of a file; false for a file that grouplock never made. */
static bool name_of_slot(const char *file, char name[NAME_MAX + 1])
{
	uint64_t number;

	if (strncmp(file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) ||
	    !filename_decode(name, file + sizeof(GATE_SLOT_PREFIX) - 1))
		return false;
	if (!name[strspn(name, "0123456789")])
		return num_parse(name, CONFIG_MAX_SLOTS - 1, &number);
	return text_is_folded(name);
}

/* The slots of the config, then those beyond it that are held. */
static int look_at_slots(const struct look *look, struct error *err)
{
	const struct slots slots = {.set = look->set, .eligible = look->set ? look->set->count : 0};
	char file[NAME_MAX + 1], name[NAME_MAX + 1];
	struct names listed = {0};
	int result = 0;

	for (unsigned i = 0; !result && i < slots.eligible; i++) {
		slots_file(&slots, i, file);
		slots_label(&slots, i, name);
		result = names_add(&listed, file) ? no_memory(err)
						  : look_at_slot(look, file, name, true, err);
	}
	for (unsigned i = 0; !result && i < look->files.count; i++) {
		const char *other = look->files.list[i];

		if (name_of_slot(other, name) && !names_contain(&listed, other))
			result = look_at_slot(look, other, name, false, err);
	}
	names_free(&listed);
	return result;
}

/* The live tickets; those of the dead are litter, which whoever enters the queue next removes. */
static int look_at_tickets(const struct look *look, struct error *err)
{
	const size_t prefix = sizeof(GATE_TICKET_PREFIX) - 1;
	unsigned place = 0;

	for (unsigned i = 0; i < look->files.count; i++) {
		const char *file = look->files.list[i];
		struct report_row *row;
		uint64_t number;

		if (strncmp(file, GATE_TICKET_PREFIX, prefix) ||
		    !num_parse(file + prefix, UINT64_MAX, &number))
			continue;
		if (look_at_file(look, file, false, &row, err))
			return -1;
		if (row) {
			row->state = REPORT_WAITING;
			row->ticket = number;
			row->place = ++place;
		}
	}
	return 0;
}

/* --- the gate and the directory ----------------------------------------------------------- */

/* Under the gate: makes the rows of all slots and waiters, as they are now. */
static int look_at_files(const struct look *look, struct error *err)
{
	if (look->set && !look->set->count) {
		struct report_row *row = add_row(look->lock);

		if (!row)
			return no_memory(err);
		row->state = REPORT_CLOSED;
	}
	return look_at_slots(look, err) || look_at_tickets(look, err) ? -1 : 0;
}

static int look_into(struct look *look, struct error *err)
{
	struct report_gate gate;
	enum lockfile_result entered = report_enter_gate(&gate, &look->sd, err);
	int result = entered == LOCKFILE_OK || entered == LOCKFILE_MISSING ? 0 : -1;

	if (!result)
		result = names_read(&look->files, look->sd.fd, DT_REG, look->sd.path, err);
	names_sort(&look->files);
	/* Without a gate, which whoever comes next makes, nobody has given out anything. */
	for (unsigned i = 0; !result && entered == LOCKFILE_MISSING && i < look->files.count; i++) {
		const char *file = look->files.list[i];

		if (!strncmp(file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) ||
		    !strncmp(file, GATE_TICKET_PREFIX, sizeof(GATE_TICKET_PREFIX) - 1))
			result = error_set(err,
					   "cannot look: '%s/%s' is missing; the next 'grouplock "
					   "run' creates it",
					   look->sd.path, GATE_NAME);
	}
	if (!result)
		result = look_at_files(look, err);
	if (entered == LOCKFILE_OK)
		report_leave_gate(&gate);
	return result;
}

static int look_at_lock(struct report_lock *lock, const char *directory, const struct slotset *set,
			struct error *err)
{
	struct look look = {.lock = lock, .set = set};
	int result = -1;

	switch (statedir_open(&look.sd, directory, lock->group, lock->lock, false, err)) {
	case STATEDIR_OK:
		result = look_into(&look, err);
		break;
	case STATEDIR_MISSING: /* nobody was ever here */
		result = look_at_files(&look, err);
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
	const struct record *who = row->who;

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

void report_look(struct report_lock *lock, const char *directory, const struct slotset *set,
		 const struct proc_identity *self)
{
	struct report_row *before = lock->rows;
	unsigned count = lock->count;

	lock->rows = NULL;
	lock->count = lock->room = lock->held = lock->waiting = 0;
	lock->doubtful = false;
	if (look_at_lock(lock, directory, set, &lock->problem))
		report_clear(lock);
	else
		*lock->problem.text = '\0'; /* what was overcome is no problem */
	for (unsigned i = 0; i < lock->count; i++) {
		struct report_row *row = &lock->rows[i];

		if (row->state == REPORT_HELD) {
			lock->held++;
			judge_slot(row, before, count, self);
			lock->doubtful |= row->doubts > 0;
		} else if (row->state == REPORT_WAITING) {
			lock->waiting++;
			if (row->who && proc_is_stopped(&row->who->process, self))
				row->state = REPORT_STOPPED;
		}
	}
	free_rows(before, count);
}

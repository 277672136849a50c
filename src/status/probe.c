#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/num.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/slots.h"
#include "status/look.h"

static int no_memory(struct error *err)
{
	return error_sys(err, ENOMEM, "cannot make a report");
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

/*
 * Opens a file and finds out whether it is locked: BUSY, with *fd open, or OK, with *fd open, if
 * it is not (the lock that told is dropped at once); MISSING or ERROR.
 */
static enum lockfile_result probe(const struct report_probe *look, const char *file, int *fd,
				  struct error *err)
{
	enum lockfile_result result = LOCKFILE_MISSING;

	if (look->sd.fd >= 0) /* there is a directory */
		result = lockfile_open_to_read(&look->sd, file, fd, err);
	if (result != LOCKFILE_OK)
		return result;
	result = lockfile_try(&look->sd, file, *fd, LOCK_SH, err);
	if (result == LOCKFILE_OK)
		flock(*fd, LOCK_UN);
	if (result == LOCKFILE_ERROR)
		close(*fd);
	return result;
}

/* NULL: no memory. */
static struct report_who *make_who(const struct record *record)
{
	size_t worker = strlen(record->worker) + 1, command = strlen(record->command) + 1;
	struct report_who *who = malloc(sizeof(*who) + worker + command);

	if (!who)
		return NULL;
	who->kind = record->kind;
	who->state = record->state;
	who->process = record->process;
	who->since = record->since;
	who->until = record->until;
	who->count = record->count;
	who->bound = record->bound;
	snprintf(who->claim, sizeof(who->claim), "%.*s", RECORD_SHORT_ID,
		 record->kind == RECORD_CLAIM ? record->id : "");
	who->worker = memcpy(who->text, record->worker, worker);
	who->command = memcpy(who->text + worker, record->command, command);
	return who;
}

/* The record of an open file into the row, if there is one. */
static int read_record(struct report_row *row, int fd, struct error *err)
{
	struct record record;

	if (!record_read(&record, fd))
		return 0;
	row->who = make_who(&record);
	return row->who ? 0 : no_memory(err);
}

/* What is to be known of a slot's open file. */
static int describe_slot(struct report_row *row, int fd, const char *file, struct error *err)
{
	struct stat st;

	if (read_record(row, fd, err))
		return -1;
	if (row->state == REPORT_FREE) {
		row->expired = row->who && row->who->kind == RECORD_CLAIM &&
			       row->who->state == RECORD_EXPIRED;
		return 0;
	}
	if (!fstat(fd, &st)) {
		row->device = st.st_dev;
		row->inode = st.st_ino;
	}
	row->file = strdup(file);
	return row->file ? 0 : no_memory(err);
}

/* A row for a slot; none for one that the config does not have, unless it is held. */
static int look_at_slot(const struct report_probe *look, const char *file, const char *name,
			bool listed, struct error *err)
{
	int fd = -1, result = 0;
	enum lockfile_result state = probe(look, file, &fd, err);
	struct report_row *row;

	if (state == LOCKFILE_ERROR)
		return -1;
	if (listed || state == LOCKFILE_BUSY) {
		row = add_row(look->lock);
		if (!row || !(row->name = strdup(name))) {
			result = no_memory(err);
		} else {
			row->state = state == LOCKFILE_BUSY ? REPORT_HELD : REPORT_FREE;
			row->numbered = !name[strspn(name, "0123456789")];
			row->above_limit = !listed;
			if (state != LOCKFILE_MISSING)
				result = describe_slot(row, fd, file, err);
		}
	}
	if (state != LOCKFILE_MISSING)
		close(fd);
	return result;
}

/* The slots of the config; *listed becomes the names of their files. */
static int look_at_listed(const struct report_probe *look, struct names *listed, struct error *err)
{
	const struct slots slots = {.set = look->set, .eligible = look->set->count};

	for (unsigned i = 0; i < slots.eligible; i++) {
		char file[NAME_MAX + 1], name[NAME_MAX + 1];

		slots_file(&slots, i, file);
		slots_label(&slots, i, name);
		if (names_add(listed, file))
			return no_memory(err);
		if (look_at_slot(look, file, name, true, err))
			return -1;
	}
	return 0;
}

/* What people call the slot of a file; false for a file that grouplock never made. */
static bool name_of_slot(const char *file, char name[NAME_MAX + 1])
{
	char folded[NAME_MAX + 1];
	uint64_t number;

	if (strncmp(file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) ||
	    !filename_decode(name, file + sizeof(GATE_SLOT_PREFIX) - 1))
		return false;
	strcpy(folded, name);
	text_fold(folded);
	if (!name[strspn(name, "0123456789")])
		return num_parse(name, CONFIG_MAX_SLOTS - 1, &number);
	return !strcmp(folded, name);
}

static int look_at_slots(const struct report_probe *look, struct error *err)
{
	struct names listed = {0};
	int result = look->set ? look_at_listed(look, &listed, err) : 0;

	for (unsigned i = 0; !result && i < look->files.count; i++) {
		const char *file = look->files.list[i];
		char name[NAME_MAX + 1];

		if (name_of_slot(file, name) && !names_contain(&listed, file))
			result = look_at_slot(look, file, name, false, err);
	}
	names_free(&listed);
	return result;
}

/* The live tickets; those of the dead are litter, which whoever lines up next removes. */
static int look_at_tickets(const struct report_probe *look, struct error *err)
{
	const size_t prefix = sizeof(GATE_TICKET_PREFIX) - 1;
	unsigned place = 0;

	for (unsigned i = 0; i < look->files.count; i++) {
		const char *file = look->files.list[i];
		enum lockfile_result state;
		struct report_row *row;
		uint64_t number;
		int fd, result;

		if (strncmp(file, GATE_TICKET_PREFIX, prefix) ||
		    !num_parse(file + prefix, UINT64_MAX, &number))
			continue;
		state = probe(look, file, &fd, err);
		if (state == LOCKFILE_ERROR)
			return -1;
		if (state == LOCKFILE_MISSING)
			continue;
		row = state == LOCKFILE_BUSY ? add_row(look->lock) : NULL;
		result = state == LOCKFILE_BUSY && !row ? no_memory(err) : 0;
		if (row) {
			row->state = REPORT_WAITING;
			row->ticket = number;
			row->place = ++place;
			result = read_record(row, fd, err);
		}
		close(fd);
		if (result)
			return result;
	}
	return 0;
}

int report_probe(const struct report_probe *look, struct error *err)
{
	struct report_row *row;

	if (look->set && !look->set->count) {
		row = add_row(look->lock);
		if (!row)
			return no_memory(err);
		row->state = REPORT_CLOSED;
	}
	if (look_at_slots(look, err))
		return -1;
	return look_at_tickets(look, err);
}

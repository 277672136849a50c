#include "lock/held.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/filename.h"
#include "lock/lockfile.h"
#include "lock/record.h"
#include "lock/statedir.h"

/* An entry taken apart, its parts as they stand in the list. */
struct entry {
	char file[NAME_MAX + 1];
	char secret[RECORD_SECRET_SIZE];
};

/* Moves *p over one entry. True if it is a well-formed one that starts with `prefix`. */
static bool next_entry(const char **p, const char *prefix, struct entry *entry)
{
	const char *start = *p + strspn(*p, " "), *end = start + strcspn(start, " ");
	const char *equals = memchr(start, '=', (size_t)(end - start));
	size_t length = strlen(prefix), file_length, secret_length;

	*p = end;
	if (!equals || strncmp(start, prefix, length) || start + length > equals)
		return false;
	file_length = (size_t)(equals - start) - length;
	secret_length = (size_t)(end - equals) - 1;
	if (file_length > NAME_MAX || !secret_length || secret_length >= sizeof(entry->secret))
		return false;
	memcpy(entry->file, start + length, file_length);
	entry->file[file_length] = '\0';
	memcpy(entry->secret, equals + 1, secret_length);
	entry->secret[secret_length] = '\0';
	return !strncmp(entry->file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) &&
	       !strchr(entry->file, '/');
}

/* "GROUP/LOCK/"; empty, which no entry starts with, if the names cannot be spelled. */
static void make_prefix(char out[2 * NAME_MAX + 3], const char *group, const char *lock)
{
	char names[2][NAME_MAX + 1];
	struct error ignored;

	if (filename_encode(names[0], "", "group", group, &ignored) ||
	    filename_encode(names[1], "", "lock", lock, &ignored))
		strcpy(out, "/");
	else
		sprintf(out, "%s/%s/", names[0], names[1]);
}

bool held_mentions(const char *list, const char *group, const char *lock)
{
	char prefix[2 * NAME_MAX + 3];
	struct entry entry;

	if (!list)
		return false;
	make_prefix(prefix, group, lock);
	while (*list) {
		if (next_entry(&list, prefix, &entry))
			return true;
	}
	return false;
}

static bool shows(const struct record *record, const struct entry *entry)
{
	char id[RECORD_SECRET_SIZE];

	record_id(entry->secret, id);
	return record->state == RECORD_HELD && !strcmp(record->id, id);
}

bool held_is_likely(const char *list, const char *directory, const char *group, const char *lock)
{
	char prefix[2 * NAME_MAX + 3];
	enum statedir_result opened;
	struct error ignored;
	struct statedir sd;
	bool likely;

	if (!held_mentions(list, group, lock))
		return false;
	opened = statedir_open(&sd, directory, group, lock, false, &ignored);
	likely = opened == STATEDIR_ERROR;
	make_prefix(prefix, group, lock);
	while (opened == STATEDIR_OK && *list && !likely) {
		enum lockfile_result result;
		struct record record;
		struct entry entry;
		int fd;

		if (!next_entry(&list, prefix, &entry))
			continue;
		result = lockfile_open_to_read(&sd, entry.file, &fd, &ignored);
		likely = result == LOCKFILE_ERROR;
		if (result != LOCKFILE_OK)
			continue;
		likely = record_read(&record, fd) ? shows(&record, &entry) : errno != 0;
		close(fd);
	}
	statedir_close(&sd);
	return likely;
}

/* OK: rightly claimed. MISSING: not. ERROR: held by nobody knows whom, or it cannot be looked at. */
static enum lockfile_result check_entry(const struct entry *entry, const struct statedir *sd,
					const struct proc_identity *self, struct error *err)
{
	struct record record;
	bool is_record;
	int fd, errnum;

	switch (lockfile_look(sd, entry->file, &fd, err)) {
	case LOCKFILE_BUSY:
		break;
	case LOCKFILE_ERROR:
		return LOCKFILE_ERROR;
	case LOCKFILE_OK:
		close(fd);
		return LOCKFILE_MISSING;
	default:
		return LOCKFILE_MISSING;
	}
	is_record = record_read(&record, fd);
	errnum = errno;
	close(fd);
	if (is_record) {
		/*
		 * The id matches, but is its holder still there? A new one has the lock an instant
		 * before it writes its record. Where pids can be compared, a command that is gone
		 * holds nothing more; elsewhere its keeper has marked the record before it let go.
		 */
		return shows(&record, entry) && (record.kind == RECORD_KEEP ||
						 !proc_has_ended(&record.process, self))
			       ? LOCKFILE_OK
			       : LOCKFILE_MISSING;
	}
	/* That is not "no": a call of the holder's own build would wait for itself. */
	if (errnum)
		error_sys(err, errnum, "cannot read '%s/%s' to see who holds it", sd->path,
			  entry->file);
	else
		error_set(err,
			  "'%s/%s' is held and GROUPLOCK_HELD names it, but no record in it says "
			  "by whom; unset GROUPLOCK_HELD if that is not this build",
			  sd->path, entry->file);
	return LOCKFILE_ERROR;
}

int held_check(const char *list, const char *group, const char *lock, struct gate *gate,
	       const struct proc_identity *self, struct names *held, struct error *err)
{
	char prefix[2 * NAME_MAX + 3];
	struct entry entry;

	make_prefix(prefix, group, lock);
	for (const char *p = list; *p;) {
		enum lockfile_result result;

		if (!next_entry(&p, prefix, &entry) || names_contain(held, entry.file))
			continue;
		result = check_entry(&entry, gate->sd, self, err);
		if (result == LOCKFILE_ERROR)
			return -1;
		if (result == LOCKFILE_OK && names_add(held, entry.file))
			return error_sys(err, ENOMEM, "cannot list the slots held");
	}
	return 0;
}

/* Takes out of `list`, in place, the entries of the slot that `start` ("GROUP/LOCK/FILE=") names. */
static void drop_entries(char *list, const char *start)
{
	char *out = list;

	for (const char *p = list; *p;) {
		const char *from = p + strspn(p, " "), *end = from + strcspn(from, " ");

		if (*from && strncmp(from, start, strlen(start))) {
			if (out != list)
				*out++ = ' ';
			memmove(out, from, (size_t)(end - from));
			out += end - from;
		}
		p = end;
	}
	*out = '\0';
}

int held_append(char **out, const char *group, const char *lock, const char *file,
		const char *secret)
{
	char prefix[2 * NAME_MAX + 3], *start, *longer = NULL;
	int length;

	make_prefix(prefix, group, lock);
	if (asprintf(&start, "%s%s=", prefix, file) < 0)
		return -1;
	if (*out)
		drop_entries(*out, start);
	length = asprintf(&longer, "%s%s%s%s", *out ? *out : "", *out && **out ? " " : "", start,
			  secret);
	free(start);
	if (length < 0)
		return -1;
	free(*out);
	*out = longer;
	return 0;
}

size_t held_entry_min_size(const char *group, const char *lock)
{
	char prefix[2 * NAME_MAX + 3];

	make_prefix(prefix, group, lock);
	return strlen(prefix) + sizeof(GATE_SLOT_PREFIX "0=") - 1 + RECORD_SECRET_SIZE - 1;
}

void held_list(const char *list, held_each *each, void *arg)
{
	while (*list) {
		char group[NAME_MAX + 1], lock[NAME_MAX + 1], prefix[2 * NAME_MAX + 3];
		const char *here = list;
		struct entry entry;

		here += strspn(here, " ");
		prefix[0] = '\0';
		if (sscanf(here, "%255[^/ ]/%255[^/ ]/", group, lock) == 2)
			snprintf(prefix, sizeof(prefix), "%s/%s/", group, lock);
		if (next_entry(&list, prefix, &entry) && *prefix)
			each(arg, group, lock, entry.file, entry.secret);
	}
}

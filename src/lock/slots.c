#include "lock/slots.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/text.h"
#include "lock/gate.h"
#include "lock/lockfile.h"

#define REPLACED_TRIES 100 /* a slot file that is replaced as fast as we lock it is an error */

int slots_open(struct slots *slots, const struct statedir *sd, const struct slotset *set,
	       unsigned top, struct error *err)
{
	*slots = (struct slots){.sd = sd, .set = set, .eligible = set->count};
	if (set->names)
		slots->total = set->count + top;
	else
		slots->total = top > set->count ? top : set->count;
	slots->slot = calloc(slots->total + 1, sizeof(*slots->slot));
	if (!slots->slot)
		return error_sys(err, ENOMEM, "cannot count the slots of '%s'", sd->path);
	for (unsigned i = 0; i < slots->total; i++)
		slots->slot[i].fd = -1;
	return 0;
}

bool slots_cover(const struct slots *slots, unsigned top)
{
	return (slots->set->names ? slots->total - slots->eligible : slots->total) >= top;
}

static void set_state(struct slots *slots, unsigned i, enum slot_state state, int fd)
{
	struct slot *slot = &slots->slot[i];

	slots->mine -= slot->state == SLOT_MINE;
	slots->busy -= slot->state == SLOT_BUSY;
	if (slot->fd >= 0 && slot->fd != fd)
		close(slot->fd);
	slot->state = state;
	slot->fd = fd;
	slots->mine += state == SLOT_MINE;
	slots->busy += state == SLOT_BUSY;
}

void slots_close(struct slots *slots)
{
	if (!slots->slot)
		return;
	for (unsigned i = 0; i < slots->total; i++)
		set_state(slots, i, SLOT_UNKNOWN, -1);
	free(slots->slot);
	slots->slot = NULL;
}

void slots_label(const struct slots *slots, unsigned i, char label[NAME_MAX + 1])
{
	const struct slotset *set = slots->set;

	if (set->names && i < slots->eligible)
		snprintf(label, NAME_MAX + 1, "%s", set->names[i]);
	else
		snprintf(label, NAME_MAX + 1, "%u", set->names ? i - slots->eligible : i);
}

void slots_file(const struct slots *slots, unsigned i, char file[NAME_MAX + 1])
{
	char label[NAME_MAX + 1];
	struct error ignored; /* config_load() has checked every name */

	slots_label(slots, i, label);
	text_fold(label);
	filename_encode(file, GATE_SLOT_PREFIX, "slot", label, &ignored);
}

/* Opens the slot file of position `i`; those above the limit are not created. */
static enum lockfile_result open_slot(const struct slots *slots, unsigned i, const char *file,
				      int *fd, struct error *err)
{
	enum lockfile_result result;

	if (i >= slots->eligible)
		return lockfile_open(slots->sd, file, fd, err);
	result = lockfile_open_or_create(slots->sd, file, fd, err);
	if (result == LOCKFILE_MISSING) {
		error_set(err, "directory '%s' was removed", slots->sd->path);
		return LOCKFILE_ERROR;
	}
	return result;
}

/* Finds out whether position `i` is free; takes it if it is to be had and `want` says so. */
static int look_at(struct slots *slots, unsigned i, bool wanted, const struct record_text *text,
		   struct error *err)
{
	char file[NAME_MAX + 1];
	bool take = wanted && i < slots->eligible;
	int fd;

	slots_file(slots, i, file);
	for (int tries = 0; tries < REPLACED_TRIES; tries++) {
		enum lockfile_result result = open_slot(slots, i, file, &fd, err);

		if (result == LOCKFILE_MISSING) {
			set_state(slots, i, SLOT_FREE, -1);
			return 0;
		}
		if (result == LOCKFILE_ERROR)
			return -1;
		result = lockfile_try(slots->sd, file, fd, take ? LOCK_EX : LOCK_SH, err);
		if (result == LOCKFILE_ERROR) {
			close(fd);
			return -1;
		}
		if (!lockfile_is_current(slots->sd, file, fd)) {
			close(fd);
			continue;
		}
		if (result == LOCKFILE_BUSY) {
			set_state(slots, i, SLOT_BUSY, fd);
			return 0;
		}
		if (!take) {
			close(fd);
			set_state(slots, i, SLOT_FREE, -1);
			return 0;
		}
		set_state(slots, i, SLOT_MINE, fd);
		return record_write(text, slots->sd, file, fd, err);
	}
	return error_set(err, "cannot lock '%s/%s': somebody keeps replacing it", slots->sd->path,
			 file);
}

int slots_hand_over(struct slots *slots, unsigned i)
{
	int fd = slots->slot[i].fd;

	slots->slot[i].fd = -1;
	return fd;
}

int slots_survey(struct slots *slots, unsigned want, const struct record_text *text,
		 struct error *err)
{
	for (unsigned i = 0; i < slots->total; i++) {
		enum slot_state state = slots->slot[i].state;
		char file[NAME_MAX + 1];

		if (state == SLOT_MINE)
			slots_file(slots, i, file);
		/* BUSY: a wait that ended unreported may have left a lock of ours on it. */
		if (state == SLOT_BUSY ||
		    (state == SLOT_MINE &&
		     !lockfile_is_current(slots->sd, file, slots->slot[i].fd)))
			set_state(slots, i, SLOT_UNKNOWN, -1);
	}
	for (unsigned i = 0; i < slots->total; i++) {
		if (slots->mine >= want && slots->total == slots->eligible)
			return 0;
		if (slots->slot[i].state == SLOT_MINE)
			continue;
		if (look_at(slots, i, slots->mine < want, text, err))
			return -1;
	}
	return 0;
}

bool slots_admissible(const struct slots *slots, unsigned want)
{
	if (slots->mine != want || want > slots->eligible || !want)
		return false;
	/* Nothing above the limit: holding `want` below it leaves others no more than the rest. */
	return slots->total == slots->eligible || slots->busy <= slots->eligible - want;
}

/* Whether what a busy slot lasts as long as has ended; `doubtful` where its record does not tell. */
static bool is_ending(int fd, const struct proc_identity *self, bool doubtful)
{
	struct proc_identity last;
	struct record record;

	if (!record_read(&record, fd))
		return doubtful;
	last = record.process;
	if (record.kind == RECORD_CLAIM) {
		last.pid = record.bound;
		last.start = record.boundstart;
	}
	if (!last.pid || (record.kind != RECORD_RUN && record.kind != RECORD_CLAIM))
		return false;
	return proc_can_tell(&last, self) ? proc_has_ended(&last, self) : doubtful;
}

bool slots_are_ending(struct slots *slots, unsigned want, const struct proc_identity *self,
		      bool doubtful, int *fd)
{
	unsigned ending = 0, to_have = slots->mine, last = 0;

	for (unsigned i = 0; i < slots->total; i++) {
		const struct slot *slot = &slots->slot[i];

		if (slot->state != SLOT_BUSY || !is_ending(slot->fd, self, doubtful))
			continue;
		ending++;
		to_have += i < slots->eligible;
		last = i;
	}
	if (!ending || to_have < want || want > slots->eligible ||
	    slots->busy - ending > slots->eligible - want)
		return false;
	*fd = slots_hand_over(slots, last);
	return true;
}

unsigned slots_top(const struct slots *slots)
{
	unsigned first_number = slots->set->names ? slots->eligible : 0;
	unsigned top = slots->set->names ? 0 : slots->eligible;

	for (unsigned i = slots->eligible; i < slots->total; i++) {
		enum slot_state state = slots->slot[i].state;

		if (state == SLOT_BUSY || state == SLOT_UNKNOWN)
			top = i - first_number + 1;
	}
	return top;
}

int slots_look(const struct statedir *sd, const struct slotset *set, unsigned top,
	       const struct slots *mine, slots_see *see, void *arg, struct error *err)
{
	enum lockfile_result result = LOCKFILE_OK;
	struct slots all;

	if (slots_open(&all, sd, set, top, err))
		return -1;
	for (unsigned i = 0; result != LOCKFILE_ERROR && i < all.total; i++) {
		char file[NAME_MAX + 1], label[NAME_MAX + 1];
		struct record record;
		int fd;

		if (mine && mine->slot && mine->set == set && i < mine->total &&
		    mine->slot[i].state == SLOT_MINE)
			continue;
		slots_file(&all, i, file);
		slots_label(&all, i, label);
		result = lockfile_look(sd, file, &fd, err);
		if (result == LOCKFILE_BUSY)
			see(arg, label, record_read(&record, fd) ? &record : NULL);
		if (fd >= 0)
			close(fd);
	}
	slots_close(&all);
	return result == LOCKFILE_ERROR ? -1 : 0;
}

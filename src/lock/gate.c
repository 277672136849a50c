#include "lock/gate.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/names.h"
#include "base/num.h"
#include "config/config.h"

/*
 * More places than this between first and next are counters gone wrong, or thousands of killed
 * waiters: both are better counted anew from the tickets there are than walked through.
 */
#define PLAUSIBLE_QUEUE UINT64_C(65536)

/* More than that nobody walks through while all others wait. */
#define WALKABLE_QUEUE UINT64_C(1000000)

/*
 * Ticket numbers stay far from where arithmetic on them could wrap. A file with a higher number
 * than grouplock can have come to is nobody's ticket; the gap up to what the counters may hold is
 * for those that are given out behind one that is just below.
 */
#define PLAUSIBLE_TICKET (UINT64_MAX / 16)
#define PLAUSIBLE_COUNTER (PLAUSIBLE_TICKET + PLAUSIBLE_QUEUE)

/* Read and written alike: on Linux the conversions of both are the same. */
#define FORMAT "grouplock 1 first=%" PRIu64 " next=%" PRIu64 " limit=%" PRIu32 " top=%" PRIu32

void gate_format(char out[GATE_SIZE], const struct gate_counters *c)
{
	int used = snprintf(out, GATE_SIZE, FORMAT, c->first, c->next, c->limit, c->top);

	memset(out + used, ' ', (size_t)(GATE_SIZE - used));
	out[GATE_SIZE - 1] = '\n';
}

bool gate_parse(struct gate_counters *counters, const char *bytes, size_t size)
{
	char text[GATE_SIZE + 1], again[GATE_SIZE];
	struct gate_counters c = {0};

	if (size != GATE_SIZE)
		return false;
	memcpy(text, bytes, GATE_SIZE);
	text[GATE_SIZE] = '\0';
	/* Whatever this reads from garbage: written again it must be the same bytes. */
	/* NOLINTNEXTLINE(cert-err34-c) */
	sscanf(text, FORMAT, &c.first, &c.next, &c.limit, &c.top);
	gate_format(again, &c);
	if (memcmp(again, bytes, GATE_SIZE))
		return false;
	if (c.first < 1 || c.first > c.next || c.next - c.first > PLAUSIBLE_QUEUE ||
	    c.next > PLAUSIBLE_COUNTER || c.top > CONFIG_MAX_SLOTS)
		return false;
	if (c.limit > CONFIG_MAX_SLOTS && c.limit != GATE_NO_LIMIT)
		return false;
	*counters = c;
	return true;
}

enum lockfile_result gate_open(struct gate *gate, const struct statedir *sd, struct error *err)
{
	gate->sd = sd;
	gate->dirty = false;
	return lockfile_open_or_create(sd, GATE_NAME, &gate->fd, err);
}

void gate_close(struct gate *gate)
{
	if (gate->fd >= 0)
		close(gate->fd);
	gate->fd = -1;
}

/* Too low a `first` or too high a `top` costs a look, no more. */
int gate_rebuild(struct gate *gate, uint64_t own, struct error *err)
{
	struct gate_counters counters = {.next = own + 1, .limit = GATE_NO_LIMIT};
	uint64_t lowest = own ? own : UINT64_MAX;
	struct names names = {0};
	int result = names_read(&names, gate->sd->fd, DT_REG, gate->sd->path, err);

	for (unsigned i = 0; i < names.count; i++) {
		const char *name = names.list[i];
		uint64_t number;

		if (!strncmp(name, GATE_TICKET_PREFIX, sizeof(GATE_TICKET_PREFIX) - 1) &&
		    num_parse(name + sizeof(GATE_TICKET_PREFIX) - 1, PLAUSIBLE_TICKET, &number)) {
			if (number < lowest)
				lowest = number;
			if (number >= counters.next)
				counters.next = number + 1;
		}
		if (!strncmp(name, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1) &&
		    num_parse(name + sizeof(GATE_SLOT_PREFIX) - 1, CONFIG_MAX_SLOTS - 1, &number) &&
		    number >= counters.top)
			counters.top = (uint32_t)number + 1;
	}
	names_free(&names);
	if (result)
		return -1;
	counters.first = lowest < counters.next ? lowest : counters.next;
	if (counters.first < 1)
		counters.first = 1;
	if (counters.next - counters.first > WALKABLE_QUEUE)
		return error_set(err, "the tickets in '%s' are too far apart; remove its files %s*",
				 gate->sd->path, GATE_TICKET_PREFIX);
	gate->counters = counters;
	gate->dirty = true;
	return 0;
}

enum lockfile_result gate_enter(struct gate *gate, struct error *err)
{
	char bytes[GATE_SIZE];
	ssize_t got;

	if (!lockfile_is_current(gate->sd, GATE_NAME, gate->fd)) {
		gate_close(gate);
		return LOCKFILE_MISSING;
	}
	gate->dirty = false;
	got = pread(gate->fd, bytes, sizeof(bytes), 0);
	if (gate_parse(&gate->counters, bytes, got > 0 ? (size_t)got : 0) ||
	    !gate_rebuild(gate, 0, err))
		return LOCKFILE_OK;
	flock(gate->fd, LOCK_UN);
	return LOCKFILE_ERROR;
}

enum lockfile_result gate_try(struct gate *gate, struct error *err)
{
	enum lockfile_result result = lockfile_try(gate->sd, GATE_NAME, gate->fd, LOCK_EX, err);

	return result == LOCKFILE_OK ? gate_enter(gate, err) : result;
}

int gate_leave(struct gate *gate, struct error *err)
{
	char bytes[GATE_SIZE];
	int result = 0;

	if (gate->dirty) {
		gate_format(bytes, &gate->counters);
		result = lockfile_write(gate->sd, GATE_NAME, gate->fd, bytes, sizeof(bytes), err);
	}
	gate->dirty = false;
	flock(gate->fd, LOCK_UN);
	return result;
}

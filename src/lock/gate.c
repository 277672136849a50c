#include "lock/gate.h"

#include <errno.h>
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

/*
 * Ticket numbers stay far from where arithmetic on them could wrap. A file with a higher number
 * than grouplock can have come to is nobody's ticket; the gap up to what the counters may hold is
 * for those that are given out behind one that is just below.
 */
#define PLAUSIBLE_TICKET (UINT64_MAX / 16)
#define PLAUSIBLE_COUNTER (PLAUSIBLE_TICKET + PLAUSIBLE_QUEUE)

void gate_format(char out[GATE_SIZE], const struct gate_counters *c)
{
	int used = snprintf(out, GATE_SIZE,
			    "grouplock 1 first=%" PRIu64 " next=%" PRIu64 " limit=%" PRIu32
			    " top=%" PRIu32,
			    c->first, c->next, c->limit, c->top);

	memset(out + used, ' ', (size_t)(GATE_SIZE - used));
	out[GATE_SIZE - 1] = '\n';
}

/* Reads " key=NUMBER" at *p and moves behind it. */
static bool scan(const char **p, const char *key, uint64_t max, uint64_t *value)
{
	char digits[24];
	size_t length = strlen(key), count;

	if (strncmp(*p, key, length))
		return false;
	*p += length;
	count = strspn(*p, "0123456789");
	if (count >= sizeof(digits))
		return false;
	memcpy(digits, *p, count);
	digits[count] = '\0';
	*p += count;
	return num_parse(digits, max, value);
}

bool gate_parse(struct gate_counters *counters, const char *bytes, size_t size)
{
	char text[GATE_SIZE];
	const char *p = text;
	uint64_t first, next, limit, top;

	if (size != GATE_SIZE || bytes[GATE_SIZE - 1] != '\n')
		return false;
	memcpy(text, bytes, GATE_SIZE - 1);
	text[GATE_SIZE - 1] = '\0';
	if (!scan(&p, "grouplock 1 first=", PLAUSIBLE_COUNTER, &first) ||
	    !scan(&p, " next=", PLAUSIBLE_COUNTER, &next) ||
	    !scan(&p, " limit=", UINT32_MAX, &limit) ||
	    !scan(&p, " top=", CONFIG_MAX_SLOTS, &top) || p[strspn(p, " ")] ||
	    p - text + strlen(p) != GATE_SIZE - 1)
		return false;
	if (first < 1 || first > next || next - first > PLAUSIBLE_QUEUE)
		return false;
	if (limit > CONFIG_MAX_SLOTS && limit != GATE_NO_LIMIT)
		return false;
	*counters = (struct gate_counters){first, next, (uint32_t)limit, (uint32_t)top};
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
int gate_rebuild(struct gate *gate, struct error *err)
{
	struct gate_counters counters = {.first = 1, .next = 1, .limit = GATE_NO_LIMIT};
	uint64_t lowest = UINT64_MAX;
	struct names names = {0};
	int result = names_read(&names, gate->sd->fd, gate->sd->path, err);

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
	if (counters.next - counters.first > GATE_WALKABLE_QUEUE)
		return error_set(err, "the tickets in '%s' are too far apart; remove its files %s*",
				 gate->sd->path, GATE_TICKET_PREFIX);
	gate->counters = counters;
	gate->dirty = true;
	return 0;
}

bool gate_peek(const struct gate *gate, struct gate_counters *counters)
{
	char bytes[GATE_SIZE];
	ssize_t got = pread(gate->fd, bytes, sizeof(bytes), 0);

	return gate_parse(counters, bytes, got > 0 ? (size_t)got : 0);
}

enum lockfile_result gate_enter(struct gate *gate, struct error *err)
{
	if (!lockfile_is_current(gate->sd, GATE_NAME, gate->fd)) {
		gate_close(gate);
		return LOCKFILE_MISSING;
	}
	gate->dirty = false;
	if (gate_peek(gate, &gate->counters) || !gate_rebuild(gate, err))
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
	ssize_t wrote = sizeof(bytes);
	int errnum = ENOSPC; /* of a write that was cut short */

	if (gate->dirty) {
		gate_format(bytes, &gate->counters);
		do
			wrote = pwrite(gate->fd, bytes, sizeof(bytes), 0);
		while (wrote < 0 && errno == EINTR);
		if (wrote < 0)
			errnum = errno;
	}
	gate->dirty = false;
	flock(gate->fd, LOCK_UN);
	if (wrote == sizeof(bytes))
		return 0;
	return error_sys(err, errnum, "cannot write '%s/%s'", gate->sd->path, GATE_NAME);
}

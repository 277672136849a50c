/*
 * gate - the short mutex under which places are given out, and the counters it guards.
 *
 * Whoever holds the lock of the file `gate` may read and change the counters, create and remove
 * tickets, and look at locks without waiting (I6). It is held for microseconds and never while
 * anything else is waited for.
 *
 *     gate_open(&gate, &sd, &err);
 *     gate_try(&gate, &err);          or flock(gate.fd, LOCK_EX) elsewhere, then gate_enter()
 *     ... gate.counters ..., gate.dirty = true ...
 *     gate_leave(&gate, &err);
 *     gate_close(&gate);
 *
 * The counters are text of constant length, written by one write(2):
 *
 *     grouplock 1 first=17 next=23 limit=2 top=2
 *
 * Content that is missing or makes no sense is rebuilt from the names in the directory; the
 * locks themselves were never in it, so nothing that matters can be lost with it.
 */
#ifndef GROUPLOCK_GATE_H
#define GROUPLOCK_GATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "lock/lockfile.h"
#include "lock/statedir.h"

#define GATE_NAME "gate"
#define GATE_SIZE 128
#define GATE_NO_LIMIT UINT32_MAX /* nobody has used a limit here yet */
#define GATE_TICKET_PREFIX "ticket."
#define GATE_SLOT_PREFIX "slot."

struct gate_counters {
	uint64_t first; /* no ticket with a lower number lives */
	uint64_t next;  /* the number of the next ticket: none that high was given out */
	uint32_t limit; /* the limit that was last used for an admission, or GATE_NO_LIMIT */
	uint32_t top;   /* numbered slots from here up are free */
};

struct gate {
	const struct statedir *sd; /* the caller's, must outlive the gate */
	int fd;                    /* -1: closed */
	struct gate_counters counters;
	bool dirty; /* counters differ from the file */
};

/* Opens the file, creating it. LOCKFILE_MISSING: the directory was removed. */
enum lockfile_result gate_open(struct gate *gate, const struct statedir *sd, struct error *err);
void gate_close(struct gate *gate);

/* Locks without waiting, then enters. OK, BUSY, MISSING (as gate_enter) or ERROR. */
enum lockfile_result gate_try(struct gate *gate, struct error *err);

/*
 * For a gate whose fd was just locked: makes sure that it is still the gate of its directory and
 * reads the counters. LOCKFILE_MISSING: it was replaced or removed; it is closed now, open again.
 */
enum lockfile_result gate_enter(struct gate *gate, struct error *err);

/*
 * Under the gate, for who knows the counters to be wrong: counts anew from the names there are, and
 * ticket `own`, which lives whether its name is there or not (0: none). -1: the tickets are too far
 * apart for anybody to walk from one to the other, or the names cannot be read.
 */
int gate_rebuild(struct gate *gate, uint64_t own, struct error *err);

/* Writes the counters if they are dirty, then unlocks, even if writing failed (-1). */
int gate_leave(struct gate *gate, struct error *err);

/* What the file holds; exposed for the tests. gate_parse is false for anything implausible. */
void gate_format(char out[GATE_SIZE], const struct gate_counters *counters);
bool gate_parse(struct gate_counters *counters, const char *bytes, size_t size);

#endif

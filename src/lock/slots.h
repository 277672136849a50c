/*
 * slots - the slots of one group's lock, as one process that wants some of them sees them.
 *
 * I1  A slot is held exactly while its file is locked exclusively.
 * I5  A request for k slots is admitted when it holds k slots below the limit and others hold at
 *     most limit - k in all, numbered slots above the limit included: a lowered limit evicts
 *     nobody and admits nobody too many. Of named slots, those listed now are the limit; numbered
 *     ones still held from before the slots had names count as above it.
 * I6  Every look without waiting happens under the gate, and slots are taken nowhere else: whoever
 *     finds a slot locked there finds its holder's record in it, too.
 *
 * Positions 0 to eligible-1 are the slots of the config, in its order; from there to total-1
 * those above the limit, which only count.
 */
#ifndef GROUPLOCK_SLOTS_H
#define GROUPLOCK_SLOTS_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"
#include "lock/record.h"
#include "lock/statedir.h"

enum slot_state {
	SLOT_UNKNOWN, /* not looked at, since enough was found before it */
	SLOT_FREE,    /* was free, and was left so */
	SLOT_MINE,    /* held by this process, on fd */
	SLOT_BUSY,    /* held by another; fd is open, to wait for it with LOCK_SH */
};

struct slot {
	enum slot_state state;
	int fd; /* -1 unless MINE or BUSY */
};

struct slots {
	const struct statedir *sd; /* the caller's, as is the set: both must outlive this */
	const struct slotset *set;
	unsigned eligible, total;
	unsigned mine, busy; /* how many are in these states */
	struct slot *slot;   /* total of them */
};

/* Prepares to look at the slots of `set`; `top` is the gate's. Locks nothing. */
int slots_open(struct slots *slots, const struct statedir *sd, const struct slotset *set,
	       unsigned top, struct error *err);

/* Whether these still account for all numbered slots below the gate's `top`. */
bool slots_cover(const struct slots *slots, unsigned top);

/* Gives up what is MINE and closes everything. */
void slots_close(struct slots *slots);

/*
 * Under the gate: takes free slots until `want` are MINE, writing `text` into each, and learns
 * which others are BUSY: all of them, unless it has enough already and nothing above the limit
 * has to be counted. Slots that are MINE already are kept if their file is still the one of that
 * name. -1 with a reason; what is MINE stays so until slots_close().
 */
int slots_survey(struct slots *slots, unsigned want, const struct record_text *text,
		 struct error *err);

/* Takes the descriptor of position `i` out: it is the caller's from now on, and what it holds. */
int slots_hand_over(struct slots *slots, unsigned i);

/* After a survey: I5 for a request of `want`. */
bool slots_admissible(const struct slots *slots, unsigned want);

/*
 * After a survey that was not admissible: whether it would be if the slots were free whose commands,
 * or whose claims' processes, have ended; with `doubtful` also those of which nobody here can tell.
 * An end and the keeper's flock(LOCK_UN) are an instant apart, and whoever runs two commands one after
 * the other must not find the first one's slot busy. Then *fd is the open file of such a slot, the
 * caller's now, to wait for.
 */
bool slots_are_ending(struct slots *slots, unsigned want, const struct proc_identity *self,
		      bool doubtful, int *fd);

/* After a complete survey: the gate's new `top`, as low as what is held above the limit allows. */
unsigned slots_top(const struct slots *slots);

/* The file of position `i`; and what people call it: its number or its name in the config. */
void slots_file(const struct slots *slots, unsigned i, char file[NAME_MAX + 1]);
void slots_label(const struct slots *slots, unsigned i, char label[NAME_MAX + 1]);

/*
 * Under the gate, for people: calls `see` for every slot that is held, with its record or NULL
 * if it has no readable one. Takes nothing: LOCK_SH, dropped at once. Slots that this process
 * holds itself (`mine`, may be NULL) are not shown.
 */
typedef void slots_see(void *arg, const char *label, const struct record *record);
int slots_look(const struct statedir *sd, const struct slotset *set, unsigned top,
	       const struct slots *mine, slots_see *see, void *arg, struct error *err);

#endif

/*
 * lock - a model of one lock of one group: src/gate.c, queue.c, slots.c, attempt*.c, acquire.c and
 * keeper.c, as they are. Several locks are in locks.pml.
 *
 * Callers arrive at any time and run side by side; every step of theirs that another one could
 * notice is a transition of its own, and a process can be killed between any two, after which its
 * locks fall one by one. An inline is named like the function whose steps it has. What a step
 * leaves out was left out because nobody can see it, and a comment says so.
 *
 * -D sets the instance: how many of what there are (below), and at most one mutation, a guard of
 * the protocol that is broken on purpose. scripts/model checks the instances, which must hold, and
 * the mutations, which must not; the file `instances` lists both.
 *
 * Not in here: what becomes of lost or garbled counters and of removed files (tests/blackbox has
 * that), slots with names (they differ from numbered ones in what the limit is), and time: who may
 * give up can do so at any moment.
 */
#ifndef CALLERS
#define CALLERS 3   /* 2 to 4 */
#endif
#ifndef SLOTS
#define SLOTS 2     /* 1 to 3: slot files there can be */
#endif
#ifndef LIMIT
#define LIMIT SLOTS /* by groups.ini, in the beginning */
#endif
#ifndef TICKETS
#define TICKETS 4   /* numbers at most; an assertion says if that is too few */
#endif
#ifndef W1
#define W1 1        /* slots that caller 1 asks for ... */
#endif
#ifndef W2
#define W2 1
#endif
#ifndef W3
#define W3 2
#endif
#ifndef W4
#define W4 1
#endif
#ifndef DEATHS
#define DEATHS 0    /* callers killed, at most */
#endif
#ifndef STOPS
#define STOPS 0     /* SIGTSTPs that a waiter gets */
#endif
#ifndef TIMEOUTS
#define TIMEOUTS 0  /* waiters that give up (-t) */
#endif
#ifndef CHANGES
#define CHANGES 0   /* edits of groups.ini */
#endif
#ifndef KEEPERS
#define KEEPERS 0   /* 1: commands do to descriptors and keepers what they like */
#endif
#ifndef CLAIMS
#define CLAIMS 0    /* 1: callers may be `claim` */
#endif
#ifndef NESTED
#define NESTED 0    /* 1: the last caller is called by caller 1's command */
#endif
#ifndef ENDING
#define ENDING 0    /* 1: newcomers know the slots of commands that have ended */
#endif
#ifndef LOOKER
#define LOOKER 0    /* 1: somebody calls `status` */
#endif
#ifndef ROUNDS
#define ROUNDS 0    /* 1: callers come again for ever (for liveness) */
#endif

/* enum step */
#define ON 0
#define BUSY 1
#define TIMEOUT 2
#define STOP 3
#define ERROR 4
#define PASSES 5 /* STEP_NESTED */
#define COMING 6 /* STEP_ENDING */

#include "kernel.pml"
#include "oracle.pml"
#include "gate.pml"
#include "queue.pml"
#include "slots.pml"
#include "nested.pml"
#include "attempt.pml"
#include "keeper.pml"
#include "rounds.pml"
#include "caller.pml"
#include "world.pml"
#include "liveness.pml"

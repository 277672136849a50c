/*
 * kernel - the files, and which process has which of them locked.
 *
 * A lock has the number of the process that has it, or NOBODY. The kernel gives it to one of those
 * that want it, in no order that this model relies on, and drops it when its process is gone: one
 * lock after the other, and others may look in between.
 *
 * Numbers of tickets are used once, so number and file (inode) are the same thing here. `named`
 * says whether the name still leads to it: whoever sleeps on a ticket sleeps on the file.
 */
#define NOBODY 0

/* A set of slots: a bit for each. */
#define in(set, i) (((set) >> (i)) & 1)
#define size(set) (in(set, 0) + in(set, 1) + in(set, 2))
#define with(set, i) ((set) | (1 << (i)))
#define without(set, i) ((set) & (7 - (1 << (i))))

byte limit = LIMIT;         /* groups.ini */

byte gate;                  /* locked exclusively: who is in the gate ... */
byte first = 1, next = 1;   /* ... and its content */
byte top;
byte m_first, m_next;       /* what the one in the gate has of it in memory */
byte m_top;

byte slot[SLOTS];           /* locked exclusively: who holds slot i (I1) */
byte ticket[TICKETS + 2];   /* locked exclusively: whose ticket lives (I2) */
bit named[TICKETS + 2];     /* there is a file of that name */
byte number[CALLERS + 1];   /* a process's own ticket; 0: none */
byte sleeps_on[CALLERS + 1]; /* the ticket that it has open to sleep on; 0: none */

byte sees[CALLERS + 2];     /* slots that a process has LOCK_SH on; the last one is the looker */

#if CALLERS == 2
#define is_shared(i) in(sees[1] | sees[2] | sees[3], i)
#elif CALLERS == 3
#define is_shared(i) in(sees[1] | sees[2] | sees[3] | sees[4], i)
#else
#define is_shared(i) in(sees[1] | sees[2] | sees[3] | sees[4] | sees[5], i)
#endif

/* Whether LOCK_EX and LOCK_SH of slot i would be granted. */
#if SLOT_SHARED
#define free_to_take(i) true /* mutation: slots are locked shared, which excludes nobody */
#else
#define free_to_take(i) (slot[i] == NOBODY && !is_shared(i))
#endif
#define free_to_see(i) (slot[i] == NOBODY)

#if ENDING || NESTED
byte record[SLOTS];         /* who wrote the record in slot i; NOBODY: there is none */
bit ended[SLOTS];           /* its state, as the keeper marks it */
#endif

byte deaths = DEATHS;       /* processes that may yet be killed */
bit killed[CALLERS + 1];    /* does no further step */
bit gone[CALLERS + 1];      /* has ended; its keeper may live */
bit keeper[CALLERS + 1];    /* its keeper lives */

#if SLOTS == 1
#define holds_any(p) (slot[0] == p)
#elif SLOTS == 2
#define holds_any(p) (slot[0] == p || slot[1] == p)
#else
#define holds_any(p) (slot[0] == p || slot[1] == p || slot[2] == p)
#endif
#define has_ticket(p) (number[p] && ticket[number[p]] == p)
#define has_ended(p) (killed[p] || gone[p]) /* proc_has_ended() */

inline forget_counters()
{
	m_first = 0;
	m_next = 0;
	m_top = 0
}

/* The last descriptors of slots are closed: in any order. */
inline slots_fall()
{
	do
	:: d_step { slot[0] == me -> slot[0] = NOBODY }
#if SLOTS > 1
	:: d_step { slot[1] == me -> slot[1] = NOBODY }
#endif
#if SLOTS > 2
	:: d_step { slot[2] == me -> slot[2] = NOBODY }
#endif
	:: !holds_any(me) -> break
	od
}

/* A process is gone: what it had locked falls, in any order (I8). */
inline all_falls()
{
	do
	:: d_step { gate == me -> gate = NOBODY; forget_counters() }
	:: d_step { has_ticket(me) -> ticket[number[me]] = NOBODY; number[me] = 0 }
	:: d_step { slot[0] == me -> slot[0] = NOBODY }
#if SLOTS > 1
	:: d_step { slot[1] == me -> slot[1] = NOBODY }
#endif
#if SLOTS > 2
	:: d_step { slot[2] == me -> slot[2] = NOBODY }
#endif
	:: atomic { in(sees[me], 0) -> sees[me] = without(sees[me], 0) }
#if SLOTS > 1
	:: atomic { in(sees[me], 1) -> sees[me] = without(sees[me], 1) }
#endif
#if SLOTS > 2
	:: atomic { in(sees[me], 2) -> sees[me] = without(sees[me], 2) }
#endif
	:: gate != me && !has_ticket(me) && !holds_any(me) && sees[me] == 0 -> break
	od
}

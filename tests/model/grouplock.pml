/*
 * grouplock - a model of one lock of one group, as src/ has it. README.md tells how to read it.
 *
 * What another process could notice is a step (transition) of its own, and an inline has the name of
 * the C function whose steps it has. A set, of slots or of processes, is a byte with a bit for each.
 * `broken(n)` is a guard of the protocol broken on purpose, which spin must find out: scripts/model
 * has the list. The environment of the verifier sets the instance, so that it is compiled only once.
 */
#define P 3     /* callers, 1 to P; 0 is nobody */
#define S 3     /* slot files */
#define T 8     /* ticket numbers; they are compared with == only, and so may start again at 0 */
#define NONE 15 /* no ticket */

#define in(set, x) (((set) >> (x)) & 1)
#define with(set, x) ((set) | (1 << (x)))
#define without(set, x) ((set) & (255 - (1 << (x))))
#define size(set) (in(set, 0) + in(set, 1) + in(set, 2))
#define after(number) (((number) + 1) % T)
#define EACH_CALLER(A) A(1) A(2) A(3)
#define EACH_SLOT(A) A(0) A(1) A(2)

/* enum step of src/lock/attempt.h */
#define ON 0
#define NESTED 1
#define STOP 2
#define ENDING 3
#define BUSY 4
#define TIMEOUT 5
#define ERROR 6

/* --- the instance ------------------------------------------------------------------------------ */

byte mutant;         /* which guard is broken; 0: none */
byte asks[P + 1];    /* how many slots each caller wants; 0: all (-x); 9: there is no such caller */
byte kind[P + 1];    /* what each caller is */
#define RUN 0
#define NOWAIT 1     /* run -n */
#define CLAIM 2
#define INNER 3      /* a run inside the command of caller 1 */
#define STATUS 4
byte limit;          /* groups.ini */
byte edits;          /* how often groups.ini may yet be edited */
byte deaths;         /* callers that may yet be killed */
byte keeper_deaths;
byte stops;          /* SIGTSTPs that may yet come to who waits */
byte timeouts;
byte alike;          /* callers 1 to `alike` are, so it is enough to look at those orders in which they come 1, 2, 3 */
byte came;           /* a set of callers: who has been in the gate */
bit unruly;          /* commands leave daemons behind, and close descriptors */
bit endless;         /* callers come again for ever */

#define broken(n) (mutant == n)
#define SET(name) if (getenv(#name)) now.name = atoi(getenv(#name));
#define SET_EACH(name) for (int p = 1; p <= P && getenv(#name); p++) now.name[p] = getenv(#name)[p - 1] - '0';

/* --- the kernel: files, and which process has them locked -------------------------------------- */

byte gate;                  /* LOCK_EX: who is in the gate */
byte first, next, top;      /* its content */
byte m_first, m_next, m_top; /* the same in the memory of the one in the gate */
byte slot[S];               /* LOCK_EX: who has it (I1) */
byte shared[S];             /* LOCK_SH: a set of processes */
byte record[S], marked;     /* whose record is in it; the slots whose record says that it ended */
byte ticket[T], named;      /* LOCK_EX: whose it is (I2); the tickets that there is a file of */
byte number[P + 1];         /* a caller's ticket */
byte keeper, lost;          /* sets of callers: whose keeper lives; ... was killed */
byte daemon, closed;        /* whose daemon has the slots open; whose command has closed them */
byte committed, reason;     /* claims: the byte is in the pipe; released, --max is over, ... */
byte ended;                 /* processes that have ended, of themselves or killed */
byte held, began;           /* GROUPLOCK_HELD of caller 1's command; it was started */

/* A lock falls with the last descriptor of it. */
#define is_open(p) (!in(ended | closed, p) || in(keeper, p) || in(daemon, p))
#define has_slot(p) (slot[0] == p || slot[1] == p || slot[2] == p)
#define has_lock(p) (gate == p || number[p] != NONE || has_slot(p) || in(shared[0] | shared[1] | shared[2], p))

/* --- the oracle: variables that only judge ------------------------------------------------------ */

byte uses[P + 1];  /* slots of commands that run and claims in force */
byte waits;        /* who is in the queue and can go on */
byte ahead[P + 1]; /* those of them that were there when this one entered */
byte sleeps_on[P + 1]; /* a ticket */
byte most;         /* the highest limit since the gate was entered */
bit killed;        /* something was */
byte patient;      /* who has LOCK_SH in wait_for_ending() */

inline leaves(p) {
	came = with(came, p);
	waits = without(waits, p);
	ahead[1] = without(ahead[1], p);
	ahead[2] = without(ahead[2], p);
	ahead[3] = without(ahead[3], p);
	ahead[p] = 0;
	sleeps_on[p] = NONE
}

inline admitted() {
	assert(uses[1] + uses[2] + uses[3] + want <= most);               /* the limit (I1, I5) */
	assert((number[me] == NONE && !waits) || (number[me] != NONE && !ahead[me])); /* the order (I2, I3, I4) */
	uses[me] = want;
	leaves(me)
}

/* --- the gate: src/lock/gate.c, attempt_wait.c -------------------------------------------------------- */

/* attempt_sleep() that ends without what it slept for; `may` says when that can be. */
#define GIVES_UP(may) \
	:: atomic { may && timeouts -> timeouts--; step = TIMEOUT; leaves(me) } \
	:: atomic { may && stops -> stops--; step = STOP; leaves(me) }

inline attempt_enter_gate() { /* gate_try(), wait_for_gate(), gate_enter() */
	if
	:: d_step {
		gate == 0 -> gate = me; most = limit; came = with(came, me);
		m_first = first; m_next = next; m_top = top
	   }
	GIVES_UP(gate)
	fi
}

#define unlock_gate() gate = 0; m_first = 0; m_next = 0; m_top = 0; most = 0
#define dirty (m_first != first || m_next != next || m_top != top)

inline attempt_leave_gate() { /* gate_leave(): pwrite(2), then LOCK_UN */
	if
	:: d_step { !dirty -> unlock_gate() }
	:: d_step { dirty && !broken(1) -> first = m_first; next = m_next; top = m_top };
	   d_step { unlock_gate() }
	:: d_step { dirty && broken(1) -> late_first = m_first; late_next = m_next; late_top = m_top; unlock_gate() };
	   d_step { first = late_first; next = late_next; top = late_top; late_first = 0; late_next = 0; late_top = 0 }
	fi
}

/* --- tickets: src/lock/queue.c ------------------------------------------------------------------------ */

/* probe(): LOCK_SH without waiting; unlink(2) if it was granted. */
#define lives(t) (in(named, t) && (ticket[t] || broken(2)))

inline queue_is_empty() { /* queue_first() */
	do
	:: d_step { m_first != m_next && !lives(m_first) -> named = without(named, m_first); m_first = after(m_first) }
	:: m_first != m_next && lives(m_first) -> vacant = broken(3); break
	:: m_first == m_next -> vacant = true; break
	od
}

inline enters() {
	ahead[me] = waits;
	waits = with(waits, me);
	number[me] = m_next;
	m_next = after(m_next)
}

inline queue_enter() { /* take(): lockfile_create(), then lockfile_try() */
	do
	:: d_step { in(named, m_next) -> m_next = after(m_next) } /* LOCKFILE_EXISTS */
	:: d_step { !in(named, m_next) -> named = with(named, m_next) }; break
	od;
	if
	:: d_step { !broken(4) -> ticket[m_next] = me; enters() }
	:: d_step { broken(4) -> enters() }
	fi
}

inline queue_before() { /* the nearest live ticket before ours becomes sleeps_on[me] */
	i = (broken(5) -> m_first : number[me]);
	do
	:: d_step { !broken(5) && i != m_first && !lives((i + T - 1) % T) -> i = (i + T - 1) % T; named = without(named, i) }
	:: d_step { !broken(5) && i != m_first && lives((i + T - 1) % T) -> sleeps_on[me] = (i + T - 1) % T }; break
	:: d_step { !broken(5) && i == m_first -> m_first = number[me] }; break
	:: broken(5) && i != number[me] && !lives(i) -> i = after(i)
	:: d_step { broken(5) && i != number[me] && lives(i) -> sleeps_on[me] = i }; break
	:: broken(5) && i == number[me] -> break
	od;
	i = 0;
	/* A death wakes one (I7). */
	assert(sleeps_on[me] == NONE ||
	       (sleeps_on[1] == sleeps_on[me]) + (sleeps_on[2] == sleeps_on[me]) + (sleeps_on[3] == sleeps_on[me]) == 1)
}

inline queue_drop() { /* unlink(2), then close(2) */
	if
	:: number[me] != NONE ->
		d_step { named = without(named, number[me]); leaves(me) };
		d_step { ticket[number[me]] = 0; number[me] = NONE }
	:: else
	fi
}

/* --- slots: src/lock/slots.c, attempt_limit.c ---------------------------------------------------------- */

inline unshare() {
	shared[0] = without(shared[0], me);
	shared[1] = without(shared[1], me);
	shared[2] = without(shared[2], me)
}

inline slots_close() { /* in one step: who closes is in the gate, or its ticket lives */
	d_step {
		i = 0;
		do
		:: i < S && in(mine, i) && slot[i] == me -> slot[i] = 0; i++
		:: i < S && !(in(mine, i) && slot[i] == me) -> i++
		:: i == S -> break
		od;
		i = 0; mine = 0; busy = 0;
		unshare()
	}
}

/* attempt_limit_changed() and attempt_wanted() */
inline read_limit() { d_step { lim = limit; want = (asks[me] -> asks[me] : (lim -> lim : 1)) } }

#define impossible_now (lim && want > lim) /* attempt_check_possible() */
#define can_take(s) ((!slot[s] && !shared[s]) || broken(6))
#define to_take(s) (!in(mine, s) && size(mine) < want && (s) < lim)
#define goes_on (i < all && !(size(mine) >= want && all == lim))

/* slots_open() and look_at(): LOCK_EX and record_write(), or LOCK_SH and close(2). */
inline slots_survey() {
	d_step { all = (lim > m_top || broken(7) -> lim : m_top); busy = 0; i = 0; unshare() };
	do
	:: !goes_on -> break
	:: d_step { goes_on && in(mine, i) -> i++ }
	:: d_step { goes_on && to_take(i) && can_take(i) -> slot[i] = me; mine = with(mine, i) };
	   d_step { record[i] = me; marked = without(marked, i); i++ }
	:: d_step { goes_on && to_take(i) && !can_take(i) -> busy = with(busy, i);
		/* No look is in the way (I6). */
		assert(slot[i] || !(shared[i] & (255 - (ended | patient | waits)))); i++ }
	:: d_step { goes_on && !in(mine, i) && !to_take(i) -> busy = (slot[i] -> with(busy, i) : busy); i++ }
	od
}

/* slots_admissible() */
#define admissible \
	((size(mine) == want && want <= lim && (all == lim || size(busy) <= lim - want)) || \
	 (broken(8) && mine && want <= lim))

inline attempt_use_limit() { /* slots_top() */
	m_top = lim;
	i = lim;
	do
	:: i < S && in(busy, i) -> m_top = i + 1; i++
	:: i < S && !in(busy, i) -> i++
	:: i >= S -> break
	od;
	i = 0;
	m_top = (broken(9) -> 0 : m_top)
}

#define is_ending(s) (in(busy, s) && record[s] && kind[record[s]] != CLAIM && in(ended, record[s]))
#define ending (is_ending(0) + is_ending(1) + is_ending(2))
#define ending_in_limit ((is_ending(0) && lim > 0) + (is_ending(1) && lim > 1) + (is_ending(2) && lim > 2))

inline slots_are_ending() { /* `last` is a slot to wait for, or S */
	last = (is_ending(2) -> 2 : (is_ending(1) -> 1 : (is_ending(0) -> 0 : S)));
	last = (want > lim || size(busy) - ending + want > lim || size(mine) + ending_in_limit < want || broken(10) -> S : last);
	/* Who is in the way goes on, or somebody was killed (step 4a). */
	assert(kind[me] != NOWAIT || last < S || hurried || killed || uses[1] + uses[2] + uses[3] + want > lim)
}

/* --- nested calls: src/lock/attempt_nested.c, held.c --------------------------------------------------- */

inline attempt_pass_nested() { /* held_check(), check_entry(), judge() */
	i = 0;
	do
	:: i < S && (!in(held, i) || !slot[i]) -> i++
	:: i < S && in(held, i) && slot[i] ->
		assert(!slot[i] || in(ended, slot[i]) || record[i] == slot[i]); /* the record is its holder's (I6) */
		if
		:: atomic {
			record[i] == 1 && !in(marked, i) && (!in(ended, 1) || broken(21)) ->
			assert(uses[1]); /* the outer command runs */
			found++
		   }
		:: record[i] != 1 || in(marked, i) || (in(ended, 1) && !broken(21))
		fi;
		i++
	:: i == S -> break
	od;
	atomic { step = (found >= want -> NESTED : (found -> ERROR : ON)); found = 0; i = 0 }
}

/* --- one attempt: src/lock/attempt.c, acquire.c --------------------------------------------------------- */

inline take_free_slots() {
	slots_survey();
	if
	:: d_step { admissible -> attempt_use_limit(); admitted() }
	:: d_step { !admissible -> slots_are_ending(); step = (last < S && kind[me] == NOWAIT && !hurried -> ENDING : BUSY) };
	   slots_close()
	fi
}

inline try_or_enter_queue() {
	if :: kind[me] == INNER && !broken(12) -> attempt_pass_nested() :: else fi;
	if
	:: step == ON && impossible_now -> step = ERROR
	:: step == ON && !impossible_now ->
		queue_is_empty();
		if :: vacant -> take_free_slots() :: else -> step = BUSY fi
	:: else
	fi;
	if :: step == BUSY && kind[me] != NOWAIT -> step = ON; queue_enter() :: else fi
}

inline wait_for_ending() { /* attempt_wait_for_other(): LOCK_SH outside the gate, closed at once; or a second is over */
	if
	:: d_step { !slot[last] -> shared[last] = with(shared[last], me); patient = with(patient, me) };
	   d_step { unshare(); patient = without(patient, me); step = ON; last = 0 }
	:: d_step { slot[last] && (!in(ended, slot[last]) || !in(keeper, slot[last])) -> hurried = true; step = ON; last = 0 }
	fi
}

inline arrive() {
	do
	:: atomic {
		attempt_enter_gate();
		if :: !broken(11) -> read_limit() :: else fi; /* attempt_limit_changed() */
		if :: step == ON :: else -> break fi
	   };
	   try_or_enter_queue();
	   attempt_leave_gate();
	   if :: step == ENDING -> wait_for_ending() :: else -> break fi
	od
}

inline wait_for_ticket() { /* attempt_wait_for_other(): LOCK_SH, closed at once */
	if
	:: d_step { (broken(2) -> !in(named, sleeps_on[me]) : !ticket[sleeps_on[me]]) -> sleeps_on[me] = NONE }
	GIVES_UP(true)
	fi
}

inline wait_in_queue() {
	do
	:: atomic { attempt_enter_gate(); if :: step == ON :: else -> break fi };
	   queue_before();
	   attempt_leave_gate();
	   if :: sleeps_on[me] == NONE -> break :: else fi;
	   atomic { wait_for_ticket(); if :: step == ON && !broken(13) :: else -> break fi }
	od
}

inline survey_as_head() {
	if
	:: lim != limit -> atomic { slots_close(); read_limit(); impossible = false } /* attempt_limit_changed() */
	:: else
	fi;
	if
	:: d_step { impossible_now && impossible -> step = ERROR; leaves(me) } /* believed if it is so twice */
	:: atomic { impossible_now && !impossible -> impossible = true; slots_close() }
	:: !impossible_now ->
		impossible = false;
		slots_survey();
		atomic {
			attempt_use_limit();
			if
			:: admissible -> m_first = after(number[me]); admitted(); done = true /* queue_advance() */
			:: else
			fi
		}
	fi
}

/* For each busy slot a thread, or the process itself if there is but one, sleeps in LOCK_SH to learn that it is free. */
#define GRANTED(s) :: d_step { in(busy, s) && !in(shared[s], me) && !slot[s] -> shared[s] = with(shared[s], me) }
#define TAKEN(s) \
	:: d_step { broken(14) && in(busy, s) && to_take(s) && can_take(s) -> slot[s] = me; mine = with(mine, s) }; \
	   d_step { record[s] = me; marked = without(marked, s) }

inline wait_for_change() {
	do
	EACH_SLOT(GRANTED)
	EACH_SLOT(TAKEN)
	:: in(shared[0] | shared[1] | shared[2], me) || lim != limit || impossible || (broken(14) && admissible) -> break
	GIVES_UP(true); break
	od
}

inline take_as_head() {
	do
	:: atomic { attempt_enter_gate(); if :: step == ON :: else -> break fi };
	   survey_as_head();
	   attempt_leave_gate();
	   if :: step == ON && !done -> wait_for_change() :: else -> break fi;
	   if :: step == ON :: else -> break fi
	od
}

inline attempt_lock() { /* and attempt_run() */
	arrive();
	if :: broken(4) && number[me] != NONE -> ticket[number[me]] = me :: else fi;
	if
	:: step == ON && number[me] != NONE ->
		wait_in_queue();
		if :: step == ON && broken(15) -> ticket[number[me]] = 0 :: else fi;
		if :: step == ON -> take_as_head() :: else fi
	:: else
	fi;
	if
	:: step == STOP && broken(16) ->
end_in_queue:	false
	:: else
	fi;
	if :: step != ON -> slots_close() :: else fi; /* and then the ticket (I4) */
	queue_drop();
	d_step { busy = 0; all = 0; lim = 0; i = 0; last = 0; vacant = 0; done = 0; impossible = 0; hurried = 0 }
}

inline stop_here() { /* until SIGCONT, which may never come (I9) */
	if
	:: step = ON
	:: true ->
end_stopped:	false
	fi
}

inline acquire() { /* acquire_each() of several locks: locks.pml */
	do
	:: step == ON -> attempt_lock();
	   if
	   :: step == STOP -> stop_here()
	   :: else -> break
	   fi
	:: else -> break
	od
}

/* --- from admission to the end: src/keep/launch.c, keeper.c, cmd_claim.c -------------------------------- */

inline ends(p) {
	ended = with(ended, p);
	leaves(p);
	uses[p] = (in(committed, p) -> uses[p] : 0)
}

#define lost_slot(s) (in(mine, s) && slot[s] != me)

inline launch() { /* start_keeper(), exec; the command is a caller's if anybody is called by it */
	if :: !broken(17) -> keeper = with(keeper, me) :: broken(17) fi;
	if :: me == 1 -> d_step { held = mine; began = true } :: else fi;
	if
	:: d_step { unruly && (in(keeper, me) || broken(17)) -> closed = with(closed, me) }
	:: unruly -> daemon = with(daemon, me)
	:: true
	:: kind[3] == INNER && me == 1 -> in(ended, 3) /* waits for the inner call, which may be left behind, too */
	fi;
	assert(!(lost_slot(0) || lost_slot(1) || lost_slot(2))) /* the slot lasts as long as the command (I1) */
}

inline hold() { /* of cmd_claim.c: keeper_start(), write_records(), the byte in the pipe */
	keeper = with(keeper, me);
	i = 0;
	do
	:: i < S && in(mine, i) -> assert(slot[i] == me); record[i] = me; i++
	:: i < S && !in(mine, i) -> i++
	:: i == S -> break
	od;
	if
	:: d_step { in(keeper, me) -> committed = with(committed, me) }
	:: !in(keeper, me)
	fi
}

inline look_at_all() { /* src/status/look.c, gate.c: LOCK_SH on each slot, under the gate */
	if :: !broken(18) -> attempt_enter_gate() :: broken(18) fi;
	do
	:: i < S && step == ON && slot[i] -> i++
	:: d_step { i < S && step == ON && !slot[i] -> shared[i] = with(shared[i], me) }; d_step { unshare(); i++ }
	:: i == S || step != ON -> break
	od;
	if :: gate == me -> attempt_leave_gate() :: else fi
}

proctype caller(byte me)
{
	byte want, lim, all, mine, busy, i, last, found, step, late_first, late_next, late_top;
	bit vacant, done, impossible, hurried;

again:	{
		if
		:: kind[me] == INNER -> began || in(ended, 1)
		:: kind[me] != INNER -> me == 1 || me > alike || in(came, me - 1)
		fi;
		if
		:: broken(11) -> read_limit() /* config_load() */
		:: else
		fi;
		if :: kind[me] == STATUS -> look_at_all() :: else -> acquire() fi;
		if
		:: step == ON && kind[me] == CLAIM -> hold()
		:: step == ON && kind[me] != CLAIM && kind[me] != STATUS -> launch()
		:: else /* refused, timed out, in error, or passed as a nested call */
		fi;
		d_step { ends(me) }
	} unless { in(ended, me) };
	d_step {
		want = 0; lim = 0; all = 0; mine = 0; busy = 0; i = 0; last = 0; found = 0; step = ON;
		vacant = 0; done = 0; impossible = 0; hurried = 0;
		late_first = 0; late_next = 0; late_top = 0
	};
	!has_lock(me) -> /* all that it had is free (I1, I8) */
	if
	:: d_step { endless && !in(keeper, me) -> ended = without(ended, me); closed = without(closed, me) }; goto again
	:: !endless
	fi
}

/* --- what else happens, at any time ------------------------------------------------------------------ */

/* keep() of src/keep/keeper.c: wait_for_reason(), is_committed(). */
#define lets_go(p) \
	(in(keeper, p) && (kind[p] != CLAIM -> in(ended, p) : \
		(in(committed, p) || broken(19) -> in(reason, p) : in(ended, p))))
#define KEEPER_OF(s) \
	:: d_step { slot[s] && lets_go(slot[s]) && !in(marked, s) -> marked = with(marked, s); uses[slot[s]] = 0 } \
	:: d_step { slot[s] && lets_go(slot[s]) && in(marked, s) && !broken(20) -> slot[s] = 0 }
#define KEEPER_ENDS(p) :: d_step { lets_go(p) && (!has_slot(p) || broken(20)) -> keeper = without(keeper, p) }
#define CLAIM_ENDS(p) :: d_step { kind[p] == CLAIM && in(keeper, p) && !in(reason, p) -> reason = with(reason, p) }

/* The kernel takes back what belongs to nobody any more: one lock after the other, in any order (I8). */
#define SLOT_FALLS(s) \
	:: d_step { slot[s] && !is_open(slot[s]) -> slot[s] = 0 } \
	:: d_step { shared[s] & ended -> shared[s] = shared[s] & (255 - ended) }
#define TICKET_FALLS(p) :: d_step { in(ended, p) && number[p] != NONE -> ticket[number[p]] = 0; number[p] = NONE }

#define KILL(p) :: d_step { deaths && !in(ended, p) -> deaths--; killed = true; ends(p) }
#define KILL_KEEPER(p) /* if the command has closed the slots nobody has them then, which is not promised */ \
	:: d_step { \
		keeper_deaths && in(keeper, p) && !in(closed, p) -> keeper_deaths--; killed = true; \
		keeper = without(keeper, p); lost = with(lost, p); uses[p] = (in(committed, p) -> 0 : uses[p]) \
	   }
#define EDIT(n) :: d_step { edits && limit != n && (n || edits > 1) -> edits--; limit = n; most = (gate && most < n -> n : most) }

proctype world()
{
end:	do
	EACH_SLOT(KEEPER_OF)
	EACH_SLOT(SLOT_FALLS)
	EACH_CALLER(KEEPER_ENDS)
	EACH_CALLER(CLAIM_ENDS)
	EACH_CALLER(TICKET_FALLS)
	:: d_step { in(ended, gate) && gate -> gate = 0; m_first = 0; m_next = 0; m_top = 0; most = 0 }
	:: d_step { daemon & lost & ended -> daemon = daemon & (255 - (lost & ended)) } /* others may live for ever */
	EACH_CALLER(KILL)
	EACH_CALLER(KILL_KEEPER)
	EDIT(0) EDIT(1) EDIT(2) EDIT(3)
	od
}

#define BEGIN(p) number[p] = NONE; sleeps_on[p] = NONE; \
	if :: asks[p] != 9 -> run caller(p) :: else -> ended = with(ended, p) fi;

init
{
	atomic {
		c_code {
			SET(mutant) SET(limit) SET(edits) SET(deaths) SET(keeper_deaths) SET(stops) SET(timeouts)
			SET(alike) SET(unruly) SET(endless) SET_EACH(asks) SET_EACH(kind)
		};
		run world();
		EACH_CALLER(BEGIN)
	}
}

#ifdef LIVENESS
ltl served { [] (in(waits, 1) -> <> !in(waits, 1)) } /* every waiter is admitted, if holders end */
#endif

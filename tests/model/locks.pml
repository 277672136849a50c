/*
 * locks - a model of several locks at once: acquire_each() and acquire_release() of src/lock/acquire.c.
 *
 * Each lock is what grouplock.pml has shown it to be: who asks stands in a queue, the first is served
 * as soon as there are enough slots, and a nested call passes. Jobs want one or two of two locks, may
 * not wait, give up, be stopped or killed while they hold the first; the command of job 1 may call
 * again for both. `broken(n)` is as in grouplock.pml.
 */
#define JOBS 3
#define NOTHING 2 /* instead of a second lock; 0 and 1 are the locks, in the order of their names */

#define in(set, x) (((set) >> (x)) & 1)
#define has(p, lock) held[2 * (p) + (lock)]
#define broken(n) (mutant == n)

/* enum step of src/lock/attempt.h */
#define ON 0
#define STOP 2
#define BUSY 4

byte mutant;
byte deaths, stops, timeouts; /* how many there may be */

byte free[2];               /* slots of each lock that nobody has */
chan queue[2] = [JOBS] of { byte };
byte held[2 * (JOBS + 1)];  /* slots that a job has of a lock */
byte ended;                 /* a set of jobs */

inline leave_queue(lock) {
	if :: queue[lock]??[eval(me)] -> queue[lock]??eval(me) :: else fi
}

inline take(lock, count) {
	free[lock] = free[lock] - count;
	has(me, lock) = count
}

inline attempt_lock(lock, count) { /* all of grouplock.pml in two steps: to enter the queue, and to be admitted or leave */
	if
	:: d_step { empty(queue[lock]) && free[lock] >= count -> take(lock, count) }
	:: d_step { nempty(queue[lock]) || free[lock] < count -> queue[lock]!me };
	   if
	   :: d_step { queue[lock]?[eval(me)] && free[lock] >= count -> queue[lock]?eval(me); take(lock, count) }
	   :: d_step { timeouts -> timeouts--; step = BUSY; leave_queue(lock) }
	   :: d_step { stops -> stops--; step = STOP; leave_queue(lock) }
	   fi
	:: (nempty(queue[lock]) || free[lock] < count) && timeouts -> step = BUSY /* -n */
	fi
}

inline release(lock) {
	d_step { free[lock] = free[lock] + has(me, lock); has(me, lock) = 0 }
}

inline acquire_release() { /* and what the kernel does when the process is gone: one after the other */
	do
	:: has(me, 0) -> release(0)
	:: has(me, 1) -> release(1)
	:: !has(me, 0) && !has(me, 1) -> break
	od
}

inline acquire_each() { /* `one` has the lesser name, whatever the order on the command line */
	step = ON;
	attempt_lock(one, ones);
	if :: step == ON && two != NOTHING -> attempt_lock(two, twos) :: else fi;
	if :: step != ON && !broken(2) -> acquire_release() :: else fi
}

proctype job(byte me, one, ones, two, twos)
{
	byte step;

	{
		do
		:: acquire_each();
		   if
		   :: step == STOP -> /* stop_here(): with nothing in hand (I9), until SIGCONT, which may never come */
			if
			:: true
			:: true ->
end_stopped:			false
			fi
		   :: else -> break
		   fi
		od;
		if
		:: step == ON -> assert(has(me, one) == ones && (two == NOTHING || has(me, two) == twos)); /* all ... */
			/* A call inside passes, attempt_pass_nested(). Else it is a job that this one waits for. */
			if :: broken(3) && me == 1 -> empty(queue[one]) && free[one] >= ones :: else fi;
			acquire_release()
		:: else -> assert(!has(me, 0) && !has(me, 1)) /* ... or nothing */
		fi
	} unless { in(ended, me) };
	atomic { leave_queue(0); leave_queue(1) };
	acquire_release()
}

proctype killer()
{
end:	do
	:: d_step { deaths && !in(ended, 1) -> deaths--; ended = ended | 2 }
	:: d_step { deaths && !in(ended, 2) -> deaths--; ended = ended | 4 }
	:: d_step { deaths && !in(ended, 3) -> deaths--; ended = ended | 8 }
	od
}

#define SET(name) if (getenv(#name)) now.name = atoi(getenv(#name));

init
{
	atomic {
		c_code { SET(mutant) SET(deaths) SET(stops) SET(timeouts) };
		free[0] = 2;
		free[1] = 1;
		run killer();
		run job(1, 0, 2, 1, 1);
		if
		:: broken(1) -> run job(2, 1, 1, 0, 1) /* in the order of the command line */
		:: else -> run job(2, 0, 1, 1, 1)
		fi;
		run job(3, 1, 1, NOTHING, 0)
	}
}

/*
 * locks - a model of several locks at once: acquire_each() and acquire_release() of src/acquire.c.
 *
 * Each lock is what lock.pml has shown it to be: who asks is served in the order of arrival, as
 * soon as it fits, and never more is given out than the limit. Jobs want one or two of two locks,
 * may have to wait for either, give up, be stopped or killed while they hold the first; and the
 * command of one of them calls again for what it holds.
 */
#ifndef TIMEOUTS
#define TIMEOUTS 1
#endif
#ifndef STOPS
#define STOPS 1
#endif
#ifndef DEATHS
#define DEATHS 1
#endif

#define JOBS 3
#define DEFAULT 0 /* the locks, in the order of their names */
#define LINK 1
#define NOTHING 2

byte free[2];                   /* slots of each lock that nobody has */
chan line[2] = [JOBS] of { byte }; /* its line: who stands there, the head in front */
byte has[2 * (JOBS + 1)];       /* what each job has of each lock */
byte timeouts = TIMEOUTS;
byte stops = STOPS;
byte deaths = DEATHS;
bit killed[JOBS + 1];

#define of(job, lock) has[2 * (job) + (lock)]

/* enum step */
#define ON 0
#define GAVE_UP 1
#define STOP 2

inline leave_line(lock)
{
	if
	:: line[lock]??[eval(me)] -> line[lock]??eval(me)
	:: else
	fi
}

/* attempt_lock(), all of lock.pml in two steps: arrive, and be admitted or stop waiting. */
inline attempt_lock(lock, count)
{
	if
	:: d_step { nempty(line[lock]) || free[lock] < count -> line[lock]!me };
	   if
	   :: d_step {
		line[lock]?[eval(me)] && free[lock] >= count ->
		line[lock]?eval(me);
		free[lock] = free[lock] - count;
		of(me, lock) = count
	      }
	   :: atomic { timeouts > 0 -> timeouts--; step = GAVE_UP; leave_line(lock) }
	   :: atomic { stops > 0 -> stops--; step = STOP; leave_line(lock) }
	   fi
	:: d_step {
		empty(line[lock]) && free[lock] >= count ->
		free[lock] = free[lock] - count;
		of(me, lock) = count
	   }
	:: nempty(line[lock]) || free[lock] < count -> step = GAVE_UP /* -n */
	fi
}

inline release(lock)
{
	d_step { free[lock] = free[lock] + of(me, lock); of(me, lock) = 0 }
}

/* acquire_release(), and what the kernel does when the process is gone: one lock after the other. */
inline release_all()
{
	do
	:: of(me, DEFAULT) > 0 -> release(DEFAULT)
	:: of(me, LINK) > 0 -> release(LINK)
	:: of(me, DEFAULT) == 0 && of(me, LINK) == 0 -> break
	od
}

/* acquire_each(): `one` comes before `two` in the alphabet, whatever the order on the command line. */
inline acquire_each()
{
	step = ON;
	attempt_lock(one, ones);
	if
	:: step == ON && two != NOTHING -> attempt_lock(two, twos)
	:: else
	fi;
#if !KEEPS_FIRST /* mutation */
	if
	:: step != ON -> release_all()
	:: else
	fi
#endif
}

/*
 * The command. A call inside for both locks passes at once: attempt_pass_nested() takes nothing and
 * waits for nothing. Without it, it is a job of its own that the command waits for.
 */
inline run_command()
{
	assert(of(me, one) == ones && (two == NOTHING || of(me, two) == twos)); /* all or nothing */
#if NESTED_WAITS /* mutation */
	if
	:: me == 1 -> d_step { empty(line[one]) && free[one] >= ones -> skip }
	:: else
	fi
#endif
}

proctype job(byte me; byte one; byte ones; byte two; byte twos)
{
	byte step;

	{
		do
		:: acquire_each();
		   if
		   :: step == STOP ->
			assert(of(me, DEFAULT) == 0 && of(me, LINK) == 0);
			if /* stop_here() */
			:: true
			:: true ->
end_stopped:			false
			fi
		   :: else -> break
		   fi
		od;
		if
		:: step == ON -> run_command(); release_all()
		:: else -> assert(of(me, DEFAULT) == 0 && of(me, LINK) == 0)
		fi
	} unless { killed[me] };
	atomic { leave_line(DEFAULT); leave_line(LINK) };
	release_all()
}

active proctype killer()
{
end:	do
	:: d_step { deaths > 0 && !killed[1] -> deaths--; killed[1] = 1 }
	:: d_step { deaths > 0 && !killed[2] -> deaths--; killed[2] = 1 }
	:: d_step { deaths > 0 && !killed[3] -> deaths--; killed[3] = 1 }
	od
}

init
{
	atomic {
		free[DEFAULT] = 2;
		free[LINK] = 1;
		run job(1, DEFAULT, 2, LINK, 1);
#if AS_GIVEN /* mutation: in the order of the command line */
		run job(2, LINK, 1, DEFAULT, 1);
#else
		run job(2, DEFAULT, 1, LINK, 1);
#endif
		run job(3, LINK, 1, NOTHING, 0)
	}
}

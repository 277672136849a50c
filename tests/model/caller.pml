/*
 * caller - a process that calls `grouplock run` or `grouplock claim`, and what is left of it.
 */

/* stop_here() of src/acquire.c: it may be continued, and may be never (I9). */
inline stop_here()
{
	if
	:: step = ON
	:: true ->
end_stopped:	false
	fi
}

/* acquire(): again after each stop, from the beginning. */
inline acquire()
{
	be_called();
	do
	:: step != ON -> break
	:: else ->
		attempt_lock();
		if
		:: step == STOP -> stop_here()
		:: else -> break
		fi
	od
}

inline hold()
{
	if
	:: step == ON -> run_command()
#if CLAIMS
	:: step == ON -> make_claim()
#endif
	:: step != ON -> gone[me] = 1 /* refused, timed out, an error; or passed as a nested call */
	fi
}

inline forget_everything()
{
	lim = 0;
	mine = 0;
	busy = 0;
	all = 0;
	i = 0;
	vacant = 0;
	done = 0;
	impossible = 0;
	step = ON
#if ENDING
	;
	last = 0;
	patient = true
#endif
}

proctype caller(byte me; byte want)
{
	byte lim, mine, busy, all, i, step;
	bit vacant, done, impossible;
#if COUNTERS_LATE
	byte late_first, late_next, late_top;
#endif
#if ROUNDS
	byte base;
#endif
#if ENDING
	byte last;
	bit patient = true;
#endif

again:	{
		acquire();
		hold()
	} unless { killed[me] };
	atomic { forget_everything() };
	keep();
	all_falls()
#if ROUNDS
	;
	renumber();
	goto again
#endif
}

/*
 * nested - src/held.c and src/attempt_nested.c: a call by a command that holds slots already.
 *
 * The last caller is called by caller OUTER's command, which waits for its end or leaves it behind.
 * It knows which slots the command got (GROUPLOCK_HELD).
 */
#define OUTER 1

#if NESTED
byte held; /* the slots that GROUPLOCK_HELD lists */
bit began; /* OUTER's command runs, or has run */

/* check_entry() and is_by(): LOCK_SH without waiting, then the record, then the process. */
inline check_entry(s)
{
	if
	:: in(held, s) && slot[s] != NOBODY ->
		assert(slot[s] == NOBODY || killed[slot[s]] || record[s] == slot[s]); /* I6 */
		if
		:: record[s] == OUTER && !ended[s] ->
			if
#if NESTED_BELIEVES
			:: atomic { true -> assert(uses[OUTER] > 0); i++ } /* mutation: the record is enough */
#else
			:: atomic { !has_ended(OUTER) -> assert(uses[OUTER] > 0); i++ }
			:: has_ended(OUTER)
#endif
			fi
		:: else
		fi
	:: else
	fi
}
#endif

/* attempt_pass_nested() and judge() */
inline pass_nested()
{
#if NESTED && !NESTED_WAITS /* mutation: no call is a nested one */
	if
	:: me == CALLERS ->
		i = 0;
		check_entry(0);
#if SLOTS > 1
		check_entry(1);
#endif
#if SLOTS > 2
		check_entry(2);
#endif
		if
		:: i >= want -> step = PASSES
		:: i > 0 && i < want -> step = ERROR /* or it would wait for itself */
		:: i == 0
		fi;
		i = 0
	:: else
	fi
#else
	skip
#endif
}

/* The command calls, or does not. */
inline call_nested()
{
#if NESTED
	if
	:: me == OUTER ->
		d_step { held = mine; began = true };
		if
		:: true -> has_ended(CALLERS) /* waits for the call's end ... */
		:: true                       /* ... or does not */
		fi
	:: else
	fi
#else
	skip
#endif
}

/* Who is called by a command does not exist before. False: it never will. */
inline be_called()
{
#if NESTED
	if
	:: me == CALLERS ->
		if
		:: began
		:: !began && has_ended(OUTER) -> step = ERROR
		fi
	:: else
	fi
#else
	skip
#endif
}

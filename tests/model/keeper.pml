/*
 * keeper - src/launch.c, src/keeper.c and src/cmd_claim.c: from admission to free slots.
 *
 * The slots' descriptors are open in the command, in its keeper, and perhaps in a daemon that the
 * command has left behind. A lock falls with the last of them, or by the keeper's LOCK_UN.
 */
byte keeper_deaths = KEEPERS; /* keepers that somebody may yet kill */
bit claim[CALLERS + 1];       /* a claim in force: its keeper alone has the slots */
bit left[CALLERS + 1];        /* its daemon has the slots open */

#define KEEPER_KILLED keeper_deaths > 0 && keeper[me] -> keeper_deaths--; keeper[me] = 0

#define holds_mine(s) (!in(mine, s) || slot[s] == me)
#if SLOTS == 1
#define holds_all_mine holds_mine(0)
#elif SLOTS == 2
#define holds_all_mine (holds_mine(0) && holds_mine(1))
#else
#define holds_all_mine (holds_mine(0) && holds_mine(1) && holds_mine(2))
#endif

/* start_keeper(). In between, the process is killed as before it. */
inline start_keeper()
{
#if !NO_KEEPER /* mutation */
	keeper[me] = 1
#else
	skip
#endif
}

/*
 * The command runs, and does to its descriptors what it likes. That somebody kills the keeper of
 * one that has closed them is beyond the promise: nobody has the slots open then.
 */
inline run_command()
{
	start_keeper();
	call_nested();
#if KEEPERS
	if
	:: true
	:: left[me] = 1 /* leaves a daemon behind */
	:: atomic { KEEPER_KILLED }
	:: atomic { KEEPER_KILLED; left[me] = 1 }
	:: true -> /* closes them: ssh, doas, Python's subprocess */
		if
		:: !keeper[me] -> slots_fall()
		:: else
		fi
	fi;
	assert(holds_all_mine); /* I1: the slots last as long as the command */
#endif
	d_step { use_ends(me); gone[me] = 1 }
}

/* hold() of src/cmd_claim.c: the process ends and leaves its keeper. */
inline make_claim()
{
	d_step { keeper[me] = 1; claim[me] = 1 };
	d_step { gone[me] = 1 }
}

/* The claim ends: released, --max over, the process it is bound to gone; or its keeper is killed. */
inline end_claim()
{
	if
	:: d_step { claim[me] -> claim[me] = 0; use_ends(me) }
	:: d_step { claim[me] && KEEPER_KILLED; claim[me] = 0; use_ends(me) }
	:: else
	fi
}

/* keep(), one slot: the mark in the record, then LOCK_UN. */
inline let_go(s)
{
	if
	:: keeper[me] && slot[s] == me ->
#if ENDING || NESTED
		ended[s] = 1;
#endif
#if KEEPER_CLOSES
		if /* mutation: close() instead of flock(LOCK_UN) */
		:: d_step { !left[me] -> slot[s] = NOBODY }
		:: else
		fi
#else
		d_step { slot[s] = NOBODY }
#endif
	:: atomic { KEEPER_KILLED }
	:: !keeper[me] || slot[s] != me
	fi
}

/* The command is gone, and its own descriptors with it. */
inline keep()
{
	end_claim();
	let_go(0);
#if SLOTS > 1
	let_go(1);
#endif
#if SLOTS > 2
	let_go(2);
#endif
	keeper[me] = 0;
	if
#if KEEPER_CLOSES
	:: left[me] ->
end_daemon:	false /* a daemon may live for ever */
#else
	:: left[me] -> left[me] = 0 /* it ends: who lost the keeper waits for that */
#endif
	:: else
	fi
}

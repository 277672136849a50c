/*
 * world - who else is there: somebody who kills, somebody who edits groups.ini, somebody who looks.
 */
#define may_kill(p) deaths > 0 && !has_ended(p) -> deaths--; killed[p] = 1; leaves_line(p); \
		if :: !claim[p] -> use_ends(p) :: else fi

#if DEATHS
active proctype killer()
{
end:	do
	:: d_step { may_kill(1) }
	:: d_step { may_kill(2) }
#if CALLERS > 2
	:: d_step { may_kill(3) }
#endif
#if CALLERS > 3
	:: d_step { may_kill(4) }
#endif
	od
}
#endif

/* A closed group (0) is opened again in the end, or whoever waits does so for ever, and rightly. */
#if CHANGES
active proctype admin()
{
	byte changes = CHANGES;

	do
	:: changes > 1 ->
		changes--;
		if
		:: limit = 0
		:: limit = 1
#if SLOTS > 1
		:: limit = 2
#endif
#if SLOTS > 2
		:: limit = 3
#endif
		fi
	:: changes == 1 ->
		changes--;
		if
		:: limit = 1
#if SLOTS > 1
		:: limit = 2
#endif
#if SLOTS > 2
		:: limit = 3
#endif
		fi
	:: changes == 0 -> break
	od
}
#endif

/* `grouplock status`: LOCK_SH on every slot, for an instant, under the gate (I6). */
#if LOOKER
#define LOOKER_ID (CALLERS + 1)

active proctype looker()
{
	byte s;

#if !LOOK_OUTSIDE /* mutation */
	d_step { gate == NOBODY -> gate = LOOKER_ID };
#endif
	do
	:: s < SLOTS ->
		if
		:: atomic { free_to_see(s) -> sees[LOOKER_ID] = with(0, s) };
		   sees[LOOKER_ID] = 0
		:: !free_to_see(s)
		fi;
		s++
	:: s == SLOTS -> break
	od;
#if !LOOK_OUTSIDE
	gate = NOBODY
#endif
}
#endif

init
{
	atomic {
		run caller(1, W1);
		run caller(2, W2);
#if CALLERS > 2
		run caller(3, W3);
#endif
#if CALLERS > 3
		run caller(4, W4);
#endif
	}
}

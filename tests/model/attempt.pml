/*
 * attempt - src/attempt.c, from newcomer to holder, and what src/acquire.c does around it.
 *
 * `step` is what enum step of src/attempt.h is. Anything but ON ends the attempt.
 */

/* try_or_line_up(), in the gate. Afterwards the slots are ours, or a ticket, or `step` says why not. */
inline try_or_line_up()
{
	lim = limit; /* attempt_limit_changed() */
	pass_nested();
	if
	:: step == ON && lim > 0 && want > lim -> step = ERROR /* attempt_check_possible() */
	:: else
	fi;
	if
	:: step == ON ->
		queue_is_empty();
#if BARGE
		vacant = true; /* mutation: the line does not matter */
#endif
		if
		:: vacant -> take_free_slots()
		:: else -> step = BUSY
		fi
	:: else
	fi;
	if
	:: step == BUSY || step == COMING /* -n */
	:: step == BUSY || step == COMING -> step = ON; queue_enter()
	:: else
	fi
}

/* take_free_slots(). Not admissible: nothing is kept. */
inline take_free_slots()
{
	slots_survey();
	if
	:: admissible -> atomic { use_limit(); admitted(LAST) }
	:: else -> step = BUSY; find_ending(); slots_close()
	fi
}

/*
 * slots_are_ending(): for who may not wait. COMING, with `last` the slot to wait for, if all that is
 * missing is held by commands that have ended, whose keepers are about to unlock it.
 */
#if NO_PATIENCE
#define would_do false /* mutation */
#else
#define would_do (last < SLOTS && size(mine) >= want && size(busy) + want <= lim)
#endif

inline find_ending()
{
#if ENDING
	atomic {
		last = SLOTS;
		i = 0;
		do
		:: i < all ->
			if
			:: in(busy, i) && record[i] != NOBODY && has_ended(record[i]) ->
				busy = without(busy, i);
				last = i;
				if
				:: i < lim -> mine = with(mine, i)
				:: else
				fi
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0;
		if
		:: patient && would_do -> step = COMING
		:: else -> assert(!patient || DEATHS > 0 || in_use + want > lim) /* who is in our way goes on */
		fi
	}
#else
	skip
#endif
}

#if ENDING
/* attempt_wait_for_ending(): LOCK_SH outside the gate, and closed at once; or a second is over. */
inline wait_for_ending()
{
	if
	:: atomic { free_to_see(last) -> sees[me] = with(sees[me], last) };
	   sees[me] = 0
	:: slot[last] != NOBODY && !keeper[slot[last]] -> patient = false
	fi;
	last = 0;
	step = ON
}
#endif

/* arrive(): again, as long as slots are about to be free. */
inline arrive()
{
	do
	:: enter_gate();
	   if
	   :: step == ON -> try_or_line_up(); leave_gate()
	   :: else
	   fi;
#if ENDING
	   if
	   :: step == COMING -> wait_for_ending()
	   :: else -> break
	   fi
#else
	   break
#endif
	od
}

/* wait_in_line(): sleeps on the nearest live ticket before ours, again and again (I7). */
inline wait_in_line()
{
	do
	:: enter_gate();
	   if
	   :: step != ON -> break
	   :: else
	   fi;
	   queue_before();
	   leave_gate();
	   if
	   :: sleeps_on[me] == 0 -> break
	   :: else
	   fi;
	   wait_for_ticket();
#if NO_SECOND_LOOK
	   break; /* mutation: the one before has died, so we are the head */
#endif
	   if
	   :: step != ON -> break
	   :: else
	   fi
	od
}

/* attempt_wait_for_ticket(): LOCK_SH. */
#if NAME_IS_TRUTH
#define may_go_on(t) (!named[t])
#else
#define may_go_on(t) (ticket[t] == NOBODY)
#endif

inline wait_for_ticket()
{
	if
	:: d_step { may_go_on(sleeps_on[me]) -> sleeps_on[me] = 0 }
	:: atomic { WOKEN_BY_TIMEOUT; leaves_line(me) }
	:: atomic { WOKEN_BY_STOP; leaves_line(me) }
	fi
}

/* survey_as_head(), in the gate. Sets `done`. */
inline survey_as_head()
{
	if
	:: lim != limit -> atomic { lim = limit; slots_close(); impossible = false } /* attempt_limit_changed() */
	:: else
	fi;
	if
	:: lim > 0 && want > lim -> /* attempt_check_possible(): believed if it is so twice */
		if
		:: impossible -> step = ERROR; leaves_line(me)
		:: else -> impossible = true; slots_close()
		fi
	:: else ->
		impossible = false;
		slots_survey();
		atomic {
			use_limit();
			if
			:: admissible ->
				admitted(number[me]);
				m_first = number[me] + 1; /* queue_advance() */
				done = true
			:: else
			fi
		}
	fi
}

/*
 * wait_for_change(): a thread for each busy slot sleeps in LOCK_SH, only to learn that the slot is
 * free. What was granted stays locked until the next survey, in the gate, or slots_close().
 * pause_if_shared() is about time, and not here.
 */
#define may_be_granted(s) (in(busy, s) && !in(sees[me], s) && free_to_see(s))

inline wait_for_change()
{
	do
	:: atomic { may_be_granted(0) -> sees[me] = with(sees[me], 0) }
#if SLOTS > 1
	:: atomic { may_be_granted(1) -> sees[me] = with(sees[me], 1) }
#endif
#if SLOTS > 2
	:: atomic { may_be_granted(2) -> sees[me] = with(sees[me], 2) }
#endif
#if TAKES_OUTSIDE /* mutation: what falls free is taken at once, and not under the gate */
	:: atomic { in(busy, 0) && to_be_had(0) && free_to_take(0) -> slot[0] = me; mine = with(mine, 0) };
	   write_record(0)
	:: admissible -> break
#endif
	:: sees[me] != 0 || lim != limit || impossible -> break /* attempt_config_changed(): every second */
	:: atomic { WOKEN_BY_TIMEOUT; leaves_line(me); break }
	:: atomic { WOKEN_BY_STOP; leaves_line(me); break }
	od
}

/* take_as_head(): counts, and if that is not enough, sleeps. */
inline take_as_head()
{
	do
	:: enter_gate();
	   if
	   :: step != ON -> break
	   :: else
	   fi;
	   survey_as_head();
	   leave_gate();
	   if
	   :: step != ON || done -> break
	   :: else
	   fi;
	   wait_for_change();
	   if
	   :: step != ON -> break
	   :: else
	   fi
	od
}

#if TICKET_AFTER_GATE
#define late_ticket() if :: number[me] -> ticket[number[me]] = me :: else fi
#else
#define late_ticket() skip
#endif

#if TICKET_FIRST
#define early_drop() if :: step == ON -> named[number[me]] = 0; ticket[number[me]] = NOBODY :: else fi
#else
#define early_drop() skip
#endif

/* attempt_run() and attempt_lock(): the ticket goes last, when slots are held or given back (I4). */
inline attempt_lock()
{
	arrive();
	late_ticket();
	if
	:: step == ON && number[me] ->
		wait_in_line();
		early_drop(); /* mutation: who is first needs no ticket any more */
		if
		:: step == ON -> take_as_head()
		:: else
		fi
	:: else
	fi;
#if STOP_IN_LINE
	if
	:: step == STOP ->
end_in_line:	false /* mutation: stops where it is */
	:: else
	fi;
#endif
	if
	:: step != ON -> slots_close()
	:: else
	fi;
	queue_drop();
	atomic { busy = 0; all = 0; lim = 0; vacant = 0; done = 0; impossible = 0 }
}

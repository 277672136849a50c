/*
 * slots - src/slots.c, by a caller with the locals want, lim, all (slots to look at), mine, busy and i.
 *
 * `mine` and `busy` are the slots in SLOT_MINE and in SLOT_BUSY.
 */
/* slots_open(): how many to look at, by the limit and what the gate says. */
#if BELOW_LIMIT_ONLY
#define total lim /* mutation: what is above the limit is not counted */
#else
#define total (lim > m_top -> lim : m_top)
#endif

/* slots_admissible() */
#if LESS_WILL_DO
#define admissible (size(mine) > 0 && want <= lim) /* mutation: runs with what there is */
#else
#define admissible (size(mine) == want && want <= lim && (all == lim || size(busy) <= lim - want))
#endif

inline give_back(s)
{
	if
	:: in(mine, s) && slot[s] == me -> slot[s] = NOBODY
	:: else
	fi
}

/* slots_close(): one step, since others look at slots only when we have left both gate and line. */
inline slots_close()
{
	atomic {
		give_back(0);
#if SLOTS > 1
		give_back(1);
#endif
#if SLOTS > 2
		give_back(2);
#endif
		mine = 0;
		busy = 0;
		sees[me] = 0
	}
}

inline write_record(s)
{
#if ENDING || NESTED
	d_step { record[s] = me; ended[s] = 0 }
#else
	skip
#endif
}

/*
 * What is shared for a moment when no ticket lives: what a killed head had slept for, and what
 * wait_for_ending() waits for. Those that come then wait or line up, and that is all.
 */
#if ENDING || DEATHS
#define may_look_ended is_shared(i)
#else
#define may_look_ended false
#endif

/* look_at(): LOCK_EX without waiting if the slot is to be had, else LOCK_SH, dropped at once. */
#define to_be_had(i) (size(mine) < want && (i) < lim)

inline look_at()
{
	if
	:: d_step { to_be_had(i) && free_to_take(i) -> slot[i] = me; mine = with(mine, i) };
	   write_record(i)
	:: d_step {
		to_be_had(i) && !free_to_take(i) ->
		assert(slot[i] != NOBODY || may_look_ended); /* no look makes an attempt fail (I6) */
		busy = with(busy, i)
	   }
	:: d_step { !to_be_had(i) && !free_to_see(i) -> busy = with(busy, i) }
	:: !to_be_had(i) && free_to_see(i)
	fi
}

/* slots_survey() */
inline slots_survey()
{
	all = total;
	atomic { busy = 0; sees[me] = 0 }; /* slots_settle() */
	i = 0;
	do
	:: i >= all || (size(mine) >= want && all == lim) -> break
	:: else ->
		if
		:: !in(mine, i) -> look_at()
		:: else
		fi;
		i++
	od;
	i = 0
}

/* attempt_use_limit() and slots_top(): from `top` up all are known to be free. */
inline use_limit()
{
#if TOP_FORGOTTEN
	m_top = 0 /* mutation: who holds a slot above a lowered limit is forgotten */
#else
	atomic {
		m_top = lim;
		i = lim;
		do
		:: i < SLOTS ->
			if
			:: in(busy, i) -> m_top = i + 1
			:: else
			fi;
			i++
		:: else -> break
		od;
		i = 0
	}
#endif
}

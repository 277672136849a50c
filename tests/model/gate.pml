/*
 * gate - src/gate.c, and attempt_enter_gate() and attempt_leave_gate() of src/attempt_wait.c.
 *
 * To lock the gate and to read its content is one step here: a death between the two has no other
 * effect than one before or after, and nobody writes it meanwhile.
 */
byte timeouts = TIMEOUTS;
byte stops = STOPS;

/* attempt_sleep(): how one wakes without what it has slept for. */
#define WOKEN_BY_TIMEOUT timeouts > 0 -> timeouts--; step = TIMEOUT
#define WOKEN_BY_STOP stops > 0 -> stops--; step = STOP

#define dirty (m_first != first || m_next != next || m_top != top)

#if ROUNDS
/* That nobody starves at the gate itself is assumed: it is held for microseconds. */
chan at_gate = [CALLERS] of { byte };
#define stand_at_gate() at_gate!me
#define is_my_turn at_gate?[eval(me)]
#define pass_gate() at_gate?eval(me)
#else
#define stand_at_gate() skip
#define is_my_turn true
#define pass_gate() skip
#endif

inline enter_gate()
{
	stand_at_gate();
	if
	:: d_step {
		gate == NOBODY && is_my_turn ->
		pass_gate();
		gate = me;
		m_first = first;
		m_next = next;
		m_top = top
	   }
	:: atomic { gate != NOBODY && WOKEN_BY_TIMEOUT; leaves_line(me) }
	:: atomic { gate != NOBODY && WOKEN_BY_STOP; leaves_line(me) }
	fi
}

/* Writes, then unlocks: two steps, since after a death between them the counters are the new ones. */
inline leave_gate()
{
#if COUNTERS_LATE /* mutation: unlocks, then writes */
	late_first = m_first;
	late_next = m_next;
	late_top = m_top;
	d_step { gate = NOBODY; forget_counters() };
	d_step { first = late_first; next = late_next; top = late_top };
	atomic { late_first = 0; late_next = 0; late_top = 0 }
#else
	if
	:: d_step { dirty -> first = m_first; next = m_next; top = m_top };
	   d_step { gate = NOBODY; forget_counters() }
	:: d_step { !dirty -> gate = NOBODY; forget_counters() }
	fi
#endif
}

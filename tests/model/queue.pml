/*
 * queue - src/queue.c: tickets.
 *
 * probe(): open, LOCK_SH without waiting, unlink if it was granted, close: one step, since nobody
 * can tell the difference. All others that look are outside the gate, and a shared lock on a
 * ticket that nobody has exclusively hinders nobody who sleeps in LOCK_SH.
 */
#if NAME_IS_TRUTH
#define lives(t) named[t] /* mutation: a ticket lives as long as its file exists */
#else
#define lives(t) (named[t] && ticket[t] != NOBODY)
#endif

/* queue_is_empty(): skips dead tickets at the front. Sets `vacant`. */
inline queue_is_empty()
{
	do
	:: d_step { m_first < m_next && !lives(m_first) -> named[m_first] = 0; m_first++ }
	:: atomic { m_first < m_next && lives(m_first) -> vacant = false; break }
	:: atomic { m_first == m_next -> vacant = true; break }
	od
}

/* queue_enter() and take(): a file of a new name (O_EXCL), then its lock. */
inline queue_enter()
{
	do
	:: d_step { named[m_next] -> m_next++ } /* LOCKFILE_EXISTS: by one who died just here */
	:: atomic { !named[m_next] -> assert(m_next <= TICKETS); named[m_next] = 1; break }
	od;
#if TICKET_AFTER_GATE
	atomic { /* mutation: the number under the gate, its lock later */
		number[me] = m_next;
		m_next++;
		waits[me] = 1
	}
#else
	atomic {
		number[me] = m_next;
		ticket[m_next] = me;
		m_next++;
		waits[me] = 1
	}
#endif
}

/* queue_before(): the nearest live ticket before ours becomes the one to sleep on, if there is any. */
inline queue_before()
{
#if WAIT_FOR_FIRST
	i = m_first; /* mutation: everybody sleeps on the first */
	do
	:: atomic { i < number[me] && lives(i) -> break }
	:: atomic { i < number[me] && !lives(i) -> i++ }
	:: atomic { i == number[me] -> i = 0; break }
	od;
#else
	i = number[me];
	do
	:: atomic { i > m_first && lives(i - 1) -> i--; break }
	:: d_step { i > m_first && !lives(i - 1) -> i--; named[i] = 0 }
	:: atomic { i <= m_first -> i = 0; break }
	od;
#endif
	atomic {
		if
		:: i == 0 -> m_first = number[me]
		:: else -> assert(sleepers(i) == 0) /* a death wakes one (I7) */
		fi;
		sleeps_on[me] = i;
		i = 0
	}
}

/* queue_drop(): the name first, as long as the lock is still ours; then the lock. */
inline queue_drop()
{
	if
	:: number[me] ->
		d_step { named[number[me]] = 0; leaves_line(me) };
		d_step { ticket[number[me]] = NOBODY; number[me] = 0 }
	:: else
	fi
}

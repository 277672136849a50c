/*
 * oracle - what must be true, kept apart from what the protocol knows.
 *
 * These variables are nobody's state: no step is taken because of them, they only judge.
 */
byte in_use;                 /* slots of commands and claims in force, all together ... */
byte uses[CALLERS + 1];      /* ... and of each */
bit waits[CALLERS + 1];      /* in line and able to go on: not killed, stopped, or giving up */

#define LAST 255             /* the place of a newcomer: behind everybody in line */

#define before(q, place) (waits[q] && number[q] < (place))
#define sleeper(q, t) (sleeps_on[q] == (t))
#if CALLERS == 2
#define anybody_before(place) (before(1, place) || before(2, place))
#define sleepers(t) (sleeper(1, t) + sleeper(2, t))
#elif CALLERS == 3
#define anybody_before(place) (before(1, place) || before(2, place) || before(3, place))
#define sleepers(t) (sleeper(1, t) + sleeper(2, t) + sleeper(3, t))
#else
#define anybody_before(place) (before(1, place) || before(2, place) || before(3, place) || before(4, place))
#define sleepers(t) (sleeper(1, t) + sleeper(2, t) + sleeper(3, t) + sleeper(4, t))
#endif

/* The moment of admission, `place` being the ticket's number or LAST. */
inline admitted(place)
{
	atomic {
		assert(in_use + want <= lim);   /* never more than the limit (I1, I5) */
		assert(!anybody_before(place)); /* nobody is overtaken (I2, I3, I4) */
		uses[me] = want;
		in_use = in_use + want;
		waits[me] = 0
	}
}

/* The command or the claim is over. */
inline use_ends(p)
{
	in_use = in_use - uses[p];
	uses[p] = 0
}

/* A waiter is one no more, by its own doing or another's. */
inline leaves_line(p)
{
	waits[p] = 0;
	sleeps_on[p] = 0
}

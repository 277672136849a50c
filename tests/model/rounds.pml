/*
 * rounds - callers that come again for ever, to see whether everybody is served in the end.
 *
 * For that the numbers of tickets must not grow for ever: whoever comes again shifts all of them down
 * to where the lowest that anybody still knows is 1. Differences are all that the protocol goes by.
 */
#if ROUNDS
inline lower(n)
{
	if
	:: n != 0 && n < base -> base = n
	:: else
	fi
}

inline shift(n)
{
	if
	:: n != 0 -> n = n - base
	:: else
	fi
}

inline renumber()
{
	atomic {
		gate == NOBODY ->
		base = first;
		i = 1;
		do
		:: i <= CALLERS -> lower(number[i]); lower(sleeps_on[i]); i++
		:: else -> break
		od;
		i = 1;
		do
		:: i < base && !named[i] -> i++
		:: else -> break
		od;
		base = i - 1;
		i = 1;
		do
		:: i <= CALLERS -> shift(number[i]); shift(sleeps_on[i]); i++
		:: else -> break
		od;
		first = first - base;
		next = next - base;
		i = 1;
		do
		:: i <= TICKETS ->
			named[i] = (i + base <= TICKETS -> named[i + base] : 0);
			ticket[i] = (i + base <= TICKETS -> ticket[i + base] : NOBODY);
			i++
		:: else -> break
		od;
		i = 0;
		base = 0;
		gone[me] = 0
	}
}
#endif

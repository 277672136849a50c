#include "base/clock.h"

#include <stdlib.h>
#include <time.h>

#include "check.h"

Test(clock, sum_is_a_sum)
{
	cr_assert(eq(i64, clock_add(0, 0), 0));
	cr_assert(eq(i64, clock_add(5, 7), 12));
	cr_assert(eq(i64, clock_add(CLOCK_NEVER - 7, 7), CLOCK_NEVER));
	cr_assert(eq(i64, clock_add(CLOCK_NEVER - 7, 6), CLOCK_NEVER - 1));
}

Test(clock, sum_that_exceeds_is_never)
{
	cr_assert(eq(i64, clock_add(CLOCK_NEVER - 7, 8), CLOCK_NEVER));
	cr_assert(eq(i64, clock_add(1, CLOCK_NEVER), CLOCK_NEVER));
	cr_assert(eq(i64, clock_add(CLOCK_NEVER, 1), CLOCK_NEVER));
	cr_assert(eq(i64, clock_add(CLOCK_NEVER, CLOCK_NEVER), CLOCK_NEVER));
}

Test(clock, now_is_the_monotonic_clock_in_nanoseconds)
{
	struct timespec ts;
	int64_t before, now, after;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	before = ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
	now = clock_now();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	after = ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
	cr_assert(le(i64, before, now));
	cr_assert(le(i64, now, after));
}

Test(clock, wall_is_the_time_since_1970)
{
	struct timespec ts;
	int64_t before, wall;

	clock_gettime(CLOCK_REALTIME, &ts);
	before = ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
	wall = clock_wall();
	/* An NTP step between the two may be no more than a minute. */
	cr_assert(lt(i64, llabs(wall - before), 60 * CLOCK_SECOND));
}

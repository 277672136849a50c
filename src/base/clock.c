#include "base/clock.h"

#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int64_t read_clock(clockid_t id)
{
	struct timespec ts;

	/* The few times that a run asks, the kernel's call costs less than the page faults of the vDSO's data. */
	if (sizeof(ts.tv_sec) != sizeof(long) || syscall(SYS_clock_gettime, id, &ts))
		clock_gettime(id, &ts);
	return ts.tv_sec * CLOCK_SECOND + ts.tv_nsec;
}

int64_t clock_now(void)
{
	return read_clock(CLOCK_MONOTONIC);
}

int64_t clock_wall(void)
{
	return read_clock(CLOCK_REALTIME);
}

int64_t clock_add(int64_t now, int64_t duration)
{
	return duration > CLOCK_NEVER - now ? CLOCK_NEVER : now + duration;
}

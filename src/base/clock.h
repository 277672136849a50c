/*
 * clock - the two clocks. Deadlines and waits are measured on the monotonic clock, which no
 * administrator and no NTP step can turn; the wall clock is for records only, to be shown.
 */
#ifndef GROUPLOCK_CLOCK_H
#define GROUPLOCK_CLOCK_H

#include <stdint.h>

#define CLOCK_SECOND INT64_C(1000000000)
#define CLOCK_NEVER INT64_MAX /* a deadline that does not come */

/* Nanoseconds on CLOCK_MONOTONIC. */
int64_t clock_now(void);

/* Nanoseconds since 1970 on CLOCK_REALTIME. */
int64_t clock_wall(void);

/* now + duration (both >= 0), CLOCK_NEVER where the sum would exceed it. */
int64_t clock_add(int64_t now, int64_t duration);

#endif

/*
 * timed_flock - flock(2) with a deadline, in the thread that calls it.
 *
 * flock(2) takes no timeout, but a signal with a handler ends it (EINTR). So a timer sends one at
 * the deadline, and then once a millisecond until it is turned off: the first could arrive just
 * before flock() is entered, and would be lost. SIGTSTP, where it is to be heard, starts the timer
 * too, for the same reason. What `waitset` does for one file alone: no thread is made, and the
 * kernel wakes the process that is to go on and no other.
 */
#ifndef GROUPLOCK_TIMED_FLOCK_H
#define GROUPLOCK_TIMED_FLOCK_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct timed_flock {
	timer_t timer;
	bool stoppable;            /* SIGTSTP is to be heard */
	struct sigaction stop_was; /* what it did before */
	sigset_t stop, heard;      /* SIGTSTP or nothing; the same and the timer's signal */
};

enum timed_flock_result {
	TIMED_FLOCK_LOCKED,
	TIMED_FLOCK_FAILED, /* see errno */
	TIMED_FLOCK_STOP,   /* SIGTSTP has arrived, and is pending */
	TIMED_FLOCK_DEADLINE,
};

/*
 * Until timed_flock_close(), of which there must be no second one meanwhile, the timer is there, which
 * sends `signum`: the caller has a handler for it that does nothing, without SA_RESTART. If
 * `stoppable`, SIGTSTP has a handler too, and the caller has it blocked. -1: errno, of timer_create(2).
 */
int timed_flock_open(struct timed_flock *timed, int signum, bool stoppable);

/* Ends the timer, and puts back what SIGTSTP did. */
void timed_flock_close(struct timed_flock *timed);

/*
 * Blocks in flock(fd, operation) until it is granted or the clock is at `deadline` (clock_now()
 * nanoseconds); if that has passed, for a millisecond or so. The two signals are unblocked meanwhile.
 * A SIGTSTP is pending afterwards, also one that comes together with the lock.
 */
enum timed_flock_result timed_flock(struct timed_flock *timed, int fd, int operation,
				    int64_t deadline);

#endif

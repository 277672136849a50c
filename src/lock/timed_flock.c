#include "lock/timed_flock.h"

#include <errno.h>
#include <sys/file.h>

#include "base/clock.h"

#define AGAIN (CLOCK_SECOND / 1000) /* between two signals of the timer */
#define AT_ONCE 1 /* a time that has passed; 0 would turn the timer off: timer_settime(2) */

/* What a signal handler can get at: a process waits in one place at a time. */
static volatile sig_atomic_t stop_arrived;
static timer_t stop_timer;

/* From `when` on, each millisecond. Safe in signal handlers: signal-safety(7). */
static void start_timer(timer_t timer, int64_t when)
{
	struct itimerspec spec = {.it_interval.tv_nsec = AGAIN};

	spec.it_value.tv_sec = when / CLOCK_SECOND;
	spec.it_value.tv_nsec = when % CLOCK_SECOND;
	timer_settime(timer, TIMER_ABSTIME, &spec, NULL);
}

static void note_stop(int signum)
{
	int errnum = errno;

	(void)signum;
	stop_arrived = true;
	start_timer(stop_timer, AT_ONCE);
	errno = errnum;
}

int timed_flock_open(struct timed_flock *timed, int signum, bool stoppable)
{
	struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = signum};
	struct sigaction action = {.sa_handler = note_stop}; /* no SA_RESTART */

	if (timer_create(CLOCK_MONOTONIC, &event, &timed->timer))
		return -1;
	sigemptyset(&timed->stop);
	if (stoppable) {
		sigaddset(&timed->stop, SIGTSTP);
		sigaction(SIGTSTP, &action, &timed->stop_was);
	}
	timed->heard = timed->stop;
	sigaddset(&timed->heard, signum);
	timed->stoppable = stoppable;
	stop_timer = timed->timer;
	return 0;
}

void timed_flock_close(struct timed_flock *timed)
{
	if (timed->stoppable)
		sigaction(SIGTSTP, &timed->stop_was, NULL);
	timer_delete(timed->timer);
}

enum timed_flock_result timed_flock(struct timed_flock *timed, int fd, int operation,
				    int64_t deadline)
{
	enum timed_flock_result ended = TIMED_FLOCK_DEADLINE;
	int result, errnum;
	sigset_t was;

	stop_arrived = false;
	if (deadline != CLOCK_NEVER)
		start_timer(timed->timer, deadline > 0 ? deadline : AT_ONCE);
	sigprocmask(SIG_BLOCK, NULL, &was);
	do {
		/* Each time: ThreadSanitizer puts a handler off until the next such call. */
		sigprocmask(SIG_UNBLOCK, &timed->heard, NULL);
		result = flock(fd, operation);
		errnum = errno;
		sigprocmask(SIG_BLOCK, &timed->stop, NULL);
	} while (result && (errnum == EINTR || errnum == EAGAIN /* 9p */) && !stop_arrived &&
		 clock_now() < deadline);
	/* No stop starts the timer again from here on, and no signal of its is left pending. */
	timer_settime(timed->timer, 0, &(struct itimerspec){0}, NULL);
	sigprocmask(SIG_SETMASK, &was, NULL);
	if (stop_arrived)
		raise(SIGTSTP); /* blocked, and so pending: a SIGCONT takes it back as it should, signal(7) */
	if (!result)
		ended = TIMED_FLOCK_LOCKED;
	else if (errnum != EINTR && errnum != EAGAIN)
		ended = TIMED_FLOCK_FAILED;
	else if (stop_arrived)
		ended = TIMED_FLOCK_STOP;
	errno = errnum;
	return ended;
}

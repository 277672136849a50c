#include "lock/timed_flock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "tempdir.h"

/* No test comes near it unless what it tests is broken. */
#define LONG (60 * CLOCK_SECOND)

static struct timed_flock timed;

static void wake(int signum)
{
	(void)signum;
}

static void block(int how, int signum)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, signum);
	cr_assert(zero(int, sigprocmask(how, &set, NULL)));
}

static bool is_pending(int signum)
{
	sigset_t pending;

	sigpending(&pending);
	return sigismember(&pending, signum);
}

static void setup(void)
{
	struct sigaction action = {.sa_handler = wake};

	tempdir_make();
	sigaction(SIGURG, &action, NULL);
	block(SIG_BLOCK, SIGTSTP);
	cr_assert(zero(int, timed_flock_open(&timed, SIGURG, true)));
}

static void teardown(void)
{
	timed_flock_close(&timed);
	tempdir_remove();
}

TestSuite(timed_flock, .init = setup, .fini = teardown, .timeout = 120);

/* No signal of the timer is pending or to come. */
static void check_quiet(void)
{
	struct itimerspec left;

	cr_assert(zero(int, timer_gettime(timed.timer, &left)));
	cr_assert(left.it_value.tv_sec == 0 && left.it_value.tv_nsec == 0, "the timer runs on");
	cr_assert(not(is_pending(SIGURG)));
}

static int open_file(void)
{
	int fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert(ge(int, fd, 0));
	return fd;
}

static int hold(void)
{
	int fd = open_file();

	cr_assert(zero(int, flock(fd, LOCK_EX | LOCK_NB)));
	return fd;
}

static enum timed_flock_result lock(int fd, int64_t duration)
{
	return timed_flock(&timed, fd, LOCK_EX, clock_add(clock_now(), duration));
}

/* Whether somebody waits for the file, by proc_locks(5): "1: -> FLOCK ... MAJOR:MINOR:INODE ..." */
static bool is_waited_for(int fd)
{
	char line[256], inode[32];
	bool found = false;
	FILE *locks = fopen("/proc/locks", "re");
	struct stat st;

	cr_assert(locks != NULL);
	cr_assert(zero(int, fstat(fd, &st)));
	snprintf(inode, sizeof(inode), ":%lu ", (unsigned long)st.st_ino);
	while (fgets(line, sizeof(line), locks))
		found |= strstr(line, "->") && strstr(line, inode);
	fclose(locks);
	return found;
}

/* Another thread, which hears no signal: does something once the file is waited for. */
struct helper {
	pthread_t thread;
	int holder;
	void (*act)(int holder);
};

static void *help(void *arg)
{
	struct helper *helper = arg;

	while (!is_waited_for(helper->holder))
		sched_yield();
	helper->act(helper->holder);
	return NULL;
}

static void start(struct helper *helper)
{
	sigset_t all, was;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &was);
	cr_assert(zero(int, pthread_create(&helper->thread, NULL, help, helper)));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
}

static void let_go(int holder)
{
	close(holder);
}

static void stop(int holder)
{
	(void)holder;
	kill(getpid(), SIGTSTP);
}

static void stray(int holder)
{
	for (int i = 0; i < 100; i++)
		kill(getpid(), SIGURG);
	close(holder);
}

Test(timed_flock, free_file_is_locked)
{
	int fd = open_file(), other = open_file();

	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_LOCKED));
	cr_assert(ne(int, flock(other, LOCK_EX | LOCK_NB), 0));
	close(fd);
	close(other);
}

Test(timed_flock, held_file_is_locked_when_its_holder_ends)
{
	struct helper helper = {.holder = hold(), .act = let_go};
	int fd = open_file();

	start(&helper);
	cr_assert(eq(int, timed_flock(&timed, fd, LOCK_SH, CLOCK_NEVER), TIMED_FLOCK_LOCKED));
	pthread_join(helper.thread, NULL);
	close(fd);
}

Test(timed_flock, deadline_ends_the_wait_and_not_before_its_time)
{
	int holder = hold(), fd = open_file();
	int64_t deadline = clock_now() + CLOCK_SECOND / 50;

	cr_assert(eq(int, timed_flock(&timed, fd, LOCK_EX, deadline), TIMED_FLOCK_DEADLINE));
	cr_assert(ge(i64, clock_now(), deadline));
	check_quiet();
	close(holder);
	close(fd);
}

/* Each time the timer may send before flock() is entered, and must send again. */
Test(timed_flock, deadline_that_has_passed_never_hangs)
{
	int holder = hold(), fd = open_file();

	for (int i = 0; i < 300; i++) {
		int64_t deadline = i % 3 ? clock_now() + i * 100 : 0;

		cr_assert(
			eq(int, timed_flock(&timed, fd, LOCK_EX, deadline), TIMED_FLOCK_DEADLINE));
	}
	close(holder);
	cr_assert(eq(int, timed_flock(&timed, fd, LOCK_EX, 0), TIMED_FLOCK_LOCKED),
		  "a lock that is free is had even so");
	close(fd);
}

Test(timed_flock, deadline_ends_the_wait_of_a_caller_that_blocks_the_signal)
{
	int holder = hold(), fd = open_file();
	sigset_t now;

	block(SIG_BLOCK, SIGURG);
	cr_assert(eq(int, lock(fd, CLOCK_SECOND / 100), TIMED_FLOCK_DEADLINE));
	sigprocmask(SIG_BLOCK, NULL, &now);
	cr_assert(sigismember(&now, SIGURG) && sigismember(&now, SIGTSTP));
	check_quiet();
	close(holder);
	close(fd);
}

Test(timed_flock, stray_signals_end_nothing)
{
	struct helper helper = {.holder = hold(), .act = stray};
	int fd = open_file();

	start(&helper);
	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_LOCKED));
	pthread_join(helper.thread, NULL);
	close(fd);
}

Test(timed_flock, failure_is_told_by_errno)
{
	int fd;

	close(open_file());
	fd = open("file", O_PATH | O_CLOEXEC); /* no flock() on such a one: EBADF */
	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_FAILED));
	cr_assert(eq(int, errno, EBADF));
	close(fd);
}

/* --- stops from the terminal -------------------------------------------------------------- */

Test(timed_flock, stop_ends_a_wait_that_has_no_other_end)
{
	struct helper helper = {.holder = hold(), .act = stop};
	int fd = open_file();

	start(&helper);
	cr_assert(eq(int, timed_flock(&timed, fd, LOCK_EX, CLOCK_NEVER), TIMED_FLOCK_STOP));
	pthread_join(helper.thread, NULL);
	cr_assert(is_pending(SIGTSTP));
	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_STOP), "told as long as it has not acted");
	kill(getpid(), SIGCONT);
	cr_assert(eq(int, lock(fd, CLOCK_SECOND / 100), TIMED_FLOCK_DEADLINE), "it was taken back");
	close(helper.holder);
	close(fd);
}

/* It comes before flock(), which it cannot end then: the timer does. */
Test(timed_flock, stop_that_came_before_the_wait_ends_it)
{
	int holder = hold(), fd = open_file();

	for (int i = 0; i < 100; i++) {
		kill(getpid(), SIGTSTP);
		cr_assert(eq(int, timed_flock(&timed, fd, LOCK_EX, CLOCK_NEVER), TIMED_FLOCK_STOP));
		check_quiet();
		kill(getpid(), SIGCONT);
	}
	close(holder);
	close(fd);
}

Test(timed_flock, stop_that_comes_with_the_lock_is_for_the_next_wait)
{
	int fd = open_file();
	struct helper helper;

	kill(getpid(), SIGTSTP);
	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_LOCKED));
	cr_assert(is_pending(SIGTSTP));
	helper = (struct helper){.holder = fd};
	fd = open_file();
	cr_assert(eq(int, lock(fd, LONG), TIMED_FLOCK_STOP));
	close(helper.holder);
	close(fd);
}

Test(timed_flock, stop_that_is_not_to_be_heard_stays_pending)
{
	int holder = hold(), fd = open_file();
	struct sigaction now;

	timed_flock_close(&timed);
	cr_assert(zero(int, timed_flock_open(&timed, SIGURG, false)));
	sigaction(SIGTSTP, NULL, &now);
	cr_assert(now.sa_handler == SIG_DFL);
	kill(getpid(), SIGTSTP);
	cr_assert(eq(int, lock(fd, CLOCK_SECOND / 100), TIMED_FLOCK_DEADLINE));
	cr_assert(is_pending(SIGTSTP));
	signal(SIGTSTP, SIG_IGN); /* discards it */
	close(holder);
	close(fd);
}

Test(timed_flock, close_puts_back_what_a_stop_did)
{
	struct sigaction action = {.sa_handler = wake}, now;

	timed_flock_close(&timed);
	sigaction(SIGTSTP, &action, NULL);
	cr_assert(zero(int, timed_flock_open(&timed, SIGURG, true)));
	sigaction(SIGTSTP, NULL, &now);
	cr_assert(now.sa_handler != wake);
	timed_flock_close(&timed);
	sigaction(SIGTSTP, NULL, &now);
	cr_assert(now.sa_handler == wake);
	cr_assert(zero(int, timed_flock_open(&timed, SIGURG, true)));
}

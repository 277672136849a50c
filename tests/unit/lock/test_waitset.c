#include "lock/waitset.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "tempdir.h"

/* No test comes near it unless what it tests is broken. */
#define LONG (60 * CLOCK_SECOND)

#define MANY 64

static struct waitset ws;
static struct error err;

static void setup(void)
{
	tempdir_make();
	cr_assert(zero(int, waitset_open(&ws, 0, &err)), "%s", err.text);
}

static void teardown(void)
{
	waitset_close(&ws);
	tempdir_remove();
}

TestSuite(waitset, .init = setup, .fini = teardown, .timeout = 120);

static int open_file(unsigned number)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), "file.%u", number);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	cr_assert(ge(int, fd, 0));
	return fd;
}

static int hold(unsigned number)
{
	int fd = open_file(number);

	cr_assert(zero(int, flock(fd, LOCK_EX | LOCK_NB)));
	return fd;
}

static bool is_held(unsigned number)
{
	int fd = open_file(number);
	bool held = flock(fd, LOCK_EX | LOCK_NB);

	close(fd);
	return held;
}

static void add(int fd, int operation, int key)
{
	cr_assert(zero(int, waitset_add(&ws, fd, operation, key)));
}

#define COMPANION 999 /* the number of a file that stays held, and its key */

/* Waits for one more file, so that each of them is waited for by a thread. Returns the holder's descriptor. */
static int add_companion(int *fd)
{
	int holder = hold(COMPANION);

	*fd = open_file(COMPANION);
	add(*fd, LOCK_EX, COMPANION);
	return holder;
}

static struct waitset_event next_event(void)
{
	struct waitset_event event = {.kind = WAITSET_DEADLINE};

	waitset_wait(&ws, clock_add(clock_now(), LONG), &event);
	return event;
}

/* Nothing has happened, as far as a look without waiting tells. */
static void check_nothing(void)
{
	struct waitset_event event = {.kind = WAITSET_STOP};

	waitset_wait(&ws, clock_now(), &event);
	cr_assert(eq(int, event.kind, WAITSET_DEADLINE));
}

Test(waitset, free_file_is_locked_and_reported)
{
	int fd = open_file(1);
	struct waitset_event event;

	add(fd, LOCK_EX, 7);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	cr_assert(eq(int, event.key, 7));
	cr_assert(zero(int, event.errnum));
	cr_assert(is_held(1));
	check_nothing();
	close(fd);
}

Test(waitset, lock_is_reported_when_its_holder_ends)
{
	int holder = hold(1), fd = open_file(1);
	struct waitset_event event;

	add(fd, LOCK_EX, 3);
	check_nothing();
	close(holder);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	cr_assert(eq(int, event.key, 3));
	cr_assert(is_held(1));
	close(fd);
	cr_assert(not(is_held(1)));
}

Test(waitset, shared_lock_is_shared)
{
	int holder = hold(1), fds[] = {open_file(1), open_file(1)};
	int keys = 0;

	add(fds[0], LOCK_SH, 1);
	add(fds[1], LOCK_SH, 2);
	close(holder);
	for (int i = 0; i < 2; i++) {
		struct waitset_event event = next_event();

		cr_assert(eq(int, event.kind, WAITSET_LOCKED));
		keys += event.key;
	}
	cr_assert(eq(int, keys, 3));
	cr_assert(is_held(1));
	close(fds[0]);
	close(fds[1]);
}

Test(waitset, deadline_comes_and_not_before_its_time)
{
	int holder = hold(1), fd = open_file(1);
	int64_t deadline = clock_now() + CLOCK_SECOND / 50;
	struct waitset_event event = {.kind = WAITSET_STOP};

	add(fd, LOCK_EX, 1);
	waitset_wait(&ws, deadline, &event);
	cr_assert(eq(int, event.kind, WAITSET_DEADLINE));
	cr_assert(ge(i64, clock_now(), deadline));
	waitset_clear(&ws);
	close(fd);
	close(holder);
}

Test(waitset, deadline_that_has_passed_is_told_at_once_but_a_lock_first)
{
	struct waitset_event event = {.kind = WAITSET_STOP};
	int fd = open_file(1), companion, holder = add_companion(&companion);

	waitset_wait(&ws, 0, &event);
	cr_assert(eq(int, event.kind, WAITSET_DEADLINE));
	add(fd, LOCK_EX, 1);
	/* Until the thread has got it: from then on the report may not be lost to the deadline. */
	while (!is_held(1))
		sched_yield();
	do
		waitset_wait(&ws, 0, &event);
	while (event.kind == WAITSET_DEADLINE);
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	waitset_clear(&ws);
	close(fd);
	close(companion);
	close(holder);
}

Test(waitset, failure_is_reported_with_its_errno)
{
	int fd;
	struct waitset_event event;

	close(open_file(1));
	fd = open("file.1", O_PATH | O_CLOEXEC); /* no flock() on such a one: EBADF */
	add(fd, LOCK_EX, 5);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_FAILED));
	cr_assert(eq(int, event.key, 5));
	cr_assert(eq(int, event.errnum, EBADF));
	check_nothing();
	close(fd);
}

Test(waitset, each_of_many_is_reported_once_when_it_is_free)
{
	int holders[MANY], fds[MANY];
	bool reported[MANY] = {false};

	for (unsigned i = 0; i < MANY; i++) {
		holders[i] = hold(i);
		fds[i] = open_file(i);
		add(fds[i], LOCK_EX, (int)i);
	}
	check_nothing();
	for (unsigned i = 0; i < MANY; i++) {
		unsigned which = i * 37 % MANY; /* not in the order they were added */
		struct waitset_event event;

		close(holders[which]);
		event = next_event();
		cr_assert(eq(int, event.kind, WAITSET_LOCKED));
		cr_assert(eq(int, event.key, (int)which));
		cr_assert(not(reported[which]));
		reported[which] = true;
	}
	check_nothing();
	for (unsigned i = 0; i < MANY; i++)
		close(fds[i]);
}

Test(waitset, many_that_become_free_at_once_are_all_reported)
{
	int holders[MANY], fds[MANY];
	bool reported[MANY] = {false};

	for (unsigned i = 0; i < MANY; i++) {
		holders[i] = hold(i);
		fds[i] = open_file(i);
		add(fds[i], LOCK_EX, (int)i);
	}
	for (unsigned i = 0; i < MANY; i++)
		close(holders[i]);
	for (unsigned i = 0; i < MANY; i++) {
		struct waitset_event event = next_event();

		cr_assert(eq(int, event.kind, WAITSET_LOCKED));
		cr_assert(not(reported[event.key]));
		reported[event.key] = true;
	}
	for (unsigned i = 0; i < MANY; i++)
		close(fds[i]);
}

/* --- alone or not ------------------------------------------------------------------------ */

static int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	int count = 0;

	cr_assert(tasks != NULL);
	for (struct dirent *entry; (entry = readdir(tasks));)
		count += *entry->d_name != '.';
	closedir(tasks);
	return count;
}

Test(waitset, file_that_is_alone_has_no_thread_and_each_of_two_has)
{
	int holders[] = {hold(1), hold(2)}, fds[] = {open_file(1), open_file(2)};
	int threads = count_threads();
	struct waitset_event event;

	add(fds[0], LOCK_EX, 1);
	check_nothing();
	cr_assert(eq(int, count_threads(), threads));
	add(fds[1], LOCK_EX, 2);
	cr_assert(eq(int, count_threads(), threads + 2));
	close(holders[0]); /* the one that was alone is still waited for */
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	cr_assert(eq(int, event.key, 1));
	close(holders[1]);
	event = next_event();
	cr_assert(eq(int, event.key, 2));
	cr_assert(eq(int, count_threads(), threads));
	add(fds[0], LOCK_EX, 3);
	cr_assert(eq(int, count_threads(), threads), "alone again");
	event = next_event();
	cr_assert(eq(int, event.key, 3));
	close(fds[0]);
	close(fds[1]);
}

/* --- clear ------------------------------------------------------------------------------- */

Test(waitset, clear_ends_all_waits)
{
	int holders[MANY], fds[MANY];

	for (unsigned i = 0; i < MANY; i++) {
		holders[i] = hold(i);
		fds[i] = open_file(i);
		add(fds[i], i % 2 ? LOCK_EX : LOCK_SH, (int)i);
	}
	waitset_clear(&ws);
	cr_assert_null(ws.entries);
	for (unsigned i = 0; i < MANY; i++)
		close(holders[i]);
	/* Nobody waits any more, so nobody was given what its holder let go. */
	for (unsigned i = 0; i < MANY; i++)
		cr_assert(not(is_held(i)), "file.%u", i);
	check_nothing();
	for (unsigned i = 0; i < MANY; i++)
		close(fds[i]);
}

/* Cleared while threads are only just being started: none may slip into flock() and stay. */
Test(waitset, clear_right_after_add_does_not_hang)
{
	int holder = hold(1);

	for (int round = 0; round < 500; round++) {
		int fds[] = {open_file(1), open_file(1)};

		add(fds[0], LOCK_EX, round);
		add(fds[1], LOCK_EX, round);
		waitset_clear(&ws);
		close(fds[0]);
		close(fds[1]);
	}
	close(holder);
	cr_assert(not(is_held(1)));
}

Test(waitset, lock_granted_but_not_reported_stays_on_its_descriptor)
{
	int fd = open_file(1), companion, holder = add_companion(&companion);

	add(fd, LOCK_EX, 1);
	while (!is_held(1))
		sched_yield();
	waitset_clear(&ws);
	cr_assert(is_held(1));
	check_nothing();
	close(fd);
	cr_assert(not(is_held(1)));
	close(companion);
	close(holder);
}

Test(waitset, can_be_used_again_after_clear)
{
	int holder = hold(1), fd = open_file(1);
	struct waitset_event event;

	waitset_clear(&ws);
	for (int key = 1; key <= 3; key++) {
		add(fd, LOCK_EX, key);
		waitset_clear(&ws);
	}
	add(fd, LOCK_EX, 4);
	close(holder);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	cr_assert(eq(int, event.key, 4));
	close(fd);
}

/* --- signals ----------------------------------------------------------------------------- */

static void handler(int signum)
{
	(void)signum;
}

Test(waitset, handler_of_the_waking_signal_is_put_back)
{
	struct sigaction action = {.sa_handler = handler}, now;

	waitset_close(&ws);
	sigaction(SIGURG, &action, NULL);
	cr_assert(zero(int, waitset_open(&ws, 0, &err)));
	sigaction(SIGURG, NULL, &now);
	cr_assert(now.sa_handler != handler);
	waitset_close(&ws);
	sigaction(SIGURG, NULL, &now);
	cr_assert(now.sa_handler == handler);
	signal(SIGURG, SIG_IGN);
	cr_assert(zero(int, waitset_open(&ws, 0, &err)));
	waitset_close(&ws);
	sigaction(SIGURG, NULL, &now);
	cr_assert(now.sa_handler == SIG_IGN);
	cr_assert(zero(int, waitset_open(&ws, 0, &err)));
}

/* Sent to the whole process, so that a waiting thread that did not block it would take it. */
static void stop_ourselves(bool blocked)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	cr_assert(zero(int, sigprocmask(blocked ? SIG_BLOCK : SIG_UNBLOCK, &stop, NULL)));
	kill(getpid(), SIGTSTP);
}

/* Reported as often as it is asked for, until it acts or a SIGCONT takes it back. */
static void check_stop(void)
{
	sigset_t pending;

	for (int i = 0; i < 3; i++) {
		struct waitset_event event = next_event();

		cr_assert(eq(int, event.kind, WAITSET_STOP));
		sigpending(&pending);
		cr_assert(sigismember(&pending, SIGTSTP));
	}
	kill(getpid(), SIGCONT);
	check_nothing();
}

Test(waitset, stop_from_the_terminal_is_reported_and_stays_pending)
{
	int holder = hold(1), fd = open_file(1);
	struct waitset_event event;

	waitset_close(&ws);
	cr_assert(zero(int, waitset_open(&ws, 1, &err)), "%s", err.text);
	add(fd, LOCK_EX, 1);
	stop_ourselves(true);
	check_stop();
	close(holder);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	close(fd);
}

Test(waitset, stop_from_the_terminal_is_reported_where_several_are_waited_for_too)
{
	int holder = hold(1), fd = open_file(1), companion, other = add_companion(&companion);
	struct waitset_event event;

	waitset_close(&ws); /* clears */
	cr_assert(zero(int, waitset_open(&ws, 1, &err)), "%s", err.text);
	add(companion, LOCK_EX, COMPANION);
	add(fd, LOCK_EX, 1);
	stop_ourselves(true);
	check_stop();
	close(holder);
	event = next_event();
	cr_assert(eq(int, event.kind, WAITSET_LOCKED));
	waitset_clear(&ws);
	close(fd);
	close(companion);
	close(other);
}

Test(waitset, stop_that_means_nothing_is_left_alone)
{
	signal(SIGTSTP, SIG_IGN);
	stop_ourselves(false);
	check_nothing();
}

Test(waitset, descriptors_are_close_on_exec)
{
	waitset_close(&ws);
	cr_assert(zero(int, waitset_open(&ws, 1, &err)));
	cr_assert(fcntl(ws.eventfd, F_GETFD) & FD_CLOEXEC);
	cr_assert(fcntl(ws.signalfd, F_GETFD) & FD_CLOEXEC);
}

#include "lock/acquire.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "caller.h"
#include "check.h"
#include "lock/held.h"
#include "lock/queue.h"
#include "tempdir.h"

TestSuite(acquire, .init = caller_setup, .fini = caller_teardown, .timeout = 120);

/* Nothing is held after that, nor stands in the queue. */
static void check_nothing_left(void)
{
	static const char *const names[] = {"slot.0", "slot.1", "slot.2", "ticket.1", "ticket.2"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_assert(not(tempdir_is_held(&caller_sd, names[i])), "%s is held", names[i]);
	cr_assert(not(tempdir_has(&caller_sd, "ticket.1")));
}

/* The descriptor that holds the only slot of the only lock. */
static int fd_of(const struct caller *caller)
{
	int fd = -1;

	cr_assert(eq(sz, grant_fds(caller->job.grants[0], &fd), 1));
	return fd;
}

/* --- alone ------------------------------------------------------------------------------- */

Test(acquire, I1_free_slot_is_held_until_it_is_released)
{
	struct caller caller;
	struct record record;
	char id[RECORD_SECRET_SIZE];

	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 1));
	check_text(grant_lock(caller.job.grants[0]), "default");
	cr_assert(not(grant_is_nested(caller.job.grants[0])));
	check_text(grant_file(caller.job.grants[0], 0), "slot.0");
	check_text(grant_label(caller.job.grants[0], 0), "0");
	cr_assert(fcntl(fd_of(&caller), F_GETFD) & FD_CLOEXEC);
	cr_assert(record_read(&record, fd_of(&caller)));
	record_id(caller.job.secret, id);
	check_text(record.id, id);
	check_text(record.worker, "w1");
	check_text(record.command, "make");
	cr_assert(eq(int, record.kind, RECORD_RUN));
	cr_assert(eq(int, record.process.pid, getpid()));
	cr_assert(eq(u64, record.count, 1));
	check_text(caller_heard, "");
	acquire_release(&caller.job);
	check_nothing_left();
	cr_assert(caller.job.grants[0] == NULL);
	acquire_release(&caller.job); /* once more is no harm */
}

Test(acquire, each_call_has_a_secret_of_its_own)
{
	struct caller first, second;

	caller_configure("[slots]\n* = 2\n");
	caller_prepare_for(&first, 1);
	caller_prepare_for(&second, 1);
	caller_check(&first, ACQUIRE_OK);
	caller_check(&second, ACQUIRE_OK);
	cr_assert_str_neq(first.job.secret, second.job.secret);
	check_text(grant_file(second.job.grants[0], 0), "slot.1");
	acquire_release(&first.job);
	acquire_release(&second.job);
}

Test(acquire, signal_mask_is_as_it_was)
{
	struct caller caller;
	sigset_t before, after;

	sigemptyset(&before);
	sigaddset(&before, SIGUSR2);
	sigprocmask(SIG_SETMASK, &before, NULL);
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	sigprocmask(SIG_SETMASK, NULL, &after);
	cr_assert(zero(int, sigismember(&after, SIGTSTP)));
	cr_assert(zero(int, sigismember(&after, SIGTTOU)));
	cr_assert(eq(int, sigismember(&after, SIGUSR2), 1));
	acquire_release(&caller.job);
}

/* --- without waiting --------------------------------------------------------------------- */

static struct acquire_report told; /* of the last news */

static void keep_report(const struct acquire_report *report)
{
	told = *report;
}

Test(acquire, nonblock_gives_up_where_all_is_busy)
{
	int fd = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	struct caller caller;

	caller_react = keep_report;
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	check_text(caller_heard, "X");
	cr_assert(eq(uint, told.held, 1));
	cr_assert(eq(uint, told.limit, 1));
	cr_assert(zero(u64, told.place));
	check_text(told.group, "hw1");
	check_text(told.lock, "default");
	close(fd);
	check_nothing_left();
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

Test(acquire, I3_newcomer_does_not_pass_a_live_ticket_to_a_free_slot)
{
	struct ticket ticket = caller_enter_queue(1, NULL);
	struct caller caller;

	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	cr_assert(not(tempdir_is_held(&caller_sd, "slot.0")));
	close(ticket.fd); /* dies, and leaves its file behind */
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
	check_nothing_left();
}

Test(acquire, deadline_that_has_passed_is_like_nonblock)
{
	int fd = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	struct caller caller;

	caller_prepare_for(&caller, 1);
	caller.job.deadline = clock_now();
	caller_check(&caller, ACQUIRE_TIMEOUT);
	check_text(caller_heard, "X");
	close(fd);
	check_nothing_left();
	caller.job.deadline = 0;
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

Test(acquire, timeout_comes_and_not_before_its_time)
{
	int fd = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	struct caller caller;

	caller_prepare_for(&caller, 1);
	caller.job.heartbeat = CLOCK_NEVER;
	caller.job.deadline = clock_now() + CLOCK_SECOND / 20;
	caller_check(&caller, ACQUIRE_TIMEOUT);
	cr_assert(ge(i64, clock_now(), caller.job.deadline));
	check_text(caller_heard, "WX");
	close(fd);
	check_nothing_left();
}

Test(acquire, timeout_in_the_queue_leaves_it)
{
	struct ticket ticket = caller_enter_queue(1, NULL);
	struct caller caller;

	caller_prepare_for(&caller, 1);
	caller.job.heartbeat = CLOCK_NEVER;
	caller.job.deadline = clock_now() + CLOCK_SECOND / 20;
	caller_check(&caller, ACQUIRE_TIMEOUT);
	check_text(caller_heard, "WX");
	cr_assert(not(tempdir_has(&caller_sd, "ticket.2")));
	cr_assert(tempdir_is_held(&caller_sd, "ticket.1"));
	queue_drop(&caller_sd, &ticket);
	check_nothing_left();
}

/* --- waiting ----------------------------------------------------------------------------- */

static int holder = -1;

/* The holder ends at the first news of that kind. */
static enum acquire_event end_at;

static void end_holder(const struct acquire_report *report)
{
	if (report->event == end_at && holder >= 0) {
		close(holder);
		holder = -1;
	}
}

Test(acquire, waiter_gets_the_slot_when_its_holder_ends)
{
	static const enum acquire_event when[] = {ACQUIRE_WAITS, ACQUIRE_HEARTBEAT};

	for (int i = 0; i < 2; i++) {
		struct caller caller;

		memset(caller_heard, 0, sizeof(caller_heard));
		/* Our record from the last round would say that we wait for ourselves. */
		unlinkat(caller_sd.fd, "slot.0", 0);
		holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
		caller_react = end_holder;
		end_at = when[i];
		caller_prepare_for(&caller, 1);
		caller_check(&caller, ACQUIRE_OK);
		check_text(caller_heard, "WG");
		cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
		cr_assert(not(tempdir_has(&caller_sd, "ticket.1")));
		acquire_release(&caller.job);
		check_nothing_left();
	}
}

static int beats;

static void end_holder_at_50(const struct acquire_report *report)
{
	beats += report->event == ACQUIRE_HEARTBEAT;
	if (beats >= 50 && holder >= 0) {
		close(holder);
		holder = -1;
	}
}

/* However short the heartbeat, the waiter does not spin: neither alone with a file nor with several. */
Test(acquire, heartbeats_are_a_millisecond_apart_at_least)
{
	caller_configure("[slots]\nhw1 = 2\n");
	for (int also_held = 0; also_held < 2; also_held++) {
		int other = also_held ? tempdir_hold(&caller_sd, "slot.1", LOCK_EX) : -1;
		struct caller caller;
		int64_t began = clock_now();

		beats = 0;
		unlinkat(caller_sd.fd, "slot.0", 0); /* and our record in it */
		holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
		caller_react = end_holder_at_50;
		caller_prepare_for(&caller, also_held ? 1 : 2);
		caller.job.heartbeat = 1;
		caller_check(&caller, ACQUIRE_OK);
		cr_assert(ge(i64, clock_now() - began, 49 * CLOCK_SECOND / 1000));
		acquire_release(&caller.job);
		if (also_held)
			close(other);
	}
}

static void look_at_ticket(const struct acquire_report *report)
{
	struct record record;
	int fd;

	if (report->event != ACQUIRE_WAITS)
		return;
	told = *report;
	fd = openat(caller_sd.fd, "ticket.1", O_RDONLY | O_CLOEXEC);
	cr_assert(record_read(&record, fd));
	close(fd);
	cr_assert(eq(int, record.kind, RECORD_WAIT));
	check_text(record.id, "");
	check_text(record.worker, "w1");
	cr_assert(eq(u64, record.count, 1));
	cr_assert(tempdir_is_held(&caller_sd, "ticket.1"));
	close(holder);
}

Test(acquire, I2_waiter_has_a_live_ticket_with_its_record)
{
	struct caller caller;
	struct record record;

	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller_react = look_at_ticket;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(u64, told.place, 1));
	cr_assert(record_read(&record, fd_of(&caller)));
	cr_assert(eq(int, record.kind, RECORD_RUN));
	cr_assert(eq(sz, strlen(record.id), RECORD_SECRET_SIZE - 1));
	acquire_release(&caller.job);
}

static struct ticket before_us;

/* First the one before us gives up, then, when we are first, the holder ends. */
static void move_up(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_WAITS) {
		cr_assert(eq(u64, report->place, 2));
	} else if (report->event == ACQUIRE_HEARTBEAT && before_us.fd >= 0) {
		queue_drop(&caller_sd, &before_us);
	} else if (report->event == ACQUIRE_FIRST) {
		cr_assert(eq(u64, report->place, 1));
		close(holder);
	}
}

Test(acquire, I3_second_in_the_queue_becomes_first)
{
	struct caller caller;

	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	before_us = caller_enter_queue(1, NULL);
	caller_react = move_up;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WFG");
	acquire_release(&caller.job);
	cr_assert(not(tempdir_has(&caller_sd, "ticket.2")));
}

static void report_holder(const struct acquire_report *report)
{
	if (report->event != ACQUIRE_WAITS)
		return;
	cr_assert(eq(uint, report->held, 3));
	cr_assert(eq(uint, report->limit, 3));
	cr_assert(ge(i64, report->waited, 0));
	cr_assert_not_null(report->holder);
	check_text(report->holder->worker, "oldest");
	close(holder);
}

Test(acquire, report_names_who_has_held_longest)
{
	static const char *const workers[] = {"newest", "oldest", "middle"};
	static const int64_t since[] = {300, 100, 200};
	struct caller caller;
	int fds[3];

	caller_configure("[slots]\n* = 3\n");
	for (int i = 0; i < 3; i++) {
		struct record record = {.process.pid = 1, .since = since[i]};
		struct record_text text;
		char name[32];

		strcpy(record.worker, workers[i]);
		record_format(&record, &text);
		snprintf(name, sizeof(name), "slot.%d", i);
		fds[i] = tempdir_hold(&caller_sd, name, LOCK_EX);
		cr_assert(zero(int, record_write(&text, &caller_sd, name, fds[i], &caller_err)));
	}
	holder = fds[2];
	caller_react = report_holder;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(grant_file(caller.job.grants[0], 0), "slot.2");
	acquire_release(&caller.job);
	close(fds[0]);
	close(fds[1]);
}

static void open_gate_at_note(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_NOTE && holder >= 0) {
		close(holder);
		holder = -1;
	}
}

Test(acquire, gate_that_is_held_is_waited_for_even_by_nonblock)
{
	struct caller caller;

	holder = tempdir_hold(&caller_sd, GATE_NAME, LOCK_EX);
	caller_react = open_gate_at_note;
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_OK);
	check_has(caller_heard, "N");
	cr_assert_null(strchr(caller_heard, 'X'));
	check_has(caller_last_note, "gate");
	acquire_release(&caller.job);
}

static void replace_gate(const struct acquire_report *report)
{
	static bool done;

	if (report->event != ACQUIRE_HEARTBEAT)
		return;
	if (!done) {
		tempdir_write_text("new", "");
		cr_assert(zero(int, renameat(AT_FDCWD, "new", caller_sd.fd, GATE_NAME)));
		done = true;
	} else if (holder >= 0) {
		close(holder);
		holder = -1;
	}
}

Test(acquire, gate_replaced_under_a_waiter_is_found_anew)
{
	struct caller caller;

	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller_react = replace_gate;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WG");
	acquire_release(&caller.job);
	check_nothing_left();
}

static void remove_directory(const struct acquire_report *report)
{
	static const char *const names[] = {"gate", "slot.0", "ticket.1"};

	if (report->event != ACQUIRE_HEARTBEAT || holder < 0)
		return;
	for (int i = 0; i < 3; i++)
		cr_assert(zero(int, unlinkat(caller_sd.fd, names[i], 0)));
	cr_assert(zero(int, rmdir("hw1/default")));
	close(holder);
	holder = -1;
}

Test(acquire, directory_removed_under_a_waiter_is_made_again)
{
	struct caller caller;

	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller_react = remove_directory;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	statedir_close(&caller_sd);
	tempdir_open_lock(&caller_sd);
	cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
	acquire_release(&caller.job);
	check_nothing_left();
}

static void remove_ticket(const struct acquire_report *report)
{
	static bool removed;

	if (report->event != ACQUIRE_HEARTBEAT)
		return;
	if (!removed) {
		cr_assert(zero(int, unlinkat(caller_sd.fd, "ticket.1", 0)));
		removed = true;
	} else if (holder >= 0 && tempdir_is_held(&caller_sd, "ticket.2")) {
		close(holder);
		holder = -1;
	}
}

/* Nobody who comes now would see the old one, and two would be head at once. */
Test(acquire, I3_ticket_removed_under_a_waiter_is_taken_anew)
{
	struct caller caller;

	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller_react = remove_ticket;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
	check_nothing_left();
}

static struct ticket others[2];
static int64_t deadline;

/*
 * Three are in the queue, ours last. Our ticket is removed, then the one before it ends. The first
 * stays until ours is taken anew; or, if it never is, until the deadline.
 */
static void remove_ticket_in_queue(const struct acquire_report *report)
{
	if (report->event != ACQUIRE_HEARTBEAT || others[0].fd < 0)
		return;
	if (others[1].fd >= 0) {
		cr_assert(zero(int, unlinkat(caller_sd.fd, "ticket.3", 0)));
		queue_drop(&caller_sd, &others[1]);
		deadline = clock_now() + 10 * CLOCK_SECOND;
	} else if (tempdir_is_held(&caller_sd, "ticket.4") || clock_now() > deadline) {
		cr_expect(tempdir_is_held(&caller_sd, "ticket.4"), "no ticket was taken anew");
		queue_drop(&caller_sd, &others[0]);
	}
}

/* Whoever comes then would not see it, and two would sleep on the same ticket, and pass it. */
Test(acquire, I7_ticket_removed_in_the_queue_is_taken_anew_behind_who_lives)
{
	struct caller caller;

	others[0] = caller_enter_queue(1, NULL);
	others[1] = caller_enter_queue(1, NULL);
	caller_react = remove_ticket_in_queue;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(lt(int, others[0].fd, 0));
	acquire_release(&caller.job);
	check_nothing_left();
	cr_assert(not(tempdir_has(&caller_sd, "ticket.4")));
}

/* --- weights ----------------------------------------------------------------------------- */

Test(acquire, I5_slots_asked_for_are_any_that_are_free)
{
	int fd = tempdir_hold(&caller_sd, "slot.1", LOCK_EX);
	struct caller caller;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&caller, 2);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 2));
	check_text(grant_file(caller.job.grants[0], 0), "slot.0");
	check_text(grant_file(caller.job.grants[0], 1), "slot.2");
	acquire_release(&caller.job);
	caller_prepare_for(&caller, 3);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	close(fd);
	check_nothing_left();
}

Test(acquire, all_is_as_many_as_the_limit)
{
	struct caller caller;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&caller, 0);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 3));
	acquire_release(&caller.job);
	check_nothing_left();
}

static int holders[2];

/* At each heartbeat of the big one a small one tries to pass it; one by one, slots fall free. */
static void try_to_pass(const struct acquire_report *report)
{
	static unsigned gathered;
	struct caller small;

	if (report->event != ACQUIRE_HEARTBEAT)
		return;
	caller_prepare_for(&small, 1);
	small.job.nonblock = true;
	small.job.tell = NULL;
	cr_assert(eq(int, acquire(&small.job, &caller_err), ACQUIRE_BUSY),
		  "a newcomer passed the head");
	if (gathered == 0) {
		cr_assert(tempdir_is_held(&caller_sd, "slot.1"),
			  "the head has not taken the free slot");
		close(holders[1]);
		gathered++;
	} else if (gathered == 1 && tempdir_is_held(&caller_sd, "slot.2")) {
		close(holders[0]);
		gathered++;
	}
}

Test(acquire, I3_head_gathers_its_slots_and_nobody_passes_it)
{
	struct caller caller;

	caller_configure("[slots]\n* = 3\n");
	holders[0] = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	holders[1] = tempdir_hold(&caller_sd, "slot.2", LOCK_EX);
	caller_react = try_to_pass;
	caller_prepare_for(&caller, 3);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WG");
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 3));
	acquire_release(&caller.job);
	check_nothing_left();
}

Test(acquire, impossible_request_is_refused_with_both_numbers)
{
	struct caller caller;

	caller_configure("[slots]\n* = 2\n");
	caller_prepare_for(&caller, 3);
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "3 slots");
	check_has(caller_err.text, "only 2");
	check_has(caller_err.text, "'hw1'");
	check_text(caller_heard, "");
	check_nothing_left();
}

Test(acquire, lock_that_is_not_in_the_config_is_refused)
{
	struct caller caller;
	char path[64];

	caller_prepare(&caller);
	caller_want(&caller, "link", 1);
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "'link'");
	snprintf(path, sizeof(path), "%s/hw1/link", tempdir);
	cr_assert(eq(int, access(path, F_OK), -1));
}

Test(acquire, missing_directory_is_an_error)
{
	struct caller caller;

	caller_prepare_for(&caller, 1);
	caller.job.directory = "/nowhere/at/all";
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "'/nowhere/at/all'");
	acquire_release(&caller.job);
}

/* --- several locks ----------------------------------------------------------------------- */

static struct statedir other_sd; /* of lock "zeta" */

static void open_two_locks(struct caller *caller)
{
	caller_configure("[slots]\n[slots alpha]\n[slots zeta]\n");
	cr_assert(eq(int, statedir_open(&other_sd, tempdir, "hw1", "zeta", true, &caller_err),
		     STATEDIR_OK));
	statedir_close(&caller_sd);
	cr_assert(eq(int, statedir_open(&caller_sd, tempdir, "hw1", "alpha", true, &caller_err),
		     STATEDIR_OK));
	caller_prepare(caller);
	caller_want(caller, "zeta", 1); /* not in the order of their names */
	caller_want(caller, "alpha", 1);
}

Test(acquire, several_locks_are_got_all)
{
	struct caller caller;

	open_two_locks(&caller);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
	cr_assert(tempdir_is_held(&other_sd, "slot.0"));
	check_text(grant_lock(caller.job.grants[0]), "zeta");
	check_text(grant_lock(caller.job.grants[1]), "alpha");
	acquire_release(&caller.job);
	check_nothing_left();
	cr_assert(not(tempdir_is_held(&other_sd, "slot.0")));
	statedir_close(&other_sd);
}

Test(acquire, several_locks_are_got_all_or_none)
{
	struct caller caller;
	int fd;

	open_two_locks(&caller);
	fd = tempdir_hold(&other_sd, "slot.0", LOCK_EX);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	check_nothing_left();
	caller.job.nonblock = false;
	caller.job.deadline = clock_now() + CLOCK_SECOND / 50;
	caller_check(&caller, ACQUIRE_TIMEOUT);
	check_nothing_left();
	cr_assert(not(tempdir_has(&other_sd, "ticket.1")));
	close(fd);
	cr_assert(not(tempdir_is_held(&other_sd, "slot.0")));
	statedir_close(&other_sd);
}

static void check_order(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_WAITS) {
		check_text(report->lock, "alpha");
		cr_assert(not(tempdir_is_held(&other_sd, "slot.0")));
		close(holder);
	}
}

/* So that two jobs that name the same locks never wait for each other. */
Test(acquire, several_locks_are_got_in_the_order_of_their_names)
{
	struct caller caller;

	open_two_locks(&caller);
	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller_react = check_order;
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WG");
	acquire_release(&caller.job);
	statedir_close(&other_sd);
}

Test(acquire, several_locks_of_which_one_is_impossible_are_refused_before_any_is_waited_for)
{
	struct caller caller;
	int fd;

	open_two_locks(&caller);
	fd = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
	caller.wants[0].count = 2;
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "'zeta'");
	check_text(caller_heard, "");
	close(fd);
	check_nothing_left();
	statedir_close(&other_sd);
}

Test(acquire, error_in_the_second_lock_gives_back_the_first)
{
	struct caller caller;

	open_two_locks(&caller);
	cr_assert(zero(int, symlinkat("elsewhere", other_sd.fd, "slot.0")));
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "/hw1/zeta/slot.0'");
	check_nothing_left();
	statedir_close(&other_sd);
}

/* --- nested calls ------------------------------------------------------------------------ */

/* The variable that a command of `outer` would find. */
static char *held_by(const struct caller *outer)
{
	char *list = NULL;

	for (unsigned i = 0; i < grant_count(outer->job.grants[0]); i++)
		cr_assert(zero(int, held_append(&list, outer->job.group, outer->wants[0].lock,
						grant_file(outer->job.grants[0], i),
						outer->job.secret)));
	return list;
}

Test(acquire, nested_call_passes_through)
{
	struct caller outer, inner;
	char *list;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&outer, 2);
	caller_check(&outer, ACQUIRE_OK);
	list = held_by(&outer);
	caller_prepare_for(&inner, 2);
	inner.job.held = list;
	caller_check(&inner, ACQUIRE_OK);
	cr_assert(grant_is_nested(inner.job.grants[0]));
	cr_assert(eq(uint, grant_count(inner.job.grants[0]), 2));
	check_text(grant_file(inner.job.grants[0], 0), "slot.0");
	check_text(grant_file(inner.job.grants[0], 1), "slot.1");
	check_text(grant_label(inner.job.grants[0], 1), "1");
	cr_assert(not(tempdir_is_held(&caller_sd, "slot.2")));
	acquire_release(&inner.job);
	cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
	cr_assert(tempdir_is_held(&caller_sd, "slot.1"));
	acquire_release(&outer.job);
	check_nothing_left();
	free(list);
}

Test(acquire, nested_call_is_told_the_names_of_its_slots)
{
	struct caller outer, inner;
	char *list;

	caller_configure("[slots]\nhw1 = Kit-A Kit-B\n");
	caller_prepare_for(&outer, 1);
	caller_check(&outer, ACQUIRE_OK);
	check_text(grant_file(outer.job.grants[0], 0), "slot.kit-a");
	list = held_by(&outer);
	caller_configure("[slots]\nhw1 = Kit-B Kit-A\n");
	caller_prepare_for(&inner, 1);
	inner.job.held = list;
	caller_check(&inner, ACQUIRE_OK);
	check_text(grant_label(inner.job.grants[0], 0), "Kit-A");
	acquire_release(&inner.job);
	acquire_release(&outer.job);
	free(list);
}

Test(acquire, nested_call_passes_those_who_wait)
{
	struct caller outer, inner;
	struct ticket ticket;
	char *list;

	caller_prepare_for(&outer, 1);
	caller_check(&outer, ACQUIRE_OK);
	list = held_by(&outer);
	ticket = caller_enter_queue(1, NULL);
	caller_prepare_for(&inner, 1);
	inner.job.held = list;
	caller_check(&inner, ACQUIRE_OK);
	cr_assert(grant_is_nested(inner.job.grants[0]));
	acquire_release(&inner.job);
	acquire_release(&outer.job);
	queue_drop(&caller_sd, &ticket);
	free(list);
}

Test(acquire, nested_call_for_more_than_is_held_is_refused)
{
	struct caller outer, inner;
	char *list;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&outer, 1);
	caller_check(&outer, ACQUIRE_OK);
	list = held_by(&outer);
	caller_prepare_for(&inner, 2);
	inner.job.held = list;
	caller_check(&inner, ACQUIRE_ERROR);
	check_has(caller_err.text, "2 slots");
	check_has(caller_err.text, "wait for itself");
	cr_assert(tempdir_is_held(&caller_sd, "slot.0"));
	acquire_release(&outer.job);
	free(list);
}

Test(acquire, nested_call_that_adds_takes_more_on_top)
{
	struct caller outer, inner;
	char *list;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&outer, 1);
	caller_check(&outer, ACQUIRE_OK);
	list = held_by(&outer);
	caller_prepare_for(&inner, 2);
	inner.job.held = list;
	inner.job.adds_to_held = true;
	caller_check(&inner, ACQUIRE_OK);
	cr_assert(not(grant_is_nested(inner.job.grants[0])));
	check_text(grant_file(inner.job.grants[0], 0), "slot.1");
	check_text(grant_file(inner.job.grants[0], 1), "slot.2");
	acquire_release(&inner.job);
	caller_prepare_for(&inner, 3);
	inner.job.held = list;
	inner.job.adds_to_held = true;
	caller_check(&inner, ACQUIRE_ERROR);
	check_has(caller_err.text, "wait for itself");
	acquire_release(&outer.job);
	check_nothing_left();
	free(list);
}

/* Who is in the queue waits for the outer command, and whoever adds would wait behind it. */
Test(acquire, nested_call_that_would_wait_for_who_waits_for_it_is_refused)
{
	struct caller outer, inner;
	struct ticket ticket;
	char *list;

	caller_configure("[slots]\n* = 3\n");
	caller_prepare_for(&outer, 2);
	caller_check(&outer, ACQUIRE_OK);
	list = held_by(&outer);
	ticket = caller_enter_queue(2, NULL);
	caller_prepare_for(&inner, 1);
	inner.job.held = list;
	inner.job.adds_to_held = true;
	caller_check(&inner, ACQUIRE_ERROR);
	check_has(caller_err.text, "wait");
	cr_assert(not(tempdir_has(&caller_sd, "ticket.2")));
	inner.job.nonblock = true;
	caller_check(&inner, ACQUIRE_BUSY);
	acquire_release(&outer.job);
	queue_drop(&caller_sd, &ticket);
	free(list);
}

Test(acquire, call_that_only_claims_to_be_nested_waits_like_others)
{
	struct caller outer, inner;

	caller_prepare_for(&outer, 1);
	caller_check(&outer, ACQUIRE_OK);
	caller_prepare_for(&inner, 1);
	inner.job.nonblock = true;
	inner.job.held = "hw1/default/slot.0=00112233445566778899aabbccddeeff";
	caller_check(&inner, ACQUIRE_BUSY);
	acquire_release(&outer.job);
	caller_check(&inner, ACQUIRE_OK);
	cr_assert(not(grant_is_nested(inner.job.grants[0])));
	acquire_release(&inner.job);
}

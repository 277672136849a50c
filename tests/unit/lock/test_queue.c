#include "lock/queue.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

/* Everything here happens under the gate, as queue.h asks. */
static struct statedir sd;
static struct gate gate;
static struct record_text text;
static struct error err;

static void setup(void)
{
	struct record record = {.kind = RECORD_WAIT, .worker = "w1", .process.pid = 4242};

	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(zero(int, fchdir(sd.fd)));
	record_format(&record, &text);
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
}

static void teardown(void)
{
	gate_close(&gate);
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(queue, .init = setup, .fini = teardown);

static struct ticket take(void)
{
	struct ticket ticket = {.fd = -1};

	cr_assert(zero(int, queue_enter(&gate, &ticket, &text, &err)), "%s", err.text);
	cr_assert(ge(int, ticket.fd, 0));
	return ticket;
}

/* The end of a process: its lock falls, its file stays. */
static void die(struct ticket *ticket)
{
	close(ticket->fd);
	ticket->fd = -1;
}

static bool is_empty(void)
{
	bool empty = false;

	cr_assert(zero(int, queue_is_empty(&gate, &empty, &err)), "%s", err.text);
	return empty;
}

static bool same_file(int fd, const char *name)
{
	return fd >= 0 && lockfile_is_current(&sd, name, fd);
}

/* Asserts which ticket is waited for by `ticket`; NULL: none, it is the head. */
static void check_before(const struct ticket *ticket, const char *expected)
{
	int fd = 77;

	cr_assert(zero(int, queue_before(&gate, ticket, &fd, &err)), "%s", err.text);
	if (!expected) {
		cr_assert(eq(int, fd, -1), "ticket %d is not the head", (int)ticket->number);
		return;
	}
	cr_assert(same_file(fd, expected), "ticket %d does not wait for %s", (int)ticket->number,
		  expected);
	close(fd);
}

/* --- I2 ---------------------------------------------------------------------------------- */

Test(queue, I2_numbers_ascend)
{
	struct ticket tickets[5];

	for (unsigned i = 0; i < 5; i++) {
		tickets[i] = take();
		cr_assert(eq(u64, tickets[i].number, i + 1));
	}
	for (unsigned i = 0; i < 5; i++)
		queue_drop(&sd, &tickets[i]);
	cr_assert(is_empty());
	tickets[0] = take();
	cr_assert(eq(u64, tickets[0].number, 6));
	queue_drop(&sd, &tickets[0]);
}

Test(queue, I2_ticket_lives_while_its_file_is_locked)
{
	struct ticket ticket = take();

	cr_assert(tempdir_is_held(&sd, "ticket.1"));
	cr_assert(not(is_empty()));
	die(&ticket);
	cr_assert(not(tempdir_is_held(&sd, "ticket.1")));
	cr_assert(is_empty());
}

Test(queue, I2_dead_ticket_never_revives)
{
	struct ticket ticket = take(), next;
	struct gate_counters before_death = gate.counters;
	int fd;

	die(&ticket);
	next = take();
	cr_assert(eq(u64, next.number, 2));
	check_before(&next, NULL);
	fd = tempdir_hold(&sd, "ticket.1", LOCK_EX); /* somebody plays a trick */
	check_before(&next, NULL);
	close(fd);
	queue_drop(&sd, &next);
	/* Nor is its number given out again, even if the counters are put back. */
	gate.counters = before_death;
	tempdir_write_text("ticket.2", "");
	next = take();
	cr_assert(eq(u64, next.number, 3));
	queue_drop(&sd, &next);
}

Test(queue, I2_number_found_used_is_passed_over)
{
	struct ticket first = take(), second = take(), third;

	die(&second); /* dead or alive */
	gate.counters.first = gate.counters.next = 1;
	third = take();
	cr_assert(eq(u64, third.number, 3));
	cr_assert(eq(u64, gate.counters.next, 4));
	check_before(&third, "ticket.1");
	queue_drop(&sd, &first);
	queue_drop(&sd, &third);
}

Test(queue, I2_record_is_in_the_ticket)
{
	struct ticket ticket = take();
	struct record record;

	cr_assert(record_read(&record, ticket.fd));
	check_text(record.worker, "w1");
	cr_assert(eq(int, record.kind, RECORD_WAIT));
	cr_assert(fcntl(ticket.fd, F_GETFD) & FD_CLOEXEC);
	queue_drop(&sd, &ticket);
}

/* --- I3 ---------------------------------------------------------------------------------- */

Test(queue, I3_nobody_in_line_at_first)
{
	int fd = 77;

	cr_assert(is_empty());
	cr_assert(zero(int, queue_first(&gate, &fd, &err)));
	cr_assert(eq(int, fd, -1));
	cr_assert(not(gate.dirty && gate.counters.next > 1));
}

Test(queue, I3_head_is_who_has_no_live_ticket_before)
{
	struct ticket tickets[3] = {take(), take(), take()};

	check_before(&tickets[0], NULL);
	check_before(&tickets[1], "ticket.1");
	check_before(&tickets[2], "ticket.2");
	cr_assert(zero(int, queue_advance(&gate, &tickets[0], &err)), "%s", err.text);
	queue_drop(&sd, &tickets[0]);
	check_before(&tickets[2], "ticket.2");
	check_before(&tickets[1], NULL);
	cr_assert(eq(u64, gate.counters.first, 2));
	queue_drop(&sd, &tickets[1]); /* gives up: nobody advanced the counters */
	check_before(&tickets[2], NULL);
	cr_assert(eq(u64, gate.counters.first, 3));
	queue_drop(&sd, &tickets[2]);
	cr_assert(is_empty());
}

Test(queue, I3_queue_is_not_empty_while_any_ticket_lives)
{
	struct ticket tickets[3] = {take(), take(), take()};

	die(&tickets[0]);
	cr_assert(not(is_empty()));
	cr_assert(eq(u64, gate.counters.first, 2));
	die(&tickets[1]);
	cr_assert(not(is_empty()));
	cr_assert(eq(u64, gate.counters.first, 3));
	cr_assert(gate.dirty);
	die(&tickets[2]);
	cr_assert(is_empty());
	cr_assert(eq(u64, gate.counters.first, 4));
	cr_assert(eq(u64, gate.counters.next, 4));
}

Test(queue, I3_first_is_the_head_and_what_its_record_says)
{
	struct ticket tickets[2] = {take(), take()};
	struct record record;
	int fd;

	die(&tickets[0]);
	cr_assert(zero(int, queue_first(&gate, &fd, &err)), "%s", err.text);
	cr_assert(same_file(fd, "ticket.2"));
	cr_assert(record_read(&record, fd));
	check_text(record.worker, "w1");
	close(fd);
	queue_drop(&sd, &tickets[1]);
}

/* The second in the queue wakes with a shared lock on the first's file, and may be slow to close it. */
Test(queue, I3_shared_lock_does_not_make_a_dead_ticket_live)
{
	struct ticket tickets[2] = {take(), take()};
	int waits = open("ticket.1", O_RDWR | O_CLOEXEC);

	die(&tickets[0]);
	cr_assert(zero(int, flock(waits, LOCK_SH | LOCK_NB)));
	check_before(&tickets[1], NULL);
	die(&tickets[1]);
	cr_assert(is_empty());
	close(waits);
}

/* A look must not leave a lock behind that a dead ticket would then seem to have. */
Test(queue, I6_looks_lock_nothing)
{
	struct ticket tickets[2] = {take(), take()};
	int fd;

	check_before(&tickets[1], "ticket.1");
	cr_assert(zero(int, queue_first(&gate, &fd, &err)));
	die(&tickets[0]);
	cr_assert(not(tempdir_is_held(&sd, "ticket.1")));
	close(fd);
	queue_drop(&sd, &tickets[1]);
}

Test(queue, I3_counters_that_are_an_old_copy_heal)
{
	struct ticket tickets[3] = {take(), take(), take()};

	gate.counters.first = 1;
	gate.counters.next = 2;
	gate.dirty = false;
	check_before(&tickets[2], "ticket.2");
	cr_assert(eq(u64, gate.counters.next, 4));
	cr_assert(gate.dirty);
	cr_assert(not(is_empty()));
	for (int i = 0; i < 3; i++)
		queue_drop(&sd, &tickets[i]);
}

Test(queue, I3_counters_that_went_past_a_waiter_heal)
{
	struct ticket ticket = take();

	gate.counters.first = gate.counters.next = 50;
	check_before(&ticket, NULL);
	cr_assert(eq(u64, gate.counters.first, 1));
	cr_assert(not(is_empty()));
	queue_drop(&sd, &ticket);
}

/* Then there may be others before it, which nobody would wait for any more. */
Test(queue, I3_counters_that_went_past_several_waiters_heal)
{
	struct ticket tickets[3] = {take(), take(), take()};

	gate.counters.first = gate.counters.next = 50;
	check_before(&tickets[2], "ticket.2");
	check_before(&tickets[1], "ticket.1");
	check_before(&tickets[0], NULL);
	for (int i = 0; i < 3; i++)
		queue_drop(&sd, &tickets[i]);
}

/* The largest number that a file's name makes believable must not hide the one given out next. */
Test(queue, I3_ticket_behind_the_largest_number_is_seen_by_all)
{
	struct ticket ticket;

	tempdir_write_text("ticket.4611686018427387902", "");
	cr_assert(zero(int, truncate(GATE_NAME, 0)));
	cr_assert(eq(int, gate_enter(&gate, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(is_empty());
	ticket = take();
	cr_assert(zero(int, gate_leave(&gate, &err)), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(not(is_empty()), "the queue is empty although a ticket lives");
	queue_drop(&sd, &ticket);
}

Test(queue, I3_tickets_far_apart_are_all_seen)
{
	struct ticket ticket;

	tempdir_write_text("ticket.1", ""); /* litter of long ago */
	tempdir_write_text("ticket.100000", "");
	cr_assert(zero(int, truncate(GATE_NAME, 0)));
	cr_assert(eq(int, gate_enter(&gate, &err), LOCKFILE_OK), "%s", err.text);
	ticket = take();
	cr_assert(eq(u64, ticket.number, 100001));
	cr_assert(zero(int, gate_leave(&gate, &err)), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(not(is_empty()));
	check_before(&ticket, NULL);
	queue_drop(&sd, &ticket);
}

/* --- I4 ---------------------------------------------------------------------------------- */

Test(queue, I4_ticket_out_of_line_lives_until_it_is_dropped)
{
	struct ticket tickets[2] = {take(), take()};

	gate.dirty = false;
	cr_assert(zero(int, queue_advance(&gate, &tickets[0], &err)), "%s", err.text);
	cr_assert(eq(u64, gate.counters.first, 2));
	cr_assert(gate.dirty);
	cr_assert(tempdir_is_held(&sd, "ticket.1"));
	queue_drop(&sd, &tickets[0]);
	cr_assert(not(tempdir_has(&sd, "ticket.1")));
	cr_assert(eq(int, tickets[0].fd, -1));
	queue_drop(&sd, &tickets[0]); /* once more is no harm */
	queue_drop(&sd, &tickets[1]);
}

/* --- I7 ---------------------------------------------------------------------------------- */

Test(queue, I7_each_waits_for_the_nearest_live_ticket_only)
{
	struct ticket tickets[5] = {take(), take(), take(), take(), take()};

	die(&tickets[1]);
	die(&tickets[3]);
	check_before(&tickets[4], "ticket.3");
	check_before(&tickets[2], "ticket.1");
	queue_drop(&sd, &tickets[0]);
	check_before(&tickets[4], "ticket.3");
	check_before(&tickets[2], NULL);
	queue_drop(&sd, &tickets[2]);
	check_before(&tickets[4], NULL);
	queue_drop(&sd, &tickets[4]);
}

/* --- I8 ---------------------------------------------------------------------------------- */

Test(queue, I8_killed_process_leaves_the_queue)
{
	struct ticket ticket;
	pid_t child = fork();
	int status;

	if (!child) {
		/* Inside too: it shares the description of the parent, which waits. */
		if (queue_enter(&gate, &ticket, &text, &err))
			_exit(1);
		kill(getpid(), SIGKILL);
	}
	cr_assert(eq(int, waitpid(child, &status, 0), child));
	cr_assert(eq(int, status, SIGKILL));
	cr_assert(tempdir_has(&sd, "ticket.1"));
	gate.counters.next = 2;
	cr_assert(is_empty());
}

Test(queue, I8_litter_is_removed_by_whoever_meets_it)
{
	struct ticket tickets[3] = {take(), take(), take()};

	die(&tickets[0]);
	die(&tickets[1]);
	cr_assert(not(is_empty()));
	cr_assert(not(tempdir_has(&sd, "ticket.1")));
	cr_assert(not(tempdir_has(&sd, "ticket.2")));
	cr_assert(tempdir_has(&sd, "ticket.3"));
	tempdir_write_text("ticket.2", "");
	gate.counters.first = 1;
	check_before(&tickets[2], NULL);
	cr_assert(not(tempdir_has(&sd, "ticket.2")));
	queue_drop(&sd, &tickets[2]);
	cr_assert(not(tempdir_has(&sd, "ticket.3")));
}

Test(queue, I8_removed_ticket_files_are_dead)
{
	struct ticket tickets[2] = {take(), take()};

	cr_assert(zero(int, unlink("ticket.1")));
	check_before(&tickets[1], NULL);
	queue_drop(&sd, &tickets[0]);
	queue_drop(&sd, &tickets[1]);
}

/* --- each -------------------------------------------------------------------------------- */

struct seen {
	char workers[64];
	int stop_at;
};

static int see(void *arg, const struct record *record)
{
	struct seen *seen = arg;

	strcat(seen->workers, record ? record->worker : "?");
	return --seen->stop_at ? 0 : 7;
}

static struct ticket take_as(const char *worker)
{
	struct record record = {.kind = RECORD_WAIT, .process.pid = 1};

	strcpy(record.worker, worker);
	record_format(&record, &text);
	return take();
}

Test(queue, each_visits_the_living_in_order)
{
	struct ticket tickets[4] = {take_as("a"), take_as("b"), take_as("c"), take_as("d")};
	struct seen all = {"", -1}, some = {"", 2};

	die(&tickets[1]);
	cr_assert(eq(long, pwrite(tickets[2].fd, "x", 1, 0), 1));
	cr_assert(zero(int, queue_each(&gate, see, &all, &err)), "%s", err.text);
	check_text(all.workers, "a?d");
	cr_assert(eq(int, queue_each(&gate, see, &some, &err), 7));
	check_text(some.workers, "a?");
	cr_assert(tempdir_is_held(&sd, "ticket.1"));
	for (int i = 0; i < 4; i++)
		queue_drop(&sd, &tickets[i]);
}

/* --- intact ------------------------------------------------------------------------------ */

Test(queue, ticket_is_intact_while_its_name_leads_to_it)
{
	struct ticket tickets[2] = {take(), take()};

	cr_assert(queue_is_intact(&sd, &tickets[0]));
	cr_assert(zero(int, unlink("ticket.1")));
	cr_assert(not(queue_is_intact(&sd, &tickets[0])));
	tempdir_write_text("ticket.1", "");
	cr_assert(not(queue_is_intact(&sd, &tickets[0])));
	cr_assert(queue_is_intact(&sd, &tickets[1]));
	queue_drop(&sd, &tickets[0]);
	queue_drop(&sd, &tickets[1]);
}

/* Forged counters can give out a number that nobody takes for a ticket's when counting anew. */
Test(queue, heal_does_not_walk_from_1_to_a_number_out_of_reach)
{
	struct ticket ticket;

	gate.counters.first = gate.counters.next = UINT64_MAX / 4;
	ticket = take();
	gate.counters.first = gate.counters.next = 1;
	check_before(&ticket, NULL);
	cr_assert(eq(u64, gate.counters.first, ticket.number));
	gate.counters.first = gate.counters.next = 1;
	tempdir_write_text("ticket.1", "");
	cr_assert(eq(int, queue_heal(&gate, &ticket, &err), -1));
	check_has(err.text, "too far apart");
	queue_drop(&sd, &ticket);
}

Test(queue, heal_counts_anew_only_if_the_ticket_is_denied)
{
	struct ticket tickets[3] = {take(), take(), take()};

	gate.dirty = false;
	cr_assert(zero(int, queue_heal(&gate, &tickets[1], &err)), "%s", err.text);
	cr_assert(not(gate.dirty));
	gate.counters.first = gate.counters.next = 1;
	cr_assert(zero(int, queue_heal(&gate, &tickets[1], &err)), "%s", err.text);
	cr_assert(gate.dirty);
	cr_assert(eq(u64, gate.counters.first, 1));
	cr_assert(eq(u64, gate.counters.next, 4));
	for (int i = 0; i < 3; i++)
		queue_drop(&sd, &tickets[i]);
}

/* --- place ------------------------------------------------------------------------------- */

Test(queue, place_of_the_head_is_1)
{
	struct ticket tickets[3] = {take(), take(), take()};

	for (unsigned i = 0; i < 3; i++)
		cr_assert(eq(u64, queue_place(&gate.counters, &tickets[i]), i + 1));
	cr_assert(zero(int, queue_advance(&gate, &tickets[0], &err)), "%s", err.text);
	cr_assert(eq(u64, queue_place(&gate.counters, &tickets[1]), 1));
	cr_assert(eq(u64, queue_place(&gate.counters, &tickets[2]), 2));
	gate.counters.first = 50; /* nonsense, but not below the first place */
	cr_assert(eq(u64, queue_place(&gate.counters, &tickets[2]), 1));
	for (int i = 0; i < 3; i++)
		queue_drop(&sd, &tickets[i]);
}

Test(queue, name_is_the_number)
{
	char name[QUEUE_NAME_SIZE];

	queue_name(name, 17);
	check_text(name, "ticket.17");
	queue_name(name, UINT64_MAX);
	check_text(name, "ticket.18446744073709551615");
}

/* --- what stands in the way -------------------------------------------------------------- */

Test(queue, drop_removes_only_its_own_file)
{
	struct ticket ticket = take();

	tempdir_write_text("new", "somebody else's");
	cr_assert(zero(int, rename("new", "ticket.1")));
	queue_drop(&sd, &ticket);
	cr_assert(eq(int, ticket.fd, -1));
	cr_assert(tempdir_has(&sd, "ticket.1"));
}

Test(queue, symlink_planted_for_a_ticket_is_refused)
{
	struct ticket ticket = {.fd = -1}, live = take();
	bool empty;
	int fd;

	cr_assert(zero(int, symlink("elsewhere", "ticket.2")));
	cr_assert(eq(int, queue_enter(&gate, &ticket, &text, &err), -1));
	check_has(err.text, "/hw1/default/ticket.2'");
	cr_assert(eq(int, ticket.fd, -1));
	cr_assert(eq(int, access("elsewhere", F_OK), -1));
	gate.counters.first = 2;
	gate.counters.next = 4;
	cr_assert(eq(int, queue_is_empty(&gate, &empty, &err), -1));
	check_has(err.text, "/hw1/default/ticket.2'");
	live.number = 3;
	cr_assert(eq(int, queue_before(&gate, &live, &fd, &err), -1));
	close(live.fd);
}

Test(queue, directory_removed_under_it_is_an_error)
{
	struct ticket ticket = {.fd = -1};

	cr_assert(zero(int, unlink(GATE_NAME)));
	cr_assert(zero(int, chdir(tempdir)));
	cr_assert(zero(int, rmdir("hw1/default")));
	cr_assert(eq(int, queue_enter(&gate, &ticket, &text, &err), -1));
	check_has(err.text, "was removed");
	cr_assert(eq(int, ticket.fd, -1));
}

Test(queue, ticket_that_cannot_be_written_leaves_nothing)
{
	struct ticket ticket = {.fd = -1};
	struct rlimit limit;

	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &limit)));
	limit.rlim_cur = 0;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	cr_assert(eq(int, queue_enter(&gate, &ticket, &text, &err), -1));
	check_has(err.text, "/hw1/default/ticket.1': File too large");
	cr_assert(eq(int, ticket.fd, -1));
	cr_assert(not(tempdir_has(&sd, "ticket.1")));
	cr_assert(is_empty());
}

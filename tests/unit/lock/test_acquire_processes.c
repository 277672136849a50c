/* Several processes that want the same slot: their order, their deaths and their stops. */
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "caller.h"
#include "check.h"
#include "tempdir.h"

TestSuite(acquire_processes, .init = caller_setup, .fini = caller_teardown, .timeout = 120);

/* Another process that asks for a slot. What it hears is written to `news`, a letter each. */
struct other {
	pid_t pid;
	int news;
};

static int news_out;

static void pass_on(const struct acquire_report *report)
{
	(void)report;
	if (write(news_out, caller_heard + strlen(caller_heard) - 1, 1) < 0)
		_exit(2);
}

/* The child's part: writes 'S' when it has its slot, and stays if it is told to. */
static void be_another(bool stays)
{
	struct caller caller;

	caller_react = pass_on;
	caller_prepare_for(&caller, 1);
	caller.job.heartbeat = CLOCK_NEVER;
	if (acquire(&caller.job, &caller_err) != ACQUIRE_OK || write(news_out, "S", 1) != 1)
		_exit(1);
	while (stays)
		pause();
	_exit(0);
}

/* Has slot.0 at first, where a test wants that; -1: nobody has. */
static int holder = -1;

static void hold(void)
{
	holder = tempdir_hold(&caller_sd, "slot.0", LOCK_EX);
}

static void end_holder(void)
{
	close(holder);
	holder = -1;
}

static struct other start(bool stays)
{
	struct other other;
	int fds[2];

	cr_assert(zero(int, pipe(fds)));
	other.pid = fork();
	if (!other.pid) {
		prctl(PR_SET_PDEATHSIG,
		      SIGKILL); /* whatever becomes of the test, it leaves nobody */
		news_out = fds[1];
		close(fds[0]);
		end_holder();  /* what the child inherited of it would hold on */
		setpgid(0, 0); /* a stop from the terminal means nothing in an orphaned group */
		be_another(stays);
	}
	cr_assert(gt(int, other.pid, 0));
	close(fds[1]);
	other.news = fds[0];
	return other;
}

static void check_news(const struct other *other, char expected)
{
	char letter = '-';

	cr_assert(ge(long, read(other->news, &letter, 1), 0));
	cr_assert(eq(chr, letter, expected));
}

static void finish(struct other *other, int expected_status)
{
	int status;

	cr_assert(eq(int, waitpid(other->pid, &status, 0), other->pid));
	cr_assert(eq(int, status, expected_status));
	close(other->news);
}

static void kill_it(struct other *other)
{
	kill(other->pid, SIGKILL);
	finish(other, SIGKILL);
}

Test(acquire_processes, I8_slot_of_a_killed_holder_is_free)
{
	struct other other = start(true);
	struct caller caller;

	check_news(&other, 'S');
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	kill_it(&other);
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

Test(acquire_processes, I3_waiters_are_served_in_order)
{
	struct other others[6];

	hold();
	for (int i = 0; i < 6; i++) {
		others[i] = start(true);
		check_news(&others[i], 'W');
	}
	end_holder();
	for (int i = 0; i < 6; i++) {
		check_news(&others[i], 'G');
		check_news(&others[i], 'S');
		if (i < 5)
			check_news(&others[i + 1], 'F');
		for (int j = i + 1; j < 6; j++) {
			char name[QUEUE_NAME_SIZE];

			queue_name(name, (uint64_t)j + 1);
			cr_assert(tempdir_is_held(&caller_sd, name), "%s does not wait", name);
		}
		kill_it(&others[i]);
	}
}

Test(acquire_processes, I8_waiter_behind_a_killed_one_moves_up)
{
	struct other others[3];

	hold();
	for (int i = 0; i < 3; i++) {
		others[i] = start(false);
		check_news(&others[i], 'W');
	}
	kill_it(&others[1]); /* in the middle: nothing changes for anybody */
	kill_it(&others[0]); /* the head */
	check_news(&others[2], 'F');
	end_holder();
	check_news(&others[2], 'G');
	check_news(&others[2], 'S');
	finish(&others[2], 0);
	cr_assert(not(tempdir_is_held(&caller_sd, "slot.0")));
}

Test(acquire_processes, I9_stop_from_the_terminal_leaves_the_queue)
{
	struct other other;
	int status;

	hold();
	other = start(false);
	check_news(&other, 'W');
	cr_assert(tempdir_is_held(&caller_sd, "ticket.1"));
	kill(other.pid, SIGTSTP);
	cr_assert(eq(int, waitpid(other.pid, &status, WUNTRACED), other.pid));
	cr_assert(eq(int, status, SIGTSTP << 8 | 0x7f), "not stopped but status %x", status);
	cr_assert(not(tempdir_has(&caller_sd, "ticket.1")));
	kill(other.pid, SIGCONT);
	check_news(&other, 'W');
	cr_assert(tempdir_is_held(&caller_sd, "ticket.2"));
	end_holder();
	check_news(&other, 'G');
	check_news(&other, 'S');
	finish(&other, 0);
}

Test(acquire_processes, I9_nobody_waits_for_a_stopped_process)
{
	struct caller caller;
	struct other other;
	int status;

	hold();
	other = start(false);
	check_news(&other, 'W');
	kill(other.pid, SIGTSTP);
	cr_assert(eq(int, waitpid(other.pid, &status, WUNTRACED), other.pid));
	end_holder();
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
	kill(other.pid, SIGCONT);
	check_news(&other, 'S');
	finish(&other, 0);
}

/* The stop comes before the sleep, and the slot only after it. */
static void stop_and_sleep(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_WAITS)
		kill(getpid(), SIGTSTP);
	if (report->event == ACQUIRE_HEARTBEAT && holder >= 0)
		end_holder();
}

static void check_stop_means_nothing(void)
{
	struct caller caller;

	hold();
	caller_react = stop_and_sleep;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WG");
	acquire_release(&caller.job);
}

Test(acquire_processes, I9_stop_that_the_caller_ignores_means_nothing)
{
	signal(SIGTSTP, SIG_IGN);
	check_stop_means_nothing();
}

Test(acquire_processes, I9_stop_that_the_caller_blocks_is_left_for_later)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTSTP);
	sigprocmask(SIG_BLOCK, &stop, NULL);
	check_stop_means_nothing();
	sigpending(&stop);
	cr_assert(eq(int, sigismember(&stop, SIGTSTP), 1));
}

/* Holds slot.0 as a command does that has ended, while its keeper has yet to let the slot go. */
static void hold_as_ended(void)
{
	struct record record = {.kind = RECORD_RUN};
	struct record_text text;
	int fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	pid = fork();
	if (!pid) {
		proc_self(&record.process);
		_exit(write(fds[1], &record, sizeof(record)) != (ssize_t)sizeof(record));
	}
	cr_assert(eq(long, read(fds[0], &record, sizeof(record)), (long)sizeof(record)));
	cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
	close(fds[0]);
	close(fds[1]);
	hold();
	record_format(&record, &text);
	cr_assert(zero(int, record_write(&text, &caller_sd, "slot.0", holder, &caller_err)));
}

static void end_at_heartbeat(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_HEARTBEAT && holder >= 0)
		end_holder();
}

Test(acquire_processes, slot_of_an_ended_command_is_not_busy_but_soon_free)
{
	struct caller caller;

	hold_as_ended();
	caller_react = end_at_heartbeat;
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	/* On a machine so slow that the second of patience is over before a heartbeat, once more. */
	if (acquire(&caller.job, &caller_err) == ACQUIRE_BUSY)
		caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

/* Its keeper was killed, and something that it left behind has the slot. */
Test(acquire_processes, slot_of_an_ended_command_that_nobody_frees_is_busy)
{
	struct caller caller;

	hold_as_ended();
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	check_text(caller_heard, "X");
	end_holder();
	cr_assert(not(tempdir_is_held(&caller_sd, "slot.0")));
}

static struct ticket head;
static pid_t named;

static void see_stopped(const struct acquire_report *report)
{
	if (!report->stopped || head.fd < 0)
		return;
	named = report->stopped->process.pid;
	queue_drop(&caller_sd, &head);
}

/* A process that is stopped, and who it is. */
static struct proc_identity stopped_process(void)
{
	struct proc_identity child;
	int fds[2], status;
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		proc_self(&child);
		if (write(fds[1], &child, sizeof(child)) == (ssize_t)sizeof(child))
			raise(SIGSTOP);
		for (;;)
			pause();
	}
	cr_assert(eq(long, read(fds[0], &child, sizeof(child)), (long)sizeof(child)));
	cr_assert(eq(int, waitpid(pid, &status, WUNTRACED), pid));
	close(fds[0]);
	close(fds[1]);
	return child;
}

Test(acquire_processes, I9_stopped_head_is_named_to_those_behind_it)
{
	struct proc_identity child = stopped_process();
	struct caller caller;

	head = caller_enter_queue(1, &child);
	caller_react = see_stopped;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(int, named, child.pid));
	acquire_release(&caller.job);
	kill(child.pid, SIGKILL);
	cr_assert(eq(int, waitpid(child.pid, NULL, 0), child.pid));
}

/* It wants both slots, has one, and could have the other. */
Test(acquire_processes, I9_stopped_head_that_has_gathered_slots_is_named)
{
	struct proc_identity child = stopped_process();
	struct record record = {.kind = RECORD_RUN, .process = child, .count = 2};
	struct record_text text;
	struct caller caller;

	caller_configure("[slots]\n* = 2\n");
	hold();
	record_format(&record, &text);
	cr_assert(zero(int, record_write(&text, &caller_sd, "slot.0", holder, &caller_err)));
	head = caller_enter_queue(2, &child);
	caller_react = see_stopped;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(int, named, child.pid));
	acquire_release(&caller.job);
	end_holder();
	kill(child.pid, SIGKILL);
	cr_assert(eq(int, waitpid(child.pid, NULL, 0), child.pid));
}

static void let_head_go(const struct acquire_report *report)
{
	static int beats;

	cr_assert_null(report->stopped);
	if (report->event == ACQUIRE_HEARTBEAT && ++beats == 5)
		queue_drop(&caller_sd, &head);
}

/* It runs, as far as the kernel knows; that it is slow to take its slot is no stop. */
Test(acquire_processes, I9_head_that_runs_is_not_called_stopped)
{
	struct proc_identity self;
	struct caller caller;

	proc_self(&self);
	head = caller_enter_queue(1, &self);
	caller_react = let_head_go;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

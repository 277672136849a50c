/* What a report finds in a directory that the test has made. */
#include "status/report.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "lock/gate.h"
#include "tempdir.h"

static struct statedir sd;
static struct proc_identity self;
static struct report_query query;
static struct report report;
static struct config *config;
static struct error err;

static void configure(const char *text)
{
	config_free(config);
	tempdir_write_text("groups.ini", text);
	config = config_load("groups.ini", &err);
	cr_assert_not_null(config, "%s", err.text);
	query.config = config;
}

static void setup(void)
{
	struct gate gate;

	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_OK), "%s", err.text);
	gate_close(&gate);
	query.directory = tempdir;
	configure("[slots]\nhw1 = 2\n");
	proc_self(&self);
}

static void teardown(void)
{
	report_free(&report);
	config_free(config);
	names_free(&query.groups);
	names_free(&query.locks);
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(report, .init = setup, .fini = teardown);

/* Somebody has the file, which has a record of `process`. */
static int hold_as(const char *file, enum record_kind kind, const struct proc_identity *process)
{
	struct record record = {
		.kind = kind, .process = *process, .since = clock_wall(), .count = 1};
	struct record_text text;
	int fd = tempdir_hold(&sd, file, LOCK_EX);

	record_format(&record, &text);
	cr_assert(zero(int, record_write(&text, &sd, file, fd, &err)), "%s", err.text);
	return fd;
}

static void gather(void)
{
	report_free(&report);
	cr_assert(zero(int, report_gather(&report, &query, &err)), "%s", err.text);
	check_text(report.problem.text, "");
}

static void gather_fails(const char *reason)
{
	report_free(&report);
	cr_assert(eq(int, report_gather(&report, &query, &err), -1));
	check_has(err.text, reason);
}

/* Gathers, and compares "NAME:STATE ..." of the first lock's rows, waiters being named +TICKET. */
static void check_rows(const char *expected)
{
	char text[1024] = "";

	gather();
	cr_assert(ge(uint, report.count, 1));
	check_text(report.locks[0].problem.text, "");
	for (unsigned i = 0; i < report.locks[0].count; i++) {
		const struct report_row *row = &report.locks[0].rows[i];
		size_t used = strlen(text);

		if (row->place)
			snprintf(text + used, sizeof(text) - used, " +%u", (unsigned)row->ticket);
		else
			snprintf(text + used, sizeof(text) - used, " %s",
				 row->name ? row->name : "-");
		used = strlen(text);
		snprintf(text + used, sizeof(text) - used, ":%s", report_state_name(row->state));
	}
	check_text(text, expected);
}

/* A process that was here. */
static struct proc_identity ended(void)
{
	struct proc_identity other;
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	proc_other(&other, &self, child);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return other;
}

Test(report, slots_come_before_waiters_in_their_order)
{
	check_rows(" 0:free 1:free");
	hold_as("slot.1", RECORD_RUN, &self);
	hold_as("ticket.10", RECORD_WAIT, &self);
	hold_as("ticket.9", RECORD_WAIT, &self);
	close(hold_as("ticket.8", RECORD_WAIT, &self));
	check_rows(" 0:free 1:held +9:waiting +10:waiting");
	cr_assert(eq(uint, report.locks[0].held, 1));
	cr_assert(eq(uint, report.locks[0].waiting, 2));
	cr_assert(eq(uint, report.locks[0].rows[2].place, 1));
	cr_assert(eq(uint, report.locks[0].rows[3].place, 2));
}

/* After a look all locks are as they were, and so are all files. */
Test(report, I6_a_look_leaves_nothing_behind)
{
	hold_as("slot.1", RECORD_RUN, &self);
	close(tempdir_hold(&sd, "slot.0", LOCK_EX));
	close(hold_as("ticket.8", RECORD_WAIT, &self));
	check_rows(" 0:free 1:held");
	cr_assert(not(tempdir_is_held(&sd, "slot.0")));
	cr_assert(tempdir_is_held(&sd, "slot.1"));
	cr_assert(not(tempdir_is_held(&sd, GATE_NAME)));
	cr_assert(tempdir_has(&sd, "ticket.8"));
}

/* Whether process `pid` sleeps in flock(). */
static bool is_asleep(pid_t pid)
{
	FILE *locks = fopen("/proc/locks", "r");
	char line[256], waiter[32];
	bool found = false;

	snprintf(waiter, sizeof(waiter), "WRITE %ld ", (long)pid);
	while (locks && fgets(line, sizeof(line), locks))
		found |= strstr(line, "-> FLOCK") && strstr(line, waiter);
	if (locks)
		fclose(locks);
	return found;
}

Test(report, I6_a_look_waits_for_the_gate)
{
	int gate = tempdir_hold(&sd, GATE_NAME, LOCK_SH), status = -1;
	int64_t until = clock_now() + 30 * CLOCK_SECOND;
	pid_t child = fork();

	if (!child) {
		close(gate);
		_exit(report_gather(&report, &query, &err) || *report.locks[0].problem.text);
	}
	while (!is_asleep(child)) {
		cr_assert(zero(int, waitpid(child, NULL, WNOHANG)), "it did not wait");
		cr_assert(lt(i64, clock_now(), until), "it does not wait");
		usleep(1000);
	}
	close(gate);
	cr_assert(eq(int, waitpid(child, &status, 0), child));
	cr_assert(zero(int, status));
}

Test(report, slots_above_the_limit_show_while_they_are_held)
{
	hold_as("slot.2", RECORD_RUN, &self);
	hold_as("slot.10", RECORD_RUN, &self);
	hold_as("slot.kit-a", RECORD_RUN, &self);
	close(hold_as("slot.3", RECORD_RUN, &self));
	check_rows(" 0:free 1:free 2:held 10:held kit-a:held");
	cr_assert(not(report.locks[0].rows[1].above_limit));
	cr_assert(report.locks[0].rows[2].above_limit);
	configure("[slots]\nhw1 = Kit-B kit-a\n");
	check_rows(" Kit-B:free kit-a:held 2:held 10:held");
	configure("[slots]\nhw1 = 0\n");
	check_rows(" -:closed 2:held 10:held kit-a:held");
}

Test(report, what_grouplock_never_made_is_not_there)
{
	static const char *const strange[] = {"slot.",     "slot.01",   "slot.1024", "slot.Kit",
					      "slot.%2f",  "slot.%41",  "ticket.",   "ticket.01",
					      "ticket.-1", "ticket.1x", "slots.7"};

	for (size_t i = 0; i < sizeof(strange) / sizeof(*strange); i++)
		tempdir_hold(&sd, strange[i], LOCK_EX);
	check_rows(" 0:free 1:free");
}

Test(report, holder_that_has_ended_has_leaked_its_slot)
{
	struct proc_identity gone = ended();

	hold_as("slot.0", RECORD_RUN, &self);
	hold_as("slot.1", RECORD_KEEP, &gone);
	check_rows(" 0:held 1:leaked");
	cr_assert(eq(uint, report.locks[0].held, 2));
	cr_assert(not(report.locks[0].rows[0].searched));
	cr_assert(report.locks[0].rows[1].searched);
	cr_assert(eq(uint, report.locks[0].rows[1].process_count, 1));
	cr_assert(eq(int, report.locks[0].rows[1].processes[0].pid, getpid()));
}

/* What a pid means in another place is not known here. */
Test(report, holder_that_is_elsewhere_may_live)
{
	struct proc_identity gone = ended(), elsewhere = gone;

	strcpy(elsewhere.boot, "another");
	hold_as("slot.0", RECORD_RUN, &elsewhere);
	elsewhere = gone;
	elsewhere.pidns++;
	hold_as("slot.1", RECORD_RUN, &elsewhere);
	check_rows(" 0:held 1:held");
}

static void *let_go(void *fd)
{
	usleep(30000);
	close((int)(intptr_t)fd);
	return NULL;
}

/* A keeper that is about to let go: the first looks find it, the last do not. */
Test(report, holder_that_has_just_ended_is_no_leak)
{
	struct proc_identity gone = ended();
	int fd = hold_as("slot.0", RECORD_RUN, &gone);
	pthread_t keeper;

	cr_assert(zero(int, pthread_create(&keeper, NULL, let_go, (void *)(intptr_t)fd)));
	check_rows(" 0:free 1:free");
	pthread_join(keeper, NULL);
}

Test(report, expired_claim_is_remembered)
{
	struct record record = {.kind = RECORD_CLAIM,
				.state = RECORD_EXPIRED,
				.process = self,
				.id = "1a2b3c4d5e6f"};
	struct record_text text;
	int fd = tempdir_hold(&sd, "slot.0", LOCK_EX);

	record_format(&record, &text);
	cr_assert(zero(int, record_write(&text, &sd, "slot.0", fd, &err)));
	close(fd);
	check_rows(" 0:free 1:free");
	cr_assert(report.locks[0].rows[0].expired);
	check_text(report.locks[0].rows[0].who->id, "1a2b3c4d");
	cr_assert(not(report.locks[0].rows[1].expired));
}

/* "GROUP/LOCK ..." of all that is in the report. */
static void check_locks(const char *expected)
{
	char text[1024] = "";

	gather();
	for (unsigned i = 0; i < report.count; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "%s%s/%s", i ? " " : "",
			 report.locks[i].group, report.locks[i].lock);
	}
	check_text(text, expected);
}

Test(report, groups_come_from_config_and_directory)
{
	struct statedir stray;
	struct gate gate;

	configure(
		"[workers]\na = HW10\nb-* = hw9\n[slots]\nhw2 = 1\nx* = 3\n* = 1\n[slots link]\nhw3 = 1\n");
	check_locks(
		"hw1/default hw1/link hw2/default hw2/link hw3/default hw3/link hw9/default hw9/link "
		"hw10/default hw10/link");
	cr_assert(eq(int, statedir_open(&stray, tempdir, "stray", "old", true, &err), STATEDIR_OK));
	names_add(&query.groups, "stray");
	gather_fails("no group 'stray'"); /* nothing of ours is in it yet */
	cr_assert(eq(int, gate_open(&gate, &stray, &err), LOCKFILE_OK));
	gate_close(&gate);
	check_locks("stray/default stray/link");
	close(openat(stray.fd, "slot.0", O_RDWR | O_CREAT, 0600));
	tempdir_hold(&stray, "slot.0", LOCK_EX);
	check_locks("stray/default stray/link stray/old");
	names_add(&query.locks, "old");
	check_locks("stray/old");
	statedir_close(&stray);
}

Test(report, unknown_names_are_errors_that_say_what_there_is)
{
	names_add(&query.groups, "hw1");
	names_add(&query.groups, "hw7");
	gather_fails("no group 'hw7'");
	check_has(err.text, "there are: hw1");
	names_free(&query.groups);
	names_add(&query.locks, "link");
	gather_fails("no lock 'link'");
	check_has(err.text, "there are: default");
}

Test(report, directory_that_is_not_there_is_empty)
{
	query.directory = "nowhere";
	gather();
	cr_assert(zero(uint, report.count));
	query.directory = "groups.ini";
	gather_fails("'groups.ini'");
}

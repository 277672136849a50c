#include "lock/held.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "lock/record.h"
#include "tempdir.h"

#define SECRET "00112233445566778899aabbccddeeff"
#define OTHER_SECRET "ffeeddccbbaa99887766554433221100"

static struct statedir sd;
static struct gate gate;
static struct proc_identity self;
static struct error err;

static void setup(void)
{
	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(zero(int, fchdir(sd.fd)));
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
	proc_self(&self);
}

static void teardown(void)
{
	gate_close(&gate);
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(held, .init = setup, .fini = teardown);

static struct record our_record(void)
{
	struct record record = {.kind = RECORD_RUN, .process = self};

	record_id(SECRET, record.id);
	return record;
}

/* Somebody holds the slot, and its file has that record. */
static int hold_as(const char *file, const struct record *record)
{
	struct record_text text;
	int fd = tempdir_hold(&sd, file, LOCK_EX);

	record_format(record, &text);
	cr_assert(zero(int, record_write(&text, &sd, file, fd, &err)), "%s", err.text);
	return fd;
}

static int hold(const char *file)
{
	struct record record = our_record();

	return hold_as(file, &record);
}

/* held_check(), with the files that it found, blank separated. */
static int check_list(const char *list, const char *group, const char *lock, struct gate *in,
		      char files[256])
{
	struct names held = {0};
	int result = held_check(list, group, lock, in, &self, &held, &err);

	*files = '\0';
	for (unsigned i = 0; i < held.count; i++)
		snprintf(files + strlen(files), 256 - strlen(files), "%s%s", i ? " " : "",
			 held.list[i]);
	names_free(&held);
	return result;
}

static void check_held_in(const char *list, const char *group, const char *lock,
			  const char *expected)
{
	char files[256] = "";

	cr_assert(zero(int, check_list(list, group, lock, &gate, files)), "%s", err.text);
	cr_assert_str_eq(files, expected, "of '%s': got '%s', expected '%s'", list, files,
			 expected);
}

static void check_held(const char *list, const char *expected)
{
	check_held_in(list, "hw1", "default", expected);
}

static void check_unknown(const char *list)
{
	char files[256] = "";

	cr_assert(eq(int, check_list(list, "hw1", "default", &gate, files), -1));
	cr_assert(zero(str, files));
	cr_assert(not(zero(ptr, strstr(err.text, "slot.0' is held and GROUPLOCK_HELD names it"))),
		  "%s", err.text);
}

/* --- what is held ------------------------------------------------------------------------ */

Test(held, slot_that_is_locked_and_has_the_id_is_held)
{
	int fd = hold("slot.0");

	check_held("hw1/default/slot.0=" SECRET, "slot.0");
	cr_assert(tempdir_is_held(&sd, "slot.0"));
	close(fd);
}

Test(held, several_slots_are_told_in_the_order_of_the_list)
{
	int fds[] = {hold("slot.0"), hold("slot.kit-a"), hold("slot.7")};

	check_held("hw1/default/slot.7=" SECRET " hw1/default/slot.0=" SECRET
		   " hw1/default/slot.kit-a=" SECRET,
		   "slot.7 slot.0 slot.kit-a");
	check_held("  hw1/default/slot.7=" SECRET "   hw1/default/slot.0=" SECRET " ",
		   "slot.7 slot.0");
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

Test(held, slot_that_is_not_locked_is_not_held)
{
	int fd = hold("slot.0");

	close(fd);
	check_held("hw1/default/slot.0=" SECRET, "");
	check_held("hw1/default/slot.1=" SECRET, "");
	cr_assert(not(tempdir_has(&sd, "slot.1")));
}

/* Who looks at a slot has a shared lock on it for an instant; that is no holder. */
Test(held, slot_that_is_only_looked_at_is_not_held)
{
	struct record record = our_record();
	int fd = hold_as("slot.0", &record), looks = open("slot.0", O_RDONLY | O_CLOEXEC);

	close(fd);
	cr_assert(zero(int, flock(looks, LOCK_SH | LOCK_NB)));
	check_held("hw1/default/slot.0=" SECRET, "");
	close(looks);
}

Test(held, wrong_secret_is_not_held)
{
	struct record record = our_record();
	int fd = hold("slot.0");
	char list[128];

	check_held("hw1/default/slot.0=" OTHER_SECRET, "");
	check_held("hw1/default/slot.0=", "");
	check_held("hw1/default/slot.0=00112233445566778899aabbccddeef", "");
	check_held("hw1/default/slot.0=00112233445566778899AABBCCDDEEFF", "");
	check_held("hw1/default/slot.0=" SECRET "00", "");
	/* What can be read in the record is not the secret. */
	snprintf(list, sizeof(list), "hw1/default/slot.0=%s", record.id);
	check_held(list, "");
	close(fd);
}

/* Neither yes nor no: a call that took it for no would wait for its own build. */
Test(held, garbage_in_the_slot_is_an_error)
{
	int fd = tempdir_hold(&sd, "slot.0", LOCK_EX);

	check_held("hw1/default/slot.0=", ""); /* no entry at all */
	check_unknown("hw1/default/slot.0=" SECRET);
	cr_assert(eq(long, pwrite(fd, "garbage", 7, 0), 7));
	check_unknown("hw1/default/slot.0=" SECRET);
	close(fd);
	check_held("hw1/default/slot.0=" SECRET, "");
}

Test(held, record_of_the_slot_let_go_is_not_held)
{
	for (int state = RECORD_HELD; state <= RECORD_RELEASED; state++) {
		struct record record = our_record();
		int fd;

		record.state = (enum record_state)state;
		fd = hold_as("slot.0", &record);
		check_held("hw1/default/slot.0=" SECRET, state == RECORD_HELD ? "slot.0" : "");
		close(fd);
	}
}

Test(held, other_groups_and_locks_are_not_ours)
{
	int fd = hold("slot.0");
	static const char list[] = "hw1/default/slot.0=" SECRET;

	check_held_in(list, "hw2", "default", "");
	check_held_in(list, "hw1", "link", "");
	check_held_in(list, "hw", "default", "");
	check_held_in(list, "h", "w1", "");
	check_held("hw11/default/slot.0=" SECRET, "");
	check_held("hw/default/slot.0=" SECRET, "");
	check_held("hw1/default2/slot.0=" SECRET, "");
	check_held("hw2/default/slot.0=" SECRET " hw1/default/slot.0=" SECRET, "slot.0");
	close(fd);
}

Test(held, slot_that_stands_there_twice_counts_once)
{
	int fds[] = {hold("slot.0"), hold("slot.1")};

	check_held("hw1/default/slot.0=" SECRET " hw1/default/slot.0=" SECRET, "slot.0");
	check_held("hw1/default/slot.0=" SECRET " hw1/default/slot.1=" SECRET
		   " hw1/default/slot.0=" SECRET,
		   "slot.0 slot.1");
	check_held("hw1/default/slot.0=" OTHER_SECRET " hw1/default/slot.0=" SECRET, "slot.0");
	close(fds[0]);
	close(fds[1]);
}

Test(held, names_are_spelled_as_in_the_directory)
{
	struct statedir other;
	struct gate other_gate;
	char files[256] = "", *list = NULL;
	struct record_text text;
	struct record record = our_record();
	int fd;

	cr_assert(eq(int, statedir_open(&other, tempdir, "a b=c", ".x", true, &err), STATEDIR_OK));
	cr_assert(eq(int, gate_open(&other_gate, &other, &err), LOCKFILE_OK));
	cr_assert(eq(int, gate_try(&other_gate, &err), LOCKFILE_OK));
	fd = tempdir_hold(&other, "slot.kit%3D1", LOCK_EX);
	record_format(&record, &text);
	cr_assert(zero(int, record_write(&text, &other, "slot", fd, &err)));
	cr_assert(zero(int, held_append(&list, "a b=c", ".x", "slot.kit%3D1", SECRET)));
	check_text(list, "a%20b%3Dc/%2Ex/slot.kit%3D1=" SECRET);
	cr_assert(held_mentions(list, "a b=c", ".x"));
	cr_assert(zero(int, check_list(list, "a b=c", ".x", &other_gate, files)));
	check_text(files, "slot.kit%3D1");
	free(list);
	close(fd);
	gate_close(&other_gate);
	statedir_close(&other);
}

/* --- processes that have ended ----------------------------------------------------------- */

/* A process that lived here and has ended; unless `reaped`, a zombie. */
static struct proc_identity ended_process(bool reaped)
{
	struct proc_identity child;
	int pipe_fds[2];
	siginfo_t info;
	pid_t pid;

	cr_assert(zero(int, pipe(pipe_fds)));
	pid = fork();
	if (!pid) {
		proc_self(&child);
		_exit(write(pipe_fds[1], &child, sizeof(child)) != (ssize_t)sizeof(child));
	}
	cr_assert(eq(long, read(pipe_fds[0], &child, sizeof(child)), (long)sizeof(child)));
	cr_assert(zero(int, waitid(P_PID, (id_t)pid, &info, WEXITED | (reaped ? 0 : WNOWAIT))));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return child;
}

Test(held, slot_of_a_process_that_has_ended_is_not_held)
{
	for (int reaped = 0; reaped < 2; reaped++) {
		struct record record = our_record();
		int fd;

		record.process = ended_process(reaped);
		fd = hold_as("slot.0", &record);
		check_held("hw1/default/slot.0=" SECRET, "");
		close(fd);
	}
}

Test(held, slot_of_another_process_of_the_same_pid_is_not_held)
{
	struct record record = our_record();
	int fd;

	record.process.start--;
	fd = hold_as("slot.0", &record);
	check_held("hw1/default/slot.0=" SECRET, "");
	close(fd);
}

/* Nobody lets the slot go when such a command ends: whoever inherited it holds it. */
Test(held, slot_without_a_keeper_outlives_its_process)
{
	struct record record = our_record();
	int fd;

	record.kind = RECORD_KEEP;
	record.process = ended_process(true);
	fd = hold_as("slot.0", &record);
	check_held("hw1/default/slot.0=" SECRET, "slot.0");
	close(fd);
}

/* A container has pids of its own: there the lock and the id have to do. */
Test(held, pid_of_elsewhere_is_not_looked_up)
{
	struct record record = our_record();
	int fd;

	record.process = ended_process(true);
	record.process.pidns++;
	fd = hold_as("slot.0", &record);
	check_held("hw1/default/slot.0=" SECRET, "slot.0");
	close(fd);
}

/* --- what is no entry -------------------------------------------------------------------- */

static const char *const malformed[] = {
	"",
	" ",
	"=",
	"x",
	"hw1",
	"hw1/default",
	"hw1/default/",
	"hw1/default/=" SECRET,
	"hw1/default/slot.0",
	"hw1/default/slot.0=",
	"hw1/default/slot.0 =" SECRET,
	"hw1/default/ slot.0=" SECRET,
	"hw1/default/gate=" SECRET,
	"hw1/default/ticket.1=" SECRET,
	"hw1/default/0=" SECRET,
	"hw1/default/slot=" SECRET,
	"hw1/default//slot.0=" SECRET,
	"hw1//default/slot.0=" SECRET,
	"/hw1/default/slot.0=" SECRET,
	"hw1/default/slot./../slot.0=" SECRET,
	"hw1/default/../default/slot.0=" SECRET,
	"HW1/default/slot.0=" SECRET,
	"hw1/default=slot.0/" SECRET,
	"hw1/defa=" SECRET,
};

Test(held, what_is_no_entry_is_passed_over)
{
	int fd = hold("slot.0");
	char list[256];

	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
		check_held(malformed[i], "");
		snprintf(list, sizeof(list), "%s hw1/default/slot.0=" SECRET, malformed[i]);
		check_held(list, "slot.0");
		snprintf(list, sizeof(list), "hw1/default/slot.0=" SECRET " %s", malformed[i]);
		check_held(list, "slot.0");
	}
	close(fd);
}

Test(held, entry_of_any_length_is_survived)
{
	int fd = hold("slot.0");
	char *list = malloc(100001);

	for (size_t length = 200; length < 350; length++) {
		strcpy(list, "hw1/default/slot.");
		memset(list + 17, 'x', length);
		strcpy(list + 17 + length, "=" SECRET " hw1/default/slot.0=" SECRET);
		check_held(list, "slot.0");
	}
	memset(list, 'x', 100000);
	memcpy(list, "hw1/default/slot.0=", 19);
	list[100000] = '\0';
	check_held(list, "");
	memset(list, '=', 100000);
	check_held(list, "");
	memset(list, 'h', 100000);
	check_held(list, "");
	free(list);
	close(fd);
}

Test(held, symlink_in_place_of_a_slot_is_an_error)
{
	char files[256] = "";

	cr_assert(zero(int, symlink("elsewhere", "slot.0")));
	cr_assert(eq(int, check_list("hw1/default/slot.0=" SECRET, "hw1", "default", &gate, files),
		     -1));
	check_has(err.text, "/hw1/default/slot.0'");
	check_text(files, "");
}

/* --- the list ---------------------------------------------------------------------------- */

Test(held, mentions_does_not_ask_whether_it_is_true)
{
	static const char list[] = "hw1/default/slot.0=" SECRET " hw2/link/slot.kit-a=x";

	cr_assert(held_mentions(list, "hw1", "default"));
	cr_assert(held_mentions(list, "hw2", "link"));
	cr_assert(not(held_mentions(list, "hw1", "link")));
	cr_assert(not(held_mentions(list, "hw2", "default")));
	cr_assert(not(held_mentions(list, "hw", "default")));
	cr_assert(not(held_mentions(NULL, "hw1", "default")));
	for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++)
		cr_assert(not(held_mentions(malformed[i], "hw1", "default")), "in '%s'",
			  malformed[i]);
}

Test(held, append_makes_a_list)
{
	char *list = NULL;

	cr_assert(zero(int, held_append(&list, "hw1", "default", "slot.0", SECRET)));
	check_text(list, "hw1/default/slot.0=" SECRET);
	cr_assert(zero(int, held_append(&list, "hw1", "link", "slot.kit-a", OTHER_SECRET)));
	check_text(list, "hw1/default/slot.0=" SECRET " hw1/link/slot.kit-a=" OTHER_SECRET);
	free(list);
}

Test(held, append_replaces_an_older_entry_of_the_slot)
{
	char *list =
		strdup(" hw1/default/slot.0=old  hw1/default/slot.01=keep hw1/default/slot.0=older "
		       "hw1/link/slot.0=keep");

	cr_assert(zero(int, held_append(&list, "hw1", "default", "slot.0", SECRET)));
	check_text(list,
		   "hw1/default/slot.01=keep hw1/link/slot.0=keep hw1/default/slot.0=" SECRET);
	free(list);
	list = strdup("hw1/default/slot.0=old");
	cr_assert(zero(int, held_append(&list, "hw1", "default", "slot.0", SECRET)));
	check_text(list, "hw1/default/slot.0=" SECRET);
	free(list);
}

Test(held, append_survives_an_empty_list)
{
	char *list = strdup("");

	cr_assert(zero(int, held_append(&list, "hw1", "default", "slot.0", SECRET)));
	check_text(list, "hw1/default/slot.0=" SECRET);
	free(list);
}

static void join(void *arg, const char *group, const char *lock, const char *file,
		 const char *secret)
{
	char *out = arg;

	snprintf(out + strlen(out), 512 - strlen(out), "(%s,%s,%s,%s)", group, lock, file, secret);
}

Test(held, list_is_taken_apart)
{
	char out[512] = "";

	held_list("hw1/default/slot.0=abc hw2/link/slot.kit-a=" SECRET, join, out);
	check_text(out, "(hw1,default,slot.0,abc)(hw2,link,slot.kit-a," SECRET ")");
	*out = '\0';
	held_list("", join, out);
	held_list("   ", join, out);
	held_list("hw1 hw1/default hw1/default/gate=x /a/b/slot.0=x a/b/c/slot.0=x", join, out);
	check_text(out, "");
	held_list("x hw1/default/slot.0=abc y", join, out);
	check_text(out, "(hw1,default,slot.0,abc)");
}

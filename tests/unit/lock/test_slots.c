#include "lock/slots.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"
#include "check.h"
#include "lock/lockfile.h"
#include "tempdir.h"

static struct statedir sd;
static struct slotset set;
static struct slots slots;
static struct record_text text; /* what we write: worker "we" */
static struct proc_identity self;
static struct error err;

static void format(struct record_text *out, const char *worker)
{
	struct record record = {.kind = RECORD_RUN, .process.pid = 4242, .since = 7};

	strcpy(record.worker, worker);
	record_format(&record, out);
}

static void setup(void)
{
	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(zero(int, fchdir(sd.fd)));
	format(&text, "we");
	proc_self(&self);
}

static void teardown(void)
{
	slots_close(&slots);
	slotset_free(&set);
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(slots, .init = setup, .fini = teardown);

/* The slots that `value` in the config means, while the gate's top is `top`. */
static void open_slots(const char *value, unsigned top)
{
	slots_close(&slots);
	slotset_free(&set);
	cr_assert(zero(int, slotset_parse(&set, value, &err)), "%s", err.text);
	cr_assert(zero(int, slots_open(&slots, &sd, &set, top, &err)), "%s", err.text);
}

static void survey(unsigned want)
{
	cr_assert(zero(int, slots_survey(&slots, want, &text, &err)), "%s", err.text);
}

/* Another process that holds the slot. */
static int hold(const char *file)
{
	return tempdir_hold(&sd, file, LOCK_EX);
}

static void check_mine(unsigned i, const char *file)
{
	char name[NAME_MAX + 1];
	struct record record;

	slots_file(&slots, i, name);
	check_text(name, file);
	cr_assert(eq(int, slots.slot[i].state, SLOT_MINE), "%s", file);
	cr_assert(tempdir_is_held(&sd, file));
	cr_assert(lockfile_is_current(&sd, file, slots.slot[i].fd));
	cr_assert(record_read(&record, slots.slot[i].fd));
	check_text(record.worker, "we");
}

/* --- I1 ---------------------------------------------------------------------------------- */

Test(slots, I1_slot_is_held_from_the_survey_until_it_is_closed)
{
	open_slots("2", 0);
	survey(1);
	check_mine(0, "slot.0");
	cr_assert(slots_admissible(&slots, 1));
	cr_assert(fcntl(slots.slot[0].fd, F_GETFD) & FD_CLOEXEC);
	slots_close(&slots);
	cr_assert(not(tempdir_is_held(&sd, "slot.0")));
	slots_close(&slots); /* once more is no harm */
}

Test(slots, I1_slot_of_another_is_busy_and_keeps_its_record)
{
	struct record_text other;
	struct record record;
	int fd = hold("slot.0");

	format(&other, "other");
	cr_assert(zero(int, record_write(&other, &sd, "slot.0", fd, &err)));
	open_slots("2", 0);
	survey(1);
	cr_assert(eq(int, slots.slot[0].state, SLOT_BUSY));
	check_mine(1, "slot.1");
	cr_assert(record_read(&record, slots.slot[0].fd));
	check_text(record.worker, "other");
	close(fd);
}

Test(slots, I1_files_are_never_removed)
{
	open_slots("2", 0);
	survey(2);
	slots_close(&slots);
	cr_assert(tempdir_has(&sd, "slot.0"));
	cr_assert(tempdir_has(&sd, "slot.1"));
}

/* --- I5 ---------------------------------------------------------------------------------- */

/*
 * I5 word for word, against every combination of limit, of slots held by others below and above
 * it, and of slots asked for.
 */
static void check_admission(unsigned limit, unsigned top, unsigned held, unsigned want)
{
	unsigned others = 0, below = 0;
	int fds[5] = {-1, -1, -1, -1, -1};
	char name[32], value[16];
	bool expected;

	for (unsigned i = 0; i < 5; i++) {
		if (!(held & 1U << i))
			continue;
		snprintf(name, sizeof(name), "slot.%u", i);
		fds[i] = hold(name);
		others++;
		below += i < limit;
	}
	snprintf(value, sizeof(value), "%u", limit);
	open_slots(value, top);
	survey(want);
	expected = want + below <= limit && others + want <= limit;
	cr_assert(eq(int, slots_admissible(&slots, want), expected),
		  "limit %u, top %u, held 0x%x, want %u", limit, top, held, want);
	if (expected)
		cr_assert(eq(uint, slots.mine, want));
	slots_close(&slots);
	for (unsigned i = 0; i < 5; i++) {
		if (fds[i] >= 0)
			close(fds[i]);
	}
}

Test(slots, I5_holds_whatever_the_limit_was_before)
{
	for (unsigned limit = 0; limit <= 4; limit++) {
		for (unsigned top = 0; top <= 5; top++) {
			unsigned known = top > limit ? top : limit; /* from there up all are free */

			for (unsigned held = 0; held < 1U << known; held++) {
				for (unsigned want = 1; want <= 4; want++)
					check_admission(limit, top, held, want);
			}
		}
	}
}

Test(slots, I5_closed_group_admits_nobody)
{
	open_slots("0", 0);
	survey(1);
	cr_assert(not(slots_admissible(&slots, 1)));
	cr_assert(zero(uint, slots.mine));
	cr_assert(not(tempdir_has(&sd, "slot.0")));
	open_slots("0", 2);
	survey(1);
	cr_assert(not(slots_admissible(&slots, 1)));
}

Test(slots, I5_nothing_asked_for_is_nothing_admitted)
{
	open_slots("2", 0);
	survey(0);
	cr_assert(not(slots_admissible(&slots, 0)));
	cr_assert(zero(uint, slots.mine));
}

Test(slots, I5_lowered_limit_counts_those_above_until_they_end)
{
	int fds[] = {hold("slot.2"), hold("slot.3")};

	open_slots("2", 4);
	survey(1);
	cr_assert(not(slots_admissible(&slots, 1)));
	cr_assert(eq(uint, slots.busy, 2));
	close(fds[1]);
	survey(1);
	cr_assert(slots_admissible(&slots, 1));
	cr_assert(not(slots_admissible(&slots, 2)));
	close(fds[0]);
	survey(2);
	cr_assert(slots_admissible(&slots, 2));
	check_mine(0, "slot.0");
	check_mine(1, "slot.1");
}

Test(slots, I5_raised_limit_opens_new_slots)
{
	int fd = hold("slot.0");

	open_slots("1", 1);
	survey(1);
	cr_assert(not(slots_admissible(&slots, 1)));
	open_slots("3", 1);
	survey(2);
	cr_assert(slots_admissible(&slots, 2));
	check_mine(1, "slot.1");
	check_mine(2, "slot.2");
	close(fd);
}

Test(slots, I5_slots_above_the_limit_are_never_created_or_taken)
{
	int fd = hold("slot.0");

	tempdir_write_text("slot.2", "");
	open_slots("1", 4);
	survey(1);
	cr_assert(zero(uint, slots.mine));
	cr_assert(eq(int, slots.slot[2].state, SLOT_FREE));
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	close(fd);
	survey(1);
	cr_assert(slots_admissible(&slots, 1));
	check_mine(0, "slot.0");
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	cr_assert(not(tempdir_has(&sd, "slot.1")));
	cr_assert(not(tempdir_has(&sd, "slot.3")));
}

/* --- names ------------------------------------------------------------------------------- */

Test(slots, named_slot_is_its_file_wherever_it_stands_in_the_list)
{
	int fd = hold("slot.kit-b");

	open_slots("Kit-A KIT-B kit-c", 0);
	survey(2);
	check_mine(0, "slot.kit-a");
	cr_assert(eq(int, slots.slot[1].state, SLOT_BUSY));
	check_mine(2, "slot.kit-c");
	slots_close(&slots);
	open_slots("kit-x kit-b kit-a", 0);
	survey(2);
	check_mine(0, "slot.kit-x");
	cr_assert(eq(int, slots.slot[1].state, SLOT_BUSY));
	check_mine(2, "slot.kit-a");
	close(fd);
}

Test(slots, I5_name_struck_off_the_list_is_no_longer_counted)
{
	int fd = hold("slot.kit-a");

	open_slots("kit-b", 0);
	survey(1);
	cr_assert(slots_admissible(&slots, 1));
	check_mine(0, "slot.kit-b");
	close(fd);
}

Test(slots, I5_numbered_slots_from_before_they_had_names_count)
{
	int fds[] = {hold("slot.0"), hold("slot.1")};

	open_slots("kit-a kit-b", 2);
	survey(1);
	cr_assert(not(slots_admissible(&slots, 1)));
	close(fds[0]);
	survey(1);
	cr_assert(slots_admissible(&slots, 1));
	cr_assert(eq(uint, slots_top(&slots), 2));
	close(fds[1]);
	survey(2);
	cr_assert(slots_admissible(&slots, 2));
	cr_assert(zero(uint, slots_top(&slots)));
}

Test(slots, label_is_the_number_or_the_name_as_the_config_spells_it)
{
	char label[NAME_MAX + 1], file[NAME_MAX + 1];

	open_slots("2", 3);
	slots_label(&slots, 2, label);
	check_text(label, "2");
	slots_file(&slots, 2, file);
	check_text(file, "slot.2");
	open_slots("Kit-A .b", 2);
	slots_label(&slots, 0, label);
	check_text(label, "Kit-A");
	slots_file(&slots, 0, file);
	check_text(file, "slot.kit-a");
	slots_file(&slots, 1, file);
	check_text(file, "slot.%2Eb");
	slots_label(&slots, 3, label);
	check_text(label, "1");
	slots_file(&slots, 3, file);
	check_text(file, "slot.1");
}

/* --- top --------------------------------------------------------------------------------- */

Test(slots, top_is_as_low_as_what_is_held_allows)
{
	int fd = hold("slot.3");

	open_slots("1", 6);
	survey(1);
	cr_assert(eq(uint, slots_top(&slots), 4));
	close(fd);
	survey(1);
	cr_assert(eq(uint, slots_top(&slots), 1));
	open_slots("5", 2);
	survey(1);
	cr_assert(eq(uint, slots_top(&slots), 5));
	open_slots("0", 2);
	survey(1);
	cr_assert(zero(uint, slots_top(&slots)));
}

Test(slots, cover_is_up_to_the_top)
{
	open_slots("2", 4);
	cr_assert(slots_cover(&slots, 0));
	cr_assert(slots_cover(&slots, 4));
	cr_assert(not(slots_cover(&slots, 5)));
	open_slots("4", 2);
	cr_assert(slots_cover(&slots, 4));
	cr_assert(not(slots_cover(&slots, 5)));
	open_slots("kit-a kit-b", 1);
	cr_assert(slots_cover(&slots, 1));
	cr_assert(not(slots_cover(&slots, 2)));
}

/* --- surveys ----------------------------------------------------------------------------- */

Test(slots, survey_keeps_what_is_mine_and_takes_no_more_than_wanted)
{
	int fd = hold("slot.0"), mine;

	open_slots("4", 0);
	survey(1);
	check_mine(1, "slot.1");
	mine = slots.slot[1].fd;
	close(fd);
	survey(2);
	cr_assert(eq(int, slots.slot[1].fd, mine));
	check_mine(0, "slot.0");
	cr_assert(eq(uint, slots.mine, 2));
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	cr_assert(not(tempdir_is_held(&sd, "slot.3")));
}

Test(slots, survey_without_success_learns_all_that_are_busy)
{
	int fds[] = {hold("slot.0"), hold("slot.2")};

	open_slots("3", 0);
	survey(3);
	cr_assert(not(slots_admissible(&slots, 3)));
	cr_assert(eq(uint, slots.busy, 2));
	check_mine(1, "slot.1");
	cr_assert(lockfile_is_current(&sd, "slot.0", slots.slot[0].fd));
	cr_assert(lockfile_is_current(&sd, "slot.2", slots.slot[2].fd));
	close(fds[0]);
	close(fds[1]);
}

Test(slots, survey_gives_up_a_slot_whose_file_was_replaced)
{
	struct stat st;
	ino_t old;

	open_slots("1", 0);
	survey(1);
	cr_assert(zero(int, fstat(slots.slot[0].fd, &st)));
	old = st.st_ino;
	tempdir_write_text("new", "");
	cr_assert(zero(int, rename("new", "slot.0")));
	cr_assert(not(tempdir_is_held(&sd, "slot.0")));
	survey(1);
	check_mine(0, "slot.0");
	cr_assert(zero(int, fstat(slots.slot[0].fd, &st)));
	cr_assert(ne(u64, st.st_ino, old));
	cr_assert(eq(uint, slots.mine, 1));
}

static void replace_slot(void)
{
	tempdir_write_text("new", "");
	cr_assert(zero(int, rename("new", "slot.0")));
}

/* Else two would hold "slot.0": whoever locks the new file would find it free. */
Test(slots, I1_slot_whose_file_is_replaced_before_it_is_locked_is_locked_anew)
{
	tempdir_write_text("slot.0", "");
	open_slots("1", 0);
	calls_before_flock = replace_slot;
	survey(1);
	cr_assert(calls_before_flock == NULL);
	check_mine(0, "slot.0");
	cr_assert(eq(uint, slots.mine, 1));
}

Test(slots, survey_of_a_lock_granted_unreported_lets_it_go)
{
	int fd = hold("slot.0");

	open_slots("2", 0);
	survey(2);
	cr_assert(eq(int, slots.slot[0].state, SLOT_BUSY));
	close(fd);
	cr_assert(zero(int,
		       flock(slots.slot[0].fd, LOCK_EX | LOCK_NB))); /* as a waiting thread does */
	survey(1);
	cr_assert(eq(uint, slots.mine, 1));
	check_mine(1, "slot.1");
	cr_assert(not(tempdir_is_held(&sd, "slot.0")));
}

Test(slots, I1_slot_handed_over_is_held_on_when_the_rest_is_closed)
{
	int fd = hold("slot.0"), mine, watched;

	open_slots("3", 0);
	survey(2);
	watched = slots.slot[0].fd;
	mine = slots_hand_over(&slots, 1);
	slots_close(&slots);
	cr_assert(eq(int, fcntl(watched, F_GETFD), -1));
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	cr_assert(lockfile_is_current(&sd, "slot.1", mine));
	cr_assert(tempdir_is_held(&sd, "slot.1"));
	close(mine);
	cr_assert(not(tempdir_is_held(&sd, "slot.1")));
	close(fd);
}

Test(slots, symlink_in_place_of_a_slot_is_an_error)
{
	cr_assert(zero(int, symlink("elsewhere", "slot.1")));
	open_slots("2", 0);
	cr_assert(eq(int, slots_survey(&slots, 2, &text, &err), -1));
	check_has(err.text, "/hw1/default/slot.1'");
	cr_assert(eq(int, access("elsewhere", F_OK), -1));
	check_mine(0, "slot.0");
	slots_close(&slots);
	cr_assert(not(tempdir_is_held(&sd, "slot.0")));
}

Test(slots, directory_that_was_removed_is_an_error)
{
	cr_assert(zero(int, chdir(tempdir)));
	cr_assert(zero(int, rmdir("hw1/default")));
	open_slots("1", 0);
	cr_assert(eq(int, slots_survey(&slots, 1, &text, &err), -1));
	check_has(err.text, "was removed");
}

/* --- waits ------------------------------------------------------------------------------- */

/* Position `i` falls free, as a waiting thread learns, and the survey that follows. */
static void grant(unsigned i, int *holder, unsigned want)
{
	close(*holder);
	cr_assert(zero(int, flock(slots.slot[i].fd, LOCK_SH | LOCK_NB)));
	survey(want);
}

Test(slots, granted_slot_is_taken_with_a_record_while_it_is_wanted)
{
	int fds[] = {hold("slot.0"), hold("slot.1"), hold("slot.2")};

	open_slots("3", 0);
	survey(2);
	grant(1, &fds[1], 2);
	check_mine(1, "slot.1");
	cr_assert(not(slots_admissible(&slots, 2)));
	grant(0, &fds[0], 2);
	check_mine(0, "slot.0");
	cr_assert(slots_admissible(&slots, 2));
	close(fds[2]);
	survey(2);
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	cr_assert(eq(uint, slots.mine, 2));
}

Test(slots, I5_granted_slot_above_the_limit_only_counts)
{
	int fds[] = {hold("slot.0"), hold("slot.2")};

	open_slots("1", 3);
	survey(1);
	grant(2, &fds[1], 1);
	cr_assert(eq(int, slots.slot[2].state, SLOT_FREE));
	cr_assert(zero(uint, slots.mine));
	cr_assert(not(tempdir_is_held(&sd, "slot.2")));
	grant(0, &fds[0], 1);
	check_mine(0, "slot.0");
	cr_assert(slots_admissible(&slots, 1));
}

Test(slots, I5_head_waits_for_those_above_the_limit_too)
{
	int fds[] = {hold("slot.0"), hold("slot.2")};

	open_slots("1", 3);
	survey(1);
	grant(0, &fds[0], 1);
	check_mine(0, "slot.0");
	cr_assert(not(slots_admissible(&slots, 1)));
	grant(2, &fds[1], 1);
	cr_assert(slots_admissible(&slots, 1));
}

Test(slots, granted_file_that_was_replaced_is_nothing)
{
	int fd = hold("slot.0");

	open_slots("1", 0);
	survey(1);
	tempdir_write_text("new", "");
	cr_assert(zero(int, rename("new", "slot.0")));
	grant(0, &fd, 1);
	check_mine(0, "slot.0");
}

/* --- commands that have ended while their keeper has yet to wake -------------------------- */

static struct proc_identity ended_process(void)
{
	struct proc_identity child = self;
	siginfo_t info;
	int pipe_fds[2];

	cr_assert(zero(int, pipe(pipe_fds)));
	child.pid = fork();
	if (!child.pid) {
		proc_self(&child);
		_exit(write(pipe_fds[1], &child, sizeof(child)) != (ssize_t)sizeof(child));
	}
	cr_assert(zero(int, waitid(P_PID, (id_t)child.pid, &info, WEXITED)));
	cr_assert(eq(long, read(pipe_fds[0], &child, sizeof(child)), (long)sizeof(child)));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return child;
}

static int hold_as(const char *file, enum record_kind kind, const struct proc_identity *process)
{
	struct record record = {.kind = kind, .process = *process};
	struct record_text theirs;
	int fd = hold(file);

	record_format(&record, &theirs);
	cr_assert(zero(int, record_write(&theirs, &sd, file, fd, &err)));
	return fd;
}

/* Whether waiting for slot.0, held with that record, is worth it for one of `value` slots. */
static bool is_ending(const char *value, enum record_kind kind, const struct proc_identity *process)
{
	int fd = hold_as("slot.0", kind, process), wait_for = -1;
	bool ending;

	open_slots(value, 0);
	survey(1);
	ending = slots_are_ending(&slots, 1, &self, false, &wait_for);
	cr_assert(eq(int, ending, wait_for >= 0));
	if (ending) {
		cr_assert(lockfile_is_current(&sd, "slot.0", wait_for));
		close(wait_for);
	}
	slots_close(&slots);
	close(fd);
	return ending;
}

Test(slots, slot_of_an_ended_command_is_about_to_be_free)
{
	struct proc_identity ended = ended_process(), elsewhere = ended;

	elsewhere.pidns++;
	cr_assert(is_ending("1", RECORD_RUN, &ended));
	cr_assert(not(is_ending("1", RECORD_RUN, &self)));
	cr_assert(not(is_ending("1", RECORD_RUN, &elsewhere)));
	cr_assert(not(is_ending("1", RECORD_KEEP, &ended))); /* no keeper, so nobody lets go */
}

Test(slots, what_ends_must_be_enough_for_the_request)
{
	struct proc_identity ended = ended_process();
	int fds[] = {hold_as("slot.0", RECORD_RUN, &ended), hold_as("slot.1", RECORD_RUN, &self),
		     hold_as("slot.2", RECORD_RUN, &ended)};
	int wait_for = -1;

	open_slots("3", 0);
	survey(3);
	cr_assert(not(slots_are_ending(&slots, 3, &self, false, &wait_for)));
	cr_assert(eq(int, wait_for, -1));
	survey(2);
	cr_assert(slots_are_ending(&slots, 2, &self, false, &wait_for));
	close(wait_for);
	/* I5: what is held above the limit by one that lives still counts. */
	open_slots("1", 3);
	survey(1);
	cr_assert(not(slots_are_ending(&slots, 1, &self, false, &wait_for)));
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

/* --- for people -------------------------------------------------------------------------- */

static void see(void *arg, const char *label, const struct record *record)
{
	char *seen = arg;

	snprintf(seen + strlen(seen), 256 - strlen(seen), "(%s %s)", label,
		 record ? record->worker : "?");
}

static void check_look(unsigned top, const struct slots *mine, const char *expected)
{
	char seen[256] = "";

	cr_assert(zero(int, slots_look(&sd, &set, top, mine, see, seen, &err)), "%s", err.text);
	check_text(seen, expected);
}

Test(slots, look_shows_what_is_held_and_takes_nothing)
{
	struct record_text other;
	int fds[] = {hold("slot.1"), hold("slot.3")};

	format(&other, "other");
	cr_assert(zero(int, record_write(&other, &sd, "slot.1", fds[0], &err)));
	cr_assert(eq(long, pwrite(fds[1], "garbage", 7, 0), 7));
	open_slots("3", 0);
	survey(1);
	check_mine(0, "slot.0");
	check_look(4, &slots, "(1 other)(3 ?)");
	check_look(4, NULL, "(0 we)(1 other)(3 ?)");
	check_look(0, NULL, "(0 we)(1 other)");
	cr_assert(not(tempdir_has(&sd, "slot.2")));
	close(fds[0]);
	check_look(4, &slots, "(3 ?)");
	cr_assert(not(tempdir_is_held(&sd, "slot.1")));
	close(fds[1]);
}

Test(slots, look_calls_named_slots_by_their_names)
{
	int fds[] = {hold("slot.kit-b"), hold("slot.0")};

	open_slots("Kit-A Kit-B", 1);
	check_look(1, NULL, "(Kit-B ?)(0 ?)");
	close(fds[0]);
	close(fds[1]);
}

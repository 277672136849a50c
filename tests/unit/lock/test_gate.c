#include "lock/gate.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

static struct statedir sd;
static struct gate gate;
static struct error err;

static void setup(void)
{
	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(zero(int, fchdir(sd.fd)));
	gate.fd = -1;
}

static void teardown(void)
{
	gate_close(&gate);
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(gate, .init = setup, .fini = teardown);

static void check_counters(const struct gate_counters *got, struct gate_counters expected)
{
	cr_assert(eq(u64, got->first, expected.first));
	cr_assert(eq(u64, got->next, expected.next));
	cr_assert(eq(u32, got->limit, expected.limit));
	cr_assert(eq(u32, got->top, expected.top));
}

/* Opens and enters; closes a gate that was open. */
static void enter(void)
{
	gate_close(&gate);
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
}

static void leave(void)
{
	cr_assert(zero(int, gate_leave(&gate, &err)), "%s", err.text);
}

/* --- the counters as text ---------------------------------------------------------------- */

static void check_round_trip(struct gate_counters counters)
{
	struct gate_counters again = {0};
	char *bytes = malloc(GATE_SIZE);

	gate_format(bytes, &counters);
	cr_assert(eq(chr, bytes[GATE_SIZE - 1], '\n'));
	cr_assert_null(memchr(bytes, '\0', GATE_SIZE));
	cr_assert(gate_parse(&again, bytes, GATE_SIZE), "refused '%.*s'", GATE_SIZE, bytes);
	check_counters(&again, counters);
	free(bytes);
}

Test(gate, counters_come_back_as_they_were)
{
	check_round_trip((struct gate_counters){1, 1, GATE_NO_LIMIT, 0});
	check_round_trip((struct gate_counters){17, 23, 2, 2});
	check_round_trip((struct gate_counters){1, 65537, 0, 1024});
	check_round_trip(
		(struct gate_counters){UINT64_C(1) << 40, (UINT64_C(1) << 40) + 5, 1024, 1});
	check_round_trip(
		(struct gate_counters){UINT64_MAX / 16, UINT64_MAX / 16 + 65536, 1024, 1024});
}

Test(gate, text_can_be_read_by_people)
{
	struct gate_counters counters = {17, 23, 2, 3};
	char bytes[GATE_SIZE];

	gate_format(bytes, &counters);
	cr_assert(not(strncmp(bytes, "grouplock 1 first=17 next=23 limit=2 top=3  ", 44)));
}

/* A text of GATE_SIZE bytes, filled up with blanks. */
static bool parses(const char *text)
{
	struct gate_counters counters;
	char bytes[GATE_SIZE];

	memset(bytes, ' ', sizeof(bytes));
	memcpy(bytes, text, strlen(text));
	bytes[GATE_SIZE - 1] = '\n';
	return gate_parse(&counters, bytes, sizeof(bytes));
}

Test(gate, what_makes_no_sense_is_refused)
{
	static const char *const texts[] = {
		"",
		"grouplock 1",
		"grouplock 2 first=1 next=1 limit=1 top=1",
		"grouplock 1 first=1 next=1 limit=1",
		"grouplock 1 first=1 next=1 limit=1 top=",
		"grouplock 1 first=1 next=1 limit=1 top=1x",
		"grouplock 1 first=1 next=1 limit=1 top=1 x",
		" grouplock 1 first=1 next=1 limit=1 top=1",
		"grouplock 1  first=1 next=1 limit=1 top=1",
		"grouplock 1 next=1 first=1 limit=1 top=1",
		"grouplock 1 first=0 next=1 limit=1 top=1",
		"grouplock 1 first=2 next=1 limit=1 top=1",
		"grouplock 1 first=01 next=1 limit=1 top=1",
		"grouplock 1 first=-1 next=1 limit=1 top=1",
		"grouplock 1 first=1 next=65538 limit=1 top=1",
		"grouplock 1 first=1 next=1 limit=1025 top=1",
		"grouplock 1 first=1 next=1 limit=4294967296 top=1",
		"grouplock 1 first=1 next=1 limit=1 top=1025",
		"grouplock 1 first=18446744073709551615 next=18446744073709551615 limit=1 top=1",
		"grouplock 1 first=18446744073709551617 next=18446744073709551617 limit=1 top=1",
		"grouplock 1 first=1 next=99999999999999999999999999999999 limit=1 top=1",
		"grouplock 1 first=1\nnext=1 limit=1 top=1",
	};

	cr_assert(parses("grouplock 1 first=1 next=1 limit=1 top=1"));
	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		cr_assert(not(parses(texts[i])), "took '%s'", texts[i]);
}

Test(gate, text_of_another_size_is_refused)
{
	struct gate_counters counters = {1, 1, 1, 1};
	char bytes[GATE_SIZE + 1];

	for (size_t size = 0; size <= GATE_SIZE + 1; size++) {
		char *copy = malloc(size + !size);

		gate_format(bytes, &counters);
		bytes[GATE_SIZE] = '\n';
		memcpy(copy, bytes, size);
		cr_assert(eq(int, gate_parse(&counters, copy, size), size == GATE_SIZE), "size %zu",
			  size);
		free(copy);
	}
}

Test(gate, text_with_a_zero_byte_is_refused)
{
	struct gate_counters counters = {17, 23, 2, 3};
	char bytes[GATE_SIZE];

	for (size_t i = 0; i < sizeof(bytes); i++) {
		gate_format(bytes, &counters);
		bytes[i] = '\0';
		cr_assert(not(gate_parse(&counters, bytes, sizeof(bytes))), "at %zu", i);
	}
}

Test(gate, random_bytes_do_no_harm)
{
	struct gate_counters counters = {17, 23, 2, 3}, got;
	unsigned short seed[3] = {1, 2, 3};
	char bytes[GATE_SIZE];

	for (int round = 0; round < 50000; round++) {
		gate_format(bytes, &counters);
		for (long i = nrand48(seed) % 4; i >= 0; i--)
			bytes[nrand48(seed) % GATE_SIZE] = (char)nrand48(seed);
		if (gate_parse(&got, bytes, sizeof(bytes))) {
			cr_assert(ge(u64, got.first, 1));
			cr_assert(le(u64, got.first, got.next));
			cr_assert(le(u32, got.top, 1024));
		}
	}
}

/* --- the mutex --------------------------------------------------------------------------- */

Test(gate, new_one_begins_with_ticket_1)
{
	enter();
	check_counters(&gate.counters, (struct gate_counters){1, 1, GATE_NO_LIMIT, 0});
	leave();
}

Test(gate, one_at_a_time_is_inside)
{
	struct gate other;

	enter();
	cr_assert(eq(int, gate_open(&other, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_BUSY));
	leave();
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_BUSY));
	gate_close(&other);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
	leave();
	gate_close(&gate);
	cr_assert(eq(int, gate.fd, -1));
	gate_close(&gate); /* once more is no harm */
}

Test(gate, lock_taken_elsewhere_is_entered)
{
	enter();
	gate.counters.next = 5;
	gate.dirty = true;
	leave();
	cr_assert(zero(int, flock(gate.fd, LOCK_EX | LOCK_NB)));
	cr_assert(eq(int, gate_enter(&gate, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(u64, gate.counters.next, 5));
	leave();
}

Test(gate, dirty_counters_are_written_and_others_are_not)
{
	enter();
	gate.counters = (struct gate_counters){3, 9, 2, 4};
	gate.dirty = true;
	leave();
	cr_assert(not(gate.dirty));
	enter();
	check_counters(&gate.counters, (struct gate_counters){3, 9, 2, 4});
	gate.counters.first = 8;
	leave();
	enter();
	check_counters(&gate.counters, (struct gate_counters){3, 9, 2, 4});
	leave();
}

Test(gate, counters_are_read_anew_each_time)
{
	struct gate other;

	enter();
	leave();
	cr_assert(eq(int, gate_open(&other, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_OK), "%s", err.text);
	other.counters.next = 42;
	other.dirty = true;
	cr_assert(zero(int, gate_leave(&other, &err)));
	gate_close(&other);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(u64, gate.counters.next, 42));
	cr_assert(not(gate.dirty));
	leave();
}

Test(gate, failed_write_is_told_and_leaves_the_gate_open_to_others)
{
	struct rlimit limit;
	struct gate other;

	enter();
	gate.dirty = true;
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &limit)));
	limit.rlim_cur = 0;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	cr_assert(eq(int, gate_leave(&gate, &err), -1));
	check_has(err.text, "/hw1/default/gate': File too large");
	cr_assert(eq(int, gate_open(&other, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_OK), "%s", err.text);
	gate_close(&other);
}

/* --- replaced, removed ------------------------------------------------------------------- */

Test(gate, replaced_file_is_not_entered)
{
	struct gate other;

	enter();
	leave();
	tempdir_write_text("new", "");
	cr_assert(zero(int, rename("new", GATE_NAME)));
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, gate.fd, -1));
	cr_assert(eq(int, gate_open(&other, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_OK), "%s", err.text);
	gate_close(&other);
}

Test(gate, removed_file_is_not_entered)
{
	enter();
	leave();
	cr_assert(zero(int, unlink(GATE_NAME)));
	cr_assert(zero(int, flock(gate.fd, LOCK_EX | LOCK_NB)));
	cr_assert(eq(int, gate_enter(&gate, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, gate.fd, -1));
}

Test(gate, removed_directory_is_missing)
{
	cr_assert(zero(int, chdir(tempdir)));
	cr_assert(zero(int, rmdir("hw1/default")));
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, gate.fd, -1));
}

Test(gate, symlink_in_its_place_is_refused)
{
	cr_assert(zero(int, symlink("elsewhere", GATE_NAME)));
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_ERROR));
	check_has(err.text, "/hw1/default/gate'");
	cr_assert(eq(int, access("elsewhere", F_OK), -1));
}

/* --- rebuilt from the names -------------------------------------------------------------- */

static void make_files(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		tempdir_write_text(names[i], "");
}

Test(gate, missing_counters_are_rebuilt_from_the_names)
{
	static const char *const names[] = {
		"ticket.12",  "ticket.7",   "ticket.9",  "ticket.013", "ticket.x",  "ticket.",
		"ticket.14x", "xticket.99", "ticket.-1", "slot.3",     "slot.0",    "slot.kit-a",
		"slot.",      "slot.04",    "slot.1024", "slot.9x",    "something",
	};

	make_files(names, sizeof(names) / sizeof(*names));
	enter();
	check_counters(&gate.counters, (struct gate_counters){7, 13, GATE_NO_LIMIT, 4});
	leave();
	cr_assert(zero(int, unlink("ticket.12")));
	enter(); /* written by the rebuild, so not rebuilt again */
	check_counters(&gate.counters, (struct gate_counters){7, 13, GATE_NO_LIMIT, 4});
	leave();
}

Test(gate, garbage_is_rebuilt_from_the_names)
{
	static const char *const names[] = {"ticket.3", "ticket.4", "slot.1023"};
	static char megabyte[1 << 20];
	static const char *const garbage[] = {"", "\n",
					      "grouplock 1 first=1 next=1 limit=1 top=1\n", "x"};

	make_files(names, sizeof(names) / sizeof(*names));
	for (size_t i = 0; i < sizeof(garbage) / sizeof(*garbage); i++) {
		tempdir_write_text(GATE_NAME, garbage[i]);
		enter();
		check_counters(&gate.counters, (struct gate_counters){3, 5, GATE_NO_LIMIT, 1024});
		leave();
	}
	memset(megabyte, 'x', sizeof(megabyte));
	tempdir_write(GATE_NAME, megabyte, sizeof(megabyte));
	enter();
	check_counters(&gate.counters, (struct gate_counters){3, 5, GATE_NO_LIMIT, 1024});
	leave();
	enter();
	cr_assert(not(gate.dirty));
	check_counters(&gate.counters, (struct gate_counters){3, 5, GATE_NO_LIMIT, 1024});
	leave();
}

Test(gate, ticket_0_is_none_of_ours)
{
	tempdir_write_text("ticket.0", "");
	enter();
	cr_assert(ge(u64, gate.counters.first, 1));
	cr_assert(ge(u64, gate.counters.next, gate.counters.first));
	leave();
}

Test(gate, absurd_ticket_numbers_are_passed_over)
{
	static const char *const names[] = {"ticket.18446744073709551615",
					    "ticket.18446744073709551616",
					    "ticket.99999999999999999999999999", "ticket.5"};

	make_files(names, sizeof(names) / sizeof(*names));
	enter();
	check_counters(&gate.counters, (struct gate_counters){5, 6, GATE_NO_LIMIT, 0});
	leave();
}

/* Else whoever takes a place would walk through all the numbers between them, and all others wait. */
Test(gate, tickets_too_far_apart_are_an_error_that_blocks_nobody)
{
	static const char *const names[] = {"ticket.1", "ticket.2000000"};
	struct gate other;

	make_files(names, sizeof(names) / sizeof(*names));
	cr_assert(eq(int, gate_open(&gate, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&gate, &err), LOCKFILE_ERROR));
	check_has(err.text, "/hw1/default'");
	check_has(err.text, "remove");
	cr_assert(zero(int, unlink("ticket.1")));
	cr_assert(eq(int, gate_open(&other, &sd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, gate_try(&other, &err), LOCKFILE_OK), "%s", err.text);
	gate_close(&other);
}

/* Whatever the names are, what is rebuilt must be read as it was written. */
Test(gate, what_is_rebuilt_can_be_read_again)
{
	static const char *const names[] = {"ticket.1", "ticket.60000", "slot.1023"};
	struct gate_counters counters;
	char bytes[GATE_SIZE];

	make_files(names, sizeof(names) / sizeof(*names));
	enter();
	leave();
	cr_assert(eq(sz, pread(gate.fd, bytes, sizeof(bytes), 0), sizeof(bytes)));
	cr_assert(gate_parse(&counters, bytes, sizeof(bytes)));
	check_counters(&counters, (struct gate_counters){1, 60001, GATE_NO_LIMIT, 1024});
}

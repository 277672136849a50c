#include "lock/record.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

TestSuite(record, .init = tempdir_make, .fini = tempdir_remove);

static struct error err;

static struct record sample(void)
{
	struct record record = {
		.state = RECORD_EXPIRED,
		.kind = RECORD_CLAIM,
		.id = "0123456789abcdef0123456789abcdef",
		.worker = "msvc11",
		.process = {.host = "vm2",
			    .boot = "5d3c4f0e-0000-4000-8000-0123456789ab",
			    .pidns = 4026531836,
			    .timens = 4026532000,
			    .pid = 4242,
			    .start = 123456789},
		.since = INT64_C(1700000000123456789),
		.count = 3,
		.bound = 4000,
		.sigqueue = 1,
		.until = INT64_C(1700000100000000000),
		.script = 1,
		.command = "make -j8",
	};

	return record;
}

static void check_equal(const struct record *got, const struct record *expected)
{
	cr_assert(eq(int, got->state, expected->state));
	cr_assert(eq(int, got->kind, expected->kind));
	check_text(got->id, expected->id);
	check_text(got->worker, expected->worker);
	check_text(got->process.host, expected->process.host);
	check_text(got->process.boot, expected->process.boot);
	cr_assert(eq(u64, got->process.pidns, expected->process.pidns));
	cr_assert(eq(u64, got->process.timens, expected->process.timens));
	cr_assert(eq(int, got->process.pid, expected->process.pid));
	cr_assert(eq(u64, got->process.start, expected->process.start));
	cr_assert(eq(i64, got->since, expected->since));
	cr_assert(eq(u64, got->count, expected->count));
	cr_assert(eq(int, got->bound, expected->bound));
	cr_assert(eq(int, got->sigqueue, expected->sigqueue));
	cr_assert(eq(i64, got->until, expected->until));
	cr_assert(eq(int, got->script, expected->script));
	check_text(got->command, expected->command);
}

static void check_round_trip(const struct record *record)
{
	struct record_text text;
	struct record again;

	record_format(record, &text);
	cr_assert(le(sz, text.size, RECORD_SIZE));
	cr_assert(record_parse(&again, text.bytes, text.size));
	check_equal(&again, record);
}

/* Parses a copy of just that size, so that a sanitizer sees a byte too many. */
static bool parses(struct record *record, const char *bytes, size_t size)
{
	char *copy = malloc(size + !size);
	bool good;

	memcpy(copy, bytes, size);
	good = record_parse(record, copy, size);
	free(copy);
	return good;
}

static void refuses(const char *bytes, size_t size)
{
	static const struct record zero;
	struct record record;

	memset(&record, 0xff, sizeof(record));
	cr_assert(not(parses(&record, bytes, size)), "took %zu bytes '%.*s'", size, (int)size,
		  bytes);
	cr_assert(not(memcmp(&record, &zero, sizeof(zero))));
}

static void refuses_text(const char *text)
{
	refuses(text, strlen(text));
}

/* Fills with every byte there is but 0, from `first` on round and round. */
static void fill(char *text, size_t size, unsigned first)
{
	for (size_t i = 0; i + 1 < size; i++)
		text[i] = (char)((first + i) % 255 + 1);
	text[size - 1] = '\0';
}

/* --- there and back ---------------------------------------------------------------------- */

Test(record, comes_back_as_it_was)
{
	struct record record = sample();

	for (int kind = RECORD_RUN; kind <= RECORD_WAIT; kind++) {
		for (int state = RECORD_HELD; state <= RECORD_RELEASED; state++) {
			record.kind = (enum record_kind)kind;
			record.state = (enum record_state)state;
			check_round_trip(&record);
		}
	}
}

Test(record, of_nothing_but_a_pid_comes_back)
{
	struct record record = {.process.pid = 1};

	check_round_trip(&record);
}

Test(record, largest_numbers_come_back)
{
	struct record record = sample();

	record.process.pid = INT32_MAX;
	record.process.pidns = record.process.start = UINT64_MAX;
	record.since = record.until = INT64_MAX;
	record.count = UINT32_MAX;
	record.bound = INT32_MAX;
	check_round_trip(&record);
}

Test(record, time_before_1970_is_shown_as_1970)
{
	struct record record = sample(), again;
	struct record_text text;

	record.since = -1;
	record_format(&record, &text);
	cr_assert(record_parse(&again, text.bytes, text.size));
	cr_assert(zero(i64, again.since));
}

Test(record, arbitrary_bytes_come_back)
{
	struct record record = sample();

	for (unsigned first = 0; first < 255; first++) {
		fill(record.worker, sizeof(record.worker), first);
		fill(record.process.host, sizeof(record.process.host), first);
		fill(record.command, 600, first);
		check_round_trip(&record);
	}
}

Test(record, text_is_lines_of_printable_ascii)
{
	struct record record = sample();
	struct record_text text;

	strcpy(record.worker, "a\nkind wait\n\npid 1");
	fill(record.command, 300, 0);
	record_format(&record, &text);
	for (size_t i = 0; i < text.size; i++)
		cr_assert(text.bytes[i] == '\n' || (text.bytes[i] >= 32 && text.bytes[i] < 127));
	check_round_trip(&record);
}

Test(record, worst_case_fits_and_only_the_command_is_cut)
{
	struct record record = sample(), again;
	struct record_text text;

	memset(record.worker, '\xff', sizeof(record.worker) - 1);
	memset(record.process.host, '\xff', sizeof(record.process.host) - 1);
	memset(record.command, '\xff', sizeof(record.command) - 1);
	record.process.pid = INT32_MAX;
	record.process.pidns = record.process.start = record.count = UINT64_MAX;
	record.since = record.until = INT64_MAX;
	record.bound = INT32_MAX;
	record_format(&record, &text);
	cr_assert(le(sz, text.size, RECORD_SIZE));
	cr_assert(record_parse(&again, text.bytes, text.size));
	check_text(again.worker, record.worker);
	check_text(again.process.host, record.process.host);
	cr_assert(eq(u64, again.process.start, UINT64_MAX));
	cr_assert(gt(sz, strlen(again.command), 900));
	cr_assert(not(strncmp(again.command, record.command, strlen(again.command))));
}

/* --- what is no record ------------------------------------------------------------------- */

Test(record, every_torn_piece_of_one_is_none)
{
	struct record record = sample();
	struct record_text text;

	record_format(&record, &text);
	for (size_t size = 0; size < text.size; size++)
		refuses(text.bytes, size);
}

Test(record, garbage_is_none)
{
	static const char zeros[64];

	refuses("", 0);
	refuses(zeros, sizeof(zeros));
	refuses_text("\n");
	refuses_text("grouplock 1");
	refuses_text("grouplock 1\n");
	refuses_text("grouplock 1\n\n");
	refuses_text("grouplock 1\npid 1\n");
	refuses_text("grouplock 1\npid 1");
	refuses_text("grouplock 2\npid 1\n\n");
	refuses_text("grouplock 11\npid 1\n\n");
	refuses_text(" grouplock 1\npid 1\n\n");
	refuses_text("pid 1\n\n");
	refuses_text("grouplock 1\npid 1\nnothing\n\n");
	refuses_text("grouplock 1\r\npid 1\r\n\r\n");
}

Test(record, without_a_pid_is_none)
{
	refuses_text("grouplock 1\nworker w1\n\n");
	refuses_text("grouplock 1\npid 0\n\n");
	refuses_text("grouplock 1\npid -1\n\n");
	refuses_text("grouplock 1\npid 2147483648\n\n");
	refuses_text("grouplock 1\npid 99999999999999999999999999\n\n");
	refuses_text("grouplock 1\npid 4x\n\n");
	refuses_text("grouplock 1\npid 010\n\n");
	refuses_text("grouplock 1\npid \n\n");
}

/* Not refused or taken, but survived: under a sanitizer this sees every read out of bounds. */
Test(record, random_changes_do_no_harm)
{
	struct record record = sample(), again;
	struct record_text text;
	unsigned short seed[3] = {1, 2, 3};

	fill(record.command, 100, 0);
	for (int round = 0; round < 20000; round++) {
		record_format(&record, &text);
		for (long i = nrand48(seed) % 8; i >= 0; i--)
			text.bytes[nrand48(seed) % (long)text.size] = (char)nrand48(seed);
		if (parses(&again, text.bytes, text.size)) {
			cr_assert(gt(int, again.process.pid, 0));
			cr_assert_not_null(memchr(again.worker, '\0', sizeof(again.worker)));
			cr_assert_not_null(memchr(again.command, '\0', sizeof(again.command)));
			cr_assert(le(int, again.kind, RECORD_WAIT));
		}
	}
}

Test(record, random_bytes_behind_the_header_do_no_harm)
{
	char bytes[RECORD_SIZE] = "grouplock 1\n";
	struct record record;
	unsigned short seed[3] = {4, 5, 6};
	static const char alphabet[] = "\n\n\n    %%%%0123456789ABCDEFabcdefpidworkercommandhostid";

	for (int round = 0; round < 2000; round++) {
		size_t size = 12 + (size_t)nrand48(seed) % (sizeof(bytes) - 12);

		for (size_t i = 12; i < size; i++)
			bytes[i] = alphabet[nrand48(seed) % (long)(sizeof(alphabet) - 1)];
		parses(&record, bytes, size);
	}
}

/* --- what is one, nearly ----------------------------------------------------------------- */

static struct record parsed(const char *text)
{
	struct record record;

	cr_assert(parses(&record, text, strlen(text)), "refused '%s'", text);
	return record;
}

Test(record, unknown_keys_are_passed_over)
{
	struct record record =
		parsed("grouplock 1\ncolour blue\npid 7\npids 9\npi 8\nworker w1\nu v\n\n");

	cr_assert(eq(int, record.process.pid, 7));
	check_text(record.worker, "w1");
}

Test(record, unknown_kind_is_a_command_with_a_keeper)
{
	cr_assert(eq(int, parsed("grouplock 1\nkind lease\npid 7\n\n").kind, RECORD_RUN));
	cr_assert(eq(int, parsed("grouplock 1\nkind waiting\npid 7\n\n").kind, RECORD_RUN));
	cr_assert(eq(int, parsed("grouplock 1\nkind wait\npid 7\n\n").kind, RECORD_WAIT));
}

/* A keeper writes it in place, whatever the record's other lines are. */
Test(record, state_has_its_fixed_place)
{
	struct record record = sample(), got;
	struct record_text text;

	for (int from = RECORD_HELD; from <= RECORD_RELEASED; from++) {
		for (int to = RECORD_HELD; to <= RECORD_RELEASED; to++) {
			record.state = (enum record_state)from;
			record_format(&record, &text);
			memcpy(text.bytes + RECORD_STATE_OFFSET, record_states[to],
			       RECORD_STATE_SIZE);
			record.state = (enum record_state)to;
			cr_assert(record_parse(&got, text.bytes, text.size));
			check_equal(&got, &record);
		}
	}
}

Test(record, unknown_state_is_not_held)
{
	cr_assert(ne(int, parsed("grouplock 1\nstate here\npid 7\n\n").state, RECORD_HELD));
	cr_assert(ne(int, parsed("grouplock 1\nstate heldheldheld\npid 7\n\n").state, RECORD_HELD));
	cr_assert(ne(int, parsed("grouplock 1\nstate \npid 7\n\n").state, RECORD_HELD));
}

Test(record, numbers_that_are_none_are_zero)
{
	struct record record =
		parsed("grouplock 1\npid 7\nstart 4x\nsince -5\ncount 4294967296\npidns 0x1\n\n");

	cr_assert(zero(u64, record.process.start));
	cr_assert(zero(i64, record.since));
	cr_assert(zero(u64, record.count));
	cr_assert(zero(u64, record.process.pidns));
}

Test(record, values_end_at_a_bad_escape_or_a_zero)
{
	check_text(parsed("grouplock 1\npid 7\nworker a%zzb\n\n").worker, "a");
	check_text(parsed("grouplock 1\npid 7\nworker a%4\n\n").worker, "a");
	check_text(parsed("grouplock 1\npid 7\nworker a%\n\n").worker, "a");
	check_text(parsed("grouplock 1\npid 7\nworker a%00b\n\n").worker, "a");
	check_text(parsed("grouplock 1\npid 7\nworker a%0ab\n\n").worker,
		   "a"); /* small letters are not ours */
	check_text(parsed("grouplock 1\npid 7\nworker a%0Ab\n\n").worker, "a\nb");
	check_text(parsed("grouplock 1\npid 7\nworker \n\n").worker, "");
}

Test(record, ids_of_other_bytes_are_none)
{
	check_text(parsed("grouplock 1\npid 7\nid 0a9f\n\n").id, "0a9f");
	check_text(parsed("grouplock 1\npid 7\nid 0a9g\n\n").id, "");
	check_text(parsed("grouplock 1\npid 7\nid 0a%1B[31m\n\n").id, "");
	check_text(parsed("grouplock 1\npid 7\nboot 0-a\n\n").process.boot, "0-a");
	check_text(parsed("grouplock 1\npid 7\nboot 0-\xff\n\n").process.boot, "");
}

Test(record, values_too_long_are_cut)
{
	char text[RECORD_SIZE] = "grouplock 1\npid 7\nworker ", *p = text + strlen(text);
	struct record record;

	memset(p, 'w', 600);
	strcpy(p + 600, "\nhost ");
	p += strlen(p);
	memset(p, 'h', 600);
	strcpy(p + 600, "\ncommand ");
	p += strlen(p);
	memset(p, 'c', 2000);
	strcpy(p + 2000, "\n\n");
	record = parsed(text);
	cr_assert(eq(sz, strlen(record.worker), NAME_MAX));
	cr_assert(eq(sz, strlen(record.process.host), HOST_NAME_MAX));
	cr_assert(eq(sz, strlen(record.command), RECORD_COMMAND_SIZE - 1));
	cr_assert(eq(int, record.process.pid, 7));
}

Test(record, tail_of_an_older_one_is_not_read)
{
	check_text(parsed("grouplock 1\npid 7\nworker new\n\nworker old\npid 9\n\n").worker, "new");
	cr_assert(eq(int, parsed("grouplock 1\npid 7\n\npid 9\n\n").process.pid, 7));
	refuses_text("grouplock 1\n\npid 7\n\n");
}

/* --- files ------------------------------------------------------------------------------- */

static int open_file(void)
{
	int fd = open("slot.0", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	cr_assert(ge(int, fd, 0));
	return fd;
}

static void write_record(const struct record *record, int fd)
{
	struct statedir sd = {.path = "/srv/hw1/default"};
	struct record_text text;

	record_format(record, &text);
	cr_assert(zero(int, record_write(&text, &sd, "slot.0", fd, &err)), "%s", err.text);
}

Test(record, file_shows_the_last_one_written)
{
	struct record longer = sample(), shorter = sample(), got;
	int fd = open_file();

	fill(longer.command, 900, 0);
	strcpy(shorter.command, "x");
	shorter.process.pid = 1;
	write_record(&longer, fd);
	cr_assert(record_read(&got, fd));
	check_equal(&got, &longer);
	write_record(&shorter, fd);
	cr_assert(record_read(&got, fd));
	check_equal(&got, &shorter);
	write_record(&longer, fd);
	cr_assert(record_read(&got, fd));
	check_equal(&got, &longer);
	close(fd);
}

Test(record, file_position_does_not_matter)
{
	struct record record = sample(), got;
	int fd = open_file();

	cr_assert(eq(long, (long)lseek(fd, 1000, SEEK_SET), 1000));
	write_record(&record, fd);
	cr_assert(record_read(&got, fd));
	check_equal(&got, &record);
	close(fd);
}

Test(record, empty_file_has_none)
{
	struct record record;
	int fd = open_file();

	cr_assert(not(record_read(&record, fd)));
	cr_assert(zero(int, record.process.pid));
	close(fd);
	cr_assert(not(record_read(&record, -1)));
}

Test(record, megabyte_is_none_unless_one_is_in_its_first_page)
{
	static char megabyte[1 << 20];
	struct record record = sample(), got;
	int fd;

	memset(megabyte, 'x', sizeof(megabyte));
	tempdir_write("slot.0", megabyte, sizeof(megabyte));
	fd = open_file();
	cr_assert(not(record_read(&got, fd)));
	memcpy(megabyte, "grouplock 1\npid 7\nworker ", 25);
	memcpy(megabyte + sizeof(megabyte) - 2, "\n\n", 2);
	tempdir_write("slot.0", megabyte, sizeof(megabyte));
	cr_assert(not(record_read(&got, fd)));
	write_record(&record, fd);
	cr_assert(record_read(&got, fd));
	check_equal(&got, &record);
	close(fd);
}

Test(record, write_that_fails_is_told_with_its_path)
{
	struct statedir sd = {.path = "/srv/hw1/default"};
	struct rlimit limit;
	struct record record = sample();
	struct record_text text;
	int fd = open_file();

	record_format(&record, &text);
	cr_assert(eq(int, record_write(&text, &sd, "slot.0", -1, &err), -1));
	check_has(err.text, "cannot write '/srv/hw1/default/slot.0': Bad file descriptor");
	signal(SIGXFSZ, SIG_IGN);
	cr_assert(zero(int, getrlimit(RLIMIT_FSIZE, &limit)));
	limit.rlim_cur = 0;
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	cr_assert(eq(int, record_write(&text, &sd, "slot.0", fd, &err), -1));
	check_has(err.text, "File too large");
	limit.rlim_cur = 10; /* room for a piece only, as on a full disk */
	cr_assert(zero(int, setrlimit(RLIMIT_FSIZE, &limit)));
	cr_assert(eq(int, record_write(&text, &sd, "slot.0", fd, &err), -1));
	check_has(err.text, "No space left");
	close(fd);
}

/* --- secrets and commands ---------------------------------------------------------------- */

Test(record, secrets_are_hexadecimal_and_never_the_same)
{
	char secrets[2][RECORD_SECRET_SIZE];

	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, record_secret(secrets[i], &err)), "%s", err.text);
		cr_assert(eq(sz, strlen(secrets[i]), 32));
		cr_assert(eq(sz, strspn(secrets[i], "0123456789abcdef"), 32));
	}
	cr_assert_str_neq(secrets[0], secrets[1]);
}

Test(record, id_is_the_first_half_of_the_sha256)
{
	char id[RECORD_SECRET_SIZE];

	record_id("abc", id);
	check_text(id, "ba7816bf8f01cfea414140de5dae2223");
	record_id("", id);
	check_text(id, "e3b0c44298fc1c149afbf4c8996fb924");
}

Test(record, command_is_its_arguments_joined)
{
	static char make[] = "make", jobs[] = "-j8", empty[] = "", blank[] = "a b";
	static char *const usual[] = {make, jobs, NULL}, *const none[] = {NULL};
	static char *const odd[] = {make, empty, blank, NULL};
	struct record record = sample();

	record_command(&record, usual);
	check_text(record.command, "make -j8");
	record_command(&record, odd);
	check_text(record.command, "make  a b");
	record_command(&record, none);
	check_text(record.command, "");
}

Test(record, command_is_cut_to_its_size)
{
	char first[RECORD_COMMAND_SIZE + 8], second[] = "second", whole[RECORD_COMMAND_SIZE + 32];
	char *argv[] = {first, second, NULL};

	for (size_t length = RECORD_COMMAND_SIZE - 12; length < RECORD_COMMAND_SIZE + 4; length++) {
		struct record *record = calloc(1, sizeof(*record));

		memset(first, 'x', length);
		first[length] = '\0';
		snprintf(whole, sizeof(whole), "%s second", first);
		whole[RECORD_COMMAND_SIZE - 1] = '\0';
		record_command(record, argv);
		check_text(record->command, whole);
		free(record);
	}
}

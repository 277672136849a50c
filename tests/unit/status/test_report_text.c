/* The three forms of a report that is made by hand. */
#include "status/report.h"

#include <stdlib.h>

#include <jansson.h>

#include "base/clock.h"
#include "check.h"

#define NOW (INT64_C(1800000000) * CLOCK_SECOND)

static struct record *who(const char *worker, const char *command)
{
	struct record *made = calloc(1, sizeof(*made));

	strcpy(made->worker, worker);
	strcpy(made->command, command);
	made->process.pid = 4242;
	strcpy(made->process.host, "vm2");
	made->since = NOW - 723 * CLOCK_SECOND;
	made->count = 1;
	return made;
}

static char hw1[] = "hw1", default_lock[] = "default", zero[] = "0", one[] = "1";
static char strange_group[] = "a\"b\\c\nd\xff";
static struct report_row rows[3];
static struct report_lock lock;
static struct report report;

/* Slot 0 is held, slot 1 is free, and there is one waiter. */
static void setup(void)
{
	lock = (struct report_lock){
		.group = hw1,
		.lock = default_lock,
		.limited = true,
		.limit = 2,
		.rows = rows,
		.count = 3,
		.held = 1,
		.waiting = 1,
	};
	report = (struct report){.directory = "/locks", .time = NOW, .locks = &lock, .count = 1};
	rows[0] = (struct report_row){.state = REPORT_HELD,
				      .name = zero,
				      .numbered = true,
				      .who = who("msvc10", "make -j8")};
	rows[1] = (struct report_row){.state = REPORT_FREE, .name = one, .numbered = true};
	rows[2] = (struct report_row){
		.state = REPORT_WAITING, .ticket = 17, .place = 1, .who = who("msvc11", "make")};
	rows[2].who->since = NOW - 5 * CLOCK_SECOND;
}

static void teardown(void)
{
	for (unsigned i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		free(rows[i].who);
		rows[i].who = NULL;
	}
}

TestSuite(report_text, .init = setup, .fini = teardown);

/* What a form writes, malloc()ed. */
static char *table(size_t width)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(zero(int, report_table(out, &report, width, false)));
	fclose(out);
	return text;
}

static char *written(int (*form)(FILE *out, const struct report *report))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	cr_assert(zero(int, form(out, &report)));
	fclose(out);
	return text;
}

static void check_form(char *text, const char *expected)
{
	cr_assert_not_null(text);
	check_text(text, expected);
	free(text);
}

Test(report_text, table_is_aligned)
{
	check_form(table(0), "GROUP LOCK    SLOT STATE   WORKER HOST  PID    AGE COMMAND\n"
			     "hw1   default    0 held    msvc10 vm2  4242 12m03s make -j8\n"
			     "hw1   default    1 free    -      -       -      - -\n"
			     "hw1   default  1st waiting msvc11 vm2  4242     5s make\n");
}

Test(report_text, table_of_nothing_has_a_head)
{
	report.count = 0;
	check_form(table(0), "GROUP LOCK SLOT STATE WORKER HOST PID AGE COMMAND\n");
}

Test(report_text, table_aligns_characters_and_not_bytes)
{
	lock.count = 2;
	strcpy(rows[0].who->worker, "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f");
	check_form(
		table(0),
		"GROUP LOCK    SLOT STATE WORKER HOST  PID    AGE COMMAND\n"
		"hw1   default    0 held  \xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f   vm2  4242 12m03s make -j8\n"
		"hw1   default    1 free  -      -       -      - -\n");
}

/* ... and leaves so much of it as its head is wide. */
Test(report_text, table_cuts_the_command_only)
{
	static const char cut[] = "GROUP LOCK    SLOT STATE WORKER HOST  PID    AGE COMMAND\n"
				  "hw1   default    0 held  msvc10 vm2  4242 12m03s make -j\n";

	lock.count = 1;
	check_form(table(57), "GROUP LOCK    SLOT STATE WORKER HOST  PID    AGE COMMAND\n"
			      "hw1   default    0 held  msvc10 vm2  4242 12m03s make -j8\n");
	check_form(table(56), cut);
	check_form(table(20), cut);
}

Test(report_text, table_escapes_what_strangers_wrote)
{
	lock.count = 1;
	strcpy(rows[0].who->worker, "a\nb");
	strcpy(rows[0].who->command, "\x1b[2J");
	strcpy(rows[0].who->process.host, "c\rd");
	check_form(table(0), "GROUP LOCK    SLOT STATE WORKER HOST    PID    AGE COMMAND\n"
			     "hw1   default    0 held  a\\x0ab c\\x0dd 4242 12m03s \\x1b[2J\n");
}

Test(report_text, table_holds_the_longest_of_everything)
{
	static struct report_process processes[40];
	static char worker[NAME_MAX + 1], command[RECORD_COMMAND_SIZE];
	char *text;

	memset(worker, 1, NAME_MAX);
	memset(command, 2, RECORD_COMMAND_SIZE - 1);
	strcpy(rows[0].who->worker, worker);
	strcpy(rows[0].who->command, command);
	memset(rows[0].who->process.host, 3, HOST_NAME_MAX);
	rows[0].state = REPORT_LEAKED;
	rows[0].searched = true;
	rows[0].processes = processes;
	rows[0].process_count = 40;
	for (int i = 0; i < 40; i++)
		processes[i] = (struct report_process){i + 1, command};
	text = table(0);
	check_has(text, " and 24 more; left by \\x02");
	cr_assert_null(strpbrk(text, "\x01\x02\x03"));
	free(text);
}

Test(report_text, claims_say_what_they_are_bound_to)
{
	struct record *claim = rows[0].who;
	char *text;

	claim->kind = RECORD_CLAIM;
	strcpy(claim->command, "claim of bash build.sh");
	strcpy(claim->id, "1a2b3c4d");
	claim->bound = 4711;
	text = table(0);
	check_has(text, " claim 1a2b3c4d (bound to pid 4711) of bash build.sh\n");
	free(text);
	claim->until = NOW + 11520 * CLOCK_SECOND;
	text = table(0);
	check_has(text, " claim 1a2b3c4d (bound to pid 4711, 3h12m left) of bash build.sh\n");
	free(text);
	claim->bound = 0;
	strcpy(claim->command, "claim");
	text = table(0);
	check_has(text, " claim 1a2b3c4d (bound to no process, 3h12m left)\n");
	free(text);
}

static void samples_have(const char *part)
{
	char *text = written(report_prometheus);

	check_has(text, part);
	free(text);
}

Test(report_text, metrics_have_the_oldest_ages)
{
	samples_have("\ngrouplock_slots{group=\"hw1\",lock=\"default\"} 2\n");
	samples_have("\ngrouplock_slots_held{group=\"hw1\",lock=\"default\"} 1\n");
	samples_have("\ngrouplock_waiters{group=\"hw1\",lock=\"default\"} 1\n");
	samples_have("\ngrouplock_oldest_waiter_age_seconds{group=\"hw1\",lock=\"default\"} 5\n");
	samples_have("\ngrouplock_oldest_holder_age_seconds{group=\"hw1\",lock=\"default\"} 723\n");
	rows[1] = rows[0];
	rows[1].who = who("w", "c");
	rows[1].who->since = NOW - 1000500 * (CLOCK_SECOND / 1000);
	samples_have(
		"\ngrouplock_oldest_holder_age_seconds{group=\"hw1\",lock=\"default\"} 1000.5\n");
}

Test(report_text, metrics_do_not_guess)
{
	rows[0].who->since = 0;
	samples_have("\ngrouplock_oldest_holder_age_seconds{group=\"hw1\",lock=\"default\"} NaN\n");
	rows[2].who->since = NOW + CLOCK_SECOND; /* another machine's clock */
	samples_have("\ngrouplock_oldest_waiter_age_seconds{group=\"hw1\",lock=\"default\"} 0\n");
}

Test(report_text, labels_are_escaped)
{
	lock.group = strange_group;
	samples_have(
		"\ngrouplock_slots{group=\"a\\\"b\\\\c\\\\x0ad\\\\xff\",lock=\"default\"} 2\n");
}

static json_t *parse(void)
{
	char *text = written(report_json);
	json_t *root = json_loads(text, 0, NULL);

	cr_assert_not_null(root, "no JSON: %s", text);
	free(text);
	return root;
}

Test(report_text, json_has_numbers_and_times)
{
	json_t *root = parse(), *first = json_array_get(json_object_get(root, "locks"), 0);
	json_t *slot = json_array_get(json_object_get(first, "slots"), 0);
	json_t *waiter = json_array_get(json_object_get(first, "waiters"), 0);

	check_text(json_string_value(json_object_get(root, "time")), "2027-01-15T08:00:00.000Z");
	check_text(json_string_value(json_object_get(slot, "since")), "2027-01-15T07:47:57.000Z");
	cr_assert(eq(dbl, json_number_value(json_object_get(slot, "age")), 723));
	cr_assert(eq(llong, json_integer_value(json_object_get(slot, "pid")), 4242));
	cr_assert(eq(llong, json_integer_value(json_object_get(waiter, "ticket")), 17));
	cr_assert_eq(json_typeof(json_object_get(slot, "until")), JSON_NULL);
	json_decref(root);
}

/* Whatever bytes names and commands have, jansson reads what was written. */
Test(report_text, json_is_always_valid)
{
	char worker[32], command[32];

	srand(2);
	for (int i = 0; i < 5000; i++) {
		for (size_t j = 0; j < sizeof(worker) - 1; j++) {
			worker[j] = (char)(1 + rand() % 255);
			command[j] = (char)(0x80 | rand());
		}
		worker[sizeof(worker) - 1] = command[sizeof(command) - 1] = '\0';
		strcpy(rows[0].who->worker, worker);
		strcpy(rows[2].who->command, command);
		json_decref(parse());
	}
}

Test(report_text, what_could_not_be_seen_is_null)
{
	json_t *root, *first;
	char *text;

	strcpy(lock.problem.text, "cannot look");
	lock.count = lock.held = lock.waiting = 0;
	root = parse();
	first = json_array_get(json_object_get(root, "locks"), 0);
	cr_assert_eq(json_typeof(json_object_get(first, "held")), JSON_NULL);
	cr_assert_eq(json_typeof(json_object_get(first, "slots")), JSON_NULL);
	check_text(json_string_value(json_object_get(first, "problem")), "cannot look");
	json_decref(root);
	text = written(report_prometheus);
	check_has(text, "grouplock_slots{");
	cr_assert_null(strstr(text, "grouplock_slots_held{"));
	free(text);
}

#include "config/config_text.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "config/config.h"
#include "tempdir.h"

#define FILE_NAME "groups.ini"

TestSuite(config_text, .init = tempdir_make, .fini = tempdir_remove);

/* What is left of a text for `worker`. */
static void thins_to(const char *text, const char *worker, const char *expected)
{
	struct error err = {""};
	struct config_text read;

	tempdir_write_text(FILE_NAME, text);
	cr_assert(zero(int, config_text_read(&read, FILE_NAME, &err)), "%s", err.text);
	cr_assert(zero(int, config_text_check(&read, &err)), "%s", err.text);
	config_text_leave_out(&read, worker);
	check_text(read.bytes, expected);
	cr_assert(eq(ulong, read.size, strlen(expected)));
	config_text_free(&read);
}

Test(config_text, leaves_out_plain_entries_for_others)
{
	thins_to("[workers]\nw1 = hw1\n w2=hw2\r\nW3\t=\thw.3-x_ \n", "w2",
		 "[workers]\n;1 = hw1\n w2=hw2\r\n;3\t=\thw.3-x_ \n");
	thins_to("[WORKERS]  \nW1 = hw1\nw2 = hw2\nw1 = hw3\n", "w1",
		 "[WORKERS]  \nW1 = hw1\n;2 = hw2\nw1 = hw3\n");
	thins_to("[workers]\nw1 = hw1\n", NULL, "[workers]\n;1 = hw1\n");
	thins_to("[workers]\nw1 = hw1\nw11 = hw1\n", "w", "[workers]\n;1 = hw1\n;11 = hw1\n");
}

Test(config_text, leaves_what_is_not_plain)
{
	static const char *const lines[] = {
		"w* = hw1\n",        "w1 = \"hw1\"\n", "w1 = hw1 ; here\n",
		"w1 = a b\n",        "w1 =\n",         "= hw1\n",
		"w1 = hw1 = hw2\n",  "[w1 = hw1\n",    ".w1 = hw1\n",
		"w1 = .hw1\n",       "w1 = hw1",       "# w1 = hw1\n",
		"w\303\244 = hw1\n", "w1 = hw1\v\n",   "w1 = hw1\\\n\n"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		char text[64];

		snprintf(text, sizeof(text), "[workers]\n%s", lines[i]);
		thins_to(text, NULL, text);
	}
}

Test(config_text, leaves_what_does_not_certainly_stand_in_workers)
{
	static const char *const texts[] = {"w1 = hw1\n",
					    "[slots]\nw1 = 1\n",
					    "[ workers ]\nw1 = hw1\n",
					    "[workers]\n[slots]\nw1 = 1\n",
					    "[workers]\n[slo\\\nts]\nw1 = 1\n",
					    "[workers]\nw0 = a\\\nw1 = hw1\n",
					    "[slots]\n\\\n[workers]\nw1 = hw1\n",
					    "[workers] ; these\nw1 = hw1\n"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		thins_to(texts[i], NULL, texts[i]);
}

Test(config_text, leaves_names_that_may_be_too_long)
{
	char longest[256], text[1024], thin[1024];

	memset(longest, 'x', sizeof(longest));
	longest[200] = '\0';
	snprintf(text, sizeof(text), "[workers]\n%s=%s\n", longest, longest);
	snprintf(thin, sizeof(thin), "[workers]\n;%s=%s\n", longest + 1, longest);
	thins_to(text, NULL, thin);
	longest[200] = 'x';
	longest[201] = '\0';
	snprintf(text, sizeof(text), "[workers]\nw1 = %s\n%s = hw1\n", longest, longest);
	thins_to(text, NULL, text);
}

Test(config_text, a_mistake_behind_what_is_left_out_has_its_own_line)
{
	struct error err = {""};

	tempdir_write_text(FILE_NAME, "[workers]\nw1 = hw1\nw2 = hw2\nnonsense\n");
	cr_assert_null(config_load_for(FILE_NAME, "w9", &err));
	cr_assert(zero(int, strncmp(err.text, FILE_NAME ":4: ", sizeof(FILE_NAME ":4: ") - 1)),
		  "%s", err.text);
}

/* --- the answers are those of the whole file ---------------------------------------------- */

static const char *const pieces[] = {
	"[workers]\n",
	" [Workers]\t\n",
	"[ workers ]\n",
	"[slots]\n",
	"[slots link]\n",
	"[grouplock]\n",
	"w1 = hw1\n",
	"W1=hw2\r\n",
	"w1 = \"hw3\"\n",
	"w1 = hw4 ; x\n",
	"w2 = hw1\n",
	"w* = hw5\n",
	"w? = hw6\n",
	"* = hw7\n",
	"w3 = hw8\\\n",
	"\\\n",
	"[slo\\\n",
	"ts]\n",
	"; w1 = hw9\n",
	"# to be continued \\\n",
	"hw1 = 2\n",
	"* = 3\n",
	"hw7 = a b\n",
	"strict = yes\n",
	"\n",
	"directory=/d\n",
	"  \t\n",
	"nonsense\n",
	"w1 = \n",
	"[workers",
	"w2 = hw10",
	".w1 = hw1\n",
	"w1 = 'hw11'\n",
	"hw1 = 4x\n",
	"w1 = hw1 hw2\n",
	"= hw1\n",
	"w1\n",
	"[workers] w1 = x\n",
};

/* A sequence of its own, the same in every run. */
static size_t pick(uint64_t *state, size_t count)
{
	*state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (size_t)(*state >> 33) % count;
}

static void same_group(const struct config *all, const struct config *one, const char *worker,
		       const char *text)
{
	const char *pattern_all, *pattern_one;
	char group_all[NAME_MAX + 1], group_one[NAME_MAX + 1];
	enum config_match match_all =
		config_group(all, worker, group_all, sizeof(group_all), &pattern_all);
	enum config_match match_one =
		config_group(one, worker, group_one, sizeof(group_one), &pattern_one);

	cr_assert(eq(int, match_one, match_all), "worker '%s' in:\n%s", worker, text);
	cr_assert_str_eq(group_one, group_all, "worker '%s' in:\n%s", worker, text);
	cr_assert_str_eq(pattern_one ? pattern_one : "", pattern_all ? pattern_all : "", "%s",
			 text);
}

static void same_slots(const struct config *all, const struct config *one, const char *group,
		       const char *text)
{
	const char *lock;
	unsigned i = 0;

	for (; (lock = config_lock(all, i)); i++) {
		struct slotset slots_all, slots_one;
		struct error err;

		cr_assert_str_eq(config_lock(one, i), lock, "%s", text);
		cr_assert(zero(int, config_slots(all, lock, group, &slots_all, &err)));
		cr_assert(zero(int, config_slots(one, lock, group, &slots_one, &err)));
		cr_assert(eq(uint, slots_one.count, slots_all.count), "%s", text);
		slotset_free(&slots_all);
		slotset_free(&slots_one);
	}
	cr_assert_null(config_lock(one, i));
}

/* Whether the file was good. */
static bool same_answers(const char *text, const char *worker)
{
	struct error error_all = {""}, error_one = {""};
	struct config *all, *one;
	bool good;

	tempdir_write_text(FILE_NAME, text);
	all = config_load(FILE_NAME, &error_all);
	one = config_load_for(FILE_NAME, worker, &error_one);
	cr_assert(all || !one, "took, but not as a whole, because %s:\n%s", error_all.text, text);
	/* A bad entry that a later line for the same name hides from iniparser is refused, too. */
	cr_assert(one || !all || strstr(error_one.text, "[workers]: key 'w"), "%s\nin:\n%s",
		  error_one.text, text);
	good = one != NULL;
	if (good) {
		same_group(all, one, worker, text);
		same_slots(all, one, "hw1", text);
		same_slots(all, one, "hw7", text);
		cr_assert(eq(int, config_strict(one), config_strict(all)), "%s", text);
	}
	config_free(all);
	config_free(one);
	return good;
}

Test(config_text, answers_are_those_of_the_whole_file)
{
	uint64_t state = 1;
	unsigned good = 0;

	for (int round = 0; round < 4000; round++) {
		char text[4096];
		size_t used = (size_t)snprintf(text, sizeof(text), "[workers]\n");

		for (int i = 0; i < 20; i++)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "x%d = hw%d\n",
						 i, i);
		for (size_t left = pick(&state, 8); left; left--) {
			size_t i = pick(&state, sizeof(pieces) / sizeof(*pieces));

			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s", pieces[i]);
		}
		good += same_answers(text, pick(&state, 2) ? "w1" : "w2");
	}
	cr_assert(gt(uint, good, 500));
	cr_assert(lt(uint, good, 3500));
}

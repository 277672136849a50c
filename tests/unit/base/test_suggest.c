#include "base/suggest.h"

#include <string.h>

#include "check.h"

static void check_distance(const char *a, const char *b, unsigned expected)
{
	cr_assert(eq(u32, suggest_distance(a, b), expected), "'%s' and '%s'", a, b);
	cr_assert(eq(u32, suggest_distance(b, a), expected), "'%s' and '%s'", b, a);
}

Test(suggest, distance_counts_letters_put_in_left_out_replaced_and_swapped)
{
	check_distance("", "", 0);
	check_distance("run", "run", 0);
	check_distance("", "run", 3);
	check_distance("rn", "run", 1);
	check_distance("ruun", "run", 1);
	check_distance("rin", "run", 1);
	check_distance("rnu", "run", 1);
	check_distance("urn", "run", 1);
	check_distance("nru", "run", 2);
	check_distance("kitten", "sitting", 3);
	check_distance("stauts", "status", 1);
	check_distance("abc", "xyz", 3);
}

Test(suggest, distance_has_no_case_but_other_bytes_are_themselves)
{
	check_distance("RUN", "run", 0);
	check_distance("w[", "w{", 1);
	check_distance("h\xc3\xa4", "h\xc3\xb6", 1);
}

Test(suggest, distance_of_long_words)
{
	char word[SUGGEST_MAX + 2], other[SUGGEST_MAX + 2];

	memset(word, 'a', sizeof(word));
	memset(other, 'b', sizeof(other));
	word[SUGGEST_MAX + 1] = other[SUGGEST_MAX + 1] = '\0';
	check_distance(word, "a", SUGGEST_MAX);
	word[SUGGEST_MAX] = other[SUGGEST_MAX] = '\0';
	check_distance(word, other, SUGGEST_MAX);
	check_distance(word, word, 0);
	check_distance(word, "", SUGGEST_MAX);
	check_distance(word, "aaaa", SUGGEST_MAX - 4);
}

static void check_best(const char *word, const char *expected)
{
	static const char *const names[] = {"run",   "claim", "release", "status",
					    "which", "check", "hw1",     "default"};
	struct suggest suggest;
	struct error err;

	suggest_begin(&suggest, word);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		suggest_offer(&suggest, names[i]);
	error_set(&err, "no '%s'", word);
	cr_assert(eq(int, suggest_append(&suggest, &err), -1));
	check_text(err.text + strcspn(err.text, ";"), expected);
}

Test(suggest, the_nearest_is_meant)
{
	check_best("rnu", "; did you mean 'run'?");
	check_best("statsu", "; did you mean 'status'?");
	check_best("chekc", "; did you mean 'check'?");
	check_best("wich", "; did you mean 'which'?");
	check_best("CLAIN", "; did you mean 'claim'?");
	check_best("relaese", "; did you mean 'release'?");
	check_best("hw2", "; did you mean 'hw1'?");
}

Test(suggest, a_word_cut_short_is_meant)
{
	check_best("stat", "; did you mean 'status'?");
	check_best("re", "; did you mean 'release'?");
	check_best("r", "");
}

Test(suggest, what_is_far_off_is_not_meant)
{
	check_best("", "");
	check_best("make", "");
	check_best("x", "");
	check_best("lock", "");
	check_best("statistics", "");
	check_best("hw1x2y", "");
}

Test(suggest, the_name_itself_is_none)
{
	check_best("run", "");
}

Test(suggest, numbering)
{
	cr_assert(suggest_is_numbering("hw1", "hw2"));
	cr_assert(suggest_is_numbering("hw9", "HW10"));
	cr_assert(suggest_is_numbering("vm-1-a", "vm-27-a"));
	cr_assert(suggest_is_numbering("hw", "hw1"));
	cr_assert(not(suggest_is_numbering("hw1", "wh1")));
	cr_assert(not(suggest_is_numbering("hwa", "hwb")));
	cr_assert(not(suggest_is_numbering("hw1", "hw1b")));
}

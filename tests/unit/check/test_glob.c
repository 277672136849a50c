#include "check/glob.h"

#include <fnmatch.h>
#include <stdlib.h>

#include "check.h"

static bool covers(const char *wide, const char *narrow)
{
	struct glob *a = glob_compile(wide), *b = glob_compile(narrow);
	bool result;

	cr_assert_not_null(a, "%s", wide);
	cr_assert_not_null(b, "%s", narrow);
	result = glob_covers(a, b);
	glob_free(a);
	glob_free(b);
	return result;
}

static bool is_void(const char *pattern)
{
	struct glob *glob = glob_compile(pattern);
	bool result;

	cr_assert_not_null(glob, "%s", pattern);
	result = glob_is_void(glob);
	glob_free(glob);
	return result;
}

/* Where such brackets end depends on what is matched: what fnmatch(3) does then is not for us to tell. */
Test(glob, half_a_class_is_not_read)
{
	static const char *const patterns[] = {
		"[[:1a:]]", "[[:]x]*:]", "[![:x]", "[[=ab=]]", "[[==]]", "[[.]", "[[.ab.]]",
	};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++)
		cr_assert_null(glob_compile(patterns[i]), "%s", patterns[i]);
}

Test(glob, wider_pattern_covers)
{
	static const char *const pairs[][2] = {
		{"*", "linux-*"},
		{"linux-*", "linux-*"},
		{"linux-*", "linux-arm*"},
		{"linux-*", "linux-?"},
		{"*-vm", "*-*-vm"},
		{"?*", "*"}, /* no name is empty */
		{"*?", "?*"},
		{"**", "*"},
		{"[a-c]x", "[ab]x"},
		{"[!x]*", "[a-w]*"},
		{"a?c*", "abc"},
		{"*a*", "*a"},
		{"*a*", "*ba*c*"},
		{"[[:alpha:]]*", "[a-f]?"},
		{"\\*x", "[*]x"},
		{"mac-[0-9]*", "mac-[0-9]"},
		{"*a*b*", "*ab*"},
		{"?", "[[:digit:]]"},
		{"*?*?*", "??*"},
		{"a[/-0]*", "a0"}, /* - . / 0: no name has the slash */
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		cr_assert(covers(pairs[i][0], pairs[i][1]), "'%s' covers '%s'", pairs[i][0],
			  pairs[i][1]);
}

Test(glob, narrower_or_other_pattern_does_not_cover)
{
	static const char *const pairs[][2] = {
		{"linux-*", "*"},         {"linux-?", "linux-*"}, {"a?", "a*"},
		{"*-vm", "*-vm*"},        {"[ab]*", "[a-c]*"},    {"mac-[0-9]", "mac-[0-9]*"},
		{"*ab*", "*a*b*"},        {"??*", "?*"},          {"win-*", "linux-*"},
		{"[!a]*", "[!b]*"},       {"*aa", "*a"},          {"a*a", "a*"},
		{"*x*y", "*x*y*"},        {"*a?", "*a*"},         {"[[:alpha:]]", "?"},
		{"linux-*-*", "linux-*"},
	};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(*pairs); i++)
		cr_assert(not(covers(pairs[i][0], pairs[i][1])), "'%s' does not cover '%s'",
			  pairs[i][0], pairs[i][1]);
}

/* It does cover, but to find that out takes a million steps. */
Test(glob, search_that_takes_too_long_is_given_up)
{
	cr_assert(covers("*a??", "*a?z"));
	cr_assert(not(covers("*a????????????????????", "*a???????????????????z")));
}

Test(glob, pattern_that_matches_no_name_is_void)
{
	static const char *const nothing[] = {"a/*", "[A-Z]*", "[[:upper:]]*", "?[/]", "\\/", ""};
	static const char *const something[] = {"*",   "a*",    "[!a]", "[[:lower:]]",
						"[]]", "\\[x]", "[]-a]"};

	for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++)
		cr_assert(is_void(nothing[i]), "'%s'", nothing[i]);
	for (size_t i = 0; i < sizeof(something) / sizeof(*something); i++)
		cr_assert(not(is_void(something[i])), "'%s'", something[i]);
}

Test(glob, what_does_not_end_is_no_pattern)
{
	static const char *const bad[] = {"[a", "x[", "[!", "[]", "a\\", "[[:alpha:]"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert_null(glob_compile(bad[i]), "'%s'", bad[i]);
}

/* --- against fnmatch(3) ------------------------------------------------------------------- */

#define LONGEST 6 /* words of four letters up to here tell all patterns below apart */

static const char *const parts[] = {"*", "?", "a", "b", "c", "[ab]", "[!a]", "*", "[b-c]", "\\a"};

static void make_pattern(char *out, int count, unsigned short seed[3])
{
	*out = '\0';
	while (count--)
		strcat(out, parts[nrand48(seed) % (long)(sizeof(parts) / sizeof(*parts))]);
}

/* Whether every word that narrow matches is matched by wide, by trying them all; d is "any other". */
static bool covers_in_fact(const char *wide, const char *narrow)
{
	char word[LONGEST + 2] = "a";

	while (strlen(word) <= LONGEST) {
		size_t end = strlen(word), i = end;

		if (!fnmatch(narrow, word, 0) && fnmatch(wide, word, 0))
			return false;
		while (i && word[i - 1] == 'd')
			word[--i] = 'a';
		if (i)
			word[i - 1]++;
		else
			strcpy(word + end, "a");
	}
	return true;
}

Test(glob, agrees_with_fnmatch_on_random_patterns)
{
	unsigned short seed[3] = {1, 2, 3};
	int covered = 0;

	for (int i = 0; i < 3000; i++) {
		char wide[32], narrow[32];
		bool expected;

		make_pattern(wide, (int)(nrand48(seed) % 4) + 1, seed);
		make_pattern(narrow, (int)(nrand48(seed) % 3) + 1, seed);
		expected = covers_in_fact(wide, narrow);
		covered += expected;
		cr_assert(eq(int, covers(wide, narrow), expected), "'%s' over '%s'", wide, narrow);
	}
	cr_assert(gt(int, covered, 100));
}

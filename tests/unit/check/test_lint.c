#include "check/lint.h"

#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"
#include "config/config.h"
#include "tempdir.h"

#define FILE_NAME "groups.ini"

TestSuite(lint, .init = tempdir_make, .fini = tempdir_remove);

static void lint_bytes(struct findings *findings, const char *bytes, size_t size)
{
	char *directory;

	*findings = (struct findings){0};
	tempdir_write(FILE_NAME, bytes, size);
	lint_config(FILE_NAME, findings, &directory);
	free(directory);
}

/* All findings as "LINE LEVEL: TEXT" lines, to be freed. */
static char *all_of(const struct findings *findings)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < findings->count; i++)
		fprintf(out, "%u %s: %s\n", findings->list[i].line,
			finding_word(findings->list[i].level), findings->list[i].text);
	fclose(out);
	return text;
}

/* The file has this finding: a line that begins with `start` and has `part` in it. */
static void expect_bytes(const char *bytes, size_t size, const char *start, const char *part)
{
	struct findings findings;
	char *all, *line, *rest;
	bool found = false;

	lint_bytes(&findings, bytes, size);
	all = all_of(&findings);
	rest = strdup(all);
	for (line = strtok(rest, "\n"); line && !found; line = strtok(NULL, "\n"))
		found = !strncmp(line, start, strlen(start)) && strstr(line, part);
	cr_assert(found, "no '%s ... %s' for\n%.*s\nbut:\n%s", start, part, (int)size, bytes, all);
	free(rest);
	free(all);
	findings_free(&findings);
}

static void expect(const char *text, const char *start, const char *part)
{
	expect_bytes(text, strlen(text), start, part);
}

/* There is one finding and no other. */
static void expect_only(const char *text, const char *start, const char *part)
{
	struct findings findings;
	char *all;

	expect(text, start, part);
	lint_bytes(&findings, text, strlen(text));
	all = all_of(&findings);
	cr_assert(eq(int, (int)findings.count, 1), "%s:\n%s", text, all);
	free(all);
	findings_free(&findings);
}

static void expect_nothing(const char *text)
{
	struct findings findings;
	char *all;

	lint_bytes(&findings, text, strlen(text));
	all = all_of(&findings);
	check_text(all, "");
	free(all);
	findings_free(&findings);
}

/* --- good files --------------------------------------------------------------------------- */

Test(lint, good_files_have_no_findings)
{
	static const char *const texts[] = {
		"",
		"\n",
		"# only a comment\n",
		"[slots]",
		"[slots]\n* = 1\nhw1 = 2 ; two\nhw2 = a, b c # three\n",
		"[grouplock]\r\ndirectory = /srv\r\nstrict = yes\r\n[workers]\r\nw = hw1\r\n",
		"[workers]\n* = rest\nlinux-* = hw2\nlinux-arm = arm\n[slots]\nhw2 = 3\nrest=1\narm=0\n",
		"[slots]\nhw1 = a, \\\n b \\\n c\nhw2 = \"kit-a kit-b\" ; quoted\nhw3 = 'x'\n",
		"[workers]\n[ab]* = hw1\n[c]  = hw2 ; a pattern, not a section\n",
		"[grouplock]\ndirectory = \"/srv/a;b#c\"\n",
		"[slots]\nhw1=1;\nhw2=2;; two\nhw3=3# three\n",
		"[slots link] ; one [at a time]\nhw1 = 1\n",
		"[grouplock]\ndirectory = /a=b\n",
		"\\\n\\\n[slots]\n\\\nhw1 = 1\n",
		"# a comment \\\n# goes on \\\n\n[slots]\n",
		"[slots]\nhw1 = 1\n[slots link]\nhw1 = 1\n[slots devkit]\nHW2 = Kit-A\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
		expect_nothing(texts[i]);
}

Test(lint, directory_is_handed_out)
{
	static const struct {
		const char *text, *directory;
	} cases[] = {
		{"[grouplock]\ndirectory = /srv\n", "/srv"},
		{"[slots]\nhw1 = 4x\n[grouplock]\ndirectory = /srv\n", "/srv"},
		{"[grouplock]\ndirectory = /a\ndirectory = /b\n", "/b"},
		{"[grouplock]\ndirectory = srv\n", NULL},
		{"[slots]\n", NULL},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct findings findings = {0};
		char *directory;

		tempdir_write_text(FILE_NAME, cases[i].text);
		lint_config(FILE_NAME, &findings, &directory);
		if (cases[i].directory)
			check_text(directory ? directory : "NULL", cases[i].directory);
		else
			cr_assert_null(directory, "%s", cases[i].text);
		free(directory);
		findings_free(&findings);
	}
}

Test(lint, file_that_cannot_be_read_is_one_error)
{
	struct findings findings = {0};
	char *directory;

	lint_config("missing.ini", &findings, &directory);
	cr_assert(eq(int, (int)findings.count, 1));
	cr_assert(eq(int, (int)findings.levels[FINDING_ERROR], 1));
	check_has(findings.list[0].text, "no config file 'missing.ini'");
	cr_assert_null(directory);
	findings_free(&findings);
}

/* --- single lines ------------------------------------------------------------------------- */

Test(lint, what_iniparser_refuses_is_an_error)
{
	expect_only("[slots]\nnonsense\n", "2 error: syntax error", "neither [SECTION] nor KEY");
	expect_only("[slots]\nhw1 : 1\n", "2 error: syntax error", "neither");
	expect_only("[slots]\n= 1\n", "2 error: syntax error", "no key");
	expect_only("[slots\nhw1 = 1\n", "1 error: syntax error", "without its ]");
	expect_only("[slots] ; comment\nhw1 = 1\n", "1 error: syntax error", "line of its own");
	expect_only("[slots]\nhw1 = \\\n1\nnonsense", "4 error: syntax error", "neither");
}

Test(lint, all_problems_are_told_in_the_order_of_lines)
{
	struct findings findings;
	unsigned last = 0;
	const char *text =
		"x\n[grouplock]\nstrict = maybe\n[workers]\na =\nb/ = c\n[slots]\nhw1 = 4x\n"
		"hw2 = a a\nhw2 = 1\n[nothing]\nfoo\n[slots]\n";

	lint_bytes(&findings, text, strlen(text));
	cr_assert(eq(int, (int)findings.levels[FINDING_ERROR], 10));
	for (size_t i = 0; i < findings.count; i++) {
		cr_assert(ge(uint, findings.list[i].line, last));
		last = findings.list[i].line;
	}
	findings_free(&findings);
}

Test(lint, values_are_judged_as_run_judges_them)
{
	expect_only("[slots]\nhw1 = 010\n", "2 error: section [slots]: key 'hw1'", "not a count");
	expect_only("[slots]\nhw1 = a A\n", "2 error:", "twice");
	expect_only("[grouplock]\ndirectory = srv\n", "2 error:", "not an absolute path");
	expect_only("[workers]\nmac-[0-9 = hw1\n", "2 error:", "bad pattern");
	expect_only("[workers]\nw =\n", "2 error:", "it names no group");
	expect_only("[slots]\n[workers]\nw = ; hw1\n", "3 error:", "it names no group");
	expect_only("[grouplock]\ndirectry = /srv\n", "2 error:", "unknown key");
}

Test(lint, unknown_section_is_told_once_and_what_is_in_it_is_passed_over)
{
	expect_only("[worker]\na = 1\nb =\n", "1 error: section [worker]", "unknown section");
	expect_only("[slots:link]\na = 1\n", "1 error: section [slots:link]", "unknown section");
}

Test(lint, key_before_any_section_is_an_error)
{
	expect_only("# c\nhw1 = 1\n[slots]\n", "2 error:", "before any section");
}

Test(lint, lines_that_are_too_long_are_told_and_the_rest_is_checked)
{
	char text[4096];

	snprintf(text, sizeof(text), "[slots]\nhw1 = %01016d ; \nhw2 = 4x\n", 0);
	expect(text, "2 error: input line too long", "1,022");
	expect(text, "3 error:", "4x");
	/* 1,022 characters and a line end: just short enough. */
	snprintf(text, sizeof(text), "[slots]\n#%01021d\n", 0);
	expect_nothing(text);
	snprintf(text, sizeof(text), "[slots]\n#%01022d\n", 0);
	expect_only(text, "2 error: input line too long", "1,022");
	snprintf(text, sizeof(text), "[slots]\n#%01022d", 0);
	expect_only(text, "2 error: input line too long", "1,022");
	snprintf(text, sizeof(text), "[slots]\nhw1 = a%0500d, \\\n b%0500d, \\\n c%0500d\nx", 1, 2,
		 3);
	expect(text, "2 error: input line too long", "down to 4");
}

Test(lint, bytes_that_are_no_text_are_errors_line_by_line)
{
	static const char zero[] = "[slots]\nhw1 = \0 1\nhw2 = 4x\n\x1b\n",
			  many[] = "\1\n\2\n\3\n\4\n\5\n\6\n\7\n\x10\n\x11\n\x12\n\x13\n\x14\n";

	expect_bytes(zero, sizeof(zero) - 1, "2 error:", "byte 0x00");
	expect_bytes(zero, sizeof(zero) - 1, "3 error:", "4x");
	expect_bytes(zero, sizeof(zero) - 1, "4 error:", "byte 0x1b");
	expect_bytes(many, sizeof(many) - 1, "10 error:", "byte 0x12");
	expect_bytes(many, sizeof(many) - 1, "0 error:", "2 more lines");
	expect_only("\xef\xbb\xbf[slots]\nhw1 = 1\n", "1 error:", "byte order mark");
}

Test(lint, what_looks_like_a_section_but_is_a_key_is_an_error)
{
	expect_only("[workers]\nw = a\n[slots] ; x = 1\na = 1\n", "3 error: not a section",
		    "'[slots] ; x'");
	expect_only("[workers]\nw = a\n[slots link]a = 1\n", "3 error: not a section",
		    "[slots link]a");
	/* What follows is judged as what it was meant to be. */
	expect("[workers]\nw = a\n[slots] ; x\na = 4x\n", "4 error: section [slots]", "4x");
	expect("[workers]\nw = a\n[slots]a=1\nb = 4x\n", "4 error: section [slots]", "4x");
	expect("[workers]\nw = a\n[slots\nb = 4x\n", "4 error: section [slots]", "4x");
}

Test(lint, lines_that_are_lost_are_told)
{
	expect_only("[slots]\nhw1 = 1 \\\n", "2 error:", "this line is lost");
	expect_only("[slots]\nhw1 = 1 \\", "2 error:", "this line is lost");
	expect_only("[slots]\nx", "2 error:", "one character");
	expect("[slots]\n[]\nhw1 = 1\n", "2 error: a section without a name", "");
	expect("[slots]\n# old: \\\nhw1 = 1\nhw2 = 2\n", "3 error: has no effect", "line 2");
	expect_only("[slots]\nhw1 = 1 ; one \\\nhw2 = 2\n", "3 error: has no effect", "line 2");
	expect("[slots]\nhw1 = \"a\" \\\nhw2 = 2\n", "3 warning: has no effect", "line 2");
	expect("[slots]\n# old: \\\n \\\n hw1 = 1\n", "4 error: has no effect", "line 3");
	/* A blank before the last backslash bares the one before it. */
	expect_only("[slots]\nhw1 = a, \\ \\\n\nb\nhw2 = 4x\n", "5 error:", "4x");
}

Test(lint, values_that_are_cut_are_told)
{
	expect_only("[workers]\nw = hw#1\n", "2 warning: the value is 'hw'",
		    "'#' begins a comment");
	expect_only("[grouplock]\ndirectory = /srv/a;b\n", "2 warning: the value is '/srv/a'",
		    "';'");
	expect_only("[workers]\nw = \"hw1\" hw2\n", "2 warning:", "follows the closing quote");
	expect_only("[workers]\nw = \"hw1\n", "2 warning:", "not closed");
	expect_only("[workers]\nw = 'hw1 ; comment\n", "2 warning:", "not closed");
	expect_only("[workers]\nw ; x = hw1\n", "2 error: section [workers]: key 'w ; x'", "");
	expect_only("[slots]]\n", "1 warning:", "follows the first ]");
	expect("[grouplock]\ndirectory = /srv\rstrict = yes\n", "2 error:", "carriage return");
}

/* --- lines together ----------------------------------------------------------------------- */

Test(lint, what_is_there_twice_is_an_error)
{
	expect_only("[slots]\nhw1 = 1\n[workers]\n[slots]\nhw2 = 2\n", "4 error: section [slots]",
		    "already in line 1");
	expect("[slots link]\n[workers]\n[Slots  Link]\n[SLOTS LINK]\n",
	       "4 error: section [SLOTS LINK]", "line 1 (names are case-insensitive)");
	expect_only("[slots]\nhw1 = 1\nhw1 = 1\n", "3 error: section [slots]: key 'hw1'",
		    "already in line 2; the later");
	expect("[slots]\nhw1 = 1\nHW1 = 2\n", "3 error: section [slots]: key 'HW1'",
	       "case-insensitive");
	expect("[workers]\na = x\n[slots]\nx = 1\n[workers]\nA = y\n",
	       "6 error: section [workers]: key 'A'", "already in line 2");
	expect("[workers]\na* = x\nA* = y\n", "3 error:", "already in line 2");
	/* Nor is a section the same as an entry, though iniparser may call both "slots a:b". */
	expect_only("[slots a]\nb = 1\n[slots a:b]\n", "3 error: section [slots a:b]", "colon");
	/* The same key elsewhere is another one. */
	expect_nothing("[slots]\nhw1 = 1\n[slots link]\nhw1 = 1\n[workers]\nhw1 = hw1\n");
}

Test(lint, pattern_that_an_earlier_one_shadows_is_told)
{
	expect_only("[workers]\nlinux-* = a\nlinux-arm-* = b\n",
		    "3 warning: section [workers]: pattern "
		    "'linux-arm-*' is never used",
		    "'linux-*' in line 2");
	expect_only("[slots link]\nbox-* = 1\nbox-? = 2\n", "3 warning: section [slots link]",
		    "'box-*' in line 2");
	expect_only("[slots]\n*\\-* = 1\na\\-b* = 2\n", "3 warning:", "'*\\-*' in line 2");
	/* A lone * comes last wherever it stands. */
	expect_only("[workers]\n* = rest\n** = all\n", "2 warning:", "'**' in line 3");
	expect_nothing("[workers]\n* = rest\nlinux-* = b\n");
	/* An exact name comes first. */
	expect_nothing("[workers]\nlinux-* = a\nlinux-arm = b\n");
	/* Sections have nothing to do with each other. */
	expect_nothing("[slots]\nhw* = 1\n[slots link]\nhw1* = 2\n");
	expect_nothing("[workers]\nlinux-arm-* = b\nlinux-* = a\n");
	/* A star is not one that a backslash makes a letter of. */
	expect_nothing("[workers]\na\\** = a\na*b = b\n");
	/* An earlier question mark, and brackets, are not judged. */
	expect_nothing("[slots]\nbox-? = 1\nbox-[0-9] = 2\n?* = 3\n* = 4\n");
}

/* --- patterns against fnmatch(3) ---------------------------------------------------------- */

#define PAIRS 1000
#define LONGEST 6 /* words of four letters up to here tell all patterns below apart */

static void make_pattern(char *out, int count, unsigned short seed[3])
{
	static const char *const parts[] = {"*", "*", "?", "a", "b", "c", "\\a", "[ab]", "**"};

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

/* A section for each pair, so that nothing is said of patterns of others. */
static void lint_pairs(char pairs[PAIRS][2][32], bool told[PAIRS])
{
	struct findings findings;
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (unsigned i = 0; i < PAIRS; i++)
		fprintf(out, "[slots %u]\n%s = 1\n%s = 1\n", i, pairs[i][0], pairs[i][1]);
	fclose(out);
	lint_bytes(&findings, text, size);
	for (size_t i = 0; i < findings.count; i++) {
		check_has(findings.list[i].text, "is never used");
		cr_assert(zero(uint, findings.list[i].line % 3), "%s", findings.list[i].text);
		told[findings.list[i].line / 3 - 1] = true;
	}
	findings_free(&findings);
	free(text);
}

Test(lint, what_is_said_of_patterns_agrees_with_fnmatch_on_random_ones)
{
	static char pairs[PAIRS][2][32];
	static bool told[PAIRS];
	unsigned short seed[3] = {1, 2, 3};
	int covered = 0;

	for (int i = 0; i < PAIRS;) {
		char *earlier = pairs[i][0], *later = pairs[i][1];

		make_pattern(earlier, (int)(nrand48(seed) % 4) + 1, seed);
		make_pattern(later, (int)(nrand48(seed) % 4) + 1, seed);
		/* Neither what is tried last nor a duplicate, nor what reads as a section. */
		i += strcmp(earlier, "*") != 0 && strcmp(earlier, later) != 0 &&
		     strpbrk(earlier, "*?[\\") && strpbrk(later, "*?[\\") && *earlier != '[' &&
		     *later != '[';
	}
	lint_pairs(pairs, told);
	for (int i = 0; i < PAIRS; i++) {
		const char *earlier = pairs[i][0], *later = pairs[i][1];
		bool judged = !strpbrk(earlier, "?[") && !strchr(later, '[');
		bool expected = judged && covers_in_fact(earlier, later);

		covered += expected;
		cr_assert(eq(int, told[i], expected), "'%s' over '%s'", earlier, later);
	}
	cr_assert(gt(int, covered, PAIRS / 20));
}

Test(lint, pattern_that_matches_nothing_is_told)
{
	expect_only("[slots]\na/* = 1\n", "2 warning:", "can match no name");
	expect_only("[workers]\na\tb? = a\n", "2 warning:", "can match no name");
	expect_nothing("[workers]\na[/-0]* = a\n"); /* it matches a0 */
}

Test(lint, group_with_slots_that_no_worker_is_mapped_to_is_told)
{
	expect_only("[workers]\nw = hw1\n[slots]\nhw1 = 1\nhw2 = 1\n", "5 warning: group 'hw2'",
		    "maps no worker");
	expect_only("[slots link]\nhw2 = 1\n[workers]\nw-* = hw1\n[slots]\nhw2 = 1\n",
		    "2 warning: group 'hw2'", "maps no worker");
	expect_nothing("[workers]\nw-* = hw2\n[slots]\nhw2 = 1\nhw3* = 2\n* = 1\n");
	/* Without a map every worker is a group of its own. */
	expect_nothing("[slots]\nhw2 = 1\n[workers]\n");
}

Test(lint, group_in_two_spellings_is_told_once)
{
	expect_only("[workers]\na = HW1\nb = HW1\nc = hw1\nd = Hw1\n", "4 warning: group 'hw1'",
		    "spelled 'HW1' in line 2");
	expect_only("[workers]\na = hw1\n[slots]\nHW1 = 1\n", "4 warning: group 'HW1'",
		    "'hw1' in line 2");
}

/* --- against run -------------------------------------------------------------------------- */

static const char good_text[] =
	"# groups\n[grouplock]\ndirectory = /srv/locks\nstrict = no\n\n[workers]\nmsvc10 = hw1\n"
	"msvc11 = hw1 ; the other\nlinux-* = hw2\nmac-[0-9] = mac\n* = rest\n\n[slots]\n* = 1\nhw1 = 2\n"
	"hw2 = a, b, \\\n c\n[slots link]\n* = 1\n[slots devkit]\nmac = \"kit-a kit-b\"\nrest = 0";

#define ROOM 8192

/* One of the mistakes that people, editors and broken copies make. */
static size_t spoil(char *text, size_t size, unsigned short seed[3])
{
	static const char bytes[] = "[]=;#\"'\\\n\r\t *?:/.,%x0-A\1\xef\xbb\xbf";
	size_t at = (size_t)nrand48(seed) % (size + 1), length = (size_t)nrand48(seed) % 40;

	if (at + length > size)
		length = size - at;
	switch (nrand48(seed) % 8) {
	case 0: /* lost */
		memmove(text + at, text + at + length, size - at - length);
		return size - length;
	case 1: /* there twice */
		memmove(text + at + length, text + at, size - at);
		return size + length;
	case 2: /* cut off */
		return at;
	case 3: /* far too long */
		length = 900 + (size_t)nrand48(seed) % 200;
		memmove(text + at + length, text + at, size - at);
		memset(text + at, 'x', length);
		return size + length;
	case 4: /* put over what was there */
		if (at < size)
			text[at] = bytes[(size_t)nrand48(seed) % (sizeof(bytes) - 1)];
		return size;
	default: /* put in */
		memmove(text + at + 1, text + at, size - at);
		text[at] = bytes[(size_t)nrand48(seed) % (sizeof(bytes) - 1)];
		return size + 1;
	}
}

/* What iniparser and so run do not see: lines that are lost, or count for something else. */
static bool has_more_than_run_sees(const struct findings *findings)
{
	for (size_t i = 0; i < findings->count; i++) {
		const char *text = findings->list[i].text;

		if (strstr(text, "already") || strstr(text, "is lost") ||
		    strstr(text, "without a name") || strstr(text, "not a section but a key"))
			return true;
	}
	return false;
}

static void compare_with_run(const char *text, size_t size)
{
	struct findings findings;
	struct error err = {""};
	struct config *config;
	bool bad;
	char *all;

	lint_bytes(&findings, text, size);
	all = all_of(&findings);
	config = config_load(FILE_NAME, &err);
	/* Where quotes or blanks make a line less lost than run takes it for, check says what run says. */
	if (!strstr(all, "refuses the file: is lost in") && !strstr(all, "and would be lost"))
		cr_assert_null(strstr(all, "run refuses"), "%s\n%.*s", all, (int)size, text);
	cr_assert_null(strstr(all, "line by line"), "%s\n%.*s", all, (int)size, text);
	bad = findings.levels[FINDING_ERROR] > 0;
	cr_assert(config ? !bad || has_more_than_run_sees(&findings) : bad,
		  "run: %s\ncheck: %s\n%.*s", config ? "takes it" : err.text, all, (int)size, text);
	config_free(config);
	free(all);
	findings_free(&findings);
}

Test(lint, finds_errors_where_run_does_and_nowhere_else)
{
	unsigned short seed[3] = {5, 4, 3};

	expect_nothing(good_text);
	for (int i = 0; i < 1500; i++) {
		char text[ROOM];
		size_t size = sizeof(good_text) - 1;

		memcpy(text, good_text, size);
		for (long mistakes = nrand48(seed) % 3; mistakes >= 0; mistakes--)
			size = spoil(text, size, seed);
		compare_with_run(text, size);
	}
}

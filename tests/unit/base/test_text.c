#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static void escapes(const char *in, const char *expected)
{
	char out[256];

	text_escape(out, sizeof(out), in);
	check_text(out, expected);
}

Test(text, escape_shows_control_characters_and_nothing_else)
{
	escapes("", "");
	escapes("make -j8", "make -j8");
	escapes("a\nb\rc\td", "a\\x0ab\\x0dc\\x09d");
	escapes("\x1b[2J\x01\x1f\x7f", "\\x1b[2J\\x01\\x1f\\x7f");
	escapes("\x20\x7e", "\x20\x7e");
	escapes("\x80\xff", "\\x80\\xff");
	escapes("\xc2\x80 \xc2\x9b[31m \xc2\x9f", "\\xc2\\x80 \\xc2\\x9b[31m \\xc2\\x9f");
	escapes("\xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x92", "\xc2\xa0 \xe2\x82\xac \xf0\x9f\x94\x92");
	escapes("a\xe2\x80\xaetxt", "a\\xe2\\x80\\xaetxt"); /* U+202E: right to left */
	escapes("m\xc3\xbcller \\ \"%s\"", "m\xc3\xbcller \\ \"%s\"");
}

/* The output is a malloc()ed block of just that size: a sanitizer sees a byte too many. */
Test(text, escape_cuts_between_escapes_and_terminates)
{
	static const char in[] = "a\x01zz\x1b\x7f\xc3\xa9", whole[] = "a\\x01zz\\x1b\\x7f\xc3\xa9";
	static const size_t ends[] = {0, 1, 5, 6, 7, 11, 15, 17};

	for (size_t size = 1; size <= sizeof(whole) + 1; size++) {
		char *out = malloc(size);
		size_t expected = 0;

		for (size_t i = 0; i < sizeof(ends) / sizeof(*ends) && ends[i] < size; i++)
			expected = ends[i];
		text_escape(out, size, in);
		cr_assert(eq(sz, strlen(out), expected), "got '%s' in %zu bytes", out, size);
		cr_assert(not(memcmp(out, whole, expected)), "got '%s' in %zu bytes", out, size);
		free(out);
	}
}

Test(text, unhex_takes_two_digits_in_upper_case_and_nothing_else)
{
	static const char digits[] = "0123456789ABCDEF";

	for (int i = 0; i < 256 * 256; i++) {
		char text[] = {(char)(i >> 8), (char)i}; /* no third byte is looked at */
		const char *high = memchr(digits, text[0], 16), *low = memchr(digits, text[1], 16);
		int expected = high && low ? (int)(16 * (high - digits) + (low - digits)) : -1;

		cr_assert(eq(int, text_unhex(text), expected), "bytes %04x", i);
	}
	cr_assert(eq(int, text_unhex(""), -1));
	cr_assert(eq(int, text_unhex("A"), -1));
}

Test(text, duration_is_shown)
{
	static const struct {
		int64_t seconds;
		const char *text;
	} durations[] = {
		{0, "0s"},
		{1, "1s"},
		{59, "59s"},
		{60, "1m00s"},
		{252, "4m12s"},
		{3599, "59m59s"},
		{3600, "1h00m"},
		{3659, "1h00m"},
		{3720, "1h02m"},
		{86399, "23h59m"},
		{86400, "1d00h"},
		{183600, "2d03h"},
		{8640000, "100d00h"},
		{-1, "0s"},
		{-4000000, "0s"},
	};
	char out[TEXT_DURATION_SIZE];

	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		text_duration(out, durations[i].seconds * 1000000000);
		check_text(out, durations[i].text);
	}
}

Test(text, duration_is_cut_to_seconds_and_always_fits)
{
	char out[TEXT_DURATION_SIZE];

	text_duration(out, 59999999999);
	check_text(out, "59s");
	text_duration(out, 999999999);
	check_text(out, "0s");
	text_duration(out, INT64_MAX);
	check_text(out, "106751d23h");
	text_duration(out, INT64_MIN);
	check_text(out, "0s");
}

Test(text, ordinal_has_its_suffix)
{
	static const struct {
		unsigned long long n;
		const char *suffix;
	} ordinals[] = {
		{0, "th"},    {1, "st"},    {2, "nd"},    {3, "rd"},    {4, "th"},   {9, "th"},
		{10, "th"},   {11, "th"},   {12, "th"},   {13, "th"},   {14, "th"},  {20, "th"},
		{21, "st"},   {22, "nd"},   {23, "rd"},   {24, "th"},   {100, "th"}, {101, "st"},
		{102, "nd"},  {103, "rd"},  {111, "th"},  {112, "th"},  {113, "th"}, {121, "st"},
		{1011, "th"}, {1012, "th"}, {1013, "th"}, {1021, "st"},
	};

	for (size_t i = 0; i < sizeof(ordinals) / sizeof(*ordinals); i++)
		cr_assert_str_eq(text_ordinal(ordinals[i].n), ordinals[i].suffix, "%llu%s",
				 ordinals[i].n, text_ordinal(ordinals[i].n));
}

Test(text, fold_changes_ascii_letters_only)
{
	char name[256], folded[256];

	for (int c = 1; c < 256; c++)
		name[c - 1] = (char)c;
	name[255] = '\0';
	memcpy(folded, name, sizeof(name));
	cr_assert(not(text_is_folded(name)));
	text_fold(folded);
	cr_assert(text_is_folded(folded));
	for (int i = 0; i < 256; i++) {
		bool upper = name[i] >= 'A' && name[i] <= 'Z';

		cr_assert(eq(chr, folded[i], upper ? (char)(name[i] + 32) : name[i]));
	}
}

Test(text, fold_of_nothing_is_nothing)
{
	char name[] = "";

	text_fold(name);
	check_text(name, "");
}

#include "base/utf8.h"

#include <stdlib.h>

#include "check.h"

Test(utf8, length_of_what_is_a_character)
{
	cr_assert(eq(sz, utf8_length("a"), 1));
	cr_assert(eq(sz, utf8_length("\x7f"), 1));
	cr_assert(eq(sz, utf8_length("\xc2\x80"), 2));
	cr_assert(eq(sz, utf8_length("\xdf\xbf"), 2));
	cr_assert(eq(sz, utf8_length("\xe0\xa0\x80"), 3));
	cr_assert(eq(sz, utf8_length("\xed\x9f\xbf"), 3));
	cr_assert(eq(sz, utf8_length("\xee\x80\x80"), 3));
	cr_assert(eq(sz, utf8_length("\xef\xbf\xbf"), 3));
	cr_assert(eq(sz, utf8_length("\xf0\x90\x80\x80"), 4));
	cr_assert(eq(sz, utf8_length("\xf4\x8f\xbf\xbf"), 4));
}

Test(utf8, length_of_what_is_none)
{
	static const char *const bad[] = {
		"",     /* the end */
		"\x80", /* begins in the middle */
		"\xbf",
		"\xc0\x80", /* overlong */
		"\xc1\xbf",
		"\xe0\x9f\xbf",
		"\xf0\x8f\xbf\xbf",
		"\xed\xa0\x80", /* surrogates */
		"\xed\xbf\xbf",
		"\xf4\x90\x80\x80", /* beyond U+10FFFF */
		"\xf5\x80\x80\x80",
		"\xff",
		"\xc3", /* cut */
		"\xc3z",
		"\xe2\x82",
		"\xe2\x82z",
		"\xf0\x9f\x98",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		cr_assert(zero(sz, utf8_length(bad[i])), "number %zu", i);
}

static void mends(const char *in, const char *expected)
{
	char *out = utf8_mend(in);

	check_text(out, expected);
	free(out);
}

Test(utf8, mend_replaces_what_is_no_character)
{
	mends("", "");
	mends("a\xc3\xa4\n\x1b", "a\xc3\xa4\n\x1b");
	mends("\xff", "\xef\xbf\xbd");
	mends("a\xff\xc3"
	      "b\xe2\x82",
	      "a\xef\xbf\xbd\xef\xbf\xbd"
	      "b\xef\xbf\xbd\xef\xbf\xbd");
}

/* Whatever the bytes, what comes out consists of characters, and is as long as it has to be. */
Test(utf8, mend_makes_characters_of_all_bytes)
{
	srand(1);
	for (int i = 0; i < 20000; i++) {
		char in[16];
		char *out;

		for (size_t j = 0; j < sizeof(in) - 1; j++)
			in[j] = (char)(rand() % 3 ? 0x80 | rand() % 128 : 1 + rand() % 255);
		in[sizeof(in) - 1] = '\0';
		out = utf8_mend(in);
		cr_assert(eq(sz, utf8_width(out), utf8_width(in)));
		for (const char *p = out; *p; p += utf8_length(p))
			cr_assert(gt(sz, utf8_length(p), 0));
		free(out);
	}
}

Test(utf8, width_and_fit_count_characters)
{
	static const char text[] = "a\xc3\xa4\xff\xe2\x82\xac";
	static const size_t ends[] = {0, 1, 3, 4, 7, 7};

	cr_assert(zero(sz, utf8_width("")));
	cr_assert(eq(sz, utf8_width(text), 4));
	for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++)
		cr_assert(eq(sz, utf8_fit(text, i), ends[i]));
}

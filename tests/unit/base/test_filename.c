#include "base/filename.h"

#include <stdlib.h>
#include <string.h>

#include "check.h"

static struct error err;

static void names(const char *prefix, const char *name, const char *expected)
{
	char out[NAME_MAX + 1] = "";

	cr_assert(zero(int, filename_encode(out, prefix, "slot", name, &err)), "%s", err.text);
	check_text(out, expected);
}

static void refuses_name(const char *prefix, const char *name, const char *why)
{
	char out[NAME_MAX + 1];

	cr_assert(eq(int, filename_encode(out, prefix, "group", name, &err), -1), "took '%s'",
		  name);
	check_has(err.text, "group name");
	check_has(err.text, why);
}

Test(filename, name_becomes_a_file_name)
{
	names("", "hw1", "hw1");
	names("slot.", "kit-a", "slot.kit-a");
	names("", "AZaz09._-", "AZaz09._-");
	names("", ".hidden", "%2Ehidden");
	names("", "...", "%2E..");
	names("slot.", ".x", "slot.%2Ex");
	names("", "a b%c~d", "a%20b%25c%7Ed");
	names("", "\xc3\xa9\xff", "%C3%A9%FF");
	names("", "a:b=c", "a%3Ab%3Dc");
}

Test(filename, name_that_no_file_can_have_is_refused)
{
	refuses_name("", "", "empty");
	refuses_name("", ".", "'.'");
	refuses_name("", "..", "'..'");
	refuses_name("slot.", "..", "'..'");
	refuses_name("", "/", "slash");
	refuses_name("", "../x", "slash");
	refuses_name("", "a/b", "slash");
	refuses_name("", "a\nb", "control character");
	refuses_name("", "\x7f", "control character");
	refuses_name("", "\x1b[2J", "control character");
}

Test(filename, name_has_room_up_to_name_max)
{
	char name[NAME_MAX + 2], out[NAME_MAX + 1];

	memset(name, 'x', sizeof(name));
	name[NAME_MAX + 1] = '\0';
	refuses_name("", name, "too long");
	name[NAME_MAX] = '\0';
	names("", name, name);
	refuses_name("p", name, "too long");
	memset(name, ' ', sizeof(name)); /* three bytes each */
	name[NAME_MAX / 3 + 1] = '\0';
	refuses_name("", name, "too long");
	name[NAME_MAX / 3] = '\0';
	cr_assert(zero(int, filename_encode(out, "", "group", name, &err)), "%s", err.text);
	cr_assert(eq(sz, strlen(out), NAME_MAX));
	refuses_name("p", name, "too long");
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Names of one and two bytes: each a safe file name that leads back, or refused; no two alike. */
Test(filename, different_names_are_different_files)
{
	static char files[65536][8];
	unsigned count = 0;

	for (int a = 1; a < 256; a++) {
		for (int b = 0; b < 256; b++) {
			char name[] = {(char)a, (char)b, '\0'}, out[NAME_MAX + 1],
			     back[NAME_MAX + 1];
			size_t length;

			if (filename_encode(out, "", "group", name, &err))
				continue;
			length = strlen(out);
			cr_assert(le(sz, length, 6), "'%s' is '%s'", name, out);
			cr_assert(ne(chr, *out, '.'));
			cr_assert(eq(sz, length,
				     strspn(out,
					    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					    "0123456789._-%")));
			cr_assert(filename_decode(back, out));
			check_text(back, name);
			strcpy(files[count++], out);
		}
	}
	/* 255 bytes without '/' and 32 control characters, alone and in pairs; not "." and "..". */
	cr_assert(eq(uint, count, 222 + 222 * 222 - 2));
	qsort(files, count, sizeof(*files), compare);
	for (unsigned i = 1; i < count; i++)
		cr_assert_str_neq(files[i - 1], files[i], "two names are '%s'", files[i]);
}

Test(filename, file_name_that_no_name_becomes_has_no_name)
{
	static const char *const files[] = {"",    ".",    "..",   ".x",  "a b",      "a%",
					    "a%4", "a%4g", "a%2g", "%41", "%2e",      "a%2E",
					    "%2F", "%00",  "%0A",  "%7F", "\xc3\xa9", "%c3"};
	char out[NAME_MAX + 1];

	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		cr_assert(not(filename_decode(out, files[i])), "'%s' is '%s'", files[i], out);
}

Test(filename, longest_file_name_leads_back)
{
	char name[NAME_MAX + 1], file[NAME_MAX + 2], out[NAME_MAX + 1];

	memset(name, ' ', NAME_MAX / 3);
	name[NAME_MAX / 3] = '\0';
	cr_assert(zero(int, filename_encode(file, "", "group", name, &err)), "%s", err.text);
	cr_assert(filename_decode(out, file));
	check_text(out, name);
	memset(file, 'x', NAME_MAX + 1);
	file[NAME_MAX + 1] = '\0';
	cr_assert(not(filename_decode(out, file)));
}

#include "base/error.h"

#include <errno.h>
#include <stdlib.h>

#include "check.h"

Test(error, set_returns_minus_one)
{
	struct error err;

	cr_assert(eq(int, error_set(&err, "no lock '%s' of %d", "link", 3), -1));
	check_text(err.text, "no lock 'link' of 3");
}

Test(error, sys_ends_with_the_reason)
{
	struct error err;

	errno = EIO; /* which is not what is asked about */
	cr_assert(eq(int, error_sys(&err, EACCES, "cannot open '%s'", "gate"), -1));
	check_text(err.text, "cannot open 'gate': Permission denied");
}

Test(error, text_stays_one_line)
{
	struct error err;

	error_set(&err, "bad name '%s'", "a\nb\x1b[2J");
	check_text(err.text, "bad name 'a\\x0ab\\x1b[2J'");
}

/* On the heap, so that a sanitizer sees a byte too many. */
Test(error, text_is_cut_and_terminated)
{
	struct error *err = malloc(sizeof(*err));
	char name[3000];

	for (size_t length = 1000; length < sizeof(name); length++) {
		memset(name, length % 2 ? 'x' : '\n', length);
		name[length] = '\0';
		error_sys(err, EACCES, "%s", name);
		cr_assert_not_null(memchr(err->text, '\0', sizeof(err->text)), "length %zu",
				   length);
		cr_assert(ge(sz, strlen(err->text), 900));
	}
	free(err);
}

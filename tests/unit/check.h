/*
 * check - assertions about text that show what was there: Criterion's own only quote the source.
 */
#ifndef GROUPLOCK_TESTS_CHECK_H
#define GROUPLOCK_TESTS_CHECK_H

#include <string.h>

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#define check_text(got, expected) \
	cr_assert_str_eq((got), (expected), "got '%s', expected '%s'", (got), (expected))

#define check_has(got, part)                                                                   \
	cr_assert_not_null(strstr((got), (part)), "got '%s', expected it to have '%s'", (got), \
			   (part))

#endif

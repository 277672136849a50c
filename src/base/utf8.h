/*
 * utf8 - bytes of strangers as text. Names and commands are arbitrary bytes; where UTF-8 is
 * promised, what is none becomes U+FFFD.
 */
#ifndef GROUPLOCK_UTF8_H
#define GROUPLOCK_UTF8_H

#include <stddef.h>

/* The bytes of the character that `text` begins with, 1 to 4; 0 if there is none (or the end). */
size_t utf8_length(const char *text);

/*
 * The same, but 0 for what is not to be shown as it is: control characters, and those that turn text around,
 * separate lines, or cannot be seen at all.
 */
size_t utf8_shown_length(const char *text);

/* A malloc()ed copy with U+FFFD for each byte that belongs to no character. NULL: no memory. */
char *utf8_mend(const char *text);

/* How many columns of a terminal `text` takes, every character taken as one wide. */
size_t utf8_width(const char *text);

/* The bytes of `text` that fit into `width` columns. */
size_t utf8_fit(const char *text, size_t width);

#endif

/*
 * text - how values are shown to people: escaped bytes, durations, ordinals; the one folding of
 * names to lower case; and hex digits, both ways.
 */
#ifndef GROUPLOCK_TEXT_H
#define GROUPLOCK_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Copies `in` to `out` with the bytes of what utf8_shown_length() would not show and those that are no
 * UTF-8 as \xNN, so that nothing a stranger wrote into a record or a name can move a cursor, fake a line
 * or look like another name. Cut to `size` between characters, always terminated.
 */
void text_escape(char *out, size_t size, const char *in);

/*
 * Writes the byte as two hex digits in lower case and returns what is behind them. Not by
 * sprintf(3): a run writes the digits of two ids, and it was slower in a way that showed.
 */
char *text_hex(char *out, unsigned char byte);

/*
 * The byte that the two upper-case hex digits at `digits` spell, -1 if they are none. Looks at the
 * second only where the first is a digit, so a text may end anywhere.
 */
int text_unhex(const char *digits);

/* `ns` nanoseconds as "0s", "59s", "4m12s", "1h02m", "2d03h"; negative counts as 0. */
#define TEXT_DURATION_SIZE 24
void text_duration(char out[TEXT_DURATION_SIZE], int64_t ns);

/* The English suffix of an ordinal number: "st", "nd", "rd" or "th". */
const char *text_ordinal(unsigned long long n);

/*
 * Names of workers, groups, locks and slots compare without case everywhere (iniparser folds
 * keys and sections, so the rest must). ASCII only, whatever the locale. Folds in place.
 */
void text_fold(char *name);

/* Whether text_fold() would leave it as it is. */
bool text_is_folded(const char *name);

/* The same to upper case, and all but letters and digits as '_': for a variable's name. */
void text_variable(char *name);

/*
 * A malloc()ed copy as one word of a POSIX shell, in single quotes where it has to be, or
 * `always`. NULL: no memory.
 */
char *text_quote(const char *in, bool always);

#endif

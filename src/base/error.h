/*
 * error - what went wrong, in words, filled by whoever fails and printed by a command.
 *
 * A function that can fail takes a `struct error *` as its last parameter, fills it and returns
 * -1 (or an enum value that says so). Nothing below the commands prints. A text is one line in
 * lower case without a full stop: what failed, the quoted subject, the reason last.
 */
#ifndef GROUPLOCK_ERROR_H
#define GROUPLOCK_ERROR_H

struct error {
	char text[1024]; /* cut, never overrun; control characters are shown escaped */
};

/* Sets the text. Always returns -1, so that a caller can `return error_set(...)`. */
int error_set(struct error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same, followed by ": " and the text of errno value `errnum`. */
int error_sys(struct error *err, int errnum, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif

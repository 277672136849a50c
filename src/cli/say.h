/*
 * say - a text to stderr that holds nothing up: neither who waits behind us nor the command.
 */
#ifndef GROUPLOCK_SAY_H
#define GROUPLOCK_SAY_H

#include <stddef.h>

#define SAY_PATIENCE 1         /* ms: enough for a reader that reads */
#define SAY_LAST_PATIENCE 1000 /* ms, for why nothing is started: slots may be held until we exit */

/*
 * Writes to stderr, in one write(2) so that lines of several builds in one log do not mix. What is not taken
 * within about twice `patience` ms is dropped. The descriptor stays as it is, since it is not ours alone.
 * Returns 0, or the error; EPIPE, nobody reads any more, comes without a SIGPIPE. Signals' dispositions and an
 * alarm of the caller are as before.
 */
int say(const char *bytes, size_t size, int patience);

/* Says "grouplock: TEXT" and a newline, as say() does. */
int say_line(const char *text, int patience);

#endif

/*
 * num - strict readers of numbers and durations. They accept a value only if all of it is one:
 * no sign, no leading zero, no blanks, no trailing bytes. Locale has no influence.
 */
#ifndef GROUPLOCK_NUM_H
#define GROUPLOCK_NUM_H

#include <stdbool.h>
#include <stdint.h>

/* A decimal number from 0 to `max`. Returns false, leaving *value alone, for anything else. */
bool num_parse(const char *text, uint64_t max, uint64_t *value);

/*
 * A duration as timeout(1) writes it: "30", "1.5", "10m", "2h", "1d", "5s"; no suffix means
 * seconds. *ns becomes nanoseconds. Returns false for anything else; what would exceed
 * 100,000 days is refused too.
 */
bool num_parse_duration(const char *text, int64_t *ns);

#endif

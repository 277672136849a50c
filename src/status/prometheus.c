#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "status/report.h"

enum metric { SLOTS, SLOTS_HELD, WAITERS, OLDEST_WAITER, OLDEST_HOLDER, METRICS };

static const struct {
	const char *name, *help;
} metrics[METRICS] = {
	[SLOTS] = {"grouplock_slots",
		   "Slots that the configuration gives to this lock of this group."},
	[SLOTS_HELD] = {"grouplock_slots_held",
			"Slots that are held, those above a lowered limit included."},
	[WAITERS] = {"grouplock_waiters", "Waiters in the queue."},
	[OLDEST_WAITER] =
		{"grouplock_oldest_waiter_age_seconds",
		 "How long the waiter that has waited longest has waited; 0 if nobody waits."},
	[OLDEST_HOLDER] =
		{"grouplock_oldest_holder_age_seconds",
		 "How long the holder that has held longest has held; 0 if nobody holds."},
};

/* The greatest age of the waiters, or of the holders: 0 if there are none, NaN if none is known. */
static double oldest(const struct report *report, const struct report_lock *lock, bool waiting)
{
	double oldest_age = waiting ? (lock->waiting ? NAN : 0) : (lock->held ? NAN : 0);

	for (unsigned i = 0; i < lock->count; i++) {
		const struct report_row *row = &lock->rows[i];
		int64_t age = report_age(report, row), milliseconds = age / 1000000;
		double seconds = (double)milliseconds / 1000;

		if ((row->place > 0) == waiting && age >= 0 && !(seconds <= oldest_age))
			oldest_age = seconds;
	}
	return oldest_age;
}

/* The metric's value for one lock. False: this lock has none. */
static bool value_of(enum metric metric, const struct report *report,
		     const struct report_lock *lock, double *value)
{
	if (metric == SLOTS) {
		*value = lock->limit;
		return lock->limited;
	}
	if (metric == SLOTS_HELD)
		*value = lock->held;
	else if (metric == WAITERS)
		*value = lock->waiting;
	else
		*value = oldest(report, lock, metric == OLDEST_WAITER);
	return !*lock->problem.text; /* else it was not seen */
}

/*
 * A label's value between its quotes. It must be UTF-8, and two names must not become one: the
 * collector refuses the whole text if a sample is there twice. So bytes are shown as in the table.
 */
static int put_label(FILE *out, const char *name, const char *bytes)
{
	char *text = malloc(4 * strlen(bytes) + 1);

	if (!text)
		return -1;
	text_escape(text, 4 * strlen(bytes) + 1, bytes);
	fprintf(out, "%s=\"", name);
	for (const char *p = text; *p; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputc('"', out);
	free(text);
	return 0;
}

static int put_sample(FILE *out, enum metric metric, const struct report *report,
		      const struct report_lock *lock)
{
	double value;

	if (!value_of(metric, report, lock, &value))
		return 0;
	fprintf(out, "%s{", metrics[metric].name);
	if (put_label(out, "group", lock->group))
		return -1;
	fputc(',', out);
	if (put_label(out, "lock", lock->lock))
		return -1;
	if (isnan(value))
		fputs("} NaN\n", out);
	else
		fprintf(out, "} %.15g\n", value);
	return 0;
}

int report_prometheus(FILE *out, const struct report *report)
{
	for (enum metric i = 0; i < METRICS; i++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[i].name, metrics[i].help,
			metrics[i].name);
		for (unsigned j = 0; j < report->count; j++) {
			if (put_sample(out, i, report, &report->locks[j]))
				return -1;
		}
	}
	return 0;
}

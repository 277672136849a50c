#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "status/report.h"

/* A metric: its value for one lock. False: this lock has none. */
struct metric {
	const char *name, *help;
	bool (*value)(const struct report *report, const struct report_lock *lock, double *value);
};

static bool is_seen(const struct report_lock *lock)
{
	return !*lock->problem.text;
}

static bool slots(const struct report *report, const struct report_lock *lock, double *value)
{
	(void)report;
	*value = lock->limit;
	return lock->limited;
}

static bool slots_held(const struct report *report, const struct report_lock *lock, double *value)
{
	(void)report;
	*value = lock->held;
	return is_seen(lock);
}

static bool waiters(const struct report *report, const struct report_lock *lock, double *value)
{
	(void)report;
	*value = lock->waiting;
	return is_seen(lock);
}

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

static bool oldest_waiter(const struct report *report, const struct report_lock *lock,
			  double *value)
{
	*value = oldest(report, lock, true);
	return is_seen(lock);
}

static bool oldest_holder(const struct report *report, const struct report_lock *lock,
			  double *value)
{
	*value = oldest(report, lock, false);
	return is_seen(lock);
}

static const struct metric metrics[] = {
	{"grouplock_slots", "Slots that the configuration gives to this lock of this group.",
	 slots},
	{"grouplock_slots_held", "Slots that are held, those above a lowered limit included.",
	 slots_held},
	{"grouplock_waiters", "Waiters in the queue.", waiters},
	{"grouplock_oldest_waiter_age_seconds",
	 "How long the waiter that has waited longest has waited; 0 if nobody waits.",
	 oldest_waiter},
	{"grouplock_oldest_holder_age_seconds",
	 "How long the holder that has held longest has held; 0 if nobody holds.", oldest_holder},
};

/*
 * A label's value between its quotes. It must be UTF-8, and two names must not become one: the
 * collector refuses the whole text if a sample is there twice. So bytes are shown as in the table.
 */
static void put_label(FILE *out, const char *name, const char *bytes)
{
	char *text = malloc(4 * strlen(bytes) + 1);

	if (text)
		text_escape(text, 4 * strlen(bytes) + 1, bytes);
	fprintf(out, "%s=\"", name);
	for (const char *p = text; p && *p; p++) {
		if (*p == '\\' || *p == '"')
			fputc('\\', out);
		fputc(*p, out);
	}
	fputc('"', out);
	free(text);
}

static void put_sample(FILE *out, const struct metric *metric, const struct report *report,
		       const struct report_lock *lock)
{
	double value;

	if (!metric->value(report, lock, &value))
		return;
	fprintf(out, "%s{", metric->name);
	put_label(out, "group", lock->group);
	fputc(',', out);
	put_label(out, "lock", lock->lock);
	if (isnan(value))
		fputs("} NaN\n", out);
	else
		fprintf(out, "} %.15g\n", value);
}

char *report_prometheus(const struct report *report)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool good;

	if (!out)
		return NULL;
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++) {
		fprintf(out, "# HELP %s %s\n# TYPE %s gauge\n", metrics[i].name, metrics[i].help,
			metrics[i].name);
		for (unsigned j = 0; j < report->count; j++)
			put_sample(out, &metrics[i], report, &report->locks[j]);
	}
	good = !ferror(out);
	if (fclose(out) || !good) {
		free(text);
		return NULL;
	}
	return text;
}

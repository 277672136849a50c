#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "status/report.h"

enum column { GROUP, LOCK, SLOT, STATE, WORKER, HOST, PID, AGE, COMMAND, COLUMNS };

static const struct {
	const char *head;
	bool right; /* numbers stand under numbers */
} columns[COLUMNS] = {
	[GROUP] = {"GROUP", false}, [LOCK] = {"LOCK", false},     [SLOT] = {"SLOT", true},
	[STATE] = {"STATE", false}, [WORKER] = {"WORKER", false}, [HOST] = {"HOST", false},
	[PID] = {"PID", true},      [AGE] = {"AGE", true},        [COMMAND] = {"COMMAND", false},
};

#define ESCAPED 4          /* bytes that text_escape() makes of one */
#define LEAST_COMMAND 7    /* columns that are left to COMMAND on however narrow a terminal */
#define SHOWN_PROCESSES 16 /* of a leaked slot; JSON has all */

/* The texts of a line. COMMAND has room for a record's and for the processes found. */
struct cells {
	char text[COMMAND][ESCAPED * NAME_MAX + 1];
	char command[(SHOWN_PROCESSES + 2) * ESCAPED * RECORD_COMMAND_SIZE];
};

/* A table under way. */
struct table {
	FILE *out;
	const struct report *report;
	size_t widths[COLUMNS];
	size_t width;
	bool colour;
};

/* --- cells -------------------------------------------------------------------------------- */

static void say(struct cells *cells, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct cells *cells, const char *format, ...)
{
	size_t used = strlen(cells->command);
	va_list args;

	va_start(args, format);
	vsnprintf(cells->command + used, sizeof(cells->command) - used, format, args);
	va_end(args);
}

static void say_escaped(struct cells *cells, const char *text)
{
	size_t used = strlen(cells->command);

	text_escape(cells->command + used, sizeof(cells->command) - used, text);
}

/* "claim 1a2b3c4d (bound to pid 4711, 3h12m left) of bash build.sh" */
static void say_claim(struct cells *cells, const struct report *report, const struct record *who)
{
	static const char begin[] = "claim";
	const char *rest = who->command;
	char left[TEXT_DURATION_SIZE];

	say(cells, "claim ");
	say_escaped(cells, who->id);
	if (who->bound)
		say(cells, " (bound to pid %ld", (long)who->bound);
	else
		say(cells, " (bound to no process");
	text_duration(left, who->until - report->time);
	if (who->until)
		say(cells, ", %s left", left);
	say(cells, ")");
	/* The record's own words begin alike. */
	if (!strncmp(rest, begin, sizeof(begin) - 1))
		rest += sizeof(begin) - 1;
	say_escaped(cells, rest);
}

static void say_command(struct cells *cells, const struct report *report, const struct record *who)
{
	switch (who->kind) {
	case RECORD_CLAIM:
		say_claim(cells, report, who);
		break;
	case RECORD_RUN:
	case RECORD_KEEP:
	case RECORD_WAIT:
		say_escaped(cells, *who->command ? who->command : "-");
		break;
	}
}

static void say_holders(struct cells *cells, const struct report_row *row)
{
	unsigned shown =
		row->process_count < SHOWN_PROCESSES ? row->process_count : SHOWN_PROCESSES;

	for (unsigned i = 0; i < shown; i++) {
		say(cells, "%s pid %ld (", i ? "," : "held by", (long)row->processes[i].pid);
		say_escaped(cells, row->processes[i].command);
		say(cells, ")");
	}
	if (row->process_count > shown)
		say(cells, " and %u more", row->process_count - shown);
	if (!row->process_count)
		say(cells, "held by %s",
		    row->hidden ? "a process that this user may not see"
				: "no process that can be seen from here");
}

static void fill_command(struct cells *cells, const struct report *report,
			 const struct report_row *row)
{
	*cells->command = '\0';
	if (row->expired) {
		say(cells, "claim ");
		say_escaped(cells, row->who->id);
		say(cells, " has expired");
	} else if (row->state == REPORT_FREE || row->state == REPORT_CLOSED) {
		say(cells, "-");
	} else if (row->searched) {
		say_holders(cells, row);
	} else if (row->who) {
		say_command(cells, report, row->who);
	} else {
		say(cells, "unknown");
	}
	if (row->searched && row->who) {
		say(cells, "; left by ");
		say_command(cells, report, row->who);
	}
}

static void fill_who(struct cells *cells, const struct report *report, const struct report_row *row)
{
	const struct record *who = row->who;
	int64_t age = report_age(report, row);

	if (row->state == REPORT_FREE || row->state == REPORT_CLOSED)
		return;
	strcpy(cells->text[WORKER], "unknown");
	if (!who)
		return;
	if (*who->worker)
		text_escape(cells->text[WORKER], sizeof(cells->text[WORKER]), who->worker);
	if (*who->process.host)
		text_escape(cells->text[HOST], sizeof(cells->text[HOST]), who->process.host);
	sprintf(cells->text[PID], "%ld", (long)who->process.pid);
	if (age >= 0)
		text_duration(cells->text[AGE], age);
}

static void fill(struct cells *cells, const struct report *report, const struct report_lock *lock,
		 const struct report_row *row)
{
	for (int i = 0; i < COMMAND; i++)
		strcpy(cells->text[i], "-");
	text_escape(cells->text[GROUP], sizeof(cells->text[GROUP]), lock->group);
	text_escape(cells->text[LOCK], sizeof(cells->text[LOCK]), lock->lock);
	if (row->name)
		text_escape(cells->text[SLOT], sizeof(cells->text[SLOT]), row->name);
	if (row->place)
		sprintf(cells->text[SLOT], "%u%s", row->place, text_ordinal(row->place));
	strcpy(cells->text[STATE], report_state_name(row->state));
	fill_who(cells, report, row);
	fill_command(cells, report, row);
}

/* --- lines -------------------------------------------------------------------------------- */

static const char *colour_of(enum report_state state)
{
	switch (state) {
	case REPORT_FREE:
		return "\33[32m"; /* green */
	case REPORT_HELD:
		return "\33[36m"; /* cyan */
	case REPORT_WAITING:
		return "\33[33m"; /* yellow */
	case REPORT_CLOSED:
		return "\33[35m"; /* magenta */
	case REPORT_LEAKED:
	case REPORT_STOPPED:
		break;
	}
	return "\33[1;31m"; /* bold red: somebody has to do something */
}

static void put_blanks(FILE *out, size_t count)
{
	fprintf(out, "%*s", (int)count, "");
}

/* The line's texts, and `colour` around those from column `from` to column `to`. */
static void put_line(const struct table *table, const struct cells *cells, const char *colour,
		     int from, int to)
{
	size_t left = table->width, shown;

	for (int i = 0; i < COMMAND; i++) {
		size_t padding = table->widths[i] - utf8_width(cells->text[i]);

		if (table->colour && i == from)
			fputs(colour, table->out);
		if (columns[i].right)
			put_blanks(table->out, padding);
		fputs(cells->text[i], table->out);
		if (table->colour && i == to)
			fputs("\33[0m", table->out);
		put_blanks(table->out, (columns[i].right ? 0 : padding) + 1);
		left -= left > table->widths[i] ? table->widths[i] + 1 : left;
	}
	if (left < LEAST_COMMAND)
		left = LEAST_COMMAND;
	shown = table->width ? utf8_fit(cells->command, left) : strlen(cells->command);
	if (table->colour && from == GROUP)
		fputs(colour, table->out);
	fwrite(cells->command, 1, shown, table->out);
	fputs(table->colour && from == GROUP ? "\33[0m\n" : "\n", table->out);
}

static void widen(struct table *table, const struct cells *cells)
{
	for (int i = 0; i < COMMAND; i++) {
		size_t width = utf8_width(cells->text[i]);

		if (width > table->widths[i])
			table->widths[i] = width;
	}
}

/* Twice over all rows: first for the widths, then to write them. */
static void put_rows(struct table *table, struct cells *cells, bool write)
{
	for (int i = 0; i < COMMAND; i++)
		strcpy(cells->text[i], columns[i].head);
	strcpy(cells->command, columns[COMMAND].head);
	if (write)
		put_line(table, cells, "\33[1m", GROUP, AGE);
	else
		widen(table, cells);
	for (unsigned i = 0; i < table->report->count; i++) {
		const struct report_lock *lock = &table->report->locks[i];

		for (unsigned j = 0; j < lock->count; j++) {
			fill(cells, table->report, lock, &lock->rows[j]);
			if (write)
				put_line(table, cells, colour_of(lock->rows[j].state), STATE,
					 STATE);
			else
				widen(table, cells);
		}
	}
}

int report_table(FILE *out, const struct report *report, size_t width, bool colour)
{
	struct table table = {.out = out, .report = report, .width = width, .colour = colour};
	struct cells *cells = malloc(sizeof(*cells));

	if (!cells)
		return -1;
	put_rows(&table, cells, false);
	put_rows(&table, cells, true);
	free(cells);
	return 0;
}

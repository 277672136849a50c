#include <stdlib.h>

#include "base/jsonout.h"
#include "status/report.h"

/* A number that is unknown if it is 0. */
static json_t *number(uint64_t value)
{
	return value ? json_integer((json_int_t)value) : json_null();
}

/* Whose it is; NULL if that is not known, or nobody's. */
static const struct record *who_of(const struct report_row *row)
{
	return row->state == REPORT_FREE ? NULL : row->who;
}

/* Who holds or waits; all null if nothing is known. */
static void set_who(json_t **object, const struct report *report, const struct report_row *row)
{
	const struct record *who = who_of(row);

	jsonout_set(object, "worker", jsonout_text(who ? who->worker : NULL));
	jsonout_set(object, "host", jsonout_text(who ? who->process.host : NULL));
	jsonout_set(object, "pid", number(who ? (uint64_t)who->process.pid : 0));
	jsonout_set(object, "since", jsonout_time(who ? who->since : 0));
	jsonout_set(object, "age", jsonout_seconds(report_age(report, row)));
	jsonout_set(object, "count", number(who ? who->count : 0));
	jsonout_set(object, "command", jsonout_text(who ? who->command : NULL));
}

/* How it is held, and what there is to know of a claim. */
static void set_kind(json_t **slot, const struct report *report, const struct report_row *row)
{
	const struct record *who = who_of(row);
	const struct record *claim = who && who->kind == RECORD_CLAIM ? who : NULL;

	int64_t left = -1; /* as long as it likes */

	if (row->expired)
		claim = row->who;
	if (claim && claim->until)
		left = claim->until > report->time ? claim->until - report->time : 0;
	jsonout_set(slot, "kind", jsonout_text(who ? record_kind_name(who->kind) : NULL));
	jsonout_set(slot, "claim", jsonout_text(claim ? claim->id : NULL));
	jsonout_set(slot, "claim_expired", json_boolean(row->expired));
	jsonout_set(slot, "bound_pid", number(claim ? (uint64_t)claim->bound : 0));
	jsonout_set(slot, "until", jsonout_time(claim ? claim->until : 0));
	jsonout_set(slot, "left", jsonout_seconds(left));
}

static json_t *make_processes(const struct report_row *row)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < row->process_count; i++) {
		json_t *process = json_object();

		jsonout_set(&process, "pid", json_integer(row->processes[i].pid));
		jsonout_set(&process, "command", jsonout_text(row->processes[i].command));
		jsonout_append(&list, process);
	}
	return list;
}

static json_t *make_slot(const struct report *report, const struct report_row *row)
{
	json_t *slot = json_object();

	jsonout_set(&slot, "number",
		    row->numbered ? json_integer(strtol(row->name, NULL, 10)) : json_null());
	jsonout_set(&slot, "name", row->numbered ? json_null() : jsonout_text(row->name));
	jsonout_set(&slot, "state", json_string(report_state_name(row->state)));
	jsonout_set(&slot, "above_limit", json_boolean(row->above_limit));
	set_who(&slot, report, row);
	set_kind(&slot, report, row);
	jsonout_set(&slot, "processes", row->searched ? make_processes(row) : json_null());
	jsonout_set(&slot, "processes_hidden",
		    row->searched ? json_boolean(row->hidden) : json_null());
	return slot;
}

static json_t *make_waiter(const struct report *report, const struct report_row *row)
{
	json_t *waiter = json_object();

	jsonout_set(&waiter, "place", json_integer(row->place));
	jsonout_set(&waiter, "ticket", json_integer((json_int_t)row->ticket));
	jsonout_set(&waiter, "state", json_string(report_state_name(row->state)));
	set_who(&waiter, report, row);
	return waiter;
}

static json_t *make_lock(const struct report *report, const struct report_lock *lock)
{
	bool seen = !*lock->problem.text; /* else it has no rows */
	json_t *object = json_object();
	json_t *slots = seen ? json_array() : json_null();
	json_t *waiters = seen ? json_array() : json_null();

	for (unsigned i = 0; i < lock->count; i++) {
		const struct report_row *row = &lock->rows[i];

		if (row->name)
			jsonout_append(&slots, make_slot(report, row));
		else if (row->place)
			jsonout_append(&waiters, make_waiter(report, row));
	}
	jsonout_set(&object, "group", jsonout_text(lock->group));
	jsonout_set(&object, "lock", jsonout_text(lock->lock));
	jsonout_set(&object, "limit", lock->limited ? json_integer(lock->limit) : json_null());
	jsonout_set(&object, "closed", json_boolean(lock->limited && !lock->limit));
	jsonout_set(&object, "held", seen ? json_integer(lock->held) : json_null());
	jsonout_set(&object, "waiting", seen ? json_integer(lock->waiting) : json_null());
	jsonout_set(&object, "problem", jsonout_text(seen ? NULL : lock->problem.text));
	jsonout_set(&object, "slots", slots);
	jsonout_set(&object, "waiters", waiters);
	return object;
}

int report_json(FILE *out, const struct report *report)
{
	json_t *root = json_object(), *locks = json_array();
	const char *problem = *report->problem.text ? report->problem.text : NULL;

	for (unsigned i = 0; i < report->count; i++)
		jsonout_append(&locks, make_lock(report, &report->locks[i]));
	jsonout_set(&root, "time", jsonout_time(report->time));
	jsonout_set(&root, "directory", jsonout_text(report->directory));
	jsonout_set(&root, "problem", jsonout_text(problem));
	jsonout_set(&root, "locks", locks);
	return jsonout_print(out, root);
}

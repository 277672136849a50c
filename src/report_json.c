#include <stdlib.h>

#include "jsonout.h"
#include "report.h"

/* What an object could not be given for lack of memory makes the whole document NULL. */
static void set(json_t **object, const char *key, json_t *value)
{
	if (!*object) {
		json_decref(value);
	} else if (json_object_set_new_nocheck(*object, key, value)) {
		json_decref(*object);
		*object = NULL;
	}
}

static void append(json_t **array, json_t *value)
{
	if (!*array) {
		json_decref(value);
	} else if (json_array_append_new(*array, value)) {
		json_decref(*array);
		*array = NULL;
	}
}

/* A number that is unknown if it is 0. */
static json_t *number(uint64_t value)
{
	return value ? json_integer((json_int_t)value) : json_null();
}

/* Who holds or waits; all null if nothing is known. */
static void set_record(json_t **object, const struct report *report, const struct report_row *row)
{
	static const struct record unknown;
	bool known = row->state != REPORT_FREE && row->record;
	const struct record *record = known ? row->record : &unknown;
	bool claim = known && record->kind == RECORD_CLAIM;

	set(object, "worker", jsonout_text(known ? record->worker : NULL));
	set(object, "host", jsonout_text(known ? record->process.host : NULL));
	set(object, "pid", number((uint64_t)record->process.pid));
	set(object, "since", jsonout_time(record->since));
	set(object, "age", jsonout_seconds(report_age(report, row)));
	set(object, "kind", jsonout_text(known ? record_kind_word(record->kind) : NULL));
	set(object, "count", number(record->count));
	set(object, "command", jsonout_text(known ? record->command : NULL));
	set(object, "claim", claim ? jsonout_short(record->id, RECORD_SHORT_ID) : json_null());
	set(object, "bound_pid", number((uint64_t)record->bound));
	set(object, "until", jsonout_time(record->until));
}

static json_t *make_processes(const struct report_row *row)
{
	json_t *list = json_array();

	for (unsigned i = 0; i < row->process_count; i++) {
		json_t *process = json_object();

		set(&process, "pid", json_integer(row->processes[i].pid));
		set(&process, "command", jsonout_text(row->processes[i].command));
		append(&list, process);
	}
	return list;
}

static json_t *make_slot(const struct report *report, const struct report_row *row)
{
	json_t *slot = json_object();
	bool expired = row->expired;

	set(&slot, "number",
	    row->numbered ? json_integer(strtol(row->name, NULL, 10)) : json_null());
	set(&slot, "name", row->numbered ? json_null() : jsonout_text(row->name));
	set(&slot, "state", json_string(report_state_word(row->state)));
	set(&slot, "above_limit", json_boolean(row->above_limit));
	set_record(&slot, report, row);
	set(&slot, "expired_claim",
	    expired ? jsonout_short(row->record->id, RECORD_SHORT_ID) : json_null());
	set(&slot, "processes", row->searched ? make_processes(row) : json_null());
	set(&slot, "processes_hidden", row->searched ? json_boolean(row->hidden) : json_null());
	return slot;
}

static json_t *make_waiter(const struct report *report, const struct report_row *row)
{
	json_t *waiter = json_object();

	set(&waiter, "place", json_integer(row->place));
	set(&waiter, "ticket", json_integer((json_int_t)row->ticket));
	set(&waiter, "state", json_string(report_state_word(row->state)));
	set_record(&waiter, report, row);
	return waiter;
}

static void set_rows(json_t **object, const struct report *report, const struct report_lock *lock)
{
	json_t *slots = json_array(), *waiters = json_array();

	for (unsigned i = 0; i < lock->count; i++) {
		const struct report_row *row = &lock->rows[i];

		if (row->name)
			append(&slots, make_slot(report, row));
		else if (row->place)
			append(&waiters, make_waiter(report, row));
	}
	set(object, "slots", slots);
	set(object, "waiters", waiters);
}

static json_t *make_lock(const struct report *report, const struct report_lock *lock)
{
	json_t *object = json_object();
	bool seen = !*lock->problem.text;

	set(&object, "group", jsonout_text(lock->group));
	set(&object, "lock", jsonout_text(lock->lock));
	set(&object, "limit", lock->limited ? json_integer(lock->limit) : json_null());
	set(&object, "closed", json_boolean(lock->limited && !lock->limit));
	set(&object, "held", seen ? json_integer(lock->held) : json_null());
	set(&object, "waiting", seen ? json_integer(lock->waiting) : json_null());
	set(&object, "problem", jsonout_text(seen ? NULL : lock->problem.text));
	if (seen) {
		set_rows(&object, report, lock);
	} else {
		set(&object, "slots", json_null());
		set(&object, "waiters", json_null());
	}
	return object;
}

char *report_json(const struct report *report)
{
	json_t *root = json_object(), *locks = json_array();
	const char *problem = *report->problem.text ? report->problem.text : NULL;

	for (unsigned i = 0; i < report->count; i++)
		append(&locks, make_lock(report, &report->locks[i]));
	set(&root, "time", jsonout_time(report->time));
	set(&root, "directory", jsonout_text(report->directory));
	set(&root, "problem", jsonout_text(problem));
	set(&root, "locks", locks);
	return jsonout_print(root);
}

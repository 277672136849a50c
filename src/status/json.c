#include <stdlib.h>

#include "base/jsonout.h"
#include "status/report.h"

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

/* Whose it is; NULL if that is not known, or nobody's. */
static const struct report_who *who_of(const struct report_row *row)
{
	return row->state == REPORT_FREE ? NULL : row->who;
}

/* Who holds or waits; all null if nothing is known. */
static void set_who(json_t **object, const struct report *report, const struct report_row *row)
{
	const struct report_who *who = who_of(row);

	set(object, "worker", jsonout_text(who ? who->worker : NULL));
	set(object, "host", jsonout_text(who ? who->process.host : NULL));
	set(object, "pid", number(who ? (uint64_t)who->process.pid : 0));
	set(object, "since", jsonout_time(who ? who->since : 0));
	set(object, "age", jsonout_seconds(report_age(report, row)));
	set(object, "count", number(who ? who->count : 0));
	set(object, "command", jsonout_text(who ? who->command : NULL));
}

/* How long a claim may last at most, from now on; negative: as long as it likes. */
static int64_t left_of(const struct report *report, const struct report_who *claim)
{
	if (!claim->until)
		return -1;
	return claim->until > report->time ? claim->until - report->time : 0;
}

/* How it is held, and what there is to know of a claim. */
static void set_kind(json_t **slot, const struct report *report, const struct report_row *row)
{
	const struct report_who *who = who_of(row);
	const struct report_who *claim = who && who->kind == RECORD_CLAIM ? who : NULL;

	if (row->expired)
		claim = row->who;
	set(slot, "kind", jsonout_text(who ? record_kind_name(who->kind) : NULL));
	set(slot, "claim", jsonout_text(claim ? claim->claim : NULL));
	set(slot, "claim_expired", json_boolean(row->expired));
	set(slot, "bound_pid", number(claim ? (uint64_t)claim->bound : 0));
	set(slot, "until", jsonout_time(claim ? claim->until : 0));
	set(slot, "left", jsonout_seconds(claim ? left_of(report, claim) : -1));
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

	set(&slot, "number",
	    row->numbered ? json_integer(strtol(row->name, NULL, 10)) : json_null());
	set(&slot, "name", row->numbered ? json_null() : jsonout_text(row->name));
	set(&slot, "state", json_string(report_state_word(row->state)));
	set(&slot, "above_limit", json_boolean(row->above_limit));
	set_who(&slot, report, row);
	set_kind(&slot, report, row);
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
	set_who(&waiter, report, row);
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

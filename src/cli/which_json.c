#include "base/jsonout.h"
#include "cli/which.h"

static json_t *make_names(const struct slotset *slots)
{
	json_t *names = slots->names ? json_array() : json_null();

	for (unsigned i = 0; slots->names && i < slots->count; i++)
		json_array_append_new(names, jsonout_text(slots->names[i]));
	return names;
}

char *which_json(const struct which *which)
{
	static const char *const matches[] = {
		[CONFIG_EXACT] = "exact",
		[CONFIG_PATTERN] = "pattern",
		[CONFIG_UNLISTED] = "unlisted",
	};
	const struct resolved *where = &which->where;
	json_t *root = json_object(), *locks = json_array();

	for (unsigned i = 0; i < which->locks.count; i++) {
		json_t *lock = json_object();

		json_object_set_new(lock, "lock", jsonout_text(which->locks.list[i]));
		json_object_set_new(lock, "limit", json_integer(which->slots[i].count));
		json_object_set_new(lock, "names", make_names(&which->slots[i]));
		json_array_append_new(locks, lock);
	}
	json_object_set_new(root, "worker", jsonout_text(where->worker));
	json_object_set_new(root, "worker_source", jsonout_text(where->worker_source));
	json_object_set_new(root, "group", jsonout_text(where->group));
	json_object_set_new(root, "match", json_string(matches[where->match]));
	json_object_set_new(root, "pattern", jsonout_text(where->pattern));
	json_object_set_new(root, "config", jsonout_text(config_path(where->config)));
	json_object_set_new(root, "config_source", jsonout_text(where->config_source));
	json_object_set_new(root, "directory", jsonout_text(where->directory));
	json_object_set_new(root, "directory_source", jsonout_text(where->directory_source));
	json_object_set_new(root, "locks", locks);
	return jsonout_print(root);
}

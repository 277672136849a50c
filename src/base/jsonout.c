#include "base/jsonout.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/clock.h"
#include "base/utf8.h"

json_t *jsonout_text(const char *bytes)
{
	json_t *value = bytes ? json_string(bytes) : json_null();
	char *mended;

	if (value) /* as nearly always: it is UTF-8 */
		return value;
	mended = utf8_mend(bytes);
	value = mended ? json_string(mended) : NULL;
	free(mended);
	return value;
}

json_t *jsonout_time(int64_t wall)
{
	time_t seconds = (time_t)(wall / CLOCK_SECOND);
	int milliseconds = (int)(wall % CLOCK_SECOND / 1000000);
	char text[64];
	struct tm utc;
	size_t used;

	if (wall <= 0 || !gmtime_r(&seconds, &utc))
		return json_null();
	used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &utc);
	snprintf(text + used, sizeof(text) - used, ".%03dZ", milliseconds);
	return json_string(text);
}

json_t *jsonout_seconds(int64_t ns)
{
	int64_t milliseconds = ns / 1000000;

	return ns < 0 ? json_null() : json_real((double)milliseconds / 1000);
}

void jsonout_set(json_t **object, const char *key, json_t *value)
{
	if (!*object) {
		json_decref(value);
	} else if (json_object_set_new_nocheck(*object, key, value)) {
		json_decref(*object);
		*object = NULL;
	}
}

void jsonout_append(json_t **array, json_t *value)
{
	if (!*array) {
		json_decref(value);
	} else if (json_array_append_new(*array, value)) {
		json_decref(*array);
		*array = NULL;
	}
}

int jsonout_print(FILE *out, json_t *root)
{
	/* 15 digits: 12.345 stays 12.345, and the doubles nearest to it need no more. */
	int result = root ? json_dumpf(root, out, JSON_INDENT(2) | JSON_REAL_PRECISION(15)) : -1;

	json_decref(root);
	return fputc('\n', out) == EOF ? -1 : result;
}

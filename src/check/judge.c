#include "check/judge.h"

#include <stdio.h>
#include <string.h>

/* The section that a line to be judged stands in. No file has one: config_text_allows(). */
#define SECTION "\001"
#define PREFIX "[" SECTION "]\n"

static int put(const struct judge *judge, const char *prefix, const char *bytes, size_t size,
	       struct error *err)
{
	return memfile_clear(&judge->file, err) ||
	       memfile_append(&judge->file, prefix, strlen(prefix), err) ||
	       memfile_append(&judge->file, bytes, size, err);
}

struct config *judge_file(const struct judge *judge, const char *bytes, size_t size,
			  struct error *err)
{
	return put(judge, "", bytes, size, err) ? NULL : config_parse(judge->file.path, err);
}

int judge_open(struct judge *judge, struct error *err)
{
	struct config *nothing;
	struct error reason;
	int readable;

	if (memfile_open(&judge->file, &reason) != MEMFILE_OK)
		return error_set(err, "cannot check the lines of a file: %s", reason.text);
	nothing = judge_file(judge, "", 0, &reason);
	if (nothing) {
		config_free(nothing);
		return 0;
	}
	readable = memfile_is_readable(&judge->file);
	judge_close(judge);
	return error_set(err, "cannot check the lines of a file%s: %s",
			 readable ? "" : " without /proc", reason.text);
}

void judge_close(struct judge *judge)
{
	memfile_close(&judge->file);
}

/* The first item is SECTION itself, then comes what the line added. */
static void read_verdict(struct verdict *verdict, const struct config *config)
{
	const char *name, *value;

	verdict->kind = JUDGE_NOTHING;
	if (!config_item(config, 1, &name, &value))
		return;
	verdict->kind = value ? JUDGE_ENTRY : JUDGE_SECTION;
	snprintf(verdict->name, sizeof(verdict->name), "%s",
		 value ? name + strlen(SECTION ":") : name);
	snprintf(verdict->value, sizeof(verdict->value), "%s", value ? value : "");
}

int judge_line(const struct judge *judge, const char *bytes, size_t size, struct verdict *verdict,
	       struct error *err)
{
	struct config *config;
	struct error reason;

	*verdict->name = *verdict->value = '\0';
	if (put(judge, PREFIX, bytes, size, err))
		return -1;
	config = config_parse(judge->file.path, &reason);
	if (!config) {
		verdict->kind = strstr(reason.text, "too long") ? JUDGE_TOO_LONG : JUDGE_BAD;
		return 0;
	}
	read_verdict(verdict, config);
	config_free(config);
	return 0;
}

#include "check/judge.h"

#include <stdio.h>
#include <string.h>

#include "config/config.h"

/* The section that a line to be judged stands in. No file has one: config_text_allows(). */
#define SECTION "\001"
#define PREFIX "[" SECTION "]\n"

int judge_open(struct judge *judge, struct error *err)
{
	struct error reason;

	if (memfile_open(&judge->file, &reason) != MEMFILE_OK)
		return error_set(err, "cannot check the lines of a file: %s", reason.text);
	if (memfile_is_readable(&judge->file))
		return 0;
	judge_close(judge);
	return error_set(err, "cannot check the lines of a file without /proc");
}

void judge_close(struct judge *judge)
{
	memfile_close(&judge->file);
}

int judge_line(const struct judge *judge, const char *bytes, size_t size, struct verdict *verdict,
	       struct error *err)
{
	struct config *config;
	const char *name, *value;
	struct error reason;

	*verdict = (struct verdict){.kind = JUDGE_NOTHING};
	if (memfile_clear(&judge->file, err) ||
	    memfile_append(&judge->file, PREFIX, strlen(PREFIX), err) ||
	    memfile_append(&judge->file, bytes, size, err))
		return -1;
	config = config_parse(judge->file.path, &reason);
	if (!config) {
		verdict->kind = strstr(reason.text, "too long") ? JUDGE_TOO_LONG : JUDGE_BAD;
	} else if (config_item(config, 1, &name, &value)) { /* the first is SECTION itself */
		verdict->kind = value ? JUDGE_ENTRY : JUDGE_SECTION;
		snprintf(verdict->name, sizeof(verdict->name), "%s",
			 value ? name + strlen(SECTION ":") : name);
		snprintf(verdict->value, sizeof(verdict->value), "%s", value ? value : "");
	}
	config_free(config);
	return 0;
}

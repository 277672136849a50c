#include "judge.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The section that a line to be judged stands in. No file has one: config_is_text(). */
#define SECTION "\001"
#define PREFIX "[" SECTION "]\n"

static int put(const struct judge *judge, const char *prefix, const char *bytes, size_t size,
	       struct error *err)
{
	size_t length = strlen(prefix), done = 0;

	if (ftruncate(judge->fd, 0) || pwrite(judge->fd, prefix, length, 0) != (ssize_t)length)
		return error_sys(err, errno, "cannot write to memory");
	while (done < size) {
		ssize_t written =
			pwrite(judge->fd, bytes + done, size - done, (off_t)(length + done));

		if (written <= 0)
			return error_sys(err, errno, "cannot write to memory");
		done += (size_t)written;
	}
	return 0;
}

struct config *judge_file(const struct judge *judge, const char *bytes, size_t size,
			  struct error *err)
{
	return put(judge, "", bytes, size, err) ? NULL : config_parse(judge->path, err);
}

int judge_open(struct judge *judge, struct error *err)
{
	struct config *nothing;
	struct error reason;

	judge->fd = memfd_create("line", MFD_CLOEXEC);
	if (judge->fd < 0)
		return error_sys(err, errno, "cannot check the lines of a file: no file in memory");
	snprintf(judge->path, sizeof(judge->path), "/proc/self/fd/%d", judge->fd);
	nothing = judge_file(judge, "", 0, &reason);
	if (!nothing) {
		close(judge->fd);
		return error_set(err, "cannot check the lines of a file without /proc: %s",
				 reason.text);
	}
	config_free(nothing);
	return 0;
}

void judge_close(struct judge *judge)
{
	close(judge->fd);
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
	config = config_parse(judge->path, &reason);
	if (!config) {
		verdict->kind = strstr(reason.text, "too long") ? JUDGE_TOO_LONG : JUDGE_BAD;
		return 0;
	}
	read_verdict(verdict, config);
	config_free(config);
	return 0;
}

#include "base/account.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/num.h"

/* Both files have lines "NAME:PASSWORD:NUMBER:...". */
static void look_up(const char *path, unsigned id, char out[ACCOUNT_SIZE])
{
	FILE *file = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;

	snprintf(out, ACCOUNT_SIZE, "%u", id);
	while (file && getline(&line, &size, file) > 0) {
		char *rest = line, *name = strsep(&rest, ":"), *number;
		uint64_t value;

		strsep(&rest, ":");
		number = strsep(&rest, ":");
		if (!number || !num_parse(number, UINT32_MAX, &value) || value != id)
			continue;
		snprintf(out, ACCOUNT_SIZE, "%s", name);
		break;
	}
	free(line);
	if (file)
		fclose(file);
}

void account_user(uid_t uid, char out[ACCOUNT_SIZE])
{
	look_up("/etc/passwd", uid, out);
}

void account_group(gid_t gid, char out[ACCOUNT_SIZE])
{
	look_up("/etc/group", gid, out);
}

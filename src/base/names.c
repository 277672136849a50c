#include "base/names.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int names_add(struct names *names, const char *name)
{
	if (names->count == names->room) {
		unsigned room = names->room ? 2 * names->room : 16;
		char **list = realloc(names->list, room * sizeof(*list));

		if (!list)
			return -1;
		names->list = list;
		names->room = room;
	}
	names->list[names->count] = strdup(name);
	if (!names->list[names->count])
		return -1;
	names->count++;
	return 0;
}

void names_free(struct names *names)
{
	for (unsigned i = 0; i < names->count; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct names){0};
}

bool names_contain(const struct names *names, const char *name)
{
	for (unsigned i = 0; i < names->count; i++) {
		if (!strcmp(names->list[i], name))
			return true;
	}
	return false;
}

static int compare(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

void names_sort(struct names *names)
{
	unsigned kept = 0;

	if (!names->count)
		return;
	qsort(names->list, names->count, sizeof(*names->list), compare);
	for (unsigned i = 1; i < names->count; i++) {
		if (strcmp(names->list[i], names->list[kept]))
			names->list[++kept] = names->list[i];
		else
			free(names->list[i]);
	}
	names->count = kept + 1;
}

void names_join(const struct names *names, char *out, unsigned size)
{
	size_t used = 0;

	*out = '\0';
	for (unsigned i = 0; i < names->count && used < size; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? ", " : "",
					 names->list[i]);
}

int names_read(struct names *names, int fd, unsigned char type, const char *path, struct error *err)
{
	/* Opened anew: a duplicate would share its place in the directory. */
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), errnum;
	DIR *dir = own < 0 ? NULL : fdopendir(own);
	const struct dirent *entry;

	while (dir && (errno = 0, entry = readdir(dir))) {
		if (type != DT_UNKNOWN && entry->d_type != type && entry->d_type != DT_UNKNOWN)
			continue;
		if (names_add(names, entry->d_name)) {
			errno = ENOMEM;
			break;
		}
	}
	errnum = errno;
	if (dir)
		closedir(dir);
	else if (own >= 0)
		close(own);
	return errnum ? error_sys(err, errnum, "cannot read directory '%s'", path) : 0;
}

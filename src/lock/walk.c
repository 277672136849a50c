#include "lock/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filename.h"
#include "lock/gate.h"
#include "lock/statedir.h"

static int is_visible(const struct dirent *entry)
{
	return entry->d_name[0] != '.'; /* a name never starts with a dot in a file name */
}

void walk_close(struct walk_listing *listing)
{
	for (int i = 0; i < listing->count; i++)
		free(listing->entries[i]);
	free(listing->entries);
	if (listing->fd >= 0)
		close(listing->fd);
}

int walk_open(struct walk_listing *listing, int parent, const char *name)
{
	int follow = parent == AT_FDCWD ? 0 : O_NOFOLLOW;

	listing->count = 0;
	listing->entries = NULL;
	listing->fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);
	if (listing->fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (listing->fd >= 0)
		listing->count =
			scandirat(listing->fd, ".", &listing->entries, is_visible, alphasort);
	if (listing->fd >= 0 && listing->count >= 0)
		return 0;
	listing->count = 0;
	return -1;
}

static void visit_group(const char *dir, int parent, const char *file, walk_visit *visit, void *arg,
			struct error *err)
{
	char group[NAME_MAX + 1], lock[NAME_MAX + 1];
	struct walk_listing locks;

	if (!filename_decode(group, file))
		return;
	if (walk_open(&locks, parent, file)) {
		error_sys(err, errno, "cannot read directory '%s/%s'", dir, file);
		visit(arg, group, NULL);
	}
	for (int i = 0; i < locks.count; i++) {
		if (filename_decode(lock, locks.entries[i]->d_name))
			visit(arg, group, lock);
	}
	walk_close(&locks);
}

int walk_locks(const char *dir, walk_visit *visit, void *arg, struct error *err)
{
	struct walk_listing groups;
	int result = walk_open(&groups, AT_FDCWD, dir);

	if (result)
		error_sys(err, errno, "cannot read directory '%s'", dir);
	for (int i = 0; i < groups.count; i++)
		visit_group(dir, groups.fd, groups.entries[i]->d_name, visit, arg, err);
	walk_close(&groups);
	return result;
}

int walk_slots(int fd, walk_slot *visit, void *arg, struct error *err)
{
	struct walk_listing files;
	int result = walk_open(&files, fd, ".");

	if (result)
		error_sys(err, errno, "cannot read a directory of slots");
	for (int i = 0; i < files.count; i++) {
		const char *file = files.entries[i]->d_name;

		if (!strncmp(file, GATE_SLOT_PREFIX, sizeof(GATE_SLOT_PREFIX) - 1))
			visit(arg, file);
	}
	walk_close(&files);
	return result;
}

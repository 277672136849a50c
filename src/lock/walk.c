#include "lock/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/names.h"

int walk_list(struct names *names, int *fd, int parent, const char *name, const char *path,
	      struct error *err)
{
	int follow = parent == AT_FDCWD ? 0 : O_NOFOLLOW;

	*fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | follow);
	if (*fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP))
		return 0;
	if (*fd < 0)
		return error_sys(err, errno, "cannot read directory '%s'", path);
	if (names_read(names, *fd, DT_UNKNOWN, path, err))
		return -1;
	names_sort(names);
	return 0;
}

int walk_locks(const char *dir, walk_visit *visit, void *arg, struct error *err)
{
	struct names groups = {0};
	int dirfd, result = walk_list(&groups, &dirfd, AT_FDCWD, dir, dir, err);

	for (unsigned i = 0; !result && i < groups.count; i++) {
		char group[NAME_MAX + 1], lock[NAME_MAX + 1], path[PATH_MAX];
		struct names locks = {0};
		int fd;

		if (!filename_decode(group, groups.list[i]))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, groups.list[i]);
		if (walk_list(&locks, &fd, dirfd, groups.list[i], path, err))
			visit(arg, group, NULL);
		for (unsigned j = 0; j < locks.count; j++) {
			if (filename_decode(lock, locks.list[j]))
				visit(arg, group, lock);
		}
		names_free(&locks);
		if (fd >= 0)
			close(fd);
	}
	names_free(&groups);
	if (dirfd >= 0)
		close(dirfd);
	return result;
}

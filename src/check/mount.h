/*
 * mount - the file system that a file is on, and how it is mounted: a line of
 * /proc/self/mountinfo, proc(5).
 */
#ifndef GROUPLOCK_MOUNT_H
#define GROUPLOCK_MOUNT_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"

struct mount {
	unsigned long id;
	char type[64];        /* "ext4", "nfs4", "fuse.sshfs" ... */
	char root[PATH_MAX];  /* what of the file system is seen at `point` */
	char point[PATH_MAX]; /* the mount point; empty: unknown, and so are root and options */
	char options[8192];   /* of the mount, then of the file system, comma separated */
};

/* Reads a line of mountinfo, cut where it would not fit. false: it is none. */
bool mount_parse(struct mount *mount, const char *line);

/*
 * The mount that the open file belongs to. Without /proc the kind of file system alone is found
 * out, by statfs(2). -1: not even that.
 */
int mount_of(struct mount *mount, int fd, struct error *err);

/* Whether it is mounted with exactly this option: "nolock", "local_lock=all" ... */
bool mount_has(const struct mount *mount, const char *option);

#endif

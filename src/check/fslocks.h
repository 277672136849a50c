/*
 * fslocks - what a flock() on a file system is worth: which processes it keeps out.
 *
 * Most file systems grant every lock that they are asked for. Those that cannot tell the other
 * machine, container or virtual machine do so too, and nobody is told.
 */
#ifndef GROUPLOCK_FSLOCKS_H
#define GROUPLOCK_FSLOCKS_H

#include "base/findings.h"
#include "check/mount.h"

struct fslocks_note {
	const char *where;  /* a pattern of kinds of file systems, or a directory */
	const char *option; /* of the mount; NULL: whatever the options */
	enum finding_level level;
	const char *text; /* whom a lock keeps out, and what to do where that is too few */
};

/* By kind and options. Never NULL: of a kind that is not known the text says so. */
const struct fslocks_note *fslocks_by_mount(const struct mount *mount);

/* By place: `path` has no symlinks. NULL: nothing is wrong with it. */
const struct fslocks_note *fslocks_by_path(const char *path);

#endif

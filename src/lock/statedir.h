/*
 * statedir - the directory DIR/GROUP/LOCK in which one lock of one group lives.
 *
 * Everything below is reached by openat() from its descriptor, so that a rename or a symlink
 * above it cannot lead one step of a run elsewhere than the step before. New directories and
 * files take the group and the permission bits of DIR, whatever the umask, and its owner if root
 * makes them: the mode that the administrator gave DIR is the policy for all of it.
 */
#ifndef GROUPLOCK_STATEDIR_H
#define GROUPLOCK_STATEDIR_H

#include <limits.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct statedir {
	int fd;              /* of DIR/GROUP/LOCK, O_CLOEXEC; -1 when closed */
	mode_t mode;         /* DIR's mode, 07777 */
	uid_t uid;           /* DIR's owner */
	gid_t gid;           /* DIR's group */
	char path[PATH_MAX]; /* DIR/GROUP/LOCK, for messages only */
};

enum statedir_result {
	STATEDIR_OK,
	STATEDIR_MISSING, /* only without `create` */
	STATEDIR_ERROR,
};

/*
 * Opens DIR/GROUP/LOCK, with `create` making GROUP and LOCK if they are missing (never DIR:
 * whoever makes it decides who may take part). Does not block. Close with statedir_close().
 */
enum statedir_result statedir_open(struct statedir *sd, const char *dir, const char *group,
				   const char *lock, bool create, struct error *err);
void statedir_close(struct statedir *sd);

/*
 * Opens DIR itself. It is never made; with `create` that it is missing is an error, and the reason
 * says how to make it.
 */
enum statedir_result statedir_open_top(struct statedir *sd, const char *dir, bool create,
				       struct error *err);

/*
 * Makes and opens file `name` in the directory, which must not exist yet; with O_DIRECTORY in `flags`,
 * those of open(2), a directory. It has DIR's group and permissions, and if root made it DIR's owner,
 * from the moment that it has that name. Where it would be born otherwise it is made under another,
 * .new-XXXX, and renamed; on a file system without renameat2(RENAME_NOREPLACE), NFS for one, it is
 * put right in its place. Only what this call made is changed: whoever may write to a directory can
 * move other files of this user there. A group or owner that this user may not give is let be.
 * The descriptor, or -1 with errno. Does not block.
 */
int statedir_make(const struct statedir *sd, const char *name, int flags);

#endif

/*
 * statedir - the directory DIR/GROUP/LOCK in which one lock of one group lives.
 *
 * Everything below is reached by openat() from its descriptor, so that a rename or a symlink
 * above it cannot lead one step of a run elsewhere than the step before. New directories and
 * files take the group and the permission bits of DIR, whatever the umask: the mode that the
 * administrator gave DIR is the policy for all of it.
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
 * Gives a file or directory that this process just made the group and permissions of DIR;
 * leaves alone what belongs to another user. `bits` are the permission bits that make sense for
 * it: 0666 for a file, 07777 for a directory. A group that this user may not give is let be.
 */
int statedir_adopt(const struct statedir *sd, int fd, mode_t bits, const char *name,
		   struct error *err);

#endif

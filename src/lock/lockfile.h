/*
 * lockfile - one flock()ed file in a statedir.
 *
 * The lock is the kernel's, on the open file description; the file's existence and content mean
 * nothing. A file is opened read and write (NFS grants an exclusive lock to no other), close on
 * exec from birth, without following symlinks, without blocking on a FIFO, and is refused unless
 * it is a regular file with one name: a hard link planted here must not let a record be written
 * over somebody's file.
 *
 * What is locked may have been replaced meanwhile: after taking a lock that counts, ask
 * lockfile_is_current().
 */
#ifndef GROUPLOCK_LOCKFILE_H
#define GROUPLOCK_LOCKFILE_H

#include <stdbool.h>

#include "base/error.h"
#include "lock/statedir.h"

enum lockfile_result {
	LOCKFILE_OK,
	LOCKFILE_MISSING, /* no file of that name; or the directory itself was removed */
	LOCKFILE_EXISTS,  /* lockfile_create(): a regular file of that name was there */
	LOCKFILE_BUSY,    /* lockfile_try(): somebody else's lock is in the way */
	LOCKFILE_ERROR,   /* err says what and why */
};

/* Opens an existing file; *fd is the caller's to close. Never blocks. */
enum lockfile_result lockfile_open(const struct statedir *sd, const char *name, int *fd,
				   struct error *err);

/*
 * The same for looking only: read permission is enough. Do not ask it for an exclusive lock on
 * a network file system.
 */
enum lockfile_result lockfile_open_to_read(const struct statedir *sd, const char *name, int *fd,
					   struct error *err);

/* Opens the file, creating it where it is missing. LOCKFILE_MISSING: the directory is gone. */
enum lockfile_result lockfile_open_or_create(const struct statedir *sd, const char *name, int *fd,
					     struct error *err);

/* Creates a file that must not exist yet. */
enum lockfile_result lockfile_create(const struct statedir *sd, const char *name, int *fd,
				     struct error *err);

/* LOCK_EX or LOCK_SH without waiting: OK, BUSY or ERROR. */
enum lockfile_result lockfile_try(const struct statedir *sd, const char *name, int fd,
				  int operation, struct error *err);

/*
 * Under the gate (I6): one look at an existing file, which takes nothing. BUSY: somebody holds it;
 * OK: nobody does. Either way *fd is open to be read, without a lock, the caller's to close; after
 * MISSING and ERROR it is -1. It asks for LOCK_SH and drops it at once: a waiter that was just
 * woken by the end of a holder has LOCK_SH too, and must not make the file look held.
 */
enum lockfile_result lockfile_look(const struct statedir *sd, const char *name, int *fd,
				   struct error *err);

/*
 * Writes a record or the counters to the start of the file, by one pwrite(2). -1 with a reason, also
 * if it was cut short (disk full).
 */
int lockfile_write(const struct statedir *sd, const char *name, int fd, const char *bytes,
		   size_t size, struct error *err);

/* Says in `err` why a lock on `name` failed with errno value `errnum`; hints where one helps. */
void lockfile_explain(const struct statedir *sd, const char *name, int errnum, struct error *err);

/* Whether `name` still leads to the file that is open as `fd`. */
bool lockfile_is_current(const struct statedir *sd, const char *name, int fd);

#endif

/*
 * holders - which processes hold the lock of a file, whatever its record says: all that have the
 * locked file description open, as /proc/PID/fdinfo shows it, and not those that only look.
 *
 * It sees the processes of this PID namespace on this machine, and of those the ones that this
 * user may look into.
 */
#ifndef GROUPLOCK_HOLDERS_H
#define GROUPLOCK_HOLDERS_H

#include <sys/stat.h>
#include <sys/types.h>

#include "status/report.h"

/* One file to look for. */
struct holders_file {
	dev_t device;
	ino_t inode;
	const char *name; /* its last component */
};

/* Process `pid`, running `command` (a stranger's bytes), holds files[index]. */
typedef void holders_see(void *arg, unsigned index, pid_t pid, const char *command);

/*
 * Goes through all processes once and calls `see` for each that holds one of the files, a file
 * exclusively locked. Returns how many processes it was not allowed to look into, -1 without
 * /proc. Touches no file but those of /proc.
 */
int holders_find(const struct holders_file *files, unsigned count, holders_see *see, void *arg);

/* Puts into the rows whose holder is in doubt (row->doubts) who holds them: row->searched and so on. */
void holders_of_doubtful(struct report *report);

#endif

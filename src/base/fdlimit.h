/*
 * fdlimit - room for descriptors. A head sleeps on as many files as its group has slots, and the
 * slots a command holds live at descriptor 100 and up, whatever soft limit the caller came with;
 * the command gets back the limit that its caller had.
 */
#ifndef GROUPLOCK_FDLIMIT_H
#define GROUPLOCK_FDLIMIT_H

#include <sys/resource.h>

/*
 * Raises the soft limit to the hard one, unless it is there; *was is what to put back. Returns the
 * soft limit of now; RLIM_INFINITY if nobody knows.
 */
rlim_t fdlimit_raise(struct rlimit *was);
void fdlimit_restore(const struct rlimit *was);

#endif

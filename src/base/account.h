/*
 * account - names of users and groups, from /etc/passwd and /etc/group. Those that a directory
 * service knows keep their numbers: libc's own look-up cannot be linked statically.
 */
#ifndef GROUPLOCK_ACCOUNT_H
#define GROUPLOCK_ACCOUNT_H

#include <sys/types.h>

#define ACCOUNT_SIZE 64

/* The name, or the number where there is none; as a command line takes it, chown(1) for one. */
void account_user(uid_t uid, char out[ACCOUNT_SIZE]);
void account_group(gid_t gid, char out[ACCOUNT_SIZE]);

#endif

/*
 * inspect - what is good and bad about the directory of the slots, with what to do about it.
 *
 * Nothing in it is changed but for the file of proof_of_locks(), and no slot, ticket or gate is
 * locked: a look never gets into anybody's way.
 */
#ifndef GROUPLOCK_INSPECT_H
#define GROUPLOCK_INSPECT_H

#include "base/findings.h"
#include "check/supervise.h"
#include "lock/statedir.h"

/*
 * Adds all that there is to say of `dir`; `source` says where the user gave that name. It does
 * not hang where the file system does, since a child does the work: then what was found so far has
 * been added, and that it hangs. The child outlives a caller that is killed, to remove its file.
 */
void inspect_directory(const char *dir, const char *source, struct findings *findings);

/* A part of it: groups, locks and files in DIR that the owner and mode of DIR do not agree with. */
void inspect_tree(const struct statedir *sd, uid_t owner, const struct supervise *supervise,
		  struct findings *findings);

#endif

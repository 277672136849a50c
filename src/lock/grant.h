/*
 * grant - what acquire() got of one lock: slots that are held, or, for a nested call, the names of
 * slots that the caller's own process tree holds already.
 *
 *     grant_count(grant), grant_label(grant, i) ...   which slots
 *     grant_fds(grant, fds)                           the descriptors that hold them
 *     grant_rewrite(grant, &text, &err)               another record, for another holder
 *
 * I1  A slot is held while its descriptor is open, in this process or in one that got a duplicate.
 *
 * acquire() makes grants, and acquire_release() frees them; nothing else of the protocol (slots,
 * directories, tickets) is seen outside of it. Nothing here blocks.
 */
#ifndef GROUPLOCK_GRANT_H
#define GROUPLOCK_GRANT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "lock/record.h"
#include "lock/statedir.h"

struct grant;

/* The lock's name, folded: the caller's own string, as in acquire_want. */
const char *grant_lock(const struct grant *grant);

/* Whether the caller's tree held it before: nothing was taken, and there are no descriptors. */
bool grant_is_nested(const struct grant *grant);

/* How many slots; and of slot `i` of them the file, "slot.NAME", and what people call it. */
unsigned grant_count(const struct grant *grant);
const char *grant_file(const struct grant *grant, unsigned i);
const char *grant_label(const struct grant *grant, unsigned i);

/*
 * Copies the descriptors that hold the slots into `fds`, which has room for grant_count(), and
 * returns how many there are. They stay the grant's, and are close-on-exec.
 */
size_t grant_fds(const struct grant *grant, int *fds);

/* Writes `text` into each slot held, in place of the record that is there. -1 with a reason. */
int grant_rewrite(const struct grant *grant, const struct record_text *text, struct error *err);

/*
 * For lock/ alone. A grant with room for `room` slots, NULL without memory; `lock` must outlive
 * it. Of slots that are held, `sd` is their directory, which the grant takes over (sd->fd becomes
 * -1); of a nested call it is NULL.
 */
struct grant *grant_new(const char *lock, unsigned room, struct statedir *sd);

/* Adds a slot, `fd` (-1 of a nested call) being the grant's from now on. -1: no memory. */
int grant_add(struct grant *grant, const char *file, const char *label, int fd);

/* Closes the descriptors and frees the grant; NULL is no harm. */
void grant_free(struct grant *grant);

#endif

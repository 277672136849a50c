/*
 * config - groups.ini: which worker belongs to which group, and how many slots a group has.
 *
 * The only module that knows iniparser. A file is checked as a whole when it is loaded: what is
 * unknown or makes no sense is an error that names file, section and key, never a guess. Names
 * compare without case; what comes out of here is folded to lower case.
 */
#ifndef GROUPLOCK_CONFIG_H
#define GROUPLOCK_CONFIG_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define CONFIG_DEFAULT_LOCK "default" /* the lock whose section is [slots] */
#define CONFIG_MAX_SLOTS 1024

#define CONFIG_SECTION_MAIN "grouplock"
#define CONFIG_SECTION_WORKERS "workers"
#define CONFIG_SECTION_SLOTS "slots" /* and "slots LOCK" */

struct config; /* a loaded file */

enum config_match {
	CONFIG_EXACT,   /* [workers] lists the name itself */
	CONFIG_PATTERN, /* the first pattern in file order that matches, a lone * last of all */
	CONFIG_UNLISTED,
};

/* The slots of one group's lock: `count` of them, numbered from 0, or named. */
struct slotset {
	unsigned count;
	char **names;  /* as the file spells them; NULL: numbered. Owned. */
	char *storage; /* what names[] points into */
};

/* Loads and checks; NULL with a reason. Free with config_free(). */
struct config *config_load(const char *path, struct error *err);
void config_free(struct config *config);

/*
 * The same for one worker (folded; NULL: for none): the file is checked as a whole all the same,
 * but plain entries of [workers] for others are not remembered, which makes thousands of them
 * cheap. Of a name that stands there twice, which `check` calls an error, a bad entry is refused
 * even if a good one follows. config_group() may be asked about this worker only, and config_groups() not at all.
 */
struct config *config_load_for(const char *path, const char *worker, struct error *err);

/* Whether the file at the path is another one, or has another content, than what was loaded. */
bool config_changed(const struct config *config);

const char *config_path(const struct config *config);

/* The value of `directory`, an absolute path, or NULL. */
const char *config_directory(const struct config *config);
bool config_strict(const struct config *config);

/*
 * The group of a worker, written into `group` (`size` bytes): by [workers], or, unlisted, the
 * worker's own name. *pattern (may be NULL) becomes the pattern that matched, or NULL.
 */
enum config_match config_group(const struct config *config, const char *worker, char *group,
			       size_t size, const char **pattern);

/* Calls `see` with each group that the file names, folded; a group may come more than once. */
typedef void config_see(void *arg, const char *name);
void config_groups(const struct config *config, config_see *see, void *arg);

/* Calls `see` with each worker that [workers] lists by its name, folded; patterns are left out. */
void config_workers(const struct config *config, config_see *see, void *arg);

/* The lock names there are: CONFIG_DEFAULT_LOCK is number 0, then sections in file order. */
const char *config_lock(const struct config *config, unsigned index);

/* A group's lock as messages call it: "hw1", or "hw1/link" for a lock that is not the default one. */
#define CONFIG_LABEL_SIZE (2 * NAME_MAX + 2)
void config_label(char label[CONFIG_LABEL_SIZE], const char *group, const char *lock);

/*
 * The slots of `lock` in `group`, to be freed with slotset_free(). -1: no such lock; the message
 * lists those there are.
 */
int config_slots(const struct config *config, const char *lock, const char *group,
		 struct slotset *slots, struct error *err);

/* Reads a value of a [slots] section: a count, or names. The reason says what is wrong with it. */
int slotset_parse(struct slotset *slots, const char *value, struct error *err);
void slotset_free(struct slotset *slots);

/*
 * For `check`, which tells all that is wrong with a file and not only the first: the parts that
 * config_load() is made of.
 *
 * config_parse: what iniparser reads from a file, whatever it means. Of the questions above only
 * config_path() may be asked about it.
 * config_item: item `index` of that, in file order: a section with *value NULL, or "section:key"
 * with its value. false: there are no more.
 * config_check_item: whether config_load() takes such an item; a key of a section that it refuses
 * has no meaning.
 */
struct config *config_parse(const char *path, struct error *err);
bool config_item(const struct config *config, unsigned index, const char **name,
		 const char **value);
int config_check_item(const char *name, const char *value, struct error *err);

/* Whether the name of a [workers] or [slots] key is a shell pattern. */
bool config_is_pattern(const char *name);

#endif

/*
 * resolve - from what the user said to where the lock is: config file, directory, worker, group.
 *
 * Each has one order of sources: an option, then the environment, then the config file, then
 * what was compiled in. A variable that is set but empty is an error and not "unset": it is a
 * build script's typo, and a build on the wrong group is worse than none.
 */
#ifndef GROUPLOCK_RESOLVE_H
#define GROUPLOCK_RESOLVE_H

#include <limits.h>
#include <stdbool.h>

#include "base/error.h"
#include "config/config.h"

/* What the command line gave; NULL where it gave nothing. Strings are the caller's. */
struct resolve_options {
	const char *config;    /* -f */
	const char *directory; /* -d */
	const char *worker;    /* -w */
	const char *group;     /* -g */
};

struct resolved {
	struct config *config;
	char worker[NAME_MAX + 1]; /* folded */
	char group[NAME_MAX + 1];  /* folded */
	const char *directory;
	/* why, for -v and `which` */
	const char *config_source, *directory_source, *worker_source;
	enum config_match match; /* unless group_given */
	const char *pattern;
	int group_given;
};

/*
 * What the user alone says: *config becomes the path of the config file, which is not read;
 * resolved->directory stays NULL where the config file has the next word.
 */
int resolve_paths(struct resolved *resolved, const struct resolve_options *options,
		  const char **config, struct error *err);

/* Then the directory, where the config file says `configured`, or NULL. */
void resolve_directory(struct resolved *resolved, const char *config, const char *configured);

/* Loads the config file and finds the directory. Free with resolve_free(). */
int resolve_config(struct resolved *resolved, const struct resolve_options *options,
		   struct error *err);

/* Finds worker and group. Under `strict` an unlisted worker is an error, unless -g says where. */
int resolve_group(struct resolved *resolved, const struct resolve_options *options,
		  struct error *err);

/* Both at once, with the config as config_load_for() loads it: all that `run` needs of it. */
int resolve_worker(struct resolved *resolved, const struct resolve_options *options,
		   struct error *err);

/*
 * Whether -g says a group that the file does not have, but one that is called alike: likely a typo,
 * and the build would be alone in a group of its own. `doubt` says so.
 */
bool resolve_doubts_group(const struct resolved *resolved, struct error *doubt);

void resolve_free(struct resolved *resolved);

/* "exact", "pattern 'linux-*'", "unlisted" or "-g": why this is the worker's group. */
#define RESOLVE_WHY_SIZE 320
void resolve_why(const struct resolved *resolved, char why[RESOLVE_WHY_SIZE]);

#endif

#include "config/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/suggest.h"
#include "base/text.h"

#define DEFAULT_CONFIG GROUPLOCK_SYSCONFDIR "/grouplock/groups.ini"
#define DEFAULT_DIRECTORY GROUPLOCK_LOCALSTATEDIR "/lib/grouplock"

/* The option's value, else the variable's. *value NULL: neither is there. */
static int from_user(const char *option, const char *option_name, const char *variable,
		     const char **value, const char **source, struct error *err)
{
	const char *env = getenv(variable);

	*value = option ? option : env;
	*source = option ? option_name : variable;
	if (!*value)
		return 0;
	if (!**value)
		return error_set(err, "%s is empty; give it a value or leave it out", *source);
	return 0;
}

int resolve_paths(struct resolved *resolved, const struct resolve_options *options,
		  const char **config, struct error *err)
{
	*resolved = (struct resolved){0};
	if (from_user(options->config, "-f", "GROUPLOCK_CONFIG", config, &resolved->config_source,
		      err) ||
	    from_user(options->directory, "-d", "GROUPLOCK_DIR", &resolved->directory,
		      &resolved->directory_source, err))
		return -1;
	if (!*config) {
		*config = DEFAULT_CONFIG;
		resolved->config_source = "compiled in";
	}
	return 0;
}

void resolve_directory(struct resolved *resolved, const char *config, const char *configured)
{
	if (resolved->directory)
		return;
	resolved->directory = configured ? configured : DEFAULT_DIRECTORY;
	resolved->directory_source = configured ? config : "compiled in";
}

/* Copies a name that the user gave, folded, if a file can be called so. */
static int take_name(char out[NAME_MAX + 1], const char *what, const char *name, struct error *err)
{
	char file[NAME_MAX + 1];

	if (filename_encode(file, "", what, name, err))
		return -1;
	snprintf(out, NAME_MAX + 1, "%s", name);
	text_fold(out);
	return 0;
}

static int find_worker(struct resolved *resolved, const char *option, struct error *err)
{
	char host[HOST_NAME_MAX + 1] = "";
	const char *name;

	if (from_user(option, "-w", "GROUPLOCK_WORKER", &name, &resolved->worker_source, err))
		return -1;
	if (!name) {
		if (gethostname(host, sizeof(host) - 1))
			return error_sys(err, errno, "cannot get the host name");
		name = host;
		resolved->worker_source = "host name";
	}
	return take_name(resolved->worker, "worker", name, err);
}

static void offer(void *arg, const char *name)
{
	suggest_offer(arg, name);
}

/* The config once more, as resolve_worker() has left out of it what is about other workers. */
static struct config *load_whole(const struct resolved *resolved)
{
	struct error ignored;

	return config_load(config_path(resolved->config), &ignored);
}

static int unlisted_worker(const struct resolved *resolved, struct error *err)
{
	struct suggest suggest;
	struct config *whole = load_whole(resolved);

	suggest_begin(&suggest, resolved->worker);
	if (whole)
		config_workers(whole, offer, &suggest);
	config_free(whole);
	error_set(err,
		  "worker '%s' is not listed in [workers] of '%s', which is strict; add '%s = "
		  "GROUP' there",
		  resolved->worker, config_path(resolved->config), resolved->worker);
	return suggest_append(&suggest, err);
}

struct search {
	struct suggest suggest;
	bool found;
};

static void see_group(void *arg, const char *name)
{
	struct search *search = arg;

	if (!strcmp(name, search->suggest.word))
		search->found = true;
	if (!suggest_is_numbering(name, search->suggest.word))
		suggest_offer(&search->suggest, name);
}

bool resolve_doubts_group(const struct resolved *resolved, struct error *doubt)
{
	struct search search = {.found = false};
	struct config *whole;

	if (!resolved->group_given)
		return false;
	suggest_begin(&search.suggest, resolved->group);
	config_groups(resolved->config, see_group, &search);
	if (search.found || !*search.suggest.best)
		return false;
	whole = load_whole(resolved);
	if (whole)
		config_groups(whole, see_group, &search);
	config_free(whole);
	if (search.found)
		return false;
	error_set(doubt, "group '%s' is not in '%s'", resolved->group,
		  config_path(resolved->config));
	suggest_append(&search.suggest, doubt);
	return true;
}

static int use_config(struct resolved *resolved, struct config *config)
{
	resolved->config = config;
	if (!config)
		return -1;
	resolve_directory(resolved, config_path(config), config_directory(config));
	return 0;
}

int resolve_config(struct resolved *resolved, const struct resolve_options *options,
		   struct error *err)
{
	const char *path;

	if (resolve_paths(resolved, options, &path, err))
		return -1;
	return use_config(resolved, config_load(path, err));
}

static int find_group(struct resolved *resolved, const struct resolve_options *options,
		      struct error *err)
{
	resolved->group_given = options->group != NULL;
	if (options->group)
		return take_name(resolved->group, "group", options->group, err);
	resolved->match = config_group(resolved->config, resolved->worker, resolved->group,
				       sizeof(resolved->group), &resolved->pattern);
	if (resolved->match == CONFIG_UNLISTED && config_strict(resolved->config))
		return unlisted_worker(resolved, err);
	return 0;
}

int resolve_group(struct resolved *resolved, const struct resolve_options *options,
		  struct error *err)
{
	return find_worker(resolved, options->worker, err) || find_group(resolved, options, err)
		       ? -1
		       : 0;
}

int resolve_worker(struct resolved *resolved, const struct resolve_options *options,
		   struct error *err)
{
	const char *path;

	if (resolve_paths(resolved, options, &path, err) ||
	    find_worker(resolved, options->worker, err) ||
	    use_config(resolved, config_load_for(path, resolved->worker, err)))
		return -1;
	return find_group(resolved, options, err);
}

void resolve_free(struct resolved *resolved)
{
	config_free(resolved->config);
	resolved->config = NULL;
}

void resolve_why(const struct resolved *resolved, char why[RESOLVE_WHY_SIZE])
{
	if (resolved->group_given)
		snprintf(why, RESOLVE_WHY_SIZE, "-g");
	else if (resolved->match == CONFIG_PATTERN)
		snprintf(why, RESOLVE_WHY_SIZE, "pattern '%s'", resolved->pattern);
	else
		snprintf(why, RESOLVE_WHY_SIZE, "%s",
			 resolved->match == CONFIG_EXACT ? "exact" : "unlisted");
}

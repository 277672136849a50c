#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/filename.h"
#include "base/names.h"
#include "cli/command.h"
#include "keep/release.h"
#include "lock/held.h"
#include "lock/walk.h"

#define RELEASE_FAILURE 1 /* exit status: a claim is not released, or cannot be looked for */

static const struct option_spec release_options[] = {
	{'q', "quiet", NULL, "do not report that a claim had already ended"},
	OPTIONS_COMMON,
	{0},
};

/* A search for the slots of one claim, or of all that GROUPLOCK_HELD lists. */
struct search {
	const char *directory;
	const char *id; /* as the user gave it */
	struct proc_identity self;
	bool quiet;
	bool found;       /* something of this claim was found */
	bool unseen;      /* some lock could not be searched: err says why */
	struct error err; /* of the search by an id */
	char said_id[RECORD_SHORT_ID + 1];
	int status;
	struct statedir sd;
};

static void fail(struct search *search, int status, const struct error *err)
{
	command_fail(err);
	if (status > search->status)
		search->status = status;
}

static void say_earlier(struct search *search, const char *id, const char *why)
{
	char shown[RECORD_SHORT_ID + 1];

	snprintf(shown, sizeof(shown), "%s", id);
	if (search->quiet || !strcmp(shown, search->said_id))
		return;
	strcpy(search->said_id, shown);
	fprintf(stderr, "grouplock: claim %s had already ended: %s\n", shown, why);
}

static void release_one(struct search *search, const char *file, const char *id, bool known)
{
	static const char *const ends[] = {
		[RECORD_HELD] = "its keeper was killed",
		[RECORD_ENDED] = "the process it was bound to has ended",
		[RECORD_EXPIRED] = "its --max had passed",
		[RECORD_RELEASED] = NULL, /* who releases twice knows */
	};
	struct record record;
	struct error err;

	switch (release_slot(&search->sd, file, id, &search->self, &record, &err)) {
	case RELEASE_DONE:
		search->found = true;
		break;
	case RELEASE_EARLIER:
		search->found = true;
		if (ends[record.state])
			say_earlier(search, record.id, ends[record.state]);
		break;
	case RELEASE_RUN:
		if (!known && !search->found) {
			error_set(&err, "'%s' is a command of run, pid %ld, and no claim", id,
				  (long)record.process.pid);
			fail(search, RELEASE_FAILURE, &err);
		}
		search->found = true;
		break;
	case RELEASE_OTHER:
		if (known)
			say_earlier(search, id, "its slot has since been given to another");
		break;
	case RELEASE_NOBODY:
		if (!known) /* anybody's, then */
			break;
		error_set(&err,
			  "cannot release claim %.*s: no record in '%s/%s' tells who holds it",
			  RECORD_SHORT_ID, id, search->sd.path, file);
		fail(search, RELEASE_FAILURE, &err);
		break;
	case RELEASE_FAILED:
		search->found = true;
		fail(search, RELEASE_FAILURE, &err);
		break;
	}
}

/* --- what GROUPLOCK_HELD lists ------------------------------------------------------------ */

static void see_held(void *arg, const char *group_file, const char *lock_file, const char *file,
		     const char *secret)
{
	struct search *search = arg;
	char group[NAME_MAX + 1], lock[NAME_MAX + 1], id[RECORD_SECRET_SIZE];
	struct error err;

	if (!filename_decode(group, group_file) || !filename_decode(lock, lock_file))
		return;
	switch (statedir_open(&search->sd, search->directory, group, lock, false, &err)) {
	case STATEDIR_OK:
		record_id(secret, id);
		release_one(search, file, id, true);
		statedir_close(&search->sd);
		break;
	case STATEDIR_MISSING:
		break;
	case STATEDIR_ERROR:
		fail(search, RELEASE_FAILURE, &err);
		break;
	}
}

/* --- a claim by its id -------------------------------------------------------------------- */

static void see_lock(void *arg, const char *group, const char *lock)
{
	const size_t prefix = sizeof(GATE_SLOT_PREFIX) - 1;
	struct search *search = arg;
	struct names files = {0};

	if (!lock) {
		search->unseen = true;
		return;
	}
	switch (statedir_open(&search->sd, search->directory, group, lock, false, &search->err)) {
	case STATEDIR_OK:
		if (names_read(&files, search->sd.fd, DT_UNKNOWN, search->sd.path, &search->err))
			search->unseen = true;
		for (unsigned i = 0; i < files.count; i++) {
			if (!strncmp(files.list[i], GATE_SLOT_PREFIX, prefix))
				release_one(search, files.list[i], search->id, false);
		}
		names_free(&files);
		statedir_close(&search->sd);
		break;
	case STATEDIR_MISSING:
		break;
	case STATEDIR_ERROR:
		search->unseen = true;
		break;
	}
}

static void release_id(struct search *search, const char *id)
{
	search->id = id;
	search->found = search->unseen = false;
	if (strlen(id) < RECORD_SHORT_ID || strlen(id) >= RECORD_SECRET_SIZE ||
	    id[strspn(id, "0123456789abcdef")]) {
		error_set(&search->err, "'%s' is not the id of a claim; see 'grouplock status'",
			  id);
		fail(search, COMMAND_FAILED, &search->err);
		return;
	}
	if (walk_locks(search->directory, see_lock, search, &search->err))
		search->unseen = true;
	if (search->found)
		return;
	if (search->unseen) {
		fail(search, RELEASE_FAILURE, &search->err);
	} else if (!search->quiet) {
		error_set(&search->err, "no claim '%s' in '%s': it is over, or never was", id,
			  search->directory);
		command_fail(&search->err);
	}
}

static int cmd_release(struct command_call *call)
{
	struct search search = {.status = 0};
	struct resolved where = {0};
	struct error err;
	const char *held = getenv(HELD_VARIABLE);

	if (command_parse(call, command_take_flag, &search.quiet, &err))
		return command_help_or_fail(call, &err);
	if (resolve_config(&where, &call->options, &err))
		return command_fail(&err);
	search.directory = where.directory;
	proc_self(&search.self);
	for (char **id = call->operands; *id; id++)
		release_id(&search, *id);
	if (!*call->operands && held)
		held_list(held, see_held, &search);
	else if (!*call->operands && !search.quiet)
		fprintf(stderr,
			"grouplock: nothing to release: no id given, and GROUPLOCK_HELD is not set\n");
	resolve_free(&where);
	return search.status;
}

const struct command command_release = {
	"release",       "[ID...]",   "end claims: those given, or those that GROUPLOCK_HELD lists",
	release_options, cmd_release,
};

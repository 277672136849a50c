#include "check/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "check/fslocks.h"
#include "check/mount.h"
#include "check/proof.h"

#define SHOWN_OPTIONS 200 /* characters; overlay has thousands */

/* A file system that keeps the child so long without a sign of life does not answer. */
#define PATIENCE 15 /* seconds; more than PROOF_PATIENCE */

struct inspection {
	const char *dir, *source;
	struct statedir sd; /* DIR itself */
	struct findings *findings;
};

/* --- owner and mode ----------------------------------------------------------------------- */

static bool can_enter(mode_t mode, mode_t read, mode_t execute)
{
	return (mode & read) && (mode & execute);
}

/* Who can open a file, if only to read, can lock it: to look is to be able to take part. */
static void check_others(const struct inspection *in)
{
	mode_t mode = in->sd.mode;

	if ((mode & S_IWOTH) && (mode & S_IXOTH))
		findings_add(
			in->findings, FINDING_WARNING, 0,
			"everybody can write there, so anybody can hold a slot for ever%s; use a "
			"directory for one group only: install -d -m 2770 -g GROUP DIR",
			mode & S_ISVTX ? ""
				       : ", or remove the file of a held slot, which lets others "
					 "in");
	else if (can_enter(mode, S_IROTH, S_IXOTH))
		findings_add(
			in->findings, FINDING_WARNING, 0,
			"everybody can read there, and whoever can open a slot's file can lock "
			"it, so anybody can hold a slot for ever: chmod o-rwx '%s'",
			in->sd.path);
}

static void check_group(const struct inspection *in, const char *group)
{
	mode_t mode = in->sd.mode;

	if (can_enter(mode, S_IRGRP, S_IXGRP) && !(mode & S_IWGRP) &&
	    !can_enter(mode, S_IROTH, S_IXOTH))
		findings_add(
			in->findings, FINDING_WARNING, 0,
			"members of group '%s' can read there but not write: they cannot run "
			"builds, but they can lock a slot's file and hold it for ever: chmod g+w "
			"'%s', or g-rwx",
			group, in->sd.path);
	if ((mode & S_IWGRP) && !(mode & (S_ISGID | S_IWOTH)))
		findings_add(in->findings, FINDING_WARNING, 0,
			     "not setgid: what a user outside group '%s' creates there keeps that "
			     "user's group and shuts the others out: chmod g+s '%s'",
			     group, in->sd.path);
}

static const char *who_takes_part(mode_t mode)
{
	if ((mode & S_IWOTH) && can_enter(mode, S_IROTH, S_IXOTH))
		return "everybody can take part";
	if ((mode & S_IWGRP) && can_enter(mode, S_IRGRP, S_IXGRP))
		return "only its owner and the members of its group can take part";
	return "only its owner can take part";
}

static void check_mode(const struct inspection *in, uid_t owner)
{
	char user[ACCOUNT_SIZE], group[ACCOUNT_SIZE];

	account_user(owner, user);
	account_group(in->sd.gid, group);
	findings_add(in->findings, FINDING_OK, 0, "owner '%s', group '%s', mode %04o: %s", user,
		     group, (unsigned)in->sd.mode, who_takes_part(in->sd.mode));
	check_others(in);
	check_group(in, group);
}

/* --- the file system ---------------------------------------------------------------------- */

static void check_mount(const struct inspection *in)
{
	struct mount *mount = malloc(sizeof(*mount));
	const struct fslocks_note *note;
	struct error err;

	if (!mount || mount_of(mount, in->sd.fd, &err)) {
		findings_add(in->findings, FINDING_ERROR, 0, "%s", mount ? err.text : "no memory");
		free(mount);
		return;
	}
	note = fslocks_by_mount(mount);
	if (*mount->point)
		findings_add(in->findings, note->level, 0,
			     "file system %s, mounted on '%s' (%.*s%s): %s", mount->type,
			     mount->point, SHOWN_OPTIONS, mount->options,
			     strlen(mount->options) > SHOWN_OPTIONS ? "..." : "", note->text);
	else
		findings_add(
			in->findings, FINDING_WARNING, 0,
			"file system %s, its options unknown since /proc does not show them: %s",
			mount->type, note->text);
	if (strstr(mount->root, "/systemd-private-"))
		findings_add(
			in->findings, FINDING_WARNING, 0,
			"this is the private %s of one service (PrivateTmp): no other process sees it; "
			"use /var/lib/grouplock or the like",
			mount->point);
	free(mount);
}

/* Where it really is: the name may lead through symlinks. */
static void check_place(const struct inspection *in)
{
	char link[64], path[PATH_MAX];
	const struct fslocks_note *note;
	ssize_t length;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", in->sd.fd);
	length = readlink(link, path, sizeof(path) - 1);
	if (length >= 0)
		path[length] = '\0';
	else if (!realpath(in->sd.path, path))
		return;
	note = fslocks_by_path(path);
	if (note)
		findings_add(in->findings, note->level, 0, "%s", note->text);
}

/* --- all of it ---------------------------------------------------------------------------- */

static void inspect(void *arg, const struct supervise *supervise, struct findings *findings)
{
	struct inspection *in = arg;
	struct error err;
	struct stat st;

	in->findings = findings;
	if (statedir_open_top(&in->sd, in->dir, true, &err) != STATEDIR_OK) {
		findings_add(findings, FINDING_ERROR, 0, "%s", err.text);
		return;
	}
	if (fstat(in->sd.fd, &st)) {
		findings_add(findings, FINDING_ERROR, 0, "cannot stat '%s': %s", in->dir,
			     strerror(errno));
	} else {
		findings_add(findings, FINDING_OK, 0, "directory '%s' (%s) exists", in->dir,
			     in->source);
		check_mode(in, st.st_uid);
		check_mount(in);
		check_place(in);
		inspect_tree(&in->sd, st.st_uid, supervise, findings);
		proof_of_locks(&in->sd, supervise, findings);
	}
	statedir_close(&in->sd);
}

void inspect_directory(const char *dir, const char *source, struct findings *findings)
{
	struct inspection in = {.dir = dir, .source = source};

	supervise_run(inspect, &in, dir, PATIENCE, findings);
}

/*
 * What statedir and lockfile make has DIR's group and permission bits. What has not was made
 * before DIR got them, or by hand, and shuts somebody out, or lets somebody in.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/account.h"
#include "base/filename.h"
#include "check/inspect.h"
#include "lock/gate.h"
#include "lock/walk.h"

#define SHOWN 20 /* findings; a directory whose mode was changed disagrees with all there is */

struct tree {
	const struct statedir *sd;
	uid_t owner;
	const struct supervise *supervise;
	struct findings *findings;
	size_t looked_at, wrong;
	enum finding_level hidden; /* the worst of those that are not shown */
};

static bool is_shown(struct tree *tree, enum finding_level level)
{
	if (++tree->wrong <= SHOWN)
		return true;
	if (level > tree->hidden)
		tree->hidden = level;
	return false;
}

static void add(struct tree *tree, enum finding_level level, const char *path, const char *text,
		const char *command)
{
	if (is_shown(tree, level))
		findings_add(tree->findings, level, 0, "'%s/%s' %s: %s '%s/%s'", tree->sd->path,
			     path, text, command, tree->sd->path, path);
}

static void check_owner(struct tree *tree, const char *path, const struct stat *st)
{
	mode_t policy = tree->sd->mode;
	char name[ACCOUNT_SIZE], text[128], command[128];

	if (!(policy & (S_IRWXG | S_IRWXO)) && st->st_uid != tree->owner) {
		account_user(st->st_uid, name);
		snprintf(text, sizeof(text),
			 "belongs to '%s', so the directory's owner is shut out", name);
		account_user(tree->owner, name);
		snprintf(command, sizeof(command), "chown '%s'", name);
		add(tree, FINDING_ERROR, path, text, command);
	}
	if ((policy & S_IRWXG) && st->st_gid != tree->sd->gid) {
		account_group(st->st_gid, name);
		snprintf(text, sizeof(text), "has group '%s', so the directory's group is shut out",
			 name);
		account_group(tree->sd->gid, name);
		snprintf(command, sizeof(command), "chgrp '%s'", name);
		add(tree, FINDING_ERROR, path, text, command);
	}
}

/* `bits`: those of the permission bits that make sense for it. */
static void check_mode(struct tree *tree, const char *path, const struct stat *st, mode_t bits)
{
	mode_t mode = st->st_mode & 07777, policy = tree->sd->mode & bits;
	char text[128], command[32];

	if (!((mode ^ policy) & bits & 0777))
		return;
	snprintf(command, sizeof(command), "chmod %o", (unsigned)policy);
	if (mode & ~policy & 0777) {
		snprintf(text, sizeof(text),
			 "has mode %04o, more than the directory's gives, and whoever can open it "
			 "can lock it",
			 (unsigned)mode);
		add(tree, FINDING_WARNING, path, text, command);
	} else {
		snprintf(text, sizeof(text),
			 "has mode %04o, so some who can take part are shut out", (unsigned)mode);
		add(tree, FINDING_ERROR, path, text, command);
	}
}

/* Whether grouplock makes files of that name. Others are nobody's business. */
static bool is_file_of_lock(const char *name)
{
	return !strcmp(name, GATE_NAME) ||
	       !strncmp(name, GATE_SLOT_PREFIX, strlen(GATE_SLOT_PREFIX)) ||
	       !strncmp(name, GATE_TICKET_PREFIX, strlen(GATE_TICKET_PREFIX));
}

static void check_file(struct tree *tree, const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode)) {
		add(tree, FINDING_ERROR, path, "is not a regular file, so no build can run",
		    "remove");
	} else if (st->st_nlink > 1) {
		add(tree, FINDING_ERROR, path, "has other hard links, so no build can run",
		    "remove");
	} else {
		check_owner(tree, path, st);
		check_mode(tree, path, st, 0666);
	}
}

/* --- walking ------------------------------------------------------------------------------ */

enum level { DIRECTORY, GROUP, LOCK };

/*
 * Checks the files of locks, and the directories that lead to some: others are nobody's business.
 * Returns whether there were any. `path` is below DIR: "", "GROUP" or "GROUP/LOCK".
 */
static bool check_level(struct tree *tree, enum level level, int parent, const char *name,
			const char *path)
{
	char full[2 * PATH_MAX];
	struct names names = {0};
	bool is_ours = false;
	struct error err;
	struct stat st;
	int fd;

	snprintf(full, sizeof(full), "%s%s%s", tree->sd->path, *path ? "/" : "", path);
	if (walk_list(&names, &fd, parent, name, full, &err) && is_shown(tree, FINDING_WARNING))
		findings_add(tree->findings, FINDING_WARNING, 0, "%s", err.text);
	supervise_pulse(tree->supervise);
	for (unsigned i = 0; i < names.count; i++) {
		const char *entry = names.list[i];
		char below[3 * (NAME_MAX + 1)], ignored[NAME_MAX + 1];

		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "/" : "", entry);
		if (level != LOCK) {
			is_ours |= filename_decode(ignored, entry) &&
				   check_level(tree, level + 1, fd, entry, below);
			continue;
		}
		if (!is_file_of_lock(entry))
			continue;
		is_ours = true;
		if (fstatat(fd, entry, &st, AT_SYMLINK_NOFOLLOW))
			continue; /* tickets come and go */
		tree->looked_at++;
		check_file(tree, below, &st);
	}
	if (is_ours && level != DIRECTORY && !fstat(fd, &st)) {
		tree->looked_at++;
		check_owner(tree, path, &st);
		check_mode(tree, path, &st, 07777);
	}
	names_free(&names);
	if (fd >= 0)
		close(fd);
	return is_ours;
}

void inspect_tree(const struct statedir *sd, uid_t owner, const struct supervise *supervise,
		  struct findings *findings)
{
	struct tree tree = {.sd = sd, .owner = owner, .supervise = supervise, .findings = findings};

	check_level(&tree, DIRECTORY, sd->fd, ".", "");
	if (tree.wrong > SHOWN)
		findings_add(findings, tree.hidden, 0, "and so on: %zu more like these in '%s'",
			     tree.wrong - SHOWN, sd->path);
	if (!tree.wrong)
		findings_add(findings, FINDING_OK, 0,
			     "the modes and owners of what is in it agree (%zu checked)",
			     tree.looked_at);
}

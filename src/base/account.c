#include "base/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>

void account_user(uid_t uid, char out[ACCOUNT_SIZE])
{
	FILE *file = fopen("/etc/passwd", "re");
	const struct passwd *entry;
	bool found = false;

	snprintf(out, ACCOUNT_SIZE, "%u", (unsigned)uid);
	while (file && !found && (entry = fgetpwent(file))) {
		found = entry->pw_uid == uid;
		if (found)
			snprintf(out, ACCOUNT_SIZE, "%s", entry->pw_name);
	}
	if (file)
		fclose(file);
}

void account_group(gid_t gid, char out[ACCOUNT_SIZE])
{
	FILE *file = fopen("/etc/group", "re");
	const struct group *entry;
	bool found = false;

	snprintf(out, ACCOUNT_SIZE, "%u", (unsigned)gid);
	while (file && !found && (entry = fgetgrent(file))) {
		found = entry->gr_gid == gid;
		if (found)
			snprintf(out, ACCOUNT_SIZE, "%s", entry->gr_name);
	}
	if (file)
		fclose(file);
}

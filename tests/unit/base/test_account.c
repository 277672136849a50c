#include "base/account.h"

#include <grp.h>
#include <pwd.h>
#include <stdio.h>

#include "check.h"

Test(account, users_and_groups_have_the_names_of_the_files)
{
	char name[ACCOUNT_SIZE];
	FILE *users = fopen("/etc/passwd", "re"), *groups = fopen("/etc/group", "re");
	const struct passwd *user;
	const struct group *group;

	cr_assert(users && groups);
	while ((user = fgetpwent(users))) {
		account_user(user->pw_uid, name);
		check_text(name, getpwuid(user->pw_uid)->pw_name);
	}
	while ((group = fgetgrent(groups))) {
		account_group(group->gr_gid, name);
		check_text(name, getgrgid(group->gr_gid)->gr_name);
	}
	fclose(users);
	fclose(groups);
}

Test(account, number_without_a_name_is_shown)
{
	char name[ACCOUNT_SIZE];

	account_user(4000000001U, name);
	check_text(name, "4000000001");
	account_group(4000000001U, name);
	check_text(name, "4000000001");
}

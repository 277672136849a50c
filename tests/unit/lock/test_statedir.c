#include "lock/statedir.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

TestSuite(statedir, .init = tempdir_make, .fini = tempdir_remove);

static struct error err;

static mode_t mode_of(const char *path)
{
	struct stat st;

	cr_assert(zero(int, lstat(path, &st)), "no '%s'", path);
	return st.st_mode & 07777;
}

static enum statedir_result open_lock(struct statedir *sd, bool create)
{
	return statedir_open(sd, tempdir, "hw1", "link", create, &err);
}

Test(statedir, creates_group_and_lock_but_never_the_directory)
{
	struct statedir sd;
	char missing[64], path[96];

	snprintf(missing, sizeof(missing), "%s/missing", tempdir);
	cr_assert(eq(int, statedir_open(&sd, missing, "hw1", "link", true, &err), STATEDIR_ERROR));
	check_has(err.text, missing);
	check_has(err.text, "create it");
	cr_assert(eq(int, access(missing, F_OK), -1));
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_OK), "%s", err.text);
	snprintf(path, sizeof(path), "%s/hw1/link", tempdir);
	check_text(sd.path, path);
	cr_assert(zero(int, access("hw1/link", F_OK)));
	cr_assert(fcntl(sd.fd, F_GETFD) & FD_CLOEXEC);
	statedir_close(&sd);
	cr_assert(eq(int, sd.fd, -1));
	statedir_close(&sd); /* once more is no harm */
}

Test(statedir, without_create_what_is_missing_stays_so)
{
	struct statedir sd;

	cr_assert(eq(int, statedir_open(&sd, "missing", "hw1", "link", false, &err),
		     STATEDIR_MISSING));
	cr_assert(eq(int, open_lock(&sd, false), STATEDIR_MISSING));
	cr_assert(eq(int, sd.fd, -1));
	cr_assert(eq(int, access("hw1", F_OK), -1));
	cr_assert(zero(int, mkdir("hw1", 0700)));
	cr_assert(eq(int, open_lock(&sd, false), STATEDIR_MISSING));
	cr_assert(eq(int, sd.fd, -1));
	cr_assert(zero(int, mkdir("hw1/link", 0700)));
	cr_assert(eq(int, open_lock(&sd, false), STATEDIR_OK));
	statedir_close(&sd);
}

Test(statedir, new_directories_take_the_mode_of_the_directory_whatever_the_umask)
{
	static const mode_t modes[] = {0700, 02770, 0775, 01777, 02750, 03777};
	static const mode_t umasks[] = {0, 022, 077, 0777};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		for (size_t j = 0; j < sizeof(umasks) / sizeof(*umasks); j++) {
			struct statedir sd;
			mode_t umask_was;

			cr_assert(zero(int, chmod(tempdir, modes[i])));
			umask_was = umask(umasks[j]);
			cr_assert(eq(int, open_lock(&sd, true), STATEDIR_OK), "%s", err.text);
			cr_assert(eq(uint, umask(umask_was), umasks[j]));
			cr_assert(eq(uint, sd.mode, modes[i]));
			cr_assert(eq(uint, mode_of("hw1"), modes[i]), "umask %o", umasks[j]);
			cr_assert(eq(uint, mode_of("hw1/link"), modes[i]), "umask %o", umasks[j]);
			statedir_close(&sd);
			cr_assert(zero(int, rmdir("hw1/link")));
			cr_assert(zero(int, rmdir("hw1")));
		}
	}
}

/*
 * To root no mode is in the way. An ordinary user would not come into a directory that was born
 * without permissions, however soon it got them.
 */
Test(statedir, new_directories_have_their_mode_from_birth)
{
	bool root = !geteuid();
	struct statedir sd;
	mode_t umask_was;

	if (root) {
		cr_assert(zero(int, chown(tempdir, 65534, 65534)));
		cr_assert(zero(int, setegid(65534) | seteuid(65534)));
	}
	umask_was = umask(0777);
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_OK), "%s", err.text);
	umask(umask_was);
	cr_assert(eq(uint, mode_of("hw1/link"), 0700));
	statedir_close(&sd);
	if (root)
		cr_assert(zero(int, seteuid(0) | setegid(0)));
}

Test(statedir, directories_that_are_there_keep_their_mode)
{
	struct statedir sd;

	cr_assert(zero(int, mkdir("hw1", 0711)));
	cr_assert(zero(int, mkdir("hw1/link", 0750)));
	cr_assert(zero(int, chmod(tempdir, 0777)));
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_OK), "%s", err.text);
	cr_assert(eq(uint, mode_of("hw1"), 0711));
	cr_assert(eq(uint, mode_of("hw1/link"), 0750));
	statedir_close(&sd);
}

/* A group that we may give a file: any for root, else one of ours, not the first if we can. */
static gid_t some_group(void)
{
	gid_t groups[64];
	int count = getgroups(64, groups);

	if (!geteuid())
		return 54321;
	for (int i = 0; i < count; i++) {
		if (groups[i] != getegid())
			return groups[i];
	}
	return getegid();
}

Test(statedir, new_directories_and_files_take_the_group_of_the_directory)
{
	gid_t group = some_group();
	struct statedir sd;
	struct stat st;
	int fd;

	cr_assert(zero(int, chown(tempdir, (uid_t)-1, group)));
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_OK), "%s", err.text);
	cr_assert(eq(uint, sd.gid, group));
	cr_assert(zero(int, stat("hw1", &st)));
	cr_assert(eq(uint, st.st_gid, group));
	cr_assert(zero(int, stat("hw1/link", &st)));
	cr_assert(eq(uint, st.st_gid, group));
	fd = statedir_make(&sd, "file", O_RDWR | O_CLOEXEC);
	cr_assert(zero(int, fstat(fd, &st)));
	cr_assert(eq(uint, st.st_gid, group));
	close(fd);
	statedir_close(&sd);
}

/* In a directory of another group, or of another owner than root, it is made under another name first. */
Test(statedir, made_is_a_file_with_the_permissions_that_make_sense_for_it)
{
	static const mode_t modes[][2] = {
		{0700, 0600}, {02770, 0660}, {0775, 0664}, {01777, 0666}, {02750, 0640}};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		for (int kind = 0; kind < 3; kind++) {
			struct statedir sd = {
				.fd = AT_FDCWD,
				.mode = modes[i][0],
				.uid = kind == 1 ? 54321 : geteuid(),
				.gid = kind == 2 ? some_group() : getegid(),
			};
			struct stat st;
			int fd;

			umask(kind == 1 ? 0 : 077);
			fd = statedir_make(&sd, "file", O_RDWR | O_CLOEXEC);
			cr_assert(ge(int, fd, 0), "directory %o: %m", modes[i][0]);
			cr_assert(zero(int, fstat(fd, &st)));
			cr_assert(eq(uint, st.st_mode & 07777, modes[i][1]), "directory %o",
				  modes[i][0]);
			cr_assert(eq(uint, st.st_uid, geteuid() ? geteuid() : sd.uid));
			cr_assert(eq(uint, st.st_gid, sd.gid));
			close(fd);
			cr_assert(zero(int, unlink("file")));
			umask(022);
		}
	}
}

Test(statedir, made_is_nothing_in_the_place_of_what_is_there)
{
	const int kinds[] = {O_RDWR | O_CLOEXEC, O_RDONLY | O_DIRECTORY | O_CLOEXEC};
	glob_t left;

	for (int i = 0; i < 4; i++) {
		struct statedir sd = {.fd = AT_FDCWD,
				      .mode = 0700,
				      .uid = geteuid(),
				      .gid = i % 2 ? some_group() : getegid()};

		tempdir_write_text("there", "as it was");
		cr_assert(eq(int, statedir_make(&sd, "there", kinds[i / 2]), -1));
		cr_assert(eq(int, errno, EEXIST));
	}
	cr_assert(eq(int, glob(".new-*", 0, NULL, &left), GLOB_NOMATCH));
}

/* --- what stands in the way -------------------------------------------------------------- */

Test(statedir, symlink_in_place_of_group_or_lock_is_refused)
{
	struct statedir sd;

	cr_assert(zero(int, mkdir("elsewhere", 0700)));
	cr_assert(zero(int, symlink("elsewhere", "hw1")));
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_ERROR));
	check_has(err.text, "/hw1' is not a directory");
	cr_assert(eq(int, sd.fd, -1));
	cr_assert(eq(int, access("elsewhere/link", F_OK), -1));
	cr_assert(zero(int, unlink("hw1")));
	cr_assert(zero(int, mkdir("hw1", 0700)));
	cr_assert(zero(int, symlink("../nowhere", "hw1/link")));
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_ERROR));
	check_has(err.text, "/hw1/link' is not a directory");
	cr_assert(eq(int, access("nowhere", F_OK), -1));
}

Test(statedir, file_in_place_of_a_directory_is_refused)
{
	struct statedir sd;

	tempdir_write_text("hw1", "");
	cr_assert(eq(int, open_lock(&sd, true), STATEDIR_ERROR));
	check_has(err.text, "/hw1' is not a directory");
	cr_assert(eq(int, open_lock(&sd, false), STATEDIR_ERROR));
	cr_assert(eq(int, statedir_open(&sd, "hw1", "a", "b", true, &err), STATEDIR_ERROR));
	check_has(err.text, "'hw1'");
	cr_assert(eq(int, sd.fd, -1));
}

Test(statedir, directory_itself_may_be_a_symlink)
{
	struct statedir sd;

	cr_assert(zero(int, mkdir("real", 0700)));
	cr_assert(zero(int, symlink("real", "link")));
	cr_assert(eq(int, statedir_open(&sd, "link", "hw1", "default", true, &err), STATEDIR_OK),
		  "%s", err.text);
	cr_assert(zero(int, access("real/hw1/default", F_OK)));
	statedir_close(&sd);
}

Test(statedir, bad_names_are_refused_before_anything_is_made)
{
	struct statedir sd;

	cr_assert(eq(int, statedir_open(&sd, tempdir, "../x", "default", true, &err),
		     STATEDIR_ERROR));
	check_has(err.text, "group name");
	cr_assert(eq(int, statedir_open(&sd, tempdir, "hw1", "..", true, &err), STATEDIR_ERROR));
	check_has(err.text, "lock name");
	cr_assert(eq(int, access("hw1", F_OK), -1));
	cr_assert(eq(int, sd.fd, -1));
}

Test(statedir, path_that_is_too_long_is_refused)
{
	char dir[PATH_MAX];
	struct statedir sd;

	memset(dir, '/', sizeof(dir));
	dir[PATH_MAX - 1] = '\0';
	cr_assert(eq(int, statedir_open(&sd, dir, "hw1", "default", true, &err), STATEDIR_ERROR));
	check_has(err.text, "too long");
	dir[PATH_MAX - 500] = '\0'; /* there must be room for the longest names */
	cr_assert(eq(int, statedir_open(&sd, dir, "hw1", "default", true, &err), STATEDIR_ERROR));
	check_has(err.text, "too long");
}

Test(statedir, longest_names_have_room)
{
	char name[NAME_MAX + 1];
	struct statedir sd;

	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	cr_assert(eq(int, statedir_open(&sd, tempdir, name, name, true, &err), STATEDIR_OK), "%s",
		  err.text);
	cr_assert(eq(sz, strlen(sd.path), strlen(tempdir) + 2 * NAME_MAX + 2));
	statedir_close(&sd);
}

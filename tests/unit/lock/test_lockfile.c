#include "lock/lockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

#define NAME "slot.0"

static struct statedir sd;
static struct error err;

static void setup(void)
{
	tempdir_make();
	tempdir_open_lock(&sd);
	cr_assert(zero(int, fchdir(sd.fd))); /* so that names here are names in sd */
}

static void teardown(void)
{
	statedir_close(&sd);
	tempdir_remove();
}

TestSuite(lockfile, .init = setup, .fini = teardown);

typedef enum lockfile_result open_function(const struct statedir *sd, const char *name, int *fd,
					   struct error *err);

/* All four refuse what stands under NAME; and never say that it was opened. */
static void check_refused(const char *why)
{
	static open_function *const functions[] = {lockfile_open, lockfile_open_to_read,
						   lockfile_open_or_create, lockfile_create};

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		int fd = 77;

		err.text[0] = '\0';
		cr_assert(eq(int, functions[i](&sd, NAME, &fd, &err), LOCKFILE_ERROR),
			  "function %zu", i);
		cr_assert(eq(int, fd, -1), "function %zu", i);
		check_has(err.text, "/hw1/default/" NAME "'");
		check_has(err.text, why);
	}
}

static mode_t mode_of(const char *name)
{
	struct stat st;

	cr_assert(zero(int, lstat(name, &st)), "no '%s'", name);
	return st.st_mode & 07777;
}

/* --- opening ----------------------------------------------------------------------------- */

Test(lockfile, missing_file_is_missing_until_it_is_created)
{
	int fd;

	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, lockfile_open_to_read(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, access(NAME, F_OK), -1));
	cr_assert(eq(int, lockfile_open_or_create(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s",
		  err.text);
	close(fd);
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
	close(fd);
}

Test(lockfile, create_makes_a_file_once)
{
	int fd, again = 77;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(eq(int, lockfile_create(&sd, NAME, &again, &err), LOCKFILE_EXISTS));
	cr_assert(eq(int, again, -1));
	close(fd);
}

Test(lockfile, descriptors_are_close_on_exec_and_for_reading_and_writing)
{
	static open_function *const functions[] = {lockfile_create, lockfile_open,
						   lockfile_open_or_create};
	int fd;

	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
		cr_assert(eq(int, functions[i](&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
		cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
		cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDWR));
		close(fd);
	}
	cr_assert(eq(int, lockfile_open_to_read(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s",
		  err.text);
	cr_assert(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	cr_assert(eq(int, fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY));
	close(fd);
}

Test(lockfile, opening_keeps_what_is_in_the_file)
{
	struct stat st;
	int fd;

	tempdir_write_text(NAME, "record");
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
	close(fd);
	cr_assert(eq(int, lockfile_open_or_create(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s",
		  err.text);
	cr_assert(zero(int, fstat(fd, &st)));
	cr_assert(eq(long, (long)st.st_size, 6));
	close(fd);
}

Test(lockfile, new_files_take_the_mode_of_the_directory_whatever_the_umask)
{
	static const mode_t modes[][2] = {{0700, 0600}, {02770, 0660}, {0750, 0640}, {01777, 0666}};
	static const mode_t umasks[] = {0, 022, 0777};

	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		for (size_t j = 0; j < sizeof(umasks) / sizeof(*umasks); j++) {
			mode_t umask_was = umask(umasks[j]);
			int fds[2];

			sd.mode = modes[i][0];
			cr_assert(eq(int, lockfile_create(&sd, "created", &fds[0], &err),
				     LOCKFILE_OK));
			cr_assert(eq(int, lockfile_open_or_create(&sd, "opened", &fds[1], &err),
				     LOCKFILE_OK));
			cr_assert(eq(uint, umask(umask_was), umasks[j]));
			cr_assert(eq(uint, mode_of("created"), modes[i][1]));
			cr_assert(eq(uint, mode_of("opened"), modes[i][1]));
			close(fds[0]);
			close(fds[1]);
			unlink("created");
			unlink("opened");
		}
	}
}

Test(lockfile, file_that_is_there_keeps_its_mode)
{
	int fd;

	tempdir_write_text(NAME, "");
	cr_assert(zero(int, chmod(NAME, 0640)));
	sd.mode = 0777;
	cr_assert(eq(int, lockfile_open_or_create(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s",
		  err.text);
	cr_assert(eq(uint, mode_of(NAME), 0640));
	close(fd);
}

/* Whoever may write to the directory can move a file of ours there that nobody else may read. */
Test(lockfile, file_of_ours_that_has_another_group_is_let_be)
{
	struct stat st;
	int fd;

	tempdir_write_text(NAME, "");
	cr_assert(zero(int, chmod(NAME, 0600)));
	if (!geteuid()) /* others have to do with the groups that they are in */
		cr_assert(zero(int, chown(NAME, (uid_t)-1, 54321)));
	sd.mode = 02770;
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
	cr_assert(zero(int, fstat(fd, &st)));
	cr_assert(eq(uint, st.st_gid, geteuid() ? sd.gid : 54321));
	cr_assert(eq(uint, st.st_mode & 07777, 0600));
	close(fd);
}

Test(lockfile, file_in_a_removed_directory_is_missing)
{
	int fd;

	cr_assert(zero(int, chdir(tempdir)));
	cr_assert(zero(int, rmdir("hw1/default")));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, lockfile_open_to_read(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, lockfile_open_or_create(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_MISSING));
}

Test(lockfile, other_errors_are_told)
{
	struct statedir nowhere = {.fd = -1, .path = "/srv/hw1/default"};
	int fd = 77;

	cr_assert(eq(int, lockfile_open(&nowhere, NAME, &fd, &err), LOCKFILE_ERROR));
	check_has(err.text, "cannot open '/srv/hw1/default/" NAME "': Bad file descriptor");
	cr_assert(eq(int, lockfile_open_or_create(&nowhere, NAME, &fd, &err), LOCKFILE_ERROR));
	cr_assert(eq(int, fd, -1));
}

/* --- what is no file of ours ------------------------------------------------------------- */

Test(lockfile, symlink_is_refused_and_its_target_left_alone)
{
	tempdir_write_text("target", "precious");
	cr_assert(zero(int, chmod("target", 0604)));
	cr_assert(zero(int, symlink("target", NAME)));
	check_refused("remove it");
	cr_assert(eq(uint, mode_of("target"), 0604));
}

Test(lockfile, dangling_symlink_is_refused_and_creates_nothing)
{
	cr_assert(zero(int, symlink("target", NAME)));
	check_refused("remove it");
	cr_assert(eq(int, access("target", F_OK), -1));
}

Test(lockfile, fifo_is_refused_without_waiting_for_its_other_end)
{
	cr_assert(zero(int, mkfifo(NAME, 0600)));
	check_refused("not a regular file");
}

Test(lockfile, directory_is_refused)
{
	cr_assert(zero(int, mkdir(NAME, 0700)));
	check_refused("not a regular file");
}

Test(lockfile, socket_is_refused)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = NAME};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	cr_assert(zero(int, bind(fd, (struct sockaddr *)&address, sizeof(address))));
	check_refused("not a regular file");
	close(fd);
}

Test(lockfile, file_of_two_names_is_refused)
{
	int fd = 77;

	tempdir_write_text("other", "precious");
	cr_assert(zero(int, link("other", NAME)));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_ERROR));
	cr_assert(eq(int, fd, -1));
	check_has(err.text, "hard links");
	cr_assert(eq(int, lockfile_open_to_read(&sd, NAME, &fd, &err), LOCKFILE_ERROR));
	cr_assert(eq(int, lockfile_open_or_create(&sd, NAME, &fd, &err), LOCKFILE_ERROR));
	check_has(err.text, "hard links");
	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_EXISTS));
	cr_assert(zero(int, unlink("other")));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_OK), "%s", err.text);
	close(fd);
}

/* --- locks ------------------------------------------------------------------------------- */

static enum lockfile_result try_lock(int fd, int operation)
{
	return lockfile_try(&sd, NAME, fd, operation, &err);
}

Test(lockfile, I1_exclusive_lock_excludes_all_others)
{
	int mine, other;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &mine, &err), LOCKFILE_OK));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &other, &err), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(mine, LOCK_EX), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(mine, LOCK_EX), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(other, LOCK_EX), LOCKFILE_BUSY));
	cr_assert(eq(int, try_lock(other, LOCK_SH), LOCKFILE_BUSY));
	close(mine);
	cr_assert(eq(int, try_lock(other, LOCK_EX), LOCKFILE_OK));
	close(other);
}

Test(lockfile, shared_locks_exclude_only_an_exclusive_one)
{
	int fds[3];

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fds[0], &err), LOCKFILE_OK));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fds[1], &err), LOCKFILE_OK));
	cr_assert(eq(int, lockfile_open_to_read(&sd, NAME, &fds[2], &err), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(fds[0], LOCK_SH), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(fds[2], LOCK_SH), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(fds[1], LOCK_EX), LOCKFILE_BUSY));
	close(fds[0]);
	cr_assert(eq(int, try_lock(fds[1], LOCK_EX), LOCKFILE_BUSY));
	close(fds[2]);
	cr_assert(eq(int, try_lock(fds[1], LOCK_EX), LOCKFILE_OK));
	close(fds[1]);
}

Test(lockfile, I1_lock_is_held_until_the_last_duplicate_is_closed)
{
	int mine, copy, other;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &mine, &err), LOCKFILE_OK));
	cr_assert(eq(int, lockfile_open(&sd, NAME, &other, &err), LOCKFILE_OK));
	cr_assert(eq(int, try_lock(mine, LOCK_EX), LOCKFILE_OK));
	copy = dup(mine);
	close(mine);
	cr_assert(eq(int, try_lock(other, LOCK_EX), LOCKFILE_BUSY));
	close(copy);
	cr_assert(eq(int, try_lock(other, LOCK_EX), LOCKFILE_OK));
	close(other);
}

Test(lockfile, failed_lock_is_told_with_its_path)
{
	cr_assert(eq(int, try_lock(-1, LOCK_EX), LOCKFILE_ERROR));
	check_has(err.text, "cannot lock '");
	check_has(err.text, "/hw1/default/" NAME "': Bad file descriptor");
}

Test(lockfile, file_system_without_locks_is_named_as_the_reason)
{
	static const int errnums[] = {ENOLCK, EOPNOTSUPP, ENOSYS};

	for (size_t i = 0; i < sizeof(errnums) / sizeof(*errnums); i++) {
		lockfile_explain(&sd, NAME, errnums[i], &err);
		check_has(err.text, "/hw1/default/" NAME "'");
		check_has(err.text, "file system");
	}
	lockfile_explain(&sd, NAME, EIO, &err);
	check_has(err.text, "Input/output error");
}

/* --- is_current -------------------------------------------------------------------------- */

Test(lockfile, file_is_current_while_its_name_leads_to_it)
{
	int fd;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_OK));
	cr_assert(lockfile_is_current(&sd, NAME, fd));
	cr_assert(not(lockfile_is_current(&sd, "other", fd)));
	close(fd);
	cr_assert(not(lockfile_is_current(&sd, NAME, -1)));
}

Test(lockfile, removed_or_replaced_file_is_not_current)
{
	int fd;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_OK));
	cr_assert(zero(int, unlink(NAME)));
	cr_assert(not(lockfile_is_current(&sd, NAME, fd)));
	tempdir_write_text(NAME, "");
	cr_assert(not(lockfile_is_current(&sd, NAME, fd)));
	close(fd);
	cr_assert(eq(int, lockfile_open(&sd, NAME, &fd, &err), LOCKFILE_OK));
	tempdir_write_text("new", "");
	cr_assert(lockfile_is_current(&sd, NAME, fd));
	cr_assert(zero(int, rename("new", NAME)));
	cr_assert(not(lockfile_is_current(&sd, NAME, fd)));
	close(fd);
}

Test(lockfile, file_behind_a_symlink_is_not_current)
{
	int fd;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_OK));
	cr_assert(zero(int, rename(NAME, "moved")));
	cr_assert(zero(int, symlink("moved", NAME)));
	cr_assert(not(lockfile_is_current(&sd, NAME, fd)));
	close(fd);
}

Test(lockfile, file_of_a_removed_directory_is_not_current)
{
	int fd;

	cr_assert(eq(int, lockfile_create(&sd, NAME, &fd, &err), LOCKFILE_OK));
	cr_assert(zero(int, unlink(NAME)));
	cr_assert(zero(int, chdir(tempdir)));
	cr_assert(zero(int, rmdir("hw1/default")));
	cr_assert(not(lockfile_is_current(&sd, NAME, fd)));
	close(fd);
}

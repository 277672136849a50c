#include "status/holders.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

TestSuite(holders, .init = tempdir_make, .fini = tempdir_remove);

static struct {
	unsigned count[2]; /* of each file */
	pid_t pid;         /* the last one seen */
	char command[64];
} seen;

static void see(void *arg, unsigned index, pid_t pid, const char *command)
{
	cr_assert_null(arg);
	seen.count[index]++;
	seen.pid = pid;
	strncpy(seen.command, command, sizeof(seen.command) - 1);
}

/* Looks for slot.0 and slot.1. */
static void find(void)
{
	struct holders_file files[2] = {{.name = "slot.0"}, {.name = "slot.1"}};
	struct stat st;

	memset(&seen, 0, sizeof(seen));
	for (int i = 0; i < 2; i++) {
		cr_assert(zero(int, stat(files[i].name, &st)));
		files[i].device = st.st_dev;
		files[i].inode = st.st_ino;
	}
	cr_assert(ge(int, holders_find(files, 2, see, NULL), 0));
}

static int open_and_lock(const char *name, int operation)
{
	int fd = open(name, O_RDWR | O_CREAT, 0600);

	cr_assert(ge(int, fd, 0));
	if (operation)
		cr_assert(zero(int, flock(fd, operation | LOCK_NB)));
	return fd;
}

Test(holders, of_an_exclusive_lock_are_found)
{
	int fd = open_and_lock("slot.0", LOCK_EX);

	open_and_lock("slot.1", 0);
	find();
	cr_assert(eq(uint, seen.count[0], 1));
	cr_assert(zero(uint, seen.count[1]));
	cr_assert(eq(int, seen.pid, getpid()));
	cr_assert(gt(sz, strlen(seen.command), 0));
	flock(fd, LOCK_UN);
	find();
	cr_assert(zero(uint, seen.count[0]));
}

Test(holders, who_only_looks_is_none)
{
	open_and_lock("slot.0", LOCK_SH);
	open_and_lock("slot.0", 0);
	open_and_lock("slot.1", LOCK_SH);
	find();
	cr_assert(zero(uint, seen.count[0]));
	cr_assert(zero(uint, seen.count[1]));
}

Test(holders, are_named_once_for_each_file)
{
	int first = open_and_lock("slot.0", LOCK_EX);

	dup(first);
	dup(first);
	open_and_lock("slot.1", LOCK_EX);
	find();
	cr_assert(eq(uint, seen.count[0], 1));
	cr_assert(eq(uint, seen.count[1], 1));
}

Test(holders, who_inherited_it_is_one)
{
	int fd = open_and_lock("slot.0", LOCK_EX);
	pid_t child = fork();

	if (!child) {
		pause();
		_exit(0);
	}
	open_and_lock("slot.1", 0);
	close(fd);
	find();
	cr_assert(eq(uint, seen.count[0], 1));
	cr_assert(eq(int, seen.pid, child));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	find();
	cr_assert(zero(uint, seen.count[0]));
}

Test(holders, another_file_of_the_same_name_is_another)
{
	open_and_lock("slot.0", LOCK_EX);
	cr_assert(zero(int, unlink("slot.0")));
	open_and_lock("slot.0", 0);
	open_and_lock("slot.1", 0);
	find();
	cr_assert(zero(uint, seen.count[0]));
}

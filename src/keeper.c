#include "keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/futex.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * Until the caller execs, its memory is the keeper's too, thread-local errno included. So the
 * keeper calls nothing but syscall(2), which keeps no state but errno, and the caller does
 * nothing that sets errno between the clone and the keeper's word that it is settled. After that
 * the keeper sleeps in ppoll(), which with valid arguments and all signals blocked does not fail.
 */
#define KEEPER_STACK 16384

#define OLD_LINUX_FDS 65536

enum keeper_word {
	WORD_DEAD = 0, /* CLONE_CHILD_CLEARTID: the kernel's word for an end, however it came */
	WORD_STARTING = 1,
	WORD_SETTLED = 2,
};

struct keeper {
	const int *fds;
	size_t count;
	int pidfd;
	_Atomic unsigned word; /* a futex */
};

/* Static: it must outlive the function that started the keeper. One process starts one keeper. */
static struct keeper keeper;
static char keeper_stack[KEEPER_STACK] __attribute__((aligned(64)));

/* Instrumented code would use the thread state of the caller: keep sanitizers out of the keeper. */
#define KEEPER_CODE __attribute__((no_sanitize("address", "thread", "undefined")))

KEEPER_CODE static void close_between(unsigned from, unsigned to)
{
	if (!syscall(SYS_close_range, from, to, 0))
		return;
	/* Linux before 5.9. A descriptor beyond this many would be a rare one. */
	for (; from <= to && from < OLD_LINUX_FDS; from++)
		syscall(SYS_close, from);
}

/* Closes everything but the pidfd and the slots. */
KEEPER_CODE static void close_others(const struct keeper *self)
{
	unsigned from = 0;

	for (size_t i = 0; i <= self->count; i++) {
		unsigned next = UINT_MAX;

		/* The lowest number to keep that is not below `from`. */
		if ((unsigned)self->pidfd >= from)
			next = (unsigned)self->pidfd;
		for (size_t j = 0; j < self->count; j++) {
			if ((unsigned)self->fds[j] >= from && (unsigned)self->fds[j] < next)
				next = (unsigned)self->fds[j];
		}
		if (next > from)
			close_between(from, next - 1);
		from = next + 1;
	}
	close_between(from, UINT_MAX);
}

KEEPER_CODE static void settle(const struct keeper *self)
{
	int null;

	syscall(SYS_setsid);
	syscall(SYS_prctl, PR_SET_NAME, KEEPER_NAME, 0, 0, 0);
	syscall(SYS_chdir, "/");
	close_others(self);
	null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	for (int fd = 0; fd <= 2 && null >= 0; fd++) {
		if (fd != null)
			syscall(SYS_dup3, null, fd, 0);
	}
	if (null > 2)
		syscall(SYS_close, null);
}

/* The keeper's life. */
KEEPER_CODE static int keep(void *arg)
{
	struct keeper *self = arg;
	struct pollfd command = {.fd = self->pidfd, .events = POLLIN};

	settle(self);
	atomic_store(&self->word, WORD_SETTLED);
	syscall(SYS_futex, &self->word, FUTEX_WAKE, 1, NULL, NULL, 0);
	while (syscall(SYS_ppoll, &command, 1, NULL, NULL, 0) <= 0)
		;
	for (size_t i = 0; i < self->count; i++) {
		syscall(SYS_pwrite64, self->fds[i], "", 1, 0);
		syscall(SYS_flock, self->fds[i], LOCK_UN);
	}
	syscall(SYS_exit_group, 0);
	return 0;
}

/* Waits until the keeper has settled, or is dead: then the command holds its slots alone. */
static void wait_until_settled(void)
{
	while (atomic_load(&keeper.word) == WORD_STARTING)
		syscall(SYS_futex, &keeper.word, FUTEX_WAIT, WORD_STARTING, NULL, NULL, 0);
}

static void write_title(char *title, size_t title_size)
{
	size_t length = sizeof(KEEPER_NAME) - 1;

	if (!title_size)
		return;
	memset(title, 0, title_size);
	memcpy(title, KEEPER_NAME, length < title_size ? length : title_size - 1);
}

enum keeper_result keeper_start(const int *fds, size_t count, char *title, size_t title_size,
				struct error *err)
{
	int flags = CLONE_VM | CLONE_CHILD_CLEARTID; /* no exit signal in the low byte */
	uint64_t all = UINT64_MAX, was;
	int pid, errnum;

	keeper.fds = fds;
	keeper.count = count;
	keeper.pidfd = (int)syscall(SYS_pidfd_open, getpid(), 0); /* close-on-exec: pidfd_open(2) */
	if (keeper.pidfd < 0) {
		if (errno == ENOSYS || errno == EPERM || errno == EACCES)
			return KEEPER_UNSUPPORTED;
		error_sys(err, errno, "cannot open a pidfd for the keeper");
		return KEEPER_ERROR;
	}
	atomic_store(&keeper.word, WORD_STARTING);
	write_title(title, title_size);
	/* Not sigprocmask(3): that spares the two signals which libc keeps for its threads. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &was, sizeof(all));
	pid = clone(keep, keeper_stack + sizeof(keeper_stack), flags, &keeper, NULL, NULL, &keeper.word);
	errnum = errno;
	if (pid >= 0)
		wait_until_settled();
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &was, NULL, sizeof(was));
	close(keeper.pidfd);
	if (pid < 0) {
		error_sys(err, errnum, "cannot start the keeper");
		return KEEPER_ERROR;
	}
	return KEEPER_STARTED;
}

#include "keep/keeper.h"

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
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/*
 * Until the caller execs, its memory is the keeper's too, thread-local errno included. So the
 * keeper calls nothing but syscall(2), which keeps no state but errno, and what it does once the
 * caller goes on beside it does not fail: it sleeps in ppoll() and drops pages, with valid arguments
 * and all signals blocked.
 */
#define KEEPER_STACK 16384
#define HELPER_STACK 4096

#ifdef __SANITIZE_THREAD__
/* The sanitizer's own clone() has the child read from a stack that its parent goes on to use. */
int __clone(int (*life)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#endif

/* And no exit signal. CLONE_PARENT_SETTID: told->pid is known even if who called clone() is killed in it. */
#define KEEPER_FLAGS (CLONE_VM | CLONE_CHILD_CLEARTID | CLONE_PARENT_SETTID)
/* What the helper has made ready for the keeper, which has it alone as soon as the helper has ended. */
#define INHERIT_FLAGS (CLONE_FILES | CLONE_FS | CLONE_SIGHAND)

/*
 * How long a keeper keeps its pages: until then they are those of the process that starts the
 * command, which would have to fetch them back, and short commands end sooner.
 */
#define YOUTH (CLOCK_SECOND / 10)

#define OLD_LINUX_FDS 65536

enum keeper_word {
	WORD_DEAD = 0, /* CLONE_CHILD_CLEARTID: the kernel's word for an end, however it came */
	WORD_STARTING = 1,
	WORD_SETTLED = 2,
};

/* So many may be killed, by whoever kills all processes of a name, before it is an error. */
#define HELPERS 8

/*
 * So many threads on the machine, as sysinfo(2) counts them, and the helper gets a copy of the caller's
 * memory. When a process that shares its memory execs, the kernel looks for the next one to own that,
 * among all processes there are if no child or sibling has it (mm_update_next_owner() in kernel/exit.c):
 * among these that takes as long as a copy, and it grows. (sysinfo(2) counts to 65,535 and begins
 * again, which costs time and no more.)
 */
#define MANY_THREADS 512

/* What the helper and the keeper tell the caller, in memory that all three have, shared or copied. */
struct keeper_told {
	_Atomic unsigned word; /* a futex */
	/* Volatile: clone(2) is declared as if it never called back into this file. */
	volatile int pid, errnum;
};

/* Static: they must outlive the function that started the keeper. One process starts one keeper. */
static struct keeper_told told_here, *told = &told_here;
static int keeper_signalfd; /* of KEEPER_RELEASE_SIGNAL; -1: none */
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

KEEPER_CODE static bool is_needed(const struct keeper_task *task, unsigned fd)
{
	if ((int)fd == task->pidfd || (int)fd == task->commit_fd)
		return true;
	for (size_t i = 0; i < task->count; i++) {
		if ((int)fd == task->fds[i])
			return true;
	}
	return false;
}

/* Closes everything but the pidfd and the slots. */
KEEPER_CODE static void close_others(const struct keeper_task *task)
{
	int highest = task->pidfd > task->commit_fd ? task->pidfd : task->commit_fd;
	unsigned from = 0, last = highest > 0 ? (unsigned)highest : 0;

	for (size_t i = 0; i < task->count; i++)
		last = (unsigned)task->fds[i] > last ? (unsigned)task->fds[i] : last;
	for (unsigned fd = 0; fd <= last; fd++) {
		if (!is_needed(task, fd))
			continue;
		if (fd > from)
			close_between(from, fd - 1);
		from = fd + 1;
	}
	close_between(from, UINT_MAX);
}

/*
 * Lets go of the program's pages that are mapped but not needed any more: a keeper per running
 * build should weigh next to nothing. What is needed comes back by a page fault.
 */
KEEPER_CODE static void drop_pages(void)
{
	extern char __executable_start[], etext[]; /* the linker's: ld(1), end(3) */
	unsigned long page = 4096, start = (unsigned long)__executable_start & ~(page - 1);

	syscall(SYS_madvise, start, ((unsigned long)etext - start) & ~(page - 1), MADV_DONTNEED);
}

/* False, with told->errnum, if the keeper could not be told to release. */
KEEPER_CODE static bool settle(const struct keeper_task *task)
{
	uint64_t release = UINT64_C(1) << (KEEPER_RELEASE_SIGNAL - 1);
	int null;

	syscall(SYS_setsid);
	/*
	 * Also has `told` mapped here if it is shared by copies: so the kernel can note the keeper's pid
	 * there (CLONE_PARENT_SETTID) whatever kills the helper, and there is never a second keeper.
	 */
	told->errnum = syscall(SYS_prctl, PR_SET_NAME, KEEPER_NAME, 0, 0, 0) ? errno : 0;
	syscall(SYS_chdir, "/");
	close_others(task);
	null = (int)syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDWR, 0);
	for (int fd = 0; fd <= 2 && null >= 0; fd++) {
		if (fd != null)
			syscall(SYS_dup3, null, fd, 0);
	}
	if (null > 2)
		syscall(SYS_close, null);
	keeper_signalfd = -1;
	if (!task->releasable)
		return true;
	if (!told->errnum) { /* `release` knows keepers by their name */
		keeper_signalfd = (int)syscall(SYS_signalfd4, -1, &release, sizeof(release), 0);
		if (keeper_signalfd >= 0)
			return true;
		told->errnum = errno;
	}
	told->pid = -1;
	return false;
}

/* Sleeps until there is a reason to let the slots go, or so long. */
KEEPER_CODE static enum keeper_reason wait_until(const struct keeper_task *task, int64_t duration)
{
	struct pollfd fds[2] = {{.fd = task->pidfd, .events = POLLIN},
				{.fd = keeper_signalfd, .events = POLLIN}};
	struct timespec left = {.tv_sec = duration / CLOCK_SECOND,
				.tv_nsec = duration % CLOCK_SECOND};
	struct timespec *timeout = duration == CLOCK_NEVER ? NULL : &left;

	for (;;) {
		/* The system call, unlike ppoll(3), leaves in `left` what is left: poll(2). */
		long ready = syscall(SYS_ppoll, fds, 2, timeout, NULL, 0);

		if (ready == 0)
			return KEEPER_EXPIRED;
		if (ready > 0)
			return fds[0].revents ? KEEPER_ENDED : KEEPER_RELEASED;
	}
}

/* The same for the task's whole time, and drops the pages when the command has had time to start. */
KEEPER_CODE static enum keeper_reason wait_for_reason(const struct keeper_task *task)
{
	int64_t left = task->timeout;
	enum keeper_reason reason;

	if (left <= YOUTH)
		return wait_until(task, left);
	reason = wait_until(task, YOUTH);
	if (reason != KEEPER_EXPIRED)
		return reason;
	drop_pages();
	return wait_until(task, left == CLOCK_NEVER ? left : left - YOUTH);
}

/* Whether the caller has lived to say that the slots are held. */
KEEPER_CODE static bool is_committed(const struct keeper_task *task)
{
	char word;
	bool committed = task->commit_fd < 0 || syscall(SYS_read, task->commit_fd, &word, 1) == 1;

	if (task->commit_fd >= 0)
		syscall(SYS_close, task->commit_fd);
	return committed;
}

/* The life of a keeper that has settled. */
KEEPER_CODE static int keep(void *arg)
{
	const struct keeper_task *task = arg;
	enum keeper_reason reason;

	reason = is_committed(task) ? wait_for_reason(task) : KEEPER_RELEASED;
	for (size_t i = 0; i < task->count; i++) {
		syscall(SYS_pwrite64, task->fds[i], task->marks[reason], task->mark_size,
			task->mark_offset);
		syscall(SYS_flock, task->fds[i], LOCK_UN);
	}
	syscall(SYS_exit_group, 0);
	return 0;
}

/* The same, out of the session in which the helper has settled. */
KEEPER_CODE static int leave_and_keep(void *task)
{
	syscall(SYS_setsid);
	return keep(task);
}

/* The same, without a helper. */
KEEPER_CODE static int settle_and_keep(void *task)
{
	if (!settle(task))
		return 0;
	atomic_store(&told->word, WORD_SETTLED);
	syscall(SYS_futex, &told->word, FUTEX_WAKE, 1, NULL, NULL, 0);
	return keep(task);
}

/* Starts the process that is going to be the keeper. */
KEEPER_CODE static void clone_keeper(int (*life)(void *), int inherit, void *task)
{
	int pid = clone(life, keeper_stack + sizeof(keeper_stack), KEEPER_FLAGS | inherit, task,
			(void *)(uintptr_t)&told->pid, (void *)NULL, &told->word);

	if (pid < 0) {
		told->pid = pid;
		told->errnum = errno;
	}
}

/* The helper's life: it settles for the keeper, starts it, and leaves it to init. */
KEEPER_CODE static int help(void *task)
{
	if (settle(task))
		clone_keeper(leave_and_keep, INHERIT_FLAGS, task);
	return 0;
}

/*
 * Starts a keeper that will be nobody's child; `memory` is CLONE_VM, or 0 for a copy. told->pid 0: the
 * helper was killed before it had started one.
 */
static void start_orphan(void *task, int memory)
{
	/* CLONE_VFORK: this process sleeps until the helper, which uses its errno and stack, has ended. */
	char stack[HELPER_STACK] __attribute__((aligned(64)));
	int helper = clone(help, stack + sizeof(stack), memory | CLONE_VFORK, task);

	if (helper < 0 && !memory) { /* vm.overcommit_memory=2 may have no memory for a copy */
		start_orphan(task, CLONE_VM);
		return;
	}
	if (helper < 0) {
		told->pid = -1;
		told->errnum = errno;
		return;
	}
	/* All signals are blocked: nothing interrupts. */
	syscall(SYS_wait4, helper, NULL, __WALL, NULL);
}

/* Starts a keeper that is our child, and waits until it has settled or is dead. */
static void start_child(void *task)
{
	clone_keeper(settle_and_keep, 0, task);
	while (told->pid > 0 && atomic_load(&told->word) == WORD_STARTING)
		syscall(SYS_futex, &told->word, FUTEX_WAIT, WORD_STARTING, NULL, NULL, 0);
}

/* Whether an orphan of ours would become our child again. */
static bool adopts_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 || (!prctl(PR_GET_CHILD_SUBREAPER, &subreaper) && subreaper);
}

/* CLONE_VM, or 0 if the helper shall have a copy of this memory; `told` is then shared all the same. */
static int choose_memory(void)
{
	struct sysinfo machine;
	void *shared;

	if (sysinfo(&machine) || machine.procs < MANY_THREADS)
		return CLONE_VM;
	shared = mmap(NULL, sizeof(*told), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return CLONE_VM;
	told = shared;
	return 0;
}

static void write_title(char *title, size_t title_size)
{
	size_t length = sizeof(KEEPER_NAME) - 1;

	if (!title_size)
		return;
	memset(title, 0, title_size);
	memcpy(title, KEEPER_NAME, length < title_size ? length : title_size - 1);
}

enum keeper_result keeper_open_pidfd(pid_t pid, int lowest, int *pidfd)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0); /* close-on-exec: pidfd_open(2) */

	if (fd < 0)
		return errno == ENOSYS || errno == EPERM || errno == EACCES ? KEEPER_UNSUPPORTED
									    : KEEPER_ERROR;
	if (fd >= lowest) {
		*pidfd = fd;
		return KEEPER_STARTED;
	}
	*pidfd = fcntl(fd, F_DUPFD_CLOEXEC, lowest);
	close(fd);
	return *pidfd < 0 ? KEEPER_ERROR : KEEPER_STARTED;
}

int keeper_start(const struct keeper_task *task, pid_t *pid, struct error *err)
{
	void *arg = (void *)(uintptr_t)task;
	uint64_t all = UINT64_MAX, was;
	bool orphan = !adopts_orphans();
	int memory = orphan ? choose_memory() : CLONE_VM;

	atomic_store(&told->word, WORD_STARTING);
	told->pid = 0;
	write_title(task->title, task->title_size);
	/* Not sigprocmask(3): that spares the two signals which libc keeps for its threads. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &was, sizeof(all));
	if (!orphan)
		start_child(arg);
	for (int i = 0; i < HELPERS && !told->pid; i++)
		start_orphan(arg, memory);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &was, NULL, sizeof(was));
	if (told->pid <= 0)
		return error_sys(err, told->pid ? told->errnum : EAGAIN, "cannot start the keeper");
	*pid = told->pid;
	return 0;
}

int keeper_tell(int pidfd)
{
	return (int)syscall(SYS_pidfd_send_signal, pidfd, KEEPER_RELEASE_SIGNAL, NULL, 0);
}

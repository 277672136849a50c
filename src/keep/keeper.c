#include "keep/keeper.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/*
 * Three processes, from the caller to the keeper:
 *
 * 1. The caller makes a helper, which shares its memory and nothing else of it, and sleeps until the
 *    helper has ended. A helper that is killed is made again.
 * 2. The helper settles: it becomes all that a keeper has to be before the caller may go on.
 * 3. The helper makes the keeper, a copy of itself with memory of its own, and ends.
 *
 * The helper even shares the caller's thread-local memory, errno included. So it calls nothing but
 * system calls, and the caller, meanwhile, nothing but waitpid(2), without a look at errno.
 *
 * The keeper is an ordinary process with one thread, but made behind the C library's back: what that
 * has noted as this thread's id is still the caller's. So the keeper must not call raise(), abort(), nor
 * lock a mutex that knows its owner. It blocks all signals for good.
 */
#define HELPER_STACK 16384

/* So many helpers may be killed, by whoever kills all processes of a name, before it is an error. */
#define HELPERS 8

#define OLD_LINUX_FDS 65536

/* No exit signal, not even SIGCHLD: a plain wait(2) passes over a child without one. */
#define HELPER_FLAGS CLONE_VM

#ifdef __SANITIZE_THREAD__
/*
 * The sanitizer's own clone() does not expect that memory is shared: it would let go of its locks twice. And
 * what it notes of a thread is for one process at a time, so here the caller sleeps in clone(), too.
 */
int __clone(int (*life)(void *), void *stack, int flags, void *arg, ...);
#define clone __clone
#undef HELPER_FLAGS
#define HELPER_FLAGS (CLONE_VM | CLONE_VFORK)
#endif

/* In the memory that the caller and its helper share. */
struct making {
	const struct keeper_task *task;
	int parent; /* CLONE_PARENT or 0 */
	int signalfd;
	pid_t pid;    /* the keeper's; 0: there is none */
	int errnum;   /* why the helper has given up; 0: it has not */
	bool refused; /* ... because the machine has no memory for a copy */
};

/* The lowest descriptor from `from` up that the keeper needs; UINT_MAX: none. */
static unsigned next_needed(const struct keeper_task *task, unsigned from)
{
	unsigned next = UINT_MAX;

	for (size_t i = 0; i < task->count + 2; i++) {
		unsigned fd = (unsigned)(i < task->count    ? task->fds[i]
					 : i == task->count ? task->pidfd
							    : task->commit_fd);

		if (fd >= from && fd < next)
			next = fd;
	}
	return next;
}

static void close_between(unsigned from, unsigned to)
{
	if (!syscall(SYS_close_range, from, to, 0))
		return;
	/* Linux before 5.9. A descriptor beyond this many would be a rare one. */
	for (; from <= to && from < OLD_LINUX_FDS; from++)
		close((int)from);
}

/* Returns 0, or the error number of something that the keeper cannot do without. */
static int settle(struct making *making)
{
	uint64_t heard = UINT64_C(1) << (KEEPER_RELEASE_SIGNAL - 1);
	int errnum;

	setsid();
	errnum = prctl(PR_SET_NAME, KEEPER_NAME) ? errno : 0;
	(void)!chdir("/");
	for (unsigned from = 0, next = 0; next != UINT_MAX; from = next + 1) {
		next = next_needed(making->task, from);
		if (next > from)
			close_between(from, next - 1);
	}
	if (open("/dev/null", O_RDWR) == 0) {
		dup2(0, 1);
		dup2(0, 2);
	}
	if (!making->task->releasable)
		return 0;
	if (errnum) /* `release` knows keepers by their name */
		return errnum;
	if (making->task->pidfd < 0) /* or whoever stops a service would have to wait for --max */
		heard |= UINT64_C(1) << (SIGTERM - 1);
	making->signalfd = (int)syscall(SYS_signalfd4, -1, &heard, sizeof(heard), SFD_NONBLOCK);
	return making->signalfd < 0 ? errno : 0;
}

/* Takes a signal, and tells whether it is from keeper_tell(), or a SIGTERM if that is heard at all. */
static bool is_told_to_release(int signalfd)
{
	struct signalfd_siginfo info;

	return read(signalfd, &info, sizeof(info)) == sizeof(info) &&
	       (info.ssi_signo == SIGTERM ||
		(info.ssi_code == SI_QUEUE && info.ssi_int == KEEPER_RELEASE_VALUE));
}

/* Sleeps until there is a reason to let the slots go. */
static enum keeper_reason wait_for_reason(const struct making *making)
{
	struct pollfd fds[2] = {{.fd = making->task->pidfd, .events = POLLIN},
				{.fd = making->signalfd, .events = POLLIN}};
	bool endless = making->task->timeout == CLOCK_NEVER;
	int64_t deadline = endless ? CLOCK_NEVER : clock_add(clock_now(), making->task->timeout);

	for (;;) {
		int64_t left = endless ? 0 : deadline - clock_now();
		struct timespec time = {left / CLOCK_SECOND, left % CLOCK_SECOND};
		int ready = left < 0 ? 0 : ppoll(fds, 2, endless ? NULL : &time, NULL);

		if (ready == 0)
			return KEEPER_EXPIRED;
		if (ready > 0 && fds[0].revents)
			return KEEPER_ENDED;
		if (ready > 0 && is_told_to_release(making->signalfd))
			return KEEPER_RELEASED;
		if (ready > 0)
			continue;
		/* Our limit on descriptors was lowered, by prlimit(1): look now and then instead. */
		if (syscall(SYS_pidfd_send_signal, fds[0].fd, 0, NULL, 0) && errno == ESRCH)
			return KEEPER_ENDED;
		if (is_told_to_release(making->signalfd))
			return KEEPER_RELEASED;
		ppoll(NULL, 0, &(struct timespec){.tv_sec = 1}, NULL);
	}
}

/* Whether the caller has lived to say that the slots are held. */
static bool is_committed(const struct keeper_task *task)
{
	char word;
	bool committed = task->commit_fd < 0 || read(task->commit_fd, &word, 1) == 1;

	if (task->commit_fd >= 0)
		close(task->commit_fd);
	return committed;
}

static void write_title(char *title, size_t title_size)
{
	size_t length = sizeof(KEEPER_NAME) - 1;

	if (!title_size)
		return;
	memset(title, 0, title_size);
	memcpy(title, KEEPER_NAME, length < title_size ? length : title_size - 1);
}

/*
 * Whether slot `fd` is still the task's. To lock it again changes nothing, flock(2); if the command has unlocked
 * it, it fails, or makes sure that no one becomes its holder between the look at the record and the mark. That
 * is not done under the gate: another's attempt may find the slot held a moment longer, as with any that ends.
 */
static bool is_own(const struct keeper_task *task, int fd)
{
	size_t size = strlen(task->own);
	char found[KEEPER_OWN_SIZE];

	return !flock(fd, LOCK_EX | LOCK_NB) && pread(fd, found, size, 0) == (ssize_t)size &&
	       !memcmp(found, task->own, size);
}

/* The keeper's life. Returns its exit status. */
static int keep(const struct making *making)
{
	const struct keeper_task *task = making->task;
	enum keeper_reason reason;

	write_title(task->title, task->title_size);
	setsid(); /* the helper's session is no place to stay */
	reason = is_committed(task) ? wait_for_reason(making) : KEEPER_RELEASED;
	for (size_t i = 0; i < task->count; i++) {
		if (is_own(task, task->fds[i]))
			(void)!pwrite(task->fds[i], task->marks[reason], task->mark_size,
				      task->mark_offset);
		flock(task->fds[i], LOCK_UN);
	}
	return 0;
}

/*
 * A fork() without an exit signal, and with CLONE_PARENT if so asked: 0 in the keeper. It goes on with its
 * copy of the helper's stack, and has what is below, where the caller's frames were, for itself.
 * CLONE_PARENT_SETTID: the kernel notes the pid before the keeper runs, even if the helper is killed in here.
 */
static long copy_helper(struct making *making)
{
	int flags = making->parent | CLONE_PARENT_SETTID;

#ifdef __s390__
	return syscall(SYS_clone, NULL, flags, &making->pid, NULL, NULL);
#else
	return syscall(SYS_clone, flags, NULL, &making->pid, NULL, NULL);
#endif
}

/* The helper's life, and after copy_helper() the keeper's. */
static int help(void *arg)
{
	struct making *making = arg;
	long pid;

	making->errnum = settle(making);
	if (making->errnum)
		return 0;
	pid = copy_helper(making);
	if (!pid)
		return keep(making);
	if (pid < 0) {
		making->errnum = errno;
		making->refused = errno == ENOMEM;
	}
	return 0;
}

/*
 * Makes a helper and waits for its end. Not inline: what is called beside a large stack is far below the other
 * frames, in a page that would have to be copied if it were written to again.
 */
__attribute__((noinline)) static void run_helper(struct making *making)
{
	char stack[HELPER_STACK] __attribute__((aligned(64)));
	int helper = clone(help, stack + sizeof(stack), HELPER_FLAGS, making);

	if (helper < 0) {
		making->errnum = errno;
		return;
	}
	/* It cannot really fail: no signal ends it, and the helper is our child until it is reaped here. */
	while (waitpid(helper, NULL, __WALL) < 0)
		;
}

/* Whether an orphan of ours would become our child again, with an exit signal. */
static bool adopts_orphans(void)
{
	int subreaper = 0;

	return getpid() == 1 || (!prctl(PR_GET_CHILD_SUBREAPER, &subreaper) && subreaper);
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

enum keeper_result keeper_start(const struct keeper_task *task, pid_t *pid, struct error *err)
{
	struct making making = {.task = task, .signalfd = -1};
	uint64_t all = UINT64_MAX, was;

	making.parent = adopts_orphans() ? CLONE_PARENT : 0;
	/* Not sigprocmask(3): that spares the two signals which libc keeps for its threads. */
	syscall(SYS_rt_sigprocmask, SIG_BLOCK, &all, &was, sizeof(all));
	for (int i = 0; i < HELPERS && !making.pid && !making.errnum; i++)
		run_helper(&making);
	syscall(SYS_rt_sigprocmask, SIG_SETMASK, &was, NULL, sizeof(was));
	*pid = making.pid;
	if (making.pid)
		return KEEPER_STARTED;
	error_sys(err, making.errnum ? making.errnum : EAGAIN, "cannot start the keeper");
	return making.refused ? KEEPER_UNSUPPORTED : KEEPER_ERROR;
}

int keeper_tell(int pidfd, bool by_term)
{
	siginfo_t info = {.si_signo = KEEPER_RELEASE_SIGNAL, .si_code = SI_QUEUE};

	if (by_term)
		return (int)syscall(SYS_pidfd_send_signal, pidfd, SIGTERM, NULL, 0);
	info.si_value.sival_int = KEEPER_RELEASE_VALUE;
	return (int)syscall(SYS_pidfd_send_signal, pidfd, KEEPER_RELEASE_SIGNAL, &info, 0);
}

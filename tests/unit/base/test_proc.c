#include "base/proc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

/* A child that does nothing until it is killed, and who it is. */
static struct proc_identity start_child(void)
{
	struct proc_identity child;
	int pipe_fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(pipe_fds)));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG,
		      SIGKILL); /* whatever becomes of the test, it leaves nobody */
		proc_self(&child);
		if (write(pipe_fds[1], &child, sizeof(child)) < 0)
			_exit(1);
		for (;;)
			pause();
	}
	cr_assert(gt(int, pid, 0));
	cr_assert(eq(long, read(pipe_fds[0], &child, sizeof(child)), (long)sizeof(child)));
	cr_assert(eq(int, child.pid, pid));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return child;
}

/* Waits until the child has changed its state as `options` of waitid(2) say; does not reap it. */
static void wait_for(pid_t pid, int options)
{
	siginfo_t info;

	cr_assert(zero(int, waitid(P_PID, (id_t)pid, &info, options | WNOWAIT)));
}

static void reap(pid_t pid)
{
	cr_assert(eq(int, waitpid(pid, NULL, 0), pid));
}

Test(proc, self_is_known)
{
	struct proc_identity self;
	char host[HOST_NAME_MAX + 1] = "";
	struct stat pidns;

	proc_self(&self);
	gethostname(host, sizeof(host) - 1);
	check_text(self.host, host);
	cr_assert(eq(int, self.pid, getpid()));
	cr_assert(eq(sz, strlen(self.boot), 36), "boot id '%s'", self.boot);
	cr_assert(zero(int, stat("/proc/self/ns/pid", &pidns)));
	cr_assert(eq(u64, self.pidns, pidns.st_ino));
	cr_assert(gt(u64, self.start, 0));
	cr_assert(proc_is_here(&self, &self));
	cr_assert(not(proc_has_ended(&self, &self)));
	cr_assert(not(proc_is_stopped(&self, &self)));
}

Test(proc, end_is_seen_before_and_after_it_is_reaped)
{
	struct proc_identity self, child = start_child();

	proc_self(&self);
	cr_assert(proc_is_here(&child, &self));
	cr_assert(not(proc_has_ended(&child, &self)));
	kill(child.pid, SIGKILL);
	wait_for(child.pid, WEXITED);
	cr_assert(proc_has_ended(&child, &self));
	reap(child.pid);
	cr_assert(proc_has_ended(&child, &self));
	cr_assert(not(proc_is_stopped(&child, &self)));
}

Test(proc, stop_is_seen_and_is_no_end)
{
	struct proc_identity self, child = start_child();

	proc_self(&self);
	cr_assert(not(proc_is_stopped(&child, &self)));
	kill(child.pid, SIGSTOP);
	wait_for(child.pid, WSTOPPED);
	cr_assert(proc_is_stopped(&child, &self));
	cr_assert(not(proc_has_ended(&child, &self)));
	kill(child.pid, SIGCONT);
	wait_for(child.pid, WCONTINUED);
	cr_assert(not(proc_is_stopped(&child, &self)));
	kill(child.pid, SIGKILL);
	reap(child.pid);
}

Test(proc, pid_of_another_process_by_now_has_ended)
{
	struct proc_identity self, earlier;

	proc_self(&self);
	earlier = self;
	earlier.start--;
	cr_assert(proc_is_here(&earlier, &self));
	cr_assert(proc_has_ended(&earlier, &self));
	cr_assert(not(proc_is_stopped(&earlier, &self)));
}

/* A pid that nobody has here says nothing about a process elsewhere. */
Test(proc, pid_of_elsewhere_is_never_looked_up)
{
	struct proc_identity self, gone = start_child(), elsewhere;

	proc_self(&self);
	kill(gone.pid, SIGKILL);
	reap(gone.pid);
	cr_assert(proc_has_ended(&gone, &self));
	elsewhere = gone;
	strcpy(elsewhere.boot, "00000000-0000-4000-8000-000000000000");
	cr_assert(not(proc_is_here(&elsewhere, &self)));
	cr_assert(not(proc_has_ended(&elsewhere, &self)));
	elsewhere = gone;
	elsewhere.pidns++;
	cr_assert(not(proc_is_here(&elsewhere, &self)));
	cr_assert(not(proc_has_ended(&elsewhere, &self)));
	elsewhere = gone;
	elsewhere.timens++;
	cr_assert(not(proc_is_here(&elsewhere, &self)));
	cr_assert(not(proc_has_ended(&elsewhere, &self)));
	elsewhere = gone;
	elsewhere.start = 0;
	cr_assert(not(proc_is_here(&elsewhere, &self)));
	cr_assert(not(proc_has_ended(&elsewhere, &self)));
}

Test(proc, unknown_is_not_the_same_as_unknown)
{
	struct proc_identity self, unknown;

	proc_self(&self);
	unknown = self;
	unknown.boot[0] = '\0';
	cr_assert(not(proc_is_here(&unknown, &unknown)));
	unknown = self;
	unknown.pidns = 0;
	cr_assert(not(proc_is_here(&unknown, &unknown)));
}

Test(proc, reads_what_the_kernel_says_of_a_process)
{
	pid_t child = start_child().pid;
	char own[64], text[64], little[4];

	cr_assert(gt(long, proc_read(getpid(), "comm", own, sizeof(own)), 1L));
	cr_assert(eq(long, proc_read(child, "comm", text, sizeof(text)), (long)strlen(own)));
	check_text(text, own);
	cr_assert(eq(long, proc_read(child, "comm", little, sizeof(little)), 3L));
	cr_assert(zero(int, strncmp(little, own, 3)));
	cr_assert(eq(chr, little[3], 0));
	kill(child, SIGKILL);
	reap(child);
	cr_assert(eq(long, proc_read(child, "comm", text, sizeof(text)), -1L));
	cr_assert(eq(int, errno, ENOENT));
	check_text(text, "");
}

Test(proc, ancestors_begin_with_the_process_itself)
{
	pid_t pids[256];
	unsigned count = proc_ancestors(pids, 256);

	cr_assert(ge(uint, count, 2));
	cr_assert(eq(int, pids[0], getpid()));
	cr_assert(eq(int, pids[1], getppid()));
	for (unsigned i = 0; i < count; i++)
		cr_assert(eq(int, proc_parent(pids[i]), i + 1 < count ? pids[i + 1] : 0));
	cr_assert(eq(uint, proc_ancestors(pids, 1), 1));
}

Test(proc, command_of_a_process_is_its_arguments_or_its_name, .timeout = 60)
{
	pid_t pid = fork();
	char text[64] = "";

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/bin/sleep", "sleep", "150", (char *)NULL);
		_exit(1);
	}
	/* In the middle of exec(2) it has its new name already, but no arguments yet. */
	while (strcmp(text, "sleep 150"))
		proc_command(pid, text, sizeof(text));
	kill(pid, SIGKILL);
	wait_for(pid, WEXITED);
	proc_command(pid, text, sizeof(text)); /* a zombie */
	check_text(text, "sleep");
	reap(pid);
	proc_command(pid, text, sizeof(text));
	check_text(text, "");
}

struct looked_for {
	struct stat file;
	unsigned seen;
};

static bool is_looked_for(void *arg, int fds, const char *name)
{
	struct looked_for *what = arg;

	what->seen++;
	return proc_is_file(fds, name, &what->file);
}

Test(proc, open_descriptors_are_seen_until_one_is_found)
{
	int open_fds[2];
	struct looked_for what = {.seen = 0};
	pid_t child;

	cr_assert(zero(int, pipe(open_fds)));
	cr_assert(zero(int, fstat(open_fds[0], &what.file)));
	child = start_child().pid;
	cr_assert(eq(int, proc_each_fd(child, is_looked_for, &what), 1));
	cr_assert(zero(int, stat("/", &what.file)));
	what.seen = 0;
	cr_assert(eq(int, proc_each_fd(child, is_looked_for, &what), 0));
	cr_assert(ge(uint, what.seen, 4U)); /* two pipes, at least: ours and start_child()'s */
	kill(child, SIGKILL);
	reap(child);
	cr_assert(eq(int, proc_each_fd(child, is_looked_for, &what), -1));
	cr_assert(eq(int, errno, ENOENT));
}

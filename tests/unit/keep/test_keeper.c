#include "keep/keeper.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"
#include "tempdir.h"

TestSuite(keeper, .init = tempdir_make, .fini = tempdir_remove);

#define PATIENCE 60 /* seconds; never used up */

static const char *const names[] = {"one", "two"};

/* A process that lives until it is killed. */
static pid_t start_command(void)
{
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	cr_assert(gt(int, pid, 0));
	return pid;
}

/* A task for the locked files `names`, on *fds, which the keeper alone has after keep(). */
static struct keeper_task task_for(int fds[2])
{
	for (int i = 0; i < 2; i++) {
		tempdir_write_text(names[i], "state=held    !");
		fds[i] = open(names[i], O_RDWR | O_CLOEXEC);
		cr_assert(zero(int, flock(fds[i], LOCK_EX | LOCK_NB)));
	}
	return (struct keeper_task){
		.fds = fds,
		.count = 2,
		.pidfd = -1,
		.timeout = CLOCK_NEVER,
		.commit_fd = -1,
		.own = "state=held",
		.mark_offset = 6,
		.mark_size = 8,
		.marks = {[KEEPER_ENDED] = "ended   ",
			  [KEEPER_EXPIRED] = "expired ",
			  [KEEPER_RELEASED] = "released"},
	};
}

static pid_t keep(struct keeper_task *task)
{
	struct error err = {""};
	pid_t pid = 0;

	cr_assert(eq(int, keeper_start(task, &pid, &err), KEEPER_STARTED), "%s", err.text);
	cr_assert(gt(int, pid, 0));
	for (size_t i = 0; i < task->count; i++)
		close(task->fds[i]);
	return pid;
}

static bool is_held(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);
	bool held = flock(fd, LOCK_SH | LOCK_NB) != 0;

	close(fd);
	return held;
}

static void check_held(void)
{
	usleep(20000); /* time for a keeper that is wrong to show it */
	for (int i = 0; i < 2; i++)
		cr_assert(is_held(names[i]), "'%s' should be held", names[i]);
}

/* Waits until both are free: then both have the mark. */
static void check_let_go(const char *mark)
{
	for (int i = 0; i < 2; i++) {
		char text[32] = "";
		int fd = open(names[i], O_RDONLY | O_CLOEXEC);

		alarm(PATIENCE);
		cr_assert(zero(int, flock(fd, LOCK_SH)));
		alarm(0);
		cr_assert(gt(long, read(fd, text, sizeof(text) - 1), 0L));
		check_text(text, mark);
		close(fd);
	}
}

Test(keeper, I1_holds_until_the_process_ends)
{
	pid_t command = start_command();
	int fds[2];
	struct keeper_task task = task_for(fds);

	cr_assert(eq(int, keeper_open_pidfd(command, 3, &task.pidfd), KEEPER_STARTED));
	keep(&task);
	check_held();
	kill(command, SIGKILL);
	check_let_go("state=ended   !");
}

Test(keeper, I1_holds_until_the_time_is_over)
{
	int fds[2];
	struct keeper_task task = task_for(fds);
	int64_t start = clock_now();

	task.timeout = CLOCK_SECOND / 5;
	keep(&task);
	check_let_go("state=expired !");
	cr_assert(ge(long, clock_now() - start, CLOCK_SECOND / 5));
}

Test(keeper, is_released_by_its_signal_and_by_no_other)
{
	int fds[2], pidfd;
	struct keeper_task task = task_for(fds);
	pid_t pid;

	task.releasable = true;
	task.timeout = PATIENCE * CLOCK_SECOND;
	cr_assert(eq(int, keeper_open_pidfd(getpid(), 3, &task.pidfd), KEEPER_STARTED));
	pid = keep(&task);
	for (int signal = 1; signal <= SIGRTMAX; signal++) {
		if (signal != SIGKILL && signal != SIGSTOP)
			kill(pid, signal);
	}
	check_held();
	cr_assert(eq(int, keeper_open_pidfd(pid, 3, &pidfd), KEEPER_STARTED));
	cr_assert(zero(int, keeper_tell(pidfd, false)));
	check_let_go("state=released!");
}

Test(keeper, without_a_word_from_its_caller_it_lets_go)
{
	int fds[2], commit[2];
	struct keeper_task task = task_for(fds);

	cr_assert(zero(int, pipe2(commit, O_CLOEXEC)));
	task.commit_fd = commit[0];
	task.timeout = PATIENCE * CLOCK_SECOND;
	keep(&task);
	close(commit[0]);
	check_held();
	close(commit[1]);
	check_let_go("state=released!");
}

Test(keeper, with_a_word_from_its_caller_it_holds_on)
{
	int fds[2], commit[2];
	struct keeper_task task = task_for(fds);
	pid_t pid;

	cr_assert(zero(int, pipe2(commit, O_CLOEXEC)));
	task.commit_fd = commit[0];
	task.timeout = PATIENCE * CLOCK_SECOND;
	pid = keep(&task);
	close(commit[0]);
	cr_assert(eq(long, write(commit[1], "", 1), 1L));
	close(commit[1]);
	check_held();
	kill(pid, SIGKILL);
	check_let_go("state=held    !"); /* who is killed says nothing */
}

/* The task, the title and all that the caller had are its own again as soon as there is a keeper. */
Test(keeper, has_a_copy_of_all_that_it_was_given)
{
	char mark[] = "expired ", title[] = "some words that ps(1) shows";
	int fds[2];
	struct keeper_task task = task_for(fds);

	task.marks[KEEPER_EXPIRED] = mark;
	task.timeout = CLOCK_SECOND / 5;
	task.title = title;
	task.title_size = sizeof(title);
	keep(&task);
	check_text(title, "some words that ps(1) shows");
	memset(mark, 'x', sizeof(mark));
	memset(&task, 0, sizeof(task));
	check_let_go("state=expired !");
}

Test(keeper, is_no_child_of_its_caller)
{
	int fds[2];
	struct keeper_task task = task_for(fds);

	task.timeout = CLOCK_SECOND / 5;
	keep(&task);
	cr_assert(eq(int, waitpid(-1, NULL, __WALL | WNOHANG), -1));
	check_let_go("state=expired !");
}

/* A subreaper would adopt it with an exit signal: its child it is without one. */
Test(keeper, is_a_subreapers_child_that_plain_waits_pass_over)
{
	int fds[2];
	struct keeper_task task = task_for(fds);
	pid_t pid;

	cr_assert(zero(int, prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)));
	task.timeout = CLOCK_SECOND / 5;
	pid = keep(&task);
	cr_assert(eq(int, waitpid(-1, NULL, WNOHANG), -1));
	cr_assert(eq(int, waitpid(-1, NULL, __WALL), pid));
	check_let_go("state=expired !");
}

Test(keeper, the_callers_signals_are_as_they_were)
{
	sigset_t was, is;
	int fds[2];
	struct keeper_task task = task_for(fds);

	sigemptyset(&was);
	sigaddset(&was, SIGUSR1);
	sigprocmask(SIG_SETMASK, &was, NULL);
	task.timeout = 1;
	keep(&task);
	sigprocmask(SIG_SETMASK, NULL, &is);
	for (int signal = 1; signal <= SIGRTMAX; signal++)
		cr_assert(eq(int, sigismember(&is, signal), signal == SIGUSR1));
	check_let_go("state=expired !");
}

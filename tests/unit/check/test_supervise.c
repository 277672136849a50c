#include "check/supervise.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/clock.h"
#include "check.h"

#define PATIENCE (60 * CLOCK_SECOND) /* never used up but where that is the point */

static enum supervise_result run(supervise_work *work, void *arg, struct findings *findings,
				 int64_t patience)
{
	struct error err = {""};
	enum supervise_result result = supervise_run(work, arg, findings, patience, &err);

	check_text(err.text, "");
	return result;
}

static void find_much(void *arg, struct supervise *supervise, struct findings *findings)
{
	char *word = arg;

	findings_add(findings, FINDING_OK, 0, "first");
	supervise_pulse(supervise);
	for (unsigned i = 1; i <= 1000; i++)
		findings_add(findings, FINDING_WARNING, i, "%u %s", i, word);
	findings_add(findings, FINDING_ERROR, 7, "F0 E P\n"); /* like a message, but is none */
}

Test(supervise, findings_of_the_child_arrive_whole_and_in_order)
{
	struct findings findings = {0};
	char text[4096];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	cr_assert(eq(int, run(find_much, text, &findings, PATIENCE), SUPERVISE_DONE));
	cr_assert(eq(sz, findings.count, 1002));
	check_text(findings.list[0].text, "first");
	for (unsigned i = 1; i <= 1000; i++) {
		cr_assert(eq(uint, findings.list[i].line, i));
		cr_assert(eq(uint, (unsigned)atoi(findings.list[i].text), i));
		cr_assert(ge(sz, strlen(findings.list[i].text), sizeof(text)));
	}
	check_text(findings.list[1001].text, "F0 E P\\x0a");
	cr_assert(eq(uint, findings.list[1001].line, 7));
	cr_assert(eq(int, findings.list[1001].level, FINDING_ERROR));
	findings_free(&findings);
}

static void hang(void *arg, struct supervise *supervise, struct findings *findings)
{
	pid_t self = getpid();

	(void)supervise;
	(void)findings;
	while (write(*(int *)arg, &self, sizeof(self)) != sizeof(self))
		;
	for (;;)
		pause();
}

Test(supervise, silent_child_is_killed)
{
	struct findings findings = {0};
	int fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	cr_assert(eq(int, run(hang, &fds[1], &findings, 3 * CLOCK_SECOND), SUPERVISE_SILENT));
	cr_assert(eq(long, read(fds[0], &pid, sizeof(pid)), (long)sizeof(pid)));
	cr_assert(eq(int, kill(pid, 0), -1), "it lives on");
	findings_free(&findings);
}

/* Longer in all than the patience, which each pulse renews. */
static void pulse(void *arg, struct supervise *supervise, struct findings *findings)
{
	(void)arg;
	for (int i = 0; i < 50; i++) {
		poll(NULL, 0, 100);
		supervise_pulse(supervise);
	}
	findings_add(findings, FINDING_OK, 0, "done");
}

Test(supervise, pulse_is_a_sign_of_life)
{
	struct findings findings = {0};

	cr_assert(eq(int, run(pulse, NULL, &findings, 4 * CLOCK_SECOND), SUPERVISE_DONE));
	cr_assert(eq(sz, findings.levels[FINDING_OK], 1));
	findings_free(&findings);
}

static void die(void *arg, struct supervise *supervise, struct findings *findings)
{
	(void)arg;
	(void)supervise;
	findings_add(findings, FINDING_OK, 0, "begun");
	kill(getpid(), SIGKILL);
}

Test(supervise, child_that_dies_is_told)
{
	struct findings findings = {0};

	cr_assert(eq(int, run(die, NULL, &findings, PATIENCE), SUPERVISE_DIED));
	cr_assert(eq(sz, findings.levels[FINDING_OK], 1));
	findings_free(&findings);
}

static void tell_mask(void *arg, struct supervise *supervise, struct findings *findings)
{
	sigset_t mask;

	(void)arg;
	(void)supervise;
	sigprocmask(SIG_SETMASK, NULL, &mask);
	findings_add(findings, sigismember(&mask, SIGTERM) ? FINDING_OK : FINDING_ERROR, 0, "TERM");
	findings_add(findings, sigismember(&mask, SIGPIPE) ? FINDING_OK : FINDING_ERROR, 0, "PIPE");
}

Test(supervise, signals_are_blocked_in_the_child_alone)
{
	struct findings findings = {0};
	sigset_t mask;

	cr_assert(eq(int, run(tell_mask, NULL, &findings, PATIENCE), SUPERVISE_DONE));
	cr_assert(eq(sz, findings.levels[FINDING_OK], 2));
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_assert(not(sigismember(&mask, SIGTERM)));
	findings_free(&findings);
}

/* A process of the child's that keeps the pipe open does not keep the caller waiting. */
static void leave_one_behind(void *arg, struct supervise *supervise, struct findings *findings)
{
	pid_t pid = fork();

	(void)supervise;
	(void)findings;
	if (!pid) {
		for (;;)
			pause();
	}
	while (write(*(int *)arg, &pid, sizeof(pid)) != sizeof(pid))
		;
}

Test(supervise, end_does_not_wait_for_the_pipe_to_close)
{
	struct findings findings = {0};
	int fds[2];
	pid_t pid;

	cr_assert(zero(int, pipe(fds)));
	cr_assert(eq(int, run(leave_one_behind, &fds[1], &findings, PATIENCE), SUPERVISE_DONE));
	cr_assert(eq(long, read(fds[0], &pid, sizeof(pid)), (long)sizeof(pid)));
	kill(pid, SIGKILL);
}

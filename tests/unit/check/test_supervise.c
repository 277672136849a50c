#include "check/supervise.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "check.h"

#define PATIENCE 60 /* seconds; never used up but where that is the point */

/* The findings of a child that does its work to the end. */
static void run(supervise_work *work, void *arg, struct findings *findings, int seconds)
{
	supervise_run(work, arg, "/srv/locks", seconds, findings);
	for (size_t i = 0; i < findings->count; i++)
		cr_assert_null(strstr(findings->list[i].text, "/srv/locks"), "%s",
			       findings->list[i].text);
}

/* The last finding of one that does not. */
static void run_badly(supervise_work *work, void *arg, struct findings *findings, int seconds,
		      const char *text)
{
	const struct finding *last;

	supervise_run(work, arg, "/srv/locks", seconds, findings);
	cr_assert(ge(sz, findings->count, 1));
	last = &findings->list[findings->count - 1];
	check_text(last->text, text);
	cr_assert(eq(int, last->level, FINDING_ERROR));
}

static void find_much(void *arg, const struct supervise *supervise, struct findings *findings)
{
	char *word = arg;

	findings_add(findings, FINDING_OK, 0, "first");
	supervise_pulse(supervise);
	for (unsigned i = 1; i <= 1000; i++)
		findings_add(findings, FINDING_WARNING, 0, "%u %s", i, word);
	findings_add(findings, FINDING_ERROR, 0, "F0 E P\n"); /* like a message, but is none */
}

Test(supervise, findings_of_the_child_arrive_whole_and_in_order)
{
	struct findings findings = {0};
	char text[4096];

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	run(find_much, text, &findings, PATIENCE);
	cr_assert(eq(sz, findings.count, 1002));
	check_text(findings.list[0].text, "first");
	for (unsigned i = 1; i <= 1000; i++) {
		cr_assert(eq(uint, (unsigned)atoi(findings.list[i].text), i));
		cr_assert(ge(sz, strlen(findings.list[i].text), sizeof(text)));
	}
	check_text(findings.list[1001].text, "F0 E P\\x0a");
	cr_assert(eq(int, findings.list[1001].level, FINDING_ERROR));
	findings_free(&findings);
}

static void hang(void *arg, const struct supervise *supervise, struct findings *findings)
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
	run_badly(
		hang, &fds[1], &findings, 3,
		"the file system of '/srv/locks' has not answered for 3 seconds; is its server up?");
	cr_assert(eq(long, read(fds[0], &pid, sizeof(pid)), (long)sizeof(pid)));
	cr_assert(eq(int, kill(pid, 0), -1), "it lives on");
	findings_free(&findings);
}

/* Longer in all than the patience, which each pulse renews. */
static void pulse(void *arg, const struct supervise *supervise, struct findings *findings)
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

	run(pulse, NULL, &findings, 4);
	cr_assert(eq(sz, findings.levels[FINDING_OK], 1));
	findings_free(&findings);
}

static void die(void *arg, const struct supervise *supervise, struct findings *findings)
{
	(void)arg;
	(void)supervise;
	findings_add(findings, FINDING_OK, 0, "begun");
	kill(getpid(), SIGKILL);
}

Test(supervise, child_that_dies_is_told)
{
	struct findings findings = {0};

	run_badly(die, NULL, &findings, PATIENCE, "the check of '/srv/locks' was killed");
	cr_assert(eq(sz, findings.levels[FINDING_OK], 1));
	findings_free(&findings);
}

static void tell_mask(void *arg, const struct supervise *supervise, struct findings *findings)
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

	run(tell_mask, NULL, &findings, PATIENCE);
	cr_assert(eq(sz, findings.levels[FINDING_OK], 2));
	sigprocmask(SIG_SETMASK, NULL, &mask);
	cr_assert(not(sigismember(&mask, SIGTERM)));
	findings_free(&findings);
}

/* A process of the child's that keeps the pipe open does not keep the caller waiting. */
static void leave_one_behind(void *arg, const struct supervise *supervise,
			     struct findings *findings)
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
	run(leave_one_behind, &fds[1], &findings, PATIENCE);
	cr_assert(eq(long, read(fds[0], &pid, sizeof(pid)), (long)sizeof(pid)));
	kill(pid, SIGKILL);
}

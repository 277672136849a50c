#include "cli/say.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/time.h>
#include <unistd.h>

#define LINE_SIZE 1040

/* Two signals that end a write(2): one of a timer, and one that else would end us. */
static const int heard[] = {SIGALRM, SIGPIPE};

static void hear(int signal)
{
	(void)signal;
}

/*
 * poll(2) is not enough: a terminal or socket that has room for a byte blocks on a line. The timer repeats, since
 * its signal may come before write(2) does.
 */
int say(const char *bytes, size_t size, int patience)
{
	struct sigaction action = {.sa_handler = hear}, actions[2]; /* no SA_RESTART */
	struct itimerval timer = {{0, 1000}, {patience / 1000, patience % 1000 * 1000}}, timer_was;
	struct pollfd out = {.fd = STDERR_FILENO, .events = POLLOUT};
	sigset_t signals, mask;
	int errnum;

	if (!poll(&out, 1,
		  patience)) /* it fails where no descriptor may be opened: write(2) does not */
		return EAGAIN;
	sigemptyset(&signals);
	for (int i = 0; i < 2; i++) {
		sigaddset(&signals, heard[i]);
		sigaction(heard[i], &action, &actions[i]);
	}
	sigprocmask(SIG_UNBLOCK, &signals, &mask);
	setitimer(ITIMER_REAL, &timer, &timer_was);
	errnum = write(STDERR_FILENO, bytes, size) < 0 ? errno : 0;
	setitimer(ITIMER_REAL, &timer_was, NULL);
	sigprocmask(SIG_SETMASK, &mask, NULL);
	for (int i = 0; i < 2; i++)
		sigaction(heard[i], &actions[i], NULL);
	return errnum;
}

int say_line(const char *text, int patience)
{
	char line[LINE_SIZE];

	return say(line, (size_t)snprintf(line, sizeof(line), "grouplock: %.1024s\n", text),
		   patience);
}

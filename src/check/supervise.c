/*
 * The socket keeps messages apart. Its end does not tell the child's end: a process of the child's
 * may hold it open.
 */
#include "check/supervise.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define REAP_PATIENCE CLOCK_SECOND /* what is stuck in the kernel even so is left to init */

#define MAX_TEXT 65536 /* of a finding: paths and the options of a mount, escaped, are shorter */

enum { PULSE = FINDING_LEVELS, END };

struct message {
	int kind;            /* PULSE or END, or a finding's level */
	char text[MAX_TEXT]; /* as much of it as was sent */
};

/* --- the child ---------------------------------------------------------------------------- */

static void say(const struct supervise *supervise, int kind, const char *text)
{
	struct message message;
	size_t length = strnlen(text, sizeof(message.text));

	message.kind = kind;
	memcpy(message.text, text, length);
	/* It fails where nobody listens any more. */
	if (write(supervise->fd, &message, offsetof(struct message, text) + length) < 0)
		return;
}

static void say_finding(void *arg, const struct finding *finding)
{
	say(arg, (int)finding->level, finding->text);
}

void supervise_pulse(const struct supervise *supervise)
{
	say(supervise, PULSE, "");
}

/* --- the caller --------------------------------------------------------------------------- */

enum end { DONE, SILENT, DIED };

static enum end listen_to(int fd, int seconds, struct findings *findings)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	int64_t deadline = clock_now() + seconds * CLOCK_SECOND;

	for (;;) {
		struct message message;
		int64_t left = deadline - clock_now();
		ssize_t got;

		if (poll(&poller, 1, left > 0 ? (int)(left / 1000000) + 1 : 0) <= 0) {
			if (left > 0)
				continue;
			return SILENT;
		}
		got = read(fd, &message, sizeof(message));
		if (got < 0 && errno == EINTR)
			continue;
		if (got < (ssize_t)offsetof(struct message, text))
			return DIED;
		if (message.kind == END)
			return DONE;
		if (message.kind < PULSE)
			findings_add(findings, (enum finding_level)message.kind, 0, "%.*s",
				     (int)got - (int)offsetof(struct message, text), message.text);
		deadline = clock_now() + seconds * CLOCK_SECOND;
	}
}

static void reap(pid_t pid, bool kill_it)
{
	int64_t deadline = clock_now() + REAP_PATIENCE;

	if (kill_it)
		kill(pid, SIGKILL);
	while (!waitpid(pid, NULL, WNOHANG) && clock_now() < deadline)
		poll(NULL, 0, 10);
}

void supervise_run(supervise_work *work, void *arg, const char *path, int seconds,
		   struct findings *findings)
{
	enum end end;
	sigset_t all, mask_was;
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds)) {
		findings_add(findings, FINDING_ERROR, 0, "cannot check '%s': no sockets: %s", path,
			     strerror(errno));
		return;
	}
	/* From birth: a signal must not end the child before it can clean up. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask_was);
	pid = fork();
	if (!pid) {
		struct supervise supervise = {fds[1]};
		struct findings said = {.hear = say_finding, .arg = &supervise};

		close(fds[0]);
		work(arg, &supervise, &said);
		say(&supervise, END, "");
		_exit(0);
	}
	sigprocmask(SIG_SETMASK, &mask_was, NULL);
	close(fds[1]);
	end = pid < 0 ? DIED : listen_to(fds[0], seconds, findings);
	close(fds[0]);
	if (pid > 0)
		reap(pid, end != DONE);
	if (end == SILENT)
		findings_add(
			findings, FINDING_ERROR, 0,
			"the file system of '%s' has not answered for %d seconds; is its server up?",
			path, seconds);
	else if (end == DIED)
		findings_add(findings, FINDING_ERROR, 0, "the check of '%s' was killed", path);
}

/*
 * Messages on the pipe end with a zero byte: "F LEVEL LINE TEXT" a finding, "P" a pulse, "E" the
 * end. The end of the file does not tell the end: a process of the child's may hold the pipe open.
 */
#include "check/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

#define REAP_PATIENCE CLOCK_SECOND /* what is stuck in the kernel even so is left to init */

struct supervise {
	int fd;
};

/* --- the child ---------------------------------------------------------------------------- */

/* false: nobody listens any more. */
static bool say(const struct supervise *supervise, const char *bytes, size_t size)
{
	while (size) {
		ssize_t sent = write(supervise->fd, bytes, size);

		if (sent < 0 && errno != EINTR)
			return false;
		bytes += sent > 0 ? sent : 0;
		size -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

static void say_finding(void *arg, const struct finding *finding)
{
	char head[32];
	int length = snprintf(head, sizeof(head), "F%d %u ", (int)finding->level, finding->line);

	say(arg, head, (size_t)length);
	say(arg, finding->text, strlen(finding->text) + 1);
}

bool supervise_pulse(struct supervise *supervise)
{
	return say(supervise, "P", 2);
}

static _Noreturn void be_child(supervise_work *work, void *arg, int fd)
{
	struct supervise supervise = {fd};
	struct findings findings = {.hear = say_finding, .arg = &supervise};

	work(arg, &supervise, &findings);
	say(&supervise, "E", 2);
	_exit(0);
}

/* --- the caller --------------------------------------------------------------------------- */

struct hearing {
	struct findings *findings;
	char *text; /* what came of a message that is not complete */
	size_t used, room;
	bool ended;
};

static void hear_message(struct hearing *hearing, const char *message)
{
	int level = *message == 'F' ? message[1] - '0' : -1;
	unsigned long line;
	char *end;

	if (*message == 'E')
		hearing->ended = true;
	if (level < 0 || level >= FINDING_LEVELS)
		return;
	line = strtoul(message + 2, &end, 10);
	findings_add(hearing->findings, (enum finding_level)level, (unsigned)line, "%s",
		     end + (*end == ' '));
}

static bool hear_bytes(struct hearing *hearing, const char *bytes, size_t size)
{
	if (!hearing->text || hearing->used + size > hearing->room) {
		size_t room = 2 * (hearing->used + size + 1);
		char *text = realloc(hearing->text, room);

		if (!text)
			return false;
		hearing->text = text;
		hearing->room = room;
	}
	memcpy(hearing->text + hearing->used, bytes, size);
	hearing->used += size;
	for (;;) {
		char *end = memchr(hearing->text, '\0', hearing->used);
		size_t length;

		if (!end)
			return true;
		hear_message(hearing, hearing->text);
		length = (size_t)(end - hearing->text) + 1;
		hearing->used -= length;
		memmove(hearing->text, end + 1, hearing->used);
	}
}

/* Milliseconds until then, rounded up; 0 if it is past. */
static int milliseconds_to(int64_t deadline)
{
	int64_t left = deadline - clock_now();

	return left > 0 ? (int)(left / 1000000) + 1 : 0;
}

static enum supervise_result listen_to(int fd, struct findings *findings, int64_t patience)
{
	struct hearing hearing = {.findings = findings};
	enum supervise_result result = SUPERVISE_DIED;
	int64_t deadline = clock_now() + patience;
	char bytes[4096];

	while (!hearing.ended) {
		struct pollfd poller = {.fd = fd, .events = POLLIN};
		ssize_t got;

		if (poll(&poller, 1, milliseconds_to(deadline)) <= 0) {
			if (clock_now() < deadline)
				continue;
			result = SUPERVISE_SILENT;
			break;
		}
		got = read(fd, bytes, sizeof(bytes));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || !hear_bytes(&hearing, bytes, (size_t)got))
			break;
		deadline = clock_now() + patience;
	}
	free(hearing.text);
	return hearing.ended ? SUPERVISE_DONE : result;
}

static void reap(pid_t pid, bool kill_it)
{
	int64_t deadline = clock_now() + REAP_PATIENCE;

	if (kill_it)
		kill(pid, SIGKILL);
	while (!waitpid(pid, NULL, WNOHANG) && clock_now() < deadline)
		poll(NULL, 0, 10);
}

enum supervise_result supervise_run(supervise_work *work, void *arg, struct findings *findings,
				    int64_t patience, struct error *err)
{
	enum supervise_result result;
	sigset_t all, mask_was;
	int fds[2];
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC)) {
		error_sys(err, errno, "cannot create a pipe");
		return SUPERVISE_ERROR;
	}
	/* From birth: a signal must not end the child before it can clean up. */
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &mask_was);
	pid = fork();
	if (!pid) {
		close(fds[0]);
		be_child(work, arg, fds[1]);
	}
	sigprocmask(SIG_SETMASK, &mask_was, NULL);
	close(fds[1]);
	if (pid < 0) {
		error_sys(err, errno, "cannot start a process");
		close(fds[0]);
		return SUPERVISE_ERROR;
	}
	result = listen_to(fds[0], findings, patience);
	close(fds[0]);
	reap(pid, result != SUPERVISE_DONE);
	return result;
}

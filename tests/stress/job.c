/*
 * job - the command that the stress test runs under grouplock: says in the trace when it starts and
 * when it ends, with the slots that it was told of and those that it really has open.
 *
 *     job -t TRACE -i ID -m MS [-e STATUS] [-c] [-d MS] [COMMAND...]   COMMAND: a nested call
 *     job -t TRACE -i ID -n                                            what a nested call runs
 *     job -I                                                           the init of a container
 *     job -t TRACE -i ID -L                                            how busy the machine is
 *
 * A line is one write to a file opened with O_APPEND, so the lines of all processes have one order:
 *
 *     start ID CLOCK PID TOLD OPEN     e.g. TOLD default:0,1;link:0  OPEN hw1/default/slot.0@SINCE,...
 *     nested ID CLOCK PID TOLD OPEN
 *     end ID CLOCK                     written before anything is let go
 *     left ID CLOCK                    by the daemon that -d leaves behind, and in the end ...
 *     gone ID CLOCK
 *     bad ID CLOCK WHAT                a nested call did not pass
 *     late ID CLOCK NS                 by -L: a short pause and a fork have taken so much too long
 */
#include <ctype.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FIRST_FD 100
#define LAST_FD 400
#define LINE 8192
#define PAUSE_MS 5
#define LATE_NS 10000000

struct job {
	const char *trace, *id;
	long ms, daemon_ms;
	int status;
	bool closes, inner, init, measures;
	char **command;
};

static void sleep_ms(long ms)
{
	struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

	while (nanosleep(&left, &left))
		;
}

static void say(const struct job *job, const char *what, const char *rest)
{
	char line[LINE];
	struct timespec now;
	int fd = open(job->trace, O_WRONLY | O_APPEND | O_CLOEXEC), length;

	clock_gettime(CLOCK_REALTIME, &now);
	length = snprintf(line, sizeof(line), "%s %s %lld%09ld%s\n", what, job->id,
			  (long long)now.tv_sec, now.tv_nsec, rest);
	if (fd < 0 || length >= LINE || write(fd, line, (size_t)length) != length) {
		perror("job: cannot write the trace");
		_exit(99);
	}
	close(fd);
}

/* GROUPLOCK_SLOT_<LOCK>=0 1 becomes lock:0,1; */
static void put_told(char *out)
{
	static const char prefix[] = "GROUPLOCK_SLOT_";
	char *start = out;

	for (char **variable = environ; *variable; variable++) {
		const char *p = *variable;

		if (strncmp(p, prefix, sizeof(prefix) - 1))
			continue;
		for (p += sizeof(prefix) - 1; *p; p++) {
			if (*p == '=')
				*out++ = ':';
			else
				*out++ = *p == ' ' ? ',' : (char)tolower((unsigned char)*p);
		}
		*out++ = ';';
	}
	if (out == start)
		*out++ = '-';
	*out = '\0';
}

/* What a slot's record says about when the slot was taken. */
static const char *since(int fd, char record[4097])
{
	ssize_t got = pread(fd, record, 4096, 0);
	char *line;

	record[got > 0 ? got : 0] = '\0';
	line = strstr(record, "\nsince ");
	if (!line)
		return "0";
	line += strlen("\nsince ");
	line[strcspn(line, "\n")] = '\0';
	return line;
}

/* The last three parts of each slot's path, with its time. */
static void put_open(char *out)
{
	char *start = out;

	for (int fd = FIRST_FD; fd < LAST_FD; fd++) {
		char link[32], path[PATH_MAX], record[4097], *p;
		ssize_t length;
		int parts = 0;

		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		length = readlink(link, path, sizeof(path) - 1);
		if (length < 0)
			continue;
		path[length] = '\0';
		if (!strstr(path, "/slot."))
			continue; /* whatever the test itself was started with */
		for (p = path + length; p > path && parts < 3; p--)
			parts += p[-1] == '/';
		out += sprintf(out, "%s%s@%s", out == start ? "" : ",", parts == 3 ? p + 1 : path,
			       since(fd, record));
	}
	if (out == start)
		strcpy(out, "-");
}

static void say_slots(const struct job *job, const char *what)
{
	char rest[LINE];
	int used = sprintf(rest, " %ld ", (long)getpid());

	put_told(rest + used);
	strcat(rest, " ");
	put_open(rest + strlen(rest));
	say(job, what, rest);
}

/* Leaves a process behind that has the slots' descriptors open. Returns when that has said so. */
static void leave_daemon(const struct job *job)
{
	int said[2];
	char none;

	if (pipe(said))
		_exit(94);
	if (fork()) {
		close(said[1]);
		if (read(said[0], &none, 1))
			_exit(94);
		close(said[0]);
		return;
	}
	setsid();
	say(job, "left", "");
	close(said[0]);
	close(said[1]);
	sleep_ms(job->daemon_ms);
	say(job, "gone", "");
	_exit(0);
}

static void call(const struct job *job)
{
	char what[64];
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		execv(job->command[0], job->command);
		_exit(98);
	}
	waitpid(pid, &status, 0);
	if (!status)
		return;
	snprintf(what, sizeof(what), " nested-call-%#x", (unsigned)status);
	say(job, "bad", what);
}

/* The end of standard input: whoever started us has ended, or wants us to. False: not yet, after so many ms. */
static bool is_over(int ms)
{
	struct pollfd input = {.fd = 0, .events = POLLIN};

	return poll(&input, 1, ms) > 0;
}

static void measure(const struct job *job)
{
	struct timespec before, after;

	clock_gettime(CLOCK_MONOTONIC, &before);
	while (!is_over(PAUSE_MS)) {
		char rest[32];
		long long late;
		pid_t child = fork();

		if (!child)
			_exit(0);
		waitpid(child, NULL, 0);
		clock_gettime(CLOCK_MONOTONIC, &after);
		late = (after.tv_sec - before.tv_sec) * 1000000000LL + after.tv_nsec -
		       before.tv_nsec - PAUSE_MS * 1000000LL;
		snprintf(rest, sizeof(rest), " %lld", late);
		if (late > LATE_NS)
			say(job, "late", rest);
		before = after;
	}
}

static void be_init(void)
{
	signal(SIGCHLD, SIG_IGN); /* whoever is left to us is reaped by the kernel */
	while (!is_over(-1))
		;
}

static void parse(struct job *job, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "+t:i:m:e:cd:nIL")) != -1) {
		switch (option) {
		case 't':
			job->trace = optarg;
			break;
		case 'i':
			job->id = optarg;
			break;
		case 'm':
			job->ms = atol(optarg);
			break;
		case 'e':
			job->status = atoi(optarg);
			break;
		case 'c':
			job->closes = true;
			break;
		case 'd':
			job->daemon_ms = atol(optarg);
			break;
		case 'n':
			job->inner = true;
			break;
		case 'I':
			job->init = true;
			break;
		case 'L':
			job->measures = true;
			break;
		default:
			exit(97);
		}
	}
	job->command = argv + optind;
}

int main(int argc, char **argv)
{
	struct job job = {.status = 0};

	parse(&job, argc, argv);
	if (job.init || job.measures) {
		if (job.init)
			be_init();
		else
			measure(&job);
		return 0;
	}
	say_slots(&job, job.inner ? "nested" : "start");
	if (job.inner)
		return 0;
	if (job.daemon_ms)
		leave_daemon(&job);
	for (int fd = FIRST_FD; job.closes && fd < LAST_FD; fd++)
		close(fd);
	if (*job.command)
		call(&job);
	sleep_ms(job.ms);
	say(&job, "end", "");
	return job.status;
}

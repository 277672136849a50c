/*
 * watch - sees every ticket that is made, and says in the trace whose it is.
 *
 *     watch TRACE DIR...       DIR is that of one lock: .../GROUP/LOCK
 *
 *     ticket WORKER SINCE GROUP/LOCK NUMBER COUNT
 *     missed ? CLOCK GROUP/LOCK NUMBER         gone before it could be read
 *
 * It opens and reads, and never locks. Ends when its standard input does, and all there was to see
 * has been said.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <time.h>
#include <unistd.h>

#define DIRS 64
#define PENDING 4096
#define TRIES 2000 /* of a millisecond: then its maker died before it wrote the record */

struct ticket {
	int fd, tries;
	const char *lock;
	char number[32];
};

static int trace;
static char *locks[DIRS]; /* by watch descriptor */
static char *dirs[DIRS];
static struct ticket pending[PENDING];
static int count;

static void die(const char *what)
{
	perror(what);
	exit(1);
}

static void say(const char *line)
{
	if (write(trace, line, strlen(line)) != (ssize_t)strlen(line))
		die("watch: cannot write the trace");
}

static void say_missed(const struct ticket *ticket)
{
	char line[512];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	snprintf(line, sizeof(line), "missed ? %lld%09ld %s %s\n", (long long)now.tv_sec,
		 now.tv_nsec, ticket->lock, ticket->number);
	say(line);
}

static bool field(const char *record, const char *key, char *out, size_t size)
{
	char start[32];
	const char *p;

	snprintf(start, sizeof(start), "\n%s ", key);
	p = strstr(record, start);
	if (!p)
		return false;
	p += strlen(start);
	snprintf(out, size, "%.*s", (int)strcspn(p, "\n"), p);
	return true;
}

/* True when it is done with, one way or the other. */
static bool try_ticket(struct ticket *ticket)
{
	char record[4097], worker[256], since[32], wanted[32], line[1024];
	ssize_t got = pread(ticket->fd, record, 4096, 0);

	record[got > 0 ? got : 0] = '\0';
	if (!strstr(record, "\n\n") || !field(record, "worker", worker, sizeof(worker)) ||
	    !field(record, "since", since, sizeof(since)) ||
	    !field(record, "count", wanted, sizeof(wanted))) {
		if (++ticket->tries < TRIES)
			return false;
		say_missed(ticket);
	} else {
		snprintf(line, sizeof(line), "ticket %s %s %s %s %s\n", worker, since, ticket->lock,
			 ticket->number, wanted);
		say(line);
	}
	close(ticket->fd);
	return true;
}

static void try_all(void)
{
	int kept = 0;

	for (int i = 0; i < count; i++) {
		if (!try_ticket(&pending[i]))
			pending[kept++] = pending[i];
	}
	count = kept;
}

static void see(const struct inotify_event *event)
{
	struct ticket ticket = {.tries = 0};
	char path[PATH_MAX];

	if (event->mask & IN_Q_OVERFLOW)
		die("watch: too much at once");
	if (!event->len || strncmp(event->name, "ticket.", 7) || event->wd >= DIRS ||
	    !locks[event->wd])
		return;
	snprintf(ticket.number, sizeof(ticket.number), "%.24s", event->name + 7);
	snprintf(path, sizeof(path), "%s/%s", dirs[event->wd], event->name);
	ticket.lock = locks[event->wd];
	ticket.fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (ticket.fd >= 0 && count < PENDING)
		pending[count++] = ticket;
	else
		say_missed(&ticket);
}

/*
 * A ticket may live for a millisecond only, and to see it is worth more than anybody's time slice.
 * Without the right to be served first, more of them are missed.
 */
static void be_quick(void)
{
	struct sched_param first = {.sched_priority = 1};

	sched_setscheduler(0, SCHED_RR, &first);
}

/* False: there was nothing to see. */
static bool look(int notify)
{
	char buffer[65536] __attribute__((aligned(8)));
	ssize_t got = read(notify, buffer, sizeof(buffer));

	for (char *p = buffer; got > 0 && p < buffer + got;) {
		const struct inotify_event *event = (const struct inotify_event *)(void *)p;

		see(event);
		p += sizeof(*event) + event->len;
	}
	return got > 0;
}

static void add(int notify, char *dir)
{
	int wd = inotify_add_watch(notify, dir, IN_CREATE);
	char *p = dir + strlen(dir);

	if (wd < 0 || wd >= DIRS)
		die(dir);
	for (int parts = 0; p > dir && parts < 2; p--)
		parts += p[-1] == '/';
	dirs[wd] = dir;
	locks[wd] = p + 1;
}

int main(int argc, char **argv)
{
	int notify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	struct pollfd fds[2] = {{.fd = notify, .events = POLLIN}, {.fd = 0, .events = POLLIN}};

	if (argc < 3 || notify < 0)
		die("watch");
	trace = open(argv[1], O_WRONLY | O_APPEND | O_CLOEXEC);
	if (trace < 0)
		die(argv[1]);
	for (int i = 2; i < argc; i++)
		add(notify, argv[i]);
	be_quick();
	say("watching ?\n");
	for (bool ending = false; !ending || count;) {
		if (poll(fds, ending ? 1 : 2, count ? 1 : -1) < 0 && errno != EINTR)
			die("poll");
		ending = ending || fds[1].revents;
		while (look(notify))
			;
		try_all();
	}
	say("watched ?\n");
	return 0;
}

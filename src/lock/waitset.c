#include "lock/waitset.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"

/*
 * The signal that calls a thread back from flock(). Its default is to be ignored, so a stray
 * one from outside, before or after, harms nobody.
 */
#define WAKE_SIGNAL SIGURG

/* Small, but the sanitizers' runtimes want some room; only the pages touched count. */
#define STACK_SIZE ((size_t)128 * 1024)

struct waitset_entry {
	struct waitset_entry *next;
	pthread_t thread;
	bool has_thread; /* if not, it is alone */
	int fd, operation, key, eventfd;
	int errnum;            /* written by the thread before `done` */
	atomic_bool done;      /* the thread's last word */
	atomic_bool cancelled; /* the owner's: do not call flock() again */
};

static void wake(int signum)
{
	(void)signum;
}

static void *wait_for_lock(void *arg)
{
	struct waitset_entry *entry = arg;
	uint64_t one = 1;
	int result;

	do
		result = flock(entry->fd, entry->operation);
	while (result && (errno == EINTR || errno == EAGAIN /* 9p */) &&
	       !atomic_load(&entry->cancelled));
	entry->errnum = result ? errno : 0;
	atomic_store(&entry->done, true);
	while (write(entry->eventfd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

int waitset_open(struct waitset *ws, int stoppable, struct error *err)
{
	struct sigaction action = {.sa_handler = wake}; /* no SA_RESTART: flock() returns EINTR */
	sigset_t stop;

	ws->entries = NULL;
	ws->has_timed = false;
	ws->signalfd = -1;
	ws->eventfd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (ws->eventfd < 0)
		return error_sys(err, errno, "cannot create an eventfd");
	if (stoppable) {
		sigemptyset(&stop);
		sigaddset(&stop, SIGTSTP);
		ws->signalfd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
		if (ws->signalfd < 0) {
			int errnum = errno;

			close(ws->eventfd);
			return error_sys(err, errnum, "cannot create a signalfd");
		}
	}
	sigaction(WAKE_SIGNAL, &action, &ws->wake_was);
	return 0;
}

void waitset_close(struct waitset *ws)
{
	waitset_clear(ws);
	if (ws->has_timed)
		timed_flock_close(&ws->timed);
	/* An ignored signal must be ignored again for the command: exec keeps only that. */
	sigaction(WAKE_SIGNAL, &ws->wake_was, NULL);
	close(ws->eventfd);
	if (ws->signalfd >= 0)
		close(ws->signalfd);
}

/* Signals are the owner's: a waiting thread hears only the one that calls it back. */
static int start(struct waitset_entry *entry)
{
	pthread_attr_t attr;
	sigset_t mask, mask_was;
	int errnum = pthread_attr_init(&attr);

	if (errnum)
		return errnum;
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	sigfillset(&mask);
	sigdelset(&mask, WAKE_SIGNAL);
	pthread_sigmask(SIG_SETMASK, &mask, &mask_was);
	errnum = pthread_create(&entry->thread, &attr, wait_for_lock, entry);
	pthread_sigmask(SIG_SETMASK, &mask_was, NULL);
	pthread_attr_destroy(&attr);
	entry->has_thread = !errnum;
	return errnum;
}

int waitset_add(struct waitset *ws, int fd, int operation, int key)
{
	struct waitset_entry *entry = calloc(1, sizeof(*entry));
	int errnum = 0;

	if (!entry)
		return -1;
	entry->fd = fd;
	entry->operation = operation;
	entry->key = key;
	entry->eventfd = ws->eventfd;
	/* What is alone the owner waits for itself; with one more, that gets a thread, too. */
	if (!ws->entries && !ws->has_timed)
		ws->has_timed = !timed_flock_open(&ws->timed, WAKE_SIGNAL, ws->signalfd >= 0);
	if (ws->entries && !ws->entries->has_thread)
		errnum = start(ws->entries);
	if (!errnum && (ws->entries || !ws->has_timed))
		errnum = start(entry);
	if (errnum) {
		free(entry);
		return -1;
	}
	entry->next = ws->entries;
	ws->entries = entry;
	return 0;
}

static void report(const struct waitset_entry *entry, struct waitset_event *event)
{
	event->kind = entry->errnum ? WAITSET_FAILED : WAITSET_LOCKED;
	event->key = entry->key;
	event->errnum = entry->errnum;
}

/* Takes a finished entry out and reports it. */
static bool reap(struct waitset *ws, struct waitset_event *event)
{
	for (struct waitset_entry **link = &ws->entries; *link; link = &(*link)->next) {
		struct waitset_entry *entry = *link;

		if (!atomic_load(&entry->done))
			continue;
		pthread_join(entry->thread, NULL);
		report(entry, event);
		*link = entry->next;
		free(entry);
		return true;
	}
	return false;
}

/* Blocks in the owner's own flock(). */
static void wait_alone(struct waitset *ws, int64_t deadline, struct waitset_event *event)
{
	struct waitset_entry *entry = ws->entries;

	switch (timed_flock(&ws->timed, entry->fd, entry->operation, deadline)) {
	case TIMED_FLOCK_STOP:
		event->kind = WAITSET_STOP;
		return;
	case TIMED_FLOCK_DEADLINE:
		event->kind = WAITSET_DEADLINE;
		return;
	case TIMED_FLOCK_FAILED:
		entry->errnum = errno;
		break;
	case TIMED_FLOCK_LOCKED:
		break;
	}
	report(entry, event);
	ws->entries = NULL;
	free(entry);
}

void waitset_wait(struct waitset *ws, int64_t deadline, struct waitset_event *event)
{
	if (ws->entries && !ws->entries->has_thread) {
		wait_alone(ws, deadline, event);
		return;
	}
	while (!reap(ws, event)) {
		struct pollfd fds[] = {{.fd = ws->eventfd, .events = POLLIN},
				       {.fd = ws->signalfd, .events = POLLIN}};
		int64_t left =
			deadline == CLOCK_NEVER ? CLOCK_SECOND * 3600 : deadline - clock_now();
		struct timespec timeout = {left / CLOCK_SECOND, left % CLOCK_SECOND};
		uint64_t count;

		if (left <= 0) {
			event->kind = WAITSET_DEADLINE;
			return;
		}
		if (ppoll(fds, 2, &timeout, NULL) < 0)
			continue; /* a signal */
		if (fds[0].revents)
			(void)!read(ws->eventfd, &count, sizeof(count));
		if (fds[1].revents) {
			event->kind = WAITSET_STOP;
			return;
		}
	}
}

/*
 * A thread may be between its look at `cancelled` and flock(): a signal that arrives there is
 * lost, so it is sent again each millisecond until the thread has said that it is done.
 */
void waitset_clear(struct waitset *ws)
{
	for (struct waitset_entry *entry = ws->entries; entry; entry = entry->next)
		atomic_store(&entry->cancelled, true);
	while (ws->entries) {
		struct waitset_entry *entry = ws->entries;
		struct pollfd told = {.fd = ws->eventfd, .events = POLLIN};
		uint64_t count;

		while (entry->has_thread && !atomic_load(&entry->done)) {
			pthread_kill(entry->thread, WAKE_SIGNAL);
			if (poll(&told, 1, 1) > 0)
				(void)!read(ws->eventfd, &count, sizeof(count));
		}
		if (entry->has_thread)
			pthread_join(entry->thread, NULL);
		ws->entries = entry->next;
		free(entry);
	}
}

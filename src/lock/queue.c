#include "lock/queue.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#include "lock/lockfile.h"

#define ENTER_TRIES 1000000 /* numbers found used, if an old copy of the gate was put back */

void queue_name(char out[QUEUE_NAME_SIZE], uint64_t number)
{
	snprintf(out, QUEUE_NAME_SIZE, GATE_TICKET_PREFIX "%" PRIu64, number);
}

/* Whether ticket `number` lives: OK, *fd then being open, or MISSING, or ERROR. Litter is removed. */
static enum lockfile_result probe(struct gate *gate, uint64_t number, int *fd, struct error *err)
{
	char name[QUEUE_NAME_SIZE];
	enum lockfile_result result;

	queue_name(name, number);
	result = lockfile_look(gate->sd, name, fd, err);
	if (result == LOCKFILE_BUSY)
		return LOCKFILE_OK;
	if (result != LOCKFILE_OK)
		return result;
	close(*fd);
	unlinkat(gate->sd->fd, name, 0); /* may fail in a sticky directory: litter stays */
	return LOCKFILE_MISSING;
}

int queue_first(struct gate *gate, int *fd, struct error *err)
{
	struct gate_counters *counters = &gate->counters;

	for (; counters->first < counters->next; counters->first++, gate->dirty = true) {
		enum lockfile_result result = probe(gate, counters->first, fd, err);

		if (result == LOCKFILE_ERROR)
			return -1;
		if (result == LOCKFILE_OK)
			return 0;
	}
	*fd = -1;
	return 0;
}

int queue_is_empty(struct gate *gate, bool *empty, struct error *err)
{
	int fd;

	if (queue_first(gate, &fd, err))
		return -1;
	*empty = fd < 0;
	if (fd >= 0)
		close(fd);
	return 0;
}

int queue_each(struct gate *gate, queue_see *see, void *arg, struct error *err)
{
	int result = 0;

	for (uint64_t number = gate->counters.first; !result && number < gate->counters.next;
	     number++) {
		struct record record;
		int fd;

		switch (probe(gate, number, &fd, err)) {
		case LOCKFILE_OK:
			result = see(arg, record_read(&record, fd) ? &record : NULL);
			close(fd);
			break;
		case LOCKFILE_ERROR:
			return -1;
		default: /* dead */
			break;
		}
	}
	return result;
}

/* Creates and locks ticket `number`. EXISTS or BUSY: the number is somebody's already. */
static enum lockfile_result take(struct gate *gate, uint64_t number, struct ticket *ticket,
				 const struct record_text *text, struct error *err)
{
	char name[QUEUE_NAME_SIZE];
	enum lockfile_result result;

	queue_name(name, number);
	result = lockfile_create(gate->sd, name, &ticket->fd, err);
	if (result != LOCKFILE_OK)
		return result;
	result = lockfile_try(gate->sd, name, ticket->fd, LOCK_EX, err);
	if (result == LOCKFILE_OK && record_write(text, gate->sd, name, ticket->fd, err))
		result = LOCKFILE_ERROR;
	if (result == LOCKFILE_OK)
		return result;
	if (result == LOCKFILE_ERROR)
		unlinkat(gate->sd->fd, name, 0);
	close(ticket->fd);
	ticket->fd = -1;
	return result;
}

int queue_enter(struct gate *gate, struct ticket *ticket, const struct record_text *text,
		struct error *err)
{
	struct gate_counters *counters = &gate->counters;

	for (int i = 0; i < ENTER_TRIES; i++) {
		ticket->number = counters->next;
		switch (take(gate, ticket->number, ticket, text, err)) {
		case LOCKFILE_OK:
			counters->next++;
			gate->dirty = true;
			return 0;
		case LOCKFILE_EXISTS: /* the counters were lost: never take a number twice */
		case LOCKFILE_BUSY:
			counters->next++;
			gate->dirty = true;
			break;
		case LOCKFILE_MISSING:
			return error_set(err, "directory '%s' was removed", gate->sd->path);
		case LOCKFILE_ERROR:
			return -1;
		}
	}
	return error_set(err, "no free ticket number in '%s'; remove the files %s*", gate->sd->path,
			 GATE_TICKET_PREFIX);
}

int queue_heal(struct gate *gate, const struct ticket *ticket, struct error *err)
{
	const struct gate_counters *counters = &gate->counters;

	if (counters->first <= ticket->number && ticket->number < counters->next)
		return 0;
	return gate_rebuild(gate, ticket->number, err);
}

int queue_before(struct gate *gate, const struct ticket *ticket, int *fd, struct error *err)
{
	struct gate_counters *counters = &gate->counters;

	if (queue_heal(gate, ticket, err))
		return -1;
	for (uint64_t number = ticket->number; number-- > counters->first;) {
		enum lockfile_result result = probe(gate, number, fd, err);

		if (result == LOCKFILE_OK)
			return 0;
		if (result == LOCKFILE_ERROR)
			return -1;
	}
	*fd = -1;
	if (counters->first != ticket->number) {
		counters->first = ticket->number;
		gate->dirty = true;
	}
	return 0;
}

int queue_advance(struct gate *gate, const struct ticket *ticket, struct error *err)
{
	if (queue_heal(gate, ticket, err))
		return -1;
	gate->counters.first = ticket->number + 1;
	gate->dirty = true;
	return 0;
}

bool queue_is_intact(const struct statedir *sd, const struct ticket *ticket)
{
	char name[QUEUE_NAME_SIZE];

	queue_name(name, ticket->number);
	return lockfile_is_current(sd, name, ticket->fd);
}

void queue_drop(const struct statedir *sd, struct ticket *ticket)
{
	char name[QUEUE_NAME_SIZE];

	if (ticket->fd < 0)
		return;
	/* Before the lock falls: as long as it is ours, nobody else can have made a file of it. */
	queue_name(name, ticket->number);
	if (queue_is_intact(sd, ticket))
		unlinkat(sd->fd, name, 0);
	close(ticket->fd);
	ticket->fd = -1;
}

uint64_t queue_place(const struct gate_counters *counters, const struct ticket *ticket)
{
	return ticket->number < counters->first ? 1 : ticket->number - counters->first + 1;
}

#include "status/report.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "status/holders.h"
#include "status/look.h"

/* The first pause before another look at what is in doubt, and how often it doubles: 630 ms in all. */
#define FIRST_PAUSE (CLOCK_SECOND / 100)
#define LOOKS 7

const char *report_state_name(enum report_state state)
{
	static const char *const words[] = {
		[REPORT_FREE] = "free",       [REPORT_HELD] = "held",
		[REPORT_LEAKED] = "leaked",   [REPORT_CLOSED] = "closed",
		[REPORT_WAITING] = "waiting", [REPORT_STOPPED] = "stopped",
	};

	return words[state];
}

int64_t report_age(const struct report *report, const struct report_row *row)
{
	int64_t age = -1;

	if (row->state != REPORT_FREE && row->who && row->who->since > 0) {
		age = report->time - row->who->since;
		if (age < 0) /* the clock of another machine, or of this one before it was set */
			age = 0;
	}
	return age;
}

static void free_lock(struct report_lock *lock)
{
	report_clear(lock);
	free(lock->group);
	free(lock->lock);
}

void report_free(struct report *report)
{
	for (unsigned i = 0; i < report->count; i++)
		free_lock(&report->locks[i]);
	free(report->locks);
	*report = (struct report){0};
}

static int look_at_all(struct report *report, const struct report_query *query, struct error *err)
{
	struct timespec pause = {.tv_nsec = FIRST_PAUSE};
	struct proc_identity self;

	proc_self(&self);
	for (int look = 0; look < LOOKS; look++) {
		bool doubtful = false;

		for (unsigned i = 0; i < report->count; i++) {
			struct report_lock *lock = &report->locks[i];
			struct slotset set = {0};

			if (look && !lock->doubtful)
				continue;
			if (lock->limited &&
			    config_slots(query->config, lock->lock, lock->group, &set, err))
				return -1;
			lock->limit = set.count;
			report_look(lock, query->directory, lock->limited ? &set : NULL, &self);
			slotset_free(&set);
			doubtful |= lock->doubtful;
		}
		if (!doubtful || look == LOOKS - 1)
			break;
		nanosleep(&pause, NULL);
		pause.tv_nsec *= 2;
	}
	return 0;
}

/* Locks that the config does not have any more are of interest only while they are in use. */
static void drop_unused(struct report *report)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < report->count; i++) {
		struct report_lock *lock = &report->locks[i];

		if (lock->limited || lock->count || *lock->problem.text)
			report->locks[kept++] = *lock;
		else
			free_lock(lock);
	}
	report->count = kept;
}

int report_gather(struct report *report, const struct report_query *query, struct error *err)
{
	int fd = open(query->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool exists = fd >= 0 || errno != ENOENT;

	*report = (struct report){.directory = query->directory};
	if (fd >= 0)
		close(fd);
	else if (exists)
		return error_sys(err, errno, "cannot read directory '%s'", query->directory);
	if (report_list_locks(report, query, exists, err) || look_at_all(report, query, err)) {
		report_free(report);
		return -1;
	}
	drop_unused(report);
	holders_of_doubtful(report);
	report->time = clock_wall();
	return 0;
}

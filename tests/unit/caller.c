#include "caller.h"

#include <stdio.h>

#include "base/clock.h"
#include "check.h"
#include "lock/gate.h"
#include "tempdir.h"

#define CONFIG_FILE "groups.ini"

/* Often enough that what a test does at a heartbeat is done soon; nothing depends on how often. */
#define BEAT (CLOCK_SECOND / 200)

/* No test comes near it unless what it tests is broken. */
#define LONG (60 * CLOCK_SECOND)

struct statedir caller_sd;
struct error caller_err;
char caller_heard[64];
char caller_last_note[512];
void (*caller_react)(const struct acquire_report *report);

static struct config *config;

void caller_write_config(const char *text)
{
	/* Replaced, not overwritten: nobody must read half of it, nor miss the change. */
	tempdir_write_text("new.ini", text);
	cr_assert(zero(int, rename("new.ini", CONFIG_FILE)));
}

void caller_configure(const char *text)
{
	caller_write_config(text);
	config_free(config);
	config = config_load(CONFIG_FILE, &caller_err);
	cr_assert_not_null(config, "%s", caller_err.text);
}

void caller_setup(void)
{
	tempdir_make();
	tempdir_open_lock(&caller_sd);
	caller_configure("[slots]\n* = 1\n");
}

void caller_teardown(void)
{
	config_free(config);
	statedir_close(&caller_sd);
	tempdir_remove();
}

static void hear(void *arg, const struct acquire_report *report)
{
	static const char letters[] = {
		[ACQUIRE_WAITS] = 'W',   [ACQUIRE_FIRST] = 'F', [ACQUIRE_GOT] = 'G',
		[ACQUIRE_GAVE_UP] = 'X', [ACQUIRE_NOTE] = 'N',
	};
	size_t used = strlen(caller_heard);

	(void)arg;
	if (report->note)
		snprintf(caller_last_note, sizeof(caller_last_note), "%s", report->note);
	if (used + 1 < sizeof(caller_heard) && report->event != ACQUIRE_HEARTBEAT)
		caller_heard[used] = letters[report->event];
	if (caller_react)
		caller_react(report);
}

void caller_prepare(struct caller *caller)
{
	*caller = (struct caller){0};
	caller->job = (struct acquire_job){
		.directory = tempdir,
		.group = "hw1",
		.config = config,
		.record = {.worker = "w1", .command = "make"},
		.kind = RECORD_RUN,
		.wants = caller->wants,
		.deadline = clock_add(clock_now(), LONG),
		.heartbeat = BEAT,
		.tell = hear,
	};
	proc_self(&caller->job.record.process);
}

void caller_want(struct caller *caller, const char *lock, unsigned count)
{
	caller->wants[caller->job.count++] =
		(struct acquire_want){.lock = lock, .count = count, .all = !count};
}

void caller_prepare_for(struct caller *caller, unsigned count)
{
	caller_prepare(caller);
	caller_want(caller, "default", count);
}

void caller_check(struct caller *caller, enum acquire_result expected)
{
	caller_err.text[0] = '\0';
	cr_assert(eq(int, acquire(&caller->job, &caller_err), expected), "%s", caller_err.text);
}

struct ticket caller_enter_queue(unsigned count, const struct proc_identity *process)
{
	struct record record = {
		.kind = RECORD_WAIT, .worker = "other", .process.pid = 1, .count = count};
	struct ticket ticket = {.fd = -1};
	struct record_text text;
	struct gate gate;

	if (process)
		record.process = *process;
	record_format(&record, &text);
	cr_assert(eq(int, gate_open(&gate, &caller_sd, &caller_err), LOCKFILE_OK), "%s",
		  caller_err.text);
	cr_assert(eq(int, gate_try(&gate, &caller_err), LOCKFILE_OK), "%s", caller_err.text);
	cr_assert(zero(int, queue_enter(&gate, &ticket, &text, &caller_err)), "%s",
		  caller_err.text);
	cr_assert(zero(int, gate_leave(&gate, &caller_err)), "%s", caller_err.text);
	gate_close(&gate);
	return ticket;
}

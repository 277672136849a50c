#include "cli/talk.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "cli/say.h"

#define LINE_SIZE 1024
#define SHOWN_COMMAND 60 /* bytes of a holder's command in a line */

void talk_open(struct talk *talk, bool skip_quietly)
{
	*talk = (struct talk){.skip_quietly = skip_quietly,
			      .terminal = isatty(STDERR_FILENO),
			      .caller = getppid()};
}

int64_t talk_interval(const struct talk *talk, int64_t heartbeat)
{
	return talk->terminal ? CLOCK_SECOND : heartbeat;
}

/* What became of a text. Nobody reads, and whoever has called us is gone: nobody wants this wait. */
static void heed(const struct talk *talk, int errnum)
{
	sigset_t pipe;

	if (errnum != EPIPE || getppid() == talk->caller)
		return;
	sigemptyset(&pipe);
	sigaddset(&pipe, SIGPIPE);
	sigprocmask(SIG_UNBLOCK, &pipe, NULL);
	signal(SIGPIPE, SIG_DFL);
	raise(SIGPIPE);
}

static void print_line(struct talk *talk, const char *text)
{
	talk_close(talk);
	heed(talk, say_line(text, SAY_PATIENCE));
}

/*
 * Draws over the line that stands there, cut to the terminal's width so that it never wraps, nor do
 * the blanks over what is left of a longer line: the window may have become narrower since.
 */
static void redraw(struct talk *talk, const char *text)
{
	char line[2 * LINE_SIZE + 16] = "\rgrouplock: ";
	struct winsize window = {0};
	size_t used, width, columns;

	strcat(line, text);
	ioctl(STDERR_FILENO, TIOCGWINSZ, &window);
	width = window.ws_col > 1 ? window.ws_col - 1U : 79;
	used = 1 + utf8_fit(line + 1, width);
	line[used] = '\0';
	columns = utf8_width(line + 1);
	for (size_t drawn = columns; drawn < talk->drawn && drawn < width; drawn++)
		line[used++] = ' ';
	heed(talk, say(line, used, SAY_PATIENCE));
	talk->drawn = columns;
}

void talk_close(struct talk *talk)
{
	if (talk->drawn)
		heed(talk, say("\n", 1, SAY_PATIENCE));
	talk->drawn = 0;
}

static void append(char line[LINE_SIZE], const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void append(char line[LINE_SIZE], const char *format, ...)
{
	size_t used = strlen(line);
	va_list args;

	va_start(args, format);
	vsnprintf(line + used, LINE_SIZE - used, format, args);
	va_end(args);
}

/* "msvc11 (make -j8, pid 4242 on vm2, 12m03s)"; a record's words are a stranger's: escaped. */
static void append_holder(char line[LINE_SIZE], const struct record *record)
{
	char worker[NAME_MAX + 1], host[HOST_NAME_MAX + 1], command[SHOWN_COMMAND + 1],
		age[TEXT_DURATION_SIZE];

	text_escape(worker, sizeof(worker), record->worker);
	text_escape(host, sizeof(host), record->process.host);
	text_escape(command, sizeof(command), record->command);
	text_duration(age, clock_wall() - record->since);
	append(line, "%s (%s%s, pid %ld on %s, %s)", worker, command,
	       strlen(record->command) > SHOWN_COMMAND ? "..." : "", (long)record->process.pid,
	       host, age);
}

/* "hw1 is full (2 of 2): 3rd in the queue after 4m12s; held by ..." */
static void describe(char line[LINE_SIZE], const char *label, const char *waited,
		     const struct acquire_report *report)
{
	if (!report->limit)
		append(line, "%s is closed (0 slots)", label);
	else
		append(line, "%s is %s (%u of %u)", label,
		       report->held >= report->limit ? "full" : "busy", report->held,
		       report->limit);
	if (report->event == ACQUIRE_GAVE_UP && report->waited >= CLOCK_SECOND)
		append(line, ": gave up after %s", waited);
	else if (report->event != ACQUIRE_GAVE_UP)
		append(line, ": %" PRIu64 "%s in the queue after %s", report->place,
		       text_ordinal(report->place), waited);
	if (!report->holders)
		return;
	append(line, "; held by ");
	if (report->holder)
		append_holder(line, report->holder);
	else
		append(line, "unknown");
	if (report->holders > 1)
		append(line, " and %u more", report->holders - 1);
}

static void name_stopped(struct talk *talk, const char *label, const struct proc_identity *head)
{
	char line[LINE_SIZE] = "", host[HOST_NAME_MAX + 1];

	if (talk->terminal && talk->named_head == head->pid)
		return;
	talk->named_head = head->pid;
	text_escape(host, sizeof(host), head->host);
	append(line,
	       "%s has free slots, but the head of the queue, pid %ld on %s, seems to be "
	       "stopped; continue or kill it",
	       label, (long)head->pid, host);
	print_line(talk, line);
}

void talk_tell(void *arg, const struct acquire_report *report)
{
	struct talk *talk = arg;
	const struct grant *grant = report->grant;
	char line[LINE_SIZE] = "", label[CONFIG_LABEL_SIZE], waited[TEXT_DURATION_SIZE];

	config_label(label, report->group, report->lock);
	text_duration(waited, report->waited);
	switch (report->event) {
	case ACQUIRE_GOT:
		append(line, "got %s slot%s", label, grant_count(grant) == 1 ? "" : "s");
		for (unsigned i = 0; i < grant_count(grant); i++)
			append(line, " %s", grant_label(grant, i));
		append(line, " after %s", waited);
		print_line(talk, line);
		return;
	case ACQUIRE_NOTE:
		append(line, "%s: %s", label, report->note);
		print_line(talk, line);
		return;
	case ACQUIRE_GAVE_UP:
		describe(line, label, waited, report);
		if (!talk->skip_quietly)
			print_line(talk, line);
		return;
	case ACQUIRE_WAITS:
	case ACQUIRE_FIRST:
	case ACQUIRE_HEARTBEAT:
		describe(line, label, waited, report);
		if (talk->terminal)
			redraw(talk, line);
		else
			print_line(talk, line);
		if (report->stopped)
			name_stopped(talk, label, &report->stopped->process);
		return;
	}
}

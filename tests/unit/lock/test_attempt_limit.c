/* What becomes of a waiter when the config changes. It looks each second. */
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "caller.h"
#include "check.h"
#include "tempdir.h"

TestSuite(attempt_limit, .init = caller_setup, .fini = caller_teardown, .timeout = 120);

static int holders[2] = {-1, -1};

/* What the config becomes at the first heartbeat, when the head sleeps on the busy slots. */
static const char *changed;

static void change_config(const struct acquire_report *report)
{
	if (report->event == ACQUIRE_HEARTBEAT && changed) {
		caller_write_config(changed);
		changed = NULL;
	}
}

static void hold(unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		char name[32];

		snprintf(name, sizeof(name), "slot.%u", i);
		holders[i] = tempdir_hold(&caller_sd, name, LOCK_EX);
	}
}

static void end_holders(unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		close(holders[i]);
}

static void check_nothing_left(void)
{
	static const char *const names[] = {"slot.0", "slot.1", "slot.2", "ticket.1"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		cr_assert(not(tempdir_is_held(&caller_sd, names[i])), "%s is held", names[i]);
}

Test(attempt_limit, I5_raised_limit_admits_the_head)
{
	struct caller caller;

	hold(1);
	changed = "[slots]\n* = 2\n";
	caller_react = change_config;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WG");
	check_text(grant_file(caller.job.grants[0], 0), "slot.1");
	acquire_release(&caller.job);
	end_holders(1);
	check_nothing_left();
}

Test(attempt_limit, all_is_the_limit_of_when_it_is_admitted)
{
	struct caller caller;

	caller_configure("[slots]\n* = 0\n");
	caller_react = change_config;
	changed = "[slots]\n* = 3\n";
	caller_prepare_for(&caller, 0);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 3));
	acquire_release(&caller.job);
	check_nothing_left();
}

static struct acquire_report told;

static void keep_report(const struct acquire_report *report)
{
	told = *report;
	change_config(report);
}

Test(attempt_limit, closed_group_waits_until_it_is_opened)
{
	struct caller caller;

	caller_configure("[slots]\n* = 0\n");
	caller_react = keep_report;
	caller_prepare_for(&caller, 1);
	caller.job.nonblock = true;
	caller_check(&caller, ACQUIRE_BUSY);
	cr_assert(zero(uint, told.limit));
	cr_assert(zero(uint, told.held));
	caller.job.nonblock = false;
	changed = "[slots]\n* = 1\n";
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "XWG");
	acquire_release(&caller.job);
	check_nothing_left();
}

static enum { LOWER, LOWERED, FIRST_ENDED, SECOND_ENDED } progress;

/*
 * Two slots are held. The limit becomes 1; when that is known the slot below it falls free, and
 * when the waiter has got that, the other.
 */
static void lower_limit(const struct acquire_report *report)
{
	if (report->event != ACQUIRE_HEARTBEAT)
		return;
	if (progress == LOWER) {
		caller_write_config("[slots]\n* = 1\n");
		progress = LOWERED;
	} else if (progress == LOWERED && report->limit == 1) {
		close(holders[0]);
		progress = FIRST_ENDED;
	} else if (progress == FIRST_ENDED && tempdir_is_held(&caller_sd, "slot.0")) {
		close(holders[1]);
		progress = SECOND_ENDED;
	}
}

Test(attempt_limit, I5_lowered_limit_admits_nobody_while_too_many_are_held)
{
	struct caller caller;

	caller_configure("[slots]\n* = 2\n");
	hold(2);
	caller_react = lower_limit;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(int, progress, SECOND_ENDED));
	check_text(grant_file(caller.job.grants[0], 0), "slot.0");
	acquire_release(&caller.job);
	check_nothing_left();
}

Test(attempt_limit, lowered_limit_can_make_a_request_impossible)
{
	struct caller caller;

	caller_configure("[slots]\n* = 2\n");
	hold(2);
	changed = "[slots]\n* = 1\n";
	caller_react = change_config;
	caller_prepare_for(&caller, 2);
	caller_check(&caller, ACQUIRE_ERROR);
	check_has(caller_err.text, "2 slots");
	check_has(caller_err.text, "only 1");
	end_holders(2);
	check_nothing_left();
}

/* Two are asked for. There is one for a moment, as while somebody writes the file; then two. */
static void waver(const struct acquire_report *report)
{
	if (report->event != ACQUIRE_HEARTBEAT)
		return;
	if (progress == LOWER) {
		caller_write_config("[slots]\n* = 1\n");
		progress = LOWERED;
	} else if (progress == LOWERED && report->limit == 1) {
		caller_write_config("[slots]\n* = 2\n");
		end_holders(2);
		progress = FIRST_ENDED;
	}
}

Test(attempt_limit, impossible_limit_is_believed_only_if_it_stays)
{
	struct caller caller;

	caller_configure("[slots]\n* = 2\n");
	hold(2);
	caller_react = waver;
	caller_prepare_for(&caller, 2);
	caller_check(&caller, ACQUIRE_OK);
	cr_assert(eq(int, progress, FIRST_ENDED));
	cr_assert(eq(uint, grant_count(caller.job.grants[0]), 2));
	acquire_release(&caller.job);
	check_nothing_left();
}

Test(attempt_limit, names_that_change_are_the_slots_from_then_on)
{
	struct caller caller;

	caller_configure("[slots]\n* = kit-a\n");
	holders[0] = tempdir_hold(&caller_sd, "slot.kit-a", LOCK_EX);
	changed = "[slots]\n* = Kit-B\n"; /* as many as before */
	caller_react = change_config;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(grant_file(caller.job.grants[0], 0), "slot.kit-b");
	check_text(grant_label(caller.job.grants[0], 0), "Kit-B");
	acquire_release(&caller.job);
	end_holders(1);
}

static int64_t told_at;

/* Mends the config when another look at the broken one has gone by since it was told of. */
static void mend_after_a_while(const struct acquire_report *report)
{
	change_config(report);
	if (report->event == ACQUIRE_NOTE)
		told_at = clock_now();
	if (report->event == ACQUIRE_HEARTBEAT && told_at &&
	    clock_now() > told_at + 3 * CLOCK_SECOND / 2)
		caller_write_config("[slots]\n* = 2\n");
}

Test(attempt_limit, broken_config_keeps_the_last_limit_and_is_told_once)
{
	struct caller caller;

	hold(1);
	changed = "[slots]\n* = 4x\n";
	caller_react = mend_after_a_while;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_text(caller_heard, "WNG");
	check_has(caller_last_note, "limit of 1");
	check_has(caller_last_note, "4x");
	check_text(grant_file(caller.job.grants[0], 0), "slot.1");
	acquire_release(&caller.job);
	end_holders(1);
}

static void remove_config(const struct acquire_report *report)
{
	static bool removed;

	if (report->event == ACQUIRE_HEARTBEAT && !removed) {
		cr_assert(zero(int, unlink("groups.ini")));
		removed = true;
	}
	if (report->event == ACQUIRE_NOTE)
		end_holders(1);
}

Test(attempt_limit, removed_config_keeps_the_last_limit)
{
	struct caller caller;

	hold(1);
	caller_react = remove_config;
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	check_has(caller_last_note, "limit of 1");
	check_has(caller_last_note, "no config file");
	acquire_release(&caller.job);
	check_nothing_left();
}

static void acquire_with(const char *text)
{
	struct caller caller;

	memset(caller_heard, 0, sizeof(caller_heard));
	caller_configure(text);
	caller_prepare_for(&caller, 1);
	caller_check(&caller, ACQUIRE_OK);
	acquire_release(&caller.job);
}

Test(attempt_limit, other_limit_than_the_last_caller_s_is_told_with_both_numbers)
{
	acquire_with("[slots]\n* = 7\n");
	check_text(caller_heard, "");
	acquire_with("[slots]\n* = 7\n");
	check_text(caller_heard, "");
	acquire_with("[slots]\n* = 5\n");
	check_text(caller_heard, "N");
	check_has(caller_last_note, "limit is 5");
	check_has(caller_last_note, "was 7");
	acquire_with("[slots]\n* = 5\n");
	check_text(caller_heard, "");
}

/* Records: what was understood is written and understood again in the same way. */
#include "lock/record.h"
#include "fuzz.h"

static void check_same(const struct record *a, const struct record *b)
{
	MUST(a->state == b->state && a->kind == b->kind);
	MUST(!strcmp(a->id, b->id) && !strcmp(a->worker, b->worker));
	MUST(!strcmp(a->process.host, b->process.host) &&
	     !strcmp(a->process.boot, b->process.boot));
	MUST(a->process.pidns == b->process.pidns && a->process.pid == b->process.pid);
	MUST(a->process.start == b->process.start);
	MUST(a->since == b->since && a->count == b->count);
	MUST(a->bound == b->bound && a->until == b->until && a->sigqueue == b->sigqueue);
	MUST(a->boundstart == b->boundstart && a->script == b->script);
	/* The one field that what all others need may cut. */
	MUST(!strncmp(a->command, b->command, strlen(b->command)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record record, again;
	struct record_text text;

	if (!record_parse(&record, (const char *)data, size)) {
		static const struct record none;

		MUST(!memcmp(&record, &none, sizeof(record)));
		return 0;
	}
	MUST(record.process.pid > 0);
	record_format(&record, &text);
	MUST(text.size <= RECORD_SIZE);
	MUST(!memcmp(text.bytes + RECORD_STATE_OFFSET, record_states[record.state],
		     RECORD_STATE_SIZE));
	MUST(record_parse(&again, text.bytes, text.size));
	check_same(&record, &again);
	return 0;
}

/* The options of `run`, -l above all. Each line is an argument. */
#include <sanitizer/allocator_interface.h>

#include "cli/command.h"
#include "cli/request.h"
#include "fuzz.h"

#define MAX_ARGUMENTS 40

static int take(void *request, int key, const char *argument, struct error *err)
{
	return key == 'k' ? 0 : request_option(request, key, argument, err);
}

static void check(const struct request *request)
{
	MUST(request->want_count >= 1 && request->want_count <= ACQUIRE_MAX_LOCKS);
	MUST(request->conflict_status >= 0 && request->conflict_status <= 255);
	MUST(request->timeout >= 0 && request->heartbeat >= 0);
	for (unsigned i = 0; i < request->want_count; i++) {
		const struct acquire_want *want = &request->wants[i];

		MUST(want->all || (want->count >= 1 && want->count <= CONFIG_MAX_SLOTS));
		for (unsigned j = 0; j < i; j++)
			MUST(strcmp(want->lock, request->wants[j].lock) != 0);
	}
}

/* The names that -l gave, also those of a list that was refused. "default" without -l is a constant. */
static void free_names(struct request *request)
{
	for (unsigned i = 0; i < ACQUIRE_MAX_LOCKS; i++) {
		if (__sanitizer_get_ownership(request->wants[i].lock))
			free((char *)(uintptr_t)request->wants[i].lock);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct request request; /* large */
	struct error err;
	char *text = fuzz_text(data, size), *rest = text;
	char *argv[MAX_ARGUMENTS + 2] = {(char *)(uintptr_t) "run"};
	struct command_call call = {.command = &command_run, .argc = 1, .argv = argv};

	while (call.argc <= MAX_ARGUMENTS && rest)
		argv[call.argc++] = strsep(&rest, "\n");
	memset(&request, 0, sizeof(request));
	if (!request_parse(&request, &call, take, &request, &err))
		check(&request);
	free_names(&request);
	free(text);
	return 0;
}

/* GROUPLOCK_HELD: its entries, and one more in place of those of the same slot. */
#include "lock/held.h"
#include "fuzz.h"

struct tally {
	size_t length; /* of the list: no entry is longer */
	unsigned ours;
};

static void see(void *arg, const char *group, const char *lock, const char *file,
		const char *secret)
{
	struct tally *tally = arg;

	MUST(*group && *lock && *file && *secret);
	MUST(strlen(group) + strlen(lock) + strlen(file) + strlen(secret) < tally->length);
	MUST(!strpbrk(group, "/ ") && !strpbrk(lock, "/ ") && !strpbrk(file, "/ "));
	tally->ours += !strcmp(group, "hw1") && !strcmp(lock, "default") &&
		       !strcmp(file, "slot.0") &&
		       !strcmp(secret, "0123456789abcdef0123456789abcdef");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *list = fuzz_text(data, size), *longer = strdup(list);
	struct tally tally = {.length = strlen(list)};

	MUST(longer);
	held_list(list, see, &tally);
	held_mentions(list, "hw1", "default");
	MUST(!held_append(&longer, "hw1", "default", "slot.0", "0123456789abcdef0123456789abcdef"));
	MUST(held_mentions(longer, "hw1", "default"));
	tally = (struct tally){.length = strlen(longer)};
	held_list(longer, see, &tally);
	MUST(tally.ours == 1);
	free(longer);
	free(list);
	return 0;
}

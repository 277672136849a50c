/* Numbers and durations: one that is taken is all of the text, and within its bounds. */
#include <inttypes.h>

#include "base/num.h"
#include "fuzz.h"

static void check_number(const char *text, uint64_t max)
{
	uint64_t value;
	char again[24];

	if (!num_parse(text, max, &value))
		return;
	MUST(value <= max);
	snprintf(again, sizeof(again), "%" PRIu64, value);
	MUST(!strcmp(text, again));
}

static void check_duration(const char *text)
{
	int64_t ns;
	size_t digits = strspn(text, "0123456789.");

	if (!num_parse_duration(text, &ns))
		return;
	MUST(ns >= 0 && ns <= INT64_C(100000) * 86400 * 1000000000);
	MUST(digits && (!text[digits] || (strchr("smhd", text[digits]) && !text[digits + 1])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint64_t limits[] = {0, 1, 255, 1023, 1024, UINT32_MAX, UINT64_MAX};
	char *text = fuzz_text(data, size);

	for (size_t i = 0; i < sizeof(limits) / sizeof(*limits); i++)
		check_number(text, limits[i]);
	check_duration(text);
	free(text);
	return 0;
}

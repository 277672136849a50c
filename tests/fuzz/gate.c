/* The gate's content: what is taken is exactly what would be written. */
#include "lock/gate.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct gate_counters counters;
	char again[GATE_SIZE];

	if (!gate_parse(&counters, (const char *)data, size))
		return 0;
	MUST(counters.first >= 1 && counters.first <= counters.next);
	MUST(counters.limit <= 1024 || counters.limit == GATE_NO_LIMIT);
	MUST(counters.top <= 1024);
	gate_format(again, &counters);
	MUST(size == sizeof(again) && !memcmp(data, again, size));
	return 0;
}

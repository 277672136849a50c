#include "base/num.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "check.h"

static const char *const no_numbers[] = {
	"",    " ",     "-1",  "+1",  "-0", "00",  "01",       "010",  "4x",
	"x4",  " 4",    "4 ",  "4\n", "4,", "1.0", "1e3",      "0x10", "0b1",
	"1_0", "1'000", "--1", "\t1", "/",  ":",   "\xd9\xa3", "\xff", "99999999999999999999999999",
};

Test(num, number_is_read)
{
	static const struct {
		const char *text;
		uint64_t value;
	} numbers[] = {
		{"0", 0},
		{"1", 1},
		{"9", 9},
		{"10", 10},
		{"1024", 1024},
		{"4294967296", UINT64_C(4294967296)},
		{"18446744073709551615", UINT64_MAX},
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		uint64_t value = 77;

		cr_assert(num_parse(numbers[i].text, UINT64_MAX, &value), "refused '%s'",
			  numbers[i].text);
		cr_assert(eq(u64, value, numbers[i].value));
	}
}

Test(num, what_is_no_number_is_refused_and_leaves_the_value_alone)
{
	for (size_t i = 0; i < sizeof(no_numbers) / sizeof(*no_numbers); i++) {
		uint64_t value = 77;

		cr_assert(not(num_parse(no_numbers[i], UINT64_MAX, &value)), "took '%s'",
			  no_numbers[i]);
		cr_assert(eq(u64, value, 77));
	}
}

/* One less than the maximum, itself, one more, and ten times as much. */
Test(num, maximum_is_the_last_that_is_read)
{
	static const uint64_t maxima[] = {
		1,
		5,
		9,
		10,
		11,
		99,
		100,
		1023,
		1024,
		INT32_MAX,
		UINT32_MAX,
		INT64_MAX,
		UINT64_MAX - 1,
	};

	for (size_t i = 0; i < sizeof(maxima) / sizeof(*maxima); i++) {
		uint64_t max = maxima[i], value;
		char text[32];

		for (uint64_t n = max - 1; n <= max; n++) {
			snprintf(text, sizeof(text), "%" PRIu64, n);
			cr_assert(num_parse(text, max, &value) && value == n, "%s of %" PRIu64,
				  text, max);
		}
		snprintf(text, sizeof(text), "%" PRIu64, max + 1);
		cr_assert(not(num_parse(text, max, &value)), "%s of %" PRIu64, text, max);
		snprintf(text, sizeof(text), "%" PRIu64 "0", max);
		cr_assert(not(num_parse(text, max, &value)), "%s of %" PRIu64, text, max);
	}
}

Test(num, maximum_of_zero_takes_only_zero)
{
	uint64_t value = 77;

	cr_assert(num_parse("0", 0, &value));
	cr_assert(eq(u64, value, 0));
	cr_assert(not(num_parse("1", 0, &value)));
	cr_assert(not(num_parse("10", 0, &value)));
}

Test(num, number_does_not_wrap)
{
	uint64_t value = 77;

	cr_assert(not(num_parse("18446744073709551616", UINT64_MAX, &value)));
	cr_assert(not(num_parse("18446744073709551617", 1024, &value)));
	cr_assert(not(num_parse("4294967297", 1024, &value)));
	cr_assert(eq(u64, value, 77));
}

Test(num, duration_is_read)
{
	static const struct {
		const char *text;
		int64_t ns;
	} durations[] = {
		{"0", 0},
		{"0s", 0},
		{"0.0", 0},
		{"1", CLOCK_SECOND},
		{"30", 30 * CLOCK_SECOND},
		{"5s", 5 * CLOCK_SECOND},
		{"1.5", CLOCK_SECOND * 3 / 2},
		{".5", CLOCK_SECOND / 2},
		{"2.", 2 * CLOCK_SECOND},
		{"10m", 600 * CLOCK_SECOND},
		{"0.5m", 30 * CLOCK_SECOND},
		{"2h", 7200 * CLOCK_SECOND},
		{"1.25h", 4500 * CLOCK_SECOND},
		{"1d", 86400 * CLOCK_SECOND},
		{".1d", 8640 * CLOCK_SECOND},
		{"0.000000001", 1},
		{"1.000000001s", CLOCK_SECOND + 1},
		{"0.0000000019", 1},
		{"0.9999999999999999999999999999", CLOCK_SECOND - 1},
		{"100000d", INT64_C(8640000000) * CLOCK_SECOND},
		{"8640000000", INT64_C(8640000000) * CLOCK_SECOND},
	};

	for (size_t i = 0; i < sizeof(durations) / sizeof(*durations); i++) {
		int64_t ns = 77;

		cr_assert(num_parse_duration(durations[i].text, &ns), "refused '%s'",
			  durations[i].text);
		cr_assert(eq(i64, ns, durations[i].ns), "'%s'", durations[i].text);
	}
}

Test(num, what_is_no_duration_is_refused_and_leaves_the_value_alone)
{
	static const char *const texts[] = {
		"",         " ",     "s",     "m",   ".",   ".s",       "-1",  "+1",
		"-0.5",     "1x",    "1S",    "1M",  "1ms", "1ss",      "1 s", " 1",
		"1 ",       "1.5.5", "1..5",  "1,5", "1e3", "0x1",      "inf", "nan",
		"infinity", "1m30",  "1h30m", "s1",  "abc", "\xd9\xa3", "1\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int64_t ns = 77;

		cr_assert(not(num_parse_duration(texts[i], &ns)), "took '%s'", texts[i]);
		cr_assert(eq(i64, ns, 77));
	}
}

Test(num, duration_of_more_than_100000_days_is_refused)
{
	static const char *const texts[] = {
		"100001d",
		"8640000001",
		"2400001h",
		"144000001m",
		"99999999999d",
		"9223372036854775807s",
		"99999999999999999999",
		"18446744073709551617",
		"8640000000.5",
		"100000.5d",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		int64_t ns = 77;

		cr_assert(not(num_parse_duration(texts[i], &ns)), "took '%s' as %" PRId64 " ns",
			  texts[i], ns);
		cr_assert(eq(i64, ns, 77));
	}
}

#include "base/num.h"

#include <string.h>

#define NS_PER_SECOND INT64_C(1000000000)
#define DURATION_MAX_SECONDS (INT64_C(100000) * 86400)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

bool num_parse(const char *text, uint64_t max, uint64_t *value)
{
	uint64_t sum = 0;

	if (!is_digit(text[0]) || (text[0] == '0' && text[1]))
		return false;
	for (; *text; text++) {
		uint64_t digit = (uint64_t)(*text - '0');

		if (!is_digit(*text) || digit > max || sum > (max - digit) / 10)
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

bool num_parse_duration(const char *text, int64_t *ns)
{
	static const struct {
		char suffix[2];
		int64_t seconds;
	} units[] = {{"", 1}, {"s", 1}, {"m", 60}, {"h", 3600}, {"d", 86400}};
	int64_t whole = 0, fraction = 0, scale = NS_PER_SECOND, unit = 0;
	bool digits = false;

	for (; is_digit(*text); text++, digits = true) {
		whole = whole * 10 + (*text - '0');
		if (whole > DURATION_MAX_SECONDS)
			return false;
	}
	if (*text == '.') {
		for (text++; is_digit(*text); text++, digits = true) {
			scale /= 10;
			fraction += (*text - '0') * scale; /* below a nanosecond: 0 */
		}
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (!strcmp(text, units[i].suffix))
			unit = units[i].seconds;
	}
	if (!digits || !unit || whole > DURATION_MAX_SECONDS / unit ||
	    (whole == DURATION_MAX_SECONDS / unit && fraction))
		return false;
	*ns = whole * unit * NS_PER_SECOND + fraction * unit;
	return true;
}

#include "base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"

void text_escape(char *out, size_t size, const char *in)
{
	size_t used = 0;

	while (*in) {
		unsigned char c = (unsigned char)*in;
		size_t length = utf8_shown_length(in);

		if (used + (length ? length : 4) >= size)
			break;
		if (length) {
			memcpy(out + used, in, length);
			used += length;
			in += length;
			continue;
		}
		text_hex(stpcpy(out + used, "\\x"), c);
		used += 4;
		in++;
	}
	out[used] = '\0';
}

char *text_hex(char *out, unsigned char byte)
{
	static const char digits[] = "0123456789abcdef";

	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int text_unhex(const char *digits)
{
	int high = hex_digit(digits[0]), low = high < 0 ? -1 : hex_digit(digits[1]);

	return low < 0 ? -1 : high << 4 | low;
}

void text_duration(char out[TEXT_DURATION_SIZE], int64_t ns)
{
	int64_t s = ns > 0 ? ns / 1000000000 : 0;

	if (s < 60)
		snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 "s", s);
	else if (s < 3600)
		snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 "m%02" PRId64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 "h%02" PRId64 "m", s / 3600,
			 s / 60 % 60);
	else
		snprintf(out, TEXT_DURATION_SIZE, "%" PRId64 "d%02" PRId64 "h", s / 86400,
			 s / 3600 % 24);
}

const char *text_ordinal(unsigned long long n)
{
	static const char *const suffixes[] = {"th", "st", "nd", "rd"};

	return n % 10 > 3 || n % 100 / 10 == 1 ? "th" : suffixes[n % 10];
}

void text_fold(char *name)
{
	for (; *name; name++) {
		if (*name >= 'A' && *name <= 'Z')
			*name = (char)(*name - 'A' + 'a');
	}
}

bool text_is_folded(const char *name)
{
	return !strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

void text_variable(char *name)
{
	for (; *name; name++) {
		if (*name >= 'a' && *name <= 'z')
			*name = (char)(*name - 'a' + 'A');
		else if (!(*name >= 'A' && *name <= 'Z') && !(*name >= '0' && *name <= '9'))
			*name = '_';
	}
}

char *text_quote(const char *in, bool always)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
				    "%+,-./:@_";
	char *out = malloc(4 * strlen(in) + 3), *p = out;

	if (!out)
		return NULL;
	if (!always && *in && !in[strspn(in, plain)])
		return strcpy(out, in);
	*p++ = '\'';
	for (; *in; in++)
		p = *in == '\'' ? stpcpy(p, "'\\''") : stpcpy(p, (char[]){*in, '\0'});
	strcpy(p, "'");
	return out;
}

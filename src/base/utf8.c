#include "base/utf8.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define REPLACEMENT "\xef\xbf\xbd"

/* utf8_length(), and which character that is. */
static size_t decode(const char *text, uint32_t *character)
{
	static const uint32_t lowest[] = {0, 0, 0x80, 0x800, 0x10000}; /* below: overlong */
	unsigned char first = (unsigned char)*text;
	size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;

	*character = first < 0x80 ? first : first & (0x7fU >> length);
	if (first < 0x80)
		return first ? 1 : 0;
	if (first < 0xc0 || first > 0xf4)
		return 0;
	for (size_t i = 1; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		if ((c & 0xc0) != 0x80) /* the terminator too */
			return 0;
		*character = *character << 6 | (c & 0x3f);
	}
	if (*character < lowest[length] || *character > 0x10ffff ||
	    (*character >= 0xd800 && *character <= 0xdfff))
		return 0;
	return length;
}

size_t utf8_length(const char *text)
{
	uint32_t character;

	return decode(text, &character);
}

size_t utf8_shown_length(const char *text)
{
	static const uint32_t hidden[][2] = {
		{0, 0x1f},        {0x7f, 0x9f},     {0xad, 0xad},       {0x61c, 0x61c},
		{0x180e, 0x180e}, {0x200b, 0x200f}, {0x2028, 0x202e},   {0x2060, 0x206f},
		{0xfeff, 0xfeff}, {0xfff9, 0xfffb}, {0xe0000, 0xe0fff},
	};
	uint32_t character;
	size_t length = decode(text, &character);

	for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
		if (character >= hidden[i][0] && character <= hidden[i][1])
			return 0;
	}
	return length;
}

char *utf8_mend(const char *text)
{
	char *out = malloc(strlen(text) * (sizeof(REPLACEMENT) - 1) + 1), *p = out;

	if (!out)
		return NULL;
	while (*text) {
		size_t length = utf8_length(text);

		if (length) {
			memcpy(p, text, length);
			p += length;
			text += length;
		} else {
			p = stpcpy(p, REPLACEMENT);
			text++;
		}
	}
	*p = '\0';
	return out;
}

size_t utf8_fit(const char *text, size_t width)
{
	const char *p = text;

	for (; *p && width; width--) {
		size_t length = utf8_length(p);

		p += length ? length : 1;
	}
	return (size_t)(p - text);
}

size_t utf8_width(const char *text)
{
	size_t width = 0;

	for (; *text; width++) {
		size_t length = utf8_length(text);

		text += length ? length : 1;
	}
	return width;
}

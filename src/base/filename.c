#include "base/filename.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"

int filename_encode(char out[NAME_MAX + 1], const char *prefix, const char *what, const char *name,
		    struct error *err)
{
	size_t used = strlen(prefix);

	if (!*name)
		return error_set(err, "the %s name is empty", what);
	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return error_set(err, "bad %s name '%s': it is a directory's", what, name);
	memcpy(out, prefix, used);
	for (const char *p = name; *p; p++) {
		unsigned char c = (unsigned char)*p;
		bool plain = filename_is_plain(*p) && !(c == '.' && p == name);

		if (c == '/' || c < 32 || c == 127)
			return error_set(err, "bad %s name '%s': it has a %s", what, name,
					 c == '/' ? "slash" : "control character");
		if (used + (plain ? 1 : 3) > NAME_MAX)
			return error_set(err, "bad %s name '%.40s...': too long for a file name",
					 what, name);
		if (plain) {
			out[used++] = (char)c;
			continue;
		}
		used += (size_t)sprintf(out + used, "%%%02X", c);
	}
	out[used] = '\0';
	return 0;
}

bool filename_decode(char out[NAME_MAX + 1], const char *file)
{
	char again[NAME_MAX + 1];
	struct error ignored;
	size_t used = 0;

	for (const char *p = file; *p && used < NAME_MAX; p++) {
		out[used] = *p;
		if (*p == '%') {
			int byte = text_unhex(p + 1);

			if (byte < 0)
				return false;
			out[used] = (char)byte;
			p += 2;
		}
		used++;
	}
	out[used] = '\0';
	return !filename_encode(again, "", "file", out, &ignored) && !strcmp(again, file);
}

#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

__attribute__((format(printf, 3, 0))) static void set(struct error *err, const char *reason,
						      const char *format, va_list args)
{
	char raw[sizeof(err->text)];
	size_t used;

	vsnprintf(raw, sizeof(raw), format, args);
	used = strlen(raw);
	if (reason)
		snprintf(raw + used, sizeof(raw) - used, ": %s", reason);
	/* File names, arguments and config values are arbitrary bytes: one line stays one line. */
	text_escape(err->text, sizeof(err->text), raw);
}

int error_set(struct error *err, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, NULL, format, args);
	va_end(args);
	return -1;
}

int error_sys(struct error *err, int errnum, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	set(err, strerror(errnum), format, args);
	va_end(args);
	return -1;
}

/* Patterns, three lines: if the first covers the second, it matches what the second matches. */
#include <fnmatch.h>

#include "check/glob.h"
#include "fuzz.h"

static bool is_name(const char *text)
{
	for (const char *p = text; *p; p++) {
		if (*p == '/' || (unsigned char)*p < 32 || *p == 127 || (*p >= 'A' && *p <= 'Z'))
			return false;
	}
	return *text;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *rest = text;
	const char *first = strsep(&rest, "\n"), *second = rest ? strsep(&rest, "\n") : "",
		   *name = rest ? rest : "";
	struct glob *wide = glob_compile(first), *narrow = glob_compile(second);

	if (wide && narrow && is_name(name) && !fnmatch(second, name, 0)) {
		MUST(!glob_is_void(narrow));
		if (glob_covers(wide, narrow))
			MUST(!fnmatch(first, name, 0));
	}
	glob_free(wide);
	glob_free(narrow);
	free(text);
	return 0;
}

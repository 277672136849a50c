#include "base/jsonout.h"

#include <stdlib.h>

#include "check.h"

static int left; /* allocations of jansson's until one fails, and only that */

static void *allocate(size_t size)
{
	return left-- == 0 ? NULL : malloc(size);
}

static void fini(void)
{
	json_set_alloc_funcs(malloc, free);
}

TestSuite(jsonout, .fini = fini);

/* What is printed of a small document when the allocation after so many fails; NULL: nothing. */
static char *printed(int allocations)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	json_t *root, *list;
	int result;

	left = allocations;
	json_set_alloc_funcs(allocate, free);
	root = json_object();
	list = json_array();
	jsonout_append(&list, json_integer(1));
	jsonout_append(&list, jsonout_text("two"));
	jsonout_set(&root, "list", list);
	jsonout_set(&root, "seconds", jsonout_seconds(1500000000));
	jsonout_set(&root, "time", jsonout_time(0));
	result = jsonout_print(out, root);
	fini();
	fclose(out);
	if (!result)
		return text;
	free(text);
	return NULL;
}

Test(jsonout, document_without_a_value_is_none)
{
	char *whole = printed(1000);
	int refused = 0;

	check_text(whole, "{\n  \"list\": [\n    1,\n    \"two\"\n  ],\n  \"seconds\": 1.5,\n"
			  "  \"time\": null\n}\n");
	for (int i = 0; i < 20; i++) {
		char *text = printed(i);

		if (text)
			check_text(text, whole);
		refused += !text;
		free(text);
	}
	cr_assert(gt(int, refused, 8));
	free(whole);
}

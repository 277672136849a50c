#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "base/suggest.h"
#include "base/text.h"
#include "check/lint_file.h"
#include "config/config.h"

static int out_of_memory(struct error *err)
{
	return error_sys(err, ENOMEM, "cannot compare the entries of a file");
}

/* --- what is there twice ------------------------------------------------------------------ */

static int by_name(const void *left, const void *right)
{
	const struct lint_item *a = *(struct lint_item *const *)left,
			       *b = *(struct lint_item *const *)right;
	int order = strcmp(a->name, b->name);

	if (!order)
		order = !a->value - !b->value; /* a lock's name may look like an entry */
	return order ? order : (a > b) - (a < b);
}

static void say_duplicate(const struct lint_file *file, const struct lint_item *first,
			  const struct lint_item *again)
{
	const char *how =
		strcmp(first->spelled, again->spelled) != 0 ? " (names are case-insensitive)" : "";

	if (again->key)
		findings_add(
			file->findings, FINDING_ERROR, again->line,
			"section [%s]: key '%s' is already in line %u%s; the later one would win",
			again->section, again->spelled, first->line, how);
	else
		findings_add(file->findings, FINDING_ERROR, again->line,
			     "section [%s] is already in line %u%s; merge the two", again->spelled,
			     first->line, how);
}

static int find_duplicates(struct lint_file *file, struct error *err)
{
	struct lint_item **sorted = malloc((file->count + 1) * sizeof(*sorted));
	struct lint_item *first = NULL;

	if (!sorted)
		return out_of_memory(err);
	for (size_t i = 0; i < file->count; i++)
		sorted[i] = &file->items[i];
	qsort(sorted, file->count, sizeof(struct lint_item *), by_name);
	for (size_t i = 0; i < file->count; i++) {
		if (first && !strcmp(first->name, sorted[i]->name) &&
		    !first->value == !sorted[i]->value) {
			say_duplicate(file, first, sorted[i]);
			sorted[i]->bad = true;
		} else {
			first = sorted[i];
		}
	}
	free(sorted);
	return 0;
}

/* --- patterns ----------------------------------------------------------------------------- */

static bool has_pattern(const struct lint_item *item)
{
	return item->key && !item->bad && strcmp(item->section, CONFIG_SECTION_MAIN) != 0 &&
	       config_is_pattern(item->key);
}

/* A byte that no file has: config_text_allows(). */
#define ANY '\001'

/*
 * Whether `earlier` matches all that `later` does. What later's stars and question marks stand for
 * may be bytes that earlier does not have, and then only earlier's stars can take them: so one name
 * with such a byte in their places decides for all names. Of an earlier question mark, and of brackets, it would
 * not: they are not judged.
 */
static bool covers(const char *earlier, const char *later)
{
	char name[JUDGE_SIZE], *out = name;

	if (earlier[strcspn(earlier, "?[")] || strchr(later, '['))
		return false;
	for (; *later; later++) {
		bool is_any = *later == '*' || *later == '?';

		later += *later == '\\';
		*out++ = is_any ? ANY : *later;
	}
	*out = '\0';
	return !fnmatch(earlier, name, 0);
}

static void check_pattern(const struct lint_file *file, const struct lint_item *item)
{
	bool is_last_resort = !strcmp(item->key, "*"); /* tried last wherever it stands */

	/* No name has a slash or a control character: filename_encode(). */
	if (!strchr(item->key, '[') && item->key[strcspn(item->key, "/\t\v\f\r")]) {
		findings_add(file->findings, FINDING_WARNING, item->line,
			     "section [%s]: pattern '%s' can match no name", item->section,
			     item->key);
		return;
	}
	for (size_t i = 0; i < file->count; i++) {
		const struct lint_item *other = &file->items[i];

		if (other == item && !is_last_resort)
			return;
		if (other == item || !has_pattern(other) || !strcmp(other->key, "*") ||
		    strcmp(other->section, item->section) != 0 || !covers(other->key, item->key))
			continue;
		findings_add(file->findings, FINDING_WARNING, item->line,
			     "section [%s]: pattern '%s' is never used: '%s' in line %u is tried "
			     "first and matches everything that it matches",
			     item->section, item->key, other->key, other->line);
		return;
	}
}

/* --- groups ------------------------------------------------------------------------------- */

struct group {
	const char *spelled; /* as it is where it stands first */
	unsigned line;
	unsigned slots_line; /* where it is given slots first, or 0 */
	bool has_worker;
	bool told; /* that it has two spellings */
};

struct groups {
	struct group *list;
	size_t count;
};

static void mention(struct groups *groups, const struct lint_file *file,
		    const struct lint_item *item, const char *spelled, bool is_worker)
{
	struct group *group = groups->list;
	size_t i = 0;

	while (i < groups->count && strcasecmp(group->spelled, spelled) != 0) {
		i++;
		group++;
	}
	if (i == groups->count)
		groups->list[groups->count++] =
			(struct group){.spelled = spelled, .line = item->line};
	else if (strcmp(group->spelled, spelled) != 0 && !group->told)
		findings_add(
			file->findings, FINDING_WARNING, item->line,
			"group '%s' is spelled '%s' in line %u; both are one group, since names "
			"are case-insensitive",
			spelled, group->spelled, group->line);
	group->told |= strcmp(group->spelled, spelled) != 0;
	group->has_worker |= is_worker;
	if (!is_worker && !group->slots_line)
		group->slots_line = item->line;
}

/* A group that has workers but no slots of its own may be the one that was meant. */
static void say_without_worker(const struct lint_file *file, const struct groups *groups,
			       const struct group *group)
{
	struct suggest suggest;
	struct error text;

	suggest_begin(&suggest, group->spelled);
	for (size_t i = 0; i < groups->count; i++) {
		if (groups->list[i].has_worker && !groups->list[i].slots_line &&
		    !suggest_is_numbering(group->spelled, groups->list[i].spelled))
			suggest_offer(&suggest, groups->list[i].spelled);
	}
	error_set(&text,
		  "group '%s' has slots, but [workers] maps no worker to it; if that is a worker, "
		  "say '%s = %s' there",
		  group->spelled, group->spelled, group->spelled);
	suggest_append(&suggest, &text);
	findings_add(file->findings, FINDING_WARNING, group->slots_line, "%s", text.text);
}

static int check_groups(struct lint_file *file, struct error *err)
{
	struct groups groups = {.list = malloc((file->count + 1) * sizeof(*groups.list))};
	bool has_map = false; /* without one, every worker is a group of its own */

	if (!groups.list)
		return out_of_memory(err);
	for (size_t i = 0; i < file->count; i++) {
		const struct lint_item *item = &file->items[i];

		if (item->bad || !item->key || !strcmp(item->section, CONFIG_SECTION_MAIN))
			continue;
		if (!strcmp(item->section, CONFIG_SECTION_WORKERS)) {
			size_t length = strlen(item->value);

			/* Only quotes can do that, and nobody sees that the group is another one. */
			if (length && (item->value[0] == ' ' || item->value[length - 1] == ' '))
				findings_add(
					file->findings, FINDING_WARNING, item->line,
					"group '%s' begins or ends with a blank, which makes it a group of its "
					"own; the quotes keep the blank",
					item->value);
			mention(&groups, file, item, item->value, true);
		} else if (!config_is_pattern(item->key)) {
			mention(&groups, file, item, item->spelled, false);
		}
	}
	for (size_t i = 0; i < groups.count; i++)
		has_map |= groups.list[i].has_worker;
	for (size_t i = 0; has_map && i < groups.count; i++) {
		if (!groups.list[i].has_worker)
			say_without_worker(file, &groups, &groups.list[i]);
	}
	free(groups.list);
	return 0;
}

int lint_rules(struct lint_file *file, struct error *err)
{
	if (find_duplicates(file, err))
		return -1;
	for (size_t i = 0; i < file->count; i++) {
		if (has_pattern(&file->items[i]))
			check_pattern(file, &file->items[i]);
	}
	return check_groups(file, err);
}

#include "config/config.h"

#include <errno.h>
#include <fnmatch.h>
#include <iniparser.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/memfile.h"
#include "base/names.h"
#include "base/num.h"
#include "base/suggest.h"
#include "base/text.h"
#include "config/config_text.h"

#define LOCK_PREFIX CONFIG_SECTION_SLOTS " "
#define DEFAULT_SLOTS 1
#define INI_SIZE 1024 /* of any name or key: iniparser reads no longer line */

#define END_SECTION "\002" /* no file has it: config_text_allows() */

struct config {
	char *path;
	struct stat identity; /* as it was before it was read */
	dictionary *ini;
	struct names locks; /* default first; the rest in file order */
};

/* iniparser reports by a callback without an argument, so what it said last stays here. */
static char parser_said[512];

__attribute__((format(printf, 1, 2))) static int hear_parser(const char *format, ...)
{
	va_list args;

	if (*parser_said) /* the first complaint is the one to mend first */
		return 0;
	va_start(args, format);
	vsnprintf(parser_said, sizeof(parser_said), format, args);
	va_end(args);
	return 0;
}

/* --- values ------------------------------------------------------------------------------ */

void slotset_free(struct slotset *slots)
{
	free(slots->names);
	free(slots->storage);
	*slots = (struct slotset){0};
}

static int parse_names(struct slotset *slots, const char *value, struct error *err)
{
	char *save = NULL, **names = calloc(strlen(value) / 2 + 1, sizeof(*names));
	unsigned count = 0;

	slots->names = names;
	slots->storage = strdup(value);
	if (!slots->storage || !names)
		return error_sys(err, ENOMEM, "cannot read slot names");
	for (char *name = strtok_r(slots->storage, " \t,", &save); name;
	     name = strtok_r(NULL, " \t,", &save)) {
		char file[NAME_MAX + 1];

		if (filename_encode(file, "slot.", "slot", name, err))
			return -1;
		if (!name[strspn(name, "0123456789")])
			return error_set(err, "slot name '%s' is a number", name);
		for (unsigned i = 0; i < count; i++) {
			if (!strcasecmp(names[i], name))
				return error_set(err, "slot name '%s' is listed twice", name);
		}
		if (count == CONFIG_MAX_SLOTS)
			return error_set(err, "more than %d slot names", CONFIG_MAX_SLOTS);
		names[count++] = name;
	}
	slots->count = count;
	return count ? 0 : error_set(err, "no slot names");
}

int slotset_parse(struct slotset *slots, const char *value, struct error *err)
{
	uint64_t count;

	*slots = (struct slotset){0};
	if (num_parse(value, CONFIG_MAX_SLOTS, &count)) {
		slots->count = (unsigned)count;
		return 0;
	}
	if (!*value)
		return error_set(err, "it is empty");
	/* One word that starts like a number was meant as one: 4x, 010, -1, 99999999999999. */
	if (!value[strcspn(value, " \t,")] && strchr("0123456789+-.", *value))
		return error_set(err, "'%s' is not a count from 0 to %d", value, CONFIG_MAX_SLOTS);
	if (!parse_names(slots, value, err))
		return 0;
	slotset_free(slots);
	return -1;
}

static bool parse_bool(const char *value, bool *result)
{
	static const char *const words[] = {"no", "yes", "false", "true", "0", "1", "off", "on"};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		if (!strcasecmp(value, words[i])) {
			*result = i % 2;
			return true;
		}
	}
	return false;
}

/* --- entries ----------------------------------------------------------------------------- */

bool config_is_pattern(const char *name)
{
	return name[strcspn(name, "*?[\\")];
}

/* fnmatch(3) takes an unclosed bracket for itself; whoever wrote it meant something else. */
static bool is_good_pattern(const char *pattern)
{
	for (const char *p = pattern; *p; p++) {
		if (*p == '\\' && !*++p)
			return false;
		if (*p != '[')
			continue;
		p++;
		p += *p == '!' || *p == '^';
		p += *p == ']';
		p = strchr(p, ']');
		if (!p)
			return false;
	}
	return true;
}

static int check_main(const char *key, const char *value, struct error *err)
{
	struct suggest suggest;
	bool truth;

	if (!strcmp(key, "directory"))
		return *value == '/' ? 0 : error_set(err, "'%s' is not an absolute path", value);
	if (!strcmp(key, "strict"))
		return parse_bool(value, &truth)
			       ? 0
			       : error_set(err, "'%s' is neither yes nor no", value);
	error_set(err, "unknown key; the keys are directory and strict");
	suggest_begin(&suggest, key);
	suggest_offer(&suggest, "directory");
	suggest_offer(&suggest, "strict");
	return suggest_append(&suggest, err);
}

/* iniparser takes "[slots] ; limits = 1" for a key: a section's line must hold nothing else. */
static int check_key(const char *what, const char *key, struct error *err)
{
	char file[NAME_MAX + 1];

	if (key[strcspn(key, ";#")] || (*key == '[' && strstr(key, "] ")))
		return error_set(
			err,
			"not a %s's name; if it is meant as a section, put the comment on a line "
			"of its own",
			what);
	if (config_is_pattern(key))
		return is_good_pattern(key) ? 0 : error_set(err, "bad pattern '%s'", key);
	return filename_encode(file, "", what, key, err);
}

static int check_worker(const char *key, const char *value, struct error *err)
{
	char file[NAME_MAX + 1];

	if (check_key("worker", key, err))
		return -1;
	if (!*value)
		return error_set(err, "it names no group");
	if (config_is_pattern(value) || strchr(value, '='))
		return error_set(err, "group '%s' has a pattern's characters or '='", value);
	return filename_encode(file, "", "group", value, err);
}

/* The lock of section "slots" or "slots NAME", NULL for another section. */
static const char *lock_of(const char *section)
{
	size_t length = sizeof(LOCK_PREFIX) - 1;

	if (!strcmp(section, CONFIG_SECTION_SLOTS))
		return CONFIG_DEFAULT_LOCK;
	return strncmp(section, LOCK_PREFIX, length) ? NULL : section + length;
}

static int check_entry(const char *section, const char *key, const char *value, struct error *err)
{
	struct slotset slots;

	if (!strcmp(section, CONFIG_SECTION_MAIN))
		return check_main(key, value, err);
	if (!strcmp(section, CONFIG_SECTION_WORKERS))
		return check_worker(key, value, err);
	/* a lock's: check_section() has seen its section first */
	if (check_key("group", key, err) || slotset_parse(&slots, value, err))
		return -1;
	slotset_free(&slots);
	return 0;
}

/* With the brackets, so that nobody takes it for a key. Of a lock's section the first word decides. */
static int unknown_section(const char *section, struct error *err)
{
	static const char *const known[] = {"[" CONFIG_SECTION_MAIN "]",
					    "[" CONFIG_SECTION_WORKERS "]",
					    "[" CONFIG_SECTION_SLOTS "]"};
	char word[SUGGEST_MAX];
	struct suggest suggest;

	snprintf(word, sizeof(word), "[%.*s]", (int)strcspn(section, " "), section);
	suggest_begin(&suggest, word);
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		suggest_offer(&suggest, known[i]);
	error_set(err, "unknown section; the sections are [grouplock], [workers], [slots] and "
		       "[slots LOCK]");
	return suggest_append(&suggest, err);
}

static int check_section(const char *section, struct error *err)
{
	const char *lock = lock_of(section);
	char file[NAME_MAX + 1];

	if (!strcmp(section, CONFIG_SECTION_MAIN) || !strcmp(section, CONFIG_SECTION_WORKERS))
		return 0;
	if (!lock)
		return unknown_section(section, err);
	if (strcmp(section, CONFIG_SECTION_SLOTS) && !strcmp(lock, CONFIG_DEFAULT_LOCK))
		return error_set(err, "lock 'default' is the section [slots]");
	if (lock[strcspn(lock, " \t,=:")])
		return error_set(err, "lock name '%s' has a blank, a comma, a colon or '='", lock);
	return filename_encode(file, "", "lock", lock, err);
}

int config_check_item(const char *name, const char *value, struct error *err)
{
	const char *colon = strchr(name, ':');
	char section[INI_SIZE];
	struct error reason;

	if (!value || !colon) {
		if (check_section(name, &reason))
			return error_set(err, "section [%s]: %s", name, reason.text);
		return 0;
	}
	snprintf(section, sizeof(section), "%.*s", (int)(colon - name), name);
	if (colon == name)
		return error_set(err, "key '%s' comes before any section", colon + 1);
	if (check_entry(section, colon + 1, value, &reason))
		return error_set(err, "section [%s]: key '%s': %s", section, colon + 1,
				 reason.text);
	return 0;
}

static int check_dictionary(struct config *config, struct error *err)
{
	const char *name, *value;
	struct error reason;
	int result = names_add(&config->locks, CONFIG_DEFAULT_LOCK);

	for (unsigned i = 0; !result && config_item(config, i, &name, &value); i++) {
		if (config_check_item(name, value, &reason))
			return error_set(err, "%s: %s", config->path, reason.text);
		if (!value && !strncmp(name, LOCK_PREFIX, sizeof(LOCK_PREFIX) - 1))
			result = names_add(&config->locks, lock_of(name));
	}
	return result ? error_sys(err, ENOMEM, "cannot load '%s'", config->path) : 0;
}

/* --- loading ----------------------------------------------------------------------------- */

/* Turns iniparser's "iniparser: WHAT in FILE (LINE)..." into "FILE:LINE: WHAT". */
static int explain_parser(const char *path, struct error *err)
{
	const char *text = parser_said, *open = strrchr(parser_said, '('),
		   *in = strstr(parser_said, " in ");

	if (!strncmp(text, "iniparser: ", 11))
		text += 11;
	if (!open || !in || in < text)
		return error_set(err, "%s: %s", path, *text ? text : "cannot be parsed");
	return error_set(err, "%s:%u: %.*s", path, (unsigned)strtoul(open + 1, NULL, 10),
			 (int)(in - text), text);
}

static struct config *new_config(const char *path, struct error *err)
{
	struct config *config = calloc(1, sizeof(*config));

	if (config && (config->path = strdup(path)))
		return config;
	error_sys(err, ENOMEM, "cannot load '%s'", path);
	config_free(config);
	return NULL;
}

/* Has iniparser read `source`, which is the file at config->path or stands for it. */
static int parse(struct config *config, const char *source, struct error *err)
{
	iniparser_set_error_callback(hear_parser);
	*parser_said = '\0';
	config->ini = iniparser_load(source);
	return config->ini ? 0 : explain_parser(config->path, err);
}

struct config *config_parse(const char *path, struct error *err)
{
	struct config *config = new_config(path, err);

	if (!config || !parse(config, path, err))
		return config;
	config_free(config);
	return NULL;
}

bool config_item(const struct config *config, unsigned index, const char **name, const char **value)
{
	/* Nothing is ever unset but the last, so the dictionary has no gaps. */
	if (index >= (unsigned)config->ini->n)
		return false;
	*name = config->ini->key[index];
	*value = config->ini->val[index];
	return true;
}

/*
 * iniparser takes an error of read(2) for the end of the file, or has no memory for the rest, and
 * goes by the half that it got: a group would have another limit without a word. So one more
 * section is at the end of what it gets, and must be there afterwards.
 */
static int parse_copy(struct config *config, const struct config_text *text,
		      const struct memfile *copy, struct error *err)
{
	/* Two line ends: a backslash may have been the last byte. */
	static const char end[] = "\n\n[" END_SECTION "]\n";
	const dictionary *ini;

	if (memfile_append(copy, text->bytes, text->size, err) ||
	    memfile_append(copy, end, sizeof(end) - 1, err) || parse(config, copy->path, err))
		return -1;
	ini = config->ini;
	if (ini->n && !strcmp(ini->key[ini->n - 1], END_SECTION)) {
		dictionary_unset(config->ini, END_SECTION);
		return 0;
	}
	if (*parser_said)
		return explain_parser(config->path, err);
	return error_sys(err, EIO, "cannot read the copy of '%s' in memory", config->path);
}

/*
 * iniparser 4.1 reads files only, by their names. One in memory has what was checked, whatever
 * becomes of the file itself meanwhile, and less of it.
 */
static int parse_text(struct config *config, const struct config_text *text, struct error *err)
{
	struct memfile copy;
	struct error reason;
	int result;

	switch (memfile_open(&copy, &reason)) {
	case MEMFILE_OK:
		result = parse_copy(config, text, &copy, err);
		if (result && !config->ini && !memfile_is_readable(&copy))
			result = parse(config, text->path, err);
		memfile_close(&copy);
		return result;
	case MEMFILE_UNSUPPORTED:
		return parse(config, text->path, err);
	case MEMFILE_ERROR:
		break;
	}
	error_set(err, "cannot load '%s': %s", config->path, reason.text);
	return -1; /* said outright for clang's analyzer, which does not look into error.c */
}

static struct config *load(const char *path, bool whole, const char *worker, struct error *err)
{
	struct config *config = NULL;
	struct config_text text;

	if (!config_text_read(&text, path, err) && !config_text_check(&text, err))
		config = new_config(path, err);
	if (config) {
		config->identity = text.identity;
		if (!whole)
			config_text_leave_out(&text, worker);
		if (parse_text(config, &text, err) || check_dictionary(config, err)) {
			config_free(config);
			config = NULL;
		}
	}
	config_text_free(&text);
	return config;
}

struct config *config_load(const char *path, struct error *err)
{
	return load(path, true, NULL, err);
}

struct config *config_load_for(const char *path, const char *worker, struct error *err)
{
	return load(path, false, worker, err);
}

void config_free(struct config *config)
{
	if (!config)
		return;
	names_free(&config->locks);
	if (config->ini)
		iniparser_freedict(config->ini);
	free(config->path);
	free(config);
}

bool config_changed(const struct config *config)
{
	const struct stat *was = &config->identity;
	struct stat now;

	return stat(config->path, &now) || now.st_dev != was->st_dev || now.st_ino != was->st_ino ||
	       now.st_size != was->st_size || now.st_mtim.tv_sec != was->st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != was->st_mtim.tv_nsec ||
	       now.st_ctim.tv_sec != was->st_ctim.tv_sec ||
	       now.st_ctim.tv_nsec != was->st_ctim.tv_nsec;
}

/* --- questions --------------------------------------------------------------------------- */

const char *config_path(const struct config *config)
{
	return config->path;
}

const char *config_directory(const struct config *config)
{
	return iniparser_getstring(config->ini, CONFIG_SECTION_MAIN ":directory", NULL);
}

bool config_strict(const struct config *config)
{
	bool strict = false;

	parse_bool(iniparser_getstring(config->ini, CONFIG_SECTION_MAIN ":strict", "no"), &strict);
	return strict;
}

void config_groups(const struct config *config, config_see *see, void *arg)
{
	const char *name, *value;

	for (unsigned i = 0; config_item(config, i, &name, &value); i++) {
		const char *colon = strchr(name, ':');
		char group[INI_SIZE];

		if (!colon || !value)
			continue;
		if (!strncmp(name, CONFIG_SECTION_WORKERS ":", sizeof(CONFIG_SECTION_WORKERS)))
			snprintf(group, sizeof(group), "%s", value);
		else if (!strncmp(name, CONFIG_SECTION_SLOTS, sizeof(CONFIG_SECTION_SLOTS) - 1) &&
			 !config_is_pattern(colon + 1))
			snprintf(group, sizeof(group), "%s", colon + 1);
		else
			continue;
		text_fold(group);
		see(arg, group);
	}
}

void config_workers(const struct config *config, config_see *see, void *arg)
{
	static const char prefix[] = CONFIG_SECTION_WORKERS ":";
	const char *name, *value;

	for (unsigned i = 0; config_item(config, i, &name, &value); i++) {
		if (value && !strncmp(name, prefix, sizeof(prefix) - 1) &&
		    !config_is_pattern(name + sizeof(prefix) - 1))
			see(arg, name + sizeof(prefix) - 1);
	}
}

const char *config_lock(const struct config *config, unsigned index)
{
	return index < config->locks.count ? config->locks.list[index] : NULL;
}

void config_label(char label[CONFIG_LABEL_SIZE], const char *group, const char *lock)
{
	bool named = strcmp(lock, CONFIG_DEFAULT_LOCK) != 0;

	snprintf(label, CONFIG_LABEL_SIZE, "%s%s%s", group, named ? "/" : "", named ? lock : "");
}

/*
 * The value of `name` in `section`: the exact name's, else of the first pattern in file order
 * that matches it, else of a lone "*" wherever that stands. *pattern says which, or NULL.
 */
static const char *look_up(const struct config *config, const char *section, const char *name,
			   const char **pattern)
{
	size_t length = strlen(section);
	const char *candidate, *value, *last_resort = NULL;
	char key[INI_SIZE];

	*pattern = NULL;
	snprintf(key, sizeof(key), "%s:%s", section, name);
	value = config_is_pattern(name) ? NULL : iniparser_getstring(config->ini, key, NULL);
	if (value)
		return value;
	for (unsigned i = 0; config_item(config, i, &candidate, &value); i++) {
		if (strncmp(candidate, section, length) || candidate[length] != ':')
			continue;
		candidate += length + 1;
		if (!config_is_pattern(candidate))
			continue;
		if (!strcmp(candidate, "*")) {
			last_resort = value;
		} else if (!fnmatch(candidate, name, 0)) {
			*pattern = candidate;
			return value;
		}
	}
	if (last_resort)
		*pattern = "*";
	return last_resort;
}

enum config_match config_group(const struct config *config, const char *worker, char *group,
			       size_t size, const char **pattern)
{
	char folded[INI_SIZE];
	const char *ignored, *value;

	snprintf(folded, sizeof(folded), "%s", worker);
	text_fold(folded);
	if (!pattern)
		pattern = &ignored;
	value = look_up(config, CONFIG_SECTION_WORKERS, folded, pattern);
	snprintf(group, size, "%s", value ? value : folded);
	text_fold(group);
	if (!value)
		return CONFIG_UNLISTED;
	return *pattern ? CONFIG_PATTERN : CONFIG_EXACT;
}

int config_slots(const struct config *config, const char *lock, const char *group,
		 struct slotset *slots, struct error *err)
{
	const char *value, *pattern;
	char section[INI_SIZE], list[512];
	struct suggest suggest;
	unsigned i = 0;

	suggest_begin(&suggest, lock);
	for (; i < config->locks.count && strcasecmp(config->locks.list[i], lock); i++)
		suggest_offer(&suggest, config->locks.list[i]);
	if (i == config->locks.count) {
		names_join(&config->locks, list, sizeof(list));
		error_set(err, "no lock '%s' in '%s'; there are: %s", lock, config->path, list);
		return suggest_append(&suggest, err);
	}
	snprintf(section, sizeof(section), "%s%s", i ? LOCK_PREFIX : CONFIG_SECTION_SLOTS,
		 i ? config->locks.list[i] : "");
	value = look_up(config, section, group, &pattern);
	if (!value) {
		*slots = (struct slotset){.count = DEFAULT_SLOTS};
		return 0;
	}
	return slotset_parse(slots, value, err);
}

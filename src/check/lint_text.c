#include "check/lint_file.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"
#include "config/config.h"

static const char *skip_blanks(const char *p)
{
	while (isspace((unsigned char)*p))
		p++;
	return p;
}

static bool is_comment(const char *p)
{
	return *p == ';' || *p == '#';
}

static void add(struct findings *findings, enum finding_level level, const struct piece *piece,
		const char *text)
{
	findings_add(findings, level, piece->first, "%s", text);
}

void lint_bad(struct findings *findings, const struct piece *piece)
{
	const char *text = skip_blanks(piece->text);

	if (*text == '[' && strchr(text, ']'))
		add(findings, FINDING_ERROR, piece,
		    "syntax error: nothing can follow the ] of a section; put a comment on a "
		    "line of its own");
	else if (*text == '[')
		add(findings, FINDING_ERROR, piece, "syntax error: a section without its ]");
	else if (*text == '=')
		add(findings, FINDING_ERROR, piece, "syntax error: no key before the =");
	else
		add(findings, FINDING_ERROR, piece,
		    "syntax error: neither [SECTION] nor KEY = VALUE");
}

void lint_too_long(struct findings *findings, const struct piece *piece)
{
	if (piece->lines > 1)
		findings_add(
			findings, FINDING_ERROR, piece->first,
			"input line too long: with the lines down to %u, which continue it, it has "
			"more than the 1,022 characters that iniparser reads",
			piece->first + piece->lines - 1);
	else
		add(findings, FINDING_ERROR, piece,
		    "input line too long: it has more than the 1,022 characters that iniparser reads");
}

void lint_nothing(struct findings *findings, const struct piece *piece)
{
	const char *text = skip_blanks(piece->text);

	if (!*text || is_comment(text))
		return;
	if (piece->continued)
		add(findings, FINDING_ERROR, piece,
		    "the file ends with a backslash, and so this line is lost");
	else if (*text == '[')
		add(findings, FINDING_ERROR, piece, "a section without a name");
	else
		add(findings, FINDING_ERROR, piece,
		    "a last line of one character, without a line ending, is lost");
}

void lint_section(struct findings *findings, const struct piece *piece)
{
	const char *close = strchr(piece->text, ']');
	const char *behind = close ? skip_blanks(close + 1) : "";

	if (*behind && !is_comment(behind))
		add(findings, FINDING_WARNING, piece, "what follows the first ] has no effect");
}

/* What iniparser leaves out of what stands behind the =. */
static void check_cut(struct findings *findings, const struct piece *piece, const char *value)
{
	const char *equals = strchr(piece->text, '=');
	const char *rest = skip_blanks(equals ? equals + 1 : "");
	bool quoted = *rest == '"' || *rest == '\'';
	const char *behind = rest + quoted + strlen(value);

	/* Where it is not plain to see what became of it there is nothing to say. */
	if (strncmp(rest + quoted, value, strlen(value)) != 0)
		return;
	if (quoted && *behind != *rest) {
		add(findings, FINDING_WARNING, piece, "the quote is not closed");
	} else if (quoted) {
		behind = skip_blanks(behind + 1);
		if (*behind && !is_comment(behind))
			add(findings, FINDING_WARNING, piece,
			    "what follows the closing quote has no effect");
	} else if (*value && is_comment(behind) && behind[1] && !is_comment(behind + 1) &&
		   !isspace((unsigned char)behind[1])) {
		findings_add(
			findings, FINDING_WARNING, piece->first,
			"the value is '%s': '%c' begins a comment; put the value in quotes, or a "
			"blank before and after the '%c'",
			value, *behind, *behind);
	}
}

void lint_entry(struct findings *findings, const struct piece *piece, const struct verdict *verdict)
{
	if (piece->text[strcspn(piece->text, "\v\f")])
		add(findings, FINDING_WARNING, piece,
		    "has a form feed or the like in it, which does not end a line");
	check_cut(findings, piece, verdict->value);
}

bool lint_is_false_section(const char *key)
{
	const char *close = *key == '[' ? strchr(key, ']') : NULL;
	char section[JUDGE_SIZE];
	struct error ignored;

	if (!close)
		return false;
	lint_section_name(section, key);
	return is_comment(skip_blanks(close + 1)) || !config_check_item(section, NULL, &ignored);
}

void lint_section_name(char name[JUDGE_SIZE], const char *text)
{
	const char *start = skip_blanks(strchr(text, '[') + 1);
	size_t length = strcspn(start, "]");

	while (length && isspace((unsigned char)start[length - 1]))
		length--;
	if (length >= JUDGE_SIZE)
		length = JUDGE_SIZE - 1;
	memcpy(name, start, length);
	name[length] = '\0';
	text_fold(name);
}

void lint_spelling(char spelled[JUDGE_SIZE], const struct piece *piece,
		   const struct verdict *verdict)
{
	const char *start = skip_blanks(piece->text);
	size_t length = strlen(verdict->name);
	char folded[JUDGE_SIZE];

	if (verdict->kind == JUDGE_SECTION)
		start = skip_blanks(start + 1);
	strcpy(spelled, verdict->name);
	if (strlen(start) < length)
		return;
	memcpy(folded, start, length);
	folded[length] = '\0';
	text_fold(folded);
	if (!strcmp(folded, verdict->name))
		memcpy(spelled, start, length);
}

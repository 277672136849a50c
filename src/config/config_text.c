#include "config/config_text.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/filename.h"
#include "base/text.h"

#define MAX_PLAIN 200 /* the length of a name that is certainly one of a file, encoded or not */
#define MAX_FILE_SIZE (64 * 1024 * 1024) /* no groups.ini; a mistake that would eat memory */

/* What to do, with a command that does it. */
static int no_file(const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	char *directory = strndup(path, slash && slash > path ? (size_t)(slash - path) : 0);
	char *quoted = text_quote(path, false), *quoted_directory = NULL;

	if (directory && *directory)
		quoted_directory = text_quote(directory, false);
	error_set(err,
		  "no config file '%s': create it; the one line '[slots]' is enough to give every "
		  "worker one slot: %s%s%secho '[slots]' >%s",
		  path, quoted_directory ? "mkdir -p " : "",
		  quoted_directory ? quoted_directory : "", quoted_directory ? " && " : "",
		  quoted ? quoted : path);
	free(directory);
	free(quoted);
	free(quoted_directory);
	return -1;
}

/* --- reading ------------------------------------------------------------------------------ */

static int open_file(const char *path, struct stat *identity, struct error *err)
{
	/* O_NONBLOCK: a FIFO must be refused, not waited for. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0 && errno == ENOENT)
		return no_file(path, err);
	if (fd < 0)
		return error_sys(err, errno, "cannot open '%s'", path);
	if (fstat(fd, identity))
		error_sys(err, errno, "cannot stat '%s'", path);
	else if (S_ISDIR(identity->st_mode))
		error_sys(err, EISDIR, "cannot read '%s'", path);
	else if (!S_ISREG(identity->st_mode))
		error_set(err, "'%s' is not a regular file", path);
	else if (identity->st_size > MAX_FILE_SIZE)
		error_set(err, "'%s' is too large for a config file", path);
	else
		return fd;
	close(fd);
	return -1;
}

/* Reads what stat has counted, and what it has not, as of a file in /proc or one that grows. */
static int read_all(struct config_text *text, int fd, struct error *err)
{
	size_t expected = (size_t)text->identity.st_size, room = 0;
	ssize_t got = 1;

	/* As many bytes as stat said, and no more, though there was room: the end. */
	while (got > 0 && (!expected || text->size != expected)) {
		if (text->size == room) {
			char *more;

			room = room ? 2 * room : expected + 1;
			more = realloc(text->bytes, room + 1);
			if (!more)
				return error_sys(err, ENOMEM, "cannot load '%s'", text->path);
			text->bytes = more;
		}
		got = read(fd, text->bytes + text->size, room - text->size);
		if (got < 0)
			return error_sys(err, errno, "cannot read '%s'", text->path);
		text->size += (size_t)got;
		if (text->size > MAX_FILE_SIZE)
			return error_set(err, "'%s' is too large for a config file", text->path);
	}
	text->bytes[text->size] = '\0';
	return 0;
}

int config_text_read(struct config_text *text, const char *path, struct error *err)
{
	int fd, result;

	*text = (struct config_text){.path = path};
	fd = open_file(path, &text->identity, err);
	if (fd < 0)
		return -1;
	result = read_all(text, fd, err);
	close(fd);
	return result;
}

void config_text_free(struct config_text *text)
{
	free(text->bytes);
	text->bytes = NULL;
}

/* --- what iniparser would skip, misread or lose ------------------------------------------- */

/*
 * Where a check of a file's bytes has got to. A line that ends with a backslash goes on in the
 * next for iniparser, also behind a comment, and one that has no next is lost: a limit would be
 * gone without a word.
 */
struct scan {
	const char *path;
	unsigned line;
	char first, last; /* of the line's bytes that are no blanks */
	char previous;    /* byte of the file */
	bool has_comment; /* the line, with those that it continues, has a ';' or '#' */
	bool has_entry;   /* ... does not begin with one */
};

bool config_text_allows(unsigned char byte)
{
	return (byte >= 32 || isspace(byte)) && byte != 127;
}

static int check_byte(struct scan *scan, unsigned char byte, struct error *err)
{
	bool lone_return = scan->previous == '\r' && byte != '\n', is_comment;

	scan->previous = (char)byte;
	if (lone_return)
		return error_set(
			err,
			"%s:%u: has a carriage return that ends no line; save it with Unix line "
			"endings",
			scan->path, scan->line);
	if (!config_text_allows(byte))
		return error_set(err, "%s:%u: has a byte 0x%02x; this is not a text file",
				 scan->path, scan->line, byte);
	if (byte == '\n') {
		if (scan->last != '\\')
			scan->has_comment = scan->has_entry = false;
		scan->first = scan->last = '\0';
		scan->line++;
		return 0;
	}
	if (isspace(byte))
		return 0;
	is_comment = byte == ';' || byte == '#';
	if (!scan->first && !is_comment && scan->has_comment)
		return error_set(
			err,
			"%s:%u: is lost in the comment of the line before, which ends with a backslash",
			scan->path, scan->line);
	scan->has_entry |= !scan->has_comment && !is_comment;
	scan->has_comment |= is_comment;
	scan->first = scan->first ? scan->first : (char)byte;
	scan->last = (char)byte;
	return 0;
}

int config_text_check(const struct config_text *text, struct error *err)
{
	struct scan scan = {.path = text->path, .line = 1};

	if (text->size >= 3 && !memcmp(text->bytes, "\xef\xbb\xbf", 3))
		return error_set(err, "%s:1: starts with a byte order mark; save it as plain UTF-8",
				 text->path);
	for (size_t i = 0; i < text->size; i++) {
		if (check_byte(&scan, (unsigned char)text->bytes[i], err))
			return -1;
	}
	if (scan.previous == '\r') /* at the file's end it has no line feed either */
		return check_byte(&scan, ' ', err);
	if (scan.has_entry && (scan.last == '\\' || scan.previous == '\n'))
		return error_set(err,
				 "%s:%u: the last line ends with a backslash and would be lost",
				 scan.path, scan.line);
	return 0;
}

/* --- leaving out -------------------------------------------------------------------------- */

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/*
 * Moves behind a plain name, whose bytes no INI file, shell pattern or file name takes for more;
 * NULL: it is none, or may be too long. A dot in front is left to filename_encode().
 */
static const char *skip_plain(const char *p)
{
	const char *from = p;

	while (filename_is_plain(*p))
		p++;
	return *from != '.' && p > from && p - from <= MAX_PLAIN ? p : NULL;
}

/*
 * Whether the line is "NAME = WORD" of two plain names and nothing else, of which iniparser has no
 * other reading, and NAME is not the worker. The text's NUL ends every loop in here.
 */
static bool is_for_others(const char *line, const char *worker)
{
	const char *name = skip_blanks(line), *end = skip_plain(name), *p;

	if (!end)
		return false;
	p = skip_blanks(end);
	p = *p == '=' ? skip_plain(skip_blanks(p + 1)) : NULL;
	if (!p)
		return false;
	p = skip_blanks(p);
	p += *p == '\r';
	return *p == '\n' &&
	       !(worker && !strncasecmp(name, worker, (size_t)(end - name)) && !worker[end - name]);
}

/* Whether the line, blanks aside, is [workers] and nothing else. */
static bool opens_workers(const char *line)
{
	static const char section[] = "[workers]";
	size_t length = sizeof(section) - 1;

	line = skip_blanks(line);
	return !strncasecmp(line, section, length) &&
	       line[length + strspn(line + length, " \t\r\v\f")] == '\n';
}

void config_text_leave_out(struct config_text *text, const char *worker)
{
	/* Certainly: whatever may open a section, or is continued, ends it. */
	bool in_workers = false, continued = false;

	for (char *line = text->bytes, *end; (end = strchr(line, '\n')); line = end + 1) {
		const char *last = end;
		bool was_continued = continued;

		while (last > line && isspace((unsigned char)last[-1]))
			last--;
		continued = last > line && last[-1] == '\\';
		if (was_continued || continued)
			in_workers = false;
		else if (line[strspn(line, " \t\r\v\f")] == '[')
			in_workers = opens_workers(line);
		else if (in_workers && is_for_others(line, worker))
			*line = ';';
	}
}

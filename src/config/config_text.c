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

/* Makes room for more bytes than there are, and a NUL. */
static int make_room(struct config_text *text, size_t room, struct error *err)
{
	char *more = realloc(text->bytes, room + 1);

	if (!more)
		return error_sys(err, ENOMEM, "cannot load '%s'", text->path);
	text->bytes = more;
	return 0;
}

/* Reads what stat has counted, and what it has not, as of a file in /proc or one that grows. */
static int read_all(struct config_text *text, int fd, struct error *err)
{
	size_t expected = (size_t)text->identity.st_size, room = expected + 1;
	ssize_t got = 1;

	if (make_room(text, room, err))
		return -1;
	/* As many bytes as stat said, and no more, though there was room: the end. */
	while (got > 0 && (!expected || text->size != expected)) {
		if (text->size == room && make_room(text, room *= 2, err))
			return -1;
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

/* --- plain entries ------------------------------------------------------------------------ */

/* The length of a name and of blanks: a line of both is far below iniparser's longest. */
#define MAX_PLAIN 200
#define MAX_BLANKS 100

/* Moves over blanks, few enough. */
static const char *skip_blanks(const char *p)
{
	const char *from = p;

	while ((*p == ' ' || *p == '\t') && p - from < MAX_BLANKS)
		p++;
	return p;
}

/*
 * Moves behind a plain name, whose bytes no INI file, shell pattern or file name takes for more;
 * NULL: it is none. A dot in front is left to filename_encode().
 */
static const char *skip_plain(const char *p)
{
	const char *from = p;

	if (*p == '.')
		return NULL;
	while (filename_is_plain(*p))
		p++;
	return p > from && p - from <= MAX_PLAIN ? p : NULL;
}

struct plain {
	const char *name;
	size_t length;
	const char *next; /* line */
};

/*
 * Reads a line "NAME = WORD" of two plain names and nothing else. iniparser has no other reading
 * of it; what it might have one of is not plain. The text's NUL ends every loop in here.
 */
static bool read_plain(const char *line, struct plain *plain)
{
	const char *p = plain->name = skip_blanks(line);

	p = skip_plain(p);
	if (!p)
		return false;
	plain->length = (size_t)(p - plain->name);
	p = skip_blanks(p);
	if (*p != '=')
		return false;
	p = skip_plain(skip_blanks(p + 1));
	if (!p)
		return false;
	p = skip_blanks(p);
	p += *p == '\r' && p[1] == '\n';
	if (*p != '\n')
		return false; /* the file's last line is not worth a thought */
	plain->next = p + 1;
	return true;
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

static int check_lost(const struct scan *scan, char byte, struct error *err)
{
	if (scan->first || byte == ';' || byte == '#' || !scan->has_comment)
		return 0;
	return error_set(
		err,
		"%s:%u: is lost in the comment of the line before, which ends with a backslash",
		scan->path, scan->line);
}

static int check_byte(struct scan *scan, unsigned char byte, struct error *err)
{
	bool lone_return = scan->previous == '\r' && byte != '\n';

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
	if (check_lost(scan, (char)byte, err))
		return -1;
	scan->has_entry |= !scan->has_comment && byte != ';' && byte != '#';
	scan->has_comment |= byte == ';' || byte == '#';
	scan->first = scan->first ? scan->first : (char)byte;
	scan->last = (char)byte;
	return 0;
}

/* At the file's end: the last line must have one, too. */
static int check_end(struct scan *scan, struct error *err)
{
	if (scan->previous == '\r')
		return check_byte(scan, ' ', err);
	if (scan->has_entry && (scan->last == '\\' || scan->previous == '\n'))
		return error_set(err,
				 "%s:%u: the last line ends with a backslash and would be lost",
				 scan->path, scan->line);
	return 0;
}

/* --- leaving out -------------------------------------------------------------------------- */

/* Whether the line, blanks aside, is [workers] and nothing else. */
static bool opens_workers(const char *line, const char *end)
{
	static const char section[] = "[workers]";
	size_t length = sizeof(section) - 1;

	line = skip_blanks(line);
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	return (size_t)(end - line) == length && !strncasecmp(line, section, length);
}

static bool ends_with_backslash(const char *line, const char *end)
{
	while (end > line && isspace((unsigned char)end[-1]))
		end--;
	return end > line && end[-1] == '\\';
}

/* Where a walk through the lines has got to. */
struct walk {
	bool in_workers; /* certainly: whatever may open a section, or is continued, ends it */
	bool continued;  /* the line belongs to the one before */
};

static void pass_line(struct walk *walk, const char *line, const char *end)
{
	bool continues = ends_with_backslash(line, end);

	while (line < end && isspace((unsigned char)*line))
		line++;
	if (walk->continued || continues)
		walk->in_workers = false;
	else if (*line == '[')
		walk->in_workers = opens_workers(line, end);
	walk->continued = continues;
}

/* Checks a line that is no plain entry; moves behind it. */
static int check_line(struct scan *scan, const char **p, const char *end, struct error *err)
{
	const char *newline = memchr(*p, '\n', (size_t)(end - *p));

	for (end = newline ? newline + 1 : end; *p < end; (*p)++) {
		if (check_byte(scan, (unsigned char)**p, err))
			return -1;
	}
	return 0;
}

int config_text_check(struct config_text *text, enum config_text_part part, const char *worker,
		      struct error *err)
{
	struct scan scan = {.path = text->path, .line = 1};
	struct walk walk = {.in_workers = false};
	const char *p = text->bytes, *end = text->bytes + text->size;
	char *out = text->bytes;

	if (text->size >= 3 && !memcmp(p, "\xef\xbb\xbf", 3))
		return error_set(err, "%s:1: starts with a byte order mark; save it as plain UTF-8",
				 text->path);
	while (p < end) {
		const char *line = p;
		struct plain plain;

		if (!walk.continued && read_plain(line, &plain)) {
			scan.line++;
			p = plain.next;
			if (part == CONFIG_TEXT_FOR_WORKER && walk.in_workers &&
			    !(worker && !strncasecmp(plain.name, worker, plain.length) &&
			      !worker[plain.length])) {
				text->left_out++;
				continue;
			}
		} else {
			if (check_line(&scan, &p, end, err))
				return -1;
			pass_line(&walk, line, p);
		}
		if (out != line)
			memmove(out, line, (size_t)(p - line));
		out += p - line;
	}
	text->size = (size_t)(out - text->bytes);
	*out = '\0';
	return check_end(&scan, err);
}

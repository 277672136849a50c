#include "lock/record.h"

#include <errno.h>
#include <inttypes.h>
#include <sha256.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/num.h"
#include "base/text.h"

#define HEADER "grouplock 1\n"

static const char *const kinds[] = {
	[RECORD_RUN] = "run",
	[RECORD_KEEP] = "keep",
	[RECORD_CLAIM] = "claim",
	[RECORD_WAIT] = "wait",
};

const char record_states[][RECORD_STATE_SIZE + 1] = {
	[RECORD_HELD] = "held    ",
	[RECORD_ENDED] = "ended   ",
	[RECORD_EXPIRED] = "expired ",
	[RECORD_RELEASED] = "released",
};

_Static_assert(sizeof(HEADER "state ") - 1 == RECORD_STATE_OFFSET, "where a keeper writes");

const char *record_kind_word(enum record_kind kind)
{
	return kinds[kind];
}

static void to_hex(const unsigned char *bytes, size_t size, char *out)
{
	for (size_t i = 0; i < size; i++)
		out = text_hex(out, bytes[i]);
	*out = '\0';
}

int record_secret(char secret[RECORD_SECRET_SIZE], struct error *err)
{
	unsigned char bytes[(RECORD_SECRET_SIZE - 1) / 2];

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return error_sys(err, errno, "cannot get random bytes");
	to_hex(bytes, sizeof(bytes), secret);
	return 0;
}

void record_id(const char *secret, char id[RECORD_SECRET_SIZE])
{
	unsigned char digest[SHA256_DIGEST_LENGTH];
	SHA2_CTX context;

	SHA256Init(&context);
	SHA256Update(&context, (const uint8_t *)secret, strlen(secret));
	SHA256Final(digest, &context);
	to_hex(digest, (RECORD_SECRET_SIZE - 1) / 2, id);
}

void record_command(struct record *record, char *const *argv)
{
	size_t used = 0;

	for (; *argv && used < sizeof(record->command) - 1; argv++) {
		size_t length = strlen(*argv);

		if (used)
			record->command[used++] = ' ';
		if (length > sizeof(record->command) - 1 - used)
			length = sizeof(record->command) - 1 - used;
		memcpy(record->command + used, *argv, length);
		used += length;
	}
	record->command[used] = '\0';
}

/* Appends "key value\n", the value's bytes escaped; no more than `limit` bytes in all. */
static void put(struct record_text *text, const char *key, const char *value, size_t limit)
{
	char *p = text->bytes + text->size;
	const char *end = p + limit;

	p = stpcpy(p, key);
	*p++ = ' ';
	for (; *value && p + 4 <= end; value++) {
		unsigned char c = (unsigned char)*value;

		if (c >= 32 && c < 127 && c != '%') {
			*p++ = *value;
			continue;
		}
		p += sprintf(p, "%%%02X", c);
	}
	*p++ = '\n';
	text->size = (size_t)(p - text->bytes);
}

static void put_number(struct record_text *text, const char *key, uint64_t value)
{
	char digits[24];

	snprintf(digits, sizeof(digits), "%" PRIu64, value);
	put(text, key, digits, 64);
}

void record_format(const struct record *record, struct record_text *text)
{
	const struct proc_identity *process = &record->process;

	text->size = sizeof(HEADER) - 1;
	memcpy(text->bytes, HEADER, text->size);
	put(text, "state", record_states[record->state], 64);
	put(text, "kind", kinds[record->kind], 64);
	put(text, "id", record->id, 64);
	put(text, "worker", record->worker, 16 + 3 * NAME_MAX);
	put(text, "host", process->host, 16 + 3 * HOST_NAME_MAX);
	put(text, "boot", process->boot, 64);
	put_number(text, "pidns", process->pidns);
	put_number(text, "pid", (uint64_t)process->pid);
	put_number(text, "start", process->start);
	put_number(text, "since", record->since > 0 ? (uint64_t)record->since : 0);
	put_number(text, "count", record->count);
	put_number(text, "bound", (uint64_t)record->bound);
	put_number(text, "until", record->until > 0 ? (uint64_t)record->until : 0);
	/* Last: it takes what is left, so a long command loses its tail and nothing else. */
	put(text, "command", record->command, RECORD_SIZE - text->size - 2);
	text->bytes[text->size++] = '\n';
}

/* Undoes put(): the bytes up to the line's `end` into out, cut to `size`; %00 and bad escapes end it. */
static void get_text(char *out, size_t size, const char *p, const char *end)
{
	size_t used = 0;

	while (p < end && used < size - 1) {
		char c = *p++;

		if (c == '%') {
			int byte = text_unhex(p);

			if (byte < 0)
				break;
			c = (char)byte;
			p += 2;
		}
		if (!c)
			break;
		out[used++] = c;
	}
	out[used] = '\0';
}

/* The same of a text of some bytes only; empty if there are others. */
static void get_word(char *out, size_t size, const char *p, const char *end, const char *bytes)
{
	get_text(out, size, p, end);
	if (out[strspn(out, bytes)])
		*out = '\0';
}

static uint64_t get_number(const char *p, const char *end, uint64_t max)
{
	char digits[24];
	uint64_t value = 0;

	get_text(digits, sizeof(digits), p, end);
	num_parse(digits, max, &value);
	return value;
}

static enum record_kind get_kind(const char *p, const char *end)
{
	char word[8];

	get_text(word, sizeof(word), p, end);
	for (unsigned i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (!strcmp(word, kinds[i]))
			return (enum record_kind)i;
	}
	return RECORD_RUN;
}

static enum record_state get_state(const char *p, const char *end)
{
	char word[RECORD_STATE_SIZE + 1];

	get_text(word, sizeof(word), p, end);
	for (unsigned i = 0; i <= RECORD_RELEASED; i++) {
		if (!strcmp(word, record_states[i]))
			return (enum record_state)i;
	}
	return RECORD_ENDED; /* garbage is not held by anybody who says so */
}

static void set_field(struct record *record, const char *key, size_t length, const char *p,
		      const char *end)
{
	struct proc_identity *process = &record->process;

#define IS(name) (length == sizeof(name) - 1 && !memcmp(key, name, length))
	if (IS("state"))
		record->state = get_state(p, end);
	else if (IS("kind"))
		record->kind = get_kind(p, end);
	else if (IS("id"))
		get_word(record->id, sizeof(record->id), p, end, "0123456789abcdef");
	else if (IS("worker"))
		get_text(record->worker, sizeof(record->worker), p, end);
	else if (IS("host"))
		get_text(process->host, sizeof(process->host), p, end);
	else if (IS("boot"))
		get_word(process->boot, sizeof(process->boot), p, end, "0123456789abcdef-");
	else if (IS("pidns"))
		process->pidns = get_number(p, end, UINT64_MAX);
	else if (IS("pid"))
		process->pid = (pid_t)get_number(p, end, INT32_MAX);
	else if (IS("start"))
		process->start = get_number(p, end, UINT64_MAX);
	else if (IS("since"))
		record->since = (int64_t)get_number(p, end, INT64_MAX);
	else if (IS("count"))
		record->count = get_number(p, end, UINT32_MAX);
	else if (IS("bound"))
		record->bound = (pid_t)get_number(p, end, INT32_MAX);
	else if (IS("until"))
		record->until = (int64_t)get_number(p, end, INT64_MAX);
	else if (IS("command"))
		get_text(record->command, sizeof(record->command), p, end);
		/* A key of a later version says nothing to this one. */
#undef IS
}

bool record_parse(struct record *record, const char *bytes, size_t size)
{
	const char *p = bytes, *end = bytes + size;

	memset(record, 0, sizeof(*record));
	if (size < sizeof(HEADER) - 1 || memcmp(bytes, HEADER, sizeof(HEADER) - 1))
		return false;
	p += sizeof(HEADER) - 1;
	while (p < end && *p != '\n') {
		const char *line_end = memchr(p, '\n', (size_t)(end - p));
		const char *blank = line_end ? memchr(p, ' ', (size_t)(line_end - p)) : NULL;

		if (!blank)
			break;
		set_field(record, p, (size_t)(blank - p), blank + 1, line_end);
		p = line_end + 1;
	}
	if (p < end && *p == '\n' && record->process.pid > 0)
		return true;
	memset(record, 0, sizeof(*record));
	return false;
}

int record_write(const struct record_text *text, const struct statedir *sd, const char *name,
		 int fd, struct error *err)
{
	ssize_t wrote;

	do
		wrote = pwrite(fd, text->bytes, text->size, 0);
	while (wrote < 0 && errno == EINTR);
	if (wrote < 0)
		return error_sys(err, errno, "cannot write '%s/%s'", sd->path, name);
	if ((size_t)wrote != text->size)
		return error_sys(err, ENOSPC, "cannot write '%s/%s'", sd->path, name);
	return 0;
}

bool record_read(struct record *record, int fd)
{
	char bytes[RECORD_SIZE];
	ssize_t got = pread(fd, bytes, sizeof(bytes), 0);

	if (got < 0)
		return false;
	errno = 0;
	return record_parse(record, bytes, (size_t)got);
}

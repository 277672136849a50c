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
#include "lock/lockfile.h"

#define HEADER "grouplock 1\n"

static const char kinds[][RECORD_STATE_SIZE + 1] = {
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

const char *record_kind_name(enum record_kind kind)
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

	*record->command = '\0';
	for (; *argv && used < sizeof(record->command); argv++)
		used += (size_t)snprintf(record->command + used, sizeof(record->command) - used,
					 "%s%s", used ? " " : "", *argv);
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

#define HEX "0123456789abcdef"
#define AT(member) \
	.offset = offsetof(struct record, member), .size = sizeof(((struct record *)NULL)->member)

/* The fields, in the order in which they are written. */
static const struct field {
	const char *key;
	enum { STATE, KIND, TEXT, NUMBER } type;
	size_t offset, size;
	uint64_t max;      /* NUMBER: what is beyond counts as 0 */
	const char *bytes; /* TEXT: if it has others than these it counts as empty; NULL: any */
} fields[] = {
	{"state", STATE, AT(state)},
	{"kind", KIND, AT(kind)},
	{"id", TEXT, AT(id), .bytes = HEX},
	{"worker", TEXT, AT(worker)},
	{"host", TEXT, AT(process.host)},
	{"boot", TEXT, AT(process.boot), .bytes = HEX "-"},
	{"pidns", NUMBER, AT(process.pidns), .max = UINT64_MAX},
	{"timens", NUMBER, AT(process.timens), .max = UINT64_MAX},
	{"pid", NUMBER, AT(process.pid), .max = INT32_MAX},
	{"start", NUMBER, AT(process.start), .max = UINT64_MAX},
	{"since", NUMBER, AT(since), .max = INT64_MAX},
	{"count", NUMBER, AT(count), .max = UINT32_MAX},
	{"bound", NUMBER, AT(bound), .max = INT32_MAX},
	{"boundstart", NUMBER, AT(boundstart), .max = UINT64_MAX},
	{"until", NUMBER, AT(until), .max = INT64_MAX},
	{"sigqueue", NUMBER, AT(sigqueue), .max = 1},
	{"script", NUMBER, AT(script), .max = 1},
	/* Last: it takes what is left, so a long command loses its tail and nothing else. */
	{"command", TEXT, AT(command)},
};

#define FIELDS (sizeof(fields) / sizeof(*fields))

static uint64_t load(const struct field *field, const char *from)
{
	uint64_t value;
	int32_t small;

	if (field->size == sizeof(small)) {
		memcpy(&small, from, sizeof(small));
		value = (uint64_t)small;
	} else {
		memcpy(&value, from, sizeof(value));
	}
	return value <= field->max ? value : 0;
}

void record_start(enum record_kind kind, const char *secret, char *start, size_t size)
{
	char id[RECORD_SECRET_SIZE];

	record_id(secret, id);
	snprintf(start, size, HEADER "state %s\nkind %s\nid %s\n", record_states[RECORD_HELD],
		 kinds[kind], id);
}

void record_format(const struct record *record, struct record_text *text)
{
	text->size = sizeof(HEADER) - 1;
	memcpy(text->bytes, HEADER, text->size);
	for (const struct field *field = fields; field < fields + FIELDS; field++) {
		const char *value = (const char *)record + field->offset;
		size_t room = RECORD_SIZE - text->size - 2, most = 16 + 3 * field->size;
		char digits[24];

		if (field->type == STATE) {
			value = record_states[record->state];
		} else if (field->type == KIND) {
			value = kinds[record->kind];
		} else if (field->type == NUMBER) {
			snprintf(digits, sizeof(digits), "%" PRIu64, load(field, value));
			value = digits;
		}
		put(text, field->key, value, most < room ? most : room);
	}
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

static int find(const char *word, const char names[][RECORD_STATE_SIZE + 1], int count,
		int otherwise)
{
	for (int i = 0; i < count; i++) {
		if (!strcmp(word, names[i]))
			return i;
	}
	return otherwise;
}

static void get_field(struct record *record, const struct field *field, const char *p,
		      const char *end)
{
	char *out = (char *)record + field->offset, word[24];
	uint64_t value = 0;
	int32_t small;

	if (field->type == TEXT) {
		get_text(out, field->size, p, end);
		if (field->bytes && out[strspn(out, field->bytes)])
			*out = '\0';
		return;
	}
	get_text(word, sizeof(word), p, end);
	if (field->type == STATE) { /* garbage is not held by anybody who says so */
		record->state = find(word, record_states, RECORD_RELEASED + 1, RECORD_ENDED);
	} else if (field->type == KIND) {
		record->kind = find(word, kinds, RECORD_WAIT + 1, RECORD_RUN);
	} else {
		num_parse(word, field->max, &value); /* bad: 0 */
		small = (int32_t)value;
		memcpy(out, field->size == sizeof(small) ? (void *)&small : (void *)&value,
		       field->size);
	}
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
		/* A key of a later version says nothing to this one. */
		for (unsigned i = 0; i < FIELDS; i++) {
			if (strlen(fields[i].key) == (size_t)(blank - p) &&
			    !memcmp(fields[i].key, p, (size_t)(blank - p)))
				get_field(record, &fields[i], blank + 1, line_end);
		}
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
	return lockfile_write(sd, name, fd, text->bytes, text->size, err);
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

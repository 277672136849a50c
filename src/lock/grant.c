#include "lock/grant.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct grant {
	const char *lock;
	struct statedir sd; /* fd -1: nested */
	unsigned count;
	struct granted {
		char *file, *label;
		int fd;
	} slots[];
};

const char *grant_lock(const struct grant *grant)
{
	return grant->lock;
}

bool grant_is_nested(const struct grant *grant)
{
	return grant->sd.fd < 0;
}

unsigned grant_count(const struct grant *grant)
{
	return grant->count;
}

const char *grant_file(const struct grant *grant, unsigned i)
{
	return grant->slots[i].file;
}

const char *grant_label(const struct grant *grant, unsigned i)
{
	return grant->slots[i].label;
}

size_t grant_fds(const struct grant *grant, int *fds)
{
	if (grant_is_nested(grant))
		return 0;
	for (unsigned i = 0; i < grant->count; i++)
		fds[i] = grant->slots[i].fd;
	return grant->count;
}

int grant_rewrite(const struct grant *grant, const struct record_text *text, struct error *err)
{
	if (grant_is_nested(grant))
		return 0;
	for (unsigned i = 0; i < grant->count; i++) {
		const struct granted *slot = &grant->slots[i];

		if (record_write(text, &grant->sd, slot->file, slot->fd, err))
			return -1;
	}
	return 0;
}

struct grant *grant_new(const char *lock, unsigned room, struct statedir *sd)
{
	struct grant *grant = calloc(1, sizeof(*grant) + room * sizeof(*grant->slots));

	if (!grant)
		return NULL;
	grant->lock = lock;
	grant->sd.fd = -1;
	if (sd) {
		grant->sd = *sd;
		sd->fd = -1;
	}
	return grant;
}

int grant_add(struct grant *grant, const char *file, const char *label, int fd)
{
	struct granted *slot = &grant->slots[grant->count++];

	slot->fd = fd;
	slot->file = strdup(file);
	slot->label = strdup(label);
	return slot->file && slot->label ? 0 : -1;
}

void grant_free(struct grant *grant)
{
	if (!grant)
		return;
	for (unsigned i = 0; i < grant->count; i++) {
		free(grant->slots[i].file);
		free(grant->slots[i].label);
		if (grant->slots[i].fd >= 0)
			close(grant->slots[i].fd);
	}
	statedir_close(&grant->sd);
	free(grant);
}

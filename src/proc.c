#include "proc.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The start of a small file as a string; empty if it cannot be read. */
static void slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

	out[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		close(fd);
}

/* proc(5): pid (comm) state ...; comm may hold anything, so count from the last parenthesis. */
static bool read_stat(const char *path, uint64_t *start, char *state)
{
	char text[1024], *p;

	slurp(path, text, sizeof(text));
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return false;
	p += 2;
	*state = *p;
	for (int field = 3; field < 22; field++) {
		p = strchr(p, ' ');
		if (!p)
			return false;
		p++;
	}
	*start = strtoull(p, NULL, 10);
	return true;
}

void proc_self(struct proc_identity *self)
{
	struct stat st;
	char state;

	memset(self, 0, sizeof(*self));
	if (gethostname(self->host, sizeof(self->host) - 1))
		strcpy(self->host, "unknown");
	slurp("/proc/sys/kernel/random/boot_id", self->boot, sizeof(self->boot));
	self->boot[strcspn(self->boot, "\n")] = '\0';
	if (!stat("/proc/self/ns/pid", &st))
		self->pidns = st.st_ino;
	self->pid = getpid();
	if (!read_stat("/proc/self/stat", &self->start, &state))
		self->start = 0;
}

bool proc_is_here(const struct proc_identity *them, const struct proc_identity *self)
{
	return *them->boot && !strcmp(them->boot, self->boot) && them->pidns &&
	       them->pidns == self->pidns;
}

bool proc_stat(pid_t pid, uint64_t *start, char *state)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	return read_stat(path, start, state);
}

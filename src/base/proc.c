#include "base/proc.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * PROC_TIME_INIT_INO, the same on every Linux. It counts as 0: kernels before 5.6 have no other time
 * namespace, and records of older versions do not name it.
 */
#define INITIAL_TIMENS UINT64_C(0xEFFFFFFA)

/* The start of a small file as a string, empty if it cannot be read. One read(2): /proc gives all that fits. */
static ssize_t slurp(const char *path, char *out, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), errnum;
	ssize_t got = fd < 0 ? -1 : read(fd, out, size - 1);

	errnum = errno;
	out[got > 0 ? got : 0] = '\0';
	if (fd >= 0)
		close(fd);
	errno = errnum;
	return got;
}

ssize_t proc_read(pid_t pid, const char *name, char *out, size_t size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
	return slurp(path, out, size);
}

void proc_command(pid_t pid, char *out, size_t size)
{
	ssize_t used = proc_read(pid, "cmdline", out, size);

	while (used > 0 && !out[used - 1])
		used--;
	for (ssize_t i = 0; i < used; i++) {
		if (!out[i])
			out[i] = ' ';
	}
	if (used > 0)
		return;
	proc_read(pid, "comm", out, size);
	out[strcspn(out, "\n")] = '\0';
}

int proc_each_fd(pid_t pid, proc_see_fd *see, void *arg)
{
	char path[32];
	struct dirent *entry;
	int seen = 0, errnum;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%ld/fd", (long)pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while (!seen && (errno = 0, entry = readdir(dir)))
		seen = *entry->d_name != '.' && see(arg, dirfd(dir), entry->d_name);
	errnum = errno;
	closedir(dir);
	errno = errnum;
	return !seen && errnum ? -1 : seen;
}

bool proc_is_file(int fds, const char *name, const struct stat *file)
{
	struct stat st;

	return !fstatat(fds, name, &st, 0) && st.st_dev == file->st_dev &&
	       st.st_ino == file->st_ino;
}

struct proc_stat {
	char state;       /* 'R', 'S', 'T' stopped, 'Z' zombie ... */
	pid_t parent;     /* field 4 */
	uint64_t threads; /* field 20 */
	uint64_t start;   /* field 22 */
};

/* proc(5): pid (comm) state ...; comm may hold anything, so count from the last parenthesis. */
static bool read_stat(const char *path, struct proc_stat *stat)
{
	char text[1024], *p;

	slurp(path, text, sizeof(text));
	p = strrchr(text, ')');
	if (!p || p[1] != ' ')
		return false;
	p += 2;
	stat->state = *p;
	for (int field = 3; field < 22; field++) {
		if (field == 4)
			stat->parent = (pid_t)strtol(p, NULL, 10);
		if (field == 20)
			stat->threads = strtoull(p, NULL, 10);
		p = strchr(p, ' ');
		if (!p)
			return false;
		p++;
	}
	stat->start = strtoull(p, NULL, 10);
	return true;
}

/* By the link's text, "pid:[4026531836]", which costs less than the inode that stat(2) would have to make. */
static uint64_t own_namespace(const char *link)
{
	char text[64], *number;
	ssize_t length = readlink(link, text, sizeof(text) - 1);

	text[length > 0 ? length : 0] = '\0';
	number = strchr(text, '[');
	return number ? strtoull(number + 1, NULL, 10) : 0;
}

void proc_self(struct proc_identity *self)
{
	struct proc_stat own;

	memset(self, 0, sizeof(*self));
	if (gethostname(self->host, sizeof(self->host) - 1))
		strcpy(self->host, "unknown");
	slurp("/proc/sys/kernel/random/boot_id", self->boot, sizeof(self->boot));
	self->boot[strcspn(self->boot, "\n")] = '\0';
	self->pidns = own_namespace("/proc/self/ns/pid");
	self->timens = own_namespace("/proc/self/ns/time");
	if (self->timens == INITIAL_TIMENS)
		self->timens = 0;
	self->pid = getpid();
	if (read_stat("/proc/self/stat", &own))
		self->start = own.start;
}

bool proc_is_here(const struct proc_identity *them, const struct proc_identity *self)
{
	return *them->boot && !strcmp(them->boot, self->boot) && them->pidns &&
	       them->pidns == self->pidns && them->timens == self->timens && them->start;
}

/* False if /proc does not show that pid, whoever has it now. */
static bool read_stat_of(pid_t pid, struct proc_stat *stat)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
	return read_stat(path, stat);
}

bool proc_can_tell(const struct proc_identity *them, const struct proc_identity *self)
{
	struct proc_stat stat;

	/* What /proc says of ourselves must be true, or it is another namespace's. */
	return proc_is_here(them, self) && read_stat_of(self->pid, &stat) &&
	       stat.start == self->start;
}

bool proc_has_ended(const struct proc_identity *them, const struct proc_identity *self)
{
	struct proc_stat stat;

	if (!proc_can_tell(them, self))
		return false;
	if (!read_stat_of(them->pid, &stat)) /* gone, or hidden by the mount option hidepid= */
		return kill(them->pid, 0) && errno == ESRCH;
	if (stat.start != them->start)
		return true;
	return (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1;
}

bool proc_is_stopped(const struct proc_identity *them, const struct proc_identity *self)
{
	struct proc_stat stat;

	return proc_is_here(them, self) && read_stat_of(them->pid, &stat) &&
	       stat.start == them->start && (stat.state == 'T' || stat.state == 't');
}

uint64_t proc_sleeps(pid_t pid)
{
	static const char key[] = "\nvoluntary_ctxt_switches:";
	char state = proc_state(pid), text[4096], *p;

	if (state != 'S' && state != 'D')
		return 0;
	proc_read(pid, "status", text, sizeof(text));
	p = strstr(text, key);
	return p ? strtoull(p + sizeof(key) - 1, NULL, 10) : 0;
}

pid_t proc_parent(pid_t pid)
{
	struct proc_stat stat;

	return read_stat_of(pid, &stat) ? stat.parent : 0;
}

unsigned proc_ancestors(pid_t *pids, unsigned max)
{
	unsigned count = 0;

	for (pid_t pid = getpid(); pid > 0 && count < max; pid = proc_parent(pid))
		pids[count++] = pid;
	return count;
}

void proc_other(struct proc_identity *other, const struct proc_identity *self, pid_t pid)
{
	struct proc_stat stat;

	*other = *self;
	other->pid = pid;
	other->start = read_stat_of(pid, &stat) ? stat.start : 0;
}

char proc_state(pid_t pid)
{
	struct proc_stat stat;

	return read_stat_of(pid, &stat) ? stat.state : '\0';
}

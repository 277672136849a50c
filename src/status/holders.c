#include "status/holders.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND_SIZE 1024

struct search {
	const struct holders_file *files;
	unsigned count;
	holders_see *see;
	void *arg;
};

/* Reads up to size - 1 bytes and terminates them; the number of bytes. */
static size_t slurp(int dir, const char *name, char *out, size_t size)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	size_t used = 0;
	ssize_t got;

	while (fd >= 0 && (got = read(fd, out + used, size - 1 - used)) > 0)
		used += (size_t)got;
	if (fd >= 0)
		close(fd);
	out[used] = '\0';
	return used;
}

/* The arguments, blank separated; a kernel thread or a zombie has none, but a name. */
static void read_command(int process, char command[COMMAND_SIZE])
{
	size_t size = slurp(process, "cmdline", command, COMMAND_SIZE);

	while (size && !command[size - 1])
		size--;
	for (size_t i = 0; i < size; i++) {
		if (!command[i])
			command[i] = ' ';
	}
	if (size)
		return;
	slurp(process, "comm", command, COMMAND_SIZE);
	command[strcspn(command, "\n")] = '\0';
}

/* Which of the files descriptor `name` of a process is, or search->count. */
static unsigned find_file(const struct search *search, int fds, const char *name)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(fds, name, target, sizeof(target) - 1);
	struct stat st = {0};
	const char *base;

	if (length <= 0)
		return search->count;
	target[length] = '\0';
	base = strrchr(target, '/');
	/* By name first: a stat() of whatever else is open there could hang on a dead server. */
	for (unsigned i = 0; base && i < search->count; i++) {
		const struct holders_file *file = &search->files[i];

		if (strcmp(base + 1, file->name))
			continue;
		if (!st.st_ino && fstatat(fds, name, &st, 0))
			return search->count;
		if (st.st_dev == file->device && st.st_ino == file->inode)
			return i;
	}
	return search->count;
}

/* "lock:\t1: FLOCK  ADVISORY  WRITE 4242 fe:01:1234 0 EOF": proc_pid_fdinfo(5) */
static bool has_lock(int process, const char *fd)
{
	char path[64], text[4096], *line, *save = NULL;

	snprintf(path, sizeof(path), "fdinfo/%.32s", fd);
	slurp(process, path, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "lock:", 5) && strstr(line, " FLOCK ") &&
		    strstr(line, " WRITE "))
			return true;
	}
	return false;
}

static void look_into(const struct search *search, int process, DIR *fds, pid_t pid)
{
	bool *seen = calloc(search->count, sizeof(*seen));
	char command[COMMAND_SIZE] = "";
	struct dirent *entry;

	while (seen && (entry = readdir(fds))) {
		unsigned i = search->count;

		if (*entry->d_name != '.')
			i = find_file(search, dirfd(fds), entry->d_name);
		if (i == search->count || seen[i] || !has_lock(process, entry->d_name))
			continue;
		seen[i] = true;
		if (!*command)
			read_command(process, command);
		search->see(search->arg, i, pid, command);
	}
	free(seen);
}

/* False: it is not for us to look into. A process that is gone meanwhile hides nothing. */
static bool look_at(const struct search *search, int proc, const char *name)
{
	int process = openat(proc, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int fd = process < 0 ? -1 : openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool allowed = fd >= 0 || (errno != EACCES && errno != EPERM);
	DIR *fds = fd < 0 ? NULL : fdopendir(fd);

	if (fds) {
		look_into(search, process, fds, (pid_t)strtol(name, NULL, 10));
		closedir(fds);
	} else if (fd >= 0) {
		close(fd);
	}
	if (process >= 0)
		close(process);
	return allowed;
}

int holders_find(const struct holders_file *files, unsigned count, holders_see *see, void *arg)
{
	const struct search search = {files, count, see, arg};
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int hidden = 0;

	if (!proc)
		return -1;
	while ((entry = readdir(proc))) {
		if (entry->d_name[strspn(entry->d_name, "0123456789")])
			continue;
		hidden += !look_at(&search, dirfd(proc), entry->d_name);
	}
	closedir(proc);
	return hidden;
}

/* --- of a report -------------------------------------------------------------------------- */

static void see_holder(void *arg, unsigned index, pid_t pid, const char *command)
{
	struct report_row *row = ((struct report_row **)arg)[index];
	struct report_process *longer =
		realloc(row->processes, (row->process_count + 1) * sizeof(*longer));

	if (!longer)
		return;
	row->processes = longer;
	longer[row->process_count].pid = pid;
	longer[row->process_count].command = strdup(command);
	if (longer[row->process_count].command)
		row->process_count++;
}

/* Appends the lock's rows that are in question, and the same as files; `count` of them till now. */
static unsigned add_doubtful(const struct report_lock *lock, struct report_row **rows,
			     struct holders_file *files, unsigned count)
{
	for (unsigned i = 0; i < lock->count; i++) {
		struct report_row *row = &lock->rows[i];

		if (row->doubts > 1) {
			rows[count] = row;
			files[count++] = (struct holders_file){row->device, row->inode, row->file};
		}
	}
	return count;
}

void holders_of_doubtful(struct report *report)
{
	unsigned held = 0, count = 0;
	struct report_row **rows;
	struct holders_file *files;

	for (unsigned i = 0; i < report->count; i++)
		held += report->locks[i].held;
	rows = calloc(held + 1, sizeof(struct report_row *));
	files = calloc(held + 1, sizeof(*files));
	for (unsigned i = 0; rows && files && i < report->count; i++)
		count = add_doubtful(&report->locks[i], rows, files, count);
	if (count) {
		bool hidden = holders_find(files, count, see_holder, rows) != 0;

		for (unsigned i = 0; i < count; i++) {
			rows[i]->searched = true;
			rows[i]->hidden = hidden;
		}
	}
	free(rows);
	free(files);
}

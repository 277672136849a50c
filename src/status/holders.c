#include "status/holders.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/proc.h"

#define COMMAND_SIZE RECORD_COMMAND_SIZE

struct search {
	const struct holders_file *files;
	unsigned count;
	holders_see *see;
	void *arg;
	pid_t pid;  /* of the process that is looked into */
	bool *seen; /* by file: it holds it */
	char command[COMMAND_SIZE];
};

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
static bool has_lock(pid_t pid, const char *fd)
{
	char file[64], text[4096], *line, *save = NULL;

	snprintf(file, sizeof(file), "fdinfo/%.32s", fd);
	proc_read(pid, file, text, sizeof(text));
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		if (!strncmp(line, "lock:", 5) && strstr(line, " FLOCK ") &&
		    strstr(line, " WRITE "))
			return true;
	}
	return false;
}

static bool see_fd(void *arg, int fds, const char *name)
{
	struct search *search = arg;
	unsigned i = find_file(search, fds, name);

	if (i == search->count || search->seen[i] || !has_lock(search->pid, name))
		return false;
	search->seen[i] = true;
	if (!*search->command)
		proc_command(search->pid, search->command, sizeof(search->command));
	search->see(search->arg, i, search->pid, search->command);
	return false;
}

/* False: it is not for us to look into. A process that is gone meanwhile hides nothing. */
static bool look_into(struct search *search, pid_t pid)
{
	search->pid = pid;
	memset(search->seen, 0, search->count * sizeof(*search->seen));
	*search->command = '\0';
	return proc_each_fd(pid, see_fd, search) >= 0 || (errno != EACCES && errno != EPERM);
}

int holders_find(const struct holders_file *files, unsigned count, holders_see *see, void *arg)
{
	struct search search = {.files = files, .count = count, .see = see, .arg = arg};
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int hidden = 0;

	if (proc)
		search.seen = calloc(count, sizeof(*search.seen));
	while (search.seen && (entry = readdir(proc))) {
		if (!entry->d_name[strspn(entry->d_name, "0123456789")])
			hidden += !look_into(&search, (pid_t)strtol(entry->d_name, NULL, 10));
	}
	free(search.seen);
	if (proc)
		closedir(proc);
	return proc ? hidden : -1;
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

void holders_of_doubtful(struct report *report)
{
	unsigned held = 0, count = 0;
	struct report_row **rows;
	struct holders_file *files;

	for (unsigned i = 0; i < report->count; i++)
		held += report->locks[i].held;
	rows = calloc(held + 1, sizeof(struct report_row *));
	files = calloc(held + 1, sizeof(*files));
	for (unsigned i = 0; rows && files && i < report->count; i++) {
		for (unsigned j = 0; j < report->locks[i].count; j++) {
			struct report_row *row = &report->locks[i].rows[j];

			if (row->doubts < 2)
				continue;
			rows[count] = row;
			files[count++] = (struct holders_file){row->device, row->inode, row->file};
		}
	}
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

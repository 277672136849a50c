#include "check/mount.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* Copies a field, which ends at a blank, with \040 and the like as the bytes that they stand for. */
static void take_field(char *out, size_t size, const char *field)
{
	size_t used = 0;

	while (*field && *field != ' ' && *field != '\n' && used + 1 < size) {
		out[used++] = *field++;
		if (field[-1] != '\\' || !is_octal(field[0]) || !is_octal(field[1]) ||
		    !is_octal(field[2]))
			continue;
		out[used - 1] =
			(char)((field[0] - '0') * 64 + (field[1] - '0') * 8 + field[2] - '0');
		field += 3;
	}
	out[used] = '\0';
}

/* The field after `count` others; NULL: there are not so many. */
static const char *skip_fields(const char *line, int count)
{
	while (line && count--) {
		line = strchr(line, ' ');
		line += line != NULL;
	}
	return line;
}

bool mount_parse(struct mount *mount, const char *line)
{
	/* ID PARENT MAJOR:MINOR ROOT POINT OPTIONS [TAG...] - TYPE SOURCE OPTIONS */
	char *end;
	unsigned long id = strtoul(line, &end, 10);
	const char *rest = strstr(line, " - "), *more = rest ? skip_fields(rest + 3, 2) : NULL;
	const char *fields = skip_fields(line, 3);
	size_t used;

	mount->id = id;
	if (end == line || !more || !fields || skip_fields(line, 6) > rest + 1)
		return false;
	take_field(mount->root, sizeof(mount->root), fields);
	take_field(mount->point, sizeof(mount->point), skip_fields(fields, 1));
	take_field(mount->type, sizeof(mount->type), rest + 3);
	take_field(mount->options, sizeof(mount->options), skip_fields(fields, 2));
	used = strlen(mount->options);
	if (used + 1 < sizeof(mount->options)) {
		mount->options[used++] = ',';
		take_field(mount->options + used, sizeof(mount->options) - used, more);
	}
	return true;
}

/* The id of the mount that an open file belongs to: proc(5), since Linux 3.15. */
static bool find_id(int fd, unsigned long *id)
{
	char path[64], line[256];
	bool found = false;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
	file = fopen(path, "re");
	while (file && !found && fgets(line, sizeof(line), file))
		found = !strncmp(line, "mnt_id:", 7);
	if (found)
		*id = strtoul(line + 7, NULL, 10);
	if (file)
		fclose(file);
	return found;
}

static const struct {
	unsigned long magic;
	const char *type;
} magics[] = {
	{0xEF53, "ext4"},      {0x58465342, "xfs"},     {0x9123683E, "btrfs"},
	{0x01021994, "tmpfs"}, {0x794C7630, "overlay"}, {0x6969, "nfs"},
	{0xFF534D42, "cifs"},  {0xFE534D42, "cifs"},    {0x01021997, "9p"},
	{0x65735546, "fuse"},  {0x00C36400, "ceph"},    {0x0BD00BD0, "lustre"},
	{0x47504653, "gpfs"},  {0x19830326, "beegfs"},
};

int mount_of(struct mount *mount, int fd, struct error *err)
{
	unsigned long id, magic;
	FILE *file = find_id(fd, &id) ? fopen("/proc/self/mountinfo", "re") : NULL;
	char *line = NULL;
	size_t size = 0;
	bool found = false;
	struct statfs fs;

	while (file && !found && getline(&line, &size, file) > 0)
		found = mount_parse(mount, line) && mount->id == id;
	free(line);
	if (file)
		fclose(file);
	if (found)
		return 0;
	*mount->root = *mount->point = *mount->options = '\0';
	if (fstatfs(fd, &fs))
		return error_sys(err, errno, "cannot find out the file system");
	magic = (unsigned long)fs.f_type & 0xffffffff;
	snprintf(mount->type, sizeof(mount->type), "0x%lx", magic);
	for (size_t i = 0; i < sizeof(magics) / sizeof(*magics); i++) {
		if (magics[i].magic == magic)
			snprintf(mount->type, sizeof(mount->type), "%s", magics[i].type);
	}
	return 0;
}

bool mount_has(const struct mount *mount, const char *option)
{
	size_t length = strlen(option);

	for (const char *p = mount->options; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (!strncmp(p, option, length) && (p[length] == ',' || !p[length]))
			return true;
	}
	return false;
}

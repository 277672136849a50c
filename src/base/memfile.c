#include "base/memfile.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

enum memfile_result memfile_open(struct memfile *file, struct error *err)
{
	file->fd = memfd_create("grouplock", MFD_CLOEXEC);
	if (file->fd < 0) {
		/* EACCES, EPERM: vm.memfd_noexec=2, or a filter of system calls. */
		int unsupported = errno == ENOSYS || errno == EPERM || errno == EACCES;

		error_sys(err, errno, "cannot create a file in memory");
		return unsupported ? MEMFILE_UNSUPPORTED : MEMFILE_ERROR;
	}
	snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
	return MEMFILE_OK;
}

bool memfile_is_readable(const struct memfile *file)
{
	return !access(file->path, R_OK);
}

void memfile_close(struct memfile *file)
{
	close(file->fd);
	file->fd = -1;
}

int memfile_clear(const struct memfile *file, struct error *err)
{
	if (ftruncate(file->fd, 0) || lseek(file->fd, 0, SEEK_SET))
		return error_sys(err, errno, "cannot write to memory");
	return 0;
}

int memfile_append(const struct memfile *file, const char *bytes, size_t size, struct error *err)
{
	while (size) {
		ssize_t written = write(file->fd, bytes, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			return error_sys(err, written ? errno : ENOSPC, "cannot write to memory");
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

#include "cli/output.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int output_text(char *text, struct error *err)
{
	size_t size = text ? strlen(text) : 0, done = 0;

	if (!text)
		return error_sys(err, ENOMEM, "cannot write to stdout");
	while (done < size) {
		ssize_t wrote = write(STDOUT_FILENO, text + done, size - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			break;
	}
	free(text);
	return done == size ? 0 : error_sys(err, errno, "cannot write to stdout");
}

#include "cli/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

int output_whole(output_form *form, const void *arg, struct error *err)
{
	char *text = NULL;
	size_t size = 0, done = 0;
	FILE *out = open_memstream(&text, &size);
	bool made = out && !form(out, arg) && !ferror(out);

	if (out && fclose(out))
		made = false;
	if (!made)
		errno = ENOMEM;
	while (made && done < size) {
		ssize_t wrote = write(STDOUT_FILENO, text + done, size - done);

		if (wrote > 0)
			done += (size_t)wrote;
		else if (wrote == 0 || errno != EINTR)
			break;
	}
	if (!made || done < size)
		error_sys(err, errno, "cannot write to stdout");
	free(text);
	return made && done == size ? 0 : -1;
}

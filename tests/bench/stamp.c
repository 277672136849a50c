/*
 * stamp - a command that says when it ran.
 *
 *     stamp FILE NUMBER MILLISECONDS
 *
 * Sleeps so long, then appends "NUMBER BEGAN ENDED" to FILE, nanoseconds of CLOCK_MONOTONIC, in one
 * write. The last moment is taken before the write and the exit, which belong to what the next one
 * waits for.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

int main(int argc, char **argv)
{
	long long began = now();
	char line[96];
	int fd, used;

	if (argc != 4)
		return 125;
	fd = open(argv[1], O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		return 126;
	usleep((useconds_t)atoi(argv[3]) * 1000);
	used = snprintf(line, sizeof(line), "%d %lld %lld\n", atoi(argv[2]), began, now());
	return write(fd, line, (size_t)used) == used ? 0 : 126;
}

/*
 * rounds - runs commands in turn, many times, and says how long each took.
 *
 *     rounds ROUNDS <COMMANDS
 *
 * Each line of COMMANDS is one command, its fields ended by tabs: AWAIT (a file whose lock is waited
 * for after it, not timed; "-": none), then the program and its arguments, all of which must be paths
 * or plain words. A "+" begins a second program, which runs after the first and counts with it.
 *
 * In each round every command runs once, from a starting place that moves, so that what else the
 * machine does hits all of them alike. After each one the first command, which should be a bare one,
 * runs once more, not timed: so nobody is measured beside what another leaves behind to end. Prints
 * "COMMAND ROUND WALL CPU" a run, in nanoseconds from the start until wait(2) returns, and of user and
 * system time of the process and what it waited for.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_COMMANDS 32
#define MAX_WORDS 32
#define WARM_UP 3

extern char **environ;

struct command {
	const char *await;
	char *words[MAX_WORDS + 1];
};

static struct command commands[MAX_COMMANDS];
static int command_count;

static void die(const char *what)
{
	fprintf(stderr, "rounds: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static void read_commands(void)
{
	char *line = NULL;
	size_t room = 0;

	while (command_count < MAX_COMMANDS && getline(&line, &room, stdin) > 0) {
		struct command *command = &commands[command_count++];
		int count = 0;

		line[strcspn(line, "\n")] = '\0';
		command->await = strtok(line, "\t");
		for (char *word; count < MAX_WORDS && (word = strtok(NULL, "\t"));)
			command->words[count++] = word;
		if (!count)
			die("bad command");
		line = NULL;
	}
}

/* The CPU time of the children, in nanoseconds. */
static long long run_program(char **words, const char *title)
{
	struct rusage usage;
	int status, errnum;
	pid_t pid;

	errnum = posix_spawn(&pid, words[0], NULL, NULL, words, environ);
	if (errnum) {
		errno = errnum;
		die(words[0]);
	}
	if (wait4(pid, &status, 0, &usage) != pid)
		die("wait4");
	if (status) {
		fprintf(stderr, "rounds: '%s' ended with status %d\n", title, status);
		exit(1);
	}
	return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
	       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
}

/* Nobody is to wait in the next round for a keeper that has not gone yet. */
static void await(const struct command *command)
{
	int fd = strcmp(command->await, "-") ? open(command->await, O_RDWR | O_CLOEXEC) : -1;

	if (fd < 0)
		return;
	flock(fd, LOCK_EX);
	close(fd);
}

static void run_command(int index, int round)
{
	struct command *command = &commands[index];
	char **words = command->words, **next;
	long long cpu = 0, began = now(), took;

	for (; words; words = next) {
		char *plus;

		next = words;
		while (*next && strcmp(*next, "+") != 0)
			next++;
		plus = *next;
		*next = NULL;
		cpu += run_program(words, words[0]);
		*next = plus;
		next = plus ? next + 1 : NULL;
	}
	took = now() - began;
	await(command);
	run_program(commands[0].words, commands[0].words[0]);
	if (round >= 0)
		printf("%d %d %lld %lld\n", index, round, took, cpu);
}

int main(int argc, char **argv)
{
	int rounds = argc == 2 ? atoi(argv[1]) : 0;

	if (rounds < 1) {
		fputs("usage: rounds ROUNDS <COMMANDS\n", stderr);
		return 2;
	}
	read_commands();
	for (int round = -WARM_UP; round < rounds; round++) {
		for (int turn = 0; turn < command_count; turn++)
			run_command((turn + round + WARM_UP) % command_count, round);
	}
	return fflush(stdout) ? 1 : 0;
}

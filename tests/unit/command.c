/*
 * What main.c gives to the commands, for the linker: their objects are part of this program, but
 * nothing of them is ever called. Weak, so that the real ones win wherever they are.
 */
#include <stdlib.h>

#define WEAK __attribute__((weak))

/* Without command.h: there is nobody here whom their parameters could matter to. */
void command_fail(void);
void command_fail_in_shell(void);
void command_help(void);

WEAK void *command_title[2];

WEAK void command_fail(void)
{
	abort();
}

WEAK void command_fail_in_shell(void)
{
	abort();
}

WEAK void command_help(void)
{
	abort();
}

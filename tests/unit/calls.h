/*
 * calls - the library's calls that a test can make end otherwise, or do something before.
 *
 * All of them are the real ones unless a test says otherwise. Each test is a process of its own,
 * so there is nothing to put back.
 */
#ifndef GROUPLOCK_TESTS_CALLS_H
#define GROUPLOCK_TESTS_CALLS_H

#include <sys/stat.h>

/* Called once, before the next flock(2): what another process does between open and lock. */
extern void (*calls_before_flock)(void);

/* Called after each stat(2) that succeeds, to change what it found. */
extern void (*calls_after_stat)(struct stat *st);

/* After so many lines fgets(3) finds the end of the file; below 0: never. */
extern int calls_lines_left;

#endif

/*
 * lint - all that is wrong or doubtful in a config file, line by line.
 *
 * What config_load() refuses is an error, in its words. Further errors are what iniparser does
 * without a word: sections merged, keys overwritten, lines lost. A warning is what is valid but
 * cannot be what was meant.
 */
#ifndef GROUPLOCK_LINT_H
#define GROUPLOCK_LINT_H

#include "base/findings.h"

/*
 * Adds what it finds, sorted by lines; a finding without a line is about the file. *directory
 * becomes the value of `directory`, to be freed, or NULL where there is none that makes sense.
 */
void lint_config(const char *path, struct findings *findings, char **directory);

#endif

/*
 * output - the text of a command to stdout, whole or with an error: nobody must take half a
 * report for one, and `... | sponge FILE` in cron gets it in one piece.
 */
#ifndef GROUPLOCK_OUTPUT_H
#define GROUPLOCK_OUTPUT_H

#include <stdio.h>

#include "base/error.h"

/* Writes a text, made of `arg`, into `out`, a file in memory. -1: there was not memory enough. */
typedef int output_form(FILE *out, const void *arg);

/* Calls `form` and writes to stdout what it made, or nothing and -1 with a reason. May block. */
int output_whole(output_form *form, const void *arg, struct error *err);

#endif

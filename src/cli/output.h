/*
 * output - the text of a command to stdout, whole or with an error: nobody must take half a
 * report for one, and `... | sponge FILE` in cron gets it in one piece.
 */
#ifndef GROUPLOCK_OUTPUT_H
#define GROUPLOCK_OUTPUT_H

#include "base/error.h"

/* Writes `text` (NULL: there was no memory to make it) and frees it. */
int output_text(char *text, struct error *err);

#endif

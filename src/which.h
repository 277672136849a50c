/*
 * which - the answer of `grouplock which` in its three forms.
 */
#ifndef GROUPLOCK_WHICH_H
#define GROUPLOCK_WHICH_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "error.h"
#include "names.h"
#include "resolve.h"

struct which {
	struct resolved where;
	struct names locks;
	struct slotset *slots; /* of each lock */
	bool quiet, json, help;
};

/* For people: lines and a table. */
void which_put_text(FILE *out, const struct which *which);

/* For a shell: KEY=value lines. */
void which_put_assignments(FILE *out, const struct which *which);

/* For programs: one JSON document, malloc()ed; NULL without memory. */
char *which_json(const struct which *which);

/* Refuses two locks whose variables would have one name: one would hide the other. */
int which_check_variables(const struct which *which, struct error *err);

#endif

/*
 * which - the answer of `grouplock which` in its three forms, and the lists of `which --list`.
 */
#ifndef GROUPLOCK_WHICH_H
#define GROUPLOCK_WHICH_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"
#include "base/names.h"
#include "config/config.h"
#include "config/resolve.h"

/* What --list can list. */
enum which_list {
	WHICH_LIST_WORKERS,
	WHICH_LIST_GROUPS,
	WHICH_LIST_LOCKS,
	WHICH_LISTS, /* none of them: how many there are */
};

struct which {
	struct resolved where;
	struct names locks;
	struct slotset *slots; /* of each lock */
	bool quiet, json, help;
	enum which_list list;
};

/* For people: lines and a table. */
void which_put_text(FILE *out, const struct which *which);

/* For a shell: KEY=value lines. */
void which_put_assignments(FILE *out, const struct which *which);

/* For programs: one JSON document, malloc()ed; NULL without memory. */
char *which_json(const struct which *which);

/* Which list `word` names. */
int which_list_kind(const char *word, enum which_list *list, struct error *err);

/* The names of that kind that the config has, patterns left out, sorted. */
int which_list(const struct config *config, enum which_list list, struct names *names,
	       struct error *err);

/* Refuses two locks whose variables would have one name: one would hide the other. */
int which_check_variables(const struct which *which, struct error *err);

#endif

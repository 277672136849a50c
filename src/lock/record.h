/*
 * record - what a holder or waiter writes into its slot or ticket, for people to read.
 *
 * Commentary, never truth: the kernel's lock says who holds. A record may be old, torn, forged,
 * garbage or unreadable, and is parsed with bounds and shown escaped.
 *
 * The form: a first line "grouplock 1", then lines "key value", then an empty line; what follows
 * the empty line is left over from a longer record and not read. Bytes of a value outside 32 to
 * 126, and '%', stand as %XX. A record is at most one page and is written by one write(2).
 *
 * The state is the first key and its value has constant width, so that a keeper can overwrite it in
 * place, without a look at the rest, just before it lets a slot go.
 */
#ifndef GROUPLOCK_RECORD_H
#define GROUPLOCK_RECORD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/proc.h"
#include "lock/statedir.h"

#define RECORD_SIZE 4096
#define RECORD_COMMAND_SIZE 1024
#define RECORD_SECRET_SIZE 33 /* 16 random bytes in hexadecimal, terminated */

enum record_kind {
	RECORD_RUN,   /* the process is a command with a keeper: when it ends, the slot is free */
	RECORD_KEEP,  /* the same without a keeper: whoever inherited the slot holds it too */
	RECORD_CLAIM, /* the process is the keeper of a claim */
	RECORD_WAIT,  /* a waiter's ticket */
};

enum record_state {
	RECORD_HELD,     /* as far as the record knows; the lock is the truth */
	RECORD_ENDED,    /* the command, or the process that a claim was bound to, has ended */
	RECORD_EXPIRED,  /* the claim's --max was over */
	RECORD_RELEASED, /* the claim was released */
};

#define RECORD_STATE_OFFSET 18 /* of the state's value in a record: behind "grouplock 1\nstate " */
#define RECORD_STATE_SIZE 8
#define RECORD_START_SIZE 80
extern const char record_states[][RECORD_STATE_SIZE + 1]; /* the values, by enum record_state */

struct record {
	enum record_state state;
	enum record_kind kind;
	char id[RECORD_SECRET_SIZE]; /* record_id() of the secret that the holder's command knows */
	char worker[NAME_MAX + 1];
	struct proc_identity process; /* the command's */
	int64_t since;                /* wall clock, nanoseconds: when it took or asked */
	uint64_t count;               /* slots held or asked for */
	pid_t bound;         /* RECORD_CLAIM: the process that it lasts as long as; 0: none */
	uint64_t boundstart; /* its start time, as process.start */
	int64_t until;       /* RECORD_CLAIM: wall clock of its --max; 0: none */
	int sigqueue; /* RECORD_CLAIM: 1: what releases it is a queued signal; 0, of old: SIGTERM */
	int script;   /* RECORD_CLAIM: 1: `bound` is the script that called, not named by --pid */
	char command[RECORD_COMMAND_SIZE];
};

/* "run", "keep", "claim" or "wait". */
const char *record_kind_name(enum record_kind kind);

/* A formatted record, to be written as it is into several files. */
struct record_text {
	size_t size;
	char bytes[RECORD_SIZE];
};

/*
 * A new secret for GROUPLOCK_HELD, random enough never to be guessed or met twice; and the id
 * that a record shows of it: the first half of its SHA-256, so that whoever can read the record
 * cannot pass for its holder.
 */
int record_secret(char secret[RECORD_SECRET_SIZE], struct error *err);
void record_id(const char *secret, char id[RECORD_SECRET_SIZE]);

/*
 * The short name of a claim, for people: the start of its record's id. It says nothing of the
 * secret.
 */
#define RECORD_SHORT_ID 8

/* Joins a command's arguments by blanks into record->command, cut to its size. */
void record_command(struct record *record, char *const *argv);

/*
 * How the record of a holder begins and no other does, up to its id; `size` of RECORD_START_SIZE is enough. So a
 * keeper knows whether a slot is still what it keeps.
 */
void record_start(enum record_kind kind, const char *secret, char *start, size_t size);

/* Formats; always fits, since every field has its bound. */
void record_format(const struct record *record, struct record_text *text);

/* False, with *record all zero, unless the bytes are a whole record. */
bool record_parse(struct record *record, const char *bytes, size_t size);

/* Writes into a locked file. `sd` and `name` are for the message. */
int record_write(const struct record_text *text, const struct statedir *sd, const char *name,
		 int fd, struct error *err);

/*
 * Reads and parses. False if it is no record, then errno is 0, or if it cannot be read, then errno
 * says why. Does not block on a regular file.
 */
bool record_read(struct record *record, int fd);

#endif

/*
 * A pattern is a row of tokens: a star, or the set of bytes that may stand at this place. It is an
 * automaton with a state for each token, "all before it is matched", and one more for the end; a
 * star stays where it is at any byte, and may be skipped.
 *
 * `wide` covers `narrow` if no word leads narrow to its end without leading wide there. All pairs
 * (state of narrow, set of states that wide may be in) that some word leads to are visited, each
 * once. Bytes that no token tells apart are one letter.
 */
#include "check/glob.h"

#include <fnmatch.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PAIRS 2000 /* visited before giving up; patterns that people write need a few dozen */

struct token {
	bool star;
	unsigned char set[256]; /* 1 for those in it */
};

struct glob {
	size_t length;
	struct token tokens[];
};

/* --- reading ------------------------------------------------------------------------------ */

static bool is_name_byte(unsigned c)
{
	return c >= 32 && c != 127 && c != '/' && !(c >= 'A' && c <= 'Z');
}

/*
 * Behind the [:class:], [=c=] or [.c.] that starts here; NULL if it is not quite one: what that means,
 * and where the brackets around it end, is fnmatch(3)'s secret.
 */
static const char *class_end(const char *p)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxy"; /* to glibc, z is none */
	char mark = p[1];

	p += 2;
	p += mark == ':' ? strspn(p, letters) : *p != '\0';
	return p[0] == mark && p[1] == ']' ? p + 2 : NULL;
}

/* Behind the bracket expression that starts here; NULL if it does not end, or nobody knows where. */
static const char *bracket_end(const char *p)
{
	p++;
	p += *p == '!' || *p == '^';
	p += *p == ']';
	while (p && *p && *p != ']') {
		if (*p == '[' && p[1] && strchr(":.=", p[1]))
			p = class_end(p);
		else
			p += *p == '\\' && p[1] ? 2 : 1;
	}
	return p && *p ? p + 1 : NULL;
}

/* Reads a token at `p` and returns what is behind it; NULL: it does not end. */
static const char *read_token(struct token *token, const char *p)
{
	char one[256], name[2] = "";
	const char *end = *p == '[' ? bracket_end(p) : *p == '\\' ? p + 2 : p + 1;

	if (!end || (*p == '\\' && !p[1]) || (size_t)(end - p) >= sizeof(one))
		return NULL;
	memcpy(one, p, (size_t)(end - p));
	one[end - p] = '\0';
	token->star = *p == '*';
	for (unsigned c = 0; c < 256; c++) {
		*name = (char)c;
		/* fnmatch(3) itself says what a bracket expression has in it. */
		token->set[c] = is_name_byte(c) && !fnmatch(one, name, 0);
	}
	return end;
}

struct glob *glob_compile(const char *pattern)
{
	struct glob *glob = malloc(sizeof(*glob) + strlen(pattern) * sizeof(*glob->tokens));

	if (!glob)
		return NULL;
	glob->length = 0;
	while (*pattern) {
		struct token *token = &glob->tokens[glob->length];

		pattern = read_token(token, pattern);
		if (!pattern) {
			free(glob);
			return NULL;
		}
		/* Two stars are one. */
		glob->length += !(glob->length && token->star && token[-1].star);
	}
	return glob;
}

void glob_free(struct glob *glob)
{
	free(glob);
}

bool glob_is_void(const struct glob *glob)
{
	for (size_t i = 0; i < glob->length; i++) {
		if (!memchr(glob->tokens[i].set, 1, sizeof(glob->tokens[i].set)))
			return true;
	}
	return glob->length == 0;
}

/* --- letters ------------------------------------------------------------------------------ */

struct alphabet {
	unsigned count;
	unsigned char letter[256]; /* one byte of each class */
};

/* Splits each class of bytes by whether the token takes them. */
static void refine(unsigned class_of[256], const struct glob *glob)
{
	for (size_t i = 0; i < glob->length; i++) {
		unsigned renamed[512], classes = 0;

		memset(renamed, 0xff, sizeof(renamed));
		for (unsigned c = 0; c < 256; c++) {
			unsigned was = 2 * class_of[c] + glob->tokens[i].set[c];

			if (renamed[was] == (unsigned)-1)
				renamed[was] = classes++;
			class_of[c] = renamed[was];
		}
	}
}

static void find_letters(struct alphabet *alphabet, const struct glob *a, const struct glob *b)
{
	unsigned class_of[256];
	bool have[256] = {false};

	/* Bytes that no name has are in no set and must not stand for any that are. */
	for (unsigned c = 0; c < 256; c++)
		class_of[c] = is_name_byte(c);
	refine(class_of, a);
	refine(class_of, b);
	alphabet->count = 0;
	for (unsigned c = 0; c < 256; c++) {
		if (is_name_byte(c) && !have[class_of[c]])
			alphabet->letter[alphabet->count++] = (unsigned char)c;
		have[class_of[c]] |= is_name_byte(c);
	}
}

/* --- walking ------------------------------------------------------------------------------ */

/*
 * Each pair is a row of bytes. First narrow's state, doubled, and 1 more once a byte was read,
 * since the empty word is no name; then for each state of wide whether it may be in it.
 */
struct search {
	const struct glob *wide, *narrow;
	struct alphabet alphabet;
	size_t size, count; /* of a row; rows */
	unsigned char *rows;
};

#define STATES_AT sizeof(size_t)

/* The states of wide in the row behind the last one, where the next pair is made. */
static unsigned char *next_states(const struct search *search)
{
	return search->rows + search->count * search->size + STATES_AT;
}

static void reach(const struct glob *glob, unsigned char *states, size_t i)
{
	states[i] = 1;
	for (; i < glob->length && glob->tokens[i].star; i++)
		states[i + 1] = 1;
}

static void step(const struct glob *glob, const unsigned char *from, unsigned char letter,
		 unsigned char *to)
{
	memset(to, 0, glob->length + 1);
	for (size_t i = 0; i < glob->length; i++) {
		if (from[i] && glob->tokens[i].set[letter])
			reach(glob, to, glob->tokens[i].star ? i : i + 1);
	}
}

/* Whether wide takes whatever follows: it may be at a star that is its last token. */
static bool is_settled(const struct glob *wide, const unsigned char *states)
{
	return wide->length && wide->tokens[wide->length - 1].star && states[wide->length - 1];
}

/* Adds the pair whose second half stands in next_states(), unless it is there already. */
static void add(struct search *search, size_t state)
{
	unsigned char *row = search->rows + search->count * search->size;

	memcpy(row, &state, sizeof(state));
	if (search->count == MAX_PAIRS || is_settled(search->wide, next_states(search)))
		return;
	for (size_t i = 0; i < search->count; i++) {
		if (!memcmp(search->rows + i * search->size, row, search->size))
			return;
	}
	search->count++;
}

/* Adds all pairs that one byte, or a star skipped, leads to. */
static void expand(struct search *search, const unsigned char *states, size_t state)
{
	const struct token *token = &search->narrow->tokens[state / 2];

	if (token->star) {
		memcpy(next_states(search), states, search->size - STATES_AT);
		add(search, state + 2);
	}
	for (unsigned i = 0; i < search->alphabet.count; i++) {
		unsigned char letter = search->alphabet.letter[i];

		if (!token->set[letter])
			continue;
		step(search->wide, states, letter, next_states(search));
		add(search, (token->star ? state : state + 2) | 1);
	}
}

static bool run(struct search *search)
{
	reach(search->wide, next_states(search), 0);
	add(search, 0);
	for (size_t i = 0; i < search->count; i++) {
		const unsigned char *row = search->rows + i * search->size;
		size_t state;

		if (search->count == MAX_PAIRS)
			return false;
		memcpy(&state, row, sizeof(state));
		if (state / 2 < search->narrow->length)
			expand(search, row + STATES_AT, state);
		else if (state % 2 && !row[STATES_AT + search->wide->length])
			return false;
	}
	return true;
}

/* Whether wide takes the shortest word of narrow, which is where most pairs of patterns part. */
static bool takes_shortest_word(const struct glob *wide, const struct glob *narrow)
{
	unsigned char *states = calloc(2, wide->length + 1), *next;
	bool is_empty = true, taken;

	if (!states)
		return false;
	next = states + wide->length + 1;
	reach(wide, states, 0);
	for (size_t i = 0; i < narrow->length; i++) {
		const struct token *token = &narrow->tokens[i];
		const unsigned char *first = memchr(token->set, 1, sizeof(token->set));

		if (token->star || !first)
			continue;
		step(wide, states, (unsigned char)(first - token->set), next);
		memcpy(states, next, wide->length + 1);
		is_empty = false;
	}
	taken = is_empty || states[wide->length];
	free(states);
	return taken;
}

bool glob_covers(const struct glob *wide, const struct glob *narrow)
{
	struct search search = {.wide = wide, .narrow = narrow};
	bool covers;

	if (glob_is_void(narrow))
		return true;
	if (!takes_shortest_word(wide, narrow))
		return false;
	search.size = STATES_AT + wide->length + 1;
	search.rows = calloc(MAX_PAIRS + 1, search.size);
	if (!search.rows)
		return false;
	find_letters(&search.alphabet, wide, narrow);
	covers = run(&search);
	free(search.rows);
	return covers;
}

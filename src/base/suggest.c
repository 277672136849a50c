#include "base/suggest.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static unsigned char fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (unsigned char)(c - 'A' + 'a') : (unsigned char)c;
}

unsigned suggest_distance(const char *a, const char *b)
{
	/* Rows of the usual table: the one before the last, the last, and the one that grows. */
	unsigned rows[3][SUGGEST_MAX + 1];
	size_t a_size = strlen(a), b_size = strlen(b);

	if (a_size > SUGGEST_MAX || b_size > SUGGEST_MAX)
		return SUGGEST_MAX;
	for (unsigned j = 0; j <= b_size; j++)
		rows[0][j] = j;
	for (unsigned i = 1; i <= a_size; i++) {
		const unsigned *above = rows[(i - 1) % 3], *two_above = rows[(i + 1) % 3];
		unsigned *row = rows[i % 3];

		row[0] = i;
		for (unsigned j = 1; j <= b_size; j++) {
			unsigned char x = fold(a[i - 1]), y = fold(b[j - 1]);

			row[j] = least(least(above[j], row[j - 1]) + 1, above[j - 1] + (x != y));
			if (i > 1 && j > 1 && x == fold(b[j - 2]) && y == fold(a[i - 2]))
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return rows[a_size % 3][b_size];
}

void suggest_begin(struct suggest *suggest, const char *word)
{
	suggest->word = word;
	*suggest->best = '\0';
	suggest->distance = SUGGEST_MAX;
}

void suggest_offer(struct suggest *suggest, const char *name)
{
	size_t size = strlen(suggest->word);
	unsigned distance, most = (unsigned)(size + 1) / 3;

	/* A word that was cut short is as good as one with a typo. */
	if (size > 1 && size < strlen(name) && !strncasecmp(suggest->word, name, size))
		distance = 1;
	else
		distance = suggest_distance(suggest->word, name);
	if (!distance || distance > least(most, 3) || distance >= suggest->distance)
		return;
	if (strlen(name) > SUGGEST_MAX)
		return;
	strcpy(suggest->best, name);
	suggest->distance = distance;
}

int suggest_append(const struct suggest *suggest, struct error *err)
{
	struct error before = *err;

	if (!*suggest->best)
		return -1;
	return error_set(err, "%s; did you mean '%s'?", before.text, suggest->best);
}

bool suggest_is_numbering(const char *a, const char *b)
{
	static const char digits[] = "0123456789";

	for (;;) {
		a += strspn(a, digits);
		b += strspn(b, digits);
		if (fold(*a) != fold(*b))
			return false;
		if (!*a)
			return true;
		a++;
		b++;
	}
}

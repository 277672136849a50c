#include "base/findings.h"

#include <stdlib.h>

#include "check.h"

Test(findings, sorted_by_line_and_stable)
{
	struct findings findings = {0};
	static const unsigned lines[] = {7, 0, 3, 7, 1, 3, 0, 2};
	static const char order[] = "eh" /* 1, 2 */ "cf" /* 3 */ "ad" /* 7 */ "bg"; /* no line */

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		findings_add(&findings, FINDING_ERROR, lines[i], "%c", (int)('a' + i));
	for (size_t i = 0; i < findings.count; i++)
		cr_assert(eq(chr, *findings.list[i].text, order[i]), "at %zu", i);
	findings_free(&findings);
}

Test(findings, counted_by_level_and_escaped)
{
	struct findings findings = {0};

	findings_add(&findings, FINDING_OK, 0, "fine");
	findings_add(&findings, FINDING_WARNING, 0, "%s", "a\nb\x1b[31m");
	findings_add(&findings, FINDING_ERROR, 0, "bad");
	findings_add(&findings, FINDING_ERROR, 0, "bad");
	cr_assert(eq(sz, findings.levels[FINDING_OK], 1));
	cr_assert(eq(sz, findings.levels[FINDING_WARNING], 1));
	cr_assert(eq(sz, findings.levels[FINDING_ERROR], 2));
	check_text(findings.list[1].text, "a\\x0ab\\x1b[31m");
	check_text(finding_word(FINDING_WARNING), "warning");
	findings_free(&findings);
}

static void hear(void *arg, const struct finding *finding)
{
	strcat(arg, finding->text);
}

Test(findings, heard_as_they_come_and_not_kept)
{
	char heard[16] = "";
	struct findings findings = {.hear = hear, .arg = heard};

	findings_add(&findings, FINDING_OK, 0, "one");
	check_text(heard, "one");
	findings_add(&findings, FINDING_ERROR, 0, "two");
	check_text(heard, "onetwo");
	cr_assert(zero(sz, findings.count));
	cr_assert(eq(sz, findings.levels[FINDING_ERROR], 1));
}

#include <stdlib.h>
#include <string.h>

#include "status/holders.h"
#include "status/look.h"

/* The rows whose holders are looked for, and the same as files. */
struct search {
	struct report_row **rows;
	struct holders_file *files;
	unsigned count;
};

static bool is_in_question(const struct report_row *row)
{
	return (row->state == REPORT_HELD || row->state == REPORT_LEAKED) && row->doubts > 1;
}

static unsigned count_rows(const struct report *report)
{
	unsigned count = 0;

	for (unsigned i = 0; i < report->count; i++) {
		for (unsigned j = 0; j < report->locks[i].count; j++)
			count += is_in_question(&report->locks[i].rows[j]);
	}
	return count;
}

static void fill(struct search *search, struct report *report)
{
	for (unsigned i = 0; i < report->count; i++) {
		for (unsigned j = 0; j < report->locks[i].count; j++) {
			struct report_row *row = &report->locks[i].rows[j];

			if (!is_in_question(row))
				continue;
			search->rows[search->count] = row;
			search->files[search->count++] =
				(struct holders_file){row->device, row->inode, row->file};
		}
	}
}

static void see_holder(void *arg, unsigned index, pid_t pid, const char *command)
{
	struct report_row *row = ((struct search *)arg)->rows[index];
	struct report_process *longer =
		realloc(row->processes, (row->process_count + 1) * sizeof(*longer));

	if (!longer)
		return;
	row->processes = longer;
	longer[row->process_count].pid = pid;
	longer[row->process_count].command = strdup(command);
	if (longer[row->process_count].command)
		row->process_count++;
}

void report_find_holders(struct report *report)
{
	unsigned count = count_rows(report);
	struct search search = {.count = 0};
	int hidden;

	if (!count)
		return;
	search.rows = calloc(count, sizeof(struct report_row *));
	search.files = calloc(count, sizeof(*search.files));
	if (search.rows && search.files) {
		fill(&search, report);
		hidden = holders_find(search.files, search.count, see_holder, &search);
		for (unsigned i = 0; i < search.count; i++) {
			search.rows[i]->searched = true;
			search.rows[i]->hidden = hidden != 0;
		}
	}
	free(search.rows);
	free(search.files);
}

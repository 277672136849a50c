#include "base/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "check.h"
#include "tempdir.h"

static struct names list;

static void teardown(void)
{
	names_free(&list);
}

TestSuite(names, .fini = teardown);

static void add(const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cr_assert(zero(int, names_add(&list, names[i])));
}

static void check_list(const char *expected)
{
	char joined[1024];

	names_join(&list, joined, sizeof(joined));
	check_text(joined, expected);
}

#define ADD(...)                                                  \
	do {                                                      \
		static const char *const names[] = {__VA_ARGS__}; \
		add(names, sizeof(names) / sizeof(*names));       \
	} while (0)

Test(names, empty_list_has_nothing)
{
	cr_assert(not(names_contain(&list, "")));
	names_sort(&list);
	check_list("");
}

Test(names, are_kept_in_their_order_and_copied)
{
	char name[] = "one";

	cr_assert(zero(int, names_add(&list, name)));
	name[0] = 'x';
	ADD("two", "", "two");
	check_list("one, two, , two");
	cr_assert(names_contain(&list, "one"));
	cr_assert(names_contain(&list, ""));
	cr_assert(not(names_contain(&list, "tw")));
}

Test(names, are_sorted_as_people_count_and_each_once)
{
	ADD("hw10", "hw2", "ticket.100", "hw2", "ticket.9", "a", "hw1", "a", "a");
	names_sort(&list);
	check_list("a, hw1, hw2, hw10, ticket.9, ticket.100");
}

Test(names, many_are_kept)
{
	char name[16];

	for (int i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		cr_assert(zero(int, names_add(&list, name)));
	}
	names_sort(&list);
	cr_assert(eq(uint, list.count, 1000));
	check_text(list.list[999], "n999");
}

Test(names, joined_are_cut)
{
	char joined[8];

	ADD("one", "two", "three");
	names_join(&list, joined, sizeof(joined));
	check_text(joined, "one, tw");
}

Test(names, read_finds_files_of_one_type_only, .init = tempdir_make, .fini = tempdir_remove)
{
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct error err;

	tempdir_write_text("slot.0", "");
	tempdir_write_text("gate", "");
	cr_assert(zero(int, mkdir("slot.1", 0700)));
	cr_assert(zero(int, mkfifo("slot.2", 0600)));
	cr_assert(zero(int, symlink("slot.0", "slot.3")));
	for (int i = 0; i < 2; i++) {
		names_free(&list);
		cr_assert(zero(int, names_read(&list, dir, DT_REG, ".", &err)), "%s", err.text);
		names_sort(&list);
		check_list("gate, slot.0");
	}
	names_free(&list);
	cr_assert(zero(int, names_read(&list, dir, DT_DIR, ".", &err)), "%s", err.text);
	names_sort(&list);
	check_list("., .., slot.1");
	close(dir);
	cr_assert(eq(int, names_read(&list, dir, DT_REG, "the/path", &err), -1));
	check_has(err.text, "'the/path'");
	names_free(&list);
}

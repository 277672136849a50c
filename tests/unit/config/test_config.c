#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "calls.h"
#include "check.h"
#include "tempdir.h"

#define FILE_NAME "groups.ini"

TestSuite(config, .init = tempdir_make, .fini = tempdir_remove);

/* Loads a text; it must be good. */
static struct config *load(const char *text)
{
	struct error err = {""};
	struct config *config;

	tempdir_write_text(FILE_NAME, text);
	config = config_load(FILE_NAME, &err);
	cr_assert_not_null(config, "%s", err.text);
	return config;
}

/* Loads bytes that are no good config, whose message must have the three parts. */
static void refuse_bytes(const char *bytes, size_t size, const char *where, const char *key,
			 const char *why)
{
	struct error err = {""};
	struct config *config;
	bool taken;

	tempdir_write(FILE_NAME, bytes, size);
	config = config_load(FILE_NAME, &err);
	taken = config != NULL;
	config_free(config);
	cr_assert(not(taken), "took '%.*s'", (int)size, bytes);
	check_has(err.text, FILE_NAME);
	check_has(err.text, where);
	check_has(err.text, key);
	check_has(err.text, why);
	cr_assert_null(strchr(err.text, '\n'));
}

static void refuse(const char *text, const char *where, const char *key, const char *why)
{
	refuse_bytes(text, strlen(text), where, key, why);
}

static void check_group(const struct config *config, const char *worker, const char *expected,
			enum config_match expected_match)
{
	char group[NAME_MAX + 1];
	enum config_match match = config_group(config, worker, group, sizeof(group), NULL);

	cr_assert_str_eq(group, expected, "group of '%s': got '%s', expected '%s'", worker, group,
			 expected);
	cr_assert(eq(int, match, expected_match), "worker '%s'", worker);
}

static void check_count(const struct config *config, const char *lock, const char *group,
			unsigned expected)
{
	struct error err = {""};
	struct slotset slots;

	cr_assert(zero(int, config_slots(config, lock, group, &slots, &err)), "%s", err.text);
	cr_assert(eq(uint, slots.count, expected), "lock '%s' of group '%s'", lock, group);
	slotset_free(&slots);
}

/* --- the example ------------------------------------------------------------------------- */

/* Not in a directory of its own: the tests are run from the top of the checkout. */
Test(example, loads_and_says_what_it_says)
{
	struct error err = {""};
	struct config *config = config_load("groups.ini.example", &err);
	struct slotset kits;

	cr_assert_not_null(config, "%s", err.text);
	check_text(config_directory(config), "/var/lib/grouplock");
	cr_assert(not(config_strict(config)));
	check_group(config, "msvc10", "hw1", CONFIG_EXACT);
	check_group(config, "msvc11", "hw1", CONFIG_EXACT);
	check_group(config, "msvc12", "hw1", CONFIG_EXACT);
	check_group(config, "linux-64", "hw2", CONFIG_PATTERN);
	check_group(config, "linux-arm", "arm", CONFIG_EXACT);
	check_group(config, "mac-3", "mac", CONFIG_PATTERN);
	check_group(config, "mac-x", "mac-x", CONFIG_UNLISTED);
	check_count(config, "default", "hw1", 2);
	check_count(config, "default", "hw2", 1);
	check_count(config, "default", "arm", 1);
	check_count(config, "link", "hw1", 1);
	check_count(config, "devkit", "hw1", 1);
	cr_assert(zero(int, config_slots(config, "devkit", "hw2", &kits, &err)), "%s", err.text);
	cr_assert(eq(uint, kits.count, 3));
	check_text(kits.names[0], "kit-a");
	check_text(kits.names[1], "kit-b");
	check_text(kits.names[2], "kit-c");
	slotset_free(&kits);
	config_free(config);
}

/* --- sections and keys ------------------------------------------------------------------- */

Test(config, empty_file_gives_every_worker_a_slot_of_its_own)
{
	static const char *const texts[] = {"", "\n", "# only a comment", "; only a comment\n",
					    "[slots]"};

	for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		struct config *config = load(texts[i]);

		check_group(config, "w1", "w1", CONFIG_UNLISTED);
		check_count(config, CONFIG_DEFAULT_LOCK, "w1", 1);
		cr_assert_null(config_directory(config));
		cr_assert(not(config_strict(config)));
		check_text(config_lock(config, 0), CONFIG_DEFAULT_LOCK);
		cr_assert_null(config_lock(config, 1));
		config_free(config);
	}
}

Test(config, main_section_is_read)
{
	struct config *config =
		load("[grouplock]\ndirectory = /srv/my locks ; here\nstrict = yes\n");

	check_text(config_directory(config), "/srv/my locks");
	cr_assert(config_strict(config));
	check_text(config_path(config), FILE_NAME);
	config_free(config);
}

Test(config, strict_takes_the_usual_words)
{
	static const char *const words[][2] = {
		{"no", "yes"}, {"No", "YES"}, {"false", "true"}, {"off", "on"}, {"0", "1"}};

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		for (int truth = 0; truth < 2; truth++) {
			char text[64];
			struct config *config;

			snprintf(text, sizeof(text), "[grouplock]\nstrict = %s\n", words[i][truth]);
			config = load(text);
			cr_assert(eq(int, config_strict(config), truth), "%s", text);
			config_free(config);
		}
	}
}

Test(config, unknown_section_is_refused)
{
	refuse("[worker]\na = b\n", "[worker]", "", "unknown section");
	refuse("[slots]\n[wörkers]\n", "[wörkers]", "", "unknown section");
	refuse("[slotslink]\n", "[slotslink]", "", "unknown section");
	refuse("[slots:link]\nhw1 = 1\n", "[slots:link]", "", "unknown section");
	refuse("[]\nhw1 = 1\n", "[]", "", "unknown section");
	refuse("[slots]\nhw1 = 1\n[ ]\nhw1 = 2\n", "[]", "", "unknown section");
}

Test(config, unknown_key_is_refused)
{
	refuse("[grouplock]\ndirektory = /srv\n", "[grouplock]", "'direktory'", "unknown key");
	refuse("[grouplock]\nhw1 = 2\n", "[grouplock]", "'hw1'", "unknown key");
}

Test(config, key_before_any_section_is_refused)
{
	refuse("hw1 = 2\n[slots]\n", "", "'hw1'", "before any section");
	refuse("# comment\n\ndirectory = /srv\n", "", "'directory'", "before any section");
}

Test(config, bad_values_of_the_main_section_are_refused)
{
	refuse("[grouplock]\ndirectory = srv/locks\n", "[grouplock]", "'directory'", "absolute");
	refuse("[grouplock]\ndirectory =\n", "[grouplock]", "'directory'", "absolute");
	refuse("[grouplock]\nstrict = maybe\n", "[grouplock]", "'strict'", "'maybe'");
	refuse("[grouplock]\nstrict =\n", "[grouplock]", "'strict'", "neither yes nor no");
	refuse("[grouplock]\nstrict = 2\n", "[grouplock]", "'strict'", "'2'");
}

Test(config, bad_workers_and_groups_are_refused)
{
	refuse("[workers]\nw1 =\n", "[workers]", "'w1'", "no group");
	refuse("[workers]\nw1 = ; hw1\n", "[workers]", "'w1'", "no group");
	refuse("[workers]\nw1 = a/b\n", "[workers]", "'w1'", "slash");
	refuse("[workers]\na/b = hw1\n", "[workers]", "'a/b'", "slash");
	refuse("[workers]\nw1 = ..\n", "[workers]", "'w1'", "'..'");
	refuse("[workers]\n.. = hw1\n", "[workers]", "'..'", "directory's");
	refuse("[workers]\nw1 = hw*\n", "[workers]", "'w1'", "pattern");
	refuse("[workers]\nlinux-* =\n", "[workers]", "'linux-*'", "no group");
	refuse("[slots]\na/b = 1\n", "[slots]", "'a/b'", "slash");
}

Test(config, bad_pattern_is_refused)
{
	static const char *const patterns[] = {"mac-[0-9", "[a",       "a[", "mac[!",
					       "mac[]",    "mac[]0-9", "[^"};

	for (size_t i = 0; i < sizeof(patterns) / sizeof(*patterns); i++) {
		char text[64], quoted[32];

		snprintf(text, sizeof(text), "[workers]\n%s = hw1\n", patterns[i]);
		snprintf(quoted, sizeof(quoted), "'%s'", patterns[i]);
		refuse(text, "[workers]", quoted, "bad pattern");
		snprintf(text, sizeof(text), "[slots]\n%s = 1\n", patterns[i]);
		refuse(text, "[slots]", quoted, "bad pattern");
	}
	config_free(load("[workers]\n[a]* = hw1\n[!a]* = hw2\n[]0-9] = hw3\n"));
}

Test(config, bad_counts_are_refused_with_section_and_key)
{
	static const char *const values[] = {
		"4x",  "010", "-1",  "+1",  "99999999999999",      "1025", "0x10",
		"1.5", "",    "2 2", "a a", "18446744073709551617"};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		char text[64];

		snprintf(text, sizeof(text), "[slots]\nhw1 = %s\n", values[i]);
		refuse(text, "section [slots]", "'hw1'", "");
		snprintf(text, sizeof(text), "[slots link]\nHW2-* = %s\n", values[i]);
		refuse(text, "section [slots link]", "'hw2-*'", "");
	}
}

Test(config, bad_lock_names_are_refused)
{
	refuse("[slots default]\n* = 1\n", "[slots default]", "", "default");
	refuse("[slots a b]\n* = 1\n", "[slots a b]", "", "blank");
	refuse("[slots a,b]\n* = 1\n", "[slots a,b]", "", "comma");
	refuse("[slots a=1]\n* = 1\n", "[slots a=1]", "", "'='");
	refuse("[slots a/b]\n* = 1\n", "[slots a/b]", "", "slash");
	refuse("[slots ..]\n* = 1\n", "[slots ..]", "", "'..'");
}

/* --- what iniparser would take, lose or misread ------------------------------------------ */

Test(config, byte_order_mark_is_refused)
{
	refuse("\xef\xbb\xbf[slots]\nhw1 = 2\n", ":1:", "", "byte order mark");
}

Test(config, binary_bytes_are_refused_with_their_line)
{
	static const char with_nul[] = "[slots]\nhw1 = 1\0\n";
	static const char middle_of_nothing[] = "\x7f"
						"ELF\x02\x01\x01\0";

	refuse_bytes(with_nul, sizeof(with_nul) - 1, ":2:", "", "0x00");
	refuse_bytes(middle_of_nothing, sizeof(middle_of_nothing) - 1, ":1:", "", "0x7f");
	refuse("[slots]\n\nhw1 = \x1b[2J1\n", ":3:", "", "0x1b");
}

/* Where a block ends that is read at once, a byte must not be overlooked nor a line lost. */
Test(config, binary_byte_is_found_anywhere)
{
	char text[8300] = "[slots]\n", where[16];
	unsigned line = 2;

	for (size_t at = strlen(text); at < sizeof(text); at++) {
		text[at] = '\x01';
		if (at % 1024 < 2 || at % 1024 > 1021) {
			snprintf(where, sizeof(where), ":%u:", line);
			refuse_bytes(text, at + 1, where, "", "0x01");
		}
		text[at] = at % 64 ? '#' : '\n';
		line += text[at] == '\n';
	}
}

/* In a comment, where a block starts that is read at once. */
Test(config, mark_in_the_middle_of_a_file_is_text)
{
	char text[8300] = "[slots]\n";
	struct config *config;

	for (size_t i = strlen(text); i < sizeof(text) - 16; i++)
		text[i] = i % 64 == 32 ? '\n' : '#';
	for (size_t i = 1024; i < sizeof(text) - 16; i += 1024)
		memcpy(text + i, "\xef\xbb\xbf", 3);
	strcat(text, "\nhw1 = 2\n");
	config = load(text);
	check_count(config, CONFIG_DEFAULT_LOCK, "hw1", 2);
	config_free(config);
}

Test(config, line_of_1025_characters_is_refused_with_its_number)
{
	char text[1200] = "[slots]\n";
	size_t start = strlen(text);

	memset(text + start, '#', 1025);
	strcpy(text + start + 1025, "\nhw1 = 2\n");
	refuse(text, ":2:", "", "too long");
	memset(text + start, ' ', 1025);
	memcpy(text + start, "hw1 = 4 ;", 9);
	refuse(text, ":2:", "", "too long");
}

Test(config, line_of_1000_characters_is_read)
{
	char text[1200] = "[slots]\n";
	size_t start = strlen(text);
	struct config *config;

	memset(text + start, '#', 1000);
	strcpy(text + start + 1000, "\nhw1 = 2\n");
	config = load(text);
	check_count(config, CONFIG_DEFAULT_LOCK, "hw1", 2);
	config_free(config);
}

Test(config, continued_lines_are_joined_and_count_as_one)
{
	char text[2200] = "[slots]\nhw1 = a, \\\n b \\\n c\n";
	struct config *config = load(text);
	size_t used;

	check_count(config, CONFIG_DEFAULT_LOCK, "hw1", 3);
	config_free(config);
	strcpy(text, "[slots]\nhw1 = ");
	for (int line = 0; line < 3; line++) {
		for (int i = 0; i < 40; i++) {
			used = strlen(text);
			snprintf(text + used, sizeof(text) - used, "name-%d-%02d ", line, i);
		}
		strcat(text, line < 2 ? "\\\n" : "\n");
	}
	refuse(text, FILE_NAME, "", "too long");
}

Test(config, last_line_that_announces_another_is_not_lost)
{
	refuse("[slots]\nhw1 = 4\\", FILE_NAME, "", "");
	refuse("[workers]\nw1 = hw1\n[slots]\nhw1 = 4 \\\n", FILE_NAME, "", "");
}

/* Refused or read, but not lost. */
Test(config, comment_that_ends_with_a_backslash_does_not_swallow_a_line)
{
	struct error err = {""};
	struct slotset slots = {.count = 4};
	struct config *config;

	tempdir_write_text(FILE_NAME, "[slots]\n# not on C:\\\nhw1 = 4\n");
	config = config_load(FILE_NAME, &err);
	if (config)
		cr_assert(
			zero(int, config_slots(config, CONFIG_DEFAULT_LOCK, "hw1", &slots, &err)));
	config_free(config);
	cr_assert(eq(uint, slots.count, 4));
}

/* The header is none for iniparser, and what stands below it would count for the section above. */
Test(config, section_header_with_something_behind_it_is_refused)
{
	refuse("[slots]\nhw1 = 2\n[slots link] ; one links\nhw1 = 1\n", ":3:", "", "");
	refuse("[slots]\nhw1 = 2\n[slots link] ; n = 1\nhw1 = 1\n", FILE_NAME, "", "");
}

/* The old Macintosh's: all would be one line of no sense, and be lost. */
Test(config, carriage_return_alone_ends_no_line)
{
	refuse("[slots]\r* = 2\r", FILE_NAME, "", "");
	refuse("[slots]\n[workers]\rw1 = hw1\r", FILE_NAME, "", "");
}

/* iniparser's separator of section and key: the lock's entries would be another lock's as well. */
Test(config, colon_in_a_lock_name_is_refused)
{
	refuse("[slots a:b]\n* = 5\n[slots a]\nhw1 = 1\n", "[slots a:b]", "", "");
}

Test(config, line_that_is_no_entry_is_refused_with_its_number)
{
	refuse("[slots]\nhw1\n", ":2:", "", "syntax error");
	refuse("[slots]\nhw1 = 1\nhw2 : 2\n", ":3:", "", "syntax error");
	refuse("[slots\nhw1 = 1\n", ":1:", "", "syntax error");
	refuse("[slots]\n= 1\n", ":2:", "", "syntax error");
}

Test(config, first_of_two_mistakes_is_told)
{
	refuse("[slots]\nhw1\n[slots\n", ":2:", "", "syntax error");
}

/* A second load must not repeat what was wrong with the first. */
Test(config, complaint_is_about_the_file_at_hand)
{
	refuse("[slots]\n\n\nhw1\n", ":4:", "", "syntax error");
	refuse("[slots\n", ":1:", "", "syntax error");
	config_free(load("[slots]\n"));
}

Test(config, iniparser_says_nothing_itself)
{
	int was = dup(STDERR_FILENO), fd = open("said", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	dup2(fd, STDERR_FILENO);
	refuse("[slots]\nhw1\n", ":2:", "", "");
	refuse("[slots]\nhw1 = 4x\n", "[slots]", "", "");
	fflush(stderr);
	dup2(was, STDERR_FILENO);
	cr_assert(zero(int, fstat(fd, &st)));
	cr_assert(zero(long, (long)st.st_size));
	close(was);
	close(fd);
}

Test(config, line_ends_of_windows_are_none_of_the_text)
{
	struct config *config =
		load("[grouplock]\r\ndirectory = /srv/locks\r\n\r\n[workers]\r\nw1 = hw1\r\n"
		     "[slots]\r\nhw1 = 2\r\n[slots link]\r\nhw1 = a b\r\n");

	check_text(config_directory(config), "/srv/locks");
	check_group(config, "w1", "hw1", CONFIG_EXACT);
	check_count(config, "default", "hw1", 2);
	check_count(config, "link", "hw1", 2);
	config_free(config);
}

Test(config, comments_and_quotes_are_none_of_the_value)
{
	struct config *config =
		load("[workers]\nw1 = hw1 ; comment\nw2 = hw2 # comment\nw3 = \"hw3\"\n"
		     "[slots] \nhw1 = \"2\"\nhw2=3;4\n");

	check_group(config, "w1", "hw1", CONFIG_EXACT);
	check_group(config, "w2", "hw2", CONFIG_EXACT);
	check_group(config, "w3", "hw3", CONFIG_EXACT);
	check_count(config, "default", "hw1", 2);
	check_count(config, "default", "hw2", 3);
	config_free(config);
}

Test(config, sections_that_come_twice_are_one_and_the_last_value_counts)
{
	struct config *config =
		load("[slots]\nhw1 = 2\nhw2 = 3\n[workers]\nw = a\n[slots]\nhw1 = 4\n"
		     "[slots link]\n* = 2\n[Slots LINK]\nhw1 = 5\n");

	check_count(config, "default", "hw1", 4);
	check_count(config, "default", "hw2", 3);
	check_count(config, "link", "hw1", 5);
	check_count(config, "link", "hw2", 2);
	check_text(config_lock(config, 1), "link");
	cr_assert_null(config_lock(config, 2));
	config_free(config);
}

/* --- files ------------------------------------------------------------------------------- */

Test(config, file_that_is_not_there_is_named)
{
	struct error err = {""};

	cr_assert_null(config_load("nowhere/groups.ini", &err));
	check_has(err.text, "'nowhere/groups.ini'");
	check_has(err.text, "no config file");
}

Test(config, what_is_no_regular_file_is_refused_without_waiting)
{
	struct error err = {""};

	cr_assert(zero(int, mkfifo("fifo", 0600)));
	cr_assert_null(config_load("fifo", &err));
	check_has(err.text, "'fifo' is not a regular file");
	cr_assert(zero(int, mkdir("directory", 0700)));
	cr_assert_null(config_load("directory", &err));
	check_has(err.text, "'directory'");
	check_has(err.text, "Is a directory");
	cr_assert_null(config_load("/dev/null", &err));
	check_has(err.text, "'/dev/null' is not a regular file");
	cr_assert(zero(int, symlink("loop", "loop")));
	cr_assert_null(config_load("loop", &err));
	check_has(err.text, "'loop'");
}

Test(config, symlink_to_a_file_is_followed)
{
	struct error err = {""};
	struct config *config;

	tempdir_write_text("real.ini", "[slots]\nhw1 = 3\n");
	cr_assert(zero(int, symlink("real.ini", "link.ini")));
	config = config_load("link.ini", &err);
	cr_assert_not_null(config, "%s", err.text);
	check_count(config, "default", "hw1", 3);
	config_free(config);
}

Test(config, huge_file_is_refused_unread)
{
	struct error err = {""};

	tempdir_write_text("huge.ini", "[slots]\n");
	cr_assert(zero(int, truncate("huge.ini", 1L << 27)));
	cr_assert_null(config_load("huge.ini", &err));
	check_has(err.text, "too large");
}

Test(config, change_is_seen_and_nothing_else_is_one)
{
	struct config *config = load("[slots]\nhw1 = 2\n");

	cr_assert(not(config_changed(config)));
	tempdir_write_text(FILE_NAME, "[slots]\nhw1 = 20\n"); /* in place, of another length */
	cr_assert(config_changed(config));
	config_free(config);

	config = load("[slots]\nhw1 = 2\n");
	tempdir_write_text("new.ini", "[slots]\nhw1 = 3\n"); /* replaced, of the same length */
	cr_assert(zero(int, rename("new.ini", FILE_NAME)));
	cr_assert(config_changed(config));
	config_free(config);

	config = load("[slots]\nhw1 = 2\n");
	cr_assert(zero(int, unlink(FILE_NAME)));
	cr_assert(config_changed(config));
	config_free(config);
}

Test(config, change_in_place_of_the_same_length_is_seen)
{
	static const struct timespec long_ago[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
	struct error err = {""};
	struct config *config;

	tempdir_write_text(FILE_NAME, "[slots]\nhw1 = 2\n");
	cr_assert(zero(int, utimensat(AT_FDCWD, FILE_NAME, long_ago, 0)));
	config = config_load(FILE_NAME, &err);
	cr_assert_not_null(config, "%s", err.text);
	cr_assert(not(config_changed(config)));
	tempdir_write_text(FILE_NAME, "[slots]\nhw1 = 3\n");
	cr_assert(config_changed(config));
	config_free(config);
}

static struct stat was;

static void only_size_differs(struct stat *st)
{
	off_t size = st->st_size;

	*st = was;
	st->st_size = size;
}

/* As where a file is written twice within the same tick of the file system's clock. */
Test(config, change_of_the_length_alone_is_seen)
{
	struct config *config = load("[slots]\nhw1 = 2\n");

	cr_assert(zero(int, stat(FILE_NAME, &was)));
	calls_after_stat = only_size_differs;
	cr_assert(not(config_changed(config)));
	tempdir_write_text(FILE_NAME, "[slots]\nhw1 = 20\n");
	cr_assert(config_changed(config));
	config_free(config);
}

/* iniparser takes an error of read(2) for the end of the file: a group would lose its limit. */
Test(config, half_of_a_file_is_not_taken_for_the_whole)
{
	static const char text[] = "[slots]\nhw1 = 2\nhw2 = 3\n";
	struct error err = {""};

	tempdir_write_text(FILE_NAME, text);
	for (int lines = 1; lines <= 3; lines++) {
		struct config *config;

		calls_lines_left = lines;
		config = config_load(FILE_NAME, &err);
		cr_assert(zero(int, calls_lines_left));
		cr_assert_null(config, "%d lines were taken for all", lines);
		check_has(err.text, FILE_NAME);
	}
	calls_lines_left = -1;
	config_free(load(text));
}

/* --- workers and groups ------------------------------------------------------------------ */

Test(config, exact_name_then_first_pattern_then_lone_star)
{
	struct config *config = load("[workers]\n* = rest\nlinux-* = first\nlinux-[ab]* = second\n"
				     "*-vm = third\nlinux-a = exact\nmac-? = mac\n");
	char group[NAME_MAX + 1];
	const char *pattern = "";

	check_group(config, "linux-a", "exact", CONFIG_EXACT);
	check_group(config, "linux-b", "first", CONFIG_PATTERN);
	check_group(config, "linux-vm", "first", CONFIG_PATTERN);
	check_group(config, "win-vm", "third", CONFIG_PATTERN);
	check_group(config, "mac-1", "mac", CONFIG_PATTERN);
	check_group(config, "mac-12", "rest", CONFIG_PATTERN);
	check_group(config, "whatever", "rest", CONFIG_PATTERN);
	config_group(config, "linux-b", group, sizeof(group), &pattern);
	check_text(pattern, "linux-*");
	config_group(config, "whatever", group, sizeof(group), &pattern);
	check_text(pattern, "*");
	config_group(config, "linux-a", group, sizeof(group), &pattern);
	cr_assert_null(pattern);
	config_free(config);
}

/* File order, not the order of a hash, of the alphabet or of what iniparser has room for. */
Test(config, first_of_many_patterns_counts)
{
	char text[8192] = "[workers]\n";
	struct config *config;

	for (int i = 99; i >= 0; i--) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used,
			 "w%02d* = g%d\n[slots]\nx%d = 1\n[workers]\nw* = all\n", i, i, i);
	}
	config = load(text);
	check_group(config, "w99", "g99", CONFIG_PATTERN); /* before the first w* */
	check_group(config, "w98", "all", CONFIG_PATTERN); /* after it */
	check_group(config, "w0", "all", CONFIG_PATTERN);
	config_free(config);
}

Test(config, unlisted_worker_is_a_group_of_its_own)
{
	struct config *config = load("[workers]\nw1 = hw1\n");
	const char *pattern = "";
	char group[NAME_MAX + 1];

	check_group(config, "w2", "w2", CONFIG_UNLISTED);
	check_group(config, "W2", "w2", CONFIG_UNLISTED);
	check_group(config, "hw1", "hw1", CONFIG_UNLISTED);
	config_group(config, "w2", group, sizeof(group), &pattern);
	cr_assert_null(pattern);
	config_free(config);
}

Test(config, names_compare_without_case)
{
	struct config *config =
		load("[WORKERS]\nMSVC10 = Hw1\nLinux-* = HW2\n[Slots]\nHW1 = 2\nHw* = 3\n"
		     "[SLOTS Link]\nhW1 = 4\n[GroupLock]\nDirectory = /Srv/Locks\n");

	check_group(config, "msvc10", "hw1", CONFIG_EXACT);
	check_group(config, "MsVc10", "hw1", CONFIG_EXACT);
	check_group(config, "LINUX-X", "hw2", CONFIG_PATTERN);
	check_count(config, "default", "hw1", 2);
	check_count(config, "default", "hw2", 3);
	check_count(config, "link", "hw1", 4);
	check_count(config, "LINK", "hw1", 4);
	check_text(config_lock(config, 1), "link");
	check_text(config_directory(config), "/Srv/Locks");
	config_free(config);
}

/* --- locks and slots --------------------------------------------------------------------- */

Test(config, slots_follow_the_same_order_as_workers)
{
	struct config *config =
		load("[slots]\n* = 7\nhw* = 3\nhw1* = 4\nhw12 = 5\n[slots link]\nhw1 = 2\n");

	check_count(config, "default", "hw12", 5);
	check_count(config, "default", "hw1", 3);
	check_count(config, "default", "x", 7);
	check_count(config, "link", "hw1", 2);
	check_count(config, "link", "hw12", 1);
	config_free(config);
}

Test(config, locks_are_listed_in_file_order_with_the_default_first)
{
	struct config *config = load("[slots zeta]\n[slots Alpha]\n* = 1\n[slots]\n[slots mid]\n");

	check_text(config_lock(config, 0), "default");
	check_text(config_lock(config, 1), "zeta");
	check_text(config_lock(config, 2), "alpha");
	check_text(config_lock(config, 3), "mid");
	cr_assert_null(config_lock(config, 4));
	cr_assert_null(config_lock(config, 4000000000));
	config_free(config);
}

Test(config, unknown_lock_is_an_error_that_lists_the_locks_there_are)
{
	struct config *config = load("[slots link]\n[slots devkit]\n");
	struct error err = {""};
	struct slotset slots;

	cr_assert(eq(int, config_slots(config, "lnik", "hw1", &slots, &err), -1));
	check_has(err.text, "'lnik'");
	check_has(err.text, "default, link, devkit");
	config_free(config);
}

Test(config, list_of_very_many_locks_is_cut)
{
	char text[16384] = "";
	struct error err = {""};
	struct slotset slots;
	struct config *config;

	for (int i = 0; i < 400; i++) {
		size_t used = strlen(text);

		snprintf(text + used, sizeof(text) - used, "[slots lock-number-%d]\n", i);
	}
	config = load(text);
	check_text(config_lock(config, 400), "lock-number-399");
	cr_assert(eq(int, config_slots(config, "none", "hw1", &slots, &err), -1));
	check_has(err.text, "default, lock-number-0, lock-number-1");
	config_free(config);
}

Test(config, closed_group_has_no_slots)
{
	struct config *config = load("[slots]\n* = 2\nhw1 = 0\n");

	check_count(config, "default", "hw1", 0);
	config_free(config);
}

/* --- slotset_parse ----------------------------------------------------------------------- */

static void refuse_slots(const char *value, const char *why)
{
	struct slotset slots;
	struct error err = {""};

	cr_assert(eq(int, slotset_parse(&slots, value, &err), -1), "took '%.40s'", value);
	check_has(err.text, why);
	cr_assert_null(slots.names);
	cr_assert_null(slots.storage);
}

Test(slotset, count_is_read)
{
	static const unsigned counts[] = {0, 1, 2, 10, 1023, 1024};

	for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		struct slotset slots;
		struct error err = {""};
		char value[16];

		snprintf(value, sizeof(value), "%u", counts[i]);
		cr_assert(zero(int, slotset_parse(&slots, value, &err)), "%s", err.text);
		cr_assert(eq(uint, slots.count, counts[i]));
		cr_assert_null(slots.names);
		slotset_free(&slots);
	}
}

Test(slotset, what_was_meant_as_a_count_is_refused)
{
	static const char *const values[] = {
		"4x",  "010", "00",   "-1", "+1",   "1025",      "99999999999999",
		"1.5", "1e3", "0x10", ".5", "-kit", "4294967297"};
	char quoted[32];

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		snprintf(quoted, sizeof(quoted), "'%s' is not a count", values[i]);
		refuse_slots(values[i], quoted);
	}
}

Test(slotset, names_are_read_in_their_order_and_spelling)
{
	static const char *const values[] = {"Kit-a KIT-b 4x", "Kit-a,KIT-b,4x",
					     "  Kit-a ,\t KIT-b,,4x, "};

	for (size_t i = 0; i < sizeof(values) / sizeof(*values); i++) {
		struct slotset slots;
		struct error err = {""};

		cr_assert(zero(int, slotset_parse(&slots, values[i], &err)), "%s", err.text);
		cr_assert(eq(uint, slots.count, 3));
		check_text(slots.names[0], "Kit-a");
		check_text(slots.names[1], "KIT-b");
		check_text(slots.names[2], "4x");
		slotset_free(&slots);
		cr_assert_null(slots.names);
		cr_assert(zero(uint, slots.count));
	}
}

Test(slotset, one_name_is_a_list_of_one)
{
	struct slotset slots;
	struct error err = {""};

	cr_assert(zero(int, slotset_parse(&slots, "only", &err)), "%s", err.text);
	cr_assert(eq(uint, slots.count, 1));
	check_text(slots.names[0], "only");
	slotset_free(&slots);
	cr_assert(zero(int, slotset_parse(&slots, "4x,", &err)), "%s", err.text);
	cr_assert(eq(uint, slots.count, 1));
	check_text(slots.names[0], "4x");
	slotset_free(&slots);
}

Test(slotset, bad_lists_are_refused)
{
	char name[300];

	refuse_slots("", "empty");
	refuse_slots(" ", "no slot names");
	refuse_slots(" , ,", "no slot names");
	refuse_slots("kit-a kit-b kit-a", "'kit-a' is listed twice");
	refuse_slots("kit-a Kit-A", "'Kit-A' is listed twice");
	refuse_slots("kit-a 7", "'7' is a number");
	refuse_slots("1,2,3", "'1' is a number");
	refuse_slots("7,", "'7' is a number");
	refuse_slots("kit-a a/b", "slash");
	refuse_slots("kit-a ..", "'..'");
	refuse_slots("kit-a \x01", "control character");
	memset(name, 'x', sizeof(name));
	name[NAME_MAX - strlen("slot.") + 1] = '\0';
	refuse_slots(name, "too long");
}

Test(slotset, longest_name_is_read)
{
	char name[NAME_MAX + 1];
	struct slotset slots;
	struct error err = {""};

	memset(name, 'x', sizeof(name));
	name[NAME_MAX - strlen("slot.")] = '\0';
	cr_assert(zero(int, slotset_parse(&slots, name, &err)), "%s", err.text);
	check_text(slots.names[0], name);
	slotset_free(&slots);
}

Test(slotset, at_most_1024_names)
{
	char value[1025 * 6 + 1] = "";
	struct slotset slots;
	struct error err = {""};

	for (unsigned i = 0; i < 1024; i++)
		sprintf(value + strlen(value), "n%04u ", i);
	cr_assert(zero(int, slotset_parse(&slots, value, &err)), "%s", err.text);
	cr_assert(eq(uint, slots.count, 1024));
	check_text(slots.names[1023], "n1023");
	slotset_free(&slots);
	strcat(value, "n1024 ");
	refuse_slots(value, "more than 1024");
}

/* Every separator stands alone: the array of names must be large enough for the shortest ones. */
Test(slotset, names_of_one_letter_all_fit)
{
	struct slotset slots;
	struct error err = {""};

	cr_assert(zero(int, slotset_parse(&slots, "a,b,c,d,e,f,g,h,i", &err)), "%s", err.text);
	cr_assert(eq(uint, slots.count, 9));
	check_text(slots.names[8], "i");
	slotset_free(&slots);
}

Test(config, label_names_a_lock_that_is_not_the_default_one)
{
	char label[CONFIG_LABEL_SIZE];

	config_label(label, "hw1", "default");
	check_text(label, "hw1");
	config_label(label, "hw1", "link");
	check_text(label, "hw1/link");
}

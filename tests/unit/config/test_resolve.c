#include "config/resolve.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/text.h"
#include "check.h"
#include "tempdir.h"

static struct resolved resolved;
static struct error err;

static void setup(void)
{
	tempdir_make();
	unsetenv("GROUPLOCK_CONFIG");
	unsetenv("GROUPLOCK_DIR");
	unsetenv("GROUPLOCK_WORKER");
	tempdir_write_text("one.ini",
			   "[grouplock]\ndirectory = /srv/one\n[workers]\nw1 = hw1\nvm-* = hw2\n");
	tempdir_write_text("two.ini", "[workers]\nw1 = hw9\n");
	tempdir_write_text("strict.ini",
			   "[grouplock]\nstrict = yes\n[workers]\nw1 = hw1\nvm-* = hw2\n");
}

static void teardown(void)
{
	resolve_free(&resolved);
	tempdir_remove();
}

TestSuite(resolve, .init = setup, .fini = teardown);

static void resolves(struct resolve_options options)
{
	cr_assert(zero(int, resolve_config(&resolved, &options, &err)), "%s", err.text);
	cr_assert(zero(int, resolve_group(&resolved, &options, &err)), "%s", err.text);
}

/* The config is good, but who asks is not. */
static void refuses_group(struct resolve_options options, const char *why)
{
	cr_assert(zero(int, resolve_config(&resolved, &options, &err)), "%s", err.text);
	cr_assert(eq(int, resolve_group(&resolved, &options, &err), -1));
	check_has(err.text, why);
	resolve_free(&resolved);
}

static void refuses_config(struct resolve_options options, const char *why)
{
	cr_assert(eq(int, resolve_config(&resolved, &options, &err), -1));
	check_has(err.text, why);
	resolve_free(&resolved);
}

Test(resolve, config_is_the_option_then_the_variable)
{
	setenv("GROUPLOCK_CONFIG", "two.ini", 1);
	resolves((struct resolve_options){.config = "one.ini", .worker = "w1"});
	check_text(config_path(resolved.config), "one.ini");
	check_text(resolved.config_source, "-f");
	check_text(resolved.group, "hw1");
	resolve_free(&resolved);
	resolves((struct resolve_options){.worker = "w1"});
	check_text(config_path(resolved.config), "two.ini");
	check_text(resolved.config_source, "GROUPLOCK_CONFIG");
	check_text(resolved.group, "hw9");
}

/* Whether the machine that runs this has such a file or not. */
Test(resolve, config_is_at_last_the_one_compiled_in)
{
	struct resolve_options options = {0};
	int result = resolve_config(&resolved, &options, &err);

	check_text(resolved.config_source, "compiled in");
	if (result)
		check_has(err.text, GROUPLOCK_SYSCONFDIR "/grouplock/groups.ini");
	else
		check_text(config_path(resolved.config),
			   GROUPLOCK_SYSCONFDIR "/grouplock/groups.ini");
}

Test(resolve, directory_is_option_then_variable_then_config_then_compiled_in)
{
	setenv("GROUPLOCK_DIR", "/srv/env", 1);
	resolves((struct resolve_options){.config = "one.ini", .directory = "/srv/option"});
	check_text(resolved.directory, "/srv/option");
	check_text(resolved.directory_source, "-d");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "one.ini"});
	check_text(resolved.directory, "/srv/env");
	check_text(resolved.directory_source, "GROUPLOCK_DIR");
	resolve_free(&resolved);
	unsetenv("GROUPLOCK_DIR");
	resolves((struct resolve_options){.config = "one.ini"});
	check_text(resolved.directory, "/srv/one");
	check_text(resolved.directory_source, "one.ini");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "two.ini"});
	check_text(resolved.directory, GROUPLOCK_LOCALSTATEDIR "/lib/grouplock");
	check_text(resolved.directory_source, "compiled in");
}

Test(resolve, worker_is_option_then_variable_then_host_name)
{
	char host[HOST_NAME_MAX + 1] = "";

	setenv("GROUPLOCK_WORKER", "from-env", 1);
	resolves((struct resolve_options){.config = "one.ini", .worker = "from-option"});
	check_text(resolved.worker, "from-option");
	check_text(resolved.worker_source, "-w");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "one.ini"});
	check_text(resolved.worker, "from-env");
	check_text(resolved.worker_source, "GROUPLOCK_WORKER");
	resolve_free(&resolved);
	unsetenv("GROUPLOCK_WORKER");
	resolves((struct resolve_options){.config = "one.ini"});
	gethostname(host, sizeof(host) - 1);
	text_fold(host);
	check_text(resolved.worker, host);
	check_text(resolved.worker_source, "host name");
}

Test(resolve, group_says_why)
{
	char why[RESOLVE_WHY_SIZE];

	resolves((struct resolve_options){.config = "one.ini", .worker = "W1"});
	check_text(resolved.worker, "w1");
	check_text(resolved.group, "hw1");
	resolve_why(&resolved, why);
	check_text(why, "exact");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "one.ini", .worker = "vm-7"});
	check_text(resolved.group, "hw2");
	resolve_why(&resolved, why);
	check_text(why, "pattern 'vm-*'");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "one.ini", .worker = "Other"});
	check_text(resolved.group, "other");
	resolve_why(&resolved, why);
	check_text(why, "unlisted");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "one.ini", .worker = "w1", .group = "HW7"});
	check_text(resolved.worker, "w1");
	check_text(resolved.group, "hw7");
	resolve_why(&resolved, why);
	check_text(why, "-g");
}

Test(resolve, strict_refuses_an_unlisted_worker)
{
	refuses_group((struct resolve_options){.config = "strict.ini", .worker = "w2"}, "'w2'");
	check_has(err.text, "strict.ini");
	resolves((struct resolve_options){.config = "strict.ini", .worker = "w1"});
	check_text(resolved.group, "hw1");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "strict.ini", .worker = "vm-1"});
	check_text(resolved.group, "hw2");
	resolve_free(&resolved);
	resolves((struct resolve_options){.config = "strict.ini", .worker = "w2", .group = "hw3"});
	check_text(resolved.group, "hw3");
}

Test(resolve, what_is_set_but_empty_is_an_error)
{
	refuses_config((struct resolve_options){.config = ""}, "-f is empty");
	refuses_config((struct resolve_options){.config = "one.ini", .directory = ""},
		       "-d is empty");
	refuses_group((struct resolve_options){.config = "one.ini", .worker = ""}, "-w is empty");
	refuses_group((struct resolve_options){.config = "one.ini", .worker = "w1", .group = ""},
		      "group name is empty");
	setenv("GROUPLOCK_CONFIG", "", 1);
	refuses_config((struct resolve_options){0}, "GROUPLOCK_CONFIG is empty");
	setenv("GROUPLOCK_DIR", "", 1);
	refuses_config((struct resolve_options){.config = "one.ini"}, "GROUPLOCK_DIR is empty");
	unsetenv("GROUPLOCK_DIR");
	setenv("GROUPLOCK_WORKER", "", 1);
	refuses_group((struct resolve_options){.config = "one.ini"}, "GROUPLOCK_WORKER is empty");
}

Test(resolve, option_makes_an_empty_variable_harmless)
{
	setenv("GROUPLOCK_CONFIG", "", 1);
	setenv("GROUPLOCK_DIR", "", 1);
	setenv("GROUPLOCK_WORKER", "", 1);
	resolves((struct resolve_options){
		.config = "one.ini", .directory = "/srv/x", .worker = "w1"});
	check_text(resolved.group, "hw1");
}

Test(resolve, names_that_no_file_can_have_are_refused)
{
	static const char *const names[][2] = {{".", "directory's"}, {"..", "directory's"},
					       {"a/b", "slash"},     {"/", "slash"},
					       {"a\nb", "control"},  {"\x7f", "control"}};
	char name[301];

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		refuses_group((struct resolve_options){.config = "one.ini", .worker = names[i][0]},
			      names[i][1]);
		refuses_group((struct resolve_options){.config = "one.ini",
						       .worker = "w1",
						       .group = names[i][0]},
			      names[i][1]);
		setenv("GROUPLOCK_WORKER", names[i][0], 1);
		refuses_group((struct resolve_options){.config = "one.ini"}, names[i][1]);
	}
	memset(name, 'x', 300);
	name[300] = '\0';
	refuses_group((struct resolve_options){.config = "one.ini", .worker = name}, "too long");
	refuses_group((struct resolve_options){.config = "one.ini", .worker = "w1", .group = name},
		      "too long");
}

Test(resolve, longest_worker_name_is_kept_whole)
{
	char name[NAME_MAX + 1];

	memset(name, 'x', NAME_MAX);
	name[NAME_MAX] = '\0';
	resolves((struct resolve_options){.config = "one.ini", .worker = name});
	check_text(resolved.worker, name);
	check_text(resolved.group, name);
}

Test(resolve, config_that_is_bad_or_missing_is_an_error)
{
	tempdir_write_text("bad.ini", "[slots]\nhw1 = 4x\n");
	refuses_config((struct resolve_options){.config = "bad.ini"}, "4x");
	cr_assert_null(resolved.config);
	refuses_config((struct resolve_options){.config = "none.ini"}, "'none.ini'");
	cr_assert_null(resolved.config);
}

#include "base/text.h"

#include <stdlib.h>

#include "check.h"

static void quotes(const char *in, const char *expected)
{
	char *out = text_quote(in, false);

	check_text(out, expected);
	free(out);
}

Test(text_shell, plain_words_stay)
{
	quotes("hw1", "hw1");
	quotes("/var/lib/grouplock", "/var/lib/grouplock");
	quotes("a%20+b,c-d.e:f@g_h", "a%20+b,c-d.e:f@g_h");
}

Test(text_shell, what_a_shell_would_read_is_quoted)
{
	quotes("", "''");
	quotes("a b", "'a b'");
	quotes("$(reboot)", "'$(reboot)'");
	quotes("a\nb", "'a\nb'");
	quotes("it's", "'it'\\''s'");
	quotes("''", "''\\'''\\'''");
	quotes("~", "'~'");
	quotes("a=b", "'a=b'");
	quotes("\xc3\xa4", "'\xc3\xa4'");
}

Test(text_shell, variable_has_what_a_name_may_have)
{
	char name[] = "kit-A.2 \xc3\xa4_z";

	text_variable(name);
	check_text(name, "KIT_A_2____Z");
}

#include "fdlimit.h"

void fdlimit_raise(struct rlimit *was)
{
	struct rlimit all;

	getrlimit(RLIMIT_NOFILE, was);
	if (was->rlim_cur == was->rlim_max)
		return;
	all = *was;
	all.rlim_cur = all.rlim_max;
	setrlimit(RLIMIT_NOFILE, &all);
}

void fdlimit_restore(const struct rlimit *was)
{
	if (was->rlim_cur != was->rlim_max)
		setrlimit(RLIMIT_NOFILE,
			  was); /* lowering is always allowed; open descriptors stay open */
}

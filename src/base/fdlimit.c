#include "base/fdlimit.h"

rlim_t fdlimit_raise(struct rlimit *was)
{
	struct rlimit all;

	if (getrlimit(RLIMIT_NOFILE, was))
		return RLIM_INFINITY;
	if (was->rlim_cur == was->rlim_max)
		return was->rlim_cur;
	all = *was;
	all.rlim_cur = all.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &all) ? was->rlim_cur : all.rlim_cur;
}

void fdlimit_restore(const struct rlimit *was)
{
	if (was->rlim_cur != was->rlim_max)
		setrlimit(RLIMIT_NOFILE,
			  was); /* lowering is always allowed; open descriptors stay open */
}

/* What all files take for granted of the C library, with the flags that they are built with. */
#include <criterion/criterion.h>
#include <dirent.h>
#include <sys/types.h>

/* Else readdir() fails at a large inode, and a variable argument list passes half of an offset. */
Test(types, offsets_and_inodes_have_64_bits)
{
	struct dirent entry;

	cr_assert_eq(sizeof(off_t), 8);
	cr_assert_eq(sizeof(entry.d_ino), 8);
	cr_assert_eq(sizeof(entry.d_off), 8);
}

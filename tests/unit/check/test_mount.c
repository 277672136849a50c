#include "check/mount.h"

#include <fcntl.h>
#include <unistd.h>

#include "check.h"
#include "check/fslocks.h"

static const char nfs[] =
	"312 26 0:61 /export/locks /srv/lo\\040cks rw,relatime shared:161 master:2 - nfs4 "
	"nas:/export/lo\\134cks rw,vers=4.2,rsize=1048576,hard,proto=tcp,local_lock=none,addr=10.0.0.1\n";

Test(mount, line_of_mountinfo_is_read)
{
	struct mount mount;

	cr_assert(mount_parse(&mount, nfs));
	cr_assert(eq(ulong, mount.id, 312));
	check_text(mount.type, "nfs4");
	check_text(mount.root, "/export/locks");
	check_text(mount.point, "/srv/lo cks");
	check_text(mount.options, "rw,relatime,rw,vers=4.2,rsize=1048576,hard,proto=tcp,"
				  "local_lock=none,addr=10.0.0.1");
}

Test(mount, line_without_tags_or_with_odd_names_is_read)
{
	struct mount mount;

	cr_assert(mount_parse(&mount, "21 26 0:20 / /proc rw,relatime - proc proc rw"));
	check_text(mount.type, "proc");
	check_text(mount.options, "rw,relatime,rw");
	/* A dash that is a name's, not the one between the halves. */
	cr_assert(mount_parse(
		&mount,
		"22 26 0:21 / /mnt/-\\040-\\040x ro - fuse.sshfs host:-\\040- rw,user_id=0"));
	check_text(mount.type, "fuse.sshfs");
	check_text(mount.point, "/mnt/- - x");
}

Test(mount, what_is_no_line_of_mountinfo_is_refused)
{
	static const char *const lines[] = {"",
					    "\n",
					    "21",
					    "21 26 0:20 / /proc rw,relatime",
					    "21 26 0:20 / /proc - proc proc rw",
					    "x 26 0:20 / /proc rw - proc proc rw",
					    "21 26 0:20 / /proc rw - proc",
					    " - a b c"};

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++) {
		struct mount mount;

		cr_assert(not(mount_parse(&mount, lines[i])), "'%s'", lines[i]);
	}
}

Test(mount, options_are_told_from_those_they_are_a_part_of)
{
	struct mount mount = {.options = "rw,nolock,local_lock=all,vers=3"};

	cr_assert(mount_has(&mount, "rw"));
	cr_assert(mount_has(&mount, "nolock"));
	cr_assert(mount_has(&mount, "local_lock=all"));
	cr_assert(mount_has(&mount, "vers=3"));
	cr_assert(not(mount_has(&mount, "lock")));
	cr_assert(not(mount_has(&mount, "nol")));
	cr_assert(not(mount_has(&mount, "local_lock")));
	cr_assert(not(mount_has(&mount, "vers=")));
}

Test(mount, mount_of_an_open_file_is_found)
{
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct mount mount;
	struct error err = {""};

	cr_assert(zero(int, mount_of(&mount, proc, &err)), "%s", err.text);
	check_text(mount.type, "proc");
	check_text(mount.point, "/proc");
	cr_assert(zero(int, mount_of(&mount, root, &err)), "%s", err.text);
	cr_assert(ne(int, strcmp(mount.type, "proc"), 0));
	cr_assert(ne(int, strcmp(mount.point, "/proc"), 0));
	close(root);
	close(proc);
}

/* --- what locks are worth ----------------------------------------------------------------- */

static void check_note(const char *type, const char *options, enum finding_level level,
		       const char *part)
{
	struct mount mount = {0};
	const struct fslocks_note *note;

	strcpy(mount.type, type);
	strcpy(mount.options, options);
	note = fslocks_by_mount(&mount);
	cr_assert(eq(int, note->level, level), "%s (%s): %s", type, options, note->text);
	check_has(note->text, part);
}

Test(fslocks, local_file_systems_are_good)
{
	check_note("ext4", "rw,relatime", FINDING_OK, "on this machine");
	check_note("xfs", "rw,relatime", FINDING_OK, "on this machine");
	check_note("btrfs", "rw,subvol=/", FINDING_OK, "on this machine");
	check_note("tmpfs", "rw,size=1k", FINDING_OK, "after a reboot");
}

Test(fslocks, nfs_is_good_only_if_its_locks_reach_the_server)
{
	check_note("nfs4", "rw,vers=4.2,local_lock=none", FINDING_OK, "reaches the server");
	check_note("nfs", "rw,vers=3,local_lock=none", FINDING_OK, "reaches the server");
	check_note("nfs", "rw,vers=3,local_lock=posix", FINDING_OK, "reaches the server");
	check_note("nfs", "rw,vers=3,nolock,local_lock=all", FINDING_WARNING, "with nolock:");
	check_note("nfs", "rw,vers=3,local_lock=flock", FINDING_WARNING, "local_lock=flock:");
	check_note("nfs4", "rw,vers=4.0,local_lock=all", FINDING_WARNING, "local_lock=all:");
}

Test(fslocks, what_stays_on_one_machine_is_warned_of)
{
	check_note("overlay", "rw,lowerdir=/l", FINDING_WARNING, "one container");
	check_note("fuse.fuse-overlayfs", "rw", FINDING_WARNING, "one container");
	check_note("fakeowner", "rw", FINDING_WARNING, "Docker Desktop");
	check_note("9p", "rw,trans=virtio", FINDING_WARNING, "QEMU");
	check_note("virtiofs", "rw", FINDING_WARNING, "virtiofsd");
	check_note("vboxsf", "rw", FINDING_WARNING, "virtual machine");
	check_note("fuse.vmhgfs-fuse", "rw", FINDING_WARNING, "virtual machine");
	check_note("fuse.sshfs", "rw", FINDING_WARNING, "SFTP");
	check_note("fuse.s3fs", "rw", FINDING_WARNING, "FUSE");
	check_note("fuse", "rw", FINDING_WARNING, "FUSE");
	check_note("gpfs", "rw", FINDING_WARNING, "one node");
	check_note("beegfs", "rw", FINDING_WARNING, "tuneUseGlobalFileLocks");
	check_note("lustre", "rw,localflock", FINDING_WARNING, "localflock:");
	check_note("lustre", "rw,user_xattr", FINDING_WARNING, "without the option flock");
	check_note("gfs2", "rw,localflocks", FINDING_WARNING, "localflocks:");
	check_note("cifs", "rw,vers=3.1.1,nobrl", FINDING_WARNING, "nobrl:");
	check_note("cifs", "rw,vers=3.1.1", FINDING_WARNING, "mandatory");
	check_note("smb3", "rw", FINDING_WARNING, "mandatory");
	check_note("afs", "rw,flock=local", FINDING_WARNING, "flock=local:");
	check_note("somefs", "rw", FINDING_WARNING, "not known");
}

Test(fslocks, what_reaches_the_others_is_good)
{
	check_note("lustre", "rw,flock", FINDING_OK, "other machines");
	check_note("ceph", "rw", FINDING_OK, "metadata server");
	check_note("gfs2", "rw", FINDING_OK, "cluster");
	check_note("ocfs2", "rw", FINDING_OK, "cluster");
	check_note("fuse.glusterfs", "rw", FINDING_OK, "servers");
	check_note("fuse.ceph-fuse", "rw", FINDING_OK, "metadata server");
	check_note("fuseblk", "rw", FINDING_OK, "on this machine");
}

Test(fslocks, places_that_are_cleaned_or_private_are_warned_of)
{
	static const char *const bad[] = {"/tmp", "/tmp/locks", "/var/tmp/a/b", "/dev/shm/locks"};
	static const char *const good[] = {"/", "/tmpfoo", "/var/lib/grouplock", "/srv/tmp",
					   "/var"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		cr_assert_not_null(fslocks_by_path(bad[i]), "%s", bad[i]);
		cr_assert(eq(int, fslocks_by_path(bad[i])->level, FINDING_WARNING));
	}
	for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
		cr_assert_null(fslocks_by_path(good[i]), "%s", good[i]);
}

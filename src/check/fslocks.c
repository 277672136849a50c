#include "check/fslocks.h"

#include <fnmatch.h>
#include <string.h>

/*
 * The first row that fits decides, so rows with an option stand before the one without. What is
 * said of NFS and SMB is from flock(2), of kernel file systems from their source or manual, of
 * what a virtual machine or Docker Desktop hands in from what was observed there.
 */
static const struct fslocks_note rules[] = {
	{"@(ext[234]|xfs|btrfs|zfs|f2fs|bcachefs|jfs|nilfs2|reiserfs|vfat|exfat|ntfs3|fuseblk)",
	 NULL, FINDING_OK, "a lock keeps out everything on this machine, containers included"},
	{"@(tmpfs|ramfs)", NULL, FINDING_OK,
	 "a lock keeps out all who see this same mount, not a container with one of its own; it is "
	 "empty after a reboot: let tmpfiles.d(5) make the directory again"},

	{"@(overlay|aufs|unionfs|fuse.fuse-overlayfs)", NULL, FINDING_WARNING,
	 "this is the private layer of one container (or a live system): the host and other "
	 "containers each have their own copy of this directory, and a lock does not keep them "
	 "out; bind-mount one directory of the host into all of them"},
	{"fakeowner", NULL, FINDING_WARNING,
	 "Docker Desktop's sharing of the host's files grants a lock to two containers at once; use "
	 "a volume"},

	{"nfs*", "nolock", FINDING_WARNING,
	 "mounted with nolock: locks stay on this machine and keep no other machine out; mount "
	 "it without nolock on all of them"},
	{"nfs*", "local_lock=all", FINDING_WARNING,
	 "mounted with local_lock=all: locks stay on this machine and keep no other machine out; "
	 "mount it without local_lock on all of them"},
	{"nfs*", "local_lock=flock", FINDING_WARNING,
	 "mounted with local_lock=flock: locks stay on this machine and keep no other machine "
	 "out; mount it without local_lock on all of them"},
	{"nfs*", NULL, FINDING_OK,
	 "a lock reaches the server (since Linux 2.6.12) and keeps other machines out if these mount "
	 "it with locking as well: neither nolock nor local_lock"},

	{"@(cifs|smb3)", "nobrl", FINDING_WARNING,
	 "mounted with nobrl: locks stay on this machine and keep no other machine out; mount it "
	 "without nobrl on all of them"},
	{"@(cifs|smb3)", NULL, FINDING_WARNING,
	 "locks reach the server only since Linux 5.5; and they are mandatory there: while a slot is "
	 "held nobody can read who holds it"},

	{"9p", NULL, FINDING_WARNING,
	 "QEMU and others grant every lock on what they share by 9p, so that other virtual "
	 "machines and the host are not kept out; use a network file system with locks, such as "
	 "NFS"},
	{"virtiofs", NULL, FINDING_WARNING,
	 "locks stay in this virtual machine unless virtiofsd runs with -o flock, which is not its "
	 "default: other machines and the host are not kept out"},
	{"@(vboxsf|prl_fs|vmhgfs|fuse.vmhgfs*)", NULL, FINDING_WARNING,
	 "locks stay in this virtual machine: other machines and the host are not kept out"},

	{"lustre", "localflock", FINDING_WARNING,
	 "mounted with localflock: locks stay on this machine and keep no other machine out; "
	 "mount it with flock instead on all of them"},
	{"lustre", "flock", FINDING_OK,
	 "a lock keeps other machines out if these mount it with the option flock as well"},
	{"lustre", NULL, FINDING_WARNING,
	 "mounted without the option flock: locks are refused, or stay on this machine; mount it "
	 "with flock on all of them"},
	{"@(gfs2|ocfs2)", "localflocks", FINDING_WARNING,
	 "mounted with localflocks: locks stay on this machine and keep no other machine out; "
	 "mount it without localflocks on all of them"},
	{"@(gfs2|ocfs2)", NULL, FINDING_OK, "a lock keeps out the other machines of the cluster"},
	{"ceph", NULL, FINDING_OK,
	 "a lock reaches the metadata server and keeps other machines out; a client that the server "
	 "evicts loses its locks while its builds run on"},
	{"gpfs", NULL, FINDING_WARNING,
	 "flock() of GPFS stays on one node: it does not keep other machines out; use another "
	 "file system, such as NFS"},
	{"@(beegfs|fhgfs)", NULL, FINDING_WARNING,
	 "locks stay on this machine unless beegfs-client.conf says tuneUseGlobalFileLocks = true, "
	 "which is not the default: set it on all of them"},
	{"afs", "flock=local", FINDING_WARNING,
	 "mounted with flock=local: locks stay on this machine and keep no other machine out"},
	{"@(afs|orangefs|pvfs2)", NULL, FINDING_WARNING,
	 "whether a lock keeps other machines out depends on version and options: try it with "
	 "two of them"},

	{"fuse.glusterfs", NULL, FINDING_OK,
	 "a lock reaches the servers and keeps other machines out"},
	{"fuse.ceph*", NULL, FINDING_OK,
	 "a lock reaches the metadata server and keeps other machines out"},
	{"fuse.sshfs", NULL, FINDING_WARNING,
	 "SFTP has no locks: they stay on this machine, and keep neither the server nor others "
	 "out; use a network file system with locks, such as NFS"},
	{"fuse@(|.*)", NULL, FINDING_WARNING,
	 "whether a lock leaves this machine depends on the program behind this FUSE file "
	 "system, and with most of them it does not: try it with two machines"},
};

static const struct fslocks_note unknown = {
	NULL, NULL, FINDING_WARNING,
	"not known to grouplock: try whether a lock keeps other machines or containers out"};

const struct fslocks_note *fslocks_by_mount(const struct mount *mount)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(*rules); i++) {
		if (!fnmatch(rules[i].where, mount->type, FNM_EXTMATCH) &&
		    (!rules[i].option || mount_has(mount, rules[i].option)))
			return &rules[i];
	}
	return &unknown;
}

static const struct fslocks_note places[] = {
	{"/tmp", NULL, FINDING_WARNING,
	 "/tmp is cleaned: a file that is removed while its slot is held lets another build in. "
	 "And a service with PrivateTmp, such as Debian's buildbot-worker, has a /tmp of its "
	 "own; use /var/lib/grouplock or the like"},
	{"/var/tmp", NULL, FINDING_WARNING,
	 "/var/tmp is cleaned: a file that is removed while its slot is held lets another build "
	 "in. And a service with PrivateTmp, such as Debian's buildbot-worker, has a /var/tmp of "
	 "its own; use /var/lib/grouplock or the like"},
	{"/dev/shm", NULL, FINDING_WARNING,
	 "systemd-logind removes a user's files from /dev/shm when they log out (RemoveIPC), "
	 "those of held slots too, and each container has its own; use /run or /var/lib/grouplock"},
};

const struct fslocks_note *fslocks_by_path(const char *path)
{
	for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
		size_t length = strlen(places[i].where);

		if (!strncmp(path, places[i].where, length) &&
		    (path[length] == '/' || !path[length]))
			return &places[i];
	}
	return NULL;
}

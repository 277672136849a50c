/*
 * The first process has the lock. The second one
 *   1. tries to get it, exclusively and shared, and must not;
 *   2. waits for it, and must sleep;
 *   3. must have it when the first one unlocks;
 *   4. is killed, and then the first one must get it back.
 * Each adds its own findings; a pipe tells the first one how far the second has come.
 */
#include "check/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/proc.h"
#include "lock/lockfile.h"

#define PATIENCE (PROOF_PATIENCE * CLOCK_SECOND)
#define LOOK_AGAIN 5     /* milliseconds between two looks at a process */
#define ASLEEP_BLIND 200 /* milliseconds; without /proc: so long asleep is asleep */

struct report {
	enum step {
		NOTHING,  /* no report came */
		WAITING,  /* it was refused the lock, and its next call is the one that blocks */
		HAS_LOCK, /* that has returned */
		FAILED,   /* it has added what is wrong, and ended */
	} step;
	int64_t at; /* clock_now() */
};

struct proof {
	const struct statedir *sd;
	const struct supervise *supervise;
	struct findings *findings;
	char name[64];
	int fd;
	pid_t first, second;
	int pipe[2]; /* from the second process to the first */
};

static void complain(const struct proof *proof, const char *text)
{
	findings_add(proof->findings, FINDING_ERROR, 0, "%s", text);
}

/* --- the second process ------------------------------------------------------------------- */

static void report(const struct proof *proof, enum step step)
{
	struct report report = {step, clock_now()};

	/* Shorter than PIPE_BUF, so it arrives as one. */
	if (write(proof->pipe[1], &report, sizeof(report)) != sizeof(report))
		_exit(1);
}

static _Noreturn void fail(const struct proof *proof, const char *text)
{
	complain(proof, text);
	report(proof, FAILED);
	_exit(1);
}

static void expect_refusal(const struct proof *proof, int fd, int operation)
{
	struct error err;

	switch (lockfile_try(proof->sd, proof->name, fd, operation, &err)) {
	case LOCKFILE_BUSY:
		return;
	case LOCKFILE_OK:
		fail(proof, "locks do not exclude here: a second process was given the lock that "
			    "the first one holds; use a directory on another file system");
	default:
		fail(proof, err.text);
	}
}

static _Noreturn void be_second(const struct proof *proof)
{
	struct error err;
	int fd, result;

	/* Not to outlive the first one, which could then not kill it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != proof->first)
		_exit(1);
	if (lockfile_open(proof->sd, proof->name, &fd, &err) != LOCKFILE_OK)
		fail(proof, "a second process cannot open the file that a first one has locked");
	expect_refusal(proof, fd, LOCK_EX);
	expect_refusal(proof, fd, LOCK_SH);
	findings_add(proof->findings, FINDING_OK, 0,
		     "a lock excludes: a second process on this machine is refused it");
	report(proof, WAITING);
	do
		result = flock(fd, LOCK_EX);
	while (result && (errno == EINTR || errno == EAGAIN /* 9p */));
	if (result) {
		lockfile_explain(proof->sd, proof->name, errno, &err);
		fail(proof, err.text);
	}
	report(proof, HAS_LOCK);
	for (;;)
		pause();
}

static int start_second(struct proof *proof)
{
	if (pipe2(proof->pipe, O_CLOEXEC))
		return -1;
	proof->first = getpid();
	proof->second = fork();
	if (!proof->second) {
		/* A description of its own is what makes it another one: not the inherited. */
		close(proof->fd);
		be_second(proof);
	}
	close(proof->pipe[1]);
	return proof->second < 0 ? -1 : 0;
}

/* --- the first process -------------------------------------------------------------------- */

/*
 * The next report. NOTHING: it did not come in so many seconds, or the process has ended; or
 * nobody wants to know any more.
 */
static struct report hear(const struct proof *proof, int seconds)
{
	struct pollfd pollers[] = {{.fd = proof->pipe[0], .events = POLLIN},
				   {.fd = proof->supervise->fd}};
	struct report report;

	if (poll(pollers, 2, 1000 * seconds) > 0 && pollers[0].revents &&
	    read(proof->pipe[0], &report, sizeof(report)) == sizeof(report))
		return report;
	return (struct report){.step = NOTHING};
}

/* Whether the second process sleeps; false too if it has something to say. */
static bool falls_asleep(const struct proof *proof)
{
	struct pollfd poller = {.fd = proof->pipe[0], .events = POLLIN};
	int64_t start = clock_now();

	while (clock_now() - start < PATIENCE) {
		char state;

		if (poll(&poller, 1, LOOK_AGAIN) > 0)
			return false;
		state = proc_state(proof->second);
		if (state == 'S' || state == 'D')
			return true;
		if (!state && clock_now() - start > ASLEEP_BLIND * (CLOCK_SECOND / 1000))
			return true;
	}
	return false;
}

static bool prove_blocking(const struct proof *proof)
{
	enum step step = hear(proof, PROOF_PATIENCE).step;

	if (step == NOTHING)
		complain(proof, "a second process could not try for the lock in time");
	if (step != WAITING)
		return false;
	if (falls_asleep(proof))
		return true;
	step = hear(proof, 0).step;
	if (step == NOTHING)
		complain(proof, "a second process that waits for the lock never goes to sleep");
	else if (step == HAS_LOCK)
		complain(proof,
			 "locks do not block here: a second process was given the lock while the "
			 "first one holds it; use a directory on another file system");
	return false;
}

static bool prove_waking(const struct proof *proof)
{
	int64_t released = clock_now();
	struct report report;

	flock(proof->fd, LOCK_UN);
	report = hear(proof, PROOF_PATIENCE);
	if (report.step == NOTHING)
		findings_add(
			proof->findings, FINDING_ERROR, 0,
			"a process that waits for a lock was not woken in the %d seconds after its "
			"release: builds would wait for ever here; use a directory on another file "
			"system",
			PROOF_PATIENCE);
	if (report.step != HAS_LOCK)
		return false;
	findings_add(proof->findings, FINDING_OK, 0,
		     "a lock blocks and wakes: the second process had it %.2f ms after its release",
		     (double)(report.at - released) / 1e6);
	return true;
}

/* A pause between two looks. false: it was the last one. */
static bool look_again(const struct proof *proof, int64_t deadline)
{
	poll(NULL, 0, LOOK_AGAIN);
	supervise_pulse(proof->supervise);
	return clock_now() < deadline;
}

/* Waits, but not for ever, for the end of the second process. */
static bool kill_second(const struct proof *proof)
{
	int64_t deadline = clock_now() + PATIENCE;
	pid_t ended;

	kill(proof->second, SIGKILL);
	/* -1: whoever started grouplock ignores SIGCHLD, and the process is gone without a word. */
	do
		ended = waitpid(proof->second, NULL, WNOHANG);
	while (!ended && look_again(proof, deadline));
	close(proof->pipe[0]);
	return ended != 0;
}

static void prove_freeing(const struct proof *proof, int64_t killed)
{
	int64_t deadline = clock_now() + PATIENCE;
	enum lockfile_result result;
	struct error err;

	do
		result = lockfile_try(proof->sd, proof->name, proof->fd, LOCK_EX, &err);
	while (result == LOCKFILE_BUSY && look_again(proof, deadline));
	if (result == LOCKFILE_OK)
		findings_add(proof->findings, FINDING_OK, 0,
			     "a lock ends with its process: it was free %.2f ms after a kill",
			     (double)(clock_now() - killed) / 1e6);
	else if (result == LOCKFILE_ERROR)
		complain(proof, err.text);
	else
		findings_add(
			proof->findings, FINDING_ERROR, 0,
			"the lock of a killed process was still held %d seconds later: slots would "
			"leak here; use a directory on another file system",
			PROOF_PATIENCE);
}

static void prove(struct proof *proof)
{
	struct error err;
	int64_t killed;
	bool good;

	if (lockfile_try(proof->sd, proof->name, proof->fd, LOCK_EX, &err) != LOCKFILE_OK) {
		complain(proof, err.text);
		return;
	}
	if (start_second(proof)) {
		complain(proof, "cannot start a second process: locks were not tried");
		return;
	}
	good = prove_blocking(proof) && prove_waking(proof);
	killed = clock_now();
	if (!kill_second(proof))
		complain(proof,
			 "a process that uses the file system cannot be killed: the file system "
			 "does not answer");
	else if (good)
		prove_freeing(proof, killed);
}

/* --- the file ----------------------------------------------------------------------------- */

static const char *advice(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return "; become a member of its group, or change its mode";
	case EROFS:
		return "; mount it writable";
	case ENOSPC:
	case EDQUOT:
		return "; make room there (blocks or inodes)";
	default:
		return "";
	}
}

/* Creates the file and writes to it as a holder writes its record. false: there is no file. */
static bool create(struct proof *proof, bool *written)
{
	char user[ACCOUNT_SIZE];
	struct error err;
	bool created;
	int errnum;

	account_user(geteuid(), user);
	/* Machines that share the directory may have the same pids. */
	snprintf(proof->name, sizeof(proof->name), PROOF_PREFIX "%ld-%" PRIx64, (long)getpid(),
		 clock_wall());
	created = lockfile_create(proof->sd, proof->name, &proof->fd, &err) == LOCKFILE_OK;
	*written = created && write(proof->fd, "check\n", 6) == 6;
	errnum = errno;
	if (created && !*written)
		error_sys(&err, errnum, "cannot write to '%s/%s'", proof->sd->path, proof->name);
	if (*written)
		findings_add(proof->findings, FINDING_OK, 0,
			     "user '%s' can create and write files there", user);
	else
		findings_add(proof->findings, FINDING_ERROR, 0, "user '%s': %s%s", user, err.text,
			     advice(errnum));
	return created;
}

void proof_of_locks(const struct statedir *sd, const struct supervise *supervise,
		    struct findings *findings)
{
	struct proof proof = {.sd = sd, .supervise = supervise, .findings = findings};
	bool written;

	if (!create(&proof, &written))
		return;
	if (written)
		prove(&proof);
	if (unlinkat(sd->fd, proof.name, 0))
		findings_add(findings, FINDING_ERROR, 0, "cannot remove '%s/%s'; remove it",
			     sd->path, proof.name);
	close(proof.fd);
}

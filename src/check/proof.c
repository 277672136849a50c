/*
 * The first process has the lock. The second one
 *   1. tries to get it, exclusively and shared, and must not;
 *   2. waits for it, and must sleep;
 *   3. must have it when the first one unlocks;
 *   4. is killed, and then the first one must get it back.
 * It says what it sees through a pipe, a struct word at a time.
 */
#include "check/proof.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/account.h"
#include "base/clock.h"
#include "base/proc.h"
#include "lock/lockfile.h"

#define SIGN_OF_LIFE 500 /* milliseconds */
#define LOOK_AGAIN 5     /* milliseconds between two looks at a process */
#define ASLEEP_BLIND 200 /* without /proc: so long asleep is asleep */

struct word {
	enum {
		SAW_BUSY,   /* it was refused the lock */
		GOT_IT_TOO, /* it was given the lock: nothing is excluded */
		WILL_WAIT,  /* its next call is the one that blocks */
		GOT_IT,     /* that has returned, at time `at` */
		FAILED,     /* with errno value `errnum`; 0: the file was not to be opened */
	} what;
	int errnum;
	int64_t at;
};

struct proof {
	const struct statedir *sd;
	struct supervise *supervise;
	struct findings *findings;
	char name[64];
	int fd;
	pid_t first, second;
	int ear; /* the pipe from the second process */
};

/* --- the second process ------------------------------------------------------------------- */

static void tell(int mouth, int what, int errnum)
{
	struct word word = {.what = what, .errnum = errnum, .at = clock_now()};

	/* Shorter than PIPE_BUF, so it arrives as one. */
	if (write(mouth, &word, sizeof(word)) != sizeof(word))
		_exit(1);
}

static void try_to_get(const struct proof *proof, int fd, int operation, int mouth)
{
	struct error ignored;

	switch (lockfile_try(proof->sd, proof->name, fd, operation, &ignored)) {
	case LOCKFILE_BUSY:
		tell(mouth, SAW_BUSY, 0);
		break;
	case LOCKFILE_OK:
		tell(mouth, GOT_IT_TOO, 0);
		flock(fd, LOCK_UN);
		break;
	default:
		tell(mouth, FAILED, errno);
	}
}

static _Noreturn void be_second(const struct proof *proof, int mouth)
{
	struct error ignored;
	int fd, result;

	/* Not to outlive the first one, which could then not kill it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != proof->first)
		_exit(1);
	if (lockfile_open(proof->sd, proof->name, &fd, &ignored) != LOCKFILE_OK) {
		tell(mouth, FAILED, 0);
		_exit(1);
	}
	try_to_get(proof, fd, LOCK_EX, mouth);
	try_to_get(proof, fd, LOCK_SH, mouth);
	tell(mouth, WILL_WAIT, 0);
	do
		result = flock(fd, LOCK_EX);
	while (result && (errno == EINTR || errno == EAGAIN /* 9p */));
	tell(mouth, result ? FAILED : GOT_IT, result ? errno : 0);
	for (;;)
		pause();
}

static int start_second(struct proof *proof)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC))
		return -1;
	proof->first = getpid();
	proof->second = fork();
	if (!proof->second) {
		/* A description of its own is what makes it another one: not the inherited. */
		close(proof->fd);
		be_second(proof, fds[1]);
	}
	close(fds[1]);
	proof->ear = fds[0];
	return proof->second < 0 ? -1 : 0;
}

/* --- the first process -------------------------------------------------------------------- */

static void complain(const struct proof *proof, const char *text)
{
	findings_add(proof->findings, FINDING_ERROR, 0, "%s", text);
}

/*
 * Waits for the next word. false: it did not come in time, or the process has ended; or nobody
 * wants to know any more.
 */
static bool hear(const struct proof *proof, struct word *word, int64_t deadline)
{
	struct pollfd poller = {.fd = proof->ear, .events = POLLIN};

	do {
		if (poll(&poller, 1, SIGN_OF_LIFE) > 0)
			return read(proof->ear, word, sizeof(*word)) == sizeof(*word);
	} while (supervise_pulse(proof->supervise) && clock_now() < deadline);
	return false;
}

static int64_t patience(void)
{
	return clock_now() + PROOF_PATIENCE * CLOCK_SECOND;
}

static void explain_failure(const struct proof *proof, const struct word *word)
{
	struct error reason;

	if (word->errnum)
		lockfile_explain(proof->sd, proof->name, word->errnum, &reason);
	else
		error_set(&reason,
			  "a second process cannot open the file that a first one has locked");
	complain(proof, reason.text);
}

static bool prove_exclusion(struct proof *proof)
{
	struct word words[2];

	for (int i = 0; i < 2; i++) {
		if (!hear(proof, &words[i], patience())) {
			complain(proof, "a second process could not try for the lock in time");
			return false;
		}
		if (words[i].what == FAILED) {
			explain_failure(proof, &words[i]);
			return false;
		}
	}
	if (words[0].what == GOT_IT_TOO || words[1].what == GOT_IT_TOO) {
		complain(proof,
			 "locks do not exclude here: a second process was given the lock that the "
			 "first one holds; use a directory on another file system");
		return false;
	}
	findings_add(proof->findings, FINDING_OK, 0,
		     "a lock excludes: a second process on this machine is refused it");
	return true;
}

/* Whether the second process sleeps; false too if it has something to say. */
static bool falls_asleep(const struct proof *proof)
{
	int64_t start = clock_now(), deadline = patience();
	struct pollfd poller = {.fd = proof->ear, .events = POLLIN};

	while (clock_now() < deadline) {
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

static bool prove_blocking(struct proof *proof)
{
	struct word word;

	if (!hear(proof, &word, patience()) || word.what != WILL_WAIT) {
		complain(proof, "a second process did not come to wait for the lock in time");
		return false;
	}
	if (falls_asleep(proof))
		return true;
	if (!hear(proof, &word, clock_now()))
		complain(proof, "a second process that waits for the lock does not get to sleep");
	else if (word.what == FAILED)
		explain_failure(proof, &word);
	else
		complain(proof,
			 "locks do not make wait here: a second process was given the lock while "
			 "the first one holds it; use a directory on another file system");
	return false;
}

static bool prove_waking(struct proof *proof)
{
	int64_t released = clock_now();
	struct word word;

	flock(proof->fd, LOCK_UN);
	if (!hear(proof, &word, patience())) {
		findings_add(
			proof->findings, FINDING_ERROR, 0,
			"a process that waits for a lock was not woken in the %d seconds after its "
			"release: builds would wait for ever here; use a directory on another file "
			"system",
			PROOF_PATIENCE);
		return false;
	}
	if (word.what == FAILED) {
		explain_failure(proof, &word);
		return false;
	}
	findings_add(
		proof->findings, FINDING_OK, 0,
		"a lock makes wait and wakes: the second process had it %.2f ms after its release",
		(double)(word.at - released) / 1e6);
	return true;
}

/* Waits, but not for ever, for the end of the second process. */
static bool kill_second(struct proof *proof)
{
	int64_t deadline = patience();
	pid_t ended;

	kill(proof->second, SIGKILL);
	/* -1: whoever started grouplock ignores SIGCHLD, and the process is gone without a word. */
	while (!(ended = waitpid(proof->second, NULL, WNOHANG)) && clock_now() < deadline) {
		poll(NULL, 0, LOOK_AGAIN);
		supervise_pulse(proof->supervise);
	}
	close(proof->ear);
	return ended != 0;
}

static void prove_freeing(struct proof *proof, int64_t killed)
{
	int64_t deadline = patience();
	enum lockfile_result result;
	struct error err;

	while ((result = lockfile_try(proof->sd, proof->name, proof->fd, LOCK_EX, &err)) ==
		       LOCKFILE_BUSY &&
	       clock_now() < deadline) {
		poll(NULL, 0, LOOK_AGAIN);
		supervise_pulse(proof->supervise);
	}
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
	good = prove_exclusion(proof) && prove_blocking(proof) && prove_waking(proof);
	killed = clock_now();
	if (!kill_second(proof))
		complain(proof,
			 "a process in the file system cannot be killed: it does not answer");
	else if (good)
		prove_freeing(proof, killed);
}

/* --- the file ----------------------------------------------------------------------------- */

static const char *advice(int errnum)
{
	switch (errnum) {
	case EACCES:
	case EPERM:
		return "; become a member of its group, or see to its mode";
	case EROFS:
		return "; mount it writable";
	case ENOSPC:
	case EDQUOT:
		return "; make room there (blocks or inodes)";
	default:
		return "";
	}
}

/* Creates the file and writes to it as a holder writes its record. */
static int create(struct proof *proof)
{
	char user[ACCOUNT_SIZE];
	unsigned random[2];
	struct error err;

	account_user(geteuid(), user);
	if (getrandom(random, sizeof(random), 0) != sizeof(random))
		random[0] = random[1] = (unsigned)clock_now();
	snprintf(proof->name, sizeof(proof->name), PROOF_PREFIX "%ld-%08x%08x", (long)getpid(),
		 random[0], random[1]);
	if (lockfile_create(proof->sd, proof->name, &proof->fd, &err) != LOCKFILE_OK) {
		findings_add(proof->findings, FINDING_ERROR, 0, "user '%s': %s%s", user, err.text,
			     advice(errno));
		return -1;
	}
	if (write(proof->fd, "check\n", 6) != 6) {
		int errnum = errno;

		error_sys(&err, errnum, "cannot write to '%s/%s'", proof->sd->path, proof->name);
		findings_add(proof->findings, FINDING_ERROR, 0, "user '%s': %s%s", user, err.text,
			     advice(errnum));
		return 1;
	}
	findings_add(proof->findings, FINDING_OK, 0, "user '%s' can create and write files there",
		     user);
	return 0;
}

void proof_of_locks(const struct statedir *sd, struct supervise *supervise,
		    struct findings *findings)
{
	struct proof proof = {.sd = sd, .supervise = supervise, .findings = findings};
	int result = create(&proof);

	if (result < 0)
		return;
	if (!result)
		prove(&proof);
	if (unlinkat(sd->fd, proof.name, 0))
		findings_add(findings, FINDING_ERROR, 0, "cannot remove '%s/%s'; remove it",
			     sd->path, proof.name);
	close(proof.fd);
}

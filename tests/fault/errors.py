"""How each system call may fail: the faults that strace(1) is asked to inject."""

# The errors that fit, the likeliest first: a short run injects the first only. `retval=N` is a
# call that claims to have done less than it was asked to, `kill` the end of the process.
ERRORS = {
    "access": ["EACCES"],
    "chdir": ["EACCES"],
    "clock_nanosleep": ["EINTR"],
    "clone": ["EAGAIN", "ENOMEM"],
    "clock_gettime": ["ENOSYS"],
    "clone3": ["EAGAIN", "ENOMEM"],
    "close_range": ["ENOSYS", "ENOMEM"],
    "dup2": ["EMFILE", "EINTR"],
    "dup3": ["EMFILE", "EINTR"],
    "eventfd2": ["EMFILE", "ENOMEM"],
    "execve": ["EACCES", "ENOMEM", "EIO"],
    "fchmod": ["EROFS", "EIO", "EPERM"],
    "fchown": ["EPERM", "EROFS", "EIO"],
    "fcntl": ["EMFILE", "ENOMEM"],
    "flock": ["ENOLCK", "EINTR", "EIO", "EAGAIN", "EACCES"],
    "ftruncate": ["EIO", "EINTR", "EROFS"],
    "getdents64": ["EIO", "ENOMEM"],
    "getrandom": ["EINTR", "ENOSYS"],
    "getsid": ["EPERM", "ESRCH"],
    "ioctl": ["ENOTTY"],
    "kill": ["EPERM"],
    "lseek": ["EIO"],
    "memfd_create": ["EMFILE", "ENOMEM", "EACCES"],
    "mkdirat": ["ENOSPC", "EACCES", "EROFS", "EIO", "ENOMEM"],
    "mmap": ["ENOMEM"],
    "mprotect": ["ENOMEM"],
    "newfstatat": ["EIO", "EACCES", "ENOMEM"],
    "openat": ["EMFILE", "ENOSPC", "EACCES", "EIO", "EROFS", "EINTR", "ENOMEM"],
    "pidfd_open": ["ENOSYS", "EMFILE", "ENOMEM", "EPERM"],
    "pidfd_send_signal": ["EPERM", "ENOSYS"],
    "pipe2": ["EMFILE", "ENOMEM"],
    "poll": ["EINTR", "ENOMEM"],
    "ppoll": ["EINTR", "ENOMEM"],
    "prctl": ["EINVAL"],
    "pread64": ["EIO", "EINTR", "retval=0", "retval=1"],
    "prlimit64": ["EPERM"],
    "pwrite64": ["ENOSPC", "EIO", "EINTR", "EROFS", "retval=0", "retval=5"],
    "read": ["EIO", "EINTR", "EAGAIN"],
    "readlink": ["EACCES", "EIO"],
    "readlinkat": ["EACCES", "EIO"],
    "setsid": ["EPERM"],
    "signalfd4": ["EMFILE", "ENOMEM"],
    "tgkill": ["EAGAIN"],
    "timer_create": ["EAGAIN", "ENOMEM", "ENOSYS"],
    "unlinkat": ["EACCES", "EROFS", "EIO"],
    "wait4": ["EINTR", "ECHILD"],
    "write": ["ENOSPC", "EIO", "EINTR"],
    "writev": ["ENOSPC", "EIO"],
}

# Calls that cannot fail with the arguments they get.
INFALLIBLE = {
    "exit", "exit_group", "getegid", "geteuid", "getgid", "getpgrp", "getpid", "getppid", "gettid",
    "getuid", "munmap", "restart_syscall", "rseq", "rt_sigaction", "rt_sigpending", "rt_sigprocmask",
    "rt_sigreturn", "rt_sigsuspend", "sched_yield", "set_robust_list", "timer_delete",
    "umask", "uname",
}

# Calls whose failure strace cannot imitate, since it leaves the call out:
#   brk    has no error number to return, so a new end of the memory would be made of it. That the
#          memory is used up is tried with a limit: see scenes.py.
#   close  closes whatever it returns. Left out, the lock of that file would live on.
#   timer_settime  does not fail. Left out, the deadline would not come.
#   futex  of FUTEX_WAKE does not fail. Left out, nobody would be woken, and strace cannot tell it
#          from FUTEX_WAIT.
INIMITABLE = {"brk", "close", "futex", "timer_settime"}

# Errors that come in storms, and how many in a row: enough to wear out any loop that counts.
STORMS = {"EINTR": 20}


def expression(error, nth):
    """What strace's -e inject= wants behind the name of the call."""
    last = "" if error not in STORMS else f"..{nth + STORMS[error] - 1}"
    if error == "kill":
        return f"signal=KILL:when={nth}"
    what = error if error.startswith("retval=") else f"error={error}"
    return f"{what}:when={nth}{last}"


def ways(name, most):
    """The ways in which a call is made to fail, or in which the process ends instead of it."""
    errors = [] if name in INFALLIBLE or name in INIMITABLE else ERRORS[name][:most]
    return errors + (["kill"] if most > 1 else [])


def unknown(names):
    return [name for name in names
            if name not in ERRORS and name not in INFALLIBLE and name not in INIMITABLE]

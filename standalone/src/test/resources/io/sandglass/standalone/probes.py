"""Tries, as root inside a sandbox, what an escape would need. Prints {probe: what came of it}; see docs/security.md."""
import ctypes, glob, json, os, re, signal, socket, stat, subprocess

libc = ctypes.CDLL(None, use_errno=True)


def errno_name(error):
    return __import__("errno").errorcode.get(error, str(error))


def call(action):
    """'done', or the name of the error."""
    try:
        action()
        return "done"
    except OSError as e:
        return errno_name(e.errno)


def syscall(number, *args):
    ctypes.set_errno(0)
    result = libc.syscall(number, *[ctypes.c_void_p(a) if isinstance(a, int) else a for a in args])
    return "done" if result >= 0 else errno_name(ctypes.get_errno())


def write(path, text="x"):
    def action():
        fd = os.open(path, os.O_WRONLY)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    return call(action)


def opened(path, flags=os.O_RDONLY):
    return call(lambda: os.close(os.open(path, flags)))


def device(major, minor):
    path = "/tmp/probe-device"
    made = call(lambda: os.mknod(path, 0o600 | stat.S_IFBLK, os.makedev(major, minor)))
    if made != "done":
        return made
    try:
        return opened(path)
    finally:
        os.unlink(path)


def shell(command):
    return subprocess.run(command, shell=True, capture_output=True, timeout=20).returncode


def status(field):
    with open("/proc/self/status") as lines:
        return next(line.split()[1] for line in lines if line.startswith(field + ":"))


def mounts():
    """Mount points that are not the image's, the kernel's own or ours."""
    known = {"overlay", "proc", "tmpfs", "devpts", "sysfs", "cgroup", "cgroup2", "mqueue"}
    strange = []
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            left, right = line.split(" - ")
            point, kind = left.split()[4], right.split()[0]
            if kind not in known and point not in (
                "/.sandglass", "/etc/resolv.conf", "/etc/hostname", "/etc/hosts",
            ):
                strange.append(point)
    return strange


def writable_mounts():
    """Kernel file systems and ours that are mounted for writing."""
    found = []
    with open("/proc/self/mountinfo") as lines:
        for line in lines:
            left, right = line.split(" - ")
            point, options, kind = left.split()[4], left.split()[5], right.split()[0]
            if (kind in ("sysfs", "cgroup", "cgroup2") or point in ("/.sandglass", "/proc/sys", "/proc/sysrq-trigger")) \
                    and "ro" not in options.split(","):
                found.append(point)
    return found


def cgroup_writes():
    """Control groups that could be made or changed."""
    done = []
    for root, directories, files in os.walk("/sys/fs/cgroup"):
        # Where each hierarchy is a mount of its own, what holds them is plain memory of the sandbox.
        hierarchy = "cgroup.procs" in files
        if hierarchy and call(lambda: os.mkdir(os.path.join(root, "probe"))) == "done":
            done.append(root)
        done += [f for f in files if f in ("release_agent", "devices.allow", "cgroup.procs", "memory.limit_in_bytes")
                 and write(os.path.join(root, f), "a *:* rwm") == "done"]
    return done


def sockets():
    found = []
    for root in ("/run", "/var/run", "/tmp", "/host", "/.sandglass"):
        for directory, _, files in os.walk(root):
            found += [os.path.join(directory, f) for f in files
                      if stat.S_ISSOCK(os.lstat(os.path.join(directory, f)).st_mode)]
    return sorted(set(found))


def try_socket(family, kind, protocol=0):
    return call(lambda: socket.socket(family, kind, protocol).close())


def killed_first_process():
    for number in (signal.SIGKILL, signal.SIGTERM, signal.SIGSTOP):
        os.kill(1, number)
    return "alive" if os.path.exists("/proc/1/stat") and open("/proc/1/stat").read().split()[2] != "T" else "stopped"


probes = {
    "docker socket": lambda: sockets(),
    "host mounts": lambda: mounts(),
    "writable kernel mounts": lambda: writable_mounts(),
    "control groups": lambda: cgroup_writes(),
    "core_pattern": lambda: write("/proc/sys/kernel/core_pattern", "|/tmp/x"),
    "modprobe": lambda: write("/proc/sys/kernel/modprobe", "/tmp/x"),
    "sysrq": lambda: write("/proc/sysrq-trigger", "h"),
    "uevent_helper": lambda: write("/sys/kernel/uevent_helper", "/tmp/x"),
    "kernel memory": lambda: [opened("/dev/mem"), opened("/dev/kmem")],
    "modules": lambda: [syscall(175, 0, 0, 0), syscall(313, 0, 0, 0), syscall(176, 0, 0)],
    "processes of others": lambda: [p for p in glob.glob("/proc/[0-9]*/comm")
                                    if re.search("java|dockerd|containerd|systemd|init", open(p).read())],
    "first process": lambda: os.path.basename(open("/proc/1/cmdline", "rb").read().split(b"\0")[0].decode()),
    "disk of the host": lambda: [device(8, 0), device(253, 0), device(254, 0), device(259, 0)],
    "devices": lambda: sorted(d for d in os.listdir("/dev") if d not in (
        "core", "fd", "full", "mqueue", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout", "tty",
        "urandom", "zero", "console")),
    "capabilities": lambda: [status("CapEff"), status("CapBnd"), status("CapPrm")],
    "ambient capabilities": lambda: status("CapAmb"),
    "no new privileges": lambda: status("NoNewPrivs"),
    "seccomp": lambda: status("Seccomp"),
    "mount": lambda: syscall(165, b"none", b"/mnt", b"tmpfs", 0, 0),
    "unshare": lambda: [syscall(272, flag) for flag in (0x10000000, 0x00020000, 0x40000000)],
    "setns": lambda: syscall(308, 0, 0),
    "chroot": lambda: call(lambda: os.chroot("/tmp")),
    "pivot_root": lambda: syscall(155, b"/", b"/"),
    "open_by_handle_at": lambda: syscall(304, 0, 0, 0),
    "bpf": lambda: syscall(321, 0, 0, 0),
    "io_uring": lambda: syscall(425, 1, 0),
    "userfaultfd": lambda: syscall(323, 0),
    "perf_event_open": lambda: syscall(298, 0, 0, 0, 0, 0),
    "keyctl": lambda: syscall(250, 0, 0, 0),
    "kexec": lambda: syscall(246, 0, 0, 0, 0),
    "reboot": lambda: syscall(169, 0, 0, 0, 0),
    "kernel log": lambda: syscall(103, 3, 0, 0),
    "clock": lambda: syscall(227, 0, 0),
    "x86 i/o ports": lambda: [syscall(172, 3), syscall(173, 0, 1, 1)],
    "crypto sockets": lambda: try_socket(38, socket.SOCK_SEQPACKET),
    "virtual machine sockets": lambda: try_socket(40, socket.SOCK_STREAM),
    "packet sockets": lambda: try_socket(17, socket.SOCK_RAW),
    "raw sockets": lambda: try_socket(socket.AF_INET, socket.SOCK_RAW, 1),
    "guest binary": lambda: [opened("/.sandglass/guest", os.O_WRONLY),
                             call(lambda: os.unlink("/.sandglass/guest")),
                             call(lambda: os.rename("/.sandglass/guest", "/.sandglass/x"))],
    "guest socket": lambda: [call(lambda: os.unlink("/.sandglass/host.sock")),
                             call(lambda: os.rename("/.sandglass", "/x"))],
    "guest memory": lambda: [opened("/proc/1/mem", os.O_RDWR), opened("/proc/1/environ"), opened("/proc/1/maps")],
    "guest traced": lambda: syscall(101, 16, 1, 0, 0),
    "guest killed": killed_first_process,
    "hostname": lambda: call(lambda: socket.sethostname("x")),
    "setuid programs gain nothing": lambda: shell(
        "cp /bin/sh /tmp/probe-sh && chmod u+s /tmp/probe-sh && su nobody -s /bin/sh -c '/tmp/probe-sh -p -c \"test $(id -u) = 0\"'") != 0,
    "token": lambda: [name for name in os.environ if "TOKEN" in name],
}


def outcome(probe):
    try:
        return probe()
    except OSError as e:
        return errno_name(e.errno)


print(json.dumps({name: outcome(probe) for name, probe in probes.items()}))

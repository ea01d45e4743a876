"""Runs a command and writes what the kernel charged each of its processes at their exit, as wait4 tells it.

    account.py FILE COMMAND [ARGUMENT ...]

Only its tracer learns such figures of a process that is not its child, so all of them are traced (ptrace), which stops
them at births, signals and deaths only. FILE gets one JSON object a line and process; exit code 125: tracing is refused.
"""

import ctypes
import errno
import json
import os
import re
import signal
import sys

SEIZE, CONT, LISTEN = 0x4206, 7, 0x4208
FOLLOW_FORK, FOLLOW_VFORK, FOLLOW_CLONE, TELL_EXIT = 0x2, 0x4, 0x8, 0x40
EVENT_EXIT, EVENT_STOP = 6, 128
ALL_CHILDREN = 0x40000000
REFUSED = 125

libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
libc.ptrace.restype = ctypes.c_long


def main(path, command):
    go_read, go_write = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(go_read, 1)
        os.execvp(command[0], command)
    # Ctrl-C and the like are for the command: this one stays until the last process is accounted for.
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(each, lambda number, _frame: os.kill(child, number))
    if libc.ptrace(SEIZE, child, None, FOLLOW_FORK | FOLLOW_VFORK | FOLLOW_CLONE | TELL_EXIT) != 0:
        os.kill(child, signal.SIGKILL)
        print(f"ptrace: {os.strerror(ctypes.get_errno())}", file=sys.stderr)
        return REFUSED
    os.write(go_write, b"!")
    with open(path, "w", buffering=1) as out:
        return follow(child, out)


def follow(child, out):
    processes, code = {}, 1
    while True:
        try:
            task, status, usage = os.wait4(-1, ALL_CHILDREN)
        except ChildProcessError:
            return code
        if os.WIFSTOPPED(status):
            if task not in processes:
                processes[task] = describe(task)
            go_on(task, status, processes[task])
            continue
        process = processes.pop(task, None)
        if task == child:
            code = os.waitstatus_to_exitcode(status)
        if process is None or process["isThread"]:
            continue
        out.write(json.dumps({
            "pid": task,
            "parent": process["parent"],
            # With what its own children were charged, those that it waited for.
            "userSeconds": usage.ru_utime,
            "systemSeconds": usage.ru_stime,
            "residentBytesMax": usage.ru_maxrss * 1024,
            "highWaterBytes": process["highWaterBytes"],
            "code": os.waitstatus_to_exitcode(status),
        }) + "\n")


def go_on(task, status, process):
    event, number = status >> 16, os.WSTOPSIG(status)
    if event == EVENT_EXIT:
        process["highWaterBytes"] = describe(task)["highWaterBytes"]
    if event == EVENT_STOP and number != signal.SIGTRAP:
        ptrace(LISTEN, task, 0)
    else:
        ptrace(CONT, task, 0 if event else number)


def ptrace(request, task, value):
    # A task that was killed meanwhile is told of by wait4.
    if libc.ptrace(request, task, None, value) != 0 and ctypes.get_errno() != errno.ESRCH:
        raise OSError(ctypes.get_errno(), "ptrace")


def describe(task):
    try:
        with open(f"/proc/{task}/status") as file:
            text = file.read()
    except OSError:
        text = ""
    def field(name):
        found = re.search(rf"^{name}:\s*(\d+)", text, re.MULTILINE)
        return int(found.group(1)) if found else None
    kibibytes = field("VmHWM")
    return {
        "isThread": field("Tgid") != task,
        "parent": field("PPid"),
        "highWaterBytes": None if kibibytes is None else kibibytes * 1024,
    }


sys.exit(main(sys.argv[1], sys.argv[2:]))

import { spawnSync } from 'node:child_process'

/** Runs a program whose standard error is a terminal that is full and never read; the program keeps the process id. */
const SCRIPT = `
import os, pty, sys, time
master, terminal = pty.openpty()
program = os.getpid()
if os.fork() == 0:
    os.close(terminal)
    while os.getppid() == program: time.sleep(0.1)
    os._exit(0)
os.set_blocking(terminal, False)
try:
    while True: os.write(terminal, b'x' * 1024)
except BlockingIOError: pass
os.set_blocking(terminal, True)
os.close(master)
os.dup2(terminal, 2)
os.execvp(sys.argv[1], sys.argv[1:])`

/** Put in front of a command; undefined without Python, which Node needs to open a terminal. */
export const onFrozenTerminal: readonly string[] | undefined =
  spawnSync('python3', ['-c', 'import pty']).status === 0 ? ['python3', '-c', SCRIPT] : undefined

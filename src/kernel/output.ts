import { constants, fstatSync, openSync, write, writeSync } from 'node:fs'
import { Socket } from 'node:net'
import { isatty } from 'node:tty'
import { hasCode } from './errors.js'

/** A descriptor to which this process writes without waiting for the reader. */
export interface Output {
  /**
   * Writes as much as fits now.
   *
   * @returns bytes taken; 0 when the reader stands still.
   * @throws when its reader is gone (closed) or nothing fits any more (full disk).
   */
  writeNow(bytes: Uint8Array): number
  /** For a disk, which may be slow: another thread writes. */
  readonly writeLater?: (bytes: Uint8Array) => Promise<number>
}

/** An output on an open descriptor: pipe, socket, terminal or file. */
export function openOutput(fd: number): Output {
  const kind = fstatSync(fd)
  const isTerminal = isatty(fd)
  if (!isTerminal && !kind.isFIFO() && !kind.isSocket()) return diskOutput(fd)
  const own = reopen(fd)
  if (own !== undefined) return readerOutput(own)
  // The terminal of another user (after `su`) cannot be opened: another thread has to wait for it.
  if (isTerminal) return diskOutput(fd)
  // libuv makes the descriptor non-blocking; nothing is written through this socket.
  new Socket({ fd, readable: false }).on('error', () => {}).unref()
  return readerOutput(fd)
}

/** An output that appends to a file only its owner can read. A named pipe in its place must have a reader. */
export function openFileOutput(path: string): Output {
  const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants
  return openOutput(openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600))
}

/**
 * Opens the same pipe or terminal again. Whether writes wait is a property shared with every process that inherited the descriptor,
 * and starting or ending a child process changes it; what is opened anew belongs to this process. Sockets cannot be reopened.
 */
function reopen(fd: number): number | undefined {
  try {
    return openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch {
    return undefined
  }
}

function readerOutput(fd: number): Output {
  return {
    writeNow: (bytes) => {
      try {
        return writeSync(fd, bytes)
      } catch (error) {
        if (hasCode(error, 'EAGAIN')) return 0
        throw error
      }
    },
  }
}

function diskOutput(fd: number): Output {
  return {
    writeNow: (bytes) => writeSync(fd, bytes),
    writeLater: (bytes) =>
      new Promise((resolve, reject) => {
        write(fd, bytes, (error, count) => (error ? reject(error) : resolve(count)))
      }),
  }
}

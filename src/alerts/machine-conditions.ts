import { statfs } from 'node:fs/promises'
import type { Clock } from '../kernel/index.js'
import type { Condition } from './types.js'

const LEAST_FREE_BYTES = 1 << 30
const LEAST_FREE_SHARE = 0.03
/** How long ago a line may have been lost for the log to count as dropping. */
const DROPPING_MS = 300_000

export interface Machine {
  readonly clock: Pick<Clock, 'monotonic'>
  /** Folder whose disk must not fill up. */
  readonly stateDir: string
  /** Log lines lost so far. */
  readonly droppedLines: () => number
  /** Room on the disk of a folder, in bytes. */
  readonly diskOf?: (folder: string) => Promise<{ readonly free: number; readonly size: number }>
}

/** What can go wrong with the machine of any node. */
export function machineConditions(machine: Machine): Condition[] {
  return [diskCondition(machine), logCondition(machine)]
}

function diskCondition({ stateDir, diskOf = readDisk }: Machine): Condition {
  return {
    ...{ id: 'disk-nearly-full', severity: 'critical', forMs: 0 },
    look: async () => {
      const { free, size } = await diskOf(stateDir)
      if (free >= Math.min(LEAST_FREE_BYTES, size * LEAST_FREE_SHARE)) return []
      const mib = Math.floor(free / (1 << 20))
      return [
        {
          sentence: `Only ${mib} MiB are free on the disk of ${stateDir}.`,
          next: 'Free some space; the state of this node is saved there.',
        },
      ]
    },
  }
}

async function readDisk(folder: string) {
  const { bavail, blocks, bsize } = await statfs(folder)
  return { free: bavail * bsize, size: blocks * bsize }
}

function logCondition({ clock, droppedLines }: Machine): Condition {
  let before = droppedLines()
  let lostAt = Number.NEGATIVE_INFINITY
  return {
    ...{ id: 'log-dropping', severity: 'warning', forMs: 0 },
    look: () => {
      const lost = droppedLines()
      if (lost > before) lostAt = clock.monotonic()
      before = lost
      if (clock.monotonic() - lostAt > DROPPING_MS) return []
      return [
        {
          sentence: 'Log lines could not be written in the last five minutes.',
          next: 'Check that something reads the log as fast as it is written, and that its disk has room.',
        },
      ]
    },
  }
}

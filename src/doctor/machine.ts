import { lookup } from 'node:dns/promises'
import { statfs } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { descriptorLimit } from '../kernel/index.js'

/** What the checks read of this machine; tests give another one. */
export interface Machine {
  /** Of Node.js, e.g. `22.11.0`. */
  readonly nodeVersion: string
  /** Folders in which programs are found (PATH). */
  readonly searchPath: string
  /** How many files this process may open; undefined where the system does not tell. */
  readonly descriptorLimit: () => number | undefined
  /** Bytes that this user may still write on the file system of an existing path. */
  readonly freeBytes: (path: string) => Promise<number>
  /** Every address of a host name. @throws the resolver's error */
  readonly lookup: (host: string) => Promise<readonly HostAddress[]>
  /** This machine's own addresses other than loopback ones. */
  readonly ownAddresses: () => readonly string[]
}

export interface HostAddress {
  readonly address: string
  readonly family: number
}

export function ownMachine(nodeVersion: string, searchPath: string): Machine {
  return {
    nodeVersion,
    searchPath,
    descriptorLimit,
    freeBytes: async (path) => {
      const { bavail, bsize } = await statfs(path)
      return bavail * bsize
    },
    lookup: (host) => lookup(host, { all: true }),
    ownAddresses: () =>
      Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter(({ internal, address }) => !internal && !address.startsWith('fe80:'))
        .map(({ address }) => address),
  }
}

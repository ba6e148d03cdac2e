import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export interface ReleasePlan {
  /** Work tree with a clean checkout of main. */
  readonly folder: string
  /** X.Y.Z, above the present version. */
  readonly version: string
  /** SSH key that signs the tag: the private file, or the public one when an agent holds the private half. */
  readonly key: string
  readonly now: Date
  /** Builds dist and the manifest in the folder. */
  readonly build: () => void
  /** Said in the changelog besides the subjects of the commits. */
  readonly note?: string | undefined
}

/** Runs git in a folder. @returns standard output. */
export type Git = (args: readonly string[], env?: Readonly<Record<string, string>>) => string

export function gitIn(folder: string): Git {
  return (args, env) => {
    const surroundings = env ? { env: { ...process.env, ...env } } : {}
    return execFileSync('git', [...args], {
      ...{ cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] },
      ...surroundings,
    })
  }
}

const packageFile = z.looseObject({
  name: z.string(),
  version: z.string(),
  engines: z.object({ node: z.string() }).optional(),
})

const lockFile = z.looseObject({
  version: z.string(),
  packages: z.record(
    z.string(),
    z.looseObject({
      dev: z.boolean().optional(),
      link: z.boolean().optional(),
      integrity: z.string().optional(),
    }),
  ),
})

export const PACKAGE_FILE = 'package.json'
export const LOCK_FILE = 'package-lock.json'

export function readPackage(folder: string): z.output<typeof packageFile> {
  return packageFile.parse(JSON.parse(readFileSync(join(folder, PACKAGE_FILE), 'utf8')))
}

export function readLock(folder: string): z.output<typeof lockFile> {
  return lockFile.parse(JSON.parse(readFileSync(join(folder, LOCK_FILE), 'utf8')))
}

import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'

export interface ReleasePlan {
  /** Work tree: a clean checkout of main. */
  readonly folder: string
  /** X.Y.Z, above the current version. */
  readonly version: string
  /** SSH key that signs the tag: the private key file, or the public one if an agent has the private half. */
  readonly key: string
  readonly now: Date
  /** Builds `dist` and the oclif manifest in the folder. */
  readonly build: () => void
  /** Text for the top of the changelog entry. */
  readonly note?: string | undefined
}

/** Runs git in a folder. @returns standard output. */
export type Git = (args: readonly string[], env?: Readonly<Record<string, string>>) => string

export function gitIn(folder: string): Git {
  return (args, env) => {
    const environment = env ? { env: { ...process.env, ...env } } : {}
    return execFileSync('git', [...args], {
      ...{ cwd: folder, encoding: 'utf8', maxBuffer: 64 << 20, stdio: ['ignore', 'pipe', 'pipe'] },
      ...environment,
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

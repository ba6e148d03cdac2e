import { existsSync, realpathSync } from 'node:fs'
import { resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Clock, packageVersion } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { type Layout, layoutOf } from './layout.js'
import { SIGNERS_PATH } from './signers.js'

export interface UpdateSettings {
  readonly 'update.url': string
  readonly 'update.signers': string | undefined
  readonly 'update.channel': 'stable' | 'next'
  readonly 'update.root': string
}

/** Path of a file of this package, whether the code runs from `dist` or `src`. */
function packageFile(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

/** The launcher file that is copied into the update root. */
export function launcherSource(): string {
  return packageFile('deploy/launcher.mjs')
}

/** Creates the context for updating this installation. */
export function openUpdate(
  settings: UpdateSettings,
  surroundings: {
    readonly node: { readonly version: string; readonly path: string }
    readonly env: Readonly<Record<string, string>>
    readonly clock: Clock
    readonly signal: AbortSignal
    readonly onProgress: (step: string) => void
  },
): UpdateContext {
  const { node, ...rest } = surroundings
  const layout = layoutOf(settings['update.root'])
  return {
    ...rest,
    layout,
    url: settings['update.url'],
    signersFile: settings['update.signers'],
    bundledSignersFile: packageFile(SIGNERS_PATH),
    checkout: checkoutOf(packageFile(''), layout),
    runningVersion: packageVersion(),
    nodeVersion: node.version,
    nodePath: node.path,
    channel: settings['update.channel'],
  }
}

/** @param folder of a package; the paths of the root may be links. */
function checkoutOf(folder: string, layout: Layout): string | undefined {
  const releases = existsSync(layout.releases) ? realpathSync(layout.releases) : layout.releases
  return realpathSync(folder).startsWith(releases + sep) ? undefined : resolve(folder)
}

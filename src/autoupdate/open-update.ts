import { fileURLToPath } from 'node:url'
import { type Clock, packageVersion } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { layoutOf } from './layout.js'
import { SIGNERS_PATH } from './signers.js'

export interface UpdateSettings {
  readonly 'update.url': string
  readonly 'update.signers': string | undefined
  readonly 'update.channel': 'stable' | 'next'
  readonly 'update.root': string
}

/** File of this package, whether it runs from `dist` or `src`. */
function packageFile(name: string): string {
  return fileURLToPath(new URL(`../../${name}`, import.meta.url))
}

/** Source of the launcher installed beside the releases. */
export function launcherSource(): string {
  return packageFile('deploy/launcher.mjs')
}

/** The context of an update of this very installation. */
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
  return {
    ...rest,
    layout: layoutOf(settings['update.root']),
    url: settings['update.url'],
    signersFile: settings['update.signers'],
    ownSignersFile: packageFile(SIGNERS_PATH),
    ownVersion: packageVersion(),
    nodeVersion: node.version,
    nodePath: node.path,
    channel: settings['update.channel'],
  }
}

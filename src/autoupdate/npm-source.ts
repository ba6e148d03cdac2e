import semver from 'semver'
import { TargonError } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { requireVersion } from './release.js'
import { runCommand } from './run-command.js'

const NPM_TIMEOUT_MS = 60_000
const INSTALL_TIMEOUT_MS = 600_000

/** Newest published version of this package. @throws TargonError UPDATE_COMMAND_FAILED, UPDATE_VERSION_UNREADABLE. */
export async function newestPublished(context: UpdateContext): Promise<string> {
  const tag = context.channel === 'next' ? 'next' : 'latest'
  const { stdout } = await runCommand('npm', ['view', `targon@${tag}`, 'version', '--json'], {
    label: 'npm view',
    env: context.env,
    timeoutMs: NPM_TIMEOUT_MS,
    signal: context.signal,
  })
  const version = semver.valid(stdout.trim().replaceAll('"', ''))
  if (version) return version
  throw new TargonError('The package registry returned no valid version of targon.', {
    code: 'UPDATE_VERSION_UNREADABLE',
    fault: 'update',
    next: 'Check which registry npm is configured to use, or set --update.source git.',
  })
}

/** Whether a published version is above the installed one; a registry that went backwards offers no update. */
export function isNewer(version: string, installed: string): boolean {
  return semver.gt(version, installed)
}

/** The command that installs a version globally. @throws TargonError UPDATE_BAD_VERSION. */
export function installCommand(version: string): readonly [string, ...string[]] {
  requireVersion(version)
  return ['npm', 'install', '--global', '--ignore-scripts', `targon@${version}`]
}

export async function installPublished(context: UpdateContext, version: string): Promise<void> {
  const [program, ...args] = installCommand(version)
  await runCommand(program, args, {
    label: 'npm install',
    env: context.env,
    timeoutMs: INSTALL_TIMEOUT_MS,
    signal: context.signal,
  })
}

import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import semver from 'semver'
import { CHANGELOG, hasChangelogEntry } from './changelog.js'
import { type Git, LOCK_FILE, PACKAGE_FILE, type ReleasePlan, readLock, readPackage } from './plan.js'

export const RELEASE_BRANCH = 'main'
export const SIGNERS_FILE = join('deploy', 'allowed_signers')

/** @returns what `npm ci` says against the lock file of this folder; undefined if it accepts it. */
type AskNpm = (folder: string) => string | undefined

/** All reasons not to make this release; empty if it may be made. */
export function refusalsOf(plan: ReleasePlan, git: Git, askNpm: AskNpm = rejectionByNpm): string[] {
  return [
    ...versionRefusals(plan, git),
    ...treeRefusals(git),
    ...lockRefusals(plan.folder, askNpm),
    ...keyRefusals(plan),
    ...(hasChangelogEntry(plan)
      ? []
      : [
          `${CHANGELOG} has no entry for ${plan.version}: describe the changes under Unreleased, or use --note`,
        ]),
  ]
}

function versionRefusals({ folder, version }: ReleasePlan, git: Git): string[] {
  const current = readPackage(folder).version
  if (semver.valid(version) !== version) return [`${JSON.stringify(version)} is not a version X.Y.Z`]
  if (semver.lte(version, current)) return [`${version} is not above the current version ${current}`]
  const isTaken = git(['tag', '--list', `v${version}`]).trim() !== ''
  return isTaken ? [`the tag v${version} already exists: a version is released only once`] : []
}

function treeRefusals(git: Git): string[] {
  const refusals: string[] = []
  if (git(['status', '--porcelain']).trim() !== '')
    refusals.push('the work tree has uncommitted changes: commit or remove them first')
  const branch = git(['rev-parse', '--abbrev-ref', 'HEAD']).trim()
  if (branch !== RELEASE_BRANCH)
    refusals.push(`the branch is ${branch}: releases are made from ${RELEASE_BRANCH}`)
  if (git(['remote']).split('\n').includes('origin') && !containsOrigin(git))
    refusals.push(`origin/${RELEASE_BRANCH} has commits that are missing locally: pull first`)
  return refusals
}

/** Queries origin, because the last fetch may be outdated. */
function containsOrigin(git: Git): boolean {
  const head = git(['ls-remote', 'origin', `refs/heads/${RELEASE_BRANCH}`]).split('\t')[0]
  if (!head) return true
  try {
    git(['merge-base', '--is-ancestor', head, 'HEAD'])
    return true
  } catch {
    return false
  }
}

/** Every updater runs `npm ci` on this lock file, and only its digests bind what is installed. */
function lockRefusals(folder: string, askNpm: AskNpm): string[] {
  if (!existsSync(join(folder, LOCK_FILE))) return [`there is no ${LOCK_FILE}`]
  const { packages } = readLock(folder)
  const unbound = Object.entries(packages).filter(
    ([path, entry]) => path !== '' && !entry.link && !entry.dev && !entry.integrity?.startsWith('sha512-'),
  )
  const refusals = unbound.map(([path]) => `${LOCK_FILE} binds ${path} to no sha512`)
  const rejection = askNpm(folder)
  return rejection === undefined ? refusals : [...refusals, `npm ci rejects ${LOCK_FILE}: ${rejection}`]
}

function rejectionByNpm(folder: string): string | undefined {
  const bare = mkdtempSync(join(tmpdir(), 'targon-lock-'))
  try {
    // in an empty folder, because an installed node_modules would hide what the lock file lacks
    for (const name of [PACKAGE_FILE, LOCK_FILE]) copyFileSync(join(folder, name), join(bare, name))
    const quiet = ['--dry-run', '--ignore-scripts', '--no-audit', '--no-fund']
    execFileSync('npm', ['ci', ...quiet], {
      cwd: bare,
      encoding: 'utf8',
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    return undefined
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error)
    const lines = output.split('\n').filter((line) => /^npm error (?!code )\S/.test(line))
    return (
      lines
        .slice(0, 3)
        .map((line) => line.replace('npm error ', ''))
        .join('; ') || output.trim()
    )
  } finally {
    rmSync(bare, { recursive: true, force: true })
  }
}

/** No machine would install a release whose signing key the running releases do not pin. */
function keyRefusals({ folder, key }: ReleasePlan): string[] {
  const path = join(folder, SIGNERS_FILE)
  if (!existsSync(path)) return [`${SIGNERS_FILE} does not exist: add the public half of the key to it first`]
  const half = publicHalfOf(key)
  if (half === undefined) return [`${key} is not a readable SSH key`]
  const isPinned = readFileSync(path, 'utf8')
    .split('\n')
    .some((line) => !line.startsWith('#') && line.includes(half))
  return isPinned
    ? []
    : [`${SIGNERS_FILE} does not pin the public half of ${key}: no machine would install the release`]
}

/** @returns type and base64 text of the public key without its comment; undefined if it cannot be read. */
function publicHalfOf(key: string): string | undefined {
  const path = key.endsWith('.pub') ? key : `${key}.pub`
  try {
    const text = existsSync(path)
      ? readFileSync(path, 'utf8')
      : execFileSync('ssh-keygen', ['-y', '-P', '', '-f', key], {
          encoding: 'utf8',
          stdio: ['ignore', 'pipe', 'ignore'],
        })
    return /^\S+ \S+/.exec(text)?.[0]
  } catch {
    return undefined
  }
}

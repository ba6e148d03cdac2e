import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import semver from 'semver'
import { digestTree, parseTree, type ReleaseFile } from '../src/autoupdate/index.js'
import { SPEC_VERSION } from '../src/version.js'

/**
 * Makes a release: version and changelog on main, then a release commit off main that adds what users run (`dist/`,
 * `oclif.manifest.json`, `npm-shrinkwrap.json`), and a signed tag on it that carries the release file.
 *
 *     npm run release -- 4.5.1 --key ~/.ssh/release_ed25519 [--push]
 */
export interface ReleasePlan {
  /** Work tree with a clean checkout of the branch to release from. */
  readonly folder: string
  readonly version: string
  /** Private SSH key that signs the tag. */
  readonly key: string
  readonly now: Date
  /** Builds dist and the manifest in the folder. */
  readonly build: () => void
}

const BUILT = ['dist', 'oclif.manifest.json', 'npm-shrinkwrap.json']
const VALID_DAYS = 60
const CHANGELOG = 'CHANGELOG.md'

export async function makeRelease(plan: ReleasePlan): Promise<ReleaseFile> {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: plan.folder, encoding: 'utf8' }).trim()
  if (git('status', '--porcelain') !== '')
    throw new Error('the work tree has changes: commit or stash them first')
  const packageFile = join(plan.folder, 'package.json')
  const pkg = JSON.parse(readFileSync(packageFile, 'utf8')) as {
    version: string
    engines?: { node?: string }
  }
  if (!semver.valid(plan.version) || semver.lte(plan.version, pkg.version)) {
    throw new Error(`${plan.version} is not above the present version ${pkg.version}`)
  }
  const branch = git('rev-parse', '--abbrev-ref', 'HEAD')
  const since = git('tag', '--list', `v${pkg.version}`) === '' ? [] : [`v${pkg.version}..HEAD`]
  const subjects = git('log', '--no-merges', '--format=%s', ...since).split('\n')

  writeJson(packageFile, { ...pkg, version: plan.version })
  const lockFile = join(plan.folder, 'package-lock.json')
  const lock = JSON.parse(readFileSync(lockFile, 'utf8')) as {
    version: string
    packages: Record<string, object>
  }
  writeJson(lockFile, {
    ...lock,
    version: plan.version,
    packages: { ...lock.packages, '': { ...lock.packages[''], version: plan.version } },
  })
  writeChangelog(join(plan.folder, CHANGELOG), plan.version, plan.now, subjects)
  git('add', 'package.json', 'package-lock.json', CHANGELOG)
  git('commit', '--quiet', '-m', `chore(release): ${plan.version}`)

  plan.build()
  git('checkout', '--quiet', '--detach')
  cpSync(lockFile, join(plan.folder, 'npm-shrinkwrap.json'))
  git('add', '--force', ...BUILT.filter((name) => existsSync(join(plan.folder, name))))
  git('commit', '--quiet', '-m', `chore(release): build of ${plan.version}`)
  return await signTag(
    plan,
    git,
    branch,
    semver.minVersion(pkg.engines?.node ?? '>=20.19')?.version ?? '20.19.0',
  )
}

async function signTag(
  plan: ReleasePlan,
  git: (...args: string[]) => string,
  branch: string,
  minNode: string,
): Promise<ReleaseFile> {
  const commit = git('rev-parse', 'HEAD')
  const listing = execFileSync('git', ['ls-tree', '-r', '-l', '-z', '--full-tree', commit], {
    cwd: plan.folder,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  const entries = parseTree(listing, Number.MAX_SAFE_INTEGER)
  if ('unsafe' in entries) throw new Error(`the tree cannot be released: ${entries.unsafe}`)
  const release: ReleaseFile = {
    version: plan.version,
    commit,
    sha512: await digestTree(plan.folder, entries),
    expires: new Date(plan.now.getTime() + VALID_DAYS * 86_400_000).toISOString(),
    minNode,
    specVersion: SPEC_VERSION,
  }
  const message = `targon ${plan.version}\n\n${JSON.stringify(release, null, 2)}\n`
  git(
    '-c',
    'gpg.format=ssh',
    '-c',
    `user.signingkey=${plan.key}`,
    'tag',
    '--sign',
    '-m',
    message,
    `v${plan.version}`,
  )
  git('checkout', '--quiet', branch)
  return release
}

function writeChangelog(path: string, version: string, now: Date, subjects: readonly string[]): void {
  const old = existsSync(path) ? readFileSync(path, 'utf8').replace(/^# Changelog\n+/, '') : ''
  const lines = subjects
    .filter((subject) => /^(feat|fix|perf|refactor)/.test(subject))
    .map((subject) => `- ${subject}`)
  const date = now.toISOString().slice(0, 10)
  writeFileSync(
    path,
    `# Changelog\n\n## ${version} (${date})\n\n${lines.join('\n') || '- maintenance'}\n\n${old}`,
  )
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: { key: { type: 'string' }, push: { type: 'boolean', default: false } },
  })
  const version = positionals[0]
  if (!version || !values.key) {
    console.error('Usage: npm run release -- X.Y.Z --key <private SSH key> [--push]')
    process.exit(2)
  }
  const folder = process.cwd()
  const build = () => execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: folder, stdio: 'inherit' })
  const release = await makeRelease({ folder, version, key: values.key, now: new Date(), build })
  console.log(JSON.stringify(release, null, 2))
  const push = ['push', '--atomic', 'origin', 'HEAD', `refs/tags/v${version}`]
  if (values.push) execFileSync('git', push, { cwd: folder, stdio: 'inherit' })
  else console.error(`Look at it, then: git ${push.join(' ')}`)
}

import { copyFileSync, existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import semver from 'semver'
import { digestTree, parseTree, type ReleaseFile } from '../../src/autoupdate/index.js'
import { SPEC_VERSION } from '../../src/kernel/version.js'
import { CHANGELOG, writeChangelog } from './changelog.js'
import { writeChart } from './chart.js'
import { type Git, gitIn, LOCK_FILE, PACKAGE_FILE, type ReleasePlan, readLock, readPackage } from './plan.js'

/** Built files that users run and that main does not contain. */
const BUILT = ['dist', 'oclif.manifest.json', 'npm-shrinkwrap.json']
const SHRINKWRAP = 'npm-shrinkwrap.json'
const VALID_DAYS = 60
const OLDEST_NODE = '20.19.0'

/**
 * Makes a release without checking whether it should be made: commits version and changelog on the branch, adds the built
 * files in a commit off the branch, and signs a tag with the release file on that commit. When a step fails, branch and
 * tags are restored.
 *
 * @param verify throws if the signed tag does not verify.
 */
export async function buildRelease(
  plan: ReleasePlan,
  verify: (git: Git) => void = () => {},
): Promise<ReleaseFile> {
  const git = gitIn(plan.folder)
  const before = git(['rev-parse', 'HEAD']).trim()
  try {
    commitVersion(plan, git)
    plan.build()
    const release = await signTag(plan, git, commitBuilt(plan, git))
    verify(git)
    return release
  } catch (error) {
    if (git(['tag', '--list', tagOf(plan)]).trim() !== '') git(['tag', '--delete', tagOf(plan)])
    git(['reset', '--quiet', '--hard', before])
    throw error
  } finally {
    rmSync(join(plan.folder, SHRINKWRAP), { force: true })
  }
}

export function tagOf({ version }: ReleasePlan): string {
  return `v${version}`
}

function commitVersion(plan: ReleasePlan, git: Git): void {
  const { folder, version } = plan
  writeJson(join(folder, PACKAGE_FILE), { ...readPackage(folder), version })
  const { packages, ...lock } = readLock(folder)
  const root = { ...packages[''], version }
  writeJson(join(folder, LOCK_FILE), { ...lock, version, packages: { ...packages, '': root } })
  writeChangelog(plan)
  git(['add', PACKAGE_FILE, LOCK_FILE, CHANGELOG, ...writeChart(plan)])
  git(['commit', '--quiet', '-m', `chore(release): ${version}`])
}

/** Makes the release commit with a separate index, so that the branch does not move. @returns its id. */
function commitBuilt({ folder, version }: ReleasePlan, git: Git): string {
  copyFileSync(join(folder, LOCK_FILE), join(folder, SHRINKWRAP))
  const index = join(folder, git(['rev-parse', '--git-path', 'release.index']).trim())
  try {
    const env = { GIT_INDEX_FILE: index }
    git(['read-tree', 'HEAD'], env)
    git(['add', '--force', ...BUILT.filter((name) => existsSync(join(folder, name)))], env)
    const tree = git(['write-tree'], env).trim()
    return git(['commit-tree', tree, '-p', 'HEAD', '-m', `chore(release): build of ${version}`]).trim()
  } finally {
    rmSync(index, { force: true })
  }
}

async function signTag(plan: ReleasePlan, git: Git, commit: string): Promise<ReleaseFile> {
  const { folder, version, key, now } = plan
  const listing = git(['ls-tree', '-r', '-l', '-z', '--full-tree', commit])
  const entries = parseTree(listing, Number.MAX_SAFE_INTEGER)
  if ('unsafe' in entries) throw new Error(`the files cannot be released: ${entries.unsafe}`)
  const release: ReleaseFile = {
    version,
    commit,
    sha512: await digestTree(folder, entries),
    expires: new Date(now.getTime() + VALID_DAYS * 86_400_000).toISOString(),
    minNode: semver.minVersion(readPackage(folder).engines?.node ?? OLDEST_NODE)?.version ?? OLDEST_NODE,
    specVersion: SPEC_VERSION,
  }
  const message = `targon ${version}\n\n${JSON.stringify(release, null, 2)}\n`
  const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${key}`]
  git([...signing, 'tag', '--sign', '-m', message, tagOf(plan), commit])
  // git creates an unsigned tag and exits with 0 when ssh-keygen cannot read the key
  if (!git(['cat-file', 'tag', tagOf(plan)]).includes('\n-----BEGIN SSH SIGNATURE-----\n'))
    throw new Error(`the tag was not signed: ssh-keygen cannot use ${key}`)
  return release
}

function writeJson(path: string, value: object): void {
  writeFileSync(path, `${JSON.stringify(value, null, 2)}\n`)
}

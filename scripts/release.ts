import { execFileSync } from 'node:child_process'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import type { ReleaseFile } from '../src/autoupdate/index.js'
import { buildRelease, tagOf } from './release/build.js'
import { gitIn, type ReleasePlan } from './release/plan.js'
import { RELEASE_BRANCH, refusalsOf, SIGNERS_FILE } from './release/refusals.js'

/**
 * Makes a release: refuses what should not be released or would not install, commits version and changelog on main, makes
 * the release commit off main, signs its tag, and verifies the signature as an updater does.
 *
 *     npm run release -- 4.5.1 --key ~/.ssh/release_ed25519 [--note text] [--push]
 *
 * @throws Error with every refusal, one per line; nothing has been changed then.
 */
export async function makeRelease(plan: ReleasePlan): Promise<ReleaseFile> {
  const git = gitIn(plan.folder)
  const refusals = refusalsOf(plan, git)
  if (refusals.length > 0) throw new Error(refusals.join('\n'))
  const pinned = ['-c', 'gpg.format=ssh', '-c', `gpg.ssh.allowedSignersFile=${SIGNERS_FILE}`]
  return await buildRelease(plan, () => git([...pinned, 'verify-tag', tagOf(plan)]))
}

async function main(): Promise<void> {
  const { positionals, values } = parseArgs({
    allowPositionals: true,
    options: {
      key: { type: 'string' },
      note: { type: 'string' },
      push: { type: 'boolean', default: false },
    },
  })
  const [version] = positionals
  if (!version || !values.key) {
    console.error('Usage: npm run release -- X.Y.Z --key <SSH key> [--note <text>] [--push]')
    process.exitCode = 2
    return
  }
  const folder = process.cwd()
  const build = () => {
    execFileSync('npm', ['run', '--silent', 'prepare'], { cwd: folder, stdio: 'inherit' })
  }
  const plan = { folder, version, key: values.key, note: values.note, now: new Date(), build }
  console.log(JSON.stringify(await makeRelease(plan), null, 2))
  const push = ['push', '--atomic', 'origin', RELEASE_BRANCH, `refs/tags/${tagOf(plan)}`]
  if (values.push) execFileSync('git', push, { cwd: folder, stdio: 'inherit' })
  else console.error(`Check the release, then run: git ${push.join(' ')}`)
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main().catch((error: unknown) => {
    console.error(`Not released:\n${error instanceof Error ? error.message : error}`)
    process.exitCode = 1
  })
}

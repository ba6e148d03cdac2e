import { randomBytes } from 'node:crypto'
import { access, chmod, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf, syncFolder } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { runMirror } from './git.js'
import { COMPLETE_MARK, slotOf } from './layout.js'
import type { Refusal, VerifiedRelease } from './release.js'
import { runCommand } from './run-command.js'
import { digestTree, parseTree, type TreeEntry } from './tree-digest.js'

const MAX_TREE_BYTES = 200 << 20
const INSTALL_TIMEOUT_MS = 600_000
const SELF_TEST_TIMEOUT_MS = 60_000
const PARTIAL_SUFFIX = '.partial'

/**
 * Builds the slot of a verified release beside the running one: tree, dependencies from its own lock file without
 * scripts (R7), self-test (R8). The slot gets its name only when all of it is there.
 *
 * @returns undefined when the slot is complete, else why not. Whatever was built is wiped.
 */
export async function stageRelease(
  context: UpdateContext,
  verified: VerifiedRelease,
): Promise<Refusal | undefined> {
  const slot = slotOf(context.layout, verified.version)
  if (await isComplete(slot)) return undefined
  await sweepPartials(context)
  // a name of its own: a child of an updater that was killed may still write into the one before
  const partial = `${slot}-${randomBytes(6).toString('hex')}${PARTIAL_SUFFIX}`
  await mkdir(partial, { recursive: true, mode: 0o700 })
  try {
    const refusal =
      (await extractTree(context, verified, partial)) ??
      (await installDependencies(context, partial)) ??
      (await selfTest(context, verified, partial))
    if (refusal) return refusal
    await writeFile(join(partial, COMPLETE_MARK), `${verified.version}\n`, { flush: true })
    await rm(slot, { recursive: true, force: true })
    await rename(partial, slot)
    await syncFolder(context.layout.releases)
    return undefined
  } finally {
    await rm(partial, { recursive: true, force: true })
  }
}

export async function isComplete(slot: string): Promise<boolean> {
  return await access(join(slot, COMPLETE_MARK)).then(
    () => true,
    () => false,
  )
}

/** Removes what an updater that was killed left behind. Safe: the caller holds the update lock. */
async function sweepPartials(context: UpdateContext): Promise<void> {
  const names = await readdir(context.layout.releases).catch(() => [])
  const partials = names.filter(
    (name) => name.endsWith(PARTIAL_SUFFIX) || name.endsWith(`${PARTIAL_SUFFIX}.index`),
  )
  await Promise.all(
    partials.map((name) => rm(join(context.layout.releases, name), { recursive: true, force: true })),
  )
}

async function extractTree(
  context: UpdateContext,
  verified: VerifiedRelease,
  target: string,
): Promise<Refusal | undefined> {
  context.onProgress('unpacking the release')
  const listing = await runMirror(context, [
    'ls-tree',
    '-r',
    '-l',
    '-z',
    '--full-tree',
    verified.release.commit,
  ])
  const entries = parseTree(listing, MAX_TREE_BYTES)
  if ('unsafe' in entries)
    return { rule: 'unsafe-tree', detail: `${verified.tag} is refused: ${entries.unsafe}` }
  const index = `${target}.index`
  try {
    const env = { GIT_INDEX_FILE: index, GIT_WORK_TREE: target }
    await runMirror(context, ['read-tree', verified.release.commit], env)
    await runMirror(context, ['checkout-index', '--all', '--force', `--prefix=${target}/`], env)
  } finally {
    await rm(index, { force: true })
  }
  await Promise.all(
    entries.filter((entry) => entry.executable).map((entry) => chmod(join(target, entry.path), 0o755)),
  )
  const digest = await digestTree(target, entries)
  if (digest !== verified.release.sha512) {
    return { rule: 'contents', detail: `the files of ${verified.tag} do not have the signed digest` }
  }
  await syncFiles(target, entries)
  return undefined
}

async function syncFiles(folder: string, entries: readonly TreeEntry[]): Promise<void> {
  const folders = new Set([folder])
  for (const entry of entries) {
    const path = join(folder, entry.path)
    const file = await open(path, 'r')
    await file.sync().finally(() => file.close())
    folders.add(dirname(path))
  }
  for (const path of folders) await syncFolder(path)
}

async function installDependencies(context: UpdateContext, target: string): Promise<Refusal | undefined> {
  context.onProgress('installing its dependencies')
  try {
    await runCommand('npm', ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'], {
      label: 'npm ci',
      cwd: target,
      // a unit that protects the home folder leaves npm no cache there
      env: { npm_config_cache: join(context.layout.root, 'npm-cache'), ...context.env },
      timeoutMs: INSTALL_TIMEOUT_MS,
      signal: context.signal,
    })
    return undefined
  } catch (error) {
    context.signal.throwIfAborted()
    return { rule: 'install', detail: messageOf(error) }
  }
}

/** Runs the new release's own check: it loads every module and prints its version. No chain, no writes. */
async function selfTest(
  context: UpdateContext,
  verified: VerifiedRelease,
  target: string,
): Promise<Refusal | undefined> {
  context.onProgress('testing the new release')
  try {
    const { stdout } = await runCommand(
      context.nodePath,
      [join(target, 'bin', 'run.js'), 'update', '--self-test'],
      {
        label: 'the self-test',
        cwd: target,
        env: context.env,
        timeoutMs: SELF_TEST_TIMEOUT_MS,
        signal: context.signal,
      },
    )
    const said = stdout.trim().split('\n').at(-1)
    if (said === verified.version) return undefined
    return { rule: 'self-test', detail: `it calls itself ${said ?? '(nothing)'}, not ${verified.version}` }
  } catch (error) {
    context.signal.throwIfAborted()
    return { rule: 'self-test', detail: messageOf(error) }
  }
}

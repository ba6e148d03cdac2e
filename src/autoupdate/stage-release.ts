import { randomBytes } from 'node:crypto'
import { access, chmod, mkdir, open, readdir, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { messageOf, syncFolder } from '../kernel/index.js'
import type { UpdateContext } from './context.js'
import { runMirror } from './git.js'
import { COMPLETE_MARK, slotOf } from './layout.js'
import type { ReleaseRefusal, VerifiedRelease } from './release.js'
import { runCommand } from './run-command.js'
import { digestTree, parseTree, type TreeEntry } from './tree-digest.js'

const MAX_TREE_BYTES = 200 << 20
const INSTALL_TIMEOUT_MS = 600_000
const SELF_TEST_TIMEOUT_MS = 60_000
const PARTIAL_SUFFIX = '.partial'

/**
 * Builds the slot of a verified release next to the running one: files, dependencies from its lock file without install
 * scripts (R7), self-test (R8). The slot gets its final name only once it is complete.
 *
 * @returns undefined when the slot is complete, else the refusal; a partial slot is deleted.
 */
export async function stageRelease(
  context: UpdateContext,
  verified: VerifiedRelease,
): Promise<ReleaseRefusal | undefined> {
  const slot = slotOf(context.layout, verified.version)
  if (await isComplete(slot)) return undefined
  await sweepPartials(context)
  // a fresh name, because a child of a killed updater may still be writing into the previous one
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

/** Removes the partial slots a killed updater left behind; safe because the caller holds the update lock. */
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
): Promise<ReleaseRefusal | undefined> {
  context.onProgress('unpacking the release')
  const { commit, sha512 } = verified.release
  const listing = await runMirror(context, ['ls-tree', '-r', '-l', '-z', '--full-tree', commit])
  const entries = parseTree(listing, MAX_TREE_BYTES)
  if ('unsafe' in entries) return { rule: 'unsafe-tree', detail: `${verified.tag}: ${entries.unsafe}` }
  const index = `${target}.index`
  try {
    const env = { GIT_INDEX_FILE: index, GIT_WORK_TREE: target }
    await runMirror(context, ['read-tree', commit], env)
    await runMirror(context, ['checkout-index', '--all', '--force', `--prefix=${target}/`], env)
  } finally {
    await rm(index, { force: true })
  }
  await Promise.all(
    entries.filter((entry) => entry.executable).map((entry) => chmod(join(target, entry.path), 0o755)),
  )
  const digest = await digestTree(target, entries)
  if (digest !== sha512)
    return { rule: 'contents', detail: `the files of ${verified.tag} do not match the signed digest` }
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

async function installDependencies(
  context: UpdateContext,
  target: string,
): Promise<ReleaseRefusal | undefined> {
  context.onProgress('installing dependencies')
  try {
    await runCommand('npm', ['ci', '--ignore-scripts', '--omit=dev', '--no-audit', '--no-fund'], {
      label: 'npm ci',
      cwd: target,
      // npm cannot write its default cache under a systemd unit with ProtectHome
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

/** Runs the self-test of the new release, which loads every module and prints its version; no chain, no writes. */
async function selfTest(
  context: UpdateContext,
  verified: VerifiedRelease,
  target: string,
): Promise<ReleaseRefusal | undefined> {
  context.onProgress('testing the new release')
  try {
    const { stdout } = await runCommand(
      context.nodePath,
      [join(target, 'bin', 'run.js'), 'update', '--self-test'],
      {
        label: 'self-test',
        cwd: target,
        env: context.env,
        timeoutMs: SELF_TEST_TIMEOUT_MS,
        signal: context.signal,
      },
    )
    const printed = stdout.trim().split('\n').at(-1)
    if (printed === verified.version) return undefined
    return {
      rule: 'self-test',
      detail: `the self-test printed ${printed || 'nothing'} instead of ${verified.version}`,
    }
  } catch (error) {
    context.signal.throwIfAborted()
    return { rule: 'self-test', detail: messageOf(error) }
  }
}

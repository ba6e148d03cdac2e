import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  confirmRelease,
  currentRelease,
  layoutOf,
  readState,
  runUpdate,
  type UpdateContext,
} from '../../src/autoupdate/index.js'
import { verifyRelease } from '../../src/autoupdate/verify-release.js'
import { ReleaseRepository } from '../support/release-repository.js'
import { startTally } from './tally.js'

// F20: whatever is wrong with an update, the next start runs a complete, signed, committed version, and unsigned code never
// runs.
const repository = new ReleaseRepository()
const base = repository.context()
const fullDisk = join(repository.folder, 'full')
const canMount = tryMount()
/** Versions signed by the maintainer. Each fault has its own remote with 1.0.0 and the faulty release. */
const SIGNED = ['1.0.0', '2.0.5', '2.0.6', '2.0.8', '2.0.9', '2.1.0']

interface Fault {
  readonly name: string
  /** Refs pushed to the source in addition to v1.0.0. */
  readonly refs?: readonly string[]
  readonly changes?: (context: UpdateContext) => Partial<UpdateContext>
  /** Error code or violated rule; undefined if the update is applied. */
  readonly refusal: string | undefined
  /** Runs between update and start. */
  readonly after?: (context: UpdateContext) => Promise<void>
  /** Version that runs in the end; 1.0.0 by default. */
  readonly runs?: string
}

const FAULTS: readonly Fault[] = [
  { name: 'signed by an unpinned key', refs: ['v2.0.1'], refusal: 'signature' },
  { name: 'unsigned', refs: ['v2.0.2'], refusal: 'signature' },
  { name: 'an old tag under a new name', refs: ['v1.0.0:refs/tags/v2.0.3'], refusal: 'tag-name' },
  { name: 'files that differ from the signed ones', refs: ['v2.0.4'], refusal: 'contents' },
  { name: 'fails its self-test', refs: ['v2.0.5'], refusal: 'self-test' },
  { name: 'prints another version in its self-test', refs: ['v2.0.6'], refusal: 'self-test' },
  { name: 'cannot be installed', refs: ['v2.0.7'], refusal: 'install' },
  { name: 'crashes at start', refs: ['v2.0.8'], refusal: undefined },
  { name: 'hangs at start', refs: ['v2.0.9'], refusal: undefined, after: shortenProbation },
  { name: 'older than the running release', refs: ['v0.9.9'], refusal: 'none' },
  { name: 'unreachable source', changes: () => ({ url: '/nowhere.git' }), refusal: 'UPDATE_COMMAND_FAILED' },
  {
    name: 'endless source',
    refs: ['v2.1.0'],
    changes: () => ({ maxFetchBytes: 1 }),
    refusal: 'UPDATE_TOO_LARGE',
  },
  { name: 'slot damaged after the update', refs: ['v2.1.0'], refusal: undefined, after: damageSlot },
  { name: 'interrupted switch', refs: ['v2.1.0'], refusal: undefined, after: interruptSwitch, runs: '2.1.0' },
  { name: 'control: a good release', refs: ['v2.1.0'], refusal: undefined, runs: '2.1.0' },
]

beforeAll(async () => {
  await repository.release('0.9.9')
  await repository.release('1.0.0')
  await runUpdate(base, { dryRun: false })
  await confirmRelease(base.layout, '1.0.0')
  await repository.release('2.0.1', 'good', repository.strangerKey)
  repository.git('tag', '-a', '-m', 'no signature', 'v2.0.2')
  await repository.release('2.0.4')
  forgeContents('v2.0.4')
  await repository.release('2.0.5', 'bad-self-test')
  await repository.release('2.0.6', 'lies-about-version')
  const pkg = readFileSync(join(repository.work, 'package.json'), 'utf8')
  repository.write(
    'package.json',
    JSON.stringify({ ...JSON.parse(pkg), dependencies: { 'is-number': '7.0.0' } }),
  )
  await repository.release('2.0.7')
  repository.write('package.json', pkg)
  await repository.release('2.0.8', 'crash')
  await repository.release('2.0.9', 'hang')
  await repository.release('2.1.0')
})
afterAll(() => {
  if (canMount) execFileSync('umount', [fullDisk])
  rmSync(repository.folder, { recursive: true, force: true })
})

describe('an update with a fault ends on a complete, signed, committed version', () => {
  it.concurrent.for(FAULTS)('$name', async (fault, { task }) => {
    const tally = startTally(task, { fault: 'F20', kind: `updates: ${fault.name}`, full: 1 })
    const context = machine(fault.name, fault.refs ?? [])
    expect(await update({ ...context, ...fault.changes?.(context) })).toBe(fault.refusal)
    await fault.after?.(context)
    await expectRunning(context, fault.runs ?? '1.0.0')
    tally.count = 1
  })

  it.concurrent('two updaters at once', async ({ task }) => {
    const tally = startTally(task, { fault: 'F20', kind: 'updates: three updaters at once', full: 1 })
    const context = machine('two', ['v2.1.0'])
    const outcomes = await Promise.all([update(context), update(context), update(context)])
    expect(outcomes.sort()).toEqual(['UPDATE_RUNNING', 'UPDATE_RUNNING', undefined])
    await expectRunning(context, '2.1.0')
    tally.count = 1
  })

  it.concurrent('update.json damaged: the current release runs', async ({ task }) => {
    const tally = startTally(task, { fault: 'F20', kind: 'updates: update.json damaged', full: 1 })
    const context = machine('damaged', ['v2.1.0'])
    const good = readFileSync(context.layout.state)
    writeFileSync(context.layout.state, '{')
    expect(await update(context)).toBe('UPDATE_STATE_DAMAGED')
    await start(context, () => existsSync(join(context.layout.root, 'ran')))
    writeFileSync(context.layout.state, good)
    await expectRunning(context, '1.0.0')
    tally.count = 1
  })

  it.skipIf(!canMount)('full disk (skipped without the right to mount)', async ({ task }) => {
    const tally = startTally(task, { fault: 'F20', kind: 'updates: full disk', full: 1 })
    const context = machine('full', ['v2.1.0'], fullDisk)
    const pad = join(fullDisk, 'pad')
    fillUp(pad)
    expect(await update(context)).toMatch(/^(install|self-test|contents|UPDATE_COMMAND_FAILED|ENOSPC)$/)
    expect(readdirSync(context.layout.releases)).toEqual(['1.0.0'])
    rmSync(pad)
    await expectRunning(context, '1.0.0')
    tally.count = 1
  })
})

/** A machine on which 1.0.0 is committed, and a source with these refs. */
function machine(name: string, refs: readonly string[], parent = repository.folder): UpdateContext {
  const slug = name.replaceAll(/\W+/g, '-')
  const root = join(parent, `machine-${slug}`)
  cpSync(base.layout.root, root, { recursive: true, verbatimSymlinks: true })
  const remote = join(repository.folder, `${slug}.git`)
  execFileSync('git', ['init', '--quiet', '--bare', remote])
  const specs = ['v1.0.0', ...refs].map((ref) => (ref.includes(':') ? ref : `refs/tags/${ref}`))
  repository.git('push', '--quiet', remote, ...specs)
  return { ...base, layout: layoutOf(root), url: remote }
}

/** @returns undefined when applied, else the violated rule or the error code. */
async function update(context: UpdateContext): Promise<string | undefined> {
  try {
    const { kind } = await runUpdate(context, { dryRun: false })
    return kind === 'applied' ? undefined : kind
  } catch (error) {
    const { code, facts } = error as { code: string; facts?: { rule?: string } }
    return facts?.rule ?? code
  }
}

async function expectRunning(context: UpdateContext, version: string): Promise<void> {
  const { layout } = context
  const mark = join(layout.root, 'ran')
  rmSync(mark, { force: true })
  await start(context, async () => {
    const state = await readState(layout)
    return state.state === 'committed' && existsSync(mark) && readFileSync(mark, 'utf8') === version
  })
  expect(await currentRelease(layout)).toBe(version)
  expect(existsSync(join(layout.releases, version, 'COMPLETE'))).toBe(true)
  expect((await readState(layout)).committed).toContain(version)
  // an oversized download deletes the mirror; the mirror of the base machine has the tag as well
  const mirror = existsSync(layout.repository) ? layout : base.layout
  expect(await verifyRelease({ ...context, layout: mirror }, `v${version}`)).toMatchObject({ version })
  const executed = readFileSync(join(layout.root, 'executed'), 'utf8').trim().split('\n')
  expect(executed.filter((one) => !SIGNED.includes(one))).toEqual([])
}

/** Runs the launcher until the condition holds. */
async function start(context: UpdateContext, isMet: () => boolean | Promise<boolean>): Promise<void> {
  const child: ChildProcess = spawn(process.execPath, [context.layout.launcher, 'validator', 'start'], {
    stdio: 'ignore',
    env: { ...process.env, TARGON_TEST_PAUSE_MS: '5' },
  })
  const exited = once(child, 'exit')
  while (!(await isMet())) {
    if (child.exitCode !== null) throw new Error(`the launcher ended with ${child.exitCode}`)
    await context.clock.sleep(20)
  }
  child.kill('SIGTERM')
  await exited
}

async function shortenProbation({ layout }: UpdateContext): Promise<void> {
  const state = await readState(layout)
  writeFileSync(layout.state, JSON.stringify({ ...state, deadline: Date.now() + 800 }))
}

async function damageSlot({ layout }: UpdateContext): Promise<void> {
  rmSync(join(layout.releases, '2.1.0', 'COMPLETE'))
}

/** As if killed between writing the state and moving the link. */
async function interruptSwitch({ layout }: UpdateContext): Promise<void> {
  execFileSync('ln', ['-sfn', 'releases/1.0.0', layout.current])
}

/** Signs a tag again with a wrong digest. */
function forgeContents(tag: string): void {
  const signed = repository.git('cat-file', 'tag', tag)
  const release = JSON.parse(/\{[\s\S]*?\n\}/.exec(signed)?.[0] ?? '{}') as object
  const message = JSON.stringify({ ...release, sha512: 'a'.repeat(128) }, null, 2)
  const signing = ['-c', 'gpg.format=ssh', '-c', `user.signingkey=${repository.maintainerKey}`]
  repository.git(...signing, 'tag', '-f', '-s', '-m', message, tag, `${tag}^{commit}`)
}

/** Mounts a file system of two megabytes, if allowed. */
function tryMount(): boolean {
  try {
    mkdirSync(fullDisk, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', fullDisk], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

/** Fills the file system. */
function fillUp(path: string): void {
  expect(() => writeFileSync(path, Buffer.alloc(4 << 20))).toThrow('ENOSPC')
}

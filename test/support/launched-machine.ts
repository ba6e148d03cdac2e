import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  applyUpdate,
  findOffer,
  layoutOf,
  readState,
  type UpdateContext,
  type UpdateState,
} from '../../src/autoupdate/index.js'
import { launcherPath } from './install-release.js'
import { type Behaviour, ReleaseRepository } from './release-repository.js'

const running: ChildProcess[] = []

/** Ends what a test left running; a program of a release ends with its launcher. */
export function killLaunched(): void {
  for (const child of running.splice(0)) child.kill('SIGKILL')
}

export interface Launched {
  readonly exit: Promise<number | null>
  stop(): void
}

/**
 * @param pauseMs unit of the pauses between the starts of a release on probation; one second in production
 * @param probationMs probation time; 15 minutes in production
 * @param prefix a command that runs the launcher
 */
export function launch(
  context: UpdateContext,
  pauseMs = 5,
  probationMs?: number,
  prefix: readonly string[] = [],
): Launched {
  const command = [...prefix, process.execPath, context.layout.launcher, 'validator', 'start']
  const child = spawn(command[0] ?? '', command.slice(1), {
    stdio: 'ignore',
    env: {
      ...process.env,
      TARGON_TEST_PAUSE_MS: String(pauseMs),
      ...(probationMs === undefined ? {} : { TARGON_TEST_TRIAL_MS: String(probationMs) }),
    },
  })
  running.push(child)
  return {
    exit: once(child, 'exit').then(([code]) => code as number | null),
    stop: () => void child.kill('SIGTERM'),
  }
}

/** Machines are built once and copied, because building releases takes most of the time. */
const prepared = new Map<string, Promise<UpdateContext>>()

export async function copyOf(key: string, make: () => Promise<UpdateContext>): Promise<UpdateContext> {
  const made = prepared.get(key) ?? make()
  prepared.set(key, made)
  const context = await made
  const root = mkdtempSync(`${context.layout.root}-copy-`)
  cpSync(context.layout.root, root, { recursive: true, verbatimSymlinks: true })
  return { ...context, layout: layoutOf(root) }
}

/** A machine with these releases: the last one on probation, good ones before it committed. */
export function machineWith(...releases: [string, Behaviour][]): Promise<UpdateContext> {
  return copyOf(JSON.stringify(releases), () => makeMachine(...releases))
}

interface Machine {
  readonly repository: ReleaseRepository
  readonly context: UpdateContext
}

/** Machines that several others begin with, by their releases. */
const proven = new Map<string, Promise<Machine>>()

async function makeMachine(...releases: [string, Behaviour][]): Promise<UpdateContext> {
  const last = releases.at(-1)
  const before = await provenMachine(releases.slice(0, -1))
  if (last) await extend(before, last)
  return before.context
}

/** @returns a copy of its own, on which each good release was healthy */
async function provenMachine(releases: [string, Behaviour][]): Promise<Machine> {
  const key = JSON.stringify(releases)
  const made = proven.get(key) ?? prepare(releases)
  proven.set(key, made)
  const { repository, context } = await made
  const copy = new ReleaseRepository(repository.folder)
  const { layout } = await copyOf(`proven ${key}`, async () => context)
  return { repository: copy, context: { ...context, layout, url: copy.remote } }
}

async function prepare(releases: [string, Behaviour][]): Promise<Machine> {
  const repository = new ReleaseRepository()
  const machine = { repository, context: repository.context() }
  for (const release of releases) {
    await extend(machine, release)
    if (release[1] === 'good') await prove(machine.context, release[0])
  }
  return machine
}

/** Releases a version and puts it on probation. */
async function extend({ repository, context }: Machine, [version, behaviour]: [string, Behaviour]) {
  await repository.release(version, behaviour)
  const offer = await findOffer(context)
  if (offer.kind !== 'available') throw new Error(`no offer of ${version}`)
  await applyUpdate(context, offer.verified, launcherPath)
}

/** Runs the launcher until a version is committed. */
async function prove(context: UpdateContext, version: string): Promise<void> {
  const launched = launch(context)
  await until(context, (state) => state.state === 'committed' && state.committed.includes(version))
  launched.stop()
  await launched.exit
}

export async function until(
  context: UpdateContext,
  holds: (state: UpdateState) => boolean,
): Promise<UpdateState> {
  for (;;) {
    const state = await readState(context.layout)
    if (holds(state)) return state
    await context.clock.sleep(25)
  }
}

/** The version started last. */
export const ran = (context: UpdateContext) => readFileSync(join(context.layout.root, 'ran'), 'utf8')

/** Waits until a version has been started since `forget`. */
export async function untilRan(context: UpdateContext, version: string): Promise<void> {
  while (!existsSync(join(context.layout.root, 'ran')) || ran(context) !== version)
    await context.clock.sleep(25)
}

/** Versions that exited by themselves or on SIGTERM, in order; killed ones are missing. */
export const endedWell = (context: UpdateContext) =>
  readFileSync(join(context.layout.root, 'ended-well'), 'utf8').trim().split('\n')

export const forget = (context: UpdateContext) => rmSync(join(context.layout.root, 'ran'), { force: true })

/** Number of starts of a version so far, including its self-test. */
export function startsOf(context: UpdateContext, version: string): number {
  const executed = readFileSync(join(context.layout.root, 'executed'), 'utf8').trim().split('\n')
  return executed.filter((one) => one === version).length
}

import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { compileScripts } from '../../test/support/compiled.js'

/** A process being measured. */
export interface Subject {
  readonly name: string
  readonly pid: number
  readonly port: number
  /** CPU seconds used so far, children included. */
  cpuSeconds(): number
  /** Resident memory in megabytes. */
  rssMegabytes(): number
  /** Resolves when the process has ended. */
  stop(): Promise<void>
}

/**
 * The measured process has its own core; load and upstream share another. Otherwise the load, the same for all, would take
 * most from the process that works most. Additional threads get the remaining cores.
 */
const LOAD_CORE = '0'
export const SUBJECT_CORE = '1'
const SUBJECT_CORES = `1-${Math.max(1, availableParallelism() - 1)}`

/** For subjects with several processes; on two cores they share one with the load. */
const ALL_CORES = `0-${availableParallelism() - 1}`

/** Whether processes can be pinned to a core, as they were when the goals were set. */
const isPinned =
  availableParallelism() > 1 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0

function pin(pid: number | undefined, cores: string): void {
  if (isPinned) spawnSync('taskset', ['-a', '-p', '-c', cores, String(pid)], { stdio: 'ignore' })
}

/** Starts a program on the core of the measured process. @param variables in addition to those of this process */
export function spawnSubject(
  program: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): ChildProcess {
  const [command, all] = isPinned ? ['taskset', ['-c', SUBJECT_CORE, program, ...args]] : [program, [...args]]
  return spawn(command, all, { stdio: 'ignore', env: { ...process.env, ...variables } })
}

const scripts = {
  hub: '../hub/hub.ts',
  load: './load.ts',
  miner: './miner.ts',
  'pass-through': './pass-through.ts',
  miners: '../validator/miners.ts',
  'soak-load': '../soak/load-process.ts',
  'soak-miner': '../soak/miner-process.ts',
  'soak-upstream': '../soak/upstream-process.ts',
  'soak-validator': '../soak/validator-process.ts',
  upstream: './upstream.ts',
  validator: '../validator/validator.ts',
  verifier: './verifier.ts',
} as const
type Script = keyof typeof scripts
const names = Object.keys(scripts) as Script[]

/** What roles set for themselves when the command line starts them: see `src/cli/heap-growth.ts`. */
const NODE_FLAGS: Partial<Record<Script, readonly string[]>> = {
  validator: ['--heap-growing-percent=40'],
  'soak-validator': ['--heap-growing-percent=40'],
}

let compiled: Promise<string[]> | undefined

/** Runs a compiled script, so that no TypeScript loader takes up memory. */
export async function forkScript(
  name: Script,
  args: string[] = [],
  cores = LOAD_CORE,
  execArgv: string[] = [],
): Promise<ChildProcess> {
  compiled ??= compileScripts(...names.map((script) => new URL(scripts[script], import.meta.url)))
  const file = (await compiled)[names.indexOf(name)] ?? ''
  const child = fork(file, args, {
    execArgv: [...(NODE_FLAGS[name] ?? []), ...execArgv],
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  pin(child.pid, cores)
  return child
}

export function messageFrom<T>(child: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const onExit = () => reject(new Error('the process exited early'))
    child.once('exit', onExit)
    child.once('message', (message) => {
      child.off('exit', onExit)
      resolve(message as T)
    })
  })
}

/** @param threads signature threads in addition to the main thread; `everywhere` for processes that use every core */
export async function forkSubject(
  name: string,
  script: Script,
  args: string[],
  threads: number | 'everywhere' = 0,
): Promise<Subject> {
  const own = threads === 'everywhere' ? ALL_CORES : threads > 0 ? SUBJECT_CORES : SUBJECT_CORE
  const cores = script === 'upstream' ? LOAD_CORE : own
  const child = await forkScript(script, args, cores)
  const { port } = await messageFrom<{ port: number }>(child)
  return { name, port, ...meter(child.pid ?? 0), stop: () => endProcess(child, 'SIGKILL') }
}

/** What a process needs to end by itself. */
const END_MS = 10_000

/** Resolves when the process has ended; it is killed if it takes longer than ten seconds. */
export async function endProcess(child: ChildProcess, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill(signal)
  const late = setTimeout(() => child.kill('SIGKILL'), END_MS)
  await ended
  clearTimeout(late)
}

const TICKS_PER_SECOND = 100

/** The resources a process and its children use. */
export function meter(pid: number): Pick<Subject, 'pid' | 'cpuSeconds' | 'rssMegabytes'> {
  const processes = () => [pid, ...childrenOf(pid)]
  return {
    pid,
    cpuSeconds: () => {
      const ticks = processes().map((one) => {
        const fields = readFileSync(`/proc/${one}/stat`, 'utf8').split(') ')[1]?.split(' ') ?? []
        return Number(fields[11]) + Number(fields[12])
      })
      return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND
    },
    rssMegabytes: () => {
      const kilobytes = processes().map((one) =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))?.[1] ?? 0),
      )
      return kilobytes.reduce((sum, one) => sum + one, 0) / 1024
    },
  }
}

function childrenOf(pid: number): number[] {
  return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
    readFileSync(`/proc/${pid}/task/${task}/children`, 'utf8').split(' ').filter(Boolean).map(Number),
  )
}

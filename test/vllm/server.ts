import { type ChildProcess, spawn } from 'node:child_process'
import { appendFileSync, existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { systemClock } from '../../src/kernel/clock.js'
import { freePort } from '../support/free-port.js'
import { prepareOldVllm, type VllmEnvironment } from './environment.js'

export const MODEL = 'Test/tiny-llama'

export type Weights = 'honest' | 'int4' | 'int8' | 'pruned'

export type Runner = 'v0' | 'v1' | 'v2'

export interface VllmOptions {
  readonly weights: Weights
  /** V0 is that of an old vLLM. V1 samples with torch's generator; V2 with noise that is a function of seed, position and token, by Triton's interpreter. */
  readonly runner: Runner
  readonly flags?: readonly string[]
}

export interface VllmServer {
  readonly url: string
  hasEnded(): boolean
  close(): Promise<void>
}

const START_MS = 900_000
const LOG_TAIL = 4000
const interpreter = fileURLToPath(new URL('./python/interpreter', import.meta.url))

/** One niced vLLM with one thread, ready when this resolves. Its log is in the folder `logs` of the cache. */
export async function startVllm(environment: VllmEnvironment, options: VllmOptions): Promise<VllmServer> {
  const port = await freePort()
  const { python, model, variables } = await launchOf(environment, options)
  if (!existsSync(model)) throw new Error(`The model ${model} does not exist.`)
  // Prompts must not be prefilled in parts: the sampler of a seeded request on a CPU cannot continue (vLLM 0.32).
  const args = [
    ...['-n', '5', python, '-m', 'vllm.entrypoints.openai.api_server'],
    ...['--model', model, '--served-model-name', MODEL, '--host', '127.0.0.1', '--port', String(port)],
    ...['--return-tokens-as-token-ids', '--max-model-len', '4096', '--max-num-seqs', '8', '--enforce-eager'],
    ...['--max-num-batched-tokens', '32768', '--no-enable-prefix-caching', ...(options.flags ?? [])],
  ]
  const child = spawn('nice', args, {
    env: variables,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const logs = join(environment.cache, 'logs')
  mkdirSync(logs, { recursive: true })
  const logFile = join(logs, `${options.runner}-${options.weights}-${port}.log`)
  const tail = followLog(child, logFile)
  const url = `http://127.0.0.1:${port}`
  const close = () => stop(child)
  const deadline = systemClock.monotonic() + START_MS
  while (!(await isHealthy(url))) {
    if (child.exitCode !== null || systemClock.monotonic() > deadline) {
      await close()
      throw new Error(`vLLM did not start:\n${tail.text()}`)
    }
    await systemClock.sleep(1000)
  }
  if (options.runner === 'v2' && !tail.hasSeen('V2 Model Runner')) {
    await close()
    throw new Error(`vLLM does not use its V2 runner:\n${tail.text()}`)
  }
  return { url, hasEnded: () => child.exitCode !== null || child.signalCode !== null, close }
}

async function launchOf(environment: VllmEnvironment, { runner, weights }: VllmOptions) {
  const variables: NodeJS.ProcessEnv = {
    PATH: process.env.PATH,
    HOME: process.env.HOME,
    VLLM_CPU_KVCACHE_SPACE: '1',
    VLLM_CPU_OMP_THREADS_BIND: 'nobind',
    OMP_NUM_THREADS: '1',
    OMP_WAIT_POLICY: 'passive',
    VLLM_NO_USAGE_STATS: '1',
    VLLM_DO_NOT_TRACK: '1',
    HF_HUB_OFFLINE: '1',
    TRANSFORMERS_OFFLINE: '1',
    VLLM_USE_V2_MODEL_RUNNER: runner === 'v2' ? '1' : '0',
  }
  if (runner === 'v2')
    Object.assign(variables, { TRITON_INTERPRET: '1', CUDA_VISIBLE_DEVICES: '', PYTHONPATH: interpreter })
  if (runner !== 'v0')
    return { python: environment.python, model: join(environment.models, weights), variables }
  const old = await prepareOldVllm(environment)
  if (typeof old === 'string') throw new Error(old)
  // This version knows no `nobind`.
  Object.assign(variables, { VLLM_USE_V1: '0', VLLM_CPU_OMP_THREADS_BIND: 'all' })
  if (old.preload) variables.LD_PRELOAD = old.preload
  return { python: old.python, model: old.model, variables }
}

function followLog(child: ChildProcess, logFile: string) {
  let text = ''
  const seen = new Set<string>()
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-LOG_TAIL)
    appendFileSync(logFile, chunk)
    if (text.includes('V2 Model Runner')) seen.add('V2 Model Runner')
  }
  child.stdout?.on('data', add)
  child.stderr?.on('data', add)
  return { text: () => text, hasSeen: (line: string) => seen.has(line) }
}

async function isHealthy(url: string): Promise<boolean> {
  try {
    const { statusCode, body } = await request(`${url}/health`, { signal: AbortSignal.timeout(5000) })
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  }
}

/** The server and the processes it has started; they share a group of their own. */
async function stop(child: ChildProcess): Promise<void> {
  const { pid } = child
  if (pid === undefined) return
  const ended = new Promise<void>((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) resolve()
    else child.once('exit', () => resolve())
  })
  signal(pid, 'SIGTERM')
  await Promise.race([ended, systemClock.sleep(10_000)])
  signal(pid, 'SIGKILL')
  await ended
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name)
  } catch {
    // The group has ended.
  }
}

import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { request } from 'undici'
import { systemClock } from '../../src/kernel/clock.js'
import { freePort } from '../support/free-port.js'
import type { VllmEnvironment } from './environment.js'

export const MODEL = 'Test/tiny-llama'

export type Weights = 'honest' | 'int4' | 'int8' | 'pruned'

export interface VllmOptions {
  readonly weights: Weights
  /** V1 samples with torch's generator; V2 with noise that is a function of seed, position and token, by Triton's interpreter. */
  readonly runner: 'v1' | 'v2'
  readonly flags?: readonly string[]
}

export interface VllmServer {
  readonly url: string
  close(): Promise<void>
}

const START_MS = 900_000
const LOG_TAIL = 4000
const interpreter = fileURLToPath(new URL('./python/interpreter', import.meta.url))

/** One niced vLLM with one thread, ready when this resolves. */
export async function startVllm(environment: VllmEnvironment, options: VllmOptions): Promise<VllmServer> {
  const port = await freePort()
  const folder = join(environment.models, options.weights)
  if (!existsSync(folder)) throw new Error(`The model ${folder} does not exist.`)
  // Prompts must not be prefilled in parts: the sampler of a seeded request on a CPU cannot continue (vLLM 0.32).
  const args = [
    ...['-n', '5', environment.python, '-m', 'vllm.entrypoints.openai.api_server'],
    ...['--model', folder, '--served-model-name', MODEL, '--host', '127.0.0.1', '--port', String(port)],
    ...['--return-tokens-as-token-ids', '--max-model-len', '4096', '--max-num-seqs', '8', '--enforce-eager'],
    ...['--max-num-batched-tokens', '32768', '--no-enable-prefix-caching', ...(options.flags ?? [])],
  ]
  const child = spawn('nice', args, {
    env: variables(options.runner),
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const tail = followLog(child)
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
  return { url, close }
}

function variables(runner: 'v1' | 'v2'): NodeJS.ProcessEnv {
  const v2 = { TRITON_INTERPRET: '1', CUDA_VISIBLE_DEVICES: '', PYTHONPATH: interpreter }
  return {
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
    ...(runner === 'v2' ? v2 : {}),
  }
}

function followLog(child: ChildProcess) {
  let text = ''
  const seen = new Set<string>()
  const add = (chunk: Buffer) => {
    text = (text + chunk.toString()).slice(-LOG_TAIL)
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

import { fork } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { inject } from 'vitest'
import type { MinerSettings } from '../../src/config/index.js'
import type { Signed } from './signed-post.js'

export { type Signed, signedPost } from './signed-post.js'

/** A miner process under attack. */
export interface Victim {
  readonly port: number
  readonly pid: number
  /** The lines it has logged. */
  readonly log: string[]
  /** Unhandled errors. */
  readonly crashes: string[]
  readonly exit: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  isAlive(): boolean
  rssMegabytes(): number
  /** Memory usage as reported by the process; for the kind `miner` only. */
  memory(): Promise<NodeJS.MemoryUsage>
  kill(signal: NodeJS.Signals): void
}

export type VictimKind = 'miner' | 'naive'

interface Message {
  readonly kind: 'ready' | 'crash' | 'memory'
  readonly memory?: NodeJS.MemoryUsage
  readonly port?: number
  readonly text?: string
}

export async function startVictim(
  kind: VictimKind,
  settings: Partial<MinerSettings>,
  env: Record<string, string> = {},
): Promise<Victim> {
  const child = fork(inject('scripts')[kind], [JSON.stringify(settings)], {
    execArgv: [],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: { ...process.env, ...env },
  })
  const log: string[] = []
  const crashes: string[] = []
  let rest = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    log.push(...lines)
  })
  const ready = new Promise<number>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if (message.kind === 'ready') resolve(message.port ?? 0)
      else if (message.kind === 'crash') crashes.push(message.text ?? '')
    })
    child.once('exit', () => reject(new Error(`${kind} did not start: ${log.slice(-5).join('\n')}`)))
  })
  const exit = once(child, 'exit').then(([code, signal]) => ({ code, signal }))
  const port = await ready
  const pid = child.pid ?? 0
  return {
    port,
    pid,
    log,
    crashes,
    exit,
    isAlive: () => child.exitCode === null && child.signalCode === null,
    rssMegabytes: () =>
      Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024,
    memory: async () => {
      const answer = new Promise<NodeJS.MemoryUsage>((resolve) => {
        const take = ({ memory }: Message) => {
          if (memory === undefined) return
          child.off('message', take)
          resolve(memory)
        }
        child.on('message', take)
      })
      child.send('memory')
      return await answer
    },
    kill: (signal) => void child.kill(signal),
  }
}

/**
 * Sends bytes on a new connection, closes our side, and returns the response statuses. Closing our side makes the server
 * abort requests it is still answering, so this suits requests that are rejected.
 */
export async function sendRaw(port: number, bytes: string | Buffer): Promise<number[]> {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part
  })
  socket.on('error', () => {})
  socket.end(bytes)
  await closed(socket)
  return statusesOf(text)
}

/** Sends requests on one connection and waits for all responses, as an honest caller does. */
export async function askRaw(port: number, requests: readonly Signed[]): Promise<number[]> {
  const socket = connect(port, '127.0.0.1')
  let text = ''
  socket.setEncoding('latin1').on('data', (part: string) => {
    text += part
  })
  socket.on('error', () => {})
  const last = requests.length - 1
  const bytes = requests.map(({ head, body }, index) => {
    const way = index === last ? 'close' : 'keep-alive'
    return head.replace(/\r\n\r\n$/, `\r\nconnection: ${way}\r\n\r\n`) + body
  })
  socket.write(bytes.join(''))
  await closed(socket)
  return statusesOf(text)
}

export function statusesOf(text: string): number[] {
  return [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1]))
}

export function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve()
    else socket.once('close', () => resolve())
  })
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
}

/** Runs `work` for 0 … count−1, `width` at a time. */
export async function inParallel(
  count: number,
  width: number,
  work: (index: number) => Promise<void>,
): Promise<void> {
  let next = 0
  const lane = async () => {
    for (let index = next++; index < count; index = next++) await work(index)
  }
  await Promise.all(Array.from({ length: Math.min(width, count) }, lane))
}

export const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

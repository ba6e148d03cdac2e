import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { compiledUrl } from '../support/compiled-program.js'
import { onFrozenTerminal } from '../support/frozen-terminal.js'

const script = fileURLToPath(compiledUrl(new URL('./logging-process.ts', import.meta.url)))
const node = [process.execPath, script]
/** Far beyond what a pipe, a socket or a terminal holds. */
const MANY_LINES = 3000

let folder: string
const started: ChildProcess[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'unread-log-'))
})
afterEach(async () => {
  for (const child of started.splice(0)) child.kill('SIGKILL')
  await rm(folder, { recursive: true, force: true })
})

function start(command: readonly string[], stderr: 'pipe' | number = 'pipe') {
  const child = spawn(command[0] ?? '', command.slice(1), {
    stdio: ['ignore', 'pipe', stderr],
  })
  started.push(child)
  const ended = new Promise<number | string | null>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? signal))
  })
  const url = new Promise<string>((resolve) => {
    child.stdout?.once('data', (text: Buffer) => resolve(String(text).trim()))
  })
  return { child, ended, url }
}

/** A first-in-first-out pipe: what a shell, a container runtime or a process manager gives its children. */
function makePipe(path: string) {
  spawnSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  const writer = openSync(path, constants.O_WRONLY)
  return { reader, writer }
}

async function get(url: string, path: string): Promise<string> {
  const response = await fetch(new URL(path, url), { signal: AbortSignal.timeout(3000) })
  return await response.text()
}

async function untilLogged(url: string, lines: number): Promise<{ logged: number; pid: number }> {
  for (;;) {
    const status = JSON.parse(await get(url, '/status')) as { logged: number; pid: number }
    if (status.logged >= lines) return status
    await sleep(20)
  }
}

interface LogLine {
  readonly event: string
  readonly index?: number
  readonly lines?: number
}

async function readAll(stream: Readable): Promise<LogLine[]> {
  let text = ''
  for await (const chunk of stream) text += String(chunk)
  return parse(text)
}

function readLog(path: string): LogLine[] {
  return parse(readFileSync(path, 'utf8'))
}

function parse(text: string): LogLine[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as LogLine)
}

async function droppedLines(url: string): Promise<number> {
  return Number(/^targon_log_lines_dropped_total (\d+)/m.exec(await get(url, '/metrics'))?.[1])
}

const stateFolder = () => join(folder, 'w', 'h', 'netuid4', 'miner')

/** Lines that arrived and lines reported lost, checking that those that arrived are in order. */
function account(lines: readonly LogLine[]) {
  const indexes = lines.flatMap(({ index }) => (index === undefined ? [] : [index]))
  expect(indexes).toEqual([...indexes].sort((a, b) => a - b))
  const reports = lines.filter(({ event }) => event === 'log-lines-dropped')
  return { indexes, reports, lost: reports.reduce((sum, { lines: count = 0 }) => sum + count, 0) }
}

describe('a log whose reader stands still', () => {
  type Outlet = [name: string, begin: (command: readonly string[]) => ReturnType<typeof start>]
  const terminal: Outlet = ['terminal', (command) => start([...(onFrozenTerminal ?? []), ...command])]
  const outlets: Outlet[] = [
    ['socket', (command) => start(command)],
    ['pipe', (command) => start(command, makePipe(join(folder, 'pipe')).writer)],
    ...(onFrozenTerminal ? [terminal] : []),
  ]
  it.each(outlets)('%s: the node answers its probes and drains on SIGTERM', async (_, begin) => {
    const { ended, url } = begin([...node, folder, '200', '0', 'go on', '--file'])
    const { pid } = await untilLogged(await url, MANY_LINES)
    expect(await get(await url, '/livez')).toContain('true')
    const at = performance.now()
    process.kill(pid, 'SIGTERM')
    expect(await ended).toBe(0)
    expect(performance.now() - at).toBeLessThan(8000)
    const { indexes, lost } = account(readLog(join(stateFolder(), 'miner.log')))
    expect({ lost, gaps: indexes.length - (indexes.at(-1) ?? 0) - 1 }).toEqual({ lost: 0, gaps: 0 })
    expect(indexes.length).toBeGreaterThanOrEqual(MANY_LINES)
  })

  it('a named pipe in place of the log file does not stop the node either', async () => {
    mkdirSync(stateFolder(), { recursive: true })
    makePipe(join(stateFolder(), 'miner.log'))
    const { child, ended, url } = start([...node, folder, '200', '0', 'go on', '--file'])
    child.stderr?.resume()
    const { pid } = await untilLogged(await url, MANY_LINES)
    process.kill(pid, 'SIGTERM')
    expect(await ended).toBe(0)
  })

  it('a reader that comes back gets the newest lines in order and one line for each gap', async () => {
    const { reader, writer } = makePipe(join(folder, 'pipe'))
    const { ended, url } = start([...node, folder, '4000'], writer)
    closeSync(writer)
    const { pid } = await untilLogged(await url, MANY_LINES)
    const before = await droppedLines(await url)
    expect(before).toBeGreaterThan(0)
    const read = readAll(new Socket({ fd: reader, writable: false }))
    await untilLogged(await url, 2 * MANY_LINES)
    process.kill(pid, 'SIGTERM')
    const lines = await read
    expect(await ended).toBe(0)
    const { indexes, reports, lost } = account(lines)
    expect(reports[0]).toMatchObject({ level: 'warn', role: 'miner', hotkey: '5Hotkey' })
    expect(lost).toBeGreaterThanOrEqual(before)
    expect((indexes.at(-1) ?? 0) + 1).toBe(indexes.length + lost)
    expect(lines.at(-1)?.event).toBe('stopped')
  })
})

describe('the last lines of a process', () => {
  it('reach a reader that is slow', async () => {
    const { reader, writer } = makePipe(join(folder, 'pipe'))
    const { child, ended } = start([...node, folder, '1000', '1000', 'crash'], writer)
    closeSync(writer)
    const read = new Promise<LogLine[]>((resolve) => {
      child.stdout?.on('data', (text: Buffer) => {
        if (String(text).includes('failed')) resolve(readAll(new Socket({ fd: reader, writable: false })))
      })
    })
    const lines = await read
    expect(await ended).toBe(1)
    expect(account(lines)).toMatchObject({ lost: 0, indexes: { length: 1000 } })
    expect(lines.map(({ event }) => event)).toContain('uncaught-error')
  })

  it('reach a file', async () => {
    const path = join(folder, 'stderr')
    const { ended } = start([...node, folder, '1000', '1000', 'crash'], openSync(path, 'w'))
    expect(await ended).toBe(1)
    const lines = readLog(path)
    expect(account(lines)).toMatchObject({ lost: 0, indexes: { length: 1000 } })
    expect(lines.map(({ event }) => event)).toContain('uncaught-error')
  })
})

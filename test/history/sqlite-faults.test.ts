import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'drizzle-orm'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type History, openDatabase, openHistory } from '../../src/history/index.js'
import { systemClock } from '../../src/kernel/clock.js'
import { row } from './history-suite.js'

let folder: string
let file: string
let lines: Record<string, unknown>[]
let stops: (() => Promise<void>)[]
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'targon-sqlite-'))
  file = join(folder, 'history.sqlite')
  lines = []
  stops = []
})
afterEach(async () => {
  for (const stop of stops) await stop()
  await rm(folder, { recursive: true, force: true })
})

function open(place = file): { history: History; close: () => Promise<void> } {
  const abort = new AbortController()
  const history = openHistory({
    place: { file: place },
    // the pauses of one and of ten seconds become 20 ms
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms <= 10_000 ? 20 : ms, signal) },
    log: pino({ level: 'info' }, { write: (line) => void lines.push(JSON.parse(line)) }),
    retentionMs: 1e13,
    signal: abort.signal,
  })
  const close = () => {
    abort.abort()
    return history.close()
  }
  stops.push(close)
  return { history, close }
}

const until = (count: number) => Array.from({ length: count }, (_, index) => index)

async function record(
  history: History,
  rounds: readonly number[],
  detail: string | null = null,
): Promise<void> {
  for (const round of rounds) history.record(row(round, { detail }))
  await expect.poll(() => history.spooled(), { interval: 20 }).toBe(0)
}

async function roundsIn(place: string): Promise<number[]> {
  const database = await openDatabase({ file: place }, { isReadOnly: true })
  try {
    const rows = await database.all<{ round: number }>(sql`select round from results order by round`)
    return rows.map(({ round }) => round)
  } finally {
    await database.close()
  }
}

const logged = (event: string) => lines.filter((line) => line.event === event)

describe('a damaged file', () => {
  test('that is no database is set aside with its data, and a new one is created', async () => {
    const content = 'not a database '.repeat(1000)
    await writeFile(file, content)
    const { history } = open()
    await record(history, until(3))
    await expect.poll(() => history.trouble()).toBeUndefined()
    const [line] = logged('history-set-aside')
    const movedTo = String(line?.movedTo)
    expect(movedTo).toMatch(/history\.sqlite\.damaged-\d{8}T\d{6}Z$/)
    expect(line?.next).toContain(movedTo)
    expect(await readFile(movedTo, 'utf8')).toBe(content)
    expect(await roundsIn(file)).toEqual(until(3))
  })

  test('that is damaged inside is set aside when that shows, and no row is lost', async () => {
    const first = open()
    await record(first.history, until(2000))
    await first.close()
    const bytes = await readFile(file)
    // the first pages hold the schema, so the damage shows at the first row
    bytes.fill(0x5a, 4096 * 8)
    await writeFile(file, bytes)
    const second = open()
    await record(second.history, [5000, 5001])
    expect(logged('history-set-aside')).toHaveLength(1)
    const [movedTo] = (await readdir(folder)).filter((name) => name.includes('.damaged-'))
    expect((await readFile(join(folder, movedTo ?? ''))).equals(bytes)).toBe(true)
    expect(await roundsIn(file)).toEqual([5000, 5001])
    expect(second.history.dropped()).toBe(0)
  })

  test('takes no name of one that was set aside in the same second', async () => {
    const { setAside } = await import('../../src/database/index.js')
    const names: string[] = []
    for (const content of ['first', 'second', 'third']) {
      await writeFile(file, content)
      await writeFile(`${file}-wal`, `log of the ${content}`)
      names.push(await setAside(file, 0))
    }
    expect(await Promise.all(names.map((name) => readFile(name, 'utf8')))).toEqual([
      'first',
      'second',
      'third',
    ])
    expect(await readFile(`${names[1]}-wal`, 'utf8')).toBe('log of the second')
    expect(existsSync(file)).toBe(false)
  })
})

describe('beside a running validator', () => {
  test('a reader sees what is committed, does not delay the writer, and cannot write', async () => {
    const { history } = open()
    await record(history, until(10))
    const reader = await openDatabase({ file }, { isReadOnly: true })
    try {
      // holds its snapshot while rows are written
      await reader.all(sql`begin`)
      const count = async () => (await reader.all(sql`select round from results`)).length
      expect(await count()).toBe(10)
      await record(history, until(700))
      expect(await count()).toBe(10)
      await reader.all(sql`commit`)
      expect(await count()).toBe(710)
      await expect(reader.all(sql`delete from results`)).rejects.toThrow(/readonly/)
    } finally {
      await reader.close()
    }
  })

  test('a reader creates no file', async () => {
    await expect(openDatabase({ file }, { isReadOnly: true })).rejects.toMatchObject({
      code: 'HISTORY_UNAVAILABLE',
    })
    expect(await readdir(folder)).toEqual([])
  })

  test('a reader opens a path with spaces, percent and question marks', async () => {
    const odd = join(folder, 'a b%20c?mode=memory#d', 'history.sqlite')
    const { history } = open(odd)
    await record(history, [7])
    expect(await roundsIn(odd)).toEqual([7])
  })
})

test('a folder of PGlite from release 4.5.0 is left alone and named once with what to do', async () => {
  await mkdir(join(folder, 'history'))
  await writeFile(join(folder, 'history', 'PG_VERSION'), '18\n')
  const { history } = open()
  await record(history, [1])
  expect(logged('history-old-folder')).toMatchObject([
    { folder: join(folder, 'history'), next: expect.stringContaining('docs/operating.md') },
  ])
  expect(await readdir(join(folder, 'history'))).toEqual(['PG_VERSION'])
})

const isRoot = process.getuid?.() === 0

test.skipIf(isRoot)(
  'a read-only file is reported, and rows wait until it is writable (skipped as root)',
  async () => {
    const first = open()
    await record(first.history, [1])
    await first.close()
    await chmod(file, 0o400)
    const { history } = open()
    history.record(row(2))
    await expect.poll(() => history.trouble()).toMatch(/readonly/)
    await chmod(file, 0o600)
    await expect.poll(() => history.spooled()).toBe(0)
    expect(await roundsIn(file)).toEqual([1, 2])
  },
)

/** Root may write to a read-only file, but not to a read-only mount. */
function canMount(): boolean {
  if (!isRoot) return false
  const probe = spawnSync('unshare', ['-m', 'sh', '-c', 'mount -t tmpfs -o size=64k tmpfs /mnt'])
  return probe.status === 0
}

describe.skipIf(!canMount())('a disk that rejects writes (skipped without the right to mount)', () => {
  const mount = (...options: string[]) => {
    const { status, stderr } = spawnSync('mount', [...options, folder], { encoding: 'utf8' })
    if (status !== 0) throw new Error(stderr)
  }
  beforeEach(() => mount('-t', 'tmpfs', '-o', 'size=2m', 'tmpfs'))
  afterEach(async () => {
    for (const stop of stops.splice(0)) await stop()
    spawnSync('umount', [folder])
  })

  test('full: rows wait in memory and are written once there is space', async () => {
    const ballast = join(folder, 'ballast')
    await writeFile(ballast, Buffer.alloc(1_500_000))
    const { history } = open()
    for (const round of until(3000)) history.record(row(round, { detail: 'x'.repeat(100) }))
    await expect.poll(() => history.trouble()).toMatch(/full/)
    expect(logged('history-write-failed')).toMatchObject([{ next: expect.stringContaining('Free space') }])
    expect(history.spooled()).toBeGreaterThan(0)
    await rm(ballast)
    await expect.poll(() => history.spooled()).toBe(0)
    await expect.poll(() => history.trouble()).toBeUndefined()
    expect(await roundsIn(file)).toEqual(until(3000))
    expect(history.dropped()).toBe(0)
  })

  test('read-only: rows wait in memory and are written once it is writable', async () => {
    const first = open()
    await record(first.history, [1])
    await first.close()
    mount('-o', 'remount,ro')
    const { history } = open()
    history.record(row(2))
    await expect.poll(() => history.trouble()).toMatch(/unable to open/)
    mount('-o', 'remount,rw')
    await expect.poll(() => history.spooled()).toBe(0)
    expect(await roundsIn(file)).toEqual([1, 2])
    expect((await stat(file)).size).toBeGreaterThan(0)
  })
})

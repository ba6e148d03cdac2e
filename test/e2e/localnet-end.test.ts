import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const run = promisify(execFile)
const bin = fileURLToPath(new URL('../../bin/run.js', import.meta.url))

/** The first case runs all nine miners; how a network ends does not depend on their number. */
const FEW = ['--miners', 'honest-fast', '--miners', 'honest-slow']

/** Processes whose command line contains this folder. */
async function processesOf(marker: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid,args'])
  return stdout.split('\n').filter((line) => line.includes(marker) && !line.includes('ps -eo'))
}

describe('stopping a localnet', () => {
  /** Part of the command line of every process of a localnet. */
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'targon-end-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const start = (seed: string, stdout: 'pipe' | 'ignore', more: readonly string[] = [], detached = false) =>
    spawn(process.execPath, [bin, 'localnet', '--seed', seed, ...more], {
      detached,
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', stdout, 'pipe'],
    })

  it('prints the board, exits 0 and leaves no process behind on Ctrl-C', async () => {
    const child = start('sigint', 'pipe', ['--epochs', '50'])
    let table = ''
    child.stdout?.on('data', (data: Buffer) => {
      table += data.toString()
    })
    const marker = await new Promise<string>((resolve, reject) => {
      let text = ''
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('verified')) resolve(text)
      })
      child.once('exit', (code) => reject(new Error(`exited with ${code}: ${text}`)))
    })
    expect(marker).toContain('miners ready')
    child.removeAllListeners('exit')
    child.kill('SIGINT')
    // 'close' rather than 'exit': the table may still be in the pipe
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(0)
    expect(table).toContain('honest-fast')
    expect(await processesOf(folder)).toEqual([])
  })

  it.each([
    ['chain ready', []],
    ['validator ready', FEW],
  ])(
    'exits 0 on Ctrl-C in a terminal, which reaches every process, right after “%s”',
    async (moment, miners) => {
      const child = start('group', 'pipe', ['--epochs', '50', ...miners], true)
      let text = ''
      child.stderr?.on('data', (data: Buffer) => {
        const isBefore = !text.includes(moment)
        text += data.toString()
        if (isBefore && text.includes(moment)) process.kill(-Number(child.pid), 'SIGINT')
      })
      const [code] = (await once(child, 'close')) as [number | null]
      expect(text).not.toContain('Error')
      expect(code).toBe(0)
      expect(await processesOf(folder)).toEqual([])
    },
  )

  it('leaves no process behind after kill -9', async () => {
    const child = start('sigkill', 'ignore', FEW)
    let text = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('miners ready')) resolve()
      })
      child.once('exit', (code) => reject(new Error(`exited with ${code}: ${text}`)))
    })
    expect((await processesOf(folder)).length).toBeGreaterThan(5)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    await expect.poll(() => processesOf(folder), { timeout: 60_000, interval: 500 }).toEqual([])
  })

  it('names the process that died and restarts none', async () => {
    const child = start('death', 'ignore', FEW)
    let text = ''
    const up = new Promise<void>((resolve) => {
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('validator ready')) resolve()
      })
    })
    await up
    const victim = (await processesOf(folder)).find((line) => line.includes('--wallet.hotkey honest-slow'))
    process.kill(Number(victim?.trim().split(/\s+/)[0]), 'SIGKILL')
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(1)
    expect(text).toContain('honest-slow was killed by SIGKILL')
    expect(await processesOf(folder)).toEqual([])
  })
})

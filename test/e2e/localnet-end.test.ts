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

/** Processes whose command line mentions this folder. */
async function processesOf(marker: string): Promise<string[]> {
  const { stdout } = await run('ps', ['-eo', 'pid,args'])
  return stdout.split('\n').filter((line) => line.includes(marker) && !line.includes('ps -eo'))
}

describe('the end of a localnet', () => {
  /** Every process of a localnet names a folder in here on its command line. */
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'targon-end-'))
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  const start = (seed: string, stdout: 'pipe' | 'ignore', more: readonly string[] = []) =>
    spawn(process.execPath, [bin, 'localnet', '--seed', seed, ...more], {
      env: { ...process.env, TMPDIR: folder },
      stdio: ['ignore', stdout, 'pipe'],
    })

  it('Ctrl-C prints the table, exits 0 and leaves no process behind', async () => {
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
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)))
    })
    expect(marker).toContain('miners ready')
    child.removeAllListeners('exit')
    child.kill('SIGINT')
    // closed, not only ended: the table may still be on its way
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(0)
    expect(table).toContain('honest-fast')
    expect(await processesOf(folder)).toEqual([])
  })

  it('kill -9 leaves no process behind either', async () => {
    const child = start('sigkill', 'ignore')
    let text = ''
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('miners ready')) resolve()
      })
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${text}`)))
    })
    expect((await processesOf(folder)).length).toBeGreaterThan(5)
    child.removeAllListeners('exit')
    child.kill('SIGKILL')
    await expect.poll(() => processesOf(folder), { timeout: 60_000, interval: 500 }).toEqual([])
  })

  it('names the part that died and restarts none', async () => {
    const child = start('death', 'ignore')
    let text = ''
    const up = new Promise<void>((resolve) => {
      child.stderr?.on('data', (data: Buffer) => {
        text += data.toString()
        if (text.includes('validator ready')) resolve()
      })
    })
    await up
    const victim = (await processesOf(folder)).find((line) => line.includes('honest-slow'))
    process.kill(Number(victim?.trim().split(/\s+/)[0]), 'SIGKILL')
    const [code] = (await once(child, 'close')) as [number | null]
    expect(code).toBe(1)
    expect(text).toContain('honest-slow was killed by SIGKILL')
    expect(await processesOf(folder)).toEqual([])
  })
})

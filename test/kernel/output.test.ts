import { spawnSync } from 'node:child_process'
import { closeSync, constants, mkdtempSync, openSync, readFileSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openFileOutput, openOutput } from '../../src/kernel/output.js'

const LINE = Buffer.alloc(4096, 'x')

let folder: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'output-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function makePipe() {
  const path = join(folder, 'pipe')
  spawnSync('mkfifo', [path])
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  return { path, reader, writer: openSync(path, constants.O_WRONLY) }
}

/** Whether writes to a descriptor wait, for every process that shares it. */
function waits(fd: number): boolean {
  const flags = /^flags:\s+([0-7]+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? ''
  return (Number.parseInt(flags, 8) & constants.O_NONBLOCK) === 0
}

describe('an output on a pipe', () => {
  it('takes nothing more when the pipe is full, and goes on once it is read', () => {
    const { reader, writer } = makePipe()
    const output = openOutput(writer)
    let taken = 0
    for (let count = output.writeNow(LINE); count > 0; count = output.writeNow(LINE)) taken += count
    expect(taken).toBeGreaterThan(0)
    readSync(reader, Buffer.alloc(8192))
    expect(output.writeNow(LINE)).toBe(LINE.length)
  })

  it('changes nothing for other processes that share the pipe', () => {
    const { writer } = makePipe()
    openOutput(writer).writeNow(LINE)
    expect(waits(writer)).toBe(true)
  })

  it('throws when the reader has closed the pipe', () => {
    const { reader, writer } = makePipe()
    const output = openOutput(writer)
    closeSync(reader)
    expect(() => output.writeNow(LINE)).toThrow(/EPIPE/)
  })
})

it('an output on a file appends, and only the owner can read the file', async () => {
  const path = join(folder, 'log')
  await openFileOutput(path).writeLater?.(Buffer.from('one\n'))
  await openFileOutput(path).writeLater?.(Buffer.from('two\n'))
  expect(readFileSync(path, 'utf8')).toBe('one\ntwo\n')
  expect(spawnSync('stat', ['-c', '%a', path], { encoding: 'utf8' }).stdout.trim()).toBe('600')
})

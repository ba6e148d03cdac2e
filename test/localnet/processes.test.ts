import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { createInterface } from 'node:readline'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../src/kernel/clock.js'
import { createDeferred } from '../../src/kernel/deferred.js'
import { Child } from '../../src/localnet/processes.js'

/** A child that runs this script; `--exit-with-stdin` and the rest of argv come after it. */
function child(script: string, onStdout?: (line: string) => void): Child {
  return new Child(
    { command: process.execPath, args: ['-e', script, '--'] },
    {
      name: 'probe',
      args: [],
      cwd: tmpdir(),
      env: { PATH: process.env.PATH ?? '' },
      ...(onStdout ? { onStdout } : {}),
    },
  )
}

describe('a child process of the localnet', () => {
  it('is named with its status and its last words when it dies', async () => {
    const dying = child("console.error('port taken'); process.exitCode = 3")
    const error = dying.deathError(await dying.exited)
    expect(error).toMatchObject({ code: 'LOCALNET_PROCESS_DIED', fault: 'runtime' })
    expect(error.message).toMatch(/probe exited with status 3[\s\S]*port taken/)
  })

  it('is reported, not thrown, when its program does not exist', async () => {
    const missing = new Child(
      { command: '/nonexistent', args: [] },
      { name: 'probe', args: [], cwd: tmpdir(), env: {} },
    )
    expect(missing.deathError(await missing.exited).message).toContain('spawn /nonexistent')
  })

  it('is killed when it ignores SIGTERM', async () => {
    const ready = createDeferred<string>()
    const stubborn = child(
      "process.on('SIGTERM', () => {}); console.log('up'); setInterval(() => {}, 1000)",
      ready.resolve,
    )
    await ready.promise
    await stubborn.stop(systemClock, 50)
    expect(await stubborn.exited).toEqual({ code: null, signal: 'SIGKILL' })
  })

  it('sees its standard input close when we are killed', async () => {
    const script = "process.stdin.on('end', () => console.log('orphaned')).resume(); console.log('up')"
    const spawnIt = `require('node:child_process').spawn(process.execPath, ['-e', ${JSON.stringify(script)}], { stdio: ['pipe', 'inherit', 'inherit'] })`
    const parent = spawn(process.execPath, ['-e', spawnIt], { stdio: ['ignore', 'pipe', 'inherit'] })
    const lines: string[] = []
    const reader = createInterface({ input: parent.stdout }).on('line', (line) => lines.push(line))
    await once(reader, 'line')
    parent.kill('SIGKILL')
    await once(reader, 'close') // the grandchild held the pipe: it is gone
    expect(lines).toEqual(['up', 'orphaned'])
  })
})
